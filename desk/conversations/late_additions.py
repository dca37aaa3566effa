"""What is added when a promise is late: by its table, within the budgets, on the record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import promising
from desk.conversations.turn import Turn, save
from recovery.case import Case, Offer
from recovery.commands import AcceptOffer, MakeOffer
from recovery.dialogue.unwanted import DEPARTURE
from recovery.ids import fingerprint
from recovery.promises.table import PREFIX, worth_of
from recovery.store import cases, decisions, notices, preferences, promises
from recovery.store.conversations import Conversation, owner_id
from recovery.store.fulfilments import Fulfilment
from recovery.store.notices import Notice
from recovery.store.promises import Promise

_WHY_ADDED = "答应的时间没有赶上"


def notify(
    db: Connection, conversation: Conversation, text: str, now: datetime
) -> tuple[Notice, ...]:
    """Tell who looks after a conversation, or did last, and the supervisors."""
    owner = owner_id(conversation.owner)
    owner = conversation.last_agent if owner is None else owner
    readers = [*([owner] if owner is not None else [])]
    readers += notices.overseers(db, conversation.business)
    return notices.add(db, readers, "clock", conversation.id, text, now)


def may_have(one: Promise) -> bool:
    """Something is added once for a promise."""
    return one.extra_offer is None


def added(
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
    mine = [(one, base) for one in late if may_have(one) and (base := _base(case, one))]
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
    rule, given = table.add(facts)
    unwanted = preferences.unwanted_by(db, conversation.customer_id)
    remedies = [one for one in given if one["kind"] not in unwanted]
    if given and not remedies:
        text = "有一项补救要晚，表里加补的是顾客说过不要的，没有自动加补，请看补点什么"
        return None, notify(db, conversation, text, now)
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
        return None, notify(db, conversation, text, now)
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
        departure=DEPARTURE if len(remedies) < len(given) else None,
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
    """The offer a promise comes from; None where nothing is added.

    Neither for an addition, nor while something is only alleged.
    """
    offer = case.offer(one.key.rpartition(":")[0])
    if offer is None or offer.provisional or offer.policy.startswith(PREFIX):
        return None
    return offer


def _paid(offer: Offer) -> int:
    paid = offer.facts.get("paid", 0)
    return paid if isinstance(paid, int) and not isinstance(paid, bool) else 0
