"""Conversations and who owns them: the bot, the queue, or one member of staff."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from recovery.ids import new_id
from recovery.store.database import hold, stamp
from recovery.store.tables import conversations

BOT = "bot"
QUEUE = "queue"


def staff_owner(staff_id: int) -> str:
    """The owner name of a member of staff."""
    return f"staff:{staff_id}"


class OwnershipError(RuntimeError):
    """Somebody who does not own a conversation tried to act as its owner.

    Attributes:
        owner: Who owns it.
    """

    def __init__(self, owner: str) -> None:
        """Remember the owner."""
        super().__init__(f"owned by {owner}")
        self.owner = owner


@dataclass(frozen=True)
class Conversation:
    """One customer's thread in a room, or one private chat. Fields as in the table."""

    id: str
    business: str
    customer_id: str
    kind: str
    room: str | None
    case_id: str | None
    owner: str
    reason: str | None
    waiting_since: str | None
    turns: int
    last_at: str

    @property
    def private(self) -> bool:
        """Whether only customer, bot and staff read it."""
        return self.kind == "private"

    @property
    def stream(self) -> str:
        """The stream that only this customer's pages read."""
        return f"private:{self.id}" if self.private else f"own:{self.id}"

    @property
    def shown_in(self) -> str:
        """The stream that this conversation's words go to."""
        return f"private:{self.id}" if self.private else f"room:{self.room}"


_COLUMNS = tuple(conversations.c[name] for name in Conversation.__dataclass_fields__)
# What every message needs is put together once: SQLAlchemy takes longer over it than SQLite.
_THIS = conversations.c.id == bindparam("this")
_LOAD = select(*_COLUMNS).where(_THIS)
_NOTE_MESSAGE = (
    update(conversations).where(_THIS).values(last_at=bindparam("at"), last_text=bindparam("text"))
)
_COUNT_TURN = update(conversations).where(_THIS).values(turns=conversations.c.turns + 1)


def _one(row: Row[tuple[object, ...]] | None) -> Conversation | None:
    return Conversation(**row._mapping) if row else None


def load(db: Connection, conversation_id: str, *, lock: bool = False) -> Conversation | None:
    """Read a conversation.

    Args:
        db: A transaction.
        conversation_id: Which one.
        lock: Keep others away, until the transaction ends, from all conversations of this
            customer: the public one and the private one share a case.
    """
    found = _one(db.execute(_LOAD, {"this": conversation_id}).first())
    if lock and found and hold(db, f"customer {found.customer_id}"):
        found = _one(db.execute(_LOAD, {"this": conversation_id}).first())
    return found


def of_room(db: Connection, customer_id: str, room: str) -> Conversation | None:
    """A customer's thread in a room."""
    query = select(*_COLUMNS).where(
        conversations.c.customer_id == customer_id, conversations.c.room == room
    )
    return _one(db.execute(query).first())


def private_of(db: Connection, customer_id: str) -> list[Conversation]:
    """A customer's private chats, latest first."""
    query = (
        select(*_COLUMNS)
        .where(conversations.c.customer_id == customer_id, conversations.c.kind == "private")
        .order_by(conversations.c.last_at.desc())
    )
    return [one for row in db.execute(query) if (one := _one(row))]


def of_case(db: Connection, case_id: str, kind: str) -> Conversation | None:
    """The public or private conversation of a case."""
    query = select(*_COLUMNS).where(
        conversations.c.case_id == case_id, conversations.c.kind == kind
    )
    return _one(db.execute(query).first())


def begin(
    db: Connection,
    business: str,
    customer_id: str,
    now: datetime,
    *,
    room: str | None = None,
    case_id: str | None = None,
    owner: str = BOT,
    reason: str | None = None,
) -> Conversation:
    """Begin a thread in a room, or a private chat where no room is given."""
    conversation = Conversation(
        id=new_id("k"),
        business=business,
        customer_id=customer_id,
        kind="public" if room else "private",
        room=room,
        case_id=case_id,
        owner=owner,
        reason=reason,
        waiting_since=stamp(now) if owner == QUEUE else None,
        turns=0,
        last_at=stamp(now),
    )
    db.execute(
        insert(conversations).values(**vars(conversation), created_at=stamp(now), last_text="")
    )
    return conversation


def change_owner(
    db: Connection,
    conversation: Conversation,
    new: str,
    now: datetime,
    *,
    expected: tuple[str, ...],
    reason: str | None = None,
) -> None:
    """Hand a conversation over: the one place where the owner changes.

    Args:
        db: A writing transaction.
        conversation: Which one.
        new: The new owner.
        now: The present moment.
        expected: Who may own it now.
        reason: Why it waits, where `new` is the queue.

    Raises:
        OwnershipError: Somebody else owns it by now.
    """
    values = {
        "owner": new,
        "reason": reason if new == QUEUE else None,
        "waiting_since": stamp(now) if new == QUEUE else None,
    }
    changed = db.execute(
        update(conversations)
        .where(conversations.c.id == conversation.id, conversations.c.owner.in_(expected))
        .values(**values)
    ).rowcount
    if not changed:
        present = load(db, conversation.id)
        raise OwnershipError(present.owner if present else "nobody")


def note_message(db: Connection, conversation_id: str, text: str, now: datetime) -> None:
    """Remember the latest words, for lists."""
    db.execute(_NOTE_MESSAGE, {"this": conversation_id, "at": stamp(now), "text": text[:80]})


def count_turn(db: Connection, conversation_id: str) -> None:
    """Count a turn taken by Rasa; turns name the episode."""
    db.execute(_COUNT_TURN, {"this": conversation_id})


def note_reason(db: Connection, conversation_id: str, reason: str) -> None:
    """Give a conversation that a person looks after, or is due for, a graver reason."""
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.owner != BOT)
        .values(reason=reason)
    )


def bind_case(db: Connection, conversation_id: str, case_id: str) -> None:
    """Say which case a conversation is about."""
    db.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(case_id=case_id)
    )
