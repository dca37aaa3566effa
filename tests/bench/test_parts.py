"""The parts of the benchmark measured alone: staff's desk, staff's page, their sections."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import __main__ as program
from bench import crew, page, parts, staffed, trace, wechat
from bench.crowd import Plan, Seen
from bench.decisions import Decisions
from bench.insights import Answers, Taught
from bench.listener import listening
from bench.machine import Memory
from bench.page import StaffPage
from bench.staffed import Size, Staffed
from bench.trace import Scroll
from bench.wechat import Answered, OnWeChat, Outage, Run
from bench.wechat_crowd import Heard
from bench.wechat_crowd import Plan as Writing
from recovery.clock import utc_now
from recovery.store import conversations, customers, staff
from recovery.store.conversations import QUEUE, staff_owner
from recovery.store.database import Database
from tests.desk.people import PATIENCE
from tools.places import here
from tools.stack import Stack

WHEN = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)
REPORT = """\
# Speed and size

## Targets

| one |

## Decisions of the remedy policy

old figures

## Memory

much

## How it is measured

- well
"""


# --- sections of the report ---------------------------------------------------------------


def test_a_section_takes_the_place_of_its_former_self() -> None:
    written = parts.section(Decisions(20_000, 0.2, 0.4, 4321.0), WHEN, ["Machine: some CPU"])

    report = parts.placed(REPORT, written)

    assert "old figures" not in report
    assert "Measured on 2026-11-22 20:15 UTC (`python -m bench --only decisions`)." in report
    assert "- Machine: some CPU" in report
    assert "| 20,000 | 0.200 | 0.400 | 4,321 |" in report
    before, after = REPORT.split("## Decisions of the remedy policy\n\nold figures\n\n")
    assert report.startswith(before) and report.endswith(after)
    assert parts.placed(report, written) == report


def test_a_new_section_stands_before_the_method() -> None:
    report = parts.placed(REPORT, f"{parts.HEADINGS['desk']}\n\nnew figures")

    assert [line for line in report.splitlines() if line.startswith("## ")] == [
        "## Targets",
        "## Decisions of the remedy policy",
        "## Memory",
        parts.HEADINGS["desk"],
        "## How it is measured",
    ]
    assert report.replace(f"{parts.HEADINGS['desk']}\n\nnew figures\n\n", "") == REPORT


def test_a_report_may_begin_with_one_section() -> None:
    written = f"{parts.HEADINGS['page']}\n\nfigures"

    assert parts.placed("", written) == f"{written}\n"


def test_a_section_is_found_in_a_report() -> None:
    assert parts.of_document(REPORT, "decisions") == (
        "## Decisions of the remedy policy\n\nold figures"
    )
    assert parts.of_document(REPORT, "page") is None


def test_a_part_that_cannot_be_measured_keeps_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "missing", lambda _: "no Chromium")
    monkeypatch.setattr(program, "_measured_part", lambda name, *_: f"new {name}")
    old = f"{parts.HEADINGS['page']}\n\nof yesterday"

    kept = program._measured_parts(here(), tmp_path, program.QUICK, 0.0, f"# Speed\n\n{old}\n")
    none = program._measured_parts(here(), tmp_path, program.QUICK, 0.0, "")

    new = {name: f"new {name}" for name in ("decisions", "desk", "wechat", "insights")}
    assert kept == {**new, "page": old}
    assert none == new


def on_wechat(**changes: object) -> OnWeChat:
    """Two runs in which all went well, but for what is said of the first."""

    def run(heard: Heard, answered: Answered) -> Run:
        return Run(Writing(), heard, answered, Memory(90 * 1024**2, 95 * 1024**2), 6.0)

    good = Heard(callbacks=[0.1, 0.2], outcomes={"passive": 2}, written=2, seen={"passive": 2})
    answers = Answered(messages=2, latencies=[0.1, 0.2], sends={"sent passive": 2})
    first = run(
        replace(good, **{name: value for name, value in changes.items() if hasattr(good, name)}),
        replace(answers, **{name: value for name, value in changes.items() if name == "astray"}),
    )
    return OnWeChat(first, run(good, answers), Outage(30.0, 60.0))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, None),
        ({"written": 3}, "lost or unanswered"),
        ({"astray": ["o-1"]}, "twice"),
        ({"cut": 1}, "callbacks of 5 s"),
        ({"violations": 1}, "quota"),
        ({"wrong": ["a reply in plain text"]}, "rules"),
    ],
)
def test_on_wechat_nothing_is_lost_doubled_late_or_beyond_the_quota(
    changes: dict[str, object], broken: str | None
) -> None:
    text = parts.section(on_wechat(**changes), WHEN, [])

    missed = [line for line in text.splitlines() if "NOT REACHED" in line]
    assert len(missed) == (broken is not None)
    assert all(broken in line for line in missed if broken)
    assert text.startswith(parts.HEADINGS["wechat"])


def test_what_customers_saw_is_held_against_what_was_sent() -> None:
    sent = ["您好。", "请发订单号。", "办好了。"]
    assert wechat._same(sent, ["您好。\n\n请发订单号。", "办好了。"]), "merged into one message"
    assert wechat._same(sent, ["您好。", "请发订单号。\n1. 好", "办好了。"]), "options below"
    assert not wechat._same(sent, ["您好。", "办好了。"]), "lost"
    assert not wechat._same(sent, ["请发订单号。", "您好。", "办好了。"]), "out of order"
    assert not wechat._same(sent, ["您好。", "您好。", "请发订单号。", "办好了。"]), "twice"
    assert not wechat._same(sent, ["您好。", "请发订单号。", "办好了。", "办好了。"]), (
        "twice at the end"
    )


def seen(*, opened: float, listed: float, lost: int = 0) -> Staffed:
    found = Seen(
        open=[0.010] * 90 + [opened] * 10,
        listed=[0.050] * 90 + [listed] * 10,
        lost=lost,
        seconds=60.0,
        reads=7,
        answers=3,
        processor_s=6.0,
    )
    return Staffed(Size(50, 500, Plan()), found, Memory(90 * 1024**2, 95 * 1024**2))


@pytest.mark.parametrize(
    ("found", "judged"),
    [
        (seen(opened=0.2, listed=0.1), ("200 ms | reached", "0 | reached")),
        (seen(opened=0.1, listed=0.201), ("201 ms | **NOT REACHED**", "0 | reached")),
        (seen(opened=0.1, listed=0.1, lost=1), ("100 ms | reached", "1 | **NOT REACHED**")),
    ],
)
def test_words_must_be_on_the_page_in_time_watched_or_not(
    found: Staffed, judged: tuple[str, str]
) -> None:
    text = parts.section(found, WHEN, [])

    for one in judged:
        assert one in text
    assert re.search(r"looks at \| 10 \| (100|200) \| (100|200) \| (100|200) \| 100 \|", text)
    assert "30.0 ms of CPU a message" in text
    assert "95 MB of memory" in text


@pytest.mark.parametrize(
    ("rows", "longest", "judged"),
    [
        (60, 29.9, ("60 | reached", "29.9 ms | reached")),
        (61, 30.0, ("61 | **NOT REACHED**", "30.0 ms | **NOT REACHED**")),
    ],
)
def test_the_page_is_judged_by_its_rows_and_its_longest_scroll(
    rows: int, longest: float, judged: tuple[str, str]
) -> None:
    scrolls = [Scroll(5.0, 4.0), Scroll(longest, 4.5), Scroll(6.0, 4.2)]

    text = parts.section(StaffPage(1000, rows, scrolls, [900.0], "150"), WHEN, [])

    for one in judged:
        assert one in text
    assert f"by the clock | 6.0 | {longest} | 3 |" in text
    assert "processor time | 4.2 | 4.5 | 3 |" in text


# --- Chromium's trace ---------------------------------------------------------------------


def script(name: str, begin: float, took: float, had: float | None = None, tid: int = 1) -> Any:  # noqa: ANN401 - JSON
    """An event of a trace, in milliseconds."""
    one = {"name": name, "ph": "X", "pid": 7, "tid": tid, "ts": begin * 1000, "dur": took * 1000}
    return {**one, "cat": "v8"} | ({} if had is None else {"tdur": had * 1000})


def marked(number: int, begin: float, end: float) -> list[Any]:
    common = {"ph": "I", "pid": 7, "tid": 1, "cat": "blink.user_timing"}
    return [
        {**common, "name": trace.mark(number, begins=True), "ts": begin * 1000},
        {**common, "name": trace.mark(number, begins=False), "ts": end * 1000},
    ]


def test_script_is_counted_once_and_where_it_ran() -> None:
    events = [
        *marked(0, 100, 200),
        *marked(1, 300, 400),
        script("EventDispatch", 110, 10, had=6),
        script("FunctionCall", 111, 5, had=5),
        script("FireAnimationFrame", 150, 2),
        script("FunctionCall", 120, 50, tid=2),
        script("Layout", 160, 30),
        script("FunctionCall", 195, 10),
        script("FunctionCall", 250, 10),
        script("TimerFire", 395, 10, had=1),
    ]

    found = trace.scrolls(json.dumps({"traceEvents": events}).encode(), 2)

    assert found == [Scroll(17.0, 13.0), Scroll(5.0, 1.0)]


def test_a_scroll_without_its_marks_is_no_figure() -> None:
    content = json.dumps({"traceEvents": marked(0, 1, 2)}).encode()

    with pytest.raises(LookupError, match="scroll 1"):
        trace.scrolls(content, 2)


# --- the people of a desk -----------------------------------------------------------------


def test_agents_have_as_many_customers_each_and_all_are_logged_in(tmp_path: Path) -> None:
    stack = Stack(tmp_path)

    people = crew.on_duty(stack, 3, 7)

    assert sorted(Counter(chat.owner for chat in people.chats).values()) == [2, 2, 3]
    with closing(Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")) as store, store.read() as db:
        for member in people.members:
            session = staff.by_session(db, member.cookie, utc_now())
            assert session and (session.staff.id, session.csrf) == (member.id, member.csrf)
            assert session.staff.presence == "online"
        for chat in people.chats:
            found = conversations.load(db, chat.conversation)
            customer = customers.by_session(db, chat.cookie, crew.BUSINESS)
            assert found and customer and found.customer_id == customer.id
            assert chat.owner and found.owner == staff_owner(chat.owner)


def test_those_in_the_queue_have_nobody(tmp_path: Path) -> None:
    stack = Stack(tmp_path)

    people = crew.queued(stack, 5)

    assert len(people.members) == 1
    assert [chat.owner for chat in people.chats] == [None] * 5
    with closing(Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")) as store, store.read() as db:
        assert len(conversations.owned_by(db, QUEUE)) == 5


def test_the_listener_hears_everything() -> None:
    with listening() as url, httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as http:
        assert http.get("/readyz").status_code == 200
        for _ in range(2):
            answer = http.post("/desk/overheard", json={"text": "还在吗"})
            assert answer.json()["understood"]["emotion"]["anger"] == 1


def test_insights_are_judged_by_what_they_take_after_a_change() -> None:
    year = Answers("a year", 100_000, 1300.0, [310.0, 290.0, 2000.0], [90.0, 80.0, 85.0])
    month = Answers("a month", 5_000, 90.0, [1001.0, 1002.0, 50.0], [40.0, 41.0, 42.0])
    written = parts.section(Taught(100_000, [year, month], [100.0, 300.0]), WHEN, ["a note"])
    assert re.search(r"insights of a year answer within 1 s.*\| 310 ms \| reached", written)
    assert re.search(r"insights of a month answer within 1 s.*\| 1001 ms \| \*\*NOT", written)
    assert "| a year | 100,000 | 310 | 2000 | 85 | 1300 |" in written
    assert written.startswith(parts.HEADINGS["insights"])


# --- the whole of it ----------------------------------------------------------------------


def test_every_message_of_the_crowd_reaches_its_owner(tmp_path: Path) -> None:
    plan = Plan(rate=8.0, watched=0.5, stay_seconds=0.5, warm_seconds=0.5, seconds=2.0)

    found = staffed.measured(tmp_path / "desk", here(), Size(2, 6, plan))

    assert (found.seen.lost, found.seen.refused) == (0, 0)
    assert found.seen.open and found.seen.listed
    assert len(found.seen.open) + len(found.seen.listed) <= 16
    assert all(taken > 0 for taken in (*found.seen.open, *found.seen.listed))
    assert found.seen.reads > 0 and found.seen.answers > 0
    assert found.memory.peak > 0


def test_the_page_is_measured_in_chromium() -> None:
    lacking = page.missing(here())
    if lacking:
        if os.environ.get("HUIXIN_REQUIRE_ALL"):
            pytest.fail(lacking)
        pytest.skip(lacking)

    # In a process of its own: Playwright's loop would stand in the way of asynchronous tests.
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "page", "--quick"],
        cwd=here().root,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
    )

    assert run.returncode == 0, run.stderr[-3000:]
    assert parts.HEADINGS["page"] in run.stdout
    assert re.search(r"120 open cases: rows in the page at once: at most 60 \| \d+ \|", run.stdout)
    assert re.search(r"script for one scroll, by the clock \| [\d.]+ \| [\d.]+ \| 5 \|", run.stdout)
