"""What is asked of the store about the past of a case: its first word, its anger, other cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from recovery.store.tables import cases, conversations, decisions, inbox, invitations

_MOST_POINTS = 500
_MOST_CASES = 20
# Said by the page itself.
_NOT_SAID = "entered"


@dataclass(frozen=True)
class Heard:
    """One message of a customer, with the anger that was read in it."""

    message: str
    conversation: str
    at: str
    anger: int


def first_word(db: Connection, ids: Sequence[str]) -> Heard | None:
    """The first message of a customer in these conversations; anger 0 where none was read."""
    query = _messages(ids).order_by(inbox.c.position).limit(1)
    row = db.execute(query).first()
    return _heard(row) if row else None


def anger_heard(db: Connection, ids: Sequence[str]) -> list[Heard]:
    """The latest messages in these conversations whose anger was read, oldest first."""
    query = _messages(ids).where(inbox.c.understood.is_not(None), inbox.c.picture.is_(None))
    rows = db.execute(query.order_by(inbox.c.position.desc()).limit(_MOST_POINTS)).all()
    # A JSON null is no SQL NULL.
    return [_heard(row) for row in reversed(rows) if row.understood]


def _messages(ids: Sequence[str]) -> Any:  # noqa: ANN401 - a query
    said = or_(inbox.c.intent.is_(None), inbox.c.intent != _NOT_SAID)
    return select(
        inbox.c.id, inbox.c.conversation_id, inbox.c.received_at, inbox.c.understood
    ).where(inbox.c.conversation_id.in_(ids), said)


def _heard(row: Row[Any]) -> Heard:
    emotion = (row.understood or {}).get("emotion") or {}
    return Heard(row.id, row.conversation_id, row.received_at, int(emotion.get("anger") or 0))


def entered_at(db: Connection, public: str, private: str) -> str | None:
    """When a customer came from the room into the private chat."""
    query = select(invitations.c.used_at).where(
        invitations.c.public_conversation == public,
        invitations.c.private_conversation == private,
        invitations.c.used_at.is_not(None),
    )
    moment: str | None = db.execute(query.order_by(invitations.c.used_at).limit(1)).scalar()
    return moment


def made_at(db: Connection, case_id: str) -> dict[str, str]:
    """When each offer of a case was made."""
    query = select(decisions.c.id, decisions.c.made_at).where(decisions.c.case_id == case_id)
    return {row.id: row.made_at for row in db.execute(query)}


def earlier_cases(
    db: Connection,
    business: str,
    person: Sequence[str],
    case_id: str | None,
    order: str | None,
) -> list[Row[Any]]:
    """Other cases of the same person, newest first: `id, state, opened_at, outcome`.

    Args:
        db: A transaction.
        business: Whose.
        person: All customers who were proved to be this person.
        case_id: Of the present case, left out; None where there is none.
        order: The order that is proved in the present case: cases about orders of the same
            customer of the order system count as well. Without a proof nobody is connected.
    """
    same = [cases.c.customer_id.in_(person)]
    if order is not None:
        named = select(decisions.c.order_customer).where(
            decisions.c.business == business,
            decisions.c.order_number == order,
            decisions.c.order_customer != "",
        )
        of_them = select(decisions.c.case_id).where(
            decisions.c.business == business, decisions.c.order_customer.in_(named)
        )
        same.append(cases.c.id.in_(of_them))
    query = (
        select(cases.c.id, cases.c.state, cases.c.opened_at, cases.c.outcome)
        .where(
            cases.c.business == business,
            or_(*same),
            cases.c.id != (case_id or ""),
            cases.c.merged_into.is_(None),
        )
        .order_by(cases.c.opened_at.desc())
        .limit(_MOST_CASES)
    )
    return list(db.execute(query))


def conversation_of(db: Connection, case_ids: Sequence[str]) -> dict[str, str]:
    """The conversation to open for each of these cases, the private one where there is one."""
    query = select(conversations.c.case_id, conversations.c.id).where(
        conversations.c.case_id.in_(case_ids)
    )
    rows = db.execute(query.order_by(conversations.c.kind.desc()))
    return {row.case_id: row.id for row in rows}
