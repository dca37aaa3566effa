"""Alerts about what rises, once a day for each cause or failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from recovery.ids import new_id
from recovery.insights.rising import Rising
from recovery.store.case_facts import insert_or_change
from recovery.store.database import stamp
from recovery.store.tables import alerts

_MOST_SHOWN = 50


@dataclass(frozen=True)
class Alert:
    """One alert. Fields as in the table."""

    id: str
    business: str
    kind: str
    name: str
    day: str
    count: int
    expected: float
    state: str
    seen_by: int | None
    seen_at: str | None
    at: str


_COLUMNS = tuple(alerts.c[name] for name in Alert.__dataclass_fields__)


def raise_once(
    db: Connection, business: str, kind: str, day: date, risen: Rising, now: datetime
) -> str | None:
    """Store an alert; where it stands already, how many there are by now is written into it.

    Args:
        db: A writing transaction.
        business: Whose.
        kind: `cause` or `failure`.
        day: On which it rises.
        risen: What rises.
        now: The present moment.

    Returns:
        The id of a new alert; None where it stands already.
    """
    values = {
        "id": new_id("a"),
        "business": business,
        "kind": kind,
        "name": risen.name,
        "day": day.isoformat(),
        "count": risen.count,
        "expected": risen.expected,
        "state": "open",
        "at": stamp(now),
    }
    put = insert_or_change(db, alerts).values(**values).on_conflict_do_nothing()
    if db.execute(put.returning(alerts.c.id)).first():
        return str(values["id"])
    same = [alerts.c[name] == values[name] for name in ("business", "kind", "name", "day")]
    db.execute(update(alerts).where(*same, alerts.c.count < risen.count).values(count=risen.count))
    return None


def shown(db: Connection, businesses: Sequence[str], since: date, until: date) -> list[Alert]:
    """Alerts of some businesses that nobody has seen, and those of a period; the latest first."""
    days = alerts.c.day.between(since.isoformat(), until.isoformat())
    query = (
        select(*_COLUMNS)
        .where(alerts.c.business.in_(businesses), days | (alerts.c.state == "open"))
        .order_by(alerts.c.state, alerts.c.day.desc(), alerts.c.count.desc(), alerts.c.id)
        .limit(_MOST_SHOWN)
    )
    return [Alert(*row) for row in db.execute(query)]


def load(db: Connection, alert_id: str) -> Alert | None:
    """Read an alert."""
    row = db.execute(select(*_COLUMNS).where(alerts.c.id == alert_id)).first()
    return Alert(*row) if row else None


def see(db: Connection, alert_id: str, who: int, now: datetime) -> bool:
    """Note that somebody has seen an alert; False where somebody had before."""
    changed = (
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.state == "open")
        .values(state="seen", seen_by=who, seen_at=stamp(now))
    )
    return bool(db.execute(changed).rowcount)
