"""The insights page with very many cases: what it takes to answer, whatever has changed before."""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Connection, insert, update

from bench import crew
from bench.crew import Member
from bench.script import BUSINESS
from desk.staff.session import COOKIE
from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.clock import utc_now
from recovery.failures import FAILURES
from recovery.insights.causes import proposed
from recovery.insights.facts import VERSION
from recovery.settings import load_settings
from recovery.store import case_facts as facts
from recovery.store.database import Database, stamp
from recovery.store.tables import case_facts, cases, customers
from recovery.store.tables.insights import MEASURES
from tools.console import ToolError
from tools.stack import Stack, started

SEED: Final = "huixin insights"
PERIODS: Final = {"a year": 365, "a month": 30}
_TRADE: Final = "shop"
_TIERS: Final = ("", "none", "silver", "gold")
_CHANNELS: Final = ("web", "web", "wechat", "phone")
_BATCH: Final = 2000
# A desk derives again what was changed in the week before it starts; that is not measured here.
_QUIET_DAYS: Final = 9
_PATIENCE: Final = 120.0


@dataclass(frozen=True)
class Answers:
    """How long answers about one period took.

    Attributes:
        first_ms: The first of all, with nothing worked out before.
        changed_ms: Of each, after cases of several days had changed.
        same_ms: Of each, with nothing changed.
    """

    period: str
    cases: int
    first_ms: float
    changed_ms: list[float]
    same_ms: list[float]


@dataclass(frozen=True)
class Taught:
    """What was measured.

    Attributes:
        cases: In the store.
        answers: By period.
        behind_ms: Of each page of cases behind a figure.
    """

    cases: int
    answers: list[Answers]
    behind_ms: list[float]


def measured(folder: Path, count: int, times: int) -> Taught:
    """Measure over HTTP, at a desk of its own.

    Args:
        folder: For data, settings and logs; made here.
        count: Cases, spread over a year.
        times: How often each is asked.

    Raises:
        ToolError: The desk does not answer.
    """
    folder.mkdir()
    stack = Stack(folder, bind=True)
    reader = crew.overseer(stack)
    url = load_settings(stack.settings_file).database_url
    with closing(Database(url)) as store:
        _fill(store, count)
        with started(stack, "desk"), _page(stack.url, reader) as http:
            answers = [_answers(http, store, name, days, times) for name, days in PERIODS.items()]
            behind = [_behind(http, name) for name in ("complaints", "csat", "accepted")] * times
        return Taught(count, answers, behind)


def _page(url: str, reader: Member) -> httpx.Client:
    headers = {"Cookie": f"{COOKIE}={reader.cookie}"}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=_PATIENCE)


def _answers(http: httpx.Client, store: Database, name: str, days: int, times: int) -> Answers:
    today = utc_now().date()
    query = {"from": (today - timedelta(days=days - 1)).isoformat(), "to": today.isoformat()}
    first, found = _asked(http, "", query)
    changed, same = [], []
    for number in range(times):
        with store.write() as db:
            _change(db, number)
        changed.append(_asked(http, "", query)[0])
        same.append(_asked(http, "", query)[0])
    return Answers(name, int(found["cases"]), first, changed, same)


def _behind(http: httpx.Client, figure: str) -> float:
    today = utc_now().date()
    query = {"from": (today - timedelta(days=364)).isoformat(), "to": today.isoformat()}
    return _asked(http, "/cases", {**query, "figure": figure})[0]


def _asked(http: httpx.Client, path: str, query: dict[str, str]) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    answer = http.get(f"/api/staff/insights{path}", params=query)
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code != httpx.codes.OK:
        raise ToolError(f"insights answered {answer.status_code}: {answer.text[:200]}")
    return took, dict(answer.json())


def _change(db: Connection, number: int) -> None:
    """Cases of several days of the last month change: they are worked out again."""
    today = utc_now().date()
    days = [today - timedelta(days=back) for back in (0, *range(_QUIET_DAYS, 30, 5))]
    db.execute(
        update(case_facts).where(case_facts.c.case_id == _id("s", 0)).values(rating=number % 5 + 1)
    )
    facts.mark(db, [(BUSINESS, day.isoformat()) for day in days])


# --- cases ------------------------------------------------------------------------------------


def _id(letter: str, number: int) -> str:
    return f"{letter}{number:024x}"


def _fill(store: Database, count: int) -> None:
    """Write cases with their facts, mixed by a fixed seed; the first one is of now."""
    # To mix cases, not to keep secrets.
    chance, now = random.Random(SEED), utc_now()  # noqa: S311
    state = Case("s", anger=CaseAnger(2, 3, 0)).to_state()
    days: set[tuple[str, str]] = set()
    for first in range(0, count, _BATCH):
        numbers = range(first, min(count, first + _BATCH))
        opened = [now if number == 0 else _opened(chance, now) for number in numbers]
        rows = [_facts(chance, *pair) for pair in zip(numbers, opened, strict=True)]
        days |= {(BUSINESS, str(row["day"])) for row in rows}
        with store.write() as db:
            db.execute(insert(customers), list(_customers(numbers, opened)))
            db.execute(insert(cases), list(_cases(numbers, opened, state)))
            db.execute(insert(case_facts), rows)
    with store.write() as db:
        facts.mark(db, days)


def _opened(chance: random.Random, now: datetime) -> datetime:
    return now - timedelta(days=chance.uniform(_QUIET_DAYS, 364))


def _customers(numbers: range, opened: list[datetime]) -> Iterator[dict[str, Any]]:
    for number, moment in zip(numbers, opened, strict=True):
        one = {"id": _id("u", number), "business": BUSINESS, "name": "顾客"}
        yield {**one, "person": _id("u", number), "created_at": stamp(moment)}


def _cases(
    numbers: range, opened: list[datetime], state: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for number, moment in zip(numbers, opened, strict=True):
        yield {
            "id": _id("s", number),
            "business": BUSINESS,
            "customer_id": _id("u", number),
            "stage": "closed",
            "priority": 0,
            "state": {**state, "id": _id("s", number)},
            "opened_at": stamp(moment),
            "updated_at": stamp(moment),
            "closed_at": stamp(moment),
        }


def _facts(chance: random.Random, number: int, opened: datetime) -> dict[str, Any]:
    failures = [name for name, one in FAILURES.items() if _TRADE in one.industries]
    failure = chance.choice(failures)
    return {
        "case_id": _id("s", number),
        "version": VERSION,
        "business": BUSINESS,
        "industry": _TRADE,
        "channel": chance.choice(_CHANNELS),
        "person": _id("u", number),
        "tier": chance.choice(_TIERS),
        "failure": failure,
        "cause": proposed(failure, _TRADE),
        "cause_confirmed": chance.random() < 0.3,
        "day": opened.date().isoformat(),
        "opened_at": stamp(opened),
        "alike": "",
        "given": "",
        **{name: _measure(chance, name) for name in MEASURES},
        "updated_at": stamp(opened),
    }


def _measure(chance: random.Random, name: str) -> int | None:
    """A number of a likely size; some cases have none."""
    if chance.random() < 0.3:
        return None
    if name.endswith("_seconds"):
        # Whole seconds up to days: as many different ones as real cases have.
        return int(chance.expovariate(1 / 1800))
    if "fen" in name:
        return chance.randrange(30_000)
    if name.startswith(("expected", "perceived")):
        return chance.randrange(1, 8)
    return chance.randrange(4 if name.startswith("anger") else 2)
