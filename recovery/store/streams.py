"""Numbered logs of what pages have to show; what was missed is read from the last number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.database import stamp
from recovery.store.tables import outbox, streams


@dataclass(frozen=True)
class Entry:
    """One event of a stream; `seq` counts from 1 without gaps."""

    stream: str
    seq: int
    event: dict[str, Any]


_KNOWN = select(outbox.c.seq).where(
    outbox.c.stream == bindparam("stream"), outbox.c.id == bindparam("event")
)
_ADD = insert(outbox)
_LAST = select(streams.c.last).where(streams.c.name == bindparam("stream"))
# Takes the next number; whoever else writes to the stream waits for this transaction.
_NEXT = {
    dialect: begin(streams)
    .values(name=bindparam("stream"), last=1)
    .on_conflict_do_update(index_elements=[streams.c.name], set_={"last": streams.c.last + 1})
    .returning(streams.c.last)
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def append(db: Connection, stream: str, event: dict[str, Any], now: datetime) -> Entry | None:
    """Add an event, once for each event id.

    Args:
        db: A writing transaction.
        stream: `room:<room>`, `own:<conversation>`, `private:<conversation>`.
        event: Plain JSON with `id` and `kind`; `customer` (who posted it) and `reply_to` are
            kept beside it, so that they can be looked up.
        now: The present moment.

    Returns:
        The entry; None when the stream already has an event of this id.
    """
    if db.execute(_KNOWN, {"stream": stream, "event": event["id"]}).first():
        return None
    seq = int(db.execute(_NEXT[db.dialect.name], {"stream": stream}).scalar_one())
    at = stamp(now)
    event = {**event, "at": at}
    values = {
        "stream": stream,
        "seq": seq,
        "id": event["id"],
        "event": event,
        "at": at,
        "customer": event.get("customer"),
        "reply_to": event.get("reply_to"),
    }
    db.execute(_ADD, values)
    return Entry(stream, seq, event)


def last(db: Connection, stream: str) -> int:
    """The number of the latest event, 0 for an empty stream."""
    return db.execute(_LAST, {"stream": stream}).scalar() or 0


def last_post(db: Connection, stream: str, customer: str) -> str | None:
    """The id of a customer's latest post in a stream."""
    posts = select(outbox.c.id).where(outbox.c.stream == stream, outbox.c.customer == customer)
    return db.execute(posts.order_by(outbox.c.seq.desc()).limit(1)).scalar()


def posts_of(db: Connection, stream: str, customer: str, most: int) -> list[dict[str, Any]]:
    """A customer's latest posts in a stream and everybody's replies to them, oldest first."""
    own = db.execute(
        select(outbox.c.seq, outbox.c.event)
        .where(outbox.c.stream == stream, outbox.c.customer == customer)
        .order_by(outbox.c.seq.desc())
        .limit(most)
    ).all()
    replies = db.execute(
        select(outbox.c.seq, outbox.c.event).where(
            outbox.c.stream == stream, outbox.c.reply_to.in_([row.event["id"] for row in own])
        )
    ).all()
    return [row.event for row in sorted([*own, *replies], key=lambda row: int(row.seq))]


def replies_to(db: Connection, stream: str, event_id: str) -> list[str]:
    """The ids of what answers an event of a stream, oldest first."""
    query = select(outbox.c.id).where(outbox.c.stream == stream, outbox.c.reply_to == event_id)
    return list(db.execute(query.order_by(outbox.c.seq)).scalars())


def after(db: Connection, stream: str, seq: int, most: int = 200) -> list[Entry]:
    """The events that follow a number, oldest first.

    Args:
        db: A transaction.
        stream: Which stream.
        seq: The last number seen.
        most: How many at most; ask again for the rest.
    """
    rows = db.execute(
        select(outbox.c.seq, outbox.c.event)
        .where(outbox.c.stream == stream, outbox.c.seq > seq)
        .order_by(outbox.c.seq)
        .limit(most)
    )
    return [Entry(stream, row.seq, row.event) for row in rows]


def event(db: Connection, stream: str, event_id: str) -> dict[str, Any] | None:
    """One event of a stream; None where there is none of this id."""
    found: dict[str, Any] | None = db.execute(
        select(outbox.c.event).where(outbox.c.stream == stream, outbox.c.id == event_id)
    ).scalar()
    return found


def has_lately(db: Connection, stream: str, ending: str, since: datetime) -> bool:
    """Whether a stream has an event since a moment whose id ends so."""
    query = select(outbox.c.seq).where(
        outbox.c.stream == stream,
        outbox.c.at >= stamp(since),
        outbox.c.id.endswith(ending, autoescape=True),
    )
    return db.execute(query.limit(1)).first() is not None


def following(db: Connection, stream: str, event_id: str) -> list[dict[str, Any]]:
    """The events of a stream after one of them, oldest first; none where it is not known."""
    this = select(outbox.c.seq).where(outbox.c.stream == stream, outbox.c.id == event_id)
    later = select(outbox.c.event).where(
        outbox.c.stream == stream, outbox.c.seq > this.scalar_subquery()
    )
    return list(db.execute(later.order_by(outbox.c.seq)).scalars())


def amend(db: Connection, stream: str, event_id: str, changes: dict[str, Any]) -> None:
    """Change an event that stands, for pages that read it later (an offer's state)."""
    row = db.execute(
        select(outbox.c.seq, outbox.c.event).where(
            outbox.c.stream == stream, outbox.c.id == event_id
        )
    ).first()
    if row:
        db.execute(
            update(outbox)
            .where(outbox.c.stream == stream, outbox.c.seq == row.seq)
            .values(event={**row.event, **changes})
        )
