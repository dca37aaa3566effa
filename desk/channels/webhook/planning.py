"""Reads the streams that are carried to sources and puts what is new on its way."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.channels.webhook import rendering
from desk.channels.webhook.rendering import Letter
from desk.channels.webhook.sources import Source
from desk.channels.wechat.outgoing.rendering import HOLDING
from desk.context import Context
from recovery.logs import log
from recovery.store import conversations, streams
from recovery.store.conversations import Conversation
from recovery.store.streams import Entry
from recovery.store.webhook import contacts, sends, threads
from recovery.store.webhook.contacts import Contact
from recovery.store.webhook.threads import Behind

PRIVATE, OWN, ROOM = "private:", "own:", "room:"
GONE = "the source says that they are gone"
_PORTION = 200
# Said unasked, or by a person: it reaches the customer here as well when no page is open.
_REACHES_OUT = ("progress", "closed")


def plan(db: Connection, context: Context, these: Collection[str] | None, now: datetime) -> bool:
    """Put what is new on its way.

    Args:
        db: A writing transaction.
        context: The desk.
        these: Names of streams; None: all of which something is new.
        now: The present moment.

    Returns:
        Whether there was anything to send.
    """
    sources = [source.id for source in context.webhooks]
    reached: dict[str, int] = {}
    found = False
    for one in threads.behind(db, sources, these):
        if not _is_served(db, context, one):
            # Taken out of the settings: all is kept until it comes back.
            continue
        found |= _plan_one(db, context, one, now)
        reached[one.stream] = one.last
    threads.moved(db, reached)
    return found


def _is_served(db: Connection, context: Context, one: Behind) -> bool:
    if one.contact_id is None:
        return True
    conversation = conversations.load(db, one.stream.partition(":")[2])
    return conversation is None or context.directory.business(conversation.business) is not None


def _plan_one(db: Connection, context: Context, one: Behind, now: datetime) -> bool:
    news = _news(db, one)
    answered = {_message_of(entry.event) for entry in news if not _holds(entry.event)}
    found = False
    for entry in news:
        if _holds(entry.event) and _message_of(entry.event) in answered:
            # The answer is here: nobody has to be asked for patience.
            continue
        try:
            found |= _plan_event(db, context, one, entry.event, now)
        except (KeyError, TypeError, ValueError) as error:
            # An event in a form of before, or of a version to come: it must not keep others back.
            log.error("webhook: event left out", stream=one.stream, error=repr(error))
    return found


def _plan_event(
    db: Connection, context: Context, one: Behind, event: dict[str, Any], now: datetime
) -> bool:
    to = _addressee(db, context, one, event)
    if to is None:
        return False
    source, contact, conversation = to
    letter = _letter(db, context, one, source, contact, conversation, event)
    if letter is None:
        return False
    problem = letter.problem or (GONE if contact.blocked_until == contacts.FOR_GOOD else None)
    return sends.plan(db, contact.id, one.stream, letter.body, now, problem=problem)


def _addressee(
    db: Connection, context: Context, one: Behind, event: dict[str, Any]
) -> tuple[Source, Contact, Conversation] | None:
    """To whom an event goes, and in which conversation; None where it goes to nobody here."""
    if one.contact_id is not None:
        contact = contacts.load(db, one.contact_id)
        conversation = conversations.load(db, one.stream.partition(":")[2])
    else:
        contact, conversation = _who_posted(db, context, one.stream, event)
    source = context.webhooks.get(contact.source) if contact else None
    if source is None or contact is None or conversation is None:
        return None
    if conversation.business != source.settings.business:
        # The source was given to another business, which has no part in what was said before.
        return None
    return source, contact, conversation


def _who_posted(
    db: Connection, context: Context, room: str, event: dict[str, Any]
) -> tuple[Contact | None, Conversation | None]:
    """Of an answer in a room: who is answered, where that came by a source."""
    post = streams.event(db, room, str(event["reply_to"])) if event.get("reply_to") else None
    customer = post.get("customer") if post else None
    if not isinstance(customer, str):
        return None, None
    name = room.removeprefix(ROOM)
    conversation = conversations.of_room(db, customer, name)
    for contact in contacts.of_customer(db, customer):
        source = context.webhooks.get(contact.source)
        if source is not None and source.settings.posts_in == name:
            return contact, conversation
    return None, None


def _letter(
    db: Connection,
    context: Context,
    one: Behind,
    source: Source,
    contact: Contact,
    conversation: Conversation,
    event: dict[str, Any],
) -> Letter | None:
    business = context.directory.business(conversation.business)
    if business is None:
        return None
    if one.stream.startswith(ROOM):
        return rendering.of_room(db, source, business, conversation, contact, event)
    if one.stream.startswith(OWN):
        return rendering.of_own(context, source, business, conversation, contact, event)
    if not _goes(context, source, conversation, event):
        return None
    return rendering.of_private(db, business, conversation, contact, event)


def _goes(
    context: Context, source: Source, conversation: Conversation, event: dict[str, Any]
) -> bool:
    """Whether an event goes to the source: where the customer talks, or no page is open."""
    if not source.settings.private_messages:
        return False
    if conversation.channel == source.id or event.get("outside"):
        return True
    by_staff = event.get("kind") == "message" and event.get("author") == "staff"
    if event.get("kind") not in _REACHES_OUT and not by_staff:
        return False
    return not context.hub.hears(conversation.stream)


def _news(db: Connection, one: Behind) -> list[Entry]:
    found: list[Entry] = []
    seq = one.planned
    while seq < one.last:
        portion = streams.after(db, one.stream, seq, _PORTION)
        found += [entry for entry in portion if entry.seq <= one.last]
        if not portion:
            break
        seq = portion[-1].seq
    return found


def _holds(event: dict[str, Any]) -> bool:
    return str(event.get("id", "")).endswith(HOLDING)


def _message_of(event: dict[str, Any]) -> str:
    """The message that an event answers, as its id says."""
    return str(event.get("id", "")).partition(".")[0]
