"""What staff have made one case, or two: the rows that move, and the log that undoing needs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, insert, or_, select, update

from recovery.ids import new_id
from recovery.store.database import stamp
from recovery.store.tables import (
    case_causes,
    case_joins,
    cases,
    conversations,
    decisions,
    fulfilments,
    gestures,
    incident_members,
    pictures,
    promises,
    remedy_requests,
)

Rows = dict[str, list[Any]]
"""Keys of moved rows by table, plain JSON."""


@dataclass(frozen=True)
class CaseJoin:
    """One merging or splitting. Fields as in the table.

    Attributes:
        kind: `merge` or `split`.
        kept_case: The case that stayed.
        other_case: The one that went into it, or was split off.
        before: What undoing needs.
    """

    id: str
    business: str
    kind: str
    kept_case: str
    other_case: str
    before: dict[str, Any]
    reason: str
    by: int
    at: str
    undone_by: int | None
    undone_at: str | None


_COLUMNS = tuple(case_joins.c[name] for name in CaseJoin.__dataclass_fields__)
# Whose case a row is of, and what names the row.
_MOVING: dict[str, tuple[Table, Column[Any]]] = {
    "fulfilments": (fulfilments, fulfilments.c.key),
    "promises": (promises, promises.c.key),
    "decisions": (decisions, decisions.c.id),
    "remedy_requests": (remedy_requests, remedy_requests.c.id),
    "gestures": (gestures, gestures.c.id),
    "pictures": (pictures, pictures.c.id),
    "incident_members": (incident_members, incident_members.c.id),
    "conversations": (conversations, conversations.c.id),
}
_OF_OFFERS = ("fulfilments", "promises")


def move_all(db: Connection, source: str, target: str) -> Rows:
    """Let all that belongs to one case belong to another; returns what was moved."""
    moved: Rows = {}
    for name, (table, key) in _MOVING.items():
        keys = list(db.execute(select(key).where(table.c.case_id == source)).scalars())
        if keys:
            moved[name] = keys
    move(db, moved, source, target)
    return moved


def move(db: Connection, rows: Rows, source: str, target: str) -> None:
    """Let these rows of one case belong to another, as far as they still are of the first."""
    for name, keys in rows.items():
        table, key = _MOVING[name]
        db.execute(
            update(table).where(key.in_(keys), table.c.case_id == source).values(case_id=target)
        )


def rows_of_offers(db: Connection, case_id: str, offers: Collection[str]) -> Rows:
    """What was decided and promised with these offers of a case."""
    rows: Rows = {}
    if not offers:
        return rows
    rows["decisions"] = list(
        db.execute(
            select(decisions.c.id).where(decisions.c.case_id == case_id, decisions.c.id.in_(offers))
        ).scalars()
    )
    for name in _OF_OFFERS:
        table, key = _MOVING[name]
        found = db.execute(select(key).where(table.c.case_id == case_id)).scalars()
        rows[name] = [one for one in found if str(one).rpartition(":")[0] in offers]
    return {name: keys for name, keys in rows.items() if keys}


def rows_of_conversation(db: Connection, case_id: str, conversation_id: str) -> Rows:
    """What came in a conversation and goes with it: itself, pictures, requests of staff."""
    rows: Rows = {"conversations": [conversation_id]}
    for name in ("pictures", "remedy_requests"):
        table, key = _MOVING[name]
        query = select(key).where(
            table.c.case_id == case_id, table.c.conversation_id == conversation_id
        )
        keys = list(db.execute(query).scalars())
        if keys:
            rows[name] = keys
    return rows


def set_merged(db: Connection, case_id: str, into: str | None) -> None:
    """Say in which case a case goes on; None: it is one of its own again."""
    db.execute(update(cases).where(cases.c.id == case_id).values(merged_into=into))


def bring_cause(db: Connection, source: str, target: str, now: datetime) -> bool:
    """Let a confirmed cause go along to the case that stays, if that one has none.

    Returns:
        Whether one has gone along.
    """
    rows = db.execute(select(case_causes).where(case_causes.c.case_id.in_((source, target)))).all()
    found = {row.case_id: row for row in rows}
    theirs, mine = found.get(source), found.get(target)
    if theirs is None or theirs.confirmed is None or (mine is not None and mine.confirmed):
        return False
    values = {name: value for name, value in theirs._mapping.items() if name != "case_id"}
    if mine is None:
        db.execute(insert(case_causes).values(case_id=target, **values))
    else:
        db.execute(update(case_causes).where(case_causes.c.case_id == target).values(**values))
    return True


def take_cause_back(db: Connection, source: str, target: str) -> None:
    """The case that stayed has no confirmed cause of its own, unless it was changed since."""
    rows = db.execute(select(case_causes).where(case_causes.c.case_id.in_((source, target)))).all()
    found = {row.case_id: row for row in rows}
    theirs, mine = found.get(source), found.get(target)
    if theirs is None or mine is None or (theirs.confirmed, theirs.at) != (mine.confirmed, mine.at):
        return
    nothing = dict.fromkeys(
        ("confirmed", "action", "action_by", "action_due", "action_done_at", "by")
    )
    db.execute(update(case_causes).where(case_causes.c.case_id == target).values(**nothing))


def add(
    db: Connection,
    kind: str,
    business: str,
    kept: str,
    other: str,
    before: dict[str, Any],
    reason: str,
    by: int,
    now: datetime,
) -> str:
    """Write a merging or splitting down; returns its id."""
    join_id = new_id("g")
    db.execute(
        insert(case_joins).values(
            id=join_id,
            business=business,
            kind=kind,
            kept_case=kept,
            other_case=other,
            before=before,
            reason=reason,
            by=by,
            at=stamp(now),
        )
    )
    return join_id


def load(db: Connection, join_id: str) -> CaseJoin | None:
    """One entry; None where there is none."""
    row = db.execute(select(*_COLUMNS).where(case_joins.c.id == join_id)).first()
    return CaseJoin(**row._mapping) if row else None


def of_cases(db: Connection, case_ids: Sequence[str]) -> list[CaseJoin]:
    """What was done with these cases, newest first."""
    query = (
        select(*_COLUMNS)
        .where(or_(case_joins.c.kept_case.in_(case_ids), case_joins.c.other_case.in_(case_ids)))
        .order_by(case_joins.c.at.desc(), case_joins.c.id.desc())
    )
    return [CaseJoin(**row._mapping) for row in db.execute(query)]


def undo(db: Connection, join_id: str, by: int, now: datetime) -> bool:
    """Write down that it was taken back; whether it stood until now."""
    values = {"undone_by": by, "undone_at": stamp(now)}
    this = (case_joins.c.id == join_id, case_joins.c.undone_at.is_(None))
    return bool(db.execute(update(case_joins).where(*this).values(**values)).rowcount)
