"""What becomes of a promise inside a transaction: begun, sent on, done, told late by others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from recovery.case import Offer
from recovery.promises.timing import due_after_sending, due_of, warn_at
from recovery.promises.words import ended_words, sent_on_words, title_of
from recovery.remedy.catalogue import Remedy, done_words
from recovery.store import fulfilments, promises
from recovery.store.conversations import Conversation
from recovery.store.fulfilments import Fulfilment
from recovery.store.promises import ACCEPTED, DONE, GIVEN_UP, LATE, SENT_ON, Promise

EXPECTED = "expected"
"""In a receipt: until when it takes, ISO 8601, as the order system says."""
STATE = "state"
"""In a receipt: `accepted`, `sent_on` or `done`; without it all is done."""


def promise(
    db: Connection,
    context: Context,
    conversation: Conversation,
    case_id: str,
    offer: Offer,
    now: datetime,
) -> None:
    """Write down all remedies of an accepted offer, to be carried out and to be watched."""
    fulfilments.promise(db, conversation, case_id, offer, now)
    table, business = context.promises, context.business(conversation.business)
    new = []
    for place, remedy in enumerate(offer.remedies):
        due = due_of(table, business, remedy, now)
        new.append(promises.Begun(f"{offer.id}:{place}", now, due, warn_at(table, now, due)))
    promises.begin_all(db, case_id, conversation.id, business.id, new)


def watch(
    db: Connection,
    context: Context,
    key: str,
    case_id: str,
    conversation: Conversation,
    remedy: Remedy,
    since: datetime,
) -> bool:
    """Begin to watch a remedy; False where it is watched already."""
    business = context.business(conversation.business)
    due = due_of(context.promises, business, remedy, since)
    look = warn_at(context.promises, since, due)
    return promises.begin(db, key, case_id, conversation.id, business.id, since, due, look)


@dataclass(frozen=True)
class Told:
    """What a receipt means for a promise.

    Attributes:
        event: What the customer is told; None where nothing is.
        late: The promise, where what was sent on takes longer than was said: that is told in
            place of the status (`desk.conversations.late_promises`).
        due: Until when it takes then.
    """

    event: dict[str, Any] | None
    late: Promise | None = None
    due: datetime | None = None


def receipted(
    db: Connection,
    context: Context,
    conversation: Conversation | None,
    item: Fulfilment,
    receipt: Mapping[str, Any],
    now: datetime,
) -> Told:
    """Take a receipt of the order system: it is done, or others have it in hand.

    Args:
        db: A writing transaction.
        context: The desk; the business may have been taken out of the settings.
        conversation: In which it was promised.
        item: The remedy.
        receipt: As `recovery.orders.system.read_receipt` gives it.
        now: The present moment.
    """
    key, remedy = item.key, item.remedy
    one, state = promises.load(db, key), receipt.get(STATE, DONE)
    if state == DONE or conversation is None or context.directory.business(item.business) is None:
        if one is not None and one.stage != DONE:
            promises.change(db, one, DONE, now, look=None, tell=DONE)
        return Told(_event(key, DONE, remedy, done_words(remedy, receipt)))
    if one is None:
        watch(db, context, key, item.case_id, conversation, remedy, now)
        one = promises.load(db, key)
    if one is None or one.stage == DONE:
        return Told(None)
    only_accepted = state == ACCEPTED
    expected = _moment(receipt.get(EXPECTED))
    return sent_on(db, context, one, remedy, receipt, expected, now, only_accepted=only_accepted)


def sent_on(
    db: Connection,
    context: Context,
    one: Promise,
    remedy: Remedy,
    receipt: Mapping[str, Any],
    expected: datetime | None,
    now: datetime,
    *,
    only_accepted: bool = False,
) -> Told:
    """Others have a remedy in hand now; told once, with the time where one is known.

    Args:
        db: A writing transaction.
        context: The desk.
        one: The promise.
        remedy: As it was accepted.
        receipt: Of the order system.
        expected: Until when it takes, None where nobody knows.
        now: The present moment.
        only_accepted: The order system has merely written it down: nothing is new to the customer.
    """
    business, table = context.business(one.business), context.promises
    due = one.due
    if not only_accepted and one.stage != LATE:
        due = due_after_sending(table, business, remedy, one.due, now)
    if expected is not None and expected > due:
        return Told(None, late=one, due=expected)
    due = expected if expected is not None and expected > now else due
    stage = one.stage if only_accepted or one.stage == LATE else SENT_ON
    look = due if one.times_late else max(warn_at(table, one.promised, due), now)
    tell = not only_accepted and SENT_ON not in one.told
    promises.change(db, one, stage, now, due=due, look=look, tell=SENT_ON if tell else None)
    if not tell:
        return Told(None)
    time = business.due_words(due, now) if expected is not None and due > now else ""
    return Told(_event(one.key, SENT_ON, remedy, sent_on_words(remedy, receipt, time), "running"))


def is_finished(db: Connection, item: Fulfilment) -> bool:
    """Whether the order system has done a remedy, not merely taken it or sent it on."""
    if item.state != "done":
        return False
    return bool(fulfilments.receipt_of(db, item.key).get(STATE, DONE) == DONE)


def ended(db: Connection, one: Promise, remedy: Remedy, now: datetime) -> dict[str, Any] | None:
    """What was sent on is done; the event for the customer, None where it was done already."""
    if one.stage == DONE or not promises.change(db, one, DONE, now, look=None, tell=DONE):
        return None
    return _event(one.key, DONE, remedy, ended_words(remedy))


def told_late(db: Connection, key: str, now: datetime) -> None:
    """The customer was told of a late remedy, and a person sees to it: the time still stands."""
    one = promises.load(db, key)
    if one is None or not one.open or one.times_late:
        return
    look = one.due if one.due > now else None
    promises.change(db, one, LATE, now, look=look, tell=LATE, late=1)


def given_up(db: Connection, key: str, now: datetime) -> None:
    """Nothing goes on by itself any more: a person has it."""
    one = promises.load(db, key)
    if one is not None and one.open:
        promises.change(db, one, GIVEN_UP, now, look=None, tell=GIVEN_UP)


def taken_up(db: Connection, key: str, now: datetime) -> None:
    """A person has set it going again; what was told of it is not told again."""
    one = promises.load(db, key)
    if one is None or one.stage != GIVEN_UP:
        return
    stage = LATE if LATE in one.told else ACCEPTED
    look = one.due if one.due > now else None
    promises.change(db, one, stage, now, look=look)


def done_by_hand(db: Connection, key: str, now: datetime) -> None:
    """A person has done it."""
    one = promises.load(db, key)
    if one is not None and one.stage != DONE:
        promises.change(db, one, DONE, now, look=None, tell=DONE)


def _event(key: str, what: str, remedy: Remedy, text: str, state: str = DONE) -> dict[str, Any]:
    return {
        "id": f"{key}.{what}",
        "kind": "progress",
        "title": title_of(remedy),
        "text": text,
        "state": state,
    }


def _moment(given: object) -> datetime | None:
    return datetime.fromisoformat(given) if isinstance(given, str) else None
