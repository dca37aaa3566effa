"""Whether a new complaint is one that this person has made before, and goes on in that case.

The rules stand in `same_matter.json`, the first that fits decides. Only what is the same counts:
the order that was proved, the failure that was named. Nothing is guessed from how words look, and
who complains was proved elsewhere (`recovery.store.persons`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from recovery.failures import UNKNOWN
from recovery.orders.system import fold_order_number

BUILT_IN = Path(__file__).with_name("same_matter.json")
ORDERS = ("same", "unnamed")
FAILURES = ("same", "unnamed", "any")
STATES = ("open", "closed")
MOST_DAYS = 366


class BadTableError(ValueError):
    """The table cannot be used; says which rule and why."""


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
        rule: Its id.
        order: `same`: the customer names the order that the case is about; `unnamed`: no order
            is named, or the case has none yet.
        failure: `same`; `unnamed`: the complaint names none; `any`.
        state: Of the case: `open` or `closed`.
        days: How long ago it was last touched, or closed, at most.
        why: For staff.
    """

    rule: str
    order: str
    failure: str
    state: str
    days: int
    why: str


@dataclass(frozen=True)
class Told:
    """What a complaint tells.

    Attributes:
        failure: A name, `unknown` or None.
        order_number: That it names, as typed; None where it names none.
    """

    failure: str | None
    order_number: str | None = None


@dataclass(frozen=True)
class Earlier:
    """A case of the same person.

    Attributes:
        id: Of the case.
        failures: What it is about, also beside the main matter.
        order_number: Proved, None before.
        closed_at: None while it is open.
        touched_at: When it last changed.
    """

    id: str
    failures: frozenset[str]
    order_number: str | None
    closed_at: datetime | None
    touched_at: datetime


@dataclass(frozen=True)
class Match:
    """The case in which a complaint goes on, and the rule that says so."""

    case: str
    rule: Rule


def same_matter(
    told: Told, earlier: Sequence[Earlier], now: datetime, rules: Sequence[Rule] | None = None
) -> Match | None:
    """Find the case that a complaint goes on in.

    Args:
        told: The complaint.
        earlier: All cases of this person at this business, in any order.
        now: The present moment.
        rules: Other rules than those of the table.

    Returns:
        The case and the rule; of several cases that fit the same rule the one touched last. None
        for another matter, which gets a case of its own.
    """
    latest_first = sorted(earlier, key=lambda one: (one.touched_at, one.id), reverse=True)
    for rule in built_in() if rules is None else rules:
        for one in latest_first:
            if _fits(rule, told, one, now):
                return Match(one.id, rule)
    return None


def _fits(rule: Rule, told: Told, case: Earlier, now: datetime) -> bool:
    since = case.closed_at or case.touched_at
    return (
        rule.state == ("open" if case.closed_at is None else "closed")
        and now - since <= timedelta(days=rule.days)
        and rule.order == _order(told, case)
        and rule.failure in ("any", _failure(told, case))
    )


def _order(told: Told, case: Earlier) -> str:
    if told.order_number is None or case.order_number is None:
        return "unnamed"
    same = fold_order_number(told.order_number) == fold_order_number(case.order_number)
    return "same" if same else "other"


def _failure(told: Told, case: Earlier) -> str:
    if told.failure in (None, UNKNOWN):
        return "unnamed"
    return "same" if told.failure in case.failures else "other"


@cache
def built_in() -> tuple[Rule, ...]:
    """The rules of the table that comes with this version."""
    return read_rules(json.loads(BUILT_IN.read_text("utf-8")))


def read_rules(content: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Read a table strictly.

    Args:
        content: `{"version", "rules": [...]}`.

    Raises:
        BadTableError: A field is missing, unknown or out of range, or an id comes twice.
    """
    if set(content) != {"version", "rules"} or not isinstance(content["rules"], list):
        raise BadTableError("a table has a version and rules")
    rules = tuple(_rule(one) for one in content["rules"])
    if len({one.rule for one in rules}) != len(rules):
        raise BadTableError("two rules of one id")
    return rules


def _rule(row: Any) -> Rule:  # noqa: ANN401 - JSON
    fields = set(Rule.__dataclass_fields__)
    if not isinstance(row, dict) or set(row) != fields:
        raise BadTableError(f"a rule has {sorted(fields)}")
    rule = Rule(**row)
    texts = (rule.rule, rule.order, rule.failure, rule.state, rule.why)
    if not all(isinstance(one, str) and one for one in texts):
        raise BadTableError(f"{rule.rule}: texts are missing")
    if rule.order not in ORDERS or rule.failure not in FAILURES or rule.state not in STATES:
        raise BadTableError(f"{rule.rule}: order {ORDERS}, failure {FAILURES}, state {STATES}")
    if type(rule.days) is not int or not 0 < rule.days <= MOST_DAYS:
        raise BadTableError(f"{rule.rule}: 1 to {MOST_DAYS} days")
    return rule
