"""Brings a person to a conversation because of a remedy, and says so in the case."""

from datetime import datetime

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.queueing import Outlook, outlook
from recovery.case import apply
from recovery.commands import HandOver
from recovery.store import cases, clocks, conversations
from recovery.store.conversations import BOT, QUEUE, Conversation


def to_a_person(
    db: Connection,
    context: Context,
    conversation: Conversation,
    case_id: str,
    reason: str,
    now: datetime,
) -> Outlook:
    """Put a conversation that the bot owns into the queue because of a remedy; how that stands."""
    business = context.business(conversation.business)
    conversations.change_owner(db, conversation, QUEUE, now, expected=(BOT,), reason=reason)
    clocks.person_due(db, conversation, business, now)
    context.metrics.handovers.labels(reason).inc()
    seen = outlook(db, context, conversation, now)
    waits_for(db, context, conversation, case_id, reason, now, seen.by)
    return seen


def waits_for(
    db: Connection,
    context: Context,
    conversation: Conversation,
    case_id: str,
    reason: str,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Say in the case that a person is due because of a remedy."""
    business = context.business(conversation.business)
    by = due or business.person_by(now)
    handed = apply(cases.load(db, case_id), HandOver(reason, by.isoformat()), now)
    if handed:
        cases.save(db, handed, conversation.business, conversation.customer_id, now)
