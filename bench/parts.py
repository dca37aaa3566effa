"""The parts that are measured alone: each writes a section of its own, with its own date."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bench.decisions import Decisions
from bench.figures import median, percentile
from bench.insights import Taught
from bench.page import StaffPage
from bench.staffed import Staffed
from bench.tables import Verdict, listed, table, verdict, verdict_table
from bench.wechat import OnWeChat, Run

HEADINGS: Final = {
    "decisions": "## Decisions of the remedy policy",
    "desk": "## A customer's words on the screen of staff",
    "page": "## The page of staff with very many open cases",
    "wechat": "## Customers on WeChat",
    "insights": "## Insights over very many cases",
}
"""By the part's name on the command line, in the order of the report."""

_BEFORE: Final = "## How it is measured"
_MEGABYTE: Final = 1024**2
_WITHIN_MS: Final = 200
_SCROLL_MS: Final = 30
_INSIGHTS_MS: Final = 1000
# Some thirty rows fill the tallest screen; as many again are a list that is not bounded by it.
_ROWS: Final = 60


def section(
    found: Decisions | Staffed | StaffPage | OnWeChat | Taught,
    measured: datetime,
    notes: Sequence[str],
) -> str:
    """Write the section of a part.

    Args:
        found: What was measured.
        measured: When.
        notes: On what: machine, versions, load.

    Returns:
        Markdown that begins with the part's heading.
    """
    if isinstance(found, Decisions):
        key, judged, figures, method = "decisions", *_decisions(found)
    elif isinstance(found, Staffed):
        key, judged, figures, method = "desk", *_desk(found)
    elif isinstance(found, OnWeChat):
        key, judged, figures, method = "wechat", *_wechat(found)
    elif isinstance(found, Taught):
        key, judged, figures, method = "insights", *_insights(found)
    else:
        key, judged, figures, method = "page", *_page(found)
    parts = [
        HEADINGS[key],
        f"Measured on {measured:%Y-%m-%d %H:%M} UTC (`python -m bench --only {key}`).",
        listed(notes),
        verdict_table(judged),
        figures,
        listed(method),
    ]
    return "\n\n".join(parts)


def of_document(document: str, key: str) -> str | None:
    """Give the section of a part as it stands in a report; None where it does not."""
    found = _found(document, HEADINGS[key])
    return found.group().rstrip() if found else None


def placed(document: str, written: str) -> str:
    """Put a section into a report, in the place of the one of the same heading.

    Args:
        document: The report; what it says of other parts stays as it is.
        written: From `section`.
    """
    heading = written.partition("\n")[0]
    old = _found(document, heading)
    if old is None:
        old = _found(document, _BEFORE)
        place = old.start() if old else len(document)
        before, after = document[:place], document[place:]
    else:
        before, after = document[: old.start()], document[old.end() :]
    pieces = (before.rstrip(), written.rstrip(), after.rstrip())
    return "\n\n".join(piece.strip("\n") for piece in pieces if piece) + "\n"


def _found(document: str, heading: str) -> re.Match[str] | None:
    """Find a section: from its heading to the next one of the same rank."""
    pattern = rf"^{re.escape(heading)}$.*?(?=^## |\Z)"
    return re.search(pattern, document, re.MULTILINE | re.DOTALL)


_Part = tuple[list[Verdict], str, list[str]]


def _decisions(found: Decisions) -> _Part:
    judged = [
        verdict(
            "a decision of the remedy policy: at most 1 ms, median, one core",
            found.median_ms,
            lambda took: took <= 1,
            "{:.3f} ms",
        ),
        verdict(
            "decisions of the remedy policy: at least 2,000 a second on one core",
            found.rate,
            lambda rate: rate >= 2000,
            "{:,.0f} a second",
        ),
    ]
    row = (
        f"{found.count:,}",
        f"{found.median_ms:.3f}",
        f"{found.p95_ms:.3f}",
        f"{found.rate:,.0f}",
    )
    figures = table(("decisions", "median ms", "p95 ms", "decisions/s"), [row])
    method = [
        "Facts of all trades, failures, amounts and customers, mixed by a fixed seed, each decided"
        " once, in a process of its own on one core (`bench/decisions.py`).",
    ]
    return judged, figures, method


def _desk(found: Staffed) -> _Part:
    seen, size = found.seen, found.size
    lines = (
        ("the words, in the conversation that the owner looks at", seen.open),
        ("the row, of an owner who looks at another one", seen.listed),
    )
    judged = [
        verdict(
            f"{size.agents} agents, {size.chats} conversations: a customer's message on the agent's"
            f" page within {_WITHIN_MS} ms, 95 of 100, watched or not",
            max(1000 * percentile(taken, 0.95) for _, taken in lines)
            if all(taken for _, taken in lines)
            else None,
            lambda took: took <= _WITHIN_MS,
            "{:.0f} ms",
        ),
        verdict(
            "messages that never came, calls that were refused: none",
            seen.lost + seen.refused,
            lambda count: count == 0,
            "{:.0f}",
        ),
    ]
    rows = [
        (what, *(f"{1000 * at(taken):.0f}" for at in _AT), f"{len(taken):,}")
        for what, taken in lines
        if taken
    ]
    head = ("until the page has", "median ms", "p95 ms", "p99 ms", "max ms", "messages")
    written = len(seen.open) + len(seen.listed)
    plan = size.plan
    method = [
        f"{size.chats} private chats, each with its customer's page open, owned by {size.agents}"
        " agents of one business, all online with a page open. Customers write"
        f" {plan.rate:g} messages a second in all at an even pace, however the desk keeps up,"
        f" {plan.watched:.0%} of them to the conversation that its owner looks at, for"
        f" {seen.seconds:.0f} s after {plan.warm_seconds:g} s of the same.",
        "From the sending on the customer's socket to the moment the frame is on the socket of the"
        " owner's page; the page itself shows it within a frame or two.",
        "Agents do what the page does: read a conversation anew when the desk says it has changed,"
        f" answer, and go on to the next after {plan.stay_seconds:g} s. Meanwhile they read"
        f" {seen.reads:,} times and answered {seen.answers:,} times; every page was told of every"
        " row that changed.",
        "SQLite, every message on disk before it is shown. In Rasa's place stands what hears"
        " everything at once (`bench/listener.py`), since only staff answer here.",
        f"The load is a process of its own on the same machine (`bench/crowd.py`); it was itself"
        f" late by {seen.late_ms:.0f} ms at most 99 of 100 times, which is in the figures.",
        f"The desk used {1000 * seen.processor_s / max(written, 1):.1f} ms of CPU a message, all"
        f" that agents did included, {100 * seen.processor_s / seen.seconds:.0f} % of a core;"
        f" {found.memory.peak / _MEGABYTE:.0f} MB of memory at its peak.",
    ]
    return judged, table(head, rows), method


_AT = (
    median,
    lambda taken: percentile(taken, 0.95),
    lambda taken: percentile(taken, 0.99),
    max,
)


def _page(found: StaffPage) -> _Part:
    script = [one.script_ms for one in found.scrolls]
    processor = [one.processor_ms for one in found.scrolls]
    judged = [
        verdict(
            f"{found.cases:,} open cases: rows in the page at once: at most {_ROWS}",
            found.rows,
            lambda rows: rows <= _ROWS,
            "{:.0f}",
        ),
        *(
            verdict(
                f"script time for one scroll, the longest of {len(taken)}, {by}: under"
                f" {_SCROLL_MS} ms",
                max(taken),
                lambda took: took < _SCROLL_MS,
                "{:.1f} ms",
            )
            for by, taken in (("by the clock", script), ("processor time", processor))
        ),
    ]
    rows = [
        (what, f"{median(taken):.1f}", f"{max(taken):.1f}", str(len(taken)))
        for what, taken in (
            ("script for one scroll, by the clock", script),
            ("script for one scroll, processor time", processor),
            ("from the navigation to the list on the screen, nothing cached", found.listed_ms),
        )
    ]
    method = [
        f"Chromium {found.chromium}, headless, 1366x768, on the machine of the desk;"
        f" {found.cases:,} cases in the queue, none of them handed out.",
        "Each turn of the wheel goes on by all that is seen of the list, so that every row is"
        " another one. Chromium's trace tells when scripts ran on the page's thread, from the turn"
        " until the smooth scroll is over, whatever else the desk told the page meanwhile.",
        "By the clock a script also waits for its processor where others use the machine;"
        " processor time is what it had of one.",
    ]
    return judged, table(("what", "median ms", "max ms", "times"), rows), method


def _wechat(found: OnWeChat) -> _Part:
    runs = (("everything up", found.load), ("Rasa away in the middle", found.outage))
    judged = [one for name, run in runs for one in _kept(name, run)]
    rows = [
        (
            name,
            f"{run.heard.written:,}",
            f"{run.heard.outcomes.get('passive', 0):,}",
            *(f"{at(run.answered.latencies):.2f}" if run.answered.latencies else "" for at in _AT),
            f"{1000 * median(run.heard.callbacks):.0f}",
            f"{1000 * max(run.heard.callbacks):.0f}",
        )
        for name, run in runs
    ]
    head = ("run", "messages", "answered passively")
    head += ("first words: median s", "p95 s", "p99 s", "max s")
    head += ("callback: median ms", "max ms")
    load, away = found.load, found.away
    method = [
        f"{load.plan.customers} customers of an Official Account in safe mode, each with an order"
        f" and a story of their own, write every {load.plan.every_seconds:g} s for"
        f" {load.plan.seconds:g} s, answered or not; {found.outage.plan.customers} while Rasa is"
        f" away: it is killed after {away.after:g} s and started again {away.seconds:g} s later,"
        " and then loads its model.",
        "WeChat is the double of the tests (`tests/support/wechat`), over HTTP in a process of its"
        " own: it signs, encrypts, cuts a callback after 5 s and tries three times, counts quotas."
        f" It was itself late by {load.heard.late_ms:.0f} ms at most 99 of 100 times.",
        "Real desk, actions and Rasa with the trained model on the same two cores, SQLite, every"
        " message on disk before it is answered. First words: from the message's being stored to"
        " the moment when WeChat has taken the first answer to it; a holding sentence is none.",
        "Once and in order: what each customer saw is held against what the desk's own database"
        " says was sent, part by part.",
        *(
            f"{name}: parts of answers by state and road: {_counts(run.answered.sends)}; seen by"
            f" customers: {_counts(run.heard.seen)}; callbacks:"
            f" {_counts(run.heard.outcomes)}; quiet {run.heard.drained:.0f} s after the last"
            f" message; {run.answered.with_people} conversations ended with people; desk"
            f" {run.memory.peak / _MEGABYTE:.0f} MB at its peak,"
            f" {1000 * run.processor_s / max(run.heard.written, 1):.1f} ms of CPU a message."
            for name, run in runs
        ),
    ]
    return judged, table(head, rows), method


def _kept(name: str, run: Run) -> list[Verdict]:
    """What may not happen, in one run."""
    heard, answered = run.heard, run.answered
    lost = heard.written - answered.messages + answered.unanswered
    counts = (
        ("messages lost or unanswered", lost),
        ("customers who saw something twice, not at all or out of order", len(answered.astray)),
        ("callbacks of 5 s and more", heard.cut),
        ("sends that a quota refused", heard.violations),
        ("what was done against WeChat's rules", len(heard.wrong)),
    )
    return [
        verdict(f"{name}: {what}: none", count, lambda count: count == 0, "{:.0f}")
        for what, count in counts
    ]


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items())) or "none"


def _insights(found: Taught) -> _Part:
    judged = [
        verdict(
            f"{found.cases:,} cases: the insights of {one.period} answer within"
            f" {_INSIGHTS_MS // 1000} s, median, cases having changed before each",
            median(one.changed_ms),
            lambda took: took <= _INSIGHTS_MS,
            "{:.0f} ms",
        )
        for one in found.answers
    ]
    rows = [
        (
            one.period,
            f"{one.cases:,}",
            f"{median(one.changed_ms):.0f}",
            f"{max(one.changed_ms):.0f}",
            f"{median(one.same_ms):.0f}",
            f"{one.first_ms:.0f}",
        )
        for one in found.answers
    ]
    head = ("period", "cases", "cases have changed: median ms", "max ms")
    head += ("nothing has: median ms", "the very first ms")
    method = [
        f"`GET /api/staff/insights` over HTTP, {len(found.answers[0].changed_ms)} times each, at a"
        f" desk with {found.cases:,} cases of one business over a year, SQLite. Facts of cases are"
        " made by a fixed seed (`bench/insights.py`), every measure in about 70 of 100 cases.",
        "Months are added up once, and days again when something in them has changed: here six of"
        " the last thirty, before each answer. The very first answer after a start adds up all.",
        f"A page of the cases behind a figure of the year: {median(found.behind_ms):.0f} ms,"
        f" median; {max(found.behind_ms):.0f} ms at most.",
    ]
    return judged, table(head, rows), method
