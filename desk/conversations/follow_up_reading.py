"""Sees whether what a customer sends answers a follow-up; all else goes the road it always went."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from recovery.dialogue.reply import Pressed
from recovery.follow_up.answers import ACTS, OPINION, RATE, STOP, asks, read_rating, refuses
from recovery.store import follow_ups
from recovery.store.conversations import BOT, Conversation
from recovery.store.inbox import Message


def is_answer(pressed: dict[str, Any] | None) -> bool:
    """Whether something that was pressed, or typed for it, answers a follow-up."""
    return pressed is not None and pressed.get("act") in ACTS


def answers(message: Message) -> bool:
    """Whether a message answers a follow-up: the desk settles it, the bot is not asked."""
    return is_answer(message.pressed)


def read_answer(
    db: Connection, conversation: Conversation, text: str, now: datetime
) -> Pressed | None:
    """What typed words answer, as if it had been pressed; None for what answers nothing.

    Only sure forms count, and only where the bot has the conversation: what is said to a person
    is for that person to read.

    Args:
        db: A writing transaction.
        conversation: Where they were typed.
        text: The words, clean.
        now: The present moment.
    """
    if not conversation.private:
        return None
    one = follow_ups.open_in(db, conversation.id, now)
    if refuses(text, asked=one is not None):
        return Pressed(STOP, one.id if one else None) if conversation.owner == BOT else None
    if one is None:
        return None
    if one.takes_words:
        if conversation.owner != BOT:
            # Told a person is coming, the customer says what is wrong: both read it.
            follow_ups.keep_words(db, one, text, now)
            return None
        if read_rating(text) is not None:
            return Pressed(RATE, one.id, str(read_rating(text)))
        return None if asks(text) else Pressed(OPINION, one.id)
    rating = read_rating(text) if conversation.owner == BOT else None
    return Pressed(RATE, one.id, str(rating)) if rating else None
