"""The report of a replay, as Markdown and as a short table for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.replaying.figures import LEVELS, Figures, count
from tools.replaying.transcripts import choose, transcript
from tools.replaying.visits import Visit

FORM = '`{"id", "turns": [{"sender": "customer", "text"}, ...]}`, one dialogue a line'


@dataclass(frozen=True)
class Setting:
    """What a replay was done with.

    Attributes:
        begun: When, aware.
        source: Name of the file of the posts.
        room: Where they were posted.
        model: Name of the model.
        at_once: Customers at the same time.
        seconds: How long it took.
    """

    begun: datetime
    source: str
    room: str
    model: str
    at_once: int
    seconds: float


def summary(figures: Figures) -> list[tuple[str, str]]:
    """The few figures that matter most, name and value."""
    return [
        ("posts", str(figures.posts)),
        *(
            (f"anger {level} ({name})", _of(figures.anger[level], figures.posts))
            for level, name in enumerate(LEVELS)
        ),
        ("recognised as complaints", _of(figures.complaints, figures.posts)),
        ("answered in public", _of(figures.aloud, figures.posts)),
        ("invited into private", _of(figures.invited, figures.posts)),
        ("entered, private chat opened", _of(figures.entered, figures.invited)),
        ("no words at all", _of(sum(figures.silent.values()), figures.posts)),
        ("refused by the desk / broken visits", f"{figures.refused} / {figures.broken}"),
        ("first words, median", _seconds(figures.median)),
        ("first words, 95th percentile", _seconds(figures.p95)),
    ]


def terminal(figures: Figures) -> str:
    """The summary as lines for the terminal."""
    return "\n".join(f"  {name:<36} {value}" for name, value in summary(figures))


def report(visits: Sequence[Visit], setting: Setting) -> str:
    """Write the report.

    Args:
        visits: All, in order.
        setting: What they were made with.

    Returns:
        Markdown, personal data masked.
    """
    figures = count(visits)
    parts = [
        "# Replay",
        f"{setting.begun:%Y-%m-%d %H:%M} UTC; posts of `{setting.source}` ({FORM}); room "
        f"`{setting.room}`; model `{setting.model}`; {setting.at_once} customers at once; "
        f"{setting.seconds:.0f} s.",
        _table(("figure", "value"), summary(figures)),
        "## What was said in answer",
        _counter("response", figures.responses),
        "## Cases by failure",
        _counter("failure", figures.failures),
        "## Answers by intent",
        _table(
            ("intent", "posts", "answered", "invited"),
            (
                (row.name, str(row.posts), str(row.answered), str(row.invited))
                for row in figures.intents
            ),
        ),
        "## Posts without an answer",
        _counter("reason", figures.silent) if figures.silent else "None.",
        "## Five visits",
        *(transcript(visit, number) for number, visit in choose(visits)),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def transcripts(visits: Sequence[Visit]) -> str:
    """Write all visits out as Markdown, personal data masked."""
    written = (transcript(visit, number) for number, visit in enumerate(visits, 1))
    return "# All visits\n\n" + "\n".join(written)


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else str(part)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _counter(name: str, counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _table((name, "posts"), ((key, str(value)) for key, value in ordered))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
