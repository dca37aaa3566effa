"""Pictures that staff send: the owner only, in private only, checked as those of customers."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from recovery.pictures import MOST_BYTES
from tests.desk.images import SVG, bomb, encoded, located
from tests.desk.people import Agent, Guest, guest
from tests.desk.staffed import Staffed, staffed_desk

DAILY = 4
PNG = encoded("PNG")


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    limits = {
        "burst": 60,
        "per_second": 30,
        "sessions_per_minute": 100_000,
        "pictures_per_conversation_and_day": DAILY,
    }
    with staffed_desk(tmp_path_factory.mktemp("pictures"), limits=limits) as desk:
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
    async with guest(desk.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        yield customer


async def send(
    agent: Agent, conversation: str, content: bytes = PNG, client_id: str | None = None
) -> httpx.Response:
    return await agent.http.post(
        f"/api/staff/conversations/{conversation}/pictures",
        params={"client_id": client_id or uuid.uuid4().hex},
        content=content,
    )


def on_disk(desk: Staffed) -> set[Path]:
    return set((desk.stack.data / "pictures").glob("*/*"))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_customer_sees_it_and_opens_a_harmless_copy(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    await lin.done(one.conversation, "take")
    answer = await send(lin, one.conversation, located())
    assert answer.status_code == 200, answer.text
    picture = answer.json()["picture"]
    await one.chat_up_to_date()
    event = one.chat.events[-1]
    assert (event["kind"], event["author"], event["name"]) == ("message", "staff", lin.name)
    assert event["picture"] == picture
    assert event["mine"] is False
    path = f"conversations/{one.conversation}/pictures/{picture['id']}"
    seen = await one.customer.http.get(f"/api/{path}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert b"Exif" not in seen.content
    assert seen.headers["x-content-type-options"] == "nosniff"
    shown = await lin.http.get(f"/api/staff/{path}")
    assert (shown.content, shown.headers["cache-control"]) == (seen.content, "no-store")
    async with guest(desk.stack) as other, desk.agent("wu") as wu:
        assert (await other.customer.http.get(f"/api/{path}")).status_code == 404
        assert (await wu.http.get(f"/api/staff/{path}")).status_code == 404, "masked for him"


async def test_the_same_picture_sent_again_is_one_message(lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    client_id = uuid.uuid4().hex
    answers = await asyncio.gather(
        *(send(lin, one.conversation, client_id=client_id) for _ in range(2))
    )
    assert sorted(answer.json()["repeated"] for answer in answers) == [False, True]
    assert len({answer.json()["picture"]["id"] for answer in answers}) == 1
    await one.chat_up_to_date()
    assert len([event for event in one.chat.events if event.get("picture")]) == 1


async def test_only_the_owner_sends_and_only_in_private(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    assert code(await send(lin, one.conversation)) == (409, "not_owner")
    await lin.done(one.conversation, "take")
    async with desk.agent("wu") as wu, desk.agent("qing") as qing, desk.agent("tao") as tao:
        assert code(await send(wu, one.conversation)) == (409, "taken")
        assert code(await send(qing, one.conversation)) == (404, "not_found")
        assert code(await send(tao, one.conversation)) == (403, "forbidden")
    await lin.done(one.thread, "take")
    assert code(await send(lin, one.thread)) == (409, "not_private")
    await one.chat_up_to_date()
    assert not [event for event in one.chat.events + one.room.events if event.get("picture")]


@pytest.mark.parametrize(
    ("content", "status", "name"),
    [
        (b"", 415, "bad_picture"),
        (b"hello", 415, "bad_picture"),
        (SVG, 415, "bad_picture"),
        (PNG[:-20], 415, "bad_picture"),
        (bomb(), 415, "bad_picture"),
        (PNG + b"\0" * MOST_BYTES, 413, "too_large"),
    ],
)
async def test_what_is_no_picture_is_refused(
    lin: Agent, one: Guest, content: bytes, status: int, name: str
) -> None:
    await lin.done(one.conversation, "take")
    assert code(await send(lin, one.conversation, content)) == (status, name)
    assert code(await send(lin, one.conversation, client_id="short")) == (400, "bad_request")


async def test_staff_do_not_use_up_the_pictures_of_the_customer(
    desk: Staffed, lin: Agent, one: Guest
) -> None:
    await lin.done(one.conversation, "take")
    for last in range(DAILY):
        assert (await send(lin, one.conversation, client_id=f"picture-{last}")).status_code == 200
    again = await send(lin, one.conversation, client_id=f"picture-{last}")
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    lying = on_disk(desk)
    assert code(await send(lin, one.conversation, encoded("JPEG"))) == (429, "too_many")
    assert on_disk(desk) == lying, "what is refused is not kept"
    answer = await one.customer.http.post(
        f"/api/conversations/{one.conversation}/pictures",
        params={"client_id": uuid.uuid4().hex},
        content=PNG,
    )
    assert answer.status_code == 200, answer.text


async def test_a_picture_is_an_answer(lin: Agent, one: Guest) -> None:
    await lin.done(one.conversation, "take")
    assert (await lin.row(one.conversation))[1]["awaiting_since"] is not None
    await send(lin, one.conversation)
    row = (await lin.row(one.conversation))[1]
    assert row["awaiting_since"] is None
    assert row["last"] == "[图片]"
