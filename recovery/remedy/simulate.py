"""What a policy would have cost: a file of cases, decided one by one, summed up.

Money is integer fen throughout; a median or a percentile is a value that occurs (nearest rank).
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recovery.failures import TRADES
from recovery.remedy.catalogue import KINDS
from recovery.remedy.columns import aligned
from recovery.remedy.explain import NEEDED, complete
from recovery.remedy.facts import FACTS, Facts
from recovery.remedy.policy import Decision, Policy, PolicyError
from recovery.remedy.release import UseError
from recovery.remedy.schema import AUTHORITIES, MOST_SEVERITY
from recovery.remedy.wording import (
    TRADE_WORDS,
    WordError,
    all_described,
    amount,
    fact_of,
    read_fact,
    said_words,
    value_words,
)

_MOST_BYTES = 50_000_000
_MOST_WRONG = 20
_MOST_CHANGED = 10
_BATCH = 500


class CasesError(UseError):
    """A file of cases that cannot be used; one line for each thing that is wrong."""


@dataclass(frozen=True)
class Case:
    """One case of the file.

    Attributes:
        line: Where it stands.
        facts: Those that are given, by name.
    """

    line: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """How a number of amounts is spread, in fen."""

    sum: int = 0
    median: int = 0
    p90: int = 0
    most: int = 0

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "Spread":
        """The spread of some amounts; of none, zeros."""
        ordered = sorted(amounts)
        if not ordered:
            return cls()
        return cls(sum(ordered), _ranked(ordered, 50), _ranked(ordered, 90), ordered[-1])


@dataclass(frozen=True)
class Share:
    """What one group of cases has come to.

    Attributes:
        cases: How many; for a kind of remedy, how often it was given.
        floor: Fen.
        goodwill: Fen.
    """

    cases: int = 0
    floor: int = 0
    goodwill: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a policy gives for all cases.

    Attributes:
        policy: Version and digest.
        cases: How many.
        floor: Of what is owed.
        goodwill: Of what is given beyond it.
        total: Of both.
        bot: Cases that the bot decides alone.
        groups: By `failure`, `authority`, `severity`, `kind`, each by its key.
    """

    policy: str
    cases: int
    floor: Spread
    goodwill: Spread
    total: Spread
    bot: int
    groups: Mapping[str, Mapping[str, Share]]


@dataclass(frozen=True)
class Changed:
    """One case that comes out otherwise under another policy."""

    line: int
    facts: Facts
    before: Decision
    after: Decision

    @property
    def difference(self) -> int:
        """How much more it costs, in fen."""
        return self.after.worth.fen - self.before.worth.fen


@dataclass(frozen=True)
class Comparison:
    """Two policies on the same cases."""

    before: Outcome
    after: Outcome
    changed: Sequence[Changed] = field(default_factory=tuple)


# ---- the file -----------------------------------------------------------------------------


def load_cases(path: Path) -> list[Case]:
    """Read cases from a CSV file.

    Args:
        path: UTF-8, with or without a byte order mark, or GBK as Excel saves it in China. The
            columns are facts, by name or by Chinese label; an empty cell is an unknown fact.

    Raises:
        CasesError: Unknown columns, or cells that cannot be read; each is named.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CasesError(f"{path}：文件超过 {_MOST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise CasesError(f"{path}：读不出来（{error.strerror}）") from error
    return read_cases(_decoded(content, path))


def _decoded(content: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise CasesError(f"{path}：不是 UTF-8 也不是 GBK 的文本；请在 Excel 里另存为 CSV")


def read_cases(text: str) -> list[Case]:
    """Read cases from the text of a CSV file; see `load_cases`.

    Raises:
        CasesError: As for `load_cases`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    wrong: list[str] = []
    cases: list[Case] = []
    try:
        headers = next(reader, [])
        names = _columns(headers)
        for cells in reader:
            if any(one.strip() for one in cells):
                cases.append(Case(reader.line_num, _known(headers, names, cells, reader, wrong)))
    except csv.Error as error:
        raise CasesError(f"第 {reader.line_num} 行：不是 CSV（{error}）") from error
    if not cases and not wrong:
        wrong.append("没有案例：第一行是列名，每个案例一行")
    if wrong:
        more = len(wrong) - _MOST_WRONG
        raise CasesError(
            "\n".join([*wrong[:_MOST_WRONG], *([f"……还有 {more} 处"] if more > 0 else [])])
        )
    return cases


def _columns(headers: Sequence[str]) -> list[str]:
    names = [fact_of(one) for one in headers]
    strange = [one for one, name in zip(headers, names, strict=True) if name is None]
    if strange:
        known = "、".join(f"{name}（{fact.label}）" for name, fact in FACTS.items())
        raise CasesError(
            f"第 1 行：不认识的列 {'、'.join(repr(one[:30]) for one in strange)}；可以写 {known}"
        )
    found = [name for name in names if name is not None]
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise CasesError(f"第 1 行：列 {'、'.join(twice)} 写了两次")
    missing = [f"{name}（{FACTS[name].label}）" for name in NEEDED if name not in found]
    if missing:
        raise CasesError(f"第 1 行：缺少列 {'、'.join(missing)}")
    return found


def _known(
    headers: Sequence[str],
    names: Sequence[str],
    cells: Sequence[str],
    reader: Any,  # noqa: ANN401 - csv does not name its reader
    wrong: list[str],
) -> dict[str, Any]:
    line = reader.line_num
    if len(cells) > len(names) and any(one.strip() for one in cells[len(names) :]):
        wrong.append(f"第 {line} 行：有 {len(cells)} 格，列名只有 {len(names)} 个")
    found: dict[str, Any] = {}
    # What was not given at the end of a line is not known; zip stops at the shorter.
    for header, name, cell in zip(headers, names, cells, strict=False):
        if not cell.strip():
            continue
        try:
            found[name] = read_fact(name, cell)
        except WordError as error:
            wrong.append(f"第 {line} 行，列 {header.strip()}：{error}")
    return found


# ---- the decisions ------------------------------------------------------------------------


def decide_cases(policies: Mapping[str, Policy], cases: Sequence[Case]) -> list[Decision]:
    """Decide all cases, in their order.

    Args:
        policies: By trade.
        cases: As read.

    Raises:
        CasesError: A case lacks a fact, or the policy has no answer to it; its line is named.
    """
    completed: dict[str, list[tuple[int, Facts]]] = defaultdict(list)
    wrong = []
    for place, case in enumerate(cases):
        try:
            facts = complete(policies, case.facts)
            completed[facts.industry].append((place, facts))
        except UseError as error:
            wrong.append(f"第 {case.line} 行：{error}")
    if wrong:
        raise CasesError("\n".join(wrong[:_MOST_WRONG]))
    decided: dict[int, Decision] = {}
    for trade, many in completed.items():
        for start in range(0, len(many), _BATCH):
            part = many[start : start + _BATCH]
            try:
                answers = policies[trade].decide_all([facts for _, facts in part])
            except PolicyError as error:
                raise CasesError(
                    f"政策没有回答全部{TRADE_WORDS[trade]}案例，请先运行 check：{error}"
                ) from error
            decided.update(zip((place for place, _ in part), answers, strict=True))
    return [decided[place] for place in range(len(cases))]


def outcome(decisions: Sequence[Decision]) -> Outcome:
    """Sum decisions up.

    Args:
        decisions: At least one, all of one policy.
    """
    groups: dict[str, dict[str, Share]] = {
        "failure": {},
        "authority": dict.fromkeys(AUTHORITIES, Share()),
        "severity": {str(one): Share() for one in range(1, MOST_SEVERITY + 1)},
        "kind": {},
    }
    for one in decisions:
        fen = (one.floor_worth.fen, one.goodwill_worth.fen)
        facts = one.facts
        _count(groups["failure"], f"{facts.industry}.{facts.failure}", *fen)
        _count(groups["authority"], one.authority, *fen)
        _count(groups["severity"], str(one.severity), *fen)
        for remedy in one.floor:
            _count(groups["kind"], remedy["kind"], remedy.get("worth", 0), 0)
        for remedy in one.goodwill:
            _count(groups["kind"], remedy["kind"], 0, remedy.get("worth", 0))
    return Outcome(
        policy=decisions[0].policy,
        cases=len(decisions),
        floor=Spread.of(one.floor_worth.fen for one in decisions),
        goodwill=Spread.of(one.goodwill_worth.fen for one in decisions),
        total=Spread.of(one.worth.fen for one in decisions),
        bot=sum(one.authority == AUTHORITIES[0] for one in decisions),
        groups=groups,
    )


def compared(
    cases: Sequence[Case], before: Sequence[Decision], after: Sequence[Decision]
) -> Comparison:
    """Two policies on the same cases, with the cases that change most."""
    changed = [
        Changed(case.line, one.facts, one, other)
        for case, one, other in zip(cases, before, after, strict=True)
        if (one.floor, one.goodwill, one.authority, one.evidence)
        != (other.floor, other.goodwill, other.authority, other.evidence)
    ]
    # What changes in kind only comes after what changes in worth.
    changed.sort(key=lambda one: (-abs(one.difference), one.line))
    return Comparison(outcome(before), outcome(after), tuple(changed))


def _ranked(ordered: Sequence[int], percent: int) -> int:
    """The nearest rank: the smallest value that so many of a hundred do not pass."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _count(shares: dict[str, Share], key: str, floor: int, goodwill: int) -> None:
    old = shares.get(key, Share())
    shares[key] = Share(old.cases + 1, old.floor + floor, old.goodwill + goodwill)


# ---- in words -----------------------------------------------------------------------------

_GROUPS = (
    ("failure", "按失误"),
    ("authority", "按权限"),
    ("severity", "按严重程度"),
    ("kind", "按补救种类（次数）"),
)


def in_words(one: Outcome) -> str:
    """What a policy gives, as text for managers."""
    blocks = [f"政策 {one.policy}：{one.cases} 个案例", _spreads(one), _bot(one)]
    for group, title in _GROUPS:
        rows = [["", "件数", "应给的", "心意", "合计"]]
        rows += [
            [_key_words(group, key), str(share.cases), amount(share.floor),
             amount(share.goodwill), amount(share.floor + share.goodwill)]
            for key, share in _ordered(group, one.groups[group])
        ]  # fmt: skip
        blocks.append(f"{title}\n{aligned(rows, right=(1, 2, 3, 4), indent='  ')}")
    return "\n\n".join(blocks)


def comparison_in_words(one: Comparison) -> str:
    """Two policies beside each other, as text for managers."""
    before, after = one.before, one.after
    head = f"原来 {before.policy}\n现在 {after.policy}\n{before.cases} 个案例"
    rows = [["", "原来", "现在", "差额"]]
    for title, old, new in (
        ("应给的", before.floor, after.floor),
        ("心意", before.goodwill, after.goodwill),
        ("合计", before.total, after.total),
    ):
        for what, mine, theirs in (
            ("合计", old.sum, new.sum),
            ("中位数", old.median, new.median),
            ("九成以内", old.p90, new.p90),
            ("最高", old.most, new.most),
        ):
            rows.append([f"{title} {what}", amount(mine), amount(theirs), _more(theirs - mine)])
    rows.append(["机器人自己定", _part(before), _part(after), f"{after.bot - before.bot:+d} 件"])
    blocks = [head, f"费用\n{aligned(rows, right=(1, 2, 3), indent='  ')}"]
    blocks += [_beside(group, title, before, after) for group, title in _GROUPS]
    blocks.append(_most_changed(one.changed))
    return "\n\n".join(blocks)


def _beside(group: str, title: str, before: Outcome, after: Outcome) -> str:
    rows = [["", "件数", "", "差", "应给的差额", "心意原来", "心意现在", "心意差额"]]
    old, new = before.groups[group], after.groups[group]
    together = {**old, **new}
    for key, _ in _ordered(group, together):
        mine, theirs = old.get(key, Share()), new.get(key, Share())
        rows.append(
            [_key_words(group, key), str(mine.cases), f"→ {theirs.cases}",
             f"{theirs.cases - mine.cases:+d}", _more(theirs.floor - mine.floor),
             amount(mine.goodwill), amount(theirs.goodwill),
             _more(theirs.goodwill - mine.goodwill)]
        )  # fmt: skip
    return f"{title}\n{aligned(rows, right=(1, 3, 4, 5, 6, 7), indent='  ')}"


def _most_changed(changed: Sequence[Changed]) -> str:
    if not changed:
        return "没有一个案例有变化"
    lines = [f"{len(changed)} 个案例有变化，变化最大的 {min(len(changed), _MOST_CHANGED)} 个："]
    for one in changed[:_MOST_CHANGED]:
        facts = one.facts
        lines.append(
            f"  第 {one.line} 行  {_key_words('failure', f'{facts.industry}.{facts.failure}')}"
            f"  实付 {amount(facts.paid)}"
            f"  {amount(one.before.worth.fen)} → {amount(one.after.worth.fen)}"
            f"（{_more(one.difference)}）"
        )
        for title, mine, theirs in (
            ("应给的", one.before.floor, one.after.floor),
            ("心意", one.before.goodwill, one.after.goodwill),
        ):
            was, now = all_described(mine), all_described(theirs)
            if was != now:
                lines.append(f"    {title}：{was} → {now}")
        if one.before.authority != one.after.authority:
            was, now = (said_words("authority", each.authority) for each in (one.before, one.after))
            lines.append(f"    权限：{was} → {now}")
    return "\n".join(lines)


def _spreads(one: Outcome) -> str:
    rows = [["", "合计", "中位数", "九成以内", "最高"]]
    rows += [
        [title, amount(spread.sum), amount(spread.median), amount(spread.p90), amount(spread.most)]
        for title, spread in (("应给的", one.floor), ("心意", one.goodwill), ("合计", one.total))
    ]
    return f"费用\n{aligned(rows, right=(1, 2, 3, 4), indent='  ')}"


def _bot(one: Outcome) -> str:
    return f"机器人自己定：{_part(one)}"


def _part(one: Outcome) -> str:
    tenths = (one.bot * 1000 * 2 + one.cases) // (2 * one.cases)
    return f"{one.bot} 件，{tenths // 10}.{tenths % 10}%"


def _more(fen: int) -> str:
    return f"+{amount(fen)}" if fen > 0 else amount(fen)


def _key_words(group: str, key: str) -> str:
    if group == "failure":
        trade, failure = key.split(".")
        return f"{TRADE_WORDS[trade]}·{value_words('failure', failure)}"
    if group == "kind":
        return KINDS[key].label
    if group == "authority":
        return said_words("authority", key)
    return f"{key} 级"


def _ordered(group: str, shares: Mapping[str, Share]) -> list[tuple[str, Share]]:
    if group == "failure":
        return sorted(shares.items(), key=lambda one: (TRADES.index(one[0].split(".")[0]), one[0]))
    if group == "kind":
        return sorted(shares.items(), key=lambda one: list(KINDS).index(one[0]))
    return list(shares.items())


# ---- as JSON ------------------------------------------------------------------------------


def to_wire(one: Outcome) -> dict[str, Any]:
    """What a policy gives, as plain JSON types; money in fen."""
    return {
        "policy": one.policy,
        "cases": one.cases,
        "floor": vars(one.floor),
        "goodwill": vars(one.goodwill),
        "total": vars(one.total),
        "bot": one.bot,
        **{
            group: {key: vars(share) for key, share in _ordered(group, shares)}
            for group, shares in one.groups.items()
        },
    }


def comparison_to_wire(one: Comparison) -> dict[str, Any]:
    """Two policies beside each other, as plain JSON types; money in fen."""
    return {
        "before": to_wire(one.before),
        "after": to_wire(one.after),
        "changed": len(one.changed),
        "most_changed": [
            {
                "line": case.line,
                "facts": case.facts.to_wire(),
                "difference": case.difference,
                **{
                    name: {
                        "floor": list(decision.floor),
                        "goodwill": list(decision.goodwill),
                        "fen": decision.worth.fen,
                        "authority": decision.authority,
                    }
                    for name, decision in (("before", case.before), ("after", case.after))
                },
            }
            for case in one.changed[:_MOST_CHANGED]
        ],
    }
