"""Which rows of `sends` are due, and which go with a call that is under way."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select, update

from recovery.store.conversations import BOT
from recovery.store.database import stamp
from recovery.store.tables import conversations, inbox, wechat_contacts, wechat_sends
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.sends import HELD, SENDING, TODO, Send

_COLUMNS = tuple(wechat_sends.c[name] for name in Send.__dataclass_fields__)
_CONTACT = tuple(wechat_contacts.c[name] for name in Contact.__dataclass_fields__)
_UNDER_WAY = exists().where(
    wechat_sends.c.contact_id == wechat_contacts.c.id, wechat_sends.c.state == SENDING
)
_RIPE = (
    select(wechat_sends.c.contact_id)
    .where(wechat_sends.c.state == TODO, wechat_sends.c.due_at <= bindparam("now"))
    .distinct()
)
_READY = (
    select(*_CONTACT)
    .where(
        wechat_contacts.c.id.in_(_RIPE),
        wechat_contacts.c.account.in_(bindparam("accounts", expanding=True)),
        ~_UNDER_WAY,
    )
    .order_by(wechat_contacts.c.id)
    .limit(bindparam("most"))
    # Several desks: each contact is worked by one. Rows that only refer to it are not kept waiting.
    .with_for_update(of=wechat_contacts, skip_locked=True, key_share=True)
)
_READY_OF_THESE = _READY.where(wechat_contacts.c.id.in_(bindparam("these", expanding=True)))
_BUSY = (
    select(wechat_sends.c.contact_id)
    .where(
        wechat_sends.c.contact_id.in_(bindparam("contacts", expanding=True)),
        wechat_sends.c.state == SENDING,
    )
    .distinct()
)
_OPEN = (
    select(*_COLUMNS)
    .where(
        wechat_sends.c.contact_id.in_(bindparam("contacts", expanding=True)),
        wechat_sends.c.state.in_((TODO, HELD)),
    )
    .order_by(wechat_sends.c.id)
)
_BEGIN = (
    update(wechat_sends)
    .where(wechat_sends.c.id == bindparam("this"))
    .values(
        state=SENDING,
        via=bindparam("by"),
        batch=bindparam("one"),
        due_at=bindparam("until"),
        attempts=wechat_sends.c.attempts + 1,
    )
)


def any_due(db: Connection, accounts: Collection[str], now: datetime) -> bool:
    """Whether there is something to do at all."""
    query = (
        select(wechat_sends.c.id)
        .join(wechat_contacts, wechat_contacts.c.id == wechat_sends.c.contact_id)
        .where(
            wechat_sends.c.state.in_((TODO, SENDING)),
            wechat_sends.c.due_at <= stamp(now),
            wechat_contacts.c.account.in_(list(accounts)),
        )
    )
    return db.execute(query.limit(1)).first() is not None


def ready(
    db: Connection,
    accounts: Collection[str],
    now: datetime,
    most: int,
    these: Collection[str] | None = None,
) -> list[tuple[Contact, list[Send]]]:
    """Contacts to whom something is due and nothing is under way, kept from other desks.

    Args:
        db: A writing transaction.
        accounts: Only at these.
        now: The present moment.
        most: How many contacts at most.
        these: Only these contacts; None: any.

    Returns:
        Each with all that waits for it, also what is held, in order.
    """
    values: dict[str, object] = {"now": stamp(now), "accounts": list(accounts), "most": most}
    query = _READY
    if these is not None:
        query, values = _READY_OF_THESE, {**values, "these": list(these)}
    found = [Contact(*row) for row in db.execute(query, values)]
    rows: defaultdict[str, list[Send]] = defaultdict(list)
    if found:
        # Another desk may have begun a call before the row was locked; the query above goes by
        # what was there when it began.
        busy = set(db.execute(_BUSY, {"contacts": [one.id for one in found]}).scalars())
        found = [one for one in found if one.id not in busy]
    if found:
        for row in db.execute(_OPEN, {"contacts": [one.id for one in found]}):
            send = Send(*row)
            rows[send.contact_id].append(send)
    return [(one, rows[one.id]) for one in found]


def with_the_bot(db: Connection, conversation_ids: Collection[str]) -> bool:
    """Whether the bot is about to answer in one of these, and nobody was asked for patience yet."""
    query = (
        select(inbox.c.id)
        .join(conversations, conversations.c.id == inbox.c.conversation_id)
        .where(
            inbox.c.state == "new",
            inbox.c.holding.is_(False),
            inbox.c.conversation_id.in_(list(conversation_ids)),
            conversations.c.owner == BOT,
        )
    )
    return db.execute(query.limit(1)).first() is not None


def begin(
    db: Connection, batches: Collection[tuple[str, str, Collection[int]]], until: datetime
) -> None:
    """Say that calls are made now.

    Args:
        db: A writing transaction.
        batches: Of each call its name, `custom` or `kf`, and the rows that go with it.
        until: When a call that nobody has heard of again is given up.
    """
    rows = [
        {"this": number, "by": via, "one": batch, "until": stamp(until)}
        for batch, via, numbers in batches
        for number in numbers
    ]
    if rows:
        db.execute(_BEGIN, rows)


def lost(db: Connection, accounts: Collection[str], now: datetime | None) -> list[Send]:
    """Calls of which nobody will hear again.

    Args:
        db: A writing transaction.
        accounts: Only at these.
        now: The present moment; None: all that are under way, since no desk has begun them that
            is still there.
    """
    query = (
        select(*_COLUMNS)
        .join(wechat_contacts, wechat_contacts.c.id == wechat_sends.c.contact_id)
        .where(wechat_sends.c.state == SENDING, wechat_contacts.c.account.in_(list(accounts)))
        .order_by(wechat_sends.c.id)
        .with_for_update(of=wechat_sends, skip_locked=True)
    )
    if now is not None:
        query = query.where(wechat_sends.c.due_at <= stamp(now))
    return [Send(*row) for row in db.execute(query)]
