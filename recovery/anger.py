"""Anger belongs to the case, not to one message."""

from dataclasses import dataclass, replace
from typing import Literal

Trend = Literal["rising", "steady", "falling"]
CALM, DISSATISFIED, ANGRY, FURIOUS = range(4)


@dataclass(frozen=True)
class CaseAnger:
    """Anger over a case, each in 0 (calm) to 3 (furious).

    Attributes:
        opening: Of the first message.
        peak: The highest so far.
        now: What the latest messages show; falls by one level a message at most, since people
            who were furious a moment ago are not calm because one message was short.
        trend: Against the message before.
    """

    opening: int
    peak: int
    now: int
    trend: Trend = "steady"


def heard(before: CaseAnger | None, level: int) -> CaseAnger:
    """Take one more message in.

    Args:
        before: The anger so far, None before the first message.
        level: Anger of the message, 0 to 3.

    Returns:
        The anger of the case with this message.
    """
    if before is None:
        return CaseAnger(level, level, level)
    now = max(level, before.now - 1)
    trend: Trend = "steady"
    if now != before.now:
        trend = "rising" if now > before.now else "falling"
    return replace(before, peak=max(before.peak, now), now=now, trend=trend)
