"""The proof of a policy: what must hold of every decision it can ever make.

Table by table every combination of the columns that the table reads is enumerated, with the
edges of each threshold and one step on each side. Each table is shown to be whole, single-valued
and monotone; that the sum of monotone steps is monotone, and worth on the ladder of goodwill as
well, proves the composition. Then whole facts, seeded, run through the engine and must come out
as the composition says.
"""

import multiprocessing
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise, product
from typing import Any

import zen

from recovery.failures import TRADES
from recovery.remedy.book import Book, Row, Table, document, edge, node
from recovery.remedy.catalogue import MONEY_BACK, Remedy, share
from recovery.remedy.composition import (
    Composition,
    Enumerated,
    combinations,
    failures_of,
    level,
    values_of,
)
from recovery.remedy.facts import FACTS, HARMS, TIERS, Facts
from recovery.remedy.law import unmet
from recovery.remedy.policy import Decision, Policy, PolicyError, without_manner
from recovery.remedy.schema import (
    AUTHORITIES,
    COMMON,
    INPUTS,
    MOST_LEVEL,
    ORDER,
    TABLES,
    WORTH_TABLES,
    tables_of,
)
from recovery.remedy.worth import Worth, cap, worth

_MOST_SHOWN = 3
_RATES = ("next_discount", "recommendation", "refund_part", "fee_waiver")
_FULL = 10_000
WHOLE_FACTS = 100_000
_BATCH = 500


@dataclass
class Proof:
    """What came of it.

    Attributes:
        combinations: Of the columns of tables, enumerated.
        whole: Whole facts that ran through the engine.
        wrong: One line for each thing found, with the facts.
    """

    combinations: int = 0
    whole: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Proof") -> None:
        """Take in what was found elsewhere; nothing twice."""
        self.combinations += other.combinations
        self.whole += other.whole
        self.wrong += [one for one in other.wrong if one not in self.wrong]


def prove(book: Book, whole: int = WHOLE_FACTS, seed: int = 20261122, workers: int = 2) -> Proof:
    """Prove a whole policy, on each day from which on something else holds.

    Args:
        book: The policy.
        whole: How many whole facts run through the engine, over all trades.
        seed: Of these facts.
        workers: Processes.
    """
    proof = Proof()
    days = [date.fromisoformat(one) for one in book.epochs()] or [date.fromisoformat(book.day)]
    jobs = [
        (book, trade, day, whole // len(TRADES) // len(days), seed)
        for day in days
        for trade in TRADES
    ]
    for day in days:
        common = prove_tables(book, COMMON, day)
        proof.add(common)
    if workers > 1:
        # A fork would inherit the locks of the engine's threads, without the threads.
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            results = list(pool.map(_prove_job, jobs))
    else:
        results = [_prove_job(job) for job in jobs]
    for one in results:
        proof.add(one)
    proof.wrong += _never_reached(book, days)
    return proof


def _prove_job(job: tuple[Book, str, date, int, int]) -> Proof:
    return prove_trade(*job)


def prove_trade(
    book: Book, trade: str, day: date | None = None, whole: int = 2_000, seed: int = 20261122
) -> Proof:
    """Prove the tables of one trade on one day, together with the common ones.

    Args:
        book: The policy; files of other trades may be missing.
        trade: Its name.
        day: The day; today's tables without one.
        whole: How many whole facts run through the engine.
        seed: Of these facts.
    """
    day = day or date.fromisoformat(book.epochs()[-1])
    proof = prove_tables(book, trade, day)
    if proof.wrong:
        # What follows would only say the same in other words.
        return proof
    proof.wrong += list(_bands(book, trade, day))
    proof.wrong += list(_ladder(book, trade, day))
    proof.wrong += list(_floors(book, trade, day))
    proof.wrong += list(_choices(book, trade, day))
    if not proof.wrong:
        proof.add(_through_the_engine(book, trade, day, whole, seed))
    return proof


def prove_tables(book: Book, file: str, day: date) -> Proof:
    """Prove each table of a file by itself: whole, single-valued, monotone, engine agrees."""
    proof = Proof()
    for name in tables_of(file):
        table = book.files[file][name].on(day)
        proof.wrong += list(_manner_read(table))
        enumerated = Enumerated(table)
        proof.combinations += enumerated.count
        if TABLES[name].total:
            proof.wrong += [
                _at(table, "没有一行回答", facts) for facts in enumerated.gaps[:_MOST_SHOWN]
            ]
        proof.wrong += [
            _at(table, f"{'、'.join(row.rule for row in rows)} 互相矛盾", facts)
            for facts, rows in enumerated.clashes[:_MOST_SHOWN]
        ]
        proof.wrong += list(_monotone(enumerated))
        proof.wrong += list(_engine_differs(enumerated))
        proof.wrong += [
            f"{row.place}，列 reason：没有给顾客的理由"
            for row in table.rows
            if len(str(row.said["reason"]).strip()) < 2
        ]
    return proof


def _at(table: Table, what: str, facts: Mapping[str, Any]) -> str:
    named = "，".join(f"{name}={value}" for name, value in facts.items())
    return f"{table.file}.json：表 {table.name}：{what}：{named}"


def _manner_read(table: Table) -> Iterator[str]:
    """Anger must not reach worth: no table that worth depends on reads such a fact."""
    if table.name not in WORTH_TABLES:
        return
    for name in table.reads:
        if name in FACTS and FACTS[name].steers == "manner":
            yield f"{table.file}.json：表 {table.name}：列 {name} 只能影响态度，不能影响给多少"


def _never_reached(book: Book, days: Sequence[date]) -> list[str]:
    reached: set[str] = set()
    for tables in book.files.values():
        for table in tables.values():
            for day in days:
                reached |= Enumerated(table.on(day)).reached
    return [
        f"{row.place}：没有任何情况会用到这一行" for row in book.rows() if row.rule not in reached
    ]


# ---- each table by itself ----------------------------------------------------------------

Order = Sequence[Any]
_MORE: Mapping[str, tuple[str, Mapping[str, Order | None]]] = {
    "severity": ("severity", {"weight": None, "harm": HARMS, "wait_hours": None}),
    "base": ("points", {"severity": None}),
    "recurring": ("points", {"recurrence": None}),
    "newcomer": ("points", {"wait_hours": None, "first_time": (False, True)}),
    "loyalty": ("points", {"tier": TIERS, "tenure_days": None}),
    "rounds": ("points", {"round": None}),
    "manner": ("priority", {"anger": None, "escalation": (False, True)}),
}
"""What may only grow, with which input; None stands for the order of numbers."""


def _monotone(enumerated: Enumerated) -> Iterator[str]:
    table = enumerated.table
    if table.name not in _MORE:
        return
    said, inputs = _MORE[table.name]
    for name, order in inputs.items():
        if name not in table.reads:
            continue
        values = order or values_of(table, name)
        shown = 0
        for facts in _others(table, name):
            for low, high in pairwise(values):
                one = enumerated.row({**facts, name: low})
                more = enumerated.row({**facts, name: high})
                if one and more and more.said[said] < one.said[said] and shown < _MOST_SHOWN:
                    shown += 1
                    what = f"{name} 从 {low} 到 {high}，{said} 反而变少（{one.rule} → {more.rule}）"
                    yield _at(table, what, facts)


def _others(table: Table, name: str) -> Iterator[dict[str, Any]]:
    rest = [one for one in table.reads if one != name]
    for values in product(*(values_of(table, one) for one in rest)):
        yield dict(zip(rest, values, strict=True))


def _engine_differs(enumerated: Enumerated) -> Iterator[str]:
    """Ask the engine itself for every combination, and for all rows that match it."""
    table = enumerated.table
    if not TABLES[table.name].asked or not table.rows:
        return
    content = document({})
    content["nodes"].append(node(table, 1, "collect", flat=True))
    content["edges"].append(edge("facts", table.name))
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"table": content}}})
    every = list(combinations(table))
    shown = 0
    for start in range(0, len(every), _BATCH):
        part = every[start : start + _BATCH]
        # The order in which facts come must not matter.
        asked: list[Any] = [
            {"key": "table", "context": dict(reversed(one.items()) if place % 2 else one.items())}
            for place, one in enumerate(part)
        ]
        for facts, answer in zip(part, engine.evaluate_batch(asked), strict=True):
            if not answer["success"]:
                yield _at(table, f"引擎报错 {str(answer['error'])[:120]}", facts)
                return
            rows = answer["data"]["result"].get(f"{table.name}_row") or []
            named = [one["rule"] for one in rows]
            expected = enumerated.row(facts)
            if named != ([expected.rule] if expected else []) and shown < _MOST_SHOWN:
                shown += 1
                yield _at(table, f"引擎给出 {named}，表里是 {expected and expected.rule}", facts)


# ---- worth --------------------------------------------------------------------------------


def _fixed(remedies: Iterable[Remedy], prices: Mapping[str, int]) -> int:
    return worth(remedies, 0, prices).fen


def _rate(remedies: Iterable[Remedy]) -> int:
    return sum(one.get("bp", 0) for one in remedies if one["kind"] in _RATES)


def _bands(book: Book, trade: str, day: date) -> Iterator[str]:
    """A level is worth about the same whatever the failure, and a higher level more.

    With it a worse failure, which has a higher level, never gets less than a lighter one of the
    same trade.
    """
    policy = Policy(book, trade, day)
    rows = {row.said["rule"]: row for row in policy.tables["bands"].rows}
    by_level = {
        value: row.said
        for row in rows.values()
        for _, value in row.conditions["level"].values or ()
    }
    for low, high in pairwise(range(MOST_LEVEL + 1)):
        one, more = by_level.get(low), by_level.get(high)
        if one and more and (one["most"] > more["least"] or one["rate"] > more["rate"]):
            yield f"{trade}.json：表 bands：第 {high} 档不高于第 {low} 档"
    for row in policy.tables["goodwill"].rows:
        said = row.said["remedies"]
        for lvl in _levels(row):
            band = by_level.get(lvl)
            if band is None:
                yield f"{trade}.json：表 bands：缺少第 {lvl} 档"
                continue
            fixed, rate = _fixed(said, policy.prices), _rate(said)
            if not band["least"] <= fixed <= band["most"]:
                yield (
                    f"{row.place}，列 remedies：第 {lvl} 档的固定部分是 {fixed} 分，"
                    f"应在 {band['least']}..{band['most']} 之间"
                )
            if rate != band["rate"]:
                yield f"{row.place}，列 remedies：第 {lvl} 档的比例合计 {rate}，应为 {band['rate']}"
            if lvl == 0 and said:
                yield f"{row.place}，列 remedies：第 0 档不给心意"
            if any(one["kind"] in ("refund_full", "damages", "resend", "exchange") for one in said):
                yield f"{row.place}，列 remedies：应给的不能算作心意"


def _levels(row: Row) -> list[int]:
    condition = row.conditions.get("level")
    return [one for one in range(MOST_LEVEL + 1) if condition is None or condition.matches(one)]


def _ladder(book: Book, trade: str, day: date) -> Iterator[str]:
    """Goodwill never falls from level to level, at any amount paid.

    A rate gives whole fen, rounded down, so that worth at an amount paid of `10,000 q + r` is
    that at `r` and `q` times the sum of rates: with the rates growing, `r` from 0 to 9,999 is
    every case.
    """
    policy = Policy(book, trade, day)
    enumerated = Enumerated(policy.tables["goodwill"])
    seen: set[tuple[str, str]] = set()
    for failure in failures_of(trade):
        steps = [
            enumerated.row({"failure": failure, "level": one}) for one in range(MOST_LEVEL + 1)
        ]
        for one, more in pairwise(steps):
            if one is None or more is None or (one.rule, more.rule) in seen:
                continue
            seen.add((one.rule, more.rule))
            low, high = one.said["remedies"], more.said["remedies"]
            if not worth(high, 0, policy.prices).at_least(Worth(0, worth(low, 0, {}).others)):
                yield f"{more.place}，列 remedies：比 {one.rule} 少了没有价格的东西（{failure}）"
            if _rate(high) < _rate(low):
                yield f"{more.place}，列 remedies：比例低于 {one.rule}（{failure}）"
            paid = _first_less(low, high, policy.prices)
            if paid is not None:
                yield f"{more.place}，列 remedies：实付 {paid} 分时比 {one.rule} 少（{failure}）"


def _first_less(low: list[Remedy], high: list[Remedy], prices: Mapping[str, int]) -> int | None:
    one, more = _fixed(low, prices), _fixed(high, prices)
    rates_low = [item["bp"] for item in low if item["kind"] in _RATES and "bp" in item]
    rates_high = [item["bp"] for item in high if item["kind"] in _RATES and "bp" in item]
    if more - one >= len(rates_high) and sum(rates_high) >= sum(rates_low):
        # Each share loses less than a fen by rounding.
        return None
    return next(
        (
            paid
            for paid in range(_FULL)
            if more + sum(share(paid, bp) for bp in rates_high)
            < one + sum(share(paid, bp) for bp in rates_low)
        ),
        None,
    )


def _sample_facts(trade: str, facts: Mapping[str, Any]) -> Facts:
    filled = {"paid": 10_000, "fault": "ours", "finding": "none", **facts}
    known = {name: value for name, value in filled.items() if name in FACTS}
    return Facts(**{**known, "industry": trade})


def _floors(book: Book, trade: str, day: date) -> Iterator[str]:
    """The law's minimums are met by the floor, for every combination that it or the law reads."""
    policy = Policy(book, trade, day)
    floor, law = Enumerated(policy.tables["floor"]), Enumerated(policy.tables["law"])
    shown: set[tuple[str, str]] = set()
    for facts in _law_combinations(policy):
        row, extra = floor.row(facts.to_wire()), law.row(facts.to_wire())
        if row is None or extra is None:
            continue
        for missing in unmet(facts, [*row.said["remedies"], *extra.said["remedies"]]):
            if (row.rule, missing) not in shown:
                shown.add((row.rule, missing))
                yield f"{row.place}，列 remedies：没有做到 {missing}：{_named(facts)}"
        if any(one["kind"] == "damages" for one in row.said["remedies"]):
            yield f"{row.place}，列 remedies：法定赔偿写在表 law"
        if extra.said["remedies"] and facts.finding != "confirmed":
            yield f"{extra.place}：没有认定就不能给法定赔偿"
        if extra.said["remedies"] and extra.said["authority"] == AUTHORITIES[0]:
            yield f"{extra.place}，列 authority：法定赔偿不能由机器人给"


def _law_combinations(policy: Policy) -> Iterator[Facts]:
    """Facts over all columns of floor and law, with the law's own edges of days."""
    table = policy.tables["floor"]
    days = sorted({*values_of(table, "days"), 6, 7, 8} if "days" in table.reads else {0, 6, 7, 8})
    paid = values_of(table, "paid") if "paid" in table.reads else (10_000,)
    every = product(
        failures_of(policy.trade),
        INPUTS["fault"].values or (),
        INPUTS["finding"].values or (),
        days,
        paid,
    )
    for failure, fault, finding, day, amount in every:
        yield _sample_facts(
            policy.trade,
            {"failure": failure, "fault": fault, "finding": finding, "days": day, "paid": amount},
        )


def _choices(book: Book, trade: str, day: date) -> Iterator[str]:
    """Another form is worth the same, meets the law as well and needs no less authority."""
    policy = Policy(book, trade, day)
    floor, choices = Enumerated(policy.tables["floor"]), Enumerated(policy.tables["choices"])
    law = Enumerated(policy.tables["law"])
    shown: set[tuple[str, str]] = set()
    for facts in _law_combinations(policy):
        for choice in values_of(policy.tables["choices"], "choice"):
            asked = {**facts.to_wire(), "choice": choice}
            row, other = floor.row(asked), choices.row(asked)
            extra = law.row(asked)
            if row is None or other is None or extra is None:
                continue
            for paid in (0, 1, 9_999, 10_000, 1_234_567):
                mine = worth(other.said["remedies"], paid, policy.prices)
                theirs = worth(row.said["remedies"], paid, policy.prices)
                if mine.fen != theirs.fen and (row.rule, other.rule) not in shown:
                    shown.add((row.rule, other.rule))
                    yield (
                        f"{other.place}，列 remedies：实付 {paid} 分时值 {mine.fen} 分，"
                        f"{row.rule} 值 {theirs.fen} 分：{_named(facts)}"
                    )
            for missing in unmet(facts, [*other.said["remedies"], *extra.said["remedies"]]):
                if (other.rule, missing) not in shown:
                    shown.add((other.rule, missing))
                    yield f"{other.place}，列 remedies：没有做到 {missing}：{_named(facts)}"
            least = AUTHORITIES.index(row.said["authority"])
            if AUTHORITIES.index(other.said["authority"]) < least and (other.rule, "") not in shown:
                shown.add((other.rule, ""))
                yield f"{other.place}，列 authority：低于 {row.rule}"


# ---- the composition ----------------------------------------------------------------------


def _named(facts: Facts) -> str:
    return "，".join(f"{name}={value}" for name, value in facts.to_wire().items())


def _through_the_engine(book: Book, trade: str, day: date, whole: int, seed: int) -> Proof:
    proof = Proof()
    policy = Policy(book, trade, day)
    composition = Composition({name: Enumerated(policy.tables[name]) for name in ORDER})
    draw = random.Random(f"{seed}-{trade}-{day}")  # noqa: S311 - facts for a proof, no secret
    done = 0
    while done < whole and len(proof.wrong) < _MOST_SHOWN:
        many = [_drawn(policy, draw) for _ in range(min(_BATCH, whole - done))]
        try:
            decisions = policy.decide_all(many)
        except PolicyError as error:
            proof.wrong.append(str(error))
            break
        for facts, decision in zip(many, decisions, strict=True):
            proof.wrong += list(_compared(policy, composition, facts, decision, draw))
        done += len(many)
    proof.whole = done
    return proof


def _drawn(policy: Policy, draw: random.Random) -> Facts:
    """Whole facts: every fact drawn by itself, numbers at the edges of some table or anywhere."""
    chosen: dict[str, Any] = {"industry": policy.trade}
    for name, fact in FACTS.items():
        if name == "industry":
            continue
        if name == "failure":
            chosen[name] = draw.choice(failures_of(policy.trade))
        elif fact.values is not None:
            chosen[name] = draw.choice(fact.values)
        elif draw.random() < 0.6:
            chosen[name] = draw.choice(_edges(policy, name))
        else:
            # Small numbers as often as large ones.
            chosen[name] = min(fact.most, int(fact.most ** draw.random()))
    return Facts(**chosen)


def _edges(policy: Policy, name: str) -> tuple[int, ...]:
    fact = FACTS[name]
    found = {fact.least, fact.most}
    for table in policy.tables.values():
        if name in table.reads:
            found |= set(values_of(table, name))
    return tuple(sorted(found))


def _compared(
    policy: Policy,
    composition: Composition,
    facts: Facts,
    decision: Decision,
    draw: random.Random,
) -> Iterator[str]:
    found = composition.rows(facts)
    for name in ORDER:
        row = found[name]
        fired = decision.row(name)
        if name == "goodwill":
            continue
        if (row.rule if row else None) != fired.get("rule"):
            used, meant = fired.get("rule"), row and row.rule
            yield f"引擎在表 {name} 用了 {used}，组合是 {meant}：{_named(facts)}"
    most = level(found)
    if decision.level > most or (decision.level < most and not _capped(policy, facts, decision)):
        yield f"心意档 {decision.level}，组合是 {most}：{_named(facts)}"
    if _money_back(decision.remedies) > facts.paid:
        yield f"退的钱超过实付：{_named(facts)}"
    if decision.goodwill_worth.fen > cap(facts.paid):
        yield f"心意 {decision.goodwill_worth.fen} 分超过实付的八成：{_named(facts)}"
    if not facts.choice:
        missing = unmet(facts, decision.floor)
        if missing:
            yield f"没有做到 {missing[0]}：{_named(facts)}"
    if facts.finding == "alleged" and (
        decision.goodwill
        or any(one["kind"] == "damages" for one in decision.floor)
        or not (decision.provisional and decision.person)
    ):
        yield f"仅属指称时给了不该给的，或没有人跟进：{_named(facts)}"
    for what, other in _twins(facts, draw):
        theirs = policy.decide(other)
        if what == "same":
            if theirs.remedies != decision.remedies or theirs.worth != decision.worth:
                yield f"心情不同，给的不同：{_named(facts)}"
        elif not theirs.worth.at_least(decision.worth):
            yield f"{what}，反而给得少：{_named(facts)} → {_named(other)}"


def _money_back(remedies: Iterable[Remedy]) -> int:
    return sum(one["worth"] for one in remedies if one["kind"] in MONEY_BACK)


def _capped(policy: Policy, facts: Facts, decision: Decision) -> bool:
    """Whether one level more would have passed the cap."""
    row = policy.goodwill_at(facts.failure, decision.level + 1)
    return worth(row.said["remedies"], facts.paid, policy.prices).fen > cap(facts.paid)


def _twins(facts: Facts, draw: random.Random) -> Iterator[tuple[str, Facts]]:
    """One other story each: the same told calmly, and one thing that may not bring less."""
    calm = without_manner(facts)
    yield "same", replace(calm, anger=3 - facts.anger, escalation=not facts.escalation)
    more: list[tuple[str, Callable[[], Facts]]] = [
        ("影响更重", lambda: replace(facts, harm=_next(HARMS, facts.harm))),
        ("等得更久", lambda: replace(facts, wait_hours=min(87_600, facts.wait_hours + 24))),
        ("会员等级更高", lambda: replace(facts, tier=_next(TIERS, facts.tier))),
        ("再犯次数更多", lambda: replace(facts, recurrence=min(1000, facts.recurrence + 1))),
        ("再谈一轮", lambda: replace(facts, round=min(2, facts.round + 1))),
    ]
    what, make = draw.choice(more)
    yield what, make()


def _next(order: Sequence[str], value: str) -> str:
    return order[min(len(order) - 1, order.index(value) + 1)]


__all__ = ["Proof", "prove", "prove_tables", "prove_trade"]
