"""A customer as a program: a session, sockets that reconnect, messages with ids."""

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx
import websockets

Frame = dict[str, Any]
# Reading the certificates takes 80 ms, too much to do it for each of hundreds of customers.
_TLS = ssl.create_default_context()


class Page:
    """One open page: collects frames and remembers the last numbers, as the real page does."""

    def __init__(self, base: str, path: str, cookie: str) -> None:
        """Prepare.

        Args:
            base: Address of the desk.
            path: `/ws/room/<room>` or `/ws/conversation/<id>`.
            cookie: The session.
        """
        self._base = base.replace("http", "ws", 1)
        self._path = path
        self._cookie = cookie
        self.last: dict[str, int] = {}
        self.events: list[Frame] = []
        self.frames: list[Frame] = []
        self._socket: websockets.ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self.disconnect()

    async def connect(self) -> None:
        """Open the socket from the last numbers seen."""
        after = max([0, *(n for s, n in self.last.items() if not s.startswith("own:"))])
        own = max([0, *(n for s, n in self.last.items() if s.startswith("own:"))])
        self._socket = await websockets.connect(
            f"{self._base}{self._path}?after={after}&own={own}",
            additional_headers={"Cookie": self._cookie},
            max_size=2**20,
            open_timeout=20,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: websockets.ClientConnection) -> None:
        try:
            async for raw in socket:
                frame = json.loads(raw)
                frame["received"] = time.perf_counter()
                async with self._news:
                    self.frames.append(frame)
                    if frame["type"] == "event":
                        last = self.last.get(frame["stream"], 0)
                        # Of an old room a newcomer gets the latest part only.
                        begins = not last and frame["stream"].startswith("room:")
                        if frame["seq"] != last + 1 and not begins:
                            raise AssertionError(f"gap or double in {frame['stream']}")
                        self.last[frame["stream"]] = frame["seq"]
                        self.events.append(frame["event"])
                    self._news.notify_all()
        except websockets.ConnectionClosed:
            return

    async def disconnect(self) -> None:
        """Close the socket."""
        if self._socket:
            await self._socket.close()
        if self._reader:
            await self._reader

    async def send(self, frame: Frame | str | bytes) -> None:
        """Send anything."""
        if self._socket is None:
            raise AssertionError("not connected")
        await self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def say(self, text: str, message_id: str | None = None, button: str | None = None) -> str:
        """Send a message; gives its id."""
        message_id = message_id or uuid.uuid4().hex
        frame: Frame = {"type": "say", "id": message_id, "text": text}
        if button:
            frame["button"] = button
        await self.send(frame)
        return message_id

    async def until(self, check: Callable[["Page"], Any], patience: float = 30.0) -> Any:  # noqa: ANN401 - what the check gives
        """Wait until a check on this page gives something true, and give it."""
        async with self._news:
            async with asyncio.timeout(patience):
                while not (found := check(self)):
                    await self._news.wait()
                return found

    def find(self, **wanted: Any) -> Frame | None:  # noqa: ANN401 - values of an event
        """The latest event with these values."""
        return next(
            (
                event
                for event in reversed(self.events)
                if all(event.get(name) == value for name, value in wanted.items())
            ),
            None,
        )

    async def event(self, patience: float = 30.0, **wanted: Any) -> Frame:  # noqa: ANN401
        """Wait for an event with these values."""
        found: Frame = await self.until(lambda page: page.find(**wanted), patience)
        return found

    async def answered(self, message_id: str, patience: float = 30.0) -> Frame:
        """Wait for the ack or refusal of a message."""
        found: Frame = await self.until(
            lambda page: next(
                (
                    frame
                    for frame in page.frames
                    if frame["type"] in ("ack", "refused") and frame["id"] == message_id
                ),
                None,
            ),
            patience,
        )
        return found


class Customer:
    """One browser session at a desk."""

    def __init__(self, base: str) -> None:
        """Begin without a session.

        Args:
            base: Address of the desk.
        """
        self.base = base
        self.http = httpx.AsyncClient(base_url=base, timeout=20, trust_env=False, verify=_TLS)

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close connections."""
        await self.http.aclose()

    @property
    def cookie(self) -> str:
        """The session, as a header."""
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    async def begin(self, business: str, name: str = "客人", **more: Any) -> Frame:  # noqa: ANN401
        """Begin a session at a business."""
        response = await self.http.post(
            "/api/session", json={"business": business, "name": name, **more}
        )
        response.raise_for_status()
        customer: Frame = response.json()["customer"]
        return customer

    def room(self, room: str) -> Page:
        """The page of a public room."""
        return Page(self.base, f"/ws/room/{room}", self.cookie)

    def private(self, conversation: str) -> Page:
        """The page of a private chat."""
        return Page(self.base, f"/ws/conversation/{conversation}", self.cookie)

    async def enter(self, token: str) -> str:
        """Use an invitation; gives the private conversation."""
        response = await self.http.post(f"/api/invitations/{token}")
        response.raise_for_status()
        return str(response.json()["conversation"])
