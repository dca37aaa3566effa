"""Offers on their way through the desk: made, shown, taken, taken back; whoever made them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import buttons, phrases, promising
from desk.conversations.ingest import customer_waits
from desk.conversations.turn import Committed, Turn, save
from recovery.case import Case, Offer, OfferNotOpenError, apply, without_offer
from recovery.commands import AcceptOffer, BadCommandError, Command, MakeOffer, RefuseOffer
from recovery.dialogue.offering import next_steps
from recovery.orders.system import fold_order_number
from recovery.remedy.catalogue import card, steps
from recovery.remedy.facts import FACTS, Facts, FactsError
from recovery.remedy.policy import MANAGER, PolicyError
from recovery.roles import suffices
from recovery.store import cases, clocks, conversations, decisions, fulfilments, inbox, streams
from recovery.store.conversations import BOT
from recovery.store.decisions import OverBudgetError
from recovery.store.inbox import Message

_FOUND = ("failure", "fault", "finding")


class FoundOtherwiseError(Exception):
    """Staff have found something else than the offer was made from."""


class GivenBeforeError(Exception):
    """The order of an accepted offer had as many remedied cases as the bot may settle."""


class TooOftenError(Exception):
    """The customer had as many remedies as the bot may give, some since this was offered."""


def hold_orders(turn: Turn, commands: list[Command]) -> None:
    """Let an order not pay again and again, and a budget not be passed: all take turns.

    Raises:
        GivenBeforeError: It had its remedies in other cases; of an offer of staff, who knew of
            those, since it was made. Nothing is accepted.
        OverBudgetError: The goodwill of the day or the customer is used up. Nothing is accepted.
        TooOftenError: The customer had too much elsewhere meanwhile. Nothing is accepted.
        FoundOtherwiseError: Staff have found something else meanwhile. Nothing is accepted.
    """
    if turn.case is None:
        return
    wanted = [turn.case.offer(one.offer) for one in commands if isinstance(one, AcceptOffer)]
    # What is not open is not accepted, whatever was given elsewhere.
    offers = [one for one in wanted if one is not None and one.open_at(turn.now)]
    if not offers:
        return
    if any(_found_otherwise(turn.case, offer) for offer in offers):
        raise FoundOtherwiseError(offers[0].id)
    business = turn.conversation.business
    # All in one order, orders before the budget: nobody waits for who waits for him.
    for number in sorted({one.order_number for one in offers}):
        fulfilments.hold_order(turn.db, business, number)
    most = turn.context.settings.limits.remedied_cases_per_order
    for offer in offers:
        if _given_before(turn, turn.case, offer, most):
            raise GivenBeforeError(offer.order_number)
    decisions.hold_budgets(turn.db, business)
    for offer in offers:
        _check_claims(turn, turn.case, offer)
        if offer.authority == MANAGER:
            # A manager may pass the budgets, and has.
            continue
        decisions.check_budgets(
            turn.db,
            business,
            offer.id,
            turn.business.day_began(turn.now),
            turn.business.goodwill_per_day,
            turn.business.goodwill_per_customer,
            turn.now,
        )


def _given_before(turn: Turn, case: Case, offer: Offer, most: int) -> bool:
    business = turn.conversation.business
    if not offer.by_staff:
        return fulfilments.given_before(turn.db, business, offer.order_number, case.id, most)
    made = decisions.made_at(turn.db, offer.id)
    return made is not None and fulfilments.given_since(
        turn.db, business, offer.order_number, case.id, made
    )


def _check_claims(turn: Turn, case: Case, offer: Offer) -> None:
    """See whether a person has to look, since the customer took other offers after this one.

    Several may be open at the same time, each made when the others had not been accepted.

    Raises:
        TooOftenError: With as many remedies, the policy would not have let them offer it.
    """
    if not offer.order_customer:
        return
    business = turn.business
    had = decisions.history(
        turn.db, business.id, offer.order_customer, "", case.id, turn.now
    ).claims
    try:
        then = Facts.from_wire(offer.facts)
        if had <= then.claims:
            return
        day = turn.now.astimezone(business.zone).date()
        policy = turn.context.policy.on(business.industry, day)
        now = replace(then, claims=min(had, FACTS["claims"].most))
        before, after = policy.decide(then), policy.decide(now)
    except (FactsError, PolicyError):
        # Made by an older policy, with other facts: it stands as it was offered.
        return
    if before.authority != after.authority and not suffices(offer.authority, after.authority):
        raise TooOftenError(offer.id)


def _found_otherwise(case: Case, offer: Offer) -> bool:
    """Whether an offer was made from something else than what is known now.

    Fault and finding are set by staff; order, failure and article may be put right by them.
    """
    order = case.order_number
    if order is not None and fold_order_number(order) != fold_order_number(offer.order_number):
        return True
    known = {name: case.facts[name] for name in _FOUND if name in case.facts}
    if any(offer.facts.get(name, value) != value for name, value in known.items()):
        return True
    item = case.facts.get("item")
    return item is not None and any(one.get("sku", item) != item for one in offer.remedies)


def withdraw(turn: Turn) -> None:
    """Take the open offer back, so that it is not accepted again."""
    offer = turn.case.open_offer(turn.now) if turn.case else None
    if turn.case is None or offer is None:
        return
    turn.case = without_offer(turn.case, turn.now)
    show_offer(turn, offer.id)


def withdraw_in_private(turn: Turn) -> None:
    """The same from either part of a case: the card of an offer stands in the private one."""
    private = conversations.of_case(turn.db, turn.case.id, "private") if turn.case else None
    if private is None:
        return
    # What is shown there is kept with the rest.
    shown = replace(turn, conversation=private)
    withdraw(shown)
    turn.case = shown.case


def keep_policy(turn: Turn, name: str) -> None:
    """Keep the policy that an offer is made with.

    Raises:
        BadCommandError: It is neither kept nor the running one. Nothing is offered that could not
            be decided again later.
    """
    if decisions.policy_kept(turn.db, name):
        return
    book = turn.context.policy.book
    if book.name != name:
        # The actions may have seen a release a moment before this process.
        book = turn.context.policy.fresh()
    if book.name != name:
        raise BadCommandError(f"policy {name[:64]!r} is not the running {book.name}")
    decisions.keep_policy(turn.db, book.name, book.to_bundle(), turn.now)


def decided(turn: Turn, command: MakeOffer) -> None:
    """Write the decision down."""
    if turn.case is None:
        return
    save(turn)
    decisions.made(
        turn.db,
        command,
        case_id=turn.case.id,
        business=turn.conversation.business,
        customer_id=turn.conversation.customer_id,
        channel=turn.conversation.channel,
        anger=turn.case.level,
        now=turn.now,
        decided_by=command.by,
        departure=command.departure,
    )


def accepted(turn: Turn, offer_id: str) -> None:
    """Promise what an accepted offer gives, and show that it is taken."""
    offer = turn.case.offer(offer_id) if turn.case else None
    if turn.case is None or offer is None:
        raise OfferNotOpenError(offer_id)
    save(turn)
    promising.promise(turn.db, turn.context, turn.conversation, turn.case.id, offer, turn.now)
    turn.promised = True
    show_offer(turn, offer_id)


def show_replaced(turn: Turn, new: str) -> None:
    """Show that offers which stood are no longer open."""
    for offer in turn.case.offers if turn.case else ():
        if offer.state == "replaced" and offer.id != new:
            show_offer(turn, offer.id)


def show_offer(turn: Turn, offer_id: str, choices: Sequence[dict[str, Any]] = ()) -> None:
    """Show an offer or its new state; pages keep one card for each offer."""
    offer = turn.case.offer(offer_id) if turn.case else None
    conversation = turn.conversation
    if offer is None or not conversation.private:
        return
    key = turn.context.secrets.signing_key
    event = {
        "buttons": buttons.signed(list(choices), conversation.id, offer.id, key),
        "kind": "offer",
        "offer": offer.id,
        "items": card(offer.remedies),
        "reason": offer.reason,
        "steps": steps(offer.remedies),
        "expires": offer.expires_at,
        "state": offer.state,
        **({"provisional": True} if offer.provisional else {}),
    }
    turn.show(conversation.stream, f"{offer.id}.{offer.state}", event)
    if offer.state != "open" and turn.case is not None:
        _show_elsewhere(turn, turn.case.id, offer, event)


def _show_elsewhere(turn: Turn, case_id: str, offer: Offer, event: dict[str, Any]) -> None:
    """Show what became of an offer wherever else its card stands: one case, several chats."""
    for one in conversations.all_of_case(turn.db, case_id):
        if one.id == turn.conversation.id or not one.private:
            continue
        if streams.event(turn.db, one.stream, f"{offer.id}.open"):
            turn.show(one.stream, f"{offer.id}.{offer.state}", {**event, "buttons": []})


# --- offers of staff, and what the desk settles itself ----------------------------------------

_CARD = (
    {"title": "就这样办", "payload": "accept"},
    {"title": "不接受", "payload": "refuse"},
)


def offer_by_staff(turn: Turn, command: MakeOffer, *, agreed: bool) -> None:
    """Make an offer of staff; with `agreed` the customer has taken it already.

    Raises:
        OfferNotOpenError, OverBudgetError, GivenBeforeError, TooOftenError, FoundOtherwiseError:
            It cannot be taken.
    """
    keep_policy(turn, command.policy)
    _fold(turn, command)
    show_replaced(turn, command.offer)
    decided(turn, command)
    if agreed:
        take_offer(turn, command.offer)
    else:
        show_offer(turn, command.offer, _CARD)


def take_offer(turn: Turn, offer_id: str) -> None:
    """Accept an open offer; what it gives is promised.

    Raises:
        OfferNotOpenError: It is not open (any more).
        OverBudgetError, GivenBeforeError, TooOftenError, FoundOtherwiseError: See `hold_orders`.
    """
    command = AcceptOffer(offer_id)
    hold_orders(turn, [command])
    _fold(turn, command)
    accepted(turn, offer_id)


def refuse_offer(turn: Turn, offer_id: str) -> None:
    """Turn an open offer down, and show it.

    Raises:
        OfferNotOpenError: It is not open (any more).
    """
    _fold(turn, RefuseOffer(offer_id))
    show_offer(turn, offer_id)


def commit_pressed(
    db: Connection, context: Context, message: Message, now: datetime
) -> Committed | None:
    """Settle a pressed acceptance or refusal while people own the conversation.

    The bot is not asked: only what the button means is done, once, and the conversation stays
    with its owner, who sees it.

    Args:
        db: A writing transaction.
        context: The desk.
        message: The pressed button, see `is_settled_here`.
        now: The present moment.

    Returns:
        What to publish; None, with nothing done, when the bot owns the conversation again: then
        the bot answers.
    """
    conversation = conversations.load(db, message.conversation_id, lock=True)
    if conversation is not None and conversation.owner == BOT:
        return None
    if conversation is None or not inbox.finish(db, message.id, None):
        return Committed([])
    case = cases.load(db, conversation.case_id)
    turn = Turn(db, context, conversation, message.id, now, case)
    pressed = message.pressed or {}
    text, agreed = _settled(turn, str(pressed.get("act")), str(pressed.get("offer")))
    if agreed:
        # What happens next was said: nobody waits for an answer, but it comes up again.
        conversations.snooze(db, conversation.id, None, now)
        clocks.customer_agreed(db, conversation, turn.business, now)
    else:
        customer_waits(db, context, conversation, now)
    _say(turn, text)
    save(turn)
    return Committed(turn.entries, turn.promised, turn.changed)


def is_settled_here(message: Message) -> bool:
    """Whether a message is a button that the desk settles itself while people answer."""
    pressed = message.pressed or {}
    return pressed.get("act") in ("accept", "refuse") and pressed.get("offer") is not None


def _settled(turn: Turn, act: str, offer_id: str) -> tuple[str, bool]:
    """Do what a button means; gives what the customer reads, and whether all is agreed now."""
    time = turn.business.person_by_words(turn.now)
    try:
        if act == "accept":
            take_offer(turn, offer_id)
            offer = turn.case.offer(offer_id) if turn.case else None
            remedies = offer.remedies if offer else []
            steps_next = next_steps(turn.business, turn.now, remedies)
            return phrases.agreed(turn.source, steps_next), True
        refuse_offer(turn, offer_id)
        return phrases.refused(turn.source), False
    except GivenBeforeError:
        withdraw(turn)
        return phrases.repeated(turn.source, time), False
    except FoundOtherwiseError:
        withdraw(turn)
        return phrases.offer_gone(turn.source, time), False
    except (OverBudgetError, TooOftenError):
        # The offer stands; a person confirms it.
        return phrases.over_budget(turn.source, time), False
    except OfferNotOpenError:
        return phrases.offer_gone(turn.source, time), False


def _fold(turn: Turn, command: Command) -> None:
    turn.case = apply(turn.case, command, turn.now)
    if turn.case:
        cases.log(turn.db, turn.case.id, turn.source, command, turn.now)


def _say(turn: Turn, text: str) -> None:
    event = {"kind": "message", "author": "system", "text": text}
    turn.show(turn.conversation.stream, f"{turn.source}.i", event)
