"""The queue of one business: who waits, in which order, and how fast it went lately."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from recovery.case import Case
from recovery.queue.waiting import LOOKED_BACK
from recovery.store.conversations import QUEUE, STAFF, Conversation
from recovery.store.database import stamp
from recovery.store.tables import audit_log, cases, conversations

TAKEN = ("take", "assign")
"""Acts of the audit log by which a conversation leaves the queue for a person."""


@dataclass(frozen=True)
class InLine:
    """One conversation in the queue, as far as its place is concerned.

    Attributes:
        since: When it came into the queue, as stored.
        reason: Why it waits.
        last_agent: Who had this very conversation last.
        points: As reckoned last.
    """

    id: str
    customer_id: str
    since: str
    front: bool
    last_agent: int | None
    points: int
    reason: str | None = None


@dataclass(frozen=True)
class Waiting:
    """One conversation in the queue, as far as its points are concerned."""

    id: str
    case: Case | None
    reason: str | None
    since: str
    awaiting_since: str | None
    front: bool
    points: int


# What was put aside does not wait.
_IN_QUEUE = (conversations.c.owner == QUEUE, conversations.c.snoozed_until.is_(None))
_LINE = (
    select(
        conversations.c.id,
        conversations.c.customer_id,
        conversations.c.waiting_since,
        conversations.c.front,
        conversations.c.last_agent,
        conversations.c.priority,
        conversations.c.reason,
    )
    .where(*_IN_QUEUE)
    .order_by(conversations.c.priority.desc(), conversations.c.waiting_since, conversations.c.id)
)
_WAITING = (
    select(
        conversations.c.id,
        cases.c.state,
        conversations.c.reason,
        conversations.c.waiting_since,
        conversations.c.awaiting_since,
        conversations.c.front,
        conversations.c.priority,
    )
    .outerjoin(cases, cases.c.id == conversations.c.case_id)
    .where(*_IN_QUEUE)
)


def line(db: Connection, business: str) -> list[InLine]:
    """The queue of a business, who comes first at the head."""
    query = _LINE.where(conversations.c.business == business)
    return [
        InLine(row[0], row[1], row.waiting_since or "", bool(row.front), *row[4:7])
        for row in db.execute(query)
    ]


def waiting(db: Connection, business: str, only: str | None = None) -> list[Waiting]:
    """All in the queue of a business, with their cases; in no order.

    Args:
        db: A transaction.
        business: Whose queue.
        only: One conversation, where only this one is wanted.
    """
    query = _WAITING.where(conversations.c.business == business)
    if only is not None:
        query = query.where(conversations.c.id == only)
    return [
        Waiting(
            id=row.id,
            case=Case.from_state(row.state) if row.state else None,
            reason=row.reason,
            since=row.waiting_since or "",
            awaiting_since=row.awaiting_since,
            front=bool(row.front),
            points=row.priority,
        )
        for row in db.execute(query)
    ]


def keep_points(db: Connection, conversation_id: str, points: int) -> None:
    """Store what the queue table gave a conversation."""
    db.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(priority=points)
    )


def taken_lately(db: Connection, business: str, now: datetime) -> list[datetime]:
    """When conversations of a business were taken out of its queue within the last hours."""
    query = select(audit_log.c.at, audit_log.c.detail).where(
        audit_log.c.at >= stamp(now - LOOKED_BACK),
        audit_log.c.business == business,
        audit_log.c.act.in_(TAKEN),
    )
    return [
        datetime.fromisoformat(row.at)
        for row in db.execute(query)
        if row.detail.get("from") == QUEUE
    ]


def last_agent_of(db: Connection, customer_id: str) -> int | None:
    """Who served a customer last, in whatever conversation."""
    query = (
        select(conversations.c.last_agent)
        .where(conversations.c.customer_id == customer_id, conversations.c.last_agent.is_not(None))
        .order_by(conversations.c.owner_since.desc())
        .limit(1)
    )
    return db.execute(query).scalar()


def unanswered(db: Connection, business: str) -> list[Conversation]:
    """Conversations of a business whose customers await an answer of who owns them."""
    return _found(
        db,
        conversations.c.business == business,
        conversations.c.owner.like(f"{STAFF}%"),
        # Not NULL, written so that the index is used: few wait, among very many conversations.
        conversations.c.awaiting_since > "",
        conversations.c.snoozed_until.is_(None),
    )


def with_staff(db: Connection, business: str) -> list[Conversation]:
    """Conversations of a business that members of staff own."""
    return _found(db, conversations.c.business == business, conversations.c.owner.like(f"{STAFF}%"))


def to_wake(db: Connection, business: str, now: datetime) -> list[Conversation]:
    """Conversations of a business that were put aside until now."""
    return _found(
        db, conversations.c.business == business, conversations.c.snoozed_until <= stamp(now)
    )


def _found(db: Connection, *where: ColumnElement[bool]) -> list[Conversation]:
    names = Conversation.__dataclass_fields__
    query = select(*(conversations.c[name] for name in names)).where(*where)
    return [Conversation(**row._mapping) for row in db.execute(query)]
