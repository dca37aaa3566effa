"""Numbered logs of what pages have to show; what was missed is read from the last number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import outbox, streams


@dataclass(frozen=True)
class Entry:
    """One event of a stream; `seq` counts from 1 without gaps."""

    stream: str
    seq: int
    event: dict[str, Any]


def append(db: Connection, stream: str, event: dict[str, Any], now: datetime) -> Entry | None:
    """Add an event, once for each event id.

    Args:
        db: A writing transaction.
        stream: `room:<room>`, `own:<conversation>`, `private:<conversation>`, `desk:<business>`.
        event: Plain JSON with `id` and `kind`.
        now: The present moment.

    Returns:
        The entry; None when the stream already has an event of this id.
    """
    known = select(outbox.c.seq).where(outbox.c.stream == stream, outbox.c.id == event["id"])
    if db.execute(known).first():
        return None
    seq = db.execute(
        update(streams)
        .where(streams.c.name == stream)
        .values(last=streams.c.last + 1)
        .returning(streams.c.last)
    ).scalar()
    if seq is None:
        db.execute(insert(streams).values(name=stream, last=1))
        seq = 1
    at = stamp(now)
    event = {**event, "at": at}
    db.execute(insert(outbox).values(stream=stream, seq=seq, id=event["id"], event=event, at=at))
    return Entry(stream, seq, event)


def last(db: Connection, stream: str) -> int:
    """The number of the latest event, 0 for an empty stream."""
    return db.execute(select(streams.c.last).where(streams.c.name == stream)).scalar() or 0


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
