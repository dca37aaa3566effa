"""Asking the policy: from what the case, the order and the past tell to a decision."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from recovery.case import Case
from recovery.dialogue.reply import Turn
from recovery.failures import FAILURES
from recovery.orders.system import Item, Order
from recovery.remedy.catalogue import MONEY_BACK
from recovery.remedy.facts import FACTS
from recovery.remedy.policy import BOT, Decision

_LONGEST_DAYS = FACTS["days"].most
_LONGEST_HOURS = FACTS["wait_hours"].most

_ASKED_FOR = frozenset({"voucher", "points"})
PHOTO = "photo"
DECLINED = "declined"


@dataclass(frozen=True)
class Matter:
    """What a decision is about.

    Attributes:
        failure: A name in `recovery.failures`.
        order: Proved to be the customer's.
        item: The article it is about; None for the whole order.
    """

    failure: str
    order: Order
    item: Item | None = None

    @property
    def paid(self) -> int:
        """What was paid for it, in fen: an article never counts for more than its order."""
        if self.item is None:
            return self.order.paid
        return min(self.order.paid, self.item.price * self.item.quantity)


def item_of(case: Case, order: Order) -> Item | None:
    """The article of an order that a case is about: the one named, else the only one."""
    named = next((item for item in order.items if item.sku == case.facts.get("item")), None)
    if named is None and len(order.items) == 1:
        return order.items[0]
    return named


def decide(turn: Turn, case: Case, matter: Matter, round_: int = 0, choice: str = "") -> Decision:
    """What the policy gives.

    Args:
        turn: The message; brings the policy, the clock and the customer's past.
        case: The case as it will be after this message.
        matter: What it is about.
        round_: How many times the customer asked for more.
        choice: The form in which the customer would rather have it.

    Raises:
        PolicyError: The policy has no answer.
    """
    order, today = matter.order, turn.now.astimezone(turn.business.zone).date()
    past = turn.past(order.customer, matter.failure, case.id)
    # Who complained within the seven days of the law does not lose them while we talk.
    told = datetime.fromisoformat(case.opened_at) if case.opened_at else turn.now
    told_on = min(today, told.astimezone(turn.business.zone).date())
    evidence = case.facts.get("evidence")
    policy = turn.policy
    decision = policy.decide(
        policy.facts(
            matter.failure,
            matter.paid,
            harm=case.facts.get("harm"),
            fault=case.facts.get("fault"),
            finding=case.facts.get("finding"),
            days=_days_since(order.received_on, told_on),
            wait_hours=_waited(turn, case),
            recurrence=min(past.recurrence, 1000),
            claims=min(past.claims, 1000),
            tier=order.tier,
            tenure_days=_days_since(order.customer_since, today),
            first_time=order.first_time,
            evidence=evidence if evidence in (PHOTO, DECLINED) else None,
            round=round_,
            choice=choice,
            anger=case.level,
            escalation="escalation" in turn.heard.flags,
        )
    )
    # Who asks for a form wants it now, whatever they said before.
    return decision if choice in _ASKED_FOR else without_unwanted(turn, decision)


def without_unwanted(turn: Turn, decision: Decision) -> Decision:
    """A decision without the goodwill that is unwanted. What is owed stays owed."""
    kept = tuple(one for one in decision.goodwill if one["kind"] not in turn.unwanted)
    return decision if len(kept) == len(decision.goodwill) else replace(decision, goodwill=kept)


def by_bot(decision: Decision) -> bool:
    """Whether the bot itself may offer this.

    A refund of nothing (a gift, an order paid with points) is none: a person sees what is owed.
    """
    empty = any(one.get("worth") == 0 for one in decision.remedies if one["kind"] in MONEY_BACK)
    return decision.authority == BOT and not empty


def settled_by_bot(turn: Turn, failure: str | None) -> bool:
    """Whether the bot itself may offer a remedy for an ordinary order; else a person goes on."""
    if failure not in FAILURES or failure not in turn.policy.failures:
        return False
    ordinary = turn.policy.decide(turn.policy.facts(failure, paid=10_000))
    return ordinary.authority == BOT


def _days_since(day: str | None, today: date) -> int | None:
    """Whole days since a date; None for one that is not known; none before it."""
    if not day:
        return None
    return min(_LONGEST_DAYS, max(0, (today - date.fromisoformat(day[:10])).days))


def _waited(turn: Turn, case: Case) -> int:
    """Whole hours from the complaint to the first offer: to think it over is no waiting."""
    if case.opened_at is None:
        return 0
    until = turn.now
    if case.offers:
        expires = datetime.fromisoformat(case.offers[0].expires_at)
        until = min(until, expires - timedelta(hours=turn.business.offer_hours))
    hours = int((until - datetime.fromisoformat(case.opened_at)).total_seconds() // 3600)
    return min(_LONGEST_HOURS, max(0, hours))


__all__ = ["BOT", "DECLINED", "PHOTO", "Matter", "decide", "item_of", "settled_by_bot"]
