"""Settles what customers answer to a follow-up: a rating, words, or never to be asked again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import follow_up_words, phrases
from desk.conversations.queueing import Outlook, outlook
from desk.conversations.turn import Committed, Turn, save
from recovery.anger import ANGRY
from recovery.case import apply, hear
from recovery.commands import Command, HandOver
from recovery.dialogue.complaint import SURE
from recovery.failures import COMPLAINT_PREFIX
from recovery.follow_up.answers import FAIR, HIGHEST, LOWEST, OPINION, POOR, RATE
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    follow_ups,
    inbox,
    notices,
    preferences,
)
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.follow_ups import FollowUp
from recovery.store.inbox import Message
from recovery.understood import Understood

BY_HAND = frozenset({"phone", "street", "other"})
"""Channels on which nothing can be asked or answered from here: a person calls."""
REASON = "follow_up"
"""Why it waits for a person: the customer was not content when asked afterwards."""
_SAFETY = "safety"
_AUTHOR = "system"
_ASKS = "ask_"
"""So begin intents of who wants something, and no thanks for an opinion."""


def commit_follow_up_answer(
    db: Connection,
    context: Context,
    message: Message,
    understood: dict[str, Any] | None,
    now: datetime,
) -> Committed:
    """Settle an answer to a follow-up, once.

    Args:
        db: A writing transaction.
        context: The desk.
        message: See `desk.conversations.follow_up_reading.answers`.
        understood: What the recogniser makes of words; None where nothing was asked of it, or
            where it is away.
        now: The present moment.

    Returns:
        What to publish.
    """
    conversation = conversations.load(db, message.conversation_id, lock=True)
    kept = _kept(understood) if understood else None
    if conversation is None or not inbox.finish(db, message.id, kept):
        return Committed([])
    pressed = message.pressed or {}
    one = follow_ups.load(db, str(pressed.get("offer")))
    if one is not None and one.conversation_id != conversation.id:
        # Signed for this conversation, it can name no other's.
        one = None
    case = cases.load(db, _case_of(db, one) if one else conversation.case_id)
    turn = Turn(db, context, conversation, message.id, now, case)
    match pressed.get("act"):
        case str(act) if act == RATE:
            _rated(turn, one, pressed.get("value"))
        case str(act) if act == OPINION:
            _said(turn, one, message.text, understood)
        case _:
            refuse(db, conversation, now)
            _say(turn, follow_up_words.stopped())
    return turn.committed


def _case_of(db: Connection, one: FollowUp) -> str:
    """The case that a follow-up is about by now: merged into another, it goes on there."""
    _, merged = follow_ups.ended(db, one.case_id)
    return merged or one.case_id


def refuse(db: Connection, conversation: Conversation, now: datetime) -> None:
    """Keep that the person of a conversation is never to be asked again, and stop what is planned.

    Args:
        db: A writing transaction that holds the conversation.
        conversation: Where it was said.
        now: The present moment.
    """
    person = customers.load(db, conversation.customer_id).person
    preferences.refuse_follow_up(db, person, now)
    follow_ups.stop_person(db, conversation.id, "refused", now)


def _kept(understood: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a parse: everything but the words."""
    names = ("intent", "entities", "emotion")
    return {name: understood[name] for name in names if understood.get(name) is not None}


# --- ratings ----------------------------------------------------------------------------------


def _rated(turn: Turn, one: FollowUp | None, value: object) -> None:
    rating = int(value) if isinstance(value, str) and value.isdecimal() else 0
    if one is None or not LOWEST <= rating <= HIGHEST:
        _say(turn, follow_up_words.over())
        return
    if one.rating is not None:
        _say(turn, follow_up_words.rated_before())
        return
    if not _counts(turn, one):
        _say(turn, follow_up_words.over())
        return
    turn.notices += take_rating(turn, one, rating)


def _counts(turn: Turn, one: FollowUp) -> bool:
    """Whether a rating still counts: for a while also after nobody waited for it any more."""
    days = timedelta(days=turn.context.follow_up.limits.button_days)
    if one.asked_at is None or turn.case is None:
        return False
    return datetime.fromisoformat(one.asked_at) + days > turn.now


def take_rating(turn: Turn, one: FollowUp, rating: int, *, spoken: bool = True) -> list[Any]:
    """Keep a rating and do what follows from it.

    Args:
        turn: The commit under way, its case that of the follow-up.
        one: Not rated yet.
        rating: 1 to 5.
        spoken: The customer reads an answer here; not who is on the phone.

    Returns:
        Notices left for staff.
    """
    hours = timedelta(hours=turn.context.follow_up.limits.words_hours)
    if not follow_ups.rate(turn.db, one, rating, turn.now + hours, turn.now):
        return []
    if rating > POOR:
        if spoken:
            words = follow_up_words.fair if rating == FAIR else follow_up_words.good
            _say(turn, words(turn.source))
        return []
    seen = _to_a_person(turn, REASON)
    if spoken and seen is None:
        _say(turn, follow_up_words.poor_with_person(turn.source))
    elif spoken and seen is not None:
        matter = turn.case.matter if turn.case and turn.case.has_matter else ""
        _say(turn, follow_up_words.poor(turn.source, matter, seen.time))
        _show_queue(turn, seen)
    agent = turn.conversation.agent
    if seen is not None or agent is None:
        return []
    text = f"顾客在回访里打了{rating}分，请在会话里接着处理"
    return list(notices.add(turn.db, [agent], "follow_up", turn.conversation.id, text, turn.now))


def _to_a_person(turn: Turn, reason: str) -> Outlook | None:
    """Open the case again and put the conversation to the front of the queue.

    Returns:
        How that stands; None where a person has it, or is due, already.
    """
    conversation = turn.conversation
    waits = conversation.owner == BOT
    if waits:
        conversations.change_owner(
            turn.db, conversation, QUEUE, turn.now, expected=(BOT,), reason=reason, front=True
        )
        clocks.person_due(turn.db, conversation, turn.business, turn.now)
        turn.context.metrics.handovers.labels(reason).inc()
    seen = outlook(turn.db, turn.context, conversation, turn.now) if waits else None
    if turn.case is not None:
        by = seen.by if seen else turn.business.person_by(turn.now)
        command: Command = HandOver(reason, by.isoformat())
        turn.case = apply(turn.case, command, turn.now)
        save(turn)
        if turn.case is not None:
            cases.log(turn.db, turn.case.id, turn.source, command, turn.now)
            follow_ups.note_reopened(turn.db, turn.case.id, turn.now)
            if conversation.case_id != turn.case.id and waits:
                # What is waited for is this matter.
                conversations.bind_case(turn.db, conversation.id, turn.case.id)
    return seen


def _show_queue(turn: Turn, seen: Outlook) -> None:
    line = seen.line(timed=False)
    owner = {"kind": "owner", "owner": "queue", "name": "", "text": line}
    turn.show(turn.conversation.stream, f"{turn.source}.owner", owner)


# --- words ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Heard:
    """What the recogniser makes of the open answer."""

    anger: int
    danger: bool
    known: bool
    asks: bool = False
    complains: bool = False


def _heard(understood: dict[str, Any] | None) -> _Heard:
    if understood is None:
        return _Heard(0, False, False)
    heard = Understood.from_parse(understood)
    sure = heard.intent if heard.confidence >= SURE else ""
    complains = "complaint" in heard.flags or sure.startswith(COMPLAINT_PREFIX)
    return _Heard(heard.anger, _SAFETY in heard.flags, True, sure.startswith(_ASKS), complains)


def _said(turn: Turn, one: FollowUp | None, text: str, understood: dict[str, Any] | None) -> None:
    """Keep the open answer; who is angry, or in danger, gets a person."""
    heard = _heard(understood)
    if one is not None:
        follow_ups.keep_words(turn.db, one, text, turn.now)
    if turn.case is not None and heard.known:
        turn.case = hear(turn.case, heard.anger, turn.now)
        save(turn)
    fair = one is not None and (one.rating or 0) <= FAIR
    # Where nobody could listen, a person reads what was missing.
    if heard.danger or heard.anger >= ANGRY or heard.asks or (not heard.known and fair):
        seen = _to_a_person(turn, _SAFETY if heard.danger else REASON)
        if seen is not None:
            calm = heard.asks and heard.anger < ANGRY
            words = follow_up_words.asked_person if calm else follow_up_words.words_to_person
            words = phrases.care_due if heard.danger else words
            _say(turn, words(turn.source, seen.time))
            _show_queue(turn, seen)
            return
    elif fair or heard.complains or not heard.known:
        # With a good rating it may be the beginning of another matter: somebody has to look.
        _tell_staff(turn)
    _say(turn, follow_up_words.words_kept(turn.source))


def _tell_staff(turn: Turn) -> None:
    """Let who had the case, and the supervisors, know what was missing."""
    conversation = turn.conversation
    readers = notices.overseers(turn.db, conversation.business)
    if conversation.last_agent in notices.readers(turn.db, conversation.business):
        readers.insert(0, int(conversation.last_agent or 0))
    text = "顾客在回访里说了还差在哪里，请看这个案子"
    turn.notices += notices.add(turn.db, readers, "follow_up", conversation.id, text, turn.now)


def _say(turn: Turn, text: str) -> None:
    if turn.conversation.channel in BY_HAND:
        return
    event = {"kind": "message", "author": _AUTHOR, "text": text}
    turn.show(turn.conversation.stream, f"{turn.source}.f", event)
