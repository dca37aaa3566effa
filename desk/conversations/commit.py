"""Carries out what the bot answered: words, commands and inbox mark in one transaction.

Actions decide and speak; only this module (and staff, through `ownership`) changes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import buttons, phrases
from desk.conversations.rasa import Answer
from recovery.business import Business
from recovery.case import Case, Offer, OfferNotOpenError, apply, hear
from recovery.commands import (
    AcceptOffer,
    BadCommandError,
    CloseCase,
    Command,
    HandOver,
    Invite,
    MakeOffer,
    Note,
    OpenCase,
    RefuseOffer,
    TriedProof,
    from_wire,
)
from recovery.logs import log
from recovery.remedy.catalogue import card, steps
from recovery.remedy.facts import FACTS, Facts, FactsError
from recovery.remedy.policy import BOT as AUTHORITY_OF_BOT
from recovery.remedy.policy import PolicyError
from recovery.store import (
    cases,
    conversations,
    customers,
    decisions,
    fulfilments,
    inbox,
    invitations,
    proofs,
    said,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.decisions import OverBudgetError
from recovery.store.inbox import Message
from recovery.store.proofs import TooManyTriesError
from recovery.store.streams import Entry
from recovery.understood import Understood


class Changed(NamedTuple):
    """A conversation whose place in staff's lists may have changed."""

    business: str
    conversation: str


@dataclass
class _Turn:
    """One commit under way."""

    db: Connection
    context: Context
    conversation: Conversation
    message: Message
    now: datetime
    case: Case | None
    entries: list[Entry] = field(default_factory=list)
    promised: bool = False

    @property
    def changed(self) -> tuple[Changed, ...]:
        return (Changed(self.conversation.business, self.conversation.id),)

    @property
    def business(self) -> Business:
        return self.context.business(self.conversation.business)

    def show(self, stream: str, event_id: str, event: dict[str, Any]) -> None:
        entry = streams.append(self.db, stream, {"id": event_id, **event}, self.now)
        if entry:
            self.entries.append(entry)


class _FoundOtherwiseError(Exception):
    """Staff have found something else than the offer was made from."""


class _GivenBeforeError(Exception):
    """The order of an accepted offer had as many remedied cases as the bot may settle."""


class _TooOftenError(Exception):
    """The customer had as many remedies as the bot may give, some since this was offered."""


@dataclass(frozen=True)
class Committed:
    """What a commit brought about.

    Attributes:
        entries: To be published now.
        promised: Remedies wait to be carried out.
        changed: Conversations whose place in staff's lists may have changed.
    """

    entries: list[Entry]
    promised: bool = False
    changed: tuple[Changed, ...] = ()


def understood_of(parse: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a parse: everything but the words."""
    kept = {name: parse.get(name) for name in ("intent", "entities", "emotion")}
    return {name: value for name, value in kept.items() if value is not None}


def commit_answer(
    db: Connection, context: Context, message: Message, answer: Answer, now: datetime
) -> Committed:
    """Commit the bot's answer to a message.

    Args:
        db: A writing transaction.
        context: The desk.
        message: The message answered; a message that is answered already changes nothing.
        answer: Rasa's answer.
        now: The present moment.

    Returns:
        What to publish. When a person took the conversation while Rasa was thinking, the bot's
        words are dropped: only the owner speaks.
    """
    turn = _begin(db, context, message, now)
    if turn is None:
        return Committed([])
    parse = understood_of(answer.understood)
    heard = Understood.from_parse(answer.understood)
    if not inbox.finish(db, message.id, parse):
        return Committed([])
    # Neither coming in nor a picture says how angry somebody is.
    is_event = message.intent == "entered" or message.picture is not None
    conversations.count_turn(db, turn.conversation.id)
    if turn.conversation.owner != BOT:
        if not is_event:
            _heed(turn, heard)
        return Committed(turn.entries, changed=turn.changed)
    if turn.case and not is_event:
        turn.case = hear(turn.case, heard.anger, turn.now)
    wire, own = _payloads(answer)
    try:
        commands = [from_wire(one) for one in wire]
        _count_proofs(turn, commands)
        _hold_orders(turn, commands)
        offer_before = turn.case.open_offer(now) if turn.case else None
        for command in commands:
            _carry_out(turn, command, heard, is_event=is_event)
    except TooManyTriesError:
        return _instead(turn, "proof_limit", phrases.proof_limit)
    except _GivenBeforeError:
        _withdraw(turn)
        return _instead(turn, "repeated", phrases.repeated)
    except _FoundOtherwiseError:
        _withdraw(turn)
        return _instead(turn, "offer_gone", phrases.offer_gone)
    except OverBudgetError:
        # The offer stands; a person confirms it.
        return _instead(turn, "budget", phrases.over_budget)
    except _TooOftenError:
        return _instead(turn, "repeated", phrases.over_budget)
    except OfferNotOpenError:
        return _instead(turn, "offer_gone", phrases.offer_gone)
    except BadCommandError as error:
        log.error("bad command", conversation=turn.conversation.id, error=str(error))
        return _instead(turn, "error", phrases.given_up)
    spoken = [one for one in answer.messages if one.get("text") and one.get("response")]
    if not spoken and turn.conversation.private and answer.failed:
        return _instead(turn, "error", phrases.given_up)
    offer = turn.case.open_offer(now) if turn.case else None
    if offer and offer != offer_before:
        # The words announce the card, and the card carries their buttons.
        chosen = [button for one in spoken for button in one.pop("buttons", None) or []]
        _speak(turn, spoken, own, offer.id)
        _show_offer(turn, offer.id, chosen)
    else:
        _speak(turn, spoken, own, offer.id if offer else None)
    for command in commands:
        # Who goes on is shown after what was said, as it would be told.
        if isinstance(command, HandOver):
            _hand_over(turn, command.reason)
    if any(isinstance(command, CloseCase) for command in commands):
        closed = {"kind": "closed", "text": phrases.closed()}
        turn.show(turn.conversation.stream, f"{message.id}.closed", closed)
    _save(turn)
    return Committed(turn.entries, turn.promised, turn.changed)


def commit_holding(db: Connection, context: Context, message: Message, now: datetime) -> Committed:
    """Ask the customer for patience, once a message."""
    turn = _begin(db, context, message, now)
    present = inbox.load(db, message.id)
    if turn is None or present is None or turn.conversation.owner != BOT:
        return Committed([])
    if present.holding or present.state != "new":
        # Asked before, or answered at this very moment: patience is not needed any more.
        return Committed([])
    inbox.note_holding(db, message.id)
    turn.show(
        turn.conversation.stream,
        f"{message.id}.hold",
        {"kind": "message", "author": "system", "text": phrases.holding(message.id)},
    )
    return Committed(turn.entries)


def commit_given_up(db: Connection, context: Context, message: Message, now: datetime) -> Committed:
    """Put the conversation into the staff queue because Rasa did not answer in time."""
    turn = _begin(db, context, message, now)
    if turn is None or not inbox.finish(db, message.id, None):
        return Committed([])
    if turn.conversation.owner != BOT:
        return Committed([], changed=turn.changed)
    return _instead(turn, "error", phrases.given_up)


def commit_overheard(
    db: Connection,
    context: Context,
    message: Message,
    understood: dict[str, Any] | None,
    now: datetime,
) -> Committed | None:
    """Take anger and danger of a message into the case that a person looks after.

    Returns:
        What to publish; None, with nothing done, when the person has given the conversation
        back meanwhile: then the bot has to answer.
    """
    turn = _begin(db, context, message, now)
    if turn is not None and turn.conversation.owner == BOT:
        return None
    if turn is None or not inbox.finish(
        db, message.id, understood_of(understood) if understood else None
    ):
        return Committed([])
    if understood:
        # What is overheard stands in the tracker like a turn, and replaying it takes as long.
        conversations.count_turn(db, turn.conversation.id)
        if message.picture is None:
            _heed(turn, Understood.from_parse(understood))
    if message.picture and turn.case:
        _note_picture(turn)
    return Committed(turn.entries, changed=turn.changed)


def _note_picture(turn: _Turn) -> None:
    """A picture that comes while a person has the case is evidence as any other."""
    if turn.case is None or turn.case.facts.get("evidence") == "photo":
        return
    command = Note({"evidence": "photo"})
    # Nothing else changes: what a person has settled stays so.
    turn.case = replace(turn.case, facts={**turn.case.facts, **command.facts})
    _save(turn)
    cases.log(turn.db, turn.case.id, turn.message.id, command, turn.now)


def _begin(db: Connection, context: Context, message: Message, now: datetime) -> _Turn | None:
    conversation = conversations.load(db, message.conversation_id, lock=True)
    if conversation is None:
        return None
    case = cases.load(db, conversation.case_id)
    return _Turn(db, context, conversation, message, now, case)


def _save(turn: _Turn) -> None:
    if turn.case:
        owner = turn.conversation
        decisions.settle(turn.db, turn.case.offers, turn.now)
        cases.save(turn.db, turn.case, owner.business, owner.customer_id, turn.now)


def _heed(turn: _Turn, heard: Understood) -> None:
    """Take anger and danger of a message into the case that a person looks after.

    Where somebody may be hurt there is a case at once, at the top of the queue, whoever owns
    the conversation and whatever it waited for.
    """
    danger = "safety" in heard.flags
    commands: list[Command] = []
    if danger and turn.case is None:
        commands.append(OpenCase("s" + turn.message.id[1:], safety=True))
    if danger and (turn.case is None or turn.case.reason != "safety"):
        by = turn.case.promised_by if turn.case else None
        by = by or turn.business.person_by(turn.now).isoformat()
        commands.append(HandOver("safety", by))
    for command in commands:
        turn.case = apply(turn.case, command, turn.now)
        if isinstance(command, OpenCase):
            conversations.bind_case(turn.db, turn.conversation.id, command.case)
    if turn.case is None:
        return
    turn.case = hear(turn.case, heard.anger, turn.now)
    _save(turn)
    for command in commands:
        cases.log(turn.db, turn.case.id, turn.message.id, command, turn.now)
    if danger:
        _bring_to_the_top(turn, turn.case.id)


def _bring_to_the_top(turn: _Turn, case_id: str) -> None:
    """Show staff that this is about somebody's safety, in public and in private."""
    conversations.note_reason(turn.db, turn.conversation.id, "safety")
    private = conversations.of_case(turn.db, case_id, "private")
    if turn.conversation.private or private is None:
        return
    if private.owner == BOT:
        _hand_over(turn, "safety")
    conversations.note_reason(turn.db, private.id, "safety")


def _payloads(answer: Answer) -> tuple[list[Any], set[str]]:
    wire: list[Any] = []
    own: set[str] = set()
    for one in answer.messages:
        custom = one.get("custom") or {}
        wire += custom.get("commands") or []
        own |= set(custom.get("own") or [])
    return wire, own


def _count_proofs(turn: _Turn, commands: list[Command]) -> None:
    """Count tries before anything else is done, so that one over the limit does nothing."""
    for command in commands:
        if isinstance(command, TriedProof):
            customer = customers.load(turn.db, turn.conversation.customer_id)
            if command.vouched and customer.proved:
                continue
            proofs.record(
                turn.db,
                turn.conversation.business,
                command.order_number,
                turn.conversation.customer_id,
                correct=command.correct,
                limits=turn.context.settings.limits,
                now=turn.now,
            )


def _hold_orders(turn: _Turn, commands: list[Command]) -> None:
    """Let an order not pay again and again, and a budget not be passed: all take turns.

    Raises:
        _GivenBeforeError: It had its remedies in other cases. Nothing is accepted.
        OverBudgetError: The goodwill of the day or the customer is used up. Nothing is accepted.
        _TooOftenError: The customer had too much elsewhere meanwhile. Nothing is accepted.
        _FoundOtherwiseError: Staff have found something else meanwhile. Nothing is accepted.
    """
    if turn.case is None:
        return
    wanted = [turn.case.offer(one.offer) for one in commands if isinstance(one, AcceptOffer)]
    # What is not open is not accepted, whatever was given elsewhere.
    offers = [one for one in wanted if one is not None and one.open_at(turn.now)]
    if not offers:
        return
    if any(_found_otherwise(turn.case, offer) for offer in offers):
        raise _FoundOtherwiseError(offers[0].id)
    business = turn.conversation.business
    # All in one order, orders before the budget: nobody waits for who waits for him.
    for number in sorted({one.order_number for one in offers}):
        fulfilments.hold_order(turn.db, business, number)
    most = turn.context.settings.limits.remedied_cases_per_order
    for offer in offers:
        if fulfilments.given_before(turn.db, business, offer.order_number, turn.case.id, most):
            raise _GivenBeforeError(offer.order_number)
    decisions.hold_budgets(turn.db, business)
    for offer in offers:
        _check_claims(turn, turn.case, offer)
        decisions.check_budgets(
            turn.db,
            business,
            offer.id,
            turn.business.day_began(turn.now),
            turn.business.goodwill_per_day,
            turn.business.goodwill_per_customer,
            turn.now,
        )


def _check_claims(turn: _Turn, case: Case, offer: Offer) -> None:
    """See whether a person has to look, since the customer took other offers after this one.

    Several may be open at the same time, each made when the others had not been accepted.

    Raises:
        _TooOftenError: With as many remedies, the policy would not have let the bot offer it.
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
    if before.authority == AUTHORITY_OF_BOT != after.authority:
        raise _TooOftenError(offer.id)


def _found_otherwise(case: Case, offer: Offer) -> bool:
    """Whether staff have set fault or finding since an offer was made from others."""
    set_now = {name: case.facts[name] for name in ("fault", "finding") if name in case.facts}
    return any(offer.facts.get(name, value) != value for name, value in set_now.items())


def _withdraw(turn: _Turn) -> None:
    """Take the open offer back, so that it is not accepted again."""
    offer = turn.case.open_offer(turn.now) if turn.case else None
    if turn.case is None or offer is None:
        return
    offers = tuple(
        replace(one, state="replaced") if one.id == offer.id else one for one in turn.case.offers
    )
    turn.case = replace(turn.case, offers=offers)
    _show_offer(turn, offer.id)


def _carry_out(turn: _Turn, command: Command, heard: Understood, *, is_event: bool) -> None:
    if isinstance(command, MakeOffer):
        # Before anything is done: what cannot be kept leaves no trace.
        _keep_policy(turn, command.policy)
    turn.case = apply(turn.case, command, turn.now)
    if isinstance(command, OpenCase) and turn.case:
        turn.case = turn.case if is_event else hear(turn.case, heard.anger, turn.now)
        conversations.bind_case(turn.db, turn.conversation.id, turn.case.id)
        _save(turn)
    if turn.case:
        cases.log(turn.db, turn.case.id, turn.message.id, command, turn.now)
    match command:
        case Invite():
            _invite(turn, reminder=command.reminder)
        case MakeOffer():
            _show_replaced(turn, command.offer)
            _decided(turn, command)
        case AcceptOffer():
            _accepted(turn, command.offer)
        case RefuseOffer():
            _show_offer(turn, command.offer)


def _keep_policy(turn: _Turn, name: str) -> None:
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


def _decided(turn: _Turn, command: MakeOffer) -> None:
    """Write the decision down."""
    if turn.case is None:
        return
    _save(turn)
    decisions.made(
        turn.db,
        command,
        case_id=turn.case.id,
        business=turn.conversation.business,
        customer_id=turn.conversation.customer_id,
        channel="web",
        anger=turn.case.level,
        now=turn.now,
    )


def _invite(turn: _Turn, *, reminder: bool) -> None:
    """Show an invitation to this customer alone; reminders are quieter and never pile up."""
    if turn.conversation.private:
        return
    standing = invitations.open_for(turn.db, turn.conversation.id, turn.now)
    kind = "reminder" if reminder or standing else "invitation"
    token, invitation = invitations.issue(
        turn.db,
        turn.conversation,
        timedelta(minutes=turn.business.invitation_minutes),
        turn.context.secrets.signing_key,
        turn.now,
    )
    turn.show(
        turn.conversation.stream,
        f"{turn.message.id}.invite",
        {
            "kind": kind,
            "token": token,
            "matter": turn.case.matter if turn.case and turn.case.has_matter else "",
            "text": "这里只有您和我们看得到",
            "expires": invitation.expires_at,
        },
    )


def _hand_over(turn: _Turn, reason: str) -> None:
    target = turn.conversation
    if not target.private and turn.case:
        target = conversations.of_case(turn.db, turn.case.id, "private") or target
    if target.owner == BOT:
        conversations.change_owner(turn.db, target, QUEUE, turn.now, expected=(BOT,), reason=reason)
        turn.context.metrics.handovers.labels(reason).inc()
    if target.private:
        time = turn.business.person_by_words(turn.now)
        turn.show(
            target.stream,
            f"{turn.message.id}.owner",
            {"kind": "owner", "owner": "queue", "name": "", "text": phrases.queued(time)},
        )


def _accepted(turn: _Turn, offer_id: str) -> None:
    offer = turn.case.offer(offer_id) if turn.case else None
    if turn.case is None or offer is None:
        raise OfferNotOpenError(offer_id)
    _save(turn)
    fulfilments.promise(turn.db, turn.conversation, turn.case.id, offer, turn.now)
    turn.promised = True
    _show_offer(turn, offer_id)


def _show_replaced(turn: _Turn, new: str) -> None:
    for offer in turn.case.offers if turn.case else ():
        if offer.state == "replaced" and offer.id != new:
            _show_offer(turn, offer.id)


def _show_offer(turn: _Turn, offer_id: str, choices: Sequence[dict[str, Any]] = ()) -> None:
    """Show an offer or its new state; pages keep one card for each offer."""
    offer = turn.case.offer(offer_id) if turn.case else None
    conversation = turn.conversation
    if offer is None or not conversation.private:
        return
    key = turn.context.secrets.signing_key
    turn.show(
        conversation.stream,
        f"{offer.id}.{offer.state}",
        {
            "buttons": buttons.signed(list(choices), conversation.id, offer.id, key),
            "kind": "offer",
            "offer": offer.id,
            "items": card(offer.remedies),
            "reason": offer.reason,
            "steps": steps(offer.remedies),
            "expires": offer.expires_at,
            "state": offer.state,
            **({"provisional": True} if offer.provisional else {}),
        },
    )


def _speak(turn: _Turn, spoken: list[dict[str, Any]], own: set[str], offer: str | None) -> None:
    conversation, business = turn.conversation, turn.business
    aside = [one for one in spoken if one["response"] in own]
    aloud = [one for one in spoken if one["response"] not in own]
    base = {"kind": "message", "author": "bot", "name": business.assistant}
    if conversation.private:
        for place, one in enumerate(aloud):
            event = {**base, "text": one["text"]}
            shown = buttons.signed(
                one.get("buttons") or [],
                conversation.id,
                offer,
                turn.context.secrets.signing_key,
            )
            if shown:
                event["buttons"] = shown
            turn.show(conversation.stream, f"{turn.message.id}.r{place}", event)
    elif aloud:
        # One post a turn in public, at most two sentences.
        text = "".join(one["text"] for one in aloud)
        event = {**base, "text": text, "reply_to": turn.message.id}
        turn.show(conversation.shown_in, f"{turn.message.id}.r", event)
    for place, one in enumerate(aside):
        event = {**base, "text": one["text"], "reply_to": turn.message.id}
        turn.show(conversation.stream, f"{turn.message.id}.o{place}", event)
    variants = [one["variant"] for one in spoken if one.get("variant")]
    said.remember(turn.db, conversation.customer_id, variants, turn.now)


def _instead(turn: _Turn, reason: str, phrase: Any) -> Committed:  # noqa: ANN401 - one of phrases
    """Speak the desk's own sentence and bring a person, in place of the bot's answer."""
    by = turn.business.person_by(turn.now)
    turn.case = apply(turn.case, HandOver(reason, by.isoformat()), turn.now)
    turn.show(
        turn.conversation.stream,
        f"{turn.message.id}.i",
        {
            "kind": "message",
            "author": "system",
            "text": phrase(turn.message.id, turn.business.person_by_words(turn.now)),
        },
    )
    _hand_over(turn, reason)
    _save(turn)
    return Committed(turn.entries, False, turn.changed)
