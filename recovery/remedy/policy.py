"""The policy as it decides: one graph of decision tables a trade, run by zen-engine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import zen

from recovery.failures import TRADES
from recovery.remedy.book import Book, Row, document, edge, node
from recovery.remedy.catalogue import KINDS, Remedy
from recovery.remedy.facts import Facts
from recovery.remedy.schema import ADDS, AUTHORITIES, MOST_LEVEL, ORDER, TABLES
from recovery.remedy.worth import Worth, cap, price, worth

BOT, AGENT, MANAGER = AUTHORITIES
LEVEL = (
    "base_row.points == 0 ? 0 : min(["
    + " + ".join(f"{name}_row.points" for name in ADDS)
    + f", {MOST_LEVEL}])"
)
"""Without a base there is no goodwill, and so nothing that could be added to it."""


class PolicyError(ValueError):
    """The policy cannot answer these facts."""


@dataclass(frozen=True)
class Fired:
    """One row that answered.

    Attributes:
        table: Its table.
        said: What it says, with `rule`, `authority`, `evidence`, `reason`, `source`.
    """

    table: str
    said: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Decision:
    """What the policy gives.

    Attributes:
        facts: What it was asked.
        policy: Version and digest of the tables.
        day: ISO date on which the tables were read.
        floor: What is owed, by law or by the contract.
        goodwill: What is given beyond it. The two never mix.
        authority: Who may offer it: `bot`, `agent` or `manager`.
        evidence: What is needed before the bot may offer it: `none` or `photo`.
        provisional: Something is only alleged: nothing of it may be called final.
        person: A person follows it up in any case.
        level: Of goodwill, 0 to 8, after the cap.
        severity: 1 to 4.
        priority: For the queue, 0 to 4; from anger and escalation.
        tone: Of the words.
        fired: All rows that answered, in the order of the tables.
    """

    facts: Facts
    policy: str
    day: str
    floor: tuple[Remedy, ...]
    goodwill: tuple[Remedy, ...]
    authority: str
    evidence: str
    provisional: bool
    person: bool
    level: int
    severity: int
    priority: int
    tone: str
    fired: tuple[Fired, ...]
    prices: Mapping[str, int] = field(repr=False)

    @property
    def remedies(self) -> list[Remedy]:
        """Floor and goodwill as one offer, each remedy marked with its part."""
        return [*self.floor, *self.goodwill]

    @property
    def rules(self) -> list[str]:
        """Ids of the rows that answered."""
        return [str(one.said["rule"]) for one in self.fired]

    @property
    def floor_worth(self) -> Worth:
        """What the floor is worth."""
        return worth(self.floor, self.facts.paid, self.prices)

    @property
    def goodwill_worth(self) -> Worth:
        """What the goodwill is worth."""
        return worth(self.goodwill, self.facts.paid, self.prices)

    @property
    def worth(self) -> Worth:
        """What all of it is worth."""
        floor, goodwill = self.floor_worth, self.goodwill_worth
        return Worth(floor.fen + goodwill.fen, floor.others + goodwill.others)

    @property
    def lacks_evidence(self) -> bool:
        """Whether evidence is needed that was not given."""
        return self.evidence != "none" and self.facts.evidence != self.evidence

    def row(self, table: str) -> Mapping[str, Any]:
        """What the row of a table said; empty where none was asked."""
        return next((one.said for one in self.fired if one.table == table), {})

    @property
    def reason(self) -> str:
        """Why, in one clause for the customer: of what is owed, then of what is added."""
        owed = str((self.row("choices") or self.row("floor")).get("reason", ""))
        if not self.goodwill:
            return owed
        added = str(self.row("goodwill")["reason"])
        return f"{owed}；{added}" if owed else added

    @property
    def reasons(self) -> list[str]:
        """All that spoke for it, for who asks why: none twice.

        What would have raised goodwill is named only where there is goodwill: of a matter that
        is only alleged nothing is owned by telling of it.
        """
        owed = "choices" if self.row("choices") else "floor"
        added = ("base", "recurring", "newcomer", "loyalty") if self.goodwill else ()
        said = [self.row(table) for table in (owed, "law", *added)]
        return list(
            dict.fromkeys(
                str(one["reason"])
                for one in said
                if one and one.get("points", 1) != 0 and one.get("remedies", True) != []
            )
        )


class Policy:
    """The policy of one trade on one day."""

    def __init__(self, book: Book, trade: str, day: date) -> None:
        """Put the tables of a trade together.

        Args:
            book: All tables.
            trade: One of `recovery.failures.TRADES`.
            day: Rows that do not hold on it are left out.

        Raises:
            PolicyError: No such trade, or the engine refuses the tables.
        """
        if trade not in TRADES:
            raise PolicyError(f"no remedy tables for industry {trade!r}")
        self.trade = trade
        self.name = book.name
        self.day = day.isoformat()
        self.tables = {name: book.table(trade, name).on(day) for name in TABLES}
        try:
            # Loaded this way the engine keeps what it has compiled: 35 microseconds a decision
            # in place of 400.
            self._engine = zen.ZenEngine(
                {"loader": {"type": "static", "content": {trade: self.graph()}}}
            )
            self._engine.get_decision(trade).validate()
        except (ValueError, RuntimeError) as error:
            raise PolicyError(f"{self.name} {trade}: {error}") from error

    def graph(self) -> dict[str, Any]:
        """The tables as one JDM document, each reading what those before it said."""
        content = document({})
        nodes, edges = content["nodes"], content["edges"]
        before = "facts"
        for place, name in enumerate(ORDER, 1):
            nodes.append(node(self.tables[name], place))
            edges.append(edge(before, name))
            before = name
            if name == ADDS[-1]:
                nodes.append(_level_node(place))
                edges.append(edge(before, "level"))
                before = "level"
        return content

    @cached_property
    def prices(self) -> dict[str, int]:
        """Unit prices in fen by kind."""
        return {
            str(value): row.said["fen"]
            for row in self.tables["prices"].rows
            for _, value in row.conditions["kind"].values or ()
        }

    @cached_property
    def _ladder(self) -> dict[tuple[str, int], Row]:
        """The row of goodwill of each failure and level; that it is one, the proof shows."""
        return {
            (failure, level): row
            for failure in self.failures
            for level in range(MOST_LEVEL + 1)
            for row in self.tables["goodwill"].rows
            if row.matches({"failure": failure, "level": level})
        }

    @cached_property
    def failures(self) -> dict[str, Mapping[str, Any]]:
        """What the table `failures` says of each failure of the trade."""
        return {
            str(value): row.said
            for row in self.tables["failures"].rows
            for _, value in row.conditions["failure"].values or ()
        }

    @cached_property
    def _rows(self) -> dict[tuple[str, str], Row]:
        return {(name, row.rule): row for name, table in self.tables.items() for row in table.rows}

    def row(self, table: str, rule: str) -> Row | None:
        """A row of a table by its id."""
        return self._rows.get((table, rule))

    def priority(self, anger: int, escalation: bool) -> int:
        """The priority of a customer's manner, 0 to 4; it steers the queue, never worth."""
        manner = {"anger": anger, "escalation": escalation}
        rows = (row for row in self.tables["manner"].rows if row.matches(manner))
        return int(next(rows).said["priority"])

    def facts(self, failure: str, paid: int, **known: Any) -> Facts:  # noqa: ANN401 - of FACTS
        """Facts with what the policy assumes where nothing is known.

        Args:
            failure: A failure of the trade.
            paid: Fen.
            known: Other facts; None for what is unknown.

        Raises:
            PolicyError: The trade does not know the failure.
            FactsError: A fact is wrong.
        """
        assumed = self.failures.get(failure)
        if assumed is None:
            raise PolicyError(f"{self.name}: {self.trade} has no failure {failure!r}")
        given = {name: value for name, value in known.items() if value is not None}
        return Facts(
            industry=self.trade,
            failure=failure,
            paid=paid,
            fault=given.pop("fault", assumed["fault"]),
            finding=given.pop("finding", assumed["finding"]),
            **given,
        )

    def decide(self, facts: Facts) -> Decision:
        """Decide a remedy.

        Raises:
            PolicyError: No row answers in a table that must.
        """
        try:
            answer = self._engine.evaluate(self.trade, facts.to_wire())
        except RuntimeError as error:
            # A table without a row leaves those after it without what they read.
            raise PolicyError(f"{self.name} {self.trade}: no row for {facts}") from error
        return self._decision(facts, answer["result"])

    def decide_all(self, many: Sequence[Facts]) -> list[Decision]:
        """Decide for many facts at once.

        Raises:
            PolicyError: As for `decide`.
        """
        asked: list[Any] = [{"key": self.trade, "context": one.to_wire()} for one in many]
        answers = self._engine.evaluate_batch(asked)
        failed = next((one for one in answers if not one["success"]), None)
        if failed:
            raise PolicyError(f"{self.name} {self.trade}: {failed['error']}")
        return [
            self._decision(one, answer["data"]["result"])
            for one, answer in zip(many, answers, strict=True)
        ]

    def _decision(self, facts: Facts, result: Mapping[str, Any]) -> Decision:
        fired = dict(_fired(self, facts, result))
        level = int(result["level"])
        paid = facts.paid
        allowed = self.within_cap(facts.failure, level, paid)
        if allowed != level:
            fired["goodwill"] = Fired("goodwill", self._ladder[facts.failure, allowed].said)
        floor = [*fired["floor"].said["remedies"], *fired["law"].said["remedies"]]
        goodwill = list(fired["goodwill"].said["remedies"])
        choice = fired.get("choices")
        if choice is not None:
            floor = [*choice.said["remedies"], *fired["law"].said["remedies"]]
            goodwill = self._in_another_form(goodwill, choice.said["form"], paid)
        authority = max(
            (str(one.said["authority"]) for one in fired.values()), key=AUTHORITIES.index
        )
        needed = any(one.said["evidence"] == "photo" for one in fired.values())
        return Decision(
            facts=facts,
            policy=self.name,
            day=self.day,
            floor=self._marked(floor, "floor", paid),
            goodwill=self._marked(goodwill, "goodwill", paid),
            authority=authority,
            evidence="photo" if needed else "none",
            provisional=fired["allegation"].said["provisional"],
            person=fired["allegation"].said["person"],
            level=allowed,
            severity=fired["severity"].said["severity"],
            priority=fired["manner"].said["priority"],
            tone=fired["manner"].said["tone"],
            fired=tuple(fired[name] for name in ORDER if name in fired),
            prices=self.prices,
        )

    def within_cap(self, failure: str, level: int, paid: int) -> int:
        """The highest level up to this one whose goodwill stays within the cap.

        Worth never falls from level to level, so that what is left grows with the level and
        with the amount paid.
        """
        most = cap(paid)
        while level > 0:
            row = self.goodwill_at(failure, level)
            if worth(row.said["remedies"], paid, self.prices).fen <= most:
                return level
            level -= 1
        return 0

    def goodwill_at(self, failure: str, level: int) -> Row:
        """The row of goodwill of a failure at a level.

        Raises:
            PolicyError: There is none.
        """
        row = self._ladder.get((failure, level))
        if row is None:
            raise PolicyError(f"{self.name}: goodwill has no row for {failure} at {level}")
        return row

    def _in_another_form(self, goodwill: list[Remedy], form: str, paid: int) -> list[Remedy]:
        """The same sum in one other form; what has no price stays."""
        total = worth(goodwill, paid, self.prices).fen
        if form == "keep" or total == 0:
            return goodwill
        others = [one for one in goodwill if KINDS[one["kind"]].price is None]
        amount = "points" if form == "points" else "fen"
        return [*others, {"kind": form, amount: total}]

    def _marked(self, remedies: Iterable[Remedy], part: str, paid: int) -> tuple[Remedy, ...]:
        marked = []
        for one in remedies:
            full: Remedy = {**one, "part": part, "trade": self.trade}
            fen = price(one, paid, self.prices)
            if fen is not None:
                full["worth"] = fen
            marked.append(full)
        return tuple(marked)


def _fired(policy: Policy, facts: Facts, result: Mapping[str, Any]) -> Iterable[tuple[str, Fired]]:
    """The rows that answered, by table. The engine names the row; the book holds what it says."""
    for name in ORDER:
        said = result.get(f"{name}_row")
        row = policy.row(name, said["rule"]) if said and "rule" in said else None
        if row is not None:
            yield name, Fired(name, row.said)
        elif TABLES[name].total:
            raise PolicyError(f"{policy.name}: table {name} has no row for {facts}")


def _level_node(place: int) -> dict[str, Any]:
    return {
        "id": "level",
        "type": "expressionNode",
        "name": "level",
        "position": {"x": 240 * place + 120, "y": 120},
        "content": {
            "expressions": [{"id": "level", "key": "level", "value": LEVEL}],
            "passThrough": True,
            "inputField": None,
            "outputPath": None,
            "executionMode": "single",
        },
    }


def without_manner(facts: Facts) -> Facts:
    """The same facts, told calmly by somebody who threatens nothing."""
    return replace(facts, anger=0, escalation=False)
