"""Who of staff is there: what they have chosen, and when their pages last gave a sign of life."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from recovery.queue.people import AWAY, OFFLINE, ONLINE, Colleague
from recovery.roles import ROLES, Act, may
from recovery.store.conversations import STAFF, owner_id
from recovery.store.database import stamp
from recovery.store.tables import conversations, staff

# A page that is closed and opened again is not gone.
GONE_AFTER = timedelta(seconds=60)
_WRITTEN_EVERY = timedelta(seconds=20)


def choose(db: Connection, staff_id: int, presence: str) -> bool:
    """Set the presence of a member of staff; gives whether it has changed."""
    return bool(
        db.execute(
            update(staff)
            .where(staff.c.id == staff_id, staff.c.presence != presence)
            .values(presence=presence)
        ).rowcount
    )


def step_away(db: Connection, staff_id: int) -> bool:
    """Set who does not answer to away; gives whether it has changed.

    Who is busy or offline is not asked to come back.
    """
    return bool(
        db.execute(
            update(staff)
            .where(staff.c.id == staff_id, staff.c.presence == ONLINE)
            .values(presence=AWAY)
        ).rowcount
    )


def of(db: Connection, staff_id: int) -> str:
    """What a member of staff has chosen."""
    chosen = db.execute(select(staff.c.presence).where(staff.c.id == staff_id)).scalar()
    return chosen or OFFLINE


def sign_of_life(db: Connection, staff_id: int, now: datetime) -> None:
    """Remember that a page of a member of staff is open; written at most every 20 seconds."""
    late = or_(staff.c.seen_at.is_(None), staff.c.seen_at < stamp(now - _WRITTEN_EVERY))
    db.execute(update(staff).where(staff.c.id == staff_id, late).values(seen_at=stamp(now)))


def colleagues(db: Connection, business: str | None, now: datetime) -> list[Colleague]:
    """All who handle conversations of a business, by name.

    Args:
        db: A transaction.
        business: Whose; None for those of all businesses.
        now: The present moment.
    """
    query = (
        select(
            staff.c.id,
            staff.c.name,
            staff.c.role,
            staff.c.business,
            staff.c.presence,
            staff.c.skills,
            staff.c.capacity,
            staff.c.seen_at,
        )
        .where(
            staff.c.role.in_([role for role in ROLES if may(role, Act.HANDLE)]),
            staff.c.disabled_at.is_(None),
        )
        .order_by(staff.c.name, staff.c.id)
    )
    if business is not None:
        query = query.where(or_(staff.c.business == business, staff.c.business.is_(None)))
    load, latest = _loads(db)
    alive_since = stamp(now - GONE_AFTER)
    return [
        Colleague(
            id=row.id,
            name=row.name,
            role=row.role,
            business=row.business,
            presence=row.presence if (row.seen_at or "") > alive_since else OFFLINE,
            chosen=row.presence,
            skills=tuple(row.skills or ()),
            capacity=row.capacity,
            open=load[row.id],
            assigned_at=latest.get(row.id, ""),
        )
        for row in db.execute(query)
    ]


def _loads(db: Connection) -> tuple[Counter[int], dict[int, str]]:
    load: Counter[int] = Counter()
    latest: dict[int, str] = {}
    query = (
        select(
            conversations.c.owner,
            func.count().filter(conversations.c.snoozed_until.is_(None)).label("open"),
            func.max(conversations.c.owner_since).label("latest"),
        )
        .where(conversations.c.owner.like(f"{STAFF}%"))
        .group_by(conversations.c.owner)
    )
    for row in db.execute(query):
        agent = owner_id(row.owner)
        if agent is not None:
            load[agent], latest[agent] = row.open, row.latest or ""
    return load, latest
