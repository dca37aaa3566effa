"""One decision laid open: the facts and who sets them, the rows that answered, how it adds up."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from recovery.failures import FAILURES, TRADES
from recovery.remedy.book import Book
from recovery.remedy.catalogue import Remedy, plain
from recovery.remedy.columns import aligned
from recovery.remedy.facts import FACTS, Facts, FactsError
from recovery.remedy.policy import Decision, Policy, PolicyError
from recovery.remedy.release import UseError
from recovery.remedy.schema import ADDS, COMMON, MOST_LEVEL, TABLES
from recovery.remedy.wording import (
    SETTERS,
    TRADE_WORDS,
    WordError,
    amount,
    described,
    fact_of,
    read_fact,
    said_words,
    sheet_name,
    value_words,
)
from recovery.remedy.worth import Worth, cap

NEEDED = ("industry", "failure", "paid")
_ASSUMED = ("fault", "finding")


@dataclass(frozen=True)
class Explained:
    """A decision with what it was asked.

    Attributes:
        given: Names of the facts that were given; the others are assumed.
        decision: What came of them.
    """

    given: frozenset[str]
    decision: Decision


def facts_from_pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """Read facts written as `name=value`, each by name or by its Chinese word.

    Raises:
        UseError: An unknown fact, one given twice, or no value of it.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        header, _, text = pair.partition("=")
        name = _known(header)
        if name in found:
            raise UseError(f"{header} 写了两次")
        try:
            found[name] = read_fact(name, text)
        except WordError as error:
            raise UseError(f"{header}：{error}") from error
    return found


def facts_from_json(text: str) -> dict[str, Any]:
    """Read facts from a JSON object; a number of a fact is a JSON number.

    Raises:
        UseError: No such object, an unknown fact, or no value of it.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UseError(f"事实文件不是 JSON：{error}") from error
    if not isinstance(content, dict):
        raise UseError('事实文件应当是一个 JSON 对象，例如 {"industry": "hotel", …}')
    found: dict[str, Any] = {}
    for header, value in content.items():
        name = _known(header)
        if FACTS[name].values is None and (not isinstance(value, int) or isinstance(value, bool)):
            raise UseError(f"{header}：要写整数，不能是 {json.dumps(value, ensure_ascii=False)}")
        if FACTS[name].values is not None and not isinstance(value, str | bool):
            raise UseError(f"{header}：不能是 {json.dumps(value, ensure_ascii=False)}")
        spelt = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            found[name] = read_fact(name, spelt)
        except WordError as error:
            raise UseError(f"{header}：{error}") from error
    return found


def _known(header: str) -> str:
    name = fact_of(header)
    if name is None:
        known = "、".join(f"{one}（{fact.label}）" for one, fact in FACTS.items())
        raise UseError(f"不认识事实 {header[:40]!r}；可以写 {known}")
    return name


def complete(policies: Mapping[str, Policy], known: Mapping[str, Any]) -> Facts:
    """Facts with what the policy assumes where nothing is known.

    Args:
        policies: By trade.
        known: By name; what is left out is assumed.

    Raises:
        UseError: A needed fact is missing, or the trade does not know the failure.
    """
    missing = [FACTS[name].label for name in NEEDED if name not in known]
    if missing:
        raise UseError(f"缺少 {'、'.join(missing)}（{'、'.join(NEEDED)} 一定要有）")
    rest = {name: value for name, value in known.items() if name != "industry"}
    industry = known["industry"]
    if industry not in FAILURES[known["failure"]].industries:
        failure = value_words("failure", known["failure"])
        raise UseError(f"“{failure}”不是{TRADE_WORDS[industry]}的失误")
    try:
        return policies[industry].facts(rest.pop("failure"), rest.pop("paid"), **rest)
    except (FactsError, PolicyError) as error:
        raise UseError(str(error)) from error


def policies_on(book: Book, day: date) -> dict[str, Policy]:
    """The policies of all trades on a day.

    Raises:
        UseError: The engine refuses the tables.
    """
    try:
        return {trade: Policy(book, trade, day) for trade in TRADES}
    except PolicyError as error:
        raise UseError(f"这些表不能用：{error}") from error


def explain(book: Book, known: Mapping[str, Any], day: date) -> Explained:
    """Decide and keep what was given.

    Raises:
        UseError: The facts cannot be decided on.
    """
    policies = policies_on(book, day)
    facts = complete(policies, known)
    try:
        return Explained(frozenset(known), policies[facts.industry].decide(facts))
    except PolicyError as error:
        raise UseError(f"{day} 没有规则回答这些事实，请先运行 check：{error}") from error


def in_words(one: Explained) -> str:
    """The decision as text for managers."""
    decision = one.decision
    return "\n\n".join(
        f"{title}\n{text}".rstrip()
        for title, text in (
            (f"政策 {decision.policy}，按 {decision.day} 有效的规则", ""),
            ("事实（谁来定）", _facts(one)),
            ("用到的规则", _fired(decision)),
            ("心意档怎么来的", _level(decision)),
            ("给什么", _given(decision)),
            ("怎么给", _manner(decision)),
            ("顾客看到的", _indented(plain(decision.remedies, decision.reason))),
        )
    )


def _facts(one: Explained) -> str:
    facts = one.decision.facts.to_wire()
    rows = []
    for name, fact in FACTS.items():
        value = facts[name]
        shown = value_words(name, value) + (f"（{amount(value)}）" if name == "paid" else "")
        setter = SETTERS[fact.set_by]
        if name not in one.given:
            rule = one.decision.row("failures").get("rule")
            setter = f"默认（{rule}）" if name in _ASSUMED else f"默认（本由{setter}定）"
        rows.append([name, fact.label, shown, setter])
    return aligned(rows, indent="  ")


def _fired(decision: Decision) -> str:
    blocks = []
    for fired in decision.fired:
        said = fired.said
        file = COMMON if TABLES[fired.table].common else decision.facts.industry
        head = (
            f"  {sheet_name(file, fired.table)}  {said['rule']}"
            f"  权限：{said_words('authority', said['authority'])}"
            f"  证据：{said_words('evidence', said['evidence'])}"
        )
        blocks.append(f"{head}\n    理由：{said['reason']}\n    依据：{said['source']}")
    return "\n".join(blocks)


def _level(decision: Decision) -> str:
    points = {name: int(decision.row(name)["points"]) for name in ADDS}
    rows = [
        [sheet_name(COMMON, name), f"{'+' if place else ''}{points[name]}",
         str(decision.row(name)["rule"])]
        for place, name in enumerate(ADDS)
    ]  # fmt: skip
    raw = sum(points.values())
    reached = 0 if points["base"] == 0 else min(MOST_LEVEL, raw)
    lines = [aligned(rows, right=(1,), indent="  ")]
    if points["base"] == 0:
        lines.append("  基础档是 0：没有心意，也就没有什么可加")
    elif raw > MOST_LEVEL:
        lines.append(f"  合计 {raw}，最高 {MOST_LEVEL} 档")
    else:
        lines.append(f"  合计 {reached} 档")
    most = amount(cap(decision.facts.paid))
    if decision.level < reached:
        lines.append(f"  封顶：心意不超过实付的80%（{most}），退到第 {decision.level} 档")
    else:
        lines.append(f"  封顶：心意不超过实付的80%（{most}），没有碰到")
    return "\n".join(lines)


def _given(decision: Decision) -> str:
    def part(title: str, remedies: tuple[Remedy, ...], total: Worth) -> list[list[str]]:
        head = [[f"{title}", amount(total.fen)]]
        if not remedies:
            return [[f"{title}", "没有"]]
        return head + [
            [f"  {described(one)}", amount(one["worth"]) if "worth" in one else "没有价格"]
            for one in remedies
        ]

    rows = [
        *part("应给的（法律和约定）", decision.floor, decision.floor_worth),
        *part("心意", decision.goodwill, decision.goodwill_worth),
        ["合计", amount(decision.worth.fen)],
    ]
    return aligned(rows, right=(1,), indent="  ")


def _manner(decision: Decision) -> str:
    rows = [
        ["权限", said_words("authority", decision.authority)],
        ["所需证据", said_words("evidence", decision.evidence)
         + ("（还没有）" if decision.lacks_evidence else "")],
        ["最终与否", "非最终：事情还在核实" if decision.provisional else "可以作为最终处理"],
        ["要有人跟进", "是" if decision.person else "否"],
        ["严重程度", str(decision.severity)],
        ["优先级", str(decision.priority)],
        ["语气", said_words("tone", decision.tone)],
    ]  # fmt: skip
    return aligned(rows, indent="  ")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
