"""Follow-ups: one row a case, from the plan to the answer; asked twice at the most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from recovery.follow_up.deciding import ANSWERED, ASKED, CANCELLED, WAITING
from recovery.ids import new_id
from recovery.store.database import stamp
from recovery.store.promises import open_of_case
from recovery.store.tables import (
    cases,
    conversations,
    customers,
    follow_ups,
    fulfilments,
)

LONGEST_WORDS = 2000
_MOST_AT_ONCE = 200
UNDONE = ("todo", "refused", "failed")
"""States of a remedy that is not done yet."""
_OPEN = (WAITING, ASKED)
ANEW = ("reopened", "wrote_first")
"""Why a case is planned for again when it ends anew, if nobody was asked yet."""


@dataclass(frozen=True)
class FollowUp:
    """One follow-up. Fields as in the table.

    Attributes:
        round: Which asking this is; 2 is the last.
        state: `waiting`, `asked`, `answered`, `ended`, `cancelled`.
        due_at: When something is done: asked, asked again, ended; of an answered one until when
            words are taken for the open answer. None: nothing any more.
    """

    id: str
    business: str
    case_id: str
    conversation_id: str
    customer_id: str
    round: int
    state: str
    why: str | None
    due_at: str | None
    asked_at: str | None
    rating: int | None
    rated_at: str | None
    words: str | None
    created_at: str
    updated_at: str

    @property
    def takes_words(self) -> bool:
        """Whether the open question stands: rated, and nothing said to it yet."""
        return self.state == ANSWERED and self.words is None and self.due_at is not None


_COLUMNS = tuple(follow_ups.c[name] for name in FollowUp.__dataclass_fields__)
# Every message of a customer asks this: put together once.
_PERSON = (
    select(customers.c.person)
    .join(conversations, conversations.c.customer_id == customers.c.id)
    .where(conversations.c.id == bindparam("conversation"))
    .scalar_subquery()
)
_PERSONS_CONVERSATIONS = (
    select(conversations.c.id)
    .join(customers, customers.c.id == conversations.c.customer_id)
    .where(customers.c.person == _PERSON)
)
_OPEN_OF_PERSON = select(follow_ups.c.id, follow_ups.c.state).where(
    follow_ups.c.conversation_id.in_(_PERSONS_CONVERSATIONS), follow_ups.c.state.in_(_OPEN)
)
_OPEN_IN = (
    select(*_COLUMNS)
    .where(
        follow_ups.c.conversation_id == bindparam("conversation"),
        follow_ups.c.state.in_((ASKED, ANSWERED)),
        follow_ups.c.due_at.is_not(None),
    )
    .order_by(follow_ups.c.asked_at.desc())
)


def load(db: Connection, follow_up_id: str) -> FollowUp | None:
    """Read a follow-up."""
    row = db.execute(select(*_COLUMNS).where(follow_ups.c.id == follow_up_id)).first()
    return FollowUp(*row) if row else None


def of_case(db: Connection, case_id: str) -> FollowUp | None:
    """The follow-up of a case."""
    query = select(*_COLUMNS).where(follow_ups.c.case_id == case_id)
    row = db.execute(query.order_by(follow_ups.c.created_at.desc())).first()
    return FollowUp(*row) if row else None


def open_in(db: Connection, conversation_id: str, now: datetime) -> FollowUp | None:
    """The follow-up that words in a conversation may answer now."""
    for row in db.execute(_OPEN_IN, {"conversation": conversation_id}):
        found = FollowUp(*row)
        if found.state == ASKED or (found.takes_words and str(found.due_at) > stamp(now)):
            return found
    return None


# --- planning ---------------------------------------------------------------------------------


def is_unplanned(db: Connection, case_id: str) -> bool:
    """Whether a case has no follow-up yet, or one that may be planned anew; who holds it asks."""
    known = of_case(db, case_id)
    return known is None or (
        known.state == CANCELLED and known.why in ANEW and known.asked_at is None
    )


def schedule(
    db: Connection,
    *,
    business: str,
    case_id: str,
    conversation_id: str,
    customer_id: str,
    due: datetime | None,
    now: datetime,
    why: str | None = None,
) -> str:
    """Plan the follow-up of a case, or keep why there is none.

    A case has one row; what was asked in it stays asked, so that nobody is asked a third time.

    Args:
        db: A writing transaction that holds the customer.
        business: Whose.
        case_id: Of the case.
        conversation_id: Where it is asked.
        customer_id: Whom.
        due: When; None: not at all.
        now: The present moment.
        why: Why not, where `due` is None.

    Returns:
        Its id.
    """
    known = of_case(db, case_id)
    values: dict[str, Any] = {
        "state": WAITING if due else CANCELLED,
        "why": None if due else why,
        "due_at": stamp(due) if due else None,
        "conversation_id": conversation_id,
        "customer_id": customer_id,
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }
    if known is None:
        made = new_id("f")
        rest = {"id": made, "business": business, "case_id": case_id, "round": 1}
        db.execute(insert(follow_ups).values(**rest, **values))
    else:
        made = known.id
        number = known.round + 1 if known.asked_at else 1
        db.execute(update(follow_ups).where(follow_ups.c.id == made).values(round=number, **values))
    return made


# --- working off ------------------------------------------------------------------------------


def due(db: Connection, businesses: Sequence[str], now: datetime) -> list[FollowUp]:
    """What is due, longest first."""
    query = (
        select(*_COLUMNS)
        .where(
            follow_ups.c.state.in_((*_OPEN, ANSWERED)),
            follow_ups.c.due_at <= stamp(now),
            follow_ups.c.business.in_(businesses),
        )
        .order_by(follow_ups.c.due_at, follow_ups.c.id)
        .limit(_MOST_AT_ONCE)
    )
    return [FollowUp(*row) for row in db.execute(query)]


def claim(db: Connection, one: FollowUp) -> bool:
    """Take a due follow-up for this transaction, if it still stands as it was read.

    Returns:
        Whether it is ours; False where another desk has it or has done it.
    """
    mine = (
        select(follow_ups.c.id)
        .where(
            follow_ups.c.id == one.id,
            follow_ups.c.state == one.state,
            follow_ups.c.round == one.round,
            follow_ups.c.due_at == one.due_at,
        )
        .with_for_update(skip_locked=True)
    )
    return db.execute(mine).first() is not None


def put_off(db: Connection, one: FollowUp, until: datetime, now: datetime) -> None:
    """Look at it again at a moment."""
    _change(db, one.id, now, due_at=stamp(until))


def note_asked(
    db: Connection, one: FollowUp, number: int, next_at: datetime, now: datetime
) -> None:
    """Keep that it was asked, for the first or the second time."""
    values = {"round": number, "due_at": stamp(next_at), "asked_at": stamp(now)}
    _change(db, one.id, now, state=ASKED, **values)


def leave(db: Connection, follow_up_id: str, state: str, why: str, now: datetime) -> None:
    """Ask no more: `ended` or `cancelled`, and why."""
    _change(db, follow_up_id, now, state=state, why=why, due_at=None)


def end_words(db: Connection, one: FollowUp, now: datetime) -> None:
    """Take no more words for the open answer."""
    _change(db, one.id, now, due_at=None)


def customer_wrote(db: Connection, conversation_id: str, now: datetime) -> None:
    """Stop all that is planned for a person who writes first, wherever.

    Args:
        db: A writing transaction.
        conversation_id: Where something came that answers no follow-up.
        now: The present moment.
    """
    for row in db.execute(_OPEN_OF_PERSON, {"conversation": conversation_id}).all():
        why = "wrote_first" if row.state == WAITING else "wrote_other"
        leave(db, row.id, CANCELLED, why, now)


def stop_person(db: Connection, conversation_id: str, why: str, now: datetime) -> None:
    """Stop all that is planned for the person of a conversation."""
    for row in db.execute(_OPEN_OF_PERSON, {"conversation": conversation_id}).all():
        leave(db, row.id, CANCELLED, why, now)


def rate(db: Connection, one: FollowUp, rating: int, until: datetime, now: datetime) -> bool:
    """Keep a rating; the first one counts.

    Args:
        db: A writing transaction.
        one: Which follow-up.
        rating: 1 to 5.
        until: Until when words are taken for the open answer.
        now: The present moment.

    Returns:
        Whether it was kept.
    """
    changed = db.execute(
        update(follow_ups)
        .where(follow_ups.c.id == one.id, follow_ups.c.rating.is_(None))
        .values(
            state=ANSWERED,
            why=None,
            rating=rating,
            rated_at=stamp(now),
            due_at=stamp(until),
            updated_at=stamp(now),
        )
    ).rowcount
    return bool(changed)


def keep_words(db: Connection, one: FollowUp, words: str, now: datetime) -> None:
    """Keep the answer to the open question; there is one."""
    _change(db, one.id, now, words=words[:LONGEST_WORDS], due_at=None)


def _change(db: Connection, follow_up_id: str, now: datetime, **values: Any) -> None:  # noqa: ANN401 - columns
    db.execute(
        update(follow_ups)
        .where(follow_ups.c.id == follow_up_id)
        .values(updated_at=stamp(now), **values)
    )


# --- what a decision depends on ---------------------------------------------------------------


def _of_person_but(one: FollowUp) -> ColumnElement[bool]:
    return and_(
        follow_ups.c.conversation_id.in_(_PERSONS_CONVERSATIONS),
        follow_ups.c.case_id != one.case_id,
    )


def asked_lately(db: Connection, one: FollowUp, since: datetime) -> bool:
    """Whether the person of a follow-up was asked about another matter since a moment."""
    query = select(follow_ups.c.id).where(_of_person_but(one), follow_ups.c.asked_at > stamp(since))
    return db.execute(query.limit(1), {"conversation": one.conversation_id}).first() is not None


def has_newer(db: Connection, one: FollowUp) -> bool:
    """Whether another matter of the person has ended later, and will be asked about."""
    later = or_(
        follow_ups.c.created_at > one.created_at,
        and_(follow_ups.c.created_at == one.created_at, follow_ups.c.id > one.id),
    )
    query = select(follow_ups.c.id).where(_of_person_but(one), follow_ups.c.state == WAITING, later)
    return db.execute(query.limit(1), {"conversation": one.conversation_id}).first() is not None


def ended(db: Connection, case_id: str) -> tuple[str | None, str | None]:
    """When a case was closed, as stored, and into which other it was merged."""
    query = select(cases.c.closed_at, cases.c.merged_into).where(cases.c.id == case_id)
    row = db.execute(query).first()
    return (row.closed_at, row.merged_into) if row else (None, None)


def has_undone(db: Connection, case_id: str) -> bool:
    """Whether something that was promised in a case is not done yet."""
    query = select(fulfilments.c.key).where(
        fulfilments.c.case_id == case_id, fulfilments.c.state.in_(UNDONE)
    )
    undone = db.execute(query.limit(1)).first() is not None
    return undone or open_of_case(db, case_id)


def note_reopened(db: Connection, case_id: str, now: datetime) -> None:
    """Keep when a case was opened again."""
    db.execute(update(cases).where(cases.c.id == case_id).values(reopened_at=stamp(now)))
