"""Root causes: what lies behind a failure, proposed from it and confirmed by staff."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("causes.json")
OTHER = "other"
"""The cause that is none of the others."""


@dataclass(frozen=True)
class Cause:
    """One root cause: what went wrong in how work is done, not who did it."""

    id: str
    name: str


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_TABLE.read_text("utf-8"))
    return content


@lru_cache(maxsize=1)
def causes() -> dict[str, Cause]:
    """All causes by id, in the order of the table."""
    return {one: Cause(one, name) for one, name in _table()["causes"].items()}


def likely(failure: str, industry: str) -> tuple[str, ...]:
    """The likely causes of a failure, the likeliest first; none for one that is not known.

    Args:
        failure: A name of `recovery.failures`.
        industry: Of the business; causes of another trade are left out.
    """
    found = _table()["failures"].get(failure, {})
    return tuple(found.get(industry, found.get("any", ())))


def proposed(failure: str, industry: str) -> str:
    """The likeliest cause; empty where the failure is not known."""
    return next(iter(likely(failure, industry)), "")


def cause_name(cause: str) -> str:
    """What a cause is called; what the table does not have any more keeps its id."""
    known = causes().get(cause)
    return known.name if known else (cause or "还不知道")
