"""What the staff page shows: lists of conversations, and one conversation whole."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from desk.channels.view import for_staff
from desk.context import Context
from recovery.case import Case
from recovery.failures import matter_words
from recovery.remedy.catalogue import card
from recovery.store import cases, conversations, fulfilments, staff, streams
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.tables import cases as cases_table
from recovery.store.tables import conversations as table
from recovery.store.tables import customers as customers_table

_LONGEST_LIST = 200
_HISTORY = 500

_rows = (
    select(
        table.c.id,
        table.c.business,
        table.c.kind,
        table.c.room,
        table.c.case_id,
        table.c.owner,
        table.c.reason,
        table.c.waiting_since,
        table.c.last_at,
        table.c.last_text,
        table.c.seen_by_staff,
        customers_table.c.name,
        cases_table.c.state,
        cases_table.c.priority,
    )
    .join(customers_table, customers_table.c.id == table.c.customer_id)
    .outerjoin(cases_table, cases_table.c.id == table.c.case_id)
)


def all_lists(db: Connection, context: Context, who: Staff) -> dict[str, list[dict[str, Any]]]:
    """Four lists: waiting, mine, of colleagues, with the bot.

    Args:
        db: A transaction.
        context: The desk.
        who: Who looks.

    Returns:
        Rows as in docs/architecture.md, "Staff page -> desk"; the queue by priority, then by
        waiting time; at most 200 each. Of one business only, where the account belongs to one.
    """
    visible = (table.c.business == who.business,) if who.business is not None else ()
    mine = staff_owner(who.id)
    names = staff.names(db)
    priority = func.coalesce(cases_table.c.priority, 0).desc()

    def rows(*where: Any, order: tuple[Any, ...]) -> list[dict[str, Any]]:  # noqa: ANN401
        found = db.execute(_rows.where(*visible, *where).order_by(*order).limit(_LONGEST_LIST))
        return [_row(db, context, row, names) for row in found]

    latest = (table.c.last_at.desc(),)
    with_matter = or_(table.c.kind == "private", table.c.case_id.is_not(None))
    return {
        "queue": rows(table.c.owner == QUEUE, order=(priority, table.c.waiting_since)),
        "mine": rows(table.c.owner == mine, order=(priority, table.c.last_at.desc())),
        "others": rows(table.c.owner.like("staff:%"), table.c.owner != mine, order=latest),
        "bot": rows(table.c.owner == BOT, with_matter, order=latest),
    }


def _row(
    db: Connection, context: Context, row: Row[*tuple[Any, ...]], names: dict[int, str]
) -> dict[str, Any]:
    case = Case.from_state(row.state) if row.state else None
    business = context.directory.business(row.business)
    stream = f"private:{row.id}" if row.kind == "private" else f"own:{row.id}"
    return {
        "id": row.id,
        "business": business.name if business else row.business,
        "industry": business.industry if business else "",
        "customer": row.name,
        "visibility": row.kind,
        "matter": case.matter if case and case.has_matter else "",
        "anger": case.level if case else 0,
        "peak": case.anger.peak if case and case.anger else 0,
        "priority": row.priority or 0,
        "stage": case.stage if case else "",
        "owner": row.owner,
        "owner_name": _owner_name(row.owner, names, business.assistant if business else ""),
        "waiting_since": row.waiting_since,
        "reason": row.reason,
        "last": row.last_text,
        "unread": max(0, streams.last(db, stream) - row.seen_by_staff),
    }


def _owner_name(owner: str, names: dict[int, str], assistant: str) -> str:
    if owner.startswith("staff:"):
        return names.get(int(owner.removeprefix("staff:")), "")
    return assistant if owner == BOT else ""


def whole_conversation(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> dict[str, Any] | None:
    """One conversation with both its parts and its case.

    Args:
        db: A transaction.
        context: The desk.
        conversation_id: Which one.
        who: Who looks.

    Returns:
        As in docs/architecture.md; None where there is no such conversation, or none that this
        account may know of.
    """
    row = db.execute(_rows.where(table.c.id == conversation_id)).first()
    conversation = conversations.load(db, conversation_id)
    if row is None or conversation is None or not who.sees(conversation.business):
        return None
    other = _other(db, conversation, "public" if conversation.private else "private")
    public, private = (other, conversation) if conversation.private else (conversation, other)
    case = Case.from_state(row.state) if row.state else None
    return {
        "conversation": _row(db, context, row, staff.names(db)),
        "case": _case(db, case) if case else None,
        "public": _public_part(db, public) if public else [],
        "private": _events(db, private.stream) if private else [],
        "seq": streams.last(db, conversation.stream),
    }


def facts_of(db: Connection, conversation_id: str) -> dict[str, Any]:
    """The facts of the case that a conversation is about; none where there is no case."""
    conversation = conversations.load(db, conversation_id)
    case = cases.load(db, conversation.case_id) if conversation else None
    return case.facts if case else {}


def note_seen(db: Connection, conversation_id: str, who: Staff, seq: int) -> None:
    """Remember up to where the owner has read a conversation."""
    db.execute(
        update(table)
        .where(
            table.c.id == conversation_id,
            table.c.owner == staff_owner(who.id),
            table.c.seen_by_staff < seq,
        )
        .values(seen_by_staff=seq)
    )


def _other(db: Connection, conversation: Conversation, kind: str) -> Conversation | None:
    if conversation.case_id is None:
        return None
    return conversations.of_case(db, conversation.case_id, kind)


def _events(db: Connection, stream: str) -> list[dict[str, Any]]:
    return [for_staff(event) for event in _latest(db, stream)]


def _latest(db: Connection, stream: str) -> list[dict[str, Any]]:
    after = max(0, streams.last(db, stream) - _HISTORY)
    return [entry.event for entry in streams.after(db, stream, after, _HISTORY)]


def _public_part(db: Connection, conversation: Conversation) -> list[dict[str, Any]]:
    """This customer's posts in the room and the answers to them, not everybody's talk."""
    posts = streams.posts_of(db, conversation.shown_in, conversation.customer_id, _HISTORY)
    own = _latest(db, conversation.stream)
    events = sorted([*posts, *own], key=lambda event: str(event["at"]))
    return [for_staff(event) for event in events]


def _case(db: Connection, case: Case) -> dict[str, Any]:
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
        "offers": [
            {
                "id": offer.id,
                "state": offer.state,
                "items": card(offer.remedies),
                "reason": offer.reason,
                "rules": offer.rules,
                "policy": offer.policy,
                "floor_fen": offer.floor_fen,
                "goodwill_fen": offer.goodwill_fen,
                "provisional": offer.provisional,
                "expires": offer.expires_at,
            }
            for offer in case.offers
        ],
        "remedies": [
            {
                "key": item["key"],
                "remedy": item["remedy"]["kind"],
                "state": item["state"],
                "receipt": item["receipt"],
                "attempts": item["attempts"],
                "problem": item["problem"],
            }
            for item in fulfilments.of_case(db, case.id)
        ],
    }
