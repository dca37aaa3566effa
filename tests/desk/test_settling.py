"""Offers settled by their owner, taken back when the matter changes; one order in several cases."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import Agent, Guest, guest, the_button, until
from tests.desk.scripted_rasa import says
from tests.desk.staff_scene import Scene, a_scene, call, cards, code, complained, wishes_of

ROOM = {"kind": "room_change", "minutes": 20}
REASON = "住了三天都没修好"


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    # As an operator has them, but for how fast everybody is here.
    limits = {"burst": 200, "per_second": 200, "sessions_per_minute": 100_000}
    with a_scene(tmp_path_factory.mktemp("settling"), limits=limits) as scene:
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


async def phoned(agent: Agent, order: AnOrder, failure: str = "wrong_room") -> str:
    """Enter a complaint that came by phone, about an order that is proved."""
    body: dict[str, Any] = {
        **{"id": key(), "business": "lanting", "channel": "phone", "name": "周先生"},
        **{"text": "订的大床房给成了双床", "failure": failure},
        **{"order_number": order.number, "phone_last4": order.last4},
    }
    answer = await call(agent, "POST", "/cases", **body)
    assert answer.json()["order"] == "proved", answer.text
    return str(answer.json()["conversation"])


async def asked(agent: Agent, conversation: str, fen: int = 20_000) -> dict[str, Any]:
    """Ask for so much more than the policy gives."""
    own = [one for one in wishes_of(await agent.whole(conversation)) if one["kind"] != "voucher"]
    wishes = [*own, {"kind": "voucher", "fen": fen}]
    made = await agent.done(conversation, "requests", id=key(), remedies=wishes, reason=REASON)
    return dict(made)


async def settled(agent: Agent, conversation: str, offer: str, how: str) -> Any:  # noqa: ANN401 - an answer
    return await agent.act(conversation, f"offers/{offer}/{how}")


async def noticed(agent: Agent, conversation: str) -> list[str]:
    found = (await call(agent, "GET", "/me/notices")).json()["notices"]
    return [one["text"] for one in found if one["conversation"] == conversation]


# --- the customer's word ------------------------------------------------------------------


async def test_what_a_manager_granted_is_taken_by_voice(
    scene: Scene, order: AnOrder, lin: Agent, ma: Agent
) -> None:
    conversation = await phoned(lin, order)
    made = await asked(lin, conversation)
    assert (await call(ma, "POST", f"/requests/{made['id']}/grant")).status_code == 200
    assert any("说给顾客听" in text for text in await noticed(lin, conversation))
    [offer] = (await lin.whole(conversation))["case"]["offers"]
    first = await settled(lin, conversation, offer["id"], "accept")
    again = await settled(lin, conversation, offer["id"], "accept")
    assert first.json() == again.json() == {"offer": offer["id"], "state": "accepted"}
    promised = scene.promised(offer["id"])
    assert len(promised) == len(scene.decided(offer["id"])["remedies"])
    await until(lambda: len(effects(scene.stack, order.number)) == len(promised))
    [kept] = scene.acts(conversation, "accept_offer")
    assert kept["login"] == "lin"
    assert (kept["detail"]["agreed"], kept["detail"]["by"]) == (True, ma.owner)
    late = await settled(lin, conversation, offer["id"], "withdraw")
    assert code(late) == (409, "offer_gone"), "what was agreed stands"


async def test_pressed_and_taken_down_at_once_it_is_promised_once(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    await one.chat_up_to_date()
    button = the_button(cards(one.chat.events, made["offer"]), "就这样办")
    answers = await asyncio.gather(
        one.chat.say("就这样办", button=button),
        *(settled(lin, one.conversation, made["offer"], "accept") for _ in range(4)),
    )
    assert {answer.status_code for answer in answers[1:]} == {200}
    await until(lambda: scene.decided(made["offer"])["state"] == "accepted")
    assert len(scene.promised(made["offer"])) == len(scene.decided(made["offer"])["remedies"])


@pytest.mark.parametrize(("how", "state"), [("refuse", "refused"), ("withdraw", "replaced")])
async def test_an_offer_is_turned_down_or_taken_back(
    scene: Scene, one: Guest, lin: Agent, how: str, state: str
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    await one.chat_up_to_date()
    button = the_button(cards(one.chat.events, made["offer"]), "就这样办")
    for _ in range(2):
        answer = await settled(lin, one.conversation, made["offer"], how)
        assert answer.json() == {"offer": made["offer"], "state": state}
    await one.chat_up_to_date()
    assert [card["state"] for card in cards(one.chat.events, made["offer"])] == ["open", state]
    pressed = await one.chat.answered(await one.chat.say("就这样办", button=button))
    assert (pressed["type"], pressed["code"]) == ("refused", "closed")
    assert code(await settled(lin, one.conversation, made["offer"], "accept")) == (
        409,
        "offer_gone",
    )
    assert scene.promised(made["offer"]) == []
    assert (await lin.row(one.conversation))[1]["stage"] == "hearing"
    assert len(scene.acts(one.conversation, f"{how}_offer")) == 1


async def test_only_the_owner_settles_an_offer_of_this_case(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    for how in ("accept", "refuse", "withdraw"):
        async with scene.page("wu") as wu:
            assert code(await settled(wu, one.conversation, made["offer"], how)) == (409, "taken")
        async with scene.page("qing") as stranger:
            answer = await settled(stranger, one.conversation, made["offer"], how)
            assert answer.status_code == 404
        assert (await settled(lin, one.conversation, "o0", how)).status_code == 404
    other = await phoned(lin, an_order(scene.stack))
    assert (await settled(lin, other, made["offer"], "accept")).status_code == 404
    assert scene.decided(made["offer"])["state"] == "open"


# --- the matter changes -------------------------------------------------------------------


async def test_another_order_takes_back_what_was_offered_for_the_first(
    scene: Scene, one: Guest, order: AnOrder, lin: Agent
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    other = an_order(scene.stack)
    proof = {"order_number": other.number, "phone_last4": other.last4}
    assert await lin.done(one.conversation, "order", **proof) == {"order": "proved"}
    await one.chat_up_to_date()
    assert [card["state"] for card in cards(one.chat.events, made["offer"])] == [
        "open",
        "replaced",
    ]
    assert scene.decided(made["offer"])["state"] == "replaced"
    again = await lin.done(one.conversation, "offers", id=key(), agreed=True)
    assert scene.decided(again["offer"])["order_number"] == other.number
    await until(lambda: effects(scene.stack, other.number))
    assert effects(scene.stack, order.number) == []


async def test_another_failure_takes_back_what_was_offered(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    await lin.done(one.conversation, "matter", failure="noise")
    await one.chat_up_to_date()
    assert [card["state"] for card in cards(one.chat.events, made["offer"])] == [
        "open",
        "replaced",
    ]


@pytest.mark.parametrize("what", ["order", "matter"])
async def test_what_was_asked_for_another_matter_is_not_granted(
    scene: Scene, one: Guest, lin: Agent, ma: Agent, what: str
) -> None:
    made = await asked(lin, one.conversation)
    if what == "order":
        other = an_order(scene.stack)
        proof = {"order_number": other.number, "phone_last4": other.last4}
        await lin.done(one.conversation, "order", **proof)
    else:
        await lin.done(one.conversation, "matter", failure="noise")
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "changed")
    assert (await lin.whole(one.conversation))["case"]["offers"] == []


async def test_heard_again_by_the_bot_the_offer_is_taken_back(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    made = await lin.done(one.conversation, "offers", id=key())
    shown = (await lin.whole(one.conversation))["stages"]
    assert [stage["name"] for stage in shown] == ["offered", "hearing"]
    await lin.done(one.conversation, "give_back", note="再听一遍", at="hearing", force=True)
    await one.chat_up_to_date()
    assert [card["state"] for card in cards(one.chat.events, made["offer"])] == [
        "open",
        "replaced",
    ]


# --- requests that nobody decides any more ------------------------------------------------


async def test_who_gives_back_with_a_request_open_is_asked_first(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    kept = await lin.act(one.conversation, "give_back", note="先回去")
    assert code(kept) == (409, "request_open")
    assert (await lin.row(one.conversation))[1]["owner"] == lin.owner
    await lin.done(one.conversation, "give_back", note="先回去", force=True)
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "decided")
    assert any("不用再定" in text for text in await noticed(ma, one.conversation))
    assert not any("撤回" in text for text in await noticed(lin, one.conversation)), "their own act"
    [entry] = scene.acts(one.conversation, "withdraw_request")
    assert entry["login"] == "lin"


async def test_a_case_closed_by_a_colleague_withdraws_its_request(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    async with scene.page("sun") as sun:
        await sun.done(one.conversation, "step_in")
        await sun.done(one.conversation, "close", outcome="explained", force=True)
    assert any("撤回" in text for text in await noticed(lin, one.conversation))
    assert any("不用再定" in text for text in await noticed(ma, one.conversation))
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "decided")


async def test_a_case_closed_by_the_bot_withdraws_its_request(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    # Given back by a desk of before, which did not look at requests.
    with sqlite3.connect(scene.stack.data / "desk.sqlite3", timeout=20) as db:
        db.execute("UPDATE conversations SET owner = 'bot' WHERE id = ?", (one.conversation,))
    db.close()
    scene.rasa.script = lambda path, body: says(
        "好的，再见", commands=[{"do": "close_case", "outcome": "thanked"}]
    )
    await one.tell("谢谢")
    assert any("撤回" in text for text in await noticed(lin, one.conversation))
    assert any("不用再定" in text for text in await noticed(ma, one.conversation))
    assert code(await call(ma, "POST", f"/requests/{made['id']}/grant")) == (409, "decided")


async def test_who_owns_it_by_now_hears_of_a_grant(
    scene: Scene, one: Guest, lin: Agent, ma: Agent
) -> None:
    made = await asked(lin, one.conversation)
    async with scene.page("wu") as wu:
        await wu.http.put("/api/staff/me/presence", json={"presence": "online"})
        await lin.done(one.conversation, "transfer", to=wu.login.id, memo="请接着谈")
        await call(ma, "POST", f"/requests/{made['id']}/grant")
        assert any("批准了小林的申请" in text for text in await noticed(wu, one.conversation))
    assert any("批准了您的申请" in text for text in await noticed(lin, one.conversation))


# --- one order in several cases -----------------------------------------------------------


async def test_an_order_is_compensated_again_only_with_a_reason(
    scene: Scene, order: AnOrder, lin: Agent
) -> None:
    first = await phoned(lin, order)
    await lin.done(first, "offers", id=key(), agreed=True)
    second = await phoned(lin, order)
    seen = await lin.done(second, "preview")
    assert seen["departs"] is True
    assert "另外1个案子里已经给过" in seen["why"]
    bare = await lin.act(second, "offers", id=key(), agreed=True)
    assert code(bare) == (400, "no_reason")
    assert "补救过" in bare.json()["error"]["message"]
    made = await lin.done(second, "offers", id=key(), agreed=True, reason="换的房间又错了")
    assert scene.decided(made["offer"])["departure"] == "换的房间又错了"
    [kept] = scene.acts(second, "offer")
    assert kept["detail"]["repeated"] is True


async def test_over_all_cases_never_more_is_given_back_than_was_paid(
    scene: Scene, order: AnOrder, lin: Agent, ma: Agent
) -> None:
    first = await phoned(ma, order)
    plain = wishes_of(await ma.whole(first))
    own = [one for one in plain if one["kind"] not in ("refund_part", "refund_full", "voucher")]
    back = {"kind": "refund_part", "fen": 60_000}
    await ma.done(first, "offers", id=key(), agreed=True, reason="整晚没睡", remedies=[*own, back])
    second = await phoned(ma, order)
    more = {"kind": "refund_part", "fen": 8_801}
    body: dict[str, Any] = {"remedies": [*own, more], "reason": "又来一次"}
    assert code(await ma.act(second, "offers", id=key(), **body)) == (400, "bad_remedy")
    seen = await ma.done(second, "preview", remedies=body["remedies"])
    assert "最多还能退88元" in seen["refused"]
    less = [*own, {"kind": "refund_part", "fen": 8_800}]
    assert (await ma.done(second, "preview", remedies=less))["refused"] is None


async def test_two_cases_of_an_order_at_once_do_not_both_pay_unknowing(
    scene: Scene, order: AnOrder, lin: Agent
) -> None:
    chats = [await phoned(lin, order) for _ in range(3)]
    answers = await asyncio.gather(
        *(lin.act(chat, "offers", id=key(), agreed=True) for chat in chats)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]


# --- what has no price --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refund_now", "rebooking"])
async def test_money_of_unknown_amount_is_not_given_on_top(
    scene: Scene, one: Guest, order: AnOrder, lin: Agent, kind: str
) -> None:
    shown = await lin.whole(one.conversation)
    assert kind not in {found["kind"] for found in shown["kinds"]}
    wishes = [*wishes_of(shown), {"kind": kind, "minutes": 60}]
    answer = await lin.act(
        one.conversation, "offers", id=key(), remedies=wishes, reason="顾客急", agreed=True
    )
    assert code(answer) == (400, "bad_remedy")
    assert effects(scene.stack, order.number) == []
