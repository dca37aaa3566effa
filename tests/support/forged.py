"""Processes from `tests.support.forge`, to be handled as those of `subprocess`."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tools.model import RASA_ENVIRONMENT
from tools.places import here

ROOT = here().root
_IMPORT_SECONDS = 240.0
# What a program imports, by its environment. skops and jieba are what a model needs beside Rasa.
_MODULES = {
    "service": ("desk.__main__", "actions.__main__"),
    "nlu": ("bot.__main__", "skops.io", "jieba"),
}


class Forged:
    """One process; `subprocess.Popen` as far as tests use it."""

    def __init__(self, connection: socket.socket, arguments: list[str]) -> None:
        """Wait until it runs.

        Args:
            connection: On which it was asked for.
            arguments: What it is, for messages.
        """
        self.args = arguments
        self.returncode: int | None = None
        self._connection = connection
        self._said = b""
        while b"\n" not in self._said:
            if not (part := connection.recv(64)):
                raise RuntimeError(f"the forge has not started {arguments}")
            self._said += part
        self.pid = int(self._said.partition(b"\n")[0])
        try:
            # A number may be given to another process after the end, this may not.
            self._handle: int | None = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._handle = None

    def poll(self) -> int | None:
        """The exit status, None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while self._look(None if end is None else max(0.0, end - time.monotonic())) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is None and self._readable(seconds):
            part = self._connection.recv(64)
            self._said += part
            rest = self._said.partition(b"\n")[2]
            if rest.endswith(b"\n"):
                self._ended(int(rest))
            elif not part:
                # Who watched it was killed; the process may go on, but nobody knows of it.
                self._ended(-signal.SIGKILL)
        return self.returncode

    def _readable(self, seconds: float | None) -> bool:
        # Not `select`, which knows no file above the 1,024th of a process.
        looked_at = select.poll()
        looked_at.register(self._connection, select.POLLIN)
        return bool(looked_at.poll(None if seconds is None else seconds * 1000))

    def _ended(self, status: int) -> None:
        self.returncode = status
        self._connection.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None and self._handle is not None:
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                # It ends at this moment.
                pass

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def forged(
    environment: str, module: str, arguments: list[str], variables: Mapping[str, str], log: Path
) -> Forged:
    """Start a program.

    Args:
        environment: "service" or "nlu".
        module: What `python -m` would be given.
        arguments: Of the program.
        variables: All of its environment.
        log: Where its output is appended.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_forge(environment))
    wanted = {
        "module": module,
        "arguments": arguments,
        "environment": dict(variables),
        "folder": str(ROOT),
        "log": str(log),
    }
    connection.sendall(json.dumps(wanted).encode() + b"\n")
    return Forged(connection, [module, *arguments])


@cache
def _forge(environment: str) -> str:
    """Start the forge of an environment, which lives as long as the tests; gives its socket.

    Raises:
        RuntimeError: It could not import what it was told to.
    """
    python = here().nlu_python if environment == "nlu" else here().service_python
    # A socket's path may not be long, and pytest's folders have long names.
    folder = Path(tempfile.mkdtemp(prefix="huixin-forge-"))
    path, log = folder / "socket", folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "tests.support.forge", path, *_MODULES[environment]],
            cwd=ROOT,
            env={**os.environ, **RASA_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )

    @atexit.register
    def _end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
        for one in (path, log):
            one.unlink(missing_ok=True)
        folder.rmdir()

    end = time.monotonic() + _IMPORT_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
                # It is answered by a child that reads nothing and ends.
            return str(path)
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the forge of {environment}: {log.read_text('utf-8', 'replace')[-2000:]}")
