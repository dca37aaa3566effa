"""Remedies that staff offer: looked at, offered, taken while a person answers, once."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from recovery.store.tables import decisions
from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import Agent, Guest, guest, the_button, until, words
from tests.desk.staff_scene import Scene, a_scene, call, cards, code, complained, text_of, wishes_of
from tests.support.stack import ROOT

ROOM = {"kind": "room_change", "minutes": 20}


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with a_scene(tmp_path_factory.mktemp("offers")) as scene:
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
async def one(scene: Scene, order: AnOrder, lin: Agent) -> AsyncIterator[Guest]:
    """A guest of the hotel whose order is proved, in the hands of 小林."""
    async with guest(scene.stack) as customer:
        await complained(scene, customer, order.number)
        await lin.done(customer.conversation, "take")
        yield customer


def key() -> str:
    return secrets.token_hex(8)


async def offered(agent: Agent, one: Guest, **body: object) -> str:
    made = await agent.done(one.conversation, "offers", id=key(), **body)
    await one.chat_up_to_date()
    return str(made["offer"])


# --- what the policy gives ----------------------------------------------------------------


async def test_what_the_policy_gives_is_offered_and_taken_while_a_person_answers(
    scene: Scene, one: Guest, order: AnOrder, lin: Agent
) -> None:
    conversation = one.conversation
    advice = (await lin.whole(conversation))["case"]["advice"]
    offer = await offered(lin, one)
    [card] = cards(one.chat.events, offer)
    assert [line["title"] for line in card["items"]] == [i["title"] for i in advice["items"]]
    assert [button["title"] for button in card["buttons"]] == ["就这样办", "不接受"]
    assert scene.decided(offer)["decided_by"] == lin.owner
    assert scene.decided(offer)["departure"] is None
    asked = len(scene.rasa.messages())
    followed = await one.tell("就这样办", the_button([card], "就这样办"))
    assert [found["state"] for found in cards(one.chat.events, offer)] == ["open", "accepted"]
    assert "20分钟" in words(followed) or "前" in words(followed), "what happens next, with a time"
    assert len(scene.rasa.messages()) == asked, "the bot has no part in it"
    row = (await lin.row(conversation))[1]
    assert (row["owner"], row["stage"]) == (lin.owner, "agreed")
    shown = (await lin.whole(conversation))["case"]
    [made] = shown["offers"]
    assert (made["state"], made["by"], made["departure"]) == ("accepted", "小林", None)
    assert {item["title"] for item in shown["remedies"]} == {i["title"] for i in advice["items"]}
    await until(lambda: len(effects(scene.stack, order.number)) == len(advice["items"]))
    [kept] = scene.acts(conversation, "offer")
    assert (kept["login"], kept["detail"]["departs"]) == ("lin", False)


async def test_a_refused_offer_of_staff_stays_with_its_owner(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    offer = await offered(lin, one)
    [card] = cards(one.chat.events, offer)
    await one.tell("不接受", the_button([card], "不接受"))
    assert [found["state"] for found in cards(one.chat.events, offer)] == ["open", "refused"]
    assert scene.promised(offer) == []
    assert (await lin.row(one.conversation))[1]["owner"] == lin.owner
    again = await offered(lin, one)
    assert again != offer


async def test_an_open_offer_is_taken_once_however_often_it_is_pressed(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    offer = await offered(lin, one)
    button = the_button(cards(one.chat.events, offer), "就这样办")
    name = key()
    for _ in range(3):
        await one.chat.say("就这样办", button=button, message_id=name)
    await until(lambda: scene.decided(offer)["state"] == "accepted")
    late = await one.chat.answered(await one.chat.say("就这样办", button=button))
    assert (late["type"], late["code"]) == ("refused", "closed")
    assert len(scene.promised(offer)) == len(scene.decided(offer)["remedies"])


async def test_other_quick_replies_are_not_taken_where_a_person_answers(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    first = await offered(lin, one)
    stale = the_button(cards(one.chat.events, first), "就这样办")
    second = await offered(lin, one)
    assert [found["state"] for found in cards(one.chat.events, first)] == ["open", "replaced"]
    answer = await one.chat.answered(await one.chat.say("就这样办", button=stale))
    assert (answer["type"], answer["code"]) == ("refused", "closed")
    assert scene.promised(first) == scene.promised(second) == []


async def test_an_offer_of_staff_is_taken_also_from_the_queue(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    offer = await offered(lin, one)
    await lin.done(one.conversation, "transfer", to="queue", memo="下班了")
    await one.chat_up_to_date()
    await one.tell("就这样办", the_button(cards(one.chat.events, offer), "就这样办"))
    assert scene.decided(offer)["state"] == "accepted"
    assert (await lin.row(one.conversation))[0] == "queue"


async def test_what_was_agreed_on_the_phone_is_done_at_once(
    scene: Scene, one: Guest, order: AnOrder, lin: Agent
) -> None:
    name = key()
    first = await lin.done(one.conversation, "offers", id=name, agreed=True)
    assert first["state"] == "accepted"
    again = await lin.done(one.conversation, "offers", id=name, agreed=True)
    assert again == first, "sent again it is the same"
    await one.chat_up_to_date()
    assert [card["state"] for card in cards(one.chat.events, first["offer"])] == ["accepted"]
    most = len(scene.promised(first["offer"]))
    await until(lambda: len(effects(scene.stack, order.number)) == most)
    assert [kept["detail"]["agreed"] for kept in scene.acts(one.conversation, "offer")] == [True]


async def test_two_at_once_make_one_offer(scene: Scene, one: Guest, lin: Agent) -> None:
    name = key()
    answers = await asyncio.gather(
        *(lin.act(one.conversation, "offers", id=name) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {200}
    made = {answer.json()["offer"] for answer in answers}
    assert len(made) == 1
    assert len(scene.rows(decisions, decisions.c.id.in_(made))) == 1


async def test_facts_found_after_the_offer_take_it_back(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    offer = await offered(lin, one)
    await lin.done(one.conversation, "facts", fault="customer")
    await one.tell("就这样办", the_button(cards(one.chat.events, offer), "就这样办"))
    assert [card["state"] for card in cards(one.chat.events, offer)] == ["open", "replaced"]
    assert scene.promised(offer) == []


# --- departures ---------------------------------------------------------------------------


async def test_a_departure_inside_the_limit_needs_a_reason(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    wishes = [*wishes_of(await lin.whole(one.conversation)), {"kind": "voucher", "fen": 2_000}]
    seen = (await lin.done(one.conversation, "preview", remedies=wishes)) | {"items": []}
    assert (seen["allowed"], seen["departs"], seen["needed"]) == (True, True, "agent")
    assert seen["worth_fen"] == seen["policy_fen"] + 2_000
    bare = await lin.act(one.conversation, "offers", id=key(), remedies=wishes)
    assert code(bare) == (400, "no_reason")
    blank = await lin.act(one.conversation, "offers", id=key(), remedies=wishes, reason="  ")
    assert code(blank) == (400, "no_reason")
    offer = await offered(lin, one, remedies=wishes, reason="等了很久，带着孩子")
    row = scene.decided(offer)
    assert (row["departure"], row["decided_by"]) == ("等了很久，带着孩子", lin.owner)
    assert row["floor_fen"] + row["goodwill_fen"] == seen["worth_fen"]
    [shown] = (await lin.whole(one.conversation))["case"]["offers"]
    assert shown["departure"] == "等了很久，带着孩子"
    assert "带着孩子" not in text_of(one.chat.frames), "reasons of staff are not for customers"
    [kept] = scene.acts(one.conversation, "offer")
    assert kept["detail"]["beyond_fen"] == 2_000


async def test_beyond_the_limit_is_refused_with_what_is_needed(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    wishes = wishes_of(await lin.whole(one.conversation))
    more = [*wishes, {"kind": "voucher", "fen": 2_001}]
    seen = await lin.done(one.conversation, "preview", remedies=more)
    assert (seen["allowed"], seen["needed"], seen["refused"]) == (False, "manager", None)
    answer = await lin.act(one.conversation, "offers", id=key(), remedies=more, reason="不止")
    assert code(answer) == (409, "beyond")
    assert "经理" in answer.json()["error"]["message"]
    far = [*wishes, {"kind": "voucher", "fen": 200_001}]
    nobody = await lin.done(one.conversation, "preview", remedies=far)
    assert nobody["refused"] is not None
    answer = await lin.act(one.conversation, "offers", id=key(), remedies=far, reason="太多")
    assert code(answer) == (400, "bad_remedy")
    async with scene.page("sun") as sun:
        await sun.done(one.conversation, "step_in")
        await offered(sun, one, remedies=more, reason="主管可以")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ([{"kind": "voucher", "fen": 1_000}], "below_floor"),
        ([ROOM, {"kind": "voucher", "fen": 1.5}], "bad_remedy"),
        ([ROOM, {"kind": "damages", "times": 3, "fen": 50_000}], "bad_remedy"),
        ([ROOM, {"kind": "refund_part", "fen": 68_801}], "bad_remedy"),
        ([ROOM, {"kind": "<script>alert(1)</script>"}], "bad_remedy"),
        ({"kind": "voucher"}, "bad_remedy"),
        ([], "bad_remedy"),
    ],
)
async def test_what_nobody_may_give_is_refused(
    scene: Scene,
    one: Guest,
    lin: Agent,
    wishes: object,
    said: str,
) -> None:
    answer = await lin.act(one.conversation, "offers", id=key(), remedies=wishes, reason="好")
    assert code(answer) == (400, said)
    seen = await lin.done(one.conversation, "preview", remedies=wishes)
    assert (seen["allowed"], bool(seen["refused"])) == (False, True)
    assert (await lin.whole(one.conversation))["case"]["offers"] == []


async def test_staff_may_add_to_what_was_accepted(scene: Scene, one: Guest, lin: Agent) -> None:
    await lin.done(one.conversation, "offers", id=key(), agreed=True)
    same = await lin.act(one.conversation, "offers", id=key())
    assert code(same) == (409, "no_advice"), "what the policy gives is given once"
    more = [{"kind": "voucher", "fen": 1_500}]
    offer = await offered(lin, one, remedies=more, reason="换的房间还是吵", agreed=True)
    assert scene.decided(offer)["goodwill_fen"] == 1_500
    again = await lin.act(one.conversation, "offers", id=key(), remedies=more, reason="再来一次")
    assert code(again) == (409, "beyond"), "what was given before counts"


# --- who and where ------------------------------------------------------------------------


async def test_only_the_owner_offers(scene: Scene, one: Guest, lin: Agent) -> None:
    for login in ("wu", "sun", "ma"):
        async with scene.page(login) as other:
            answer = await other.act(one.conversation, "offers", id=key())
            assert code(answer) == (409, "taken"), login
            assert code(await other.act(one.conversation, "preview")) == (409, "taken")
    async with scene.page("tang") as trainer:
        assert (await trainer.act(one.conversation, "offers", id=key())).status_code == 403
    async with scene.page("qing") as stranger:
        assert (await stranger.act(one.conversation, "offers", id=key())).status_code == 404
    await lin.done(one.conversation, "give_back", note="")
    assert code(await lin.act(one.conversation, "offers", id=key())) == (409, "not_owner")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 5},
        {"id": "short"},
        {"id": "x" * 16, "agreed": "yes"},
        {"id": "x" * 16, "reason": 5},
    ],
)
async def test_a_malformed_offer_is_refused(one: Guest, lin: Agent, body: dict[str, Any]) -> None:
    assert code(await lin.act(one.conversation, "offers", **body)) == (400, "bad_request")


async def test_in_public_and_without_an_order_nothing_is_offered(scene: Scene, lin: Agent) -> None:
    async with guest(scene.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        await lin.done(customer.conversation, "take")
        answer = await lin.act(customer.conversation, "offers", id=key())
        assert code(answer) == (409, "no_advice")
        assert "订单" in answer.json()["error"]["message"]
        await lin.done(customer.thread, "take")
        assert code(await lin.act(customer.thread, "offers", id=key())) == (409, "not_private")


async def test_staff_prove_an_order_and_say_what_it_is_about(scene: Scene, lin: Agent) -> None:
    order = an_order(scene.stack, "qinghe", items=("CUP-01", "TEA-01"))
    async with guest(scene.stack, "qinghe") as buyer:
        await buyer.post("东西坏了")
        await buyer.enter()
        chat = buyer.conversation
        await lin.done(chat, "take")
        wrong = await lin.done(chat, "order", order_number=order.number, phone_last4=order.wrong4)
        assert wrong == {"order": "not_matched"}
        assert (await lin.whole(chat))["case"]["order_number"] is None
        right = await lin.done(chat, "order", order_number=order.number, phone_last4=order.last4)
        assert right == {"order": "proved"}
        assert code(await lin.act(chat, "matter", failure="noise")) == (400, "bad_failure")
        vague = await lin.done(chat, "matter", failure="damaged")
        assert vague["no_advice"] in ("no_item", None)
        assert code(await lin.act(chat, "matter", item="NOTHING")) == (400, "bad_item")
        shown = await lin.whole(chat)
        assert shown["order"]["number"] == order.number
        sku = shown["order"]["items"][0]["sku"]
        placed = await lin.done(chat, "matter", item=sku)
        assert placed["advice"]["facts"]["failure"] == "damaged"


async def test_the_page_learns_what_it_may_offer(scene: Scene, one: Guest, lin: Agent) -> None:
    shown = await lin.whole(one.conversation)
    assert shown["case"]["may_offer"]["authority"] == "agent"
    assert shown["case"]["may_offer"]["departure_fen"] == 2_000
    assert {"voucher", "room_change", "free_meal"} <= {kind["kind"] for kind in shown["kinds"]}
    assert shown["order"]["paid_fen"] == 68_800
    async with scene.page("tang") as trainer:
        theirs = await trainer.whole(one.conversation)
        assert theirs["case"]["may_offer"]["authority"] is None
        assert theirs["order"]["number"] != shown["order"]["number"], "masked"


# --- budgets ------------------------------------------------------------------------------


async def test_past_the_budget_a_manager_decides(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    businesses = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))["businesses"]
    for business in businesses:
        business["goodwill_per_customer"] = 100
    folder = tmp_path_factory.mktemp("budget")
    with a_scene(folder, businesses=businesses) as scene:
        order = an_order(scene.stack)
        async with guest(scene.stack) as one, scene.page("lin") as lin, scene.page("ma") as ma:
            await complained(scene, one, order.number)
            await lin.done(one.conversation, "take")
            answer = await lin.act(one.conversation, "offers", id=key())
            assert code(answer) == (409, "beyond")
            assert "额度" in answer.json()["error"]["message"]
            await ma.done(one.conversation, "step_in")
            offer = await offered(ma, one)
            await one.tell("就这样办", the_button(cards(one.chat.events, offer), "就这样办"))
            assert scene.decided(offer)["state"] == "accepted", "who may pass it has"


# --- done by hand -------------------------------------------------------------------------


async def test_what_could_not_be_carried_out_is_done_by_hand_once(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    offer = await offered(lin, one, agreed=True)
    remedy = f"{offer}:0"
    await until(lambda: {row["state"] for row in scene.promised(offer)} == {"done"})
    path = f"/conversations/{one.conversation}/remedies/{remedy}/done"
    repeated = await call(lin, "POST", path, note="已经办了")
    assert repeated.json() == {"key": remedy, "state": "done", "repeated": True}
    with sqlite3.connect(scene.stack.data / "desk.sqlite3", timeout=20) as db:
        db.execute("UPDATE fulfilments SET state = 'failed' WHERE key = ?", (remedy,))
        db.execute("DELETE FROM outbox WHERE id = ?", (f"{remedy}.done",))
    db.close()
    assert code(await call(lin, "POST", path)) == (400, "no_note")
    before = len(one.chat.events)
    done = await call(lin, "POST", path, note="前台已经换好房")
    assert done.json() == {"key": remedy, "state": "done", "repeated": False}
    assert (await call(lin, "POST", path, note="再点一次")).json()["repeated"] is True
    await one.chat_up_to_date()
    [told] = one.chat.events[before:]
    assert (told["kind"], told["state"]) == ("progress", "done")
    assert "前台" not in text_of(told), "how it was done is for colleagues"
    assert len(scene.acts(one.conversation, "remedy_done")) == 1
    async with scene.page("wu") as wu:
        assert code(await call(wu, "POST", path, note="我来")) == (409, "not_owner")
