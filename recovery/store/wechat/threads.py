"""Which private conversation is delivered to which contact, and up to where that was done."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.tables import (
    conversations,
    outbox,
    streams,
    wechat_contacts,
    wechat_threads,
)
from recovery.store.wechat.contacts import Contact

_PRIVATE = "private:"


@dataclass(frozen=True)
class Behind:
    """A conversation of which something is not on its way yet.

    Attributes:
        conversation: As it is now.
        contact: To whom it is delivered.
        planned: Number in its stream up to which sends were made.
        last: The number of the latest event.
    """

    conversation: Conversation
    contact: Contact
    planned: int
    last: int


_CONVERSATION = tuple(conversations.c[name] for name in Conversation.__dataclass_fields__)
_CONTACT = tuple(wechat_contacts.c[name] for name in Contact.__dataclass_fields__)
_BEHIND = (
    select(wechat_threads.c.planned, streams.c.last, *_CONVERSATION, *_CONTACT)
    .join(streams, streams.c.name == _PRIVATE + wechat_threads.c.conversation_id)
    .join(conversations, conversations.c.id == wechat_threads.c.conversation_id)
    .join(wechat_contacts, wechat_contacts.c.id == wechat_threads.c.contact_id)
    .where(
        streams.c.last > wechat_threads.c.planned,
        wechat_contacts.c.account.in_(bindparam("accounts", expanding=True)),
    )
    .order_by(wechat_threads.c.conversation_id)
    .limit(bindparam("most"))
    # A desk beside this one has these under its hands: it sends them.
    .with_for_update(of=wechat_threads, skip_locked=True)
)
_OF_THESE = _BEHIND.where(
    wechat_threads.c.conversation_id.in_(bindparam("conversations", expanding=True))
)
_ANY_BEHIND = (
    select(wechat_threads.c.conversation_id)
    .join(streams, streams.c.name == _PRIVATE + wechat_threads.c.conversation_id)
    .join(wechat_contacts, wechat_contacts.c.id == wechat_threads.c.contact_id)
    .where(
        streams.c.last > wechat_threads.c.planned,
        wechat_contacts.c.account.in_(bindparam("accounts", expanding=True)),
    )
    .limit(1)
)
_BEHIND_OF_THESE = (
    select(wechat_threads.c.conversation_id)
    .join(outbox, outbox.c.stream == _PRIVATE + wechat_threads.c.conversation_id)
    .where(
        wechat_threads.c.conversation_id.in_(bindparam("conversations", expanding=True)),
        outbox.c.seq > wechat_threads.c.planned,
        # Their own words go nowhere, and nobody is woken to look at them.
        outbox.c.customer.is_(None),
    )
    .limit(1)
)
_MOVED = (
    update(wechat_threads)
    .where(wechat_threads.c.conversation_id == bindparam("this"))
    .values(planned=bindparam("seq"))
)
_BIND = {
    dialect: begin(wechat_threads)
    .values(
        conversation_id=bindparam("conversation"),
        contact_id=bindparam("contact"),
        planned=bindparam("seq"),
        bound_at=bindparam("at"),
    )
    .on_conflict_do_update(
        index_elements=[wechat_threads.c.conversation_id],
        set_={
            "contact_id": bindparam("contact"),
            "bound_at": bindparam("at"),
            # Delivered to this contact already: what is under way goes on.
            "planned": case(
                (
                    wechat_threads.c.contact_id == bindparam("contact"),
                    wechat_threads.c.planned,
                ),
                else_=bindparam("seq"),
            ),
        },
    )
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def bind(
    db: Connection, conversation_id: str, contact_id: str, now: datetime, *, planned: int
) -> None:
    """Deliver a conversation to a contact from now on, and to nobody else.

    Args:
        db: A writing transaction.
        conversation_id: A private one.
        contact_id: To whom.
        now: The present moment.
        planned: Number in its stream up to which nothing is sent, 0 for all of it; where it is
            delivered to this contact already, nothing changes.
    """
    values = {
        "conversation": conversation_id,
        "contact": contact_id,
        "seq": planned,
        "at": stamp(now),
    }
    db.execute(_BIND[db.dialect.name], values)


def behind(
    db: Connection,
    accounts: Collection[str],
    these: Collection[str] | None = None,
    most: int = 200,
) -> list[Behind]:
    """The conversations of which something is to be sent, kept from other desks meanwhile.

    Args:
        db: A writing transaction.
        accounts: Only to contacts of these.
        these: Only these conversations; None: any.
        most: How many at most.
    """
    values: dict[str, object] = {"accounts": list(accounts), "most": most}
    query = _BEHIND
    if these is not None:
        query, values = _OF_THESE, {**values, "conversations": list(these)}
    found = []
    own = len(_CONVERSATION)
    for planned, last, *rest in db.execute(query, values):
        found.append(Behind(Conversation(*rest[:own]), Contact(*rest[own:]), planned, last))
    return found


def any_behind(db: Connection, accounts: Collection[str]) -> bool:
    """Whether there is a conversation of which something is to be sent."""
    return db.execute(_ANY_BEHIND, {"accounts": list(accounts)}).first() is not None


def any_of_these_behind(db: Connection, these: Collection[str]) -> bool:
    """Whether somebody was answered in one of these conversations who is not being sent it yet."""
    return db.execute(_BEHIND_OF_THESE, {"conversations": list(these)}).first() is not None


def moved(db: Connection, numbers: dict[str, int]) -> None:
    """Say up to which number sends were made, by conversation."""
    if numbers:
        rows = [{"this": conversation, "seq": seq} for conversation, seq in numbers.items()]
        db.execute(_MOVED, rows)
