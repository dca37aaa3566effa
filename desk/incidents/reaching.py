"""Whom an event concerns, and where they are written to: known by proof, never by likeness."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.conversations.commented import COMMENT
from desk.staff.by_hand import CHANNELS
from recovery.case import Case
from recovery.failures import UNKNOWN
from recovery.orders.system import fold_order_number
from recovery.store import cases, conversations, invitations, persons, whose_orders
from recovery.store.conversations import BOT, Conversation
from recovery.store.customers import Customer
from recovery.store.database import hold
from recovery.store.webhook import contacts as webhook_contacts
from recovery.store.webhook import threads as webhook_threads
from recovery.store.wechat import contacts, threads

NOBODY_READS = (*CHANNELS, COMMENT)
"""Channels of conversations in which the customer reads nothing of what we write."""
_SAME_MATTER = timedelta(days=14)
"""For how long the same trouble belongs to a case that was agreed upon and never closed."""


@dataclass(frozen=True)
class Place:
    """Where somebody is written to.

    Attributes:
        conversation: Private, held by this transaction; None where one is to be begun; the one
            in the room where a person answers there.
        case: The case that goes on there; None where one is to be opened.
        customer: Whose conversation it is or is to be.
        contact: Of WeChat, to whom a conversation that is begun is delivered.
        source: Of another source (docs/webhook.md), likewise: its id and the contact's.
    """

    customer: Customer
    conversation: Conversation | None = None
    case: Case | None = None
    contact: str | None = None
    source: tuple[str, str] | None = None


def whose(
    db: Connection, business: str, number: str, identity: str | None, now: datetime
) -> Customer | None:
    """The customer of an order: whom the host site knows, else who proved it last.

    Args:
        db: A transaction.
        business: Whose order.
        number: Folded; empty where no order is known.
        identity: As the order system says that the host site signs them.
        now: The present moment.
    """
    known = whose_orders.of_identity(db, business, identity)
    if known is not None or not number:
        return known
    return whose_orders.proved(db, business, fold_order_number(number), now)


def place_for(
    db: Connection, customer: Customer, number: str, failure: str, now: datetime
) -> Place | None:
    """Where a customer is written to about an order.

    A case about this order goes on, one from a room in private. Else it is the latest private
    conversation whose matter is closed; who talks with us about something else gets a
    conversation beside.

    Args:
        db: A writing transaction.
        customer: Whose order it is.
        number: Folded; empty where no order is known.
        failure: What went wrong.
        now: The present moment.

    Returns:
        None where no browser, WeChat or other channel of theirs is known.
    """
    ids = persons.customers_of(db, customer.person) or (customer.id,)
    # All in one order, so that nobody waits in a circle.
    for one in sorted(ids):
        hold(db, f"customer {one}")
    if not whose_orders.reachable(db, ids):
        return None
    private = whose_orders.conversations_of(db, ids, NOBODY_READS)
    found = [(one, cases.load(db, one.case_id)) for one in private]
    for conversation, case in found:
        if case is not None and _about(case, number, failure, now):
            return _place(db, conversation, case)
    for public in whose_orders.conversations_of(db, ids, NOBODY_READS, "public"):
        case = cases.load(db, public.case_id)
        if case is not None and _about(case, number, failure, now):
            if conversations.of_case(db, case.id, "private") is not None:
                continue
            if public.owner != BOT:
                # A person answers in the room; whether it goes into private is theirs to say.
                return _place(db, public, case)
            begun, _ = invitations.begin_private(db, public.id, now)
            return _place(db, begun, case)
    for conversation, case in found:
        quiet = case is None or case.stage == "closed"
        if quiet and conversation.owner == BOT:
            return _place(db, conversation, None)
    last = found[0][0] if found else None
    contact = whose_orders.wechat_contact_of(db, ids) if _is(last, "wechat") else None
    source = None
    if contact is None and (last is None or last.channel != "web"):
        source = whose_orders.webhook_contact_of(db, ids, last.channel if last else None)
    whom = contacts.load(db, contact) if contact else None
    own = last.customer_id if last else whom.customer_id if whom else customer.id
    known = next((one for one in persons.identities_of(db, customer.person) if one.id == own), None)
    return Place(known or customer, contact=contact, source=source)


def _is(last: Conversation | None, channel: str) -> bool:
    """Whether somebody wrote there last, or has not written yet."""
    return last is None or last.channel == channel


def begin(db: Connection, place: Place, case_id: str, now: datetime) -> Conversation:
    """The conversation of a place, begun where there is none, about a new case."""
    if place.conversation is not None:
        conversations.bind_case(db, place.conversation.id, case_id)
        return conversations.load(db, place.conversation.id) or place.conversation
    channel = "wechat" if place.contact else place.source[0] if place.source else "web"
    made = conversations.begin(
        db, place.customer.business, place.customer.id, now, case_id=case_id, channel=channel
    )
    if place.contact:
        threads.bind(db, made.id, place.contact, now, planned=0)
        contact = contacts.load(db, place.contact)
        if contact is not None and contact.conversation_id is None:
            contacts.lead_to(db, contact.id, made.id)
    if place.source:
        webhook_threads.bind(db, made.stream, place.source[1], planned=0)
        webhook_contacts.lead_to(db, place.source[1], private=made.id)
    return made


def _place(db: Connection, conversation: Conversation, case: Case | None) -> Place:
    [*_, customer] = [
        one
        for one in persons.identities_of(db, persons.person_of(db, conversation.customer_id))
        if one.id == conversation.customer_id
    ]
    return Place(customer, conversation, case)


def _about(case: Case, number: str, failure: str, now: datetime) -> bool:
    """Whether a case is open and about an order: proved, or the same failure of none named."""
    if case.stage == "closed" or (case.stage == "agreed" and _is_new(case, failure, now)):
        return False
    claimed = case.order_number or case.facts.get("order_number")
    if claimed:
        return bool(number) and fold_order_number(str(claimed)) == number
    return case.failure == failure != UNKNOWN


def _is_new(case: Case, failure: str, now: datetime) -> bool:
    """Whether what happened is none of what was agreed upon: some orders go on for years."""
    if case.failure not in (None, UNKNOWN, failure):
        return True
    opened = datetime.fromisoformat(case.opened_at) if case.opened_at else now
    return now - opened > _SAME_MATTER
