"""What figures are made of: added up over some cases, and added up again over such sums.

Sums, counts and values by how often they occur say the same whether cases are taken together or
month by month, so what was worked out of a past month is used again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from recovery.insights.figures import FIGURES

SUMMED = tuple(
    dict.fromkeys(
        name
        for one in FIGURES.values()
        for name in (one.column, one.over, one.stands_behind)
        if name
    )
)
"""Columns that some figure adds up or counts."""
RANKED = tuple(dict.fromkeys(one.column for one in FIGURES.values() if one.kind == "quantile"))
"""Columns of which every value is needed."""


class Slice(NamedTuple):
    """What cases have in common."""

    failure: str
    channel: str
    cause: str
    confirmed: bool
    tier: str
    anger: int | None


@dataclass
class Weight:
    """How many cases there are: with an offer, and what goodwill they got."""

    cases: int = 0
    offered: int = 0
    goodwill_fen: int = 0

    def add(self, other: "Weight") -> None:
        """Take others in."""
        self.cases += other.cases
        self.offered += other.offered
        self.goodwill_fen += other.goodwill_fen


@dataclass
class Day:
    """Cases that began on a day: their anger at first, added up over those of which it is known."""

    cases: int = 0
    anger: int = 0
    heard: int = 0
    closed: int = 0

    def add(self, other: "Day") -> None:
        """Take others in."""
        self.cases += other.cases
        self.anger += other.anger
        self.heard += other.heard
        self.closed += other.closed


@dataclass
class Part:
    """Some cases.

    Attributes:
        cases: How many.
        totals: By column the sum, and how many cases have anything in it.
        values: By column how often each value occurs.
        days: By day.
        slices: By what they have in common.
        goodwill_fen: By business.
    """

    cases: int = 0
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)
    values: dict[str, Counter[int]] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)
    slices: dict[Slice, Weight] = field(default_factory=dict)
    goodwill_fen: Counter[str] = field(default_factory=Counter)

    def total(self, column: str) -> tuple[int, int]:
        """The sum of a column, and how many cases have anything in it."""
        return self.totals.get(column, (0, 0))

    @property
    def size(self) -> int:
        """How many numbers it holds, about."""
        return len(self.totals) + len(self.slices) + sum(map(len, self.values.values()))

    def quantile(self, column: str, hundredth: int) -> int | None:
        """The value that so many of a hundred do not exceed (nearest rank)."""
        values = self.values.get(column, Counter())
        left = -(-sum(values.values()) * hundredth // 100)
        for value in sorted(values):
            left -= values[value]
            if left <= 0:
                return value
        return None


def together(parts: Iterable[Part]) -> Part:
    """The cases of several parts, of which none is in two."""
    whole = Part()
    for one in parts:
        whole.cases += one.cases
        for name, (total, count) in one.totals.items():
            before = whole.total(name)
            whole.totals[name] = (before[0] + total, before[1] + count)
        for name, values in one.values.items():
            whole.values.setdefault(name, Counter()).update(values)
        for day, mine in one.days.items():
            whole.days.setdefault(day, Day()).add(mine)
        for key, weight in one.slices.items():
            whole.slices.setdefault(key, Weight()).add(weight)
        whole.goodwill_fen.update(one.goodwill_fen)
    return whole
