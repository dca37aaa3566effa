"""What the desk tells one member of staff: mentioned, whispered to, handed a case, decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, insert, or_, select, update

from recovery.roles import ROLES, Act, may
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import conversations, notices, staff

MOST_SHOWN = 50
_LONGEST = 500


@dataclass(frozen=True)
class Notice:
    """One notice to one member of staff. Fields as in the table."""

    id: int
    staff_id: int
    kind: str
    conversation_id: str | None
    text: str
    at: str
    read_at: str | None

    @property
    def shown(self) -> dict[str, Any]:
        """What the page of its reader is told."""
        return {
            "id": self.id,
            "kind": self.kind,
            "conversation": self.conversation_id,
            "text": self.text,
            "at": self.at,
            "read_at": self.read_at,
        }


_COLUMNS = tuple(notices.c[name] for name in Notice.__dataclass_fields__)


def add(
    db: Connection,
    staff_ids: Iterable[int],
    kind: str,
    conversation_id: str | None,
    text: str,
    now: datetime,
) -> tuple[Notice, ...]:
    """Leave a notice for each of these members of staff.

    Args:
        db: A writing transaction.
        staff_ids: To whom, each once; they exist.
        kind: `mention`, `whisper`, `silent`, `transfer`, `step_in`, `request`, `decided`,
            `assigned`, `attention` (the customer needs a person at once), `clock`,
            `undelivered` (words did not reach the customer, or nobody knows), `follow_up`,
            `alert` (something rises) or `report` (of a week).
        conversation_id: What it is about; None for none.
        text: A Chinese sentence for its reader, without a customer's personal data.
        now: The present moment.

    Returns:
        The notices, for `Committed.notices`: open pages hear of them after the commit.
    """
    made = []
    for staff_id in dict.fromkeys(staff_ids):
        values = {
            "staff_id": staff_id,
            "kind": kind,
            "conversation_id": conversation_id,
            "text": text[:_LONGEST],
            "at": stamp(now),
            "read_at": None,
        }
        number = db.execute(insert(notices).values(**values).returning(notices.c.id)).scalar_one()
        made.append(
            Notice(number, staff_id, kind, conversation_id, text[:_LONGEST], stamp(now), None)
        )
    return tuple(made)


def overseers(db: Connection, business: str) -> list[int]:
    """Who looks after the members of staff of a business: its supervisors and managers.

    Those of an operator, who see all businesses, count as well; disabled accounts do not.
    """
    return _who_may(db, business, Act.OVERSEE)


def granters(db: Connection, business: str) -> list[int]:
    """Who decides in a business what is beyond the authority of colleagues."""
    return _who_may(db, business, Act.GRANT)


def readers(db: Connection, business: str) -> list[int]:
    """Who reads the conversations of a business, and so may be called in a note."""
    return _who_may(db, business, Act.READ)


def _who_may(db: Connection, business: str, act: Act) -> list[int]:
    roles = [role for role in ROLES if may(role, act)]
    query = select(staff.c.id).where(
        staff.c.role.in_(roles),
        or_(staff.c.business == business, staff.c.business.is_(None)),
        staff.c.disabled_at.is_(None),
    )
    return [int(row.id) for row in db.execute(query.order_by(staff.c.id))]


# What else than reading a notice is about. Who may not do it any more is not told of it either.
_ABOUT = {
    **dict.fromkeys(("whisper", "transfer", "assigned", "step_in", "decided"), Act.HANDLE),
    **dict.fromkeys(("silent", "clock", "undelivered", "follow_up"), Act.HANDLE),
    "request": Act.GRANT,
    **dict.fromkeys(("alert", "report"), Act.INSIGHTS),
}


def _readable(who: Staff) -> ColumnElement[bool]:
    """Of a member's notices those that the account, as it is now, may still read."""
    mine = notices.c.staff_id == who.id
    barred = [kind for kind, act in _ABOUT.items() if not may(who.role, act)]
    if not may(who.role, Act.READ):
        return mine & notices.c.conversation_id.is_(None) & notices.c.kind.not_in(barred)
    readable = mine & notices.c.kind.not_in(barred)
    if who.business is None:
        return readable
    seen = exists().where(
        conversations.c.id == notices.c.conversation_id,
        conversations.c.business == who.business,
    )
    return readable & or_(notices.c.conversation_id.is_(None), seen)


def latest(db: Connection, who: Staff) -> list[Notice]:
    """The latest notices of a member of staff, newest first."""
    query = select(*_COLUMNS).where(_readable(who)).order_by(notices.c.id.desc()).limit(MOST_SHOWN)
    return [Notice(*row) for row in db.execute(query)]


def unread(db: Connection, who: Staff) -> int:
    """How many notices a member of staff has not read."""
    query = select(func.count()).where(_readable(who), notices.c.read_at.is_(None))
    return db.execute(query).scalar_one()


def mark_read(db: Connection, staff_id: int, up_to: int, now: datetime) -> None:
    """Mark a member's notices read, up to the one of this id."""
    db.execute(
        update(notices)
        .where(notices.c.staff_id == staff_id, notices.c.id <= up_to, notices.c.read_at.is_(None))
        .values(read_at=stamp(now))
    )
