"""Where the words of a writer go: their thread in a room, or their private conversation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.channels.sessions import fit_name
from desk.channels.webhook.sources import Source
from desk.context import Context
from desk.conversations import entering
from desk.conversations.turn import Committed
from recovery.ids import new_id
from recovery.store import cases, conversations, customers, streams
from recovery.store.conversations import Conversation
from recovery.store.customers import NAMELESS
from recovery.store.inbox import Message
from recovery.store.webhook import contacts, sends, threads
from recovery.store.webhook.contacts import Contact

# Who writes again so long after the end of a matter has another one.
_SILENT = timedelta(days=7)
_PRIVATE = "private:"


@dataclass(frozen=True)
class Place:
    """Where words go.

    Attributes:
        conversation: Carried to the contact.
        first: What the bot says something to before the words.
        committed: To be published before them.
    """

    conversation: Conversation
    first: tuple[Message, ...] = ()
    committed: tuple[Committed, ...] = ()


def contact_of(
    db: Connection, context: Context, source: Source, writer: str, name: str, now: datetime
) -> Contact:
    """Who it is; whoever comes for the first time is a customer whom nobody vouches for.

    Args:
        db: A writing transaction.
        context: The desk.
        source: Where.
        writer: As the source names them.
        name: As the source calls them; anything.
        now: The present moment.
    """
    contacts.hold_writer(db, source.id, writer)
    business = context.business(source.business)
    known = contacts.find(db, source.id, writer)
    if known is not None and customers.load(db, known.customer_id).business == business.id:
        if known.blocked_until is not None:
            # The source said that they are gone, and they are not.
            contacts.block(db, known.id, None)
        return known
    called = fit_name(business, name) or NAMELESS
    customer = customers.add(db, new_id("u"), business.id, called, now)
    if known is None:
        return contacts.add(db, source.id, writer, customer.id, now)
    # The source has been given to another business since.
    contacts.belongs_to(db, known.id, customer.id)
    return contacts.load(db, known.id) or known


def public(db: Connection, source: Source, contact: Contact, now: datetime) -> Conversation:
    """The thread of a contact in the room of its source, found or begun."""
    room = source.settings.posts_in
    known = conversations.of_room(db, contact.customer_id, room)
    if known is None:
        known = conversations.begin(
            db, source.business, contact.customer_id, now, room=room, channel=source.id
        )
    if contact.public_conversation != known.id:
        contacts.lead_to(db, contact.id, public=known.id)
    # Others may have posted long before: nothing of that is answered now.
    threads.bind(db, known.shown_in, None, planned=streams.last(db, known.shown_in))
    threads.bind(db, known.stream, contact.id, planned=streams.last(db, known.stream))
    return known


def private(
    db: Connection,
    context: Context,
    source: Source,
    contact: Contact,
    reply_to: str | None,
    now: datetime,
) -> Place:
    """Find where the private words of a contact go now, or begin a conversation for them.

    What was posted in public before is taken up: it is the same case.

    Args:
        db: A writing transaction that holds the writer.
        context: The desk.
        source: Where.
        contact: Whose.
        reply_to: The event of ours that is answered: its conversation, while that is open.
        now: The present moment.
    """
    answered = _answered(db, contact, reply_to)
    if answered is not None and _is_open(db, answered):
        _carry(db, contact, answered, streams.last(db, answered.stream))
        return Place(answered)
    known = _known(db, contact.private_conversation)
    if known is not None and _is_open(db, known):
        return Place(known)
    posted = _known(db, contact.public_conversation)
    case = cases.load(db, posted.case_id) if posted else None
    if posted is not None and case is not None and case.stage != "closed":
        entered, message, committed = entering.enter_uninvited(db, context, posted, now)
        # Where it was begun before, it was shown elsewhere.
        _carry(db, contact, entered, 0 if message else streams.last(db, entered.stream))
        return Place(entered, (message,) if message else (), (committed,))
    if known is not None and datetime.fromisoformat(known.last_at) > now - _SILENT:
        return Place(known)
    begun = conversations.begin(db, source.business, contact.customer_id, now, channel=source.id)
    _carry(db, contact, begun, 0)
    return Place(begun)


def of_option(db: Connection, contact: Contact, conversation_id: str) -> Conversation | None:
    """The conversation of a quick reply that was shown to a contact; what follows goes there too.

    Returns:
        None when it is not carried to this contact.
    """
    stream = f"{_PRIVATE}{conversation_id}"
    if threads.carried_to(db, stream) != contact.id:
        return None
    found = conversations.load(db, conversation_id)
    if found is not None:
        contacts.lead_to(db, contact.id, private=found.id)
    return found


def _carry(db: Connection, contact: Contact, conversation: Conversation, planned: int) -> None:
    threads.bind(db, conversation.stream, contact.id, planned=planned)
    contacts.lead_to(db, contact.id, private=conversation.id)


def _answered(db: Connection, contact: Contact, reply_to: str | None) -> Conversation | None:
    stream = sends.of_event(db, contact.id, reply_to) if reply_to else None
    if stream is None or not stream.startswith(_PRIVATE):
        return None
    return _known(db, stream.removeprefix(_PRIVATE))


def _known(db: Connection, conversation_id: str | None) -> Conversation | None:
    return conversations.load(db, conversation_id) if conversation_id else None


def _is_open(db: Connection, conversation: Conversation) -> bool:
    case = cases.load(db, conversation.case_id)
    return case is None or case.stage != "closed"
