"""Time in which people answer: how much of it passes between two moments, and when it is used up.

Days are those of the business's zone, so a day on which clocks are put forward or back has the
service time that people really work. All sums are whole seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def whole(moment: datetime) -> datetime:
    """A moment in UTC without its fraction of a second, so that sums of spans are exact."""
    return moment.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class ServiceTime:
    """The service hours of one business.

    Attributes:
        opens: When people begin to answer, every day.
        closes: When they go: on the same day where that is later than `opens`, else on the next.
            Both at midnight: they never go.
        zone: Of the business.
    """

    opens: time
    closes: time
    zone: ZoneInfo

    def open_at(self, moment: datetime) -> bool:
        """Whether people answer at a moment; at the very end they do not any more."""
        begun, ended = next(self._windows(moment))
        return begun <= moment < ended

    def between(self, start: datetime, end: datetime) -> int:
        """How many seconds of service lie between two moments; 0 where the end comes first."""
        first, last, seconds = whole(start), whole(end), 0
        for opens, closes in self._windows(first):
            if max(opens, first) >= last:
                return seconds
            seconds += int((min(closes, last) - max(opens, first)).total_seconds())
        return seconds

    def after(self, start: datetime, seconds: int) -> datetime:
        """When so much service time has passed since a moment.

        Args:
            start: From when it counts, aware.
            seconds: Of service time, not negative.

        Returns:
            The earliest such moment from opening to closing time, both included; in UTC, without
            a fraction of a second.
        """
        first, left = whole(start), timedelta(seconds=seconds)
        for opens, closes in self._windows(first):
            begun = max(opens, first)
            if begun + left <= closes:
                return begun + left
            left -= closes - begun
        raise AssertionError("days do not end")

    def _windows(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Opening and closing times in UTC that are not over at a moment, one day after another."""
        night = timedelta(days=1) if self.closes <= self.opens else timedelta(0)
        # From two days before: a night may go on, and where clocks were put forward over midnight
        # it may do so longer than it says.
        day = moment.astimezone(self.zone).date() - timedelta(days=2)
        before = datetime.min.replace(tzinfo=UTC)
        while True:
            # On the day of a change opening time may not exist and lie behind closing time, or
            # before the end of the night.
            opens = max(before, whole(datetime.combine(day, self.opens, self.zone)))
            closes = whole(datetime.combine(day + night, self.closes, self.zone))
            if opens < closes:
                before = closes
                if moment < closes:
                    yield opens, closes
            day += timedelta(days=1)
