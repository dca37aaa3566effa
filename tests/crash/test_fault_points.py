"""Every fault point, each with a process that dies there by SIGKILL and comes back."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from tests.crash.lasting import LastingCustomer
from tests.crash.scene import ROOM, Member, Road, Scene, progress
from tests.support.stack import ROOT, Stack, wait_until

# Points on the road of a message that do not need Rasa to be loaded again.
MESSAGE = [
    ("message-received", "desk"),
    ("message-stored", "desk"),
    ("message-acked", "desk"),
    ("action-called", "actions"),
    ("action-decided", "actions"),
    ("rasa-answered", "desk"),
    ("turn-committed", "desk"),
    ("event-sent", "desk"),
]
RASA = [("rasa-received", "rasa"), ("rasa-taken", "rasa"), ("rasa-saved", "rasa")]
ARRIVAL = ["session-begun", "thread-begun"]
ENTERING = ["entered-stored"]
RENEWAL = ["invitation-renewed"]
REMEDY = [
    "fulfilment-taken",
    "orders-before",
    "orders-after",
    "fulfilment-carried-out",
    "fulfilment-settled",
]
REFUSAL = ["fulfilment-refused", "refusal-settled"]
POSTPONED = ["fulfilment-postponed"]
TAKING = ["staff-took"]
ANSWERING = [
    ("staff-answered", "desk"),
    ("rasa-remembering", "rasa"),
    ("rasa-remembered", "rasa"),
]
GIVING_BACK = ["staff-gave-back"]
OVERHEARING = [
    ("overheard", "desk"),
    ("turn-committed", "desk"),
    ("rasa-overhearing", "rasa"),
    ("rasa-overheard", "rasa"),
]
PATIENCE = ["holding-committed", "patience-over", "turn-committed"]

PASSWORD = "正确的马和电池和订书钉"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Scene]:
    """All three processes; Rasa stays up unless it is the victim."""
    # Nothing may end in the queue only because a process is started again.
    stack = Stack(tmp_path_factory.mktemp("whole"), give_up_seconds=900)
    stack.add_staff("li", "李娜", PASSWORD)
    scene = Scene(stack)
    try:
        scene.start("desk", "actions", "rasa")
        stack.wait_ready()
        yield scene
    finally:
        stack.stop()


@pytest.fixture
def scene(whole: Scene) -> Iterator[Scene]:
    yield whole
    whole.disarm()


@pytest.fixture
async def road(scene: Scene) -> AsyncIterator[Road]:
    async with scene.road() as road:
        yield road


@pytest.mark.parametrize("point", ARRIVAL)
async def test_arrival(scene: Scene, road: Road, point: str) -> None:
    scene.arm(point)
    arriving = asyncio.create_task(road.arrive())
    await scene.survive("desk")
    await arriving
    await road.answered_once(await road.complain())
    threads = "SELECT count(*) FROM conversations WHERE id = ?"
    own = next(stream for stream in road.room.last if stream.startswith("own:"))
    assert scene.ledger.count("desk", threads, own.removeprefix("own:")) == 1
    await road.close_books()


@pytest.mark.parametrize(("point", "victim"), MESSAGE)
async def test_public_message(scene: Scene, road: Road, point: str, victim: str) -> None:
    await road.arrive()
    scene.arm(point)
    complaint = await road.complain()
    await scene.survive(victim)
    await road.answered_once(complaint)
    repeated = await road.room.acked(complaint)
    if point == "message-received":
        # Nothing was stored, so the page's second try is the first that counts.
        assert repeated[0] is False
    elif point == "message-stored":
        assert repeated[0] is True
    assert len([e for e in road.room.events.values() if e["kind"] == "invitation"]) == 1
    await road.close_books()


@pytest.mark.parametrize(("point", "victim"), MESSAGE + RASA)
async def test_acceptance(scene: Scene, road: Road, point: str, victim: str) -> None:
    await road.come_to_offer()
    scene.arm(point)
    accepting = await road.accept()
    await scene.survive(victim)
    await road.answered_once(accepting)
    await road.remedied()
    if victim == "rasa":
        message = road.chat.ids[accepting]
        heard = "SELECT count(*) FROM events WHERE type_name = 'user' AND data LIKE ?"
        assert scene.ledger.count("rasa", heard, f'%"{message}"%') == 1
    await road.close_books()


@pytest.mark.parametrize("point", ENTERING)
async def test_entering(scene: Scene, road: Road, point: str) -> None:
    await road.arrive()
    await road.complain()
    await road.room.event(kind="invitation")
    scene.arm(point)
    entering = asyncio.create_task(road.enter())
    await scene.survive("desk")
    await entering
    await road.chat.event(kind="message", author="bot")
    await road.close_books()
    private = "SELECT count(*) FROM conversations WHERE kind = 'private' AND id = ?"
    assert scene.ledger.count("desk", private, road.conversation) == 1
    greetings = [e["id"] for e in road.chat.events.values() if e["id"].endswith(".r0")]
    assert len(greetings) == 1
    assert len([e for e in road.chat.events.values() if e["kind"] == "owner"]) == 1


@pytest.mark.parametrize("point", RENEWAL)
async def test_renewal(scene: Scene, road: Road, point: str) -> None:
    await road.arrive()
    await road.complain()
    token = (await road.room.event(kind="invitation"))["token"]
    with closing(sqlite3.connect(scene.stack.data / "desk.sqlite3", timeout=30)) as db, db:
        db.execute("UPDATE invitations SET expires_at = created_at")
    scene.arm(point)
    asking = asyncio.create_task(
        road.customer.request("POST", f"/api/invitations/{token}/renew", json={})
    )
    await scene.survive("desk")
    fresh = (await asking).json()["token"]
    assert fresh != token
    chat = await road.customer.enter(fresh)
    await chat.event(kind="message", author="bot")
    # The one whose answer was lost leads nowhere else.
    private = (
        "SELECT count(*) FROM conversations WHERE kind = 'private' AND customer_id ="
        " (SELECT customer_id FROM conversations WHERE id = ?)"
    )
    assert scene.ledger.count("desk", private, chat.conversation) == 1
    await road.close_books()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", REMEDY)
async def test_remedy(scene: Scene, road: Road, point: str, nth: int) -> None:
    await road.come_to_offer()
    scene.arm(point, nth)
    accepting = await road.accept()
    await scene.survive("desk")
    await road.remedied()
    await road.answered_once(accepting)
    await road.close_books()


@pytest.mark.parametrize("point", REFUSAL)
async def test_refused_remedy(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    with closing(sqlite3.connect(scene.stack.data / "orders.sqlite3", timeout=30)) as db, db:
        db.execute("DELETE FROM orders WHERE number = ?", (road.order,))
    scene.arm(point)
    accepting = await road.accept()
    await scene.survive("desk")
    await road.answered_once(accepting)
    await road.chat.until(lambda page: len(progress(page)) == 2, "news of both remedies")
    await road.close_books()
    assert [event["state"] for event in progress(road.chat)] == ["late", "late"]
    assert scene.ledger.effects(road.order) == []
    owner = "SELECT count(*) FROM conversations WHERE id = ? AND owner = 'queue'"
    assert scene.ledger.count("desk", owner, road.conversation) == 1


@pytest.mark.parametrize("point", POSTPONED)
async def test_order_system_away(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    scene.arm(point)
    file = scene.stack.data / "orders.sqlite3"
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
        # Reading goes on, writing does not: the desk's patience with it is ten seconds.
        db.execute("BEGIN IMMEDIATE")
        accepting = await road.accept()
        await asyncio.to_thread(scene.stack.wait_dead, "desk")
        db.execute("ROLLBACK")
    await scene.survive("desk")
    await road.answered_once(accepting)
    await road.remedied()
    await road.close_books()


@asynccontextmanager
async def member(scene: Scene) -> AsyncIterator[Member]:
    """A member of staff who has logged in."""
    async with Member(scene.stack.url) as staff:
        await staff.log_in("li", PASSWORD)
        yield staff


@pytest.mark.parametrize("point", TAKING)
async def test_taking(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        scene.arm(point)
        taking = asyncio.create_task(staff.change(road.conversation, "take"))
        await scene.survive("desk")
        assert (await taking)[0] == 200
    await road.chat.event(kind="owner", owner="staff")
    await road.close_books()
    persons = [e for e in road.chat.events.values() if e.get("owner") == "staff"]
    assert len(persons) == 1


@pytest.mark.parametrize(("point", "victim"), ANSWERING)
async def test_staff_answer(scene: Scene, road: Road, point: str, victim: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        await staff.change(road.conversation, "take")
        scene.arm(point)
        words = {"id": "staff-0001", "text": "我来帮您看"}
        answering = asyncio.create_task(staff.change(road.conversation, "answer", **words))
        await scene.survive(victim)
        status, content = await answering
        assert (status, content["repeated"]) == (200, victim == "desk")
        # Said again it is not shown again, but the bot hears of it if it has not yet.
        status, again = await staff.change(road.conversation, "answer", **words)
        assert (status, again) == (200, {"id": content["id"], "repeated": True})
        spoken = "SELECT count(*) FROM events WHERE type_name = 'bot' AND data LIKE ?"
        like = f'%"message_id": "{content["id"]}"%'
        await asyncio.to_thread(
            wait_until, lambda: scene.ledger.count("rasa", spoken, like) == 1, "the bot to hear"
        )
        shown = (await staff.look(road.conversation))["private"]
        assert [event["id"] for event in shown].count(content["id"]) == 1
    await road.chat.event(author="staff", text=words["text"])
    await road.close_books()
    assert scene.ledger.count("rasa", spoken, like) == 1


@pytest.mark.parametrize("point", GIVING_BACK)
async def test_giving_back(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        await staff.change(road.conversation, "take")
        scene.arm(point)
        giving = asyncio.create_task(staff.change(road.conversation, "give_back", note="已问过"))
        await scene.survive("desk")
        # It was given back before the crash; sent again it is not this member's to give.
        assert (await giving)[0] == 409
        assert (await staff.look(road.conversation))["conversation"]["owner"] == "bot"
    await road.answered_once(await road.accept())
    await road.remedied()
    await road.close_books()


@pytest.mark.parametrize(("point", "victim"), OVERHEARING)
async def test_overheard_message(scene: Scene, road: Road, point: str, victim: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        await staff.change(road.conversation, "take")
        await road.chat.event(kind="owner", owner="staff")
        scene.arm(point)
        message = await road.say(road.chat, "还要我等多久")
        await scene.survive(victim)
        await road.chat.acked(message)
        await scene.ledger.rest()
        # A person answers it, nobody else.
        assert road.chat.spoken(message) == []
        shown = (await staff.look(road.conversation))["private"]
        assert [event["id"] for event in shown].count(road.chat.ids[message]) == 1
        await staff.change(road.conversation, "give_back", note="")
    await road.answered_once(await road.accept())
    await road.remedied()
    await road.close_books()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A desk without Rasa, which soon asks for patience and soon gives up."""
    stack = Stack(
        tmp_path_factory.mktemp("alone"),
        holding_seconds=0.3,
        give_up_seconds=1.5,
        rasa_seconds=0.5,
    )
    scene = Scene(stack)
    try:
        scene.start("desk")
        yield scene
    finally:
        stack.stop()


@pytest.mark.parametrize("point", PATIENCE)
async def test_patience(alone: Scene, point: str) -> None:
    async with LastingCustomer(alone.stack.url) as customer:
        try:
            await customer.begin("qinghe", "小赵")
            page = await customer.room(ROOM)
            await page.until(lambda page: page.connected, "connection")
            alone.arm(point)
            message = await page.say("太失望了")
            await alone.survive("desk")
            sentences = await page.answered(message)
            await alone.ledger.rest()
        finally:
            alone.disarm()
        assert [event["author"] for event in sentences] == ["system"]
        held = [event for event in page.answers[page.ids[message]] if event["id"].endswith(".hold")]
        assert len(held) == 1
        totals = alone.ledger.check()
        assert totals.replies == totals.messages
        queued = "SELECT count(*) FROM conversations WHERE owner = 'queue'"
        assert alone.ledger.count("desk", queued) == totals.messages


# --- the list of points -------------------------------------------------------------------


def reached() -> list[str]:
    """All fault points in the source, each as often as it stands there."""
    call = re.compile(r"faults\.reach\(([^)]*)\)")
    found: list[str] = []
    for package in ("actions", "bot", "desk", "recovery"):
        for file in sorted((ROOT / package).rglob("*.py")):
            found += call.findall(file.read_text("utf-8"))
    return [name.strip().strip('"') for name in found]


def documented() -> dict[str, str]:
    """Fault points and their processes as docs/fault-points.md lists them."""
    lines = (ROOT / "docs" / "fault-points.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines if "| `" in line]
    return {point.strip("`"): process for point, process in rows}


def test_every_point_has_a_name_of_its_own() -> None:
    names = reached()
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


def test_every_point_is_tested_and_documented() -> None:
    pairs = [*MESSAGE, *RASA, *ANSWERING, *OVERHEARING]
    desks = [*ARRIVAL, *ENTERING, *RENEWAL, *REMEDY, *REFUSAL, *POSTPONED, *TAKING]
    pairs += [(point, "desk") for point in (*desks, *GIVING_BACK, *PATIENCE)]
    assert set(reached()) == {point for point, _ in pairs}
    assert documented() == dict(pairs)
