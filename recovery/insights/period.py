"""Which cases a question about figures is about."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Filters:
    """Cases of some businesses, begun on some days.

    Attributes:
        businesses: Their ids; none of them: no case at all.
        since: First day, in the zone of each business.
        until: Last day, included.
        channel: Where the case began; None: anywhere.
        failure: Its failure; None: any, "": not known.
    """

    businesses: tuple[str, ...]
    since: date
    until: date
    channel: str | None = None
    failure: str | None = None

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> "Filters":
        """The same of as many days before."""
        return replace(self, since=self.since - _DAY * self.days, until=self.since - _DAY)
