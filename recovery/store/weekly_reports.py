"""Weekly reports, made once a week for each business."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from recovery.ids import new_id
from recovery.store.case_facts import insert_or_change
from recovery.store.database import stamp
from recovery.store.tables import weekly_reports

_MOST_LISTED = 104


@dataclass(frozen=True)
class Listed:
    """One report in a list. Fields as in the table."""

    id: str
    business: str
    week: str
    made_at: str


def made(db: Connection, business: str, week: date) -> bool:
    """Whether there is a report of a week, named by its Monday."""
    query = select(weekly_reports.c.id).where(
        weekly_reports.c.business == business, weekly_reports.c.week == week.isoformat()
    )
    return db.execute(query).first() is not None


def keep(
    db: Connection, business: str, week: date, content: dict[str, Any], now: datetime
) -> str | None:
    """Keep a report; None where somebody has made it meanwhile."""
    values = {
        "id": new_id("r"),
        "business": business,
        "week": week.isoformat(),
        "content": content,
        "made_at": stamp(now),
    }
    put = insert_or_change(db, weekly_reports).values(**values).on_conflict_do_nothing()
    row = db.execute(put.returning(weekly_reports.c.id)).first()
    return str(row.id) if row else None


def latest(db: Connection, businesses: Sequence[str]) -> list[Listed]:
    """The reports of some businesses, the latest first."""
    table = weekly_reports.c
    query = (
        select(table.id, table.business, table.week, table.made_at)
        .where(table.business.in_(businesses))
        .order_by(table.week.desc(), table.business)
        .limit(_MOST_LISTED)
    )
    return [Listed(*row) for row in db.execute(query)]


def load(db: Connection, report_id: str) -> tuple[Listed, dict[str, Any]] | None:
    """Read a report; None for an unknown one."""
    table = weekly_reports.c
    row = db.execute(select(weekly_reports).where(table.id == report_id)).first()
    return (Listed(row.id, row.business, row.week, row.made_at), row.content) if row else None
