"""What a pressed button of a gesture or a recommendation does. The bot is not asked."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from desk.aftercare import words
from desk.aftercare.giving import affordable
from desk.context import Context
from desk.conversations.turn import Committed, Turn
from recovery.aftercare.gestures import ACTS, NO_MORE, TAKE, load_gestures
from recovery.case import Offer
from recovery.store import (
    cases,
    conversations,
    customers,
    decisions,
    fulfilments,
    gestures,
    inbox,
    notices,
    preferences,
)
from recovery.store.gestures import DECLINED, DONE, OFFERED, TAKEN, Offered
from recovery.store.inbox import Message

_TO_DO = "attention"


def is_aftercare(message: Message) -> bool:
    """Whether a message is a button of these."""
    return (message.pressed or {}).get("act") in ACTS


def settle_pressed(db: Connection, context: Context, message: Message, now: datetime) -> Committed:
    """Do what a button means, once, and say so; the conversation stays with its owner.

    Args:
        db: A writing transaction.
        context: The desk.
        message: The pressed button, see `is_aftercare`.
        now: The present moment.
    """
    conversation = conversations.load(db, message.conversation_id, lock=True)
    if conversation is None or not inbox.finish(db, message.id, None):
        return Committed([])
    turn = Turn(db, context, conversation, message.id, now, cases.load(db, conversation.case_id))
    pressed = message.pressed or {}
    act = pressed.get("act")
    found = gestures.load(db, str(pressed.get("value", "")))
    if act == NO_MORE:
        # Also where the row is gone: a wish not to be marketed to needs no reason.
        person = customers.load(db, conversation.customer_id).person
        preferences.refuse_marketing(db, person, now)
        if found is not None:
            gestures.settle(db, found.id, DECLINED, now)
        text = words.no_more()
    elif found is None or found.business != conversation.business:
        text = words.over()
    elif act == TAKE:
        text = _take(turn, found)
    else:
        gestures.settle(db, found.id, DECLINED, now)
        text = words.left(found.id)
    said = {"kind": "message", "author": "bot", "name": turn.business.assistant, "text": text}
    turn.show(conversation.stream, f"{message.id}.r0", said)
    return turn.committed


def _take(turn: Turn, one: Offered) -> str:
    """Let the customer have a gesture; what was taken before is not taken again."""
    title, task = str(one.content["title"]), bool(one.content.get("task"))
    if one.state in (TAKEN, DONE):
        return words.taken(one.id, title, task=task)
    db, now, conversation = turn.db, turn.now, turn.conversation
    late = datetime.fromisoformat(one.at) + load_gestures().pace.gesture_open < now
    case = cases.load(db, one.case_id)
    # Who first said no may change their mind for as long as it stands.
    if late or case is None or one.state not in (OFFERED, DECLINED):
        return words.over()
    decisions.hold_budgets(db, one.business)
    if not affordable(db, turn.business, case, conversation.customer_id, one.cost_fen, now):
        _tell(turn, words.over_budget(title))
        return words.not_now()
    if not gestures.settle(db, one.id, TAKEN, now, expected=one.state):
        return words.over()
    if task or case.order_number is None:
        _tell(turn, words.task(title))
    else:
        fulfilments.promise(db, conversation, case.id, _as_offer(one, case.order_number), now)
        turn.promised = True
    return words.taken(one.id, title, task=task)


def _as_offer(one: Offered, order_number: str) -> Offer:
    """A gesture as what is carried out against the order system."""
    return Offer(
        id=one.id,
        order_number=order_number,
        remedies=[dict(one.content["remedy"])],
        rules=[one.rule],
        policy=load_gestures().version,
        facts={},
        reason=str(one.content["why"]),
        round=0,
        expires_at=one.at,
    )


def _tell(turn: Turn, text: str) -> None:
    """Leave a note to who has the conversation, else to the supervisors: somebody has to act."""
    agent = turn.conversation.agent
    readers: Iterable[int] = (
        [agent] if agent is not None else notices.overseers(turn.db, turn.conversation.business)
    )
    turn.notices += notices.add(turn.db, readers, _TO_DO, turn.conversation.id, text, turn.now)
