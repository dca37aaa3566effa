"""Notes, mentions, whispers, notices, labels and calls: who sees them, who never does."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.desk.people import Agent, Guest, guest
from tests.desk.staffed import Staffed, staffed_desk
from tests.support.customer import Frame


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    calls = "https://meet.example/"
    with staffed_desk(tmp_path_factory.mktemp("notes"), video_calls=calls) as desk:
        yield desk


@pytest.fixture
def desk(scenery: Staffed) -> Staffed:
    scenery.rasa.again()
    return scenery


@pytest_asyncio.fixture
async def lin(desk: Staffed) -> AsyncIterator[Agent]:
    async with desk.agent("lin") as agent:
        yield agent


@pytest_asyncio.fixture
async def one(desk: Staffed) -> AsyncIterator[Guest]:
    """A guest of the hotel in the private chat, with a case."""
    async with guest(desk.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        yield customer


def an_id() -> str:
    return uuid.uuid4().hex


async def note(agent: Agent, conversation: str, text: str, *mentions: int) -> Frame:
    return await agent.done(conversation, "notes", id=an_id(), text=text, mentions=list(mentions))


async def notices(agent: Agent) -> list[Frame]:
    content: dict[str, Any] = (await agent.http.get("/api/staff/me/notices")).json()
    latest: list[Frame] = content["notices"]
    return latest


# --- notes ---------------------------------------------------------------------------------


async def test_a_note_is_for_colleagues_and_never_for_the_customer(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    secret = f"内部备注-{an_id()}"
    await lin.done(one.conversation, "take")
    made = await note(lin, one.conversation, secret)
    assert (made["kind"], made["by"], made["text"]) == ("note", lin.name, secret)
    async with desk.agent("fang") as fang:
        await fang.done(one.conversation, "whisper", id=an_id(), text=f"{secret}-悄悄话")
        assert secret in [item["text"] for item in (await fang.whole(one.conversation))["notes"]]
    # An answer comes after them, so whatever would have reached the customer has by then.
    await lin.done(one.conversation, "answer", id=an_id(), text="好的，马上安排主管过去看")
    await one.chat_up_to_date()
    await one.up_to_date()
    heard = json.dumps([one.chat.frames, one.room.frames], ensure_ascii=False)
    assert "马上安排主管" in heard
    assert secret not in heard
    http = one.customer.http
    for path in (
        f"/api/conversations/{one.conversation}",
        "/api/my/conversations",
        f"/api/rooms/{one.room_name}",
        f"/api/staff/conversations/{one.conversation}",
    ):
        assert secret not in (await http.get(path)).text
    answer = await http.post(
        f"/api/staff/conversations/{one.conversation}/notes", json={"id": an_id(), "text": "x"}
    )
    assert answer.status_code == 401


async def test_the_same_note_sent_again_is_one_note(lin: Agent, one: Guest) -> None:
    body = {"id": an_id(), "text": "打过电话", "mentions": []}
    first, again = await asyncio.gather(
        *(lin.done(one.conversation, "notes", **body) for _ in range(2))
    )
    assert first == again
    assert len((await lin.whole(one.conversation))["notes"]) == 1


async def test_who_is_mentioned_hears_of_it_once_and_live(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    async with desk.agent("wu") as wu, wu.socket() as socket, asyncio.timeout(30):
        await socket.recv()
        before = len(await notices(wu))
        wu_id = desk.logins["wu"].id
        body = {"id": an_id(), "text": "请看看\n电话13812345678", "mentions": [wu_id, wu_id]}
        await lin.done(one.conversation, "notes", **body)
        await lin.done(one.conversation, "notes", **body)
        while (frame := json.loads(await socket.recv()))["type"] != "notice":
            pass
        latest = await notices(wu)
        assert len(latest) == before + 1
        assert latest[0] == frame["notice"]
        assert (latest[0]["kind"], latest[0]["conversation"]) == ("mention", one.conversation)
        assert lin.name in latest[0]["text"]
        assert "13812345678" not in latest[0]["text"], "who is called may see the customer masked"
        read = await wu.http.post("/api/staff/me/notices/read", json={"up_to": latest[0]["id"]})
        assert read.status_code == 204
        content = (await wu.http.get("/api/staff/me/notices")).json()
        assert content["unread"] == 0
        assert content["notices"][0]["read_at"]


async def test_notices_are_ones_own(desk: Staffed, lin: Agent, one: Guest) -> None:
    await note(lin, one.conversation, "看一下", desk.logins["fang"].id)
    async with desk.agent("fang") as fang, desk.agent("wu") as wu:
        [latest, *_] = await notices(fang)
        assert latest["id"] not in [notice["id"] for notice in await notices(wu)]
        await wu.http.post("/api/staff/me/notices/read", json={"up_to": latest["id"]})
        assert (await notices(fang))[0]["read_at"] is None


@pytest.mark.parametrize("who", ["qing", None])
async def test_nobody_is_mentioned_who_cannot_read_it(
    desk: Staffed, lin: Agent, one: Guest, who: str | None
) -> None:
    mentioned = desk.logins[who].id if who else 4711
    answer = await lin.act(
        one.conversation, "notes", id=an_id(), text="看一下", mentions=[mentioned]
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_mention")
    assert (await lin.whole(one.conversation))["notes"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"id": "short", "text": "x"},
        {"id": "a" * 16, "text": ""},
        {"id": "a" * 16, "text": "\u202e\u200b"},
        {"id": "a" * 16, "text": "长" * 2001},
        {"id": "a" * 16, "text": 5},
        {"id": "a" * 16, "text": "x", "mentions": "all"},
        {"id": "a" * 16, "text": "x", "mentions": [True]},
        {"id": "a" * 16, "text": "x", "mentions": [1] * 21},
    ],
)
async def test_what_is_no_note_is_refused(lin: Agent, one: Guest, body: dict[str, Any]) -> None:
    answer = await lin.http.post(f"/api/staff/conversations/{one.conversation}/notes", json=body)
    assert answer.status_code == 400, answer.text
    assert (await lin.whole(one.conversation))["notes"] == []


async def test_another_business_writes_and_labels_nothing(desk: Staffed, one: Guest) -> None:
    async with desk.agent("qing") as qing:
        for what, body in (
            ("notes", {"id": an_id(), "text": "x", "mentions": []}),
            ("check", {"text": "您好"}),
            ("call", {}),
        ):
            assert (await qing.act(one.conversation, what, **body)).status_code == 404, what
        path = f"/api/staff/conversations/{one.conversation}"
        labels = await qing.http.put(f"{path}/labels", json={"labels": []})
        assert labels.status_code == 404
        assert (await qing.http.get(f"{path}/suggestions")).status_code == 404
        canned = await qing.http.get("/api/staff/canned", params={"conversation": one.conversation})
        assert canned.status_code == 404


async def test_a_trainer_writes_nothing(desk: Staffed, one: Guest) -> None:
    async with desk.agent("tao") as tao:
        for what in ("notes", "whisper", "call", "check"):
            answer = await tao.act(one.conversation, what, id=an_id(), text="x")
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


# --- whispers ------------------------------------------------------------------------------


async def test_a_whisper_reaches_the_owner_and_no_other_agent(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    async with desk.agent("fang") as fang, desk.agent("wu") as wu:
        unowned = await fang.act(one.conversation, "whisper", id=an_id(), text="慢一点说")
        assert (unowned.status_code, unowned.json()["error"]["code"]) == (409, "not_owned")
        await lin.done(one.conversation, "take")
        await fang.done(one.conversation, "whisper", id=an_id(), text="慢一点说")
        assert (await notices(lin))[0]["kind"] == "whisper"
        for reader, sees in ((lin, True), (fang, True), (wu, False)):
            kinds = [item["kind"] for item in (await reader.whole(one.conversation))["notes"]]
            assert ("whisper" in kinds) is sees, reader.name
        own = await lin.act(one.conversation, "whisper", id=an_id(), text="我自己")
        assert own.status_code == 403


# --- labels --------------------------------------------------------------------------------


async def a_label(agent: Agent, name: str, **more: object) -> Frame:
    body = {"name": name, "colour": "red", **more}
    answer = await agent.http.post("/api/staff/labels", json=body)
    assert answer.status_code == 200, answer.text
    made: Frame = answer.json()
    return made


async def test_labels_are_made_put_on_and_taken_away(desk: Staffed, lin: Agent, one: Guest) -> None:
    path = f"/api/staff/conversations/{one.conversation}/labels"
    async with desk.agent("fang") as fang:
        label = await a_label(fang, "要回访")
        twice = await fang.http.post("/api/staff/labels", json={"name": "要回访", "colour": "blue"})
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "taken")
        put = await lin.http.put(path, json={"labels": [label["id"], label["id"]]})
        assert put.json() == {"labels": [label]}
        assert (await lin.row(one.conversation))[1]["labels"] == [label]
        assert (await lin.whole(one.conversation))["labels"] == [label]
        refused = await lin.http.delete(f"/api/staff/labels/{label['id']}")
        assert refused.status_code == 403
        gone = await fang.http.delete(f"/api/staff/labels/{label['id']}")
        assert gone.status_code == 204
        assert (await lin.whole(one.conversation))["labels"] == []
        late = await lin.http.put(path, json={"labels": [label["id"]]})
        assert (late.status_code, late.json()["error"]["code"]) == (400, "bad_label")


async def test_a_label_of_another_business_is_none(desk: Staffed, one: Guest) -> None:
    async with desk.agent("op") as op, desk.agent("fang") as fang:
        common = await a_label(op, f"共用{an_id()[:4]}")
        path = f"/api/staff/conversations/{one.conversation}/labels"
        assert (await fang.http.put(path, json={"labels": [common["id"]]})).status_code == 200
        foreign = await fang.http.delete(f"/api/staff/labels/{common['id']}")
        assert foreign.status_code == 404, "what all have in common is not one business's"
        own = await a_label(fang, f"自己{an_id()[:4]}")
    async with desk.agent("qing") as qing:
        known = (await qing.http.get("/api/staff/labels")).json()["labels"]
        assert common in known
        assert own not in known


# --- a video call --------------------------------------------------------------------------


async def test_the_owner_offers_a_call_that_nobody_can_guess(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    early = await lin.act(one.conversation, "call")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_owner")
    await lin.done(one.conversation, "take")
    url = (await lin.done(one.conversation, "call"))["url"]
    assert (await lin.done(one.conversation, "call"))["url"] == url, "pressed twice is one call"
    await one.chat_up_to_date()
    [shown] = [event for event in one.chat.events if event["kind"] == "call"]
    assert shown["url"] == url
    assert shown["name"] == lin.name
    assert url.startswith("https://meet.example/huixin-")
    assert len(url.rsplit("-", 1)[1]) == 32
    # Nobody else in the room, no colleague who sees the chat masked.
    assert url not in json.dumps(one.room.frames)
    async with desk.agent("wu") as wu, desk.agent("fang") as fang:
        assert url not in json.dumps(await wu.whole(one.conversation))
        assert url in json.dumps(await fang.whole(one.conversation))


async def test_a_call_is_not_offered_in_a_room(lin: Agent, one: Guest) -> None:
    await lin.done(one.thread, "take")
    answer = await lin.act(one.thread, "call")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_private")


# --- warnings and suggestions on the way -----------------------------------------------------


async def test_words_with_a_warning_are_sent_when_confirmed_only(lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    body = {"id": an_id(), "text": "是您自己没看清说明！！"}
    answer = await lin.act(one.conversation, "answer", **body)
    assert answer.status_code == 409
    content = answer.json()
    assert content["error"]["code"] == "warned"
    assert {one["kind"] for one in content["warnings"]} == {"blame", "shout"}
    assert all(one["words"] in body["text"] for one in content["warnings"])
    check = await lin.done(one.conversation, "check", text=body["text"])
    assert check["warnings"] == content["warnings"]
    await one.chat_up_to_date()
    assert body["text"] not in [event.get("text") for event in one.chat.events]
    await lin.done(one.conversation, "answer", **body, confirmed=True)
    # A page that did not hear the answer sends it again.
    again = await lin.done(one.conversation, "answer", **body)
    assert again["repeated"] is True
    await one.chat_up_to_date()
    assert [event.get("text") for event in one.chat.events].count(body["text"]) == 1


async def test_an_apology_sent_twice_by_a_lost_connection_is_no_second_apology(
    lin: Agent, one: Guest
) -> None:
    await lin.done(one.conversation, "take")
    body = {"id": an_id(), "text": "这件事让您受累了，抱歉。主管现在上去看。"}
    first = await lin.done(one.conversation, "answer", **body)
    again = await lin.done(one.conversation, "answer", **body)
    assert (first["id"], again["repeated"]) == (again["id"], True)
    second = await lin.act(one.conversation, "answer", id=an_id(), text="真的很抱歉。")
    assert [one["kind"] for one in second.json()["warnings"]] == ["apology"]


async def test_who_does_not_own_it_is_told_so_and_not_warned(lin: Agent, one: Guest) -> None:
    answer = await lin.act(one.conversation, "answer", id=an_id(), text="您自己没看清！！")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_owner")


async def test_suggestions_are_about_this_case_and_do_not_repeat(lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    path = f"/api/staff/conversations/{one.conversation}/suggestions"
    first = (await lin.http.get(path)).json()["suggestions"]
    assert len(first) == 3
    assert "房间没有打扫干净" in first[0]["text"]
    assert lin.name in first[0]["text"]
    await lin.done(one.conversation, "answer", id=an_id(), text=first[0]["text"])
    then = (await lin.http.get(path)).json()["suggestions"]
    assert then
    assert first[0]["text"] not in [suggestion["text"] for suggestion in then]


async def test_every_change_is_written_down_once(desk: Staffed, lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    await note(lin, one.conversation, "记一笔")
    await lin.done(one.conversation, "call")
    async with desk.agent("chen") as chen:
        answer = await chen.http.get("/api/staff/audit", params={"target": one.conversation})
    acts = [entry["act"] for entry in answer.json()["entries"]]
    assert acts.count("note") == 1
    assert acts.count("call") == 1
    assert "记一笔" not in answer.text
