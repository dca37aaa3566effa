"""uv: the one on PATH, else one from PyPI in an environment of its own."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.console import ToolError, say
from tools.places import Places
from tools.stamps import only_one
from tools.steps import Command, ask, step

OLDEST = (0, 5)
"""Oldest uv whose options are the ones used here."""


def find_uv(places: Places, environ: Mapping[str, str]) -> Path:
    """Return uv's program, installed into `.venv/tools` if the machine has none.

    Raises:
        ToolError: it could not be installed.
    """
    on_path = shutil.which("uv", path=environ.get("PATH"))
    if on_path and _suits(Path(on_path)):
        return Path(on_path)
    own = tools_folder(places) / "bin" / "uv"
    if not _suits(own):
        with only_one(places.locks, "tools"):
            if not _suits(own):
                say("tools: uv from PyPI")
                install_tool(places, "uv.txt")
    if not _suits(own):
        raise ToolError(
            f"{own} was installed but does not answer; remove {tools_folder(places)} and try again"
        )
    return own


def tools_folder(places: Places) -> Path:
    """Return the environment that holds uv and Node.js where the machine has none."""
    return places.venvs / "tools"


def install_tool(places: Places, lock: str) -> None:
    """Install one locked set of tools with pip, hashes checked.

    The caller holds the lock "tools".

    Args:
        places: the checkout.
        lock: file name in `requirements/`.

    Raises:
        ToolError: venv or pip failed.
    """
    folder = tools_folder(places)
    if ask([folder / "bin" / "python", "-m", "pip", "--version"]) is None:
        shutil.rmtree(folder, ignore_errors=True)
        if step([sys.executable, "-m", "venv", folder], places.root) != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise ToolError(
                f"`{sys.executable} -m venv` failed; on Debian install python3-venv "
                "(apt-get install python3-venv), or install uv yourself"
            )
    command: Command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    command += ["--disable-pip-version-check"]
    command += ["--require-hashes", "-r", places.requirements / lock]
    if step(command, places.root) != 0:
        raise ToolError(
            f"pip could not install {lock} (see above). The machine has to reach PyPI or a mirror "
            "of it (PIP_INDEX_URL)"
        )


def _suits(program: Path) -> bool:
    if not program.is_file():
        return False
    match = re.match(r"uv (\d+)\.(\d+)", ask([program, "--version"]) or "")
    return match is not None and (int(match[1]), int(match[2])) >= OLDEST
