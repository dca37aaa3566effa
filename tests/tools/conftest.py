"""Stand-ins for the programs that the tools run."""

import json
import os
import select
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MakeProgram = Callable[[Path, str], Path]
MakePython = Callable[..., Path]


def write_program(path: Path, body: str) -> Path:
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@contextmanager
def killed_after(seconds: float, process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that a test waits for in vain, so that the test fails instead of hanging."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def ended(reading: int, limit: float = 20) -> bool:
    """Tell whether every writer of the fifo is gone, waiting for it."""
    looked_at = select.poll()
    looked_at.register(reading, select.POLLIN)
    gone = bool(looked_at.poll(limit * 1000)) and os.read(reading, 1) == b""
    os.close(reading)
    return gone


@pytest.fixture
def program() -> MakeProgram:
    """Make a shell script: ``program(path, body)``."""
    return write_program


@pytest.fixture
def python() -> MakePython:
    """Make a program that answers the tools' question as a Python would."""

    def make(path: Path, version: str, implementation: str = "CPython") -> Path:
        numbers = [int(part) for part in version.split(".")]
        answer = json.dumps([implementation, numbers, str(path)])
        return write_program(path, f"echo '{answer}'")

    return make
