"""The remedy policy: a fair row for every failure, money in whole fen, words for every remedy."""

import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.failures import FAILURES, UNKNOWN
from recovery.remedy.catalogue import (
    KINDS,
    BadRemedyError,
    card,
    check,
    percent,
    plain,
    steps,
    yuan,
)
from recovery.remedy.policy import AUTHORITIES, Decision, Policy, PolicyError, policy_for

INDUSTRIES = ("hotel", "shop")
ROUNDS = range(4)
# What the receipt of the order system names, see `EmbeddedOrders`.
RECEIPT = {"room": "1501", "shipment": "HX1", "pickup": "QJ1", "ticket": "GD1", "coupon": "Q1"}


def decided(industry: str, failure: str, round_: int) -> Decision:
    decision = policy_for(industry).decide(failure, round_)
    assert decision is not None
    return decision


every_case = pytest.mark.parametrize(
    ("industry", "failure"),
    [
        (industry, failure.name)
        for industry in INDUSTRIES
        for failure in FAILURES.values()
        if industry in failure.industries
    ],
)


# --- the tables -----------------------------------------------------------------------------


@every_case
def test_every_failure_gets_a_decision_in_every_round(industry: str, failure: str) -> None:
    for round_ in ROUNDS:
        decision = decided(industry, failure, round_)
        assert decision.authority in AUTHORITIES
        assert decision.rule
        assert decision.source
        assert decision.reason
        assert not decision.reason.endswith(("。", "！", "，")), "a clause, put into a sentence"
        assert decision.facts == {"failure": failure, "round": round_}
        assert bool(decision.remedies) is (decision.authority == "bot"), (
            "the bot offers something, and only what it may"
        )


@every_case
def test_the_same_facts_give_the_same_remedy(industry: str, failure: str) -> None:
    assert decided(industry, failure, 0) == decided(industry, failure, 0)


def worth(remedy: dict[str, object]) -> tuple[int, ...]:
    """What of a remedy must not shrink when the customer asks for more."""
    return tuple(
        int(str(remedy[name]))
        for name in ("persons", "hour", "bp", "fen")
        if name in KINDS[str(remedy["kind"])].parameters
    )


def test_asking_for_more_never_gives_less() -> None:
    compared = 0
    for industry in INDUSTRIES:
        for failure in FAILURES:
            first, more = decided(industry, failure, 0), decided(industry, failure, 1)
            if more.authority == "bot":
                compared += 1
                not_less(first, more)
    assert compared > 10


def not_less(first: Decision, more: Decision) -> None:
    assert first != more
    before = {str(one["kind"]): worth(one) for one in first.remedies}
    after = {str(one["kind"]): worth(one) for one in more.remedies}
    # In place of a repair the room is changed, in place of a drink there is a dinner.
    better = {"repair": "room_change", "free_drink": "free_dinner"}
    for kind, value in before.items():
        if kind in after:
            assert after[kind] >= value, kind
        else:
            assert better.get(kind) in after, kind


@pytest.mark.parametrize("industry", INDUSTRIES)
def test_what_is_no_failure_of_the_trade_goes_to_a_person(industry: str) -> None:
    foreign = [one.name for one in FAILURES.values() if industry not in one.industries]
    for failure in (*foreign, UNKNOWN, "", "' or true", "没听过"):
        for round_ in ROUNDS:
            decision = decided(industry, failure, round_)
            assert (decision.authority, decision.remedies) == ("agent", []), failure


def test_an_allegation_of_fraud_is_decided_by_a_person() -> None:
    decision = decided("shop", "fake", 0)
    assert (decision.authority, decision.remedies) == ("agent", [])
    assert "假" not in decision.reason, "neither admitted nor denied"


def test_the_two_stories_are_told_as_in_the_field() -> None:
    hotel = [one["kind"] for one in decided("hotel", "room_not_clean", 0).remedies]
    assert hotel == ["room_change", "free_dinner", "stay_discount"]
    shop = [one["kind"] for one in decided("shop", "wrong_item", 0).remedies]
    assert shop == ["resend", "courier_pickup", "recommendation"]


@every_case
def test_numbers_are_whole(industry: str, failure: str) -> None:
    for round_ in ROUNDS:
        for remedy in decided(industry, failure, round_).remedies:
            for name in KINDS[str(remedy["kind"])].parameters:
                assert type(remedy[name]) is int, (remedy, name)
                assert remedy[name] > 0


def test_a_decision_names_the_table_it_came_from() -> None:
    text = resources.files("recovery.remedy").joinpath("tables/hotel.json").read_text("utf-8")
    version = Policy("hotel", text).version
    assert decided("hotel", "noise", 0).policy == version
    assert Policy("hotel", text).version == version
    assert Policy("hotel", text.replace("20", "25")).version != version


@pytest.mark.parametrize("industry", ["airline", "", "../hotel", "hotel.json"])
def test_an_industry_without_table_is_no_silence(industry: str) -> None:
    with pytest.raises(PolicyError):
        policy_for(industry)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"nodes": 7}'])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="spoilt"):
        Policy("spoilt", text)


def spoilt(**cells: str) -> Policy:
    """The hotel's table with other cells in its first row."""
    text = resources.files("recovery.remedy").joinpath("tables/hotel.json").read_text("utf-8")
    document = json.loads(text)
    (table,) = [node for node in document["nodes"] if node["type"] == "decisionTableNode"]
    table["content"]["rules"][0] |= cells
    return Policy("spoilt", json.dumps(document))


@pytest.mark.parametrize(
    "cells",
    [
        {"authority": "'anybody'"},
        {"authority": "null"},
        {"remedies": "[{kind: 'a_car'}]"},
        {"remedies": "[{kind: 'free_dinner'}]"},
        {"remedies": "[{kind: 'free_dinner', persons: 1.5}]"},
        {"remedies": "[{kind: 'free_dinner', persons: -2}]"},
        {"remedies": "[{kind: 'free_dinner', persons: '2'}]"},
        {"remedies": "[{kind: 'free_dinner', persons: true}]"},
        {"remedies": "['free_dinner']"},
        {"remedies": "null"},
    ],
)
def test_a_row_that_holds_nonsense_is_an_error_and_no_offer(cells: dict[str, str]) -> None:
    with pytest.raises(PolicyError, match="spoilt"):
        spoilt(**cells).decide("room_not_clean", 0)
    assert spoilt(**cells).decide("noise", 0), "the other rows go on"


# --- the catalogue --------------------------------------------------------------------------


def example(kind: str) -> dict[str, object]:
    return {"kind": kind, **dict.fromkeys(KINDS[kind].parameters, 30)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_remedy_can_be_told(kind: str) -> None:
    remedy = check(example(kind))
    words = KINDS[kind]
    for text in (words.title(remedy), words.detail(remedy), words.step(remedy)):
        assert text
        assert "{" not in text
        assert "None" not in text
        assert not text.endswith("。"), "it is put into sentences and cards"
    done = words.done(remedy, RECEIPT)
    assert "{" not in done
    assert any(value in done for value in RECEIPT.values()) or kind in (
        "clean_again",
        "late_checkout",
        "manager_call",
    )


def test_a_product_is_named_where_there_is_one() -> None:
    named = {**example("resend"), "product": "月白手冲咖啡杯", "sku": "CUP-01"}
    assert "月白手冲咖啡杯" in KINDS["resend"].title(named)
    recommended = {**example("recommendation"), "product": "细口手冲壶", "sku": "KET-01"}
    assert "细口手冲壶" in KINDS["recommendation"].title(recommended)


def test_a_step_is_told_once() -> None:
    twice = [example("stay_discount"), example("recommendation"), example("stay_discount")]
    assert len(steps(twice)) == len(set(steps(twice))) == 1
    assert len(card(twice)) == 3


def test_an_offer_in_plain_words_says_what_why_and_what_next() -> None:
    text = plain([example("free_dinner"), example("room_change")], "房间没打扫好")
    assert text.splitlines()[0].startswith("1. 请您吃一顿30位的晚餐")
    assert "房间没打扫好" in text
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
    ],
)
def test_what_is_no_remedy_is_refused(remedy: object) -> None:
    with pytest.raises(BadRemedyError):
        check(remedy)


def test_a_whole_number_that_came_as_a_float_is_that_number() -> None:
    checked = check({"kind": "voucher", "fen": 2000.0})
    assert checked == {"kind": "voucher", "fen": 2000}
    assert type(checked["fen"]) is int


# --- money ----------------------------------------------------------------------------------


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
