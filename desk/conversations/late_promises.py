"""Tells that promises will not be kept in time, adds what policy adds, and brings a person.

All of it is one transaction: the words, the new time and what is added stand or fall together, so
whatever crashes and however many desks run, the customer hears of it once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import promising
from desk.conversations.calling import to_a_person
from desk.conversations.turn import Changed, Committed, Turn, save
from recovery.business import Business
from recovery.case import Case, Offer
from recovery.commands import AcceptOffer, MakeOffer
from recovery.ids import fingerprint
from recovery.promises.table import PREFIX, worth_of
from recovery.promises.timing import new_due
from recovery.promises.words import LateOne, late_words, missed_words, title_of
from recovery.remedy.catalogue import kind_of
from recovery.store import cases, clocks, decisions, fulfilments, notices, promises, streams
from recovery.store.conversations import BOT, Conversation, owner_id
from recovery.store.fulfilments import Fulfilment
from recovery.store.notices import Notice
from recovery.store.promises import LATE, SENT_ON, Promise

REASON = "late"
_WHY_ADDED = "答应的时间没有赶上"


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
    offer, left = _added(db, context, conversation, late, items, dues, now)
    for one in late:
        due = dues[one.key]
        extra = offer.id if offer and _may_have(one) else None
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
        left = _notify(db, conversation, f"答应顾客的“{titles}”改过时间还是没赶上，请马上跟进", now)
    entries = _show(db, conversation, key, said, missed_words(key, said, time), now)
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


def _notify(
    db: Connection, conversation: Conversation, text: str, now: datetime
) -> tuple[Notice, ...]:
    """Tell who looks after a conversation, and the supervisors."""
    owner = owner_id(conversation.owner)
    readers = [*([owner] if owner is not None else [])]
    readers += notices.overseers(db, conversation.business)
    return notices.add(db, readers, "clock", conversation.id, text, now)


# --- what is added ----------------------------------------------------------------------------


def _may_have(one: Promise) -> bool:
    """Something is added once for a promise."""
    return one.extra_offer is None


def _added(
    db: Connection,
    context: Context,
    conversation: Conversation,
    late: Sequence[Promise],
    items: Mapping[str, Fulfilment],
    dues: Mapping[str, datetime],
    now: datetime,
) -> tuple[Offer | None, tuple[Notice, ...]]:
    """Add what the table adds: decided, archived and promised as any other offer.

    Returns:
        What is given, None for nothing; and notices where a person has to decide, since the budget
        of goodwill is used up.
    """
    case, table = cases.load(db, late[0].case_id), context.promises
    if case is None or promises.is_merged(db, case.id):
        return None, ()
    before = {one.extra_offer for one in promises.of_case(db, case.id).values()} - {None}
    if len(before) >= table.most_additions:
        return None, ()
    mine = [(one, base) for one in late if _may_have(one) and (base := _base(case, one))]
    if not mine:
        return None, ()
    business, base = context.business(conversation.business), mine[0][1]
    delays = [dues[one.key] - one.due for one, _ in mine]
    facts = {
        "industry": business.industry,
        "failure": case.failure or "",
        "kinds": sorted({str(items[one.key].remedy.get("kind")) for one, _ in mine}),
        "paid": _paid(base),
        "late_minutes": max(0, max(delays) // timedelta(minutes=1)),
        # The table asks for neither: whoever looks at what was offered last finds them here.
        "choice": base.facts.get("choice", ""),
        "tier": base.facts.get("tier", ""),
    }
    rule, remedies = table.add(facts)
    if not remedies:
        return None, ()
    fen = worth_of(remedies)
    decisions.hold_budgets(db, business.id)
    passed = decisions.budget_passed(
        db,
        business.id,
        base.order_customer,
        fen,
        business.day_began(now),
        business.goodwill_per_day,
        business.goodwill_per_customer,
        now,
    )
    if passed:
        text = "有一项补救要晚，心意的预算已用完，没有自动加补，请看要不要补一点"
        return None, _notify(db, conversation, text, now)
    decisions.keep_policy(db, table.name, table.bundle, now)
    source = f"{late[0].key}.{late[0].times_late}"
    command = MakeOffer(
        offer="e" + fingerprint(f"late:{source}")[:24],
        order_number=base.order_number,
        order_customer=base.order_customer,
        remedies=remedies,
        rules=[rule],
        policy=table.name,
        day=now.astimezone(business.zone).date().isoformat(),
        facts=facts,
        reason=_WHY_ADDED,
        round=0,
        expires_at=(now + timedelta(hours=business.offer_hours)).isoformat(),
        goodwill_fen=fen,
    )
    return _given(db, context, conversation, case, command, now), ()


def _given(
    db: Connection,
    context: Context,
    conversation: Conversation,
    case: Case,
    command: MakeOffer,
    now: datetime,
) -> Offer:
    """Write an addition down as decided and accepted: nobody is asked whether they want it."""
    said = {name: value for name, value in vars(command).items() if name != "offer"}
    offer = Offer(id=command.offer, state="accepted", **said)
    turn = Turn(db, context, conversation, command.offer, now, case)
    decisions.made(
        db,
        command,
        case_id=case.id,
        business=conversation.business,
        customer_id=conversation.customer_id,
        channel=conversation.channel,
        anger=case.level,
        now=now,
        decided_by=command.by,
    )
    # The first offer stays the accepted one; nothing else about the case changes.
    turn.case = replace(case, offers=(*case.offers, offer))
    save(turn)
    for one in (command, AcceptOffer(command.offer)):
        cases.log(db, case.id, command.offer, one, now)
    promising.promise(db, context, conversation, case.id, offer, now)
    return offer


def _base(case: Case, one: Promise) -> Offer | None:
    """The offer a promise comes from; None for an addition, for which nothing is added again."""
    offer = case.offer(one.key.rpartition(":")[0])
    return None if offer is None or offer.policy.startswith(PREFIX) else offer


def _paid(offer: Offer) -> int:
    paid = offer.facts.get("paid", 0)
    return paid if isinstance(paid, int) and not isinstance(paid, bool) else 0
