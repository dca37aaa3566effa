"""Why a case came about: proposed from its failure, confirmed by staff, and what is done about it.

A proposal is not stored: it follows from the failure. A row stands once staff have said something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select, update

from recovery.case import Case
from recovery.insights.causes import causes, likely
from recovery.store.case_facts import insert_or_change
from recovery.store.database import stamp
from recovery.store.tables import case_causes, cases

_MOST_ACTIONS = 200


class UnknownCauseError(ValueError):
    """A cause that the table of causes does not have."""


@dataclass(frozen=True)
class Said:
    """What staff have said about the cause of a case. Fields as in the table."""

    case_id: str
    proposed: str
    confirmed: str | None
    action: str | None
    action_by: str | None
    action_due: str | None
    action_done_at: str | None
    by: int | None
    at: str


@dataclass(frozen=True)
class Action:
    """Something that is done so that a failure does not happen again."""

    case_id: str
    business: str
    cause: str
    action: str
    by: str
    due: str | None
    done_at: str | None


_COLUMNS = tuple(case_causes.c[name] for name in Said.__dataclass_fields__)


def propose(case: Case, industry: str) -> tuple[str, ...]:
    """The likely causes of a case, the likeliest first; none where its failure is not known."""
    return likely(case.failure or "", industry)


def of_case(db: Connection, case_id: str) -> Said | None:
    """What staff have said about the cause of a case; None: nothing yet."""
    row = db.execute(select(*_COLUMNS).where(case_causes.c.case_id == case_id)).first()
    return Said(*row) if row else None


def confirm(
    db: Connection,
    case_id: str,
    cause: str | None,
    by: int,
    now: datetime,
    *,
    proposed: str = "",
    action: str | None = None,
    action_by: str | None = None,
    action_due: date | None = None,
) -> None:
    """Write down what staff say about the cause of a case; said again it replaces what stood.

    Args:
        db: A writing transaction.
        case_id: Which case.
        cause: One of `recovery.insights.causes`; None: not known.
        by: Who says so.
        now: The present moment.
        proposed: What had been proposed.
        action: What is done so that it does not happen again.
        action_by: Who does it.
        action_due: Until when.

    Raises:
        UnknownCauseError: There is no such cause.
    """
    if cause is not None and cause not in causes():
        raise UnknownCauseError(cause)
    known = of_case(db, case_id)
    done = known.action_done_at if known and known.action == action else None
    values = {
        "proposed": proposed,
        "confirmed": cause,
        "action": action,
        "action_by": action_by if action else None,
        "action_due": action_due.isoformat() if action and action_due else None,
        "action_done_at": done,
        "by": by,
        "at": stamp(now),
    }
    put = insert_or_change(db, case_causes).values(case_id=case_id, **values)
    db.execute(put.on_conflict_do_update(index_elements=["case_id"], set_=values))


def done(db: Connection, case_id: str, now: datetime) -> bool:
    """Note that the action of a case is done; False where there is none, or it was done before."""
    undone = case_causes.c.action.is_not(None) & case_causes.c.action_done_at.is_(None)
    changed = update(case_causes).where(case_causes.c.case_id == case_id, undone)
    return bool(db.execute(changed.values(action_done_at=stamp(now), at=stamp(now))).rowcount)


def list_actions(db: Connection, businesses: Sequence[str], since: str, until: str) -> list[Action]:
    """Actions of some businesses: what is not done, and of the rest what was said in a period.

    Args:
        db: A transaction.
        businesses: Whose.
        since: First moment, as stored.
        until: Last moment, as stored.

    Returns:
        What is not done first, the earliest due first; not more than a page shows.
    """
    table = case_causes.c
    query = (
        select(
            table.case_id,
            cases.c.business,
            table.confirmed,
            table.proposed,
            table.action,
            table.action_by,
            table.action_due,
            table.action_done_at,
        )
        .join(cases, cases.c.id == table.case_id)
        .where(
            table.action.is_not(None),
            cases.c.business.in_(businesses),
            cases.c.merged_into.is_(None),
            table.action_done_at.is_(None) | table.at.between(since, until),
        )
        .order_by(
            table.action_done_at.is_not(None),
            table.action_due.is_(None),
            table.action_due,
            table.at,
        )
        .limit(_MOST_ACTIONS)
    )
    return [
        Action(
            row.case_id,
            row.business,
            row.confirmed or row.proposed,
            row.action,
            row.action_by or "",
            row.action_due,
            row.action_done_at,
        )
        for row in db.execute(query)
    ]
