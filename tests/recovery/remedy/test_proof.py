"""The proof finds nothing in a good policy, and every way in which one can be damaged."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from recovery.remedy.book import Book, Row
from recovery.remedy.proof import prove, prove_tables, prove_trade
from recovery.remedy.schema import COMMON
from tests.recovery.remedy import policies
from tests.recovery.remedy.policies import damaged, find, with_table

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def good() -> Book:
    return policies.book()


def changed(**rules: Mapping[str, Any]) -> Book:
    """The policy with other columns in some rows; `_` stands for the dash of a rule."""
    seed = policies.seed()
    for rule, columns in rules.items():
        find(seed, rule.replace("_", "-")).update(columns)
    return policies.book(seed)


def common(book: Book) -> list[str]:
    return prove_tables(book, COMMON, DAY).wrong


def one_says(wrong: list[str], *parts: str) -> bool:
    return any(all(part in line for part in parts) for line in wrong)


@pytest.mark.parametrize("trade", list(policies.LETTER))
def test_nothing_is_found_in_a_good_policy(good: Book, trade: str) -> None:
    proof = prove_trade(good, trade, whole=500)
    assert proof.wrong == []
    assert proof.whole == 500
    assert proof.combinations > 0


def test_the_whole_proof_runs_in_processes_and_finds_nothing(good: Book) -> None:
    proof = prove(good, whole=600)
    assert proof.wrong == []
    assert proof.whole == 600


def test_the_same_seed_draws_the_same_facts(good: Book) -> None:
    first, again = (prove_trade(good, "hotel", whole=100, seed=1) for _ in range(2))
    assert first == again


def test_a_gap_is_found() -> None:
    book = changed(C_AMOUNT_AGENT={"paid": "[1000002..10000000]"})
    assert one_says(common(book), "表 amount", "没有一行回答", "paid=1000001")


def test_a_gap_from_a_day_on_is_found() -> None:
    book = changed(H_GW_4={"effective_to": "2027-03-31"})
    assert prove_trade(book, "hotel", DAY, whole=100).wrong == []
    wrong = prove(book, whole=0, workers=1).wrong
    assert one_says(wrong, "hotel.json：表 goodwill", "没有一行回答", "level=4")


def test_a_contradiction_is_found(good: Book) -> None:
    table = good.files["hotel"]["goodwill"]
    rows = list(table.rows)
    rows[2] = Row("hotel", "goodwill", {"level": "[1..2]"}, rows[2].said)
    wrong = prove_trade(with_table(good, replace(table, rows=tuple(rows))), "hotel").wrong
    assert one_says(wrong, "H-GW-1、H-GW-2 互相矛盾", "level=1")


def test_a_worse_failure_that_brings_less_is_found() -> None:
    wrong = common(changed(C_SEV_300={"severity": 1}))
    assert one_says(wrong, "weight 从 2 到 3，severity 反而变少", "harm=slight", "wait_hours=0")


def test_a_longer_wait_that_brings_less_is_found() -> None:
    wrong = common(changed(C_SEV_102={"severity": 1}))
    assert one_says(wrong, "wait_hours 从", "反而变少", "weight=1")


def test_a_longer_wait_of_a_newcomer_that_brings_less_is_found() -> None:
    wrong = common(changed(C_NEW_0={"points": 2}))
    assert one_says(wrong, "表 newcomer：wait_hours 从", "first_time=True")


def test_a_graver_matter_that_brings_a_lower_base_is_found() -> None:
    wrong = common(changed(C_BASE_OURS_OUTCOME_4={"points": 1}))
    assert one_says(wrong, "表 base：severity 从 3 到 4，points 反而变少", "fault=ours")


def test_a_tier_that_lowers_is_found() -> None:
    wrong = common(changed(C_LOY_GOLD={"points": 0}))
    assert one_says(wrong, "tier 从 silver 到 gold，points 反而变少", "tenure_days=1095")


def test_a_repeated_failure_that_brings_less_is_found() -> None:
    wrong = common(changed(C_REC_0={"points": 2}))
    assert one_says(wrong, "表 recurring：recurrence 从 0 到 1", "fault=ours")


def test_a_further_round_that_brings_less_is_found() -> None:
    assert one_says(common(changed(C_ROUND_2={"points": 0})), "round 从 1 到 2", "反而变少")


def test_anger_in_a_table_of_worth_is_found(good: Book) -> None:
    table = good.files[COMMON]["rounds"]
    rows = tuple(
        Row(COMMON, "rounds", {**row.cells, "anger": ">= 0"}, row.said) for row in table.rows
    )
    wrong = common(with_table(good, replace(table, reads=("round", "anger"), rows=rows)))
    assert one_says(wrong, "common.json：表 rounds：列 anger 只能影响态度")


APOLOGY = [{"kind": "apology"}]


@pytest.mark.parametrize(
    ("trade", "table", "rule", "said", "article"),
    [
        ("hotel", "law", "C-LAW-3", {"remedies": []}, "消法 §55"),
        ("retail", "law", "C-LAW-10", {"remedies": []}, "食品安全法 §148"),
        ("travel", "law", "C-LAW-1", {"remedies": []}, "旅游法 §70"),
        ("shop", "law", "C-LAW-3",
         {"remedies": [{"kind": "damages", "times": 2, "fen": 50_000}]}, "消法 §55"),
        ("restaurant", "law", "C-LAW-10",
         {"remedies": [{"kind": "damages", "times": 10, "fen": 99_999}]}, "食品安全法 §148"),
        ("shop", "floor", "S-DEFECTIVE-FLOOR-1", {"remedies": APOLOGY}, "七日内可退、可换"),
        ("retail", "floor", "M-DEFECTIVE-FLOOR-2", {"remedies": APOLOGY}, "七日后换货或修理"),
        ("shop", "floor", "S-WRONG-ITEM-FLOOR-1",
         {"remedies": [{"kind": "refund_full"}]}, "运费由卖方承担"),
        ("shop", "floor", "S-LOST-PARCEL-FLOOR", {"remedies": APOLOGY}, "消法 §52"),
        ("shop", "floor", "S-REFUND-DELAYED-FLOOR", {"remedies": APOLOGY}, "消法 §53"),
        ("hotel", "floor", "H-OVERBOOKED-FLOOR", {"remedies": APOLOGY}, "消法 §53"),
        ("travel", "floor", "T-CANCELLED-NO-REFUND-FLOOR", {"remedies": APOLOGY}, "旅游法 §65"),
    ],
)  # fmt: skip
def test_every_article_that_is_not_met_is_found(
    good: Book, trade: str, table: str, rule: str, said: dict[str, Any], article: str
) -> None:
    file = COMMON if table == "law" else trade
    wrong = prove_trade(damaged(good, file, table, {rule: said}), trade, DAY, whole=0).wrong
    assert one_says(wrong, "没有做到", article, "failure="), wrong


def test_damages_without_a_finding_or_by_the_bot_are_found(good: Book) -> None:
    paid = [{"kind": "damages", "times": 3, "fen": 50_000}]
    book = damaged(good, COMMON, "law", {"C-LAW-NONE": {"remedies": paid}})
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "C-LAW-NONE", "没有认定就不能给法定赔偿")
    assert one_says(wrong, "C-LAW-NONE", "不能由机器人给")


def test_goodwill_outside_its_band_is_found() -> None:
    book = changed(H_GW_2={"remedies": [{"kind": "voucher", "fen": 9_001},
                                        {"kind": "next_discount", "bp": 500}]})  # fmt: skip
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-GW-2，列 remedies：第 2 档的固定部分是 9001 分", "6000..9000")


def test_another_rate_than_that_of_the_band_is_found() -> None:
    book = changed(H_GW_2={"remedies": [{"kind": "voucher", "fen": 6_000}]})
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-GW-2，列 remedies：第 2 档的比例合计 0，应为 500")


def test_goodwill_of_the_lowest_level_is_found() -> None:
    book = changed(H_GW_0={"remedies": [{"kind": "explanation"}]})
    assert one_says(prove_trade(book, "hotel", DAY, whole=0).wrong, "第 0 档不给心意")


def test_bands_that_do_not_rise_are_found() -> None:
    book = changed(H_BAND_4={"least": 12_000})
    assert one_says(prove_trade(book, "hotel", DAY, whole=0).wrong, "第 4 档不高于第 3 档")


def test_what_is_owed_is_not_goodwill() -> None:
    book = changed(H_GW_4={"remedies": [{"kind": "refund_full"},
                                        {"kind": "voucher", "fen": 15_000},
                                        {"kind": "next_discount", "bp": 1_500}]})  # fmt: skip
    assert one_says(prove_trade(book, "hotel", DAY, whole=0).wrong, "应给的不能算作心意")


def test_something_without_a_price_that_is_taken_away_is_found() -> None:
    book = changed(H_GW_6={"remedies": [{"kind": "voucher", "fen": 26_000},
                                        {"kind": "next_discount", "bp": 2_500}]})  # fmt: skip
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-GW-6", "比 H-GW-5 少了没有价格的东西")


def test_goodwill_that_falls_at_some_amount_is_found() -> None:
    """Many small shares lose by rounding what one share keeps: at 19 fen 1 is left of 2."""
    rates = [{"kind": "next_discount", "bp": 750}, {"kind": "recommendation", "bp": 750}]
    book = changed(
        H_BAND_3={"rate": 1_500},
        H_GW_3={"remedies": [{"kind": "voucher", "fen": 15_000},
                             {"kind": "next_discount", "bp": 1_500}]},
        H_GW_4={"remedies": [{"kind": "voucher", "fen": 15_000}, *rates]},
    )  # fmt: skip
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-GW-4，列 remedies：实付 7 分时比 H-GW-3 少"), wrong


def test_a_row_that_is_never_reached_is_found(good: Book) -> None:
    seed = policies.seed()
    seed["hotel"]["choices"].append(
        {**find(seed, "H-CH-POINTS"), "rule": "H-CH-NEVER", "choice": "''"}
    )
    wrong = prove(policies.book(seed), whole=0, workers=1).wrong
    assert one_says(wrong, "hotel.json：表 choices，行 H-CH-NEVER：没有任何情况会用到这一行")


def test_a_missing_reason_is_found(good: Book) -> None:
    book = damaged(good, "hotel", "goodwill", {"H-GW-3": {"reason": " "}})
    assert one_says(prove_trade(book, "hotel", DAY).wrong, "行 H-GW-3，列 reason")


def test_a_choice_of_another_worth_is_found() -> None:
    more = [{"kind": "room_change", "minutes": 20}, {"kind": "refund_part", "bp": 100}]
    book = changed(H_CH_POINTS={"remedies": more})
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-CH-POINTS", "实付 9999 分时值 99 分", "failure=room_not_clean")


def test_a_choice_without_what_the_law_asks_is_found() -> None:
    book = changed(S_CH_RESEND={"remedies": [{"kind": "resend"}]})
    wrong = prove_trade(book, "shop", DAY, whole=0).wrong
    assert one_says(wrong, "行 S-CH-RESEND", "运费由卖方承担")


def test_a_choice_with_less_authority_is_found() -> None:
    book = changed(H_ROOM_NOT_CLEAN_FLOOR={"authority": "agent"})
    wrong = prove_trade(book, "hotel", DAY, whole=0).wrong
    assert one_says(wrong, "行 H-CH-POINTS，列 authority：低于 H-ROOM-NOT-CLEAN-FLOOR")


def test_goodwill_while_something_is_only_alleged_is_found() -> None:
    """Through the engine: table by table nothing is wrong with it."""
    book = changed(C_BASE_ALLEGED={"points": 1})
    wrong = prove_trade(book, "hotel", DAY, whole=500).wrong
    assert one_says(wrong, "仅属指称时给了不该给的", "finding=alleged")


def test_an_allegation_without_a_person_is_found() -> None:
    book = changed(C_ALL_ALLEGED={"person": False})
    wrong = prove_trade(book, "hotel", DAY, whole=500).wrong
    assert one_says(wrong, "没有人跟进", "finding=alleged")
