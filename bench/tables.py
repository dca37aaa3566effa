"""What reports are made of, in Markdown: tables, lists, verdicts on targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One target and what was measured.

    Attributes:
        target: In words.
        measured: The figure, in words.
        reached: None when it was not measured.
    """

    target: str
    measured: str
    reached: bool | None

    @property
    def word(self) -> str:
        """The verdict in words."""
        if self.reached is None:
            return "not measured"
        return "reached" if self.reached else "**NOT REACHED**"


def verdict(
    target: str, measured: float | None, good: Callable[[float], bool], words: str
) -> Verdict:
    """Hold a figure against a target.

    Args:
        target: In words.
        measured: None when it was not.
        good: Whether a figure reaches the target.
        words: The figure's format.
    """
    if measured is None:
        return Verdict(target, "-", None)
    return Verdict(target, words.format(measured), good(measured))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict_table(found: Sequence[Verdict]) -> str:
    """Write targets and what became of them."""
    rows = [(one.target, one.measured, one.word) for one in found]
    return table(("target", "measured", "verdict"), rows)


def listed(notes: Sequence[str]) -> str:
    """Write a list."""
    return "\n".join(f"- {note}" for note in notes)
