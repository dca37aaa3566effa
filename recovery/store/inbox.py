"""Messages that came in. Once stored a message is not lost; it is `new` until it was answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import inbox


@dataclass(frozen=True)
class Message:
    """One message, as given by its channel.

    Attributes:
        position: Order of arrival over all conversations.
        external_id: The channel's own id; the same id again is the same message.
        intent: Set for quick replies and events.
        pressed: The checked quick reply, see `recovery.dialogue.reply.Pressed`.
        picture: Id of the picture that was sent instead of words.
        holding: Whether the customer was already asked for patience.
    """

    position: int
    id: str
    conversation_id: str
    external_id: str
    text: str
    intent: str | None
    pressed: dict[str, Any] | None
    picture: str | None
    state: str
    holding: bool
    received_at: str


_COLUMNS = tuple(inbox.c[name] for name in Message.__dataclass_fields__)
_KNOWN = select(*_COLUMNS).where(
    inbox.c.conversation_id == bindparam("conversation"),
    inbox.c.external_id == bindparam("external"),
)
_ADD = insert(inbox)
_LOAD = select(*_COLUMNS).where(inbox.c.id == bindparam("this"))
_OPEN = update(inbox).where(inbox.c.id == bindparam("this"), inbox.c.state == "new")
_FINISH = _OPEN.values(state="done")
_FINISH_UNDERSTOOD = _OPEN.values(state="done", understood=bindparam("parse"))


def known(db: Connection, conversation_id: str, external_id: str) -> Message | None:
    """The message that already has this external id."""
    row = db.execute(_KNOWN, {"conversation": conversation_id, "external": external_id}).first()
    return Message(*row) if row else None


def add(
    db: Connection,
    message_id: str,
    conversation_id: str,
    external_id: str,
    text: str,
    now: datetime,
    *,
    intent: str | None = None,
    pressed: dict[str, Any] | None = None,
    picture: str | None = None,
) -> Message:
    """Store a new message."""
    values = {
        "id": message_id,
        "conversation_id": conversation_id,
        "external_id": external_id,
        "text": text,
        "intent": intent,
        "pressed": pressed,
        "picture": picture,
        "state": "new",
        "holding": False,
        "received_at": stamp(now),
    }
    result = db.execute(_ADD, values)
    key = result.inserted_primary_key
    position = int(key[0]) if key else 0
    return Message(
        position,
        message_id,
        conversation_id,
        external_id,
        text,
        intent,
        pressed,
        picture,
        "new",
        False,
        stamp(now),
    )


def load(db: Connection, message_id: str) -> Message | None:
    """Read a message."""
    row = db.execute(_LOAD, {"this": message_id}).first()
    return Message(*row) if row else None


def waiting(db: Connection) -> list[Message]:
    """All messages that were not answered yet, in order of arrival."""
    rows = db.execute(select(*_COLUMNS).where(inbox.c.state == "new").order_by(inbox.c.position))
    return [Message(*row) for row in rows]


def wrote_since(
    db: Connection, conversation_id: str, since: str, *, that_moment: bool = True
) -> bool:
    """Whether a customer has said anything, buttons apart, since a moment (as stored).

    Args:
        db: A transaction.
        conversation_id: Where.
        since: The moment.
        that_moment: Whether what came at that very moment counts.
    """
    query = select(inbox.c.pressed, inbox.c.received_at).where(
        inbox.c.conversation_id == conversation_id, inbox.c.received_at >= since
    )
    return any(
        not row.pressed and (that_moment or row.received_at > since) for row in db.execute(query)
    )


def finish(db: Connection, message_id: str, understood: dict[str, Any] | None) -> bool:
    """Mark a message answered.

    Returns:
        Whether it was still open; False when somebody has answered it before.
    """
    if understood is None:
        result = db.execute(_FINISH, {"this": message_id})
    else:
        result = db.execute(_FINISH_UNDERSTOOD, {"this": message_id, "parse": understood})
    return bool(result.rowcount)


def note_holding(db: Connection, message_id: str) -> None:
    """Remember that the customer was asked for patience, so that it is asked once."""
    db.execute(update(inbox).where(inbox.c.id == message_id).values(holding=True))
