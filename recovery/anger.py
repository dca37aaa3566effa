"""Anger belongs to the case, not to one message.

It is kept as heat, a number from 0 (calm) to 3 (furious). A message heats the case up to its own
level at once, and cools it by no more than one level, since people who were furious a moment ago
are not calm because one message was short. Silence cools it too: heat falls by half every
`HALF_LIFE`, but only down to dissatisfied, since nobody is content merely because nobody wrote.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Trend = Literal["rising", "steady", "falling"]
CALM, DISSATISFIED, ANGRY, FURIOUS = range(4)

HALF_LIFE = timedelta(hours=2)
# A change of heat smaller than this is no trend.
_NOTICEABLE = 0.25


@dataclass(frozen=True)
class CaseAnger:
    """Anger over a case, levels in 0 (calm) to 3 (furious).

    Attributes:
        opening: Of the first message.
        peak: The highest level of a message so far.
        now: What the latest messages show.
        trend: Against the message before.
        heat: The number behind `now`; `now` is the nearest level.
        at: When the latest message was written, in ISO 8601; None where it is not known.
        calmed_at: When the customer, once angry, became calm; None while they are not.
    """

    opening: int
    peak: int
    now: int
    trend: Trend = "steady"
    heat: float = 0.0
    at: str | None = None
    calmed_at: str | None = None

    @property
    def calmed(self) -> bool:
        """Whether the customer was angry and is not any more."""
        return self.calmed_at is not None


def heard(before: CaseAnger | None, level: int, now: datetime | None = None) -> CaseAnger:
    """Take one more message in.

    Args:
        before: The anger so far, None before the first message.
        level: Anger of the message, 0 to 3.
        now: When it was written; without it no time has passed.

    Returns:
        The anger of the case with this message.
    """
    at = now.isoformat() if now else None
    if before is None:
        return CaseAnger(level, level, level, heat=float(level), at=at)
    left = _left(before, now)
    heat = max(float(level), left - 1.0)
    trend: Trend = "steady"
    if abs(heat - left) >= _NOTICEABLE:
        trend = "rising" if heat > left else "falling"
    reading = _level(heat)
    peak = max(before.peak, level)
    calm = peak >= ANGRY and reading == CALM
    calmed_at = (before.calmed_at or at or "") if calm else None
    return CaseAnger(before.opening, peak, reading, trend, heat, at or before.at, calmed_at)


def read(anger: CaseAnger, now: datetime) -> int:
    """Read the anger at a moment in which nobody writes, for the queue.

    Args:
        anger: As the last message left it.
        now: The moment.

    Returns:
        The level, 0 to 3, never above `anger.now`.
    """
    return min(anger.now, _level(_left(anger, now)))


def _left(anger: CaseAnger, now: datetime | None) -> float:
    """The heat that time has left."""
    # A case kept before there was heat has the level only.
    heat = max(anger.heat, anger.now - 0.5)
    if now is None or anger.at is None or heat <= DISSATISFIED:
        return heat
    # A message that comes late must not find the case hotter than it was.
    passed = max(now - datetime.fromisoformat(anger.at), timedelta(0))
    cooled = heat * 0.5 ** (passed / HALF_LIFE)
    return float(max(cooled, DISSATISFIED))


def _level(heat: float) -> int:
    """The nearest level, the upper one of two equally near."""
    return int(heat + 0.5)
