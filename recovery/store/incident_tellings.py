"""What is told or offered to all of an incident, and who has got it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import incident_messages, incident_tellings

WAITING, TOLD, SKIPPED, UNREACHABLE = "waiting", "told", "skipped", "unreachable"


@dataclass(frozen=True)
class Message:
    """One text or offer to all. Fields as in the table."""

    id: str
    incident_id: str
    kind: str
    text: str
    wishes: list[dict[str, Any]] | None
    reason: str | None
    by: str
    at: str


@dataclass(frozen=True)
class Telling:
    """One message on its way to one member. Fields as in the table."""

    message_id: str
    member_id: int
    state: str
    due_at: str | None
    attempts: int
    told_at: str | None
    why: str | None


_MESSAGE = tuple(incident_messages.c[name] for name in Message.__dataclass_fields__)
_TELLING = tuple(incident_tellings.c[name] for name in Telling.__dataclass_fields__)


def begin(db: Connection, message: Message, members: list[int], due: datetime) -> None:
    """Keep a message, and that each of these members is to get it.

    Args:
        db: A writing transaction.
        message: Not known yet.
        members: Ids.
        due: When it goes out.
    """
    db.execute(insert(incident_messages).values(**vars(message)))
    if members:
        rows = [
            {
                "message_id": message.id,
                "member_id": one,
                "state": WAITING,
                "due_at": stamp(due),
            }
            for one in members
        ]
        db.execute(insert(incident_tellings), rows)


def add(db: Connection, message_id: str, member_id: int, due: datetime) -> None:
    """Let somebody who came later get a message as well, once."""
    known = select(incident_tellings.c.state).where(
        incident_tellings.c.message_id == message_id, incident_tellings.c.member_id == member_id
    )
    if db.execute(known).first() is None:
        db.execute(
            insert(incident_tellings).values(
                message_id=message_id, member_id=member_id, state=WAITING, due_at=stamp(due)
            )
        )


def message(db: Connection, message_id: str) -> Message | None:
    """Read a message."""
    row = db.execute(select(*_MESSAGE).where(incident_messages.c.id == message_id)).first()
    return Message(**row._mapping) if row else None


def messages(db: Connection, incident_id: str) -> list[Message]:
    """All of an incident, the oldest first."""
    query = (
        select(*_MESSAGE)
        .where(incident_messages.c.incident_id == incident_id)
        .order_by(incident_messages.c.at, incident_messages.c.id)
    )
    return [Message(**row._mapping) for row in db.execute(query)]


def tellings(db: Connection, message_ids: list[str]) -> list[Telling]:
    """Who got these messages, and who did not."""
    query = select(*_TELLING).where(incident_tellings.c.message_id.in_(message_ids))
    return [Telling(**row._mapping) for row in db.execute(query)]


def due(db: Connection, now: datetime, most: int = 50) -> list[tuple[str, int]]:
    """Message and member of what is to go out now, the oldest first."""
    query = (
        select(incident_tellings.c.message_id, incident_tellings.c.member_id)
        .where(incident_tellings.c.due_at <= stamp(now), incident_tellings.c.state == WAITING)
        .order_by(
            incident_tellings.c.due_at,
            incident_tellings.c.message_id,
            incident_tellings.c.member_id,
        )
        .limit(most)
    )
    return [(row.message_id, row.member_id) for row in db.execute(query)]


def take(db: Connection, message_id: str, member_id: int) -> Telling | None:
    """Take one to send it in this transaction; None where somebody else does or did."""
    query = (
        select(*_TELLING)
        .where(
            incident_tellings.c.message_id == message_id,
            incident_tellings.c.member_id == member_id,
            incident_tellings.c.state == WAITING,
        )
        .with_for_update(skip_locked=True)
    )
    row = db.execute(query).first()
    return Telling(**row._mapping) if row else None


def settle(db: Connection, one: Telling, state: str, now: datetime, why: str | None = None) -> None:
    """Write down how it ended."""
    _set(db, one, state=state, due_at=None, told_at=stamp(now), why=why[:120] if why else None)


def postpone(db: Connection, one: Telling, wait: timedelta, now: datetime, why: str) -> None:
    """Try it again later."""
    _set(db, one, attempts=one.attempts + 1, due_at=stamp(now + wait), why=why[:120])


def put_off(db: Connection, one: Telling, until: datetime) -> None:
    """Send it later, without counting a try."""
    _set(db, one, due_at=stamp(until))


def waiting_of(db: Connection, incident_id: str) -> int:
    """How many are still to get something."""
    query = (
        select(func.count())
        .select_from(incident_tellings)
        .join(incident_messages, incident_messages.c.id == incident_tellings.c.message_id)
        .where(incident_messages.c.incident_id == incident_id, incident_tellings.c.state == WAITING)
    )
    return int(db.execute(query).scalar_one())


def _set(db: Connection, one: Telling, **values: object) -> None:
    db.execute(
        update(incident_tellings)
        .where(
            incident_tellings.c.message_id == one.message_id,
            incident_tellings.c.member_id == one.member_id,
        )
        .values(**values)
    )
