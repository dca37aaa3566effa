"""Customers who write and staff who read along: `python -m bench.crowd PLAN OUTPUT`, both JSON.

It runs in a process of its own, so that it shares no event loop with what it measures. Pages of
staff do what real ones do: they look at one conversation, read it anew when the desk says that it
has changed, answer, and go on to the next.
"""

import asyncio
import json
import random
import re
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import httpx
import websockets

from bench.crew import Chat, Crew, Member
from bench.figures import percentile
from bench.loads import ANSWER_SECONDS, open_socket
from bench.machine import processor_of
from desk.channels.sessions import COOKIE as CUSTOMER_COOKIE
from desk.staff.session import COOKIE as STAFF_COOKIE

_SEED: Final = "huixin staff"
_WORDS: Final = (
    "还在吗？我这边等着用",
    "那我什么时候能收到退款？",
    "照片已经发过了，你们看一下",
    "这个处理我可以接受，什么时候办？",
    "麻烦快一点，已经说了三遍了",
)
_REPLY: Final = "我看到了，正在为您办，办好马上告诉您。"
# As web/src/staff/useDesk.ts gathers changes before it reads a conversation anew.
_GATHER_SECONDS: Final = 0.15
_PING_SECONDS: Final = 20.0
_OPENED_TOGETHER: Final = 8
_LAG_EVERY_SECONDS: Final = 0.02
_MARK: Final = re.compile(r"#(\d{6})#")


@dataclass(frozen=True)
class Plan:
    """How the customers write and the staff work.

    Attributes:
        rate: Messages a second, of all customers together.
        watched: Share of the messages that go to a conversation somebody looks at.
        stay_seconds: How long one of staff looks at a conversation before the next.
        warm_seconds: How long this goes on before anything counts.
        seconds: How long is measured.
    """

    rate: float = 25.0
    watched: float = 0.5
    stay_seconds: float = 12.0
    warm_seconds: float = 10.0
    seconds: float = 60.0


@dataclass
class Seen:
    """What the crowd has seen.

    Attributes:
        open: Seconds from a customer's sending until the words are on the page of the owner,
            who looks at the conversation.
        listed: Seconds until the row is, of an owner who looks at another one.
        lost: Messages that never came.
        refused: Calls and messages that the desk refused, whole run.
        seconds: How long was measured.
        late_ms: By how much the crowd itself was late, 99 of 100 times at most.
        reads: Conversations that staff read meanwhile.
        answers: What staff said meanwhile.
        processor_s: CPU seconds of the desk meanwhile.
    """

    open: list[float] = field(default_factory=list)
    listed: list[float] = field(default_factory=list)
    lost: int = 0
    refused: int = 0
    seconds: float = 0.0
    late_ms: float = 0.0
    reads: int = 0
    answers: int = 0
    processor_s: float = 0.0


@dataclass
class _Message:
    """One that is under way; `into` takes its time, None before anything counts."""

    number: int
    sent: float
    into: list[float] | None


class _Screen:
    """The page of one of staff."""

    def __init__(self, url: str, member: Member, chats: list[str], http: httpx.AsyncClient) -> None:
        self.chats = deque(chats)
        # On the way to another conversation; nobody writes to it meanwhile.
        self.moving = True
        self.reads = self.answers = self.refused = 0
        self._url = url
        self._cookie = f"{STAFF_COOKIE}={member.cookie}"
        self._headers = {"Cookie": self._cookie, "X-CSRF": member.csrf}
        self._http = http
        self._waiting: dict[str, deque[_Message]] = {chat: deque() for chat in chats}
        self._of: dict[int, str] = {}
        self._pong = asyncio.Event()
        self._rereading: asyncio.Task[None] | None = None
        self._socket: websockets.ClientConnection

    @property
    def watched(self) -> str:
        """The conversation that is looked at."""
        return self.chats[0]

    @property
    def waits(self) -> int:
        """How many messages have not come yet."""
        return len(self._of)

    async def begin(self) -> None:
        """Open the page, as it stands before the first conversation is chosen."""
        self._socket = await open_socket(self._url, "/ws/staff?after=0", self._cookie)
        await self._get("/api/staff/conversations")

    def expect(self, chat: str, message: _Message) -> None:
        """A customer of this member writes."""
        self._waiting[chat].append(message)
        self._of[message.number] = chat

    async def read(self) -> None:
        """Take in what the desk sends."""
        async for raw in self._socket:
            now = perf_counter()
            text = raw if isinstance(raw, str) else raw.decode()
            kind = text[9 : text.index('"', 9)]
            if kind == "event":
                self._came(text, now, on_screen=True)
            elif kind == "rows":
                self._came(text, now, on_screen=False)
            elif kind == "detail":
                self._reread_soon()
            elif kind == "pong":
                self._pong.set()

    def _came(self, text: str, now: float, *, on_screen: bool) -> None:
        for mark in _MARK.findall(text):
            chat = self._of.get(int(mark))
            # The row of a conversation that is looked at is not what its owner reads.
            if chat is None or on_screen != (chat == self.watched):
                continue
            waiting = self._waiting[chat]
            # A row shows the last words only: with them all before them are told.
            while waiting and waiting[0].number <= int(mark):
                message = waiting.popleft()
                del self._of[message.number]
                if message.into is not None:
                    message.into.append(now - message.sent)

    def _reread_soon(self) -> None:
        if self._rereading is None or self._rereading.done():
            self._rereading = asyncio.create_task(self._reread())

    async def _reread(self) -> None:
        await asyncio.sleep(_GATHER_SECONDS)
        await self._look(self.watched)

    async def _look(self, chat: str) -> None:
        answer = await self._get(f"/api/staff/conversations/{chat}")
        self.reads += 1
        if answer is None or chat != self.watched:
            return
        self._came(answer.text, perf_counter(), on_screen=True)
        frame = {"type": "watch", "conversation": chat, "after": answer.json()["seq"]}
        await self._socket.send(json.dumps(frame))

    async def _get(self, path: str) -> httpx.Response | None:
        answer = await self._http.get(self._url + path, headers=self._headers)
        return self._good(answer)

    def _good(self, answer: httpx.Response) -> httpx.Response | None:
        if answer.status_code == 200:
            return answer
        self.refused += 1
        return None

    async def work(self, stay: float, first: float) -> None:
        """Go from one conversation to the next, and answer in each."""
        await self._go_on()
        await asyncio.sleep(first)
        while True:
            await self._answer()
            await asyncio.sleep(stay)
            await self._go_on()

    async def _go_on(self) -> None:
        self.moving = True
        async with asyncio.timeout(ANSWER_SECONDS):
            while self.waits:  # noqa: ASYNC110 - whatever comes, comes to another task
                await asyncio.sleep(0.01)
        self.chats.rotate(-1)
        await self._look(self.watched)
        # What is asked for after it is answered after it: by then the desk looks along.
        self._pong.clear()
        await self._ping()
        await self._pong.wait()
        self.moving = False

    async def _ping(self) -> None:
        await self._socket.send(json.dumps({"type": "ping"}))

    async def stay_alive(self) -> None:
        """Give signs of life."""
        while True:
            await asyncio.sleep(_PING_SECONDS)
            await self._ping()

    async def _answer(self) -> None:
        body = {"id": f"answer-{perf_counter():.6f}".replace(".", "-"), "text": _REPLY}
        answer = await self._http.post(
            f"{self._url}/api/staff/conversations/{self.watched}/answer",
            headers=self._headers,
            json={**body, "confirmed": True},
        )
        if self._good(answer):
            self.answers += 1

    async def close(self) -> None:
        """Close the page."""
        await self._socket.close()


class _Writer:
    """The page of one customer."""

    def __init__(self, url: str, chat: Chat) -> None:
        self.chat = chat.conversation
        self.refused = 0
        self._url = url
        self._cookie = f"{CUSTOMER_COOKIE}={chat.cookie}"
        self._socket: websockets.ClientConnection

    async def begin(self) -> None:
        """Open the page."""
        path = f"/ws/conversation/{self.chat}?after=0"
        self._socket = await open_socket(self._url, path, self._cookie)

    async def read(self) -> None:
        """Take in what the desk sends."""
        async for raw in self._socket:
            self.refused += '"type":"refused"' in str(raw)[:40]

    async def say(self, number: int, words: str) -> None:
        """Write."""
        frame = {"type": "say", "id": f"bench-{number:06d}", "text": f"{words} #{number:06d}#"}
        await self._socket.send(json.dumps(frame))

    async def close(self) -> None:
        """Close the page."""
        await self._socket.close()


class _Crowd:
    """All of them."""

    def __init__(self, url: str, pid: int, crew: Crew, plan: Plan, http: httpx.AsyncClient) -> None:
        self._pid = pid
        self._plan = plan
        # To mix, not to keep secrets.
        self._chance = random.Random(_SEED)  # noqa: S311
        self._writers = {chat.conversation: _Writer(url, chat) for chat in crew.chats}
        self._screens = [
            _Screen(
                *(url, member),
                [chat.conversation for chat in crew.chats if chat.owner == member.id],
                http,
            )
            for member in crew.members
        ]
        self._number = 0
        self._seen = Seen()
        self._late: list[float] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> Seen:
        """Write and read, and tell what was seen."""
        pages: list[_Screen | _Writer] = [*self._writers.values(), *self._screens]
        try:
            await self._all(pages, lambda page: page.begin())
            for page in pages:
                self._beside(page.read())
            for screen in self._screens:
                self._beside(screen.work(*self._pace()))
                self._beside(screen.stay_alive())
            await self._write(self._plan.warm_seconds)
            self._beside(self._watch_the_clock())
            before = self._counted()
            used, began = processor_of(self._pid), perf_counter()
            await self._write(self._plan.seconds, self._seen)
            self._seen.seconds = perf_counter() - began
            self._seen.processor_s = processor_of(self._pid) - used
            self._seen.reads, self._seen.answers = (
                after - first for after, first in zip(self._counted(), before, strict=True)
            )
            await self._settle()
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._all(pages, lambda page: page.close())
        self._seen.lost = sum(screen.waits for screen in self._screens)
        self._seen.refused = sum(page.refused for page in pages)
        self._seen.late_ms = 1000 * percentile(self._late, 0.99)
        return self._seen

    def _pace(self) -> tuple[float, float]:
        """How long one stays, and how long at the first: else all went on at once."""
        return self._plan.stay_seconds, self._chance.uniform(0, self._plan.stay_seconds)

    def _counted(self) -> tuple[int, int]:
        return sum(one.reads for one in self._screens), sum(one.answers for one in self._screens)

    @staticmethod
    async def _all(
        pages: list["_Screen | _Writer"],
        what: Callable[["_Screen | _Writer"], Coroutine[Any, Any, None]],
    ) -> None:
        together = asyncio.Semaphore(_OPENED_TOGETHER)

        async def one(page: "_Screen | _Writer") -> None:
            async with together:
                await what(page)

        await asyncio.gather(*(one(page) for page in pages))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._seen.refused += 1
            sys.stderr.write(f"a page has failed: {task.exception()!r}\n")

    async def _watch_the_clock(self) -> None:
        while True:
            began = perf_counter()
            await asyncio.sleep(_LAG_EVERY_SECONDS)
            self._late.append(perf_counter() - began - _LAG_EVERY_SECONDS)

    async def _write(self, seconds: float, into: Seen | None = None) -> None:
        """Let customers write at an even pace, however the desk keeps up."""
        began = perf_counter()
        for step in range(int(seconds * self._plan.rate)):
            await asyncio.sleep(began + step / self._plan.rate - perf_counter())
            free = [screen for screen in self._screens if not screen.moving]
            if not free:
                continue
            screen = self._chance.choice(free)
            watched = self._chance.random() < self._plan.watched or len(screen.chats) == 1
            chat = screen.watched if watched else self._chance.choice(list(screen.chats)[1:])
            self._number += 1
            times = (into.open if watched else into.listed) if into else None
            words = self._chance.choice(_WORDS)
            screen.expect(chat, _Message(self._number, perf_counter(), times))
            await self._writers[chat].say(self._number, words)

    async def _settle(self) -> None:
        """Wait for what is still under way, as long as anybody would."""
        end = perf_counter() + ANSWER_SECONDS
        while any(screen.waits for screen in self._screens):
            if perf_counter() > end:
                return
            await asyncio.sleep(0.05)


async def seen(url: str, pid: int, crew: Crew, plan: Plan) -> Seen:
    """Let a crowd write to a desk and read along.

    Args:
        url: Address of the desk.
        pid: Its process.
        crew: Who is there.
        plan: How they write and work.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS) as http:
        return await _Crowd(url, pid, crew, plan, http).run()


def main() -> None:
    """Do what the plan says that is named on the command line, and write what was seen."""
    content = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    crew = Crew(
        [Member(**one) for one in content["crew"]["members"]],
        [Chat(**one) for one in content["crew"]["chats"]],
    )
    plan = Plan(**content["plan"])
    found = asyncio.run(seen(content["url"], content["pid"], crew, plan))
    Path(sys.argv[2]).write_text(json.dumps(asdict(found)), "utf-8")


if __name__ == "__main__":
    main()
