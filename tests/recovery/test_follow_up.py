"""Follow-ups by the rules alone: when, how often, whom not; and what an answer means."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.failures import TRADES
from recovery.follow_up.answers import TITLES, asks, read_rating, refuses
from recovery.follow_up.deciding import (
    ASKED,
    CANCELLED,
    ENDED,
    WAITING,
    Ask,
    Later,
    Leave,
    Standing,
    decide,
    first_due,
)
from recovery.follow_up.policy import (
    BUILT_IN,
    FILE,
    FollowUpPolicyError,
    load_follow_up_policy,
    read_follow_up_policy,
)

POLICY = load_follow_up_policy()
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ZONES = ("Asia/Shanghai", "Asia/Urumqi", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")


def quiet(moment: datetime, zone: ZoneInfo) -> bool:
    """By the clock on the customer's wall, not by what is tested."""
    hour = moment.astimezone(zone).hour
    return hour >= 21 or hour < 9


def due_now(**more: Any) -> Standing:  # noqa: ANN401 - fields
    return replace(Standing(state=WAITING, round=1, due_at=NOON), **more)


# --- a month ----------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    industry=st.sampled_from(sorted(TRADES)),
    began=st.integers(0, 366 * 24 * 60),
    busy=st.lists(st.integers(0, 31 * 24 * 60), max_size=8),
    looks=st.integers(1, 90),
)
def test_a_month_never_at_night_and_twice_at_the_most(
    zone: str, industry: str, began: int, busy: list[int], looks: int
) -> None:
    local = ZoneInfo(zone)
    ended = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=began)
    standing = Standing(state=WAITING, round=1, due_at=first_due(POLICY, industry, ended, local))
    now, asked, left = ended, [], None
    taken = [ended + timedelta(minutes=one) for one in busy]
    while left is None and now < ended + timedelta(days=31):
        # The worker comes by when it is due, or some time after that.
        now = max(now, standing.due_at) + timedelta(minutes=looks)
        serving = any(one <= now < one + timedelta(hours=3) for one in taken)
        match decide(POLICY, industry, replace(standing, busy=serving), now, local):
            case Ask(number, next_at):
                asked.append(now)
                assert not serving
                standing = replace(standing, state=ASKED, round=number, due_at=next_at)
            case Later(at):
                assert at > now
                standing = replace(standing, due_at=at)
            case left:
                pass
    assert left == Leave(ENDED, "silent")
    assert len(asked) == 2
    assert not any(quiet(moment, local) for moment in asked)
    wait = POLICY.wait(industry)
    assert asked[0] - ended >= wait.first
    assert asked[1] - asked[0] >= wait.again


def test_a_day_later_by_default() -> None:
    assert first_due(POLICY, "hotel", NOON, SHANGHAI) == NOON + timedelta(hours=24)
    # Closed at 23:30: a day later is night, and it is asked at nine.
    late = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
    assert first_due(POLICY, "hotel", late, SHANGHAI) == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Ask),
        ({"busy": True}, Later),
        ({"undone": True}, Later),
        ({"rested_at": NOON - timedelta(hours=1)}, Later),
        ({"stage": "hearing"}, Leave(CANCELLED, "reopened")),
        ({"merged": True}, Leave(CANCELLED, "merged")),
        ({"refused": True}, Leave(CANCELLED, "refused")),
        ({"asked_lately": True}, Leave(CANCELLED, "asked_lately")),
        ({"newer": True}, Leave(CANCELLED, "other_matter")),
        ({"moved_on": True}, Leave(CANCELLED, "other_matter")),
        ({"in_reach": False}, Leave(CANCELLED, "out_of_reach")),
        ({"due_at": NOON - timedelta(days=9)}, Leave(CANCELLED, "too_late")),
        ({"state": ASKED, "refused": True}, Leave(ENDED, "refused")),
    ],
)
def test_who_is_asked_and_who_is_not(more: dict[str, Any], expected: Any) -> None:  # noqa: ANN401
    decided = decide(POLICY, "hotel", due_now(**more), NOON, SHANGHAI)
    assert decided == expected or (isinstance(expected, type) and isinstance(decided, expected))


# --- the table --------------------------------------------------------------------------------


def changed(**more: object) -> str:
    return json.dumps(json.loads(BUILT_IN.read_text("utf-8")) | more)


def row(table: str, place: int, **more: object) -> str:
    content = json.loads(BUILT_IN.read_text("utf-8"))
    content[table][place] |= more
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        changed(version=""),
        changed(more=1),
        changed(quiet={"rule": "F-QUIET", "reason": "夜里", "begins": 21, "ends": "09:00"}),
        changed(waits=[]),
        changed(outcomes=[]),
        row("waits", 0, first_hours=0),
        row("waits", 0, first_hours="24"),
        row("waits", 0, rule="f wait"),
        row("waits", 1, industry="bank"),
        row("waits", 1, industry="property"),
        row("waits", 1, rule="F-LIMIT"),
        row("outcomes", 1, outcome="thanked"),
        row("outcomes", 1, asks="yes"),
    ],
)
def test_a_table_that_is_wrong_is_not_used(text: str) -> None:
    with pytest.raises(FollowUpPolicyError, match=FILE):
        read_follow_up_policy(text)


def test_ones_own_table_counts(tmp_path: Path) -> None:
    assert load_follow_up_policy(tmp_path) == POLICY
    (tmp_path / FILE).write_text(row("waits", 0, first_hours=6), "utf-8")
    assert load_follow_up_policy(tmp_path).wait("hotel").first_hours == 6


# --- what is answered -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        *((title, number) for number, title in TITLES.items()),
        ("5", 5), ("５", 5), ("5分", 5), ("四星", 4), ("三颗星。", 3), ("给2分吧", 2), ("1分！", 1),
        ("五星好评", 5), ("很满意", 5), ("满意，谢谢", 4), ("挺满意的", 4), ("一般", 3),
        ("不满意", 2), ("很不满意！！", 1),
    ],
)  # fmt: skip
def test_a_sure_rating_is_taken(text: str, rating: int) -> None:
    assert read_rating(text) == rating


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "6", "15", "-5", "4.5", "1/5", "3点到", "2号楼", "一", "满意吗", "满意？", "5？",
        "不太确定", "还没有收到退款", "房间5分钟就打扫好了", "1、5", "我说不满意有用吗", "😀",
    ],
)  # fmt: skip
def test_what_is_not_sure_is_no_rating(text: str) -> None:
    assert read_rating(text) is None


@pytest.mark.parametrize("text", ["以后不要回访", "别再回访", "请不要再回访我了，谢谢"])
def test_never_again_is_understood_at_any_time(text: str) -> None:
    assert refuses(text, asked=False)


@pytest.mark.parametrize("text", ["不用再问了", "别问了", "不用再问我"])
def test_less_is_understood_where_we_have_asked(text: str) -> None:
    assert refuses(text, asked=True)
    assert not refuses(text, asked=False)


@pytest.mark.parametrize("text", ["别再打扫了", "不要问我为什么生气", "为什么没有回访", "不用退了"])
def test_other_words_refuse_nothing(text: str) -> None:
    assert not refuses(text, asked=True)


def test_a_question_is_no_answer() -> None:
    assert all(asks(text) for text in ("发票怎么开", "什么时候到账？", "能不能换一间"))
    assert not any(asks(text) for text in ("前台态度不好", "都挺好", "希望快一点"))
