"""Carries what is said to sources: planned from the streams, sent in order, until it arrives.

What is done is committed before and after. A message of which nobody knows whether it has arrived
goes once more under the same id, so that the source can tell.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic

import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.webhook.planning import OWN, PRIVATE, ROOM, plan
from desk.channels.webhook.posting import WHOLE_SECONDS, post
from desk.channels.webhook.sources import Source
from desk.channels.webhook.verdicts import PAUSE, judge, settle
from desk.context import Context
from desk.conversations.router import Router
from recovery import faults
from recovery.logs import log
from recovery.store.database import is_away
from recovery.store.streams import Entry
from recovery.store.webhook import received, sends, threads
from recovery.store.webhook.contacts import Contact
from recovery.store.webhook.sends import Send

_LOOK_SECONDS = 1.0
# What this process has not heard of, and what a desk left that has died, is looked for less often.
_SCAN_SECONDS = 5.0
_SCAN_SHARE = 50
_SWEEP_SECONDS = 3600.0
_AWAY_SECONDS = 1.0
# So that one slow source keeps no other waiting.
_CALLS_OF_ONE = 8
# Calls under way have so long to end when the desk stops.
_LAND_SECONDS = 3.0
# When nobody has heard of a call for this long, the desk that made it is gone.
_LEASE = timedelta(seconds=6 * WHOLE_SECONDS)
_KEPT = timedelta(days=30)


class Deliverer:
    """The road out of one desk. Several may run: a contact is worked by one at a time."""

    def __init__(self, context: Context, router: Router, http: httpx.AsyncClient) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Tells the pages of staff.
            http: By which sources are called.
        """
        self._context = context
        self._router = router
        self._http = http
        self._ids = [source.id for source in context.webhooks]
        self._news: set[str] = set()
        self._woken = asyncio.Event()
        self._scanned: float | None = None
        self._scan_pause = _SCAN_SECONDS
        self._swept: float | None = None
        self._flights: dict[asyncio.Task[None], str] = {}
        self._paused: dict[str, datetime] = {}

    def _heard(self, entry: Entry) -> None:
        """Something was said: look at its stream. Of customers' own words nothing goes out."""
        if entry.stream.startswith((PRIVATE, OWN, ROOM)):
            if entry.event.get("author") != "customer":
                self._news.add(entry.stream)
                self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._context.hub.listen_all(self._heard)
        try:
            if self._context.storage.database.is_sqlite:
                # Beside an SQLite file there is no other desk: whatever is under way is nobody's.
                await self._context.storage.write(
                    sends.begin_anew, self._ids, self._context.clock()
                )
            while True:
                await self._work_with_store()
                await self._rest()
        finally:
            self._context.hub.leave_all(self._heard)

    async def _work_with_store(self) -> None:
        try:
            await self.work_once()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            # What was said stands in its stream.
            self._scanned = None
            log.warning("store away", worker="webhooks", error=type(error).__name__)
            await asyncio.sleep(_AWAY_SECONDS)

    async def _rest(self) -> None:
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the event.
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    async def work_once(self) -> None:
        """Look once: plan what is new, send what is due."""
        await self._sweep_now_and_then()
        await self._plan()
        await self._send()

    async def _plan(self) -> None:
        context = self._context
        scan = await self._is_something_left()
        if not scan and not self._news:
            return
        news, self._news = self._news, set()
        these: Collection[str] | None = None if scan else news
        try:
            await context.storage.write(plan, context, these, context.clock())
        except SQLAlchemyError:
            self._news |= news
            raise

    async def _is_something_left(self) -> bool:
        """Now and then: whether something waits of which this process has not heard."""
        if self._scanned is not None and monotonic() - self._scanned < self._scan_pause:
            return False
        began = monotonic()
        found = await self._context.storage.read(threads.any_behind, self._ids)
        self._scanned = monotonic()
        # All streams are looked through: with very many of them it costs, and is done less often.
        self._scan_pause = max(_SCAN_SECONDS, _SCAN_SHARE * (self._scanned - began))
        return found

    async def _send(self) -> None:
        """Begin the calls that are due, as far as there is room for them."""
        context = self._context
        now = context.clock()
        flying = Counter(self._flights.values())
        free = [
            source
            for source in context.webhooks
            if flying[source.id] < _CALLS_OF_ONE and not self._is_paused(source.id, now)
        ]
        if not free or not await context.storage.read(
            sends.any_due, [source.id for source in free], now
        ):
            return
        for source in free:
            room = _CALLS_OF_ONE - flying[source.id]
            taken = await context.storage.write(sends.take, [source.id], now, now + _LEASE, room)
            for send, contact in taken:
                task = asyncio.create_task(self._fly(source, send, contact))
                self._flights[task] = source.id
                task.add_done_callback(self._landed)

    def _landed(self, task: "asyncio.Task[None]") -> None:
        del self._flights[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            # It is due again when its lease is over.
            log.error("webhook call failed", error=repr(error), exc_info=error)
        self._woken.set()

    async def _fly(self, source: Source, send: Send, contact: Contact) -> None:
        context = self._context
        ending = await post(self._http, source, send.body, context.clock())
        faults.reach("webhook-answered")
        now = context.clock()
        verdict = judge(send, ending, now)
        outcome = "paused" if verdict.pauses else verdict.state
        context.metrics.webhooks.labels(source.id, outcome).inc()
        if verdict.pauses:
            self._pause(source.id, ending.status, now)
        elif verdict.state == sends.SENT:
            context.metrics.webhooks_paused.labels(source.id).set(0)
        else:
            log.warning(
                "webhook not taken",
                source=source.id,
                status=ending.status,
                problem=ending.problem,
                again=verdict.state == sends.TODO,
            )
        try:
            committed = await context.storage.write(settle, send, contact, ending, verdict, now)
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            # Its row says that it is on its way: it goes once more, under the same id.
            log.warning("store away", worker="webhooks", error=type(error).__name__)
            return
        self._router.publish(committed)

    def _is_paused(self, source_id: str, now: datetime) -> bool:
        until = self._paused.get(source_id)
        return until is not None and until > now

    def _pause(self, source_id: str, status: int | None, now: datetime) -> None:
        """Leave a source alone that does not take our signature; an operator has to look."""
        if not self._is_paused(source_id, now):
            log.error(
                "webhook source paused: it refuses our signature",
                source=source_id,
                status=status,
                minutes=int(PAUSE.total_seconds()) // 60,
            )
        self._paused[source_id] = now + PAUSE
        self._context.metrics.webhooks_paused.labels(source_id).set(1)

    async def _sweep_now_and_then(self) -> None:
        if self._swept is not None and monotonic() - self._swept < _SWEEP_SECONDS:
            return
        self._swept = monotonic()
        before = self._context.clock() - _KEPT
        await self._context.storage.write(_swept, before)

    async def land(self) -> None:
        """Let calls end that are under way as the desk stops."""
        if self._flights:
            await asyncio.wait(set(self._flights), timeout=_LAND_SECONDS)
        for task in tuple(self._flights):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _swept(db: Connection, before: datetime) -> None:
    received.sweep(db, before)
    sends.sweep(db, before)
