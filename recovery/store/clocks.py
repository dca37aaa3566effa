"""The clocks of conversations, one row for each kind; `recovery.clocks` says what they mean.

Every function runs in the transaction of the event that it is told of, with the conversation held
(`conversations.load(lock=True)`), and does nothing where the event concerns no clock.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from recovery.business import Business
from recovery.clocks import (
    ANSWERS,
    KINDS,
    SNOOZED,
    Clock,
    Kind,
    Measure,
    Pause,
    give_up,
    keep,
    run_out,
)
from recovery.service_time import whole
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.database import stamp
from recovery.store.tables import clock_misses, clocks, conversations

_MOMENTS = ("started_at", "due_at", "warn_at", "missed_at", "stopped_at")
_COUNTS = ("target_seconds", "used_seconds", "hits", "misses")
_COLUMNS = (
    clocks.c.conversation_id,
    clocks.c.kind,
    clocks.c.pauses,
    *(clocks.c[name] for name in (*_MOMENTS, *_COUNTS)),
)
_AT_ONCE = 200
_HELD_BY_SNOOZE = ("snooze", "customer,snooze")
# What holds a clock no longer once the customer was heard.
_HEARD: tuple[Pause, ...] = ("snooze", "customer")
# SQLite refuses more than some 32,000 parameters.
_IDS_AT_ONCE = 10_000


def person_due(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """A person is due, or has the conversation from now on: first answer and resolution.

    Nothing begins anew where an answer was due before: a colleague who takes over has no fresh
    time. Where none was due (it was answered, then handed on), whoever has it now owes one.

    Args:
        db: A writing transaction.
        conversation: As it was before it changed hands.
        business: Whose.
        now: The present moment.
    """
    before = of_conversations(db, [conversation.id]).get(conversation.id, ())
    under_way = {clock.kind for clock in before if clock.under_way}
    # Out of the queue it is the same hand-over; a sentence of the desk may have answered it.
    if "resolution" in under_way and (conversation.owner == QUEUE or under_way & set(ANSWERS)):
        return

    def begun(kind: Kind, clock: Clock | None) -> Clock | None:
        return clock if kind == "next_response" else business.measure(kind).begin(clock, kind, now)

    _change(db, conversation.id, begun, now)


def customer_wrote(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """The customer has written; where a person is due or answers, the next answer is due.

    Nothing begins anew where an answer is due already: what counts is the first message.
    """
    if conversation.owner == BOT:
        return

    answer_due = False

    def heard(kind: Kind, clock: Clock | None) -> Clock | None:
        nonlocal answer_due
        measure = business.measure(kind)
        if clock:
            clock = _going_on(measure, clock, now, *_HEARD)
        if kind == "first_response":
            answer_due = clock is not None and clock.under_way
        elif kind == "next_response" and not answer_due:
            return measure.begin(clock, kind, now)
        return clock

    _change(db, conversation.id, heard, now)


def staff_answered(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """A person has answered the customer, in words, with a picture or with an offer."""

    def answered(kind: Kind, clock: Clock | None) -> Clock | None:
        if clock is None:
            return None
        if kind in ANSWERS:
            return keep(clock, now)
        if business.clocks.stops.waiting_for_customer:
            return business.measure(kind).hold(clock, "customer", now)
        return clock

    _change(db, conversation.id, answered, now)


def answered_by_voice(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """A person has spoken with the customer, on the phone or face to face.

    Their answer is given as the customer speaks; the matter goes on.
    """

    def spoken(kind: Kind, clock: Clock | None) -> Clock | None:
        if clock is None:
            return None
        if kind in ANSWERS:
            return keep(clock, now)
        return _going_on(business.measure(kind), clock, now, *_HEARD)

    _change(db, conversation.id, spoken, now)


def customer_agreed(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """The customer has taken an offer: no answer is due for that, but the matter goes on."""

    def agreed(kind: Kind, clock: Clock | None) -> Clock | None:
        return _going_on(business.measure(kind), clock, now, *_HEARD) if clock else None

    _change(db, conversation.id, agreed, now)


def desk_said(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """The desk itself has told the customer something: counts where the settings say so."""
    if business.clocks.stops.holding:
        _change(db, conversation.id, _answers_kept(now), now)


def noted(db: Connection, conversation: Conversation, business: Business, now: datetime) -> None:
    """A member of staff has left an internal note: counts where the settings say so."""
    if business.clocks.stops.note:
        _change(db, conversation.id, _answers_kept(now), now)


def snoozed(db: Connection, conversation: Conversation, business: Business, now: datetime) -> None:
    """The conversation was put aside."""
    if not business.clocks.stops.snooze:
        return

    def aside(kind: Kind, clock: Clock | None) -> Clock | None:
        if clock is None or kind not in SNOOZED:
            return clock
        return business.measure(kind).hold(clock, "snooze", now)

    _change(db, conversation.id, aside, now)


def woken(db: Connection, conversation: Conversation, business: Business, now: datetime) -> None:
    """The conversation is no longer put aside."""

    def up(kind: Kind, clock: Clock | None) -> Clock | None:
        return _going_on(business.measure(kind), clock, now, "snooze") if clock else None

    _change(db, conversation.id, up, now)


def given_back(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> None:
    """The bot goes on: no person's answer is due any more, and the people's part is done."""

    def done(kind: Kind, clock: Clock | None) -> Clock | None:
        if clock is None:
            return None
        return give_up(clock, now) if kind in ANSWERS else keep(clock, now)

    _change(db, conversation.id, done, now)


def closed(db: Connection, conversation: Conversation, business: Business, now: datetime) -> None:
    """A person has closed the case and the customer was told, which is an answer as well."""

    def done(kind: Kind, clock: Clock | None) -> Clock | None:
        return keep(clock, now) if clock else None

    _change(db, conversation.id, done, now)


def move(db: Connection, source: Conversation, target: Conversation, now: datetime) -> None:
    """Let clocks go on in another conversation of the same case, which has none yet.

    Who waited in public and comes into private has not begun to wait anew.
    """
    db.execute(
        update(clocks)
        .where(clocks.c.conversation_id == source.id)
        .values(conversation_id=target.id, updated_at=stamp(now))
    )


def of_conversations(db: Connection, ids: Iterable[str]) -> dict[str, list[Clock]]:
    """The clocks of many conversations, in the order of `KINDS`; none for those without."""
    wanted, found = list(ids), dict[str, list[Clock]]()
    for place in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[place : place + _IDS_AT_ONCE]
        for row in db.execute(select(*_COLUMNS).where(clocks.c.conversation_id.in_(some))):
            found.setdefault(row.conversation_id, []).append(_clock(row))
    for several in found.values():
        several.sort(key=lambda clock: KINDS.index(clock.kind))
    return found


def due(db: Connection, businesses: Iterable[str], now: datetime) -> list[str]:
    """Where a clock of these businesses has run out, or is held by a snooze that is over."""
    served, moment = list(businesses), stamp(whole(now))
    late = and_(
        clocks.c.due_at < moment,
        or_(clocks.c.missed_at.is_(None), clocks.c.missed_at < clocks.c.due_at),
    )
    until = conversations.c.snoozed_until
    awake = and_(clocks.c.pauses.in_(_HELD_BY_SNOOZE), or_(until.is_(None), until <= stamp(now)))
    found: dict[str, None] = {}
    # Two statements, each by an index of its own: this is asked every few seconds.
    for condition in (late, awake):
        query = (
            select(clocks.c.conversation_id)
            .join(conversations, conversations.c.id == clocks.c.conversation_id)
            .where(condition, conversations.c.business.in_(served))
            .order_by(clocks.c.due_at)
            .limit(_AT_ONCE)
        )
        found |= dict.fromkeys(db.execute(query).scalars())
    return list(found)


def look(
    db: Connection, conversation: Conversation, business: Business, now: datetime
) -> tuple[Kind, ...]:
    """Count what has run out in a conversation, and let go on what a snooze has held.

    Returns:
        The kinds that were found to be missed now, each once.
    """
    before = of_conversations(db, [conversation.id]).get(conversation.id, [])
    misses = {clock.kind: clock.misses for clock in before}
    awake = conversation.snoozed_until is None or conversation.snoozed_until <= stamp(now)

    def seen(kind: Kind, clock: Clock | None) -> Clock | None:
        if clock is None:
            return None
        if awake:
            clock = _going_on(business.measure(kind), clock, now, "snooze")
        return run_out(clock, now)

    after = _change(db, conversation.id, seen, now)
    return tuple(kind for kind, clock in after.items() if clock.misses > misses[kind])


def _going_on(measure: Measure, clock: Clock, now: datetime, *reasons: Pause) -> Clock:
    for why in reasons:
        clock = measure.go_on(clock, why, now)
    return clock


def _answers_kept(now: datetime) -> Callable[[Kind, Clock | None], Clock | None]:
    def kept(kind: Kind, clock: Clock | None) -> Clock | None:
        return keep(clock, now) if clock and kind in ANSWERS else clock

    return kept


def _change(
    db: Connection,
    conversation_id: str,
    change: Callable[[Kind, Clock | None], Clock | None],
    now: datetime,
) -> dict[Kind, Clock]:
    """Change the clocks of a conversation, one after another; gives those that it has then."""
    query = select(*_COLUMNS).where(clocks.c.conversation_id == conversation_id)
    before = {clock.kind: clock for clock in map(_clock, db.execute(query))}
    after: dict[Kind, Clock] = {}
    for kind in KINDS:
        old = before.get(kind)
        new = change(kind, old)
        if new:
            after[kind] = new
        if new == old:
            continue
        if new and new.missed_at and new.misses > (old.misses if old else 0):
            at = stamp(new.missed_at)
            missed = insert(clock_misses).values(conversation_id=conversation_id, kind=kind, at=at)
            db.execute(missed)
        this = (clocks.c.conversation_id == conversation_id) & (clocks.c.kind == kind)
        if new is None:
            db.execute(delete(clocks).where(this))
        elif old is None:
            db.execute(insert(clocks).values(conversation_id=conversation_id, **_values(new, now)))
        else:
            db.execute(update(clocks).where(this).values(**_values(new, now)))
    return after


def _values(clock: Clock, now: datetime) -> dict[str, Any]:
    moments = {name: getattr(clock, name) for name in _MOMENTS}
    return {
        "kind": clock.kind,
        "state": clock.state,
        "pauses": ",".join(sorted(clock.pauses)),
        "updated_at": stamp(now),
        **{name: stamp(moment) if moment else None for name, moment in moments.items()},
        **{name: getattr(clock, name) for name in _COUNTS},
    }


def _clock(row: Row[Any]) -> Clock:
    values: dict[str, Any] = {name: getattr(row, name) for name in _COUNTS}
    for name in _MOMENTS:
        text = getattr(row, name)
        values[name] = datetime.fromisoformat(text) if text else None
    pauses = frozenset(row.pauses.split(",")) if row.pauses else frozenset()
    return Clock(kind=row.kind, pauses=pauses, **values)
