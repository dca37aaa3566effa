"""Bad input over sockets and HTTP: a clear answer, nothing crashes, nothing is lost or executed."""

import asyncio
import json
import socket
import uuid

import pytest
import websockets
from sqlalchemy import select

from recovery.store.tables import inbox
from tests.desk.people import (
    ANGRY,
    PATIENCE,
    Guest,
    close_code,
    closed,
    complain,
    database,
    guest,
    open_socket,
    settled,
    words,
)
from tests.support.customer import Customer, Frame, Page
from tests.support.stack import Stack

SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"


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
        ("字" * 9_000, False),
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
        path = "/ws/room/lanting-lobby"
        async with open_socket(alone, path, Cookie=customer.cookie) as page:
            await page.send(['{"type":', '"pi', 'ng"}'])
            async with asyncio.timeout(PATIENCE):
                while json.loads(await page.recv())["type"] != "pong":
                    pass
            await page.send(b"\xff\xff", text=True)
            assert await closed(page) == (1007, "not UTF-8")


# --- doors ----------------------------------------------------------------------------------


async def test_doors_that_do_not_open(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        own = {"Cookie": customer.cookie}
        assert await close_code(alone, "/ws/room/nowhere", **own) == (4404, "no_room")
        assert await close_code(alone, "/ws/room/%E5%A4%A7", **own) == (4404, "no_room")
        assert await close_code(alone, "/ws/room/lanting-lobby") == (4401, "no_session")
        assert await close_code(alone, "/ws/room/qinghe-square", **own) == (4401, "no_session")
        for origin in ("https://elsewhere.example", "null", "file://", "x"):
            for path in ("/ws/room/lanting-lobby", "/ws/conversation/k1", "/ws/staff"):
                code, _ = await close_code(alone, path, Origin=origin, **own)
                assert code == 4403, (origin, path)


async def welcome(stack: Stack, query: str, **headers: str) -> Frame:
    """The first frame of a room's socket."""
    path = f"/ws/room/lanting-lobby{query}"
    async with open_socket(stack, path, **headers) as page:
        first: Frame = json.loads(await page.recv())
        return first


async def test_a_page_of_ours_opens_the_door(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        first = await welcome(alone, "", Cookie=customer.cookie, Origin=alone.url)
    assert (first["type"], first["status"]) == ("welcome", "warming")


async def test_numbers_that_are_none_count_as_nothing_seen(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        await customer.begin("lanting")
        newcomer = await welcome(alone, "", Cookie=customer.cookie)
        for number in ("x", "-1", "1.5", "9" * 30, "%D9%A3", "", "%00"):
            query = f"?after={number}&own={number}"
            assert await welcome(alone, query, Cookie=customer.cookie) == newcomer, number


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/rooms/nowhere", 404),
        ("GET", "/api/conversations/%2e%2e%2fetc%2fpasswd", 404),
        ("GET", "/api/conversations/%00", 404),
        ("DELETE", "/api/session", 405),
        ("GET", "/api/session", 405),
        ("GET", "/ws/room/lanting-lobby", 426),
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


async def test_a_path_opens_no_file_and_is_not_given_back(alone: Stack) -> None:
    for path in (
        "/../huixin.yml",
        "/assets/../../huixin.yml",
        "/%2e%2e/huixin.yml",
        "/var/secrets.json",
        f"/{SCRIPT}",
        f"/api/{SCRIPT}",
        f"/api/rooms/{SCRIPT}",
    ):
        shown = await asyncio.to_thread(raw_get, alone, path)
        assert "businesses:" not in shown, path
        assert "signing_key" not in shown, path
        assert "alert" not in shown, path


def raw_get(stack: Stack, path: str) -> str:
    """GET a path as it stands: clients that are well-behaved tidy it up first."""
    with socket.create_connection(("127.0.0.1", stack.ports["desk"]), timeout=20) as raw:
        target = path.replace(" ", "%20")
        raw.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while part := raw.recv(65536):
            received += part
    return received.decode()


# --- pace -----------------------------------------------------------------------------------


async def test_fifty_messages_in_a_second(alone: Stack) -> None:
    """What is refused can be sent again with its id; nothing accepted is lost or disordered."""
    async with guest(alone) as one, guest(alone, name="旁人") as other:
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
        assert taken(alone, one) == [texts[one_id] for one_id in accepted]
        assert (await outcome(other.room, "大家好"))["type"] == "ack", "others are not slowed"

        for one_id in refused:
            await _sent_again(one.room, texts[one_id], one_id)
        everything = [texts[one_id] for one_id in [*accepted, *refused]]
        assert taken(alone, one) == everything
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
    """More than one batch of it."""
    async with guest(alone) as one:
        await outcome(one.room, "我先说一句")
        await one.up_to_date()
        await one.room.disconnect()
        before = len(one.seen)
        said = []
        for n in range(12):
            async with guest(alone, name="旁人") as other:
                texts = [f"没看到的第{n}之{place}条" for place in range(28)]
                ids = [await other.room.say(text) for text in texts]
                for message_id in ids:
                    assert (await other.room.answered(message_id))["type"] == "ack"
                said += texts
        await one.room.connect()
        await one.up_to_date()
        missed = [event["text"] for event in one.seen[before:] if event.get("name") == "旁人"]
        assert missed == said
        assert len(missed) > 300
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


async def test_afterwards_the_desk_runs_and_has_nothing_to_complain_of(alone: Stack) -> None:
    assert alone.processes["desk"].poll() is None
    log = alone.log("desk")
    for complaint in ("request failed", "Exception occurred", "never retrieved", "Traceback"):
        assert complaint not in log
