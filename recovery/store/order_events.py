"""What order systems report: kept as it came, once, until it has been worked off."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from recovery.incidents.events import OrderEvent
from recovery.store.database import hold, stamp
from recovery.store.tables import order_events


class OtherEventError(RuntimeError):
    """An event of this id came before, with something else in it."""


def receive(db: Connection, business: str, event: OrderEvent, now: datetime) -> bool:
    """Keep an event, once for each id.

    Args:
        db: A writing transaction.
        business: Whose order system it is.
        event: Checked.
        now: The present moment.

    Returns:
        Whether it is new.

    Raises:
        OtherEventError: The id stands for something else.
    """
    hold(db, f"order events {business}")
    content = event.to_wire()
    known = of_id(db, business, event.id)
    if known is not None:
        if known != content:
            raise OtherEventError(event.id)
        return False
    last = select(func.max(order_events.c.position)).where(order_events.c.business == business)
    db.execute(
        insert(order_events).values(
            business=business,
            id=event.id,
            position=(db.execute(last).scalar() or 0) + 1,
            kind=event.kind,
            content=content,
            state="new",
            received_at=stamp(now),
            due_at=stamp(now),
        )
    )
    return True


def of_id(db: Connection, business: str, event_id: str) -> dict[str, Any] | None:
    """The content of an event; None where none of this id came."""
    query = select(order_events.c.content).where(
        order_events.c.business == business, order_events.c.id == event_id
    )
    found: dict[str, Any] | None = db.execute(query).scalar()
    return found


def load(db: Connection, business: str, event_id: str | None) -> OrderEvent | None:
    """The same, read."""
    content = of_id(db, business, event_id) if event_id else None
    return OrderEvent.from_wire(content) if content else None


def new(
    db: Connection, businesses: list[str], now: datetime, most: int = 50
) -> list[tuple[str, str]]:
    """Business and id of the events that nobody has worked off, in the order in which they came.

    Args:
        db: A transaction.
        businesses: Only of these.
        now: The present moment; what has failed lately is left for later.
        most: How many at most.
    """
    query = (
        select(order_events.c.business, order_events.c.id)
        .where(
            order_events.c.state == "new",
            order_events.c.due_at <= stamp(now),
            order_events.c.business.in_(businesses),
        )
        .order_by(order_events.c.received_at, order_events.c.position)
        .limit(most)
    )
    return [(row.business, row.id) for row in db.execute(query)]


def take(db: Connection, business: str, event_id: str) -> OrderEvent | None:
    """Take an event to work it off in this transaction; None where somebody else does or did."""
    query = (
        select(order_events.c.content)
        .where(
            order_events.c.business == business,
            order_events.c.id == event_id,
            order_events.c.state == "new",
        )
        .with_for_update(skip_locked=True)
    )
    content = db.execute(query).scalar()
    return OrderEvent.from_wire(content) if content else None


def postpone(db: Connection, business: str, event_id: str, due: datetime) -> None:
    """Work an event off later, since it could not be done now."""
    db.execute(
        update(order_events)
        .where(
            order_events.c.business == business,
            order_events.c.id == event_id,
            order_events.c.state == "new",
        )
        .values(attempts=order_events.c.attempts + 1, due_at=stamp(due))
    )


def done(db: Connection, business: str, event_id: str, incident_id: str, now: datetime) -> None:
    """Write down that an event was worked off: who is concerned stands in its incident."""
    db.execute(
        update(order_events)
        .where(order_events.c.business == business, order_events.c.id == event_id)
        .values(state="done", incident_id=incident_id, settled_at=stamp(now))
    )
