"""Where the words of a contact go: its private conversation, found or begun."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.public import commenting
from desk.context import Context
from desk.conversations.turn import Committed
from recovery.store import cases, conversations, customers
from recovery.store.conversations import Conversation
from recovery.store.customers import Customer
from recovery.store.inbox import Message
from recovery.store.wechat import contacts, threads
from recovery.store.wechat.contacts import Contact

NAME = "微信顾客"
"""What staff call a customer of WeChat, which tells no names."""
# Who writes again so long after the end of a matter has another one.
_SILENT = timedelta(days=7)


@dataclass(frozen=True)
class Place:
    """Where words go.

    Attributes:
        conversation: Private, delivered to the contact.
        first: What the bot says something to before the words.
        committed: To be published before them.
    """

    conversation: Conversation
    first: tuple[Message, ...] = ()
    committed: tuple[Committed, ...] = ()


def stranger(db: Connection, account: Account, openid: str, now: datetime) -> Customer:
    """The customer that somebody is of whom only WeChat knows anything."""
    return customers.of_wechat(db, account.settings.business, openid, NAME, now)


def of(
    db: Connection, context: Context, account: Account, contact: Contact, now: datetime
) -> Place:
    """Find where the words of a contact go now, or begin a conversation for them.

    What the contact has written as a comment before is taken up, unless another matter is open.

    Args:
        db: A writing transaction that holds the writer.
        context: The desk.
        account: Where they come in.
        contact: Whose.
        now: The present moment.
    """
    known = conversations.load(db, contact.conversation_id) if contact.conversation_id else None
    if known is not None and known.business != account.settings.business:
        # The account has been given to another business since.
        known = None
    case = cases.load(db, known.case_id) if known is not None else None
    if known is not None and (case is None or case.stage != "closed"):
        return Place(known)
    if account.settings.comments is not None:
        up = commenting.taken_up(db, context, contact, now)
        if up is not None:
            first = (up.entered,) if up.entered else ()
            return Place(up.conversation, first, (up.committed,))
    if known is not None and datetime.fromisoformat(known.last_at) > now - _SILENT:
        return Place(known)
    return Place(_begun(db, account, contact, now))


def _begun(db: Connection, account: Account, contact: Contact, now: datetime) -> Conversation:
    """Begin a conversation; all of it is read in WeChat."""
    business = account.settings.business
    customer = customers.load(db, contact.customer_id)
    if customer.business != business:
        customer = stranger(db, account, contact.openid, now)
        contacts.belongs_to(db, contact.id, customer.id)
    conversation = conversations.begin(db, business, customer.id, now, channel="wechat")
    threads.bind(db, conversation.id, contact.id, now, planned=0)
    contacts.lead_to(db, contact.id, conversation.id)
    return conversation


def of_option(db: Connection, contact: Contact, conversation_id: str) -> str | None:
    """The conversation of a quick reply that was shown to a contact; its next words go there too.

    Args:
        db: A writing transaction.
        contact: Who has pressed it.
        conversation_id: Where it counts.

    Returns:
        None when it is delivered to somebody else by now, or to nobody.
    """
    # Where its words go may have changed since it was read: another matter may have begun.
    present = contacts.load(db, contact.id) or contact
    if conversation_id != present.conversation_id:
        holder = contacts.of_conversation(db, conversation_id)
        if holder is None or holder.id != contact.id:
            return None
        contacts.lead_to(db, contact.id, conversation_id)
    return conversation_id
