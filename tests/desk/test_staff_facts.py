"""Facts that staff set: who may, what is kept of it, and what the policy makes of them."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from desk.__main__ import make_context
from desk.staff.advice import Advisor
from recovery.clock import utc_now
from recovery.orders.demo import fill
from recovery.orders.system import Order, OrderSystemError
from recovery.settings import load_settings
from recovery.store import staff
from tests.desk.orders import AnOrder, an_order
from tests.desk.people import PATIENCE, Agent, Guest, Login, database, guest, log_in, offers
from tests.desk.scripted_rasa import Body, ScriptedRasa, opens_a_case, says, scripted_rasa
from tests.support.customer import Frame
from tests.support.order_server import BROKEN, TOKEN, OrderServer
from tests.support.stack import ROOT, Stack, running

PASSWORD = "an honest password"
FAKE_ORDER = "QH202611150108"


@dataclass(frozen=True)
class Scene:
    """A desk, the Rasa that the test speaks for, and staff of all and of one business."""

    stack: Stack
    rasa: ScriptedRasa
    lin: Login
    wu: Login
    stranger: Login


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("facts")
    with scripted_rasa() as rasa, running(folder, "desk", rasa=[rasa.url]) as stack:
        with closing(database(stack)) as store, store.write() as db:
            staff.add(db, "lin", "小林", "agent", PASSWORD, utc_now())
            staff.add(db, "wu", "老吴", "agent", PASSWORD, utc_now())
            staff.add(db, "qing", "小青", "agent", PASSWORD, utc_now(), "qinghe")
        yield Scene(stack, rasa, *(log_in(stack, one, PASSWORD) for one in ("lin", "wu", "qing")))


@pytest.fixture
def scene(scenery: Scene) -> Scene:
    scenery.rasa.again()
    return scenery


@pytest_asyncio.fixture
async def lin(scene: Scene) -> AsyncIterator[Agent]:
    async with Agent(scene.stack, scene.lin) as agent:
        yield agent


@pytest_asyncio.fixture
async def one(scene: Scene) -> AsyncIterator[Guest]:
    """A guest of the hotel in the private chat, with a case."""
    async with guest(scene.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        yield customer


def proving(number: str, failure: str | None = None) -> Any:  # noqa: ANN401 - a script
    """What Rasa says when the customer proves an order; the case is about this failure."""

    def script(path: str, body: Body) -> Body:
        if path == "/desk/overheard" or body["metadata"]["visibility"] == "public":
            return opens_a_case(path, body)
        commands: list[Body] = [{"do": "tried_proof", "order_number": number, "correct": True}]
        if failure:
            commands.append({"do": "note", "facts": {"failure": failure}})
        return says("好的", commands=commands)

    return script


async def proved(scene: Scene, one: Guest, order: AnOrder) -> None:
    scene.rasa.script = proving(order.number)
    await one.tell("订单号")


def log_of(stack: Stack, conversation: str) -> list[tuple[str, Frame, str]]:
    """Message, command and time of each entry of the log of a conversation's case."""
    with sqlite3.connect(stack.data / "desk.sqlite3") as db:
        rows = db.execute(
            "SELECT message_id, command, at FROM case_log WHERE case_id ="
            " (SELECT case_id FROM conversations WHERE id = ?) ORDER BY id",
            (conversation,),
        ).fetchall()
    db.close()
    return [(message, json.loads(command), at) for message, command, at in rows]


def by_staff(stack: Stack, conversation: str) -> list[tuple[str, Frame, str]]:
    return [entry for entry in log_of(stack, conversation) if entry[0].startswith("w-")]


# --- who may -------------------------------------------------------------------------------


async def test_only_the_owner_sets_facts(scene: Scene, lin: Agent, one: Guest) -> None:
    conversation = one.conversation
    early = await lin.act(conversation, "facts", fault="ours")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_owner")
    await lin.done(conversation, "take")
    async with Agent(scene.stack, scene.wu) as wu:
        other = await wu.act(conversation, "facts", fault="ours")
        assert (other.status_code, other.json()["error"]["code"]) == (409, "taken")
        assert lin.name in other.json()["error"]["message"]
    async with Agent(scene.stack, scene.stranger) as stranger:
        foreign = await stranger.act(conversation, "facts", fault="ours")
        assert foreign.status_code == 404, "of another business one learns nothing"
    assert by_staff(scene.stack, conversation) == []
    assert (await lin.done(conversation, "facts", fault="ours"))["facts"]["fault"] == "ours"
    await lin.done(conversation, "give_back", note="好了")
    late = await lin.act(conversation, "facts", fault="customer")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "not_owner")
    shown = await lin.whole(conversation)
    assert shown["case"]["facts"]["fault"] == "ours"


async def test_a_page_of_another_site_sets_nothing(scene: Scene, lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    path = f"/api/staff/conversations/{one.conversation}/facts"
    for csrf in ("", "guessed"):
        answer = await lin.http.post(path, json={"fault": "ours"}, headers={"X-CSRF": csrf})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    form = await lin.http.post(path, data={"fault": "ours"})
    assert form.status_code == 400, "a foreign form cannot send JSON"
    async with httpx.AsyncClient(
        base_url=scene.stack.url, trust_env=False, timeout=PATIENCE
    ) as nobody:
        assert (await nobody.post(path, json={"fault": "ours"})).status_code == 401
    assert by_staff(scene.stack, one.conversation) == []


async def test_without_a_case_there_is_nothing_to_note(scene: Scene, lin: Agent) -> None:
    scene.rasa.script = lambda path, body: says("您好")
    async with guest(scene.stack) as passing:
        await passing.post("请问几点可以入住")
        await lin.done(passing.thread, "take")
        answer = await lin.act(passing.thread, "facts", fault="ours")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_case")
        await lin.done(passing.thread, "give_back", note="")


# --- what may be set -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, "no_fact", ["责任", "认定", "影响"]),
        ({"fault": "mine"}, "bad_fact", ["责任", "mine", "我方", "第三方"]),
        ({"finding": "proved"}, "bad_fact", ["认定", "proved", "仅属指称"]),
        ({"harm": None}, "bad_fact", ["影响", "null", "受伤"]),
        ({"harm": ["loss"]}, "bad_fact", ["影响", "有损失"]),
        ({"fault": True}, "bad_fact", ["责任", "true"]),
        ({"fault": "ours", "paid": 1}, "unknown_fact", ["paid", "责任", "认定", "影响"]),
        ({"failure": "fake"}, "unknown_fact", ["failure"]),
        ({"advice": {"authority": "bot"}}, "unknown_fact", ["advice"]),
        ({"\ud800": 1}, "unknown_fact", ["“?”"]),
        ({"fault": "x" * 9_000}, "bad_fact", ["x…”"]),
    ],
)
async def test_what_is_no_fact_is_refused_by_name(
    scene: Scene, lin: Agent, one: Guest, body: dict[str, Any], code: str, named: list[str]
) -> None:
    await lin.done(one.conversation, "take")
    answer = await lin.http.post(
        f"/api/staff/conversations/{one.conversation}/facts",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    for word in named:
        assert word in error["message"]
    assert len(error["message"]) < 300
    assert by_staff(scene.stack, one.conversation) == [], "nothing of it is kept, not even a part"


async def test_every_change_is_kept_with_who_and_when(scene: Scene, lin: Agent, one: Guest) -> None:
    conversation = one.conversation
    await lin.done(conversation, "take")
    before = len(one.chat.events)
    began = utc_now().isoformat()
    await lin.done(conversation, "facts", fault="third_party", harm="loss")
    await lin.done(conversation, "facts", fault="third_party", harm="plans")
    again = await lin.done(conversation, "facts", fault="third_party", harm="plans")
    assert (again["facts"]["fault"], again["facts"]["harm"]) == ("third_party", "plans")
    entries = by_staff(scene.stack, conversation)
    assert [command for _, command, _ in entries] == [
        {"do": "note", "facts": {"fault": "third_party", "harm": "loss", "harm_by": "staff"}},
        {"do": "note", "facts": {"harm": "plans", "harm_by": "staff"}},
    ]
    assert {who for who, _, _ in entries} == {f"w-{lin.login.id}"}
    assert all(began[:19] <= at[:19] <= utc_now().isoformat()[:19] for _, _, at in entries)
    await one.chat_up_to_date()
    assert one.chat.events[before:] == [], "the customer is told nothing of it"


async def test_pages_of_colleagues_hear_of_a_change(scene: Scene, lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    async with Agent(scene.stack, scene.wu) as wu, wu.socket() as socket, asyncio.timeout(20):
        watch = {"type": "watch", "conversation": one.conversation, "after": 0}
        await socket.send(json.dumps(watch))
        # Where it stands is told before what is said of it later.
        while json.loads(await socket.recv())["type"] != "looking":
            pass
        await lin.done(one.conversation, "facts", finding="none")
        told: set[str] = set()
        while told != {"rows", "detail"}:
            frame = json.loads(await socket.recv())
            if frame["type"] == "rows" and one.conversation in [row["id"] for row in frame["rows"]]:
                told.add("rows")
            if frame == {"type": "detail", "conversation": one.conversation}:
                told.add("detail")


# --- what the policy makes of it -----------------------------------------------------------


async def test_advice_needs_a_proved_order(scene: Scene, lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    answer = await lin.done(one.conversation, "facts", harm="plans")
    assert (answer["advice"], answer["no_advice"]) == (None, "no_order")
    shown = (await lin.whole(one.conversation))["case"]
    assert (shown["advice"], shown["no_advice"]) == (None, "no_order")


async def test_advice_follows_the_facts(scene: Scene, lin: Agent, one: Guest) -> None:
    await proved(scene, one, an_order(scene.stack))
    await lin.done(one.conversation, "take")
    ours = (await lin.done(one.conversation, "facts", fault="ours", harm="slight"))["advice"]
    worse = (await lin.done(one.conversation, "facts", harm="loss"))["advice"]
    theirs = (await lin.done(one.conversation, "facts", fault="customer"))["advice"]
    assert ours["facts"]["failure"] == "room_not_clean"
    assert ours["rules"]
    assert {item["part"] for item in ours["items"]} <= {"floor", "goodwill"}
    parts = {"floor": ours["floor_fen"], "goodwill": ours["goodwill_fen"]}
    for part, fen in parts.items():
        assert fen == sum(i["worth"] or 0 for i in ours["items"] if i["part"] == part)
    assert worse["goodwill_fen"] > ours["goodwill_fen"]
    assert theirs["goodwill_fen"] < ours["goodwill_fen"]
    shown = (await lin.whole(one.conversation))["case"]
    assert (shown["advice"], shown["no_advice"]) == (theirs, None)
    assert shown["facts"]["fault"] == "customer"
    assert "advice" not in shown["facts"], "asking for advice leaves nothing in the case"


async def test_what_the_law_gives_for_a_confirmed_fraud_is_for_staff_alone(
    scene: Scene, lin: Agent
) -> None:
    async with guest(scene.stack, "qinghe") as buyer:
        await buyer.post("你们卖假货")
        await buyer.enter()
        scene.rasa.script = proving(FAKE_ORDER, "fake")
        await buyer.tell("订单号")
        await lin.done(buyer.conversation, "take")
        alleged = await lin.done(buyer.conversation, "facts", finding="alleged")
        assert alleged["advice"]["provisional"] is True
        assert not [i for i in alleged["advice"]["items"] if "法定赔偿" in i["title"]]
        before = len(buyer.chat.events)
        answer = await lin.done(buyer.conversation, "facts", finding="confirmed", fault="ours")
        advice = answer["advice"]
        assert advice["authority"] == "manager"
        (damages,) = [item for item in advice["items"] if "法定赔偿" in item["title"]]
        assert damages["part"] == "floor"
        # Three times the price, and 500 yuan at least (消费者权益保护法 §55).
        assert damages["worth"] == 50_000
        assert advice["floor_fen"] >= damages["worth"]
        await lin.done(buyer.conversation, "answer", id="a" * 16, text="还在核实")
        await buyer.chat_up_to_date()
        seen = buyer.chat.events[before:]
        assert [event.get("text") for event in seen] == ["还在核实"]
        assert offers(buyer.chat.events) == []
        assert "赔偿" not in json.dumps(buyer.chat.frames, ensure_ascii=False)


# --- the order system is slow or away ------------------------------------------------------


@pytest.fixture(scope="module")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Scene, OrderServer]]:
    """A desk whose shop has an order system of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    businesses = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))["businesses"]
    orders = fill(folder / "theirs.sqlite3")
    with (
        pytest.MonkeyPatch.context() as patch,
        OrderServer(orders) as server,
        scripted_rasa() as rasa,
    ):
        patch.setenv("QINGHE_TOKEN", TOKEN)
        for one in businesses:
            if one["id"] == "qinghe":
                one["orders"] = {"kind": "http", "url": server.url, "token_env": "QINGHE_TOKEN"}
        with running(folder, "desk", rasa=[rasa.url], businesses=businesses) as stack:
            with closing(database(stack)) as store, store.write() as db:
                staff.add(db, "lin", "小林", "agent", PASSWORD, utc_now())
            login = log_in(stack, "lin", PASSWORD)
            yield Scene(stack, rasa, login, login, login), server


async def test_while_the_order_system_is_away_facts_are_kept_and_no_advice_is_given(
    elsewhere: tuple[Scene, OrderServer],
) -> None:
    scene, server = elsewhere
    async with Agent(scene.stack, scene.lin) as lin, guest(scene.stack, "qinghe") as buyer:
        await buyer.post("发错货了")
        await buyer.enter()
        scene.rasa.script = proving(FAKE_ORDER, "wrong_item")
        await buyer.tell("订单号")
        await lin.done(buyer.conversation, "take")
        server.fail(*[BROKEN] * 4)
        answer = await lin.done(buyer.conversation, "facts", fault="ours")
        assert answer["facts"]["fault"] == "ours"
        assert (answer["advice"], answer["no_advice"]) == (None, "orders_away")
        shown = await lin.whole(buyer.conversation)
        assert shown["case"]["no_advice"] == "orders_away"
        server.faults.clear()
        back = await lin.done(buyer.conversation, "facts", harm="plans")
        assert back["no_advice"] is None
        assert back["advice"]["items"]
    assert server.wrong == []


class Slow:
    """An order system that answers when it is let."""

    def __init__(self, order: Order | None = None, error: Exception | None = None) -> None:
        self.asked = 0
        self.free = asyncio.Event()
        self._order = order
        self._error = error
        self._loop = asyncio.get_running_loop()

    def order(self, business: str, number: str) -> Order | None:
        self.asked += 1
        asyncio.run_coroutine_threadsafe(self.free.wait(), self._loop).result()
        if self._error:
            raise self._error
        return self._order


async def test_an_order_system_that_hangs_keeps_nobody_waiting_twice(
    scene: Scene, one: Guest
) -> None:
    order = an_order(scene.stack)
    await proved(scene, one, order)
    real = make_context(load_settings(scene.stack.settings_file))
    try:
        slow = Slow(real.orders.order("lanting", order.number))
        advisor = Advisor(replace(real, orders=slow), patience=0.3)  # type: ignore[arg-type]
        first = await advisor.advice(one.conversation)
        began = time.monotonic()
        second = await advisor.advice(one.conversation)
        assert time.monotonic() - began < 0.25
        assert first == second == {"advice": None, "no_advice": "orders_away"}
        assert slow.asked == 1, "no second call beside the one that hangs"
        slow.free.set()
        late = await until_advised(advisor, one.conversation)
        assert late["advice"]["facts"]["paid"] == 68800
        await advisor.advice(one.conversation)
        assert slow.asked == 1, "an order is kept for a minute"
    finally:
        real.storage.close()


async def until_advised(advisor: Advisor, conversation: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while (found := await advisor.advice(conversation))["advice"] is None:  # noqa: ASYNC110 - a thread
            await asyncio.sleep(0.02)
        return found


@pytest.mark.parametrize("error", [OrderSystemError("away"), ValueError("a defect")])
async def test_whatever_the_order_system_raises_the_conversation_opens(
    scene: Scene, one: Guest, error: Exception
) -> None:
    await proved(scene, one, an_order(scene.stack))
    real = make_context(load_settings(scene.stack.settings_file))
    try:
        broken = Slow(error=error)
        broken.free.set()
        advisor = Advisor(replace(real, orders=broken))  # type: ignore[arg-type]
        assert (await advisor.advice(one.conversation))["no_advice"] == "orders_away"
        assert (await advisor.advice(one.conversation))["no_advice"] == "orders_away"
        assert broken.asked == 2, "a failure is not kept"
    finally:
        real.storage.close()


async def test_an_order_that_is_gone_and_a_matter_that_is_unknown_give_no_advice(
    scene: Scene, lin: Agent, one: Guest
) -> None:
    scene.rasa.script = proving("LT000000000000", "unknown")
    await one.tell("订单号")
    assert (await lin.whole(one.conversation))["case"]["no_advice"] == "order_gone"
    scene.rasa.script = proving(an_order(scene.stack).number, "unknown")
    await one.tell("订单号")
    assert (await lin.whole(one.conversation))["case"]["no_advice"] == "no_matter"
