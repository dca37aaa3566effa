"""Erases what customers asked for, and what is past its time, for as long as the desk runs."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.album import Album
from desk.context import Context
from desk.conversations.rasa import Rasa, RasaAwayError
from desk.personal_data.carrying import carry_out, clear
from recovery.logs import log
from recovery.store import audit_log, data_requests, erasure, retention
from recovery.store.database import hold, is_away
from recovery.store.erasure import Counts

_EVERY_SECONDS = 15.0
# The last words still have to reach the customer, on whatever channel.
GRACE = timedelta(minutes=2)
_FIRST_RETENTION, _RETENTION_EVERY = timedelta(minutes=10), timedelta(hours=1)
_PERSONS_AT_ONCE, _CONVERSATIONS_AT_ONCE = 10, 50
_PORTIONS = 200


class DataKeeper:
    """Looks again and again; several desks may."""

    def __init__(self, context: Context, album: Album, rasa: Rasa) -> None:
        """Prepare.

        Args:
            context: The desk.
            album: Where pictures lie.
            rasa: Its memory forgets too.
        """
        self._context = context
        self._album = album
        self._rasa = rasa
        # Not while a desk comes up.
        self._next_retention = context.clock() + _FIRST_RETENTION

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Carry out what is due; gives how many persons were erased on request."""
        context, now, erased = self._context, self._context.clock(), 0
        for request_id in await context.storage.read(
            data_requests.asked_before, self._served, now - GRACE
        ):
            try:
                done = await context.storage.write(carry_out, request_id, now)
            except SQLAlchemyError as error:
                if is_away(error):
                    raise
                # One that fails keeps no other waiting; its parameters are hidden.
                log.error("erasure failed", request=request_id, error=type(error).__name__)
                continue
            erased += done is not None and done.state != data_requests.OPEN
        await self.clear_once()
        if now >= self._next_retention:
            await self.retain_once()
            self._next_retention = now + _RETENTION_EVERY
        return erased

    async def clear_once(self) -> None:
        """Remove files and trackers of what was erased."""
        for request in await self._context.storage.read(data_requests.clearing, self._served):
            await clear(self._context, self._album, self._rasa, request)

    async def retain_once(self) -> Counts:
        """Remove what is past its time; gives how many rows of each table."""
        context, now = self._context, self._context.clock()
        privacy, total = context.settings.privacy, dict[str, int]()
        before = privacy.before(privacy.conversations_days, now)
        if before is not None:
            for business in self._served:
                await self._forget_persons(total, business, before, now)
                await self._forget_words(total, business, before, now)
            await self._again(total, _reported, before, now)
        before = privacy.before(privacy.pictures_days, now)
        if before is not None:
            for business in self._served:
                await self._again(total, _old_pictures, business, before, now)
        for days, work in (
            (privacy.wechat_days, _sent),
            (privacy.logs_days, _traces),
        ):
            before = privacy.before(days, now)
            if before is not None:
                await self._again(total, work, before, now)
        before = privacy.before(privacy.audit_days, now)
        if before is not None and await self._read(retention.audited_before, before):
            await self._again(total, _audited, before, now)
        before = privacy.before(privacy.trackers_days, now)
        if before is not None:
            await self._forget_trackers(before)
        await self.clear_once()
        if total:
            log.info("retention", **total)
        return total

    @property
    def _served(self) -> list[str]:
        return [business.id for business in self._context.directory]

    async def _again(self, total: Counts, work: Callable[..., Counts], *given: object) -> None:
        """Do a portion after another, each in a transaction of its own, until none is left."""
        for _ in range(_PORTIONS):
            counts = await self._context.storage.write(work, *given)
            if not any(counts.values()):
                return
            _add(total, counts)
            # Customers' messages go first.
            await asyncio.sleep(0)

    async def _read(self, look: Callable[..., list[Any]], *given: object) -> list[Any]:
        """Look for what is too old where nobody waits: it may take a while."""
        return await self._context.storage.read_at_length(look, *given)

    async def _forget_persons(
        self, total: Counts, business: str, before: datetime, now: datetime
    ) -> None:
        if await self._read(retention.old_persons, business, before, 1):
            await self._again(total, _old_persons, business, before, now)

    async def _forget_words(
        self, total: Counts, business: str, before: datetime, now: datetime
    ) -> None:
        for _ in range(_PORTIONS):
            found = await self._read(
                retention.old_conversations, business, before, _CONVERSATIONS_AT_ONCE
            )
            for conversation in found:
                counts = await self._context.storage.write(
                    _old_words, business, conversation, before, now
                )
                _add(total, counts)
            if len(found) < _CONVERSATIONS_AT_ONCE:
                return

    async def _forget_trackers(self, before: datetime) -> None:
        try:
            for _ in range(_PORTIONS):
                if not await self._rasa.forget([], before):
                    return
        except RasaAwayError as error:
            log.warning("old trackers wait to be forgotten", error=str(error))


def _add(total: Counts, counts: Counts) -> None:
    for name, number in counts.items():
        total[name] = total.get(name, 0) + number


def _old_persons(db: Connection, business: str, before: datetime, now: datetime) -> Counts:
    hold(db, f"retention {business}")
    scopes = retention.old_persons(db, business, before, _PERSONS_AT_ONCE)
    if not scopes:
        return {}
    act = audit_log.note(db, None, "retention", now, business=business)
    total: Counts = {"persons": len(scopes)}
    files: list[str] = []
    for scope in scopes:
        erasure.hold_person(db, scope)
        counts, gone = erasure.erase(db, scope, act, now)
        files += gone
        _add(total, counts)
    trackers = [part for scope in scopes for part in scope.conversations]
    data_requests.note_retention(db, business, total, now, files=files, trackers=trackers)
    return total


def _old_words(
    db: Connection, business: str, conversation: str, before: datetime, now: datetime
) -> Counts:
    return _noted(db, business, retention.forget_words(db, conversation, before), now)


def _old_pictures(db: Connection, business: str, before: datetime, now: datetime) -> Counts:
    counts, files = retention.old_pictures(db, business, before)
    if counts:
        data_requests.note_retention(db, business, counts, now, files=files)
    return counts


def _sent(db: Connection, before: datetime, now: datetime) -> Counts:
    return _noted(db, "", retention.sent_before(db, before), now)


def _traces(db: Connection, before: datetime, now: datetime) -> Counts:
    return _noted(db, "", retention.traces_before(db, before), now)


def _reported(db: Connection, before: datetime, now: datetime) -> Counts:
    return _noted(db, "", retention.reported_before(db, before), now)


def _audited(db: Connection, before: datetime, now: datetime) -> Counts:
    entries = retention.audited_before(db, before)
    if not entries:
        return {}
    act = audit_log.note(db, None, "retention", now)
    return _noted(db, "", {"audit_log": retention.scrub_old(db, entries, act)}, now)


def _noted(db: Connection, business: str, counts: Counts, now: datetime) -> Counts:
    if counts:
        data_requests.note_retention(db, business, counts, now)
    return counts
