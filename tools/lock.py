"""Redoes the locked requirement sets: every version and every hash, no name of any host."""

from __future__ import annotations

import os

from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.steps import Command, end_on_sigterm, step
from tools.uv import find_uv

_UNIVERSAL = ("--universal", "--python-version", "3.11")
# The nlu set is locked for the one platform that it is offered for. A universal lock would fall
# back to an older NumPy for the sake of platforms that nobody runs this on.
_NLU = ("--python-version", "3.10", "--python-platform", "linux")

SETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # A set comes after the one that it is layered on.
    ("service", _UNIVERSAL),
    ("service-test", _UNIVERSAL),
    ("nlu", _NLU),
    ("nlu-test", _NLU),
    ("build", _NLU),
    ("uv", _UNIVERSAL),
    ("node", _UNIVERSAL),
)
"""Names of the requirement sets, with the options that say what they are locked for."""


def lock(places: Places, upgrade: bool) -> None:
    """Write `requirements/*.txt` from `requirements/*.in`.

    Args:
        places: the checkout.
        upgrade: take the newest versions; otherwise locked ones stay where they can.

    Raises:
        ToolError: the requirements of a set contradict each other, or PyPI is out of reach.
    """
    uv = find_uv(places, os.environ)
    for name, options in SETS:
        say(f"lock: {name}")
        command: Command = [uv, "pip", "compile", "--quiet", "--generate-hashes", *options]
        # No header: it would carry the command line. No index: it would carry a host name.
        command += ["--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--upgrade"] if upgrade else []
        command += ["--output-file", f"{name}.txt", f"{name}.in"]
        if step(command, places.requirements) != 0:
            raise ToolError(f"{name}.in could not be locked (see above)")


def main(arguments: list[str]) -> int:
    """Redo all locks; with ``--upgrade`` to the newest versions."""
    end_on_sigterm()
    lock(here(), upgrade="--upgrade" in arguments)
    return 0


if __name__ == "__main__":
    run_main(main)
