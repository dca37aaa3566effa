"""Which cases have changed, so that their facts are derived again.

Nothing has to be told of a change: it is found where it was written, by its time.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

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


def _missing(version: int) -> ColumnElement[bool]:
    derived = select(case_facts.c.case_id).where(
        case_facts.c.case_id == cases.c.id, case_facts.c.version == version
    )
    return cases.c.merged_into.is_(None) & ~derived.exists()


def missing(db: Connection, served: Collection[str], version: int, most: int) -> list[str]:
    """Ids of cases that have no facts of this version, the one opened first first.

    Args:
        db: A transaction.
        served: Businesses of the settings: of others nothing can be derived.
        version: Of the derivation.
        most: How many at most.
    """
    query = select(cases.c.id).where(_missing(version), cases.c.business.in_(served))
    return list(db.execute(query.order_by(cases.c.opened_at).limit(most)).scalars())


def how_many_missing(db: Connection, served: Collection[str], version: int) -> int:
    """How many cases have no facts of this version."""
    query = select(func.count()).select_from(cases)
    return int(
        db.execute(query.where(_missing(version), cases.c.business.in_(served))).scalar_one()
    )
