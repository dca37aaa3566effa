"""From public into private: the one way in which a case gets its private conversation."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.ingest import take_entered
from desk.conversations.turn import Changed, Committed
from recovery.business import Business
from recovery.case import Case
from recovery.store import cases, clocks, conversations, invitations, notices, staff, streams
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.inbox import Message
from recovery.store.invitations import Invitation
from recovery.store.notices import Notice

Entered = tuple[Conversation, Message | None, Committed]
"""The private conversation; what the router is to be given, None where it was begun before; what
is to be published."""


def enter(db: Connection, context: Context, found: Invitation, now: datetime) -> Entered:
    """Use an invitation.

    Args:
        db: A writing transaction.
        context: The desk.
        found: Open, or used by the same customer before.
        now: The present moment.
    """
    private, begun = invitations.enter(db, found, now)
    public = conversations.load(db, found.public_conversation)
    return _entered(db, context, private, public, now) if begun else _there(private)


def enter_uninvited(
    db: Connection, context: Context, public: Conversation, now: datetime
) -> Entered:
    """Go into private with the case of a public conversation by another way than an invitation.

    Args:
        db: A writing transaction.
        context: The desk.
        public: Of whom it is known that this customer wrote it.
        now: The present moment.
    """
    private, begun = invitations.begin_private(db, public.id, now)
    public = conversations.load(db, public.id) or public
    return _entered(db, context, private, public, now) if begun else _there(private)


def _there(private: Conversation) -> Entered:
    return private, None, Committed([])


def _entered(
    db: Connection,
    context: Context,
    private: Conversation,
    public: Conversation | None,
    now: datetime,
) -> Entered:
    changed = [private]
    if public and public.owner != BOT:
        # What waits for a person now waits in private; the public thread is quiet.
        if public.owner == QUEUE:
            conversations.change_owner(db, public, BOT, now, expected=(QUEUE,))
        else:
            conversations.staff_answered(db, public.id)
        clocks.move(db, public, private, now)
        changed.append(public)
    business = context.business(private.business)
    if private.owner != BOT:
        clocks.person_due(db, private, business, now)
    elif public:
        clocks.given_back(db, private, business, now)
    shown = [streams.append(db, private.stream, _begun(db, private, business), now)]
    told: tuple[Notice, ...] = ()
    if private.agent is not None:
        text = "顾客从公开区进了私聊，由您接着谈"
        told = notices.add(db, [private.agent], "assigned", private.id, text, now)
    if private.owner == QUEUE:
        due = {
            "id": f"{private.id}.due",
            "kind": "message",
            "author": "system",
            "text": _due_words(private, cases.load(db, private.case_id), business, now),
        }
        shown.append(streams.append(db, private.stream, due, now))
    committed = Committed(
        [entry for entry in shown if entry],
        changed=tuple(Changed(one.business, one.id) for one in changed),
        notices=told,
    )
    return private, take_entered(db, private, now), committed


def _begun(db: Connection, private: Conversation, business: Business) -> dict[str, Any]:
    """Where the customer is now, and who is there."""
    owner, name = private.owner, ""
    text = f"这里是{business.name}的一对一服务，只有您和我们看得到"
    if private.owner == BOT:
        name = business.assistant
    elif private.agent is not None:
        owner, name = "staff", staff.names(db).get(private.agent, "同事")
        text = phrases.entered_with(business.name, name)
    begun = {"id": f"{private.id}.begun", "kind": "owner"}
    return {**begun, "owner": owner, "name": name, "text": text}


def _due_words(private: Conversation, case: Case | None, business: Business, now: datetime) -> str:
    """When a person answers here: as it was promised, and a new time where that is past."""
    by = datetime.fromisoformat(case.promised_by) if case and case.promised_by else None
    time = business.person_by_words(now)
    if by and by > now:
        time = business.due_words(by, now)
    if case and case.safety:
        return phrases.care_due(private.id, time)
    return phrases.person_due(private.id, case.matter if case and case.has_matter else "", time)
