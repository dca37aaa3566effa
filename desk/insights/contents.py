"""What a saved file holds of the insights, whichever form it has."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from desk.insights import wording
from recovery.privacy import mask

_GUIDE = (
    ("数值", "没有数值的，是还没有可数的，或样本太少，旁边写着原因"),
    ("上期", "前面同样长的一段时间"),
    ("顾客", "只有数目，没有姓名、电话和原话"),
)


@dataclass(frozen=True)
class Contents:
    """Figures and lists, checked for what must not leave the desk.

    Attributes:
        title: Of the file.
        head: What it is about, line by line: what it is called, and what it is.
        changed: What a weekly report says in sentences.
    """

    title: str
    head: tuple[tuple[str, str], ...]
    changed: tuple[str, ...] = ()
    figures: list[dict[str, Any]] = field(default_factory=list)
    days: list[dict[str, Any]] = field(default_factory=list)
    pareto: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    servqual: list[dict[str, Any]] = field(default_factory=list)
    budgets: list[dict[str, Any]] = field(default_factory=list)
    fairness: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)


def contents(title: str, head: tuple[tuple[str, str], ...], served: dict[str, Any]) -> Contents:
    """What is saved of the insights.

    Args:
        title: Of the file.
        head: What it is about: business, period, filters.
        served: As the page gets it, or as a weekly report has kept it.
    """
    lists = {
        name: list(served.get(name) or ())
        for name in (
            *("figures", "pareto", "failures", "channels"),
            *("servqual", "budgets", "fairness", "alerts"),
        )
    }
    return Contents(
        title,
        (*head, *_GUIDE),
        changed=tuple(str(line) for line in served.get("changed") or ()),
        days=_every_day(served),
        actions=[_action(one) for one in served.get("actions") or ()],
        **{**lists, "channels": [_named(one) for one in lists["channels"]]},
    )


def _every_day(served: dict[str, Any]) -> list[dict[str, Any]]:
    """All days of the period: on those that are left out nothing was."""
    days = {one["day"]: one for one in (served.get("series") or {}).get("days") or ()}
    period = served.get("period")
    if not period:
        return list(days.values())
    first, last = (date.fromisoformat(period[end]) for end in ("from", "to"))
    every = (str(first + timedelta(days=place)) for place in range((last - first).days + 1))
    nothing = {"cases": 0, "anger_opening": None, "closed": 0}
    return [days.get(day) or {"day": day, **nothing} for day in every]


def _named(channel: dict[str, Any]) -> dict[str, Any]:
    """A channel by the name that people know it by."""
    return {**channel, "name": wording.channel(str(channel["id"]))}


def _action(one: dict[str, Any]) -> dict[str, Any]:
    """An action; staff may have written a customer's number into it."""
    words = mask(str(one["action"])).text
    return {**one, "action": words, "name": one.get("name") or one["cause"]}
