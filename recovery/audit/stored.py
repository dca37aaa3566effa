"""Decisions as they were stored, and the archive of the policies they were made with."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from recovery.promises.table import PREFIX, PromiseTable, PromiseTableError
from recovery.remedy.book import Book, PolicyFileError
from recovery.remedy.catalogue import Remedy
from recovery.remedy.facts import FACTS, Facts, FactsError
from recovery.remedy.policy import Decision, Policy, PolicyError
from recovery.remedy.schema import WORTH_TABLES
from recovery.remedy.worth import Worth

FILLED_IN = frozenset({"by", "product", "sku"})
"""What the talk puts into a remedy after the decision: a time, an article."""
WORTH_FACTS = tuple(name for name, fact in FACTS.items() if fact.steers == "worth")
_STAFF = "staff:"
_MOST_WHY = 120
# The amount itself is what shares are taken of; no two amounts are alike.
_NUMBERS = tuple(name for name in WORTH_FACTS if FACTS[name].values is None and name != "paid")


class NotKeptError(LookupError):
    """The archive has no policy of this name that could be used; says why, in Chinese."""


class UndecidedError(ValueError):
    """What was stored cannot be decided again; says why, in Chinese."""


@dataclass(frozen=True)
class Stored:
    """One decision as it was stored; see the table `decisions` for its columns."""

    id: str
    case_id: str
    business: str
    failure: str
    channel: str
    policy: str
    day: str
    facts: Mapping[str, Any]
    rules: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    floor_fen: int
    goodwill_fen: int
    anger: int
    decided_by: str
    departure: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Stored":
        """Read a row of `recovery.store.decisions.all_of`."""
        return cls(
            **{name: row[name] for name in _PLAIN},
            facts=row["facts"] if isinstance(row["facts"], dict) else {},
            rules=tuple(row["rules"]),
            # What is no remedy at all is named as an unknown one.
            remedies=tuple(
                one if isinstance(one, dict) else {"kind": repr(one)} for one in row["remedies"]
            ),
        )

    @property
    def by_staff(self) -> bool:
        """Whether a person decided."""
        return self.decided_by.startswith(_STAFF)

    @property
    def for_lateness(self) -> bool:
        """Whether it was added since a promise was late, by the table of promised times."""
        return self.policy.startswith(PREFIX)

    @property
    def departs(self) -> bool:
        """Whether something else than the policy's was given on purpose, with or without a reason.

        By staff; by the bot only where the customer did not want what the policy gives.
        """
        return self.departure is not None

    @property
    def fen(self) -> int:
        """What all of it is worth."""
        return self.floor_fen + self.goodwill_fen

    @cached_property
    def given(self) -> tuple[Remedy, ...]:
        """The remedies as the policy gave them, without what was filled in."""
        return tuple(without_fill_ins(self.remedies))

    @cached_property
    def worth(self) -> Worth:
        """What was given, priced as it was then."""
        return Worth(self.fen, tuple(one for one in self.given if "worth" not in one))

    @cached_property
    def readable(self) -> Facts:
        """The facts, checked.

        Raises:
            UndecidedError: They are none of today's.
        """
        try:
            return Facts.from_wire(self.facts)
        except FactsError as error:
            raise UndecidedError(f"事实读不懂（{error}）") from error


_PLAIN = tuple(
    name for name in Stored.__dataclass_fields__ if name not in ("facts", "rules", "remedies")
)


def without_fill_ins(remedies: Iterable[Remedy]) -> list[Remedy]:
    """Remedies without what the talk fills in."""
    return [{name: one[name] for name in one if name not in FILLED_IN} for one in remedies]


class Archive:
    """The policies that decisions were made with."""

    def __init__(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        """Take an archive; a policy is read when it is first needed.

        Args:
            kept: As of `recovery.store.decisions.kept_policies`.
        """
        self._kept = kept
        self._books: dict[str, Book | NotKeptError] = {}
        self._policies: dict[tuple[str, str, str], Policy] = {}
        self._epochs: dict[str, Sequence[str]] = {}
        self._bands: dict[tuple[str, str, str], Mapping[str, Sequence[int]]] = {}

    def book(self, name: str) -> Book:
        """A policy of the archive.

        Raises:
            NotKeptError: It is missing, damaged or not what its name says.
        """
        if name not in self._books:
            self._books[name] = self._read(name)
        found = self._books[name]
        if isinstance(found, NotKeptError):
            raise found
        return found

    def _read(self, name: str) -> Book | NotKeptError:
        bundle = self._kept.get(name)
        if bundle is None:
            return NotKeptError(f"存档里没有政策 {name}")
        try:
            book = Book.from_bundle(bundle)
        except PolicyFileError as error:
            return NotKeptError(f"存档的政策 {name} 读不出来（{error.wrong[0]}）")
        if book.name != name:
            return NotKeptError(f"存档的政策 {name} 内容已变，现在算出来是 {book.name}")
        return book

    def added(self, one: Stored) -> tuple[str, list[Remedy]]:
        """Decide again what was added since a promise was late: the rule, and what it gives.

        Raises:
            NotKeptError: The table is missing, damaged or not what its name says.
            UndecidedError: The facts are none of today's.
        """
        bundle = self._kept.get(one.policy)
        if bundle is None:
            raise NotKeptError(f"存档里没有时限表 {one.policy}")
        try:
            table = PromiseTable(dict(bundle))
        except PromiseTableError as error:
            raise NotKeptError(f"存档的时限表 {one.policy} 读不出来（{error}）") from error
        if table.name != one.policy:
            raise NotKeptError(f"存档的时限表 {one.policy} 内容已变，现在算出来是 {table.name}")
        try:
            return table.add(one.facts)
        except (KeyError, TypeError) as error:
            raise UndecidedError(f"事实读不懂（{type(error).__name__}）") from error

    def epoch(self, name: str, day: str) -> str:
        """The day since which the tables of a policy have been what they were on a day.

        Raises:
            NotKeptError: As for `book`.
            ValueError: No day.
        """
        if name not in self._epochs:
            self._epochs[name] = self.book(name).epochs()
        days = self._epochs[name]
        place = bisect_right(days, date.fromisoformat(day).isoformat())
        return days[place - 1] if place else day

    def policy(self, name: str, trade: str, day: str) -> Policy:
        """The tables of a trade as they were on a day.

        Raises:
            NotKeptError: As for `book`.
            PolicyError: The tables hold nothing for this trade.
            ValueError: No day.
        """
        key = (name, trade, self.epoch(name, day))
        if key not in self._policies:
            self._policies[key] = Policy(self.book(name), trade, date.fromisoformat(key[2]))
        return self._policies[key]

    def decide(self, one: Stored) -> Decision:
        """Decide again what was decided.

        Raises:
            NotKeptError: As for `book`.
            UndecidedError: The facts are none of today's, or no row of the day answers them.
        """
        facts = one.readable
        try:
            return self.policy(one.policy, facts.industry, one.day).decide(facts)
        except (PolicyError, ValueError, RuntimeError) as error:
            # The engine raises where a row is missing that others need, and adds its whole stack.
            why = str(error).partition("\n")[0][:_MOST_WHY]
            raise UndecidedError(f"政策 {one.policy} 在 {one.day} 没有答案（{why}）") from error

    def alike(self, one: Stored) -> tuple[tuple[str, Any], ...]:
        """The facts that worth may depend on, as far as the tables of the day tell them apart.

        A number that no table compares in between counts as the same; the amount paid does
        not. Where the policy is not in the archive every number counts as it is.

        Returns:
            Names and values, with the policy and the day since which its tables held.
        """
        facts = dict(one.facts)
        try:
            epoch = self.epoch(one.policy, one.day)
            bands = self._bands_of(one.policy, str(facts.get("industry")), one.day)
        except (NotKeptError, PolicyError, ValueError):
            epoch, bands = one.day, {}
        for name, starts in bands.items():
            facts[name] = bisect_right(starts, facts[name])
        named = [(name, facts.get(name)) for name in WORTH_FACTS]
        return (("policy", one.policy), ("epoch", epoch), *named)

    def _bands_of(self, name: str, trade: str, day: str) -> Mapping[str, Sequence[int]]:
        key = (name, trade, self.epoch(name, day))
        if key not in self._bands:
            self._bands[key] = _bands(self.policy(name, trade, day))
        return self._bands[key]


def _bands(policy: Policy) -> dict[str, list[int]]:
    """From where on each number may count for more, by the tables that worth depends on."""
    found: dict[str, set[int]] = {name: set() for name in _NUMBERS}
    for table in WORTH_TABLES:
        for row in policy.tables[table].rows:
            for name, condition in row.conditions.items():
                if name not in found:
                    continue
                edges = [(one, one) for kind, one in condition.values or () if kind is int]
                for least, most in [*edges, (condition.least, condition.most)]:
                    found[name] |= {int(least)} if least is not None else set()
                    found[name] |= {int(most) + 1} if most is not None else set()
    return {name: sorted(starts) for name, starts in found.items()}


def within(
    rows: Iterable[Mapping[str, Any]], since: date | None = None, until: date | None = None
) -> list[Stored]:
    """Decisions of some days, both ends included; days are those of the business."""
    keep: Callable[[str], bool] = lambda day: (  # noqa: E731 - one line, used once
        (since is None or day >= since.isoformat()) and (until is None or day <= until.isoformat())
    )
    return [Stored.of(row) for row in rows if keep(str(row["day"]))]
