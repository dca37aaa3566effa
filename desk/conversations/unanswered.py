"""Customers who await an answer of the very person who wants to let go of their conversation."""

from sqlalchemy import Connection

from recovery.store import inbox
from recovery.store.conversations import Conversation


class UnansweredError(RuntimeError):
    """The customer has said something that nobody has answered; it is left so on purpose only."""


def check_answered(db: Connection, conversation: Conversation) -> None:
    """See that the customer does not wait for an answer of who owns the conversation.

    Who has taken it from the bot and said nothing has left nobody waiting: the bot had answered.

    Args:
        db: A transaction.
        conversation: As it stands.

    Raises:
        UnansweredError: The customer does.
    """
    since = conversation.awaiting_since
    if since is None:
        return
    # Whoever waited in the queue has waited for longer than this person has the conversation.
    waited = since < (conversation.owner_since or since)
    if waited or inbox.wrote_since(db, conversation.id, since):
        raise UnansweredError(conversation.id)
