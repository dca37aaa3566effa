"""Pictures as evidence: taken by content, once; served as harmless copies to those concerned."""

import asyncio
import os
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from sqlalchemy import delete, select, update

from desk.album import Album
from recovery.clock import utc_now
from recovery.ids import new_id
from recovery.pictures import MOST_BYTES
from recovery.store import staff
from recovery.store.database import stamp
from recovery.store.tables import conversations, inbox, pictures
from tests.desk.images import (
    PAGE,
    PNG,
    SVG,
    as_sent_by_phones,
    bomb,
    drawing,
    encoded,
    located,
    scan_bomb,
    webp_bomb,
)
from tests.desk.people import (
    PATIENCE,
    Agent,
    Guest,
    Login,
    caught_up,
    database,
    guest,
    log_in,
    settled,
)
from tests.desk.scripted_rasa import ScriptedRasa, says, scripted_rasa
from tests.support.stack import Stack, running

PASSWORD = "an honest password"
NOT_FOUND = {"error": {"code": "not_found", "message": "没有找到"}}
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Scene:
    """A desk, the Rasa that the test speaks for, and staff of all and of one business."""

    stack: Stack
    rasa: ScriptedRasa
    lin: Login
    stranger: Login


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    limits = {"burst": 60, "per_second": 30, "sessions_per_minute": 100_000}
    folder = tmp_path_factory.mktemp("pictures")
    with scripted_rasa() as rasa, running(folder, "desk", rasa=[rasa.url], limits=limits) as stack:
        with closing(database(stack)) as store, store.write() as db:
            staff.add(db, "lin", "小林", "supervisor", PASSWORD, utc_now())
            staff.add(db, "qing", "小青", "agent", PASSWORD, utc_now(), "qinghe")
        logins = (log_in(stack, login, PASSWORD) for login in ("lin", "qing"))
        yield Scene(stack, rasa, *logins)


@pytest.fixture
def scene(scenery: Scene) -> Scene:
    scenery.rasa.again()
    return scenery


@pytest_asyncio.fixture
async def one(scene: Scene) -> AsyncIterator[Guest]:
    """A customer in the private chat."""
    async with guest(scene.stack) as customer:
        await customer.post("房间没打扫")
        await customer.enter()
        yield customer


@pytest_asyncio.fixture
async def lin(scene: Scene) -> AsyncIterator[Agent]:
    async with Agent(scene.stack, scene.lin) as agent:
        yield agent


def fresh() -> str:
    return str(uuid.uuid4())


async def send(
    who: Guest,
    content: bytes,
    client_id: str | None = None,
    *,
    conversation: str | None = None,
    **headers: str,
) -> httpx.Response:
    path = f"/api/conversations/{conversation or who.conversation}/pictures"
    return await who.customer.http.post(
        path, params={"client_id": client_id or fresh()}, content=content, headers=headers
    )


async def sent(who: Guest, content: bytes, client_id: str | None = None) -> dict[str, Any]:
    """Send a picture that is taken; what pages are told of it."""
    answer = await send(who, content, client_id)
    assert answer.status_code == 200, answer.text
    picture: dict[str, Any] = answer.json()["picture"]
    return picture


def address(who: Guest, picture: dict[str, Any]) -> str:
    return f"/api/conversations/{who.conversation}/pictures/{picture['id']}"


async def shown(who: Guest, picture: dict[str, Any]) -> bytes:
    answer = await who.customer.http.get(address(who, picture))
    assert answer.status_code == 200
    return answer.content


def rows(who: Guest) -> list[Any]:
    """The pictures of a customer's private chat as the database has them."""
    with who.store.read() as db:
        query = select(pictures).where(pictures.c.conversation_id == who.conversation)
        return list(db.execute(query.order_by(pictures.c.created_at)))


def original(stack: Stack, content: bytes) -> Path:
    """Where a file that was sent is kept."""
    name = sha256(content).hexdigest()
    return stack.data / "pictures" / name[:2] / name


def refusal(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert re.search(r"[\u4e00-\u9fff]", error["message"])
    return answer.status_code, error["code"]


# --- what is taken --------------------------------------------------------------------------

TAKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "png": (lambda: encoded("PNG"), "image/png"),
    "jpeg": (lambda: encoded("JPEG"), "image/jpeg"),
    "progressive jpeg": (lambda: encoded("JPEG", progressive=True), "image/jpeg"),
    "grey jpeg": (lambda: encoded("JPEG", drawing().convert("L")), "image/jpeg"),
    "cmyk jpeg": (lambda: encoded("JPEG", drawing().convert("CMYK")), "image/jpeg"),
    "jpeg as phones send it": (as_sent_by_phones, "image/jpeg"),
    "webp": (lambda: encoded("WEBP"), "image/webp"),
    "lossless webp": (lambda: encoded("WEBP", lossless=True), "image/webp"),
    "see-through webp": (lambda: encoded("WEBP", drawing().convert("RGBA")), "image/webp"),
    "gif": (lambda: encoded("GIF"), "image/gif"),
    "moving gif": (
        lambda: encoded("GIF", save_all=True, append_images=[drawing(colour="#00f")]),
        "image/gif",
    ),
    "16 bit png": (lambda: encoded("PNG", drawing().convert("I;16")), "image/png"),
    "png of few colours": (lambda: encoded("PNG", drawing().convert("P")), "image/png"),
}


@pytest.mark.parametrize("kind", TAKEN)
async def test_every_type_is_taken_for_what_it_is_and_shown_as_a_message(
    scene: Scene, one: Guest, kind: str
) -> None:
    make, mime = TAKEN[kind]
    content, client_id = make(), fresh()
    # Neither name nor type counts that a page sends with it.
    answer = await send(one, content, client_id, **{"Content-Type": "text/html"})
    assert answer.status_code == 200, answer.text
    picture = answer.json()["picture"]
    assert answer.json() == {"picture": picture, "repeated": False}
    assert re.fullmatch(r"p[0-9a-f]{24}", picture["id"])
    assert (picture["width"], picture["height"]) == (320, 240)

    event = await one.chat.event(client_id=client_id)
    assert (event["kind"], event["author"], event["mine"]) == ("message", "customer", True)
    assert (event["text"], event["picture"]) == ("[图片]", picture)
    (row,) = rows(one)
    assert (row.id, row.mime, row.bytes) == (picture["id"], mime, len(content))
    assert (row.customer_id, row.sha256) == (one.id, sha256(content).hexdigest())
    assert row.case_id
    assert original(scene.stack, content).read_bytes() == content, "the evidence as it came"

    copy = await shown(one, picture)
    with Image.open(BytesIO(copy)) as drawn:
        drawn.load()
        assert (drawn.format, drawn.size, drawn.mode) == ("JPEG", (320, 240), "RGB")
        red, green, blue = drawn.getpixel((40, 40))
    if "grey" not in kind and "16" not in kind:
        assert red > green + 60 and red > blue + 60, "the first frame, in its colours"


async def test_the_bot_is_told_which_picture_and_guesses_nothing(scene: Scene, one: Guest) -> None:
    client_id = fresh()
    picture = await sent(one, encoded("PNG"), client_id)
    event = await one.chat.event(client_id=client_id)
    await settled(one.store, event["id"])
    asked = scene.rasa.messages()[-1]
    assert (asked["text"], asked["intent"], asked["message_id"]) == (
        "[图片]",
        "inform",
        event["id"],
    )
    assert asked["metadata"]["picture"] == picture["id"]
    assert asked["metadata"]["button"] is None
    await one.tell("这是刚拍的")
    assert scene.rasa.messages()[-1]["metadata"]["picture"] is None


async def test_pictures_and_words_keep_their_order(one: Guest) -> None:
    before = await one.send("先说一句")
    ids = [fresh() for _ in range(3)]
    for number, client_id in enumerate(ids):
        await sent(one, encoded("PNG", drawing(100 + number)), client_id)
    after = await one.send("就是这三张")
    await settled(one.store, after["id"])
    await one.chat_up_to_date()
    mine = [event for event in one.chat.events if event.get("author") == "customer"]
    expected = [before["client_id"], *ids, after["client_id"]]
    assert [event["client_id"] for event in mine] == expected
    with one.store.read() as db:
        taken = db.execute(
            select(inbox.c.external_id)
            .where(inbox.c.conversation_id == one.conversation, inbox.c.external_id != "entered")
            .order_by(inbox.c.position)
        ).scalars()
        assert list(taken) == expected


async def test_a_picture_says_nothing_about_anger(scene: Scene, one: Guest, lin: Agent) -> None:
    scene.rasa.script = lambda path, _: (
        {"understood": says(anger=3)["understood"], "repeated": False}
        if path == "/desk/overheard"
        else says("好的", anger=3)
    )
    for owner in ("bot", "staff"):
        if owner == "staff":
            await lin.done(one.conversation, "take")
        client_id = fresh()
        await sent(one, encoded("PNG"), client_id)
        event = await one.chat.event(client_id=client_id)
        await settled(one.store, event["id"])
        whole = await lin.whole(one.conversation)
        assert (whole["case"]["anger"] or {"peak": 0})["peak"] == 0, owner
    assert scene.rasa.messages("/desk/overheard")[-1]["metadata"]["picture"]


# --- what reaches others --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_nobody_learns_where_a_photo_was_taken(one: Guest, kind: str) -> None:
    content = located(kind)
    assert b"Secret Model" in content
    copy = await shown(one, await sent(one, content))
    with Image.open(BytesIO(copy)) as drawn:
        assert dict(drawn.getexif()) == {}
        assert set(drawn.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for secret in (b"Exif", b"Secret", b"shot at home", b"http", b"ICC_PROFILE"):
        assert secret not in copy


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_stands_upright_however_the_camera_was_held(
    one: Guest, orientation: int
) -> None:
    picture = await sent(one, located(orientation=orientation))
    sideways = orientation > 4
    size = (240, 320) if sideways else (320, 240)
    assert (picture["width"], picture["height"]) == size
    with Image.open(BytesIO(await shown(one, picture))) as drawn:
        assert drawn.size == size
        # The one dark corner, where a viewer that heeds the mark would show it.
        corners = {
            (right, low): drawn.getpixel((right * (size[0] - 40) + 20, low * (size[1] - 40) + 20))
            for right in (0, 1)
            for low in (0, 1)
        }
    dark = min(corners, key=lambda corner: corners[corner][1])
    assert dark == ((0, 0), (1, 0), (1, 1), (0, 1))[(orientation - 1) % 4]


async def test_a_large_photo_is_shown_smaller_and_kept_as_it_is(scene: Scene, one: Guest) -> None:
    content = encoded("JPEG", drawing(7000, 5000))
    picture = await sent(one, content)
    assert (picture["width"], picture["height"]) == (7000, 5000)
    with Image.open(BytesIO(await shown(one, picture))) as drawn:
        assert 11_000_000 < drawn.width * drawn.height <= 12_100_000
        assert abs(drawn.width / drawn.height - 1.4) < 0.01
    assert original(scene.stack, content).read_bytes() == content


async def test_the_copy_can_do_nothing_wherever_it_is_opened(one: Guest, lin: Agent) -> None:
    picture = await sent(one, encoded("PNG"))
    for answer, kept in (
        (await one.customer.http.get(address(one, picture)), "private"),
        # On a desk that several share, a picture stays in no browser.
        (await lin.http.get(address(one, picture).replace("/api/", "/api/staff/")), "no-store"),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["content-disposition"] == 'inline; filename="picture.jpg"'
        assert answer.headers["cache-control"].startswith(kept)
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_nobody_else_learns_that_a_picture_exists(
    scene: Scene, one: Guest, lin: Agent
) -> None:
    picture = await sent(one, encoded("PNG"))
    own = address(one, picture)
    async with guest(scene.stack, name="旁人") as other:
        await other.post("房间没打扫")
        await other.enter()
        foreign = await sent(other, encoded("PNG", drawing(99, 99)))
        tries = {
            "another's": (other, own),
            "another's, as if in one's own chat": (other, address(other, picture)),
            "one's own, as if in another's chat": (other, address(one, foreign)),
            "in the room": (one, f"/api/conversations/{one.thread}/pictures/{picture['id']}"),
            "never made": (one, address(one, {"id": new_id("p")})),
            "nonsense": (one, address(one, {"id": "x"})),
            "a path": (one, address(one, {"id": "..%2F..%2Fsecrets.json"})),
            "half a character": (one, address(one, {"id": "%ff%00"})),
        }
        for kind, (who, path) in tries.items():
            answer = await who.customer.http.get(path)
            assert (answer.status_code, answer.json()) == (404, NOT_FOUND), kind
    async with httpx.AsyncClient(
        base_url=scene.stack.url, trust_env=False, timeout=PATIENCE
    ) as nobody:
        answer = await nobody.get(own)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
        answer = await nobody.get(own.replace("/api/", "/api/staff/"))
        assert answer.status_code == 401
        # A customer's cookie is no login, and a login is no customer's cookie.
        assert (await lin.http.get(own)).status_code == 404
    async with Agent(scene.stack, scene.stranger) as qing:
        answer = await qing.http.get(own.replace("/api/", "/api/staff/"))
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


async def test_staff_see_it_from_both_sides_of_the_case(one: Guest, lin: Agent) -> None:
    picture = await sent(one, encoded("PNG"))
    whole = await lin.whole(one.conversation)
    event = next(event for event in whole["private"] if event.get("picture"))
    assert (event["picture"], event["text"]) == (picture, "[图片]")
    _, row = await lin.row(one.conversation)
    assert row["last"] == "[图片]"
    for side in (one.conversation, one.thread):
        path = f"/api/staff/conversations/{side}/pictures/{picture['id']}"
        assert (await lin.http.get(path)).status_code == 200
    with one.store.write() as db:
        db.execute(
            update(conversations).where(conversations.c.id == one.thread).values(case_id=None)
        )
    path = f"/api/staff/conversations/{one.thread}/pictures/{picture['id']}"
    assert (await lin.http.get(path)).status_code == 404


async def test_a_file_that_is_gone_is_not_found_and_logged(scene: Scene, one: Guest) -> None:
    content = encoded("PNG", drawing(77, 77))
    picture = await sent(one, content)
    original(scene.stack, content).with_suffix(".jpg").unlink()
    answer = await one.customer.http.get(address(one, picture))
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    lost = [line for line in scene.stack.log("desk").splitlines() if "picture lost" in line]
    assert any(picture["id"] in line for line in lost)
    # Sent once more it is there again.
    await sent(one, content)
    assert await shown(one, picture)


# --- what is refused ------------------------------------------------------------------------

NO_PICTURES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\xff",
    "text": lambda: "你好".encode() * 100,
    "svg": lambda: SVG,
    "svg with a declaration": lambda: b'<?xml version="1.0"?>' + SVG,
    "html": lambda: PAGE,
    "html behind the head of a png": lambda: PNG + PAGE,
    "html behind the head of a jpeg": lambda: b"\xff\xd8\xff\xe0" + PAGE,
    "html behind the head of a gif": lambda: b"GIF89a" + PAGE,
    "html behind a whole png": lambda: encoded("PNG") + PAGE,
    "html in the comment of a jpeg": lambda: encoded("JPEG", comment=PAGE),
    "svg behind a whole gif": lambda: encoded("GIF") + SVG,
    "php behind a whole jpeg": lambda: encoded("JPEG") + b"<?php system($_GET[0]); ?>",
    "archive behind a whole gif": lambda: encoded("GIF") + b"PK\x05\x06" + bytes(18),
    "pdf": lambda: b"%PDF-1.7\n%%EOF",
    "pdf in the comment of a jpeg": lambda: encoded("JPEG", comment=b"%PDF-1.7\n"),
    "bmp": lambda: encoded("BMP"),
    "tiff": lambda: encoded("TIFF"),
    "icon": lambda: encoded("ICO"),
    "heic": lambda: b"\0\0\0\x18ftypheic" + bytes(500),
    "head of a png": lambda: PNG,
    "half a png": lambda: encoded("PNG")[:400],
    "png without its end": lambda: encoded("PNG")[:-12],
    "png with a wrong checksum": lambda: encoded("PNG")[:-20] + b"\0" * 4 + encoded("PNG")[-16:],
    "half a jpeg": lambda: encoded("JPEG")[:2000],
    "three quarters of a jpeg": lambda: encoded("JPEG", quality=95)[: 3 * 2000],
    "half a webp": lambda: encoded("WEBP")[:300],
    "half a gif": lambda: encoded("GIF")[:900],
    "bomb": bomb,
    "endless line": lambda: bomb(40_000, 1),
    "webp bomb": webp_bomb,
    "scan bomb": scan_bomb,
}


@pytest.mark.parametrize("kind", NO_PICTURES)
async def test_what_is_no_picture_is_refused_and_not_kept(
    scene: Scene, one: Guest, kind: str
) -> None:
    content = NO_PICTURES[kind]()
    began = time.perf_counter()
    answer = await send(one, content, **{"Content-Type": "image/png"})
    assert refusal(answer) == (415, "bad_picture"), kind
    assert time.perf_counter() - began < 5
    assert rows(one) == []
    assert not original(scene.stack, content).exists()
    assert one.chat.find(text="[图片]") is None


async def test_more_than_ten_megabytes_are_refused_with_a_clear_sentence(one: Guest) -> None:
    content = encoded("PNG") + bytes(11 * MEGABYTE)
    answer = await send(one, content)
    assert refusal(answer) == (413, "too_large")
    assert "10MB" in answer.json()["error"]["message"]

    async def in_parts() -> AsyncIterator[bytes]:
        for place in range(0, len(content), 65_536):
            yield content[place : place + 65_536]

    # Sent in chunks nothing says beforehand how much it will be.
    path = f"/api/conversations/{one.conversation}/pictures?client_id={fresh()}"
    answer = await one.customer.http.post(path, content=in_parts())
    assert refusal(answer) == (413, "too_large")
    assert rows(one) == []
    # The connection is as good as before.
    await sent(one, encoded("PNG"))


async def test_exactly_ten_megabytes_are_taken(one: Guest) -> None:
    photo = encoded("JPEG")
    await sent(one, photo + bytes(MOST_BYTES - len(photo)))
    (row,) = rows(one)
    assert row.bytes == MOST_BYTES


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_endless_body_is_cut_off(scene: Scene, one: Guest, chunked: bool) -> None:
    host, port = "127.0.0.1", scene.stack.ports["desk"]
    _, writer = await asyncio.open_connection(host, port)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10 * 1024**3}"
    head = (
        f"POST /api/conversations/{one.conversation}/pictures?client_id={fresh()} HTTP/1.1\r\n"
        f"Host: {host}:{port}\r\nCookie: {one.customer.cookie}\r\n{length}\r\n\r\n"
    )
    part = bytes(MEGABYTE)
    if chunked:
        part = b"%x\r\n%b\r\n" % (len(part), part)
    written = 0
    try:
        async with asyncio.timeout(60):
            writer.write(head.encode())
            while written < 2048 * MEGABYTE:
                writer.write(part)
                await writer.drain()
                written += len(part)
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert written < 200 * MEGABYTE
    await sent(one, encoded("PNG"))


async def test_only_ones_own_private_chat_takes_pictures(scene: Scene, one: Guest) -> None:
    content = encoded("PNG", drawing(211, 99))
    async with guest(scene.stack, name="旁人") as other:
        for who, conversation in (
            (one, one.thread),
            (one, new_id("k")),
            (other, one.conversation),
            (other, other.thread),
        ):
            answer = await send(who, content, conversation=conversation)
            assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    path = f"/api/conversations/{one.conversation}/pictures?client_id={fresh()}"
    async with httpx.AsyncClient(
        base_url=scene.stack.url, trust_env=False, timeout=PATIENCE
    ) as nobody:
        answer = await nobody.post(path, content=content)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert rows(one) == []
    assert not original(scene.stack, content).exists()


async def test_another_sites_page_cannot_send_for_a_customer(one: Guest) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = await send(one, encoded("PNG"), Origin=origin)
        assert refusal(answer) == (403, "forbidden")
    assert (await send(one, encoded("PNG"), Origin=one.customer.base)).status_code == 200


@pytest.mark.parametrize("client_id", ["", "short", "entered", "编号编号编号编号", "a" * 65])
async def test_a_picture_needs_an_id_of_its_own(one: Guest, client_id: str) -> None:
    path = f"/api/conversations/{one.conversation}/pictures"
    answer = await one.customer.http.post(
        path, params={"client_id": client_id}, content=encoded("PNG")
    )
    assert refusal(answer) == (400, "bad_request")
    assert rows(one) == []


# --- once -----------------------------------------------------------------------------------


async def test_the_same_id_again_is_the_same_picture(one: Guest) -> None:
    client_id = fresh()
    first = await send(one, encoded("PNG"), client_id)
    # Whatever comes with it: a page that sends again sends the same.
    for content in (encoded("PNG"), encoded("JPEG", drawing(50, 60)), b"nonsense"):
        again = await send(one, content, client_id)
        assert again.json() == {"picture": first.json()["picture"], "repeated": True}
    assert len(rows(one)) == 1
    await caught_up(one.store, one.chat, f"private:{one.conversation}")
    assert len([event for event in one.chat.events if event.get("picture")]) == 1


async def test_the_same_id_at_the_same_moment_is_one_picture(one: Guest) -> None:
    client_id, content = fresh(), encoded("PNG", drawing(900, 700))
    answers = await asyncio.gather(*(send(one, content, client_id) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["picture"]["id"] for answer in answers}) == 1
    assert sorted(answer.json()["repeated"] for answer in answers) == [False, True, True]
    assert len(rows(one)) == 1
    await one.chat.event(client_id=client_id)
    await caught_up(one.store, one.chat, f"private:{one.conversation}")
    assert len([event for event in one.chat.events if event.get("picture")]) == 1


async def test_the_same_photo_may_be_sent_twice_and_lies_on_disk_once(
    scene: Scene, one: Guest
) -> None:
    content = encoded("PNG", drawing(123, 45))
    first, second = await sent(one, content), await sent(one, content)
    assert first["id"] != second["id"]
    files = original(scene.stack, content).parent.glob(f"{sha256(content).hexdigest()}*")
    assert len(list(files)) == 2, "the file and its copy"


async def test_the_id_of_a_text_is_no_picture(one: Guest) -> None:
    text = await one.send("房间没打扫")
    answer = await send(one, encoded("PNG"), text["client_id"])
    assert refusal(answer) == (400, "bad_request")
    assert rows(one) == []


async def test_a_page_that_goes_away_has_sent_it_all_the_same(one: Guest) -> None:
    client_id = fresh()
    sending = asyncio.create_task(send(one, encoded("JPEG", drawing(6000, 4000)), client_id))
    # Somewhere between the last byte and the answer.
    await asyncio.sleep(0.15)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    answer = await send(one, encoded("JPEG", drawing(6000, 4000)), client_id)
    assert answer.status_code == 200
    event = await one.chat.event(client_id=client_id)
    assert len(rows(one)) == 1
    await settled(one.store, event["id"])


# --- how much -------------------------------------------------------------------------------


async def test_twenty_pictures_a_day(one: Guest) -> None:
    for number in range(20):
        last = await sent(one, encoded("PNG", drawing(40 + number, 30)))
    answer = await send(one, encoded("PNG"))
    assert refusal(answer) == (429, "too_many")
    assert "20" in answer.json()["error"]["message"]
    with one.store.write() as db:
        day_before = stamp(utc_now() - timedelta(days=1, seconds=1))
        db.execute(
            update(pictures).where(pictures.c.id == last["id"]).values(created_at=day_before)
        )
    await sent(one, encoded("PNG"))
    assert (await send(one, encoded("PNG"))).status_code == 429


async def test_pictures_come_no_faster_than_messages(tmp_path: Path) -> None:
    limits = {"burst": 3, "per_second": 0.01, "sessions_per_minute": 1000}
    with (
        scripted_rasa() as rasa,
        running(tmp_path, "desk", rasa=[rasa.url], limits=limits) as stack,
    ):
        async with guest(stack) as one:
            await one.post("房间没打扫")
            await one.enter()
            answers = [await send(one, encoded("PNG")) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert refusal(answers[-1]) == (429, "too_fast")


async def test_one_customer_cannot_have_many_uploads_open(scene: Scene, one: Guest) -> None:
    gate = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PNG
        await gate.wait()

    path = f"/api/conversations/{one.conversation}/pictures"

    async def begin() -> httpx.Response:
        async with httpx.AsyncClient(
            base_url=scene.stack.url, trust_env=False, timeout=PATIENCE
        ) as http:
            http.headers["Cookie"] = one.customer.cookie
            return await http.post(path, params={"client_id": fresh()}, content=slowly())

    waiting = [asyncio.create_task(begin()) for _ in range(3)]
    await asyncio.sleep(0.5)
    answer = await send(one, encoded("PNG"))
    assert refusal(answer) == (429, "too_fast")
    gate.set()
    for refused in await asyncio.gather(*waiting):
        assert refusal(refused) == (415, "bad_picture")
    await sent(one, encoded("PNG"))


# --- on disk --------------------------------------------------------------------------------


async def test_only_the_desk_reads_the_files(scene: Scene, one: Guest) -> None:
    content = encoded("PNG")
    await sent(one, content)
    file = original(scene.stack, content)
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_what_was_half_written_is_swept_away_later(tmp_path: Path) -> None:
    album = Album(tmp_path / "pictures")
    album.sweep()
    name = album.keep(b"original", b"copy")
    place = tmp_path / "pictures" / name[:2]
    old, new = place / "a.0.tmp", place / "b.0.tmp"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    album.sweep()
    assert sorted(file.name for file in place.iterdir()) == sorted([name, f"{name}.jpg", "b.0.tmp"])
    assert album.copy_of(name) == b"copy"
    assert album.copy_of("0" * 64) is None


async def test_a_full_disk_is_an_error_and_leaves_nothing_behind(scene: Scene, one: Guest) -> None:
    files = (encoded("PNG", drawing(60, height)) for height in range(1, 999))
    content = next(file for file in files if not original(scene.stack, file).parent.exists())
    place = original(scene.stack, content).parent
    place.parent.mkdir(exist_ok=True)
    # Stands where the folder would have to be.
    place.write_bytes(b"")
    try:
        answer = await send(one, content)
        assert answer.status_code == 500
        assert rows(one) == []
    finally:
        place.unlink()
    await sent(one, content)


async def test_a_message_without_its_picture_says_so(one: Guest) -> None:
    """Whatever a person has done to the database by hand."""
    client_id = fresh()
    await sent(one, encoded("PNG"), client_id)
    await one.chat.event(client_id=client_id)
    with one.store.write() as db:
        db.execute(delete(pictures).where(pictures.c.conversation_id == one.conversation))
    assert refusal(await send(one, encoded("PNG"), client_id)) == (400, "bad_request")
