"""What the end of a call means for a message, its contact and its source."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import Connection

from desk.channels.webhook.planning import GONE, OWN, PRIVATE
from desk.channels.webhook.posting import Ending
from desk.conversations.turn import Changed, Committed
from recovery.store import conversations, notices
from recovery.store.notices import Notice
from recovery.store.webhook import contacts, sends
from recovery.store.webhook.contacts import Contact
from recovery.store.webhook.sends import Send

TRIED_FOR = timedelta(hours=24)
"""How long a message is tried; then it counts as not delivered."""
PAUSE = timedelta(minutes=5)
"""How long a source is left alone that does not take our signature."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=15)
_LONGEST_ASKED_FOR = timedelta(hours=1)
_NOT_LET_IN = frozenset({401, 403})
_NOT_NOW = frozenset({408, 425, 429})
_GONE = 410
_WORDS = "有一条消息没能送到顾客那边，请换个方式告诉顾客"


@dataclass(frozen=True)
class Verdict:
    """What is to be done.

    Attributes:
        state: Of the message: `sent`, `failed`, `todo`.
        due_at: Of the next try.
        pauses: The source is to be left alone, and an operator to be told.
        gone: Nothing more reaches the contact.
    """

    state: str
    due_at: datetime | None = None
    pauses: bool = False
    gone: bool = False


def judge(send: Send, ending: Ending, now: datetime) -> Verdict:
    """Say what the end of a call means.

    Args:
        send: As it was taken; `attempts` are those before.
        ending: Of the call.
        now: The present moment.
    """
    status = ending.status
    if status is not None and 200 <= status < 300:
        return Verdict(sends.SENT)
    if status == _GONE:
        return Verdict(sends.FAILED, gone=True)
    pauses = status in _NOT_LET_IN
    # A redirect is not followed: the address has to be put right, which takes its time.
    for_good = status is not None and 400 <= status < 500 and status not in _NOT_NOW
    if for_good and not pauses:
        return Verdict(sends.FAILED)
    pause = PAUSE if pauses else _pause(send.attempts, ending, now)
    if now + pause > datetime.fromisoformat(send.created_at) + TRIED_FOR:
        return Verdict(sends.FAILED, pauses=pauses)
    return Verdict(sends.TODO, due_at=now + pause, pauses=pauses)


def _pause(attempts: int, ending: Ending, now: datetime) -> timedelta:
    longer: timedelta = min(_FIRST_PAUSE * 3 ** min(attempts, 10), _LONGEST_PAUSE)
    asked = _asked_for(ending.retry_after, now)
    return max(longer, min(asked, _LONGEST_ASKED_FOR))


def _asked_for(header: str | None, now: datetime) -> timedelta:
    """How long a source wants to be left alone: seconds, or until a date."""
    if header is None or len(header) > 64:
        return timedelta()
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header), 86_400))
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return timedelta()
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - now, timedelta())


def settle(
    db: Connection, send: Send, contact: Contact, ending: Ending, verdict: Verdict, now: datetime
) -> Committed:
    """Write down how a call has ended; staff hear of what did not arrive.

    Args:
        db: A writing transaction.
        send: As it was taken.
        contact: To whom.
        ending: Of the call.
        verdict: What it means.
        now: The present moment.
    """
    status = ending.status
    problem = None if verdict.state == sends.SENT else _problem(ending)
    settled = sends.settle(
        db, send, verdict.state, now, status=status, problem=problem, due_at=verdict.due_at
    )
    failed = [send.stream] if settled and verdict.state == sends.FAILED else []
    if verdict.gone:
        contacts.block(db, contact.id, contacts.FOR_GOOD)
        failed += sends.give_up(db, contact.id, GONE, now)
    return _told(db, contact, failed, now)


def _problem(ending: Ending) -> str:
    return (ending.problem or f"HTTP {ending.status}")[:200]


def _told(db: Connection, contact: Contact, streams: list[str], now: datetime) -> Committed:
    """Tell who has the conversations of these streams."""
    changed: list[Changed] = []
    left: tuple[Notice, ...] = ()
    for stream in dict.fromkeys(streams):
        found = _conversation_of(db, contact, stream)
        if found is None:
            continue
        changed.append(Changed(found.business, found.id))
        if found.agent is not None:
            left += notices.add(db, [found.agent], "undelivered", found.id, _WORDS, now)
    return Committed([], changed=tuple(changed), notices=left)


def _conversation_of(
    db: Connection, contact: Contact, stream: str
) -> conversations.Conversation | None:
    if stream.startswith((PRIVATE, OWN)):
        return conversations.load(db, stream.partition(":")[2])
    # Of a room: the thread of this contact in it.
    return conversations.load(db, contact.public_conversation or "")
