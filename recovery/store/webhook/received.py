"""What sources have brought, each once: the source's own id says what is the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_

from recovery.store.database import hold, stamp
from recovery.store.tables import webhook_received


@dataclass(frozen=True)
class Received:
    """One message. Fields as in the table."""

    source: str
    id: str
    contact_id: str | None
    message_id: str | None
    digest: str
    answer: dict[str, Any]


_COLUMNS = tuple(webhook_received.c[name] for name in Received.__dataclass_fields__)
_LOAD = select(*_COLUMNS).where(
    webhook_received.c.source == bindparam("its_source"),
    webhook_received.c.id == bindparam("its_id"),
)


def hold_message(db: Connection, source: str, message_id: str) -> None:
    """Keep others who bring the same message out until the transaction ends."""
    hold(db, f"webhook {source} message {message_id}")


def load(db: Connection, source: str, message_id: str) -> Received | None:
    """A message that came before under this id."""
    row = db.execute(_LOAD, {"its_source": source, "its_id": message_id}).first()
    return Received(*row) if row else None


def add(db: Connection, row: Received, now: datetime) -> None:
    """Store one, in a transaction that holds the message."""
    db.execute(insert(webhook_received).values(**vars(row), received_at=stamp(now)))


def external_id(db: Connection, source: str, message_id: str) -> str | None:
    """What a source calls a message of the inbox; None where it is not one of its own."""
    query = select(webhook_received.c.id).where(
        webhook_received.c.source == source, webhook_received.c.message_id == message_id
    )
    found: str | None = db.execute(query.limit(1)).scalar()
    return found


def sweep(db: Connection, before: datetime, most: int = 2000) -> int:
    """Forget what came long ago. Returns how many."""
    old = (
        select(webhook_received.c.source, webhook_received.c.id)
        .where(webhook_received.c.received_at < stamp(before))
        .limit(most)
    )
    these = tuple_(webhook_received.c.source, webhook_received.c.id)
    return int(db.execute(delete(webhook_received).where(these.in_(old))).rowcount)
