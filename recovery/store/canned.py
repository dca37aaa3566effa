"""Canned replies: ready words with variables, by industry and anger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from recovery.coach.canned import CannedText
from recovery.store.database import stamp
from recovery.store.tables import canned_replies


@dataclass(frozen=True)
class Canned:
    """One canned reply; `business` None: of all businesses."""

    id: int
    business: str | None
    industry: str | None
    anger_least: int
    anger_most: int
    title: str
    text: str
    shortcut: str | None
    uses: int

    def fits(self, industry: str, anger: int) -> bool:
        """Whether it may be said in a case of this industry and anger."""
        return self.industry in (None, industry) and self.anger_least <= anger <= self.anger_most

    @property
    def shown(self) -> dict[str, Any]:
        """What staff's pages are told."""
        return dict(vars(self))


_COLUMNS = tuple(canned_replies.c[name] for name in Canned.__dataclass_fields__)


def of_business(db: Connection, business: str | None) -> list[Canned]:
    """The replies of a business and the common ones.

    Args:
        db: A transaction.
        business: None for those of all businesses.
    """
    query = select(*_COLUMNS).order_by(canned_replies.c.id)
    if business is not None:
        query = query.where(
            or_(canned_replies.c.business == business, canned_replies.c.business.is_(None))
        )
    return [Canned(*row) for row in db.execute(query)]


def load(db: Connection, canned_id: int) -> Canned | None:
    """Read a reply."""
    row = db.execute(select(*_COLUMNS).where(canned_replies.c.id == canned_id)).first()
    return Canned(*row) if row else None


def add(db: Connection, business: str | None, given: CannedText, by: int, now: datetime) -> Canned:
    """Keep a new reply.

    Args:
        db: A writing transaction.
        business: Whose; None for all.
        given: Checked.
        by: Id of the member of staff.
        now: The present moment.
    """
    values = {"business": business, **vars(given), "updated_by": by, "updated_at": stamp(now)}
    statement = insert(canned_replies).values(**values).returning(canned_replies.c.id)
    number = db.execute(statement).scalar_one()
    return Canned(id=number, business=business, uses=0, **vars(given))


def change(db: Connection, canned_id: int, given: CannedText, by: int, now: datetime) -> None:
    """Change a reply."""
    db.execute(
        update(canned_replies)
        .where(canned_replies.c.id == canned_id)
        .values(**vars(given), updated_by=by, updated_at=stamp(now))
    )


def remove(db: Connection, canned_id: int) -> None:
    """Take a reply away."""
    db.execute(delete(canned_replies).where(canned_replies.c.id == canned_id))


def count_use(db: Connection, canned_id: int) -> None:
    """Count that a reply was used, so that the useful ones come first."""
    db.execute(
        update(canned_replies)
        .where(canned_replies.c.id == canned_id)
        .values(uses=canned_replies.c.uses + 1)
    )
