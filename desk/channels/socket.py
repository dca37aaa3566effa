"""One open page: what was missed, then what happens, in order and without doubles."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sanic import Websocket
from sanic.exceptions import WebsocketClosed
from sqlalchemy import Connection
from websockets.exceptions import ConnectionClosed

from desk.context import Context
from recovery import faults
from recovery.store import streams
from recovery.store.streams import Entry

# A page that reads too slowly is dropped; it comes back and asks for what it missed.
_BACKLOG = 2000
# A page that was away longer gets the latest part of a room, not its whole history.
_CATCH_UP = 300


@dataclass(frozen=True)
class _End:
    """The socket is to be closed with this code."""

    code: int
    reason: str


View = Callable[[dict[str, Any]], dict[str, Any]]
GONE = (WebsocketClosed, ConnectionClosed)


class PageSocket:
    """Sends streams and signals to one page."""

    def __init__(self, context: Context, socket: Websocket, view: View) -> None:
        """Begin; nothing is sent before `run`.

        Args:
            context: The desk.
            socket: An accepted WebSocket.
            view: What this reader may see of an event.
        """
        self._context = context
        self._socket = socket
        self._view = view
        self._queue: asyncio.Queue[Entry | dict[str, Any] | _End] = asyncio.Queue()
        self._last: dict[str, int] = {}
        self._topics: set[str] = set()
        self._overrun = False

    def follow(self, stream: str, after: int) -> None:
        """Send a stream from a number on. Listening starts now, so nothing slips through."""
        self._last[stream] = after
        self._context.hub.listen(stream, self._put)

    def unfollow(self, stream: str) -> None:
        """Stop sending a stream."""
        if self._last.pop(stream, None) is not None:
            self._context.hub.leave(stream, self._put)

    def hear(self, topic: str) -> None:
        """Send the signals of a topic."""
        self._topics.add(topic)
        self._context.hub.hear_signals(topic, self.send)

    def end(self, code: int, reason: str) -> None:
        """Close the page's socket once it has read what was sent so far.

        Args:
            code: A close code, 4000 + the HTTP status of the same cause.
            reason: For the page's program.
        """
        self._put(_End(code, reason))

    def _put(self, item: "Entry | dict[str, Any] | _End") -> None:
        if self._queue.qsize() >= _BACKLOG:
            self._overrun = True
            return
        self._queue.put_nowait(item)

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame that is not numbered."""
        self._put(frame)

    async def catch_up(self, stream: str) -> None:
        """Send what the page has missed of a stream."""
        while stream in self._last:
            missed = await self._context.storage.read(_missed, stream, self._last[stream])
            if not missed:
                return
            for entry in missed:
                await self._deliver(entry)

    async def serve(self, reading: Coroutine[Any, Any, None]) -> None:
        """Read and send side by side until the page is gone.

        Args:
            reading: Reads the page's frames; ends when the page is gone.
        """
        tasks = {asyncio.create_task(reading), asyncio.create_task(self._pump())}
        try:
            done, _ = await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self) -> None:
        while not self._overrun:
            item = await self._queue.get()
            if isinstance(item, _End):
                await self._socket.close(item.code, item.reason)
                return
            if not isinstance(item, Entry):
                await self._write(item)
                if item["type"] == "ack":
                    faults.reach("message-acked")
                continue
            last = self._last.get(item.stream)
            if last is None or item.seq <= last:
                continue
            if item.seq > last + 1:
                await self.catch_up(item.stream)
            else:
                await self._deliver(item)
        await self._socket.close(1013, "too slow")

    async def _deliver(self, entry: Entry) -> None:
        self._last[entry.stream] = entry.seq
        await self._write(
            {
                "type": "event",
                "stream": entry.stream,
                "seq": entry.seq,
                "event": self._view(entry.event),
            }
        )
        faults.reach("event-sent")

    async def _write(self, frame: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))

    def close(self) -> None:
        """Stop listening."""
        for stream in tuple(self._last):
            self.unfollow(stream)
        for topic in self._topics:
            self._context.hub.leave_signals(topic, self.send)


def _missed(db: Connection, stream: str, after: int) -> list[Entry]:
    last = streams.last(db, stream)
    return streams.after(db, stream, max(after, 0), _CATCH_UP) if last > after else []


def number(value: str | None) -> int:
    """Read a last seen number; nonsense counts as nothing seen."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else 0
