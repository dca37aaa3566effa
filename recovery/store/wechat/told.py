"""Messages outside of the window, which tell once that something waits: template, subscribe.

They stand among the sends of their contact, without a conversation, so that nothing delivers
them a second time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update

from recovery.store import conversations, streams
from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.tables import wechat_contacts, wechat_sends

Via = Literal["template", "subscribe"]
_MOST = 50


@dataclass(frozen=True)
class Waiting:
    """A contact for whom something is held.

    Attributes:
        latest: Number of the latest send that is held.
    """

    contact_id: str
    account: str
    openid: str
    latest: int


@dataclass(frozen=True)
class Held:
    """An event that waits for the customer."""

    conversation: Conversation
    event: dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What told a contact. `conversation` is the one that it was about."""

    id: int
    contact_id: str
    conversation: str
    state: str


_SAYS = (wechat_sends.c.state == "held", wechat_sends.c.weight == "say")


def waiting(db: Connection, accounts: Collection[str]) -> list[Waiting]:
    """Contacts of these accounts for whom something is held and who were not told of it."""
    latest = func.max(wechat_sends.c.id).label("latest")
    query = (
        select(wechat_contacts.c.id, wechat_contacts.c.account, wechat_contacts.c.openid, latest)
        .join(wechat_sends, wechat_sends.c.contact_id == wechat_contacts.c.id)
        .where(
            *_SAYS,
            wechat_contacts.c.account.in_(list(accounts)),
            wechat_contacts.c.told_later_at.is_(None),
            wechat_contacts.c.following,
        )
        .group_by(wechat_contacts.c.id, wechat_contacts.c.account, wechat_contacts.c.openid)
        .order_by(latest)
    )
    return [Waiting(*row) for row in db.execute(query)]


def held(db: Connection, contact_id: str) -> list[Held]:
    """The latest events that wait for a contact, oldest first."""
    query = (
        select(wechat_sends.c.conversation_id, wechat_sends.c.event_id)
        .where(*_SAYS, wechat_sends.c.contact_id == contact_id)
        .where(wechat_sends.c.conversation_id.is_not(None))
        .order_by(wechat_sends.c.id.desc())
        .limit(_MOST)
    )
    found: list[Held] = []
    for row in db.execute(query).all():
        conversation = conversations.load(db, row.conversation_id)
        event = conversation and streams.event(db, conversation.stream, row.event_id)
        if conversation and event:
            found.append(Held(conversation, event))
    return found[::-1]


def claim(db: Connection, contact_id: str, now: datetime) -> bool:
    """Keep that a contact is told now; False where that was done, or nobody is there to tell."""
    query = (
        update(wechat_contacts)
        .where(
            wechat_contacts.c.id == contact_id,
            wechat_contacts.c.told_later_at.is_(None),
            wechat_contacts.c.following,
        )
        .values(told_later_at=stamp(now))
    )
    return bool(db.execute(query).rowcount)


def begin(db: Connection, contact_id: str, conversation_id: str, via: Via, now: datetime) -> int:
    """Keep a message that is about to be sent; until its end is known, nothing is known of it."""
    values = {
        "contact_id": contact_id,
        "event_id": f"told-{stamp(now)}",
        "part": 0,
        "kind": "text",
        "weight": "notice",
        "content": {"conversation": conversation_id},
        "state": "unknown",
        "via": via,
        "attempts": 1,
        "due_at": stamp(now),
        "created_at": stamp(now),
    }
    made = db.execute(insert(wechat_sends).values(**values).returning(wechat_sends.c.id))
    return int(made.scalar_one())


def settle(
    db: Connection,
    told_id: int,
    state: Literal["sent", "failed"],
    now: datetime,
    *,
    message: str | None = None,
    error: int | None = None,
) -> None:
    """Keep what became of a message.

    Args:
        db: A writing transaction.
        told_id: Of `begin`.
        state: How it ended.
        now: The present moment.
        message: WeChat's number of it, by which its end is told.
        error: WeChat's code.
    """
    values: dict[str, Any] = {"state": state, "error": error, "settled_at": stamp(now)}
    if message is not None:
        values["batch"] = message[:32]
    db.execute(update(wechat_sends).where(wechat_sends.c.id == told_id).values(**values))


def undo(db: Connection, told_id: int, contact_id: str, now: datetime, error: int | None) -> None:
    """Keep that nothing was sent after all: the contact may be told later on."""
    settle(db, told_id, "failed", now, error=error)
    query = update(wechat_contacts).where(wechat_contacts.c.id == contact_id)
    db.execute(query.values(told_later_at=None))


def of_message(db: Connection, contact_id: str, message: str) -> Told | None:
    """The message that WeChat speaks of: by its number, else the latest subscribe message."""
    query = select(
        wechat_sends.c.id,
        wechat_sends.c.contact_id,
        wechat_sends.c.content,
        wechat_sends.c.state,
        wechat_sends.c.batch,
        wechat_sends.c.via,
    ).where(
        wechat_sends.c.contact_id == contact_id,
        wechat_sends.c.conversation_id.is_(None),
        wechat_sends.c.via.in_(("template", "subscribe")),
    )
    rows = db.execute(query.order_by(wechat_sends.c.id.desc()).limit(_MOST)).all()
    named = [row for row in rows if row.batch == message]
    # WeChat does not say the number of a subscribe message before it tells its end.
    unnamed = [row for row in rows if row.via == "subscribe" and row.batch is None]
    row = next(iter(named or unnamed), None)
    if row is None:
        return None
    return Told(row.id, row.contact_id, str(row.content.get("conversation", "")), row.state)
