"""The real processes on free loopback ports, with data of their own, for tests and benchmarks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tools import model
from tools.places import here

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


def usable_model() -> Path | None:
    """The model of the present data; while the data is being edited, the newest one.

    Where everything is required (CI) only the present one will do.
    """
    exact = model.model_path(here())
    if exact.is_file() or os.environ.get("HUIXIN_REQUIRE_ALL"):
        return exact if exact.is_file() else None
    others = sorted(here().models.glob("huixin-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return others[-1] if others else None


class Stack:
    """Desk, actions and Rasa as processes, each can be killed and started again."""

    def __init__(self, folder: Path, **changes: Any) -> None:  # noqa: ANN401 - settings
        """Write the settings; nothing runs yet.

        Args:
            folder: For data, settings and logs.
            **changes: Settings that differ from huixin.yml.
        """
        self.folder = folder
        self.ports = {name: free_port() for name in ("desk", "actions", "rasa")}
        settings = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
        settings |= {
            "data": "var",
            "desk": {"host": "127.0.0.1", "port": self.ports["desk"]},
            "actions": {"host": "127.0.0.1", "port": self.ports["actions"]},
            "rasa": [f"http://127.0.0.1:{self.ports['rasa']}"],
            "limits": {"burst": 200, "per_second": 200, "sessions_per_minute": 100_000},
            **changes,
        }
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
            "HUIXIN_TRACKER_DB": str(self.data / "rasa.sqlite3"),
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
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                self._command(name),
                cwd=ROOT,
                env=self.environment(**more_of, **more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            log.close()
        if wait:
            for name in names:
                self.wait_for(name)

    def _command(self, name: str) -> list[str]:
        if name != "rasa":
            return [sys.executable, "-m", name]
        places = here()
        return [
            *(str(places.nlu_python), "-m", "bot", "--model", str(usable_model())),
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


@contextmanager
def running(folder: Path, *names: str, **changes: Any) -> Iterator[Stack]:  # noqa: ANN401
    """A stack whose processes end with the block."""
    stack = Stack(folder, **changes)
    try:
        stack.start(*names)
        if not names or "rasa" in names:
            stack.wait_ready()
        yield stack
    finally:
        stack.stop()
