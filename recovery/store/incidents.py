"""Incidents: one cause, the customers whom it concerns, what they were told and offered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, update

from recovery.ids import new_id
from recovery.store.database import hold, stamp
from recovery.store.tables import incident_members, incidents

PROPOSED, SINGLE, OPEN, CLOSED, DISMISSED = "proposed", "single", "open", "closed", "dismissed"
STATES = (PROPOSED, SINGLE, OPEN, CLOSED, DISMISSED)
LIVING = (PROPOSED, SINGLE, OPEN)

WAITING, TOLD, JOINED, LEFT, UNREACHABLE = "waiting", "told", "joined", "left", "unreachable"
IN = (WAITING, TOLD, JOINED, UNREACHABLE)
"""States of those who belong to an incident; the others have left, or are only proposed."""


@dataclass(frozen=True)
class Incident:
    """One incident. Fields as in the table."""

    id: str
    business: str
    industry: str
    failure: str
    title: str
    place: str | None
    rule: str | None
    urgent: bool
    source: str
    key: str | None
    state: str
    told: str | None
    remedies: dict[str, Any] | None
    opened_by: str
    opened_at: str
    closed_by: str | None
    closed_at: str | None
    updated_at: str


@dataclass(frozen=True)
class Member:
    """One whom an incident concerns. Fields as in the table."""

    id: int
    incident_id: str
    order_number: str
    order_customer: str | None
    identity: str | None
    event_id: str | None
    customer_id: str | None
    case_id: str | None
    conversation_id: str | None
    state: str
    due_at: str | None
    attempts: int
    offer_id: str | None
    differs: list[str] | None
    why: str | None
    told_at: str | None
    added_by: str
    added_at: str


_INCIDENT = tuple(incidents.c[name] for name in Incident.__dataclass_fields__)
_MEMBER = tuple(incident_members.c[name] for name in Member.__dataclass_fields__)


def _one(row: Row[Any] | None) -> Incident | None:
    return Incident(**row._mapping) if row else None


def begin(
    db: Connection,
    business: str,
    industry: str,
    failure: str,
    title: str,
    now: datetime,
    *,
    source: str,
    state: str,
    opened_by: str,
    key: str | None = None,
    place: str | None = None,
    rule: str | None = None,
    urgent: bool = False,
    id_: str | None = None,
) -> Incident:
    """Open an incident; whoever has a key has looked for it and holds it (`hold_key`)."""
    incident = Incident(
        id=id_ or new_id("i"),
        business=business,
        industry=industry,
        failure=failure,
        title=title[:80],
        place=place,
        rule=rule,
        urgent=urgent,
        source=source,
        key=key,
        state=state,
        told=None,
        remedies=None,
        opened_by=opened_by,
        opened_at=stamp(now),
        closed_by=None,
        closed_at=None,
        updated_at=stamp(now),
    )
    db.execute(insert(incidents).values(**vars(incident)))
    return incident


def hold_key(db: Connection, business: str, key: str) -> None:
    """Keep others from opening the same incident until the transaction ends."""
    hold(db, f"incident {business} {key}")


def load(db: Connection, incident_id: str, *, lock: bool = False) -> Incident | None:
    """Read an incident; with `lock` others are kept from it until the transaction ends."""
    query = select(*_INCIDENT).where(incidents.c.id == incident_id)
    return _one(db.execute(query.with_for_update() if lock else query).first())


def of_key(db: Connection, business: str, key: str) -> Incident | None:
    """The incident of a key."""
    query = select(*_INCIDENT).where(incidents.c.business == business, incidents.c.key == key)
    return _one(db.execute(query).first())


def lately_of_key(db: Connection, business: str, key: str, since: datetime) -> Incident | None:
    """The latest incident whose key is this and a day: one that lives, or opened since a moment."""
    query = (
        select(*_INCIDENT)
        .where(
            incidents.c.business == business,
            incidents.c.key.startswith(f"{key}|", autoescape=True),
            or_(incidents.c.state.in_(LIVING), incidents.c.opened_at >= stamp(since)),
        )
        .order_by(incidents.c.opened_at.desc())
        .limit(1)
    )
    return _one(db.execute(query).first())


def listed(
    db: Connection, business: str | None, states: tuple[str, ...], most: int = 200
) -> list[tuple[Incident, dict[str, int]]]:
    """Incidents, the latest first, with how many customers stand in each state.

    Args:
        db: A transaction.
        business: Only of this one; None: of all.
        states: In these.
        most: How many at most.
    """
    query = select(*_INCIDENT).where(incidents.c.state.in_(states))
    if business is not None:
        query = query.where(incidents.c.business == business)
    query = query.order_by(incidents.c.updated_at.desc(), incidents.c.id).limit(most)
    found = [Incident(**row._mapping) for row in db.execute(query)]
    counted: dict[str, dict[str, int]] = {one.id: {} for one in found}
    counts = (
        select(incident_members.c.incident_id, incident_members.c.state, func.count())
        .where(incident_members.c.incident_id.in_(list(counted)))
        .group_by(incident_members.c.incident_id, incident_members.c.state)
    )
    for incident_id, state, number in db.execute(counts):
        counted[incident_id][state] = number
    return [(one, counted[one.id]) for one in found]


def change(db: Connection, incident_id: str, now: datetime, **values: object) -> None:
    """Write some fields of an incident."""
    db.execute(
        update(incidents)
        .where(incidents.c.id == incident_id)
        .values(updated_at=stamp(now), **values)
    )


# --- members ----------------------------------------------------------------------------------


def add_member(
    db: Connection,
    incident_id: str,
    state: str,
    by: str,
    now: datetime,
    **values: Any,  # noqa: ANN401 - columns
) -> int:
    """Add somebody, who is not in it yet; gives the number."""
    row = {"incident_id": incident_id, "state": state, "added_by": by, "added_at": stamp(now)}
    made = db.execute(
        insert(incident_members).values(**row, **values).returning(incident_members.c.id)
    )
    return int(made.scalar_one())


def members(db: Connection, incident_id: str) -> list[Member]:
    """All whom an incident concerns or concerned, in the order in which they came."""
    query = _members().where(incident_members.c.incident_id == incident_id)
    return _read(db, query.order_by(incident_members.c.id))


def member(db: Connection, member_id: int, *, lock: bool = False) -> Member | None:
    """One of them; with `lock` None also where somebody else has it under their hands."""
    query = _members().where(incident_members.c.id == member_id)
    if lock:
        query = query.with_for_update(skip_locked=True)
    return next(iter(_read(db, query)), None)


def of_case(db: Connection, case_id: str) -> list[tuple[Incident, Member]]:
    """The incidents that a case belongs to, or is proposed for, the latest first."""
    query = _members().where(
        incident_members.c.case_id == case_id, incident_members.c.state != LEFT
    )
    found = []
    for one in _read(db, query.order_by(incident_members.c.id.desc())):
        incident = load(db, one.incident_id)
        if incident is not None and incident.state != DISMISSED:
            found.append((incident, one))
    return found


def in_an_incident(db: Connection, cases: list[str]) -> set[str]:
    """Which of these cases belong to an incident of several, are proposed for it, or left it."""
    query = (
        select(incident_members.c.case_id)
        .join(incidents, incidents.c.id == incident_members.c.incident_id)
        .where(incident_members.c.case_id.in_(cases), incidents.c.state != SINGLE)
    )
    return {str(one) for one in db.execute(query).scalars()}


def in_any(db: Connection, cases: list[str]) -> set[tuple[str, str]]:
    """Incident and case of all that these cases belong to, are proposed for, or have left."""
    query = select(incident_members.c.incident_id, incident_members.c.case_id).where(
        incident_members.c.case_id.in_(cases)
    )
    return {(row.incident_id, row.case_id) for row in db.execute(query)}


def due(db: Connection, now: datetime, most: int = 50) -> list[int]:
    """Members who are to be written to now, who waits longest first."""
    query = (
        select(incident_members.c.id)
        .where(incident_members.c.due_at <= stamp(now), incident_members.c.state == WAITING)
        .order_by(incident_members.c.due_at, incident_members.c.id)
        .limit(most)
    )
    return list(db.execute(query).scalars())


def settle_member(db: Connection, member_id: int, **values: object) -> None:
    """Write some fields of a member."""
    db.execute(update(incident_members).where(incident_members.c.id == member_id).values(**values))


def put_off(db: Connection, member_id: int, until: datetime) -> None:
    """Write to a member later, without counting a try."""
    settle_member(db, member_id, due_at=stamp(until))


def give_up(db: Connection, member_id: int, why: str) -> None:
    """Leave a member to people: nobody could be written to."""
    settle_member(db, member_id, state=UNREACHABLE, due_at=None, why=why[:120])


def postpone_member(db: Connection, one: Member, wait: timedelta, now: datetime, why: str) -> None:
    """Try a member again later; another worker's try of the same counts once."""
    db.execute(
        update(incident_members)
        .where(
            incident_members.c.id == one.id,
            incident_members.c.state == WAITING,
            incident_members.c.attempts == one.attempts,
        )
        .values(attempts=one.attempts + 1, due_at=stamp(now + wait), why=why[:120])
    )


def _members() -> Select[Any]:
    return select(*_MEMBER)


def _read(db: Connection, query: Select[Any]) -> list[Member]:
    return [Member(**row._mapping) for row in db.execute(query)]
