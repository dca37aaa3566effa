"""Surveys: one a case, opened by a secret of which only the hash is kept, answered once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from recovery.aftercare.survey import Answers
from recovery.ids import fingerprint, new_id
from recovery.store.database import stamp
from recovery.store.tables import customers, surveys


@dataclass(frozen=True)
class Survey:
    """One survey. Fields as in the table."""

    id: str
    business: str
    case_id: str
    customer_id: str
    sent_at: str
    expires_at: str
    answered_at: str | None
    expected: dict[str, int] | None
    perceived: dict[str, int] | None
    confirmed: int | None
    recommend: int | None
    words: str | None

    def state(self, now: datetime) -> str:
        """`open`, `done` or `expired`."""
        if self.answered_at is not None:
            return "done"
        return "open" if datetime.fromisoformat(self.expires_at) > now else "expired"

    @property
    def shown(self) -> dict[str, Any]:
        """What staff's pages are told."""
        names = ("sent_at", "answered_at", "expected", "perceived", "confirmed", "recommend")
        return {**{name: getattr(self, name) for name in names}, "words": self.words or ""}


_COLUMNS = tuple(surveys.c[name] for name in Survey.__dataclass_fields__)


def send(
    db: Connection,
    secret: str,
    business: str,
    case_id: str,
    customer_id: str,
    now: datetime,
    expires: datetime,
) -> Survey | None:
    """Write down that a survey is sent.

    Args:
        db: A writing transaction that holds the conversation of the case.
        secret: Opens it; only its hash is stored.
        business: Whose.
        case_id: About which case.
        customer_id: To whom.
        now: The present moment.
        expires: Until when it can be answered.

    Returns:
        None where one was sent for this case before.
    """
    if of_case(db, case_id) is not None:
        return None
    survey_id = new_id("v")
    db.execute(
        insert(surveys).values(
            id=survey_id,
            token_hash=fingerprint(secret),
            business=business,
            case_id=case_id,
            customer_id=customer_id,
            sent_at=stamp(now),
            expires_at=stamp(expires),
        )
    )
    return of_case(db, case_id)


def of_case(db: Connection, case_id: str) -> Survey | None:
    """The survey of a case."""
    row = db.execute(select(*_COLUMNS).where(surveys.c.case_id == case_id)).first()
    return Survey(*row) if row else None


def sent_since(db: Connection, business: str, person: str, since: datetime) -> bool:
    """Whether a person was sent a survey since a moment, under whichever customer."""
    query = (
        select(surveys.c.id)
        .join(customers, customers.c.id == surveys.c.customer_id)
        .where(
            surveys.c.business == business,
            surveys.c.sent_at > stamp(since),
            customers.c.person == person,
        )
    )
    return db.execute(query.limit(1)).first() is not None


def by_secret(db: Connection, secret: str) -> Survey | None:
    """The survey that a secret opens."""
    row = db.execute(select(*_COLUMNS).where(surveys.c.token_hash == fingerprint(secret))).first()
    return Survey(*row) if row else None


def answer(db: Connection, survey_id: str, answers: Answers, now: datetime) -> bool:
    """Keep the answers; returns False where it was answered before, and keeps nothing."""
    changed = db.execute(
        update(surveys)
        .where(surveys.c.id == survey_id, surveys.c.answered_at.is_(None))
        .values(**vars(answers), answered_at=stamp(now))
    ).rowcount
    return bool(changed)
