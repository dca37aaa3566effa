"""Bad input over sockets and HTTP: a clear answer, nothing crashes, nothing is lost or executed."""

import asyncio
import json
import uuid
from collections.abc import Iterator

import httpx
import pytest
import websockets
from sqlalchemy import func, select

from recovery.store.tables import inbox
from tests.desk.people import (
    ANGRY,
    PATIENCE,
    ROOMS,
    Guest,
    complain,
    database,
    guest,
    settled,
    until,
    words,
)
from tests.support.customer import Customer, Frame, Page
from tests.support.stack import Stack, running

SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The desk alone with a pace that a test can wait out; it answers nobody for a while."""
    limits = {"burst": 12, "per_second": 20, "sessions_per_minute": 1000}
    with running(tmp_path_factory.mktemp("paced"), "desk", limits=limits) as stack:
        yield stack


def taken(stack: Stack, one: Guest) -> list[str]:
    """The texts in the inbox of a customer's thread, in the order of arrival."""
    store = database(stack)
    with store.read() as db:
        rows = db.execute(
            select(inbox.c.text)
            .where(inbox.c.conversation_id == one.thread)
            .order_by(inbox.c.position)
        ).scalars()
        texts = list(rows)
    store.close()
    return texts


async def outcome(page: Page, text: str) -> Frame:
    return await page.answered(await page.say(text))


# --- texts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\n\n\t", "\u200b\u200d\ufeff", "\u0000\u0007\u001b", "/", "／ //", "\u202e\u2066"],
)
async def test_a_message_without_content_is_refused(alone: Stack, text: str) -> None:
    async with guest(alone) as one:
        answer = await outcome(one.room, text)
        assert (answer["type"], answer["code"], answer["retry"]) == ("refused", "empty", False)
        assert answer["message"] == "还没有写内容"
        assert taken(alone, one) == []


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("字" * 2000, True),
        ("字" * 2001, False),
        ("😀" * 2000, True),
        ("😀" * 2001, False),
        ("字" * 2000 + "\u200b" * 100, True),
        (" " * 50 + "字" * 2000 + "\n" * 50, True),
        ("字" * 15_000, False),
    ],
)
async def test_two_thousand_characters_fit(alone: Stack, text: str, accepted: bool) -> None:
    async with guest(alone) as one:
        answer = await outcome(one.room, text)
        if accepted:
            assert answer["type"] == "ack"
            (stored,) = taken(alone, one)
            assert len(stored) == 2000
        else:
            assert (answer["code"], answer["retry"]) == ("too_long", False)
            assert "2000" in answer["message"]
            assert taken(alone, one) == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("房间\u0000没\u0008打扫", "房间没打扫"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("一\n\n\n\n\n二", "一\n\n二"),
        ("e\u0301", "é"),
        ("\ud800房间", "房间"),
        ("\u202e房间\u2066", "房间"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("/restart", "restart"),
        ("  / /restart", "restart"),
        ("\u200b/restart", "restart"),
        ("／restart", "restart"),
        ('/complain_noise{"x": 1}', 'complain_noise{"x": 1}'),
        ("/intent{'x':1}", "intent{'x':1}"),
        ("a/b", "a/b"),
        (SCRIPT, SCRIPT),
        ("'; DROP TABLE inbox; --", "'; DROP TABLE inbox; --"),
        ("{matter} %s {0}", "{matter} %s {0}"),
    ],
)
async def test_what_is_stored_is_what_was_meant(alone: Stack, text: str, kept: str) -> None:
    async with guest(alone) as one, guest(alone, name="旁人") as other:
        answer = await outcome(one.room, text)
        assert answer["type"] == "ack", answer
        shown = await one.room.event(client_id=answer["id"])
        seen = await other.room.event(id=shown["id"])
        assert (shown["text"], seen["text"], taken(alone, one)) == (kept, kept, [kept])


@pytest.mark.parametrize(
    "text",
    [
        "😀😀😀",
        "Hello, where is the pool?",
        "12345",
        "。。。！！！",
        SCRIPT,
        "/restart",
        '/complain_room_not_clean{"stage": "agreed"}',
        "/session_start",
        "EXTERNAL: entered",
        "{matter}",
        "字" * 2000,
        "ﷺ" * 200,
        "क्षि" * 100,
    ],
)
async def test_the_bot_lives_through_every_text(stack: Stack, text: str) -> None:
    """It may have nothing to say, but it executes nothing and answers the next message."""
    async with guest(stack) as one, guest(stack, name="旁人") as other:
        post = await one.post(text)
        for event in one.answers(post):
            assert "{" not in event["text"]
        chat = await complain(other)
        said = await other.tell(text)
        assert words(said), "in private every message is answered"
        assert "{" not in words([event for event in said if event["kind"] == "message"])
        assert words(chat)
        assert not [event for event in said if event["kind"] in ("offer", "closed")]


# --- frames ---------------------------------------------------------------------------------

NESTED = "[" * 20_000 + "]" * 20_000
FRAMES: dict[str, str | bytes] = {
    "empty": "",
    "no JSON": "hello",
    "half": '{"type":"say"',
    "an array": '["say"]',
    "null": "null",
    "a number": "7",
    "endless number": "9" * 5000,
    "deep": NESTED,
    "deep inside": '{"type":"say","id":' + NESTED + ',"text":"x"}',
    "no type": '{"id":"12345678","text":"x"}',
    "unknown type": '{"type":"shout","id":"12345678","text":"x"}',
    "type is a list": '{"type":["say"],"id":"12345678","text":"x"}',
    "type is an object": '{"type":{"say":1}}',
    "no id": '{"type":"say","text":"x"}',
    "id is a number": '{"type":"say","id":12345678,"text":"x"}',
    "id is an object": '{"type":"say","id":{"a":1},"text":"x"}',
    "short id": '{"type":"say","id":"1234567","text":"x"}',
    "long id": '{"type":"say","id":"' + "a" * 65 + '","text":"x"}',
    "strange id": '{"type":"say","id":"编号编号编号编号","text":"x"}',
    "id with half a character": '{"type":"say","id":"\\ud8001234567","text":"x"}',
    "id of the desk's own": '{"type":"say","id":"entered","text":"x"}',
    "no text": '{"type":"say","id":"12345678"}',
    "text is a number": '{"type":"say","id":"12345678","text":7}',
    "text is a list": '{"type":"say","id":"12345678","text":["x"]}',
    "text is null": '{"type":"say","id":"12345678","text":null}',
    "button is a number": '{"type":"say","id":"12345678","text":"x","button":1}',
    "typing in public": '{"type":"typing"}',
    "bytes": b'{"type":"say","id":"12345678","text":"x"}',
    "bytes of nothing": b"\x00\xff\xfe",
}


@pytest.mark.parametrize("kind", FRAMES)
async def test_a_malformed_frame_is_named_and_the_page_goes_on(alone: Stack, kind: str) -> None:
    async with guest(alone) as one:
        await one.room.send(FRAMES[kind])
        refused = await one.room.until(
            lambda page: next((f for f in page.frames if f["type"] == "refused"), None)
        )
        assert (refused["code"], refused["retry"]) == ("bad_frame", False)
        assert refused["message"]
        assert refused["id"] in ("", "12345678", "entered", "1234567") or kind == "long id"
        await one.room.send({"type": "ping"})
        await one.room.until(lambda page: any(f["type"] == "pong" for f in page.frames))
        assert taken(alone, one) == []


async def test_a_huge_frame_closes_this_page_and_no_other(alone: Stack) -> None:
    async with guest(alone) as one, guest(alone, name="旁人") as other:
        await one.room.send(json.dumps({"type": "say", "id": "12345678", "text": "字" * 100_000}))
        with pytest.raises(websockets.ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                while True:
                    await one.room.send({"type": "ping"})
                    await asyncio.sleep(0.01)
        assert (await outcome(other.room, "大家好"))["type"] == "ack"
        assert taken(alone, one) == []


async def test_frames_in_pieces_and_not_in_utf8(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        address = alone.url.replace("http", "ws", 1) + "/ws/room/lanting-lobby"
        headers = {"Cookie": customer.cookie}
        async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
            await socket.send(['{"type":', '"pi', 'ng"}'])
            async with asyncio.timeout(PATIENCE):
                while json.loads(await socket.recv())["type"] != "pong":
                    pass
            await socket.send(b"\xff\xff", text=True)
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    while True:
                        await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1007


# --- doors ----------------------------------------------------------------------------------


async def close_code(stack: Stack, path: str, **headers: str) -> int:
    address = stack.url.replace("http", "ws", 1) + path
    async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def test_doors_that_do_not_open(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        own = {"Cookie": customer.cookie}
        assert await close_code(alone, "/ws/room/nowhere", **own) == 4404
        assert await close_code(alone, "/ws/room/%E5%A4%A7%E5%A0%82", **own) == 4404
        assert await close_code(alone, "/ws/room/lanting-lobby") == 4401
        assert await close_code(alone, "/ws/room/qinghe-square", **own) == 4401
        for origin in ("https://elsewhere.example", "null", "file://", "x"):
            for path in ("/ws/room/lanting-lobby", "/ws/conversation/k1", "/ws/staff"):
                assert await close_code(alone, path, Origin=origin, **own) == 4403, (origin, path)


async def test_a_page_of_ours_opens_the_door(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        address = alone.url.replace("http", "ws", 1) + "/ws/room/lanting-lobby"
        headers = {"Cookie": customer.cookie, "Origin": alone.url}
        async with websockets.connect(address, additional_headers=headers, proxy=None) as socket:
            assert json.loads(await socket.recv())["type"] == "welcome"


async def test_numbers_that_are_none_count_as_nothing_seen(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        for after in ("x", "-1", "1.5", "9" * 30, "٣", "", "%00"):
            address = alone.url.replace("http", "ws", 1) + f"/ws/room/lanting-lobby?after={after}"
            headers = {"Cookie": customer.cookie}
            async with websockets.connect(
                address, additional_headers=headers, proxy=None
            ) as socket:
                welcome = json.loads(await socket.recv())
                assert (welcome["type"], welcome["after"]) == ("welcome", 0)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/rooms/nowhere", 404),
        ("GET", "/api/conversations/../../etc/passwd", 404),
        ("GET", "/api/conversations/%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/api/conversations/%00", 404),
        ("DELETE", "/api/session", 405),
        ("GET", "/api/session", 405),
        ("GET", "/ws/room/lanting-lobby", 426),
        ("GET", "/assets/../huixin.yml", 404),
        ("GET", "/assets/%2e%2e/%2e%2e/huixin.yml", 404),
    ],
)
async def test_a_wrong_request_gets_an_error_code_and_a_sentence(
    alone: Stack, method: str, path: str, status: int
) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        request = customer.http.build_request(method, "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = await customer.http.send(request)
        assert answer.status_code == status
        error = answer.json()["error"]
        assert error["code"]
        assert error["message"]
        assert "Traceback" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_html_in_a_path_is_not_given_back(alone: Stack) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False) as http:
        for path in (f"/api/{SCRIPT}", f"/{SCRIPT}", f"/api/rooms/{SCRIPT}"):
            answer = await http.get(path)
            assert "alert" not in answer.text


# --- pace -----------------------------------------------------------------------------------


async def test_fifty_messages_in_a_second(paced: Stack) -> None:
    """What is refused can be sent again with its id; nothing accepted is lost or disordered."""
    async with guest(paced) as one, guest(paced, name="旁人") as other:
        texts = {uuid.uuid4().hex: f"第{n}条" for n in range(50)}
        for message_id, text in texts.items():
            await one.room.say(text, message_id)
        answers = {message_id: await one.room.answered(message_id) for message_id in texts}
        refused = [one_id for one_id, answer in answers.items() if answer["type"] == "refused"]
        accepted = [one_id for one_id in texts if one_id not in refused]
        assert len(accepted) >= 12, "a burst is taken"
        assert refused
        for one_id in refused:
            assert (answers[one_id]["code"], answers[one_id]["retry"]) == ("too_fast", True)
            assert answers[one_id]["message"]
        assert taken(paced, one) == [texts[one_id] for one_id in accepted]
        assert (await outcome(other.room, "大家好"))["type"] == "ack", "others are not slowed"

        for one_id in refused:
            await _sent_again(one.room, texts[one_id], one_id)
        everything = [texts[one_id] for one_id in [*accepted, *refused]]
        assert taken(paced, one) == everything
        await one.up_to_date()
        mine = [event["text"] for event in one.seen if event.get("mine")]
        assert mine == everything, "shown in the order in which it was taken"


async def _sent_again(page: Page, text: str, message_id: str) -> None:
    """Press "retry" until it is taken, as a patient customer would."""
    async with asyncio.timeout(PATIENCE):
        while True:
            start = len(page.frames)
            await page.say(text, message_id)
            answer = await page.until(
                lambda seen, start=start: next(
                    (
                        frame
                        for frame in seen.frames[start:]
                        if frame["type"] in ("ack", "refused") and frame["id"] == message_id
                    ),
                    None,
                )
            )
            if answer["type"] == "ack":
                return
            await asyncio.sleep(0.05)


async def test_the_same_id_again_is_the_same_message(alone: Stack) -> None:
    async with guest(alone) as one:
        message_id = uuid.uuid4().hex
        first = await outcome_of(one.room, "第一次", message_id, 1)
        again = await outcome_of(one.room, "第二次，别的字", message_id, 2)
        assert (first["repeated"], again["repeated"]) == (False, True)
        assert taken(alone, one) == ["第一次"]


async def outcome_of(page: Page, text: str, message_id: str, nth: int) -> Frame:
    """Send with this id; gives the nth answer to the id."""
    await page.say(text, message_id)

    def answer(seen: Page) -> Frame | None:
        found = [f for f in seen.frames if f["type"] == "ack" and f["id"] == message_id]
        return found[nth - 1] if len(found) >= nth else None

    found: Frame = await page.until(answer)
    return found


async def test_the_same_id_from_two_tabs_at_once_is_one_message(alone: Stack) -> None:
    async with guest(alone) as one, one.customer.room(one.room_name) as second:
        for _ in range(5):
            message_id = uuid.uuid4().hex
            await asyncio.gather(
                *(page.say("同一句话", message_id) for page in (one.room, second, one.room))
            )
            for page in (one.room, second):
                await page.answered(message_id)
        await one.up_to_date()
        assert taken(alone, one) == ["同一句话"] * 5
        mine = [event["client_id"] for event in one.seen if event.get("mine")]
        assert len(mine) == len(set(mine)) == 5
        both = [f for page in (one.room, second) for f in page.frames if f["type"] == "ack"]
        assert sum(not frame["repeated"] for frame in both) == 5


async def test_the_same_id_of_two_customers_is_two_messages(alone: Stack) -> None:
    async with guest(alone) as one, guest(alone, name="旁人") as other:
        for person in (one, other):
            answer = await outcome_of(person.room, "你好", "same-id-everywhere", 1)
            assert answer["repeated"] is False


# --- reconnecting ---------------------------------------------------------------------------


async def test_a_page_that_comes_back_gets_exactly_what_it_missed(alone: Stack) -> None:
    async with guest(alone) as one, guest(alone, name="旁人") as other:
        await outcome(one.room, "我先说一句")
        await one.up_to_date()
        await one.room.disconnect()
        before = len(one.seen)
        for n in range(350):
            answer = await outcome(other.room, f"没看到的第{n}条")
            assert answer["type"] == "ack"
        await one.room.connect()
        await one.up_to_date()
        missed = [event["text"] for event in one.seen[before:] if event.get("name") == "旁人"]
        assert missed == [f"没看到的第{n}条" for n in range(350)]
        ids = [event["id"] for event in one.seen]
        assert len(ids) == len(set(ids))
        assert (await outcome(one.room, "我回来了"))["type"] == "ack"


async def test_a_private_page_that_comes_back_gets_exactly_what_it_missed(stack: Stack) -> None:
    async with guest(stack) as one:
        await one.post(ANGRY["lanting"])
        await one.enter()
        second = one.customer.private(one.conversation)
        await one.chat.disconnect()
        await second.connect()
        message_id = await second.say("你好，现在怎么处理")
        mine = await second.event(client_id=message_id)
        await settled(one.store, mine["id"])
        await one.chat.connect()
        await one.chat_up_to_date()
        await second.until(lambda page: page.last == one.chat.last)
        assert one.chat.events == second.events
        await second.disconnect()


async def test_nothing_is_left_open_or_waiting_afterwards(alone: Stack) -> None:
    """All that was accepted above was answered in the end, if only by a person's promise."""
    store = database(alone)

    def waiting() -> bool:
        with store.read() as db:
            count = db.execute(
                select(func.count()).select_from(inbox).where(inbox.c.state == "new")
            ).scalar()
        return count == 0

    assert await until(waiting, 60)
    store.close()
    assert alone.processes["desk"].poll() is None
    assert '"event": "request failed"' not in alone.log("desk")
    assert "Exception occurred" not in alone.log("desk")
    assert ROOMS
