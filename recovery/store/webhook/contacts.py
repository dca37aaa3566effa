"""Who writes at a source of the generic channel, and where their words go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from recovery.ids import new_id
from recovery.store.database import hold, stamp
from recovery.store.tables import invitations, webhook_contacts

FOR_GOOD = "9999-12-31T00:00:00.000000+00:00"
"""Blocked until the customer writes again."""


@dataclass(frozen=True)
class Contact:
    """One customer at one source. Fields as in the table."""

    id: str
    source: str
    external_id: str
    customer_id: str
    public_conversation: str | None
    private_conversation: str | None
    blocked_until: str | None


COLUMNS = tuple(webhook_contacts.c[name] for name in Contact.__dataclass_fields__)
_FIND = select(*COLUMNS).where(
    webhook_contacts.c.source == bindparam("its_source"),
    webhook_contacts.c.external_id == bindparam("external"),
)
_LOAD = select(*COLUMNS).where(webhook_contacts.c.id == bindparam("this"))


def hold_writer(db: Connection, source: str, external_id: str) -> None:
    """Keep all others who have to do with this contact out until the transaction ends."""
    hold(db, f"webhook {source} writer {external_id}")


def find(db: Connection, source: str, external_id: str) -> Contact | None:
    """Whoever a source calls so."""
    row = db.execute(_FIND, {"its_source": source, "external": external_id}).first()
    return Contact(*row) if row else None


def load(db: Connection, contact_id: str) -> Contact | None:
    """Read a contact."""
    row = db.execute(_LOAD, {"this": contact_id}).first()
    return Contact(*row) if row else None


def add(db: Connection, source: str, external_id: str, customer_id: str, now: datetime) -> Contact:
    """Make a contact that leads nowhere yet.

    Args:
        db: A writing transaction that holds the writer.
        source: Where.
        external_id: As the source names them.
        customer_id: The customer that it is, of the source's business.
        now: The present moment.
    """
    contact = Contact(new_id("c"), source, external_id, customer_id, None, None, None)
    db.execute(insert(webhook_contacts).values(**vars(contact), created_at=stamp(now)))
    return contact


def of_customer(db: Connection, customer_id: str) -> list[Contact]:
    """The contacts of a customer, in the order in which they came."""
    query = select(*COLUMNS).where(webhook_contacts.c.customer_id == customer_id)
    rows = db.execute(query.order_by(webhook_contacts.c.created_at, webhook_contacts.c.id))
    return [Contact(*row) for row in rows]


def invited(db: Connection, token_hash: str) -> str | None:
    """The customer of an invitation who writes at a source; None where it is somebody else's.

    Args:
        db: A transaction.
        token_hash: Of the invitation.
    """
    found: str | None = db.execute(
        select(invitations.c.customer_id)
        .join(webhook_contacts, webhook_contacts.c.customer_id == invitations.c.customer_id)
        .where(invitations.c.token_hash == token_hash)
        .limit(1)
    ).scalar()
    return found


def lead_to(
    db: Connection,
    contact_id: str,
    *,
    public: str | None = None,
    private: str | None = None,
) -> None:
    """Let words go into these conversations from now on; what is not given stays."""
    values = {
        name: value
        for name, value in (("public_conversation", public), ("private_conversation", private))
        if value is not None
    }
    _set(db, contact_id, **values)


def belongs_to(db: Connection, contact_id: str, customer_id: str) -> None:
    """Make it the contact of another customer, who has no conversation yet."""
    _set(
        db,
        contact_id,
        customer_id=customer_id,
        public_conversation=None,
        private_conversation=None,
    )


def block(db: Connection, contact_id: str, until: str | None) -> None:
    """Send nothing before a moment, as stored; None: whatever is there."""
    _set(db, contact_id, blocked_until=until)


def _set(db: Connection, contact_id: str, **values: object) -> None:
    db.execute(update(webhook_contacts).where(webhook_contacts.c.id == contact_id).values(**values))
