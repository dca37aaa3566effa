"""Sees whether what a customer sends is about their data; all else goes the road it always went."""

from recovery.dialogue.reply import Pressed
from recovery.personal_data.asking import ACTS, read_asking
from recovery.store.conversations import Conversation
from recovery.store.inbox import Message


def read_typed(conversation: Conversation, text: str) -> Pressed | None:
    """What typed words ask for, as if it had been pressed; sure forms in private only.

    Args:
        conversation: Where they were typed.
        text: The words.
    """
    act = read_asking(text) if conversation.private else None
    return Pressed(act) if act else None


def asks_about_data(message: Message) -> bool:
    """Whether a message is one of these."""
    return (message.pressed or {}).get("act") in ACTS
