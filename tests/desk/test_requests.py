"""Remedies beyond a member's authority: asked for, granted or refused by a manager, once."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import pytest
import pytest_asyncio

from recovery.audit.fairness import audit
from recovery.audit.replay import replay
from recovery.audit.stored import Archive, Stored
from recovery.audit.wording import audit_in_words
from recovery.store import decisions
from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import Agent, Guest, database, guest, the_button, until
from tests.desk.staff_scene import Scene, a_scene, call, code, complained, text_of, wishes_of

REASON = "住了三天都没修好，孩子过敏去了医院"


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with a_scene(tmp_path_factory.mktemp("requests")) as scene:
        yield scene


@pytest.fixture
def scene(scenery: Scene) -> Scene:
    scenery.rasa.again()
    return scenery


@pytest.fixture
def order(scene: Scene) -> AnOrder:
    return an_order(scene.stack)


@pytest_asyncio.fixture
async def lin(scene: Scene) -> AsyncIterator[Agent]:
    async with scene.page("lin") as agent:
        yield agent


@pytest_asyncio.fixture
async def ma(scene: Scene) -> AsyncIterator[Agent]:
    async with scene.page("ma") as agent:
        yield agent


@pytest_asyncio.fixture
async def one(scene: Scene, order: AnOrder, lin: Agent) -> AsyncIterator[Guest]:
    """A guest of the hotel whose order is proved, in the hands of 小林."""
    async with guest(scene.stack) as customer:
        await complained(scene, customer, order.number)
        await lin.done(customer.conversation, "take")
        yield customer


def key() -> str:
    return secrets.token_hex(8)


async def asked(agent: Agent, conversation: str, fen: int = 20_000, **body: object) -> Any:  # noqa: ANN401 - JSON
    """Ask for so much more than the policy gives."""
    wishes = wishes_of(await agent.whole(conversation))
    more = [*wishes, {"kind": "voucher", "fen": fen}]
    return await agent.done(
        conversation, "requests", **{"id": key(), "remedies": more, "reason": REASON, **body}
    )


async def listed(agent: Agent) -> dict[str, dict[str, Any]]:
    answer = await call(agent, "GET", "/requests")
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["requests"]}


async def noticed(agent: Agent, kind: str, conversation: str) -> list[str]:
    answer = await call(agent, "GET", "/me/notices")
    return [
        one["text"]
        for one in answer.json()["notices"]
        if (one["kind"], one["conversation"]) == (kind, conversation)
    ]


async def test_a_manager_grants_what_an_agent_may_not_give(
    scene: Scene, one: Guest, order: AnOrder, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    assert (made["state"], made["needed"], made["asked_by"]) == ("open", "manager", "小林")
    assert made["worth_fen"] == made["policy_fen"] + 20_000
    assert (await noticed(ma, "request", one.conversation)) == ["小林申请一份补救，请您定"]
    shown = (await listed(ma))[made["id"]]
    assert (shown["reason"], shown["customer"]) == (REASON, one.name)
    granted = (await call(ma, "POST", f"/requests/{made['id']}/grant", note="可以，道个歉")).json()
    assert (granted["state"], granted["decided_by"]) == ("granted", "马经理")
    await one.chat_up_to_date()
    [offer] = [event for event in one.chat.events if event["kind"] == "offer"]
    row = scene.decided(offer["offer"])
    assert (row["decided_by"], row["departure"]) == (ma.owner, REASON)
    assert "过敏" not in text_of(offer), "reasons of staff are not for customers"
    [told] = await noticed(lin, "decided", one.conversation)
    assert "批准" in told
    assert "道个歉" in told
    detail = await lin.whole(one.conversation)
    assert [found["state"] for found in detail["requests"]] == ["granted"]
    assert [found["by"] for found in detail["case"]["offers"]] == ["马经理"]
    assert detail["conversation"]["owner"] == lin.owner, "it stays with who asked"
    await one.tell("就这样办", the_button([offer], "就这样办"))
    kept = scene.decided(offer["offer"])
    assert kept["state"] == "accepted"
    await until(lambda: len(effects(scene.stack, order.number)) == len(kept["remedies"]))
    [entry] = scene.acts(one.conversation, "grant")
    assert (entry["login"], entry["detail"]["asked_by"]) == ("ma", lin.login.id)


async def test_a_manager_refuses_with_a_word_for_who_asked(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    path = f"/requests/{made['id']}/refuse"
    assert code(await call(ma, "POST", path)) == (400, "no_note")
    refused = (await call(ma, "POST", path, note="先按政策给")).json()
    assert (refused["state"], refused["answer"]) == ("refused", "先按政策给")
    assert "先按政策给" in (await noticed(lin, "decided", one.conversation))[0]
    assert (await lin.whole(one.conversation))["case"]["offers"] == []
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "decided")
    again = await asked(lin, one.conversation, fen=5_000)
    assert again["state"] == "open"


async def test_one_open_request_a_case_and_the_same_once(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    name = key()
    made = await asked(lin, one.conversation, id=name)
    again = await asked(lin, one.conversation, id=name)
    assert again["id"] == made["id"]
    assert len(await noticed(ma, "request", one.conversation)) == 1
    wishes = [{"kind": "apology"}]
    second = await lin.act(one.conversation, "requests", id=key(), remedies=wishes, reason="另一份")
    assert code(second) == (409, "request_open")
    bare = await lin.act(one.conversation, "requests", id=key(), remedies=wishes)
    assert code(bare) == (400, "no_reason")


async def test_who_asked_takes_it_back(scene: Scene, one: Guest, lin: Agent, ma: Agent) -> None:
    made = await asked(lin, one.conversation)
    path = f"/conversations/{one.conversation}/requests/{made['id']}"
    async with scene.page("wu") as wu:
        assert (await call(wu, "DELETE", path)).status_code == 404
        assert made["id"] not in await listed(wu), "others' requests are not for agents"
    assert (await call(lin, "DELETE", path)).status_code == 204
    assert (await call(lin, "DELETE", path)).status_code == 204
    assert (await listed(lin))[made["id"]]["state"] == "withdrawn"
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "decided")


async def test_nobody_grants_the_own_and_agents_grant_nothing(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    await ma.done(one.conversation, "step_in")
    made = await asked(ma, one.conversation, fen=150_000)
    path = f"/requests/{made['id']}/grant"
    assert code(await call(ma, "POST", path)) == (403, "own_request")
    assert code(await call(ma, "POST", f"/requests/{made['id']}/refuse", note="x")) == (
        403,
        "own_request",
    )
    for login in ("lin", "sun", "tang"):
        async with scene.page(login) as other:
            assert (await call(other, "POST", path)).status_code == 403, login
    async with scene.page("qing") as stranger:
        assert (await call(stranger, "POST", path)).status_code == 404
        assert made["id"] not in await listed(stranger)
    async with scene.page("meng") as meng:
        assert (await call(meng, "POST", path)).json()["state"] == "granted"


async def test_of_two_managers_at_once_one_decides(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    async with scene.page("meng") as meng:
        path = f"/requests/{made['id']}"
        answers = await asyncio.gather(
            call(ma, "POST", f"{path}/grant"),
            call(meng, "POST", f"{path}/grant"),
            call(meng, "POST", f"{path}/refuse", note="不行"),
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    detail = await lin.whole(one.conversation)
    granted = detail["requests"][0]["state"] == "granted"
    assert len(detail["case"]["offers"]) == (1 if granted else 0)
    again = [await call(ma, "POST", f"{path}/grant") for _ in range(2)]
    mine = detail["requests"][0]["decided_by"] == "马经理"
    assert {answer.status_code for answer in again} == {200 if mine else 409}
    assert len((await lin.whole(one.conversation))["case"]["offers"]) == (1 if granted else 0)


async def test_what_has_changed_since_is_looked_at_again(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    await lin.done(one.conversation, "facts", fault="customer")
    path = f"/requests/{made['id']}/grant"
    assert code(await call(ma, "POST", path)) == (409, "changed")
    assert (await listed(ma))[made["id"]]["state"] == "open"
    await lin.done(one.conversation, "facts", fault="ours")
    assert (await call(ma, "POST", path)).json()["state"] == "granted"


async def test_nothing_is_granted_where_no_person_has_it(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    path = f"/requests/{made['id']}/grant"
    await lin.done(one.conversation, "transfer", to="queue", memo="下班了")
    assert code(await call(ma, "POST", path)) == (409, "not_with_person")
    async with scene.page("wu") as wu:
        await wu.done(one.conversation, "take")
        await wu.done(one.conversation, "close", outcome="explained", note="顾客理解了", force=True)
    assert code(await call(ma, "POST", path)) in [(409, "decided"), (409, "closed")]
    assert (await lin.whole(one.conversation))["case"]["offers"] == []


async def test_the_policys_own_may_need_a_manager(scene: Scene, lin: Agent, ma: Agent) -> None:
    order = an_order(scene.stack)
    async with guest(scene.stack) as one:
        await complained(scene, one, order.number, "overcharge")
        await lin.done(one.conversation, "take")
        await lin.done(one.conversation, "facts", finding="confirmed", fault="ours")
        answer = await lin.act(one.conversation, "offers", id=key())
        assert code(answer) == (409, "beyond")
        made = await lin.done(one.conversation, "requests", id=key(), reason="已经核实多收了")
        assert made["worth_fen"] == made["policy_fen"]
        await call(ma, "POST", f"/requests/{made['id']}/grant")
        await one.chat_up_to_date()
        [card] = [event for event in one.chat.events if event["kind"] == "offer"]
        assert scene.decided(card["offer"])["departure"] is None, "it is what the policy gives"
        assert any("法定赔偿" in line["title"] for line in card["items"])


async def test_hostile_reasons_are_kept_as_words(scene: Scene, one: Guest, lin: Agent) -> None:
    made = await asked(lin, one.conversation, reason="<script>alert(1)</script>\u202e")
    assert made["reason"] == "<script>alert(1)</script>"
    long = await lin.act(
        one.conversation, "requests", id=key(), remedies=[{"kind": "apology"}], reason="长" * 501
    )
    assert code(long) == (400, "too_long")


async def test_the_audit_knows_departures_of_staff_and_replay_does_not_call_them_wrong(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    own = await lin.done(one.conversation, "offers", id=key())
    made = await asked(lin, one.conversation)
    await call(ma, "POST", f"/requests/{made['id']}/grant")
    with closing(database(scene.stack)) as store, store.read() as db:
        rows = [Stored.of(row) for row in decisions.all_of(db)]
        archive = Archive(decisions.kept_policies(db))
    case = next(row.case_id for row in rows if row.id == own["offer"])
    mine = [row for row in rows if row.case_id == case]
    assert len(mine) == 2
    again = replay(mine, archive)
    assert not again.found, again.to_wire()
    assert (again.same, again.departed) == (1, 1)
    found = audit(mine, archive)
    [departure] = found.departures
    assert (departure.more, departure.reason) == (20_000, REASON)
    assert REASON in audit_in_words(found, "一个案子")


async def test_a_database_that_was_written_elsewhere_still_shows_its_requests(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    """A name that is gone from the staff table leaves the request readable."""
    made = await asked(lin, one.conversation)
    with sqlite3.connect(scene.stack.data / "desk.sqlite3", timeout=20) as db:
        db.execute("UPDATE remedy_requests SET asked_by = 9999 WHERE id = ?", (made["id"],))
    db.close()
    assert (await listed(ma))[made["id"]]["asked_by"] == ""
