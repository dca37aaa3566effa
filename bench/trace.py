"""Reads Chromium's trace: how long scripts ran in each scroll of a page."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

CATEGORIES: Final = ["devtools.timeline", "blink.user_timing", "v8"]
"""What is to be traced."""

# Whatever runs a page's script, whoever called it; they lie in one another.
_SCRIPT: Final = frozenset(
    {
        "EvaluateScript",
        "EventDispatch",
        "FireAnimationFrame",
        "FunctionCall",
        "RunMicrotasks",
        "TimerFire",
        "V8.Execute",
        "v8.callFunction",
        "v8.run",
    }
)
_BEGIN, _END = "begin", "end"


def mark(number: int, *, begins: bool) -> str:
    """Name the mark (`performance.mark`) around a scroll of this number."""
    return f"{_BEGIN if begins else _END} {number}"


@dataclass(frozen=True)
class Scroll:
    """Milliseconds in which scripts ran in one scroll, on the page's own thread.

    Attributes:
        script_ms: By the clock: also what the thread waited for a processor.
        processor_ms: What it had of one.
    """

    script_ms: float
    processor_ms: float


def scrolls(trace: bytes, count: int) -> list[Scroll]:
    """Add up the time in which scripts ran between the marks of each scroll.

    Args:
        trace: As Chromium wrote it, with `CATEGORIES`.
        count: How many scrolls there were, numbered from 0.

    Returns:
        What each took; whatever lies in one another counts once.

    Raises:
        LookupError: The marks of a scroll are not in the trace.
    """
    events = json.loads(trace)["traceEvents"]
    marks = {str(one["name"]): one for one in events if _is_mark(one)}
    scripts = [one for one in events if one["name"] in _SCRIPT and one["ph"] == "X"]
    found = []
    for number in range(count):
        first, last = marks.get(mark(number, begins=True)), marks.get(mark(number, begins=False))
        if first is None or last is None:
            raise LookupError(f"scroll {number} is not in the trace")
        thread = first["pid"], first["tid"]
        own = [one for one in scripts if (one["pid"], one["tid"]) == thread]
        found.append(_between(own, first["ts"], last["ts"]))
    return found


def _is_mark(event: dict[str, Any]) -> bool:
    return "blink.user_timing" in event.get("cat", "") and event["name"].startswith((_BEGIN, _END))


def _between(scripts: Iterable[dict[str, Any]], first: float, last: float) -> Scroll:
    """Add up what ran between two moments, in microseconds; what lies in another is part of it."""
    clock = processor = 0.0
    reached = first
    for one in sorted(scripts, key=lambda script: (script["ts"], -script.get("dur", 0))):
        begin, end = max(one["ts"], reached), min(one["ts"] + one.get("dur", 0), last)
        if end > begin:
            clock += end - begin
            processor += min(one.get("tdur", end - begin), end - begin)
            reached = end
    return Scroll(clock / 1000, processor / 1000)
