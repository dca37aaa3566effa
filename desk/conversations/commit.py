"""Carries out what the bot answered: words, commands and inbox mark in one transaction.

Actions decide and speak; only this module (and staff, through `ownership`) changes anything.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.aftercare.beside import say_beside
from desk.context import Context
from desk.conversations import buttons, phrases, progress_asked
from desk.conversations.commented import COMMENT, fit
from desk.conversations.continuing import go_on
from desk.conversations.dealing import (
    FoundOtherwiseError,
    GivenBeforeError,
    TooOftenError,
    accepted,
    commit_pressed,
    decided,
    hold_orders,
    is_settled_here,
    keep_policy,
    show_offer,
    show_replaced,
    withdraw,
)
from desk.conversations.ingest import ENTERED
from desk.conversations.queueing import outlook
from desk.conversations.rasa import Answer
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.conversations.unasked import CLOSED, withdraw_requests
from recovery.case import OfferNotOpenError, apply, hear
from recovery.commands import (
    AcceptOffer,
    BadCommandError,
    CloseCase,
    Command,
    ContinueCase,
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
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    inbox,
    invitations,
    notices,
    proofs,
    said,
)
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.decisions import OverBudgetError
from recovery.store.inbox import Message
from recovery.store.notices import Notice
from recovery.store.proofs import TooManyTriesError
from recovery.understood import Understood

__all__ = [
    "Changed",
    "Committed",
    "commit_answer",
    "commit_given_up",
    "commit_holding",
    "commit_overheard",
    "understood_of",
]


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
    if turn.conversation.owner != BOT and is_settled_here(message):
        # What the bot says is dropped, but not what the customer has decided.
        return commit_pressed(db, context, message, now) or Committed([])
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
            _not_answered(turn, message)
        return turn.committed
    if turn.case and not is_event:
        turn.case = hear(turn.case, heard.anger, turn.now)
    wire, own = _payloads(answer)
    try:
        commands = [from_wire(one) for one in wire]
        _count_proofs(turn, commands)
        hold_orders(turn, commands)
        offer_before = turn.case.open_offer(now) if turn.case else None
        for command in commands:
            if not _is_for_a_person(turn, command):
                _carry_out(turn, command, heard, is_event=is_event)
    except TooManyTriesError:
        return _instead(turn, "proof_limit", phrases.proof_limit)
    except GivenBeforeError:
        withdraw(turn)
        return _instead(turn, "repeated", phrases.repeated)
    except FoundOtherwiseError:
        withdraw(turn)
        return _instead(turn, "offer_gone", phrases.offer_gone)
    except OverBudgetError:
        # The offer stands; a person confirms it.
        return _instead(turn, "budget", phrases.over_budget)
    except TooOftenError:
        return _instead(turn, "repeated", phrases.over_budget)
    except OfferNotOpenError:
        return _instead(turn, "offer_gone", phrases.offer_gone)
    except BadCommandError as error:
        log.error("bad command", conversation=turn.conversation.id, error=str(error))
        return _instead(turn, "error", phrases.given_up)
    spoken = [one for one in answer.messages if one.get("text") and one.get("response")]
    if turn.conversation.owner != BOT:
        # It goes on in a case that a person looks after: who that is was said.
        spoken = []
    if not spoken and turn.conversation.private and answer.failed:
        return _instead(turn, "error", phrases.given_up)
    say_beside(turn, message)
    offer = turn.case.open_offer(now) if turn.case else None
    if offer and offer != offer_before:
        # The words announce the card, and the card carries their buttons.
        chosen = [button for one in spoken for button in one.pop("buttons", None) or []]
        _speak(turn, spoken, own, offer.id)
        show_offer(turn, offer.id, chosen)
    else:
        _speak(turn, spoken, own, offer.id if offer else None)
    for command in commands:
        # Who goes on is shown after what was said, as it would be told.
        if isinstance(command, HandOver):
            _hand_over(turn, command.reason, said=command.by)
    if any(isinstance(command, CloseCase) for command in commands):
        closed = {"kind": "closed", "text": phrases.closed()}
        turn.show(turn.conversation.stream, f"{message.id}.closed", closed)
    save(turn)
    turn.notices += _requests_over(turn, commands)
    return turn.committed


def _is_for_a_person(turn: Turn, command: Command) -> bool:
    """Whether a person has to decide on it: the case that this goes on in is in their hands."""
    return turn.conversation.owner != BOT and not isinstance(command, Note | HandOver)


def _requests_over(turn: Turn, commands: list[Command]) -> tuple[Notice, ...]:
    """Nobody decides about a case that the bot has closed."""
    if turn.case is None or not any(isinstance(command, CloseCase) for command in commands):
        return ()
    return withdraw_requests(turn.db, turn.conversation, turn.case.id, CLOSED, None, turn.now)


def commit_holding(db: Connection, context: Context, message: Message, now: datetime) -> Committed:
    """Ask the customer for patience, once a message."""
    turn = _begin(db, context, message, now)
    present = inbox.load(db, message.id)
    if turn is None or present is None or turn.conversation.owner != BOT:
        return Committed([])
    if turn.conversation.channel == COMMENT:
        # Nobody reads it, and the one reply is for an answer.
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
    *,
    dealt_with: bool = False,
) -> Committed | None:
    """Take anger and danger of a message into the case that a person looks after.

    Args:
        db: A writing transaction.
        context: The desk.
        message: The message.
        understood: The parse; None where Rasa is away.
        now: The present moment.
        dealt_with: A person had the word after it before the conversation went to the bot.

    Returns:
        What to publish; None, with nothing done, when the person has given the conversation
        back meanwhile without a word on it: then the bot has to answer.
    """
    turn = _begin(db, context, message, now)
    if turn is not None and turn.conversation.owner == BOT and not dealt_with:
        return None
    if turn is None or not inbox.finish(
        db, message.id, understood_of(understood) if understood else None
    ):
        return Committed([])
    if understood:
        # What is overheard stands in the tracker like a turn, and replaying it takes as long.
        conversations.count_turn(db, turn.conversation.id)
        if message.picture is None:
            heard = Understood.from_parse(understood)
            _heed(turn, heard)
            if not dealt_with:
                progress_asked.answer(turn, heard)
    if message.picture and turn.case:
        _note_picture(turn)
    if message.intent != ENTERED and not dealt_with:
        _not_answered(turn, message)
    return turn.committed


def _not_answered(turn: Turn, message: Message) -> None:
    """What came in while the bot still owned the conversation is left to the person who has it."""
    conversations.waited_since(turn.db, turn.conversation.id, message.received_at)


def _note_picture(turn: Turn) -> None:
    """A picture that comes while a person has the case is evidence as any other."""
    if turn.case is None or turn.case.facts.get("evidence") == "photo":
        return
    command = Note({"evidence": "photo"})
    # Nothing else changes: what a person has settled stays so.
    turn.case = replace(turn.case, facts={**turn.case.facts, **command.facts})
    save(turn)
    cases.log(turn.db, turn.case.id, turn.source, command, turn.now)


def _begin(db: Connection, context: Context, message: Message, now: datetime) -> Turn | None:
    conversation = conversations.load(db, message.conversation_id, lock=True)
    if conversation is None:
        return None
    case = cases.load(db, conversation.case_id)
    return Turn(db, context, conversation, message.id, now, case)


def _heed(turn: Turn, heard: Understood) -> None:
    """Take anger and danger of a message into the case that a person looks after.

    Where somebody may be hurt there is a case at once, at the top of the queue, whoever owns
    the conversation and whatever it waited for.
    """
    danger = "safety" in heard.flags
    commands: list[Command] = []
    if danger and turn.case is None:
        commands.append(OpenCase("s" + turn.source[1:], safety=True))
    unheard = danger and (turn.case is None or turn.case.reason != "safety")
    if unheard:
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
    save(turn)
    for command in commands:
        cases.log(turn.db, turn.case.id, turn.source, command, turn.now)
    if danger:
        _bring_to_the_top(turn, turn.case.id, unheard=unheard)


def _bring_to_the_top(turn: Turn, case_id: str, *, unheard: bool) -> None:
    """Show staff that this is about somebody's safety, in public and in private."""
    conversations.note_reason(turn.db, turn.conversation.id, "safety")
    if unheard:
        _tell_owner(turn, turn.conversation, "safety")
    private = conversations.of_case(turn.db, case_id, "private")
    if turn.conversation.private or private is None:
        return
    if private.owner == BOT:
        _hand_over(turn, "safety")
    elif unheard:
        _tell_owner(turn, private, "safety")
    conversations.note_reason(turn.db, private.id, "safety")


def _payloads(answer: Answer) -> tuple[list[Any], set[str]]:
    wire: list[Any] = []
    own: set[str] = set()
    for one in answer.messages:
        custom = one.get("custom") or {}
        wire += custom.get("commands") or []
        own |= set(custom.get("own") or [])
    return wire, own


def _count_proofs(turn: Turn, commands: list[Command]) -> None:
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


def _carry_out(turn: Turn, command: Command, heard: Understood, *, is_event: bool) -> None:
    if isinstance(command, ContinueCase):
        go_on(turn, command, None if is_event else heard.anger)
        return
    if isinstance(command, MakeOffer):
        if command.by != "bot":
            raise BadCommandError("actions offer for the bot alone")
        # Before anything is done: what cannot be kept leaves no trace.
        keep_policy(turn, command.policy)
    turn.case = apply(turn.case, command, turn.now)
    if isinstance(command, OpenCase) and turn.case:
        turn.case = turn.case if is_event else hear(turn.case, heard.anger, turn.now)
        conversations.bind_case(turn.db, turn.conversation.id, turn.case.id)
        save(turn)
    if turn.case:
        cases.log(turn.db, turn.case.id, turn.source, command, turn.now)
    match command:
        case Invite():
            _invite(turn, reminder=command.reminder)
        case MakeOffer():
            show_replaced(turn, command.offer)
            decided(turn, command)
        case AcceptOffer():
            accepted(turn, command.offer)
        case RefuseOffer():
            show_offer(turn, command.offer)


def _invite(turn: Turn, *, reminder: bool) -> None:
    """Show an invitation to this customer alone; reminders are quieter and never pile up."""
    if turn.conversation.private or turn.conversation.channel == COMMENT:
        # Who comments has no page to enter from: the reply says how to come
        # (`desk.channels.wechat.public.commenting`).
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
        f"{turn.source}.invite",
        {
            "kind": kind,
            "token": token,
            "matter": turn.case.matter if turn.case and turn.case.has_matter else "",
            "text": "这里只有您和我们看得到",
            "expires": invitation.expires_at,
        },
    )


def _hand_over(turn: Turn, reason: str, said: str | None = None) -> None:
    """Bring a person, or tell the one who is there; what was promised already is not said again.

    Args:
        turn: The commit under way.
        reason: Why.
        said: By when a person was promised in the same breath, None where nothing was said.
    """
    target = turn.conversation
    if not target.private and turn.case:
        target = conversations.of_case(turn.db, turn.case.id, "private") or target
    if target.owner == BOT:
        conversations.change_owner(turn.db, target, QUEUE, turn.now, expected=(BOT,), reason=reason)
        clocks.person_due(turn.db, target, turn.business, turn.now)
        turn.context.metrics.handovers.labels(reason).inc()
    elif target.owner != QUEUE:
        _tell_owner(turn, target, reason)
        return
    seen = outlook(turn.db, turn.context, target, turn.now)
    told = turn.business.due_words(datetime.fromisoformat(said), turn.now) if said else None
    later = told != seen.time
    if later and turn.case and turn.case.stage == "person":
        turn.case = replace(turn.case, promised_by=seen.by.isoformat())
        save(turn)
    if target.private:
        text = seen.line(timed=later)
        turn.show(
            target.stream,
            f"{turn.source}.owner",
            {"kind": "owner", "owner": "queue", "name": "", "text": text},
        )


def _tell_owner(turn: Turn, target: Conversation, reason: str) -> None:
    """Tell who looks after a case that the customer needs a person; of danger, supervisors too."""
    if target.agent is None:
        return
    readers, text = [target.agent], "顾客在另一处又找人工，请在您的会话里回他"
    if reason == "safety":
        readers += notices.overseers(turn.db, target.business)
        text = "这位顾客可能有人身安全问题，请马上看"
    turn.notices += notices.add(turn.db, readers, "attention", target.id, text, turn.now)
    turn.others.append(Changed(target.business, target.id))


def _speak(turn: Turn, spoken: list[dict[str, Any]], own: set[str], offer: str | None) -> None:
    conversation, business = turn.conversation, turn.business
    if conversation.channel == COMMENT:
        spoken, own = fit(spoken, own, turn.source), set()
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
            turn.show(conversation.stream, f"{turn.source}.r{place}", event)
    elif aloud:
        # One post a turn in public, at most two sentences.
        text = "".join(one["text"] for one in aloud)
        event = {**base, "text": text, "reply_to": turn.source}
        turn.show(conversation.shown_in, f"{turn.source}.r", event)
    for place, one in enumerate(aside):
        event = {**base, "text": one["text"], "reply_to": turn.source}
        turn.show(conversation.stream, f"{turn.source}.o{place}", event)
    variants = [one["variant"] for one in spoken if one.get("variant")]
    said.remember(turn.db, conversation.customer_id, variants, turn.now)


def _instead(turn: Turn, reason: str, phrase: Any) -> Committed:  # noqa: ANN401 - one of phrases
    """Speak the desk's own sentence and bring a person, in place of the bot's answer."""
    by = turn.business.person_by(turn.now)
    turn.case = apply(turn.case, HandOver(reason, by.isoformat()), turn.now)
    if turn.conversation.channel != COMMENT:
        text = phrase(turn.source, turn.business.person_by_words(turn.now))
        said_instead = {"kind": "message", "author": "system", "text": text}
        turn.show(turn.conversation.stream, f"{turn.source}.i", said_instead)
    _hand_over(turn, reason, said=by.isoformat())
    save(turn)
    return turn.committed
