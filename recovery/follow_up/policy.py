"""When and whom to ask afterwards: a table of rules that a manager can read and change.

The table stands in `follow_up.json`, or in the operator's own policy directory under the same
name. It is read strictly: what nobody knows, is missing or stands twice stops the start.
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from recovery.business import Industry
from recovery.outcomes import OUTCOMES

FILE = "follow_up.json"
BUILT_IN = Path(__file__).parent / FILE
BY_BOT = "thanked"
"""How a case ends that the bot closes, beside those of `recovery.outcomes`."""
_MOST_BYTES = 256 * 1024
_MONTH_HOURS = 24 * 31

_Rule = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,31}$")]
_Reason = Annotated[str, Field(min_length=2, max_length=120)]


class FollowUpPolicyError(ValueError):
    """A table that cannot be used; the message says where it is wrong."""


class _Row(BaseModel):
    """What every row has: its id, and why it is so, in words."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rule: _Rule
    reason: _Reason


class Wait(_Row):
    """How long to wait, in hours.

    Attributes:
        industry: For which trade; `*` for all that have no row of their own.
        first_hours: From the end of a matter until it is asked how it went.
        again_hours: From then until it is asked once more, where nobody answers.
        end_hours: From then until nobody waits for an answer any more.
    """

    industry: Industry | Literal["*"]
    first_hours: int = Field(ge=1, le=_MONTH_HOURS)
    again_hours: int = Field(ge=12, le=_MONTH_HOURS)
    end_hours: int = Field(ge=1, le=_MONTH_HOURS)

    @property
    def first(self) -> timedelta:
        """From the end of a matter until it is asked."""
        return timedelta(hours=self.first_hours)

    @property
    def again(self) -> timedelta:
        """From then until it is asked once more."""
        return timedelta(hours=self.again_hours)

    @property
    def end(self) -> timedelta:
        """From then until nobody waits for an answer any more."""
        return timedelta(hours=self.end_hours)


class Quiet(_Row):
    """The hours in which nobody is asked anything, in the zone of the business.

    Attributes:
        begins: From when.
        ends: Until when; not later than `begins`: of the next day. The same: never quiet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    begins: time
    ends: time

    @field_validator("begins", "ends", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        # A number would pass for seconds past midnight.
        if not isinstance(value, str):
            raise ValueError('write the time like "21:00"')
        return value

    def over(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from this one on that is not quiet, in UTC.

        Args:
            moment: Aware.
            zone: Of the business.
        """
        local = moment.astimezone(zone)
        now = local.timetz().replace(tzinfo=None)
        if self.begins == self.ends:
            return moment.astimezone(UTC)
        overnight = self.ends < self.begins
        if overnight:
            quiet = now >= self.begins or now < self.ends
        else:
            quiet = self.begins <= now < self.ends
        if not quiet:
            return moment.astimezone(UTC)
        next_day = overnight and now >= self.begins
        day = local.date() + timedelta(days=1) if next_day else local.date()
        ended = datetime.combine(day, self.ends, zone).astimezone(UTC)
        # Where clocks are put back, the same time of the clock comes twice: the later one counts.
        later = datetime.combine(day, self.ends, zone).replace(fold=1).astimezone(UTC)
        return max(moment.astimezone(UTC), ended, later)


class Ending(_Row):
    """Whether it is asked how it went after a case has ended so."""

    outcome: str
    asks: bool

    @field_validator("outcome")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in OUTCOMES and value != BY_BOT:
            raise ValueError(f"no outcome {value[:24]!r}")
        return value


class Limits(_Row):
    """What keeps it from becoming a nuisance.

    Attributes:
        between_days: A person is asked about one matter at most within so many days.
        late_hours: What is overdue by more is not asked any more.
        busy_hours: How long to wait where a person serves the customer just then.
        words_hours: For how long after the rating free words are taken for the open answer.
        button_days: For how long after it was asked a rating counts.
    """

    between_days: int = Field(ge=1, le=365)
    late_hours: int = Field(ge=12, le=_MONTH_HOURS)
    busy_hours: int = Field(ge=1, le=48)
    words_hours: int = Field(ge=1, le=24 * 7)
    button_days: int = Field(ge=1, le=365)


class FollowUpPolicy(BaseModel):
    """All rules of asking afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$")
    waits: tuple[Wait, ...] = Field(strict=False)
    quiet: Quiet
    outcomes: tuple[Ending, ...] = Field(strict=False)
    limits: Limits

    @model_validator(mode="after")
    def _whole(self) -> "FollowUpPolicy":
        named = [self.quiet.rule, self.limits.rule]
        named += [row.rule for row in (*self.waits, *self.outcomes)]
        _once("rule", named)
        _once("industry", [row.industry for row in self.waits])
        _once("outcome", [row.outcome for row in self.outcomes])
        if "*" not in {row.industry for row in self.waits}:
            raise ValueError('waits: there must be a row for "*"')
        missing = {*OUTCOMES, BY_BOT} - {row.outcome for row in self.outcomes}
        if missing:
            raise ValueError(f"outcomes: no row for {', '.join(sorted(missing))}")
        return self

    def wait(self, industry: str) -> Wait:
        """The row of a trade."""
        rows: dict[str, Wait] = {row.industry: row for row in self.waits}
        return rows.get(industry) or rows["*"]

    def ending(self, outcome: str | None) -> Ending | None:
        """The row of an outcome; None for one that is not known any more."""
        return next((row for row in self.outcomes if row.outcome == outcome), None)


def _once(what: str, names: list[str]) -> None:
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise ValueError(f"{what} stands twice: {', '.join(twice)}")


def read_follow_up_policy(text: str) -> FollowUpPolicy:
    """Read the table.

    Args:
        text: JSON.

    Raises:
        FollowUpPolicyError: It cannot be used; every place is named.
    """
    try:
        return FollowUpPolicy.model_validate_json(text)
    except ValidationError as error:
        places = [
            f"{FILE}：{'.'.join(str(part) for part in one['loc']) or '全表'}：{one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise FollowUpPolicyError("\n".join(places)) from error


def load_follow_up_policy(directory: Path | None = None) -> FollowUpPolicy:
    """Read the table from its file.

    Args:
        directory: Of the operator's own policy; where it has a `follow_up.json`, that one counts.

    Raises:
        FollowUpPolicyError: It cannot be used.
    """
    own = directory / FILE if directory else None
    path = own if own and own.is_file() else BUILT_IN
    try:
        raw = path.read_bytes()
        if len(raw) > _MOST_BYTES:
            raise FollowUpPolicyError(f"{FILE}：文件太大")
        return read_follow_up_policy(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise FollowUpPolicyError(f"{path}：读不出来（{error}）") from error
