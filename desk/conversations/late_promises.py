"""Tells that promises will not be kept in time, adds what policy adds, and brings a person.

All of it is one transaction: the words, the new time and what is added stand or fall together, so
whatever crashes and however many desks run, the customer hears of it once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.calling import to_a_person
from desk.conversations.late_additions import added, may_have, notify
from desk.conversations.turn import Changed, Committed
from recovery.business import Business
from recovery.promises.timing import new_due
from recovery.promises.words import LateOne, late_words, missed_words, title_of
from recovery.remedy.catalogue import kind_of
from recovery.store import clocks, fulfilments, promises, streams
from recovery.store.conversations import BOT, Conversation
from recovery.store.fulfilments import Fulfilment
from recovery.store.notices import Notice
from recovery.store.promises import LATE, SENT_ON, Promise

REASON = "late"
BY_HAND = frozenset({"phone", "street", "other"})
"""Channels of cases that were entered by hand: nobody reads what is shown there."""


def warn(
    db: Connection,
    context: Context,
    conversation: Conversation,
    late: Sequence[Promise],
    now: datetime,
    expected: Mapping[str, datetime] | None = None,
) -> Committed:
    """Explain in one message why promises take longer, with the new times and what is added.

    Args:
        db: A writing transaction that holds the conversation.
        context: The desk.
        conversation: In which they were made.
        late: Of one case, open, not told late before.
        now: The present moment.
        expected: Until when some of them take, where the order system says so.
    """
    business, table = context.business(conversation.business), context.promises
    items = _items(db, late)
    late = [one for one in late if one.key in items]
    if not late:
        return Committed([])
    dues = {
        one.key: (expected or {}).get(one.key)
        or new_due(table, business, one.promised, one.due, now)
        for one in late
    }
    offer, left = added(db, context, conversation, late, items, dues, now)
    for one in late:
        due = dues[one.key]
        extra = offer.id if offer and may_have(one) else None
        promises.change(db, one, LATE, now, due=due, look=due, tell=LATE, late=1, extra=extra)
    said = [_late_one(business, items[one.key], dues[one.key], now) for one in late]
    key = f"{late[0].key}.warned.{late[0].times_late}"
    text = late_words(
        key,
        said,
        missed=any(one.due < now for one in late),
        system=any(items[one.key].problem for one in late),
        sent_on=all(one.stage == SENT_ON for one in late),
        added=[kind_of(one).title(one) for one in offer.remedies] if offer else (),
    )
    entries = _show(db, conversation, key, said, text, now)
    left += _by_voice(db, conversation, text, now)
    if conversation.owner != BOT:
        clocks.desk_said(db, conversation, business, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed(entries, promised=offer is not None, changed=changed, notices=left)


def later(
    db: Connection,
    context: Context,
    conversation: Conversation,
    one: Promise,
    due: datetime | None,
    now: datetime,
) -> Committed:
    """Tell of one promise that those who have it in hand need longer, and until when.

    The first time it is explained; whoever was told of a delay before gets a person.
    """
    if one.times_late:
        return missed(db, context, conversation, [one], now)
    return warn(db, context, conversation, [one], now, {one.key: due} if due else None)


def missed(
    db: Connection,
    context: Context,
    conversation: Conversation,
    late: Sequence[Promise],
    now: datetime,
) -> Committed:
    """Say once that the new time was not kept either, and give the case to a person.

    Arguments as of `warn`; all were told late before.
    """
    business, items = context.business(conversation.business), _items(db, late)
    late = [one for one in late if one.key in items]
    if not late:
        return Committed([])
    for one in late:
        promises.change(db, one, LATE, now, look=None, tell=LATE, late=1)
    said = [_late_one(business, items[one.key], one.due, now) for one in late]
    key = f"{late[0].key}.missed.{late[0].times_late}"
    left: tuple[Notice, ...] = ()
    owner_line = ""
    if conversation.owner == BOT:
        seen = to_a_person(db, context, conversation, late[0].case_id, REASON, now)
        time, owner_line = seen.time, seen.line(timed=False)
    else:
        time = business.person_by_words(now)
        clocks.desk_said(db, conversation, business, now)
        titles = "、".join(one.title for one in said)
        left = notify(db, conversation, f"答应顾客的“{titles}”改过时间还是没赶上，请马上跟进", now)
    text = missed_words(key, said, time)
    entries = _show(db, conversation, key, said, text, now)
    left += _by_voice(db, conversation, text, now)
    if owner_line:
        event = {"id": f"{key}.owner", "kind": "owner", "owner": "queue", "name": ""}
        shown = streams.append(db, conversation.stream, {**event, "text": owner_line}, now)
        entries += [shown] if shown else []
    changed = (Changed(conversation.business, conversation.id),)
    return Committed(entries, changed=changed, notices=left)


def _items(db: Connection, late: Sequence[Promise]) -> dict[str, Fulfilment]:
    found = {one.key: fulfilments.load(db, one.key) for one in late}
    return {key: item for key, item in found.items() if item is not None}


def _late_one(business: Business, item: Fulfilment, due: datetime, now: datetime) -> LateOne:
    return LateOne(title_of(item.remedy), business.due_words(due, now))


def _show(
    db: Connection,
    conversation: Conversation,
    key: str,
    said: Sequence[LateOne],
    text: str,
    now: datetime,
) -> list[streams.Entry]:
    event: dict[str, Any] = {
        "id": key,
        "kind": "progress",
        "title": "、".join(one.title for one in said),
        "text": text,
        "state": "late",
    }
    entry = streams.append(db, conversation.stream, event, now)
    return [entry] if entry else []


def _by_voice(
    db: Connection, conversation: Conversation, text: str, now: datetime
) -> tuple[Notice, ...]:
    """Ask staff to say it where no page is read: the customer came by phone or on the street."""
    if conversation.channel not in BY_HAND:
        return ()
    return notify(db, conversation, f"顾客没有网页可看，请打电话告诉：{text}", now)
