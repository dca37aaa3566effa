"""How long the queue takes, from how fast it went lately; nothing is said that was not measured."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

LOOKED_BACK = timedelta(hours=2)
FEWEST_TAKES = 3
_LONGEST_MINUTES = 240


def minutes_left(ahead: int, takes: Sequence[datetime], hands: int, now: datetime) -> int | None:
    """Estimate how long somebody waits.

    Args:
        ahead: How many come before.
        takes: When conversations were taken out of this queue lately.
        hands: How many people are there who can take more.
        now: The present moment.

    Returns:
        Minutes, at least 1. None where it cannot be known: nobody is there, fewer than three
        were taken within two hours, or it would take hours.
    """
    recent = [one for one in takes if now - LOOKED_BACK <= one <= now]
    if hands < 1 or len(recent) < FEWEST_TAKES:
        return None
    # Measured up to now: where nobody was taken for an hour, it goes slower than it went.
    pace = (now - min(recent)) / len(recent)
    minutes = max(1, ceil((ahead + 1) * pace / timedelta(minutes=1)))
    return minutes if minutes <= _LONGEST_MINUTES else None
