"""The businesses that a desk serves, read from the settings file and checked at start."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from recovery.aftercare.notice import STANDARD as STANDARD_NOTICE
from recovery.clock import SOON, in_fives, spoken_moment, spoken_point
from recovery.clocks import ClockSettings, Kind, Measure
from recovery.service_time import ServiceTime, whole

# The trades of `recovery.failures.TRADES`.
Industry = Literal["hotel", "shop", "restaurant", "retail", "property", "travel"]
_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]


class Room(BaseModel):
    """A public web room."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Identifier
    name: str = Field(min_length=1, max_length=40)
    welcome: str = Field(min_length=1, max_length=200)


class Hours(BaseModel):
    """When people answer, in the zone of the business, every day.

    Attributes:
        opens: From when.
        closes: Until when; not later than `opens`: on the next day. From `00:00` to `24:00`, which
            is kept as midnight, people answer day and night.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: time
    closes: time

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        # YAML reads 22:00 as the number 1320, which would pass for 22 minutes past midnight.
        if isinstance(value, int | float):
            raise ValueError('write the time in quotes, like "09:00"')
        return value

    @field_validator("closes", mode="before")
    @classmethod
    def _midnight(cls, value: object) -> object:
        return "00:00" if value == "24:00" else value

    @model_validator(mode="after")
    def _last(self) -> "Hours":
        if self.opens == self.closes != time(0):
            raise ValueError('opens and closes must differ; day and night is "00:00" to "24:00"')
        return self


_Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,63}$")]


class EmbeddedOrdersSetting(BaseModel):
    """Orders in a file beside the desk's data.

    Attributes:
        sends_on: Tickets, parcels and pickups are not done when they are sent on: that is reported
            later (docs/progress.md).
        events_secret_env: As of `HttpOrdersSetting`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["embedded"] = "embedded"
    sends_on: bool = False
    events_secret_env: _Variable | None = None


class HttpOrdersSetting(BaseModel):
    """Orders in the business's own system, see `docs/orders.openapi.yaml`.

    Attributes:
        url: Where the paths of the document begin.
        token_env: Name of the environment variable that holds the token; the token itself stands
            in no file of ours.
        events_secret_env: Name of the variable that holds the secret with which the order system
            signs what it reports (docs/incidents.md); None for the one that is made at the first
            start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["http"]
    url: str
    token_env: _Variable
    events_secret_env: _Variable | None = None

    @field_validator("url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """An address to which a token and orders may be sent, a slash at the end taken off."""
        # What is refused is not quoted: it may hold a password.
        try:
            parts = urlsplit(value)
            host = parts.hostname
            parts.port  # noqa: B018 - is read to be checked
        except ValueError as error:
            raise ValueError("no address like https://orders.example") from error
        odd = not value.isprintable() or " " in value or "\\" in value
        if not host or odd or parts.scheme not in ("http", "https"):
            raise ValueError("no address like https://orders.example")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("no user, query or fragment belongs into the address")
        if parts.scheme == "http" and not is_loopback(host):
            raise ValueError("only https:// to other machines, the token is secret")
        return value.rstrip("/")


OrdersSetting = Annotated[EmbeddedOrdersSetting | HttpOrdersSetting, Field(discriminator="kind")]


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Departures(BaseModel):
    """How far staff may go beyond what the policy gives, in fen.

    Attributes:
        agent: An agent alone; what is more, a manager grants.
        supervisor: A supervisor alone.
        manager: A manager; nobody goes further.
        whole_offer: What a whole offer may be worth beyond what was paid and what the law adds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: int = Field(default=2_000, ge=0, le=10_000_000)
    supervisor: int = Field(default=10_000, ge=0, le=10_000_000)
    manager: int = Field(default=200_000, ge=0, le=10_000_000)
    whole_offer: int = Field(default=1_000_000, ge=0, le=100_000_000)

    @model_validator(mode="after")
    def _ordered(self) -> "Departures":
        if not self.agent <= self.supervisor <= self.manager:
            raise ValueError("agent, supervisor, manager must not fall")
        return self

    def of(self, role: str) -> int:
        """The limit of a role, 0 for one that gives nothing."""
        limits = {"agent": self.agent, "supervisor": self.supervisor, "manager": self.manager}
        return limits.get(role, 0)


class Business(BaseModel):
    """One configured company.

    Attributes:
        orders: Where its orders are.
        help: One sentence that tells where ordinary questions are answered.
        reply_minutes: Within how many minutes of service time a person answers.
        clocks: What else is measured in service time, and what stops it.
        assignment: `auto`: the desk hands the queue out to who is online; `manual`: they take.
        silent_minutes: After how many minutes of service time without an answer a conversation
            goes back to the front of the queue.
        invitation_minutes: How long an invitation into private can be used.
        goodwill_per_day: What the bot may give in a day beyond what is owed, in fen.
        goodwill_per_customer: The same for a customer within 30 days, in fen.
        departures: How far staff may go beyond what the policy gives.
        privacy_notice: Told once in private, with the first answer; `{business}` stands for the
            name. Empty: nothing is told.
        recommendations: What may be recommended once a matter is solved; none by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Identifier
    name: str = Field(min_length=1, max_length=40)
    industry: Industry
    assistant: str = Field(default="回心小助手", min_length=1, max_length=20)
    help: str = Field(min_length=4, max_length=120)
    hours: Hours
    timezone: str = "Asia/Shanghai"
    reply_minutes: int = Field(default=15, ge=1, le=24 * 60)
    clocks: ClockSettings = ClockSettings()
    assignment: Literal["auto", "manual"] = "auto"
    silent_minutes: int = Field(default=5, ge=1, le=24 * 60)
    invitation_minutes: int = Field(default=30, ge=1, le=24 * 60)
    offer_hours: int = Field(default=48, ge=1, le=24 * 30)
    goodwill_per_day: int = Field(default=1_000_000, ge=0)
    goodwill_per_customer: int = Field(default=100_000, ge=0)
    departures: Departures = Departures()
    orders: OrdersSetting = EmbeddedOrdersSetting()
    privacy_notice: str = Field(default=STANDARD_NOTICE, max_length=500)
    recommendations: tuple[Annotated[str, Field(min_length=4, max_length=200)], ...] = ()
    rooms: tuple[Room, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {value!r}") from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the business."""
        return ZoneInfo(self.timezone)

    @property
    def service(self) -> ServiceTime:
        """The time in which people answer."""
        return ServiceTime(self.hours.opens, self.hours.closes, self.zone)

    def measure(self, kind: Kind) -> Measure:
        """How a kind of clock runs here."""
        minutes = getattr(self.clocks, kind) or self.reply_minutes
        return Measure(self.service, minutes * 60, self.clocks.warn)

    def person_by(self, now: datetime) -> datetime:
        """By when a person answers, honestly: inside service hours only, as the clocks run.

        Args:
            now: The present moment, aware.

        Returns:
            The moment, in UTC.
        """
        return self.done_by(now, self.reply_minutes)

    def done_by(self, now: datetime, minutes: int) -> datetime:
        """By when staff have done something that takes this long: inside service hours only.

        Args:
            now: The moment from which it counts, aware.
            minutes: How much service time it takes.
        """
        return self.service.after(now, minutes * 60)

    def done_by_words(self, now: datetime, minutes: int) -> str:
        """The same as a person would say it, for example `明天10:00前`."""
        return self.due_words(self.done_by(now, minutes), now)

    def due_words(self, due: datetime, now: datetime) -> str:
        """Say by when, for a moment of service: never earlier than that, nor after closing.

        Args:
            due: The moment, as `done_by` gives it.
            now: The present moment, aware.
        """
        wait = due - now
        if timedelta(0) <= wait <= SOON:
            said = now + in_fives(wait)
            if self.service.between(due, said) == int((whole(said) - whole(due)).total_seconds()):
                return spoken_moment(due, now, self.zone)
        minute = due.replace(second=0, microsecond=0)
        full = minute if minute == due else minute + timedelta(minutes=1)
        return f"{spoken_point(full, now, self.zone)}前"

    def day_began(self, now: datetime) -> datetime:
        """When the present day began in the zone of the business."""
        return now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)

    def person_by_words(self, now: datetime) -> str:
        """The same as a person would say it, for example `15分钟内`."""
        return self.due_words(self.person_by(now), now)


class Directory:
    """All businesses and rooms of a desk."""

    def __init__(self, businesses: tuple[Business, ...]) -> None:
        """Check that identifiers are used once.

        Args:
            businesses: At least one.

        Raises:
            ValueError: A business or room id is used twice, or there is no business.
        """
        if not businesses:
            raise ValueError("no business is configured")
        self._businesses = {business.id: business for business in businesses}
        self._rooms = {
            room.id: (room, business) for business in businesses for room in business.rooms
        }
        if len(self._businesses) < len(businesses):
            raise ValueError("a business id is used twice")
        if len(self._rooms) < sum(len(business.rooms) for business in businesses):
            raise ValueError("a room id is used twice")

    def __iter__(self) -> Iterator[Business]:
        """Go through the businesses in the order of the settings."""
        return iter(self._businesses.values())

    def business(self, business_id: str) -> Business | None:
        """Find a business by id."""
        return self._businesses.get(business_id)

    def room(self, room_id: str) -> tuple[Room, Business] | None:
        """Find a room and whose it is."""
        return self._rooms.get(room_id)
