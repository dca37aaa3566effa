"""The table "Public to private" of the design, row by row."""

import pytest

from recovery.commands import HandOver, Invite, OpenCase
from recovery.dialogue.public import public_turn
from recovery.orders.embedded import EmbeddedOrders
from tests.recovery.talk import HOTEL, SHOP, Talk, command, done, heard, names


@pytest.fixture
def hotel(orders: EmbeddedOrders) -> Talk:
    return Talk(HOTEL, orders, public_turn)


@pytest.mark.parametrize("intent", ["praise", "thank"])
def test_praise_gets_thanks_and_nothing_else(hotel: Talk, intent: str) -> None:
    reply = hotel.say(heard("前台小姑娘特别贴心", intent))
    assert names(reply) == ["say_public_thanks"]
    assert done(reply) == []


def test_a_question_is_answered_without_case_or_invitation(hotel: Talk) -> None:
    reply = hotel.say(heard("几点可以入住", "ask_question"))
    assert names(reply) == ["say_public_question"]
    assert reply.says[0].words["help"] == HOTEL.help
    assert done(reply) == []


@pytest.mark.parametrize("anger", [0, 1])
def test_a_calm_complaint_is_acknowledged_and_offered_private(hotel: Talk, anger: int) -> None:
    reply = hotel.say(heard("房间没打扫", "complain_room_not_clean", anger=anger))
    assert names(reply) == ["say_public_acknowledge", "say_public_invite"]
    assert done(reply) == ["open_case", "count_public_reply", "invite"]
    assert hotel.case is not None
    assert hotel.case.failure == "room_not_clean"


@pytest.mark.parametrize("anger", [2, 3])
def test_an_angry_complaint_gets_an_apology_and_priority(hotel: Talk, anger: int) -> None:
    reply = hotel.say(heard("脏成这样！", "complain_room_not_clean", anger=anger))
    assert names(reply) == ["say_public_apologise", "say_public_invite"]
    assert reply.says[0].words["matter"] == "房间没有打扫干净这件事"
    assert "invite" in done(reply)
    assert hotel.case is not None
    assert hotel.case.priority == anger


def test_insults_without_a_matter_get_one_calm_sentence(hotel: Talk) -> None:
    reply = hotel.say(heard("什么破公司", "insult", anger=3))
    assert names(reply) == ["say_public_insult"]
    assert done(reply) == ["open_case", "count_public_reply", "invite"]


def test_anger_without_complaint_or_known_intent_is_met_like_an_insult(hotel: Talk) -> None:
    reply = hotel.say(heard("呵呵呵呵！！！", anger=2))
    assert names(reply) == ["say_public_insult"]


@pytest.mark.parametrize(
    ("what", "first"),
    [
        (heard("几点入住，打我13812345678", "ask_question"), "say_public_question"),
        (heard("房间没打扫，打我13812345678", "complain_room_not_clean"), "say_public_acknowledge"),
        (heard("13812345678", "inform"), "say_public_private_data"),
    ],
)
def test_personal_data_is_hidden_and_invited(hotel: Talk, what: object, first: str) -> None:
    reply = hotel.say(what)  # type: ignore[arg-type]  # parametrized
    assert names(reply)[0] == first
    assert names(reply)[-1] == "say_public_masked"
    assert reply.says[-1].own
    assert done(reply).count("invite") == 1


def test_safety_comes_first_with_a_person(hotel: Talk) -> None:
    what = heard("浴室滑倒流血了", "complain_broken_facility", anger=1, flags=("safety",))
    reply = hotel.say(what)
    assert names(reply) == ["say_public_safety"]
    opened = command(reply, OpenCase)
    assert isinstance(opened, OpenCase)
    assert opened.safety
    assert isinstance(command(reply, HandOver), HandOver)
    assert isinstance(command(reply, Invite), Invite)
    assert hotel.case is not None
    assert hotel.case.priority == 4


def test_two_public_replies_a_case_then_only_the_customer_is_reminded(hotel: Talk) -> None:
    what = heard("房间没打扫！！", "complain_room_not_clean", anger=2)
    aloud = [[say for say in hotel.say(what).says if not say.own] for _ in range(4)]
    assert [len(says) for says in aloud] == [2, 2, 0, 0]
    assert names(hotel.say(what)) == ["say_public_reminder"]


def test_who_refuses_to_move_keeps_the_invitation(hotel: Talk) -> None:
    hotel.say(heard("房间没打扫！！", "complain_room_not_clean", anger=2))
    reply = hotel.say(heard("就在这说", "refuse_private", anger=1))
    assert names(reply) == ["say_public_stay"]
    assert "invite" in done(reply)
    again = hotel.say(heard("我说了就在这里说", "refuse_private", anger=2, complaint=0.1))
    assert [say.own for say in again.says if say.response == "say_public_reminder"] in ([True], [])


@pytest.mark.parametrize("text", ["转发抽奖", "哈哈哈", "今天天气真好"])
def test_chatter_is_left_alone(hotel: Talk, text: str) -> None:
    reply = hotel.say(heard(text, "out_of_scope"))
    assert names(reply) == []
    assert done(reply) == []


def test_a_complaint_of_another_trade_is_never_pressed_into_a_failure(
    orders: EmbeddedOrders,
) -> None:
    talk = Talk(SHOP, orders, public_turn)
    reply = talk.say(heard("宽带老是断线", "complain_broken_facility", anger=1))
    assert reply.says[0].words["matter"] == "您说的“宽带老是断线”这件事"
    assert talk.case is not None
    assert talk.case.failure == "unknown"


def test_an_unsure_failure_is_not_named(hotel: Talk) -> None:
    what = heard("信号一直断", "complain_noise", confidence=0.4, complaint=0.8, anger=1)
    assert "吵" not in hotel.say(what).says[0].words["matter"]


def test_a_doubted_complaint_gets_no_apology(hotel: Talk) -> None:
    what = heard("转发微博", "complain_noise", confidence=0.6, complaint=0.2)
    assert names(hotel.say(what)) == []


def test_alleged_fakes_are_never_owned(orders: EmbeddedOrders) -> None:
    reply = Talk(SHOP, orders, public_turn).say(heard("卖假货！！", "complain_fake", anger=3))
    assert names(reply)[0] == "say_public_acknowledge"


def test_a_first_matter_is_kept_when_a_second_post_names_none(hotel: Talk) -> None:
    hotel.say(heard("脏死了", "complain_room_not_clean", anger=2))
    reply = hotel.say(heard("到底管不管", "complain_other", anger=2))
    assert reply.says[0].words["matter"] == "房间没有打扫干净这件事"
    assert hotel.case is not None
    assert hotel.case.failure == "room_not_clean"


def test_after_an_insult_the_matter_is_taken_when_it_comes(hotel: Talk) -> None:
    hotel.say(heard("垃圾", "insult", anger=3))
    hotel.say(heard("房间脏", "complain_room_not_clean", anger=2))
    assert hotel.case is not None
    assert hotel.case.failure == "room_not_clean"


def test_who_asks_for_a_person_gets_one(hotel: Talk) -> None:
    reply = hotel.say(heard("找你们经理来", "ask_human"))
    assert "hand_over" in done(reply)
    assert "invite" in done(reply)


def test_sure_praise_of_a_trouble_overcome_gets_no_apology(hotel: Talk) -> None:
    what = heard("漏水半小时就修好了！！太快了！！", "praise", anger=2, complaint=0.7)
    assert names(hotel.say(what)) == ["say_public_thanks"]


def test_an_intent_that_names_no_failure_makes_no_complaint(hotel: Talk) -> None:
    what = heard("办公室都在用这家的网", "complain_other", complaint=0.4)
    assert names(hotel.say(what)) == []


def test_where_a_person_will_go_on_nothing_else_is_promised(orders: EmbeddedOrders) -> None:
    talk = Talk(SHOP, orders, public_turn)
    reply = talk.say(heard("宽带老是断线", "complain_other", anger=2))
    assert names(reply) == ["say_public_apologise", "say_public_invite_person"]
    assert [say.trade for say in reply.says][:1] == [False]
    placed = Talk(SHOP, orders, public_turn).say(heard("发错货了", "complain_wrong_item", anger=2))
    assert names(placed) == ["say_public_apologise", "say_public_invite"]
    assert placed.says[0].trade


def test_joy_with_many_marks_is_no_insult(hotel: Talk) -> None:
    assert names(hotel.say(heard("几点开始呀！！！", "ask_question", anger=2))) == [
        "say_public_question"
    ]


def test_an_insult_in_the_form_of_a_complaint_is_met_as_an_insult(orders: EmbeddedOrders) -> None:
    talk = Talk(SHOP, orders, public_turn)
    assert names(talk.say(heard("一群饭桶", "insult", anger=3, complaint=0.9))) == [
        "say_public_insult"
    ]
