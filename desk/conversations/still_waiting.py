"""What the desk says to a customer who writes again while a person is due: how things stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.queueing import Outlook, outlook
from recovery.case import Case
from recovery.store import cases, conversations, streams
from recovery.store.conversations import QUEUE, Conversation
from recovery.store.streams import Entry

PAUSE = timedelta(minutes=3)
"""How long nothing of the kind is said again in a conversation."""
# As all that only asks for patience ends: it may wait for something heavier, and is left out
# where an answer is told together with it.
_ENDING = ".queue.hold"
_SAFETY = "safety"


def tell(
    db: Connection,
    context: Context,
    conversation_id: str,
    message_id: str,
    now: datetime,
    *,
    unread: bool = False,
) -> Entry | None:
    """Answer words that came while the conversation waits in the queue, once in a while.

    It is the desk that speaks: the customer goes on waiting for a person, and is measured so.

    Args:
        db: A writing transaction that holds the conversation.
        context: The desk.
        conversation_id: A private one.
        message_id: Of the words.
        now: The present moment.
        unread: It could not be heard or seen here, and was answered so: then only advice for
            somebody in danger is added.

    Returns:
        To be published; None where nothing is said.
    """
    conversation = conversations.load(db, conversation_id)
    if conversation is None or conversation.owner != QUEUE:
        return None
    if context.directory.business(conversation.business) is None:
        # Taken out of the settings: nobody can say when a person comes.
        return None
    if streams.has_lately(db, conversation.stream, _ENDING, now - PAUSE):
        return None
    seen = see(db, context, conversation, cases.load(db, conversation.case_id), now)
    if seen.in_danger:
        text = phrases.care_due(message_id, seen.time)
    elif unread:
        return None
    else:
        text = phrases.still_queued(message_id, seen.standing)
    event = {"id": f"{message_id}{_ENDING}", "kind": "message", "author": "system", "text": text}
    return streams.append(db, conversation.stream, event, now)


@dataclass(frozen=True)
class Seen:
    """How a conversation in the queue stands, for its customer.

    Attributes:
        in_danger: Somebody's body or life may be at risk.
        time: By when a person answers, in words.
        standing: The same and the place in the queue, as one clause.
    """

    in_danger: bool
    time: str
    standing: str


def see(
    db: Connection, context: Context, conversation: Conversation, case: Case | None, now: datetime
) -> Seen:
    """Look how a conversation in the queue stands.

    Args:
        db: A writing transaction that holds the conversation.
        context: The desk.
        conversation: In the queue of a business that is in the settings.
        case: What it is about.
        now: The present moment.
    """
    found = outlook(db, context, conversation, now)
    time, late = _promised(context, conversation, case, found, now)
    place = found.prospect
    standing = phrases.how_it_stands(
        time,
        found.situation,
        ahead=place.place - 1 if place else 0,
        minutes=place.minutes if place else None,
        late=late,
    )
    in_danger = conversation.reason == _SAFETY or bool(
        case and (case.safety or case.reason == _SAFETY)
    )
    return Seen(in_danger, time or found.time, standing)


def _promised(
    context: Context,
    conversation: Conversation,
    case: Case | None,
    seen: Outlook,
    now: datetime,
) -> tuple[str, bool]:
    """By when a person answers, in words, and whether that was promised for earlier.

    What was promised for this wait stands, unless the queue is measured to be slower: whoever asks
    again is not put off by so much again.

    Returns:
        No words where the promised time is over and nothing better than another promise is known.
    """
    waits = conversation.awaiting_since
    by = datetime.fromisoformat(case.promised_by) if case and case.promised_by else None
    if by is None or (waits and by <= datetime.fromisoformat(waits)):
        return seen.time, False
    business = context.business(conversation.business)
    known = seen.prospect.minutes if seen.prospect else None
    measured = business.done_by(now, known) if known is not None else None
    if by > now:
        return business.due_words(max(by, measured) if measured else by, now), False
    if seen.situation == "closed":
        return seen.time, True
    return (business.due_words(measured, now) if measured else ""), True
