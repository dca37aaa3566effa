"""A page that goes away at the wrong moment takes nothing along: what is stored is answered."""

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import websockets

from recovery.store import conversations, customers, invitations
from recovery.store.database import Database
from tests.crash.lasting import LastingCustomer
from tests.support.stack import Stack, running, wait_until

ROOM = "qinghe-square"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk alone: without Rasa it gives every conversation to a person after a second."""
    folder = tmp_path_factory.mktemp("desk")
    with running(folder, "desk", give_up_seconds=0.5, rasa_seconds=0.5) as stack:
        yield stack


@contextmanager
def busy(stack: Stack) -> Iterator[None]:
    """Keep the desk's commits waiting for the length of the block."""
    db = sqlite3.connect(stack.data / "desk.sqlite3", timeout=30, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


def states(stack: Stack, external: str) -> list[str]:
    """States of the messages that have this external id."""
    db = sqlite3.connect(stack.data / "desk.sqlite3", timeout=30)
    rows = db.execute("SELECT state FROM inbox WHERE external_id = ?", (external,)).fetchall()
    db.close()
    return [row[0] for row in rows]


async def settled(stack: Stack, external: str) -> None:
    await asyncio.to_thread(
        wait_until, lambda: states(stack, external) == ["done"], "the message to be done", 30.0
    )


async def test_message_of_a_page_that_is_cut_off_is_answered(desk: Stack) -> None:
    async with LastingCustomer(desk.url) as customer:
        await customer.begin("qinghe", "小赵")
        page = await customer.room(ROOM)
        await page.until(lambda page: page.connected, "connection")
        message = uuid.uuid4().hex
        cookie = "; ".join(f"{name}={value}" for name, value in customer.http.cookies.items())
        socket = await websockets.connect(
            f"{desk.url.replace('http', 'ws')}/ws/room/{ROOM}",
            additional_headers={"Cookie": cookie},
            proxy=None,
        )
        await socket.recv()
        with busy(desk):
            await socket.send(json.dumps({"type": "say", "id": message, "text": "太失望了"}))
            # Its handler has begun when a later frame and a later request are answered ...
            await (await socket.ping())
            assert (await customer.http.get("/api/rooms")).status_code == 200
            # ... and waits for the commit when the line is cut, and is cancelled there.
            socket.transport.abort()
            assert (await customer.http.get("/api/rooms")).status_code == 200
        await settled(desk, message)
        await page.until(lambda page: message in page.ids, "the message, shown on another page")
        assert len(await page.answered(message)) == 1
        assert await page.acked(await page.say("太失望了", client=message)) == [True]


async def test_customer_who_closes_while_entering_is_greeted(desk: Stack) -> None:
    async with LastingCustomer(desk.url) as customer:
        await customer.begin("qinghe", "小赵")
        page = await customer.room(ROOM)
        await page.until(lambda page: page.connected, "connection")
        token = _invitation(desk, customer)
        with busy(desk):
            with pytest.raises(httpx.ReadTimeout):
                await customer.http.post(f"/api/invitations/{token}", timeout=1.0)
        await settled(desk, "entered")
        private = await customer.enter(token)
        await private.event(kind="owner", owner="queue")
        assert states(desk, "entered") == ["done"]


def _invitation(stack: Stack, customer: LastingCustomer) -> str:
    """An invitation such as the bot would give."""
    database = Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")
    now = datetime.now(UTC)
    try:
        with database.write() as db:
            cookie = customer.http.cookies["huixin_session"]
            known = customers.by_session(db, cookie, "qinghe")
            assert known is not None
            thread = conversations.of_room(db, known.id, ROOM)
            assert thread is not None
            key = stack.secrets["signing_key"]
            token, _ = invitations.issue(db, thread, timedelta(minutes=30), key, now)
    finally:
        database.close()
    return token
