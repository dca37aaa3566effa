"""Canned replies: fitting, filled in, changed by those who may."""

import sqlite3
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from recovery.store import canned
from recovery.store.database import Database
from tests.desk.people import Agent, Guest, guest
from tests.desk.staffed import Staffed, staffed_desk
from tests.support.customer import Frame

REPLY = {"title": "回访", "text": "{顾客}您好，{事情}办得怎么样了？"}


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    with staffed_desk(tmp_path_factory.mktemp("canned")) as desk:
        yield desk


@pytest.fixture
def desk(scenery: Staffed) -> Staffed:
    scenery.rasa.again()
    return scenery


@pytest_asyncio.fixture
async def fang(desk: Staffed) -> AsyncIterator[Agent]:
    async with desk.agent("fang") as agent:
        yield agent


@pytest_asyncio.fixture
async def one(desk: Staffed) -> AsyncIterator[Guest]:
    async with guest(desk.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        yield customer


async def fitting(agent: Agent, conversation: str) -> list[Frame]:
    answer = await agent.http.get("/api/staff/canned", params={"conversation": conversation})
    assert answer.status_code == 200, answer.text
    replies: list[Frame] = answer.json()["replies"]
    return replies


async def made(agent: Agent, **more: object) -> Frame:
    answer = await agent.http.post("/api/staff/canned", json={**REPLY, **more})
    assert answer.status_code == 200, answer.text
    reply: Frame = answer.json()
    return reply


async def test_replies_fit_the_case_and_are_filled_in(
    desk: Staffed, fang: Agent, one: Guest
) -> None:
    replies = await fitting(fang, one.conversation)
    assert len(replies) >= 20
    assert {reply["industry"] for reply in replies} == {None, "hotel"}
    assert all(reply["anger_least"] == 0 for reply in replies), "the customer is calm"
    assert not [reply for reply in replies if "{" in reply["text"]]
    assert any("房间没有打扫干净" in reply["text"] for reply in replies)
    assert any("方姐" in reply["text"] for reply in replies)
    # What is made for hotels comes before what is for everybody.
    places = [reply["industry"] is None for reply in replies]
    assert places == sorted(places)


async def test_own_and_narrow_and_useful_ones_come_first(fang: Agent, one: Guest) -> None:
    wide = await made(fang, title="宽")
    narrow = await made(fang, title="窄", industry="hotel", anger_most=1)
    assert [reply["id"] for reply in (await fitting(fang, one.conversation))[:2]] == [
        narrow["id"],
        wide["id"],
    ]
    later = await made(fang, title="后来", industry="hotel", anger_most=1)
    used = await fang.http.post(f"/api/staff/canned/{later['id']}/used")
    assert used.status_code == 204
    [first, *_] = await fitting(fang, one.conversation)
    assert (first["id"], first["uses"]) == (later["id"], 1)
    too_angry = await made(fang, title="盛怒才用", anger_least=3)
    assert too_angry["id"] not in [reply["id"] for reply in await fitting(fang, one.conversation)]
    for reply in (wide, narrow, later, too_angry):
        assert (await fang.http.delete(f"/api/staff/canned/{reply['id']}")).status_code == 204


async def test_a_name_that_is_masked_is_not_filled_in(desk: Staffed, fang: Agent) -> None:
    async with guest(desk.stack, name="欧阳修文") as customer, desk.agent("lin") as lin:
        await customer.post("房间没打扫")
        await customer.enter()
        reply = await made(fang)
        for reader, name in ((fang, "欧阳修文您好"), (lin, "欧**您好")):
            [shown] = [
                item
                for item in await fitting(reader, customer.conversation)
                if item["id"] == reply["id"]
            ]
            assert shown["text"].startswith(name)
        await lin.done(customer.conversation, "take")
        texts = [item["text"] for item in await fitting(lin, customer.conversation)]
        assert any(text.startswith("欧阳修文您好") for text in texts)
        await fang.http.delete(f"/api/staff/canned/{reply['id']}")


async def test_a_reply_is_changed_and_taken_away(fang: Agent) -> None:
    reply = await made(fang, shortcut="hf")
    assert reply["business"] == "lanting"
    path = f"/api/staff/canned/{reply['id']}"
    changed = await fang.http.put(path, json={**REPLY, "text": "{客服}在", "industry": "hotel"})
    assert changed.json() == {**reply, "text": "{客服}在", "industry": "hotel", "shortcut": None}
    assert (await fang.http.delete(path)).status_code == 204
    for answer in (await fang.http.delete(path), await fang.http.put(path, json=REPLY)):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"text": "{姓名}您好"}, "bad_variable"),
        ({"text": "您好}"}, "bad_variable"),
        ({"text": ""}, "bad_canned"),
        ({"text": "长" * 1001}, "bad_canned"),
        ({"text": "a\0b"}, "bad_canned"),
        ({"text": None}, "bad_canned"),
        ({"title": " "}, "bad_canned"),
        ({"title": "长" * 41}, "bad_canned"),
        ({"title": "a\nb"}, "bad_canned"),
        ({"industry": "bank"}, "bad_canned"),
        ({"industry": ["hotel"]}, "bad_canned"),
        ({"anger_least": 2, "anger_most": 1}, "bad_canned"),
        ({"anger_most": 4}, "bad_canned"),
        ({"anger_most": True}, "bad_canned"),
        ({"shortcut": "长" * 21}, "bad_canned"),
    ],
)
async def test_what_is_no_reply_is_refused(
    fang: Agent, wrong: dict[str, object], code: str
) -> None:
    answer = await fang.http.post("/api/staff/canned", json={**REPLY, **wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    if code == "bad_variable":
        assert "{时限}" in answer.json()["error"]["message"]


async def test_what_all_businesses_share_is_changed_by_who_is_over_all(
    desk: Staffed, fang: Agent
) -> None:
    replies = (await fang.http.get("/api/staff/canned/all")).json()["replies"]
    common = next(reply for reply in replies if reply["business"] is None)
    path = f"/api/staff/canned/{common['id']}"
    refused = await fang.http.put(path, json=REPLY)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "common")
    assert (await fang.http.delete(path)).status_code == 403
    body = {name: common[name] for name in ("title", "text", "industry", "shortcut")}
    async with desk.agent("op") as op:
        assert (await op.http.put(path, json={**body, "title": "改过"})).json()["title"] == "改过"
        assert (await op.http.put(path, json=body)).status_code == 200


async def test_agents_use_replies_and_do_not_change_them(desk: Staffed, fang: Agent) -> None:
    reply = await made(fang)
    path = f"/api/staff/canned/{reply['id']}"
    async with desk.agent("lin") as lin, desk.agent("qing") as qing:
        for answer in (
            await lin.http.post("/api/staff/canned", json=REPLY),
            await lin.http.put(path, json=REPLY),
            await lin.http.delete(path),
            await lin.http.get("/api/staff/canned/all"),
        ):
            assert answer.status_code == 403
        assert (await lin.http.post(f"{path}/used")).status_code == 204
        assert (await qing.http.post(f"{path}/used")).status_code == 404
        foreign = (await qing.http.get("/api/staff/canned")).json()["replies"]
        assert reply["id"] not in [item["id"] for item in foreign]
    await fang.http.delete(path)


def test_a_new_desk_has_replies_and_those_taken_away_stay_away(store: Database) -> None:
    with store.write() as db:
        begun = canned.of_business(db, "lanting")
        assert len(begun) >= 40
        canned.remove(db, begun[0].id)
    store.migrate()
    with store.read() as db:
        assert canned.of_business(db, "lanting") == begun[1:]


async def test_every_change_of_a_reply_is_written_down(desk: Staffed, fang: Agent) -> None:
    reply = await made(fang)
    await fang.http.put(f"/api/staff/canned/{reply['id']}", json=REPLY)
    await fang.http.delete(f"/api/staff/canned/{reply['id']}")
    with sqlite3.connect(desk.stack.data / "desk.sqlite3") as db:
        rows = db.execute(
            "SELECT act, login FROM audit_log WHERE target = ? ORDER BY id",
            (f"canned:{reply['id']}",),
        ).fetchall()
    db.close()
    # SQLite gives the number of what was taken away to the next one.
    assert rows[-3:] == [(act, "fang") for act in ("canned_add", "canned_change", "canned_remove")]
