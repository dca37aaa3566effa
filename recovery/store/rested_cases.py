"""Cases that have come to rest and have no follow-up yet: closed, or agreed with all of it done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from recovery.follow_up.deciding import CANCELLED
from recovery.store.database import stamp
from recovery.store.follow_ups import ANEW, UNDONE
from recovery.store.promises import DONE, GIVEN_UP, OPEN
from recovery.store.tables import cases, conversations, follow_ups, fulfilments, promises

_MOST_AT_ONCE = 200
_UNKEPT = (*OPEN, GIVEN_UP)
# One whose conversations are all about something else by now has nowhere to be asked about.
_SPOKEN = exists().where(conversations.c.case_id == cases.c.id)


@dataclass(frozen=True)
class Rested:
    """A case that has come to rest and has no follow-up of it yet.

    Attributes:
        ended_at: When it was closed, as stored; None where it stands agreed with all done.
    """

    case_id: str
    customer_id: str
    ended_at: str | None


def rested_since(db: Connection, businesses: Sequence[str], since: datetime) -> list[Rested]:
    """Cases that have come to rest since a moment and are not planned for.

    Closed ones, and agreed ones of which every remedy is done. One that was not asked because it
    was opened again, or because the customer wrote, is there again when it is closed after that.

    Args:
        db: A transaction.
        businesses: Whose.
        since: How far back is looked.
    """
    anew = and_(
        follow_ups.c.state == CANCELLED,
        follow_ups.c.why.in_(ANEW),
        follow_ups.c.asked_at.is_(None),
        cases.c.closed_at > follow_ups.c.updated_at,
    )
    closed = (
        select(cases.c.id, cases.c.customer_id, cases.c.closed_at)
        .outerjoin(follow_ups, follow_ups.c.case_id == cases.c.id)
        .where(
            cases.c.closed_at >= stamp(since),
            cases.c.business.in_(businesses),
            cases.c.merged_into.is_(None),
            or_(follow_ups.c.id.is_(None), anew),
            _SPOKEN,
        )
        .order_by(cases.c.closed_at)
        .limit(_MOST_AT_ONCE)
    )
    found = [Rested(*row) for row in db.execute(closed)]
    done = {row.id: row.customer_id for row in db.execute(_all_done(businesses, since))}
    done |= {row.id: row.customer_id for row in db.execute(_all_kept(businesses, since))}
    return found + [Rested(case_id, customer, None) for case_id, customer in done.items()]


def _all_done(businesses: Sequence[str], since: datetime) -> Select[Any]:
    """Agreed cases of which the order system has done all, and others have nothing in hand."""
    done = select(fulfilments.c.case_id).where(
        fulfilments.c.state == "done", fulfilments.c.due_at >= stamp(since)
    )
    # The few of late first: nobody looks through all cases every few seconds.
    return _agreed(businesses).where(cases.c.id.in_(done))


def _all_kept(businesses: Sequence[str], since: datetime) -> Select[Any]:
    """The same where others had something in hand, days after the order system was asked."""
    kept = select(promises.c.case_id).where(
        promises.c.stage == DONE, promises.c.updated_at >= stamp(since)
    )
    return _agreed(businesses).where(cases.c.id.in_(kept))


def _agreed(businesses: Sequence[str]) -> Select[Any]:
    other, waits = fulfilments.alias(), promises.alias()
    undone = exists().where(other.c.case_id == cases.c.id, other.c.state.in_(UNDONE))
    waited = exists().where(waits.c.case_id == cases.c.id, waits.c.stage.in_(_UNKEPT))
    return (
        select(cases.c.id, cases.c.customer_id)
        .outerjoin(follow_ups, follow_ups.c.case_id == cases.c.id)
        .where(
            cases.c.business.in_(businesses),
            cases.c.stage == "agreed",
            cases.c.merged_into.is_(None),
            follow_ups.c.id.is_(None),
            _SPOKEN,
            ~undone,
            ~waited,
        )
        .limit(_MOST_AT_ONCE)
    )
