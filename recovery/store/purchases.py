"""Later orders of customers, as the order system tells them: who comes back, and buys again."""

from datetime import datetime

from sqlalchemy import Connection

from recovery.orders.system import MOST_FEN
from recovery.store.case_facts import insert_or_change
from recovery.store.database import stamp
from recovery.store.tables import purchases


class BadPurchaseError(ValueError):
    """A purchase that cannot be kept; says why."""


def note(
    db: Connection,
    business: str,
    order_number: str,
    order_customer: str,
    amount_fen: int,
    ordered_at: datetime,
) -> None:
    """Keep an order; told again, what was told last stands.

    Args:
        db: A writing transaction.
        business: Whose order system tells it.
        order_number: As printed for the customer.
        order_customer: As the order system names them.
        amount_fen: What was paid, in fen.
        ordered_at: When, aware.

    Raises:
        BadPurchaseError: The amount is negative or past belief.
    """
    if not 0 <= amount_fen < min(MOST_FEN, 2**31):
        raise BadPurchaseError(f"amount {amount_fen}")
    values = {
        "order_customer": order_customer,
        "amount_fen": amount_fen,
        "ordered_at": stamp(ordered_at),
    }
    put = insert_or_change(db, purchases)
    put_in = put.values(business=business, order_number=order_number, **values)
    db.execute(
        put_in.on_conflict_do_update(index_elements=["business", "order_number"], set_=values)
    )
