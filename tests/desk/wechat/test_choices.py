"""Numbers that stand for quick replies: they count as long as what they stand for is open."""

from collections.abc import Callable
from typing import Any

import pytest

from recovery.commands import OpenCase, RefuseOffer, TriedProof, to_wire
from recovery.store.tables import decisions, wechat_options
from tests.desk.deals import Deal
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.road_out import LAN, SEND, owned, said, sends, settled, tell, texts
from tests.desk.wechat.scene import Clerk, Scene

ORDER = "LT202611180012"
SHORT = "（回复数字即可：1 就这样办，2 不接受）"
BUTTONS = [{"title": "就这样办", "payload": "accept"}, {"title": "不接受", "payload": "refuse"}]
ROOM = {"kind": "room_change", "minutes": 20}
GIFTS: tuple[dict[str, Any], ...] = (
    {"kind": "voucher", "fen": 1000, "worth": 1000},
    {"kind": "apology"},
)


def bot(scene: Scene, answers: dict[str, Callable[[], Body]] | None = None) -> Deal:
    """A Rasa that makes an offer to `太吵`, says what is given, and takes what is pressed."""
    deal = Deal(ORDER, "hotel-1", business="lanting", failure="noise", remedies=GIFTS)
    deal.goodwill = 1000

    def script(_path: str, body: Body) -> Body:
        button = (body.get("metadata") or {}).get("button")
        text = body.get("text", "")
        if button and button["act"] == "accept":
            accept = {"do": "accept_offer", "offer": button["offer"]}
            return says("定了。", commands=[accept])
        if text == "太吵":
            deal.offer = "o" + body["message_id"][1:]
            commands = [
                OpenCase("s" + body["message_id"][1:], failure="noise"),
                TriedProof(ORDER, correct=True, vouched=False),
                deal.made(scene.desk.context),
            ]
            made = says("请看下面。", commands=[to_wire(one) for one in commands])
            made["messages"][0]["buttons"] = BUTTONS
            return made
        if answers and text in answers:
            return answers[text]()
        return says(f"好的：{text}")

    scene.rasa.script = script
    return deal


async def offered(scene: Scene, answers: dict[str, Callable[[], Body]] | None = None) -> Deal:
    deal = bot(scene, answers)
    delivery = await scene.double.write(LAN, "太吵")
    assert "1. 就这样办" in str(delivery.text), delivery.text
    await settled(scene, number=2)
    return deal


def state(scene: Scene) -> str:
    [row] = scene.rows(decisions)
    return str(row["state"])


def counting(scene: Scene) -> list[str]:
    return [row["title"] for row in scene.rows(wechat_options) if row["current"]]


async def test_a_number_counts_after_other_words_of_the_bot(scene_on_both: Scene) -> None:
    scene = scene_on_both
    await offered(scene)
    await scene.double.write(LAN, "发票怎么开")
    delivery = await scene.double.write(LAN, "1")
    assert str(delivery.text).startswith("定了。"), "on a slow machine its progress may come along"
    assert state(scene) == "accepted"
    await scene.until(lambda: counting(scene) == [])


async def test_a_reminder_repeats_the_numbers_in_one_line(scene: Scene) -> None:
    await offered(scene, {"我再想想": lambda: says("不急，方案保留到11月24日12:00。")})
    delivery = await scene.double.write(LAN, "我再想想")
    assert delivery.text == f"不急，方案保留到11月24日12:00。\n{SHORT}"
    other = await scene.double.write(LAN, "发票怎么开")
    assert SHORT not in str(other.text)


async def test_a_number_is_the_answer_to_what_the_bot_has_asked_since(scene: Scene) -> None:
    await offered(scene, {"换房": lambda: says("您住几号房？")})
    await scene.double.write(LAN, "换房")
    delivery = await scene.double.write(LAN, "1")
    assert delivery.text == "好的：1"
    assert state(scene) == "open"


async def test_numbers_of_an_offer_that_is_over_count_no_more(scene: Scene) -> None:
    deal = await offered(scene)
    answers = {"算了": lambda: says("好的。", commands=[to_wire(RefuseOffer(deal.offer))])}
    second = bot(scene, answers)
    second.offer = deal.offer
    await scene.double.write(LAN, "算了")
    await settled(scene, number=3)
    assert counting(scene) == []


async def test_numbers_of_an_offer_that_has_run_out_end_with_the_next_words(scene: Scene) -> None:
    await offered(scene)
    scene.clock.wind(hours=49)
    await scene.double.write(LAN, "发票怎么开")
    delivery = await scene.double.write(LAN, "1")
    assert delivery.text == "好的：1"


async def test_a_card_that_is_over_before_it_is_read_has_no_numbers(scene: Scene) -> None:
    deal = bot(scene)
    # Nothing can be sent for now.
    scene.double.fail(SEND, 45047, times=None)
    await scene.double.write(LAN, "您好")
    await settled(scene)
    conversation = str(scene.conversation(LAN)["id"])
    card = {"kind": "offer", "offer": "o1", "items": [{"title": "道歉"}], "state": "open"}
    shown = [{"title": "就这样办", "token": "t" * 8}]
    await tell(scene, conversation, {**card, "id": "o1.open", "buttons": shown})
    await scene.until(lambda: sends(scene)[-1]["state"] == "held")
    await tell(scene, conversation, {**card, "id": "o1.refused", "state": "refused"})
    assert deal.offer == ""
    delivery = await scene.double.write(LAN, "在吗")
    assert "道歉" in str(delivery.text) and "回复数字" not in str(delivery.text)


async def test_what_staff_say_ends_the_numbers(scene: Scene) -> None:
    await offered(scene)
    conversation = str(scene.conversation(LAN)["id"])
    await tell(scene, conversation, said("您好，我来看一下"))
    await settled(scene, number=3)
    assert counting(scene) == []


async def test_the_card_of_staff_is_taken_by_its_number(scene: Scene) -> None:
    await offered(scene)
    conversation = str(scene.conversation(LAN)["id"])
    clerk: Clerk = await owned(scene, conversation)
    await clerk.act(conversation, "answer", text="我重新给您安排", id="client-id-1")
    await clerk.act(conversation, "offers", id="offer-000001", remedies=[ROOM], reason="先换房")
    await settled(scene, number=6)
    assert "【为您准备的补救方案】" in texts(scene)[-1]
    assert "不再有效" not in "".join(texts(scene)[-1:])
    delivery = await scene.double.write(LAN, "1")
    assert delivery.text
    taken = [row["state"] for row in scene.rows(decisions)]
    assert sorted(taken) == ["accepted", "replaced"]
    await clerk.close()


@pytest.mark.parametrize("words", ["请打字", "稍等"])
async def test_what_is_said_aside_leaves_a_question_as_it_stands(scene: Scene, words: str) -> None:
    asked = says("请选一个")
    asked["messages"][0]["buttons"] = [{"title": "第一件", "payload": "item:0"}]
    bot(scene, {"买了两件": lambda: asked})
    await scene.double.write(LAN, "买了两件")
    await settled(scene)
    conversation = str(scene.conversation(LAN)["id"])
    ending = ".ask" if words == "请打字" else ".hold"
    aside = {"kind": "message", "author": "system", "text": words, "id": f"m0{ending}"}
    await tell(scene, conversation, aside)
    await settled(scene, number=2)
    assert counting(scene) == ["第一件"]
    await scene.double.write(LAN, "发票怎么开")
    await settled(scene, number=3)
    # The bot has gone on.
    assert counting(scene) == []


async def test_remedies_get_on_in_one_message_after_the_answer(scene: Scene) -> None:
    await offered(scene)
    with scene.clock.standing():
        await scene.double.write(LAN, "1")
        await scene.until(lambda: len(sends(scene)) == 5)
    await settled(scene, number=5)
    seen = scene.double.seen(LAN)[1:]
    # Where the remedies are as quick as the answer, they go along with it and cost nothing.
    assert [one.via for one in seen] in (["passive"], ["passive", "custom"])
    assert str(seen[0].text).startswith("定了。")
    assert [row["content"]["role"] for row in sends(scene)[-2:]] == ["progress", "progress"]
    assert scene.contact(LAN)["sent_since_wrote"] == len(seen) - 1
