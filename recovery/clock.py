"""Time comes in as an argument, so that a test passes its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

SOON = timedelta(minutes=45)
"""Up to this wait the minutes are said, past it the moment."""

_FIVE = timedelta(minutes=5)


def utc_now() -> datetime:
    """Give the present moment, aware, in UTC."""
    return datetime.now(UTC)


def in_fives(wait: timedelta) -> timedelta:
    """A wait as it is said: in full fives of minutes, never less than it is."""
    return max(_FIVE, -(-timedelta(seconds=int(wait.total_seconds())) // _FIVE) * _FIVE)


def spoken_moment(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Say a coming moment as a person would.

    Args:
        moment: The moment spoken of, aware.
        now: The present moment, aware.
        zone: The time zone of the business.

    Returns:
        For example `15分钟内`, `今天18:30前`, `明天09:30前`, `3月5日12:00前`.
    """
    wait = moment - now
    if timedelta(0) <= wait <= SOON:
        return f"{in_fives(wait) // timedelta(minutes=1)}分钟内"
    return f"{spoken_point(moment, now, zone)}前"


def spoken_point(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Say a moment by the clock: `今天18:30`, `明天09:30`, `3月5日12:00`. Arguments as above."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    day = {0: "今天", 1: "明天"}.get(days, f"{local.month}月{local.day}日")
    return f"{day}{local:%H:%M}"
