"""Keeps a few processes running side by side, and ends them together.

Each process runs in a session of its own, so that Ctrl-C reaches the supervisor alone and the
stop is in its hands; the kernel ends a process whose supervisor was killed (`tools.child`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.steps import bound

READY_INTERVAL = 0.25
"""Seconds between two looks at a process that is not ready yet."""

LAST_LINES = 2.0
"""Seconds to wait for the rest of the output of a process that has ended."""

_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True)
class Service:
    """One process to keep running.

    Attributes:
        name: shown before each of its lines.
        command: program and arguments.
        environment: variables on top of the supervisor's own.
        ready: tells whether it can do its work; None: as soon as it runs.
        essential: without it the others are of no use, and its giving up ends the run.
        head_start: seconds that the services after it wait for it to be ready. They start
            after that time in any case.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    essential: bool = False
    head_start: float = 0.0


@dataclass(frozen=True)
class Patience:
    """How often and how fast a process that died is started again, and how a stop goes.

    Attributes:
        first: seconds before the first new start; each further one takes twice as long.
        longest: no wait is longer than this, in seconds.
        deaths: so many deaths within `window` seconds, and the process is given up.
        window: see `deaths`.
        grace: seconds between SIGTERM and SIGKILL.
    """

    first: float = 1.0
    longest: float = 30.0
    deaths: int = 6
    window: float = 600.0
    grace: float = 10.0


class Deaths:
    """Remembers the deaths of one process and says how to go on.

    Args:
        patience: the limits.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._times: deque[float] = deque()

    def another(self) -> float | None:
        """Note one more death.

        Returns:
            Seconds to wait before the next start, or None to give up.
        """
        now = self._clock()
        self._times.append(now)
        while self._times[0] < now - self._patience.window:
            self._times.popleft()
        count = len(self._times)
        if count >= self._patience.deaths:
            return None
        return min(self._patience.first * 2.0 ** (count - 1), self._patience.longest)


class Supervisor:
    """Runs services until it is told to stop.

    Args:
        services: in the order of their start.
        cwd: folder that they run in.
        write: takes one line of output, without its end.
        patience: limits of restarts and of the stop.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        services: tuple[Service, ...],
        cwd: Path,
        write: Callable[[str], None],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._cwd = cwd
        self._write = write
        self._patience = patience or Patience()
        self._clock = clock
        self._width = max(len(service.name) for service in services)
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._faults = 0

    async def run(self) -> int:
        """Start all services and keep them running until SIGINT, SIGTERM or SIGHUP.

        A second signal during the stop ends it at once with SIGKILL.

        Returns:
            0 after a stop by signal in which every process ended by itself; 1 if a process
            had to be given up or killed.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        try:
            async with asyncio.TaskGroup() as group:
                for service in self._services:
                    ready = asyncio.Event()
                    group.create_task(self._keep(service, ready))
                    await self._wait(ready, service.head_start)
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
        return 1 if self._faults else 0

    def stop(self, why: str) -> None:
        """Begin to stop; said a second time, stop at once."""
        if self._stopping.is_set():
            self._hurry.set()
            return
        self._say(f"stopping ({why})")
        self._stopping.set()

    async def _keep(self, service: Service, ready: asyncio.Event) -> None:
        deaths = Deaths(self._patience, self._clock)
        while not self._stopping.is_set():
            status = await self._live(service, ready)
            if self._stopping.is_set():
                return
            wait = deaths.another()
            if wait is None:
                self._give_up(service, status)
                return
            self._say(f"{service.name} {_ended(status)}, started again in {wait:g} s")
            await self._wait(self._stopping, wait)

    def _give_up(self, service: Service, status: int) -> None:
        self._faults += 1
        self._say(
            f"{service.name} {_ended(status)}; that was {self._patience.deaths} times within "
            f"{self._patience.window:g} s, it is not started again"
        )
        if service.essential:
            self.stop(f"nothing works without {service.name}")

    async def _live(self, service: Service, ready: asyncio.Event) -> int:
        """Run a service once, from its start to its end, and return its exit status."""
        began = self._clock()
        reading, writing = os.pipe()
        try:
            # A pipe of our own: the wait for the process must not wait for its grandchildren,
            # which may hold the pipe for longer.
            process = await asyncio.create_subprocess_exec(
                *bound(service.command),
                cwd=self._cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **service.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._say(f"{service.name} started (pid {process.pid})")
        helpers = [
            asyncio.create_task(self._tell(service, reading)),
            asyncio.create_task(self._greet(service, ready, began)),
        ]
        try:
            await self._end_of(process, service)
        finally:
            _kill_group(process.pid)
            helpers[1].cancel()
            # The last lines; whatever fled from the process's session may still hold the pipe.
            await asyncio.wait(helpers, timeout=LAST_LINES)
            helpers[0].cancel()
        return process.returncode if process.returncode is not None else 0

    async def _end_of(self, process: asyncio.subprocess.Process, service: Service) -> None:
        """Wait for a process to end; once the stop has begun, see to it that it does."""
        over = asyncio.create_task(process.wait())
        await _first_of(over, self._stopping.wait())
        if over.done():
            return
        process.terminate()
        await _first_of(over, self._hurry.wait(), limit=self._patience.grace)
        if not over.done():
            self._faults += 1
            self._say(f"{service.name} does not end, killed")
            _kill_group(process.pid)
        await over

    async def _greet(self, service: Service, ready: asyncio.Event, began: float) -> None:
        if service.ready is not None:
            while not await service.ready():  # noqa: ASYNC110
                # Another process: it can be asked, but it wakes nobody here.
                await asyncio.sleep(READY_INTERVAL)
            self._say(f"{service.name} is ready ({self._clock() - began:.1f} s)")
        ready.set()

    async def _tell(self, service: Service, reading: int) -> None:
        """Pass a process's output on, line by line, until nobody holds the pipe any more."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
        )
        rest = b""
        try:
            while chunk := await stream.read(_LONGEST_LINE):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LONGEST_LINE:
                    lines.append(rest)
                    rest = b""
                for line in lines:
                    self._line(service.name, line)
            if rest:
                self._line(service.name, rest)
        finally:
            transport.close()

    def _line(self, name: str, line: bytes) -> None:
        self._put(f"{name:<{self._width}} | {line.decode(errors='replace').rstrip()}")

    def _say(self, text: str) -> None:
        self._put(f"{'':<{self._width}} * {text}")

    def _put(self, text: str) -> None:
        try:
            self._write(text)
        except OSError:
            # Whoever read our output has gone: a closed terminal, the other end of a pipe.
            self._stopping.set()

    async def _wait(self, event: asyncio.Event, limit: float) -> None:
        """Wait for an event or the stop, but no longer than a number of seconds."""
        if limit > 0:
            await _first_of(event.wait(), self._stopping.wait(), limit=limit)


async def _first_of(*waits: Awaitable[object], limit: float | None = None) -> None:
    """Wait until one is over or the time is up; those begun here are given up then."""
    own = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(own, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future, wait in zip(own, waits, strict=True):
            if future is not wait:
                future.cancel()


def _kill_group(leader: int) -> None:
    """Kill what is left of a process's session: itself and what it started."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _ended(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
