"""What is said in private arrives in WeChat: once, in order, and within what WeChat allows."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection

from desk.channels.wechat.outgoing.composing import COME_BACK, MORE
from desk.channels.wechat.outgoing.cutting import MOST_BYTES, size
from desk.channels.wechat.outgoing.dispatching import take
from desk.channels.wechat.outgoing.planning import plan
from desk.channels.wechat.outgoing.standing import Rights
from recovery.ids import new_id
from recovery.store import streams
from recovery.store.tables import notices, wechat_received
from tests.desk.images import encoded
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.road_out import (
    LAN,
    SEND,
    arrived,
    owned,
    said,
    sends,
    settled,
    states,
    tell,
    texts,
)
from tests.desk.wechat.scene import Scene, a_scene

WANG = "o-wang"


# --- passively, or by customer message -----------------------------------------------------------


async def test_the_first_answer_is_the_passive_reply_and_costs_nothing(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    await scene.double.write(LAN, "房间没打扫")
    [seen] = await scene.seen(LAN, 1)
    assert (seen.via, seen.text) == ("passive", "好的：房间没打扫")
    assert scene.contact(LAN)["sent_since_wrote"] == 0
    assert [row["via"] for row in sends(scene)] == ["passive"]


async def test_what_the_bot_needs_long_for_comes_by_customer_message(tmp_path: Path) -> None:
    gate, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_path: str, _body: Body) -> Body | int:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        return says("想好了")

    # Long before WeChat hangs up, also where the machine is busy.
    async with a_scene(tmp_path, holding_seconds=1.0) as scene:
        scene.rasa.script = slowly
        await scene.double.write(LAN, "房间没打扫")
        # Asked for patience in time, at no cost.
        assert [seen.via for seen in scene.double.seen(LAN)] == ["passive"]
        gate.set()
        seen = await scene.seen(LAN, 2)
        assert [(one.via, one.text) for one in seen[1:]] == [("custom", "想好了")]
        assert scene.contact(LAN)["sent_since_wrote"] == 1


async def test_a_notice_goes_along_with_what_the_bot_is_about_to_say(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    gate, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_path: str, _body: Body) -> Body | int:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        return says("想好了")

    scene.rasa.script = slowly
    writing = asyncio.create_task(scene.double.write(LAN, "房间没打扫"))
    await scene.until(lambda: len(scene.inbox(LAN)) == 2)
    await tell(scene, conversation, {"kind": "owner", "owner": "bot", "text": "这里是一对一服务"})
    await scene.until(lambda: len(sends(scene)) == 2)
    gate.set()
    delivery = await writing
    assert delivery.text == "这里是一对一服务\n\n想好了"
    assert not scene.double.calls(SEND)


async def test_a_notice_waits_for_an_answer_that_was_given_this_moment(
    scene_on_both: Scene,
) -> None:
    """The answer stands in the stream, but nobody has put it on its way yet."""
    scene = scene_on_both
    conversation = await arrived(scene)
    context = scene.desk.context

    def at_once(db: Connection) -> list[streams.Entry]:
        now, stream = context.clock(), f"private:{conversation}"
        notice = {"kind": "owner", "owner": "bot", "text": "这里是一对一服务"}
        first = streams.append(db, stream, {"id": new_id("w"), **notice}, now)
        plan(db, context, {conversation}, now)
        second = streams.append(db, stream, {"id": new_id("w"), **said("想好了")}, now)
        decided = take(db, context, Rights(), 16, now)
        assert not decided.flights
        return [entry for entry in (first, second) if entry]

    context.hub.publish(await context.storage.write(at_once))
    await settled(scene, number=3)
    assert [(one.via, one.text) for one in scene.double.seen(LAN)[1:]] == [
        ("custom", "这里是一对一服务\n\n想好了")
    ]


async def test_a_notice_does_not_wait_beyond_a_word_of_patience(scene: Scene) -> None:
    conversation = await arrived(scene)
    gate, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_path: str, _body: Body) -> Body | int:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        return says("想好了")

    scene.rasa.script = slowly
    writing = asyncio.create_task(scene.double.write(LAN, "房间没打扫"))
    await scene.until(lambda: len(scene.inbox(LAN)) == 2)
    await tell(scene, conversation, {"kind": "owner", "owner": "bot", "text": "这里是一对一服务"})
    delivery = await writing
    assert str(delivery.text).startswith("这里是一对一服务\n\n")
    gate.set()
    await settled(scene, number=4)
    assert texts(scene)[-1] == "想好了"


async def test_remedies_that_get_on_together_are_told_together(scene: Scene) -> None:
    conversation = await arrived(scene)
    with scene.clock.standing():
        for number in range(3):
            done = {"kind": "progress", "title": f"第{number}件", "text": f"第{number}件办好了"}
            await tell(scene, conversation, {**done, "state": "done"})
            await scene.until(lambda number=number: len(sends(scene)) == 2 + number)
    await settled(scene, number=4)
    assert texts(scene)[1:] == ["第0件办好了\n\n第1件办好了\n\n第2件办好了"]


async def test_all_that_the_bot_says_at_once_is_one_message(scene: Scene) -> None:
    scene.rasa.script = lambda _path, _body: says("先向您道歉。", "请告诉我订单号。")
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene, number=2)
    assert texts(scene) == ["先向您道歉。\n\n请告诉我订单号。"]


async def test_staff_are_heard_in_order(scene_on_both: Scene) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    for number in range(3):
        await clerk.act(conversation, "answer", text=f"第{number}句", id=f"client-id-{number}")
        await settled(scene, number=3 + number)
    assert texts(scene)[2:] == ["第0句", "第1句", "第2句"]
    assert not scene.double.violations and not scene.double.wrong
    await clerk.close()


async def test_what_waits_together_goes_as_one_message(scene: Scene) -> None:
    conversation = await arrived(scene)
    await tell(scene, conversation, said("一"), said("二"), said("三"))
    await settled(scene, number=4)
    assert texts(scene)[1:] == ["一\n\n二\n\n三"]
    assert scene.contact(LAN)["sent_since_wrote"] == 1


async def test_a_long_text_arrives_whole_in_parts_that_fit(scene: Scene) -> None:
    conversation = await arrived(scene)
    text = "".join(f"第{number}句说完了。" for number in range(200))
    await tell(scene, conversation, said(text))
    await settled(scene, number=2)
    parts = texts(scene)[1:]
    assert len(parts) == 3
    assert "".join(parts) == text
    assert all(size(part) <= MOST_BYTES and part.endswith("。") for part in parts)


async def test_a_picture_of_staff_arrives_as_one(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    answer = await clerk.http.post(
        f"/api/staff/conversations/{conversation}/pictures?client_id=picture-1",
        content=encoded("JPEG"),
    )
    assert answer.status_code == 200
    await settled(scene, number=3)
    last = scene.double.seen(LAN)[-1]
    assert last.kind == "image" and last.image
    await clerk.close()


async def test_what_has_been_carried_to_wechat_is_not_carried_again_after_a_restart(
    scene_on_both: Scene,
) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    await tell(scene, conversation, said("一"))
    await settled(scene, number=2)
    await scene.restart()
    await tell(scene, conversation, said("二"))
    await settled(scene, number=3)
    assert texts(scene)[1:] == ["一", "二"]


async def test_what_was_said_while_the_desk_was_ending_is_sent_by_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = await arrived(scene)
    # Committed, and nobody has told the deliverer.
    monkeypatch.setattr(scene.desk.context.hub, "publish", lambda _entries: None)
    await tell(scene, conversation, said("差点没说"))
    await scene.restart()
    await settled(scene, number=2)
    assert texts(scene)[1:] == ["差点没说"]


# --- quick replies -------------------------------------------------------------------------------

CHOICES = [{"title": "没有照片", "payload": "no_photo"}, {"title": "扫地机", "payload": "item:a"}]


def asks(_path: str, body: Body) -> Body:
    answer = says(f"关于{body['text']}，请选一个")
    answer["messages"][0]["buttons"] = CHOICES
    return answer


async def test_quick_replies_are_numbers_in_a_passive_reply_and_a_menu_otherwise(
    scene: Scene,
) -> None:
    scene.rasa.script = asks
    await scene.double.write(LAN, "家电")
    [first] = await scene.seen(LAN, 1)
    assert first.text == "关于家电，请选一个\n\n回复数字即可：\n1. 没有照片\n2. 扫地机"
    scene.rasa.script = lambda _path, _body: says("记下了")
    await scene.double.write(LAN, "2")
    await settled(scene, number=2)
    pressed = scene.rasa.messages()[-1]
    assert pressed["metadata"]["button"]["act"] == "item"
    conversation = str(scene.conversation(LAN)["id"])
    shown = [{"title": "就这样办", "token": "t" * 8}, {"title": "不接受", "token": "u" * 8}]
    await tell(scene, conversation, said("请选", buttons=shown))
    await settled(scene, number=3)
    menu = scene.double.seen(LAN)[-1]
    assert (menu.kind, menu.text) == ("menu", "请选")
    assert [title for _, title in menu.items] == ["就这样办", "不接受"]


async def test_an_account_without_menus_gets_numbers_from_the_first_refusal_on(
    scene: Scene,
) -> None:
    conversation = await arrived(scene)
    scene.double.accounts["fuwu"].rights.discard("msgmenu")
    shown = [{"title": "就这样办", "token": "t" * 8}]
    await tell(scene, conversation, said("请选", buttons=shown))
    await settled(scene, number=2)
    assert texts(scene)[-1] == "请选\n\n回复数字即可：\n1. 就这样办"
    await tell(scene, conversation, said("再选", buttons=shown))
    await settled(scene, number=3)
    assert [call.code for call in scene.double.calls(SEND)] == [40200, 0, 0]
    # What WeChat has refused counts for nothing.
    assert scene.contact(LAN)["sent_since_wrote"] == 2


async def test_numbers_stand_only_where_typing_them_still_counts(scene: Scene) -> None:
    conversation = await arrived(scene)
    scene.double.accounts["fuwu"].rights.discard("msgmenu")
    shown = [{"title": "就这样办", "token": "t" * 8}]
    await tell(scene, conversation, said("请选", buttons=shown), said("算了，我来办"))
    await settled(scene, number=3)
    assert texts(scene)[-1] == "请选\n\n算了，我来办"


# --- the budget ----------------------------------------------------------------------------------


async def test_five_messages_go_and_the_rest_waits_for_the_customer(scene_on_both: Scene) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    for number in range(4):
        await tell(scene, conversation, said(f"第{number}句"))
        await settled(scene, number=2 + number)
    await tell(scene, conversation, said("好" * 700), said("坏" * 600), said("完"))
    await settled(scene, number=9)
    # The last one that may go says that there is more.
    last = texts(scene)[-1]
    assert last.endswith(MORE)
    assert states(scene).count("held") == 3
    await tell(scene, conversation, said("还有"))
    await scene.until(lambda: states(scene).count("held") == 4)
    assert len(scene.double.calls(SEND)) == 5
    assert not scene.double.violations
    await scene.double.write(LAN, "然后呢")
    await settled(scene, number=10)
    [reply] = scene.double.seen(LAN)[6:]
    assert reply.via == "passive"
    begun, *rest = reply.text.split("\n\n")
    assert last.removesuffix(MORE).strip() + begun == "好" * 700
    assert rest == ["坏" * 600, "完", "还有", "好的：然后呢"]
    assert not scene.double.violations and not scene.double.wrong


async def test_notices_wait_for_something_heavier_when_little_is_left(scene: Scene) -> None:
    conversation = await arrived(scene)
    for number in range(3):
        await tell(scene, conversation, said(f"第{number}句"))
        await settled(scene, number=2 + number)
    owner = {"kind": "owner", "owner": "staff", "name": "老吴", "text": "现在由老吴为您服务"}
    await tell(scene, conversation, owner)
    await scene.until(lambda: states(scene)[-1] == "held")
    await tell(scene, conversation, said("我是老吴"))
    await settled(scene, number=6)
    assert texts(scene)[-1] == "现在由老吴为您服务\n\n我是老吴"


async def test_after_two_days_nothing_goes_until_the_customer_writes(scene: Scene) -> None:
    conversation = await arrived(scene)
    scene.clock.wind(hours=48)
    await tell(scene, conversation, said("有结果了"))
    await scene.until(lambda: states(scene)[-1] == "held")
    assert not scene.double.calls(SEND)
    scene.rasa.script = lambda _path, _body: says("您好")
    await scene.double.write(LAN, "在吗")
    await settled(scene, number=3)
    assert [(one.via, one.text) for one in scene.double.seen(LAN)[1:]] == [
        ("passive", "有结果了\n\n您好")
    ]


async def test_who_follows_may_be_told_three_things_within_a_minute(scene: Scene) -> None:
    conversation = await arrived(scene)
    scene.clock.wind(hours=50)
    await scene.double.click(LAN, "nothing")
    for number in range(4):
        await tell(scene, conversation, said(f"第{number}句"))
        await settled(scene, number=2 + number)
    assert states(scene)[-4:] == ["sent", "sent", "sent", "held"]
    assert not scene.double.violations


async def test_an_account_without_customer_messages_only_replies(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"custom_messages": False},)) as scene:
        scene.double.accounts["fuwu"].rights.discard("custom")
        conversation = await arrived(scene)
        await tell(scene, conversation, said("稍后说"))
        await scene.until(lambda: states(scene)[-1] == "held")
        await scene.double.write(LAN, "在吗")
        await settled(scene, number=3)
        assert texts(scene)[1:] == ["稍后说\n\n好的：在吗"]
        assert not scene.double.calls(SEND)


async def test_without_customer_messages_any_word_brings_a_late_answer(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"custom_messages": False},)) as scene:
        gate, loop = asyncio.Event(), asyncio.get_running_loop()

        def slowly(_path: str, body: Body) -> Body | int:
            if body["text"] == "房间没打扫":
                asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
            return says(f"好的：{body['text']}")

        scene.rasa.script = slowly
        first = await scene.double.write(LAN, "房间没打扫")
        assert first.text in COME_BACK
        gate.set()
        await scene.until(lambda: states(scene)[-1:] == ["held"])
        second = await scene.double.write(LAN, "嗯")
        assert second.text == "好的：房间没打扫\n\n好的：嗯"


# --- what WeChat's errors mean -------------------------------------------------------------------


@pytest.mark.parametrize("code", [45015, 45047])
async def test_a_window_that_is_shut_is_believed_and_not_tried(scene: Scene, code: int) -> None:
    conversation = await arrived(scene)
    scene.double.fail(SEND, code)
    await tell(scene, conversation, said("一"))
    await scene.until(lambda: states(scene)[-1] == "held")
    await tell(scene, conversation, said("二"))
    await scene.until(lambda: states(scene)[-2:] == ["held", "held"])
    assert len(scene.double.calls(SEND)) == 1
    await scene.double.write(LAN, "在吗")
    await settled(scene, number=4)
    assert texts(scene)[1:] == ["一\n\n二\n\n好的：在吗"]


async def test_without_the_right_nothing_is_tried_for_anybody(scene: Scene) -> None:
    conversation = await arrived(scene)
    other = await arrived(scene, WANG)
    scene.double.accounts["fuwu"].rights.discard("custom")
    await tell(scene, conversation, said("一"))
    await scene.until(lambda: states(scene)[-1] == "held")
    await tell(scene, other, said("二"))
    await scene.until(lambda: states(scene, WANG)[-1] == "held")
    assert [call.code for call in scene.double.calls(SEND)] == [48001]
    await scene.double.write(WANG, "在吗")
    await settled(scene, WANG, 3)
    assert texts(scene, WANG)[1:] == ["二\n\n好的：在吗"]


async def test_after_the_calls_of_a_day_are_used_up_all_waits_for_midnight(scene: Scene) -> None:
    conversation = await arrived(scene)
    other = await arrived(scene, WANG)
    scene.double.fail(SEND, 45009)
    await tell(scene, conversation, said("一"))
    await scene.until(lambda: scene.contact(LAN)["blocked_by"] == 45009)
    # Noon in Shanghai; its day ends at 16:00 UTC.
    assert scene.contact(LAN)["blocked_until"].startswith("2026-11-22T16:00")
    await tell(scene, other, said("二"))
    await scene.until(lambda: sends(scene, WANG)[-1]["due_at"].startswith("2026-11-22T16:00"))
    assert len(scene.double.calls(SEND)) == 1
    scene.clock.wind(hours=12)
    await settled(scene, number=2)
    await settled(scene, WANG, number=2)
    assert (texts(scene)[-1], texts(scene, WANG)[-1]) == ("一", "二")


async def test_too_much_to_one_customer_waits_a_minute(scene: Scene) -> None:
    conversation = await arrived(scene)
    scene.double.fail(SEND, 43117)
    await tell(scene, conversation, said("一"))
    await scene.until(lambda: scene.contact(LAN)["blocked_by"] == 43117)
    assert states(scene)[-1] == "todo" and len(scene.double.calls(SEND)) == 1
    scene.clock.wind(seconds=60)
    await settled(scene, number=2)
    assert texts(scene)[-1] == "一"


async def test_a_busy_wechat_is_asked_three_times_and_the_owner_told(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    scene.double.fail(SEND, -1, times=None)
    await clerk.act(conversation, "answer", text="在的", id="client-id-1")
    for tries in range(1, 4):
        await scene.until(lambda tries=tries: len(scene.double.calls(SEND)) == 1 + tries)
        scene.clock.wind(seconds=2)
    await scene.until(lambda: states(scene)[-1] == "failed")
    [notice] = scene.rows(notices)
    assert (notice["kind"], notice["staff_id"]) == ("undelivered", clerk.id)
    assert notice["conversation_id"] == conversation
    await clerk.close()


async def test_other_refusals_are_told_once_and_not_tried_again(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    scene.double.fail(SEND, 40003)
    await clerk.act(conversation, "answer", text="好" * 1500, id="client-id-1")
    await settled(scene, number=3)
    # Its three parts are one thing that the customer has not read.
    assert "failed" in states(scene)
    assert len(scene.rows(notices)) == 1
    whole = await clerk.whole(conversation)
    assert whole["conversation"]["id"] == conversation
    await clerk.close()


async def test_what_may_have_arrived_is_not_sent_again(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    scene.double.drop(SEND)
    await clerk.act(conversation, "answer", text="在的", id="client-id-1")
    await settled(scene, number=3)
    assert states(scene)[-1] == "unknown"
    await clerk.act(conversation, "answer", text="请讲", id="client-id-2")
    await settled(scene, number=4)
    assert texts(scene)[2:] == ["在的", "请讲"]
    # It counts, since WeChat may have counted it.
    assert scene.contact(LAN)["sent_since_wrote"] == 3
    assert [row["kind"] for row in scene.rows(notices)] == ["undelivered"]
    await clerk.close()


async def test_a_setting_lets_it_be_sent_once_more(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"resend_unknown": True},)) as scene:
        conversation = await arrived(scene)
        scene.double.drop(SEND, times=5)
        await tell(scene, conversation, said("在的"))
        await scene.until(lambda: len(texts(scene)) == 2)
        scene.clock.wind(seconds=60)
        await settled(scene, number=2)
        assert texts(scene)[1:] == ["在的", "在的"]
        assert states(scene)[-1] == "unknown"


async def test_when_wechat_is_away_nothing_is_lost(scene_on_both: Scene) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    scene.double.refuse_connections()
    await tell(scene, conversation, said("一"))
    await scene.until(lambda: sends(scene)[-1]["attempts"] >= 1 and states(scene)[-1] == "todo")
    await tell(scene, conversation, said("二"))
    scene.double.accept_connections()
    await settled(scene, number=3)
    assert "\n\n".join(texts(scene)[1:]) == "一\n\n二"
    assert scene.contact(LAN)["sent_since_wrote"] == len(texts(scene)[1:])


async def test_a_call_that_a_desk_died_of_is_not_made_again(scene: Scene) -> None:
    conversation = await arrived(scene)
    scene.double.hang(SEND, 30)
    await tell(scene, conversation, said("在的"))
    await scene.until(lambda: len(texts(scene)) == 2)
    assert states(scene)[-1] == "sending"
    await scene.restart()
    await settled(scene, number=2)
    assert states(scene)[-1] == "unknown"
    await tell(scene, conversation, said("请讲"))
    await settled(scene, number=3)
    assert texts(scene)[1:] == ["在的", "请讲"]


# --- who gets what -------------------------------------------------------------------------------


async def test_who_has_left_gets_nothing_and_staff_see_it(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    await scene.double.unfollow(LAN)
    await scene.until(lambda: not scene.contact(LAN)["following"])
    await clerk.act(conversation, "answer", text="在的", id="client-id-1")
    await scene.until(lambda: states(scene)[-1] == "failed")
    assert len(scene.double.calls(SEND)) == 1
    await clerk.close()


async def test_two_customers_do_not_wait_for_each_other(scene: Scene) -> None:
    first, second = await arrived(scene), await arrived(scene, WANG)
    scene.double.hang(SEND, 5, when=lambda body: body["touser"] == LAN)
    await tell(scene, first, said("一"))
    await scene.until(lambda: states(scene)[-1] == "sending")
    await tell(scene, second, said("二"))
    await settled(scene, WANG, number=2)
    assert states(scene)[-1] == "sending"


async def test_a_reply_that_was_given_is_given_again_for_the_same_message(scene: Scene) -> None:
    delivery = await scene.double.write(LAN, "房间没打扫")
    await settled(scene)
    [row] = scene.rows(wechat_received)
    assert row["passive"] == "好的：房间没打扫"
    again = await scene.double.again(delivery)
    assert again.text == delivery.text
    assert len(sends(scene)) == 1
