"""A small HTTP server that can be told to fail as other people's servers fail."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_LONGEST = 32 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    r"""One request.

    Attributes:
        json: Of the body; None where it holds none. `\uXXXX` stays as it is written, since
            WeChat shows it so.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, which has to be an object.

        Raises:
            ValueError: It is none.
        """
        content = json.loads(re.sub(rb"(?<!\\)((?:\\\\)*)\\u", rb"\1\\\\u", self.body))
        if not isinstance(content, dict):
            raise ValueError("no object")
        return content


@dataclass(frozen=True)
class Answer:
    """One answer. `files` are sent as they are, all else as JSON."""

    content: Any
    status: int = 200
    type: str = "application/json; encoding=utf-8"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """As sent."""
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content, ensure_ascii=False).encode()


@dataclass
class Fault:
    """How the next calls of a path fail.

    Attributes:
        answer: Instead of carrying the call out.
        after: Instead of the true answer, the call carried out.
        seconds: How long the answer takes, the call carried out at once.
        drop: The connection is cut instead of an answer, the call carried out.
        when: Which bodies it concerns.
        times: How often; None: until it is taken back.
    """

    answer: Answer | None = None
    after: Answer | None = None
    seconds: float = 0.0
    drop: bool = False
    when: Callable[[dict[str, Any]], bool] | None = None
    times: int | None = 1


class Server:
    """Serves on one event loop; every call goes through `handle`, or through `failed`."""

    def __init__(
        self,
        handle: Callable[[Request], Awaitable[Answer]],
        failed: Callable[[Request, Answer], None],
    ) -> None:
        self._handle = handle
        self._failed = failed
        self._server: asyncio.Server | None = None
        self._served: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self.port = 0
        self.faults: dict[str, list[Fault]] = {}

    @property
    def listening(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    async def listen(self, port: int | None = None) -> None:
        """Begin, on the port from before if there was one."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port if port is None else port))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(
            self._serve, sock=listener, limit=2**20, backlog=512
        )

    async def deafen(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._server is None:
            return
        self._server.close()
        tasks = [task for task in self._served.values() if task]
        for writer in self._served:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served[writer] = asyncio.current_task()
        # Callers go away, and so does the server; nobody waits for the end of this.
        gone = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError)
        try:
            with suppress(*gone):
                while await self._one(reader, writer):
                    pass
        finally:
            del self._served[writer]
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        parts = urlsplit(target)
        body = await read_body(reader, headers)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(method, parts.path, query, headers, body)
        fault = self._fault(request)
        if fault and fault.answer:
            answer = fault.answer
            self._failed(request, answer)
        else:
            answer = await self._handle(request)
        if fault and fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault and fault.drop:
            writer.transport.abort()
            return False
        if fault and fault.after:
            answer = fault.after
        writer.write(_head(answer) + answer.body)
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    def _fault(self, request: Request) -> Fault | None:
        waiting = self.faults.get(request.path, [])
        for fault in waiting:
            if fault.when:
                try:
                    if not fault.when(request.json):
                        continue
                except ValueError:
                    continue
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    waiting.remove(fault)
            return fault
        return None


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The body that belongs to headers (their names in small letters).

    Raises:
        ValueError: It is too long, or not told of as HTTP has it.
        asyncio.IncompleteReadError: It ends before its end.
    """
    if headers.get("transfer-encoding", "").lower() == "chunked":
        whole = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            whole += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return whole
    size = int(headers.get("content-length", 0))
    if size > _LONGEST:
        raise ValueError("too long")
    return await reader.readexactly(size) if size else b""


def _head(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} Answer",
        f"Content-Type: {answer.type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def uploaded(request: Request) -> tuple[str, bytes]:
    """Name and content of the file in a form.

    Raises:
        ValueError: There is none.
    """
    found = re.search(r'boundary="?([^";]+)"?', request.headers.get("content-type", ""))
    if not found:
        raise ValueError("no form")
    for part in request.body.split(b"--" + found[1].encode()):
        head, gap, content = part.partition(b"\r\n\r\n")
        if gap and b'name="media"' in head:
            name = re.search(rb'filename="([^"]*)"', head)
            if name and content.endswith(b"\r\n"):
                return name[1].decode(), content[:-2]
    raise ValueError("no field media with a file")
