"""Tries to prove an order, counted over all sessions so that guessing does not pay."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from recovery.settings import Limits
from recovery.store.database import hold, stamp
from recovery.store.tables import proof_tries

_DAY = timedelta(days=1)


class TooManyTriesError(RuntimeError):
    """The order or the customer has used up the tries of a day."""


def record(
    db: Connection,
    business: str,
    order_number: str,
    customer_id: str,
    *,
    correct: bool,
    limits: Limits,
    now: datetime,
) -> None:
    """Count one try.

    Args:
        db: A writing transaction; those who try the same order take turns.
        business: Whose order.
        order_number: The order named, known or not.
        customer_id: Who tries.
        correct: Whether the digits were right.
        limits: How many wrong tries a day are allowed.
        now: The present moment.

    Raises:
        TooManyTriesError: The tries of this order or customer are used up; a right answer
            counts for nothing then.
    """
    # In this order for everybody, so that nobody waits in a circle.
    hold(db, f"proof {business} {order_number}")
    hold(db, f"proof {customer_id}")
    since = stamp(now - _DAY)
    wrong = select(func.count()).where(proof_tries.c.correct.is_(False), proof_tries.c.at > since)
    of_order = wrong.where(
        proof_tries.c.business == business, proof_tries.c.order_number == order_number
    )
    of_customer = wrong.where(proof_tries.c.customer_id == customer_id)
    if (db.execute(of_order).scalar() or 0) >= limits.proof_tries_per_order_and_day or (
        db.execute(of_customer).scalar() or 0
    ) >= limits.proof_tries_per_customer_and_day:
        raise TooManyTriesError(order_number)
    db.execute(
        insert(proof_tries).values(
            business=business,
            order_number=order_number,
            customer_id=customer_id,
            correct=correct,
            at=stamp(now),
        )
    )
