"""Whose an order is, by what was proved, and where that customer can be written to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, or_, select

from recovery.case import Case
from recovery.store.conversations import Conversation
from recovery.store.customers import Customer
from recovery.store.database import stamp
from recovery.store.tables import (
    cases,
    conversations,
    customers,
    proof_tries,
    web_sessions,
    webhook_contacts,
    wechat_contacts,
)

_PROVED_WITHIN = timedelta(days=180)
_CUSTOMER = tuple(customers.c[name] for name in Customer.__dataclass_fields__)
_CONVERSATION = tuple(conversations.c[name] for name in Conversation.__dataclass_fields__)


@dataclass(frozen=True)
class OpenCase:
    """A case of a person that is not closed, with the private conversation in which it goes on."""

    case: Case
    conversation: Conversation


def of_identity(db: Connection, business: str, identity: str | None) -> Customer | None:
    """The customer whom the host site, or WeChat, knows by this id."""
    if not identity:
        return None
    query = select(*_CUSTOMER).where(
        customers.c.business == business, customers.c.external_id == identity
    )
    row = db.execute(query).first()
    return Customer(*row) if row else None


def proved(db: Connection, business: str, number: str, now: datetime) -> Customer | None:
    """Who proved an order last, in the chat or with the help of staff; None for nobody.

    Args:
        db: A transaction.
        business: Whose order.
        number: Folded.
        now: The present moment; what was proved long ago counts no more.
    """
    since = stamp(now - _PROVED_WITHIN)
    tried = (
        select(proof_tries.c.at, *_CUSTOMER)
        .join(customers, customers.c.id == proof_tries.c.customer_id)
        .where(
            proof_tries.c.business == business,
            proof_tries.c.order_number == number,
            proof_tries.c.correct.is_(True),
            proof_tries.c.at >= since,
        )
        .order_by(proof_tries.c.at.desc(), proof_tries.c.id.desc())
        .limit(1)
    )
    # Staff prove an order for a customer; that stands in the case alone.
    in_case = (
        select(cases.c.opened_at, *_CUSTOMER)
        .join(customers, customers.c.id == cases.c.customer_id)
        .where(
            cases.c.business == business,
            cases.c.opened_at >= since,
            cases.c.state["order_number"].as_string() == number,
        )
        .order_by(cases.c.opened_at.desc(), cases.c.id)
        .limit(1)
    )
    row = db.execute(tried).first() or db.execute(in_case).first()
    return Customer(*row[1:]) if row is not None else None


def reachable(db: Connection, customer_ids: Collection[str]) -> bool:
    """Whether one of these customers has a browser, a WeChat or another channel that reads us."""
    found = select(customers.c.id).where(
        customers.c.id.in_(customer_ids),
        or_(
            exists().where(web_sessions.c.customer_id == customers.c.id),
            exists().where(
                wechat_contacts.c.customer_id == customers.c.id,
                wechat_contacts.c.following.is_(True),
            ),
            exists().where(webhook_contacts.c.customer_id == customers.c.id),
        ),
    )
    return db.execute(found.limit(1)).first() is not None


def conversations_of(
    db: Connection, customer_ids: Collection[str], but: Collection[str], kind: str = "private"
) -> list[Conversation]:
    """The private conversations of these customers, the latest first; or those in rooms.

    Args:
        db: A transaction.
        customer_ids: Whose.
        but: Not of these channels: nobody reads there.
        kind: `private` or `public`.
    """
    query = (
        select(*_CONVERSATION)
        .where(
            conversations.c.customer_id.in_(customer_ids),
            conversations.c.kind == kind,
            conversations.c.channel.not_in(but),
        )
        .order_by(conversations.c.last_at.desc(), conversations.c.id)
    )
    return [Conversation(**row._mapping) for row in db.execute(query)]


def wechat_contact_of(db: Connection, customer_ids: Collection[str]) -> str | None:
    """Id of the contact of WeChat to whom one of these customers listens; None for none."""
    query = (
        select(wechat_contacts.c.id)
        .where(
            wechat_contacts.c.customer_id.in_(customer_ids),
            wechat_contacts.c.following.is_(True),
        )
        .order_by(wechat_contacts.c.wrote_at.desc(), wechat_contacts.c.id)
    )
    return db.execute(query.limit(1)).scalar()


def webhook_contact_of(
    db: Connection, customer_ids: Collection[str], source: str | None
) -> tuple[str, str] | None:
    """Source and id of the contact as which one of these customers writes elsewhere.

    Args:
        db: A transaction.
        customer_ids: Whose.
        source: Where they wrote last; None: anywhere, where they have no browser with us.
    """
    query = (
        select(webhook_contacts.c.source, webhook_contacts.c.id)
        .where(webhook_contacts.c.customer_id.in_(customer_ids))
        .order_by(webhook_contacts.c.created_at.desc(), webhook_contacts.c.id)
    )
    if source is not None:
        query = query.where(webhook_contacts.c.source == source)
    else:
        browser = exists().where(web_sessions.c.customer_id.in_(customer_ids))
        query = query.where(~browser)
    row = db.execute(query.limit(1)).first()
    return (row.source, row.id) if row else None


def opened_since(
    db: Connection, business: str, failures: Collection[str], since: datetime, most: int = 500
) -> list[tuple[Case, str]]:
    """Cases of a business about one of these failures, with their stored opening, the latest.

    Args:
        db: A transaction.
        business: Whose.
        failures: Names.
        since: Opened since then.
        most: How many at most.
    """
    query = (
        select(cases.c.state, cases.c.opened_at)
        .where(
            cases.c.business == business,
            cases.c.opened_at >= stamp(since),
            cases.c.merged_into.is_(None),
            cases.c.state["facts"]["failure"].as_string().in_(failures),
        )
        .order_by(cases.c.opened_at.desc())
        .limit(most)
    )
    return [(Case.from_state(state), at) for state, at in db.execute(query)]
