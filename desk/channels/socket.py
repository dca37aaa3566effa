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
# Read at once.
_PORTION = 300
# What a room shows: to who comes in, and to who was away.
_NEWCOMERS_SEE = 300
_RETURNING_SEE = 2000


@dataclass(frozen=True)
class _End:
    """The socket is to be closed with this code."""

    code: int
    reason: str


@dataclass(frozen=True)
class _CatchUp:
    """What was missed of a stream is to be sent, before what follows."""

    stream: str


@dataclass
class _Place:
    """Where the page is in a stream it follows; following it anew makes a new place."""

    last: int


# A text is a frame that is written already.
_Item = Entry | dict[str, Any] | str | _CatchUp | _End
# None: this reader is not shown the event at all.
View = Callable[[Entry], dict[str, Any] | None]
GONE = (WebsocketClosed, ConnectionClosed)


def text_of(content: object) -> str:
    """Write a frame, or part of one, as it is sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


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
        self.view = view
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._places: dict[str, _Place] = {}
        self._topics: set[str] = set()
        self._overrun = False

    def follow(self, stream: str, after: int) -> None:
        """Send a stream from a number on. Listening starts now, so nothing slips through.

        What was missed is sent by the same hand as what happens, so that the two never mix.
        """
        self._places[stream] = _Place(after)
        self._context.hub.listen(stream, self._put)
        self._put(_CatchUp(stream))

    def unfollow(self, stream: str) -> None:
        """Stop sending a stream."""
        if self._places.pop(stream, None) is not None:
            self._context.hub.leave(stream, self._put)

    def reached(self, stream: str) -> int:
        """The number up to which a followed stream has been sent."""
        place = self._places.get(stream)
        return place.last if place else 0

    def hear(self, topic: str) -> None:
        """Send the signals of a topic."""
        self._topics.add(topic)
        self._context.hub.hear_signals(topic, self.send)

    def unhear(self, topic: str) -> None:
        """Stop sending the signals of a topic."""
        self._topics.discard(topic)
        self._context.hub.leave_signals(topic, self.send)

    def end(self, code: int, reason: str) -> None:
        """Close the page's socket once it has read what was sent so far.

        Args:
            code: A close code, 4000 + the HTTP status of the same cause.
            reason: For the page's program.
        """
        self._put(_End(code, reason))

    def _put(self, item: _Item) -> None:
        if self._queue.qsize() >= _BACKLOG:
            self._overrun = True
            return
        self._queue.put_nowait(item)

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame that is not numbered."""
        self._put(frame)

    def send_text(self, frame: str) -> None:
        """Send a frame that was written once for many pages."""
        self._put(frame)

    async def _catch_up(self, stream: str) -> None:
        """Send what the page has missed of a stream, unless it looks elsewhere meanwhile."""
        place = self._places.get(stream)
        while place is not None and self._places.get(stream) is place:
            missed, last = await self._context.storage.read(_missed, stream, place.last)
            # A number that was never reached comes from before a restored backup.
            place.last = min(place.last, last)
            if not missed:
                return
            for entry in missed:
                if self._places.get(stream) is not place:
                    return
                await self._deliver(entry, place)

    async def serve(self, *beside: Coroutine[Any, Any, None]) -> None:
        """Read and send side by side until the page is gone.

        Args:
            *beside: What reads the page's frames, and what else runs as long as it is there; the
                first that ends or fails ends all.
        """
        tasks = {asyncio.create_task(one) for one in (*beside, self._pump())}
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
            if isinstance(item, _CatchUp):
                await self._catch_up(item.stream)
            elif isinstance(item, Entry):
                await self._pass_on(item)
            elif isinstance(item, str):
                await self._socket.send(item)
            else:
                await self._write(item)
                if item["type"] == "ack":
                    faults.reach("message-acked")
        await self._socket.close(1013, "too slow")

    async def _pass_on(self, entry: Entry) -> None:
        place = self._places.get(entry.stream)
        if place is None or entry.seq <= place.last:
            return
        if entry.seq > place.last + 1:
            await self._catch_up(entry.stream)
        else:
            await self._deliver(entry, place)

    async def _deliver(self, entry: Entry, place: _Place) -> None:
        place.last = entry.seq
        shown = self.view(entry)
        if shown is None:
            return
        await self._write(
            {"type": "event", "stream": entry.stream, "seq": entry.seq, "event": shown}
        )
        faults.reach("event-sent")

    async def _write(self, frame: dict[str, Any]) -> None:
        await self._socket.send(text_of(frame))

    def close(self) -> None:
        """Stop listening."""
        for stream in tuple(self._places):
            self.unfollow(stream)
        for topic in tuple(self._topics):
            self.unhear(topic)


def _missed(db: Connection, stream: str, after: int) -> tuple[list[Entry], int]:
    last = streams.last(db, stream)
    return (streams.after(db, stream, max(after, 0), _PORTION) if last > after else []), last


@dataclass(frozen=True)
class Start:
    """From where a page is sent a stream.

    Attributes:
        after: What it is sent follows this number.
        last: The number of the stream's latest event now.
    """

    after: int
    last: int


def starts(db: Connection, seen: dict[str, int]) -> dict[str, Start]:
    """Where a page goes on that names the last numbers it has seen.

    Own and private streams are sent whole; of a room everybody gets the latest part only, and
    those who come back a larger one than those who come in.

    Args:
        db: A transaction.
        seen: Last number by stream, 0 for a page that begins. A number that the stream never
            reached comes from before a restored backup.
    """
    found = {}
    for stream, before in seen.items():
        last = streams.last(db, stream)
        after = min(before, last)
        if stream.startswith("room:"):
            after = max(after, last - (_RETURNING_SEE if before else _NEWCOMERS_SEE))
        found[stream] = Start(after, last)
    return found


def number(value: str | None) -> int:
    """Read a last seen number; nonsense counts as nothing seen."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else 0
