"""What is to be sent to sources: to each contact one after the other, in order."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.database import stamp
from recovery.store.tables import webhook_contacts, webhook_sends
from recovery.store.webhook.contacts import COLUMNS as _CONTACT
from recovery.store.webhook.contacts import Contact

TODO = "todo"
SENDING = "sending"
SENT = "sent"
FAILED = "failed"
_OPEN = (TODO, SENDING)
# A button further up than that is not pressed any more.
_OPTIONS_LOOKED_THROUGH = 200


@dataclass(frozen=True)
class Send:
    """One event on its way. Fields as in the table."""

    id: int
    contact_id: str
    stream: str
    event_id: str
    body: dict[str, Any]
    state: str
    attempts: int
    due_at: str
    created_at: str


_COLUMNS = tuple(webhook_sends.c[name] for name in Send.__dataclass_fields__)
_EARLIER = webhook_sends.alias("earlier")
_HEAD = ~exists().where(
    _EARLIER.c.contact_id == webhook_sends.c.contact_id,
    _EARLIER.c.id < webhook_sends.c.id,
    _EARLIER.c.state.in_(_OPEN),
)
_ADD = {
    dialect: begin(webhook_sends).on_conflict_do_nothing(
        index_elements=[webhook_sends.c.contact_id, webhook_sends.c.event_id]
    )
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def plan(
    db: Connection,
    contact_id: str,
    stream: str,
    body: Mapping[str, Any],
    now: datetime,
    *,
    problem: str | None = None,
) -> bool:
    """Put an event on its way, once.

    Args:
        db: A writing transaction.
        contact_id: To whom.
        stream: Where it stands.
        body: As it is signed and sent; its `id` is the event's.
        now: The present moment.
        problem: Why it cannot be sent at all; it stands as failed.

    Returns:
        Whether it was not there before.
    """
    values = {
        "contact_id": contact_id,
        "stream": stream,
        "event_id": body["id"],
        "body": dict(body),
        "state": FAILED if problem else TODO,
        "problem": problem,
        "due_at": stamp(now),
        "created_at": stamp(now),
        "settled_at": stamp(now) if problem else None,
    }
    added = db.execute(_ADD[db.dialect.name].values(**values))
    return bool(added.rowcount)


def any_due(db: Connection, sources: Collection[str], now: datetime) -> bool:
    """Whether there is something to do at all."""
    return db.execute(_due(sources, now).limit(1)).first() is not None


def take(
    db: Connection, sources: Collection[str], now: datetime, until: datetime, most: int
) -> list[tuple[Send, Contact]]:
    """What is to be sent now, marked as on its way.

    Of each contact it is what came first and has not arrived: what follows waits for it. What
    another desk was sending when it died is due again when its time is over; nobody knows whether
    it has arrived, so it goes once more under the same id.

    Args:
        db: A writing transaction.
        sources: Only to contacts of these.
        now: The present moment.
        until: When it counts as never sent, unless settled.
        most: How many at most.
    """
    query = _due(sources, now).order_by(webhook_sends.c.id).limit(most)
    query = query.with_for_update(of=webhook_sends, skip_locked=True)
    own = len(_COLUMNS)
    found = [(Send(*row[:own]), Contact(*row[own:])) for row in db.execute(query)]
    if found:
        db.execute(
            update(webhook_sends)
            .where(webhook_sends.c.id.in_([send.id for send, _ in found]))
            .values(state=SENDING, attempts=webhook_sends.c.attempts + 1, due_at=stamp(until))
        )
    return found


def _due(sources: Collection[str], now: datetime) -> Any:  # noqa: ANN401 - a query
    return (
        select(*_COLUMNS, *_CONTACT)
        .join(webhook_contacts, webhook_contacts.c.id == webhook_sends.c.contact_id)
        .where(
            webhook_sends.c.state.in_(_OPEN),
            webhook_sends.c.due_at <= stamp(now),
            webhook_contacts.c.source.in_(list(sources)),
            _HEAD,
        )
    )


def settle(
    db: Connection,
    send: Send,
    state: str,
    now: datetime,
    *,
    status: int | None,
    problem: str | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Keep how sending has ended; False where that is settled already.

    Args:
        db: A writing transaction.
        send: As it was taken.
        state: `sent`, `failed`, or `todo` for another try.
        now: The present moment.
        status: Of the answer; None where none came.
        problem: What was wrong, for operators; nothing of what was sent.
        due_at: Of the next try.
    """
    values: dict[str, Any] = {"state": state, "status": status, "problem": problem}
    if state == TODO:
        values["due_at"] = stamp(due_at or now)
    else:
        values["settled_at"] = stamp(now)
    done = db.execute(
        update(webhook_sends)
        .where(webhook_sends.c.id == send.id, webhook_sends.c.state == SENDING)
        .values(**values)
    )
    return bool(done.rowcount)


def give_up(db: Connection, contact_id: str, problem: str, now: datetime) -> list[str]:
    """Send nothing more of what waits for a contact; the streams in which it stands."""
    waiting = (webhook_sends.c.contact_id == contact_id) & webhook_sends.c.state.in_(_OPEN)
    found = db.execute(select(webhook_sends.c.stream).where(waiting).distinct()).scalars().all()
    db.execute(
        update(webhook_sends)
        .where(waiting)
        .values(state=FAILED, problem=problem, settled_at=stamp(now))
    )
    return list(found)


def begin_anew(db: Connection, sources: Collection[str], now: datetime) -> None:
    """Let what was under way be due now: nobody is there any more who sends it."""
    contacts = select(webhook_contacts.c.id).where(webhook_contacts.c.source.in_(list(sources)))
    db.execute(
        update(webhook_sends)
        .where(webhook_sends.c.state == SENDING, webhook_sends.c.contact_id.in_(contacts))
        .values(state=TODO, due_at=stamp(now))
    )


def of_event(db: Connection, contact_id: str, event_id: str) -> str | None:
    """The stream of what was sent to a contact under an id."""
    query = select(webhook_sends.c.stream).where(
        webhook_sends.c.contact_id == contact_id, webhook_sends.c.event_id == event_id
    )
    found: str | None = db.execute(query).scalar()
    return found


def option(db: Connection, contact_id: str, payload: str) -> str | None:
    """What a button says that was sent to a contact; None where none was with this payload."""
    query = (
        select(webhook_sends.c.body)
        .where(webhook_sends.c.contact_id == contact_id)
        .order_by(webhook_sends.c.id.desc())
        .limit(_OPTIONS_LOOKED_THROUGH)
    )
    for body in db.execute(query).scalars():
        for one in body.get("options") or ():
            if one.get("payload") == payload:
                return str(one["title"])
    return None


def undelivered(db: Connection, streams: Collection[str], since: datetime) -> list[str]:
    """Ids of the events of these streams that have not arrived and will not."""
    query = select(webhook_sends.c.event_id).where(
        webhook_sends.c.stream.in_(list(streams)),
        webhook_sends.c.state == FAILED,
        webhook_sends.c.created_at >= stamp(since),
    )
    return list(db.execute(query.order_by(webhook_sends.c.id)).scalars())


def sweep(db: Connection, before: datetime, most: int = 2000) -> int:
    """Forget what was settled long ago. Returns how many."""
    old = (
        select(webhook_sends.c.id)
        .where(webhook_sends.c.settled_at < stamp(before), webhook_sends.c.state.not_in(_OPEN))
        .limit(most)
    )
    return int(db.execute(delete(webhook_sends).where(webhook_sends.c.id.in_(old))).rowcount)
