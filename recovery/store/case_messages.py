"""Which messages belong to which case: conversations go on when another case begins in them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from recovery.coach.warnings import apologises
from recovery.insights.material import Heard, Said
from recovery.store.tables import case_log, cases, conversations, customers, inbox, outbox

_SHOWN = ("message", "owner", "invitation", "reminder")


@dataclass
class Shared:
    """What a batch shares.

    Attributes:
        root: By case where it goes on: itself, or the one it went into.
        rows: All cases of the persons concerned, by id.
        persons: By customer.
        began: By case and conversation when the first message about it came.
        parts: Conversations by id.
        of: Ids of conversations by case.
        heard: Messages by conversation, oldest first.
        said: What was shown by conversation, oldest first.
    """

    root: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Row[Any]] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    began: dict[str, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    parts: dict[str, Row[Any]] = field(default_factory=dict)
    of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    heard: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    said: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))


def read_shared(db: Connection, ids: Collection[str]) -> Shared:
    """Read all cases of the persons behind some cases, with what was said in them."""
    shared = Shared()
    person = func.coalesce(func.nullif(customers.c.person, ""), customers.c.id).label("person")
    owners = select(customers.c.id, person).join(cases, cases.c.customer_id == customers.c.id)
    persons = {row.person for row in db.execute(owners.where(cases.c.id.in_(ids)))}
    mine = or_(customers.c.person.in_(persons), customers.c.id.in_(persons))
    shared.persons = {
        row.id: row.person for row in db.execute(select(customers.c.id, person).where(mine))
    }
    query = select(
        *(cases.c[name] for name in ("id", "business", "customer_id", "state", "opened_at")),
        *(cases.c[name] for name in ("closed_at", "outcome", "merged_into")),
    )
    theirs = or_(cases.c.customer_id.in_(shared.persons), cases.c.merged_into.in_(ids))
    for row in db.execute(query.where(theirs)):
        shared.rows[row.id] = row
    shared.root = {one: _root(shared.rows, one) for one in shared.rows}
    _read_conversations(db, shared)
    _read_messages(db, shared)
    return shared


def moment_of(text: str) -> datetime:
    """A moment as stored."""
    return datetime.fromisoformat(text)


def _root(rows: Mapping[str, Row[Any]], case_id: str) -> str:
    """Where a case goes on; a ring of them, which must not be, ends somewhere."""
    passed = {case_id}
    while (further := rows[case_id].merged_into) and further in rows and further not in passed:
        case_id = further
        passed.add(case_id)
    return case_id if not rows[case_id].merged_into else str(rows[case_id].merged_into)


def _read_conversations(db: Connection, shared: Shared) -> None:
    logged = (
        select(case_log.c.case_id, inbox.c.conversation_id, func.min(inbox.c.received_at))
        .join(inbox, inbox.c.id == case_log.c.message_id)
        .where(case_log.c.case_id.in_(shared.rows))
        .group_by(case_log.c.case_id, inbox.c.conversation_id)
    )
    for case_id, part, first in db.execute(logged):
        _place(shared, shared.root[case_id], part, moment_of(first))
    columns = ("id", "kind", "room", "case_id", "channel", "created_at")
    query = select(*(conversations.c[name] for name in columns)).where(
        or_(
            conversations.c.case_id.in_(shared.rows),
            conversations.c.id.in_({part for found in shared.of.values() for part in found}),
        )
    )
    for row in db.execute(query):
        shared.parts[row.id] = row
        root = shared.root.get(row.case_id or "")
        if root is not None and root in shared.rows and row.id not in shared.of[root]:
            _place(shared, root, row.id, moment_of(shared.rows[root].opened_at))


def _place(shared: Shared, case_id: str, part: str, first: datetime) -> None:
    shared.of[case_id].add(part)
    known = shared.began[part].get(case_id)
    shared.began[part][case_id] = min(first, known) if known else first


def _read_messages(db: Connection, shared: Shared) -> None:
    columns = ("id", "conversation_id", "intent", "pressed", "picture", "received_at", "understood")
    query = (
        select(*(inbox.c[name] for name in columns))
        .where(inbox.c.conversation_id.in_(shared.parts))
        .order_by(inbox.c.position)
    )
    for row in db.execute(query):
        emotion = (row.understood or {}).get("emotion") or {}
        anger = None if row.picture or not emotion else int(emotion.get("anger") or 0)
        words = not row.picture and not row.pressed and row.intent != "entered"
        shared.heard[row.conversation_id].append(
            Heard(row.id, row.conversation_id, moment_of(row.received_at), anger, words)
        )
    streams = {f"private:{one}": one for one in shared.parts}
    streams |= {f"own:{one}": one for one in shared.parts}
    shown = select(outbox.c.stream, outbox.c.event, outbox.c.reply_to)
    for row in db.execute(shown.where(outbox.c.stream.in_(streams))):
        _take(shared, streams[row.stream], row.event)
    for part in shared.parts.values():
        posts = {one.id for one in shared.heard[part.id]} if part.room else set()
        if posts:
            replies = shown.where(
                outbox.c.stream == f"room:{part.room}", outbox.c.reply_to.in_(posts)
            )
            for row in db.execute(replies):
                _take(shared, part.id, row.event)
    for found in shared.said.values():
        found.sort(key=lambda one: one.at)


def _take(shared: Shared, part: str, event: Mapping[str, Any]) -> None:
    kind, author = str(event.get("kind")), str(event.get("author") or "")
    if kind not in _SHOWN or author == "customer":
        return
    sorry = author in ("bot", "staff") and apologises(str(event.get("text") or ""))
    owner = str(event.get("owner") or "")
    moment = moment_of(str(event["at"]))
    shared.said[part].append(Said(str(event["id"]), part, moment, kind, author, owner, sorry))
