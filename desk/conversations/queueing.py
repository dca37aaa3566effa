"""The queue of a business as it stands: order, place, and what its customers are told of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from recovery.business import Business
from recovery.case import Case
from recovery.queue.assignment import eligible, there
from recovery.queue.priority import Place
from recovery.queue.standing import standing_of
from recovery.queue.waiting import minutes_left
from recovery.remedy.policy import PolicyError
from recovery.store import cases, conversations, presence, queue
from recovery.store.conversations import QUEUE, Conversation
from recovery.store.database import stamp
from recovery.store.queue import Waiting

_NOWHERE = Place(0, (), "")


def place_of(
    context: Context,
    business: Business | None,
    case: Case | None,
    now: datetime,
    *,
    since: str | None,
    reason: str | None,
    front: bool,
) -> Place:
    """What the tables of the queue make of a conversation; arguments as for `standing_of`."""
    if business is None:
        return _NOWHERE
    try:
        policy = context.policy.on(business.industry, now.astimezone(business.zone).date())
    except PolicyError:
        # A trade without tables has a queue all the same.
        return _NOWHERE
    standing = standing_of(business, policy, case, now, since=since, reason=reason, front=front)
    return context.queue.place(standing)


def out_of_order(
    db: Connection,
    context: Context,
    business: Business,
    now: datetime,
    only: str | None = None,
) -> dict[str, int]:
    """The conversations in the queue of a business that have other points by now; which ones.

    Args:
        db: A transaction.
        context: The desk.
        business: Whose queue.
        now: The present moment.
        only: One conversation, where only this one has changed.
    """
    found = {}
    for one in queue.waiting(db, business.id, only):
        points = _points(context, business, one, now)
        if points != one.points:
            found[one.id] = points
    return found


def reckon(
    db: Connection,
    context: Context,
    business: Business,
    now: datetime,
    only: str | None = None,
) -> list[str]:
    """Put the queue of a business in order anew; gives the conversations whose points changed.

    Arguments as of `out_of_order`.
    """
    changed = out_of_order(db, context, business, now, only)
    for conversation_id, points in changed.items():
        queue.keep_points(db, conversation_id, points)
    return list(changed)


def _points(context: Context, business: Business, one: Waiting, now: datetime) -> int:
    return place_of(
        context,
        business,
        one.case,
        now,
        since=one.awaiting_since or one.since,
        reason=one.reason,
        front=one.front,
    ).points


@dataclass(frozen=True)
class Prospect:
    """What somebody in the queue can honestly be told.

    Attributes:
        place: Counted from 1.
        minutes: How long it takes by what was measured lately, None where nothing was.
    """

    place: int
    minutes: int | None

    @property
    def frame(self) -> dict[str, Any]:
        """What the page of the customer is told."""
        return {"type": "queue", "position": self.place, "minutes": self.minutes}


def prospects(
    db: Connection, context: Context, business: Business, now: datetime
) -> dict[str, Prospect]:
    """What all those in the queue of a business can be told, by conversation."""
    waiting = queue.line(db, business.id)
    if not waiting:
        return {}
    takes = queue.taken_lately(db, business.id, now)
    people = presence.colleagues(db, business.id, now)
    here = there(people, business.id, business.industry)
    hands = len(here) if business.service.open_at(now) else 0
    return {
        one.id: Prospect(place, minutes_left(place - 1, takes, hands, now))
        for place, one in enumerate(waiting, 1)
    }


@dataclass(frozen=True)
class Outlook:
    """What somebody who has come into the queue can honestly be told.

    Attributes:
        by: By when a person answers: never earlier than it takes by what was measured.
        time: The same in words.
        situation: As of `phrases.queued`.
        prospect: Where they stand, None where that says nothing.
    """

    by: datetime
    time: str
    situation: str = ""
    prospect: Prospect | None = None

    def line(self, *, timed: bool = True) -> str:
        """What the customer reads; without the time where it was said a moment ago."""
        time = self.time if timed else ""
        if self.prospect is None:
            return phrases.queued(time, self.situation)
        ahead, minutes = self.prospect.place - 1, self.prospect.minutes
        return phrases.queued(time, self.situation, ahead=ahead, minutes=minutes)


def outlook(db: Connection, context: Context, conversation: Conversation, now: datetime) -> Outlook:
    """How things stand for who has come into the queue.

    Args:
        db: A writing transaction, in which the owner has been changed.
        context: The desk.
        conversation: Which one, as it was before or after.
        now: The present moment.
    """
    business = context.business(conversation.business)
    reckon(db, context, business, now, conversation.id)
    by = business.person_by(now)
    plain = Outlook(by, business.due_words(by, now))
    if not business.service.open_at(now):
        return replace(plain, situation="closed")
    people = presence.colleagues(db, business.id, now)
    if not there(people, business.id, business.industry):
        return replace(plain, situation="nobody")
    found = prospects(db, context, business, now).get(conversation.id)
    if found is None or eligible(people, business.id, business.industry):
        # Somebody is free: it is theirs within moments.
        return plain
    if found.minutes is not None:
        by = max(by, business.done_by(now, found.minutes))
    return Outlook(by, business.due_words(by, now), "waits", found)


def expected(
    db: Connection, context: Context, conversation: Conversation, case: Case | None, now: datetime
) -> datetime | None:
    """When somebody could answer who would come into the queue now, by what was measured.

    Args:
        db: A transaction.
        context: The desk.
        conversation: Of the bot.
        case: What it is about.
        now: The present moment.

    Returns:
        The moment; None where somebody is free, nobody is there, or nothing was measured.
    """
    business = context.business(conversation.business)
    line = queue.line(db, business.id)
    if not line or not business.service.open_at(now):
        return None
    people = presence.colleagues(db, business.id, now)
    here = there(people, business.id, business.industry)
    if not here or eligible(people, business.id, business.industry):
        return None
    place = place_of(context, business, case, now, since=stamp(now), reason=None, front=False)
    ahead = sum(one.points >= place.points for one in line)
    takes = queue.taken_lately(db, business.id, now)
    minutes = minutes_left(ahead, takes, len(here), now)
    return business.done_by(now, minutes) if minutes is not None else None


def promised(
    db: Connection, context: Context, conversation: Conversation, now: datetime
) -> Outlook:
    """The same, kept in the case as what is promised; what was promised for this wait stands."""
    seen = outlook(db, context, conversation, now)
    present = conversations.load(db, conversation.id) or conversation
    case = cases.load(db, present.case_id)
    if case is None:
        return seen
    waits = datetime.fromisoformat(present.awaiting_since) if present.awaiting_since else now
    stands = case.promised_by and datetime.fromisoformat(case.promised_by) > waits
    if not stands:
        told = replace(case, promised_by=seen.by.isoformat())
        cases.save(db, told, present.business, present.customer_id, now)
    return seen


def told_in_queue(
    db: Connection, context: Context, conversation: Conversation, now: datetime
) -> str:
    """What a customer is told who has just come into the queue. Arguments as of `outlook`."""
    return promised(db, context, conversation, now).line()


def prospect_of(db: Connection, context: Context, conversation_id: str) -> Prospect | None:
    """What the customer of a conversation can be told now; None where it is in no queue."""
    conversation = conversations.load(db, conversation_id)
    if conversation is None or conversation.owner != QUEUE:
        return None
    business = context.directory.business(conversation.business)
    if business is None:
        return None
    return prospects(db, context, business, context.clock()).get(conversation_id)
