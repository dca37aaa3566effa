"""Processes start in order, are started again, and all end together."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import ended, killed_after
from tools.places import here
from tools.supervisor import Deaths, Patience, Service, Supervisor

QUICK = Patience(first=0.01, longest=0.02, deaths=3, window=60, grace=5)

# Says that it runs and waits for SIGTERM, as a server does.
SERVES = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("serving", flush=True)
signal.pause()
"""
STUBBORN = SERVES.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
DIES = "import sys; print('dying'); sys.exit(3)"
# Dies once, then serves.
DIES_ONCE = (
    "import pathlib\np = pathlib.Path('died')\nif not p.exists(): p.touch(); exit(7)\n" + SERVES
)


def service(name: str, code: str, *arguments: str, **more: object) -> Service:
    return Service(name, (sys.executable, "-c", code, *arguments), **more)  # type: ignore[arg-type]


class Run:
    """One run of a supervisor in this process.

    The lines that it writes drive the test: `on` does something when a line appears.
    """

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.lines: list[str] = []
        self._hooks: list[tuple[str, Callable[[], None]]] = []
        self.supervisor: Supervisor | None = None

    def on(self, part: str, act: Callable[[], None], after: int = 1) -> None:
        """Do something when the part has been seen so many times."""
        remaining = [after]

        def count() -> None:
            remaining[0] -= 1
            if remaining[0] == 0:
                act()

        self._hooks.append((part, count))

    def stop_on(self, part: str, after: int = 1) -> None:
        """Press Ctrl-C when the part has been seen so many times."""
        self.on(part, lambda: os.kill(os.getpid(), signal.SIGINT), after)

    async def __call__(self, *services: Service, patience: Patience = QUICK) -> int:
        supervisor = Supervisor(services, self.cwd, self._write, patience)
        async with asyncio.timeout(30):
            return await supervisor.run()

    def _write(self, line: str) -> None:
        self.lines.append(line)
        for part, act in self._hooks:
            if part in line:
                act()

    def index(self, part: str) -> int:
        [found] = [number for number, line in enumerate(self.lines) if part in line]
        return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


async def test_ctrl_c_ends_all_of_them(run: Run) -> None:
    run.stop_on("serving", after=2)
    assert await run(service("desk", SERVES), service("rasa", SERVES)) == 0
    assert any("stopping (SIGINT)" in line for line in run.lines)


async def test_lines_carry_the_name_of_their_process(run: Run) -> None:
    run.stop_on("serving", after=2)
    await run(service("desk", SERVES), service("actions", SERVES))
    assert "desk    | serving" in run.lines
    assert "actions | serving" in run.lines


async def test_lines_without_end_and_broken_text_come_through(run: Run) -> None:
    code = "import sys; sys.stdout.buffer.write(b'x' * 200_000 + b'\\n\\xff\\nlast'); sys.exit(1)"
    await run(service("desk", code, essential=True), patience=Patience(deaths=1))
    text = [line.removeprefix("desk | ") for line in run.lines if " | " in line]
    assert sum(len(line) for line in text if set(line) == {"x"}) == 200_000
    assert text[-2:] == ["\N{REPLACEMENT CHARACTER}", "last"]


async def test_the_others_wait_until_the_first_is_ready(run: Run) -> None:
    ready = asyncio.Event()

    async def is_ready() -> bool:
        return ready.is_set()

    run.on("desk | serving", ready.set)
    run.stop_on("rasa | serving")
    first = service("desk", SERVES, ready=is_ready, head_start=20)
    assert await run(first, service("rasa", SERVES)) == 0
    assert run.index("desk is ready") < run.index("rasa started")


async def test_a_first_one_that_never_gets_ready_does_not_keep_the_others(run: Run) -> None:
    async def never() -> bool:
        return False

    run.stop_on("rasa | serving")
    first = service("desk", SERVES, ready=never, head_start=0.05)
    assert await run(first, service("rasa", SERVES)) == 0
    assert not any("is ready" in line for line in run.lines)


async def test_what_died_is_started_again(run: Run) -> None:
    run.stop_on("serving")
    assert await run(service("rasa", DIES_ONCE)) == 0
    assert any("rasa ended with status 7, started again in 0.01 s" in line for line in run.lines)


async def test_a_signal_that_ended_a_process_is_named(run: Run) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    await run(service("desk", code, essential=True))
    assert any("desk was ended by SIGKILL, started again" in line for line in run.lines)


async def test_what_dies_again_and_again_is_given_up_while_the_others_go_on(run: Run) -> None:
    run.stop_on("it is not started again")
    assert await run(service("desk", SERVES, essential=True), service("rasa", DIES)) == 1
    assert sum("rasa | dying" in line for line in run.lines) == QUICK.deaths
    assert run.index("not started again") < run.index("stopping (SIGINT)")


async def test_without_the_essential_one_everything_stops(run: Run) -> None:
    assert await run(service("rasa", SERVES), service("desk", DIES, essential=True)) == 1
    assert any("nothing works without desk" in line for line in run.lines)


async def test_a_program_that_is_not_there_is_reported(run: Run) -> None:
    missing = Service("desk", ("/nonexistent/python",), essential=True)
    assert await run(missing, patience=Patience(deaths=1)) == 1
    assert any("cannot run /nonexistent/python" in line for line in run.lines)


async def test_what_does_not_end_is_killed_and_the_status_says_so(run: Run) -> None:
    run.stop_on("serving")
    short = Patience(grace=0.05)
    assert await run(service("rasa", STUBBORN), patience=short) == 1
    assert any("rasa does not end, killed" in line for line in run.lines)


async def test_a_second_ctrl_c_does_not_wait(run: Run) -> None:
    run.stop_on("serving")
    run.stop_on("stopping")
    assert await run(service("rasa", STUBBORN), patience=Patience(grace=3600)) == 1


async def test_what_a_process_started_ends_with_it(run: Run, tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    # The grandchild holds the fifo open; its parent ends and leaves it behind.
    starts = (
        "import subprocess, sys\n"
        "alive = open(sys.argv[1], 'w')\n"
        "subprocess.Popen(['sleep', '1000'],"
        " pass_fds=[alive.fileno()])\n"
        "sys.exit(1)\n"
    )
    dies = service("desk", starts, str(fifo), essential=True)
    await run(dies, patience=Patience(deaths=1))
    assert ended(reading)


async def test_output_that_nobody_reads_any_more_stops_the_run(tmp_path: Path) -> None:
    def write(line: str) -> None:
        if "serving" in line:
            raise BrokenPipeError

    supervisor = Supervisor((service("desk", SERVES),), tmp_path, write, QUICK)
    async with asyncio.timeout(30):
        assert await supervisor.run() == 0


SUPERVISES = """
import asyncio, sys
from pathlib import Path
from tools.console import say
from tools.supervisor import Service, Supervisor
code = "alive = open(%r, 'w')" % sys.argv[1] + sys.argv[2]
services = tuple(Service(n, (sys.executable, "-c", code)) for n in ("desk", "rasa"))
sys.exit(asyncio.run(Supervisor(services, Path("."), say).run()))
"""


def supervise(fifo: Path) -> subprocess.Popen[str]:
    """Start a supervisor with two processes that hold a fifo; return when both serve."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISES, str(fifo), SERVES],
        cwd=here().root,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    serving = 0
    with killed_after(30, process):
        for line in process.stdout:
            serving += "serving" in line
            if serving == 2:
                return process
    raise AssertionError("the supervisor ended before both processes served")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with supervise(fifo) as supervisor:
        supervisor.kill()
        assert ended(reading)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stop_signal_ends_everything_with_status_0(tmp_path: Path, number: int) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with supervise(fifo) as supervisor:
        supervisor.send_signal(number)
        assert supervisor.wait(timeout=20) == 0
    assert ended(reading)


def test_waits_grow_to_a_limit_and_old_deaths_are_forgotten() -> None:
    now = [0.0]
    deaths = Deaths(Patience(first=1, longest=5, deaths=5, window=100), lambda: now[0])
    assert [deaths.another() for _ in range(4)] == [1, 2, 4, 5]
    now[0] = 101.0
    assert deaths.another() == 1
    assert [deaths.another() for _ in range(4)] == [2, 4, 5, None]
