"""Accepted remedies on their way: one row a remedy, carried out once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, distinct, func, insert, select, update

from recovery.case import Offer
from recovery.store.conversations import Conversation
from recovery.store.database import hold, stamp
from recovery.store.tables import fulfilments


@dataclass(frozen=True)
class Fulfilment:
    """One remedy to be carried out. Fields as in the table."""

    key: str
    case_id: str
    conversation_id: str
    business: str
    order_number: str
    remedy: dict[str, Any]
    state: str
    attempts: int


_COLUMNS = tuple(fulfilments.c[name] for name in Fulfilment.__dataclass_fields__)
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=10)


def promise(
    db: Connection, conversation: Conversation, case_id: str, offer: Offer, now: datetime
) -> None:
    """Write down all remedies of an accepted offer."""
    for place, remedy in enumerate(offer.remedies):
        db.execute(
            insert(fulfilments).values(
                key=f"{offer.id}:{place}",
                case_id=case_id,
                conversation_id=conversation.id,
                business=conversation.business,
                order_number=offer.order_number,
                remedy=remedy,
                state="todo",
                attempts=0,
                due_at=stamp(now),
                created_at=stamp(now),
            )
        )


def due(db: Connection, now: datetime, most: int = 50) -> list[Fulfilment]:
    """What is to be carried out now, oldest first."""
    rows = db.execute(
        select(*_COLUMNS)
        .where(fulfilments.c.state == "todo", fulfilments.c.due_at <= stamp(now))
        .order_by(fulfilments.c.due_at, fulfilments.c.key)
        .limit(most)
    )
    return [Fulfilment(*row) for row in rows]


def settle(db: Connection, key: str, state: str, receipt: dict[str, Any] | None) -> bool:
    """Write down how it ended.

    Returns:
        Whether it was still to do; False when another worker was faster.
    """
    changed = db.execute(
        update(fulfilments)
        .where(fulfilments.c.key == key, fulfilments.c.state == "todo")
        .values(state=state, receipt=receipt)
    ).rowcount
    return bool(changed)


def postpone(db: Connection, item: Fulfilment, now: datetime) -> None:
    """Try again later, twice as late each time."""
    # Bounded before it is multiplied: after a day without order system it would overflow.
    wait = min(_FIRST_WAIT * 2 ** min(item.attempts, 16), _LONGEST_WAIT)
    db.execute(
        update(fulfilments)
        .where(fulfilments.c.key == item.key)
        .values(attempts=item.attempts + 1, due_at=stamp(now + wait))
    )


def given_before(db: Connection, business: str, order_number: str, case_id: str, most: int) -> bool:
    """Whether an order already had remedies promised in as many other cases as may be.

    Whoever promises on the strength of this holds the order (`hold_order`) until the commit.
    Also a remedy that the order system refused counts: a person settles it by hand.

    Args:
        db: A transaction.
        business: Whose order.
        order_number: As proved.
        case_id: The present case; what it was promised itself does not count.
        most: How many cases of one order the bot may settle
            (`Limits.remedied_cases_per_order`).
    """
    others = select(func.count(distinct(fulfilments.c.case_id))).where(
        fulfilments.c.business == business,
        fulfilments.c.order_number == order_number,
        fulfilments.c.case_id != case_id,
    )
    return (db.execute(others).scalar() or 0) >= most


def hold_order(db: Connection, business: str, order_number: str) -> None:
    """Let those who promise remedies for the same order take turns."""
    hold(db, f"order {business} {order_number}")


def of_case(db: Connection, case_id: str) -> list[dict[str, Any]]:
    """All remedies of a case with their state, for staff."""
    rows = db.execute(
        select(*_COLUMNS, fulfilments.c.receipt, fulfilments.c.created_at)
        .where(fulfilments.c.case_id == case_id)
        .order_by(fulfilments.c.created_at, fulfilments.c.key)
    )
    return [dict(row._mapping) for row in rows]
