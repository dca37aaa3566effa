"""What the others in a room say in a span of time, and how angry they are."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from recovery.insights.material import Room
from recovery.store.database import stamp
from recovery.store.tables import conversations, inbox


def mood(db: Connection, room: str, but: Collection[str], since: datetime, until: datetime) -> Room:
    """Read it.

    Args:
        db: A transaction.
        room: Which room.
        but: Conversations that are left out.
        since: From when on.
        until: Before when.
    """
    # Messages are numbered as they come, so that the span is found without an index of times.
    first, last = _position(db, since), _position(db, until)
    query = (
        select(inbox.c.understood, inbox.c.picture)
        .join(conversations, conversations.c.id == inbox.c.conversation_id)
        .where(
            inbox.c.position >= first,
            inbox.c.position < last,
            conversations.c.room == room,
            conversations.c.id.not_in(but),
        )
    )
    rows = db.execute(query).all()
    emotions = [(row.understood or {}).get("emotion") for row in rows if not row.picture]
    return Room(len(rows), tuple(int(one.get("anger") or 0) for one in emotions if one))


def _position(db: Connection, moment: datetime) -> int:
    """The number of the first message since a moment, or the one after the last."""
    low, high = 1, (db.execute(select(func.max(inbox.c.position))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        query = select(inbox.c.position, inbox.c.received_at).where(inbox.c.position >= middle)
        row = db.execute(query.order_by(inbox.c.position).limit(1)).first()
        if row is None or row.received_at >= stamp(moment):
            high = middle
        else:
            low = row.position + 1
    return low
