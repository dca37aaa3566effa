"""What rises: more cases of a cause on a day than the weeks before let expect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp

DAYS_BEFORE = 28
"""Days that say what is usual: four of each day of the week."""
CASES_LEAST = 3
TIMES_LEAST = 2.0
CHANCE_MOST = 0.01
YOUNGEST = 7
"""Of a business that has had cases for fewer days nobody knows what is usual."""
# Half a case more than there were: what never came may come once.
_UNSEEN = 0.5
_DAY = timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True)
class Rising:
    """One that rises.

    Attributes:
        name: Of the cause or failure.
        count: Cases of the day.
        expected: Usual on such a day.
    """

    name: str
    count: int
    expected: float


def expected(before: Mapping[str, int], day: date, since: date) -> float:
    """How many cases are usual on a day.

    The mean of the days before, or of the same day of the week where that is more: a busy
    Saturday is no alarm.

    Args:
        before: Cases by day.
        day: The day.
        since: Since when there is anything to count.
    """
    days = [day - _DAY * back for back in range(1, DAYS_BEFORE + 1)]
    counted = [one for one in days if one >= since]
    same = [one for one in counted if (day - one).days % _WEEK == 0]
    means = [
        (sum(before.get(one.isoformat(), 0) for one in some) + _UNSEEN) / len(some)
        for some in (counted, same)
        # Of one or two days nothing is usual.
        if len(some) > DAYS_BEFORE // _WEEK // 2
    ]
    return max(means, default=_UNSEEN)


def chance(count: int, mean: float) -> float:
    """How likely so many or more are, where this many are usual (Poisson)."""
    term, below = exp(-mean), 0.0
    for number in range(count):
        below += term
        term *= mean / (number + 1)
    return max(0.0, 1.0 - below)


def rising(days: Mapping[str, Mapping[str, int]], day: date, since: date) -> Iterator[Rising]:
    """Find what rises on a day.

    Args:
        days: By name, cases by day.
        day: The day, which may not be over: what rises already is told at once.
        since: On which day the business had its first case.
    """
    if (day - since).days < YOUNGEST:
        return
    for name, counts in sorted(days.items()):
        count = counts.get(day.isoformat(), 0)
        usual = expected(counts, day, since)
        if count < CASES_LEAST or count < TIMES_LEAST * usual:
            continue
        if chance(count, usual) < CHANCE_MOST:
            yield Rising(name, count, round(usual, 2))
