"""Anger over a case: it rises at once, falls slowly, and time helps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recovery.anger import ANGRY, DISSATISFIED, HALF_LIFE, CaseAnger, heard, read

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEVELS = st.integers(0, 3)
GAPS = st.timedeltas(timedelta(0), timedelta(days=30))
TALKS = st.lists(st.tuples(LEVELS, GAPS), min_size=1, max_size=12)


def talked(talk: list[tuple[int, timedelta]]) -> list[CaseAnger]:
    """The anger after each message."""
    anger, at, all_of_it = None, NOON, []
    for level, gap in talk:
        at += gap
        anger = heard(anger, level, at)
        all_of_it.append(anger)
    return all_of_it


@given(TALKS)
def test_opening_and_peak_are_of_the_messages(talk: list[tuple[int, timedelta]]) -> None:
    last = talked(talk)[-1]
    assert last.opening == talk[0][0]
    assert last.peak == max(level for level, _ in talk)


@given(TALKS)
def test_a_case_is_never_calmer_than_its_latest_message(
    talk: list[tuple[int, timedelta]],
) -> None:
    for (level, _), anger in zip(talk, talked(talk), strict=True):
        assert level <= anger.now <= anger.peak
        assert level <= anger.heat <= 3


@given(st.lists(LEVELS, min_size=2, max_size=12))
def test_one_message_cools_by_one_level_at_most(levels: list[int]) -> None:
    """While no time passes."""
    steps = talked([(level, timedelta(0)) for level in levels])
    for before, after in pairwise(steps):
        assert after.now >= before.now - 1


@given(TALKS)
def test_the_trend_says_what_the_message_did(talk: list[tuple[int, timedelta]]) -> None:
    at, before = NOON, None
    for level, gap in talk:
        at += gap
        after = heard(before, level, at)
        if before is not None:
            silent = read(before, at)
            if level > silent:
                assert after.trend == "rising"
            if level < silent:
                assert after.trend == "falling"
        before = after


@given(LEVELS, GAPS, GAPS)
def test_silence_only_cools_and_never_makes_content(
    level: int, short: timedelta, longer: timedelta
) -> None:
    anger = heard(None, level, NOON)
    soon, later = read(anger, NOON + short), read(anger, NOON + short + longer)
    assert later <= soon <= anger.now
    assert later >= min(level, DISSATISFIED)


@given(LEVELS, GAPS)
def test_a_message_from_before_changes_nothing_by_its_time(level: int, gap: timedelta) -> None:
    anger = heard(None, 3, NOON)
    assert heard(anger, level, NOON - gap).heat == heard(anger, level, NOON).heat


def test_fury_is_dissatisfaction_the_next_day() -> None:
    anger = heard(None, 3, NOON)
    assert read(anger, NOON + timedelta(minutes=5)) == 3
    assert read(anger, NOON + HALF_LIFE) == 2
    assert read(anger, NOON + timedelta(days=1)) == DISSATISFIED
    # And what was furious yesterday is calm after one calm message today.
    assert heard(anger, 0, NOON + timedelta(days=1)).calmed


def test_the_moment_of_calming_is_kept_until_anger_returns() -> None:
    calm_at = NOON + timedelta(minutes=3)
    steps = talked([(3, timedelta(0)), *[(0, timedelta(minutes=1))] * 5])
    assert [anger.now for anger in steps] == [3, 2, 1, 0, 0, 0]
    assert [anger.trend for anger in steps[1:4]] == ["falling"] * 3
    assert [anger.calmed for anger in steps] == [False, False, False, True, True, True]
    calmed = steps[-1].calmed_at
    assert calmed is not None
    assert abs(datetime.fromisoformat(calmed) - calm_at) < timedelta(seconds=1)
    again = heard(steps[-1], ANGRY, NOON + timedelta(minutes=9))
    assert not again.calmed
    assert again.trend == "rising"


def test_who_was_never_angry_has_not_calmed() -> None:
    assert not talked([(1, timedelta(0)), (0, timedelta(0)), (0, timedelta(0))])[-1].calmed


def test_a_case_kept_before_there_was_heat_is_read() -> None:
    anger = CaseAnger(opening=3, peak=3, now=3)
    assert read(anger, NOON) == 3
    assert heard(anger, 0, NOON).now == 2
