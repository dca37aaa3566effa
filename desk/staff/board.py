"""The live board: how many wait, who is busy, what is late; for who oversees."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy import Row as SqlRow

from desk.channels.sessions import context_of
from desk.context import Context
from desk.staff.session import ROOT, allowed
from recovery.anger import ANGRY, FURIOUS
from recovery.business import Business
from recovery.roles import Act
from recovery.service_time import whole
from recovery.store import presence
from recovery.store.conversations import BOT, QUEUE, owner_id
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import cases, clock_misses, clocks, conversations

pages = Blueprint("staff_board", url_prefix=ROOT)

# What is counted: a case may have two conversations, a conversation may have no case.
_CASE = func.coalesce(conversations.c.case_id, conversations.c.id)
_HOURS = 24
_HOUR = timedelta(hours=1)


@pages.get("/board")
@allowed(Act.OVERSEE)
async def board(request: Request) -> HTTPResponse:
    """The state of things now, of the own business or of all."""
    context, who = context_of(request), request.ctx.staff
    return json(await context.storage.read_at_length(state_of_things, context, who))


def state_of_things(db: Connection, context: Context, who: Staff) -> dict[str, Any]:
    """`Board` of docs/staff-api.md.

    A case is counted once, where it is now: who waits, with whom, put aside or with the bot. Of
    two parts the one that waits counts, else the one that somebody has in hand. What was put aside
    neither waits nor is anybody's silence.

    Args:
        db: A transaction.
        context: The desk.
        who: Who looks: of one business only, where the account belongs to one.
    """
    now = context.clock()
    served = [one for one in context.directory if who.sees(one.id)]
    industry: dict[str, str] = {one.id: one.industry for one in served}
    with_people = _with_people(db, industry)
    with_bot = _with_bot(db, industry)
    aside = stamp(now)
    up = [row for row in with_people if not row.snoozed_until or row.snoozed_until <= aside]
    queue = [row for row in up if row.owner == QUEUE]
    owned = [row for row in up if row.owner != QUEUE]
    red = _red(db, industry, now)
    waits = _by_case(queue)
    in_hand = _by_case(owned).keys() - waits.keys()
    every = _by_case(with_people)
    waiting = Counter(_anger(row.priority) for row in waits.values())
    return {
        "at": stamp(now),
        "waiting": [waiting[level] for level in range(FURIOUS + 1)],
        "longest_wait_seconds": _longest(now, (row.waiting_since for row in queue)),
        "with_bot": sum(row.open for row in with_bot),
        "with_staff": len(in_hand),
        "snoozed": len(every) - len(waits) - len(in_hand),
        "red": len(set(red.values())),
        "missed_today": _missed_today(db, served, now),
        "agents": _agents(db, who, owned, red, now),
        "hours": _hours(db, industry, _zone(served), now),
        "industries": _industries(industry, every.values(), with_bot),
    }


def _by_case(rows: Iterable[SqlRow[Any]]) -> dict[str, SqlRow[Any]]:
    """One row for each case; a conversation without one counts by itself."""
    return {row.case: row for row in rows}


def _with_people(db: Connection, served: Iterable[str]) -> list[SqlRow[Any]]:
    query = (
        select(
            conversations.c.id,
            _CASE.label("case"),
            conversations.c.business,
            conversations.c.owner,
            conversations.c.waiting_since,
            conversations.c.awaiting_since,
            conversations.c.snoozed_until,
            cases.c.priority,
        )
        .outerjoin(cases, cases.c.id == conversations.c.case_id)
        .where(conversations.c.owner != BOT, conversations.c.business.in_(list(served)))
    )
    return list(db.execute(query))


def _with_bot(db: Connection, served: Iterable[str]) -> list[SqlRow[Any]]:
    """How many open cases only the bot looks after, by business and priority."""
    its = select(conversations.c.id).where(conversations.c.case_id == cases.c.id)
    query = (
        select(cases.c.business, cases.c.priority, func.count().label("open"))
        .where(
            cases.c.closed_at.is_(None),
            cases.c.business.in_(list(served)),
            its.exists(),
            ~its.where(conversations.c.owner != BOT).exists(),
        )
        .group_by(cases.c.business, cases.c.priority)
    )
    return list(db.execute(query))


def _anger(priority: int | None) -> int:
    """The level behind the priority of a case: one about somebody's safety counts as furious."""
    return min(priority or 0, FURIOUS)


def _red(db: Connection, served: Iterable[str], now: datetime) -> dict[str, str]:
    """The conversations with a clock in its last share of the time, or past it; their cases."""
    query = (
        select(conversations.c.id, _CASE.label("case"))
        .join(clocks, conversations.c.id == clocks.c.conversation_id)
        .where(
            clocks.c.warn_at <= stamp(whole(now)),
            conversations.c.business.in_(list(served)),
        )
    )
    return {row.id: row.case for row in db.execute(query)}


def _missed_today(db: Connection, served: list[Business], now: datetime) -> int:
    """How often a clock was missed since the day began where it runs."""
    began: defaultdict[datetime, list[str]] = defaultdict(list)
    for one in served:
        began[one.day_began(now)].append(one.id)
    today: list[ColumnElement[bool]] = [
        and_(conversations.c.business.in_(several), clock_misses.c.at >= stamp(moment))
        for moment, several in began.items()
    ]
    if not today:
        return 0
    query = (
        select(func.count())
        .select_from(clock_misses)
        .join(conversations, conversations.c.id == clock_misses.c.conversation_id)
        .where(or_(*today))
    )
    return db.execute(query).scalar_one()


def _agents(
    db: Connection, who: Staff, owned: list[SqlRow[Any]], red: Mapping[str, str], now: datetime
) -> list[dict[str, Any]]:
    reds: defaultdict[int | None, set[str]] = defaultdict(set)
    silent: defaultdict[int | None, list[str]] = defaultdict(list)
    for row in owned:
        agent = owner_id(row.owner)
        if row.id in red:
            reds[agent].add(red[row.id])
        if row.awaiting_since:
            silent[agent].append(row.awaiting_since)
    return [
        {
            **one.shown,
            "red": len(reds[one.id]),
            "longest_silence_seconds": _longest(now, silent[one.id]),
        }
        for one in presence.colleagues(db, who.business, now)
    ]


def _longest(now: datetime, moments: Iterable[str | None]) -> int:
    """Seconds since the earliest of these, 0 where there is none."""
    known = [moment for moment in moments if moment]
    if not known:
        return 0
    return max(0, int((now - datetime.fromisoformat(min(known))).total_seconds()))


def _zone(served: list[Business]) -> ZoneInfo:
    """Where the hours of the board are told: an account of all businesses reads the first one's."""
    return served[0].zone if served else ZoneInfo("UTC")


def _hours(
    db: Connection, served: Iterable[str], zone: ZoneInfo, now: datetime
) -> list[dict[str, Any]]:
    """What came in, was answered first and was closed, in the present hour and the 23 before."""
    local = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    # Counted in UTC, so that no hour is lost or doubled where clocks are put forward or back.
    first = local.astimezone(UTC) - _HOUR * (_HOURS - 1)
    since, ids = stamp(first), list(served)
    opened = select(cases.c.opened_at).where(cases.c.business.in_(ids), cases.c.opened_at >= since)
    closed = select(cases.c.closed_at).where(cases.c.business.in_(ids), cases.c.closed_at >= since)
    answered = (
        select(clocks.c.stopped_at)
        .join(conversations, conversations.c.id == clocks.c.conversation_id)
        .where(
            clocks.c.kind == "first_response",
            clocks.c.stopped_at >= since,
            conversations.c.business.in_(ids),
        )
    )
    counts = {
        name: Counter(
            (datetime.fromisoformat(moment) - first) // _HOUR
            for moment in db.execute(query).scalars()
        )
        for name, query in (("opened", opened), ("first_answers", answered), ("closed", closed))
    }
    return [
        {
            "hour": (first + _HOUR * place).astimezone(zone).isoformat(),
            **{name: found[place] for name, found in counts.items()},
        }
        for place in range(_HOURS)
    ]


def _industries(
    industry: Mapping[str, str], with_people: Iterable[SqlRow[Any]], with_bot: list[SqlRow[Any]]
) -> list[dict[str, Any]]:
    opened: Counter[str] = Counter()
    angry: Counter[str] = Counter()
    for row, number in (*((one, 1) for one in with_people), *((one, one.open) for one in with_bot)):
        opened[industry[row.business]] += number
        if _anger(row.priority) >= ANGRY:
            angry[industry[row.business]] += number
    return [
        {"industry": name, "open": opened[name], "angry": angry[name]}
        for name in dict.fromkeys(industry.values())
    ]
