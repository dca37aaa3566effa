"""What a member of staff does with a conversation: take, answer, set facts, give back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.commit import Changed, Committed
from desk.conversations.ingest import clean
from recovery.case import apply, given_back
from recovery.commands import Note
from recovery.dialogue.harm import HARM_BY, STAFF
from recovery.ids import fingerprint
from recovery.privacy import mask
from recovery.store import cases, conversations, streams
from recovery.store.conversations import BOT, QUEUE, Conversation, OwnershipError, staff_owner
from recovery.store.staff import Staff


class NoCaseError(RuntimeError):
    """A conversation that is about no case yet."""


def _present(db: Connection, conversation_id: str, who: Staff) -> Conversation:
    """A conversation that this member of staff may know of.

    Raises:
        LookupError: There is none; another business's is none.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None or not who.sees(conversation.business):
        raise LookupError(conversation_id)
    return conversation


def _tell(
    db: Connection, conversation: Conversation, event: dict[str, Any], now: datetime
) -> Committed:
    entry = streams.append(db, conversation.stream, event, now)
    return Committed([entry] if entry else [], changed=_changed(conversation))


def _changed(conversation: Conversation) -> tuple[Changed, ...]:
    return (Changed(conversation.business, conversation.id),)


def take(
    db: Connection, context: Context, conversation_id: str, who: Staff, now: datetime
) -> Committed:
    """Take a conversation from the bot or the queue.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Another member of staff has it.
    """
    conversation = _present(db, conversation_id, who)
    owner = staff_owner(who.id)
    if conversation.owner == owner:
        return Committed([])
    conversations.change_owner(db, conversation, owner, now, expected=(BOT, QUEUE))
    event_id = fingerprint(f"{conversation.id}{owner}{now.isoformat()}")[:24]
    event = {
        "id": f"w{event_id}",
        "kind": "owner",
        "owner": "staff",
        "name": who.name,
        "text": phrases.person_here(who.name),
    }
    return _tell(db, conversation, event, now)


def answer(
    db: Connection,
    conversation_id: str,
    who: Staff,
    client_id: str,
    text: str,
    now: datetime,
) -> tuple[Committed, Conversation, str]:
    """Say something as the owner.

    Returns:
        What to publish, the conversation, and the id of the message; the same client id again
        says nothing again.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it: only the owner speaks.
        RefusedError: Empty or too long.
    """
    conversation = _present(db, conversation_id, who)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    words = clean(text)
    message_id = "w" + fingerprint(f"{conversation.id}:{who.id}:{client_id}")[:24]
    event: dict[str, Any] = {
        "id": message_id,
        "kind": "message",
        "author": "staff",
        "name": who.name,
        "text": words,
        "client_id": client_id,
    }
    if not conversation.private:
        # Everybody reads it: whom it answers is said, and nothing personal is.
        post = streams.last_post(db, conversation.shown_in, conversation.customer_id)
        masked = mask(words)
        event |= {"text": masked.text, "reply_to": post}
        if masked.found:
            event["original"] = words
    entry = streams.append(db, conversation.shown_in, event, now)
    if entry:
        conversations.note_message(db, conversation.id, event["text"], now)
    entries = [entry] if entry else []
    return Committed(entries, changed=_changed(conversation)), conversation, message_id


def note_facts(
    db: Connection, conversation_id: str, who: Staff, facts: Mapping[str, str], now: datetime
) -> Committed:
    """Set facts of the case as its owner. The customer is told nothing of it.

    The log of the case keeps who (`w-<id>` as message), when, and what changed; what stands
    already changes nothing.

    Args:
        db: A writing transaction.
        conversation_id: Which one.
        who: Who sets them.
        facts: By name; values as in `recovery.remedy.facts`.
        now: The present moment.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        NoCaseError: There is no case.
    """
    conversation = _present(db, conversation_id, who)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    case = cases.load(db, conversation.case_id)
    if case is None:
        raise NoCaseError(conversation.id)
    changes = {name: value for name, value in facts.items() if case.facts.get(name) != value}
    if not changes:
        return Committed([])
    if "harm" in changes:
        changes[HARM_BY] = STAFF
    command = Note(changes)
    noted = apply(case, command, now)
    if noted:
        cases.save(db, noted, conversation.business, conversation.customer_id, now)
    cases.log(db, case.id, f"w-{who.id}", command, now)
    return Committed([], changed=_changed(conversation))


def give_back(
    db: Connection, context: Context, conversation_id: str, who: Staff, note: str, now: datetime
) -> Committed:
    """Give a conversation back to the bot, which goes on where the case stands.

    Raises:
        LookupError: No such conversation.
        OwnershipError: It is not this member's to give.
    """
    conversation = _present(db, conversation_id, who)
    conversations.change_owner(db, conversation, BOT, now, expected=(staff_owner(who.id),))
    case = cases.load(db, conversation.case_id)
    if case:
        cases.save(db, given_back(case), conversation.business, conversation.customer_id, now)
        memo = Note({"handed_back_by": who.login, "handed_back_note": note[:500]})
        cases.log(db, case.id, f"w-{who.id}", memo, now)
    assistant = context.business(conversation.business).assistant
    event_id = fingerprint(f"{conversation.id}{BOT}{now.isoformat()}")[:24]
    event = {
        "id": f"w{event_id}",
        "kind": "owner",
        "owner": "bot",
        "name": assistant,
        "text": phrases.person_here(assistant),
    }
    return _tell(db, conversation, event, now)
