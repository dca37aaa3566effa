"""Who writes to an account of WeChat: one openid at one account, and where its words go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from recovery.ids import new_id
from recovery.store.database import hold, stamp
from recovery.store.tables import wechat_contacts, wechat_threads


@dataclass(frozen=True)
class Contact:
    """One contact. Fields as in the table."""

    id: str
    account: str
    openid: str
    customer_id: str
    conversation_id: str | None
    following: bool = True
    wrote_at: str | None = None
    acted_at: str | None = None
    sent_since_wrote: int = 0
    sent_since_acted: int = 0
    blocked_until: str | None = None
    blocked_by: int | None = None
    told_later_at: str | None = None


_COLUMNS = tuple(wechat_contacts.c[name] for name in Contact.__dataclass_fields__)
# What every message needs is put together once: SQLAlchemy takes longer over it than SQLite.
_THIS = wechat_contacts.c.id == bindparam("this")
_LOAD = select(*_COLUMNS).where(_THIS)
_FIND = select(*_COLUMNS).where(
    wechat_contacts.c.account == bindparam("account"),
    wechat_contacts.c.openid == bindparam("openid"),
)
_WROTE = (
    update(wechat_contacts)
    .where(
        _THIS,
        or_(wechat_contacts.c.wrote_at.is_(None), wechat_contacts.c.wrote_at <= bindparam("at")),
    )
    .values(wrote_at=bindparam("at"), sent_since_wrote=0, told_later_at=None, following=True)
)


def hold_writer(db: Connection, account: str, openid: str) -> None:
    """Keep all others who have to do with this contact out until the transaction ends.

    Whoever has more to lock takes this one first.
    """
    hold(db, f"wechat {account} {openid}")


def find(db: Connection, account: str, openid: str) -> Contact | None:
    """Whoever has this openid at this account."""
    row = db.execute(_FIND, {"account": account, "openid": openid}).first()
    return Contact(*row) if row else None


def load(db: Connection, contact_id: str, *, lock: bool = False) -> Contact | None:
    """Read a contact.

    Args:
        db: A transaction.
        contact_id: Which one.
        lock: Keep the row from others until the transaction ends.
    """
    query = _LOAD.with_for_update(key_share=True) if lock else _LOAD
    row = db.execute(query, {"this": contact_id}).first()
    return Contact(*row) if row else None


def add(
    db: Connection,
    account: str,
    openid: str,
    customer_id: str,
    now: datetime,
    *,
    following: bool = True,
) -> Contact:
    """Make a contact that leads nowhere yet.

    Args:
        db: A writing transaction that holds the writer.
        account: At which account.
        openid: Who.
        customer_id: The customer that it is, of the account's business.
        now: The present moment.
        following: Whether it can be written to at all.
    """
    contact = Contact(new_id("c"), account, openid, customer_id, None, following)
    db.execute(insert(wechat_contacts).values(**vars(contact), created_at=stamp(now)))
    return contact


def of_conversation(db: Connection, conversation_id: str) -> Contact | None:
    """To whom a conversation is delivered; None where nobody reads it in WeChat."""
    row = db.execute(
        select(*_COLUMNS)
        .join(wechat_threads, wechat_threads.c.contact_id == wechat_contacts.c.id)
        .where(wechat_threads.c.conversation_id == conversation_id)
    ).first()
    return Contact(*row) if row else None


def wrote(db: Connection, contact_id: str, now: datetime) -> None:
    """Remember that it has written: WeChat allows five messages from then on, and it follows.

    What comes late, after something that was written later, changes nothing.
    """
    db.execute(_WROTE, {"this": contact_id, "at": stamp(now)})


def acted(db: Connection, contact_id: str, now: datetime) -> None:
    """Remember a follow, scan or click: WeChat allows three messages within a minute."""
    db.execute(
        update(wechat_contacts)
        .where(wechat_contacts.c.id == contact_id)
        .values(acted_at=stamp(now), sent_since_acted=0, following=True)
    )


def lead_to(db: Connection, contact_id: str, conversation_id: str | None) -> None:
    """Let its words go into this conversation from now on; None: into one that is begun then."""
    _set(db, contact_id, conversation_id=conversation_id)


def belongs_to(db: Connection, contact_id: str, customer_id: str) -> None:
    """Make it the contact of a customer; its conversations stay with whose they are."""
    _set(db, contact_id, customer_id=customer_id)


def follow(db: Connection, contact_id: str, following: bool) -> None:
    """Remember whether it follows the account."""
    _set(db, contact_id, following=following)


def _set(db: Connection, contact_id: str, **values: object) -> None:
    db.execute(update(wechat_contacts).where(wechat_contacts.c.id == contact_id).values(**values))
