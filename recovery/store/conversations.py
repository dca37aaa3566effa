"""Conversations and who owns them: the bot, the queue, or one member of staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select, update

from recovery.ids import new_id
from recovery.privacy import beginning, mask
from recovery.store.database import hold, stamp
from recovery.store.tables import conversations, customers

BOT = "bot"
QUEUE = "queue"
STAFF = "staff:"
_SHOWN_OF_LAST = 80

TRANSFER = "transfer"
"""Why it waits: who had it has put it back."""
SILENT = "silent"
"""Why it waits: who had it has said nothing."""


def staff_owner(staff_id: int) -> str:
    """The owner name of a member of staff."""
    return f"{STAFF}{staff_id}"


def owner_id(owner: str) -> int | None:
    """The member of staff behind an owner name; None for the bot and the queue."""
    return int(owner.removeprefix(STAFF)) if owner.startswith(STAFF) else None


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
    channel: str = "web"
    owner_since: str | None = None
    awaiting_since: str | None = None
    front: bool = False
    last_agent: int | None = None
    snoozed_until: str | None = None
    woken_at: str | None = None

    @property
    def private(self) -> bool:
        """Whether only customer, bot and staff read it."""
        return self.kind == "private"

    @property
    def agent(self) -> int | None:
        """The member of staff who owns it, None where none does."""
        return owner_id(self.owner)

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
            customer, and of the same person under other names: they share a case.
    """
    found = _one(db.execute(_LOAD, {"this": conversation_id}).first())
    if lock and found and hold_customer(db, found.customer_id):
        found = _one(db.execute(_LOAD, {"this": conversation_id}).first())
    return found


def hold_customer(db: Connection, customer_id: str) -> bool:
    """Keep others away from all conversations of a customer, and of the person behind them.

    The customer first, then the person, who is named as the customer that came first: nobody
    waits in a circle.

    Returns:
        As `hold`.
    """
    if not hold(db, f"customer {customer_id}"):
        return False
    person = db.execute(select(customers.c.person).where(customers.c.id == customer_id)).scalar()
    if person and person != customer_id:
        hold(db, f"customer {person}")
    return True


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
    """The public or private conversation of a case; of several the one that is spoken in now."""
    query = (
        select(*_COLUMNS)
        .where(conversations.c.case_id == case_id, conversations.c.kind == kind)
        .order_by(conversations.c.last_at.desc(), conversations.c.id)
    )
    return _one(db.execute(query).first())


def all_of_case(db: Connection, case_id: str) -> list[Conversation]:
    """All conversations of a case, the one spoken in last first."""
    query = (
        select(*_COLUMNS)
        .where(conversations.c.case_id == case_id)
        .order_by(conversations.c.last_at.desc(), conversations.c.id)
    )
    return [one for row in db.execute(query) if (one := _one(row))]


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
    channel: str = "web",
    after: Conversation | None = None,
) -> Conversation:
    """Begin a thread in a room, or a private chat where no room is given.

    Args:
        db: A writing transaction.
        business: Whose.
        customer_id: Of its customer.
        now: The present moment.
        room: Where it is read by everybody.
        case_id: What it is about.
        owner: Who owns it from the start.
        reason: Why it waits for a person.
        channel: By which it came.
        after: The conversation in which this customer has waited for a person until now: whoever
            comes from there has not begun to wait anew.
    """
    queued = stamp(now) if owner == QUEUE else None
    awaiting = queued
    if after is not None and owner != BOT:
        queued = (after.waiting_since or queued) if owner == QUEUE else None
        awaiting = after.awaiting_since or stamp(now)
    conversation = Conversation(
        id=new_id("k"),
        business=business,
        customer_id=customer_id,
        kind="public" if room else "private",
        room=room,
        case_id=case_id,
        owner=owner,
        reason=reason,
        waiting_since=queued,
        turns=0,
        last_at=stamp(now),
        channel=channel,
        owner_since=stamp(now),
        awaiting_since=awaiting,
        front=after is not None and owner == QUEUE and after.front,
        last_agent=owner_id(owner) or (after.last_agent if after else None),
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
    front: bool = False,
) -> None:
    """Hand a conversation over: the one place where the owner changes.

    Whoever is handed to people awaits an answer of one from now on, unless they did already.

    Args:
        db: A writing transaction.
        conversation: Which one.
        new: The new owner.
        now: The present moment.
        expected: Who may own it now.
        reason: Why it waits, where `new` is the queue.
        front: It comes back to the queue through no fault of the customer.

    Raises:
        OwnershipError: Somebody else owns it by now.
    """
    agent = owner_id(new)
    values: dict[str, Any] = {
        "owner": new,
        "owner_since": stamp(now),
        "reason": reason if new == QUEUE else None,
        "waiting_since": stamp(now) if new == QUEUE else None,
        "awaiting_since": None
        if new == BOT
        else func.coalesce(conversations.c.awaiting_since, stamp(now)),
        "front": front and new == QUEUE,
        "snoozed_until": None,
    }
    if agent is not None:
        values["last_agent"] = agent
        if agent != conversation.last_agent:
            # What a colleague has read, the new owner has not.
            values["seen_by_staff"] = 0
    changed = db.execute(
        update(conversations)
        .where(conversations.c.id == conversation.id, conversations.c.owner.in_(expected))
        .values(**values)
    ).rowcount
    if not changed:
        present = load(db, conversation.id)
        raise OwnershipError(present.owner if present else "nobody")


def customer_wrote(db: Connection, conversation_id: str, now: datetime) -> None:
    """Remember that a customer whom a person serves, or is due to, waits for an answer.

    A conversation that was put aside comes up again.
    """
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.owner != BOT)
        .values(
            awaiting_since=func.coalesce(conversations.c.awaiting_since, stamp(now)),
            snoozed_until=None,
            woken_at=_woken(now),
        )
    )


def waited_since(db: Connection, conversation_id: str, since: str) -> None:
    """Remember that a customer who awaits a person does so from an earlier moment, as stored.

    Words of before a person came may be left to that person.
    """
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.awaiting_since > since)
        .values(awaiting_since=since)
    )


def wait_as(db: Connection, conversation_id: str, other: Conversation) -> None:
    """Let a conversation in the queue have the place of another, as that one was read."""
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.owner == QUEUE)
        .values(
            waiting_since=other.waiting_since,
            awaiting_since=other.awaiting_since,
            front=other.front,
        )
    )


def staff_answered(db: Connection, conversation_id: str) -> None:
    """Remember that a person has answered: nobody waits any more."""
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(awaiting_since=None)
    )


def owned_by(db: Connection, owner: str) -> list[str]:
    """Ids of the conversations that an owner has."""
    owned = select(conversations.c.id).where(conversations.c.owner == owner)
    return list(db.execute(owned).scalars())


def snooze(db: Connection, conversation_id: str, until: datetime | None, now: datetime) -> None:
    """Put a conversation aside until a moment, or take it up again."""
    woken = conversations.c.woken_at if until else _woken(now)
    db.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(snoozed_until=stamp(until) if until else None, woken_at=woken)
    )


def _woken(now: datetime) -> Any:  # noqa: ANN401 - an expression
    """Now, where it was put aside; else when it was taken up the last time."""
    aside = conversations.c.snoozed_until.is_not(None)
    return case((aside, stamp(now)), else_=conversations.c.woken_at)


def note_message(db: Connection, conversation_id: str, text: str, now: datetime) -> None:
    """Remember the latest words, for lists."""
    # Of a text that is all one long number nothing would be left.
    shown = beginning(text, _SHOWN_OF_LAST) or mask(text).text[:_SHOWN_OF_LAST]
    db.execute(_NOTE_MESSAGE, {"this": conversation_id, "at": stamp(now), "text": shown})


def note_channel(db: Connection, conversation_id: str, channel: str) -> None:
    """Remember by which channel the customer wrote last; answers go there."""
    db.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(channel=channel)
    )


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
