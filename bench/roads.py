"""The three roads from a customer's message to the bot's answer, as running processes.

a: stock Rasa through its `rest` channel, stock action server, stock tracker store.
b: our configuration through the same `rest` channel.
c: the whole of Huixin: page, desk, Rasa, actions, commit, event on the page.

All of them run our actions on our domain, on loopback, each with data of its own.
"""

import asyncio
import signal
import subprocess
import sys
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from bench.loads import ANSWER_SECONDS, PageTalk, RestTalk, Talk
from bench.machine import Memory, memory_of, processor_of
from bench.script import BUSINESS, POST, ROOM, claims, fill_orders
from tools.customer import Customer
from tools.places import Places
from tools.stack import Stack, answers, wait_until
from tools.steps import bound

# Customers that come in side by side before a measurement.
_OPENED_TOGETHER = 8
# The load is the desk's to carry, not to refuse.
_LIMITS = {
    "burst": 10_000,
    "per_second": 10_000,
    "sessions_per_minute": 1_000_000,
    "remedied_cases_per_order": 1_000_000,
}
_STOP_SECONDS = 15.0


class Road(ABC):
    """One way to be answered."""

    key: str
    title: str

    def __init__(self, folder: Path, places: Places, model: Path) -> None:
        """Prepare; nothing runs yet.

        Args:
            folder: For its data, settings and logs; made here.
            places: The checkout.
            model: Rasa's model.
        """
        folder.mkdir()
        self.folder = folder
        self.places = places
        self.model = model
        self.stack = Stack(folder, model, bind=True, limits=_LIMITS)
        self.claims = claims()
        self._own: dict[str, subprocess.Popen[bytes]] = {}
        fill_orders(self.stack.data / "orders.sqlite3")

    @abstractmethod
    def start(self) -> None:
        """Start the processes without waiting for them."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until they answer.

        Raises:
            RuntimeError: One has ended instead.
            TimeoutError: One does not answer.
        """

    @abstractmethod
    async def open(self, count: int) -> list[Talk]:
        """Open conversations that the bot has not heard a word of yet."""

    def processes(self) -> dict[str, int]:
        """The process ids by name."""
        running = {**self.stack.processes, **self._own}
        return {name: process.pid for name, process in running.items()}

    def memory(self) -> dict[str, Memory]:
        """The memory of each process."""
        return {name: memory_of(pid) for name, pid in self.processes().items()}

    def processor(self) -> dict[str, float]:
        """The CPU seconds of each process up to now."""
        return {name: processor_of(pid) for name, pid in self.processes().items()}

    def stop(self) -> None:
        """End the processes."""
        for process in self._own.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._own.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_STOP_SECONDS)
        self.stack.stop()

    def _launch(self, name: str, *command: str | Path, **variables: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._own[name] = subprocess.Popen(  # noqa: S603 - our own programs
                bound(command),
                cwd=self.places.root,
                env=self.stack.environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _await(self, name: str, path: str) -> None:
        url = f"http://127.0.0.1:{self.stack.ports[name]}{path}"

        def up() -> bool:
            process = self._own.get(name)
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"{self.key}: {name} has ended: {self.stack.log(name)[-2000:]}")
            return answers(url)

        wait_until(up, f"{self.key}: {name} at {url}")


class _RestRoad(Road):
    """A Rasa server with its `rest` channel and nothing else."""

    def _launch_rasa(self, endpoints: Path) -> None:
        credentials = self.folder / "credentials.yml"
        credentials.write_text("rest:\n", "utf-8")
        self._launch(
            "rasa",
            *(self.places.nlu_python, "-m", "rasa", "run", "--model", self.model),
            *("--endpoints", endpoints, "--credentials", credentials),
            *("--interface", "127.0.0.1", "--port", str(self.stack.ports["rasa"])),
        )

    @property
    def url(self) -> str:
        """Address of the Rasa server."""
        return f"http://127.0.0.1:{self.stack.ports['rasa']}"

    async def open(self, count: int) -> list[Talk]:
        """See `Road`."""
        return [RestTalk(self.url, uuid.uuid4().hex) for _ in range(count)]


class StockRoad(_RestRoad):
    """a: as Rasa comes."""

    key = "a"
    title = "stock Rasa, `rest`"

    def start(self) -> None:
        """See `Road`."""
        endpoints = self.folder / "endpoints.yml"
        endpoints.write_text(
            yaml.safe_dump(
                {
                    "action_endpoint": {
                        "url": f"http://127.0.0.1:{self.stack.ports['actions']}/webhook"
                    },
                    "tracker_store": {
                        "type": "SQL",
                        "dialect": "sqlite",
                        "db": str(self.stack.data / "tracker.sqlite3"),
                    },
                }
            ),
            "utf-8",
        )
        self._launch(
            "actions",
            *(sys.executable, "-m", "rasa_sdk", "--actions", "actions"),
            *("--port", str(self.stack.ports["actions"])),
            HUIXIN_BUSINESS=BUSINESS,
            SANIC_HOST="127.0.0.1",
        )
        self._launch_rasa(endpoints)

    def wait(self) -> None:
        """See `Road`."""
        self._await("actions", "/health")
        self._await("rasa", "/")


class OwnRoad(_RestRoad):
    """b: our configuration behind Rasa's own door."""

    key = "b"
    title = "our configuration, `rest`"

    def start(self) -> None:
        """See `Road`."""
        self.stack.start("actions", wait=False, HUIXIN_BUSINESS=BUSINESS)
        self._launch_rasa(self.places.root / "endpoints.yml")

    def wait(self) -> None:
        """See `Road`."""
        self.stack.wait_for("actions")
        self._await("rasa", "/")


class DeskRoad(Road):
    """c: Huixin as it is."""

    key = "c"
    title = "Huixin, page to page"

    def start(self) -> None:
        """See `Road`."""
        self.stack.start(wait=False)

    def wait(self) -> None:
        """See `Road`."""
        for name in self.stack.processes:
            self.stack.wait_for(name)
        self.stack.wait_ready()

    async def open(self, count: int) -> list[Talk]:
        """Open private chats the way customers do: an angry post, the invitation, the chat."""
        together = asyncio.Semaphore(_OPENED_TOGETHER)

        async def come() -> Talk:
            async with together:
                return await self._come()

        return list(await asyncio.gather(*(come() for _ in range(count))))

    async def _come(self) -> Talk:
        async with Customer(self.stack.url) as customer:
            await customer.begin(BUSINESS)
            async with await self._room(customer) as page:
                await page.send(POST)
                async with asyncio.timeout(ANSWER_SECONDS):
                    while (event := await page.event())["kind"] != "invitation":
                        pass
            conversation = await customer.enter(event["token"])
            path = f"/ws/conversation/{conversation}?after=0"
            talk = await PageTalk.open(self.stack.url, path, customer.cookie)
            await talk.opened()
            return talk

    async def invite(self) -> tuple[float, float]:
        """Post an angry message in the public room.

        Returns:
            Seconds from the post to its public reply, and to the invitation.

        Raises:
            TimeoutError: One of them did not come.
        """
        seen: dict[str, Any] = {}
        async with Customer(self.stack.url) as customer:
            await customer.begin(BUSINESS)
            async with await self._room(customer) as page:
                began = perf_counter()
                client_id = await page.send(POST)
                post = None
                async with asyncio.timeout(ANSWER_SECONDS):
                    while len(seen) < 2:
                        event = await page.event()
                        if event.get("client_id") == client_id:
                            post = event["id"]
                        elif event["kind"] == "invitation":
                            seen["invitation"] = perf_counter() - began
                        elif event.get("reply_to") == post and event["author"] == "bot":
                            seen["reply"] = perf_counter() - began
        return seen["reply"], seen["invitation"]

    async def _room(self, customer: Customer) -> PageTalk:
        path = f"/ws/room/{ROOM}?after=0&own=0"
        page = await PageTalk.open(self.stack.url, path, customer.cookie)
        # A new page first gets what the room has said before.
        await page.settled()
        return page
