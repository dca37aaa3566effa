"""Promised times: when a remedy is due, when its customer hears that it will be late."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.dialogue.progress import is_late, progress_words
from recovery.dialogue.reply import Underway
from recovery.orders.system import OrderSystemError, read_receipt
from recovery.promises.table import (
    BUILT_IN,
    PREFIX,
    PromiseTable,
    PromiseTableError,
    load_promise_table,
)
from recovery.promises.timing import due_after_sending, due_of, new_due, speak_at, warn_at
from recovery.promises.words import LateOne, ended_words, late_words, missed_words
from recovery.remedy.catalogue import KINDS, Remedy
from tests.recovery.talk import HOTEL

# Shanghai is eight hours ahead; the hotel of the tests is open from 8 to 22.
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
TABLE = load_promise_table()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REPAIR: Remedy = {"kind": "repair", "minutes": 60}
VOUCHER: Remedy = {"kind": "voucher", "fen": 1000}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00")


def content() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(BUILT_IN.read_text("utf-8"))
    return read


def test_every_kind_of_remedy_has_a_time() -> None:
    for kind in KINDS:
        due = due_of(TABLE, HOTEL, {"kind": kind}, NOON)
        assert NOON < due <= NOON + timedelta(days=5)


def test_a_time_is_the_one_the_customer_was_told() -> None:
    table = TABLE
    assert due_of(table, HOTEL, REPAIR, NOON) == NOON + HOUR
    # Twenty minutes before closing time: the rest of the hour is tomorrow's.
    late = due_of(table, HOTEL, REPAIR, at("11-22T21:40"))
    assert late == HOTEL.done_by(at("11-22T21:40"), 60)
    assert due_of(table, HOTEL, VOUCHER, NOON) == at("11-22T23:59")
    assert due_of(table, HOTEL, VOUCHER, at("11-22T23:30")) == at("11-23T01:30")
    assert due_of(table, HOTEL, {"kind": "resend"}, NOON) == NOON + 24 * HOUR
    assert due_of(table, HOTEL, {"kind": "courier_pickup"}, NOON) == at("11-23T23:59")


def test_what_is_sent_on_may_have_another_time() -> None:
    table = TABLE
    refund = {"kind": "refund_full"}
    due = due_of(table, HOTEL, refund, NOON)
    assert due_after_sending(table, HOTEL, refund, due, NOON) == at("11-25T23:59")
    assert due_after_sending(table, HOTEL, REPAIR, NOON + HOUR, NOON) == NOON + HOUR


@settings(max_examples=80, deadline=None)
@given(
    start=st.integers(0, 14 * 24 * 60),
    span=st.integers(1, 4 * 24 * 60),
    after=st.integers(0, 3 * 24 * 60),
)
def test_it_is_told_before_it_is_missed_and_a_new_time_is_later(
    start: int, span: int, after: int
) -> None:
    promised = NOON + start * MINUTE
    due = HOTEL.done_by(promised, span)
    look = warn_at(TABLE, promised, due)
    assert promised <= look < due
    # What is due in service hours can be told in time, whatever the hour.
    assert speak_at(HOTEL, due, look) < due
    now = look + after * MINUTE
    later = new_due(TABLE, HOTEL, promised, due, now)
    assert later >= max(due, now) + 15 * MINUTE
    spoken = speak_at(HOTEL, due, now)
    assert spoken >= now
    if spoken > now:
        assert not HOTEL.service.open_at(now)
        assert HOTEL.service.open_at(spoken)


def test_at_night_only_what_ends_before_the_morning_is_told() -> None:
    night = at("11-22T23:00")
    assert speak_at(HOTEL, at("11-22T23:59"), night) == night
    opens = HOTEL.service.after(night, 0)
    assert opens > night
    assert speak_at(HOTEL, at("11-23T12:00"), night) == opens
    # Missed at closing time a moment ago is told; missed hours ago waits until the morning.
    assert speak_at(HOTEL, night - MINUTE, night) == night
    assert speak_at(HOTEL, night - 2 * HOUR, night) == opens


def test_the_table_gives_by_what_was_paid_and_never_twice_for_several() -> None:
    table = TABLE
    facts = {"industry": "hotel", "kinds": ["repair"], "paid": 68800, "late_minutes": 30}
    assert table.add(facts) == ("P-ADD-MID", [{"kind": "voucher", "fen": 2000, "part": "goodwill"}])
    assert table.add({**facts, "paid": 200000})[0] == "P-ADD-BIG"
    assert table.add({**facts, "paid": 0})[0] == "P-ADD-LITTLE"
    assert table.add({**facts, "kinds": ["apology"]}) == ("P-ADD-NONE", [])
    both = table.add({**facts, "kinds": ["apology", "clean_again", "repair"]})
    assert both == table.add(facts)


def test_a_table_is_known_by_its_content() -> None:
    table = TABLE
    assert table.name.startswith(PREFIX)
    assert PromiseTable(table.bundle).name == table.name, "the archived table is the same"
    other = content()
    other["add"][1]["paid_from"] = 90000
    assert PromiseTable(other).name != table.name


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("version", {"version": "x y"}),
        ("due", {"due": []}),
        ("warn", {"warn": {"share_bp": 2500.5, "least_minutes": 5, "most_minutes": 9}}),
        ("unknown", {"unknown": 1}),
        ("extend", {"extend": content()["extend"][:-1]}),
        (
            "twice",
            {"add": [*content()["add"], content()["add"][0]]},
        ),
        (
            "price list",
            {
                "add": [
                    {
                        **content()["add"][1],
                        "remedies": [{"kind": "free_meal", "persons": 2}],
                    }
                ]
            },
        ),
    ],
)
def test_a_table_that_says_something_unknown_is_refused(place: str, change: dict[str, Any]) -> None:
    with pytest.raises(PromiseTableError):
        PromiseTable({**content(), **change})


def test_late_words_explain_and_say_no_status() -> None:
    one = LateOne("马上派人维修", "今天15:30前")
    other = LateOne("马上重新打扫", "今天16:00前")
    for key in map(str, range(30)):
        text = late_words(key, [one], added=["20元无门槛券"])
        assert one.title in text
        assert one.time in text
        assert "抱歉" in text
        assert "20元无门槛券" in text
        assert "正在" not in text, "an explanation is no status"
        assert "另外" not in late_words(key, [one])
        several = late_words(key, [one, other], missed=True)
        assert all(word in several for word in (one.title, one.time, other.title, other.time))
        assert "同事" in missed_words(key, [one], "15分钟内")


def asked(*underway: Underway, now: datetime = NOON) -> str:
    return progress_words(HOTEL, underway, now)


def test_where_are_we_is_answered_from_what_was_done_and_said() -> None:
    due = NOON + HOUR
    got = {"ticket": "GD1"}
    todo = Underway(REPAIR, "todo", None, NOON, "accepted", due)
    assert asked(todo) == f"“马上派人维修”正在办，{HOTEL.due_words(due, NOON)}办好"
    sent = Underway(REPAIR, "done", got, NOON, "sent_on", due, sent_on=True)
    assert asked(sent).startswith("维修单GD1已经派出，预计")
    late = Underway(REPAIR, "todo", None, NOON, "late", due)
    assert "新的时间是" in asked(late)
    assert not is_late(HOTEL, late, NOON)
    assert is_late(HOTEL, late, due + MINUTE)
    done = Underway(REPAIR, "done", got, NOON, "done", due, sent_on=True)
    assert asked(done) == ended_words(REPAIR) == "维修已经做好"
    assert not is_late(HOTEL, done, due + HOUR)
    plain = Underway(REPAIR, "done", got, NOON, "done", due)
    assert asked(plain) == "维修单GD1已经派出"
    # What is not done comes first.
    assert asked(plain, todo).startswith("“马上派人维修”正在办")


def test_a_receipt_may_say_how_far_it_is() -> None:
    got = {"ticket": "GD1"}
    assert read_receipt("repair", {**got, "state": "done"}) == got
    assert read_receipt("repair", {**got, "other": 1}) == got
    when = {**got, "state": "sent_on", "expected": "2026-11-22T15:00:00+08:00"}
    assert read_receipt("repair", when) == {
        **got,
        "state": "sent_on",
        "expected": "2026-11-22T07:00:00+00:00",
    }
    for wrong in ({"state": "gone"}, {"state": "sent_on", "expected": "soon"}):
        with pytest.raises(OrderSystemError):
            read_receipt("repair", {**got, **wrong})
    with pytest.raises(OrderSystemError):
        read_receipt("repair", {**got, "state": "sent_on", "expected": "2026-11-22T15:00:00"})
