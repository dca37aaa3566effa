"""The remedy policy as a customer meets it: offered, improved, put into another form, explained."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.case import Case, Offer, OfferNotOpenError, apply, given_back, hear
from recovery.commands import AcceptOffer, CloseCase, Command, HandOver, MakeOffer, Note, OpenCase
from recovery.dialogue.authority import Matter
from recovery.dialogue.private import opening_turn, private_turn
from recovery.dialogue.reply import Past, Pressed, Reply
from recovery.failures import FAILURES, TRADES
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.system import Item, Order
from recovery.remedy.catalogue import card
from recovery.remedy.facts import FACTS, HARMS
from recovery.remedy.policy import without_manner
from recovery.remedy.running import running
from recovery.understood import Understood
from tests.recovery.talk import Talk, a_business, command, done, heard, names

BUSINESS = {
    "hotel": "lanting",
    "shop": "qinghe",
    "restaurant": "xiaoguan",
    "retail": "hengji",
    "property": "wutong",
    "travel": "yuanxing",
}
ORDER = {
    "hotel": "LT202611180012，尾号4417",
    "shop": "QH202611170305，尾号9914",
    "restaurant": "XK202611210058，尾号1093",
    "retail": "HJ202611150098，尾号9367",
    "property": "WT202610080036，尾号4695",
    "travel": "YX202611010026，尾号1748",
}
PUNITIVE = re.compile("三倍|十倍|3倍|10倍|惩罚|假一赔|退一赔|法定赔偿|欺诈")
ADMITS = re.compile("道歉|抱歉|对不起|是我们的责任|是我们没|我们的错|我们没有做好|补救")


def talk_about(
    orders: EmbeddedOrders, failure: str, trade: str = "hotel", anger: int = 1, **facts: str
) -> Talk:
    """A private talk whose case has just been opened in public."""
    business = a_business(BUSINESS[trade], trade)
    talk = Talk(business, orders, private_turn)
    case = apply(None, OpenCase("s1", failure), talk.now)
    if facts:
        case = apply(case, Note(dict(facts)), talk.now)
    assert case is not None
    talk.case = hear(case, anger, talk.now)
    return talk


def inform(trade: str = "hotel", anger: int = 1, more: str = "") -> Understood:
    return heard(f"{ORDER[trade]}{more}", "inform", anger=anger)


def offered(orders: EmbeddedOrders, failure: str = "room_not_clean", **about: Any) -> Talk:  # noqa: ANN401
    trade = about.get("trade", "hotel")
    talk = talk_about(orders, failure, **about)
    reply = talk.say(inform(trade, about.get("anger", 1)))
    assert "make_offer" in done(reply), names(reply)
    return talk


def offer_of(talk: Talk) -> Offer:
    assert talk.case is not None
    offer = talk.case.open_offer(talk.now)
    assert offer is not None
    return offer


def worth_of(offer: Offer) -> int:
    return offer.floor_fen + offer.goodwill_fen


def one(reply: Reply, kind: type[Command]) -> Any:  # noqa: ANN401 - of the kind asked for
    return command(reply, kind)


def button(talk: Talk, act: str, value: str | None = None) -> Pressed:
    return Pressed(act, offer_of(talk).id, value)


def advice(reply: Reply) -> dict[str, Any]:
    (noted,) = [one for one in reply.commands if isinstance(one, Note) and "advice" in one.facts]
    found: dict[str, Any] = noted.facts["advice"]
    return found


def said(reply: Reply) -> str:
    """All that a customer would read of a reply, but for the words of the responses."""
    shown = [value for say in reply.says for value in say.words.values()]
    for made in reply.commands:
        if isinstance(made, MakeOffer):
            shown += [made.reason, *made.why]
            shown += [line["title"] + line["detail"] for line in card(made.remedies)]
    return "\n".join([*shown, reply.plain or ""])


# --- the offer --------------------------------------------------------------------------------


@pytest.mark.parametrize("trade", TRADES)
def test_an_offer_says_what_why_and_what_next(orders: EmbeddedOrders, trade: str) -> None:
    talk = talk_about(orders, "rude_staff", trade)
    reply = talk.say(inform(trade))
    made = one(reply, MakeOffer)
    assert names(reply) == ["say_offer"]
    assert reply.plain is not None
    assert f"这样安排，是因为{made.reason}。" in reply.plain
    assert "您点头后：" in reply.plain
    parts = [remedy["part"] for remedy in made.remedies]
    assert parts == sorted(parts), "what is owed first, then goodwill"
    assert set(parts) == {"floor", "goodwill"}
    assert made.floor_fen >= 0
    assert made.goodwill_fen > 0
    assert (made.policy, made.day) == (running().book.name, "2026-11-22")
    assert made.facts["failure"] == "rude_staff"


def test_what_stands_in_the_offer_is_what_the_policy_decides(orders: EmbeddedOrders) -> None:
    offer = offer_of(offered(orders))
    policy = running().on("hotel", Talk(a_business(), orders, private_turn).now.date())
    decision = policy.decide(
        policy.facts(**{k: v for k, v in offer.facts.items() if k != "industry"})
    )
    bare = [{k: v for k, v in remedy.items() if k != "by"} for remedy in offer.remedies]
    assert bare == decision.remedies
    assert offer.rules == decision.rules


def test_two_rounds_of_more_then_a_person_and_the_offer_stays(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    given = [offer_of(talk)]
    for expected in ("say_offer_more", "say_offer_last"):
        reply = talk.say(heard("再加点", "ask_more"))
        assert names(reply) == [expected]
        given.append(offer_of(talk))
    assert [offer.round for offer in given] == [0, 1, 2]
    worths = [worth_of(offer) for offer in given]
    assert worths == sorted(set(worths)), "more every time"
    last = talk.say(heard("还不够", "ask_more"), button(talk, "more"))
    assert names(last) == ["say_more_limit"]
    assert one(last, HandOver).reason == "beyond_authority"
    assert advice(last)["facts"]["round"] == 2
    assert offer_of(talk) == given[-1]
    assert "accept_offer" in done(talk.say(heard("行，就这样", "accept"), button(talk, "accept")))


@pytest.mark.parametrize("trade", TRADES)
def test_more_never_gives_less(orders: EmbeddedOrders, trade: str) -> None:
    talk = offered(orders, "rude_staff", trade=trade)
    before = offer_of(talk)
    for _ in range(3):
        talk.say(heard("再加点", "ask_more"))
        after = offer_of(talk)
        assert worth_of(after) >= worth_of(before)
        assert after.floor_fen == before.floor_fen, "what is owed is not bargained over"
        before = after


def test_calm_and_furious_twins_get_the_same(orders: EmbeddedOrders) -> None:
    for trade in TRADES:
        calm = offered(orders, "rude_staff", trade=trade, anger=0)
        furious = offered(orders, "rude_staff", trade=trade, anger=3)
        for text in ("再加点", "再加点", "再加点"):
            assert offer_of(calm).remedies == offer_of(furious).remedies
            calm.say(heard(text, "ask_more", anger=0))
            furious.say(heard(text + "！！！", "ask_more", anger=3))


# --- another form -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["换成退款可以吗", "不要券，直接退钱", "不要券直接退钱"])
def test_another_form_is_asked_for_by_words(orders: EmbeddedOrders, text: str) -> None:
    talk = offered(orders, "rude_staff", trade="shop")
    before = offer_of(talk)
    reply = talk.say(heard(text, "ask_other"))
    assert names(reply) == ["say_offer_other"]
    assert reply.says[0].words["form"] == "退款"
    after = offer_of(talk)
    assert worth_of(after) == worth_of(before)
    assert {one["kind"] for one in after.remedies if one["part"] == "goodwill"} == {"refund_part"}
    assert after.facts["choice"] == "refund"


def test_without_a_name_all_forms_are_listed_as_buttons(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    shown = talk.say(heard("换一种形式", "ask_other"), button(talk, "form"))
    assert names(shown) == ["say_form_which"]
    named = shown.says[0].words["forms"].split("、")
    assert len(named) > 1
    buttons = [one.payload for one in shown.says[0].buttons]
    assert buttons[0] == "accept"
    assert buttons[1:] == [p for p in buttons if p.startswith("form:")]
    assert len(buttons[1:]) == len(named)
    assert done(shown) == []
    worth = worth_of(offer_of(talk))
    chosen = talk.say(heard("换成积分", "ask_other"), button(talk, "form", "points"))
    assert names(chosen) == ["say_offer_other"]
    assert worth_of(offer_of(talk)) == worth
    back = talk.say(heard("换成代金券", "ask_other"), button(talk, "form", "voucher"))
    assert names(back) == ["say_offer_other"]
    assert worth_of(offer_of(talk)) == worth, "from form to form as well"


def test_the_form_stays_when_more_is_given_and_after_expiry(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("换成积分", "ask_other"))
    talk.say(heard("再加点", "ask_more"))
    assert offer_of(talk).facts["choice"] == "points"
    assert offer_of(talk).round == 1
    worth = worth_of(offer_of(talk))
    talk.now += timedelta(hours=50)
    again = talk.say(heard("在吗", "greet"))
    assert "make_offer" in done(again)
    assert offer_of(talk).facts["choice"] == "points"
    assert worth_of(offer_of(talk)) >= worth


def test_a_form_that_there_is_not_is_not_promised(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    reply = talk.say(heard("给我换一件新的", "ask_other"))
    assert names(reply) == ["say_form_none"]
    assert "换货" not in reply.says[0].words["forms"]
    assert done(reply) == []
    assert offer_of(talk)


def test_the_only_form_is_said_to_be_that(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "late", "travel")
    talk.say(heard("YX202612050030，尾号5930", "inform"))
    reply = talk.say(heard("换一种形式吧", "ask_other"))
    assert names(reply) == ["say_form_only"]
    assert done(reply) == []


def test_who_asks_for_the_form_it_has_is_not_told_that_there_is_none(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    talk.say(heard("换成退款", "ask_other"))
    assert names(talk.say(heard("我就要退款", "ask_other"))) == ["say_offer_again"]
    shop = offered(orders, "fake", trade="shop")
    assert names(shop.say(heard("我要退款", "ask_other"))) == ["say_offer_again"]


@pytest.mark.parametrize("trade", TRADES)
def test_every_form_of_every_offer_is_worth_the_same_and_within_authority(
    orders: EmbeddedOrders, trade: str
) -> None:
    reached = 0
    for failure in (one.name for one in FAILURES.values() if trade in one.industries):
        talk = talk_about(orders, failure, trade, evidence="photo")
        talk.say(inform(trade))
        if talk.case is None or talk.case.open_offer(talk.now) is None:
            continue
        first = offer_of(talk)
        shown = talk.say(heard("换一种形式", "ask_other"), button(talk, "form"))
        choices = [b.payload[5:] for b in shown.says[0].buttons if b.payload.startswith("form:")]
        for choice in choices:
            talk.say(heard("换", "ask_other"), button(talk, "form", choice))
            assert worth_of(offer_of(talk)) == worth_of(first), (failure, choice)
            reached += 1
    assert reached >= 4


def test_a_wish_told_before_is_honoured(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "rude_staff", "shop")
    talk.say(heard("我不要券，直接退钱", "ask_other"))
    assert talk.case is not None
    assert talk.case.facts["wish"] == "refund"
    reply = talk.say(inform("shop"))
    made = one(reply, MakeOffer)
    assert made.facts["choice"] == "refund"
    assert "refund_part" in [remedy["kind"] for remedy in made.remedies]
    plain = offer_of(offered(orders, "rude_staff", trade="shop"))
    assert made.floor_fen + made.goodwill_fen == worth_of(plain)


def test_a_wish_that_changes_nothing_is_not_said_to_be_met(orders: EmbeddedOrders) -> None:
    """A form without anything to put into it would only tell a reason that is not true."""
    talk = talk_about(orders, "late", "travel", wish="refund")
    made = one(talk.say(heard("YX202612050030，尾号5930", "inform")), MakeOffer)
    assert made.facts["choice"] == ""
    assert "退款" not in made.reason


# --- taking, refusing, thinking, asking -------------------------------------------------------


def test_refusing_brings_a_person(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    reply = talk.say(heard("不接受", "refuse"), button(talk, "refuse"))
    assert names(reply) == ["say_refused"]
    assert done(reply) == ["refuse_offer", "hand_over"]
    assert talk.case is not None
    assert talk.case.stage == "person"


def test_thinking_it_over_keeps_it_until_its_end_and_then_it_is_made_anew(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    talk.say(heard("再加点", "ask_more"))
    before = offer_of(talk)
    reply = talk.say(heard("让我想想", "think_over"))
    assert names(reply) == ["say_think"]
    assert reply.says[0].words["until"]
    assert offer_of(talk) == before
    talk.now += timedelta(hours=49)
    anew = talk.say(heard("好吧，那就这样", "accept"))
    assert names(anew) == ["say_offer_expired"]
    assert "accept_offer" not in done(anew)
    assert worth_of(offer_of(talk)) >= worth_of(before)
    assert offer_of(talk).round == before.round


def test_the_seven_days_run_until_the_complaint_and_not_until_the_answer(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(orders, "defective", "shop")
    first = one(talk.say(inform("shop")), MakeOffer)
    assert first.facts["days"] == 2
    assert "exchange" in [remedy["kind"] for remedy in first.remedies]
    talk.now += timedelta(days=7)
    again = one(talk.say(heard("好的", "accept")), MakeOffer)
    assert again.facts["days"] == 2
    assert again.floor_fen == first.floor_fen
    assert again.goodwill_fen >= first.goodwill_fen


def test_less_than_before_is_never_offered(orders: EmbeddedOrders) -> None:
    """Staff found out something, or the policy has changed: a person says so, not the bot."""
    talk = offered(orders)
    assert talk.case is not None
    talk.now += timedelta(hours=49)
    talk.case = apply(talk.case, Note({"fault": "customer"}), talk.now)
    reply = talk.say(heard("在吗", "greet"))
    assert names(reply)[-1] == "say_by_person"
    assert "make_offer" not in done(reply)
    assert advice(reply)


def test_all_reasons_are_told_to_who_asks(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "room_not_clean")
    talk.past = Past(recurrence=1)
    talk.say(heard("LT202611200041，尾号7730", "inform"))
    offer = offer_of(talk)
    assert offer.facts["tier"] == "gold"
    reply = talk.say(heard("为什么是这些", "ask_why"))
    assert names(reply) == ["say_why"]
    told = reply.says[0].words["reason"].split("；")
    assert told == offer.why
    assert len(told) == 4, "the matter, whose fault, that it recurs, that we know each other"
    assert offer_of(talk) == offer


def test_after_acceptance_the_reasons_are_still_known(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    reply = talk.say(heard("为什么给我这些", "ask_why"))
    assert names(reply) == ["say_why"]
    assert reply.says[0].words["reason"]


def test_what_others_get_is_told_at_every_stage(orders: EmbeddedOrders) -> None:
    what = heard("别人也是这么赔的吗", "ask_fair")
    talk = talk_about(orders, "room_not_clean")
    assert names(talk.say(what)) == ["say_fair", "say_ask_order"]
    talk.say(inform())
    before = offer_of(talk)
    assert names(talk.say(what)) == ["say_fair"]
    assert offer_of(talk) == before
    talk.say(heard("好的", "accept"))
    assert names(talk.say(what)) == ["say_fair"]


# --- evidence ---------------------------------------------------------------------------------


def damaged(orders: EmbeddedOrders) -> Talk:
    talk = talk_about(orders, "damaged", "shop")
    asked = talk.say(inform("shop"))
    assert names(asked) == ["say_ask_photo"]
    assert [one.payload for one in asked.says[0].buttons] == ["no_photo"]
    return talk


def test_a_picture_is_asked_for_where_the_row_needs_it_and_brings_the_offer(
    orders: EmbeddedOrders,
) -> None:
    talk = damaged(orders)
    reply = talk.say(heard("[图片]", "inform"), picture="p1")
    assert names(reply) == ["say_photo_got", "say_offer"]
    assert one(reply, MakeOffer).facts["evidence"] == "photo"


def test_no_picture_is_asked_for_where_no_row_needs_it(orders: EmbeddedOrders) -> None:
    assert offer_of(offered(orders, "wrong_item", trade="shop")).facts["evidence"] == "none"


@pytest.mark.parametrize("text", ["没拍照", "没有", "盒子早扔了，拍不了"])
def test_without_a_picture_a_person_decides_and_knows_what_there_would_be(
    orders: EmbeddedOrders, text: str
) -> None:
    talk = damaged(orders)
    reply = talk.say(heard(text))
    assert names(reply) == ["say_no_photo"]
    assert one(reply, HandOver).reason == "no_evidence"
    given = advice(reply)
    assert given["items"]
    assert given["floor_fen"] > 0
    assert given["lacks_evidence"] is True


def test_the_button_says_the_same(orders: EmbeddedOrders) -> None:
    talk = damaged(orders)
    reply = talk.say(heard("没有照片", "inform"), Pressed("no_photo"))
    assert names(reply) == ["say_no_photo"]
    assert one(reply, HandOver).reason == "no_evidence"
    assert advice(reply)


def test_it_is_asked_for_once_and_two_misses_bring_a_person(orders: EmbeddedOrders) -> None:
    talk = damaged(orders)
    assert names(talk.say(heard("嗯嗯"))) == ["say_not_understood"]
    reply = talk.say(heard("哦哦"))
    assert one(reply, HandOver).reason == "not_understood"


def test_a_picture_sent_before_is_not_asked_for(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "damaged", "shop")
    got = talk.say(heard("[图片]", "inform"), picture="p1")
    assert names(got) == ["say_photo_got", "say_ask_order"]
    assert names(talk.say(inform("shop"))) == ["say_offer"]


def test_a_picture_is_not_taken_back_by_words(orders: EmbeddedOrders) -> None:
    talk = damaged(orders)
    talk.say(heard("[图片]", "inform"), picture="p1")
    talk.say(heard("没拍好，别介意"))
    assert talk.case is not None
    assert talk.case.facts["evidence"] == "photo"
    assert offer_of(talk)


def test_a_picture_at_the_offer_keeps_it(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    before = offer_of(talk)
    assert names(talk.say(heard("[图片]", "inform"), picture="p1")) == [
        "say_photo_got",
        "say_offer_again",
    ]
    assert offer_of(talk) == before


# --- what is only alleged ---------------------------------------------------------------------

ALLEGED = {
    "fake": ("shop", "QH202611170305，尾号9914"),
    "unsafe_food": ("restaurant", "XK202611210058，尾号1093"),
    "foreign_object": ("restaurant", "XK202611210058，尾号1093"),
    "expired": ("retail", "HJ202611190117，尾号6408"),
}
# One bad bottle of milk does not pay for the whole basket: which article it was is asked for.
ARTICLE = {"expired": {"item": "MILK-01"}}


def test_an_expired_article_is_paid_for_and_not_the_whole_basket(orders: EmbeddedOrders) -> None:
    trade, order = ALLEGED["expired"]
    talk = talk_about(orders, "expired", trade, evidence="photo")
    asked = talk.say(heard(order, "inform"))
    assert names(asked) == ["say_ask_item"]
    reply = talk.say(heard("鲜牛奶950毫升", "inform"))
    refunds = [one["worth"] for one in one_of(reply) if one["kind"] == "refund_full"]
    assert refunds == [2 * 1590]


def one_of(reply: Reply) -> list[dict[str, Any]]:
    """The remedies of the offer that a reply makes."""
    made: MakeOffer = one(reply, MakeOffer)
    return made.remedies


@pytest.mark.parametrize("failure", ALLEGED)
@pytest.mark.parametrize("anger", [0, 3])
def test_an_allegation_gets_care_and_a_person_and_no_word_that_owns_it(
    orders: EmbeddedOrders, failure: str, anger: int
) -> None:
    trade, order = ALLEGED[failure]
    talk = talk_about(orders, failure, trade, anger, evidence="photo", **ARTICLE.get(failure, {}))
    talk.past = Past(recurrence=1)
    talk.decide = opening_turn
    replies = [talk.say(heard("", "entered", anger=anger))]
    talk.decide = private_turn
    replies.append(talk.say(heard(order, "inform", anger=anger)))
    made = one(replies[-1], MakeOffer)
    assert names(replies[-1]) == ["say_offer_provisional"]
    assert replies[-1].says[0].words["time"]
    assert one(replies[-1], HandOver).reason == "alleged"
    assert made.provisional
    assert made.goodwill_fen == 0
    assert {remedy["part"] for remedy in made.remedies} == {"floor"}
    replies.append(talk.say(heard("为什么", "ask_why", anger=anger)))
    replies.append(talk.say(heard("别人呢", "ask_fair", anger=anger)))
    accepted = talk.say(heard("好的", "accept"), button(talk, "accept"))
    replies.append(accepted)
    assert isinstance(one(accepted, AcceptOffer), AcceptOffer)
    assert one(accepted, HandOver).reason == "alleged"
    assert names(accepted) == ["say_confirm", "say_handover"]
    assert talk.case is not None
    assert talk.case.stage == "person"
    for reply in replies:
        assert not {"say_apologise"} & set(names(reply))
        assert not PUNITIVE.search(said(reply)), said(reply)
        assert not ADMITS.search(said(reply)), said(reply)


@pytest.mark.parametrize("failure", ALLEGED)
def test_more_and_other_forms_of_it_stay_provisional(orders: EmbeddedOrders, failure: str) -> None:
    trade, order = ALLEGED[failure]
    talk = talk_about(orders, failure, trade, evidence="photo", **ARTICLE.get(failure, {}))
    talk.say(heard(order, "inform"))
    before = offer_of(talk)
    more = talk.say(heard("再加点", "ask_more"))
    assert names(more) == ["say_more_limit"], "it is not bargained over"
    assert offer_of(talk) == before
    other = talk.say(heard("换货吧", "ask_other"))
    if "make_offer" in done(other):
        assert names(other) == ["say_offer_provisional"]
        assert one(other, HandOver).reason == "alleged"
        assert offer_of(talk).provisional


def test_a_claim_of_forced_shopping_is_for_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "forced_shopping", "travel", anger=3)
    talk.decide = opening_turn
    reply = talk.say(heard("", "entered", anger=3))
    assert "say_apologise" not in names(reply)
    assert one(reply, HandOver).reason == "beyond_authority"
    assert not PUNITIVE.search(said(reply))


def alleged_facts() -> Iterator[tuple[str, str]]:
    for trade in TRADES:
        for failure in FAILURES.values():
            if trade in failure.industries:
                yield trade, failure.name


@pytest.mark.parametrize(("trade", "failure"), list(alleged_facts()))
def test_no_reason_of_an_alleged_matter_owns_it(trade: str, failure: str) -> None:
    policy = running().on(trade, Talk(a_business(), None, private_turn).now.date())  # type: ignore[arg-type]
    for days in (0, 8, 20, 100):
        for fault in ("ours", "third_party", "unclear"):
            facts = policy.facts(
                failure,
                10_000,
                finding="alleged",
                fault=fault,
                days=days,
                recurrence=3,
                tier="gold",
                first_time=True,
                wait_hours=100,
                round=2,
                harm="injury",
            )
            decision = policy.decide(facts)
            told = decision.reason + "；".join(decision.reasons) + str(card(decision.remedies))
            assert not ADMITS.search(told), told
            assert not PUNITIVE.search(told), told


# --- what the bot may not decide --------------------------------------------------------------


def test_beyond_authority_a_person_decides_with_the_advice_at_hand(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(orders, "room_not_clean", finding="confirmed")
    reply = talk.say(inform())
    assert names(reply) == ["say_by_person"]
    assert reply.says[0].words["time"]
    assert one(reply, HandOver).reason == "beyond_authority"
    given = advice(reply)
    assert given["authority"] == "agent"
    assert given["items"]
    assert given["goodwill_fen"] > 0
    assert given["rules"]
    assert given["policy"] == running().book.name
    assert talk.case is not None
    assert talk.case.facts["advice"] == given


def test_the_third_claim_within_thirty_days_is_for_a_person(orders: EmbeddedOrders) -> None:
    for claims, expected in ((1, ["say_offer"]), (2, ["say_by_person"]), (5000, ["say_by_person"])):
        talk = talk_about(orders, "room_not_clean")
        talk.past = Past(claims=claims)
        assert names(talk.say(inform())) == expected


def test_what_happens_again_is_made_good_for_more(orders: EmbeddedOrders) -> None:
    worths = []
    for recurrence in (0, 1, 3):
        talk = talk_about(orders, "noise")
        talk.past = Past(recurrence=recurrence)
        talk.say(inform())
        worths.append(worth_of(offer_of(talk)))
    assert worths == sorted(set(worths))


def test_over_budget_a_person_decides(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "room_not_clean")
    talk.budget = 100
    reply = talk.say(inform())
    assert names(reply) == ["say_by_person"]
    assert one(reply, HandOver).reason == "budget"
    assert advice(reply)["goodwill_fen"] > 100


def test_more_than_the_budget_bears_is_for_a_person_and_the_offer_stands(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    before = offer_of(talk)
    talk.budget = before.goodwill_fen
    reply = talk.say(heard("再加点", "ask_more"))
    assert names(reply) == ["say_more_limit"]
    assert offer_of(talk) == before


# --- the facts --------------------------------------------------------------------------------


def test_harm_is_read_in_every_message_of_the_matter(orders: EmbeddedOrders) -> None:
    mild = worth_of(offer_of(offered(orders, "noise")))
    talk = talk_about(orders, "noise")
    talk.say(inform("hotel", more="，吵得我一整晚没睡，误了飞机"))
    assert offer_of(talk).facts["harm"] == "plans"
    assert worth_of(offer_of(talk)) > mild


def test_harm_is_read_from_the_first_complaint(orders: EmbeddedOrders) -> None:
    talk = Talk(a_business(), orders, private_turn)
    talk.say(heard("隔壁吵得我误了飞机", "complain_noise", anger=2))
    assert talk.case is not None
    assert talk.case.facts["harm"] == "plans"


def test_harm_never_becomes_milder(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "noise", harm="injury")
    talk.say(inform("hotel", more="，误了飞机"))
    assert talk.case is not None
    assert talk.case.facts["harm"] == "injury"


def test_harm_told_at_the_offer_counts_as_if_it_had_been_told_before(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders, "noise")
    before = offer_of(talk)
    reply = talk.say(heard("可是我误了飞机", "complain_noise", anger=2))
    assert names(reply) == ["say_offer_heavier"]
    after = offer_of(talk)
    assert (after.round, after.facts["harm"]) == (before.round, "plans")
    told_first = talk_about(orders, "noise", harm="plans")
    told_first.say(inform())
    assert worth_of(after) == worth_of(offer_of(told_first))
    mild = offered(orders, "noise")
    asks = mild.say(heard("再加点吧，我误了飞机", "ask_more"))
    assert names(asks) == ["say_offer_more"]
    assert offer_of(mild).facts["harm"] == "plans"
    assert HARMS.index("plans") > 0


def test_waiting_for_the_first_offer_counts_and_thinking_it_over_does_not(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(orders, "noise")
    talk.now += timedelta(hours=30)
    talk.say(inform())
    assert offer_of(talk).facts["wait_hours"] == 30
    talk.now += timedelta(hours=40)
    talk.say(heard("再加点", "ask_more"))
    assert offer_of(talk).facts["wait_hours"] == 30
    talk.now += timedelta(hours=60)
    again = talk.say(heard("好的", "accept"))
    assert one(again, MakeOffer).facts["wait_hours"] == 30


def test_an_order_that_was_not_received_yet_counts_no_days(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "late", "restaurant")
    reply = talk.say(heard("XK202611220061，尾号8846", "inform"))
    assert one(reply, MakeOffer).facts["days"] == 0
    lost = talk_about(orders, "defective", "retail")
    made = lost.say(heard("HJ202611210126，尾号2759", "inform"))
    assert one(made, MakeOffer).facts["days"] == 0


def an_order(paid: int, *items: Item) -> Order:
    return Order(
        number="X1",
        business="qinghe",
        paid=paid,
        title="一单",
        items=items,
        customer="c",
        placed_on="2026-11-01",
        received_on=None,
        tier="none",
        customer_since="2026-11-01",
        first_time=True,
    )


def test_one_article_never_counts_for_more_than_its_order() -> None:
    cup = Item("CUP", "杯子", 2, 6_800)
    assert Matter("damaged", an_order(20_000, cup), cup).paid == 13_600
    assert Matter("damaged", an_order(9_900, cup), cup).paid == 9_900, "bought at a discount"
    assert Matter("late", an_order(9_900, cup)).paid == 9_900


def test_an_article_is_paid_for_the_same_in_every_round_and_form(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "defective", "shop")
    talk.say(heard("QH202611160231 3358", "inform"))
    talk.say(heard("编织充电线1.5米", "inform"), Pressed("item", value="CAB-01"))
    paid = {offer_of(talk).facts["paid"]}
    talk.say(heard("再加点", "ask_more"))
    paid.add(offer_of(talk).facts["paid"])
    talk.say(heard("换成退款", "ask_other"))
    paid.add(offer_of(talk).facts["paid"])
    assert paid == {2_900}
    refund = offer_of(talk).remedies[0]
    assert (refund["kind"], refund["worth"]) == ("refund_full", 2_900)


def test_an_article_named_by_the_way_changes_nothing(orders: EmbeddedOrders) -> None:
    talk = offered(orders, "late", trade="shop", item="TEA-01")
    first = offer_of(talk)
    talk.say(heard("再加点", "ask_more"))
    assert offer_of(talk).facts["paid"] == first.facts["paid"]
    assert worth_of(offer_of(talk)) > worth_of(first)


def test_facts_of_an_offer_are_whole_and_known(orders: EmbeddedOrders) -> None:
    for trade in TRADES:
        facts = offer_of(offered(orders, "rude_staff", trade=trade)).facts
        assert set(facts) == set(FACTS)
        assert type(facts["paid"]) is int


def test_a_threat_steers_authority_and_never_worth() -> None:
    policy = running().on("hotel", Talk(a_business(), None, private_turn).now.date())  # type: ignore[arg-type]
    facts = policy.facts("noise", 60_000, anger=3, escalation=True)
    threat, calm = policy.decide(facts), policy.decide(without_manner(facts))
    assert threat.remedies == calm.remedies
    assert (threat.authority, calm.authority) == ("agent", "bot")
    assert replace(facts, anger=0, escalation=False) == without_manner(facts)


def test_a_case_of_before_has_no_opening_and_waited_for_nothing(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "noise")
    assert isinstance(talk.case, Case)
    talk.case = replace(talk.case, opened_at=None)
    talk.say(inform())
    assert offer_of(talk).facts["wait_hours"] == 0


# --- what a review has found ------------------------------------------------------------------


def test_who_comes_in_again_finds_what_was_agreed_and_no_new_offer(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"), button(talk, "accept"))
    talk.decide = opening_turn
    again = talk.say(heard("", "entered"))
    assert "make_offer" not in done(again)
    assert names(again) == ["say_progress"]
    talk.case = apply(talk.case, CloseCase("thanked"), talk.now)
    assert "make_offer" not in done(talk.say(heard("", "entered")))


def test_a_case_is_settled_once(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    taken = offer_of(talk)
    second = replace(taken, id="o-second", state="open")
    assert talk.case is not None
    talk.case = replace(talk.case, offers=(*talk.case.offers, second))
    case = apply(talk.case, AcceptOffer(taken.id), talk.now)
    with pytest.raises(OfferNotOpenError):
        apply(case, AcceptOffer(second.id), talk.now)


def test_an_order_that_is_gone_goes_to_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(orders, "room_not_clean")
    assert talk.case is not None
    talk.case = replace(talk.case, order_number="LT000000000000")
    reply = talk.say(heard("现在怎么办", "ask_progress"))
    assert one(reply, HandOver).reason == "no_order"


def test_a_refund_of_nothing_is_for_a_person(orders: EmbeddedOrders, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "orders.sqlite3") as db:
        db.execute("UPDATE orders SET paid = 0 WHERE number = 'QH202611170305'")
    talk = talk_about(orders, "fake", "shop", evidence="photo")
    reply = talk.say(heard("QH202611170305，尾号9914", "inform"))
    assert one(reply, HandOver).reason == "beyond_authority"
    assert "make_offer" not in done(reply)


def test_the_harm_that_staff_have_set_is_not_overruled_by_words(orders: EmbeddedOrders) -> None:
    facts = {"harm": "slight", "harm_by": "staff"}
    talk = talk_about(orders, "room_not_clean", **facts)
    talk.say(heard("床太脏，我过敏了，还误了飞机", "complain_room_not_clean", anger=2))
    assert talk.case is not None
    assert talk.case.facts["harm"] == "slight"


def test_a_picture_that_comes_with_the_offer_open_is_kept(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("[图片]", "inform"), picture="p1")
    assert talk.case is not None
    assert talk.case.facts["evidence"] == "photo"
    assert offer_of(talk)


# --- what a person has offered ------------------------------------------------------------


def by_a_person(talk: Talk, more: int) -> Offer:
    """Let a member of staff offer so much more, and give the case back."""
    assert talk.case is not None
    own = offer_of(talk)
    voucher = {"kind": "voucher", "fen": more, "part": "goodwill", "worth": more, "trade": "shop"}
    theirs = replace(
        own,
        id="o-of-staff",
        by="staff:1",
        authority="manager",
        departure="等了很久",
        remedies=[*own.remedies, voucher],
        goodwill_fen=own.goodwill_fen + more,
    )
    case = replace(talk.case, stage="person", offers=(replace(own, state="replaced"), theirs))
    talk.case = given_back(case, talk.now)
    assert talk.case.stage == "offered"
    return theirs


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("换成退款可以吗", "ask_other"),
        ("有没有别的形式", "ask_other"),
        ("还不够", "ask_more"),
        ("我还因为这个住院了", "complain"),
    ],
)
def test_the_bot_never_replaces_what_a_person_has_offered(
    orders: EmbeddedOrders, text: str, intent: str
) -> None:
    talk = offered(orders, "rude_staff", trade="shop")
    theirs = by_a_person(talk, 20_000)
    reply = talk.say(heard(text, intent))
    assert "make_offer" not in done(reply), names(reply)
    assert offer_of(talk) == theirs, "it can still be taken"


def test_another_form_of_a_persons_offer_is_for_a_person(orders: EmbeddedOrders) -> None:
    talk = offered(orders, "rude_staff", trade="shop")
    by_a_person(talk, 20_000)
    reply = talk.say(heard("换成退款可以吗", "ask_other"))
    assert names(reply) == ["say_more_limit"]
    assert one(reply, HandOver).reason == "beyond_authority"


def test_another_form_is_never_worth_less_than_what_stands(orders: EmbeddedOrders) -> None:
    talk = offered(orders, "rude_staff", trade="shop")
    assert talk.case is not None
    own = offer_of(talk)
    dearer = replace(own, goodwill_fen=own.goodwill_fen + 5_000)
    talk.case = replace(talk.case, offers=(dearer,))
    reply = talk.say(heard("换成退款可以吗", "ask_other"))
    made = [found for found in reply.commands if isinstance(found, MakeOffer)]
    assert all(item.floor_fen + item.goodwill_fen >= worth_of(dearer) for item in made)
    assert offer_of(talk).id == own.id
