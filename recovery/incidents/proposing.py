"""When the bot thinks that several cases have one cause: a table of rules, never a guess.

A rule names failures and what else the cases must share: the place, the product, the kind of
order or its day, as the order system has them. A case of which that is not known is left out.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from recovery.failures import FAILURES
from recovery.orders.system import Order

Shared = Literal["place", "product", "order_kind", "day"]
_FILE = Path(__file__).parent / "tables" / "proposals.json"
_BUILDING = re.compile(r"^\s*([0-9A-Za-z一二三四五六七八九十]{1,4}(?:栋|号楼|幢|座))")
_ROOM = re.compile(r"^([0-9]{1,2})[0-9]{2}$")


class Rule(BaseModel):
    """One row of the table.

    Attributes:
        rule: Its id, which the proposal names.
        industry: The trade.
        failures: Cases of one of these, all of the same.
        same: What else they share.
        hours: All came within so many hours.
        least: How many at least.
        reason: Why they are taken for one, for staff.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(pattern=r"^I-[A-Z]-[0-9]{2}$")
    industry: str
    failures: tuple[str, ...] = Field(min_length=1)
    same: tuple[Shared, ...] = Field(min_length=1)
    hours: int = Field(ge=1, le=24 * 14)
    least: int = Field(ge=2, le=50)
    reason: str = Field(min_length=2, max_length=60)


@dataclass(frozen=True)
class Suspect:
    """A case as the rules see it.

    Attributes:
        case: Its id.
        failure: What it is about.
        opened_at: When it came.
        order: Proved to be the customer's; None where none is.
        item: The article it is about, where that is known.
    """

    case: str
    failure: str
    opened_at: datetime
    order: Order | None = None
    item: str | None = None


@dataclass(frozen=True)
class Proposed:
    """Cases that a rule takes for one incident.

    Attributes:
        key: The same for the same incident, whenever it is looked at.
        title: What staff read.
        place: Where, if the rule asks for a place.
        cases: Ids, the earliest first.
    """

    key: str
    rule: str
    failure: str
    title: str
    place: str | None
    reason: str
    cases: tuple[str, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The table.

    Raises:
        ValueError: It cannot be used: a defect of ours, seen by the first test.
    """
    table = tuple(Rule.model_validate(row) for row in json.loads(_FILE.read_text("utf-8")))
    if len({row.rule for row in table}) < len(table):
        raise ValueError("proposals.json: a rule id is used twice")
    for row in table:
        for name in row.failures:
            if name not in FAILURES or row.industry not in FAILURES[name].industries:
                raise ValueError(f"proposals.json: {row.rule}: {name}")
    return table


def longest_window(industry: str) -> timedelta:
    """How far back a trade's rules look; nothing where it has none."""
    hours = [row.hours for row in rules() if row.industry == industry]
    return timedelta(hours=max(hours, default=0))


def failures_asked(industry: str) -> frozenset[str]:
    """The failures that a trade's rules look for."""
    return frozenset(name for row in rules() if row.industry == industry for name in row.failures)


def propose(
    suspects: Iterable[Suspect], industry: str, now: datetime, zone: ZoneInfo
) -> list[Proposed]:
    """Find the cases that have one cause by the rules.

    Args:
        suspects: Cases of one business.
        industry: Its trade.
        now: The present moment.
        zone: Of the business: a day is one of its days.
    """
    given = sorted(suspects, key=lambda one: (one.opened_at, one.case))
    found: list[Proposed] = []
    for rule in rules():
        if rule.industry != industry:
            continue
        since = now - timedelta(hours=rule.hours)
        groups: dict[tuple[str, ...], list[Suspect]] = defaultdict(list)
        for one in given:
            if one.failure not in rule.failures or one.opened_at < since:
                continue
            shared = [shared_by(one, feature, zone) for feature in rule.same]
            if all(shared):
                groups[one.failure, *(value for value in shared if value)].append(one)
        for (failure, *values), cases in groups.items():
            if len(cases) >= rule.least:
                found.append(_proposed(rule, failure, values, cases))
    return found


def shared_by(one: Suspect, feature: Shared, zone: ZoneInfo) -> str | None:
    """What a case has of a feature; None where that is not known."""
    order = one.order
    if order is None:
        return None
    if feature == "product":
        if one.item is not None:
            return next((item.sku for item in order.items if item.sku == one.item), None)
        return order.items[0].sku if len(order.items) == 1 else None
    if feature == "place":
        return place_of(order)
    if feature == "order_kind":
        return order.title.split()[0] if " " in order.title.strip() else None
    return order.received_on or order.placed_on


def place_of(order: Order) -> str | None:
    """The building or the floor of an order; None where it names none."""
    building = _BUILDING.match(order.title)
    if building:
        return building[1]
    floor = _ROOM.match(order.room or "")
    return f"{int(floor[1])}层" if floor else None


def _proposed(rule: Rule, failure: str, values: list[str], cases: list[Suspect]) -> Proposed:
    place = values[rule.same.index("place")] if "place" in rule.same else None
    about = place or ""
    if "product" in rule.same and cases[0].order:
        sku = values[rule.same.index("product")]
        about += next((item.name for item in cases[0].order.items if item.sku == sku), sku)
    if "order_kind" in rule.same:
        about += values[rule.same.index("order_kind")]
    matter = FAILURES[failure].matter
    return Proposed(
        key="|".join((rule.rule, failure, *values))[:120],
        rule=rule.rule,
        failure=failure,
        title=(f"{about}：{matter}" if about else matter)[:80],
        place=place,
        reason=rule.reason,
        cases=tuple(one.case for one in cases),
    )
