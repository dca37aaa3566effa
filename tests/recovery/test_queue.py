"""Who comes first: every standing has one place, and nobody falls back by waiting or anger."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.queue.assignment import choose, eligible
from recovery.queue.people import Colleague
from recovery.queue.priority import (
    BUILT_IN,
    MOST_MINUTES,
    PROMISES,
    QUEUE,
    TRENDS,
    QueueTables,
    Standing,
    load_queue_tables,
)
from recovery.queue.standing import standing_of
from recovery.queue.waiting import minutes_left
from recovery.remedy.book import PolicyFileError
from recovery.remedy.facts import TIERS
from recovery.remedy.running import running
from recovery.remedy.schema import MOST_PRIORITY
from tests.recovery.talk import HOTEL

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BOOLS = (False, True)


@pytest.fixture(scope="module")
def tables() -> QueueTables:
    return load_queue_tables()


def minutes(tables: QueueTables) -> list[int]:
    """All minutes at which the table changes its mind, and their neighbours."""
    edges = {0, MOST_MINUTES}
    for row in tables.tables["waiting"].rows:
        for condition in row.conditions.values():
            edges |= condition.edges
    return sorted(one for one in edges if 0 <= one <= MOST_MINUTES)


def standings(tables: QueueTables) -> list[Standing]:
    return [
        Standing(*values)
        for values in product(
            BOOLS,
            BOOLS,
            PROMISES,
            range(MOST_PRIORITY + 1),
            TRENDS,
            minutes(tables),
            TIERS,
        )
    ]


def test_every_standing_has_exactly_one_row_in_every_table(tables: QueueTables) -> None:
    for standing in standings(tables):
        for name in QUEUE.tables:
            found = [row for row in tables.tables[name].rows if row.matches(standing.to_wire())]
            assert len(found) == 1, (name, standing)


def test_the_engine_says_what_the_rows_say(tables: QueueTables) -> None:
    for standing in standings(tables)[::7]:
        place = tables.place(standing)
        rows = [
            row
            for name in QUEUE.tables
            for row in tables.tables[name].rows
            if row.matches(standing.to_wire())
        ]
        assert place.points == sum(row.said["points"] for row in rows)
        assert place.rules == tuple(row.rule for row in rows)
        said = [row.said["reason"] for row in rows if row.said["points"]]
        assert place.why == ("；".join(said) or "按先后")


def test_nobody_falls_back_by_waiting_anger_tier_or_a_broken_promise(tables: QueueTables) -> None:
    times = minutes(tables)
    trends = ("falling", "steady", "rising")

    def never_less(standing: Standing, **later: object) -> None:
        more = replace(standing, **later)  # type: ignore[arg-type]  # fields of a Standing
        assert tables.place(more).points >= tables.place(standing).points, (standing, later)

    for one in standings(tables):
        if one.minutes != times[-1]:
            never_less(one, minutes=times[times.index(one.minutes) + 1])
        if one.manner < MOST_PRIORITY:
            never_less(one, manner=one.manner + 1)
        if one.trend != "rising":
            never_less(one, trend=trends[trends.index(one.trend) + 1])
        if one.tier != TIERS[-1]:
            never_less(one, tier=TIERS[TIERS.index(one.tier) + 1])
        if one.promise != PROMISES[-1]:
            never_less(one, promise=PROMISES[PROMISES.index(one.promise) + 1])


def test_safety_comes_first_and_then_who_came_back(tables: QueueTables) -> None:
    every = standings(tables)
    safe = [tables.place(one).points for one in every if not one.safety]
    danger = [tables.place(one).points for one in every if one.safety]
    assert min(danger) > max(safe)
    ordinary = [tables.place(one).points for one in every if not one.safety and not one.front]
    back = [tables.place(one).points for one in every if not one.safety and one.front]
    assert min(back) > max(ordinary)


def test_the_reasons_are_told(tables: QueueTables) -> None:
    assert tables.place(Standing()).why == "按先后"
    why = tables.place(Standing(safety=True, manner=3, minutes=60, tier="gold")).why
    assert why == "可能有人身安全问题，最先处理；很生气或说要对外投诉；等了1小时以上；金卡会员"


def changed(table: str, row: int, **cells: str) -> str:
    content = json.loads(BUILT_IN.read_text("utf-8"))
    [node] = [one for one in content["nodes"] if one["id"] == table]
    node["content"]["rules"][row] |= cells
    return json.dumps(content)


@pytest.mark.parametrize(
    ("table", "cells", "named"),
    [
        ("waiting", {"points": "'many'"}, "整数"),
        ("waiting", {"points": "1.5"}, "小数"),
        ("waiting", {"minutes": "> 5 or < 3"}, "看不懂"),
        ("waiting", {"minutes": "< 10"}, "重叠"),
        ("tier", {"tier": "'platinum'"}, "platinum"),
        ("base", {"mood": "1"}, "mood"),
        ("base", {"rule": "'base one'"}, "规则号"),
        ("safety", {"effective_to": "'2026-12-31'"}, "总是有效"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_by_name(
    table: str, cells: dict[str, str], named: str
) -> None:
    with pytest.raises(PolicyFileError) as refused:
        QueueTables(changed(table, 0, **cells))
    assert named in str(refused.value)
    assert table in str(refused.value)


def test_a_standing_that_no_row_answers_is_said(tables: QueueTables) -> None:
    content = json.loads(BUILT_IN.read_text("utf-8"))
    [node] = [one for one in content["nodes"] if one["id"] == "tier"]
    del node["content"]["rules"][0]
    holed = QueueTables(json.dumps(content))
    with pytest.raises(PolicyFileError, match="没有一行适用"):
        holed.place(Standing())


def standing(case: Case | None, waited: timedelta, now: datetime = NOW, **more: object) -> Standing:
    given: dict[str, object] = {"reason": None, "front": False, **more}
    return standing_of(
        HOTEL,
        running().on("hotel", now.date()),
        case,
        now,
        since=(now - waited).isoformat(),
        **given,  # type: ignore[arg-type]  # as of standing_of
    )


def test_what_a_standing_is_made_from() -> None:
    angry = Case("s1", anger=CaseAnger(1, 2, 2, "rising", 2.0))
    found = standing(angry, timedelta(minutes=7, seconds=50))
    assert found == Standing(manner=2, trend="rising", minutes=7)
    assert standing(replace(angry, safety=True), timedelta(0)).safety
    assert standing(angry, timedelta(0), reason="safety").safety
    assert standing(angry, timedelta(0), reason="escalation").manner == 3
    assert standing(None, timedelta(days=9)).minutes == MOST_MINUTES


def test_who_came_at_night_is_first_in_the_morning() -> None:
    # The hotel opens at 8:00, which is 0:00 UTC.
    morning = datetime(2026, 11, 22, 0, 2, tzinfo=UTC)
    assert standing(None, timedelta(hours=5), morning).promise == "overnight"
    assert standing(None, timedelta(hours=5), morning - timedelta(minutes=10)).promise == "kept"
    assert standing(None, timedelta(minutes=1), morning).promise == "kept"
    assert standing(None, timedelta(minutes=40), morning + timedelta(hours=2)).promise == "overdue"


def test_how_long_it_takes_is_measured_or_not_said() -> None:
    def taken(*ago: int) -> list[datetime]:
        return [NOW - timedelta(minutes=one) for one in ago]

    assert minutes_left(0, taken(10, 20, 30), 1, NOW) == 10
    assert minutes_left(2, taken(10, 20, 30), 1, NOW) == 30
    assert minutes_left(0, taken(10, 20), 1, NOW) is None, "too few to tell"
    assert minutes_left(0, taken(10, 20, 30), 0, NOW) is None, "nobody is there"
    assert minutes_left(0, taken(10, 20, 200), 1, NOW) is None, "long ago does not count"
    assert minutes_left(20, taken(100, 110, 119), 1, NOW) is None, "hours are no estimate"
    assert minutes_left(0, taken(0, 0, 0), 1, NOW) == 1


def person(number: int, **more: object) -> Colleague:
    given: dict[str, object] = {
        "name": f"同事{number}",
        "role": "agent",
        "business": None,
        "presence": "online",
        "chosen": "online",
        "skills": (),
        "capacity": 4,
        "open": 0,
        "assigned_at": "",
        **more,
    }
    return Colleague(id=number, **given)  # type: ignore[arg-type]  # fields of a Colleague


@pytest.mark.parametrize(
    "more",
    [
        {"presence": "busy"},
        {"presence": "away"},
        {"presence": "offline"},
        {"role": "manager"},
        {"business": "qinghe"},
        {"skills": ("shop",)},
        {"open": 4},
    ],
)
def test_who_is_not_handed_anything(more: dict[str, object]) -> None:
    assert eligible([person(1, **more)], "lanting", "hotel") == []


def test_who_is_handed_the_next_one() -> None:
    fits = person(1, skills=("hotel", "travel"), business="lanting", open=3)
    assert eligible([fits, person(2, role="manager")], "lanting", "hotel") == [fits]
    idle, busy = person(2, open=1, assigned_at="2026"), person(3, open=2)
    assert choose([busy, idle], None) == idle, "who has the least to do"
    assert choose([busy, idle], 3) == busy, "who knows the customer"
    roomy = person(4, open=2, capacity=10)
    assert choose([idle, roomy], None) == roomy, "for what they can take"
    longest = person(5, open=1, assigned_at="2025")
    assert choose([idle, longest], None) == longest, "who waits longest"
    assert choose([], 3) is None
