"""Stamps: small files that say what a made thing was made from.

A thing (an environment, the pages) is made anew exactly when its stamp is missing or says
something else. The stamp goes away before the work begins and is written when all of it is
done, so that an interrupted run is never taken for a finished one. File locks keep two runs
of make apart.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.console import say

Facts = Mapping[str, object]
"""What a thing was made from: JSON values by name."""


def read_stamp(path: Path) -> dict[str, object] | None:
    """Return the facts of a stamp, or None where there is none or it cannot be read."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def write_stamp(path: Path, facts: Facts) -> None:
    """Write a stamp in one step: a reader sees the old one, none, or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def remove_stamp(path: Path) -> None:
    """Remove a stamp; it is no error if there is none."""
    path.unlink(missing_ok=True)


def digest(files: Iterable[Path], root: Path) -> str:
    """Return a SHA-256 over names and contents of files, in hex.

    Args:
        files: the files, in any order; each must lie below root.
        root: names are taken relative to it, so that a moved checkout keeps its digest.
    """
    total = hashlib.sha256()
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock between processes; a second one waits and says what for.

    The system drops the lock with its holder, so a killed run leaves nothing to clean up.

    Args:
        folder: where the lock files lie; made if missing.
        name: what is locked, as shown to the person who waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: another make is at it, waiting for its end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
