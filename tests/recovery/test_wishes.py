"""Remedies as staff wish them: read strictly, never below the law, and who may give them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.business import Departures
from recovery.failures import TRADES
from recovery.remedy.catalogue import KINDS, MONEY_BACK
from recovery.remedy.departing import judge, may_offer_words
from recovery.remedy.elsewhere import NOWHERE, Elsewhere, Promised, elsewhere
from recovery.remedy.facts import CHOICES, FAULTS, FINDINGS, HARMS
from recovery.remedy.law import unmet
from recovery.remedy.policy import Decision, Policy
from recovery.remedy.running import running
from recovery.remedy.wishes import (
    MOST_WISHES,
    POLICY_ALONE,
    BadWishError,
    Wished,
    as_policy,
    as_wish,
    kinds_of,
    read_wishes,
    weigh,
)

DAY = date(2026, 11, 22)
LIMITS = Departures()


def policy(trade: str = "hotel") -> Policy:
    return running().on(trade, DAY)


def decision(failure: str = "room_not_clean", paid: int = 68_800, **known: Any) -> Decision:  # noqa: ANN401 - facts
    trade = known.pop("trade", "hotel")
    return policy(trade).decide(policy(trade).facts(failure, paid, **known))


def wished(
    one: Decision, *wishes: dict[str, Any], given: list[dict[str, Any]] | None = None
) -> Wished:
    read = read_wishes(list(wishes), policy(one.facts.industry))
    return weigh(read, one, given=given or [], most_beyond_paid=LIMITS.whole_offer)


ROOM = {"kind": "room_change", "minutes": 20}


# --- reading ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (None, "至少选一项"),
        ([], "至少选一项"),
        ("voucher", "至少选一项"),
        ([{"kind": "apology"}] * (MOST_WISHES + 1), "最多10项"),
        ([{"kind": "voucher", "fen": 1000}, {"kind": "voucher", "fen": 1}], "选了两次"),
        ([{"kind": "gold_bar"}], "这里没有"),
        ([{"kind": ["voucher"]}], "这里没有"),
        (["voucher"], "这里没有"),
        ([{"kind": "stay_discount", "bp": 100}], "这里没有"),
        ([{"kind": "courier_pickup"}], "这里没有"),
        ([{"kind": "voucher"}], "要写清"),
        ([{"kind": "voucher", "fen": 0}], "1到"),
        ([{"kind": "voucher", "fen": -5}], "1到"),
        ([{"kind": "voucher", "fen": 10.0}], "整数"),
        ([{"kind": "voucher", "fen": "10"}], "整数"),
        ([{"kind": "voucher", "fen": True}], "整数"),
        ([{"kind": "voucher", "fen": 10**12}], "1到"),
        ([{"kind": "voucher", "fen": 100, "worth": 1}], "没有'worth'"),
        ([{"kind": "voucher", "fen": 100, "part": "floor"}], "没有'part'"),
        ([{"kind": "refund_part", "fen": 100, "bp": 100}], "只写一种"),
        ([{"kind": "refund_part"}], "只写一种"),
        ([{"kind": "next_discount", "bp": 10_001}], "1到10000"),
        ([{"kind": "late_checkout", "hour": 26}], "12到20"),
        ([{"kind": "manager_call", "minutes": 100_000}], "1到10080"),
        ([{"kind": "free_meal", "persons": 500}], "1到20"),
    ],
)
def test_what_is_no_remedy_of_the_trade_is_refused_in_words(given: object, named: str) -> None:
    with pytest.raises(BadWishError) as refused:
        read_wishes(given, policy())
    assert refused.value.code == "bad_remedy"
    assert named in refused.value.sentence


@pytest.mark.parametrize("trade", TRADES)
def test_staff_may_wish_for_all_that_the_tables_give_but_damages(trade: str) -> None:
    known = kinds_of(policy(trade))
    assert not POLICY_ALONE & set(known)
    assert {"apology", "voucher", "refund_part"} <= set(known)
    assert set(policy(trade).prices) <= set(known)
    priced = [name for name in known if KINDS[name].unit_priced]
    assert set(priced) <= set(policy(trade).prices), "what has no price cannot be weighed"


# --- held beside the policy ---------------------------------------------------------------


def test_what_the_policy_gives_is_no_departure() -> None:
    one = decision()
    own = wished(one, *(as_wish(remedy) for remedy in one.remedies))
    assert own == as_policy(one)
    assert (own.departs, own.beyond_fen) == (False, 0)


def test_a_little_more_is_worth_that_much_more() -> None:
    one = decision()
    own = wished(one, *(as_wish(item) for item in one.remedies), {"kind": "voucher", "fen": 1_500})
    assert (own.departs, own.beyond_fen) == (True, 1_500)
    assert own.worth == one.worth.fen + 1_500
    assert own.policy_fen == one.worth.fen
    assert {item["part"] for item in own.remedies if item["kind"] == "room_change"} == {"floor"}
    assert own.floor_fen + own.goodwill_fen == own.worth


def test_what_is_owed_cannot_be_left_out_nor_come_later() -> None:
    one = decision()
    for wishes in (
        [{"kind": "voucher", "fen": 2_000}],
        [{"kind": "room_change", "minutes": 45}, {"kind": "voucher", "fen": 2_000}],
    ):
        with pytest.raises(BadWishError) as refused:
            wished(one, *wishes)
        assert refused.value.code == "below_floor"
    assert wished(one, {"kind": "room_change", "minutes": 10}).beyond_fen == 0
    better = wished(one, {"kind": "room_upgrade", "minutes": 10})
    assert better.departs, "a better room takes the place of another one"


def test_goods_may_be_had_in_any_form_that_the_policy_knows() -> None:
    one = decision("wrong_item", trade="shop", evidence="photo")
    others = [
        decision("wrong_item", trade="shop", evidence="photo", choice=choice)
        for choice in CHOICES
        if choice
    ]
    others = [other for other in others if other.row("choices")]
    wishes = read_wishes([{"kind": "refund_full"}, {"kind": "courier_pickup"}], policy("shop"))
    own = weigh(wishes, one, others, most_beyond_paid=0)
    assert own.worth == 68_800
    with pytest.raises(BadWishError):
        weigh(wishes[:1], one, others, most_beyond_paid=0)


def test_never_more_back_than_was_paid() -> None:
    one = decision()
    with pytest.raises(BadWishError) as refused:
        wished(one, ROOM, {"kind": "refund_full"}, {"kind": "refund_part", "fen": 100})
    assert refused.value.code == "bad_remedy"
    with pytest.raises(BadWishError):
        wished(one, ROOM, {"kind": "refund_part", "fen": 68_801})
    before = [{"kind": "refund_part", "fen": 60_000, "worth": 60_000, "part": "goodwill"}]
    with pytest.raises(BadWishError):
        wished(one, ROOM, {"kind": "refund_part", "fen": 10_000}, given=before)
    free = decision(paid=0)
    with pytest.raises(BadWishError) as nothing:
        wished(free, ROOM, {"kind": "refund_full"})
    assert "没有可退的钱" in nothing.value.sentence


def test_damages_come_from_the_law_alone() -> None:
    alleged = decision("overcharge")
    floor = [as_wish(one) for one in alleged.floor]
    with pytest.raises(BadWishError) as refused:
        wished(alleged, *floor, {"kind": "damages", "times": 3, "fen": 50_000})
    assert "法定赔偿" in refused.value.sentence
    confirmed = decision("overcharge", finding="confirmed", fault="ours")
    owed = [as_wish(one) for one in confirmed.floor]
    assert wished(confirmed, *owed).worth >= 3 * 68_800
    with pytest.raises(BadWishError) as less:
        wished(confirmed, *(one for one in owed if one["kind"] != "damages"))
    assert less.value.code == "below_floor"
    more = [{**one, "times": 4} if one["kind"] == "damages" else one for one in owed]
    with pytest.raises(BadWishError):
        wished(confirmed, *more)


@pytest.mark.parametrize("kind", sorted(POLICY_ALONE - {"damages"}))
def test_money_of_unknown_amount_comes_from_the_policy_alone(kind: str) -> None:
    one = decision()
    extra = {"kind": kind, "minutes": 60}
    with pytest.raises(BadWishError) as refused:
        wished(one, *(as_wish(item) for item in one.remedies), extra)
    assert (refused.value.code, "政策给的时候" in refused.value.sentence) == ("bad_remedy", True)


def test_what_is_refunded_at_once_is_not_refunded_twice() -> None:
    one = decision("refund_delayed", trade="shop", fault="ours")
    plain = [as_wish(item) for item in one.remedies]
    assert "refund_now" in {item["kind"] for item in plain}
    assert wished(one, *plain).departs is False
    more = wished(one, *plain, {"kind": "courier_pickup"})
    assert (more.departs, more.beyond_fen) == (True, 0)
    with pytest.raises(BadWishError) as back:
        wished(one, *plain, {"kind": "refund_part", "fen": 100})
    assert "已经把该退的都退了" in back.value.sentence
    with pytest.raises(BadWishError):
        wished(one, *plain, given=list(one.remedies))


def test_the_whole_price_for_an_owed_share_is_not_all_goodwill() -> None:
    one = decision("foreign_object", paid=10_000, trade="restaurant", fault="ours")
    due = next(int(item["worth"]) for item in one.floor if item["kind"] == "refund_part")
    wishes = [as_wish(item) for item in one.floor if item["kind"] != "refund_part"]
    own = wished(one, *wishes, {"kind": "refund_full"})
    shares = [(i["kind"], i["part"], i["worth"]) for i in own.remedies if "fen" in i]
    assert ("refund_part", "floor", due) in shares
    assert ("refund_part", "goodwill", 10_000 - due) in shares
    assert own.floor_fen == one.floor_worth.fen


# --- what other cases gave for the same order ---------------------------------------------


def before(*remedies: dict[str, Any], paid: int = 68_800, receipt: Any = None) -> Elsewhere:  # noqa: ANN401 - of the order system
    return elsewhere([Promised("s0", one, receipt) for one in remedies], paid)


def test_what_other_cases_gave_is_added_up() -> None:
    assert elsewhere([], 68_800) == NOWHERE
    had = before(
        {"kind": "refund_part", "fen": 5_000, "worth": 5_000}, {"kind": "voucher", "fen": 2_000}
    )
    assert (had.cases, had.back_fen, had.left_fen) == (1, 5_000, 63_800)
    assert "另外1个案子" in had.words
    assert "20元" in had.words
    unknown = before({"kind": "refund_now", "minutes": 60})
    assert unknown.left_fen == 0, "nobody knows how much: all of it"
    told = before({"kind": "refund_now", "minutes": 60}, receipt={"refund": "R1", "fen": 3_000})
    assert told.left_fen == 65_800
    gone = elsewhere([Promised("s0", {"kind": "stay_gold"}, None)], 100)
    assert "stay_gold" in gone.words, "what the catalogue knows no more is still named"


def test_no_order_gets_more_back_than_was_paid_over_all_its_cases() -> None:
    one = decision()
    had = before({"kind": "refund_part", "fen": 60_000, "worth": 60_000})

    def again(*wishes: dict[str, Any]) -> Wished:
        read = read_wishes(list(wishes), policy())
        return weigh(read, one, most_beyond_paid=LIMITS.whole_offer, elsewhere=had)

    assert again(ROOM, {"kind": "refund_part", "fen": 8_800}).worth == 8_800
    for more in ({"kind": "refund_part", "fen": 8_801}, {"kind": "refund_full"}):
        with pytest.raises(BadWishError) as refused:
            again(ROOM, more)
        assert "最多还能退88元" in refused.value.sentence


def test_what_was_paid_back_in_another_case_is_not_owed_again() -> None:
    one = decision("foreign_object", paid=10_000, trade="restaurant", fault="ours")
    had = before({"kind": "refund_full", "worth": 10_000}, paid=10_000)
    with pytest.raises(BadWishError) as refused:
        as_policy(one, had)
    assert "别的案子里已经退减100元" in refused.value.sentence
    rest = [as_wish(item) for item in one.remedies if item["kind"] != "refund_part"]
    wishes = read_wishes(rest, policy("restaurant"))
    assert weigh(wishes, one, most_beyond_paid=LIMITS.whole_offer, elsewhere=had).departs
    with pytest.raises(BadWishError) as less:
        weigh(wishes, one, most_beyond_paid=LIMITS.whole_offer)
    assert less.value.code == "below_floor"


def test_a_whole_offer_has_a_limit_of_its_own() -> None:
    one = decision()
    with pytest.raises(BadWishError) as refused:
        wished(one, ROOM, {"kind": "voucher", "fen": 68_800 + LIMITS.whole_offer + 1})
    assert "最多" in refused.value.sentence


def test_more_of_a_share_that_is_owed_stands_apart_on_the_card() -> None:
    one = decision("foreign_object", paid=10_000, trade="restaurant", fault="ours")
    due = next(int(item["worth"]) for item in one.floor if item["kind"] == "refund_part")
    wishes = [as_wish(item) for item in one.floor if item["kind"] != "refund_part"]
    own = wished(one, *wishes, {"kind": "refund_part", "fen": due + 500})
    shares = [(i["part"], i["worth"]) for i in own.remedies if i["kind"] == "refund_part"]
    assert shares == [("floor", due), ("goodwill", 500)]
    assert own.floor_fen == one.floor_worth.fen


def test_what_comes_on_top_of_an_accepted_offer_counts_with_it() -> None:
    one = decision()
    given = [{**item, "worth": item.get("worth", 0)} for item in one.remedies]
    own = wished(one, {"kind": "voucher", "fen": 3_000}, given=given)
    assert (own.worth, own.beyond_fen, own.departs) == (3_000, 3_000, True)
    assert own.floor_fen == 0, "what is owed was given before"
    again = wished(one, *(as_wish(item) for item in one.remedies), given=given)
    assert again.beyond_fen == one.worth.fen, "the same once more is not the policy's"


FACTS = st.fixed_dictionaries(
    {
        "paid": st.integers(0, 500_000),
        "fault": st.sampled_from(FAULTS),
        "finding": st.sampled_from(FINDINGS),
        "harm": st.sampled_from(HARMS),
        "days": st.integers(0, 30),
        "wait_hours": st.integers(0, 100),
        "recurrence": st.integers(0, 3),
        "round": st.integers(0, 2),
    }
)
WISHES = st.lists(
    st.one_of(
        st.builds(dict, kind=st.just("voucher"), fen=st.integers(1, 300_000)),
        st.builds(dict, kind=st.just("refund_part"), fen=st.integers(1, 600_000)),
        st.builds(dict, kind=st.just("refund_part"), bp=st.integers(1, 10_000)),
        st.builds(dict, kind=st.just("points"), points=st.integers(1, 300_000)),
        st.just({"kind": "refund_full"}),
        st.just({"kind": "apology"}),
    ),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TRADES), st.data(), FACTS, WISHES, st.booleans())
def test_whatever_is_taken_meets_the_law_and_no_cap_is_passed(
    trade: str, data: st.DataObject, facts: dict[str, Any], more: list[dict[str, Any]], whole: bool
) -> None:
    """The policy's own is always taken; of anything else what is taken keeps all limits."""
    failure = data.draw(st.sampled_from(sorted(policy(trade).failures)))
    one = decision(failure, trade=trade, **facts)
    plain = [as_wish(item) for item in one.remedies]
    if not any(item.get("worth") == 0 for item in one.remedies if item["kind"] in MONEY_BACK):
        own = wished(one, *plain)
        assert (own.departs, own.worth) == (False, one.worth.fen)
    floor = [as_wish(item) for item in (one.remedies if whole else one.floor)]
    try:
        taken = wished(one, *floor, *more)
    except BadWishError:
        return
    assert unmet(one.facts, taken.remedies) == []
    assert taken.worth >= one.floor_worth.fen
    back = sum(item["worth"] for item in taken.remedies if item["kind"] in MONEY_BACK)
    assert back <= one.facts.paid
    assert taken.floor_fen + taken.goodwill_fen == taken.worth
    assert taken.beyond_fen == max(0, taken.worth - one.worth.fen)
    assert sum(item.get("worth", 0) for item in taken.remedies) == taken.worth


# --- who may give it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "who"),
    [
        (0, {"agent", "supervisor", "manager"}),
        (2_000, {"agent", "supervisor", "manager"}),
        (2_001, {"supervisor", "manager"}),
        (10_000, {"supervisor", "manager"}),
        (10_001, {"manager"}),
        (200_000, {"manager"}),
        (200_001, set()),
    ],
)
def test_how_far_each_role_may_go(more: int, who: set[str]) -> None:
    one = decision()
    extra = [{"kind": "voucher", "fen": more}] if more else []
    own = wished(one, *(as_wish(item) for item in one.remedies), *extra)
    verdicts = {
        role: judge(own, role, LIMITS, over_budget=None)
        for role in ("agent", "supervisor", "manager", "trainer", "admin")
    }
    assert {role for role, verdict in verdicts.items() if verdict.allowed} == who
    assert all((verdict.refused is not None) == (not who) for verdict in verdicts.values())


def test_a_used_up_budget_and_the_policy_may_ask_for_a_manager() -> None:
    own = as_policy(decision())
    assert judge(own, "agent", LIMITS, over_budget=None).allowed
    over = judge(own, "agent", LIMITS, over_budget="今天的心意额度")
    assert (over.allowed, over.needed) == (False, "manager")
    assert "今天的心意额度" in over.why
    assert judge(own, "manager", LIMITS, over_budget="今天的心意额度").allowed
    law = as_policy(decision("overcharge", finding="confirmed", fault="ours"))
    assert not judge(law, "supervisor", LIMITS, over_budget=None).allowed
    assert judge(law, "manager", LIMITS, over_budget=None).allowed


def test_what_a_member_may_still_offer_is_said_in_words() -> None:
    assert "不超过20元" in may_offer_words("agent", LIMITS, "bot")
    assert "请申请" in may_offer_words("agent", LIMITS, "manager")
    assert "可以直接提出" in may_offer_words("manager", LIMITS, "manager")
    assert may_offer_words("trainer", LIMITS, "bot") == "您的账号不能提出补救"
