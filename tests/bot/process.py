"""Rasa processes for tests.

They run `bot.__main__.main` as `python -m bot` does, but are forked from a server that has Rasa
imported already: an import takes far longer than the rest of the start.
"""

import multiprocessing
import os
import signal
import socket
import sys
import time
from pathlib import Path

from tests.bot.standin import TOKEN, Actions, Client

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0

_forks = multiprocessing.get_context("forkserver")
# skops and jieba are what a model needs beside Rasa.
_forks.set_forkserver_preload(["bot.__main__", "skops.io", "jieba"])


class RasaProcess:
    """A Rasa process of ours on a free port of the loopback."""

    def __init__(self, model: Path, folder: Path, actions: Actions, **settings: str) -> None:
        """Start it.

        Args:
            model: The archive.
            folder: For its log and its database.
            actions: The action server.
            **settings: Environment variables beside the usual ones.
        """
        self.port = free_port()
        self.log = folder / f"rasa-{self.port}.log"
        environment = {
            "HUIXIN_RASA_TOKEN": TOKEN,
            "HUIXIN_TRACKER_DB": str(folder / "rasa.sqlite3"),
            "HUIXIN_ACTIONS_URL": actions.url,
            **settings,
        }
        arguments = ["--model", str(model), "--port", str(self.port)]
        self._process = _forks.Process(
            target=_serve, args=(arguments, environment, str(self.log)), daemon=True
        )
        self._process.start()
        self.client = Client(self.port)

    def wait(self) -> "RasaProcess":
        """Wait until the server answers."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self._process.is_alive(), self.log.read_text()
            if answers(self.client):
                return self
            time.sleep(0.05)
        raise AssertionError(f"Rasa did not answer:\n{self.log.read_text()}")

    def died(self) -> int | None:
        """Wait for its end and give the return code, a signal as a negative number."""
        self._process.join(30)
        return self._process.exitcode

    def stop(self) -> None:
        """End it."""
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGTERM)
            self._process.join(30)
            self._process.kill()
        self._process.join()


def run_main(arguments: list[str], log: Path) -> tuple[int | None, str]:
    """Run `main` where it is expected to end by itself.

    Returns:
        The return code and what was printed.
    """
    process = _forks.Process(target=_serve, args=(arguments, {}, str(log)), daemon=True)
    process.start()
    process.join(START_SECONDS)
    process.kill()
    return process.exitcode, log.read_text()


def begin_importing() -> None:
    """Let the server import Rasa while the tests do something else."""
    from multiprocessing.forkserver import ensure_running

    ensure_running()


def answers(client: Client) -> bool:
    """Tell whether the server answers at all."""
    try:
        return client.ask("GET", "/healthz").status == 200
    except OSError:
        return False


def free_port() -> int:
    """Find a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _serve(arguments: list[str], environment: dict[str, str], log: str) -> None:
    os.environ.update(environment)
    os.chdir(ROOT)
    with open(log, "wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    from bot.__main__ import main

    main(arguments)
