"""One owner of a conversation at any time, and only the owner speaks."""

import asyncio
import json
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import (
    PATIENCE,
    Agent,
    Guest,
    complain,
    guest,
    offers,
    settled,
    the_button,
    until,
    words,
)
from tests.support.customer import Frame
from tests.support.stack import Stack


@contextmanager
def thinking(stack: Stack) -> Iterator[None]:
    """Let the bot think for as long as the block lasts: its actions stand still."""
    actions = stack.processes["actions"]
    actions.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        actions.send_signal(signal.SIGCONT)


async def with_offer(one: Guest, order: AnOrder) -> list[Frame]:
    await complain(one)
    said = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
    assert len(offers(said)) == 1, words(said)
    return said


async def asked_for_a_person(one: Guest) -> None:
    said = await one.tell("我要找人工客服，转人工")
    assert any(event["kind"] == "owner" and event["owner"] == "queue" for event in said), words(
        said
    )


def by_bot(events: list[Frame]) -> list[Frame]:
    return [event for event in events if event.get("author") == "bot"]


async def test_what_the_bot_thinks_when_a_person_takes_over_is_not_said(
    stack: Stack, lin: Agent
) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        await complain(one)
        before = len(one.chat.events)
        with thinking(stack):
            mine = await one.send(f"订单号{order.number}，手机后四位{order.last4}")
            await one.chat.until(
                lambda page: any(f["type"] == "typing" and f["on"] for f in page.frames), PATIENCE
            )
            await lin.done(one.conversation, "take")
            taken = await one.chat.event(kind="owner", owner="staff")
            assert lin.name in taken["text"]
        await settled(one.store, mine["id"])
        await one.chat_up_to_date()
        after = one.chat.events[before:]
        assert by_bot(after) == []
        assert offers(after) == []
        shown = await lin.whole(one.conversation)
        assert any(order.number in event.get("text", "") for event in shown["private"])
        assert shown["case"]["offers"] == []


async def test_a_person_answers_and_the_bot_is_silent(stack: Stack, lin: Agent) -> None:
    async with guest(stack) as one:
        await complain(one)
        await asked_for_a_person(one)
        where, row = await lin.row(one.conversation)
        assert (where, row["reason"], row["owner_name"]) == ("queue", "asked", "")
        assert row["waiting_since"]
        await lin.done(one.conversation, "take")
        assert (await lin.row(one.conversation))[0] == "mine"
        after = await one.tell("你好，有人吗")
        assert after == [], "the bot keeps silent"
        client_id = uuid.uuid4().hex
        first = await lin.done(one.conversation, "answer", id=client_id, text="您好，我是小林")
        again = await lin.done(one.conversation, "answer", id=client_id, text="您好，我是小林")
        assert (first["id"], first["repeated"]) == (again["id"], False)
        assert again["repeated"] is True
        said = await one.chat.event(author="staff")
        assert (said["text"], said["name"], said["mine"]) == ("您好，我是小林", lin.name, False)
        await one.chat_up_to_date()
        assert len([e for e in one.chat.events if e.get("author") == "staff"]) == 1


async def test_only_the_owner_speaks(stack: Stack, lin: Agent, wu: Agent) -> None:
    async with guest(stack) as one:
        await complain(one)
        conversation, words_of_staff = one.conversation, {"id": uuid.uuid4().hex, "text": "您好"}
        early = await lin.act(conversation, "answer", **words_of_staff)
        assert (early.status_code, early.json()["error"]["code"]) == (409, "not_owner")
        assert "机器人" in early.json()["error"]["message"]
        back = await lin.act(conversation, "give_back", note="")
        assert (back.status_code, back.json()["error"]["code"]) == (409, "not_owner")

        await asked_for_a_person(one)
        waiting = await lin.act(conversation, "answer", **words_of_staff)
        assert (waiting.status_code, waiting.json()["error"]["code"]) == (409, "not_owner")
        await lin.done(conversation, "take")
        for what, body in (("answer", words_of_staff), ("take", {}), ("give_back", {"note": ""})):
            refused = await wu.act(conversation, what, **body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "taken"), what
            assert lin.name in refused.json()["error"]["message"], "it says who has it"
        assert (await wu.row(conversation))[0] == "others"
        await lin.done(conversation, "take")
        await one.chat_up_to_date()
        assert [e for e in one.chat.events if e.get("author") == "staff"] == []
        assert len([e for e in one.chat.events if e.get("owner") == "staff"]) == 1


async def test_of_two_who_take_at_once_one_wins(stack: Stack, lin: Agent, wu: Agent) -> None:
    for _ in range(3):
        async with guest(stack) as one:
            await complain(one)
            answers = await asyncio.gather(
                *(agent.act(one.conversation, "take") for agent in (lin, wu, lin, wu))
            )
            statuses = [answer.status_code for answer in answers]
            assert sorted(set(statuses)) == [200, 409]
            assert len({statuses[0], statuses[2]}) == len({statuses[1], statuses[3]}) == 1
            winner = lin if statuses[0] == 200 else wu
            assert (await winner.row(one.conversation))[1]["owner"] == winner.owner
            await one.chat_up_to_date()
            shown = [e for e in one.chat.events if e["kind"] == "owner" and e["owner"] == "staff"]
            assert [event["name"] for event in shown] == [winner.name]


async def test_given_back_the_bot_goes_on_where_the_case_stands(stack: Stack, lin: Agent) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        said = await with_offer(one, order)
        await asked_for_a_person(one)
        await lin.done(one.conversation, "take")
        await lin.done(one.conversation, "give_back", note="客户只是想确认方案", force=True)
        back = await one.chat.event(kind="owner", owner="bot")
        assert "小岚" in back["text"]
        where, row = await lin.row(one.conversation)
        assert (where, row["stage"]) == ("bot", "offered")
        after = await one.tell("就这样办", the_button(said, "就这样办"))
        assert offers(after)[-1]["state"] == "accepted"
        for item in offers(after)[-1]["items"]:
            await one.chat.event(kind="progress", title=item["title"])
        assert len(effects(stack, order.number)) == len(offers(after)[-1]["items"])


async def test_a_second_takeover_works_like_the_first(stack: Stack, lin: Agent, wu: Agent) -> None:
    async with guest(stack) as one:
        await complain(one)
        for agent in (lin, wu, lin):
            await agent.done(one.conversation, "take")
            text = f"我是{agent.name}"
            await agent.done(one.conversation, "answer", id=uuid.uuid4().hex, text=text)
            await one.chat.event(author="staff", name=agent.name)
            await agent.done(one.conversation, "give_back", note="")
        assert (await lin.row(one.conversation))[0] == "bot"
        after = await one.tell("你好")
        assert by_bot(after), "the bot answers again"
        owners = [event["owner"] for event in one.chat.events if event["kind"] == "owner"]
        assert owners == ["bot", *["staff", "bot"] * 3]


async def test_what_a_person_hears_the_bot_knows_afterwards(stack: Stack, lin: Agent) -> None:
    """Anger stays measured, and nothing that was told is asked again."""
    async with guest(stack) as one:
        await one.post("床单没换，地上还有头发，房间没打扫")
        await one.enter()
        await lin.done(one.conversation, "take")
        before = (await lin.row(one.conversation))[1]
        assert before["peak"] <= 1
        silent = await one.tell("你们太过分了！房间这么脏，气死我了，简直恶心透顶！！")
        assert silent == []
        row = (await lin.row(one.conversation))[1]
        assert row["peak"] >= 2
        assert "生气" in row["why"]
        left = await lin.act(one.conversation, "give_back", note="")
        assert (left.status_code, left.json()["error"]["code"]) == (409, "unanswered")
        await lin.done(one.conversation, "give_back", note="", force=True)
        after = words(await one.tell("你好，现在怎么处理"))
        assert "什么事" not in after, "the matter is not asked again"
        assert (await lin.whole(one.conversation))["case"]["matter"] == "房间没有打扫干净这件事"


async def test_what_was_told_to_a_person_counts_for_the_bot(stack: Stack, lin: Agent) -> None:
    """The tracker holds what customer and staff said, in the order in which they said it."""
    async with guest(stack) as one:
        await complain(one)
        await lin.done(one.conversation, "take")
        await one.tell("我住在十二楼那间")
        client_id = uuid.uuid4().hex
        await lin.done(one.conversation, "answer", id=client_id, text="好的，马上安排主管过去看")
        await one.chat.event(author="staff")
        await one.tell("那就等你们主管来看看")
        said = await until(lambda: _tracker(stack, one.conversation))
        assert [text for text in said if "十二楼" in text or "主管" in text] == [
            "我住在十二楼那间",
            "好的，马上安排主管过去看",
            "那就等你们主管来看看",
        ]


def _tracker(stack: Stack, conversation: str) -> list[str] | None:
    """The words in Rasa's tracker, once the last ones are in it."""
    with sqlite3.connect(stack.data / "rasa.sqlite3", timeout=10) as db:
        rows = db.execute(
            "SELECT data FROM events WHERE sender_id = ? AND type_name IN ('user', 'bot')"
            " ORDER BY id",
            (f"{conversation}:0",),
        ).fetchall()
    db.close()
    said = [json.loads(row[0]).get("text") or "" for row in rows]
    return said if said and "那就等" in said[-1] else None


async def test_staff_see_the_whole_story_and_no_buttons(stack: Stack, lin: Agent) -> None:
    order = an_order(stack)
    async with guest(stack) as one, guest(stack, name="旁人") as other:
        await other.post("哈哈哈今天天气真好")
        await one.post("我的手机号是13912345678")
        said = await with_offer(one, order)
        await lin.done(one.conversation, "take")
        shown = await lin.whole(one.conversation)
        text = json.dumps(shown, ensure_ascii=False)
        assert any("13912345678" in event.get("text", "") for event in shown["public"])
        assert "哈哈哈今天天气真好" not in text, "not everybody's talk"
        assert [offer["state"] for offer in shown["case"]["offers"]] == ["open"]
        assert shown["case"]["order_number"] == order.number
        assert shown["conversation"]["customer"] == one.name
        assert '"buttons"' not in text
        assert one.calls()[-1]["token"] not in text
        assert the_button(said, "就这样办") not in text
        assert shown["seq"] == one.chat.last[f"private:{one.conversation}"]


async def test_a_staff_page_hears_of_changes_and_watches_a_conversation(
    stack: Stack, lin: Agent
) -> None:
    async with guest(stack) as one, lin.socket() as socket:
        await complain(one)
        frames: list[Frame] = []

        async def wanted(**values: object) -> Frame:
            async with asyncio.timeout(PATIENCE):
                while True:
                    frames.append(json.loads(await socket.recv()))
                    event = frames[-1].get("event", frames[-1])
                    if event["type" if "type" in event else "kind"] == "rows":
                        event = {row["id"]: row for row in event["rows"]}.get(one.conversation, {})
                    if all(event.get(name) == value for name, value in values.items()):
                        return frames[-1]

        row = await wanted(id=one.conversation, owner="bot")
        assert (row["type"], row["gone"]) == ("rows", [])
        watch = {"type": "watch", "conversation": one.conversation, "after": 0}
        await socket.send(json.dumps(watch))
        first = await wanted(kind="owner", owner="bot")
        assert (first["stream"], first["seq"]) == (f"private:{one.conversation}", 1)
        await one.send("你们快点")
        seen = await wanted(kind="message", author="customer", text="你们快点")
        assert "token" not in json.dumps(seen)
        await one.chat.send({"type": "typing"})
        typing = await wanted(type="typing", who="customer")
        assert typing["conversation"] == one.conversation


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u0007", "长" * 2001])
async def test_staff_cannot_send_what_is_no_message(stack: Stack, lin: Agent, text: str) -> None:
    async with guest(stack) as one:
        await complain(one)
        await lin.done(one.conversation, "take")
        refused = await lin.act(one.conversation, "answer", id=uuid.uuid4().hex, text=text)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == ("too_long" if len(text) > 99 else "empty")
        for strange in (7, "", "x", "\0" * 8, "编号编号编号编号", None):
            body: dict[str, object] = {"id": strange, "text": "您好"}
            broken = await lin.act(one.conversation, "answer", **body)
            assert (broken.status_code, broken.json()["error"]["code"]) == (400, "bad_request")
        for body in ({"id": "answer-1"}, {"id": "answer-1", "text": 7}, {}):
            broken = await lin.act(one.conversation, "answer", **body)
            assert (broken.status_code, broken.json()["error"]["code"]) == (400, "bad_request")


async def test_a_conversation_that_is_not_there(stack: Stack, lin: Agent) -> None:
    for what, body in (
        ("take", {}),
        ("answer", {"id": "answer-1", "text": "您好"}),
        ("give_back", {}),
    ):
        missing = await lin.act("knone", what, **body)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (await lin.http.get("/api/staff/conversations/knone")).status_code == 404
