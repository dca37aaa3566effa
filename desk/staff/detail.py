"""One conversation whole: both its parts, its case, and what staff have added."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, update

from desk.aftercare import panel as aftercare
from desk.channels.view import for_staff
from desk.channels.webhook.standing import undelivered_of
from desk.channels.wechat.outgoing.standing import marks_of, quota_of
from desk.context import Context
from desk.staff import follow_ups, lessons, notes, remedy_view, requests
from desk.staff.curve import anger_curve
from desk.staff.earlier import earlier_cases
from desk.staff.lists import one_row
from desk.staff.look import Look, look_at
from desk.staff.summary import summary
from recovery.failures import matter_words
from recovery.outcomes import OUTCOMES
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    streams,
)
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.tables import conversations as table

HISTORY = 500
# Where the bot may go on, as staff read it.
_STAGES = {
    "hearing": "接着了解情况",
    "offered": "等顾客答复方案",
    "agreed": "方案已同意，跟进办理",
    "closed": "已结案，有新情况再说",
    "person": "等候同事",
}


def whole_conversation(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> dict[str, Any] | None:
    """One conversation with both its parts and its case.

    Every section is one call on the look; what is asked outside of the database (the order,
    the policy's advice) and who else looks are added by the route.

    Args:
        db: A transaction.
        context: The desk.
        conversation_id: Which one.
        who: Who looks.

    Returns:
        `Detail` of docs/staff-api.md; None where there is no such conversation, or none that
        this account may know of.
    """
    look = look_at(db, context, conversation_id, who)
    if look is None:
        return None
    row = one_row(db, context, look.conversation.id, who)
    if row is None:
        return None
    return {
        "conversation": row,
        "case": _case(look),
        "summary": summary(look),
        "anger": anger_curve(look),
        "customer": _customer(look),
        "order": None,
        "earlier": earlier_cases(look),
        "clocks": _clocks(look),
        "notes": notes.section(look),
        "labels": row["labels"],
        "requests": requests.section(look),
        "follow_up": follow_ups.section(look),
        "aftercare": aftercare.section(look),
        "kinds": remedy_view.kinds(look),
        "outcomes": _outcomes(look),
        "lesson": lessons.section(look),
        "stages": _stages(look),
        "looking": [],
        "quota": _quota(look),
        **_deliveries(look),
        "public": _public_part(db, look.public) if look.public else [],
        "private": _events(db, look.private.stream) if look.private else [],
        "seq": streams.last(db, look.conversation.stream),
        # Not for the page: up to where its owner has seen the customer's words with this.
        "seen_up_to": streams.last(db, look.conversation.shown_in),
        # Nor this: what of it the reader sees whole.
        "sight": look.sight,
    }


def facts_of(db: Connection, conversation_id: str) -> dict[str, Any]:
    """The facts of the case that a conversation is about; none where there is no case."""
    conversation = conversations.load(db, conversation_id)
    case = cases.load(db, conversation.case_id) if conversation else None
    return case.facts if case else {}


def note_seen(db: Connection, conversation_id: str, who: Staff, seq: int) -> bool:
    """Remember up to where the owner has read a conversation.

    Args:
        db: A writing transaction.
        conversation_id: Which one.
        who: Who reads; a colleague's look is not the owner's.
        seq: Number in the stream that the customer's own words go to.

    Returns:
        Whether that is further than before.
    """
    return bool(
        db.execute(
            update(table)
            .where(
                table.c.id == conversation_id,
                table.c.owner == staff_owner(who.id),
                table.c.seen_by_staff < seq,
            )
            .values(seen_by_staff=seq)
        ).rowcount
    )


def _quota(look: Look) -> dict[str, Any] | None:
    """What WeChat still lets us send; None where the customer is not written to there."""
    if look.private is None or not any(look.context.wechat):
        return None
    return quota_of(look.db, look.context, look.private, look.now)


def _deliveries(look: Look) -> dict[str, list[str]]:
    """Ids of the events that have not reached the customer's WeChat, or another source."""
    marks: dict[str, list[str]] = {"held": [], "undelivered": [], "unsure": []}
    if look.private is not None and any(look.context.wechat):
        marks = marks_of(look.db, look.private.id, look.now)
    parts = (look.public, look.private)
    marks["undelivered"] += undelivered_of(look.db, look.context, parts, look.now)
    return marks


def _events(db: Connection, stream: str) -> list[dict[str, Any]]:
    return [for_staff(event) for event in _latest(db, stream)]


def _latest(db: Connection, stream: str) -> list[dict[str, Any]]:
    after = max(0, streams.last(db, stream) - HISTORY)
    return [entry.event for entry in streams.after(db, stream, after, HISTORY)]


def _public_part(db: Connection, conversation: Conversation) -> list[dict[str, Any]]:
    """This customer's posts in the room and the answers to them, not everybody's talk."""
    posts = streams.posts_of(db, conversation.shown_in, conversation.customer_id, HISTORY)
    own = _latest(db, conversation.stream)
    events = sorted([*posts, *own], key=lambda event: str(event["at"]))
    return [for_staff(event) for event in events]


def _outcomes(look: Look) -> list[dict[str, str]]:
    """How the case may be closed."""
    if look.case is None:
        return []
    return [{"name": name, "label": label} for name, label in OUTCOMES.items()]


def _clocks(look: Look) -> list[dict[str, Any]]:
    found = clocks.of_conversations(look.db, [look.conversation.id])
    return [clock.to_wire() for clock in found.get(look.conversation.id, ())]


def _customer(look: Look) -> dict[str, Any]:
    customer = customers.load(look.db, look.conversation.customer_id)
    return {
        "name": customer.name,
        "since": customers.since(look.db, customer.id),
        "proved": customer.proved or bool(look.case and look.case.order_number),
        "channel": look.conversation.channel,
    }


def _stages(look: Look) -> list[dict[str, str]]:
    possible = look.case.resume_stages(look.now) if look.case else ["hearing"]
    return [{"name": one, "label": _STAGES[one]} for one in possible]


def _case(look: Look) -> dict[str, Any] | None:
    case = look.case
    if case is None:
        return None
    return {
        "id": case.id,
        "stage": case.stage,
        "matter": case.matter if case.has_matter else "",
        "also": matter_words(case.facts["also"], None) if "also" in case.facts else "",
        "facts": case.facts,
        "order_number": case.order_number,
        "anger": asdict(case.anger) if case.anger else None,
        "safety": case.safety,
        "reason": case.reason,
        "promised_by": case.promised_by,
        "outcome": case.outcome,
        "offers": remedy_view.offers_shown(look, case),
        "remedies": remedy_view.remedies_shown(look, case),
    }
