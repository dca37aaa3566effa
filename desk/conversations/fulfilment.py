"""Carries accepted remedies out against the order system, each once, and tells the customer."""

import asyncio
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.aside import aside
from desk.context import Context
from desk.conversations import late_promises, phrases, promising
from desk.conversations.calling import to_a_person, waits_for
from desk.conversations.commit import Changed, Committed
from desk.conversations.queueing import Outlook
from desk.conversations.router import Router
from recovery import faults
from recovery.logs import log
from recovery.orders.system import OrderSystemError, RemedyRefusedError
from recovery.privacy import mask
from recovery.promises.words import title_of
from recovery.store import clocks, conversations, fulfilments, streams
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.fulfilments import MOST_TRIES, Fulfilment

_IDLE_SECONDS = 2.0
# Longer than an order system over HTTP takes at the most, all its tries together.
_CALL_SECONDS = 20.0
# Tries, about half a minute after the acceptance: until then nobody has to know.
_LATE_AFTER = 5
# Reasons to wait for a person that are graver than a remedy.
_GRAVER = frozenset({"safety", "escalation"})


class FulfilmentWorker:
    """Works off what is promised. Several may run: the order system's key makes it once."""

    def __init__(
        self, context: Context, router: Router, call_seconds: float = _CALL_SECONDS
    ) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Wakes the worker when an offer was accepted, and publishes.
            call_seconds: How long the order system is waited for before others get their turn.
        """
        self._context = context
        self._router = router
        self._call_seconds = call_seconds
        self._calls: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            worked = await self.work_once()
            if worked:
                continue
            try:
                # Not `wait_for`: it loses the end of the desk where both come at once.
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._router.remedies_wait.wait()
            except TimeoutError:
                continue
            self._router.remedies_wait.clear()

    async def work_once(self) -> int:
        """Carry out what is due; returns how many remedies were tried."""
        context = self._context
        due = await context.storage.read(fulfilments.due, context.clock())
        for item in due:
            try:
                await self._carry_out(item)
            except Exception as error:
                # A defect, ours or the order system's, in whatever form it comes: it must not
                # keep the remedies behind it waiting. This one is tried again later.
                log.error("remedy failed", key=item.key, exc_info=error)
                await self._failed(item, error)
        return len(due)

    async def _asked(self, item: Fulfilment) -> dict[str, Any]:
        """Ask the order system for a remedy; gives its receipt.

        A call that hangs is waited for again at the next try: a second one beside it would
        hang as well.

        Raises:
            TimeoutError: No answer yet.
        """
        call = self._calls.get(item.key)
        if call is None:
            call = self._calls[item.key] = aside(
                self._context.orders.carry_out,
                item.key,
                item.business,
                item.order_number,
                item.remedy,
            )
        done, _ = await asyncio.wait({call}, timeout=self._call_seconds)
        if not done:
            raise TimeoutError("the order system does not answer")
        del self._calls[item.key]
        return call.result()

    async def _failed(self, item: Fulfilment, error: Exception) -> None:
        """Count a try that failed; after the last one a person goes on."""
        context = self._context
        faults.reach("fulfilment-missed")
        problem = problem_of(error)
        if item.attempts + 1 < MOST_TRIES or context.directory.business(item.business) is None:
            # Of a business that was taken out of the settings all is kept until it comes back.
            committed = await context.storage.write(
                _postponed, context, item, problem, context.clock()
            )
            faults.reach("fulfilment-postponed")
        else:
            committed = await context.storage.write(
                _given_up, context, item, problem, context.clock()
            )
            faults.reach("remedy-failed")
            if committed.changed:
                log.error("remedy given up", key=item.key, tries=MOST_TRIES, problem=problem)
                context.metrics.remedies.labels(item.remedy["kind"], "failed").inc()
        self._router.publish(committed)

    async def _carry_out(self, item: Fulfilment) -> None:
        context = self._context
        faults.reach("fulfilment-taken")
        try:
            receipt = await self._asked(item)
        except (OrderSystemError, TimeoutError) as error:
            log.warning("order system away", key=item.key, error=str(error))
            await self._failed(item, error)
            return
        except RemedyRefusedError as error:
            log.warning("remedy refused", key=item.key, error=str(error))
            faults.reach("fulfilment-refused")
            committed = await context.storage.write(
                _refused, context, item, problem_of(error), context.clock()
            )
            faults.reach("refusal-settled")
            self._router.publish(committed)
            context.metrics.remedies.labels(item.remedy["kind"], "refused").inc()
            return
        faults.reach("fulfilment-carried-out")
        committed = await context.storage.write(_done, context, item, receipt, context.clock())
        faults.reach("fulfilment-settled")
        self._router.publish(committed)
        context.metrics.remedies.labels(item.remedy["kind"], "done").inc()


def problem_of(error: Exception) -> str:
    """What kept a try from succeeding, for staff and operators, without data of a customer.

    What an order system says of itself is told in words, masked to be sure. Other errors may
    hold anything, a refusal even the words of somebody else's program: their kind has to do.
    """
    if isinstance(error, OrderSystemError):
        return f"OrderSystemError: {mask(str(error)).text}"
    return type(error).__name__


def _done(
    db: Connection, context: Context, item: Fulfilment, receipt: dict[str, Any], now: datetime
) -> Committed:
    """Take the receipt, and tell the customer: done, sent on, or later than was said."""
    conversation = conversations.load(db, item.conversation_id, lock=True)
    if not fulfilments.settle(db, item.key, "done", receipt):
        return Committed([])
    told = promising.receipted(db, context, conversation, item, receipt, now)
    if told.late is not None and conversation is not None:
        return late_promises.later(db, context, conversation, told.late, told.due, now)
    stream = f"private:{item.conversation_id}"
    entry = streams.append(db, stream, told.event, now) if told.event else None
    changed = (Changed(item.business, item.conversation_id),)
    return Committed([entry] if entry else [], changed=changed)


def _postponed(
    db: Connection, context: Context, item: Fulfilment, problem: str, now: datetime
) -> Committed:
    """Try again later; when it has failed for long, tell the customer once and bring a person.

    The remedy stays to do and goes on: nobody has to ask for it again.
    """
    business = context.directory.business(item.business)
    conversation = conversations.load(db, item.conversation_id, lock=True)
    if not fulfilments.postpone(db, item, now, problem):
        # Settled, or counted, by another worker meanwhile.
        return Committed([])
    if item.attempts + 1 < _LATE_AFTER or not (business and conversation):
        return Committed([])
    if streams.event(db, conversation.stream, _event_id(item, "late")):
        return Committed([])
    promising.told_late(db, item.key, now)
    seen = None
    if conversation.owner == BOT:
        seen = to_a_person(db, context, conversation, item.case_id, "remedy_late", now)
    else:
        clocks.desk_said(db, conversation, business, now)
    return _told(db, context, conversation, item, "late", seen, now)


def _given_up(
    db: Connection, context: Context, item: Fulfilment, problem: str, now: datetime
) -> Committed:
    """Try no more: bring a person, with the reason that stands above all lesser ones, and say so.

    A person sets it going again with `fulfilments.retry`, or does it by hand.
    """
    conversation = conversations.load(db, item.conversation_id, lock=True)
    if not fulfilments.give_up(db, item, problem) or conversation is None:
        return Committed([])
    promising.given_up(db, item.key, now)
    seen = None
    if conversation.owner == BOT:
        seen = to_a_person(db, context, conversation, item.case_id, "remedy_failed", now)
    elif conversation.reason not in _GRAVER:
        conversations.note_reason(db, conversation.id, "remedy_failed")
        if conversation.owner == QUEUE:
            waits_for(db, context, conversation, item.case_id, "remedy_failed", now)
    if conversation.owner != BOT:
        clocks.desk_said(db, conversation, context.business(item.business), now)
    return _told(db, context, conversation, item, "failed", seen, now)


_WORDS = {
    "late": phrases.remedy_late,
    "failed": phrases.remedy_failed,
    "refused": phrases.remedy_refused,
}


def _event_id(item: Fulfilment, what: str) -> str:
    """Id of what is said of a remedy: once in each round of tries that a person has begun."""
    return f"{item.key}.{what}.{item.round}" if item.round else f"{item.key}.{what}"


def _told(
    db: Connection,
    context: Context,
    conversation: Conversation,
    item: Fulfilment,
    what: str,
    seen: Outlook | None,
    now: datetime,
) -> Committed:
    """Tell the customer that a remedy is not done, and who sees to it by when.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation: As it was before.
        item: The remedy.
        what: `late`, `failed` or `refused`.
        seen: How the queue stands, where the conversation has come into it by this.
        now: The present moment.
    """
    title = title_of(item.remedy)
    time = seen.time if seen else context.business(item.business).person_by_words(now)
    event_id = _event_id(item, what)
    text = _WORDS[what](f"{item.key}{item.round or ''}", title, time)
    events = [{"id": event_id, "kind": "progress", "title": title, "text": text, "state": "late"}]
    if seen:
        line = seen.line(timed=False)
        owner = {"id": f"{event_id}.owner", "kind": "owner", "owner": "queue", "name": ""}
        events.append({**owner, "text": line})
    shown = [streams.append(db, conversation.stream, event, now) for event in events]
    changed = (Changed(item.business, conversation.id),)
    return Committed([entry for entry in shown if entry], changed=changed)


def _refused(
    db: Connection, context: Context, item: Fulfilment, problem: str, now: datetime
) -> Committed:
    """Bring a person, and say so: nothing that was promised is dropped in silence."""
    conversation = conversations.load(db, item.conversation_id, lock=True)
    if conversation is None or not fulfilments.settle(db, item.key, "refused", None, problem):
        return Committed([])
    promising.given_up(db, item.key, now)
    seen = None
    if conversation.owner == BOT:
        seen = to_a_person(db, context, conversation, item.case_id, "remedy_refused", now)
    else:
        clocks.desk_said(db, conversation, context.business(item.business), now)
    return _told(db, context, conversation, item, "refused", seen, now)
