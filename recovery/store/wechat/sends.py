"""What is on its way to a contact: one row a part of an event, sent in the order of the rows.

`todo`: as soon as it is due; `held`: WeChat takes nothing now; `sending`: a call is under way until
`due_at`; then `sent`, `unknown` (it may have arrived) or `failed`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.database import stamp
from recovery.store.tables import wechat_contacts, wechat_sends

TODO, HELD, SENDING = "todo", "held", "sending"
SENT, UNKNOWN, FAILED = "sent", "unknown", "failed"
PASSIVE, CUSTOM, KF = "passive", "custom", "kf"
SAY, NOTICE = "say", "notice"

# Who has just written gets an answer within moments: what was held goes along with it.
_RELEASE_PAUSE = timedelta(seconds=2)
# How long a message takes at the most until the desk knows of it, where WeChat's time is unknown.
_ON_THE_WAY = timedelta(seconds=2)


@dataclass(frozen=True)
class Draft:
    """One part of an event that is to be sent.

    Attributes:
        event_id: Of the stream.
        part: Its place, from 0.
        kind: `text`, `menu` or `image`.
        weight: `say`, or `notice`: can wait for something heavier.
        content: `{"text"}`; of a menu also `"options": [[id, title], ...]`; of an image
            `{"picture": id}`. `"ends"`: which numbers shown before do not count any more, `all`,
            or `asked`: all but those of an open offer, which are marked `"offer": true`;
            `"choices"`: those that still count, to be told below; `"passing": true`: idle beside
            what is said after it; `"role"`: what it is to others that wait with it.
        pause: It may wait so long for others to go along.
    """

    event_id: str
    part: int
    kind: str
    weight: str
    content: dict[str, Any]
    pause: timedelta = timedelta(0)


@dataclass(frozen=True)
class Send:
    """One row. Fields as in the table."""

    id: int
    contact_id: str
    conversation_id: str | None
    event_id: str
    part: int
    kind: str
    weight: str
    content: dict[str, Any]
    state: str
    via: str | None
    batch: str | None
    error: int | None
    attempts: int
    due_at: str


_COLUMNS = tuple(wechat_sends.c[name] for name in Send.__dataclass_fields__)
_ADD = {
    dialect: begin(wechat_sends).on_conflict_do_nothing()
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_STILL_TODO = (wechat_sends.c.id == bindparam("this")) & (wechat_sends.c.state == TODO)
_POSTPONE = update(wechat_sends).where(_STILL_TODO).values(due_at=bindparam("due"))
_HOLD = update(wechat_sends).where(_STILL_TODO).values(state=HELD)
_SETTLE = (
    update(wechat_sends)
    .where(wechat_sends.c.id == bindparam("this"))
    .values(
        state=bindparam("now_is"),
        via=bindparam("by"),
        batch=bindparam("one"),
        error=bindparam("code"),
        due_at=bindparam("due"),
        settled_at=bindparam("settled"),
    )
)


def plan(
    db: Connection,
    contact_id: str,
    conversation_id: str | None,
    drafts: Sequence[Draft],
    now: datetime,
    *,
    state: str = TODO,
    error: int | None = None,
) -> None:
    """Put parts of events on their way, each once.

    Args:
        db: A writing transaction.
        contact_id: To whom.
        conversation_id: Whose events they are.
        drafts: In the order in which they are read.
        now: The present moment.
        state: `todo`, or `failed` where nothing can reach this contact.
        error: Why, as a code of WeChat.
    """
    rows = [
        {
            "event_id": draft.event_id,
            "part": draft.part,
            "kind": draft.kind,
            "weight": draft.weight,
            "content": draft.content,
            "contact_id": contact_id,
            "conversation_id": conversation_id,
            "state": state,
            "error": error,
            "attempts": 0,
            "due_at": stamp(now + draft.pause),
            "created_at": stamp(now),
            "settled_at": None if state == TODO else stamp(now),
        }
        for draft in drafts
    ]
    if rows:
        db.execute(_ADD[db.dialect.name], rows)


def say(
    db: Connection,
    contact_id: str,
    conversation_id: str | None,
    event_id: str,
    text: str,
    now: datetime,
) -> None:
    """Send a sentence that stands in no stream, once for each id.

    Args:
        db: A writing transaction.
        contact_id: To whom.
        conversation_id: Where it belongs.
        event_id: Names it.
        text: At most 2,048 bytes.
        now: The present moment.
    """
    plan(db, contact_id, conversation_id, [Draft(event_id, 0, "text", SAY, {"text": text})], now)


def release(db: Connection, contact_id: str, now: datetime, since: datetime | None = None) -> None:
    """Let what waits go, since the contact has just written or done something.

    Calls that were under way meanwhile may count against what WeChat allows from now on.

    Args:
        db: A writing transaction in which `contacts.wrote` or `contacts.acted` was called.
        contact_id: Who.
        now: The present moment.
        since: When, by WeChat's clock; None: moments ago.
    """
    db.execute(
        update(wechat_sends)
        .where(wechat_sends.c.contact_id == contact_id, wechat_sends.c.state.in_((TODO, HELD)))
        .values(state=TODO, due_at=stamp(now + _RELEASE_PAUSE), attempts=0)
    )
    reckoned = stamp(min(since or now, now) - _ON_THE_WAY)
    counted = db.execute(
        select(func.count(wechat_sends.c.batch.distinct())).where(
            wechat_sends.c.contact_id == contact_id,
            wechat_sends.c.via.in_((CUSTOM, KF)),
            or_(
                wechat_sends.c.state == SENDING,
                wechat_sends.c.state.in_((SENT, UNKNOWN)) & (wechat_sends.c.settled_at >= reckoned),
            ),
        )
    ).scalar_one()
    for counter in (wechat_contacts.c.sent_since_wrote, wechat_contacts.c.sent_since_acted):
        if counted:
            db.execute(
                update(wechat_contacts)
                .where(wechat_contacts.c.id == contact_id, counter < counted)
                .values({counter: counted})
            )


def give_up(db: Connection, contact_id: str, now: datetime, error: int | None = None) -> None:
    """Send nothing of what waits any more: the contact is gone."""
    db.execute(
        update(wechat_sends)
        .where(wechat_sends.c.contact_id == contact_id, wechat_sends.c.state.in_((TODO, HELD)))
        .values(state=FAILED, error=error, settled_at=stamp(now))
    )


def open_of(db: Connection, contact_id: str) -> list[Send]:
    """All that waits for a contact or is under way to it, in order."""
    query = (
        select(*_COLUMNS)
        .where(
            wechat_sends.c.contact_id == contact_id,
            wechat_sends.c.state.in_((TODO, HELD, SENDING)),
        )
        .order_by(wechat_sends.c.id)
    )
    return [Send(*row) for row in db.execute(query)]


def postpone(db: Connection, numbers: Collection[int], due: datetime) -> None:
    """Try what is still to do at another moment."""
    if numbers:
        db.execute(_POSTPONE, [{"this": number, "due": stamp(due)} for number in numbers])


def hold(db: Connection, numbers: Collection[int]) -> None:
    """Keep what is still to do until the contact writes."""
    if numbers:
        db.execute(_HOLD, [{"this": number} for number in numbers])


def settle(
    db: Connection,
    numbers: Collection[int],
    state: str,
    now: datetime,
    *,
    error: int | None = None,
    via: str | None = None,
    batch: str | None = None,
    due: datetime | None = None,
) -> None:
    """Write down what became of rows.

    Args:
        db: A writing transaction.
        numbers: Ids of the rows.
        state: Any.
        now: The present moment.
        error: Of WeChat.
        via: How they went.
        batch: Rows that went as one; what goes again under this name WeCom takes once.
        due: When what is still to do is due; None: now.
    """
    over = state in (SENT, UNKNOWN, FAILED)
    rows = [
        {
            "this": number,
            "now_is": state,
            "by": via,
            "one": batch,
            "code": error,
            "due": stamp(due or now),
            "settled": stamp(now) if over else None,
        }
        for number in numbers
    ]
    if rows:
        db.execute(_SETTLE, rows)
