"""微信客服 of WeCom over HTTP: fetched by cursor, answered by msgid, silent beside a colleague."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming import receiving
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.kf.pulling import Reader
from desk.channels.wechat.service import WeChat
from recovery.store import conversations, customers
from recovery.store.database import Database
from recovery.store.tables import inbox, notices, wechat_cursors, wechat_sends
from recovery.store.wechat import cursors, scenes
from tests.desk.images import encoded
from tests.desk.scripted_rasa import Body, opens_a_case, says
from tests.desk.serving import NOON
from tests.desk.wechat.scene import ACCOUNT, Scene, a_scene

USER = "wm-lan"
SYNC = "/cgi-bin/kf/sync_msg"
SEND = "/cgi-bin/kf/send_msg"
NEW, ASSISTANT, POOL, HUMAN, ENDED = range(5)


@pytest_asyncio.fixture
async def kf(tmp_path: Path) -> AsyncIterator[Scene]:
    """A desk with one account of 微信客服, on SQLite."""
    async with a_scene(tmp_path, accounts=({"kind": "kf"},)) as scene:
        yield scene


@pytest_asyncio.fixture
async def kf_on_both(tmp_path: Path, url: str) -> AsyncIterator[Scene]:
    """The same on SQLite and on PostgreSQL."""
    async with a_scene(tmp_path, url=url, accounts=({"kind": "kf"},)) as scene:
        yield scene


def sends(scene: Scene, *states: str) -> list[dict[str, Any]]:
    return [row for row in scene.rows(wechat_sends) if row["state"] in states]


def texts(scene: Scene, user: str = USER) -> list[tuple[str, str]]:
    """Author and words of what stands in the conversation of a customer."""
    return [(one["author"], one["text"]) for one in scene.stream(user) if one["kind"] == "message"]


def read_with(scene: Scene) -> list[str]:
    """With which cursors was read, in order."""
    return [str(call.body.get("cursor")) for call in scene.double.calls(SYNC)]


def forget_the_cursor(scene: Scene) -> None:
    with scene.store.write() as db:
        db.execute(delete(wechat_cursors))


async def test_a_customer_is_answered_and_the_session_is_ours(kf_on_both: Scene) -> None:
    scene = kf_on_both
    told = await scene.double.kf_write(USER, "房间太吵😀")
    assert told.outcome == "accepted"
    seen = await scene.double.sees(USER, "好的：房间太吵😀", account=ACCOUNT)
    assert seen.via == "kf"
    assert scene.double.accounts[ACCOUNT].customers[USER].state == ASSISTANT
    assert scene.conversation(USER)["channel"] == "wechat"
    assert scene.double.wrong == []
    assert scene.double.violations == []


async def test_words_come_in_the_order_in_which_they_were_said(kf: Scene) -> None:
    for number in range(8):
        kf.double.kf_put(USER, msgtype="text", text={"content": f"第{number}句"})
    await kf.double.kf_call()
    await kf.until(lambda: len(kf.rows(wechat_cursors)) == 1 and len(kf.received()) == 8)
    assert [row["text"] for row in kf.inbox(USER)] == [f"第{number}句" for number in range(8)]


async def test_everything_is_fetched_however_much_there_is(kf: Scene) -> None:
    account, now = kf.double.accounts[ACCOUNT], kf.clock()
    coming_and_going = {"event_type": "servicer_status_change", "servicer_userid": "LiSi"}
    for number in range(2300):
        whole = {"msgid": f"s{number}", "send_time": int(now.timestamp()), "origin": 4}
        account.log.append((now, {**whole, "msgtype": "event", "event": coming_and_going}))
    await kf.double.kf_write(USER, "还在吗")
    await kf.double.sees(USER, "好的：还在吗")
    assert len([one for one in read_with(kf) if one]) >= 2


async def test_the_cursor_is_kept_and_what_was_written_meanwhile_is_answered(
    kf_on_both: Scene,
) -> None:
    scene = kf_on_both
    await scene.double.kf_write(USER, "第一句")
    await scene.double.sees(USER, "好的：第一句")
    await scene.stop()
    before = len(read_with(scene))
    scene.clock.wind(hours=5)
    scene.double.kf_put(USER, msgtype="text", text={"content": "第二句"})
    await scene.start()
    await scene.double.sees(USER, "好的：第二句")
    assert all(read_with(scene)[before:])
    assert scene.double.doubles() == []


async def test_an_account_that_was_never_written_to_is_begun_only_once(kf: Scene) -> None:
    await kf.until(lambda: kf.rows(wechat_cursors))
    await kf.stop()
    kf.double.kf_put(USER, msgtype="text", text={"content": "有人吗"})
    kf.clock.wind(hours=2)
    await kf.start()
    await kf.double.sees(USER, "好的：有人吗")


async def test_at_the_very_first_start_old_messages_are_not_answered(kf: Scene) -> None:
    await kf.stop()
    forget_the_cursor(kf)
    kf.double.kf_put("wm-old", msgtype="text", text={"content": "两小时前的话"})
    kf.clock.wind(hours=2)
    kf.double.kf_put(USER, msgtype="text", text={"content": "刚才的话"})
    await kf.start()
    await kf.double.sees(USER, "好的：刚才的话")
    assert kf.double.seen("wm-old") == []
    assert kf.double.accounts[ACCOUNT].customers["wm-old"].state == NEW


async def test_what_is_read_twice_is_answered_once(kf: Scene) -> None:
    await kf.double.kf_write(USER, "只说一次")
    await kf.double.sees(USER, "好的：只说一次")
    await kf.stop()
    forget_the_cursor(kf)
    await kf.start()
    await kf.until(lambda: kf.rows(wechat_cursors))
    await kf.double.kf_write(USER, "再说一句")
    await kf.double.sees(USER, "好的：再说一句")
    assert kf.double.words(USER) == ["好的：只说一次", "好的：再说一句"]


async def test_a_call_about_another_account_is_not_looked_at(kf: Scene) -> None:
    await kf.until(lambda: kf.rows(wechat_cursors))
    account = kf.double.accounts[ACCOUNT]
    looked, ours = len(read_with(kf)), account.original
    account.original = "wkSomebodyElse"
    await kf.double.kf_call()
    account.original = ours
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    tokens = [call.body.get("token") for call in kf.double.calls(SYNC)[looked:]]
    assert len(tokens) == 1


async def test_a_token_that_is_too_old_already_does_no_harm(kf: Scene) -> None:
    await kf.until(lambda: kf.rows(wechat_cursors))
    kf.double.fail(SYNC, 95007, when=lambda body: bool(body.get("token")))
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    assert not kf.double.calls(SYNC)[-1].body.get("token")


async def test_wecom_away_for_a_while_costs_nothing_but_time(kf: Scene) -> None:
    await kf.until(lambda: kf.rows(wechat_cursors))
    kf.double.fail(SYNC, -1, times=2)
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    assert kf.double.doubles() == []


async def test_staff_answer_from_this_desk_and_the_session_stays_ours(kf: Scene) -> None:
    await kf.double.kf_write(USER, "请找个人")
    await kf.double.sees(USER, "好的：请找个人")
    clerk = await kf.staff()
    conversation = kf.conversation(USER)["id"]
    await clerk.act(conversation, "take")
    await clerk.act(conversation, "answer", id="answer-0001", text="我是小林，我来处理")
    await kf.double.sees(USER, "我是小林，我来处理")
    assert kf.double.accounts[ACCOUNT].customers[USER].state == ASSISTANT
    await clerk.close()


async def test_the_bot_is_silent_while_a_colleague_answers_inside_wecom(kf_on_both: Scene) -> None:
    scene = kf_on_both
    supervisor = await scene.staff("su", "苏主管", "supervisor")
    await scene.double.kf_write(USER, "房间太吵")
    await scene.double.sees(USER, "好的：房间太吵")
    await scene.double.kf_session(USER, HUMAN, servicer="LiSi")
    await scene.double.kf_servicer_writes(USER, "您好，我是李四")
    await scene.double.kf_write(USER, "李四你好，换一间吧")
    await scene.until(lambda: ("customer", "李四你好，换一间吧") in texts(scene))
    assert ("staff", "您好，我是李四") in texts(scene)
    # Staff are told once; the bot has heard nothing of it.
    told = [row for row in scene.rows(notices) if row["staff_id"] == supervisor.id]
    assert [row["kind"] for row in told] == ["undelivered"]
    assert "李四" not in str(scene.rasa.messages())
    # What was said inside WeCom does not go to the customer again, and the desk goes on later.
    await scene.double.kf_session(USER, ENDED)
    await scene.double.kf_write(USER, "谢谢，还有个问题")
    await scene.double.sees(USER, "好的：谢谢，还有个问题")
    assert scene.double.words(USER) == ["好的：房间太吵", "好的：谢谢，还有个问题"]
    assert scene.double.accounts[ACCOUNT].customers[USER].state == ASSISTANT
    await supervisor.close()


async def test_whom_wecom_leads_to_a_colleague_at_once_is_none_of_the_bots(kf: Scene) -> None:
    kf.double.kf_put(USER, msgtype="text", text={"content": "转人工"})
    kf.double.accounts[ACCOUNT].customers[USER].state = POOL
    await kf.double.kf_call()
    await kf.double.kf_write("wm-other", "你好")
    await kf.double.sees("wm-other", "好的：你好")
    assert kf.double.seen(USER) == []
    assert len(kf.rasa.messages()) == 1


async def test_the_bots_answer_is_dropped_when_a_colleague_was_quicker(kf: Scene) -> None:
    def slowly(path: str, body: Body) -> Body | int:
        kf.double.accounts[ACCOUNT].customers[USER].state = HUMAN
        return opens_a_case(path, body)

    kf.rasa.script = slowly
    await kf.double.kf_write(USER, "有人吗")
    await kf.until(lambda: sends(kf, "failed"))
    kf.rasa.script = opens_a_case
    await kf.double.kf_session(USER, ENDED)
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    assert kf.double.words(USER) == ["好的：你好"]


async def test_what_staff_say_here_meanwhile_waits_and_is_not_lost(kf: Scene) -> None:
    await kf.double.kf_write(USER, "请找个人")
    await kf.double.sees(USER, "好的：请找个人")
    clerk = await kf.staff()
    conversation = kf.conversation(USER)["id"]
    await clerk.act(conversation, "take")
    await kf.double.kf_session(USER, HUMAN, servicer="LiSi")
    await kf.until(lambda: kf.contact(USER)["blocked_by"])
    await clerk.act(conversation, "answer", id="answer-0001", text="给您换了一间")
    await kf.until(lambda: any(row["kind"] == "undelivered" for row in kf.rows(notices)))
    await kf.double.kf_session(USER, ENDED)
    await kf.until(lambda: kf.contact(USER)["blocked_by"] is None)
    assert "给您换了一间" not in kf.double.words(USER)
    await kf.double.kf_write(USER, "在吗")
    await kf.double.sees(USER, "给您换了一间")
    assert kf.double.violations == []
    await clerk.close()


async def test_a_message_beyond_the_limit_waits_for_the_next_words(kf: Scene) -> None:
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    kf.double.kf_lose(USER, 6)
    await kf.double.kf_write(USER, "第二句")
    [lost] = await kf.until(lambda: sends(kf, "held"))
    assert lost["batch"] is None
    await kf.double.kf_write(USER, "第三句")
    await kf.double.sees(USER, "好的：第二句")
    await kf.double.sees(USER, "好的：第三句")
    ids = [call.body["msgid"] for call in kf.double.calls(SEND)]
    assert len(ids) == len(set(ids))


async def test_a_message_that_the_customer_refuses_is_told_to_staff(kf: Scene) -> None:
    supervisor = await kf.staff("su", "苏主管", "supervisor")
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    kf.double.kf_lose(USER, 10)
    await kf.double.kf_write(USER, "第二句")
    [lost] = await kf.until(lambda: sends(kf, "failed"))
    assert lost["error"] == 10
    [told] = await kf.until(lambda: kf.rows(notices))
    assert told["staff_id"] == supervisor.id
    assert "拒收" in told["text"]
    await supervisor.close()


async def test_who_comes_in_is_welcomed_once_at_no_cost(kf: Scene) -> None:
    await kf.double.kf_enter(USER)
    [welcome] = await kf.seen(USER, 1)
    assert welcome.via == "event"
    assert "岚庭" in welcome.text
    await kf.stop()
    forget_the_cursor(kf)
    await kf.start()
    await kf.until(lambda: kf.rows(wechat_cursors))
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    await kf.double.kf_enter(USER)
    await kf.double.kf_write(USER, "再问一句")
    await kf.double.sees(USER, "好的：再问一句")
    assert [one.via for one in kf.double.seen(USER)] == ["event", "kf", "kf"]


async def test_a_welcome_that_comes_too_late_is_not_tried(kf: Scene) -> None:
    await kf.until(lambda: kf.rows(wechat_cursors))
    await kf.stop()
    await kf.double.kf_enter(USER)
    kf.clock.wind(minutes=1)
    await kf.start()
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    assert kf.double.calls("/cgi-bin/kf/send_msg_on_event") == []


async def test_a_welcome_whose_answer_got_lost_is_said_once(kf: Scene) -> None:
    kf.double.drop("/cgi-bin/kf/send_msg_on_event")
    await kf.double.kf_enter(USER)
    await kf.until(lambda: len(kf.double.calls("/cgi-bin/kf/send_msg_on_event")) == 2)
    ids = {call.body["msgid"] for call in kf.double.calls("/cgi-bin/kf/send_msg_on_event")}
    assert len(ids) == 1
    assert len(kf.double.seen(USER)) == 1


async def test_an_unknown_outcome_is_repeated_under_the_same_msgid_and_seen_once(
    kf_on_both: Scene,
) -> None:
    scene = kf_on_both
    scene.double.drop(SEND)
    await scene.double.kf_write(USER, "你好")
    await scene.until(lambda: sends(scene, "sent"))
    calls = [call.body["msgid"] for call in scene.double.calls(SEND)]
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert scene.double.words(USER) == ["好的：你好"]


async def test_quick_replies_are_items_of_a_menu(kf: Scene) -> None:
    def asks(path: str, body: Body) -> Body | int:
        if body["metadata"]["button"]:
            return says("选好了")
        answer = says("您想怎么办？")
        answer["messages"][0]["buttons"] = [
            {"title": "换房", "payload": "item:room"},
            {"title": "不用", "payload": "item:none"},
        ]
        return answer

    kf.rasa.script = asks
    await kf.double.kf_write(USER, "房间太吵")
    menu = await kf.double.sees(USER, "换房")
    assert menu.kind == "menu"
    item = next(one for one in menu.items if one[1] == "换房")
    await kf.double.kf_write(USER, "换房", menu=item[0])
    await kf.double.sees(USER, "选好了")
    assert kf.inbox(USER)[-1]["pressed"]


async def test_a_picture_is_fetched_from_wecom(kf: Scene) -> None:
    await kf.double.kf_image(USER, encoded("JPEG"))
    await kf.until(lambda: any(row["picture"] for row in kf.rows(inbox)))


async def test_five_answers_and_no_more_until_the_customer_writes(kf: Scene) -> None:
    await kf.double.kf_write(USER, "请找个人")
    await kf.double.sees(USER, "好的：请找个人")
    clerk = await kf.staff()
    conversation = kf.conversation(USER)["id"]
    await clerk.act(conversation, "take")
    for number in range(9):
        await clerk.act(conversation, "answer", id=f"answer-{number:04}", text=f"进展{number}")
        await kf.until(lambda: not sends(kf, "todo", "sending"))
    assert kf.double.violations == []
    # WeCom tells times in whole seconds: what was sent just before may count as sent after.
    kf.clock.wind(minutes=1)
    await kf.double.kf_write(USER, "在吗")
    await kf.double.sees(USER, "进展8")
    said = "".join(kf.double.words(USER))
    assert [said.count(f"进展{number}") for number in range(9)] == [1] * 9
    assert kf.double.violations == []
    await clerk.close()


async def test_a_session_of_48_hours_is_over(kf: Scene) -> None:
    await kf.double.kf_write(USER, "你好")
    await kf.double.sees(USER, "好的：你好")
    kf.clock.wind(hours=49)
    await kf.double.kf_write(USER, "又是我")
    await kf.double.sees(USER, "好的：又是我")
    assert kf.double.violations == []
    assert timedelta(hours=48) < kf.clock() - kf.double.seen(USER)[0].at


async def test_several_desks_that_read_at_once_take_everything_once(kf_on_both: Scene) -> None:
    scene = kf_on_both
    await scene.until(lambda: scene.rows(wechat_cursors))
    account = scene.wechat.context.wechat.get(ACCOUNT)
    assert account is not None
    readers = [Reader(scene.wechat, account) for _ in range(4)]
    # The four share the measure of how fast one customer writes, which allows twelve.
    for number in range(3):
        scene.double.kf_put(USER, msgtype="text", text={"content": f"第{number}句"})
        scene.double.kf_put(f"wm-{number}", msgtype="text", text={"content": "你好"})
    await asyncio.gather(*(reader.read_once() for reader in readers))
    assert sorted(row["text"] for row in scene.inbox(USER)) == [f"第{n}句" for n in range(3)]
    assert len(scene.received()) == 6
    for number in range(3):
        await scene.double.sees(f"wm-{number}", "好的：你好")
    assert scene.double.doubles() == []
    [row] = scene.rows(wechat_cursors)
    assert row["cursor"].endswith("6")


async def test_an_older_cursor_never_takes_the_place_of_a_newer_one(store: Database) -> None:
    with store.write() as db:
        assert cursors.load(db, "kf1") is None
        assert cursors.move(db, "kf1", None, "c1", NOON)
        assert not cursors.move(db, "kf1", None, "c0", NOON)
        assert cursors.move(db, "kf1", "c1", "c2", NOON)
        assert not cursors.move(db, "kf1", "c1", "c1b", NOON)
        assert cursors.load(db, "kf1") == "c2"
        assert cursors.load(db, "kf2") is None


async def test_a_scene_that_nobody_has_made_is_a_plain_welcome(kf: Scene) -> None:
    await kf.double.kf_enter(USER, scene_param="' OR 1=1 --")
    [welcome] = await kf.seen(USER, 1)
    assert "岚庭" in welcome.text
    assert kf.double.wrong == []


async def test_one_entry_that_cannot_be_taken_does_not_keep_the_others(
    kf: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = receiving.receive

    async def failing(wechat: WeChat, account: Account, one: Inbound, **more: Any) -> str | None:  # noqa: ANN401
        if one.text == "坏的":
            raise ValueError("a defect")
        return await whole(wechat, account, one, **more)

    monkeypatch.setattr(receiving, "receive", failing)
    kf.double.kf_put(USER, msgtype="text", text={"content": "坏的"})
    await kf.double.kf_write("wm-other", "好的")
    await kf.double.sees("wm-other", "好的：好的")
    # It is given up in the end, and what follows needs no second reading.
    await kf.until(lambda: kf.rows(wechat_cursors)[0]["cursor"].endswith("2"))


async def test_whatever_wecom_sends_the_reader_goes_on(kf: Scene) -> None:
    account, now = kf.double.accounts[ACCOUNT], kf.clock()
    hostile: list[Any] = [
        {"msgid": None, "origin": "3", "msgtype": ["text"]},
        {"msgid": "h1", "external_userid": USER, "origin": 3, "msgtype": "text", "text": "x"},
        {"msgid": "h2", "external_userid": "\u0000", "origin": 3, "msgtype": "text"},
        {"msgid": "h3", "msgtype": "event", "event": {"event_type": "enter_session"}},
        {"msgid": "h4", "msgtype": "event", "event": {"event_type": "msg_send_fail"}},
    ]
    hostile[1] |= {"open_kfid": account.original, "send_time": int(now.timestamp())}
    account.log.extend((now, one) for one in hostile)
    kf.double.kf_put("wm-long", msgtype="text", text={"content": "啊" * 6000 + "\u0000\u202e😀"})
    await kf.double.kf_write(USER, "<script>alert(1)</script>\u0000")
    await kf.double.sees(USER, "好的：<script>alert(1)</script>")
    await kf.double.sees("wm-long", "6000")


async def test_what_a_colleague_settled_while_the_desk_was_away_is_not_answered_again(
    kf: Scene,
) -> None:
    await kf.double.kf_write(USER, "房间太吵")
    await kf.double.sees(USER, "好的：房间太吵")
    await kf.stop()
    await kf.double.kf_session(USER, HUMAN, servicer="LiSi")
    kf.double.kf_put(USER, msgtype="text", text={"content": "能换房吗"})
    await kf.double.kf_servicer_writes(USER, "已经给您换了")
    await kf.double.kf_session(USER, ENDED)
    kf.double.kf_put(USER, msgtype="text", text={"content": "早餐几点"})
    await kf.start()
    await kf.double.sees(USER, "好的：早餐几点")
    assert kf.double.words(USER) == ["好的：房间太吵", "好的：早餐几点"]
    assert [text for _, text in texts(kf)] == [
        *("房间太吵", "好的：房间太吵", "能换房吗", "已经给您换了", "早餐几点", "好的：早餐几点")
    ]


async def test_who_comes_over_from_the_web_page_goes_on_with_the_same_matter(kf: Scene) -> None:
    account = kf.double.accounts[ACCOUNT]
    with kf.store.write() as db:
        customers.add(db, "u-web", "lanting", "访客", kf.clock())
        web = conversations.begin(db, "lanting", "u-web", kf.clock())
        secret, _ = scenes.issue(db, "scan", ACCOUNT, web, timedelta(minutes=10), kf.clock())
    ours = kf.desk.context.wechat.get(ACCOUNT)
    assert ours is not None
    way = await kf.wechat.api(ours).contact_way(secret)
    assert way.partition("&scene_param=")[0] in account.ways
    await kf.double.kf_enter(USER, url=way)
    [welcome] = await kf.seen(USER, 1)
    assert (welcome.via, "接到这里" in welcome.text) == ("event", True)
    await kf.double.kf_write(USER, "还是那件事")
    await kf.double.sees(USER, "好的：还是那件事")
    assert kf.conversation(USER)["id"] == web.id
    assert kf.contact(USER)["customer_id"] == "u-web"
    assert kf.double.violations == []
