"""Every fault point, each with a process that dies there by SIGKILL and comes back."""

import asyncio
import hashlib
import json
import re
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from recovery.store.fulfilments import MOST_TRIES
from tests.crash.far import FarScene, far_scene
from tests.crash.lasting import LastingCustomer
from tests.crash.scene import ROOM, Member, Road, Scene, accepting, progress
from tests.crash.test_follow_up_points import FOLLOW_UP
from tests.crash.test_incident_points import INCIDENT
from tests.crash.test_promise_points import PROMISE
from tests.crash.test_webhook_points import WEBHOOK
from tests.crash.test_wechat_points import WECHAT
from tests.desk.images import drawing, encoded
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
PICTURE = ["picture-stored", "picture-committed"]
REMEDY = [
    "fulfilment-taken",
    "orders-before",
    "orders-after",
    "fulfilment-carried-out",
    "fulfilment-settled",
]
REFUSAL = ["fulfilment-refused", "refusal-settled"]
POSTPONED = ["fulfilment-postponed"]
MISSED = ["fulfilment-missed"]
REMOTE = ["remote-before", "remote-after"]
GIVEN_UP = ["remedy-failed"]
RETRYING = ["remedy-retried"]
TAKING = ["staff-took"]
ANSWERING = [
    ("staff-answered", "desk"),
    ("rasa-remembering", "rasa"),
    ("rasa-remembered", "rasa"),
]
OFFERING = ["staff-offered"]
GIVING_BACK = ["staff-gave-back"]
HANDING_ON = ["staff-handed-on", "staff-stepped-in"]
CLOSING = ["staff-closed"]
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
    stack.add_staff("sun", "孙主管", PASSWORD, "supervisor")
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


@pytest.mark.parametrize("point", PICTURE)
async def test_picture(scene: Scene, road: Road, point: str) -> None:
    await road.arrive()
    await road.complain()
    await road.enter()
    await road.chat.event(kind="message", author="bot")
    path = f"/api/conversations/{road.conversation}/pictures"
    # No other photo is the same, so that its files are those of this try.
    content, client = encoded("PNG", drawing(200, 100 + PICTURE.index(point))), uuid.uuid4().hex
    scene.arm(point)
    sending = asyncio.create_task(
        road.customer.request("POST", path, params={"client_id": client}, content=content)
    )
    await asyncio.to_thread(scene.stack.wait_dead, "desk")
    # What is in the database is on disk; what is on disk need not be in the database yet.
    name = hashlib.sha256(content).hexdigest()
    file = scene.stack.data / "pictures" / name[:2] / name
    assert file.read_bytes() == content
    assert file.with_suffix(".jpg").exists()
    entered = "SELECT count(*) FROM pictures WHERE sha256 = ?"
    committed = point == "picture-committed"
    assert scene.ledger.count("desk", entered, name) == int(committed)
    await scene.survive("desk")
    answer = (await sending).json()
    assert answer["repeated"] is committed
    assert scene.ledger.count("desk", entered, name) == 1
    event = await road.chat.event(client_id=client)
    assert event["picture"] == answer["picture"]
    await road.chat.answered(client)
    await scene.ledger.rest()
    again = await road.customer.request("POST", path, params={"client_id": client}, content=content)
    assert again.json() == {"picture": answer["picture"], "repeated": True}
    shown = await road.customer.request("GET", f"{path}/{answer['picture']['id']}")
    assert shown.status_code == 200
    await road.close_books()
    sentences = road.chat.spoken(client)
    assert len({event["id"] for event in sentences}) == len(sentences)
    assert not [event for event in sentences if event["author"] == "system"]


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
    many = len((await road.chat.event(kind="offer", state="accepted"))["items"])
    await road.chat.until(lambda page: len(progress(page)) == many, "news of all remedies")
    await road.close_books()
    assert [event["state"] for event in progress(road.chat)] == ["late"] * many
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


async def test_thinking_it_over_survives_a_restart_of_everything(
    scene: Scene, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    await road.come_to_offer()
    offer = await road.chat.event(kind="offer", state="open")
    await road.answered_once(await road.say(road.chat, "我再考虑考虑"))
    for name in ("desk", "actions", "rasa"):
        await asyncio.to_thread(scene.stack.kill, name)
    # Strangers to those before them: not even the hashes of texts are the same.
    monkeypatch.setattr(scene.stack, "cold", True)
    await asyncio.to_thread(scene.start, "desk", "actions", "rasa")
    await asyncio.to_thread(scene.stack.wait_ready)
    await road.see_all()
    found = "SELECT state FROM decisions WHERE id = ?"
    assert [row["state"] for row in scene.ledger.rows("desk", found, offer["offer"])] == ["open"]
    # It is the same offer, as long as it was, on the page and in the case.
    (case,) = [
        json.loads(row["state"])
        for row in scene.ledger.rows("desk", "SELECT state FROM cases")
        if offer["offer"] in row["state"]
    ]
    (kept,) = case["offers"]
    assert (kept["state"], kept["expires_at"]) == ("open", offer["expires"])
    shown = [event for event in road.chat.events.values() if event["kind"] == "offer"]
    assert [(one["offer"], one["expires"]) for one in shown] == [(offer["offer"], offer["expires"])]
    token = await road.chat.until(accepting, "button that accepts")
    accepted = [await road.say(road.chat, "就这样办", token) for _ in range(3)]
    for message in accepted:
        await road.answered_once(message)
    assert len(await road.remedied()) == len(offer["items"])
    await road.close_books()


@asynccontextmanager
async def member(scene: Scene, login: str = "li") -> AsyncIterator[Member]:
    """A member of staff who has logged in."""
    async with Member(scene.stack.url) as staff:
        await staff.log_in(login, PASSWORD)
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


@pytest.mark.parametrize("point", OFFERING)
async def test_staff_offer(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        await staff.change(road.conversation, "take")
        scene.arm(point)
        offering = asyncio.create_task(staff.change(road.conversation, "offers", id="offer-0001"))
        await scene.survive("desk")
        status, made = await offering
        assert (status, made["state"]) == (200, "open")
        assert await staff.change(road.conversation, "offers", id="offer-0001") == (200, made)
        shown = (await staff.look(road.conversation))["private"]
        assert [event["id"] for event in shown].count(f"{made['offer']}.open") == 1
        await road.chat.event(kind="offer", offer=made["offer"], state="open")
        # What is pressed now is settled by the desk alone, and the desk dies over it.
        scene.arm("turn-committed")
        pressed = await road.accept()
        await scene.survive("desk")
        await road.chat.answered(pressed)
        await road.chat.event(kind="offer", offer=made["offer"], state="accepted")
        await road.remedied()
        assert (await staff.look(road.conversation))["conversation"]["owner_name"] == "李娜"
    await road.close_books()


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


@pytest.mark.parametrize("point", HANDING_ON)
async def test_handing_on(scene: Scene, road: Road, point: str) -> None:
    """Back into the queue, or taken by a supervisor: done once, and the customer is told once."""
    await road.come_to_offer()
    async with member(scene) as staff, member(scene, "sun") as sun:
        await staff.change(road.conversation, "take")
        await road.chat.event(kind="owner", name="李娜")
        scene.arm(point)
        if point == "staff-stepped-in":
            changing = asyncio.create_task(sun.change(road.conversation, "step_in"))
        else:
            words = {"to": "queue", "memo": "顾客在等方案"}
            changing = asyncio.create_task(staff.change(road.conversation, "transfer", **words))
        await scene.survive("desk")
        status, _ = await changing
        shown = await sun.look(road.conversation)
        if point == "staff-stepped-in":
            # Sent again it is hers already; who had it is told once.
            assert (status, shown["conversation"]["owner_name"]) == (200, "孙主管")
            told = {"kind": "owner", "name": "孙主管"}
            act = "step_in"
        else:
            # It is not this member's any more; nobody else is there to get it.
            assert status == 409
            assert shown["conversation"]["owner"] == "queue"
            assert [note["text"] for note in shown["notes"]] == ["顾客在等方案"]
            told = {"kind": "owner", "owner": "queue"}
            act = "transfer"
        await road.chat.event(**told)
        acts = "SELECT count(*) FROM audit_log WHERE target = ? AND act = ?"
        assert scene.ledger.count("desk", acts, road.conversation, act) == 1
        [clock] = [one for one in shown["clocks"] if one["kind"] == "first_response"]
        assert clock["due_at"] is not None, "an answer is owed, and measured"
    await road.close_books()
    found = [e for e in road.chat.events.values() if told.items() <= e.items()]
    assert len(found) == 1


@pytest.mark.parametrize("point", CLOSING)
async def test_closing(scene: Scene, road: Road, point: str) -> None:
    await road.come_to_offer()
    async with member(scene) as staff:
        await staff.change(road.conversation, "take")
        scene.arm(point)
        words = {"outcome": "explained", "note": "电话里说清了"}
        closing_it = asyncio.create_task(staff.change(road.conversation, "close", **words))
        await scene.survive("desk")
        # It was closed before the crash; sent again it is not this member's to close.
        assert (await closing_it)[0] == 409
        shown = await staff.look(road.conversation)
        assert (shown["conversation"]["owner"], shown["case"]["outcome"]) == ("bot", "explained")
    await road.chat.event(kind="closed")
    await road.close_books()
    assert len([e for e in road.chat.events.values() if e["kind"] == "closed"]) == 1
    offers = [e["state"] for e in road.chat.events.values() if e["kind"] == "offer"]
    assert offers[-1] != "open", "what was offered has ended with it"


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
        # The customer has no answer: whoever lets go of that has to mean it.
        await staff.change(road.conversation, "give_back", note="", force=True)
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


# --- orders over HTTP ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarScene]:
    """A desk whose orders are in another program; what Rasa says is scripted."""
    with far_scene(tmp_path_factory.mktemp("far")) as scene:
        scene.stack.add_staff("li", "李娜", PASSWORD)
        yield scene


@pytest.fixture
async def far_road(far: FarScene) -> AsyncIterator[Road]:
    try:
        async with far.road() as road:
            yield road
    finally:
        far.orders.start()
        far.disarm()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", [*REMOTE, "fulfilment-carried-out", "fulfilment-settled"])
async def test_remedy_over_http(far: FarScene, far_road: Road, point: str, nth: int) -> None:
    await far_road.come_to_offer()
    far.arm(point, nth)
    accepting = await far_road.accept()
    await far.survive("desk")
    await far_road.remedied()
    await far_road.answered_once(accepting)
    await far_road.close_books()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", ["orders-before", "orders-after"])
async def test_the_order_system_dies(far: FarScene, far_road: Road, point: str, nth: int) -> None:
    """Also after it has committed, before anybody has heard of it."""
    await far_road.come_to_offer()
    far.orders.arm(point, nth)
    accepting = await far_road.accept()
    await asyncio.to_thread(far.orders.wait_dead)
    done = far.ledger.effects(far_road.order)
    assert len(done) == (nth if point == "orders-after" else nth - 1)
    far.orders.start()
    await far_road.remedied()
    await far_road.answered_once(accepting)
    await far_road.close_books()


@pytest.mark.parametrize("point", [*MISSED, *POSTPONED])
async def test_order_system_and_desk_die(far: FarScene, far_road: Road, point: str) -> None:
    await far_road.come_to_offer()
    far.orders.arm("orders-after")
    far.arm(point)
    accepting = await far_road.accept()
    await asyncio.to_thread(far.orders.wait_dead)
    assert len(far.ledger.effects(far_road.order)) == 1
    await far.survive("desk")
    far.orders.start()
    await far_road.remedied()
    await far_road.answered_once(accepting)
    await far_road.close_books()


@pytest.mark.parametrize("point", [*GIVEN_UP, *RETRYING])
async def test_remedy_given_up_and_set_going_again(
    far: FarScene, far_road: Road, point: str
) -> None:
    await far_road.come_to_offer()
    # The first of them is carried out and nobody hears of it: even hours later it is done once.
    far.orders.arm("orders-after")
    accepting = await far_road.accept()
    await asyncio.to_thread(far.orders.wait_dead)
    await far_road.chat.answered(accepting)
    mine = "SELECT key, state, attempts FROM fulfilments WHERE order_number = ? ORDER BY key"

    def rows() -> list[sqlite3.Row]:
        return far.ledger.rows("desk", mine, far_road.order)

    await asyncio.to_thread(
        wait_until, lambda: all(row["attempts"] for row in rows()), "a try of each"
    )
    if point in GIVEN_UP:
        far.arm(point)
    # Four hours later.
    with closing(sqlite3.connect(far.stack.data / "desk.sqlite3", timeout=30)) as db, db:
        db.execute(
            "UPDATE fulfilments SET attempts = ?, due_at = created_at WHERE order_number = ?",
            (MOST_TRIES - 1, far_road.order),
        )
    if point in GIVEN_UP:
        await far.survive("desk")
    news = await far_road.chat.until(
        lambda page: found if len(found := progress(page)) == 2 else None, "news of both remedies"
    )
    assert [event["id"].rpartition(".")[2] for event in news] == ["failed", "failed"]
    assert [(row["state"], row["attempts"]) for row in rows()] == [("failed", MOST_TRIES)] * 2
    waiting = "SELECT count(*) FROM conversations WHERE id = ? AND owner = 'queue' AND reason = ?"
    assert far.ledger.count("desk", waiting, far_road.conversation, "remedy_failed") == 1
    assert len(far.ledger.effects(far_road.order)) == 1
    far.orders.start()
    async with Member(far.stack.url) as staff:
        await staff.log_in("li", PASSWORD)
        await staff.change(far_road.conversation, "take")
        first, second = (f"remedies/{row['key']}/retry" for row in rows())
        if point in RETRYING:
            far.arm(point)
        retrying = asyncio.create_task(staff.change(far_road.conversation, first))
        if point in RETRYING:
            await far.survive("desk")
        status, answer = await retrying
        assert (status, answer["repeated"]) == (200, point in RETRYING)
        assert (await staff.change(far_road.conversation, second))[0] == 200
        assert (await staff.change(far_road.conversation, second))[1]["repeated"] is True
    await far_road.chat.until(lambda page: len(progress(page)) == 4, "both remedies done")
    assert [row["state"] for row in rows()] == ["done"] * 2
    assert far.ledger.effects(far_road.order) == [row["key"] for row in rows()]
    await far_road.close_books()


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
    desks = [*ARRIVAL, *ENTERING, *RENEWAL, *PICTURE, *REMEDY, *REFUSAL, *POSTPONED, *TAKING]
    desks += [*MISSED, *REMOTE, *GIVEN_UP, *RETRYING]
    desks += [*OFFERING, *GIVING_BACK, *HANDING_ON, *CLOSING, *PATIENCE]
    pairs += [(point, "desk") for point in [*desks, *WECHAT, *FOLLOW_UP, *PROMISE]]
    pairs += [(point, "desk") for point in WEBHOOK]
    pairs += [(point, "desk") for point in INCIDENT]
    assert set(reached()) == {point for point, _ in pairs}
    assert documented() == dict(pairs)
