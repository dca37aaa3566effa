"""Clocks run in service time only, count each time once, and lose nothing while they stand."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from recovery.clocks import (
    KINDS,
    Clock,
    ClockSettings,
    Measure,
    Pause,
    due_first,
    give_up,
    keep,
    run_out,
)
from recovery.service_time import ServiceTime
from tests.recovery.talk import HOTEL
from tests.support.stack import ROOT

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = ServiceTime(time(8), time(23), SHANGHAI)
MEASURE = Measure(DAY, 3600, 0.25)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Etc/GMT")


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# --- service time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-22T12:00", 30, "2026-11-22T12:30"),
        ("2026-11-22T22:45", 15, "2026-11-22T23:00"),
        ("2026-11-22T22:45", 16, "2026-11-23T08:01"),
        ("2026-11-22T23:30", 10, "2026-11-23T08:10"),
        ("2026-11-22T03:00", 10, "2026-11-22T08:10"),
        ("2026-11-22T12:00", 15 * 60 * 3, "2026-11-25T12:00"),
        ("2026-11-22T23:00", 0, "2026-11-23T08:00"),
        ("2026-11-22T23:01", 0, "2026-11-23T08:00"),
    ],
)
def test_time_runs_out_within_service_hours_only(start: str, minutes: int, due: str) -> None:
    assert DAY.after(at(start), minutes * 60) == at(due)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 4), ("2026-03-29", 3), ("2026-10-24", 4), ("2026-10-25", 5)]
)
def test_a_day_on_which_clocks_are_changed_has_the_hours_that_people_work(
    day: str, hours: int
) -> None:
    night = ServiceTime(time(1), time(5), ZoneInfo("Europe/Berlin"))
    midnight = at(day, "Europe/Berlin")
    assert night.between(midnight, midnight + timedelta(days=1)) == hours * 3600


def test_nobody_answers_at_closing_time() -> None:
    assert DAY.open_at(at("2026-11-22T08:00"))
    assert DAY.open_at(at("2026-11-22T22:59"))
    assert not DAY.open_at(at("2026-11-22T23:00"))
    assert not DAY.open_at(at("2026-11-22T07:59"))


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@st.composite
def services(draw: st.DrawFn) -> ServiceTime:
    minutes = draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=2, unique=True))
    # Also over midnight.
    opens, closes = (time(*divmod(one, 60)) for one in minutes)
    return ServiceTime(opens, closes, ZoneInfo(draw(st.sampled_from(ZONES))))


def inside(service: ServiceTime, moment: datetime) -> bool:
    """Whether a moment lies within service hours, its edges included; told by the day's own."""
    today = moment.astimezone(service.zone).date()
    over = service.closes < service.opens
    for day in (today - timedelta(days=back) for back in range(3)):
        opens = datetime.combine(day, service.opens, service.zone).astimezone(UTC)
        last = day + timedelta(days=over)
        if opens <= moment <= datetime.combine(last, service.closes, service.zone).astimezone(UTC):
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(services(), moments, st.integers(0, 5 * 24 * 3600))
def test_what_is_used_up_is_what_has_passed(
    service: ServiceTime, start: datetime, seconds: int
) -> None:
    end = service.after(start, seconds)
    assert service.between(start, end) == seconds
    assert inside(service, end)


@settings(max_examples=300, deadline=None)
@given(services(), st.lists(moments, min_size=3, max_size=3))
def test_spans_add_up(service: ServiceTime, several: list[datetime]) -> None:
    first, second, third = sorted(several)
    whole = service.between(first, third)
    assert whole == service.between(first, second) + service.between(second, third)
    assert 0 <= whole <= (third - first).total_seconds() + 1
    assert service.between(third, first) == 0


# --- one clock --------------------------------------------------------------------------------

NOON = at("2026-11-22T12:00")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_an_answer_in_time_is_a_hit_and_a_late_one_a_miss() -> None:
    begun = MEASURE.begin(None, "first_response", NOON)
    assert (begun.state, begun.due_at, begun.warn_at) == (
        "active",
        NOON + minutes(60),
        NOON + minutes(45),
    )
    assert keep(begun, NOON + minutes(60)).state == "hit"
    late = keep(begun, NOON + minutes(61))
    assert (late.state, late.hits, late.misses) == ("missed", 0, 1)


def test_a_miss_is_counted_when_it_happens_and_once() -> None:
    begun = MEASURE.begin(None, "first_response", NOON)
    assert run_out(begun, NOON + minutes(60)) == begun
    missed = run_out(begun, NOON + minutes(61))
    assert (missed.state, missed.misses, missed.due_at) == (
        "active_with_misses",
        1,
        NOON + minutes(60),
    )
    assert run_out(missed, NOON + minutes(90)) == missed
    assert keep(missed, NOON + minutes(95)).misses == 1


def test_another_time_has_its_whole_target_and_keeps_the_misses() -> None:
    late = keep(MEASURE.begin(None, "resolution", NOON), NOON + minutes(61))
    again = MEASURE.begin(late, "resolution", NOON + minutes(120))
    assert (again.state, again.due_at) == ("active_with_misses", NOON + minutes(180))
    kept = keep(again, NOON + minutes(130))
    assert (kept.state, kept.hits, kept.misses) == ("missed", 1, 1)


def test_what_stands_keeps_what_is_left() -> None:
    begun = MEASURE.begin(None, "resolution", NOON)
    held = MEASURE.hold(begun, "snooze", NOON + minutes(20))
    assert (held.state, held.due_at, held.to_wire()["paused"]) == ("active", None, True)
    both = MEASURE.hold(held, "customer", NOON + minutes(30))
    one = MEASURE.go_on(both, "snooze", NOON + minutes(100))
    assert one.due_at is None, "it is held for another reason still"
    on = MEASURE.go_on(one, "customer", NOON + minutes(200))
    assert on.due_at == NOON + minutes(240)


def test_what_is_late_cannot_be_put_aside() -> None:
    begun = MEASURE.begin(None, "resolution", NOON)
    held = MEASURE.hold(begun, "snooze", NOON + minutes(61))
    assert (held.pauses, held.misses, held.due_at) == (frozenset(), 1, begun.due_at)


def test_what_nobody_waits_for_any_more_counts_for_nothing() -> None:
    begun = MEASURE.begin(None, "first_response", NOON)
    assert give_up(begun, NOON + minutes(5)) is None
    late = give_up(begun, NOON + minutes(61))
    assert late is not None
    assert (late.state, late.misses) == ("missed", 1)


def test_the_clock_that_is_due_first_is_shown() -> None:
    first = MEASURE.begin(None, "first_response", NOON)
    long = replace(MEASURE, target_seconds=7200).begin(None, "resolution", NOON)
    held = MEASURE.hold(long, "snooze", NOON)
    assert due_first([long, first]) == first
    assert due_first([held]) is None


# --- settings ---------------------------------------------------------------------------------


def test_who_sets_nothing_measures_what_customers_are_promised() -> None:
    assert [HOTEL.measure(kind).target_seconds for kind in KINDS] == [900, 900, 16 * 3600]
    slow = HOTEL.model_copy(update={"clocks": ClockSettings(first_response=40)})
    assert [slow.measure(kind).target_seconds for kind in KINDS] == [2400, 900, 16 * 3600]


def test_the_settings_file_explains_the_defaults() -> None:
    lines = (ROOT / "huixin.yml").read_text("utf-8").splitlines()
    first = lines.index("#   clocks:")
    block = "\n".join(line.removeprefix("#") for line in lines[first : first + 10])
    explained = ClockSettings.model_validate(yaml.safe_load(block)["clocks"])
    assert explained == ClockSettings(first_response=15, next_response=15)


@pytest.mark.parametrize(
    "wrong",
    [{"warn": 1}, {"resolution": 0}, {"stops": {"bot": True}}, {"stops": {"note": "maybe"}}],
)
def test_a_setting_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ClockSettings.model_validate(wrong)


# --- any sequence of events -------------------------------------------------------------------

deeds = st.sampled_from(
    [
        "begin",
        "keep",
        "give_up",
        "run_out",
        "hold snooze",
        "hold customer",
        "on snooze",
        "on customer",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    services(),
    st.integers(1, 3 * 24 * 60),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30), timezones=st.just(UTC)),
    st.lists(st.tuples(deeds, st.integers(0, 20 * 3600)), max_size=40),
)
def test_whatever_happens_nothing_is_lost_or_counted_twice(
    service: ServiceTime, target: int, start: datetime, events: list[tuple[str, int]]
) -> None:
    measure = Measure(service, target * 60, 0.25)
    clock: Clock | None = None
    now, begun, given_up_in_time, ran = start, 0, 0, 0
    for deed, seconds in events:
        before, then, now = clock, now, now + timedelta(seconds=seconds)
        if before and before.started_at and not before.overdue:
            ran += service.between(then, now)
        name, _, why = deed.partition(" ")
        if name == "begin":
            if clock is None or not clock.under_way:
                begun, ran = begun + 1, 0
            clock = measure.begin(clock, "resolution", now)
        elif clock is not None:
            pause: Pause = "snooze" if why == "snooze" else "customer"
            if name == "keep":
                clock = keep(clock, now)
            elif name == "run_out":
                clock = run_out(clock, now)
            elif name == "hold":
                clock = measure.hold(clock, pause, now)
            elif name == "on":
                clock = measure.go_on(clock, pause, now)
            elif name == "give_up":
                late = run_out(clock, now).overdue
                if clock.under_way and not late:
                    given_up_in_time += 1
                known = clock.hits + clock.misses
                clock = give_up(clock, now)
                assert clock is not None or not known
        if clock is None:
            continue
        assert 0 <= clock.used_seconds <= clock.target_seconds
        if clock.due_at is not None:
            assert inside(service, clock.due_at)
            assert clock.warn_at is not None
            assert clock.warn_at <= clock.due_at
        if clock.under_way and not clock.overdue:
            left = clock.target_seconds - ran
            if clock.due_at is None:
                assert clock.target_seconds - clock.used_seconds == left
            else:
                assert clock.started_at is not None
                assert service.between(now, clock.due_at) == max(0, left)
        waiting = 1 if clock.under_way and not clock.overdue else 0
        assert clock.hits + clock.misses + waiting + given_up_in_time == begun
        assert clock.state == (
            ("active_with_misses" if clock.misses else "active")
            if clock.under_way
            else ("missed" if clock.misses else "hit")
        )


def test_the_day_of_a_change_is_no_trap() -> None:
    gap = ServiceTime(time(2, 30), time(3, 10), ZoneInfo("Europe/Berlin"))
    due = gap.after(datetime.combine(date(2026, 3, 29), time(0), gap.zone), 60)
    assert due == at("2026-03-30T02:31", "Europe/Berlin"), "opening time does not exist that day"
