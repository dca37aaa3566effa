"""What a customer does and sees: post in the room, read, follow the invitation, read again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

from tools.customer import Customer, Page
from tools.replaying.desk_records import DeskRecords, Recorded
from tools.replaying.posts import Post

Event = dict[str, Any]
PATIENCE = 120.0
"""Seconds that a customer waits for any one thing before the visit counts as broken."""

_LOOK_INTERVAL = 0.05


@dataclass
class Visit:
    """One customer's visit.

    Attributes:
        refused: Code and sentence with which the desk did not take the post.
        broken: What went wrong with the visit itself.
        seconds: From sending the post to the first words of an answer; None without any.
        aloud: What everybody saw in answer to the post.
        own: What only this customer saw beside the room.
        opening: What the private chat showed after entering.
        recorded: What the desk has noted about the post.
    """

    post: Post
    refused: str | None = None
    broken: str | None = None
    seconds: float | None = None
    aloud: list[Event] = field(default_factory=list)
    own: list[Event] = field(default_factory=list)
    opening: list[Event] = field(default_factory=list)
    recorded: Recorded | None = None

    @property
    def invited(self) -> bool:
        """Whether the post brought an invitation into the private chat."""
        return any(event["kind"] in ("invitation", "reminder") for event in self.own)

    @property
    def answered(self) -> bool:
        """Whether the post brought any words."""
        return any(event["kind"] == "message" for event in (*self.aloud, *self.own))


async def visit_all(
    posts: Sequence[Post],
    url: str,
    room: str,
    records: DeskRecords,
    at_once: int,
    progress: Callable[[int], None],
) -> list[Visit]:
    """Let every post be made by a customer of its own.

    Args:
        posts: In order.
        url: Address of the desk.
        room: Id of the public room.
        records: Of the same desk.
        at_once: How many customers are there at the same time, at most.
        progress: Told how many visits are over, after each.

    Returns:
        The visits in the order of the posts. A broken one does not stop the others.
    """
    business = await _business_of(url, room)
    places = asyncio.Semaphore(at_once)
    over = 0

    async def one(number: int, post: Post) -> Visit:
        nonlocal over
        async with places:
            made = await _visit(post, f"顾客{number}", url, business, room, records)
        over += 1
        progress(over)
        return made

    return await asyncio.gather(*(one(number, post) for number, post in enumerate(posts, 1)))


async def _business_of(url: str, room: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as http:
        rooms = (await http.get("/api/rooms")).raise_for_status().json()["rooms"]
    found = [str(one["business"]) for one in rooms if one["id"] == room]
    if not found:
        known = ", ".join(str(one["id"]) for one in rooms)
        raise UnknownRoomError(f"no room {room}; there are {known}")
    return found[0]


class UnknownRoomError(ValueError):
    """The desk has no such room; the message names those it has."""


async def _visit(
    post: Post, name: str, url: str, business: str, room: str, records: DeskRecords
) -> Visit:
    visit = Visit(post)
    try:
        async with Customer(url) as customer:
            await customer.begin(business, name)
            async with customer.room(room) as page:
                await _in_public(visit, page, records)
            tokens = [event["token"] for event in visit.own if "token" in event]
            if tokens:
                conversation = await customer.enter(tokens[-1])
                async with customer.private(conversation) as page:
                    await _in_private(visit, page, conversation, records)
    except (httpx.HTTPError, websockets.WebSocketException, OSError, TimeoutError) as error:
        # Told in the report: one broken visit must not hide the others.
        visit.broken = f"{type(error).__name__}: {error}"
    return visit


async def _in_public(visit: Visit, page: Page, records: DeskRecords) -> None:
    # The answer to a ping follows everything that the room had to show before.
    await page.send({"type": "ping"})
    await page.until(lambda one: any(f["type"] == "pong" for f in one.frames), PATIENCE)
    sent = time.perf_counter()
    mine = await page.say(visit.post.text)
    taken = await page.answered(mine, PATIENCE)
    if taken["type"] == "refused":
        visit.refused = f"{taken['code']}: {taken['message']}"
        return
    posted = await page.event(PATIENCE, client_id=mine)
    message = str(posted["id"])
    await _until(lambda: records.done(message))
    visit.recorded = await asyncio.to_thread(records.about, message)
    seen = await _seen(page, await asyncio.to_thread(records.answers, message))
    visit.aloud = [event for stream, event in seen if stream.startswith("room:")]
    visit.own = [event for stream, event in seen if stream.startswith("own:")]
    first = [
        frame["received"]
        for frame in page.frames
        if frame["type"] == "event" and frame["event"].get("reply_to") == message
    ]
    visit.seconds = min(first) - sent if first else None


async def _in_private(visit: Visit, page: Page, conversation: str, records: DeskRecords) -> None:
    await _until(lambda: records.opened(conversation))
    ids = await asyncio.to_thread(records.shown_in, conversation)
    visit.opening = [event for _, event in await _seen(page, ids)]


async def _seen(page: Page, ids: set[str]) -> list[tuple[str, Event]]:
    """Wait until a page has shown these events; gives them with their streams, in order."""

    def shown(one: Page) -> list[tuple[str, Event]]:
        return [
            (frame["stream"], frame["event"])
            for frame in one.frames
            if frame["type"] == "event" and frame["event"]["id"] in ids
        ]

    await page.until(lambda one: {event["id"] for _, event in shown(one)} == ids, PATIENCE)
    return shown(page)


async def _until(holds: Callable[[], bool]) -> None:
    """Wait for the desk's mark that a message is settled.

    Silence is an answer, too, and no frame tells of it, so the desk's database is asked.

    Raises:
        TimeoutError: It never was.
    """
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - another process wakes nobody
            await asyncio.sleep(_LOOK_INTERVAL)
