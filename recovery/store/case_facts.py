"""Facts of cases, one row each: written by who derives them, added up for figures."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Table,
    and_,
    delete,
    func,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from recovery.insights.facts import Facts
from recovery.insights.figures import Figure
from recovery.insights.parts import RANKED, SUMMED, Day, Part, Slice, Weight
from recovery.insights.period import Filters
from recovery.store.database import stamp
from recovery.store.tables import case_facts, cases, customers, insight_marks

_PLAIN = tuple(one.name for one in case_facts.columns if one.name not in ("unlike", "updated_at"))


# --- written ----------------------------------------------------------------------------------


def put(db: Connection, rows: Sequence[Facts], now: datetime) -> int:
    """Write rows, new or known.

    Args:
        db: A writing transaction.
        rows: As derived.
        now: The present moment.

    Returns:
        How many were not there like that before.
    """
    known = _known(db, [one.case_id for one in rows])
    fresh = [one for one in rows if known.get(one.case_id) != one.row]
    if not fresh:
        return 0
    put_in = insert_or_change(db, case_facts)
    changed = {name: put_in.excluded[name] for name in (*_PLAIN, "updated_at") if name != "case_id"}
    statement = put_in.on_conflict_do_update(index_elements=["case_id"], set_=changed)
    # Several desks write in the same order, so that none waits for another in a ring.
    for one in sorted(fresh, key=lambda one: one.case_id):
        db.execute(statement, {**one.row, "updated_at": stamp(now)})
    before = {str(known[one.case_id]["alike"]) for one in fresh if one.case_id in known}
    days = _compare(db, before | {one.alike for one in fresh})
    days |= {one.begun for one in fresh}
    days |= {_day(known[one.case_id]) for one in fresh if one.case_id in known}
    mark(db, days)
    return len(fresh)


def differ(db: Connection, rows: Sequence[Facts], gone: Collection[str]) -> bool:
    """Whether anything would be written: looking costs nobody a turn."""
    known = _known(db, [*(one.case_id for one in rows), *gone])
    return any(known.get(one.case_id) != one.row for one in rows) or any(
        one in known for one in gone
    )


def insert_or_change(db: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that may change the row which is there."""
    return postgresql.insert(table) if db.dialect.name == "postgresql" else sqlite.insert(table)


def _known(db: Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    columns = [case_facts.c[name] for name in _PLAIN]
    query = select(*columns).where(case_facts.c.case_id.in_(ids))
    return {row.case_id: dict(row._mapping) for row in db.execute(query)}


def _day(row: Mapping[str, Any] | RowMapping) -> tuple[str, str]:
    return str(row["business"]), str(row["day"])


def _compare(db: Connection, alike: Collection[str]) -> set[tuple[str, str]]:
    """Note of cases with the same facts whether all were given the same; the days changed."""
    changed: set[tuple[str, str]] = set()
    for key in sorted(one for one in alike if one):
        mine = case_facts.c.alike == key
        least, most = db.execute(
            select(func.min(case_facts.c.given), func.max(case_facts.c.given)).where(mine)
        ).one()
        other = int(least != most)
        differs = case_facts.c.unlike.is_(None) | (case_facts.c.unlike != other)
        done = db.execute(
            update(case_facts)
            .where(mine, differs)
            .values(unlike=other)
            .returning(case_facts.c.business, case_facts.c.day)
        )
        changed |= {_day(row._mapping) for row in done}
    return changed


def remove(db: Connection, ids: Collection[str]) -> None:
    """Take out cases that do not count any more, as those that went into another one."""
    if not ids:
        return
    gone = delete(case_facts).where(case_facts.c.case_id.in_(ids))
    rows = db.execute(gone.returning(case_facts.c.business, case_facts.c.day, case_facts.c.alike))
    found = [row._mapping for row in rows]
    mark(db, {*map(_day, found), *_compare(db, {str(row["alike"]) for row in found})})


def mark(db: Connection, days: Iterable[tuple[str, str]]) -> None:
    """Note that what was worked out of these days, each of a business, is old."""
    for business, day in sorted(set(days)):
        first = insert_or_change(db, insight_marks).values(business=business, day=day, number=1)
        db.execute(
            first.on_conflict_do_update(
                index_elements=["business", "day"], set_={"number": insight_marks.c.number + 1}
            )
        )


def marked(db: Connection, business: str, since: date, until: date) -> dict[date, int]:
    """How often facts of each day have changed; the same number: nothing has.

    Args:
        db: A transaction.
        business: Whose.
        since: First day.
        until: Last day, included.

    Returns:
        Days that have, or had, any case.
    """
    table = insight_marks.c
    query = select(table.day, table.number).where(
        table.business == business, table.day.between(since.isoformat(), until.isoformat())
    )
    return {date.fromisoformat(day): int(number) for day, number in db.execute(query)}


# --- read -------------------------------------------------------------------------------------


def _within(asked: Filters) -> ColumnElement[bool]:
    table = case_facts.c
    # One business by itself lets its index give the days in order.
    one = len(asked.businesses) == 1
    mine = table.business == asked.businesses[0] if one else table.business.in_(asked.businesses)
    days = table.day.between(asked.since.isoformat(), asked.until.isoformat())
    also = [
        column == wanted
        for column, wanted in ((table.channel, asked.channel), (table.failure, asked.failure))
        if wanted is not None
    ]
    return and_(mine, days, *also)


def part(db: Connection, asked: Filters) -> Part:
    """Add the cases of one business up, so that figures can be made of them."""
    within, table = _within(asked), case_facts.c
    sums: list[ColumnElement[Any]] = [func.count()]
    for name in SUMMED:
        sums += [func.sum(table[name]), func.count(table[name])]
    cases, *found = db.execute(select(*sums).where(within)).one()
    if not cases:
        return Part()
    pairs = zip(SUMMED, found[::2], found[1::2], strict=True)
    totals = {name: (int(total or 0), int(count)) for name, total, count in pairs}
    goodwill = Counter({asked.businesses[0]: totals["goodwill_fen"][0]})
    values = {name: _values(db, within, name) for name in RANKED}
    return Part(int(cases), totals, values, _days(db, within), _slices(db, within), goodwill)


def _values(db: Connection, within: ColumnElement[bool], name: str) -> Counter[int]:
    column = case_facts.c[name]
    query = select(column, func.count()).where(within, column.is_not(None)).group_by(column)
    return Counter({int(value): int(count) for value, count in db.execute(query)})


def _days(db: Connection, within: ColumnElement[bool]) -> dict[str, Day]:
    table = case_facts.c
    opening = table.anger_opening
    counted = (func.count(), func.sum(opening), func.count(opening), func.count(table.closed))
    query = select(table.day, *counted).where(within).group_by(table.day)
    return {day: Day(*(int(one or 0) for one in rest)) for day, *rest in db.execute(query)}


def _slices(db: Connection, within: ColumnElement[bool]) -> dict[Slice, Weight]:
    table = case_facts.c
    common = (table.failure, table.channel, table.cause, table.cause_confirmed, table.tier)
    keys = (*common, table.anger_opening)
    counted = (func.count(), func.count(table.offers), func.sum(table.goodwill_fen))
    query = select(*keys, *counted).where(within).group_by(*keys)
    return {
        Slice(*row[: len(keys)]): Weight(*(int(one or 0) for one in row[len(keys) :]))
        for row in db.execute(query)
    }


@dataclass(frozen=True)
class Behind:
    """One case behind a figure, with its number."""

    case_id: str
    business: str
    opened_at: str
    customer: str
    failure: str
    value: int | None


def behind(db: Connection, asked: Filters, figure: Figure, first: int, most: int) -> list[Behind]:
    """The cases behind a figure, those with the highest numbers first, the latest of them first.

    Args:
        db: A transaction.
        asked: Which cases.
        figure: Which figure.
        first: How many are passed over.
        most: How many at most.
    """
    table = case_facts.c
    value: ColumnElement[Any] = table[figure.column] if figure.column else null()
    if figure.kind == "gap":
        value = table[figure.column] - table[figure.over]
    # Without a number the index gives the latest days first, and the rest is not looked at.
    order = [value.desc().nulls_last()] if figure.column else []
    # Names are looked up of what is shown only.
    these = (
        select(
            *(table[name] for name in ("case_id", "business", "day", "opened_at", "failure")),
            value.label("value"),
        )
        .where(_within(asked), _counts(figure))
        .order_by(*order, table.day.desc(), table.opened_at.desc(), table.case_id)
        .offset(first)
        .limit(most)
        .subquery()
    )
    order = [these.c.value.desc().nulls_last()] if figure.column else []
    query = (
        select(
            these.c.case_id,
            these.c.business,
            these.c.opened_at,
            customers.c.name,
            these.c.failure,
            these.c.value,
        )
        .join(cases, cases.c.id == these.c.case_id)
        .join(customers, customers.c.id == cases.c.customer_id)
        .order_by(*order, these.c.day.desc(), these.c.opened_at.desc(), these.c.case_id)
    )
    return [Behind(*row) for row in db.execute(query)]


def _counts(figure: Figure) -> ColumnElement[bool]:
    column = figure.stands_behind
    return case_facts.c[column].is_not(None) if column else true()


def first_day(db: Connection, business: str) -> str | None:
    """The day on which the first case of a business began; None where it has none."""
    query = select(func.min(case_facts.c.day)).where(case_facts.c.business == business)
    day: str | None = db.execute(query).scalar()
    return day


def daily(
    db: Connection, business: str, kind: str, since: date, until: date
) -> dict[str, dict[str, int]]:
    """By cause or failure, how many cases began on each day that had any.

    Args:
        db: A transaction.
        business: Whose.
        kind: `cause` or `failure`.
        since: First day.
        until: Last day, included.
    """
    table = case_facts.c
    query = (
        select(table[kind], table.day, func.count())
        .where(_within(Filters((business,), since, until)), table[kind] != "")
        .group_by(table[kind], table.day)
    )
    found: dict[str, dict[str, int]] = {}
    for name, day, count in db.execute(query):
        found.setdefault(name, {})[day] = int(count)
    return found
