"""Customers and staff in tests: what each of them does, in one line."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

import httpx
import pytest
import websockets
from sqlalchemy import select, update

from recovery.ids import sign
from recovery.store import streams
from recovery.store.database import Database, stamp
from recovery.store.tables import inbox, invitations
from tests.support.customer import Customer, Frame, Page
from tests.support.stack import Stack

ROOMS = {
    "lanting": "lanting-lobby",
    "qinghe": "qinghe-square",
    "xiaoguan": "xiaoguan-table",
    "hengji": "hengji-counter",
    "wutong": "wutong-yard",
    "yuanxing": "yuanxing-station",
}
# What a turn may take on a machine that others use as well.
PATIENCE = 40.0

T = TypeVar("T")


def database(stack: Stack) -> Database:
    """The desk's database, for looking at what no page shows and for turning clocks back."""
    return Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")


async def until(check: Any, patience: float = PATIENCE) -> Any:  # noqa: ANN401 - any check
    """Wait for something that no event tells of: a row in the database of another process."""
    async with asyncio.timeout(patience):
        while not (found := check()):  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(0.02)
        return found


async def settled(store: Database, message_id: str) -> None:
    """Wait until the desk has done with a message."""

    def done() -> bool:
        with store.read() as db:
            return db.execute(select(inbox.c.state).where(inbox.c.id == message_id)).scalar() == (
                "done"
            )

    await until(done)


async def caught_up(store: Database, page: Page, *names: str) -> None:
    """Wait until a page has everything that is committed to its streams."""
    with store.read() as db:
        last = {name: streams.last(db, name) for name in names}
    await page.until(
        lambda seen: all(seen.last.get(name, 0) >= number for name, number in last.items()),
        PATIENCE,
    )


class Guest:
    """A customer with a room open; `enter` opens the private chat."""

    def __init__(self, store: Database, customer: Customer, business: str, me: Frame) -> None:
        self.store = store
        self.customer = customer
        self.business = business
        self.id: str = me["id"]
        self.name: str = me["name"]
        self.room_name = ROOMS[business]
        self.room = customer.room(self.room_name)
        self.thread = ""
        self.conversation = ""
        self.chat: Page

    @property
    def room_streams(self) -> tuple[str, str]:
        return f"room:{self.room_name}", f"own:{self.thread}"

    @property
    def seen(self) -> list[Frame]:
        """Everything that this customer's room page was shown."""
        return self.room.events

    async def up_to_date(self) -> None:
        await caught_up(self.store, self.room, *self.room_streams)

    async def post(self, text: str) -> Frame:
        """Post into the room and wait until the desk has done with it; the post as shown."""
        message_id = await self.room.say(text)
        answer = await self.room.answered(message_id)
        assert answer["type"] == "ack", answer
        mine = await self.room.event(client_id=message_id)
        await settled(self.store, mine["id"])
        await self.up_to_date()
        return mine

    def answers(self, post: Frame) -> list[Frame]:
        """The bot's answers to a post, those that only its author sees included."""
        return [event for event in self.seen if event.get("reply_to") == post["id"]]

    def calls(self) -> list[Frame]:
        """The invitations and reminders seen so far."""
        return [event for event in self.seen if event["kind"] in ("invitation", "reminder")]

    async def enter(self, token: str | None = None) -> list[Frame]:
        """Use the latest invitation; gives what the bot says first."""
        self.conversation = await self.customer.enter(token or self.calls()[-1]["token"])
        self.chat = self.customer.private(self.conversation)
        await self.chat.connect()
        entered = await until(lambda: self._message("entered"))
        await settled(self.store, entered)
        await self.chat_up_to_date()
        return list(self.chat.events)

    def _message(self, external_id: str) -> str | None:
        with self.store.read() as db:
            return db.execute(
                select(inbox.c.id).where(
                    inbox.c.conversation_id == self.conversation,
                    inbox.c.external_id == external_id,
                )
            ).scalar()

    async def chat_up_to_date(self) -> None:
        await caught_up(self.store, self.chat, f"private:{self.conversation}")

    async def send(self, text: str, button: str | None = None) -> Frame:
        """Say something in private; the message as shown, the answer not awaited."""
        message_id = await self.chat.say(text, button=button)
        answer = await self.chat.answered(message_id)
        assert answer["type"] == "ack", answer
        return await self.chat.event(client_id=message_id)

    async def tell(self, text: str, button: str | None = None) -> list[Frame]:
        """Say something in private; gives all that followed."""
        mine = await self.send(text, button)
        await settled(self.store, mine["id"])
        await self.chat_up_to_date()
        return self.chat.events[self.chat.events.index(mine) + 1 :]

    async def close(self) -> None:
        await self.room.disconnect()
        if self.conversation:
            await self.chat.disconnect()
        self.store.close()


@asynccontextmanager
async def guest(
    stack: Stack,
    business: str = "lanting",
    name: str = "阿明",
    *,
    store: Database | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> AsyncIterator[Guest]:
    """A customer who has just opened the room of a business.

    Args:
        stack: Where.
        business: Which.
        name: What the customer is called.
        store: The desk's database where it is not the usual SQLite file.
        **more: What the page sends beside business and name, for example `identity`.
    """
    async with Customer(stack.url) as customer:
        me = await customer.begin(business, name, **more)
        one = Guest(store or database(stack), customer, business, me)
        answer = await customer.http.get(f"/api/rooms/{one.room_name}")
        one.thread = answer.json()["conversation"]
        # What other tests have left in the room is not read again by every new customer.
        with one.store.read() as db:
            one.room.last[f"room:{one.room_name}"] = streams.last(db, f"room:{one.room_name}")
        await one.room.connect()
        try:
            await one.up_to_date()
            yield one
        finally:
            await one.close()


def open_socket(stack: Stack, path: str, **headers: str) -> websockets.connect:
    """A bare socket, for what the pages never send; it reads on however much is unread."""
    address = stack.url.replace("http", "ws", 1) + path
    return websockets.connect(address, additional_headers=headers, proxy=None, max_queue=None)


async def closed(page: websockets.ClientConnection) -> tuple[int, str]:
    """Wait until the desk closes a socket; its code and reason."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(websockets.ConnectionClosed) as end:
            while True:
                await page.recv()
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


async def close_code(stack: Stack, path: str, **headers: str) -> tuple[int, str]:
    """How the desk turns away whoever opens a socket here."""
    async with open_socket(stack, path, **headers) as page:
        return await closed(page)


ANGRY = {
    "lanting": "房间没打扫干净，床单上还有头发，太恶心了，气死我了！！",
    "qinghe": "你们给我发错货了！我要的根本不是这个，太气人了，赶紧给我处理！！",
}


async def complain(one: Guest, text: str | None = None) -> list[Frame]:
    """Post an angry complaint and go into private; gives what the bot says first there."""
    await one.post(text or ANGRY[one.business])
    return await one.enter()


def words(events: list[Frame]) -> str:
    """All that was said, in one text."""
    return "\n".join(str(event.get("text", "")) for event in events)


def offers(events: list[Frame]) -> list[Frame]:
    return [event for event in events if event["kind"] == "offer"]


def the_button(events: list[Frame], title: str) -> str:
    """The latest quick reply of this title."""
    tokens = [
        button["token"]
        for event in events
        for button in event.get("buttons") or ()
        if button["title"] == title
    ]
    return str(tokens[-1])


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part for part in re.split(r"[。！？!?]+", text) if part.strip()]


SORRY = re.compile(r"抱歉|道歉|对不起|对不住|歉意|赔不是|不好意思|赔礼|致歉|欠您")


def signed_identity(stack: Stack, business: str, customer: str, minutes: float = 10) -> str:
    """What the host site of a business puts into its page for a customer who is logged in."""
    expires = (datetime.now(UTC) + timedelta(minutes=minutes)).timestamp()
    content = {"customer": customer, "business": business, "exp": expires}
    return sign(content, stack.secrets["identity_keys"][business], "identity")


def expire_invitations(store: Database, customer_id: str) -> None:
    """Let the time of a customer's invitations run out."""
    with store.write() as db:
        db.execute(
            update(invitations)
            .where(invitations.c.customer_id == customer_id)
            .values(expires_at=stamp(datetime.now(UTC) - timedelta(seconds=1)))
        )


@dataclass(frozen=True)
class Login:
    """A member of staff who has logged in."""

    id: int
    name: str
    cookie: str
    csrf: str


def log_in(stack: Stack, login: str, password: str) -> Login:
    """Log in once; the login serves many tests."""
    with httpx.Client(base_url=stack.url, timeout=20, trust_env=False) as http:
        answer = http.post("/api/staff/login", json={"login": login, "password": password})
        answer.raise_for_status()
        content = answer.json()
        return Login(
            content["staff"]["id"],
            content["staff"]["name"],
            answer.cookies["huixin_staff"],
            content["csrf"],
        )


class Agent:
    """The page of a member of staff."""

    def __init__(self, stack: Stack, login: Login) -> None:
        self.login = login
        self.name = login.name
        self.owner = f"staff:{login.id}"
        self.cookie = f"huixin_staff={login.cookie}"
        self._stack = stack
        self.http = httpx.AsyncClient(
            base_url=stack.url,
            timeout=20,
            trust_env=False,
            headers={"Cookie": self.cookie, "X-CSRF": login.csrf},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def act(self, conversation: str, what: str, **body: object) -> httpx.Response:
        """`take`, `answer` or `give_back`; the answer as it comes."""
        return await self.http.post(f"/api/staff/conversations/{conversation}/{what}", json=body)

    async def done(self, conversation: str, what: str, **body: object) -> Frame:
        """The same, and it must succeed."""
        answer = await self.act(conversation, what, **body)
        assert answer.status_code == 200, answer.text
        content: Frame = answer.json()
        return content

    async def rows(self) -> list[Frame]:
        """All rows that this account is shown."""
        answer = await self.http.get("/api/staff/conversations")
        rows: list[Frame] = answer.json()["rows"]
        return rows

    async def row(self, conversation: str) -> tuple[str, Frame]:
        """In which list a conversation stands (`queue`, `bot`, `mine`, `others`), and its row."""
        [found] = [row for row in await self.rows() if row["id"] == conversation]
        owner = found["owner"]
        if owner in ("queue", "bot"):
            return owner, found
        return "mine" if owner == self.owner else "others", found

    async def whole(self, conversation: str) -> Frame:
        answer = await self.http.get(f"/api/staff/conversations/{conversation}")
        content: Frame = answer.json()
        return content

    def socket(self) -> websockets.connect:
        return open_socket(self._stack, "/ws/staff", Cookie=self.cookie)
