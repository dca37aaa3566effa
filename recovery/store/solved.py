"""Cases that are solved, as far as is known: what comes after the remedy is looked for here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    false,
    func,
    not_,
    null,
    or_,
    select,
)

from recovery.store.database import stamp
from recovery.store.tables import (
    cases,
    conversations,
    customers,
    follow_ups,
    fulfilments,
    gestures,
    promises,
    surveys,
)

SOLVED = ("solved", "compensated", "explained", "thanked")
"""Outcomes after which nobody has to be left in peace."""
_WROTE_FIRST = "wrote_first"
# Of each kind, the latest: far more than a desk solves in two weeks.
_MOST = 5000
# After all moments, as stored.
_NEVER = "9999"


@dataclass(frozen=True)
class Solved:
    """A solved case.

    Attributes:
        conversation_id: Its private conversation.
        person: Whose.
        since: When it was rated, closed or agreed upon.
        rating: 3 to 5; None where nobody was asked, or the customer wrote first.
        worded: What was thought of it was said in words as well.
        surveyed: The survey was sent.
        offered: A gesture was offered.
        recommended: Something was recommended.
    """

    case_id: str
    conversation_id: str
    customer_id: str
    person: str
    business: str
    since: datetime
    rating: int | None
    worded: bool
    surveyed: bool
    offered: bool
    recommended: bool


def solved_since(db: Connection, businesses: Collection[str], since: datetime) -> list[Solved]:
    """Cases that were solved since a moment and for which something may still be sent.

    Rated 3 to 5; or closed with a good outcome or agreed and carried out, where nobody asks how it
    was (any more) but who wrote first. Not merged away; nothing is promised that is not done.

    Args:
        db: A transaction.
        businesses: Ids of those that this desk serves.
        since: The moment.
    """
    rated = (
        select(
            follow_ups.c.case_id,
            follow_ups.c.rating,
            follow_ups.c.rated_at,
            follow_ups.c.words.is_not(None).label("worded"),
        )
        .where(
            follow_ups.c.rating >= 3,
            follow_ups.c.rated_at >= stamp(since),
            # Never before that; there is an index by it.
            follow_ups.c.updated_at.between(stamp(since), _NEVER),
        )
        .subquery()
    )
    of_rated = (
        _found(businesses, rated.c.rating, rated.c.rated_at, rated.c.worded)
        .join(rated, rated.c.case_id == cases.c.id)
        # The few of late first, by the index: a rating is never younger than its row.
        .where(
            cases.c.id.in_(
                select(follow_ups.c.case_id).where(follow_ups.c.updated_at >= stamp(since))
            )
        )
    )
    at = func.coalesce(cases.c.closed_at, cases.c.updated_at)
    ended = or_(
        (cases.c.stage == "closed") & cases.c.outcome.in_(SOLVED),
        (cases.c.stage == "agreed") & exists().where(fulfilments.c.case_id == cases.c.id),
    )
    asked = exists().where(
        follow_ups.c.case_id == cases.c.id,
        or_(follow_ups.c.why.is_(None), follow_ups.c.why != _WROTE_FIRST),
    )
    # Nothing ends later than it was last written; there is an index by it, which SQLite takes
    # only for a range with two ends.
    lately = (at >= stamp(since), cases.c.updated_at.between(stamp(since), _NEVER))
    unrated = _found(businesses, null(), at, false()).where(ended, *lately, not_(asked))
    latest = (
        unrated.order_by(at.desc()).limit(_MOST),
        of_rated.order_by(rated.c.rated_at.desc()).limit(_MOST),
    )
    rows = [row for query in latest for row in db.execute(query)]
    found = {row.case_id: _solved(row) for row in rows}
    return sorted(found.values(), key=lambda one: (one.since, one.case_id))


def _found(
    businesses: Collection[str],
    rating: ColumnElement[Any],
    since: ColumnElement[str],
    worded: ColumnElement[bool],
) -> Select[Any]:
    """Cases whose promises are kept and for which something was not sent yet."""
    surveyed = exists().where(surveys.c.case_id == cases.c.id)
    offered, recommended = _had("gesture"), _had("recommendation")
    waiting = exists().where(fulfilments.c.case_id == cases.c.id, fulfilments.c.state != "done")
    unkept = exists().where(
        promises.c.case_id == cases.c.id, promises.c.stage.not_in(("done", "given_up"))
    )
    return (
        select(
            cases.c.id.label("case_id"),
            conversations.c.id.label("conversation_id"),
            cases.c.customer_id,
            customers.c.person,
            cases.c.business,
            since.label("since"),
            rating.label("rating"),
            worded.label("worded"),
            surveyed.label("surveyed"),
            offered.label("offered"),
            recommended.label("recommended"),
        )
        .select_from(cases)
        .join(conversations, conversations.c.case_id == cases.c.id)
        .join(customers, customers.c.id == cases.c.customer_id)
        .where(
            cases.c.business.in_(businesses),
            cases.c.merged_into.is_(None),
            cases.c.stage != "person",
            conversations.c.kind == "private",
            not_(waiting),
            not_(unkept),
            not_(surveyed & offered & recommended),
        )
    )


def _had(kind: str) -> ColumnElement[bool]:
    return exists().where(gestures.c.case_id == cases.c.id, gestures.c.kind == kind)


def _solved(row: Row[tuple[object, ...]]) -> Solved:
    values = dict(row._mapping)
    return Solved(
        **{
            **values,
            "since": datetime.fromisoformat(str(values["since"])),
            "person": values["person"] or values["customer_id"],
            **{
                name: bool(values[name])
                for name in ("worded", "surveyed", "offered", "recommended")
            },
        }
    )
