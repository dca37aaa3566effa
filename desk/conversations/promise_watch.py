"""Looks after promised times: tells before one is missed, and brings a person when it is again."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import late_promises, promising
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from recovery import faults
from recovery.business import Business
from recovery.logs import log
from recovery.promises.timing import due_of, speak_at
from recovery.store import conversations, fulfilments, promises
from recovery.store.conversations import Conversation
from recovery.store.database import is_away
from recovery.store.promises import ACCEPTED, DONE, GIVEN_UP, Promise

_EVERY_SECONDS = 5.0
_AFTER_DEFECT = timedelta(minutes=10)
_TOGETHER = timedelta(minutes=10)
"""What is to be told so soon after is told with it, in one message."""


class PromiseWatch:
    """Looks at promises, for as long as the desk runs."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Shows what is told, and wakes the worker that carries additions out.
        """
        self._context = context
        self._router = router

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Look at all that is due; returns at how many conversations.

        Each has a transaction of its own that holds the conversation: on PostgreSQL another desk
        that looks at the same time finds nothing left to tell.
        """
        context, now = self._context, self._context.clock()
        served = [business.id for business in context.directory]
        if await context.storage.read(promises.unwatched, served, 1):
            await context.storage.write(adopt, context, now)
        due = await context.storage.read(promises.to_look_at, served, now)
        for one in due:
            faults.reach("promise-due")
            try:
                committed = await context.storage.write(look_at_promises, context, one, now)
            except Exception as error:
                if is_away(error):
                    raise
                # A defect about one promise must not keep others from being told in time.
                log.error("promise failed", conversation=one, exc_info=error)
                await context.storage.write(promises.leave, one, now + _AFTER_DEFECT, now)
                continue
            if committed.entries:
                faults.reach("promise-told")
            self._router.publish(committed)
        return len(due)


def adopt(db: Connection, context: Context, now: datetime) -> int:
    """Watch remedies on their way that have no promise yet; returns how many.

    What was promised before this was kept may be late by now: then its time begins anew, so that
    nobody is told of many late remedies at the first start after an update.
    """
    adopted = 0
    for one in promises.unwatched(db, [business.id for business in context.directory]):
        conversation = conversations.load(db, one.conversation_id)
        if conversation is None:
            continue
        business = context.business(one.business)
        since = datetime.fromisoformat(one.created_at)
        if due_of(context.promises, business, one.remedy, since) <= now:
            since = now
        adopted += promising.watch(
            db, context, one.key, one.case_id, conversation, one.remedy, since
        )
    return adopted


def look_at_promises(
    db: Connection, context: Context, conversation_id: str, now: datetime
) -> Committed:
    """Do what is due about the promises of one conversation."""
    conversation = conversations.load(db, conversation_id, lock=True)
    business = context.directory.business(conversation.business) if conversation else None
    if conversation is None or business is None:
        # Of a business that was taken out of the settings all is kept until it comes back.
        return Committed([])
    near = [
        one
        for one in promises.watched(db, conversation_id, now + _TOGETHER)
        if not _settled(db, one, now)
    ]
    done = Committed([])
    by_case = sorted(near, key=lambda one: one.case_id)
    for _, group in groupby(by_case, key=lambda one: one.case_id):
        for told in _of_case(db, context, conversation, business, list(group), now):
            done = _both(done, told)
            # A person may own it by now.
            conversation = conversations.load(db, conversation_id) or conversation
    return done


def _of_case(
    db: Connection,
    context: Context,
    conversation: Conversation,
    business: Business,
    near: Sequence[Promise],
    now: datetime,
) -> list[Committed]:
    told = []
    expected = _reported(db, near)
    known = [one for one in near if one.times_late and _is_looked_at(one, now)]
    again = [one for one in known if one.due <= now or one.key in expected]
    for one in known:
        if one not in again:
            # Nothing is said before its time is over: it need not be looked at until then.
            promises.defer(db, [one.key], one.due, now)
    again = _now(db, business, again, now)
    if again:
        told.append(late_promises.missed(db, context, conversation, again, now))
        conversation = conversations.load(db, conversation.id) or conversation
    fresh = [one for one in near if not one.times_late]
    if any(_is_looked_at(one, now) for one in fresh):
        fresh = _now(db, business, fresh, now)
        if fresh:
            told.append(late_promises.warn(db, context, conversation, fresh, now, expected))
    return told


def _is_looked_at(one: Promise, now: datetime) -> bool:
    return one.look_at is not None and datetime.fromisoformat(one.look_at) <= now


def _reported(db: Connection, ones: Sequence[Promise]) -> dict[str, datetime]:
    """Until when those take of which the order system has said that they take longer."""
    found = {}
    for one in ones:
        said = fulfilments.receipt_of(db, one.key).get(promising.EXPECTED)
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
        if moment is not None and moment > one.due:
            found[one.key] = moment
    return found


def _now(
    db: Connection, business: Business, ones: Sequence[Promise], now: datetime
) -> list[Promise]:
    """Those that are spoken of now; the others are looked at again when the business opens.

    Where one of them cannot wait, all are told: the customer is disturbed anyway, and once.
    """
    if not ones:
        return []
    spoken = [speak_at(business, one.due, now) for one in ones]
    if min(spoken) <= now:
        return list(ones)
    promises.defer(db, [one.key for one in ones], min(spoken), now)
    return []


def _settled(db: Connection, one: Promise, now: datetime) -> bool:
    """Whether nothing is left to watch, though the promise does not know it yet."""
    item = fulfilments.load(db, one.key)
    if item is None:
        return True
    if promising.is_finished(db, item):
        promises.change(db, one, DONE, now, look=None)
        return True
    if item.state in ("failed", "refused") and not one.times_late and one.stage == ACCEPTED:
        # A person has it; what that person has promised since is watched all the same.
        promises.change(db, one, GIVEN_UP, now, look=None)
        return True
    return False


def _both(one: Committed, other: Committed) -> Committed:
    changed = tuple(dict.fromkeys((*one.changed, *other.changed)))
    return Committed(
        [*one.entries, *other.entries],
        one.promised or other.promised,
        changed,
        (*one.notices, *other.notices),
    )
