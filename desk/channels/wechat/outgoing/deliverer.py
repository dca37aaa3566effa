"""Carries what is said in private conversations to WeChat.

Passively where a callback waits, else by calls, those to one contact one after the other. What is
done is committed before and after; what a process was doing when it died stands in its rows.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.incoming.passive import Slot
from desk.channels.wechat.outgoing.calling import call
from desk.channels.wechat.outgoing.composing import Letter
from desk.channels.wechat.outgoing.dispatching import (
    Decided,
    Flight,
    Key,
    reply_passively,
    take,
    take_back,
)
from desk.channels.wechat.outgoing.planning import plan
from desk.channels.wechat.outgoing.standing import Rights
from desk.channels.wechat.outgoing.typing import Typing
from desk.channels.wechat.outgoing.verdicts import Landed, settle, settle_lost
from desk.conversations.turn import Committed
from recovery import faults
from recovery.logs import log
from recovery.store.database import is_away
from recovery.store.streams import Entry
from recovery.store.wechat import threads, under_way

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

_PRIVATE = "private:"
_CALLS_AT_ONCE = 16
_LOOK_SECONDS = 1.0
# What this process has not heard of, and what a desk left that has died, is looked for less often.
_SCAN_SECONDS = 5.0
# Calls under way have so long to end when the desk stops.
_LAND_SECONDS = 3.0
_AWAY_SECONDS = 1.0


@dataclass(frozen=True)
class _Round:
    """What one transaction has brought about before calls are decided on."""

    committed: tuple[Committed, ...]
    planned: bool
    decided: Decided


def _left_over(db: Connection, accounts: Collection[str], now: datetime) -> bool:
    return threads.any_behind(db, accounts) or under_way.any_due(db, accounts, now)


class Deliverer:
    """The road out of one desk. Several may run: a contact is worked by one at a time."""

    def __init__(self, wechat: "WeChat") -> None:
        """Prepare.

        Args:
            wechat: The channel.
        """
        self.rights = Rights()
        self._typing = Typing(wechat, self.rights)
        self._wechat = wechat
        self._context = wechat.context
        self._accounts = [account.id for account in wechat.context.wechat]
        self._news: set[str] = set()
        self._scanned: float | None = None
        self._round: asyncio.Task[None] | None = None
        self._flights: set[asyncio.Task[None]] = set()
        self._landed: list[Landed] = []
        # What callbacks could not carry, until that is written down.
        self._refused: dict[Key, Letter] = {}

    def heard(self, entry: Entry) -> None:
        """Something was said: look at its conversation. A customer's own words go nowhere."""
        if entry.stream.startswith(_PRIVATE) and entry.event.get("author") != "customer":
            self._news.add(entry.stream.removeprefix(_PRIVATE))
            self._wechat.wake()

    async def run(self) -> None:
        """Work until cancelled; calls that are under way then may still end."""
        self._context.hub.listen_all(self.heard)
        self._typing.begin()
        try:
            await self.recover()
            while True:
                # What is committed is also done: a stop may come between the two.
                self._round = asyncio.create_task(self._work_with_store())
                await asyncio.shield(self._round)
                await self._rest()
        finally:
            self._context.hub.leave_all(self.heard)
            self._typing.end()
            landing = asyncio.create_task(self._land())
            while not landing.done():
                # Who stops the desk says so again and again (`desk.finish.end`); it takes seconds.
                with suppress(asyncio.CancelledError):
                    await asyncio.shield(landing)

    async def _work_with_store(self) -> None:
        try:
            await self.work_once()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            # What was said stands in its stream, and what has ended is kept until it is written.
            self._scanned = None
            log.warning("store away", worker="wechat deliverer", error=type(error).__name__)
            await asyncio.sleep(_AWAY_SECONDS)

    async def _rest(self) -> None:
        woken = self._wechat.woken
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the event.
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await woken.wait()
        except TimeoutError:
            return
        woken.clear()

    async def recover(self) -> None:
        """Say of calls that a desk was making when it died what is known of them."""
        storage = self._context.storage
        # Beside an SQLite file there is no other desk: whatever is under way is nobody's.
        alone = storage.database.is_sqlite
        now = self._context.clock()
        self._wechat.router.publish(await storage.write(self._given_up, now, everything=alone))

    def _given_up(self, db: Connection, now: datetime, *, everything: bool = False) -> Committed:
        lost = under_way.lost(db, self._accounts, None if everything else now)
        return settle_lost(db, self._context, lost, now)

    async def work_once(self) -> None:
        """Look once: write down what has ended, plan what is new, send what is due."""
        await self.plan_once()
        await self.dispatch_once()

    async def plan_once(self) -> None:
        """Write down how calls have ended, plan what is new, answer callbacks that wait."""
        await self._take_back()
        scan = await self._is_something_left()
        landed = tuple(self._landed)
        slots = self._wechat.slots.everybody()
        due = bool(slots) and await self._due()
        if not (scan or self._news or landed or due):
            return
        news, self._news = self._news, set()
        waiting = {contact: slot.key for contact, slot in slots.items()}
        if landed:
            faults.reach("wechat-sent")
        try:
            found = await self._context.storage.write(
                self._commit_round, None if scan else news, landed, waiting, self._context.clock()
            )
        except SQLAlchemyError:
            self._news |= news
            raise
        if found.planned:
            faults.reach("wechat-planned")
        del self._landed[: len(landed)]
        for committed in found.committed:
            self._wechat.router.publish(committed)
        await self._fill(found.decided, slots)

    async def _is_something_left(self) -> bool:
        """Now and then: whether something waits of which this process has not heard."""
        if self._scanned is not None and monotonic() - self._scanned < _SCAN_SECONDS:
            return False
        storage, now = self._context.storage, self._context.clock()
        found = await storage.read(_left_over, self._accounts, now)
        self._scanned = monotonic()
        return found

    def _commit_round(
        self,
        db: Connection,
        news: Collection[str] | None,
        landed: Collection[Landed],
        waiting: Mapping[str, Key],
        now: datetime,
    ) -> _Round:
        context = self._context
        committed = [settle(db, context, self.rights, tuple(landed), now)] if landed else []
        if news is None:
            committed.append(self._given_up(db, now))
        planned = plan(db, context, news, now) if news is None or news else set()
        decided = Decided()
        if waiting:
            decided = reply_passively(db, context, self.rights, waiting, now)
        return _Round(tuple(committed), bool(planned), decided)

    async def _fill(self, decided: Decided, slots: Mapping[str, Slot]) -> None:
        """Let callbacks answer with what was committed for them."""
        self._refused |= {
            slots[contact].key: letter
            for contact, letter in decided.passive.items()
            if not slots[contact].fill(letter.text)
            and self._wechat.slots.goes(slots[contact].key, "call")
        }
        await self._take_back()

    async def _take_back(self) -> None:
        """Let go by calls what callbacks could not carry: they had just answered without it."""
        refused = dict(self._refused)
        if refused:
            await self._context.storage.write(take_back, refused, self._context.clock())
            for key in refused:
                del self._refused[key]

    async def _due(self) -> bool:
        storage, now = self._context.storage, self._context.clock()
        return await storage.read(under_way.any_due, self._accounts, now)

    async def dispatch_once(self) -> None:
        """Begin the calls that are due, as far as there is room for them."""
        room = _CALLS_AT_ONCE - len(self._flights)
        if room <= 0 or not await self._due():
            return
        context = self._context
        decided = await context.storage.write(take, context, self.rights, room, context.clock())
        if decided.flights:
            faults.reach("wechat-sending")
        for flight in decided.flights:
            task = asyncio.create_task(self._fly(flight))
            self._flights.add(task)
            task.add_done_callback(self._flights.discard)
        for changed in decided.changed:
            context.hub.changed(*changed)

    async def _fly(self, flight: Flight) -> None:
        self._landed.append(await call(self._wechat, flight))
        self._wechat.wake()

    async def _land(self) -> None:
        """Let calls end that are under way as the desk stops, and write down how they did."""
        if self._round is not None:
            await asyncio.wait({self._round}, timeout=_LAND_SECONDS)
        if self._flights:
            await asyncio.wait(self._flights, timeout=_LAND_SECONDS)
        for task in self._flights:
            task.cancel()
        landed, self._landed = tuple(self._landed), []
        if not landed:
            return
        context = self._context
        faults.reach("wechat-landed")
        try:
            await context.storage.write(settle, context, self.rights, landed, context.clock())
        except SQLAlchemyError as error:
            # Their rows say that nobody knows.
            log.warning("store away", worker="wechat deliverer", error=type(error).__name__)
