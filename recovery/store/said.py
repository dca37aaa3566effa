"""Which variants a customer has already been told, over all conversations of the customer."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.database import stamp
from recovery.store.tables import said

_REMEMBERED = 300
_VARIANTS = (
    select(said.c.variant)
    .where(said.c.customer_id == bindparam("customer"))
    .order_by(said.c.at.desc())
    .limit(_REMEMBERED)
)
_REMEMBER = {
    dialect: begin(said)
    .values(customer_id=bindparam("customer"), variant=bindparam("told"), at=bindparam("now"))
    .on_conflict_do_update(
        index_elements=[said.c.customer_id, said.c.variant], set_={"at": bindparam("now")}
    )
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def variants(db: Connection, customer_id: str) -> list[str]:
    """Ids of what was said, longest ago first."""
    return list(db.execute(_VARIANTS, {"customer": customer_id}).scalars())[::-1]


def remember(db: Connection, customer_id: str, told: list[str], now: datetime) -> None:
    """Add what was said now."""
    rows = [
        {"customer": customer_id, "told": variant, "now": stamp(now)}
        for variant in dict.fromkeys(told)
    ]
    if rows:
        db.execute(_REMEMBER[db.dialect.name], rows)
