"""Accepted remedies on their way: one row a remedy, carried out once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, distinct, func, insert, select, update

from recovery.case import Offer
from recovery.store.conversations import Conversation
from recovery.store.database import hold, stamp
from recovery.store.tables import fulfilments


@dataclass(frozen=True)
class Fulfilment:
    """One remedy to be carried out. Fields as in the table.

    Attributes:
        state: `todo`, `done`, `refused` (by the order system) or `failed` (tried for hours).
        attempts: Tries that failed since the acceptance, or since somebody set it going again.
        round: How often somebody has set it going again.
        problem: What kept the latest try from succeeding; nothing of the customer stands in it.
    """

    key: str
    case_id: str
    conversation_id: str
    business: str
    order_number: str
    remedy: dict[str, Any]
    state: str
    attempts: int
    problem: str | None
    round: int = 0


_COLUMNS = tuple(fulfilments.c[name] for name in Fulfilment.__dataclass_fields__)
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=10)
_GIVE_UP_AFTER = timedelta(hours=4)
_PROBLEM_LENGTH = 200


def wait_after(attempts: int) -> timedelta:
    """How long to wait after a try that failed, twice as long each time up to ten minutes.

    Args:
        attempts: Tries that had failed before.
    """
    # Bounded before it is multiplied: after a day without order system it would overflow.
    return min(_FIRST_WAIT * (1 << min(attempts, 16)), _LONGEST_WAIT)


def _tries_within(longest: timedelta) -> int:
    """How many tries there are until the waits between them add up to this long."""
    tries, waited = 1, wait_after(0)
    while waited <= longest:
        waited += wait_after(tries)
        tries += 1
    return tries


MOST_TRIES = _tries_within(_GIVE_UP_AFTER)
"""Tries before a person has to look at a remedy: about four hours after the acceptance."""


def promise(
    db: Connection, conversation: Conversation, case_id: str, offer: Offer, now: datetime
) -> None:
    """Write down all remedies of an accepted offer."""
    for place, remedy in enumerate(offer.remedies):
        db.execute(
            insert(fulfilments).values(
                key=f"{offer.id}:{place}",
                case_id=case_id,
                conversation_id=conversation.id,
                business=conversation.business,
                order_number=offer.order_number,
                remedy=remedy,
                state="todo",
                attempts=0,
                due_at=stamp(now),
                created_at=stamp(now),
            )
        )


def due(db: Connection, now: datetime, most: int = 50) -> list[Fulfilment]:
    """What is to be carried out now, oldest first."""
    rows = db.execute(
        select(*_COLUMNS)
        .where(fulfilments.c.state == "todo", fulfilments.c.due_at <= stamp(now))
        .order_by(fulfilments.c.due_at, fulfilments.c.key)
        .limit(most)
    )
    return [Fulfilment(*row) for row in rows]


def settle(
    db: Connection,
    key: str,
    state: str,
    receipt: dict[str, Any] | None,
    problem: str | None = None,
) -> bool:
    """Write down how it ended.

    Args:
        db: A writing transaction.
        key: Which remedy.
        state: `done`, `refused` or `failed`.
        receipt: Of the order system, where it is done.
        problem: Why it is not done; what was wrong before it was done is forgotten.

    Returns:
        Whether it was still to do; False when another worker was faster.
    """
    changed = db.execute(
        update(fulfilments)
        .where(fulfilments.c.key == key, fulfilments.c.state == "todo")
        .values(state=state, receipt=receipt, problem=_short(problem))
    ).rowcount
    return bool(changed)


def postpone(db: Connection, item: Fulfilment, now: datetime, problem: str | None = None) -> bool:
    """Count a try that failed, and try again later.

    Args:
        db: A writing transaction.
        item: As it was when it was tried.
        now: The present moment.
        problem: What was wrong.

    Returns:
        Whether this try counts; False when another worker has settled the remedy or has counted
        its own try meanwhile.
    """
    changed = db.execute(
        update(fulfilments)
        .where(_as_tried(item))
        .values(
            attempts=item.attempts + 1,
            due_at=stamp(now + wait_after(item.attempts)),
            problem=_short(problem),
        )
    ).rowcount
    return bool(changed)


def give_up(db: Connection, item: Fulfilment, problem: str | None = None) -> bool:
    """Count a try that failed, and try no more: a person has to look at it.

    Returns:
        As `postpone`.
    """
    changed = db.execute(
        update(fulfilments)
        .where(_as_tried(item))
        .values(state="failed", attempts=item.attempts + 1, problem=_short(problem))
    ).rowcount
    return bool(changed)


def retry(db: Connection, key: str) -> bool:
    """Set a remedy going again that was given up or refused: due at once, all tries before it.

    Its key stays the same, so that what the order system has done already is not done again. A
    refusal binds nobody for ever: a person may have put right what was in the way.

    Returns:
        Whether it had been given up or refused.
    """
    changed = db.execute(
        update(fulfilments)
        .where(fulfilments.c.key == key, fulfilments.c.state.in_(("failed", "refused")))
        .values(state="todo", attempts=0, round=fulfilments.c.round + 1)
    ).rowcount
    return bool(changed)


def load(db: Connection, key: str) -> Fulfilment | None:
    """Read a remedy by its key."""
    row = db.execute(select(*_COLUMNS).where(fulfilments.c.key == key)).first()
    return Fulfilment(*row) if row else None


def receipt_of(db: Connection, key: str) -> dict[str, Any]:
    """The receipt of a remedy, empty where there is none."""
    found = db.execute(select(fulfilments.c.receipt).where(fulfilments.c.key == key)).scalar()
    return found or {}


def note_expected(db: Connection, key: str, expected: str) -> None:
    """Keep in a receipt until when it takes, as the order system has reported since."""
    receipt = {**receipt_of(db, key), "expected": expected}
    db.execute(update(fulfilments).where(fulfilments.c.key == key).values(receipt=receipt))


def _as_tried(item: Fulfilment) -> ColumnElement[bool]:
    """The row of a remedy, if nobody has settled it or counted a try since it was read."""
    return and_(
        fulfilments.c.key == item.key,
        fulfilments.c.state == "todo",
        fulfilments.c.attempts == item.attempts,
    )


def _short(problem: str | None) -> str | None:
    """Fit for a column and a line of a log, whatever wrote it."""
    if problem is None:
        return None
    shown = "".join(char if char.isprintable() else " " for char in problem)
    return shown[:_PROBLEM_LENGTH].strip()


def given_before(db: Connection, business: str, order_number: str, case_id: str, most: int) -> bool:
    """Whether an order already had remedies promised in as many other cases as may be.

    Whoever promises on the strength of this holds the order (`hold_order`) until the commit.
    Also a remedy that the order system refused counts: a person settles it by hand.

    Args:
        db: A transaction.
        business: Whose order.
        order_number: As proved.
        case_id: The present case; what it was promised itself does not count.
        most: How many cases of one order the bot may settle
            (`Limits.remedied_cases_per_order`).
    """
    others = select(func.count(distinct(fulfilments.c.case_id))).where(
        fulfilments.c.business == business,
        fulfilments.c.order_number == order_number,
        fulfilments.c.case_id != case_id,
    )
    return (db.execute(others).scalar() or 0) >= most


def given_since(db: Connection, business: str, order_number: str, case_id: str, since: str) -> bool:
    """Whether an order had remedies promised in another case since a moment (as stored)."""
    others = select(fulfilments.c.key).where(
        fulfilments.c.business == business,
        fulfilments.c.order_number == order_number,
        fulfilments.c.case_id != case_id,
        fulfilments.c.created_at > since,
    )
    return db.execute(others.limit(1)).first() is not None


def of_order(
    db: Connection, business: str, order_number: str, but: str
) -> list[tuple[str, dict[str, Any], dict[str, Any] | None]]:
    """All remedies that were promised for an order in other cases, oldest first.

    Args:
        db: A transaction.
        business: Whose order.
        order_number: As proved.
        but: The case that is left out.

    Returns:
        Case, remedy, and the receipt where it is carried out.
    """
    rows = db.execute(
        select(fulfilments.c.case_id, fulfilments.c.remedy, fulfilments.c.receipt)
        .where(
            fulfilments.c.business == business,
            fulfilments.c.order_number == order_number,
            fulfilments.c.case_id != but,
        )
        .order_by(fulfilments.c.created_at, fulfilments.c.key)
    )
    return [(row.case_id, row.remedy, row.receipt) for row in rows]


def done_by_hand(db: Connection, key: str, receipt: dict[str, Any]) -> bool:
    """Write down that a person has done what could not be carried out.

    Returns:
        Whether it had been given up or refused.
    """
    changed = db.execute(
        update(fulfilments)
        .where(fulfilments.c.key == key, fulfilments.c.state.in_(("failed", "refused")))
        .values(state="done", receipt=receipt, problem=None)
    ).rowcount
    return bool(changed)


def hold_order(db: Connection, business: str, order_number: str) -> None:
    """Let those who promise remedies for the same order take turns."""
    hold(db, f"order {business} {order_number}")


def of_case(db: Connection, case_id: str) -> list[dict[str, Any]]:
    """All remedies of a case with their state, for staff."""
    rows = db.execute(
        select(*_COLUMNS, fulfilments.c.receipt, fulfilments.c.created_at)
        .where(fulfilments.c.case_id == case_id)
        .order_by(fulfilments.c.created_at, fulfilments.c.key)
    )
    return [dict(row._mapping) for row in rows]
