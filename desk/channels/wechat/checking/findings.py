"""What a check of an account has found."""

from dataclasses import dataclass
from typing import Literal

_SIGNS = {"good": "[好]", "bad": "[错]", "hint": "[看]"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: `bad` has to be changed; `hint` cannot be checked from here, or is worth a look.
        text: In Chinese, with what to do.
    """

    level: Literal["good", "bad", "hint"]
    text: str

    def __str__(self) -> str:
        """As a line of the report."""
        return f"{_SIGNS[self.level]} {self.text}"


def good(text: str) -> Finding:
    """Nothing to do."""
    return Finding("good", text)


def bad(text: str) -> Finding:
    """Something to change."""
    return Finding("bad", text)


def hint(text: str) -> Finding:
    """Something to look at."""
    return Finding("hint", text)
