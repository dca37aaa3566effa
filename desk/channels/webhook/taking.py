"""What becomes of one message of a source, decided and stored in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from desk.channels import joining
from desk.channels.webhook import places
from desk.channels.webhook.places import Place
from desk.channels.webhook.reading import BadMessageError, Written
from desk.channels.webhook.sources import Source
from desk.context import Context
from desk.conversations.ingest import Incoming, RefusedError, Taken, take
from desk.conversations.turn import Committed
from recovery.store.database import stamp
from recovery.store.webhook import received, sends
from recovery.store.webhook.contacts import Contact
from recovery.store.webhook.received import Received

TAKEN, REPEATED = "taken", "repeated"
_NOT_IN_PUBLIC = "这像是合并码，公开的地方不收，请顾客发私信"
_BAD_OPTION = "这个选项已经失效，请直接打字告诉我们"


@dataclass(frozen=True)
class Outcome:
    """What was committed.

    Attributes:
        answer: For the source.
        taken: What became of it in the inbox; None where it had come before, or was no word to
            anybody.
        place: Where its words went; None where it had come before.
    """

    answer: dict[str, Any]
    taken: Taken | None = None
    place: Place | None = None


def take_in(
    db: Connection,
    context: Context,
    source: Source,
    written: Written,
    now: datetime,
    *,
    allowed: Callable[[], bool],
) -> Outcome:
    """Take what has come in, once however often it comes.

    Args:
        db: A writing transaction.
        context: The desk.
        source: Where it came in.
        written: What.
        now: The present moment.
        allowed: Asked of what is new: whether the writer keeps to the pace.

    Raises:
        BadMessageError: Something else came before under the same id, or it is private and
            could not be answered.
        RefusedError: It cannot be taken; nothing is stored.
    """
    received.hold_message(db, source.id, written.id)
    known = received.load(db, source.id, written.id)
    if known is not None:
        if known.digest != written.digest:
            raise BadMessageError(409, "id_used", "这个 id 已经用在另一条消息上")
        return Outcome({**known.answer, "state": REPEATED})
    if not allowed():
        raise RefusedError("too_fast", "这位顾客发得太快，请稍后再送", retry=True)
    contact = places.contact_of(db, context, source, written.writer, written.name, now)
    taken, place = _taken(db, context, source, contact, written, now)
    message_id = taken.message.id if taken else _external(source, written)
    answer = {"message": message_id, "conversation": place.conversation.id, "state": TAKEN}
    row = Received(source.id, written.id, contact.id, message_id, written.digest, answer)
    received.add(db, row, now)
    return Outcome(answer, taken, place)


def _external(source: Source, written: Written) -> str:
    """The id in the inbox of what a source knows by its own."""
    return f"wh-{sha256(f'{source.id} {written.id}'.encode()).hexdigest()[:36]}"


def _taken(
    db: Connection,
    context: Context,
    source: Source,
    contact: Contact,
    written: Written,
    now: datetime,
) -> tuple[Taken | None, Place]:
    incoming = Incoming("", _external(source, written), written.text, channel=source.id)
    if written.payload is not None:
        return _pressed(db, context, contact, replace(incoming, button=written.payload), now)
    if (written.visibility or source.settings.visibility) == "public":
        if joining.is_code(written.text):
            raise RefusedError("join_code", _NOT_IN_PUBLIC)
        place = Place(places.public(db, source, contact, now))
    elif not source.settings.private_messages:
        raise BadMessageError(422, "not_private", "这个来源没有设成能收发私信")
    else:
        place = places.private(db, context, source, contact, written.reply_to, now)
        told = _about_joining(db, context, contact, place, incoming, now)
        if told is not None:
            return None, replace(place, committed=(*place.committed, told))
    incoming = replace(incoming, conversation=place.conversation.id)
    return take(db, context, incoming, now), place


def _about_joining(
    db: Connection,
    context: Context,
    contact: Contact,
    place: Place,
    incoming: Incoming,
    now: datetime,
) -> Committed | None:
    """Answer who wants to be known here as who they are elsewhere; a code is kept nowhere."""
    found = joining.answer_typed(db, context, contact.customer_id, incoming.text, "link", now)
    if found is None:
        return None
    words, told = found
    body = {
        "id": f"{incoming.external_id}.r",
        "to": contact.external_id,
        "conversation": place.conversation.id,
        "visibility": "private",
        "kind": "message",
        "author": "system",
        "text": words,
        "options": [],
        "at": stamp(now),
    }
    sends.plan(db, contact.id, place.conversation.stream, body, now)
    return told


def _pressed(
    db: Connection, context: Context, contact: Contact, incoming: Incoming, now: datetime
) -> tuple[Taken, Place]:
    """Take an option that was sent to this contact, in the conversation where it was.

    Raises:
        RefusedError: It does not count any more, or was never theirs.
    """
    payload = incoming.button or ""
    title = sends.option(db, contact.id, payload)
    conversation_id, _, token = payload.partition(":")
    found = places.of_option(db, contact, conversation_id) if title else None
    if title is None or found is None:
        raise RefusedError("bad_option", _BAD_OPTION)
    pressed = replace(incoming, conversation=found.id, text=title, button=token)
    return take(db, context, pressed, now), Place(found)
