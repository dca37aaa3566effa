"""Times are said as people say them, service hours are honest, matters are named safely."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.business import Business, Directory, Hours, Room
from recovery.clock import spoken_moment
from recovery.failures import FAILURES, matter_words, served_by

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-22T{clock}+08:00")


def business(**changes: object) -> Business:
    values: dict[str, object] = {
        "id": "lanting",
        "name": "岚庭酒店",
        "industry": "hotel",
        "help": "请拨总机0",
        "hours": Hours(opens=time(8), closes=time(23)),
        "reply_minutes": 15,
        "rooms": (Room(id="lobby", name="大堂", welcome="欢迎"),),
    }
    return Business.model_validate({**values, **changes})


@pytest.mark.parametrize(
    ("moment", "now", "words"),
    [
        ("10:12", "10:00", "15分钟内"),
        ("10:45", "10:00", "45分钟内"),
        ("12:30", "10:00", "今天12:30前"),
    ],
)
def test_moments_are_said_as_people_say_them(moment: str, now: str, words: str) -> None:
    assert spoken_moment(at(moment), at(now), SHANGHAI) == words


def test_moments_of_other_days() -> None:
    now = at("22:00")
    assert spoken_moment(datetime(2026, 11, 23, 8, 15, tzinfo=SHANGHAI), now, SHANGHAI) == (
        "明天08:15前"
    )
    assert spoken_moment(datetime(2026, 12, 1, 8, 15, tzinfo=SHANGHAI), now, SHANGHAI) == (
        "12月1日08:15前"
    )


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("10:00", "15分钟内"),
        ("22:45", "15分钟内"),
        ("22:50", "明天08:05前"),  # ten minutes of it are left today
        ("22:45:10", "明天08:01前"),  # said in full minutes, never earlier than it is
        ("03:00", "今天08:15前"),
        ("23:30", "明天08:15前"),
    ],
)
def test_a_person_is_promised_only_in_service_hours(now: str, words: str) -> None:
    assert business().person_by_words(at(now)) == words


@pytest.mark.parametrize(
    ("now", "by", "words"),
    [
        ("2026-11-22T10:00", "2026-11-22T11:00", "今天11:00前"),
        ("2026-11-22T22:00", "2026-11-22T23:00", "今天23:00前"),  # just before closing
        ("2026-11-22T22:01", "2026-11-23T08:01", "明天08:01前"),
        ("2026-11-22T23:30", "2026-11-23T09:00", "明天09:00前"),
        ("2026-11-22T03:00", "2026-11-22T09:00", "今天09:00前"),
    ],
)
def test_what_staff_do_is_due_when_it_was_said_to_be(now: str, by: str, words: str) -> None:
    moment = datetime.fromisoformat(f"{now}+08:00")
    assert business().done_by(moment, 60) == datetime.fromisoformat(f"{by}+08:00")
    assert business().done_by(moment.astimezone(UTC), 60) == business().done_by(moment, 60)
    assert business().done_by_words(moment, 60) == words


SPOKEN = re.compile(r"(?:(\d+)分钟内|(今天|明天|\d+月\d+日)(\d\d:\d\d)前)")


def meant(words: str, now: datetime) -> datetime:
    """The moment that a customer understands."""
    found = SPOKEN.fullmatch(words)
    assert found, words
    minutes, day, point = found.groups()
    if minutes:
        return now + timedelta(minutes=int(minutes))
    local = now.astimezone(SHANGHAI)
    if "月" in day:
        month, of_month = map(int, re.findall(r"\d+", day))
        local = local.replace(year=local.year + (month < local.month), month=month, day=of_month)
    elif day == "明天":
        local += timedelta(days=1)
    hour, minute = map(int, point.split(":"))
    return local.replace(hour=hour, minute=minute, second=0, microsecond=0)


HOURS = [("08:00", "23:00"), ("17:00", "02:00"), ("00:00", "24:00"), ("09:10", "09:40")]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(HOURS),
    st.integers(1, 180),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)
def test_what_is_promised_is_what_the_clock_measures(
    hours: tuple[str, str], minutes: int, now: datetime
) -> None:
    opens, closes = hours
    desk = business(hours={"opens": opens, "closes": closes}, reply_minutes=minutes)
    due = desk.measure("first_response").begin(None, "first_response", now).due_at
    assert due == desk.person_by(now)
    promised = meant(desk.person_by_words(now), now)
    assert promised >= due, "never earlier than the clock"
    late = timedelta(minutes=5)
    assert promised - due <= late
    # Not in the night: from when it is due until what was said all is service.
    assert desk.service.between(due, promised) == int((promised - due).total_seconds())


def test_people_may_answer_over_midnight_or_day_and_night() -> None:
    night = business(hours={"opens": "17:00", "closes": "02:00"})
    assert night.service.open_at(at("01:59"))
    assert not night.service.open_at(at("02:00"))
    assert night.person_by_words(at("01:50")) == "今天17:05前"
    assert night.person_by_words(at("23:55")) == "15分钟内"
    always = business(hours={"opens": "00:00", "closes": "24:00"})
    for clock in ("00:00", "03:00", "12:00", "23:59:59"):
        assert always.service.open_at(at(clock))
        assert always.person_by_words(at(clock)) == "15分钟内"
    assert always.service.between(at("00:00"), at("00:00") + timedelta(days=7)) == 7 * 86_400


@pytest.mark.parametrize(
    "wrong",
    [
        {"industry": "bank"},
        {"timezone": "Mars/Olympus"},
        {"hours": {"opens": "08:00", "closes": "08:00"}},
        {"hours": {"opens": "24:00", "closes": "08:00"}},
        {"id": "Not An Id"},
        {"rooms": ()},
        {"surprise": 1},
        {"reply_minutes": 0},
    ],
)
def test_a_wrong_business_is_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        business(**wrong)


def test_ids_are_used_once() -> None:
    with pytest.raises(ValueError, match="business id"):
        Directory((business(), business()))
    with pytest.raises(ValueError, match="room id"):
        Directory((business(), business(id="other")))


def test_the_industry_comes_from_the_business_never_from_the_text() -> None:
    assert served_by("hotel", "complain_room_not_clean") is FAILURES["room_not_clean"]
    assert served_by("shop", "complain_room_not_clean") is None
    assert served_by("hotel", "complain_other") is None
    assert served_by("hotel", "praise") is None


def test_every_failure_can_be_named() -> None:
    for name in FAILURES:
        assert matter_words(name, None).endswith("这件事")
    assert matter_words("unknown", "信号断断续续") == "您说的“信号断断续续”这件事"
    assert matter_words("unknown", "账单") == "您说的账单的事"
    assert matter_words("unknown", None) == "您说的这件事"
