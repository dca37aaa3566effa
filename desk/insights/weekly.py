"""The weekly report: each Monday, of the week before, once for each business."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.turn import Committed
from desk.insights import wording
from desk.insights.overview import Parts, day_of, overview
from recovery.business import Business
from recovery.insights.period import Filters
from recovery.store import case_facts, notices, weekly_reports

NOTICE = "report"
CAUSES = 5
_MOST_CHANGED = 6
# A change by so much of the value before is worth a sentence.
_NOTABLE = 0.2
_DAYS = timedelta(days=7)


def week_before(day: date) -> date:
    """The Monday of the last week that is over."""
    return day - timedelta(days=day.weekday()) - _DAYS


def due(db: Connection, business: Business, now: datetime) -> date | None:
    """The Monday of the week of which a report is to be made; None: it is there, or nothing was."""
    week = week_before(day_of(business, now))
    first = case_facts.first_day(db, business.id)
    if first is None or date.fromisoformat(first) >= week + _DAYS:
        return None
    return None if weekly_reports.made(db, business.id, week) else week


def content_of(
    db: Connection, context: Context, parts: Parts, business: Business, week: date
) -> dict[str, Any]:
    """What the report of a week says."""
    asked = Filters((business.id,), week, week + _DAYS - timedelta(days=1))
    found = overview(db, context, parts, asked, 0)
    changed = [line for one in found["figures"] if (line := _changed(one))]
    undone = [one for one in found["actions"] if one["done"] is None]
    return {
        **found,
        "pareto": found["pareto"][:CAUSES],
        "actions": undone,
        "changed": changed[:_MOST_CHANGED],
    }


def _changed(figure: dict[str, Any]) -> str:
    """A sentence on what has changed notably; empty for what has not."""
    now, before = figure["value"], figure["before"]
    if now is None or not before or abs(now - before) < _NOTABLE * abs(before):
        return ""
    amount = wording.value(now, figure["unit"])
    return f"{figure['name']}：{amount}，比上周{wording.change(figure)}".replace("比上周是", "是")


def keep(
    db: Connection, business: Business, week: date, content: dict[str, Any], now: datetime
) -> Committed:
    """Keep a report and tell who oversees the business, once however many desks have made it."""
    if weekly_reports.keep(db, business.id, week, content, now) is None:
        return Committed([])
    until = week + _DAYS - timedelta(days=1)
    days = f"{week.month}月{week.day}日到{until.month}月{until.day}日"
    text = f"{business.name}上周的周报好了（{days}），在“洞察”里看"
    overseers = notices.overseers(db, business.id)
    return Committed([], notices=notices.add(db, overseers, NOTICE, None, text, now))
