"""What was promised until when, one row a remedy: its stage, and what its customer was told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import cases, fulfilments, promises

ACCEPTED, SENT_ON, DONE, LATE, GIVEN_UP = "accepted", "sent_on", "done", "late", "given_up"
OPEN = (ACCEPTED, SENT_ON, LATE)
"""Stages in which something is still to be done."""


@dataclass(frozen=True)
class Promise:
    """One remedy with its time. Fields as in the table.

    Attributes:
        stage: `accepted`, `sent_on` (others do it), `done`, `late` (told so, with a new time) or
            `given_up` (a person has it).
        due_at: By when it is to be done, as the customer knows it.
        look_at: When the watch looks at it next; None: it has ended, or a person sees to it.
        told: When the customer was told of each stage.
        times_late: How often the customer was told that it takes longer.
        extra_offer: Id of the decision by which something was added for that.
    """

    key: str
    case_id: str
    conversation_id: str
    business: str
    stage: str
    promised_at: str
    due_at: str
    look_at: str | None
    told: Mapping[str, str]
    times_late: int = 0
    extra_offer: str | None = None

    @property
    def promised(self) -> datetime:
        """When it was promised."""
        return datetime.fromisoformat(self.promised_at)

    @property
    def due(self) -> datetime:
        """By when it is to be done."""
        return datetime.fromisoformat(self.due_at)

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self.stage in OPEN


_COLUMNS = tuple(promises.c[name] for name in Promise.__dataclass_fields__)


@dataclass(frozen=True)
class Unwatched:
    """A remedy on its way that has no promise yet: of before this was kept, or from elsewhere."""

    key: str
    case_id: str
    conversation_id: str
    business: str
    remedy: dict[str, Any]
    created_at: str


def begin(
    db: Connection,
    key: str,
    case_id: str,
    conversation_id: str,
    business: str,
    promised_at: datetime,
    due_at: datetime,
    look_at: datetime | None = None,
) -> bool:
    """Write a promise down; the acceptance itself is what the customer was told of it.

    Args:
        db: A writing transaction.
        key: Of the remedy, see `recovery.store.fulfilments`.
        case_id: What it belongs to.
        conversation_id: Where its customer is told.
        business: Whose.
        promised_at: The present moment, or when it was accepted.
        due_at: By when it is to be done.
        look_at: When it is looked at; None: as soon as it is due.

    Returns:
        False where it was written down before.
    """
    if db.execute(select(promises.c.key).where(promises.c.key == key)).first():
        return False
    one = Begun(key, promised_at, due_at, look_at or due_at)
    begin_all(db, case_id, conversation_id, business, [one])
    return True


@dataclass(frozen=True)
class Begun:
    """A new promise; see `begin`."""

    key: str
    promised_at: datetime
    due_at: datetime
    look_at: datetime


def begin_all(
    db: Connection, case_id: str, conversation_id: str, business: str, new: Sequence[Begun]
) -> None:
    """Write down promises that are surely new, in one statement: others may wait for it."""
    if not new:
        return
    rows = [
        {
            "key": one.key,
            "case_id": case_id,
            "conversation_id": conversation_id,
            "business": business,
            "stage": ACCEPTED,
            "promised_at": stamp(one.promised_at),
            "due_at": stamp(one.due_at),
            "look_at": stamp(one.look_at),
            "told": {ACCEPTED: stamp(one.promised_at)},
            "times_late": 0,
            "updated_at": stamp(one.promised_at),
        }
        for one in new
    ]
    db.execute(insert(promises), rows)


def load(db: Connection, key: str) -> Promise | None:
    """Read a promise by the key of its remedy."""
    row = db.execute(select(*_COLUMNS).where(promises.c.key == key)).first()
    return Promise(*row) if row else None


def of_case(db: Connection, case_id: str) -> dict[str, Promise]:
    """All promises of a case, by key."""
    rows = db.execute(
        select(*_COLUMNS).where(promises.c.case_id == case_id).order_by(promises.c.key)
    )
    return {row.key: Promise(*row) for row in rows}


def open_of_case(db: Connection, case_id: str) -> bool:
    """Whether anything promised in a case is still to be done, or a person has to see to it."""
    waits = promises.c.stage.in_((*OPEN, GIVEN_UP))
    asked = select(promises.c.key).where(promises.c.case_id == case_id, waits)
    return db.execute(asked.limit(1)).first() is not None


def to_look_at(
    db: Connection, businesses: Collection[str], now: datetime, most: int = 50
) -> list[str]:
    """Conversations with promises that have to be looked at, the longest due first."""
    first = func.min(promises.c.look_at)
    rows = db.execute(
        select(promises.c.conversation_id)
        .where(promises.c.look_at <= stamp(now), promises.c.business.in_(list(businesses)))
        .group_by(promises.c.conversation_id)
        .order_by(first, promises.c.conversation_id)
        .limit(most)
    )
    return [row.conversation_id for row in rows]


def watched(db: Connection, conversation_id: str, until: datetime) -> list[Promise]:
    """Open promises of a conversation that are to be looked at until a moment, soonest first."""
    rows = db.execute(
        select(*_COLUMNS)
        .where(
            promises.c.conversation_id == conversation_id,
            promises.c.look_at <= stamp(until),
            promises.c.stage.in_(OPEN),
        )
        .order_by(promises.c.due_at, promises.c.key)
    )
    return [Promise(*row) for row in rows]


def unwatched(db: Connection, businesses: Collection[str], most: int = 50) -> list[Unwatched]:
    """Remedies on their way without a promise, oldest first."""
    rows = db.execute(
        select(
            fulfilments.c.key,
            fulfilments.c.case_id,
            fulfilments.c.conversation_id,
            fulfilments.c.business,
            fulfilments.c.remedy,
            fulfilments.c.created_at,
        )
        .outerjoin(promises, promises.c.key == fulfilments.c.key)
        .where(
            fulfilments.c.state == "todo",
            fulfilments.c.business.in_(list(businesses)),
            promises.c.key.is_(None),
        )
        .order_by(fulfilments.c.created_at, fulfilments.c.key)
        .limit(most)
    )
    return [Unwatched(*row) for row in rows]


def change(
    db: Connection,
    one: Promise,
    stage: str,
    now: datetime,
    *,
    due: datetime | None = None,
    look: datetime | None,
    tell: str | None = None,
    late: int = 0,
    extra: str | None = None,
) -> bool:
    """Write down that a promise has come to another stage.

    Args:
        db: A writing transaction.
        one: As it was read.
        stage: The new one.
        now: The present moment.
        due: The new time, None where it stands.
        look: When it is looked at next, None for never.
        tell: Of which stage the customer is told in the same transaction.
        late: How many times more the customer is told that it takes longer.
        extra: What is added for that: id of the decision.

    Returns:
        Whether it was still as it was read; False where somebody else was faster.
    """
    values: dict[str, Any] = {
        "stage": stage,
        "look_at": stamp(look) if look else None,
        "updated_at": stamp(now),
    }
    if due is not None:
        values["due_at"] = stamp(due)
    if tell is not None:
        values["told"] = {**one.told, tell: stamp(now)}
    if late:
        values["times_late"] = one.times_late + late
    if extra is not None:
        values["extra_offer"] = extra
    changed = db.execute(
        update(promises)
        .where(
            promises.c.key == one.key,
            promises.c.stage == one.stage,
            promises.c.times_late == one.times_late,
            promises.c.due_at == one.due_at,
        )
        .values(**values)
    ).rowcount
    return bool(changed)


def defer(db: Connection, keys: Sequence[str], look: datetime, now: datetime) -> None:
    """Look at some promises later, since nobody is spoken to now."""
    db.execute(
        update(promises)
        .where(promises.c.key.in_(list(keys)))
        .values(look_at=stamp(look), updated_at=stamp(now))
    )


def leave(db: Connection, conversation_id: str, look: datetime, now: datetime) -> None:
    """Look later at all that is due in a conversation."""
    db.execute(
        update(promises)
        .where(promises.c.conversation_id == conversation_id, promises.c.look_at <= stamp(now))
        .values(look_at=stamp(look), updated_at=stamp(now))
    )


def is_merged(db: Connection, case_id: str) -> bool:
    """Whether a case goes on in another one."""
    asked = select(cases.c.merged_into).where(cases.c.id == case_id)
    return db.execute(asked).scalar() is not None
