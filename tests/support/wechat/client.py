"""A small HTTP client: a crowd of customers shall cost the desk's machine, not the double."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from tests.support.wechat.wire import read_body


@dataclass(frozen=True)
class Reply:
    """What was answered."""

    status_code: int
    headers: httpx.Headers
    content: bytes

    @property
    def text(self) -> str:
        """The body as words."""
        return self.content.decode(errors="replace")


class NoReplyError(Exception):
    """There was no answer: refused, cut, or none of HTTP."""


class Client:
    """Keeps connections open. A call that is cancelled closes its own."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int], list[_Connection]] = defaultdict(list)

    async def call(
        self, method: str, url: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> Reply:
        """Call once.

        Raises:
            NoReplyError: There was no answer.
        """
        parts = urlsplit(url)
        place = parts.hostname or "", parts.port or 80
        target = f"{parts.path or '/'}?{urlencode(query)}"
        lines = [f"{method} {target} HTTP/1.1", f"Host: {place[0]}:{place[1]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        request = "\r\n".join(lines).encode("latin-1") + body
        while self._idle[place]:
            connection = self._idle[place].pop()
            if connection.reader.at_eof():
                connection.writer.close()
                continue
            return await self._over(connection, place, request)
        try:
            connection = _Connection(*await asyncio.open_connection(*place, limit=2**20))
        except OSError as error:
            raise NoReplyError(str(error)) from error
        return await self._over(connection, place, request)

    async def _over(
        self, connection: "_Connection", place: tuple[str, int], request: bytes
    ) -> Reply:
        kept = False
        try:
            connection.writer.write(request)
            await connection.writer.drain()
            reader = connection.reader
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ", 2)[1])
            pairs = [line.split(":", 1) for line in head[1:] if ":" in line]
            headers = httpx.Headers([(name, value.strip()) for name, value in pairs])
            content = await read_body(reader, {k.lower(): v for k, v in headers.items()})
            kept = headers.get("connection", "").lower() != "close"
            return Reply(status, headers, content)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
            raise NoReplyError(repr(error)) from error
        finally:
            if kept:
                self._idle[place].append(connection)
            else:
                connection.writer.transport.abort()

    async def close(self) -> None:
        """Close what is open."""
        for connections in self._idle.values():
            for connection in connections:
                connection.writer.close()
        self._idle.clear()


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
