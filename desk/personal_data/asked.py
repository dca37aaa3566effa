"""What a customer asks about their data in a private chat. The bot is not asked."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import buttons
from desk.conversations.turn import Committed, Turn
from desk.personal_data.requesting import ask_to_erase, export_link, take_back
from recovery.personal_data import words
from recovery.personal_data.asking import (
    ERASE,
    ERASE_TITLE,
    EXPORT,
    EXPORT_TITLE,
    KEEP,
    KEEP_TITLE,
)
from recovery.store import cases, conversations, customers, inbox
from recovery.store.inbox import Message

LINK_TITLE = "打开我的资料"
# A button that was shown long ago is asked about again: what it does cannot be taken back.
_CONFIRMED_WITHIN = timedelta(hours=1)


def settle_asked(db: Connection, context: Context, message: Message, now: datetime) -> Committed:
    """Answer what was asked, once; the conversation stays with its owner.

    Args:
        db: A writing transaction.
        context: The desk.
        message: see `desk.personal_data.reading.asks_about_data`.
        now: The present moment.
    """
    # The owner reads along and is not in the way: the right is the customer's.
    turn = _turn(db, context, message, now)
    if turn is None:
        return Committed([])
    pressed = message.pressed or {}
    act, event = pressed.get("act"), dict[str, Any]()
    customer = customers.load(db, turn.conversation.customer_id)
    if act == ERASE and _fresh(db, str(pressed.get("value") or ""), turn, now):
        waits = ask_to_erase(db, customer, f"customer:{customer.id}", now)
        text = words.UNFINISHED if waits else words.SOON
    elif act == KEEP:
        take_back(db, customer.person, now)
        text = words.KEPT
    elif act == EXPORT:
        text, event = _export(turn, customer)
    else:
        text = words.CONSEQUENCES.format(business=turn.business.name)
        event = {"buttons": _choices(turn, message.id)}
    said = {"kind": "message", "author": "bot", "name": turn.business.assistant, "text": text}
    turn.show(turn.conversation.stream, f"{message.id}.r0", {**said, **event})
    return turn.committed


def _turn(db: Connection, context: Context, message: Message, now: datetime) -> Turn | None:
    conversation = conversations.load(db, message.conversation_id, lock=True)
    if conversation is None or not inbox.finish(db, message.id, None):
        return None
    return Turn(db, context, conversation, message.id, now, cases.load(db, conversation.case_id))


def _fresh(db: Connection, asked: str, turn: Turn, now: datetime) -> bool:
    """Whether a confirmation answers the question of this conversation, asked just now."""
    question = inbox.load(db, asked)
    if question is None or question.conversation_id != turn.conversation.id:
        return False
    return now - datetime.fromisoformat(question.received_at) <= _CONFIRMED_WITHIN


def _choices(turn: Turn, question: str) -> list[dict[str, Any]]:
    offered = [
        {"title": ERASE_TITLE, "payload": f"{ERASE}:{question}"},
        {"title": KEEP_TITLE, "payload": KEEP},
        {"title": EXPORT_TITLE, "payload": EXPORT},
    ]
    key = turn.context.secrets.signing_key
    return buttons.signed(offered, turn.conversation.id, None, key)


def _export(turn: Turn, customer: customers.Customer) -> tuple[str, dict[str, Any]]:
    public = turn.context.settings.public_url
    if turn.conversation.channel != "web" and public is None:
        # Outside of our own pages a path leads nowhere.
        return words.EXPORT_ON_THE_WEB, {}
    path = export_link(turn.db, customer, f"customer:{customer.id}", turn.now)
    link = {"title": LINK_TITLE, "url": f"{public or ''}{path}"}
    return words.EXPORT_READY, {"link": link}
