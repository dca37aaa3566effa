"""What a member of staff would give: held beside the policy, judged, offered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

from sqlalchemy import Connection

from desk.aside import aside
from desk.context import Context
from desk.conversations.dealing import offer_by_staff
from desk.conversations.turn import Turn, save
from desk.errors import PageError
from desk.staff.advice import Advisor, Found, turn_of
from recovery.commands import MakeOffer
from recovery.dialogue.advice import NoAdviceError, advise, advise_forms, matter_of
from recovery.dialogue.offering import RECOMMENDATION, filled
from recovery.logs import log
from recovery.orders.system import Item, OrderSystemError, Product
from recovery.remedy.catalogue import Remedy, card
from recovery.remedy.departing import Verdict, judge
from recovery.remedy.elsewhere import Promised, elsewhere
from recovery.remedy.facts import FactsError
from recovery.remedy.policy import PolicyError
from recovery.remedy.wishes import BadWishError, Wished, as_policy, read_wishes, weigh
from recovery.roles import authority_of
from recovery.store import audit_log, cases, clocks, conversations, decisions, fulfilments
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.staff import Staff

_PRODUCT_SECONDS = 2.0
_SPECIAL = "这是我们为您特别安排的"
_LACKS = {
    "no_case": "这段会话还没有案子，没有可以补救的",
    "no_order": "还没有核对订单，核对以后才能提出补救",
    "order_gone": "订单系统里找不到这个订单",
    "orders_away": "订单系统暂时没有回应，请稍后再试",
    "no_matter": "还不知道是什么事，政策算不出方案",
    "no_item": "还不知道是订单里的哪一件，政策算不出方案",
    "no_policy": "政策对这件事现在没有答案",
    "given": "已经办过一份方案，还要补的请写明给什么、为什么",
}
_BUDGETS = {"day": "今天的心意额度", "customer": "这位顾客30天的心意额度"}


@dataclass(frozen=True)
class Proposal:
    """What would be given, not offered yet.

    Attributes:
        found: The case and its order.
        item: The article that it is about.
        wished: What would be given, beside the policy.
        verdict: Whether who proposes it may give it.
        repeated: The order had its remedies in other cases: a person has to say why more.
    """

    found: Found
    item: Item | None
    wished: Wished
    verdict: Verdict
    repeated: bool = False

    @property
    def needs_reason(self) -> bool:
        """Whether it departs from what the policy gives an order once."""
        return self.wished.departs or self.repeated

    @property
    def items(self) -> list[dict[str, Any]]:
        """The lines of its card, each with its worth in fen, None for what has no price."""
        return items_of(self.wished.remedies)


def items_of(remedies: Sequence[Remedy]) -> list[dict[str, Any]]:
    """The lines of a card, each with its worth in fen, None for what has no price."""
    lines = card(list(remedies))
    return [{**line, "worth": one.get("worth")} for line, one in zip(lines, remedies, strict=True)]


def no_advice(lacks: str) -> PageError:
    """Say why nothing can be offered."""
    return PageError(409, "no_advice", _LACKS.get(lacks, _LACKS["no_policy"]))


async def found_for(advisor: Advisor, conversation_id: str) -> Found:
    """The case of a conversation and its order, read outside of any transaction.

    Raises:
        PageError: 409 `no_advice`.
    """
    try:
        return await advisor.found(conversation_id)
    except NoAdviceError as error:
        raise no_advice(error.lacks) from error


def propose(
    db: Connection, context: Context, found: Found, role: str, wishes: object, now: datetime
) -> Proposal:
    """Hold what a member of staff would give beside the policy, with the facts as they stand.

    Args:
        db: A transaction.
        context: The desk.
        found: The case and its order; the case is read anew.
        role: Of the member.
        wishes: As a page sends them; None for what the policy gives.
        now: The present moment.

    Raises:
        BadWishError: Nobody may give this.
        PageError: 409 `no_advice`.
    """
    case = cases.load(db, found.case.id)
    if case is None or case.order_number != found.order.number:
        raise no_advice("no_order")
    if wishes is None and case.given:
        raise no_advice("given")
    found = found._replace(case=case)
    business, order = found.business, found.order
    turn = turn_of(db, context, business, case, now)
    had = elsewhere(
        starmap(Promised, fulfilments.of_order(db, business.id, order.number, case.id)), order.paid
    )
    try:
        decision = advise(turn, case, order)
        item = matter_of(turn, case, order).item
        if wishes is None:
            wished = as_policy(decision, had)
        else:
            wished = weigh(
                read_wishes(wishes, turn.policy),
                decision,
                advise_forms(turn, case, order),
                given=case.given,
                most_beyond_paid=business.departures.whole_offer,
                elsewhere=had,
            )
    except NoAdviceError as error:
        raise no_advice(error.lacks) from error
    except (PolicyError, FactsError) as error:
        log.error("policy gives no advice", case=case.id, error=str(error))
        raise no_advice("no_policy") from error
    passed = decisions.budget_passed(
        db,
        business.id,
        order.customer,
        wished.goodwill_fen,
        business.day_began(now),
        business.goodwill_per_day,
        business.goodwill_per_customer,
        now,
        customer_id=cases.customer_of(db, case.id),
    )
    over = _BUDGETS[passed] if passed else None
    verdict = judge(wished, role, business.departures, over_budget=over)
    if had.cases:
        verdict = replace(verdict, why=f"{had.words}；{verdict.why}")
    repeated = had.cases >= context.settings.limits.remedied_cases_per_order
    return Proposal(found, item, wished, verdict, repeated)


def previewed(
    db: Connection, context: Context, found: Found, role: str, wishes: object
) -> dict[str, Any]:
    """`Preview` of docs/staff-api.md.

    Raises:
        PageError: 409 `no_advice`.
    """
    now = context.clock()
    try:
        one = propose(db, context, found, role, wishes, now)
    except BadWishError as error:
        plain = turn_of(db, context, found.business, found.case, now)
        decision = advise(plain, found.case, found.order)
        return {
            "items": [],
            "worth_fen": 0,
            "policy_fen": decision.worth.fen,
            "floor_fen": decision.floor_worth.fen,
            "needed": "manager",
            "allowed": False,
            "departs": True,
            "why": error.sentence,
            "refused": error.sentence,
        }
    return {
        "items": one.items,
        "worth_fen": one.wished.worth,
        "policy_fen": one.wished.policy_fen,
        "floor_fen": one.wished.floor_fen,
        "needed": one.verdict.needed,
        "allowed": one.verdict.allowed,
        "departs": one.needs_reason,
        "why": one.verdict.why,
        "refused": one.verdict.refused,
    }


async def recommended(context: Context, proposal: Proposal) -> Product | None:
    """The product that a recommendation names; the offer can do without it."""
    kinds = {one["kind"] for one in proposal.wished.remedies}
    if RECOMMENDATION not in kinds:
        return None
    found = proposal.found
    call = aside(context.orders.recommend, found.business.id, found.order.number)
    try:
        return await asyncio.wait_for(call, _PRODUCT_SECONDS)
    except (OrderSystemError, TimeoutError) as error:
        log.warning("order system away", case=found.case.id, error=str(error))
        return None


def offer(
    turn: Turn,
    proposal: Proposal,
    who: Staff,
    *,
    offer_id: str,
    reason: str,
    product: Product | None,
    agreed: bool,
    act: str = "offer",
    more: dict[str, Any] | None = None,
) -> None:
    """Put a proposal that may be given before the customer, and write down who did.

    Args:
        turn: The transaction, with the conversation held and the case as in the proposal.
        proposal: Made in the same transaction; `who` may give it.
        who: Who gives it.
        offer_id: Its id.
        reason: Why it departs from the policy.
        product: As of `recommended`.
        agreed: The customer has said yes already.
        act: Of the audit log.
        more: Beside what the audit log keeps in any case.

    Raises:
        OfferNotOpenError, OverBudgetError, GivenBeforeError, TooOftenError, FoundOtherwiseError:
            It cannot be taken, where `agreed`.
    """
    wished, found, business = proposal.wished, proposal.found, proposal.found.business
    remedies = [filled(one, business, turn.now, proposal.item, product) for one in wished.remedies]
    decision = wished.decision
    command = MakeOffer(
        offer=offer_id,
        order_number=found.order.number,
        order_customer=found.order.customer,
        remedies=remedies,
        rules=decision.rules,
        policy=decision.policy,
        day=decision.day,
        facts=decision.facts.to_wire(),
        reason=decision.reason or _SPECIAL,
        why=decision.reasons,
        round=decision.facts.round,
        expires_at=(turn.now + timedelta(hours=business.offer_hours)).isoformat(),
        floor_fen=wished.floor_fen,
        goodwill_fen=wished.goodwill_fen,
        provisional=decision.provisional,
        by=staff_owner(who.id),
        authority=authority_of(who.role) or "agent",
        departure=reason if proposal.needs_reason else None,
    )
    offer_by_staff(turn, command, agreed=agreed)
    save(turn)
    conversations.staff_answered(turn.db, turn.conversation.id)
    clocks.staff_answered(turn.db, turn.conversation, business, turn.now)
    audit_log.note(
        turn.db,
        who,
        act,
        turn.now,
        business=turn.conversation.business,
        target=turn.conversation.id,
        detail={
            "offer": offer_id,
            "kinds": [one["kind"] for one in remedies],
            "worth_fen": wished.worth,
            "policy_fen": wished.policy_fen,
            "beyond_fen": wished.beyond_fen,
            "departs": wished.departs,
            "repeated": proposal.repeated,
            "agreed": agreed,
            **(more or {}),
        },
    )


def begin_turn(db: Connection, context: Context, conversation: Conversation, who: Staff) -> Turn:
    """A transaction of staff on a conversation that is held."""
    case = cases.load(db, conversation.case_id)
    return Turn(db, context, conversation, f"w-{who.id}", context.clock(), case)
