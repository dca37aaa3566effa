"""Remedies beyond a member's authority, asked of a manager."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from recovery.store.database import stamp
from recovery.store.tables import remedy_requests

OPEN = "open"
GRANTED, REFUSED, WITHDRAWN = "granted", "refused", "withdrawn"
_SHOWN_FOR = timedelta(days=7)
_LONGEST_LIST = 200


@dataclass(frozen=True)
class RemedyRequest:
    """One request. Fields as in the table.

    Attributes:
        content: `{"wishes": as the page sent them or None for the policy's own, "remedies",
            "items", "worth_fen", "policy_fen", "floor_fen", "rules", "order_number", "failure",
            "item"}` as the asker saw them.
        needed: Authority that is needed: `agent` or `manager`.
        state: `open`, `granted`, `refused` or `withdrawn`.
    """

    id: str
    conversation_id: str
    case_id: str
    business: str
    asked_by: int
    asked_at: str
    content: dict[str, Any]
    needed: str
    reason: str
    state: str = OPEN
    decided_by: int | None = None
    decided_at: str | None = None
    answer: str | None = None
    offer_id: str | None = None


_COLUMNS = tuple(remedy_requests.c[name] for name in RemedyRequest.__dataclass_fields__)


def add(db: Connection, request: RemedyRequest) -> None:
    """Write a request down."""
    db.execute(insert(remedy_requests).values(**vars(request)))


def load(db: Connection, request_id: str) -> RemedyRequest | None:
    """Read a request."""
    row = db.execute(select(*_COLUMNS).where(remedy_requests.c.id == request_id)).first()
    return RemedyRequest(*row) if row else None


def of_case(db: Connection, case_id: str) -> list[RemedyRequest]:
    """All requests of a case, oldest first."""
    query = select(*_COLUMNS).where(remedy_requests.c.case_id == case_id)
    rows = db.execute(query.order_by(remedy_requests.c.asked_at, remedy_requests.c.id))
    return [RemedyRequest(*row) for row in rows]


def is_open(db: Connection, case_id: str) -> bool:
    """Whether somebody waits for a decision about a case."""
    query = select(remedy_requests.c.id).where(
        remedy_requests.c.case_id == case_id, remedy_requests.c.state == OPEN
    )
    return db.execute(query.limit(1)).first() is not None


def settle(
    db: Connection,
    request_id: str,
    state: str,
    now: datetime,
    *,
    decided_by: int | None,
    answer: str | None = None,
    offer_id: str | None = None,
) -> bool:
    """Decide or withdraw a request.

    Returns:
        Whether it was still open; False when somebody was faster.
    """
    changed = db.execute(
        update(remedy_requests)
        .where(remedy_requests.c.id == request_id, remedy_requests.c.state == OPEN)
        .values(
            state=state,
            decided_by=decided_by,
            decided_at=stamp(now),
            answer=answer,
            offer_id=offer_id,
        )
    ).rowcount
    return bool(changed)


def to_decide(db: Connection, business: str | None, now: datetime) -> list[RemedyRequest]:
    """All open ones and those decided within a week, the open ones first, the oldest of them first.

    Args:
        db: A transaction.
        business: Whose; None for all.
        now: The present moment.
    """
    mine = () if business is None else (remedy_requests.c.business == business,)
    return _listed(db, now, *mine)


def asked_by(db: Connection, staff_id: int, now: datetime) -> list[RemedyRequest]:
    """The same of one member of staff."""
    return _listed(db, now, remedy_requests.c.asked_by == staff_id)


def _listed(db: Connection, now: datetime, *where: ColumnElement[bool]) -> list[RemedyRequest]:
    is_open = remedy_requests.c.state == OPEN
    late = remedy_requests.c.decided_at > stamp(now - _SHOWN_FOR)
    query = (
        select(*_COLUMNS)
        .where(and_(*where, or_(is_open, late)))
        .order_by(remedy_requests.c.decided_at.is_not(None), remedy_requests.c.asked_at)
        .limit(_LONGEST_LIST)
    )
    return [RemedyRequest(*row) for row in db.execute(query)]
