"""The private talk: names the matter, asks only what is unknown, offers by policy."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.case import Case, apply, given_back, hear
from recovery.commands import AcceptOffer, HandOver, MakeOffer, OpenCase, TriedProof
from recovery.dialogue.private import opening_turn, private_turn
from recovery.dialogue.reply import Pressed, Turn, Underway
from recovery.orders.embedded import EmbeddedOrders
from recovery.remedy.running import running
from tests.recovery.talk import HOTEL, SHOP, Talk, command, done, heard, names


def talk_about(business: object, orders: EmbeddedOrders, failure: str, anger: int = 2) -> Talk:
    talk = Talk(business, orders, private_turn)  # type: ignore[arg-type]  # a Business
    opened = apply(None, OpenCase("s1", failure), talk.now)
    assert opened is not None
    talk.case = hear(opened, anger, talk.now)
    return talk


def offer_of(talk: Talk) -> MakeOffer:
    assert talk.case is not None
    offer = talk.case.open_offer(talk.now)
    assert offer is not None
    return offer  # type: ignore[return-value]  # same fields


def test_the_hotel_story(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean")
    talk.decide = opening_turn
    opening = talk.say(heard("", "entered", anger=2))
    assert names(opening) == ["say_open", "say_apologise", "say_ask_order"]
    assert opening.says[0].words["matter"] == "房间没有打扫干净这件事"
    talk.decide = private_turn
    offered = talk.say(heard("LT202611180012，尾号4417", "inform", anger=1))
    assert names(offered) == ["say_offer"]
    made = command(offered, MakeOffer)
    assert isinstance(made, MakeOffer)
    assert [one["kind"] for one in made.remedies] == ["room_change", "free_meal", "next_discount"]
    assert [one["part"] for one in made.remedies] == ["floor", "goodwill", "goodwill"]
    assert made.reason
    accepted = talk.say(heard("就这样办", "accept"), Pressed("accept", made.offer))
    assert names(accepted) == ["say_confirm"]
    assert "20分钟内" in accepted.says[0].words["next"]
    assert talk.case is not None
    assert talk.case.stage == "agreed"
    assert names(talk.say(heard("谢谢", "thank"))) == ["say_close"]


def test_the_shop_story(orders: EmbeddedOrders) -> None:
    talk = talk_about(SHOP, orders, "wrong_item")
    offered = talk.say(heard("单号QH202611150108 6621", "inform"))
    made = command(offered, MakeOffer)
    assert isinstance(made, MakeOffer)
    kinds = {one["kind"]: one for one in made.remedies}
    assert set(kinds) == {"resend", "courier_pickup", "voucher", "recommendation"}
    assert kinds["resend"]["product"] == "月白手冲咖啡杯"
    # Bought cups, filters and beans before: what fits is from the coffee shelf and not bought yet.
    assert kinds["recommendation"]["product"] in ("墨色手冲咖啡杯", "细口手冲壶")


def test_who_stays_furious_gets_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger=3)
    reply = talk.say(heard("你们就是一群骗子！气死我了！！", "insult", anger=3))
    assert names(reply) == ["say_handover"]
    assert command(reply, HandOver).reason == "fury"  # type: ignore[attr-defined]
    assert talk.case is not None
    assert (talk.case.stage, talk.case.failure) == ("person", "room_not_clean")


def test_what_the_furious_tell_goes_with_them(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "unknown", anger=3)
    reply = talk.say(heard("吵得一夜没睡！！垃圾酒店！", "complain_noise", anger=3))
    assert command(reply, HandOver).reason == "fury"  # type: ignore[attr-defined]
    assert talk.case is not None
    assert talk.case.failure == "noise"


@pytest.mark.parametrize(
    ("before", "text", "anger"),
    [
        (2, "垃圾酒店！！", 3),
        (3, "快点给我处理", 1),
        (3, "LT202611180012，尾号4417，赶紧的！！", 3),
    ],
)
def test_the_bot_goes_on_with_who_is_furious_once_or_works_along(
    orders: EmbeddedOrders, before: int, text: str, anger: int
) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger=before)
    reply = talk.say(heard(text, "inform", anger=anger))
    assert "hand_over" not in done(reply)


def test_nothing_is_asked_twice(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    assert names(talk.say(heard("LT202611180012", "inform"))) == ["say_ask_phone"]
    assert names(talk.say(heard("4417", "inform"))) == ["say_offer"]
    talk = talk_about(HOTEL, orders, "noise")
    assert names(talk.say(heard("尾号4417", "inform"))) == ["say_ask_order_number"]
    assert names(talk.say(heard("LT2026 1118 0012".replace(" ", ""), "inform"))) == ["say_offer"]


def test_a_whole_phone_number_proves_as_its_last_digits(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    assert names(talk.say(heard("LT202611180012 手机19900004417", "inform"))) == ["say_offer"]


def test_which_article_is_asked_only_where_it_matters(orders: EmbeddedOrders) -> None:
    talk = talk_about(SHOP, orders, "defective")
    asked = talk.say(heard("QH202611160231 3358", "inform"))
    assert names(asked) == ["say_ask_item"]
    assert [button.payload for button in asked.says[0].buttons] == ["item:EAR-01", "item:CAB-01"]
    offered = talk.say(heard("编织充电线1.5米", "inform"), Pressed("item", value="CAB-01"))
    made = command(offered, MakeOffer)
    assert isinstance(made, MakeOffer)
    assert made.remedies[0]["product"] == "编织充电线1.5米"
    late = talk_about(SHOP, orders, "late")
    assert names(late.say(heard("QH202611160231 3358", "inform"))) == ["say_offer"]


@pytest.mark.parametrize("digits", ["0000", "4418"])
def test_no_offer_without_proof(orders: EmbeddedOrders, digits: str) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    reply = talk.say(heard(f"LT202611180012 {digits}", "inform"))
    assert names(reply) == ["say_proof_failed"]
    assert "make_offer" not in done(reply)


def test_an_unknown_order_and_wrong_digits_look_alike(orders: EmbeddedOrders) -> None:
    wrong = talk_about(HOTEL, orders, "noise").say(heard("LT202611180012 0001", "inform"))
    unknown = talk_about(HOTEL, orders, "noise").say(heard("LT209901010001 0001", "inform"))
    assert names(wrong) == names(unknown)
    assert done(wrong) == done(unknown)


def test_an_order_of_another_business_proves_nothing(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    reply = talk.say(heard("QH202611150108 6621", "inform"))
    assert names(reply) == ["say_proof_failed"]


def test_guessing_ends_with_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    for guess in range(4):
        reply = talk.say(heard(f"LT202611180012 {guess:04d}", "inform"))
        assert names(reply) == ["say_proof_failed"]
    last = talk.say(heard("LT202611180012 0009", "inform"))
    assert names(last) == ["say_proof_limited"]
    assert isinstance(command(last, HandOver), HandOver)
    assert isinstance(command(last, TriedProof), TriedProof)


def test_a_guest_whom_the_host_site_vouches_for_is_asked_for_nothing(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean")
    assert names(talk.say(heard("嗯", "inform"), external="guest-1001")) == ["say_offer"]
    other = talk_about(SHOP, orders, "late")
    other.decide = opening_turn
    asked = other.say(heard("", "entered"), external="buyer-2001")
    other.decide = private_turn
    assert names(asked)[-1] == "say_ask_order_number"
    assert all(button.payload.startswith("order:QH") for button in asked.says[-1].buttons)
    foreign = Pressed("order", value="QH202611160231")  # somebody else's
    again = other.say(heard("这单", "inform"), foreign, external="buyer-2001")
    assert "make_offer" not in done(again)


def offered(orders: EmbeddedOrders, anger: int = 1) -> Talk:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger)
    talk.say(heard("LT202611180012 4417", "inform", anger=anger))
    return talk


def test_free_text_needs_a_sure_intent(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    assert names(talk.say(heard("行吧", "accept", confidence=0.4))) == ["say_which"]
    reply = talk.say(heard("行，就这么办", "accept", confidence=0.9))
    assert isinstance(command(reply, AcceptOffer), AcceptOffer)


def test_a_button_of_a_replaced_offer_takes_nothing(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    old = offer_of(talk).id  # type: ignore[attr-defined]  # an Offer
    assert names(talk.say(heard("就这点？", "ask_more"))) == ["say_offer_more"]
    reply = talk.say(heard("就这样办", "accept"), Pressed("accept", old))
    assert names(reply) == ["say_which"]
    assert "accept_offer" not in done(reply)


def test_more_is_given_twice_then_a_person_decides_and_the_offer_stands(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    first = offer_of(talk)
    assert names(talk.say(heard("再加点", "ask_more"))) == ["say_offer_more"]
    second = offer_of(talk)
    assert {one["kind"] for one in first.remedies} <= {one["kind"] for one in second.remedies}
    assert names(talk.say(heard("还能再加点吗", "ask_more"))) == ["say_offer_last"]
    third = offer_of(talk)
    worth = [one.floor_fen + one.goodwill_fen for one in (first, second, third)]  # type: ignore[attr-defined]
    assert worth == sorted(set(worth))
    limit = talk.say(heard("还是不够", "ask_more"))
    assert names(limit) == ["say_more_limit"]
    assert isinstance(command(limit, HandOver), HandOver)
    assert offer_of(talk).remedies == third.remedies


@pytest.mark.parametrize("anger", [0, 1, 2, 3])
def test_anger_never_changes_what_is_given(orders: EmbeddedOrders, anger: int) -> None:
    calm, angry = offered(orders, 0), offered(orders, anger)
    assert offer_of(calm).remedies == offer_of(angry).remedies
    calm.say(heard("再加点", "ask_more"))
    angry.say(heard("就这点？打发谁呢", "ask_more", anger=anger))
    assert offer_of(calm).remedies == offer_of(angry).remedies


def test_refusal_brings_a_person_and_a_time(orders: EmbeddedOrders) -> None:
    reply = offered(orders).say(heard("不接受", "refuse"))
    assert names(reply) == ["say_refused"]
    assert reply.says[0].words["time"]
    assert done(reply) == ["refuse_offer", "hand_over"]


def test_thinking_it_over_keeps_the_offer_and_names_its_end(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    reply = talk.say(heard("我考虑一下", "think_over"))
    assert names(reply) == ["say_think"]
    assert reply.says[0].words["until"] == "11月24日12:00"
    talk.now += timedelta(hours=47)
    assert "accept_offer" in done(talk.say(heard("好的", "accept")))


def test_an_expired_offer_is_made_anew_not_taken(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.now += timedelta(hours=49)
    reply = talk.say(heard("好的", "accept"))
    assert "accept_offer" not in done(reply)
    assert "make_offer" in done(reply)


def test_why_is_answered_with_the_reason_of_the_rule(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    reply = talk.say(heard("为什么是这样", "ask_why"))
    told = reply.says[0].words["reason"].split("；")
    assert told == list(offer_of(talk).why)
    assert offer_of(talk).reason.split("；")[0] in told, "what the card says is among them"


def test_accepting_twice_carries_out_once(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    assert names(talk.say(heard("好的", "accept"))) == ["say_already_agreed"]


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (heard("我要找经理", "ask_human"), "asked"),
        (
            heard("我去12315告", "complain_other", anger=3, flags=("escalation",)),
            "escalation",
        ),
        (heard("吃了拉肚子进医院了", "complain_other", flags=("safety",)), "safety"),
    ],
)
def test_some_things_are_for_people_at_any_time(
    orders: EmbeddedOrders, what: object, reason: str
) -> None:
    for talk in (talk_about(HOTEL, orders, "noise"), offered(orders)):
        reply = talk.say(what)  # type: ignore[arg-type]  # parametrized
        handed = command(reply, HandOver)
        assert isinstance(handed, HandOver)
        assert handed.reason == reason
        assert talk.case is not None
        assert talk.case.stage == "person"


def test_nobody_is_promised_a_person_sooner_than_the_queue_allows(orders: EmbeddedOrders) -> None:
    for waits, words in ((timedelta(minutes=35), "35分钟内"), (timedelta(minutes=2), "15分钟内")):
        talk = talk_about(HOTEL, orders, "noise")
        talk.expected = talk.now + waits
        reply = talk.say(heard("我要找经理", "ask_human"))
        assert reply.says[-1].words["time"] == words
        handed = command(reply, HandOver)
        assert isinstance(handed, HandOver)
        due = max(talk.expected, HOTEL.person_by(talk.now))
        assert datetime.fromisoformat(handed.by or "") == due


def test_what_cannot_be_placed_goes_to_a_person_with_a_time(orders: EmbeddedOrders) -> None:
    talk = talk_about(SHOP, orders, "unknown")
    talk.decide = opening_turn
    reply = talk.say(heard("", "entered"))
    assert names(reply)[-1] == "say_handover_unknown"
    assert reply.says[-1].words["time"]
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "unknown"


def test_no_matter_yet_is_asked_once_then_a_person_comes(orders: EmbeddedOrders) -> None:
    talk = Talk(HOTEL, orders, private_turn)
    assert names(talk.say(heard("你们说怎么办", anger=1))) == ["say_ask_matter"]
    assert "hand_over" in done(talk.say(heard("你们说呢", anger=1)))


def test_two_misunderstandings_bring_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise", anger=0)
    assert names(talk.say(heard("嗯嗯啊啊"))) == ["say_not_understood"]
    assert "hand_over" in done(talk.say(heard("哦")))


def test_a_message_understood_between_two_misses_keeps_the_bot(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise", anger=0)
    assert names(talk.say(heard("嗯嗯啊啊"))) == ["say_not_understood"]
    assert "hand_over" not in done(talk.say(heard("请问几点退房？", "ask_question")))
    assert names(talk.say(heard("哦"))) == ["say_not_understood"]
    assert "hand_over" in done(talk.say(heard("啊啊")))


def test_dawdling_over_an_offer_brings_no_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean")
    talk.say(heard("LT202611180012，尾号4417", "inform"))
    for _ in range(5):
        asked = talk.say(heard("处理到哪一步了？", "ask_progress", anger=1, complaint=0.6))
        assert names(asked) == ["say_offer_again"]
        thinks = talk.say(heard("让我想想再说", "think_over", anger=1, complaint=0.55))
        assert names(thinks) == ["say_think"]


def test_asking_how_far_it_is_is_no_broken_promise(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean")
    talk.say(heard("LT202611180012，尾号4417", "inform"))
    talk.say(heard("就这样办", "accept"), Pressed("accept", offer_of(talk).id))
    asked = talk.say(heard("现在到哪一步了", "ask_progress", anger=1, complaint=0.6))
    assert names(asked) == ["say_progress"]
    insists = heard("到底处理到哪一步了？！", "ask_progress", anger=2, complaint=0.9)
    assert "hand_over" in done(talk.say(insists))


def test_what_is_beyond_the_bots_authority_goes_to_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(SHOP, orders, "refund_delayed")
    reply = talk.say(heard("给个说法", "complain_other", anger=2))
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "beyond_authority"


@pytest.mark.parametrize("intent", ["greet", "thank", "praise", "ask_question", "goodbye"])
def test_small_talk_needs_no_case(orders: EmbeddedOrders, intent: str) -> None:
    talk = Talk(HOTEL, orders, private_turn)
    reply = talk.say(heard("您好", intent))
    assert done(reply) == []
    assert len(reply.says) == 1


def test_after_closing_a_new_matter_opens_a_new_case(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    talk.say(heard("谢谢", "thank"))
    before = talk.case
    reply = talk.say(heard("隔壁太吵了！", "complain_noise", anger=2))
    assert "open_case" in done(reply)
    assert talk.case is not None
    assert before is not None
    assert talk.case.id != before.id
    assert talk.case.failure == "noise"


def test_ids_follow_from_the_message_so_that_a_retry_names_the_same(
    orders: EmbeddedOrders,
) -> None:
    case: Case | None = talk_about(HOTEL, orders, "noise").case
    turn = Turn(
        message="m0123456789abcdef01234567",
        heard=heard("LT202611180012 4417", "inform"),
        business=HOTEL,
        case=case,
        now=Talk(HOTEL, orders, private_turn).now,
        orders=orders,
        policy=running().on("hotel", Talk(HOTEL, orders, private_turn).now.date()),
    )
    assert private_turn(turn) == private_turn(turn)
    made = command(private_turn(turn), MakeOffer)
    assert isinstance(made, MakeOffer)
    assert made.offer == "o0123456789abcdef01234567"


def test_a_second_matter_is_heard_and_goes_to_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger=1)
    heard_too = talk.say(heard("空调也坏了", "complain_broken_facility", anger=1))
    assert names(heard_too)[0] == "say_acknowledge"
    assert "设施" in heard_too.says[0].words["matter"]
    talk.say(heard("LT202611180012 4417", "inform"))
    accepted = talk.say(heard("好的", "accept"))
    assert names(accepted) == ["say_confirm", "say_handover"]
    assert done(accepted) == ["accept_offer", "hand_over"]


def test_a_new_matter_at_the_offer_brings_a_person_and_the_offer_stands(
    orders: EmbeddedOrders,
) -> None:
    talk = offered(orders)
    reply = talk.say(heard("其实最要紧的是空调坏了", "complain_broken_facility", anger=1))
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "second_matter"
    assert offer_of(talk)


def test_insisting_without_news_is_asked_once_more_then_a_person_comes(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean")
    what = heard("到底管不管", "complain_other", anger=2)
    assert names(talk.say(what)) == ["say_ask_order"]
    assert "hand_over" in done(talk.say(what))


def test_who_will_not_name_an_order_gets_a_person(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger=1)
    assert "hand_over" in done(talk.say(heard("我不想给订单号", "refuse")))


def test_sarcasm_accepts_nothing(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    reply = talk.say(heard("行行行，反正房间还脏着", "accept", complaint=0.8, anger=2))
    assert names(reply) == ["say_which"]
    agreed = offered(orders)
    agreed.say(heard("好的", "accept"))
    bitter = agreed.say(heard("谢谢你们啊等一小时了", "thank", complaint=0.9, anger=2))
    assert "close_case" not in done(bitter)
    assert "hand_over" in done(bitter)


@pytest.mark.parametrize("intent", ["refuse", "ask_more"])
def test_a_change_of_mind_after_accepting_brings_a_person(
    orders: EmbeddedOrders, intent: str
) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    assert "hand_over" in done(talk.say(heard("算了我不要了", intent)))


def test_after_thanks_the_bot_still_knows_what_it_promised(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    talk.say(heard("谢谢", "thank"))
    reply = talk.say(heard("什么时候来换房", "ask_progress"))
    assert names(reply) == ["say_progress"]
    still = talk.say(heard("房间还是脏的", "complain_room_not_clean", anger=2))
    assert "hand_over" in done(still)
    assert "open_case" not in done(still)


def test_a_new_matter_after_closing_needs_no_second_proof(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    talk.say(heard("谢谢", "thank"))
    reply = talk.say(heard("隔壁太吵了", "complain_noise", anger=1))
    assert "make_offer" in done(reply)


def test_one_order_gets_one_remedy_from_the_bot(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise", anger=1)
    talk.given_before = {"LT202611180012"}
    reply = talk.say(heard("LT202611180012 4417", "inform"))
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "repeated"
    assert "make_offer" not in done(reply)


def test_progress_is_what_was_really_done(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    change, dinner = {"kind": "room_change", "minutes": 20}, {"kind": "free_dinner", "persons": 2}
    talk.underway = (
        Underway(change, "done", {"room": "1510"}, talk.now),
        Underway(dinner, "todo", None, talk.now),
    )
    words = talk.say(heard("到哪一步了", "ask_progress")).says[0].words["progress"]
    assert "1510" in words
    assert "正在办" in words


def test_what_is_late_goes_to_a_person(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    change = {"kind": "room_change", "minutes": 20}
    talk.underway = (Underway(change, "todo", None, talk.now - timedelta(hours=3)),)
    reply = talk.say(heard("怎么没人来", "ask_progress"))
    handed = command(reply, HandOver)
    assert isinstance(handed, HandOver)
    assert handed.reason == "late"


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("22T22:50", "明天08:30前办好"),
        ("22T23:45", "明天08:30前办好"),
        ("23T08:10", "20分钟内办好"),
        ("23T08:35", None),
    ],
)
def test_what_was_promised_for_the_morning_is_not_late_at_night(
    orders: EmbeddedOrders, clock: str, words: str | None
) -> None:
    """Of an hour from 22:30 half is left in the morning, so it was promised for 08:30."""
    talk = offered(orders)
    talk.say(heard("好的", "accept"))
    call = {"kind": "manager_call", "minutes": 60}
    talk.underway = (
        Underway(call, "todo", None, datetime.fromisoformat("2026-11-22T22:30+08:00")),
    )
    talk.now = datetime.fromisoformat(f"2026-11-{clock}+08:00")
    reply = talk.say(heard("到哪一步了", "ask_progress"))
    if words is None:
        handed = command(reply, HandOver)
        assert isinstance(handed, HandOver)
        assert handed.reason == "late"
    else:
        assert names(reply) == ["say_progress"]
        assert words in reply.says[0].words["progress"]


def test_outside_service_hours_no_visit_is_promised_at_once(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "room_not_clean", anger=1)
    talk.now = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)  # 03:00 in Shanghai
    made = command(talk.say(heard("LT202611180012 4417", "inform")), MakeOffer)
    assert isinstance(made, MakeOffer)
    assert made.remedies[0]["by"] == "今天08:20前"


def test_given_back_the_bot_offers_nothing_by_itself(orders: EmbeddedOrders) -> None:
    talk = offered(orders)
    talk.say(heard("不接受", "refuse"))
    assert talk.case is not None
    talk.case = given_back(talk.case, talk.now)
    reply = talk.say(heard("好的", "accept"))
    assert names(reply) == ["say_close"]
    assert done(reply) == []


def test_an_order_of_the_family_is_proved_by_its_digits(orders: EmbeddedOrders) -> None:
    """The host site vouches for other orders; this one is proved like anybody's."""
    talk = talk_about(SHOP, orders, "late", anger=1)
    reply = talk.say(heard("QH202611160231 3358", "inform"), external="buyer-2001")
    assert "make_offer" in done(reply)


@pytest.mark.parametrize("text", ["？？？", "😡😡😡", "[怒][怒]", "我要投诉", "投诉！！！"])
def test_who_only_says_that_something_is_wrong_is_asked_what_before_a_person_comes(
    orders: EmbeddedOrders, text: str
) -> None:
    wordless = heard(text, complaint=0.93, anger=2)
    talk = Talk(HOTEL, orders, private_turn)
    assert names(talk.say(wordless)) == ["say_ask_matter"]
    assert "hand_over" in done(talk.say(wordless))
    talk = Talk(HOTEL, orders, private_turn)
    talk.say(wordless)
    told = talk.say(heard("隔壁装修吵得睡不着", "complain_noise", anger=2))
    assert names(told)[-1] == "say_ask_order"


@pytest.mark.parametrize("text", ["停车场的杆子砸了我的车", "我要投诉前台收我两次钱"])
def test_who_says_what_is_wrong_is_not_asked_what_it_is(orders: EmbeddedOrders, text: str) -> None:
    talk = Talk(HOTEL, orders, private_turn)
    assert "hand_over" in done(talk.say(heard(text, complaint=0.93, anger=2)))


def test_what_is_chosen_from_can_be_chosen_after_a_misunderstanding(
    orders: EmbeddedOrders,
) -> None:
    talk = talk_about(SHOP, orders, "defective", anger=0)
    asked = talk.say(heard("QH202611160231，3358", "inform")).says[-1]
    missed = talk.say(heard("嗯嗯啊啊")).says[-1]
    assert missed.response == "say_not_understood"
    assert missed.buttons == asked.buttons != ()


@pytest.mark.parametrize(
    "what",
    [
        heard("为什么是这样？", "ask_why"),
        heard("好", "accept", confidence=0.4),
        heard("哦", "out_of_scope"),
    ],
)
def test_a_reminder_of_an_offer_has_the_choices_of_its_card_in_their_order(
    orders: EmbeddedOrders, what: object
) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    card = talk.say(heard("LT202611180012，尾号4417", "inform")).says[-1]
    reminder = talk.say(what).says[-1]  # type: ignore[arg-type]  # parametrized
    assert [one.title for one in reminder.buttons] == [one.title for one in card.buttons]


def test_a_place_or_a_link_is_no_misunderstanding(orders: EmbeddedOrders) -> None:
    talk = talk_about(HOTEL, orders, "noise")
    talk.say(heard("嗯这样", "nlu_fallback"))
    assert talk.case is not None and talk.case.misses == 1
    for pointer in ("【位置】南京西路1266号", "【链接】我的订单 https://example.com/o/1"):
        reply = talk.say(heard(pointer, "inform"))
        assert names(reply) == ["say_ask_order"], "what is needed is asked for, and nobody is sent"
        assert talk.case.misses == 1
    assert names(talk.say(heard("嗯这样", "nlu_fallback"))) == ["say_handover"]


def test_a_place_before_any_words_is_asked_about(orders: EmbeddedOrders) -> None:
    talk = Talk(HOTEL, orders, private_turn)
    for _ in range(3):
        assert names(talk.say(heard("【位置】南京西路1266号", "inform"))) == ["say_ask_matter"]
    assert talk.case is not None and talk.case.misses == 0
