"""Two policies in words: who gets more and who less, read off the tables themselves.

Row stands against row wherever both answer the same facts, so that a row that was split, renamed
or moved says nothing of itself; only what is given, who may give it, and why, counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import Any, Literal

from recovery.failures import TRADES
from recovery.remedy.book import Book, Row, Table
from recovery.remedy.catalogue import Remedy, percent, yuan
from recovery.remedy.cells import Condition
from recovery.remedy.columns import aligned
from recovery.remedy.composition import Enumerated, failures_of, values_of
from recovery.remedy.explain import policies_on
from recovery.remedy.facts import FAULTS, FINDINGS, HARMS, TIERS
from recovery.remedy.policy import Policy, PolicyError
from recovery.remedy.schema import (
    COMMON,
    INPUTS,
    LAST_DAY,
    MOST_LEVEL,
    TABLES,
    columns_of,
    tables_of,
)
from recovery.remedy.wording import (
    FILE_WORDS,
    TRADE_WORDS,
    all_described,
    amount,
    described,
    said_words,
    sheet_name,
    value_words,
)
from recovery.remedy.worth import Worth, worth

Group = Literal["more", "less", "mixed", "authority", "reason", "dates", "other"]

TITLES: Mapping[Group, str] = {
    "more": "得到更多",
    "less": "得到更少",
    "mixed": "换了样子，有得有失",
    "authority": "权限变了",
    "reason": "理由或依据变了",
    "dates": "日期变了",
    "other": "其他",
}

TYPICAL: Mapping[str, tuple[int, int, int]] = {
    "hotel": (30_000, 60_000, 150_000),
    "shop": (5_000, 15_000, 50_000),
    "restaurant": (8_000, 20_000, 60_000),
    "retail": (5_000, 20_000, 80_000),
    "property": (30_000, 100_000, 300_000),
    "travel": (100_000, 300_000, 800_000),
}
"""Small, ordinary and large amounts paid in each trade, in fen; sentences name the ordinary one."""

_STEPS = ("severity", "base", "recurring", "newcomer", "loyalty", "rounds")
_ADDS = ("recurring", "loyalty", "rounds")
_PARTS = ("floor", "law", "goodwill", "choices")
_UNITS = {"severity": "级"}


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
        sentence: In Chinese.
    """

    group: Group
    sentence: str


@dataclass
class Counted:
    """Combinations of facts, by what becomes of them."""

    more: int = 0
    less: int = 0
    mixed: int = 0
    same: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.more + self.less + self.mixed + self.same


@dataclass
class Difference:
    """What differs between two policies.

    Attributes:
        old: Name of the one.
        new: Name of the other.
        same_tables: Whether the tables are the same to the letter.
        changes: In the order of groups and tables.
        counted: By trade; empty where a table has gaps.
    """

    old: str
    new: str
    same_tables: bool
    changes: list[Change] = field(default_factory=list)
    counted: dict[str, Counted] = field(default_factory=dict)


def difference(old: Book, new: Book, today: date) -> Difference:
    """Compare two policies, as they are today and on each later day on which either changes.

    Args:
        old: The one.
        new: The other.
        today: The first day that is looked at.

    Raises:
        UseError: The engine refuses the tables.
    """
    found = Difference(old.name, new.name, old.digest == new.digest)
    if found.same_tables:
        return found
    later = sorted({*old.epochs(), *new.epochs()})
    seen: set[Change] = set()
    for day in [today, *(date.fromisoformat(one) for one in later if one > today.isoformat())]:
        mine, theirs = policies_on(old, day), policies_on(new, day)
        for one in dict.fromkeys(_changes(mine, theirs)):
            if one in seen:
                continue
            seen.add(one)
            since = "" if day == today else f"自 {day} 起，"
            found.changes.append(Change(one.group, since + one.sentence))
        if day == today:
            found.counted = _counted(mine, theirs)
    found.changes += [Change("dates", one) for one in _dates(old, new, today)]
    order = list(TITLES)
    found.changes.sort(key=lambda one: order.index(one.group))
    return found


# ---- the tables ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pair:
    """Two rows that answer the same facts; one of them may be missing.

    Attributes:
        failure: Where the table tells failures apart.
        level: Where it tells levels apart.
    """

    table: str
    failure: str | None
    level: int | None
    old: Row | None
    new: Row | None


def _changes(old: Mapping[str, Policy], new: Mapping[str, Policy]) -> Iterator[Change]:
    for file in (*TRADES, COMMON):
        trade = file if file in TRADES else TRADES[0]
        # Failures to which the same happens are named in one sentence.
        grouped: dict[tuple[Group, str, str], list[str]] = defaultdict(list)
        for table in tables_of(file):
            pairs = _pairs(old[trade].tables[table], new[trade].tables[table])
            for pair in pairs:
                for group, text in _said(pair, old[trade], new[trade], file):
                    names = grouped[group, table, text]
                    name = value_words("failure", pair.failure) if pair.failure else ""
                    if name not in names:
                        names.append(name)
        for (group, table, text), names in grouped.items():
            who = "、".join(one for one in names if one)
            # A common table that reads failures reads those of all trades.
            title = f"{FILE_WORDS[file]}·{who}" if who and file != COMMON else ""
            colon = "" if text.startswith("（") else "："
            yield Change(group, f"{title or sheet_name(file, table)}{colon}{text}")


def _pairs(old: Table, new: Table) -> list[_Pair]:
    names = [one for one in TABLES[old.name].reads if one in old.reads or one in new.reads]
    one, other = Enumerated(old), Enumerated(new)
    values = [
        sorted({*values_of(old, name), *values_of(new, name)}, key=lambda v: (str(type(v)), v))
        for name in names
    ]
    found: dict[tuple[Any, ...], _Pair] = {}
    for chosen in product(*values):
        facts = dict(zip(names, chosen, strict=True))
        mine, theirs = one.row(facts), other.row(facts)
        if mine is theirs or (mine and theirs and mine.said == theirs.said):
            continue
        trade = old.file != COMMON
        failure, lvl = facts.get("failure") if trade else None, facts.get("level")
        key = (failure, lvl, mine and mine.rule, theirs and theirs.rule)
        found[key] = _Pair(old.name, failure, lvl, mine, theirs)
    return list(found.values())


def _said(pair: _Pair, old: Policy, new: Policy, file: str) -> Iterator[tuple[Group, str]]:
    where = _where(pair)
    if pair.old is None or pair.new is None:
        yield _only_one(pair, where)
        return
    mine, theirs = pair.old.said, pair.new.said
    if pair.table in _PARTS and mine["remedies"] != theirs["remedies"]:
        yield _given(pair, where, old, new, file)
    for name in TABLES[pair.table].says:
        if name == "remedies" or mine[name] == theirs[name]:
            continue
        group: Group = "other"
        if pair.table in _STEPS or name == "weight":
            group = "more" if theirs[name] > mine[name] else "less"
        yield group, f"{where}{_stepped(pair.table, name, mine[name], theirs[name])}"
    for name in ("authority", "evidence"):
        if mine[name] != theirs[name]:
            label = columns_of(pair.table)[name].label
            was, now = said_words(name, mine[name]), said_words(name, theirs[name])
            yield "authority", f"{where}{label} {was} → {now}"
    for name, label in (("reason", "理由"), ("source", "依据")):
        if mine[name] != theirs[name]:
            yield "reason", f"{where}{label} “{mine[name]}” → “{theirs[name]}”"


def _only_one(pair: _Pair, where: str) -> tuple[Group, str]:
    row = pair.new or pair.old
    if TABLES[pair.table].total:
        return "other", f"{where}{'有了回答' if pair.new else '没有一行回答了'}"
    said = all_described(row.said["remedies"]) if row and "remedies" in row.said else ""
    detail = f"（{said}）" if said else ""
    group: Group = "other"
    if pair.table in _PARTS:
        group = "more" if pair.new else "less"
    return group, f"{where}{'新增了这一种' if pair.new else '没有了这一种'}{detail}"


def _given(pair: _Pair, where: str, old: Policy, new: Policy, file: str) -> tuple[Group, str]:
    assert pair.old and pair.new  # noqa: S101 - the caller looked
    mine, theirs = pair.old.said["remedies"], pair.new.said["remedies"]
    amounts = TYPICAL.get(file, TYPICAL[TRADES[0]])
    both = [(worth(mine, paid, old.prices), worth(theirs, paid, new.prices)) for paid in amounts]
    rises = all(after.at_least(before) for before, after in both)
    falls = all(before.at_least(after) for before, after in both)
    group: Group = "mixed" if rises == falls else "more" if rises else "less"
    parts = [*_parted(mine, theirs)]
    before, after = both[1]
    if before.fen != after.fen:
        parts.append(f"实付{yuan(amounts[1])}时值 {amount(before.fen)} → {amount(after.fen)}")
    return group, f"{where}{'，'.join(parts)}"


def _parted(old: Sequence[Remedy], new: Sequence[Remedy]) -> Iterator[str]:
    """What came, what went, what became different."""
    mine, theirs = {one["kind"]: one for one in old}, {one["kind"]: one for one in new}
    for title, here, there in (("多了", theirs, mine), ("少了", mine, theirs)):
        listed = [described(one) for kind, one in here.items() if kind not in there]
        if listed:
            yield f"{title} {'、'.join(listed)}"
    for kind in mine.keys() & theirs.keys():
        if mine[kind] != theirs[kind]:
            yield f"{described(mine[kind])} 变成 {described(theirs[kind])}"
    if len(mine) < len(old) or len(theirs) < len(new):
        # The same kind twice: only the whole lists tell.
        yield f"{all_described(old)} 变成 {all_described(new)}"
    elif mine == theirs:
        yield "次序变了"


def _stepped(table: str, name: str, old: Any, new: Any) -> str:  # noqa: ANN401 - outcomes
    label = columns_of(table)[name].label
    if table in _STEPS:
        unit = _UNITS.get(table, "档")
        return f"{old}{unit} → {new}{unit}"
    if columns_of(table)[name].kind == "number":
        money = name in ("fen", "least", "most")
        was, now = (amount(one) if money else percent(one) if name == "rate" else str(one)
                    for one in (old, new))  # fmt: skip
        return f"{label.removesuffix('（分）').removesuffix('（万分比）')} {was} → {now}"
    return f"{label} {said_words(name, old)} → {said_words(name, new)}"


def _where(pair: _Pair) -> str:
    """The conditions that both rows share, but for the failure, as the head of a sentence."""
    named = []
    if pair.table == "goodwill":
        head = f"心意第{pair.level}档"
    elif pair.table in ("floor", "choices"):
        head = TABLES[pair.table].label
    else:
        head = ""
    for name in TABLES[pair.table].reads:
        if (name == "failure" and pair.failure) or (name == "level" and pair.table == "goodwill"):
            continue
        shared = _shared(name, pair)
        if shared:
            named.append(f"{INPUTS[name].label.removesuffix('（分）')} {shared}")
    inside = f"（{'，'.join(named)}）" if named else ""
    return f"{head}{inside} " if head or inside else ""


def _shared(name: str, pair: _Pair) -> str:
    """The part of an input in which two rows meet, in words; empty for all of it."""
    found = [row.conditions[name] for row in (pair.old, pair.new) if row and name in row.conditions]
    listed = [one for one in found if one.values is not None]
    if listed:
        values = [
            value
            for _, value in sorted(listed[0].values or (), key=lambda one: str(one[1]))
            if all(one.matches(value) for one in found)
        ]
        known = INPUTS[name].values
        if known is not None:
            values = [one for one in known if one in values]
        if name in ("level", "severity", "weight", "kind") or known is not None:
            return "、".join(value_words(name, one) for one in values)
        return "、".join(_number(name, int(one)) for one in values)
    least = max((one.least for one in found if one.least is not None), default=None)
    most = min((one.most for one in found if one.most is not None), default=None)
    return _range(name, Condition(least=least, most=most))


def _range(name: str, one: Condition) -> str:
    if one.least is not None and one.most is not None:
        return f"{_number(name, one.least)}到{_number(name, one.most)}"
    if one.least is not None:
        return f"{_number(name, one.least)}起"
    return f"{_number(name, one.most)}以内" if one.most is not None else ""


def _number(name: str, value: int) -> str:
    return amount(value) if name == "paid" else str(value)


def _dates(old: Book, new: Book, today: date) -> Iterator[str]:
    mine, theirs = ({row.rule: row for row in book.rows()} for book in (old, new))
    for rule in [*mine, *(one for one in theirs if one not in mine)]:
        one, other = mine.get(rule), theirs.get(rule)
        row = one or other
        assert row is not None  # noqa: S101 - it is in one of the two
        where = f"{sheet_name(row.file, row.table)} {rule}"
        if one is None or other is None:
            if row.said["effective_from"] > today.isoformat():
                yield f"{where}：{'新增' if other else '删去'}的行，{_span(row)}"
        elif _span(one) != _span(other):
            yield f"{where}：{_span(one)} → {_span(other)}"


def _span(row: Row) -> str:
    end = row.said["effective_to"]
    return f"{row.said['effective_from']} 起{'' if end == LAST_DAY else f'到 {end}'}"


# ---- how many -----------------------------------------------------------------------------


def _counted(old: Mapping[str, Policy], new: Mapping[str, Policy]) -> dict[str, Counted]:
    """The counts of all trades; none where a table has gaps."""
    counted: dict[str, Counted] = {}
    for trade in TRADES:
        try:
            counted[trade] = count(old[trade], new[trade], failures_of(trade))
        except (_GapError, PolicyError):
            return {}
    return counted


class _GapError(Exception):
    """A combination without a row: there is nothing to count before `check` is content."""


class _Side:
    """One policy of a trade, with what it says of each combination."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.tables = {
            name: Enumerated(policy.tables[name])
            for name in ("failures", "floor", "law", "goodwill", *_STEPS)
        }
        self._goodwill: dict[tuple[str, int, int], Worth] = {}
        self._floor: dict[tuple[str, str, int], Worth] = {}

    def row(self, table: str, **facts: Any) -> Row:  # noqa: ANN401 - of FACTS
        found = self.tables[table].row(facts)
        if found is None:
            raise _GapError(table)
        return found

    def goodwill(self, failure: str, level: int, paid: int) -> Worth:
        key = (failure, level, paid)
        if key not in self._goodwill:
            allowed = self.policy.within_cap(failure, level, paid)
            given = self.policy.goodwill_at(failure, allowed).said["remedies"]
            self._goodwill[key] = worth(given, paid, self.policy.prices)
        return self._goodwill[key]

    def floor(self, facts: Mapping[str, Any]) -> Worth:
        row, extra = self.row("floor", **facts), self.row("law", **facts)
        key = (row.rule, extra.rule, facts["paid"])
        if key not in self._floor:
            given = [*row.said["remedies"], *extra.said["remedies"]]
            self._floor[key] = worth(given, facts["paid"], self.policy.prices)
        return self._floor[key]


def count(before: Policy, after: Policy, failures: Sequence[str]) -> Counted:
    """Of all combinations of facts, how many get more and how many less.

    A fact that is a number stands for itself once between two thresholds of either policy. The
    facts that only add to the level are not gone through one with another: their steps are
    counted apart and put together, which gives the same numbers.

    Args:
        before: The one policy of a trade.
        after: The other.
        failures: Those that are counted.

    Raises:
        _GapError: A combination has no row.
        PolicyError: A level of goodwill has no row.
    """
    old, new = _Side(before), _Side(after)
    trade = before.trade
    counted = Counted()
    days = _representatives(old, new, "days", ("floor",))
    verdicts: dict[tuple[Any, ...], str] = {}
    for failure, fault, finding in product(failures, FAULTS, FINDINGS):
        levels = _levels(old, new, failure, fault, finding)
        for day, paid in product(days, TYPICAL[trade]):
            facts = {
                "industry": trade, "failure": failure, "fault": fault, "finding": finding,
                "days": day, "paid": paid,
            }  # fmt: skip
            owed, now_owed = old.floor(facts), new.floor(facts)
            for (mine, theirs), times in levels.items():
                given, now_given = (
                    old.goodwill(failure, mine, paid),
                    new.goodwill(failure, theirs, paid),
                )
                key = (id(owed), id(now_owed), id(given), id(now_given))
                if key not in verdicts:
                    verdicts[key] = _verdict(_sum(owed, given), _sum(now_owed, now_given))
                name = verdicts[key]
                setattr(counted, name, getattr(counted, name) + times)
    return counted


def _levels(
    old: _Side, new: _Side, failure: str, fault: str, finding: str
) -> Counter[tuple[int, int]]:
    """How many combinations of the other facts lead to each pair of levels."""
    added = _added(old, new, fault)
    found: Counter[tuple[int, int]] = Counter()
    waits = _representatives(old, new, "wait_hours", ("severity", "newcomer"))
    for harm, wait, first in product(HARMS, waits, (False, True)):
        steps = []
        for side in (old, new):
            said = side.row("failures", failure=failure).said
            severity = side.row("severity", weight=said["weight"], harm=harm, wait_hours=wait).said[
                "severity"
            ]
            base = side.row(
                "base", finding=finding, fault=fault, type=said["type"], severity=severity
            ).said["points"]
            newcomer = side.row("newcomer", first_time=first, wait_hours=wait).said["points"]
            steps.append((base, newcomer))
        for (mine, theirs), times in added.items():
            levels = [
                0 if base == 0 else min(MOST_LEVEL, base + newcomer + more)
                for (base, newcomer), more in zip(steps, (mine, theirs), strict=True)
            ]
            found[levels[0], levels[1]] += times
    return found


def _added(old: _Side, new: _Side, fault: str) -> Counter[tuple[int, int]]:
    """How often recurrence, loyalty and rounds add up to each pair of steps."""
    found: Counter[tuple[int, int]] = Counter({(0, 0): 1})
    inputs: Mapping[str, list[dict[str, Any]]] = {
        "recurring": [
            {"fault": fault, "recurrence": one}
            for one in _representatives(old, new, "recurrence", ("recurring",))
        ],
        "loyalty": [
            {"tier": tier, "tenure_days": one}
            for tier in TIERS
            for one in _representatives(old, new, "tenure_days", ("loyalty",))
        ],
        "rounds": [
            {"round": one} for one in range(INPUTS["round"].least, INPUTS["round"].most + 1)
        ],
    }
    for table in _ADDS:
        sums: Counter[tuple[int, int]] = Counter()
        for facts in inputs[table]:
            one, other = (side.row(table, **facts).said["points"] for side in (old, new))
            for (mine, theirs), times in found.items():
                sums[mine + one, theirs + other] += times
        found = sums
    return found


def _representatives(old: _Side, new: _Side, name: str, tables: Iterable[str]) -> list[int]:
    """The first number of each stretch in which no row of either policy changes its mind."""
    known = INPUTS[name]
    starts = {known.least}
    for side, table in product((old, new), tables):
        for row in side.tables[table].table.rows:
            condition = row.conditions.get(name)
            if condition is None:
                continue
            if condition.values is not None:
                starts |= {int(one) + step for _, one in condition.values for step in (0, 1)}
            starts |= {condition.least} if condition.least is not None else set()
            starts |= {condition.most + 1} if condition.most is not None else set()
    return sorted(one for one in starts if known.least <= one <= known.most)


def _sum(floor: Worth, goodwill: Worth) -> Worth:
    return Worth(floor.fen + goodwill.fen, floor.others + goodwill.others)


def _verdict(before: Worth, after: Worth) -> Literal["more", "less", "mixed", "same"]:
    rises, falls = after.at_least(before), before.at_least(after)
    if rises and falls:
        return "same"
    return "more" if rises else "less" if falls else "mixed"


# ---- in words -----------------------------------------------------------------------------


def in_words(found: Difference) -> str:
    """What differs, as text for managers."""
    head = f"原来 {found.old}\n现在 {found.new}"
    if found.same_tables:
        return f"{head}\n\n没有变化：两边的表完全一样"
    blocks = [head]
    if not found.changes:
        blocks.append("给什么、谁来给、理由和日期都没有变；变的是规则号、行的次序或写法")
    for group, title in TITLES.items():
        sentences = [one.sentence for one in found.changes if one.group == group]
        if sentences:
            blocks.append("\n".join([f"{title}（{len(sentences)}）",
                                     *(f"  {one}" for one in sentences)]))  # fmt: skip
    blocks.append(_counts(found.counted))
    return "\n\n".join(blocks)


def _counts(counted: Mapping[str, Counted]) -> str:
    if not counted:
        return "有的事实没有一行回答，数不出多少人受影响；请先运行 check"
    everything = Counted(
        *(sum(getattr(one, name) for one in counted.values())
          for name in ("more", "less", "mixed", "same"))
    )  # fmt: skip
    rows = [["", "事实组合", "得到更多", "得到更少", "有得有失", "一样"]]
    for title, one in (
        *((TRADE_WORDS[trade], one) for trade, one in counted.items()),
        ("合计", everything),
    ):
        shares = (one.more, one.less, one.mixed, one.same)
        rows.append([title, f"{one.total:,}", *(_share(part, one.total) for part in shares)])
    note = (
        "  实付取各行业的小、中、大三个数；天数、小时这样的数在每两个门槛之间取一个；不换形式。"
        "\n  “更多”“更少”按所值的钱和没有价格的东西一起比。"
    )
    return f"今天有多少种情况受影响\n{aligned(rows, right=(1, 2, 3, 4, 5), indent='  ')}\n{note}"


def _share(part: int, total: int) -> str:
    tenths = (part * 1000 * 2 + total) // (2 * total) if total else 0
    return f"{part:,} ({tenths // 10}.{tenths % 10}%)"


__all__ = [
    "TITLES",
    "TYPICAL",
    "Change",
    "Counted",
    "Difference",
    "count",
    "difference",
    "in_words",
]
