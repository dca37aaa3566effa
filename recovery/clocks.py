"""The clocks of a conversation: how soon a person answers, answers again, and settles it.

A clock measures one thing again and again: every hand-over is promised its own first answer. Each
time counts as one hit or one miss, never as both:

* `first_response`: from when a person is due until a person's first answer; again from when it is
  handed on to people anew, where no answer is due already;
* `next_response`: from a customer's message until a person's answer, where none is due already;
* `resolution`: from when a person is due until the case is closed or given back to the bot.

Only service time counts. What ends or holds a clock beyond that is decided by `ClockStops`. A time
that was missed is counted once, at the moment it runs out, and goes on showing how late it is until
it is ended; it is not held any more, since there is nothing left to save.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from recovery.service_time import ServiceTime, whole

Kind = Literal["first_response", "next_response", "resolution"]
State = Literal["active", "hit", "missed", "active_with_misses"]
Pause = Literal["snooze", "customer"]

ANSWERS: tuple[Kind, ...] = ("first_response", "next_response")
KINDS: tuple[Kind, ...] = (*ANSWERS, "resolution")
SNOOZED: tuple[Kind, ...] = ("next_response", "resolution")
WORDS: dict[Kind, str] = {
    "first_response": "首次回应",
    "next_response": "再次回应",
    "resolution": "结案",
}


class ClockStops(BaseModel):
    """What ends or holds a clock, beside a person's answer and the end of the case.

    Attributes:
        holding: A sentence of the desk itself (patience, a person comes) counts as an answer.
        note: An internal note counts as an answer.
        snooze: A conversation that is put aside holds its next answer and its resolution.
        waiting_for_customer: The resolution stands while the customer has the last answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    holding: bool = False
    note: bool = False
    snooze: bool = True
    waiting_for_customer: bool = False


class ClockSettings(BaseModel):
    """How much service time there is for each thing.

    Attributes:
        first_response: Minutes; None: as many as customers are promised (`reply_minutes`).
        next_response: The same for every further answer.
        resolution: Minutes until a case is settled.
        warn: The last share of the time, in which a clock shows red.
        stops: What ends or holds a clock.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first_response: int | None = Field(default=None, ge=1, le=7 * 24 * 60)
    next_response: int | None = Field(default=None, ge=1, le=7 * 24 * 60)
    resolution: int = Field(default=16 * 60, ge=1, le=90 * 24 * 60)
    warn: float = Field(default=0.25, ge=0, lt=1)
    stops: ClockStops = ClockStops()


@dataclass(frozen=True)
class Clock:
    """One clock of one conversation. Moments are whole seconds in UTC.

    Attributes:
        target_seconds: Of service time, for the present or latest time.
        used_seconds: Of it, before it was last held.
        started_at: Since when it runs; None: it is held, or has ended.
        due_at: When it runs out; None where it does not run.
        warn_at: From when it shows red; None where it does not run.
        missed_at: When a time of this clock was last found too late.
        stopped_at: When what was waited for came the last time.
        pauses: Why it is held; empty where it is not.
        hits: How many times were kept.
        misses: How many were not, the present one included.
    """

    kind: Kind
    target_seconds: int
    used_seconds: int = 0
    started_at: datetime | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    missed_at: datetime | None = None
    stopped_at: datetime | None = None
    pauses: frozenset[Pause] = field(default_factory=frozenset)
    hits: int = 0
    misses: int = 0

    @property
    def under_way(self) -> bool:
        """Whether something is being waited for, held or not."""
        return self.started_at is not None or bool(self.pauses)

    @property
    def overdue(self) -> bool:
        """Whether the present time has been missed and is not over."""
        return (
            self.due_at is not None
            and self.missed_at is not None
            and (self.missed_at >= self.due_at)
        )

    @property
    def state(self) -> State:
        """As it is stored and shown."""
        if self.under_way:
            return "active_with_misses" if self.misses else "active"
        return "missed" if self.misses else "hit"

    def to_wire(self) -> dict[str, object]:
        """`Clock` of docs/staff-api.md."""
        return {
            "kind": self.kind,
            "state": self.state,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "warn_at": self.warn_at.isoformat() if self.warn_at else None,
            "paused": bool(self.pauses),
            "hits": self.hits,
            "misses": self.misses,
        }


@dataclass(frozen=True)
class Measure:
    """How one kind of clock runs in one business.

    Attributes:
        service: The hours that count.
        target_seconds: How long there is.
        warn: The last share of it, in which the clock shows red.
    """

    service: ServiceTime
    target_seconds: int
    warn: float

    def begin(self, clock: Clock | None, kind: Kind, now: datetime) -> Clock:
        """Begin a time with all of its target; one that is under way goes on as it is."""
        if clock and clock.under_way:
            return clock
        fresh = clock or Clock(kind, self.target_seconds)
        return self._run(replace(fresh, target_seconds=self.target_seconds, used_seconds=0), now)

    def hold(self, clock: Clock, why: Pause, now: datetime) -> Clock:
        """Let a time stand; what is left of it is kept. One that was missed is not held."""
        clock = run_out(clock, now)
        if not clock.under_way or clock.overdue:
            return clock
        pauses = clock.pauses | {why}
        if clock.started_at is None:
            return replace(clock, pauses=pauses)
        used = clock.used_seconds + self.service.between(clock.started_at, now)
        return replace(
            clock, used_seconds=used, started_at=None, due_at=None, warn_at=None, pauses=pauses
        )

    def go_on(self, clock: Clock, why: Pause, now: datetime) -> Clock:
        """Take one reason to stand away; after the last one the time runs on."""
        if why not in clock.pauses:
            return clock
        left = replace(clock, pauses=clock.pauses - {why})
        return left if left.pauses else self._run(left, now)

    def _run(self, clock: Clock, now: datetime) -> Clock:
        left = clock.target_seconds - clock.used_seconds
        calm = max(0, left - int(clock.target_seconds * self.warn))
        return replace(
            clock,
            started_at=whole(now),
            due_at=self.service.after(now, left),
            warn_at=self.service.after(now, calm),
        )


def run_out(clock: Clock, now: datetime) -> Clock:
    """Count a time as missed, once, when it has run out."""
    if clock.due_at is None or clock.overdue or whole(now) <= clock.due_at:
        return clock
    return replace(clock, missed_at=whole(now), misses=clock.misses + 1)


def keep(clock: Clock, now: datetime) -> Clock:
    """End a time because what was waited for has come: a hit, unless it was missed."""
    if not clock.under_way:
        return clock
    clock = run_out(clock, now)
    return _ended(clock if clock.overdue else replace(clock, hits=clock.hits + 1), now)


def give_up(clock: Clock, now: datetime) -> Clock | None:
    """End a time because nothing is waited for any more: no hit, and no miss unless it was one.

    Returns:
        The clock; None where nothing was ever measured.
    """
    if not clock.under_way:
        return clock
    clock = _still(run_out(clock, now))
    return clock if clock.hits or clock.misses else None


def _ended(clock: Clock, now: datetime) -> Clock:
    return replace(_still(clock), stopped_at=whole(now))


def _still(clock: Clock) -> Clock:
    return replace(clock, started_at=None, due_at=None, warn_at=None, pauses=frozenset())


def due_first(clocks: Iterable[Clock]) -> Clock | None:
    """The running clock that is due first; None where none runs."""
    running = [(clock.due_at, clock) for clock in clocks if clock.due_at is not None]
    return min(running, key=lambda pair: pair[0])[1] if running else None
