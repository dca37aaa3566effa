"""Customers as a load: what sends a message and waits for its answer, as lightly as possible.

They run on the machine that is measured, so each is a few dozen lines over a bare connection.
"""

import asyncio
import json
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import websockets

ANSWER_SECONDS = 30.0


class UnansweredError(RuntimeError):
    """A message got no answer of the bot's."""


class Talk(Protocol):
    """One conversation with a bot."""

    async def say(self, text: str) -> float:
        """Send a message and wait for the bot's answer.

        Returns:
            Seconds between the two.

        Raises:
            UnansweredError: None came, or a person's turn has come.
        """
        ...

    async def close(self) -> None:
        """Leave."""
        ...


class Connection:
    """One kept HTTP connection, for JSON."""

    def __init__(self, url: str) -> None:
        """Prepare; the connection is opened when it is needed.

        Args:
            url: Scheme, host and port.
        """
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        """Post JSON and read the JSON that comes back.

        Raises:
            UnansweredError: The status is not 200, or the answer did not come in time.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._post(path, json.dumps(body).encode())
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            await self.close()
            raise UnansweredError(f"{path}: {type(error).__name__} {error}") from error

    async def _post(self, path: str, body: bytes) -> Any:  # noqa: ANN401 - any JSON
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(
            int(line.partition(":")[2])
            for line in head.split("\r\n")
            if line.startswith("content-length:")
        )
        answer = await reader.readexactly(length)
        if head.split(" ", 2)[1] != "200":
            raise UnansweredError(f"{path}: {head.splitlines()[0]}")
        return json.loads(answer)

    async def close(self) -> None:
        """Close it; the next request opens a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class RestTalk:
    """A conversation over Rasa's own `rest` channel."""

    def __init__(self, url: str, sender: str) -> None:
        """Begin a conversation.

        Args:
            url: Address of the Rasa server.
            sender: Rasa's id of the conversation.
        """
        self._connection = Connection(url)
        self._sender = sender

    async def say(self, text: str) -> float:
        """See `Talk`."""
        began = perf_counter()
        answer = await self._connection.post(
            "/webhooks/rest/webhook", {"sender": self._sender, "message": text}
        )
        if not any(one.get("text") for one in answer):
            raise UnansweredError(f"nothing was said to {text!r}")
        return perf_counter() - began

    async def close(self) -> None:
        """See `Talk`."""
        await self._connection.close()


async def open_socket(url: str, path: str, cookie: str) -> websockets.ClientConnection:
    """Open a page's socket.

    Args:
        url: Address of the desk.
        path: Of the socket.
        cookie: The session, as a header.
    """
    return await websockets.connect(
        url.replace("http", "ws", 1) + path,
        additional_headers={"Cookie": cookie},
        compression=None,
        ping_interval=None,
        open_timeout=ANSWER_SECONDS,
        proxy=None,
    )


class PageTalk:
    """A conversation on a page of the desk, over its socket.

    The answer to a message is the first event of the bot's that belongs to it. The others of the
    same turn come in the same moment, since the desk commits and publishes them together.
    """

    def __init__(self, socket: websockets.ClientConnection) -> None:
        """Take over an open page.

        Args:
            socket: The connection.
        """
        self._socket = socket
        self._sent = 0
        self._closed = False

    @classmethod
    async def open(cls, url: str, path: str, cookie: str) -> Self:
        """Open a page.

        Args:
            url: Address of the desk.
            path: `/ws/room/<room>` or `/ws/conversation/<id>`.
            cookie: The session, as a header.
        """
        return cls(await open_socket(url, path, cookie))

    async def __aenter__(self) -> Self:
        """Nothing more to open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave."""
        await self.close()

    async def send(self, text: str) -> str:
        """Send a message; gives the page's id of it."""
        self._sent += 1
        client_id = f"bench-{self._sent:08d}"
        await self._socket.send(json.dumps({"type": "say", "id": client_id, "text": text}))
        return client_id

    async def _frame(self, kind: str) -> dict[str, Any]:
        """Wait for the next frame of a kind, passing over the others."""
        try:
            while True:
                frame: dict[str, Any] = json.loads(await self._socket.recv())
                if frame["type"] == "refused":
                    raise UnansweredError(f"refused: {frame['code']}")
                if frame["type"] == kind:
                    return frame
        except websockets.ConnectionClosed as error:
            raise UnansweredError(f"the page was closed: {error}") from error

    async def event(self) -> dict[str, Any]:
        """Wait for the next event of the page's streams.

        Raises:
            UnansweredError: A message was refused, or the page was closed.
        """
        event: dict[str, Any] = (await self._frame("event"))["event"]
        return event

    async def settled(self) -> None:
        """Wait until all that came before has been sent to the page, and pass over it."""
        await self._socket.send(json.dumps({"type": "ping"}))
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._frame("pong")

    async def opened(self) -> None:
        """Wait until the bot has spoken first."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while (await self.event()).get("author") != "bot":
                pass

    async def say(self, text: str) -> float:
        """See `Talk`."""
        began = perf_counter()
        client_id = await self.send(text)
        turn = "none"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    event = await self.event()
                    if event.get("client_id") == client_id:
                        turn = event["id"] + ".r"
                    elif event["kind"] == "owner" and event["owner"] != "bot":
                        raise UnansweredError("the bot handed the conversation over")
                    elif event["id"].startswith(turn):
                        return perf_counter() - began
        except TimeoutError as error:
            raise UnansweredError(f"no answer to {text!r}") from error

    async def close(self) -> None:
        """See `Talk`."""
        if not self._closed:
            self._closed = True
            await self._socket.close()
