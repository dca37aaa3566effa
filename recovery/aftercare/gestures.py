"""Which small gesture fits a person, by a table; why this one, why them.

The table stands in `gestures.json`. The first row of the trade whose conditions all hold is the
gesture; no row, no gesture. Nothing in it depends on how angry somebody is now: an angry customer
is owed a solution, not a present.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from recovery.aftercare.wishes import WORDS, unwanted_kinds
from recovery.failures import TRADES
from recovery.orders.system import RECEIPTS
from recovery.remedy.catalogue import BadRemedyError, Remedy, check, kind_of
from recovery.remedy.facts import TIERS

TAKE, LEAVE, NO_MORE = "take_gesture", "leave_gesture", "no_recommend"
ACTS = frozenset({TAKE, LEAVE, NO_MORE})
"""Acts of the buttons below a gesture or a recommendation, as buttons sign them."""
FILE = Path(__file__).with_name("gestures.json")
MOST_COST = 10_000
"""What one gesture may cost at the most, in fen: small, else it is a remedy and has its policy."""
MOST_SYMBOLIC = 500
"""What a row may cost that looks at anger: who shouts louder gets nothing worth shouting for."""
_CONDITIONS = frozenset({"wish", "late", "recurrence", "tiers", "tenure_days", "peak"})
_ROW = frozenset({"rule", "industries", "when", "give", "cost_fen", "why"})


class GestureTableError(ValueError):
    """The table cannot be used; the message names the row."""


@dataclass(frozen=True)
class Pace:
    """When what comes after the remedy is sent, and how rarely.

    Attributes:
        quiet_from: From then nothing is sent, in the zone of the business.
        quiet_to: Until then.
        survey_after: After the rating.
        survey_lasts: How long its link can be used.
        gesture_after: After the matter was solved.
        gesture_every: One a person.
        gesture_open: How long it can be taken.
        recommendation_after: After the matter was solved.
        recommendation_every: One a person.
        within: Later than this after the matter was solved nothing is begun.
    """

    quiet_from: time
    quiet_to: time
    survey_after: timedelta
    survey_lasts: timedelta
    gesture_after: timedelta
    gesture_every: timedelta
    gesture_open: timedelta
    recommendation_after: timedelta
    recommendation_every: timedelta
    within: timedelta

    def is_quiet(self, local: datetime) -> bool:
        """Whether people are left alone at a moment in the zone of the business."""
        at = local.time()
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= at < self.quiet_to
        return at >= self.quiet_from or at < self.quiet_to


@dataclass(frozen=True)
class History:
    """What a gesture is chosen by.

    Attributes:
        industry: Of the business.
        wishes: Kinds of the wishes that stand.
        late: A promise of this case was missed.
        recurrence: How often the same had been put right before, within 90 days.
        tier: As the order system names it.
        tenure_days: For how long they have been a customer.
        peak: The highest anger of the case, 0 to 3.
        has_order: An order is proved, against which the order system can do something.
    """

    industry: str
    wishes: frozenset[str] = frozenset()
    late: bool = False
    recurrence: int = 0
    tier: str = "none"
    tenure_days: int = 0
    peak: int = 0
    has_order: bool = False


@dataclass(frozen=True)
class Gesture:
    """One row of the table.

    Attributes:
        remedy: What the order system carries out; None for what staff do.
        task: What staff do, in words that the customer reads as well; empty beside a remedy.
        why: Why this and why them, one clause for the customer.
    """

    rule: str
    industries: frozenset[str]
    when: Mapping[str, Any]
    remedy: Remedy | None
    task: str
    cost_fen: int
    why: str

    @property
    def title(self) -> str:
        """What is given, as the customer reads it."""
        return kind_of(self.remedy).title(self.remedy) if self.remedy else self.task

    def fits(self, history: History) -> bool:
        """Whether all conditions hold, and nothing of it is unwanted."""
        if history.industry not in self.industries:
            return False
        if self.remedy:
            if not history.has_order or self.remedy["kind"] in unwanted_kinds(history.wishes):
                return False
        checks: dict[str, Callable[[Any], bool]] = {
            "wish": lambda wanted: wanted in history.wishes,
            "late": lambda wanted: history.late is wanted,
            "recurrence": lambda least: history.recurrence >= least,
            "tiers": lambda wanted: history.tier in wanted,
            "tenure_days": lambda least: history.tenure_days >= least,
            "peak": lambda least: history.peak >= least,
        }
        return all(checks[name](wanted) for name, wanted in self.when.items())


@dataclass(frozen=True)
class GestureTable:
    """The table as read."""

    version: str
    pace: Pace
    gestures: tuple[Gesture, ...]

    def choose(self, history: History) -> Gesture | None:
        """The gesture that fits; None where none does."""
        return next((one for one in self.gestures if one.fits(history)), None)


@lru_cache
def load_gestures(path: Path = FILE) -> GestureTable:
    """Read the table.

    Raises:
        GestureTableError: It cannot be used.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GestureTableError(f"{path.name}: {error}") from error
    if not isinstance(content, dict) or set(content) != {"version", "pace", "gestures"}:
        raise GestureTableError("needs version, pace and gestures")
    gestures = tuple(_row(one, place) for place, one in enumerate(content["gestures"], 1))
    rules = [one.rule for one in gestures]
    if len(set(rules)) < len(rules):
        raise GestureTableError("a rule id is used twice")
    return GestureTable(str(content["version"]), _pace(content["pace"]), gestures)


def _pace(given: Mapping[str, Any]) -> Pace:
    try:
        quiet = given["quiet"]
        numbers = {name: value for name, value in given.items() if name != "quiet"}
        if any(type(value) is not int or value < 0 for value in numbers.values()):
            raise GestureTableError("pace: times are whole numbers")
        return Pace(
            time.fromisoformat(quiet["from"]),
            time.fromisoformat(quiet["to"]),
            timedelta(minutes=numbers.pop("survey_after_minutes")),
            timedelta(days=numbers.pop("survey_days")),
            timedelta(hours=numbers.pop("gesture_after_hours")),
            timedelta(days=numbers.pop("gesture_every_days")),
            timedelta(days=numbers.pop("gesture_open_days")),
            timedelta(hours=numbers.pop("recommendation_after_hours")),
            timedelta(days=numbers.pop("recommendation_every_days")),
            timedelta(days=numbers.pop("within_days")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GestureTableError(f"pace: {error!r}") from error


def _row(given: Any, place: int) -> Gesture:  # noqa: ANN401 - whatever the file held
    name = given.get("rule") if isinstance(given, dict) else None
    where = f"row {place} ({name})"
    if not isinstance(given, dict) or set(given) != _ROW or not isinstance(name, str) or not name:
        raise GestureTableError(f"{where}: needs exactly {', '.join(sorted(_ROW))}")
    industries, when, give = given["industries"], given["when"], given["give"]
    if not industries or not set(industries) <= set(TRADES):
        raise GestureTableError(f"{where}: unknown industry")
    if not isinstance(when, dict) or not when or not set(when) <= _CONDITIONS:
        raise GestureTableError(f"{where}: unknown condition")
    _check_conditions(when, where)
    cost, why = given["cost_fen"], given["why"]
    if type(cost) is not int or not 0 <= cost <= MOST_COST:
        raise GestureTableError(f"{where}: cost_fen must be within 0..{MOST_COST}")
    if "peak" in when and cost > MOST_SYMBOLIC:
        raise GestureTableError(f"{where}: for anger at most {MOST_SYMBOLIC} fen")
    if not isinstance(why, str) or not why.strip():
        raise GestureTableError(f"{where}: why is missing")
    if not isinstance(give, dict) or set(give) not in ({"task"}, {"remedy"}):
        raise GestureTableError(f"{where}: give needs task or remedy")
    remedy = None
    if "remedy" in give:
        try:
            remedy = check(give["remedy"])
        except BadRemedyError as error:
            raise GestureTableError(f"{where}: {error}") from error
        if remedy["kind"] not in RECEIPTS:
            raise GestureTableError(f"{where}: no order system carries that out")
    elif not isinstance(give["task"], str) or not give["task"].strip():
        raise GestureTableError(f"{where}: task is empty")
    return Gesture(name, frozenset(industries), dict(when), remedy, give.get("task", ""), cost, why)


def _check_conditions(when: Mapping[str, Any], where: str) -> None:
    wrong = (
        ("wish" in when and when["wish"] not in WORDS)
        or ("late" in when and type(when["late"]) is not bool)
        or ("tiers" in when and not set(when["tiers"]) <= set(TIERS))
        or any(type(when.get(name, 0)) is not int for name in ("recurrence", "tenure_days", "peak"))
    )
    if wrong:
        raise GestureTableError(f"{where}: a condition has a wrong value")
