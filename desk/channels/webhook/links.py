"""Links by which who wrote at a source goes into private on a page.

A link carries an invitation that was shown to its writer alone. Whoever opens it first is the
writer, in that browser, from then on; it opens nothing a second time. Looking at it does not use
it up: the source, or a phone, may look at what is sent.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.channels import joining
from desk.context import Context
from desk.conversations import entering
from desk.conversations.turn import Committed
from recovery.ids import fingerprint
from recovery.store import conversations, customers, invitations, streams
from recovery.store.customers import Customer
from recovery.store.database import hold
from recovery.store.inbox import Message
from recovery.store.invitations import Invitation
from recovery.store.webhook import contacts, threads


@dataclass(frozen=True)
class Opened:
    """A link that was used.

    Attributes:
        conversation_id: Where it led.
        session: The secret of the browser's session from now on.
        message: For the router; None where the conversation was there before.
        committed: To be published.
    """

    conversation_id: str
    session: str
    message: Message | None
    committed: Committed


def shown(
    db: Connection, context: Context, cookie: str | None, token: str
) -> dict[str, Any] | None:
    """What a link opens.

    Args:
        db: A transaction.
        context: The desk.
        cookie: The browser's secret.
        token: Of the link; anything.

    Returns:
        As the page of links wants it; None where it opens nothing for this browser.
    """
    found = _find(db, context, token)
    business = _business(db, context, found) if found else None
    if found is None or business is None:
        return None
    mine = customers.all_of_session(db, cookie) if cookie else []
    if found.private_conversation and any(one.id == found.customer_id for one in mine):
        # Opened again where it was opened.
        return {"business": business, "conversation": found.private_conversation, "other": False}
    if found.state(context.clock()) != "open":
        return None
    contact = contacts.of_customer(db, found.customer_id)[0]
    source = context.webhooks.get(contact.source)
    other = _other(db, cookie, found)
    return {
        "business": business,
        "conversation": None,
        # Whether something was said in this browser before that may be joined to it.
        "other": other is not None and bool(conversations.private_of(db, other.id)),
        "source": source.settings.name if source else "",
    }


def open_link(
    db: Connection,
    context: Context,
    cookie: str | None,
    token: str,
    now: datetime,
    *,
    same: bool,
) -> Opened | None:
    """Let this browser be the writer, and go into private; None where the link opens nothing.

    Args:
        db: A writing transaction.
        context: The desk.
        cookie: The secret of the browser's present session, None where it has none.
        token: Of the link; anything.
        now: The present moment.
        same: They say that what was said in this browser before was said by them as well.
    """
    hold(db, f"webhook link {fingerprint(token)}")
    found = _find(db, context, token)
    if found is None or found.state(now) != "open" or _business(db, context, found) is None:
        return None
    private, message, committed = entering.enter(db, context, found, now)
    contact = contacts.of_customer(db, found.customer_id)[0]
    # What is said here is read on the page; what is said later, when no page is open, at the
    # source as well.
    threads.bind(db, private.stream, contact.id, planned=streams.last(db, private.stream))
    contacts.lead_to(db, contact.id, private=private.id)
    other = _other(db, cookie, found)
    if same and other is not None:
        joining.join(db, other.id, found.customer_id, "link", f"customer:{other.id}", now)
    _, session = customers.adopt(db, cookie, found.customer_id, now)
    return Opened(private.id, session, message, committed)


def _other(db: Connection, cookie: str | None, found: Invitation) -> Customer | None:
    """Who this browser speaks for at the business of a link, if not for the same person."""
    theirs = customers.load(db, found.customer_id)
    here = customers.by_session(db, cookie, theirs.business) if cookie else None
    return here if here and not here.is_same_person(theirs) else None


def _find(db: Connection, context: Context, token: str) -> Invitation | None:
    """The invitation of a link: only that of somebody who writes at a source is one."""
    customer = contacts.invited(db, fingerprint(token))
    if customer is None:
        return None
    return invitations.find(db, token, {customer}, context.secrets.signing_key, context.clock())


def _business(db: Connection, context: Context, found: Invitation) -> str | None:
    public = conversations.load(db, found.public_conversation)
    business = context.directory.business(public.business) if public else None
    return business.name if business else None
