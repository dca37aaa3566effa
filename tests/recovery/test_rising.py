"""What rises is told, and what is usual is not."""

from datetime import date, timedelta

import pytest

from recovery.insights.rising import chance, expected, rising

TODAY = date(2026, 11, 21)  # a Saturday
LONG_AGO = date(2026, 1, 1)


def days(*, usual: int = 0, saturdays: int | None = None, today: int = 0) -> dict[str, int]:
    """Cases by day over eight weeks."""
    found = {TODAY.isoformat(): today}
    for back in range(1, 57):
        day = TODAY - timedelta(days=back)
        busy = saturdays is not None and day.weekday() == TODAY.weekday()
        found[day.isoformat()] = (saturdays or 0) if busy else usual
    return found


def names(counts: dict[str, int], since: date = LONG_AGO) -> list[str]:
    return [one.name for one in rising({"noise": counts}, TODAY, since)]


def test_what_rises_is_told() -> None:
    (found,) = rising({"noise": days(usual=2, today=9), "late": days(usual=5)}, TODAY, LONG_AGO)
    assert (found.name, found.count) == ("noise", 9)
    assert found.expected == pytest.approx(2.1, abs=0.15)


def test_a_flat_line_is_not() -> None:
    assert names(days(usual=4, today=4)) == []
    assert names(days(usual=4, today=7)) == [], "less than twice as many is a good day's chance"
    assert names(days(usual=1, today=2)) == [], "two cases are no wave"


def test_a_busy_day_of_the_week_is_usual() -> None:
    assert names(days(usual=1, saturdays=9, today=10)) == []
    assert names(days(usual=1, saturdays=3, today=10)) == ["noise"]


def test_what_is_new_is_told_where_the_business_is_not() -> None:
    assert names(days(today=3)) == ["noise"]
    assert names(days(today=3), TODAY - timedelta(days=3)) == [], "all is new in the first week"
    assert names({}) == []


def test_the_numbers_behind_it() -> None:
    assert chance(0, 2.0) == 1.0
    # By hand: 1 - e^-2 (1 + 2 + 2)
    assert chance(3, 2.0) == pytest.approx(0.3233, abs=1e-4)
    assert expected(days(usual=2), TODAY, LONG_AGO) == pytest.approx(2.125, abs=1e-6)
    young = expected(days(usual=2), TODAY, TODAY - timedelta(days=10))
    assert young == pytest.approx(2.05, abs=1e-6), "days before the first case do not count"
