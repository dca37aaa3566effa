"""Removes what is past its time, a portion at a time."""

from collections import Counter
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    cast,
    delete,
    or_,
    select,
    update,
)

from recovery.personal_data.bare import GONE, GONE_NAME
from recovery.personal_data.treatment import WRITTEN
from recovery.store import persons
from recovery.store.database import stamp
from recovery.store.erasure import Counts, scrub_audit, treat
from recovery.store.personal_scope import Scope, Whose, rows_of, scope_of, touched_since, unfinished
from recovery.store.tables import (
    audit_log,
    case_log,
    cases,
    conversations,
    customers,
    decisions,
    follow_ups,
    fulfilments,
    gestures,
    inbox,
    incident_members,
    incidents,
    join_codes,
    join_tries,
    notes,
    notices,
    order_events,
    outbox,
    pictures,
    proof_tries,
    purchases,
    remedy_requests,
    surveys,
    webhook_received,
    webhook_sends,
    wechat_comments,
    wechat_options,
    wechat_received,
    wechat_scenes,
    wechat_sends,
)

_A_PORTION = 500
_TIMED = {inbox: "received_at", outbox: "at", notes: "at", notices: "at"}
_OF_OLD_CASES = (
    *(cases, case_log, follow_ups, surveys, gestures),
    *(remedy_requests, decisions, fulfilments),
)
_SENT = (
    (wechat_received, wechat_received.c.received_at, wechat_received.c.state != "new"),
    (wechat_sends, wechat_sends.c.settled_at, None),
    (wechat_options, wechat_options.c.created_at, None),
    (wechat_scenes, wechat_scenes.c.expires_at, None),
    (webhook_received, webhook_received.c.received_at, None),
    (webhook_sends, webhook_sends.c.settled_at, None),
)
_TRACES = (
    (proof_tries, proof_tries.c.at, ~proof_tries.c.correct),
    (join_tries, join_tries.c.at, None),
    (join_codes, join_codes.c.expires_at, None),
    (notices, notices.c.at, None),
)
_REPORTED = (
    (order_events, order_events.c.settled_at, None),
    (purchases, purchases.c.ordered_at, None),
)


def old_persons(db: Connection, business: str, before: datetime, most: int) -> list[Scope]:
    """Persons with whom nothing has happened for so long, and nothing is left to do.

    Args:
        db: A transaction.
        business: Whose customers.
        before: Since then nothing has.
        most: How many at most.
    """
    latest = select(conversations.c.id).where(
        conversations.c.customer_id == customers.c.id, conversations.c.last_at >= stamp(before)
    )
    working = select(cases.c.id).where(
        cases.c.customer_id == customers.c.id,
        or_(cases.c.closed_at.is_(None), cases.c.closed_at >= stamp(before)),
    )
    query = (
        select(customers.c.id)
        .where(
            customers.c.business == business,
            customers.c.created_at < stamp(before),
            customers.c.name != GONE_NAME,
            ~latest.exists(),
            ~working.exists(),
        )
        .order_by(customers.c.created_at)
        .limit(most)
    )
    found = dict.fromkeys(persons.person_of(db, one) for one in db.execute(query).scalars())
    scopes = [scope_of(db, one) for one in found]
    return [
        one
        for one in scopes
        if one is not None and not touched_since(db, one, before) and not unfinished(db, one)
    ]


def old_conversations(db: Connection, business: str, before: datetime, most: int) -> list[str]:
    """Conversations in which words stand that are too old."""
    query = (
        select(inbox.c.conversation_id)
        .join(conversations, conversations.c.id == inbox.c.conversation_id)
        .where(
            conversations.c.business == business,
            inbox.c.received_at < stamp(before),
            inbox.c.state == "done",
            inbox.c.text != GONE,
        )
        .distinct()
        .limit(most)
    )
    return list(db.execute(query).scalars())


def forget_words(db: Connection, conversation_id: str, before: datetime) -> Counts:
    """Take out what is too old in a conversation of somebody who is still there.

    Args:
        db: A writing transaction.
        conversation_id: Which one.
        before: What is older goes, and cases that were closed before.

    Returns:
        How many rows of each table.
    """
    this = conversations.c.id == conversation_id
    row = db.execute(select(conversations).where(this).with_for_update()).first()
    if row is None:
        return {}
    at_work = select(conversations.c.case_id).where(
        conversations.c.case_id.is_not(None), conversations.c.last_at >= stamp(before)
    )
    closed = select(cases.c.id).where(
        cases.c.customer_id == row.customer_id,
        cases.c.closed_at < stamp(before),
        cases.c.id.not_in(at_work),
    )
    scope = Scope(
        business=row.business,
        person="",
        customers=(row.customer_id,),
        conversations=(conversation_id,),
        cases=tuple(db.execute(closed).scalars()),
    )
    whose = rows_of(scope)
    old: Whose = {
        table: whose[table] & (table.c[at] < stamp(before)) for table, at in _TIMED.items()
    }
    old[inbox] &= (inbox.c.state == "done") & (inbox.c.text != GONE)
    old |= {table: whose[table] for table in _OF_OLD_CASES}
    old[conversations] = this & (conversations.c.last_at < stamp(before))
    return treat(db, old)


def old_pictures(db: Connection, business: str, before: datetime) -> tuple[Counts, list[str]]:
    """Remove pictures that are too old, with their place in what was said.

    Returns:
        How many, and names of files that nothing needs any more.
    """
    found = (
        select(pictures.c.id, pictures.c.sha256, pictures.c.conversation_id)
        .join(conversations, conversations.c.id == pictures.c.conversation_id)
        .where(conversations.c.business == business, pictures.c.created_at < stamp(before))
        .order_by(pictures.c.created_at)
        .limit(_A_PORTION // 10)
    )
    rows = db.execute(found).all()
    if not rows:
        return {}, []
    ids = [row.id for row in rows]
    db.execute(update(inbox).where(inbox.c.picture.in_(ids)).values(picture=None))
    streams = {f"{kind}:{row.conversation_id}" for row in rows for kind in ("private", "own")}
    shown = select(outbox.c.stream, outbox.c.seq, outbox.c.event).where(
        outbox.c.stream.in_(streams), outbox.c.event["picture"]["id"].as_string().in_(ids)
    )
    for one in db.execute(shown).all():
        event = {name: value for name, value in one.event.items() if name != "picture"}
        this = (outbox.c.stream == one.stream) & (outbox.c.seq == one.seq)
        db.execute(update(outbox).where(this).values(event={**event, "text": GONE}))
    db.execute(delete(pictures).where(pictures.c.id.in_(ids)))
    names = {row.sha256 for row in rows}
    left = set(db.execute(select(pictures.c.sha256).where(pictures.c.sha256.in_(names))).scalars())
    return {"pictures": len(ids)}, sorted(names - left)


def sent_before(db: Connection, before: datetime) -> Counts:
    """Remove what channels carried, as it was carried."""
    counts = Counter(_removed(db, _SENT, before))
    old = and_(
        wechat_comments.c.settled_at < stamp(before),
        or_(wechat_comments.c.openid.is_not(None), wechat_comments.c.reply.is_not(None)),
    )
    counts["wechat_comments"] += treat(db, {wechat_comments: old}).get("wechat_comments", 0)
    return _some(counts)


def traces_before(db: Connection, before: datetime) -> Counts:
    """Remove tries, codes and notices."""
    return _some(Counter(_removed(db, _TRACES, before)))


def reported_before(db: Connection, before: datetime) -> Counts:
    """Remove what order systems reported, and who was concerned by incidents that are closed."""
    counts = Counter(_removed(db, _REPORTED, before))
    closed = select(incidents.c.id).where(incidents.c.closed_at < stamp(before))
    named = or_(
        incident_members.c.order_number != "",
        incident_members.c.order_customer.is_not(None),
        incident_members.c.identity.is_not(None),
    )
    concerned = incident_members.c.incident_id.in_(closed) & named
    values = WRITTEN["incident_members"]
    changed = update(incident_members).where(concerned).values(values)
    counts["incident_members"] += db.execute(changed).rowcount
    return _some(counts)


def audited_before(db: Connection, before: datetime) -> list[int]:
    """Entries of the audit log whose details are too old."""
    detail = cast(audit_log.c.detail, Text)
    query = (
        select(audit_log.c.id)
        .where(audit_log.c.at < stamp(before), detail.not_in(("{}", "null")))
        .where(~detail.like('{"erased": %'))
        .order_by(audit_log.c.id)
        .limit(_A_PORTION)
    )
    return list(db.execute(query).scalars())


def scrub_old(db: Connection, entries: list[int], act: int) -> int:
    """Erase the details of these entries."""
    return scrub_audit(db, audit_log.c.id.in_(entries), act)


def _removed(
    db: Connection,
    tables: tuple[tuple[Table, ColumnElement[str], ColumnElement[bool] | None], ...],
    before: datetime,
) -> Counts:
    counts: Counts = {}
    for table, at, which in tables:
        old = at < stamp(before) if which is None else (at < stamp(before)) & which
        last = db.execute(
            select(at).where(old).order_by(at).offset(_A_PORTION - 1).limit(1)
        ).scalar()
        part = old if last is None else old & (at <= last)
        counts[table.name] = db.execute(delete(table).where(part)).rowcount
    return counts


def _some(counts: Counter[str]) -> Counts:
    return {name: number for name, number in counts.items() if number}
