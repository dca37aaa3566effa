"""What the owner of a private chat shows its customer beside words: pictures, a call."""

from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.ownership import staff_spoke
from desk.conversations.turn import Changed, Committed
from desk.staff.look import held
from recovery.store import conversations, streams
from recovery.store.conversations import Conversation, OwnershipError, staff_owner
from recovery.store.staff import Staff


class NotPrivateError(RuntimeError):
    """A conversation in a room, where everybody reads along."""


def own_chat(
    db: Connection, conversation_id: str, who: Staff, *, lock: bool = True
) -> Conversation:
    """A private chat that this member of staff owns. Arguments as of `held`.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it: only the owner speaks.
        NotPrivateError: It is a thread in a room.
    """
    conversation = held(db, conversation_id, who, lock=lock)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    if not conversation.private:
        raise NotPrivateError(conversation.id)
    return conversation


def show(
    db: Connection,
    context: Context,
    conversation: Conversation,
    who: Staff,
    act: str,
    event: dict[str, Any],
) -> Committed:
    """Show the customer something; it counts as an answer.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation: As `own_chat` gives it.
        who: Its owner.
        act: What it is called in the audit log.
        event: With an id of its own, and a text for the lists.
    """
    now = context.clock()
    entry = streams.append(db, conversation.shown_in, event, now)
    if entry is None:
        return Committed([])
    conversations.note_message(db, conversation.id, event["text"], now)
    staff_spoke(db, context, conversation, who, event["id"], now, act)
    return Committed([entry], changed=(Changed(conversation.business, conversation.id),))
