"""What a member of staff does with a conversation: take, answer, set facts, give back.

How one goes from hand to hand among people stands in `passing`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.closing import StillOpenError, reopen
from desk.conversations.commented import COMMENT, check_reply
from desk.conversations.dealing import withdraw_in_private
from desk.conversations.ingest import clean
from desk.conversations.standing import require_unchanged
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.conversations.unanswered import check_answered
from desk.conversations.unasked import GIVEN_BACK, withdraw_requests
from recovery.case import BadStageError, Stage, apply, given_back
from recovery.commands import Note
from recovery.dialogue.harm import HARM_BY, STAFF
from recovery.ids import fingerprint, new_id
from recovery.privacy import mask
from recovery.queue.people import OFFLINE, ONLINE
from recovery.store import (
    audit_log,
    cases,
    clocks,
    conversations,
    notes,
    presence,
    remedy_requests,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, OwnershipError, staff_owner
from recovery.store.notices import Notice
from recovery.store.staff import Staff
from recovery.store.streams import Entry

SERVING = ("answer", "picture", "call", "offer", "heard")
"""Acts of the audit log by which a member of staff serves a customer."""


class NoCaseError(RuntimeError):
    """A conversation that is about no case yet."""


def known(db: Connection, conversation_id: str, who: Staff) -> Conversation:
    """A conversation that this member of staff may know of, with all others kept away from it.

    Raises:
        LookupError: There is none; another business's is none.
        PageError: The account has been changed since it was let in.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None or not who.sees(conversation.business):
        raise LookupError(conversation_id)
    require_unchanged(db, who)
    return conversation


def own(db: Connection, conversation_id: str, who: Staff) -> Conversation:
    """A conversation of one's own, to speak or act in: asked before everything that is sent.

    Raises:
        LookupError: There is none that this account may know of.
        OwnershipError: Somebody else owns it: only the owner speaks.
    """
    conversation = known(db, conversation_id, who)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    return conversation


def announce(
    db: Connection, conversation: Conversation, owner: str, name: str, text: str, now: datetime
) -> list[Entry]:
    """Tell the customer who is there now.

    Args:
        db: The transaction in which the owner is changed.
        conversation: Which one.
        owner: `bot`, `queue` or `staff`: customers learn no ids.
        name: Of who is there, empty for the queue.
        text: What they read.
        now: The present moment.
    """
    event = {"id": new_id("w"), "kind": "owner", "owner": owner, "name": name, "text": text}
    entry = streams.append(db, conversation.stream, event, now)
    return [entry] if entry else []


def _changed(conversation: Conversation) -> tuple[Changed, ...]:
    return (Changed(conversation.business, conversation.id),)


def take(
    db: Connection, context: Context, conversation_id: str, who: Staff, now: datetime
) -> Committed:
    """Take a conversation from the bot or the queue; who takes one is there.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Another member of staff has it.
    """
    conversation = known(db, conversation_id, who)
    owner = staff_owner(who.id)
    if conversation.owner == owner:
        return Committed([])
    conversations.change_owner(db, conversation, owner, now, expected=(BOT, QUEUE))
    reopen(db, conversation, who, now)
    clocks.person_due(db, conversation, context.business(conversation.business), now)
    if presence.of(db, who.id) == OFFLINE:
        presence.choose(db, who.id, ONLINE)
    audit_log.note(
        db,
        who,
        "take",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"from": conversation.owner},
    )
    entries = announce(db, conversation, "staff", who.name, phrases.person_here(who.name), now)
    return Committed(entries, changed=_changed(conversation))


def answer_id(conversation: Conversation, who: Staff, client_id: str) -> str:
    """The id of an answer: the same client id again is the same answer."""
    return "w" + fingerprint(f"{conversation.id}:{who.id}:{client_id}")[:24]


def answer(
    db: Connection,
    context: Context,
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
        RefusedError: Empty or too long, or a comment that was answered before.
    """
    conversation = own(db, conversation_id, who)
    words = clean(text)
    message_id = answer_id(conversation, who, client_id)
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
        if conversation.channel == COMMENT:
            check_reply(db, conversation, post, words, message_id, now)
        masked = mask(words)
        event |= {"text": masked.text, "reply_to": post}
        if masked.found:
            event["original"] = words
    entry = streams.append(db, conversation.shown_in, event, now)
    if entry:
        conversations.note_message(db, conversation.id, event["text"], now)
        staff_spoke(db, context, conversation, who, message_id, now)
    entries = [entry] if entry else []
    return Committed(entries, changed=_changed(conversation)), conversation, message_id


def staff_spoke(
    db: Connection,
    context: Context,
    conversation: Conversation,
    who: Staff,
    message_id: str,
    now: datetime,
    act: str = "answer",
) -> None:
    """Keep that the owner has answered the customer, in words or otherwise: nobody waits now."""
    conversations.staff_answered(db, conversation.id)
    clocks.staff_answered(db, conversation, context.business(conversation.business), now)
    audit_log.note(
        db,
        who,
        act,
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"message": message_id},
    )


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
    conversation = own(db, conversation_id, who)
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
    audit_log.note(
        db,
        who,
        "facts",
        now,
        business=conversation.business,
        target=conversation.id,
        detail=dict(changes),
    )
    return Committed([], changed=_changed(conversation))


def give_back(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    note: str,
    now: datetime,
    at: Stage | None = None,
    *,
    force: bool = False,
) -> Committed:
    """Give a conversation back to the bot.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Which one.
        who: Whose it is.
        note: For colleagues, on what was agreed; may be empty.
        now: The present moment.
        at: Where the bot goes on; None: where the case stands.
        force: Give it back although a manager is asked for something, which is withdrawn, or the
            customer waits for an answer.

    Raises:
        LookupError: No such conversation.
        OwnershipError: It is not this member's to give.
        BadStageError: The case cannot be there.
        StillOpenError: A request is open and `force` is not set.
        UnansweredError: The customer waits for an answer and `force` is not set.
    """
    conversation = own(db, conversation_id, who)
    case = cases.load(db, conversation.case_id)
    # Remedies are asked for in private: giving the public thread back concerns none.
    asked = case is not None and conversation.private and remedy_requests.is_open(db, case.id)
    if asked and not force:
        raise StillOpenError("request")
    if not force:
        check_answered(db, conversation)
    conversations.change_owner(db, conversation, BOT, now, expected=(staff_owner(who.id),))
    business = context.business(conversation.business)
    clocks.given_back(db, conversation, business, now)
    turn = Turn(db, context, conversation, f"w-{who.id}", now, case)
    told: tuple[Notice, ...] = ()
    if case is None and at not in (None, "hearing"):
        raise BadStageError(at)
    if case:
        back = given_back(case, now, at)
        if at == "hearing":
            withdraw_in_private(turn)
        turn.case = back
        save(turn)
        if asked:
            told = withdraw_requests(db, conversation, case.id, GIVEN_BACK, who, now)
        memo = Note({"handed_back_by": who.login, "handed_back_note": note[:500]})
        cases.log(db, case.id, f"w-{who.id}", memo, now)
    if note.strip():
        notes.add(db, conversation.id, who, "handback", note.strip(), now)
    audit_log.note(
        db,
        who,
        "give_back",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"at": at},
    )
    name = business.assistant
    entries = announce(db, conversation, "bot", name, phrases.person_here(name), now)
    return Committed([*turn.entries, *entries], changed=_changed(conversation), notices=told)
