"""The real processes on free loopback ports, with data of their own: replays, benchmarks, tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from recovery.remedy.book import load_book, save_book
from recovery.remedy.running import BUILT_IN
from recovery.remedy.schema import COMMON
from tools import model
from tools.places import here
from tools.steps import bound

ROOT = here().root
# Starting Rasa takes 15 to 30 seconds, more where others use the machine.
PATIENCE = 240.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(check: Any, what: str, patience: float = PATIENCE) -> None:  # noqa: ANN401
    """Wait until a check holds.

    Raises:
        TimeoutError: It never did.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.05)
    raise TimeoutError(f"waited {patience} s for {what}")


def answers(url: str, status: int = 200) -> bool:
    """Whether a GET is answered with this status."""
    try:
        with urllib.request.urlopen(url, timeout=3) as response:  # noqa: S310 - loopback
            return bool(response.status == status)
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False


def midday() -> str:
    """Name the time zone where it is about noon, so that what is promised is the same all day.

    Service hours decide whether the bot says "in 20 minutes" or "tomorrow morning".
    """
    ahead = 12 - datetime.now(UTC).hour
    # These zones are named by what is to be added to reach GMT.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def write_policy_for_many(directory: Path) -> Path:
    """Write the policy that comes with Huixin, but blind to how often an order was complained of.

    The demo has few orders and a stack has many customers who all use them: with the real
    policy the third would get a person, and what is offered would depend on who came before.

    Returns:
        The directory.
    """
    book = load_book(BUILT_IN)
    files = {file: dict(tables) for file, tables in book.files.items()}
    for name, (column, cells) in _FOR_MANY.items():
        table = files[COMMON][name]
        rows = tuple(
            replace(row, cells={**row.cells, column: cells[row.rule]}) if row.rule in cells else row
            for row in table.rows
        )
        files[COMMON][name] = replace(table, rows=rows)
    save_book(replace(book, version=f"{book.version}-many", files=files), directory)
    return directory


# Both ask for a number of earlier cases that no test and no benchmark reaches.
_FOR_MANY = {
    "claims": ("claims", {"C-CLAIMS-FEW": "< 1000", "C-CLAIMS-MANY": ">= 1000"}),
    "recurring": (
        "recurrence",
        {"C-REC-0": "< 998", "C-REC-1": "[998..999]", "C-REC-3": ">= 1000"},
    ),
}


@contextmanager
def variables(more: Mapping[str, str]) -> Iterator[None]:
    """The environment of this process with more in it, for the length of the block."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Stack:
    """Desk, actions and Rasa as processes, each can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        trained: Path | None = None,
        *,
        bind: bool = False,
        tracker: str | None = None,
        each_business: Mapping[str, Any] | None = None,
        **changes: Any,  # noqa: ANN401 - settings
    ) -> None:
        """Write the settings; nothing runs yet.

        Args:
            folder: For data, settings and logs.
            trained: The model that Rasa loads; None where Rasa is not started.
            bind: Let the kernel end the processes should this one be killed. It looks at the
                thread that starts them, which must therefore live on.
            tracker: Where Rasa keeps the conversations; a SQLite file of its own by default.
            each_business: What is set for every business.
            **changes: Settings that differ from huixin.yml.
        """
        self.folder = folder
        self.trained = trained
        self._bind = bind
        self._tracker = tracker
        self.ports = {name: free_port() for name in ("desk", "actions", "rasa")}
        settings = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
        for business in settings["businesses"]:
            business["timezone"] = midday()
            business |= {"goodwill_per_day": 10**11, "goodwill_per_customer": 10**11}
            business |= each_business or {}
        settings |= {
            "data": "var",
            "desk": {"host": "127.0.0.1", "port": self.ports["desk"]},
            "actions": {"host": "127.0.0.1", "port": self.ports["actions"]},
            "rasa": [f"http://127.0.0.1:{self.ports['rasa']}"],
            "limits": {
                "burst": 200,
                "per_second": 200,
                "sessions_per_minute": 100_000,
                "remedied_cases_per_order": 100_000,
            },
            "policy": str(write_policy_for_many(folder / "policy")),
            **changes,
        }
        # What is told once to every customer would stand between what a test looks at.
        settings["businesses"] = [{"privacy_notice": ""} | one for one in settings["businesses"]]
        self.settings_file = folder / "huixin.yml"
        self.settings_file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        self.data = folder / "var"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.run("migrate")

    @property
    def url(self) -> str:
        """Address of the desk."""
        return f"http://127.0.0.1:{self.ports['desk']}"

    @property
    def secrets(self) -> dict[str, Any]:
        """The secrets of this stack."""
        content: dict[str, Any] = json.loads((self.data / "secrets.json").read_text("utf-8"))
        return content

    def environment(self, **more: str) -> dict[str, str]:
        """Variables for every process."""
        return {
            **os.environ,
            "HUIXIN_SETTINGS": str(self.settings_file),
            "HUIXIN_RASA_TOKEN": "",
            "HUIXIN_TRACKER_DB": self._tracker or str(self.data / "rasa.sqlite3"),
            "HUIXIN_ACTIONS_URL": f"http://127.0.0.1:{self.ports['actions']}/webhook",
            "PYTHONPATH": str(ROOT),
            **model.RASA_ENVIRONMENT,
            **more,
        }

    def run(self, *arguments: str, **more: str) -> None:
        """Run a command of the desk to its end."""
        subprocess.run(
            [sys.executable, "-m", "desk", *arguments],
            cwd=ROOT,
            env=self.environment(**more),
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def add_staff(self, login: str, name: str, password: str, role: str = "agent") -> None:
        """Make an account."""
        self.run(
            *("staff", "add", login, "--name", name, "--role", role),
            HUIXIN_STAFF_PASSWORD=password,
        )

    def start(self, *names: str, wait: bool = True, **more: str) -> None:
        """Start processes.

        Args:
            *names: Of `desk`, `actions`, `rasa`; all of them where none is named.
            wait: Until they answer.
            **more: Further variables, for example HUIXIN_FAULT.
        """
        names = names or ("desk", "actions", "rasa")
        for name in names:
            more_of = {"HUIXIN_RASA_TOKEN": self.secrets["rasa_token"]} if name == "rasa" else {}
            self.processes[name] = self._begin(name, self.environment(**more_of, **more))
        if wait:
            for name in names:
                self.wait_for(name)

    def _begin(self, name: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        command = self._command(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                bound(command) if self._bind else command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _command(self, name: str) -> list[str]:
        """Interpreter, `-m`, module and arguments of a process."""
        if name != "rasa":
            return [sys.executable, "-m", name]
        if self.trained is None:
            raise ValueError("Rasa needs a model")
        return [
            *(str(here().nlu_python), "-m", "bot", "--model", str(self.trained)),
            *("--host", "127.0.0.1", "--port", str(self.ports["rasa"])),
        ]

    def wait_for(self, name: str) -> None:
        """Wait until a process answers; the desk does so before Rasa is there.

        Raises:
            RuntimeError: It has ended instead.
            TimeoutError: It does not answer.
        """
        route = "healthz" if name == "desk" else "readyz"
        url = f"http://127.0.0.1:{self.ports[name]}/{route}"

        def up() -> bool:
            if self.processes[name].poll() is not None:
                raise RuntimeError(f"{name} has ended: {self.log(name)[-2000:]}")
            return answers(url)

        wait_until(up, f"{name} at {url}")

    def wait_ready(self) -> None:
        """Wait until the desk knows that Rasa answers."""
        wait_until(lambda: answers(f"{self.url}/readyz"), "the desk to be ready")

    def log(self, name: str) -> str:
        """What a process has printed."""
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def kill(self, name: str) -> None:
        """End a process with SIGKILL and wait until it is gone."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(30)

    def wait_dead(self, name: str, patience: float = 60.0) -> int:
        """Wait until a process has ended by itself; gives its exit status."""
        return self.processes[name].wait(patience)

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


AnyStack = TypeVar("AnyStack", bound=Stack)


@contextmanager
def started(stack: AnyStack, *names: str) -> Iterator[AnyStack]:
    """Run processes for the length of the block.

    Args:
        stack: Of which nothing runs yet.
        *names: Of `desk`, `actions`, `rasa`; all of them where none is named.

    Yields:
        The stack; where Rasa is among the processes, once the desk knows that it answers.
    """
    try:
        stack.start(*names)
        if not names or "rasa" in names:
            stack.wait_ready()
        yield stack
    finally:
        stack.stop()
