"""Runs the programs of a preparation, one after the other, bound to this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from pathlib import Path
from types import FrameType

from tools.console import ToolError

CHILD = Path(__file__).resolve().parent / "child.py"

Command = list[str | Path]
"""A program and its arguments."""

STEP_LIMIT = 3600.0
"""Longest time of one step in seconds; the longest honest one is a first download of Rasa."""

OUTPUT: ContextVar[Path | None] = ContextVar("OUTPUT", default=None)
"""Where `step` sends the output of programs in this thread; None: the terminal."""


def bound(command: Sequence[str | Path]) -> list[str]:
    """Return the command in a form that ends with this process, see `tools.child`."""
    return [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), *map(str, command)]


def step(
    command: Sequence[str | Path],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    limit: float = STEP_LIMIT,
) -> int:
    """Run one program to its end, its output going straight to the terminal or to `OUTPUT`.

    Args:
        command: program and arguments.
        cwd: folder to run in.
        environment: variables on top of the present ones.
        limit: seconds after which the program is killed.

    Returns:
        The exit status; 127 if there is no such program, negative after a signal.

    Raises:
        ToolError: the program ran longer than the limit.
    """
    output = OUTPUT.get()
    try:
        with output.open("ab") if output else nullcontext() as log:
            return subprocess.run(
                bound(command),
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=limit,
                check=False,
            ).returncode
    except subprocess.TimeoutExpired:
        raise ToolError(f"{command[0]} did not end within {limit:.0f} s and was stopped") from None


def ask(
    command: Sequence[str | Path],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limit: float = 30.0,
) -> str | None:
    """Run a short program quietly and return what it printed.

    Args:
        command: program and arguments.
        cwd: folder to run in.
        environment: all variables of the program; None: the present ones.
        limit: seconds after which the program is killed.

    Returns:
        Its standard output without the white space around it, or None if it could not be
        run, failed, or did not end in time. A file on PATH is no promise: pyenv's shims
        exist for every version and answer for the active ones only.
    """
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def end_on_sigterm() -> None:
    """Let SIGTERM and SIGHUP unwind this process, so that the step under way is ended too."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
