"""Raises an alert when cases of one kind become more, before it is a wave."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from desk.conversations.turn import Committed
from desk.insights.overview import day_of
from recovery.business import Business
from recovery.insights.causes import cause_name
from recovery.insights.rising import DAYS_BEFORE, Rising, rising
from recovery.insights.working_out import failure_name
from recovery.store import alerts, case_facts, notices
from recovery.store.notices import Notice

NOTICE = "alert"


def found(db: Connection, business: Business, now: datetime) -> list[tuple[str, date, Rising]]:
    """What rises in a business, today and yesterday: its kind, the day, and how much it is."""
    first = case_facts.first_day(db, business.id)
    if first is None:
        return []
    today, risen = day_of(business, now), []
    for day in (today - timedelta(days=1), today):
        known: set[int] = set()
        for kind in ("failure", "cause"):
            since = day - timedelta(days=DAYS_BEFORE)
            days = case_facts.daily(db, business.id, kind, since, day)
            for one in rising(days, day, date.fromisoformat(first)):
                # A cause with as many cases as a failure is most likely that failure once more.
                if kind == "failure" or one.count not in known:
                    risen.append((kind, day, one))
                known.add(one.count)
    return risen


def look(db: Connection, business: Business, now: datetime) -> Committed:
    """Store what rises in a business; each is told once a day, however many desks look.

    Args:
        db: A writing transaction.
        business: Which one.
        now: The present moment.
    """
    told: tuple[Notice, ...] = ()
    for kind, day, one in found(db, business, now):
        if alerts.raise_once(db, business.id, kind, day, one, now):
            told += _tell(db, business, kind, one, now)
    return Committed([], notices=told)


def _tell(
    db: Connection, business: Business, kind: str, one: Rising, now: datetime
) -> tuple[Notice, ...]:
    words = cause_name(one.name) if kind == "cause" else failure_name(one.name)
    text = (
        f"“{words}”的投诉多起来了：{one.count}件，平时一天约{one.expected:.1f}件（{business.name}）"
    )
    return notices.add(db, notices.overseers(db, business.id), NOTICE, None, text, now)
