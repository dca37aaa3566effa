"""Decisions of the remedy policy as they were made, and what follows from those accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from recovery.case import Offer
from recovery.commands import MakeOffer
from recovery.store.database import hold, stamp
from recovery.store.tables import decisions, policies

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
    db: Connection, business: str, order_customer: str, failure: str, case_id: str, now: datetime
) -> History:
    """What a customer was given before, in other cases than this one."""
    mine = (
        decisions.c.business == business,
        decisions.c.order_customer == order_customer,
        decisions.c.case_id != case_id,
    )

    def number(what: Any, since: timedelta, *also: Any) -> int:  # noqa: ANN401 - of SQLAlchemy
        asked = select(what).where(*mine, decisions.c.accepted_at > stamp(now - since), *also)
        return int(db.execute(asked).scalar() or 0)

    return History(
        claims=number(func.count(), CLAIMS_WINDOW),
        recurrence=number(func.count(), RECURRENCE_WINDOW, decisions.c.failure == failure),
        goodwill=number(func.sum(decisions.c.goodwill_fen), BUDGET_WINDOW),
    )


def spent_since(db: Connection, business: str, since: datetime) -> int:
    """Goodwill of a business accepted since a moment, in fen."""
    asked = select(func.sum(decisions.c.goodwill_fen)).where(
        decisions.c.business == business, decisions.c.accepted_at >= stamp(since)
    )
    return int(db.execute(asked).scalar() or 0)


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
        select(decisions.c.goodwill_fen, decisions.c.order_customer).where(
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
    """
    if goodwill_fen == 0:
        return None
    if spent_since(db, business, day_began) + goodwill_fen > most_a_day:
        return "day"
    asked = select(func.sum(decisions.c.goodwill_fen)).where(
        decisions.c.business == business,
        decisions.c.order_customer == order_customer,
        decisions.c.accepted_at > stamp(now - BUDGET_WINDOW),
    )
    if int(db.execute(asked).scalar() or 0) + goodwill_fen > most_a_customer:
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
