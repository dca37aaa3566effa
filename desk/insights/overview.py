"""What the insights page shows: figures of a period beside the one before, charts, what to do."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from threading import Lock
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.insights.wording import channel
from recovery.business import Business
from recovery.insights.causes import cause_name
from recovery.insights.parts import Part, together
from recovery.insights.period import Filters
from recovery.insights.working_out import charts, failure_name, worked_out
from recovery.store import alerts, case_facts, causes
from recovery.store.alerts import Alert
from recovery.store.causes import Action
from recovery.store.database import stamp

# Numbers, some 100 bytes each: two years of a very busy desk.
_MOST_KEPT = 500_000
_DAY = timedelta(days=1)


class Parts:
    """What months add up to, worked out again only once something in them has changed.

    The first time a month is added up as a whole; once it has changed, day by day, so that the
    next change costs that day alone.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: OrderedDict[Filters, tuple[int, Part]] = OrderedDict()
        self._size = 0
        # Pages and reports may ask in different threads.
        self._lock = Lock()

    def of(self, db: Connection, asked: Filters) -> Part:
        """Add the cases of a period up.

        Args:
            db: A transaction.
            asked: Of any businesses and days.
        """
        return together(self._month(db, one) for one in by_month(asked))

    def _month(self, db: Connection, asked: Filters) -> Part:
        # Read before the cases: what changes in between is then worked out once more.
        marks = case_facts.marked(db, asked.businesses[0], asked.since, asked.until)
        marked = sum(marks.values())
        if not marked:
            return Part()
        known = self._known(asked)
        if known is None:
            return self._keep(asked, marked, case_facts.part(db, asked))
        if known[0] == marked:
            return known[1]
        days = (
            self._day(db, replace(asked, since=day, until=day), number)
            for day, number in sorted(marks.items())
        )
        return self._keep(asked, marked, together(days))

    def _day(self, db: Connection, asked: Filters, marked: int) -> Part:
        known = self._known(asked)
        if known is not None and known[0] == marked:
            return known[1]
        return self._keep(asked, marked, case_facts.part(db, asked))

    def _known(self, asked: Filters) -> tuple[int, Part] | None:
        with self._lock:
            known = self._kept.get(asked)
            if known is not None:
                self._kept.move_to_end(asked)
            return known

    def _keep(self, asked: Filters, marked: int, part: Part) -> Part:
        with self._lock:
            before = self._kept.pop(asked, None)
            self._kept[asked] = (marked, part)
            self._size += part.size - (before[1].size if before else 0)
            while self._size > _MOST_KEPT and len(self._kept) > 1:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._size -= oldest.size
        return part


def by_month(asked: Filters) -> Iterator[Filters]:
    """The same question, of one business and of days of one month at a time."""
    for business in asked.businesses:
        since = asked.since
        while since <= asked.until:
            following = (since.replace(day=1) + _DAY * 31).replace(day=1)
            until = min(asked.until, following - _DAY)
            yield Filters((business,), since, until, asked.channel, asked.failure)
            since = following


def overview(
    db: Connection, context: Context, parts: Parts, asked: Filters, behind: int
) -> dict[str, Any]:
    """All of it, as the API gives it.

    Args:
        db: A transaction.
        context: The desk.
        parts: Kept by the desk.
        asked: Of which cases.
        behind: How many cases are still to be looked at.
    """
    served = [one for one in context.directory if one.id in asked.businesses]
    part, before = parts.of(db, asked), parts.of(db, asked.before)
    spent = {one.id: part.goodwill_fen[one.id] for one in served}
    budgets = {one.id: one.goodwill_per_day * asked.days for one in served}
    since, until = _moments(served, asked)
    drawn = charts(part)
    for one in drawn["channels"]:
        one["name"] = channel(one["id"])
    for one in drawn["fairness"]:
        one["name"] = channel(one["key"]) if one["group"] == "channel" else one["name"]
    return {
        "period": {"from": asked.since.isoformat(), "to": asked.until.isoformat()},
        "cases": part.cases,
        "partial": {"behind": behind},
        "figures": worked_out(part, before, sum(budgets.values())),
        **drawn,
        "alerts": [
            shown_alert(one) for one in alerts.shown(db, asked.businesses, asked.since, asked.until)
        ],
        "budgets": [
            {
                "business": one.id,
                "name": one.name,
                "spent_fen": spent[one.id],
                "budget_fen": budgets[one.id],
            }
            for one in served
        ],
        "actions": [
            shown_action(one)
            for one in causes.list_actions(db, asked.businesses, stamp(since), stamp(until))
        ],
    }


def _moments(served: list[Business], asked: Filters) -> tuple[datetime, datetime]:
    """When the days begin and end, in the zone that comes first and last."""
    zones: list[tzinfo] = [one.zone for one in served] or [UTC]
    first, following = asked.since, asked.until + _DAY
    return (
        min(datetime.combine(first, time(0), zone) for zone in zones),
        max(datetime.combine(following, time(0), zone) for zone in zones),
    )


def shown_alert(one: Alert) -> dict[str, Any]:
    """An alert as the page is told."""
    words = cause_name(one.name) if one.kind == "cause" else failure_name(one.name)
    return {
        "id": one.id,
        "business": one.business,
        "kind": one.kind,
        "key": one.name,
        "name": words,
        "day": one.day,
        "count": one.count,
        "expected": round(one.expected, 1),
        "state": one.state,
    }


def shown_action(one: Action) -> dict[str, Any]:
    """A corrective action as the page is told."""
    return {
        "case": one.case_id,
        "business": one.business,
        "cause": one.cause,
        "name": cause_name(one.cause),
        "action": one.action,
        "by": one.by,
        "due": one.due,
        "done": one.done_at,
    }


def filters_of(served: list[Business], part: dict[str, Any]) -> dict[str, Any]:
    """What the page may filter by."""
    return {
        "businesses": [{"id": one.id, "name": one.name} for one in served],
        "industries": list(dict.fromkeys(one.industry for one in served)),
        "channels": [one["id"] for one in part["channels"]],
        "failures": [
            {"id": one["id"] or "unknown", "name": one["name"]} for one in part["failures"]
        ],
    }


def day_of(business: Business, now: datetime) -> date:
    """The present day where a business is."""
    return now.astimezone(business.zone).date()
