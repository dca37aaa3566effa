"""Decisions of the remedy policy as they were made, and what follows from those accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from recovery.case import Offer
from recovery.commands import MakeOffer
from recovery.promises.table import PREFIX
from recovery.store import gestures
from recovery.store.database import hold, stamp
from recovery.store.tables import cases, customers, decisions, policies

CLAIMS_WINDOW = timedelta(days=30)
RECURRENCE_WINDOW = timedelta(days=90)
BUDGET_WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class History:
    """What a customer of the order system was given before.

    Attributes:
        claims: Remedies accepted within 30 days, in other cases.
        recurrence: The same failure remedied within 90 days, in other cases.
        goodwill: Goodwill accepted within 30 days, in fen.
    """

    claims: int = 0
    recurrence: int = 0
    goodwill: int = 0


class OverBudgetError(RuntimeError):
    """The goodwill of a day, or of a customer, is used up; names which."""


def made(
    db: Connection,
    command: MakeOffer,
    *,
    case_id: str,
    business: str,
    customer_id: str,
    channel: str,
    anger: int,
    now: datetime,
    decided_by: str = "bot",
    departure: str | None = None,
) -> None:
    """Write down a decision as it is offered.

    Args:
        db: A writing transaction.
        command: What is offered, with the facts it was decided from.
        case_id: The case.
        business: Whose.
        customer_id: To whom.
        channel: Where it is offered.
        anger: Of the case, 0 to 3. It steers nothing here; the fairness report looks at it.
        now: The present moment.
        decided_by: `bot` or `staff:<id>`.
        departure: Why staff give something else than the policy.
    """
    db.execute(
        insert(decisions).values(
            id=command.offer,
            case_id=case_id,
            business=business,
            customer_id=customer_id,
            order_customer=command.order_customer,
            order_number=command.order_number,
            failure=str(command.facts.get("failure", "")),
            channel=channel,
            policy=command.policy,
            day=command.day,
            facts=command.facts,
            rules=command.rules,
            remedies=command.remedies,
            floor_fen=command.floor_fen,
            goodwill_fen=command.goodwill_fen,
            anger=anger,
            decided_by=decided_by,
            departure=departure,
            state="open",
            made_at=stamp(now),
        )
    )


def made_at(db: Connection, offer_id: str) -> str | None:
    """When an offer was made, as stored; None for an unknown one."""
    return db.execute(select(decisions.c.made_at).where(decisions.c.id == offer_id)).scalar()


def settle(db: Connection, offers: Sequence[Offer], now: datetime) -> None:
    """Write down how the offers of a case stand; an acceptance keeps its first moment."""
    for offer in offers:
        values: dict[str, Any] = {"state": offer.state}
        this = decisions.c.id == offer.id
        if offer.state == "accepted":
            db.execute(
                update(decisions)
                .where(this, decisions.c.accepted_at.is_(None))
                .values(accepted_at=stamp(now))
            )
        db.execute(update(decisions).where(this, decisions.c.state != offer.state).values(values))


def history(
    db: Connection,
    business: str,
    order_customer: str,
    failure: str,
    case_id: str,
    now: datetime,
    *,
    customer_id: str | None = None,
) -> History:
    """What a customer was given before, in other cases than this one.

    Args:
        db: A transaction.
        business: Whose.
        order_customer: As the order system names them.
        failure: Which one is counted as recurring.
        case_id: The present case.
        now: The present moment.
        customer_id: As the desk names them, of a case that is not stored yet: what the same person
            had elsewhere counts as well.
    """
    stored = select(cases.c.customer_id).where(cases.c.id == case_id)
    mine = (
        decisions.c.business == business,
        _theirs(order_customer, customer_id or db.execute(stored).scalar()),
        decisions.c.case_id != case_id,
    )

    def number(what: Any, since: timedelta, *also: Any) -> int:  # noqa: ANN401 - of SQLAlchemy
        asked = select(what).where(*mine, decisions.c.accepted_at > stamp(now - since), *also)
        return int(db.execute(asked).scalar() or 0)

    # What was added because we were late is no claim of the customer's.
    asked_for = decisions.c.policy.not_like(f"{PREFIX}%")
    failed = decisions.c.failure == failure
    return History(
        claims=number(func.count(), CLAIMS_WINDOW, asked_for),
        recurrence=number(func.count(), RECURRENCE_WINDOW, failed, asked_for),
        goodwill=number(func.sum(decisions.c.goodwill_fen), BUDGET_WINDOW),
    )


def _theirs(order_customer: str, customer_id: str | None) -> ColumnElement[bool]:
    """Decisions for who is named so by the order system, or is proved to be the same person."""
    named = decisions.c.order_customer == order_customer
    if customer_id is None:
        return named
    person = select(customers.c.person).where(customers.c.id == customer_id).scalar_subquery()
    same = select(customers.c.id).where(customers.c.person == person, customers.c.person != "")
    return or_(named, decisions.c.customer_id.in_(same))


def spent_since(db: Connection, business: str, since: datetime) -> int:
    """Goodwill of a business accepted since a moment, small gestures included, in fen."""
    asked = select(func.sum(decisions.c.goodwill_fen)).where(
        decisions.c.business == business, decisions.c.accepted_at >= stamp(since)
    )
    return int(db.execute(asked).scalar() or 0) + gestures.spent_since(db, business, since)


def hold_budgets(db: Connection, business: str) -> None:
    """Let those who spend the goodwill of a business take turns until they have committed."""
    hold(db, f"budget {business}")


def check_budgets(
    db: Connection,
    business: str,
    offer_id: str,
    day_began: datetime,
    most_a_day: int,
    most_a_customer: int,
    now: datetime,
) -> None:
    """See whether an offer can still be paid for. The floor is owed and needs no budget.

    Args:
        db: A transaction that holds the budgets, see `hold_budgets`.
        business: Whose.
        offer_id: About to be accepted.
        day_began: When the day of the business began.
        most_a_day: Goodwill of a day, in fen.
        most_a_customer: Goodwill of a customer within 30 days, in fen.
        now: The present moment.

    Raises:
        OverBudgetError: It cannot.
    """
    row = db.execute(
        select(decisions.c.goodwill_fen, decisions.c.order_customer, decisions.c.customer_id).where(
            decisions.c.id == offer_id, decisions.c.accepted_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        return
    passed = budget_passed(
        db,
        business,
        row.order_customer,
        row.goodwill_fen,
        day_began,
        most_a_day,
        most_a_customer,
        now,
        customer_id=row.customer_id,
    )
    if passed:
        raise OverBudgetError(passed)


def budget_passed(
    db: Connection,
    business: str,
    order_customer: str,
    goodwill_fen: int,
    day_began: datetime,
    most_a_day: int,
    most_a_customer: int,
    now: datetime,
    *,
    customer_id: str | None = None,
) -> str | None:
    """Which budget so much goodwill more would pass: `day`, `customer`, or None.

    Args:
        db: A transaction.
        business: Whose.
        order_customer: Who would get it, as the order system names them.
        goodwill_fen: In fen.
        day_began: When the day of the business began.
        most_a_day: Goodwill of a day, in fen.
        most_a_customer: Goodwill of a customer within 30 days, in fen.
        now: The present moment.
        customer_id: As the desk names them: what the same person got elsewhere counts as well.
    """
    if goodwill_fen == 0:
        return None
    if spent_since(db, business, day_began) + goodwill_fen > most_a_day:
        return "day"
    asked = select(func.sum(decisions.c.goodwill_fen)).where(
        decisions.c.business == business,
        _theirs(order_customer, customer_id),
        decisions.c.accepted_at > stamp(now - BUDGET_WINDOW),
    )
    spent = int(db.execute(asked).scalar() or 0)
    if customer_id is not None:
        spent += gestures.spent_on(db, business, customer_id, now, BUDGET_WINDOW.days)
    if spent + goodwill_fen > most_a_customer:
        return "customer"
    return None


def all_of(db: Connection, business: str | None = None) -> list[dict[str, Any]]:
    """All decisions, oldest first, for reports and replay."""
    asked = select(decisions).order_by(decisions.c.made_at, decisions.c.id)
    if business:
        asked = asked.where(decisions.c.business == business)
    return [dict(row._mapping) for row in db.execute(asked)]


def keep_policy(db: Connection, name: str, bundle: dict[str, Any], now: datetime) -> None:
    """Keep a policy for ever, so that what was decided with it can be decided again."""
    if policy_kept(db, name):
        return
    hold(db, f"policy {name}")
    if not policy_kept(db, name):
        db.execute(insert(policies).values(name=name, bundle=bundle, kept_at=stamp(now)))


def policy_kept(db: Connection, name: str) -> bool:
    """Whether a policy is in the archive."""
    return db.execute(select(policies.c.name).where(policies.c.name == name)).first() is not None


def kept_policies(db: Connection) -> dict[str, dict[str, Any]]:
    """All policies of the archive by name."""
    return {row.name: row.bundle for row in db.execute(select(policies.c.name, policies.c.bundle))}


def policies_kept(db: Connection) -> int:
    """How many policies are in the archive; one is added, none ever changes."""
    return db.execute(select(func.count()).select_from(policies)).scalar_one()
