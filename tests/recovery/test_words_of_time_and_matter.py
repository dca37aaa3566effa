"""Times are said as people say them, service hours are honest, matters are named safely."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

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
        ("22:50", "明天08:15前"),  # would fall after closing
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
        ("2026-11-22T22:01", "2026-11-23T09:00", "明天09:00前"),
        ("2026-11-22T23:30", "2026-11-23T09:00", "明天09:00前"),
        ("2026-11-22T03:00", "2026-11-22T09:00", "今天09:00前"),
    ],
)
def test_what_staff_do_is_due_when_it_was_said_to_be(now: str, by: str, words: str) -> None:
    moment = datetime.fromisoformat(f"{now}+08:00")
    assert business().done_by(moment, 60) == datetime.fromisoformat(f"{by}+08:00")
    assert business().done_by(moment.astimezone(UTC), 60) == business().done_by(moment, 60)
    assert business().done_by_words(moment, 60) == words


@pytest.mark.parametrize(
    "wrong",
    [
        {"industry": "bank"},
        {"timezone": "Mars/Olympus"},
        {"hours": {"opens": "23:00", "closes": "08:00"}},
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
