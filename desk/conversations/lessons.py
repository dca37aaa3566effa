"""What is learned from a case at its end: why it came about, and what is done about that."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from recovery.business import Business
from recovery.case import Case
from recovery.privacy import mask
from recovery.store import causes
from recovery.store.staff import Staff

LONGEST_NAME = 40
"""Of who does something, as the database keeps it."""


@dataclass(frozen=True)
class Lesson:
    """As a member of staff says it.

    Attributes:
        cause: One of `recovery.insights.causes`.
        action: What is done so that it does not happen again; clean, may be empty.
        by: Who does it.
        due: Until when.
    """

    cause: str
    action: str = ""
    by: str = ""
    due: date | None = None


def learn(
    db: Connection, business: Business, case: Case, who: Staff, lesson: Lesson, now: datetime
) -> None:
    """Write a lesson down.

    Colleagues who never saw the customer read it: what is personal in it is hidden for good.

    Args:
        db: A writing transaction.
        business: Whose case it is.
        case: From which it is learned.
        who: Who says so.
        lesson: What they say.
        now: The present moment.
    """
    likely = causes.propose(case, business.industry)
    causes.confirm(
        db,
        case.id,
        lesson.cause,
        who.id,
        now,
        proposed=likely[0] if likely else "",
        action=mask(lesson.action).text or None,
        action_by=mask(lesson.by).text[:LONGEST_NAME] or None,
        action_due=lesson.due,
    )
