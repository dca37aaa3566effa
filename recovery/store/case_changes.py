"""Which cases have changed, so that their facts are derived again.

Nothing has to be told of a change: it is found where it was written, by its time.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from recovery.store.database import stamp
from recovery.store.tables import (
    audit_log,
    case_causes,
    case_facts,
    case_joins,
    cases,
    conversations,
    customers,
    follow_ups,
    gestures,
    person_joins,
    promises,
    surveys,
)

Place = tuple[str, str]
"""When a case was opened, as stored, and its id: its place among all."""
FIRST: Place = ("", "")
"""Before all cases."""


def changed(db: Connection, since: datetime, now: datetime) -> list[str]:
    """Ids of cases of which anything was written since a moment, or that time has changed.

    Args:
        db: A transaction.
        since: The moment; what is asked for twice costs little.
        now: The present moment.
    """
    from_then = stamp(since)

    def later(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
        return or_(*(column >= from_then for column in columns))

    queries: Iterable[Select[tuple[Any]]] = (
        select(cases.c.id).where(later(cases.c.updated_at)),
        # What staff say in a case, which may leave the case itself as it is.
        select(conversations.c.case_id)
        .join(audit_log, audit_log.c.target == conversations.c.id)
        .where(later(audit_log.c.at)),
        select(follow_ups.c.case_id).where(later(follow_ups.c.updated_at)),
        select(surveys.c.case_id).where(later(surveys.c.sent_at, surveys.c.answered_at)),
        select(promises.c.case_id).where(later(promises.c.updated_at)),
        select(gestures.c.case_id).where(later(gestures.c.at, gestures.c.settled_at)),
        select(case_causes.c.case_id).where(later(case_causes.c.at)),
        select(case_joins.c.kept_case).where(later(case_joins.c.at, case_joins.c.undone_at)),
        select(case_joins.c.other_case).where(later(case_joins.c.at, case_joins.c.undone_at)),
        select(case_facts.c.case_id).where(case_facts.c.look_at <= stamp(now)),
    )
    found = {str(one) for query in queries for one in db.execute(query).scalars() if one}
    joined = select(person_joins.c.kept, person_joins.c.joined).where(
        later(person_joins.c.at, person_joins.c.undone_at)
    )
    persons = {one for row in db.execute(joined) for one in row}
    return sorted(found | _of_persons(db, persons))


def _of_persons(db: Connection, persons: Collection[str]) -> set[str]:
    if not persons:
        return set()
    query = (
        select(cases.c.id)
        .join(customers, customers.c.id == cases.c.customer_id)
        .where(or_(customers.c.person.in_(persons), customers.c.id.in_(persons)))
    )
    return set(db.execute(query).scalars())


def latest(db: Connection) -> datetime | None:
    """When a case was last written; None where there is none."""
    moment = db.execute(select(func.max(cases.c.updated_at))).scalar()
    return datetime.fromisoformat(moment) if moment else None


def _missing(served: Collection[str], version: int, after: Place) -> ColumnElement[bool]:
    derived = select(case_facts.c.case_id).where(
        case_facts.c.case_id == cases.c.id, case_facts.c.version == version
    )
    moment, case_id = after
    later = or_(cases.c.opened_at > moment, and_(cases.c.opened_at == moment, cases.c.id > case_id))
    return and_(
        later, cases.c.merged_into.is_(None), cases.c.business.in_(served), ~derived.exists()
    )


def missing(
    db: Connection, served: Collection[str], version: int, after: Place, most: int
) -> list[Place]:
    """Cases that have no facts of this version, the one opened first first.

    Args:
        db: A transaction.
        served: Businesses of the settings: of others nothing can be derived.
        version: Of the derivation.
        after: The last one seen: some cases have no facts for good, and are not seen again.
        most: How many at most.
    """
    query = select(cases.c.opened_at, cases.c.id).where(_missing(served, version, after))
    rows = db.execute(query.order_by(cases.c.opened_at, cases.c.id).limit(most))
    return [(row.opened_at, row.id) for row in rows]


def how_many_missing(db: Connection, served: Collection[str], version: int, after: Place) -> int:
    """How many cases after one of them have no facts of this version."""
    query = select(func.count()).select_from(cases).where(_missing(served, version, after))
    return int(db.execute(query).scalar_one())
