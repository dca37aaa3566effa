"""Which variants a customer has already been told, over all conversations of the customer."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import said

_REMEMBERED = 300


def variants(db: Connection, customer_id: str) -> list[str]:
    """Ids of what was said, longest ago first."""
    rows = db.execute(
        select(said.c.variant)
        .where(said.c.customer_id == customer_id)
        .order_by(said.c.at.desc())
        .limit(_REMEMBERED)
    )
    return [row.variant for row in rows][::-1]


def remember(db: Connection, customer_id: str, told: list[str], now: datetime) -> None:
    """Add what was said now."""
    for variant in dict.fromkeys(told):
        where = (said.c.customer_id == customer_id, said.c.variant == variant)
        if not db.execute(update(said).where(*where).values(at=stamp(now))).rowcount:
            db.execute(insert(said).values(customer_id=customer_id, variant=variant, at=stamp(now)))
