"""The remedy policy as it runs: its examples, its facts, its words, and what must always hold."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from recovery.failures import FAILURES, TRADES
from recovery.remedy.book import (
    MANIFEST,
    Book,
    PolicyFileError,
    load_book,
    read_directory,
    save_book,
)
from recovery.remedy.catalogue import (
    KINDS,
    MONEY_BACK,
    BadRemedyError,
    Remedy,
    card,
    check,
    kind_of,
    percent,
    plain,
    share,
    steps,
    yuan,
)
from recovery.remedy.examples import failed_examples, read_examples
from recovery.remedy.facts import (
    CHOICES,
    EVIDENCE,
    FACTS,
    FAULTS,
    FINDINGS,
    HARMS,
    MOST_MONEY,
    MOST_ROUNDS,
    TIERS,
    Facts,
    FactsError,
)
from recovery.remedy.law import unmet
from recovery.remedy.policy import Decision, Policy, PolicyError, without_manner
from recovery.remedy.running import BUILT_IN, RunningPolicy, running
from recovery.remedy.schema import AUTHORITIES, FILES, INPUTS, ORDER, TABLES, WORTH_TABLES
from recovery.remedy.worth import cap, worth

DAY = date(2026, 11, 22)
BOOK = running().book


def policy_of(trade: str) -> Policy:
    return running().on(trade, DAY)


# --- the examples that stand beside the rows --------------------------------------------------


def every_example() -> Iterator[Any]:
    for file in FILES:
        for number, one in enumerate(read_examples(BUILT_IN, file)):
            yield pytest.param(file, one, id=f"{one['rule']}-{number}")


@pytest.mark.parametrize(("file", "example"), list(every_example()))
def test_example(file: str, example: dict[str, Any]) -> None:
    wrong = failed_examples(BOOK, file, [example], DAY)
    assert [line for line in wrong if not line.endswith("没有例子")] == []


@pytest.mark.parametrize("file", FILES)
def test_every_row_has_an_example_that_tells_it(file: str) -> None:
    told = read_examples(BUILT_IN, file)
    assert failed_examples(BOOK, file, told, DAY) == []
    for one in told:
        assert re.search("[\u4e00-\u9fff]{2}", one["told"]), one


@pytest.mark.parametrize(
    "change",
    [
        {"goodwill_fen": 1},
        {"authority": "manager"},
        {"floor": ["refund_full"]},
        {"goodwill": []},
        {"rule": "H-NOISE-F1"},
        {"facts": {"failure": "noise"}},
    ],
)
def test_an_example_that_is_wrong_fails(change: dict[str, Any]) -> None:
    told = next(one for one in read_examples(BUILT_IN, "hotel") if one["rule"] == "H-REST-G3")
    wrong = failed_examples(BOOK, "hotel", [{**told, **change}], DAY)
    assert [line for line in wrong if not line.endswith("没有例子")]


# --- facts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [one for one, fact in FACTS.items() if fact.values is None])
@pytest.mark.parametrize("value", [1.0, 7.5, "1", "", None, True, -1, 10**9, float("nan"), [1]])
def test_a_number_is_a_whole_number_within_bounds(name: str, value: object) -> None:
    facts = policy_of("shop").facts("wrong_item", 30_000)
    with pytest.raises(FactsError, match=name):
        replace(facts, **{name: value})


@pytest.mark.parametrize("name", [one for one, fact in FACTS.items() if fact.values is not None])
@pytest.mark.parametrize("value", ["没听过", 1, 0, None, 1.0, "' or true"])
def test_a_name_is_one_of_those_that_are_known(name: str, value: object) -> None:
    facts = policy_of("shop").facts("wrong_item", 30_000)
    with pytest.raises(FactsError, match=name):
        replace(facts, **{name: value})


def test_the_most_that_can_be_paid_is_still_taken() -> None:
    assert policy_of("shop").facts("late", MOST_MONEY).paid == MOST_MONEY
    with pytest.raises(FactsError, match="paid"):
        policy_of("shop").facts("late", MOST_MONEY + 1)


def test_why_numbers_are_checked_before_the_engine_sees_them() -> None:
    """The engine refuses nothing: a text finds no row, half a day counts for a whole one."""
    policy = policy_of("shop")
    wire = policy.facts("wrong_item", 30_000).to_wire()

    def fired(**other: object) -> dict[str, Any]:
        result: dict[str, Any] = policy._engine.evaluate("shop", {**wire, **other})["result"]
        return result

    assert fired()["amount_row"]["rule"] == "C-AMOUNT-BOT"
    assert "amount_row" not in fired(paid="30000")
    assert "amount_row" not in fired(paid=True)
    assert fired(days=7)["floor_row"] != fired(days=7.5)["floor_row"]
    assert fired(paid=-5)["floor_row"]["rule"] == "S-WRONG-F1"


def test_facts_travel_as_they_are() -> None:
    facts = policy_of("hotel").facts("noise", 60_000, harm="plans", tier="gold", first_time=True)
    assert Facts.from_wire(json.loads(json.dumps(facts.to_wire()))) == facts
    with pytest.raises(FactsError, match="mood"):
        Facts.from_wire({**facts.to_wire(), "mood": 1})
    with pytest.raises(FactsError, match="paid"):
        Facts.from_wire({k: v for k, v in facts.to_wire().items() if k != "paid"})


def test_what_is_unknown_is_assumed_as_the_tables_say() -> None:
    facts = policy_of("shop").facts("fake", 10_000, harm=None, fault=None)
    assert (facts.finding, facts.fault, facts.harm) == ("alleged", "unclear", "slight")


@pytest.mark.parametrize("trade", TRADES)
def test_a_failure_of_another_trade_is_none_of_ours(trade: str) -> None:
    foreign = [one.name for one in FAILURES.values() if trade not in one.industries]
    for failure in (*foreign, "unknown", "", "没听过"):
        with pytest.raises(PolicyError, match=trade):
            policy_of(trade).facts(failure, 10_000)


@pytest.mark.parametrize("trade", ["airline", "", "../hotel", "common"])
def test_a_trade_without_tables_is_no_silence(trade: str) -> None:
    with pytest.raises(PolicyError, match="no remedy tables"):
        Policy(BOOK, trade, DAY)


# --- what must hold of every decision ---------------------------------------------------------


def edges(policy: Policy, name: str) -> list[int]:
    """Numbers about which some table of the policy decides differently."""
    least, most = INPUTS[name].least, INPUTS[name].most
    near = {least, most}
    for table in policy.tables.values():
        for row in table.rows:
            for number in re.findall(r"\d+", row.cells.get(name, "")):
                near |= {int(number) - 1, int(number), int(number) + 1}
    return sorted(one for one in near if least <= one <= most)


@st.composite
def any_facts(draw: st.DrawFn, trade: str, **fixed: Any) -> Facts:  # noqa: ANN401 - of FACTS
    """Whole facts of a trade; numbers at the edges of the tables, or anywhere."""
    policy = policy_of(trade)

    def number(name: str) -> int:
        fact = FACTS[name]
        close = st.sampled_from(edges(policy, name))
        return draw(st.one_of(close, st.integers(fact.least, fact.most)))

    given_: dict[str, Any] = {
        "industry": trade,
        "failure": draw(st.sampled_from(sorted(policy.failures))),
        "fault": draw(st.sampled_from(FAULTS)),
        "finding": draw(st.sampled_from(FINDINGS)),
        "harm": draw(st.sampled_from(HARMS)),
        "tier": draw(st.sampled_from(TIERS)),
        "first_time": draw(st.booleans()),
        "evidence": draw(st.sampled_from(EVIDENCE)),
        "choice": draw(st.sampled_from(CHOICES)),
        "escalation": draw(st.booleans()),
    }
    for name in ("paid", "days", "wait_hours", "recurrence", "claims", "tenure_days"):
        given_[name] = number(name)
    given_["round"] = draw(st.integers(0, MOST_ROUNDS))
    given_["anger"] = draw(st.integers(0, 3))
    return Facts(**{**given_, **fixed})


def decided(facts: Facts) -> Decision:
    return policy_of(facts.industry).decide(facts)


per_trade = pytest.mark.parametrize("trade", TRADES)
many = settings(max_examples=40, deadline=None)


@per_trade
@many
@given(data=st.data())
def test_calm_and_furious_get_the_same(trade: str, data: st.DataObject) -> None:
    facts = data.draw(any_facts(trade))
    calm = decided(without_manner(facts))
    other = decided(replace(facts, anger=data.draw(st.integers(0, 3)), escalation=True))
    assert other.remedies == calm.remedies
    assert other.worth == calm.worth
    assert other.level == calm.level
    assert AUTHORITIES.index(other.authority) >= AUTHORITIES.index(calm.authority)


@per_trade
@many
@given(data=st.data())
def test_what_is_worse_never_brings_less(trade: str, data: st.DataObject) -> None:
    facts = data.draw(any_facts(trade))
    before = decided(facts)
    more = (
        replace(facts, harm=HARMS[min(3, HARMS.index(facts.harm) + 1)]),
        replace(facts, wait_hours=min(87_600, facts.wait_hours + data.draw(st.integers(1, 200)))),
        replace(facts, tier=TIERS[min(2, TIERS.index(facts.tier) + 1)]),
        replace(facts, tenure_days=min(36_500, facts.tenure_days + 400)),
        replace(facts, recurrence=min(1_000, facts.recurrence + 1)),
        replace(facts, round=min(MOST_ROUNDS, facts.round + 1)),
    )
    for other in more:
        assert decided(other).worth.at_least(before.worth), (facts, other)
        assert decided(other).floor == before.floor


@per_trade
@many
@given(data=st.data())
def test_goodwill_is_capped_and_no_more_money_goes_back_than_came(
    trade: str, data: st.DataObject
) -> None:
    facts = data.draw(any_facts(trade))
    decision = decided(facts)
    assert decision.goodwill_worth.fen <= cap(facts.paid) <= facts.paid * 8 // 10
    back = sum(one["worth"] for one in decision.remedies if one["kind"] in MONEY_BACK)
    assert back <= facts.paid


@per_trade
@many
@given(data=st.data())
def test_what_is_owed_is_always_part_of_the_offer(trade: str, data: st.DataObject) -> None:
    facts = data.draw(any_facts(trade))
    decision = decided(facts)
    assert decision.floor, "an explanation at least"
    assert tuple(decision.remedies[: len(decision.floor)]) == decision.floor
    assert {one["part"] for one in decision.floor} == {"floor"}
    assert {one["part"] for one in decision.goodwill} <= {"goodwill"}
    assert unmet(facts, decision.floor) == []
    plainer = decided(replace(facts, choice=""))
    assert decision.worth.fen == plainer.worth.fen, "another form is worth the same"


@per_trade
@many
@given(data=st.data())
def test_what_is_only_alleged_gets_care_and_a_person(trade: str, data: st.DataObject) -> None:
    decision = decided(data.draw(any_facts(trade, finding="alleged")))
    assert decision.goodwill == ()
    assert decision.provisional
    assert decision.person
    assert not {"damages", "apology"} & {one["kind"] for one in decision.remedies}


@per_trade
@many
@given(data=st.data())
def test_money_is_integer_throughout_and_every_offer_can_be_told(
    trade: str, data: st.DataObject
) -> None:
    facts = data.draw(any_facts(trade))
    decision = decided(facts)
    for one in decision.remedies:
        for name, value in one.items():
            assert type(value) in (int, str), (name, value)
            assert not isinstance(value, int) or value >= 0
        assert check(one) == one
    for sum_ in (decision.worth.fen, decision.floor_worth.fen, decision.goodwill_worth.fen):
        assert type(sum_) is int
    told = plain(decision.remedies, decision.reason)
    fit_to_be_read(told)
    assert decision.reason
    assert all(decision.reasons)
    assert len(decision.reasons) == len(set(decision.reasons))


@per_trade
@many
@given(data=st.data())
def test_a_decision_replays_to_the_same_from_what_was_stored(
    trade: str, data: st.DataObject
) -> None:
    decision = decided(data.draw(any_facts(trade)))
    stored = json.loads(json.dumps(decision.facts.to_wire()))
    archived = ARCHIVED[trade]
    again = archived.decide(Facts.from_wire(stored))
    assert again == decision
    assert again.policy == decision.policy
    assert again.rules == decision.rules


def _archived() -> dict[str, Policy]:
    bundle = json.loads(json.dumps(BOOK.to_bundle()))
    book = Book.from_bundle(bundle)
    return {trade: Policy(book, trade, DAY) for trade in TRADES}


ARCHIVED = _archived()


@pytest.mark.parametrize("trade", TRADES)
def test_many_at_once_are_decided_as_one_by_one(trade: str) -> None:
    policy = policy_of(trade)
    many = [policy.facts(failure, 50_000, round=n % 3) for n, failure in enumerate(policy.failures)]
    assert policy.decide_all(many) == [policy.decide(one) for one in many]


@pytest.mark.parametrize("trade", TRADES)
def test_each_failure_gets_a_whole_decision(trade: str) -> None:
    policy = policy_of(trade)
    assert set(policy.failures) == {
        one.name for one in FAILURES.values() if trade in one.industries
    }
    for failure in policy.failures:
        decision = policy.decide(policy.facts(failure, 50_000))
        assert decision.policy == BOOK.name
        assert decision.authority in AUTHORITIES
        assert {one.table for one in decision.fired} == {
            name for name in ORDER if TABLES[name].total
        }
        assert all(one.said["source"] for one in decision.fired)


def test_no_table_of_worth_reads_what_steers_manner() -> None:
    for trade in TRADES:
        for name in WORTH_TABLES:
            for fact in policy_of(trade).tables[name].reads:
                assert fact not in FACTS or FACTS[fact].steers == "worth", (trade, name, fact)


def test_goodwill_that_would_pass_the_cap_falls_to_the_highest_level_that_does_not() -> None:
    policy = policy_of("hotel")
    for paid in (0, 1, 5_000, 10_000, 20_000, 60_000):
        decision = policy.decide(policy.facts("room_not_clean", paid))
        assert decision.goodwill_worth.fen <= share(paid, 8_000)
        if decision.level < 3:
            above = policy.goodwill_at("room_not_clean", decision.level + 1).said["remedies"]
            assert worth(above, paid, policy.prices).fen > cap(paid)


def test_reasons_name_what_raised_goodwill_only_where_there_is_goodwill() -> None:
    policy = policy_of("hotel")
    rich = policy.decide(policy.facts("noise", 60_000, recurrence=1, tier="gold"))
    assert len(rich.reasons) == 4
    poor = policy.decide(policy.facts("noise", 0, recurrence=1, tier="gold"))
    assert poor.goodwill == ()
    assert len(poor.reasons) == 1
    chosen = policy.decide(policy.facts("noise", 60_000, choice="refund"))
    assert chosen.reasons[0] == chosen.row("choices")["reason"]


# --- the running policy -----------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def changed(book: Book, version: str, directory: Path) -> Book:
    """The same policy with a dearer dessert, as it would be released."""
    save_book(replace(book, version=version), directory)
    path = directory / "hotel.json"
    path.write_text(
        path.read_text("utf-8").replace("'大堂吧每份甜品的价格'", "'大堂吧一份甜品'"), "utf-8"
    )
    fresh = read_directory(directory, version, book.day, book.note)
    save_book(fresh, directory)
    return fresh


def test_a_right_change_is_taken_within_seconds(tmp_path: Path) -> None:
    save_book(BOOK, tmp_path)
    clock = Clock()
    policy = RunningPolicy(tmp_path, clock=clock)
    before = policy.on("hotel", DAY)
    fresh = changed(BOOK, "next-1", tmp_path)
    assert fresh.name != BOOK.name
    assert policy.book.name == BOOK.name, "not looked at again so soon"
    clock.now += 3
    with capture_logs() as logs:
        assert policy.book.name == fresh.name
    assert [one["event"] for one in logs] == ["policy changed"]
    assert policy.on("hotel", DAY) is not before
    assert policy.on("hotel", DAY).name == fresh.name


def test_a_wrong_change_is_logged_once_and_the_former_policy_goes_on(tmp_path: Path) -> None:
    save_book(BOOK, tmp_path)
    clock = Clock()
    policy = RunningPolicy(tmp_path, clock=clock)
    path = tmp_path / "shop.json"
    right = path.read_text("utf-8")
    path.write_text(right.replace('"days": "<= 7"', '"days": "ungefähr 7"', 1), "utf-8")
    clock.now += 3
    with capture_logs() as logs:
        assert policy.on("shop", DAY).name == BOOK.name
        clock.now += 3
        assert policy.on("hotel", DAY).name == BOOK.name
    (refused,) = logs
    assert refused["log_level"] == "error"
    assert any("shop.json" in line and "days" in line for line in refused["wrong"])
    path.write_text(right, "utf-8")
    clock.now += 3
    assert policy.book.name == BOOK.name


def test_a_change_without_release_is_refused(tmp_path: Path) -> None:
    """Tables that are not those of the manifest could not be named in a decision."""
    save_book(BOOK, tmp_path)
    path = tmp_path / "hotel.json"
    path.write_text(path.read_text("utf-8").replace("'大堂吧每份甜品的价格'", "'别的'"), "utf-8")
    with pytest.raises(PolicyFileError, match="release"):
        load_book(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"days": "<= 7"', '"days": "seven"', ("shop.json", "S-", "days")),
        ("{kind: 'resend'}", "{kind: 'a_car'}", ("shop.json", "S-", "remedies")),
        (
            '"authority": "\'agent\'"',
            '"authority": "\'anybody\'"',
            ("shop.json", "S-", "authority"),
        ),
    ],
)
def test_a_wrong_policy_at_the_start_names_file_row_and_column(
    tmp_path: Path, old: str, new: str, named: tuple[str, ...]
) -> None:
    save_book(BOOK, tmp_path)
    path = tmp_path / "shop.json"
    right = path.read_text("utf-8")
    assert old in right
    path.write_text(right.replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyFileError) as error:
        RunningPolicy(tmp_path)
    for part in named:
        assert part in str(error.value), str(error.value)


def test_a_restart_with_a_broken_policy_goes_on_with_the_last_good_one(tmp_path: Path) -> None:
    files, kept = tmp_path / "policy", tmp_path / "last"
    save_book(BOOK, files)
    assert RunningPolicy(files, kept).book.name == BOOK.name
    (files / "hotel.json").write_text("{", "utf-8")
    with capture_logs() as logs:
        assert RunningPolicy(files, kept).on("hotel", DAY).name == BOOK.name
    assert [one["log_level"] for one in logs] == ["error"]
    with pytest.raises(PolicyFileError, match=r"hotel\.json"):
        RunningPolicy(files, tmp_path / "nothing")


def test_without_files_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=MANIFEST):
        RunningPolicy(tmp_path)


# --- the catalogue ----------------------------------------------------------------------------

RECEIPT = {
    "room": "1501",
    "shipment": "HX1",
    "pickup": "QJ1",
    "ticket": "GD1",
    "coupon": "Q1",
    "refund": "T1",
    "fen": 1_550,
    "points": 300,
}
FORMER = {"free_dinner": {"persons": 2}, "stay_discount": {"bp": 1_500}}


def example_of(kind: str, **more: object) -> Remedy:
    remedy: Remedy = {"kind": kind}
    for parameter in KINDS[kind].parameters:
        if not parameter.optional or parameter.name == "fen":
            remedy[parameter.name] = 30
    return {**remedy, **more}


def fit_to_be_read(text: str) -> None:
    """Whole words only: no braces, no marks twice, nothing a program would say."""
    assert text
    assert not re.search(r"[{}<>_\[\]]|None|nan|[a-z]{2,}", text), text
    assert not re.search("[，。；、：？！]{2}|（）|  ", text), text


@pytest.mark.parametrize("trade", TRADES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_remedy_can_be_told_in_every_trade(kind: str, trade: str) -> None:
    remedy = check(example_of(kind, trade=trade, part="goodwill"))
    words = kind_of(remedy)
    done = words.done(remedy, RECEIPT)
    for text in (words.title(remedy), words.detail(remedy), words.step(remedy)):
        fit_to_be_read(text)
        assert not text.endswith(("。", "，", "；")), "it is put into sentences and cards"
    assert done
    assert not re.search(r"[{}]|None|[，。；、：？！]{2}", done), done
    assert not done.endswith("。")
    timed = (
        check(example_of(kind, trade=trade, by="今天14:00前")) if "minutes" in remedy else remedy
    )
    fit_to_be_read(words.step(timed) + words.detail(timed))
    if "minutes" in remedy:
        assert "今天14:00前" in words.step(timed) + words.detail(timed), "a time is always told"


@pytest.mark.parametrize("kind", FORMER)
@pytest.mark.parametrize("trade", [None, *TRADES])
def test_former_kinds_still_have_words(kind: str, trade: str | None) -> None:
    """They stand in offers that were accepted before and are still being carried out."""
    remedy: Remedy = {"kind": kind, **FORMER[kind]}
    if trade:
        remedy["trade"] = trade
    words = kind_of(check(remedy))
    for text in (words.title(remedy), words.detail(remedy), words.step(remedy)):
        fit_to_be_read(text)
    assert RECEIPT["coupon"] in words.done(remedy, RECEIPT)  # type: ignore[operator]


def test_words_fit_the_trade() -> None:
    def told(kind: str, trade: str, **more: object) -> str:
        remedy = example_of(kind, trade=trade, **more)
        words = kind_of(remedy)
        return words.title(remedy) + words.detail(remedy) + words.step(remedy)

    for trade in ("shop", "retail"):
        assert "师傅" not in told("repair", trade), "nobody comes to mend a kettle"
    assert "师傅到场" in told("repair", "property")
    assert "同等或更好" in told("rebooking", "travel")
    assert "房间" in told("rebooking", "hotel")
    assert "想退的" in told("courier_pickup", "travel")
    assert "正确的" not in told("resend", "shop"), "a lost article is not a wrong one"
    assert "月白手冲咖啡杯" in told("resend", "shop", product="月白手冲咖啡杯")
    assert "到场" in told("expedite", "property")
    assert "送到您手上" in told("expedite", "shop")
    assert "物业费" in told("voucher", "property")
    for trade in ("hotel", "travel"):
        for kind in ("free_meal", "free_dessert", "free_drink", "service_upgrade"):
            assert "下" in told(kind, trade) or "再来" in told(kind, trade), "it may be over"


def test_a_product_is_named_where_there_is_one() -> None:
    named = example_of("exchange", product="月白手冲咖啡杯", sku="CUP-01")
    assert "月白手冲咖啡杯" in KINDS["exchange"].title(named)
    recommended = {"kind": "recommendation", "bp": 500, "product": "细口手冲壶", "sku": "KET-01"}
    assert "细口手冲壶" in KINDS["recommendation"].title(recommended)


def test_a_step_is_told_once() -> None:
    twice = [example_of("voucher"), example_of("voucher"), example_of("points")]
    assert len(steps(twice)) == 2
    assert len(card(twice)) == 3


def test_an_offer_in_plain_words_says_what_why_and_what_next() -> None:
    text = plain(
        [example_of("free_meal", trade="hotel"), example_of("room_change")], "房间没打扫好"
    )
    assert text.splitlines()[0].startswith("1. 请您吃一顿30位的正餐")
    assert "这样安排，是因为房间没打扫好。" in text
    assert "30分钟内同事到房门口接您换房" in text


@pytest.mark.parametrize(
    "remedy",
    [
        None,
        [],
        "voucher",
        {},
        {"kind": "a_car"},
        {"kind": ["voucher"]},
        {"kind": "voucher"},
        {"kind": "voucher", "fen": None},
        {"kind": "voucher", "fen": "2000"},
        {"kind": "voucher", "fen": 2000.5},
        {"kind": "voucher", "fen": -1},
        {"kind": "voucher", "fen": True},
        {"kind": "voucher", "fen": float("nan")},
        {"kind": "voucher", "fen": float("inf")},
        {"kind": "refund_part"},
        {"kind": "refund_part", "bp": 100, "fen": 100},
        {"kind": "refund_part", "bp": 10.5},
    ],
)
def test_what_is_no_remedy_is_refused(remedy: object) -> None:
    with pytest.raises(BadRemedyError):
        check(remedy)


def test_a_whole_number_that_came_as_a_float_is_that_number() -> None:
    checked = check({"kind": "voucher", "fen": 2000.0})
    assert checked == {"kind": "voucher", "fen": 2000}
    assert type(checked["fen"]) is int


# --- money ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fen", "said"),
    [(0, "0元"), (1, "0.01元"), (50, "0.50元"), (1500, "15元"), (1550, "15.50元"), (105, "1.05元")],
)
def test_money_is_said_in_yuan(fen: int, said: str) -> None:
    assert yuan(fen) == said


@pytest.mark.parametrize(
    ("basis_points", "said"),
    [(1500, "15%"), (1250, "12.5%"), (1205, "12.05%"), (5, "0.05%"), (10000, "100%"), (0, "0%")],
)
def test_rates_are_said_in_percent(basis_points: int, said: str) -> None:
    assert percent(basis_points) == said


@given(st.integers(0, 10**9))
def test_no_fen_is_lost_in_saying_it(fen: int) -> None:
    whole, _, rest = yuan(fen).removesuffix("元").partition(".")
    assert int(whole) * 100 + int(rest or 0) == fen


@given(st.integers(0, MOST_MONEY), st.integers(0, 10_000))
def test_a_share_is_rounded_down_to_whole_fen(paid: int, rate: int) -> None:
    part = share(paid, rate)
    assert type(part) is int
    assert part * 10_000 <= paid * rate < (part + 1) * 10_000
