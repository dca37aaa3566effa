"""The tables without the engine: every combination of what each reads, and how they compose.

The proof enumerates a table over the values that make a difference; what it finds is kept as a
map from cells to rows. Put one after the other, these maps are a second reading of the policy,
against which the engine is held.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from recovery.failures import FAILURES, TRADES
from recovery.remedy.book import Row, Table
from recovery.remedy.catalogue import KINDS
from recovery.remedy.facts import Facts
from recovery.remedy.schema import ADDS, COMMON, INPUTS, MOST_LEVEL

_FLAGS = (False, True)


def failures_of(file: str) -> tuple[str, ...]:
    """The failures that a file has to answer: of its trade, or all for the common file."""
    return tuple(name for name, one in FAILURES.items() if file == COMMON or file in one.industries)


def values_of(table: Table, name: str) -> tuple[Any, ...]:
    """The values of an input that can make a difference in a table.

    Args:
        table: The table that reads it.
        name: The input.

    Returns:
        All values of a named input; of a number its bounds, every threshold that the table
        names, and one step on each side of it.
    """
    known = INPUTS[name]
    if name == "failure":
        return failures_of(table.file)
    if name == "industry" and table.file in TRADES:
        return (table.file,)
    if name == "kind":
        return tuple(kind for kind, one in KINDS.items() if one.unit_priced)
    if known.values is not None:
        # The empty choice is no choice: the table of choices is not asked then.
        return tuple(one for one in known.values if one != "")
    edges = {known.least, known.most}
    for row in table.rows:
        condition = row.conditions.get(name)
        if condition:
            edges |= condition.edges
    return tuple(sorted(edge for edge in edges if known.least <= edge <= known.most))


def combinations(table: Table) -> Iterator[dict[str, Any]]:
    """Every combination of the values that make a difference in a table."""
    names = table.reads
    for values in product(*(values_of(table, name) for name in names)):
        yield dict(zip(names, values, strict=True))


@dataclass
class Enumerated:
    """One table, enumerated.

    Attributes:
        rows: The row of each combination that has one and only one.
        count: How many combinations there are.
        gaps: Combinations without a row.
        clashes: Combinations with several rows.
        reached: Ids of the rows that answer some combination.
    """

    table: Table
    rows: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    count: int = 0
    gaps: list[dict[str, Any]] = field(default_factory=list)
    clashes: list[tuple[dict[str, Any], list[Row]]] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    _steps: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Go through all combinations."""
        for name in self.table.reads:
            if INPUTS[name].values is None and name != "kind":
                self._steps[name] = values_of(self.table, name)
        for facts in combinations(self.table):
            self.count += 1
            found = [row for row in self.table.rows if row.matches(facts)]
            self.reached |= {row.rule for row in found}
            if len(found) > 1:
                self.clashes.append((facts, found))
            elif found:
                self.rows[self._key(facts)] = found[0]
            else:
                self.gaps.append(facts)

    def _key(self, facts: Mapping[str, Any]) -> tuple[Any, ...]:
        """The cell of facts: a number counts as the nearest value below that was enumerated.

        Between two neighbours more than a step apart nothing changes: the first of them is one
        step behind a threshold.
        """
        return tuple(
            self._steps[name][bisect_right(self._steps[name], facts[name]) - 1]
            if name in self._steps
            else facts[name]
            for name in self.table.reads
        )

    def row(self, facts: Mapping[str, Any]) -> Row | None:
        """The row that answers, as enumerated; None where there is none."""
        return self.rows.get(self._key(facts))


@dataclass(frozen=True)
class Composition:
    """All tables of a trade, enumerated, one after the other as the graph runs them."""

    tables: Mapping[str, Enumerated]

    def rows(self, facts: Facts) -> dict[str, Row | None]:
        """The row of each table that is asked, in the order of the graph.

        Goodwill is that of the level before the cap; the level itself stands under no name:
        see `level`.
        """
        known: dict[str, Any] = facts.to_wire()
        found: dict[str, Row | None] = {}
        for name in ("failures", "severity", *ADDS):
            row = found[name] = self.tables[name].row(known)
            if row is not None:
                known |= {one: row.said[one] for one in ("weight", "type") if one in row.said}
                known |= {"severity": row.said["severity"]} if name == "severity" else {}
        known["level"] = level(found)
        for name in ("floor", "law", "goodwill", "allegation", "claims", "amount", "manner"):
            found[name] = self.tables[name].row(known)
        found["choices"] = self.tables["choices"].row(known) if facts.choice else None
        return found


def level(found: Mapping[str, Row | None]) -> int:
    """The level of goodwill from the rows of the tables that add to it."""
    points = {name: row.said["points"] if row else 0 for name in ADDS for row in [found[name]]}
    return 0 if points["base"] == 0 else min(MOST_LEVEL, sum(points.values()))
