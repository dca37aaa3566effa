"""What the place of one conversation depends on, from its case and how long it has waited."""

from datetime import datetime
from typing import Any

from recovery.business import Business
from recovery.case import Case
from recovery.queue.priority import MOST_MINUTES, Standing
from recovery.remedy.facts import TIERS
from recovery.remedy.policy import Policy

_ESCALATION = "escalation"
_SAFETY = "safety"


def standing_of(
    business: Business,
    policy: Policy,
    case: Case | None,
    now: datetime,
    *,
    since: str | None,
    reason: str | None,
    front: bool,
) -> Standing:
    """How a conversation stands.

    Anger is taken as the last message left it: whoever waits in silence for a person has not
    become calmer by it, and a longer wait must never put anybody further back.

    Args:
        business: Whose it is.
        policy: The remedy policy of its trade today, for the table `manner`.
        case: What it is about, None where nobody knows.
        now: The present moment.
        since: From when the customer waits for a person, as stored; None: does not.
        reason: Why it waits for a person.
        front: It came back to the queue.
    """
    reasons = {reason, case.reason if case else None}
    waits = datetime.fromisoformat(since) if since else None
    anger = case.anger if case else None
    return Standing(
        safety=_SAFETY in reasons or bool(case and case.safety),
        front=front,
        promise=_promise(business, case, waits, now) if waits else "kept",
        manner=policy.priority(anger.now if anger else 0, _ESCALATION in reasons),
        trend=anger.trend if anger else "steady",
        minutes=_minutes(waits, now) if waits else 0,
        tier=_tier(case),
    )


def _minutes(waits: datetime, now: datetime) -> int:
    return min(MOST_MINUTES, max(0, int((now - waits).total_seconds() // 60)))


def _promise(business: Business, case: Case | None, waits: datetime, now: datetime) -> str:
    """How it stands with the time by which a person was promised."""
    promised = case.promised_by if case else None
    by = datetime.fromisoformat(promised) if promised else waits
    # What was promised before this wait began was for another one.
    by = by if by > waits else business.person_by(waits)
    service = business.service
    if not service.open_at(now):
        return "kept"
    if by < now:
        return "overdue"
    days = {one.astimezone(business.zone).date() for one in (waits, now)}
    return "overnight" if len(days) > 1 or not service.open_at(waits) else "kept"


def _tier(case: Case | None) -> str:
    """The tier of the customer, where an order has told it already."""
    if case is None or case.order_number is None:
        return TIERS[0]
    asked: list[Any] = [offer.facts for offer in reversed(case.offers)]
    left = case.facts.get("advice")
    if isinstance(left, dict):
        asked.append(left.get("facts"))
    told = (facts.get("tier") for facts in asked if isinstance(facts, dict))
    return next((tier for tier in told if tier in TIERS), TIERS[0])
