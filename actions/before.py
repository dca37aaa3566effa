"""What the person who writes has done before, under whatever name: orders proved, cases, gifts."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from actions.context import Context
from recovery.business import Business
from recovery.case import Case
from recovery.clock import utc_now
from recovery.dialogue.continuing import Known
from recovery.dialogue.reply import Past
from recovery.store import customers, decisions, persons, underway

COMMENT = "comment"


def proved_before(db: Connection, customer_id: str) -> tuple[str | None, tuple[str, ...]]:
    """Who the order system knows this person as, and the orders that were proved before.

    What the host site vouches for comes first, under whichever name the customer writes now.

    Args:
        db: A transaction.
        customer_id: Who writes.

    Returns:
        The id at the host site, None for a stranger; numbers of orders, the latest first.
    """
    own = customers.load(db, customer_id)
    identities = [own, *persons.identities_of(db, own.person)]
    vouched = [one.external_id for one in identities if one.proved]
    others = [one.external_id for one in identities if one.external_id]
    numbers = [one.state.get("order_number") for one in persons.cases_of(db, own.person)]
    proved = dict.fromkeys(str(one) for one in numbers if one)
    return next(iter([*vouched, *others]), None), tuple(proved)


def earlier_cases(context: Context, metadata: dict[str, Any]) -> list[Known]:
    """The cases of the person who writes, at this business.

    Args:
        context: All that actions read from.
        metadata: Of the message. Outside the desk, and under an article, where who writes is
            nobody's session, there are none.
    """
    customer = metadata.get("customer")
    if not customer or not metadata.get("conversation") or metadata.get("channel") == COMMENT:
        return []
    with context.database.read() as db:
        return [
            Known(one.earlier, Case.from_state(one.state), underway.of_case(db, one.id))
            for one in persons.cases_of(db, persons.person_of(db, customer))
        ]


def past_of(
    context: Context, business: Business, customer: str | None
) -> Callable[[str, str, str], Past]:
    """What the customer of an order had before; asked only when needed."""

    def past(order_customer: str, failure: str, case_id: str) -> Past:
        with context.database.read() as db:
            had = decisions.history(
                db, business.id, order_customer, failure, case_id, utc_now(), customer_id=customer
            )
        return Past(had.claims, had.recurrence)

    return past


def affordable_for(
    context: Context, business: Business, customer: str | None
) -> Callable[[str, int], bool]:
    """Whether budgets bear an offer. The desk looks again when it is accepted."""

    def affordable(order_customer: str, goodwill: int) -> bool:
        now = utc_now()
        with context.database.read() as db:
            had = decisions.history(
                db, business.id, order_customer, "", "", now, customer_id=customer
            )
            spent = decisions.spent_since(db, business.id, business.day_began(now))
        return goodwill == 0 or (
            spent + goodwill <= business.goodwill_per_day
            and had.goodwill + goodwill <= business.goodwill_per_customer
        )

    return affordable
