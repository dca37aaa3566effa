"""A customer whose pages outlast every crash of the desk, as the pages of `web/` do.

A page reconnects from the last numbers it has seen and sends again, under the same ids, what has
no ack yet. While it reads it checks what must always hold: no number is missing or comes twice,
and no event is shown twice.
"""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import httpx
import websockets

Event = dict[str, Any]

# As patient as a test may be: a process that was killed needs its time on a busy machine.
PATIENCE = 240.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.8
# The desk's own close codes say that this session may not be here, which a crash must not cause.
_TURNED_AWAY = 4000


class LastingPage:
    """One open page."""

    def __init__(
        self, base: str, path: str, cookie: str, seen: dict[str, int], patience: float
    ) -> None:
        """Prepare.

        Args:
            base: Address of the desk.
            path: `/ws/room/<room>` or `/ws/conversation/<id>`.
            cookie: The session.
            seen: Its streams, each with the number to begin after.
            patience: Seconds to wait for anything.
        """
        self._address = f"{base.replace('http', 'ws', 1)}{path}"
        self.path = path
        self.conversation = path.rpartition("/")[2]
        self._cookie = cookie
        self._patience = patience
        self.last = dict(seen)
        self.events: dict[str, Event] = {}
        self.acks: defaultdict[str, list[bool]] = defaultdict(list)
        self.unacked: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, str] = {}
        self.answers: defaultdict[str, list[Event]] = defaultdict(list)
        self.connected = 0
        self._socket: websockets.ClientConnection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        """Open, and stay open."""
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; what the page has found wrong is raised here at the latest."""
        keeper = self._keeper
        if keeper is None:
            return
        if keeper.done():
            keeper.result()
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    async def _keep(self) -> None:
        try:
            pause = _FIRST_PAUSE
            while True:
                try:
                    async with self._opened() as socket:
                        pause = _FIRST_PAUSE
                        self.connected += 1
                        for frame in tuple(self.unacked.values()):
                            await socket.send(json.dumps(frame))
                        async for raw in socket:
                            await self._take(json.loads(raw))
                except websockets.ConnectionClosed as error:
                    code = error.rcvd.code if error.rcvd else 0
                    assert code < _TURNED_AWAY, f"turned away: {error}"
                except (OSError, EOFError, TimeoutError, websockets.WebSocketException):
                    # The desk is down or comes up.
                    pass
                finally:
                    self._socket = None
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            async with self._news:
                self._news.notify_all()

    def _opened(self) -> Any:  # noqa: ANN401 - an async context manager
        own = max((n for stream, n in self.last.items() if stream.startswith("own:")), default=0)
        others = (n for stream, n in self.last.items() if not stream.startswith("own:"))
        connecting = websockets.connect(
            f"{self._address}?after={max(others, default=0)}&own={own}",
            additional_headers={"Cookie": self._cookie},
            compression=None,
            open_timeout=20,
            close_timeout=2,
            proxy=None,
        )
        return _Opened(connecting, self)

    async def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        assert kind != "refused", frame
        if kind == "ack":
            self.acks[frame["id"]].append(frame["repeated"])
            self.unacked.pop(frame["id"], None)
        elif kind == "event":
            self._show(frame["stream"], frame["seq"], frame["event"])
        async with self._news:
            self._news.notify_all()

    def _show(self, stream: str, seq: int, event: Event) -> None:
        expected = self.last[stream] + 1
        # Of an old room a newcomer gets the latest part only.
        begins = expected == 1 and stream.startswith("room:")
        assert seq == expected or begins, f"{stream} shows {seq} instead of {expected}"
        self.last[stream] = seq
        event_id = event["id"]
        assert event_id not in self.events, f"shown twice: {event_id}"
        self.events[event_id] = event
        if event.get("client_id"):
            self.ids[event["client_id"]] = event_id
        source, dot, _ = event_id.partition(".")
        if dot:
            # An offer has the number of the message that brought it about.
            self.answers[f"m{source[1:]}"].append(event)

    async def say(self, text: str, *, button: str | None = None, client: str | None = None) -> str:
        """Send a message, and again at each new connection until it is acked; gives its id."""
        client = client or uuid.uuid4().hex
        frame: dict[str, Any] = {"type": "say", "id": client, "text": text}
        if button:
            frame["button"] = button
        self.unacked[client] = frame
        if self._socket is not None:
            try:
                await self._socket.send(json.dumps(frame))
            except websockets.ConnectionClosed:
                # The next connection sends it.
                pass
        return client

    async def until(self, check: Callable[["LastingPage"], Any], what: str) -> Any:  # noqa: ANN401
        """Wait until a check on this page gives something true, and give it."""
        async with self._news:
            try:
                async with asyncio.timeout(self._patience):
                    while not (found := check(self)):
                        if self._keeper and self._keeper.done():
                            self._keeper.result()
                        await self._news.wait()
                    return found
            except TimeoutError:
                raise AssertionError(f"no {what}; shown: {list(self.events)[-12:]}") from None

    def find(self, **wanted: Any) -> Event | None:  # noqa: ANN401 - values of an event
        """The latest event with these values."""
        for event in reversed(self.events.values()):
            if all(event.get(name) == value for name, value in wanted.items()):
                return event
        return None

    async def event(self, **wanted: Any) -> Event:  # noqa: ANN401 - values of an event
        """Wait for an event with these values."""
        found: Event = await self.until(lambda page: page.find(**wanted), f"event {wanted}")
        return found

    async def acked(self, client: str) -> list[bool]:
        """Wait for the ack of a message; gives `repeated` of each ack so far."""
        await self.until(lambda page: client in page.acks, f"ack of {client}")
        return self.acks[client]

    async def up_to(self, stream: str, seq: int) -> None:
        """Wait until a stream is shown up to a number."""
        await self.until(lambda page: page.last[stream] >= seq, f"{stream} up to {seq}")

    def spoken(self, client: str) -> list[Event]:
        """The sentences that answer a message: of the bot, or of the desk in its place."""
        return [
            event
            for event in self.answers[self.ids.get(client, client)]
            if event["kind"] == "message" and not event["id"].endswith(".hold")
        ]

    async def answered(self, client: str) -> list[Event]:
        """Wait for the answer to a message."""
        found: list[Event] = await self.until(lambda page: page.spoken(client), f"answer {client}")
        return found


class _Opened:
    """A connection that the page may send on as long as it is open."""

    def __init__(self, connecting: Any, page: LastingPage) -> None:  # noqa: ANN401 - of websockets
        self._connecting = connecting
        self._page = page

    async def __aenter__(self) -> websockets.ClientConnection:
        socket: websockets.ClientConnection = await self._connecting.__aenter__()
        self._page._socket = socket
        return socket

    async def __aexit__(self, *error: Any) -> None:  # noqa: ANN401 - as of every context manager
        self._page._socket = None
        await self._connecting.__aexit__(*error)


class LastingCustomer:
    """One browser session, whose requests are sent again until they are answered."""

    def __init__(
        self,
        base: str,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Begin without a session.

        Args:
            base: Address of the desk.
            transport: Shared by many customers; it is theirs to close then.
            patience: Seconds to wait for anything.
        """
        self.base = base
        self._shared = transport
        self._patience = patience
        transport = transport or httpx.AsyncHTTPTransport()
        self.http = httpx.AsyncClient(
            base_url=base, timeout=30, transport=transport, trust_env=False
        )
        self._pages = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *error: Any) -> None:  # noqa: ANN401 - as of every context manager
        """Close the pages and the connections."""
        await self._pages.__aexit__(*error)
        if self._shared is None:
            await self.http.aclose()

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401
        """Send a request until there is an answer."""
        pause = _FIRST_PAUSE
        async with asyncio.timeout(self._patience):
            while True:
                try:
                    return await self.http.request(method, path, **more)
                except httpx.TransportError:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)

    async def begin(self, business: str, name: str) -> None:
        """Begin a session at a business."""
        body = {"business": business, "name": name}
        (await self.request("POST", "/api/session", json=body)).raise_for_status()

    async def open(self, path: str, seen: dict[str, int]) -> LastingPage:
        """Open a page, until the customer goes."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        page = LastingPage(self.base, path, cookie, seen, self._patience)
        return await self._pages.enter_async_context(page)

    async def room(self, room: str, after: int = 0) -> LastingPage:
        """Open a public room, at a number of its stream."""
        response = await self.request("GET", f"/api/rooms/{room}")
        response.raise_for_status()
        own = response.json()["conversation"]
        return await self.open(f"/ws/room/{room}", {f"room:{room}": after, f"own:{own}": 0})

    async def enter(self, token: str) -> LastingPage:
        """Use an invitation and open the private chat."""
        response = await self.request("POST", f"/api/invitations/{token}")
        response.raise_for_status()
        private = response.json()["conversation"]
        return await self.open(f"/ws/conversation/{private}", {f"private:{private}": 0})
