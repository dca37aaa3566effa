"""Looks after the queue: order, assignment, silent owners, what was put aside, who is told."""

import asyncio
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import passing
from desk.conversations.queueing import Prospect, out_of_order, prospects, reckon
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from desk.hub import ATTENDANCE, DESK, staff_topic
from recovery.business import Business
from recovery.queue.assignment import choose, eligible
from recovery.queue.people import AWAY, ONLINE, Colleague
from recovery.store import audit_log, presence, queue
from recovery.store.conversations import TRANSFER, OwnershipError
from recovery.store.database import hold
from recovery.store.queue import InLine

_EVERY_SECONDS = 5.0
# What changes at once is looked at together.
_PAUSE_SECONDS = 0.3


class Attendance:
    """Sees that nobody in the queue is forgotten, for as long as the desk runs."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare; nothing is looked at yet.

        Args:
            context: The desk.
            router: Tells the pages.
        """
        self._context = context
        self._router = router
        self._stirred = asyncio.Event()
        self._told: dict[str, Prospect] = {}
        self._reckoned = -_EVERY_SECONDS

    async def run(self) -> None:
        """Look at every change, and every few seconds, since waiting is a change as well."""
        hub = self._context.hub
        for topic in (DESK, ATTENDANCE):
            hub.hear_signals(topic, self._stir)
        try:
            while True:
                self._stirred.clear()
                await self.look_once()
                try:
                    # Not `wait_for`: it loses the end of the desk where both come at once.
                    async with asyncio.timeout(_EVERY_SECONDS):
                        await self._stirred.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            for topic in (DESK, ATTENDANCE):
                hub.leave_signals(topic, self._stir)

    def _stir(self, _: dict[str, Any]) -> None:
        self._stirred.set()

    async def look_once(self) -> None:
        """Do all that is due now, at every business."""
        told: dict[str, Prospect] = {}
        # Who comes in is reckoned at once; that time passes, and that words grow angrier, is
        # looked at every few seconds, since all cases of the queue have to be read.
        reckons = monotonic() >= self._reckoned + _EVERY_SECONDS
        if reckons:
            self._reckoned = monotonic()
        for business in self._context.directory:
            told |= await self._look_at(business, reckons=reckons)
        for conversation, prospect in told.items():
            if self._told.get(conversation) != prospect:
                # Its own stream is heard by the pages of its customer.
                self._context.hub.signal(f"private:{conversation}", prospect.frame)
        self._told = told

    async def _look_at(self, business: Business, *, reckons: bool) -> dict[str, Prospect]:
        context, storage = self._context, self._context.storage
        now = context.clock()
        for due in await storage.read(queue.to_wake, business.id, now):
            self._router.publish(await storage.write(passing.wake, context, due.id, now))
        for one in await storage.read(queue.unanswered, business.id):
            if passing.is_silent(context, one, now):
                await self._silent(one.id, one.owner, now)
        for one_id in await storage.read(_without_owner, business, now):
            self._router.publish(await storage.write(passing.free, context, one_id, now))
        if not await storage.read(queue.line, business.id):
            return {}
        # Reading first: most looks change nothing, and a writer would keep others waiting.
        stale = await storage.read(out_of_order, context, business, now) if reckons else {}
        if stale:
            for conversation in await storage.write(reckon, context, business, now):
                context.hub.changed(business.id, conversation)
        while business.assignment == "auto" and await storage.read(_anybody, business, now):
            committed = await storage.write(assign_next, context, business, now)
            if committed is None:
                break
            self._router.publish(committed)
        return await storage.read(prospects, context, business, now)

    async def _silent(self, conversation_id: str, owner: str, now: datetime) -> None:
        committed, stepped_away = await self._context.storage.write(
            passing.fell_silent, self._context, conversation_id, owner, now
        )
        self._router.publish(committed)
        if stepped_away:
            agent = int(owner.rpartition(":")[2])
            self._context.hub.signal(staff_topic(agent), {"type": "presence", "presence": AWAY})


def _without_owner(db: Connection, business: Business, now: datetime) -> list[str]:
    """Conversations of those who do not work for the business any more."""
    owned = queue.with_staff(db, business.id)
    if not owned:
        return []
    people = {one.id for one in presence.colleagues(db, business.id, now)}
    return [one.id for one in owned if one.agent not in people]


def _anybody(db: Connection, business: Business, now: datetime) -> bool:
    """Whether somebody could take something; most of the time nobody can."""
    people = presence.colleagues(db, business.id, now)
    return bool(eligible(people, business.id, business.industry))


def _for_this(
    db: Connection, business: Business, one: InLine, found: list[Colleague], now: datetime
) -> list[Colleague]:
    """Those of the eligible who may be handed this very conversation.

    Who has just put it back, or has said nothing in it, comes only after all others; and where
    there are no others, not at once: after having come back online since, or after a while, so
    that nobody waits for ever for who is not there.
    """
    put_back = one.reason == TRANSFER
    if one.last_agent is None or not (one.front or put_back):
        return found
    others = [person for person in found if person.id != one.last_agent]
    if others or not found:
        return others
    if audit_log.done_since(db, one.last_agent, ("presence",), one.since, presence=ONLINE):
        return found
    pause = business.reply_minutes if put_back else business.silent_minutes
    waited = business.service.between(datetime.fromisoformat(one.since), now)
    return found if waited >= pause * 60 else []


def assign_next(
    db: Connection, context: Context, business: Business, now: datetime
) -> Committed | None:
    """Hand the first conversation of a queue that somebody can take to them.

    Two desks on one database do not hand to the same person at once: they take turns.

    Returns:
        What to publish; None where nobody is there, or nobody waits.
    """
    # Of all businesses together: an operator is handed conversations of several.
    hold(db, "assignment")
    people = presence.colleagues(db, business.id, now)
    for one in queue.line(db, business.id):
        found = _for_this(db, business, one, eligible(people, business.id, business.industry), now)
        chosen = choose(found, queue.last_agent_of(db, one.customer_id))
        if chosen is None:
            continue
        try:
            return passing.assign(db, context, one.id, chosen, now)
        except OwnershipError:
            # Taken by hand at this very moment.
            continue
    return None
