"""What the policy gives a customer who has not complained: the same as to one who has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.staff.advice import turn_of
from recovery.business import Business
from recovery.case import Case
from recovery.commands import Command, HandOver, MakeOffer, Note
from recovery.dialogue.advice import NoAdviceError, matter_of
from recovery.dialogue.offering import offer_or_ask
from recovery.dialogue.reply import Turn
from recovery.logs import log
from recovery.orders.system import Order, Product
from recovery.remedy.catalogue import Remedy, card
from recovery.remedy.facts import FACTS, Facts, FactsError
from recovery.remedy.policy import PolicyError
from recovery.store import decisions, fulfilments, preferences

_COUNTED = frozenset({"by", "worth", "product", "sku", "part", "trade"})
_REASON_LACKS = {"no_matter": "unknown", "no_item": "unknown"}


@dataclass(frozen=True)
class Decided:
    """What is done for one customer.

    Attributes:
        commands: For the case: an offer, or a hand-over with what the policy would give.
        buttons: Of the card, `{"title", "payload"}`.
        offer: The offer, None where a person decides.
        reason: Why a person decides, as in `HandOver`.
    """

    commands: tuple[Command, ...]
    buttons: tuple[dict[str, str], ...] = ()
    offer: MakeOffer | None = None
    reason: str | None = None


class _Known:
    """An order system that was asked before the transaction."""

    def __init__(self, order: Order, product: Product | None) -> None:
        self._order = order
        self._product = product

    def matches(self, business: str, number: str, last4: str) -> bool:
        return False

    def order(self, business: str, number: str) -> Order | None:
        return self._order if number == self._order.number else None

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        return [self._order]

    def recommend(self, business: str, number: str) -> Product | None:
        return self._product

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        raise AssertionError("nothing is carried out here")


def decide_for(
    db: Connection,
    context: Context,
    business: Business,
    case: Case,
    order: Order,
    product: Product | None,
    customer_id: str,
    source: str,
    now: datetime,
) -> Decided:
    """Ask the policy with the bot's authority.

    Args:
        db: A writing transaction.
        context: The desk.
        business: Whose order.
        case: About the order.
        order: As the order system has it.
        product: What it recommends.
        customer_id: Who is written to; what they do not want is not offered.
        source: Stands for the message; the id of the offer follows from it.
        now: The present moment.
    """
    turn = _turn(db, context, business, case, order, product, source, now)
    turn = replace(turn, unwanted=preferences.unwanted_by(db, customer_id))
    fulfilments.hold_order(db, business.id, order.number)
    try:
        matter = matter_of(turn, case, order)
        if turn.given_before(order.number, case.id):
            return _person(turn, "repeated")
        reply = offer_or_ask(turn, case, matter)
    except NoAdviceError as error:
        return _person(turn, _REASON_LACKS[error.lacks])
    except (PolicyError, FactsError) as error:
        log.error("policy has no answer", case=case.id, error=str(error))
        return _person(turn, "error")
    offer = next((one for one in reply.commands if isinstance(one, MakeOffer)), None)
    handed = next((one for one in reply.commands if isinstance(one, HandOver)), None)
    if offer is not None and not offer.provisional:
        buttons = reply.says[0].buttons
        shown = tuple({"title": one.title, "payload": one.payload} for one in buttons)
        return Decided((offer,), shown, offer)
    if offer is not None:
        # What is only alleged is not for us to bring up with a remedy.
        return _person(turn, "alleged")
    if handed is None:
        # A picture would be needed of what the customer may not even have seen yet.
        return _person(turn, "no_evidence")
    notes = tuple(one for one in reply.commands if isinstance(one, Note))
    return Decided((*notes, handed), reason=handed.reason)


def _person(turn: Turn, reason: str) -> Decided:
    return Decided((HandOver(reason, turn.person_due.isoformat()),), reason=reason)


def _turn(
    db: Connection,
    context: Context,
    business: Business,
    case: Case,
    order: Order,
    product: Product | None,
    source: str,
    now: datetime,
) -> Turn:
    most = context.settings.limits.remedied_cases_per_order

    def given_before(number: str, case_id: str) -> bool:
        return fulfilments.given_before(db, business.id, number, case_id, most)

    def affordable(order_customer: str, goodwill: int) -> bool:
        began = business.day_began(now)
        passed = decisions.budget_passed(
            db,
            business.id,
            order_customer,
            goodwill,
            began,
            business.goodwill_per_day,
            business.goodwill_per_customer,
            now,
        )
        return passed is None

    return replace(
        turn_of(db, context, business, case, now),
        message=source,
        orders=_Known(order, product),
        given_before=given_before,
        affordable=affordable,
    )


# --- treated alike ----------------------------------------------------------------------------


def signature(remedies: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """What makes two sets of remedies the same: kinds and terms, not sums that follow from prices.

    Returns:
        Plain JSON types, in the order of the kinds.
    """
    return sorted(
        [one["kind"], sorted([k, v] for k, v in one.items() if k not in _COUNTED | {"kind"})]
        for one in remedies
    )


def for_all(context: Context, business: Business, facts: Facts, now: datetime) -> dict[str, Any]:
    """What the policy gives for this failure to a customer of whom nothing particular is known.

    It is the incident's own set, beside which each customer's is held.
    """
    policy = context.policy.on(business.industry, now.astimezone(business.zone).date())
    decision = policy.decide(policy.facts(facts.failure, facts.paid))
    return {
        "by": "policy",
        "policy": decision.policy,
        "rules": decision.rules,
        "items": card(decision.remedies),
        "signature": signature(decision.remedies),
    }


def why_different(
    context: Context,
    business: Business,
    facts: Facts,
    remedies: Sequence[Mapping[str, Any]],
    common: Mapping[str, Any],
    now: datetime,
    departure: str | None = None,
) -> list[str]:
    """Why a customer's remedies are not those of the incident; nothing where they are.

    Args:
        context: The desk.
        business: Whose.
        facts: That the policy was asked.
        remedies: What it gave.
        common: As of `for_all`.
        now: The present moment.
        departure: Why it is not what the policy gives them, if it is not.

    Returns:
        Words for staff: each fact that alone changes what the policy gives.
    """
    if signature(remedies) == common.get("signature"):
        return []
    if departure:
        return [departure]
    policy = context.policy.on(business.industry, now.astimezone(business.zone).date())
    plain = policy.facts(facts.failure, facts.paid)
    neutral = signature(policy.decide(plain).remedies)
    causes = []
    for name, fact in FACTS.items():
        value = getattr(facts, name)
        if fact.steers != "worth" or value == getattr(plain, name):
            continue
        if signature(policy.decide(replace(plain, **{name: value})).remedies) != neutral:
            causes.append(f"{fact.label}不同")
    return causes or ["情况不同，按政策另算"]
