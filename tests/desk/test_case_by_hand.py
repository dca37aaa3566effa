"""A complaint that came by phone or on the street: the same case, policy, clocks and remedies."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from recovery.store.tables import cases, inbox
from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.people import Agent, guest, until
from tests.desk.scripted_rasa import CALM, Body, opens_a_case, says
from tests.desk.staff_scene import Scene, a_scene, call, code, text_of
from tests.support.customer import Frame

SAID = "订的大床房给成了双床，前台说没房，气死我了"


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with a_scene(tmp_path_factory.mktemp("by-hand")) as scene:
        yield scene


@pytest.fixture
def scene(scenery: Scene) -> Scene:
    scenery.rasa.again()
    return scenery


@pytest_asyncio.fixture
async def lin(scene: Scene) -> AsyncIterator[Agent]:
    async with scene.page("lin") as agent:
        yield agent


def a_case(**more: object) -> dict[str, object]:
    return {
        "id": secrets.token_hex(8),
        "business": "lanting",
        "channel": "phone",
        "name": "周先生",
        "text": SAID,
        **more,
    }


def proved_by(order: AnOrder) -> dict[str, object]:
    return {"order_number": order.number, "phone_last4": order.last4, "failure": "wrong_room"}


async def begun(agent: Agent, **more: object) -> str:
    answer = await call(agent, "POST", "/cases", **a_case(**more))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["conversation"])


async def heard_by_rasa(scene: Scene, text: str) -> Body:
    def found() -> Body | None:
        calls = scene.rasa.messages("/desk/overheard")
        return next((body for body in calls if body["text"] == text), None)

    body: Body = await until(found)
    return body


def customer_words(shown: Frame) -> list[Frame]:
    return [event for event in shown["private"] if event.get("author") == "customer"]


async def test_a_complaint_by_phone_is_a_case_of_its_own(scene: Scene, lin: Agent) -> None:
    order = an_order(scene.stack)
    made = await call(lin, "POST", "/cases", **a_case(**proved_by(order), phone="199 0000 1234"))
    conversation, proof = made.json()["conversation"], made.json()["order"]
    assert proof == "proved"
    shown = await lin.whole(conversation)
    row = shown["conversation"]
    assert (row["owner"], row["channel"], row["customer"]) == (lin.owner, "phone", "周先生")
    assert (row["visibility"], row["awaiting_since"]) == ("private", None)
    assert shown["case"]["facts"]["failure"] == "wrong_room"
    assert shown["case"]["order_number"] == order.number
    assert shown["order"]["number"] == order.number
    [words] = customer_words(shown)
    assert (words["text"], words["via"], words["name"]) == (SAID, "phone", "周先生")
    assert [note["text"] for note in shown["notes"]] == ["回电号码：199 0000 1234"]
    assert {clock["kind"]: clock["state"] for clock in shown["clocks"]}["resolution"] == "active"
    assert shown["case"]["advice"]["facts"]["failure"] == "wrong_room"
    offer = await lin.done(conversation, "offers", id=secrets.token_hex(8), agreed=True)
    assert scene.decided(offer["offer"])["channel"] == "phone"
    most = len(scene.promised(offer["offer"]))
    await until(lambda: len(effects(scene.stack, order.number)) == most)
    [kept] = scene.acts(conversation, "enter_case")
    assert kept["detail"] == {"channel": "phone", "failure": "wrong_room", "order": "proved"}


async def test_anger_on_the_phone_is_measured_like_any_other(scene: Scene, lin: Agent) -> None:
    def furious(path: str, body: Body) -> Body:
        if path != "/desk/overheard":
            return opens_a_case(path, body)
        return {
            "understood": {**says()["understood"], "emotion": {**CALM, "anger": 3}},
            "repeated": False,
        }

    scene.rasa.script = furious
    text = f"{SAID}{secrets.token_hex(3)}"
    conversation = await begun(lin, text=text)
    body = await heard_by_rasa(scene, text)
    assert body["metadata"]["channel"] == "phone"

    def stored() -> list[dict[str, Any]]:
        found = scene.rows(inbox, inbox.c.conversation_id == conversation)
        return [row for row in found if row["state"] == "done"]

    await until(stored)
    shown = await lin.whole(conversation)
    assert shown["case"]["anger"]["peak"] == 3
    assert shown["conversation"]["owner"] == lin.owner
    assert scene.rasa.messages() == [], "the bot says nothing"


async def test_what_is_heard_later_is_added_once(scene: Scene, lin: Agent) -> None:
    conversation = await begun(lin)
    name = secrets.token_hex(8)
    first = await lin.done(conversation, "heard", id=name, text="还要改到后天")
    again = await lin.done(conversation, "heard", id=name, text="还要改到后天")
    assert (first["id"], first["repeated"], again["repeated"]) == (again["id"], False, True)
    said = customer_words(await lin.whole(conversation))
    assert [event["text"] for event in said] == [SAID, "还要改到后天"]
    assert {(event["via"], event["by"]) for event in said} == {("phone", lin.name)}
    await heard_by_rasa(scene, "还要改到后天")
    async with scene.page("wu") as wu:
        answer = await wu.act(conversation, "heard", id=secrets.token_hex(8), text="x")
        assert code(answer) == (409, "taken")


async def test_what_staff_have_said_already_is_written_down_without_a_word(
    scene: Scene, lin: Agent
) -> None:
    blame = "是您自己没看清说明！！"
    conversation = await begun(lin)
    await lin.done(conversation, "answer", id=secrets.token_hex(8), text=blame)
    said = [event for event in (await lin.whole(conversation))["private"] if event.get("author")]
    assert said[-1]["text"] == blame
    async with guest(scene.stack) as one:
        await one.post("房间没打扫")
        await one.enter()
        await lin.done(one.conversation, "take")
        answer = await lin.act(one.conversation, "answer", id=secrets.token_hex(8), text=blame)
        assert code(answer) == (409, "warned"), "who reads it here has not read it yet"


async def test_nobody_speaks_for_a_customer_who_has_a_page(scene: Scene, lin: Agent) -> None:
    async with guest(scene.stack) as one:
        await one.post("房间没打扫")
        await one.enter()
        await lin.done(one.conversation, "take")
        answer = await lin.act(one.conversation, "heard", id=secrets.token_hex(8), text="我不要了")
        assert code(answer) == (409, "not_by_hand")


async def test_the_same_case_sent_again_or_at_once_is_one(scene: Scene, lin: Agent) -> None:
    content = a_case()
    answers = await asyncio.gather(*(call(lin, "POST", "/cases", **content) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["conversation"] for answer in answers}) == 1
    late = await call(lin, "POST", "/cases", **content)
    assert late.json()["conversation"] == answers[0].json()["conversation"]
    shown = await lin.whole(late.json()["conversation"])
    assert len(customer_words(shown)) == 1
    async with scene.page("wu") as wu:
        other = await call(wu, "POST", "/cases", **content)
        assert other.json()["conversation"] != late.json()["conversation"], "another's is another"


async def test_an_order_that_does_not_match_proves_nothing(scene: Scene, lin: Agent) -> None:
    order = an_order(scene.stack)
    made = await call(
        lin,
        "POST",
        "/cases",
        **a_case(**{**proved_by(order), "phone_last4": order.wrong4}),
    )
    assert made.json()["order"] == "not_matched"
    chat = made.json()["conversation"]
    shown = await lin.whole(chat)
    assert (shown["case"]["order_number"], shown["order"]) == (None, None)
    assert shown["case"]["no_advice"] == "no_order"
    assert order.title not in text_of(shown), "of an order that is not proved nothing is shown"
    again = await lin.done(chat, "order", order_number=order.number, phone_last4=order.last4)
    assert again == {"order": "proved"}
    assert (await lin.whole(chat))["case"]["advice"] is not None


async def test_a_matter_of_no_known_kind_keeps_safe_words_only(scene: Scene, lin: Agent) -> None:
    conversation = await begun(lin, text="电视没有信号，我电话19900001234，你们经理是骗子")
    [row] = [
        found
        for found in scene.rows(cases)
        if found["id"] == (await lin.whole(conversation))["case"]["id"]
    ]
    assert row["state"]["facts"]["failure"] == "unknown"
    assert "1990000" not in text_of(row["state"])
    assert "骗子" not in text_of(row["state"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"id": "short"}, 400),
        ({"business": "nowhere"}, 404),
        ({"business": None}, 404),
        ({"business": ["lanting"]}, 404),
        ({"channel": "web"}, 400),
        ({"channel": ["phone"]}, 400),
        ({"name": ""}, 400),
        ({"name": 5}, 400),
        ({"name": "长" * 41}, 400),
        ({"text": ""}, 400),
        ({"text": None}, 400),
        ({"text": "长" * 2001}, 400),
        ({"failure": "late"}, 400),
        ({"failure": ["noise"]}, 400),
        ({"order_number": "LT1", "phone_last4": "12"}, 400),
        ({"order_number": "..", "phone_last4": "1234"}, 400),
        ({"order_number": 5, "phone_last4": "1234"}, 400),
        ({"phone": "call me"}, 400),
    ],
)
async def test_what_is_no_case_is_refused(
    scene: Scene, lin: Agent, more: dict[str, Any], status: int
) -> None:
    before = len(scene.rows(cases))
    answer = await call(lin, "POST", "/cases", **a_case(**more))
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert len(scene.rows(cases)) == before


async def test_who_may_enter_a_case_and_for_whom(scene: Scene, lin: Agent) -> None:
    async with scene.page("tang") as trainer, scene.page("qing") as stranger:
        assert (await call(trainer, "POST", "/cases", **a_case())).status_code == 403
        assert (await call(stranger, "POST", "/cases", **a_case())).status_code == 404
        conversation = await begun(lin)
        assert (await stranger.act(conversation, "heard", id="x" * 16, text="x")).status_code == 404
        answer = await stranger.http.get("/api/staff/failures?business=lanting")
        assert answer.status_code == 404
    answer = await lin.http.get("/api/staff/failures?business=lanting")
    names = {one["name"]: one["label"] for one in answer.json()["failures"]}
    assert names["room_not_clean"] == "房间没有打扫干净"
    assert "late" not in names, "of this trade only"


async def test_hostile_words_stay_words(scene: Scene, lin: Agent) -> None:
    name = "<img src=x onerror=alert(1)>"
    conversation = await begun(lin, name=name, text="/restart <script>alert(1)</script>\u202e")
    shown = await lin.whole(conversation)
    assert shown["customer"]["name"] == name
    [words] = customer_words(shown)
    assert words["text"] == "restart <script>alert(1)</script>", "no command of Rasa's, no bidi"
