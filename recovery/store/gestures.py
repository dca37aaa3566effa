"""Small gestures and recommendations that were offered to persons, and what became of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, exists, func, insert, or_, select, update

from recovery.store.database import stamp
from recovery.store.tables import cases, customers, gestures

Kind = Literal["gesture", "recommendation"]
OFFERED, TAKEN, DECLINED, DONE = "offered", "taken", "declined", "done"
_COUNTED = (TAKEN, DONE)


@dataclass(frozen=True)
class Offered:
    """One gesture or recommendation. Fields as in the table.

    Attributes:
        content: `title` and `why`, as the customer read them; beside them `remedy` where the order
            system carries it out, `task` where staff do it.
        state: `offered`, `taken`, `declined` or `done`.
        marketing: It is a recommendation.
    """

    id: str
    business: str
    case_id: str
    person: str
    kind: str
    rule: str
    content: dict[str, Any]
    cost_fen: int
    state: str
    at: str
    settled_at: str | None
    marketing: bool

    @property
    def shown(self) -> dict[str, Any]:
        """What staff's pages are told."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.content.get("title", ""),
            "why": self.content.get("why", ""),
            "task": bool(self.content.get("task")),
            "cost_fen": self.cost_fen,
            "state": self.state,
            "at": self.at,
            "settled_at": self.settled_at,
        }


_COLUMNS = tuple(gestures.c[name] for name in Offered.__dataclass_fields__)


def offer(db: Connection, one: Offered) -> None:
    """Write down what is offered."""
    db.execute(insert(gestures).values(**vars(one)))


def load(db: Connection, gesture_id: str) -> Offered | None:
    """Read one by its id."""
    row = db.execute(select(*_COLUMNS).where(gestures.c.id == gesture_id)).first()
    return Offered(*row) if row else None


def of_case(db: Connection, case_id: str) -> list[Offered]:
    """All of a case, oldest first."""
    query = select(*_COLUMNS).where(gestures.c.case_id == case_id).order_by(gestures.c.at)
    return [Offered(*row) for row in db.execute(query)]


def had_since(
    db: Connection, business: str, person: str, since: datetime, kind: Kind | None = None
) -> bool:
    """Whether a person was offered anything since a moment, under whichever customer.

    Args:
        db: A transaction.
        business: Whose.
        person: Who.
        since: The moment.
        kind: Only of this kind.
    """
    query = select(gestures.c.id).where(
        gestures.c.business == business, _theirs(person), gestures.c.at > stamp(since)
    )
    if kind is not None:
        query = query.where(gestures.c.kind == kind)
    return db.execute(query.limit(1)).first() is not None


def rules_had(db: Connection, business: str, person: str, kind: Kind) -> set[str]:
    """Ids of all rules by which a person was offered something before."""
    query = select(gestures.c.rule).where(
        gestures.c.business == business, _theirs(person), gestures.c.kind == kind
    )
    return set(db.execute(query).scalars())


def _theirs(person: str) -> ColumnElement[bool]:
    """Of a person as they are proved now; what was joined since counts along."""
    now = exists().where(
        cases.c.id == gestures.c.case_id,
        customers.c.id == cases.c.customer_id,
        customers.c.person == person,
    )
    return or_(gestures.c.person == person, now)


def settle(
    db: Connection, gesture_id: str, state: str, now: datetime, *, expected: str = OFFERED
) -> bool:
    """Write down what became of one; returns False where that was settled before."""
    changed = db.execute(
        update(gestures)
        .where(gestures.c.id == gesture_id, gestures.c.state == expected)
        .values(state=state, settled_at=stamp(now))
    ).rowcount
    return bool(changed)


def spent_since(db: Connection, business: str, since: datetime) -> int:
    """What gestures that were taken since a moment cost a business, in fen."""
    return _sum(db, gestures.c.business == business, gestures.c.settled_at >= stamp(since))


def spent_on(db: Connection, business: str, customer_id: str, now: datetime, days: int = 30) -> int:
    """What gestures to the person of a customer cost, of those taken within so many days."""
    person = db.execute(select(customers.c.person).where(customers.c.id == customer_id)).scalar()
    if not person:
        return 0
    since = gestures.c.settled_at > stamp(now - timedelta(days=days))
    return _sum(db, gestures.c.business == business, since, _theirs(person))


def _sum(db: Connection, *where: ColumnElement[bool]) -> int:
    total = select(func.sum(gestures.c.cost_fen)).where(gestures.c.state.in_(_COUNTED), *where)
    return int(db.execute(total).scalar() or 0)
