"""How a conversation goes from hand to hand among people: handed on, taken over, put aside."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.closing import reopen
from desk.conversations.ownership import SERVING, announce, known, own
from desk.conversations.queueing import promised, told_in_queue
from desk.conversations.turn import Changed, Committed
from desk.conversations.unanswered import check_answered
from desk.conversations.veil import veil_of
from recovery.queue.people import OFFLINE, Colleague
from recovery.roles import Act, may
from recovery.store import audit_log, clocks, conversations, notes, notices, presence
from recovery.store.conversations import (
    QUEUE,
    SILENT,
    TRANSFER,
    Conversation,
    OwnershipError,
    owner_id,
    staff_owner,
)
from recovery.store.database import stamp
from recovery.store.notices import Notice
from recovery.store.staff import Staff
from recovery.store.streams import Entry

_SHOWN_OF_MEMO = 120


class NoColleagueError(ValueError):
    """A conversation cannot be handed to this colleague.

    Attributes:
        why: `unknown`, `offline` or `full`.
    """

    def __init__(self, why: str, name: str = "") -> None:
        """Remember why."""
        super().__init__(f"{name or 'nobody'}: {why}")
        self.why = why
        self.name = name


def hand_on(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    to: int | None,
    memo: str,
    now: datetime,
) -> Committed:
    """Hand a conversation to a colleague, or back into the queue.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Which one.
        who: Who does it: its owner, or whoever may oversee.
        to: A member of staff, None for the queue.
        memo: What the next one has to know; clean, not empty.
        now: The present moment.

    Raises:
        LookupError: No such conversation.
        OwnershipError: It is not this member's to hand on.
        NoColleagueError: They cannot have it.
    """
    if may(who.role, Act.OVERSEE):
        conversation = known(db, conversation_id, who)
    else:
        conversation = own(db, conversation_id, who)
    if to is None:
        return _into_the_queue(db, context, conversation, who, memo, now)
    if conversation.owner == staff_owner(to):
        return Committed([])
    receiver = _receiver(db, conversation, to, now)
    before = conversation.owner
    conversations.change_owner(db, conversation, staff_owner(to), now, expected=(before,))
    reopen(db, conversation, who, now)
    clocks.person_due(db, conversation, context.business(conversation.business), now)
    notes.add(db, conversation.id, who, "transfer", memo, now, mentions=[to])
    _audit(db, who, "transfer", conversation, now, to=staff_owner(to))
    # The memo itself stands with the conversation; a notice outlives the right to read that.
    quoted = _short(veil_of(db, conversation).text(memo))
    told = _tell_staff(db, [to], "transfer", conversation, f"{who.name}转来一段会话：{quoted}", now)
    told += _tell_former(
        db, conversation, who, f"{who.name}把您的一段会话转给了{receiver.name}", now
    )
    text = (
        phrases.handed_on(receiver.name)
        if owner_id(before) is not None
        else phrases.person_here(receiver.name)
    )
    entries = announce(db, conversation, "staff", receiver.name, text, now)
    return _done(conversation, entries, told)


def _receiver(db: Connection, conversation: Conversation, to: int, now: datetime) -> Colleague:
    people = presence.colleagues(db, conversation.business, now)
    found = next((one for one in people if one.id == to), None)
    if found is None:
        raise NoColleagueError("unknown")
    if found.presence == OFFLINE:
        raise NoColleagueError("offline", found.name)
    if found.full:
        raise NoColleagueError("full", found.name)
    return found


def _into_the_queue(
    db: Connection,
    context: Context,
    conversation: Conversation,
    who: Staff,
    memo: str,
    now: datetime,
) -> Committed:
    if conversation.owner == QUEUE:
        return Committed([])
    conversations.change_owner(
        db, conversation, QUEUE, now, expected=(conversation.owner,), reason=TRANSFER
    )
    clocks.person_due(db, conversation, context.business(conversation.business), now)
    notes.add(db, conversation.id, who, "transfer", memo, now)
    _audit(db, who, "transfer", conversation, now, to=QUEUE)
    told = _tell_former(db, conversation, who, f"{who.name}把您的一段会话放回了队列", now)
    text = told_in_queue(db, context, conversation, now)
    return _done(conversation, announce(db, conversation, "queue", "", text, now), told)


def let_go(
    db: Connection,
    context: Context,
    conversation_id: str,
    former: Staff,
    by: Staff,
    now: datetime,
    *,
    whatever: bool,
) -> Committed:
    """Put a conversation back into the queue where its owner may not have it any more.

    Args:
        db: A writing transaction, after the one in which the account was changed: who holds an
            account must not wait for a conversation, whose work may wait for the account.
        context: The desk.
        conversation_id: Which one.
        former: The account as it is now.
        by: Who has changed it.
        now: The present moment.
        whatever: It handles nothing any more; else only what is of another business.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    # Of a business that is not served any more, nobody waits in a queue.
    if conversation is None or context.directory.business(conversation.business) is None:
        return Committed([])
    mine = conversation.owner == staff_owner(former.id)
    if not mine or (former.sees(conversation.business) and not whatever):
        return Committed([])
    memo = f"{former.name}不再处理这段会话"
    return _into_the_queue(db, context, conversation, by, memo, now)


def free(db: Connection, context: Context, conversation_id: str, now: datetime) -> Committed:
    """Put a conversation into the queue whose owner does not work for its business any more.

    An account that was disabled or changed at the very moment of taking it would keep it for
    ever: nobody else could speak.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    business = context.directory.business(conversation.business) if conversation else None
    if conversation is None or conversation.agent is None or business is None:
        return Committed([])
    owner = conversation.owner
    if conversation.agent in {one.id for one in presence.colleagues(db, business.id, now)}:
        return Committed([])
    conversations.change_owner(db, conversation, QUEUE, now, expected=(owner,), reason=TRANSFER)
    clocks.person_due(db, conversation, business, now)
    audit_log.note(
        db,
        None,
        "transfer",
        now,
        business=business.id,
        target=conversation.id,
        detail={"from": owner, "to": QUEUE},
    )
    text = told_in_queue(db, context, conversation, now)
    return _done(conversation, announce(db, conversation, "queue", "", text, now), ())


def step_in(
    db: Connection, context: Context, conversation_id: str, who: Staff, now: datetime
) -> Committed:
    """Take a conversation from whoever has it, a colleague included; who had it hears of it.

    Raises:
        LookupError: No such conversation.
        OwnershipError: It has changed hands at this very moment.
    """
    conversation = known(db, conversation_id, who)
    mine = staff_owner(who.id)
    if conversation.owner == mine:
        return Committed([])
    conversations.change_owner(db, conversation, mine, now, expected=(conversation.owner,))
    reopen(db, conversation, who, now)
    clocks.person_due(db, conversation, context.business(conversation.business), now)
    _audit(db, who, "step_in", conversation, now)
    former = owner_id(conversation.owner)
    told: tuple[Notice, ...] = ()
    if former is not None:
        told = _tell_staff(
            db, [former], "step_in", conversation, f"{who.name}接手了您的一段会话", now
        )
    entries = announce(db, conversation, "staff", who.name, phrases.person_here(who.name), now)
    return _done(conversation, entries, told)


def snooze(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    until: datetime | None,
    note: str,
    now: datetime,
    *,
    force: bool = False,
) -> Committed:
    """Put one's own conversation aside until a moment, or take it up again.

    It comes up again by itself at that moment, or when the customer writes.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Which one.
        who: Whose it is.
        until: Until when; None: take it up now.
        note: For colleagues, clean already; may be empty.
        now: The present moment.
        force: Also where the customer waits for an answer, who then waits until that moment.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        UnansweredError: The customer waits for an answer and `force` is not set.
    """
    conversation = own(db, conversation_id, who)
    if until and not force:
        check_answered(db, conversation)
    conversations.snooze(db, conversation.id, until, now)
    business = context.business(conversation.business)
    if until:
        clocks.snoozed(db, conversation, business, now)
    else:
        clocks.woken(db, conversation, business, now)
    if note:
        notes.add(db, conversation.id, who, "note", note, now)
    when = until.isoformat() if until else None
    _audit(db, who, "snooze", conversation, now, until=when)
    return _done(conversation, [], ())


def wake(db: Connection, context: Context, conversation_id: str, now: datetime) -> Committed:
    """Take up a conversation whose time has come; nothing where it has been taken up already."""
    conversation = conversations.load(db, conversation_id, lock=True)
    due = conversation.snoozed_until if conversation else None
    if conversation is None or due is None or datetime.fromisoformat(due) > now:
        return Committed([])
    conversations.snooze(db, conversation.id, None, now)
    business = context.directory.business(conversation.business)
    if business:
        clocks.woken(db, conversation, business, now)
    return _done(conversation, [], ())


def assign(
    db: Connection,
    context: Context,
    conversation_id: str,
    to: Colleague,
    now: datetime,
) -> Committed:
    """Hand a conversation of the queue to a member of staff, on behalf of the desk.

    Raises:
        OwnershipError: It is not in the queue any more.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None:
        return Committed([])
    conversations.change_owner(db, conversation, staff_owner(to.id), now, expected=(QUEUE,))
    clocks.person_due(db, conversation, context.business(conversation.business), now)
    audit_log.note(
        db,
        None,
        "assign",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"from": QUEUE, "to": staff_owner(to.id)},
    )
    told = _tell_staff(db, [to.id], "assigned", conversation, "给您分配了一段新会话", now)
    entries = announce(db, conversation, "staff", to.name, phrases.person_here(to.name), now)
    return _done(conversation, entries, told)


def fell_silent(
    db: Connection, context: Context, conversation_id: str, owner: str, now: datetime
) -> tuple[Committed, bool]:
    """Take a conversation from who does not answer, to the front of the queue.

    Supervisors hear of it, and so does who had it. Who has answered nobody else meanwhile either
    is away until they say otherwise, so that nothing more is handed to an empty chair.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Which one.
        owner: Who has it and is silent.
        now: The present moment.

    Returns:
        What to publish, and whether who had it is away from now on.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    agent = owner_id(owner)
    if conversation is None or agent is None or not is_silent(context, conversation, now):
        return Committed([]), False
    try:
        conversations.change_owner(
            db, conversation, QUEUE, now, expected=(owner,), reason=SILENT, front=True
        )
    except OwnershipError:
        return Committed([]), False
    business = context.business(conversation.business)
    clocks.person_due(db, conversation, business, now)
    name = next((one.name for one in presence.colleagues(db, None, now) if one.id == agent), "")
    lately = stamp(now - timedelta(minutes=business.silent_minutes))
    serves = audit_log.done_since(db, agent, SERVING, lately)
    stepped_away = not serves and presence.step_away(db, agent)
    audit_log.note(
        db,
        None,
        "silent",
        now,
        business=business.id,
        target=conversation.id,
        detail={"from": owner, "minutes": business.silent_minutes},
    )
    told = _tell_staff(
        db,
        [agent],
        "silent",
        conversation,
        f"一段会话{business.silent_minutes}分钟没有回复，已退回队首"
        + ("，您的状态改为离开" if stepped_away else ""),
        now,
    )
    told += _tell_staff(
        db,
        [one for one in notices.overseers(db, business.id) if one != agent],
        "silent",
        conversation,
        f"{name or '一位同事'}{business.silent_minutes}分钟没有回复顾客，会话已退回队首",
        now,
    )
    text = phrases.back_in_queue(promised(db, context, conversation, now).time)
    entries = announce(db, conversation, "queue", "", text, now)
    return _done(conversation, entries, told), stepped_away


def is_silent(context: Context, conversation: Conversation, now: datetime) -> bool:
    """Whether who owns a conversation has left its customer without an answer for too long.

    Only time of service counts, from when the customer began to wait for this very owner; what
    was put aside on purpose counts from when it was taken up again.
    """
    if conversation.agent is None or conversation.awaiting_since is None:
        return False
    business = context.directory.business(conversation.business)
    if conversation.snoozed_until or business is None or not business.service.open_at(now):
        return False
    begun = conversation.awaiting_since, conversation.owner_since, conversation.woken_at
    since = max(one for one in begun if one)
    waited = business.service.between(datetime.fromisoformat(since), now)
    return waited >= business.silent_minutes * 60


def _tell_former(
    db: Connection, conversation: Conversation, who: Staff, text: str, now: datetime
) -> tuple[Notice, ...]:
    """Tell who had a conversation, where somebody else has moved it."""
    former = owner_id(conversation.owner)
    if former is None or former == who.id:
        return ()
    return _tell_staff(db, [former], "step_in", conversation, text, now)


def _tell_staff(
    db: Connection,
    whom: list[int],
    kind: str,
    conversation: Conversation,
    text: str,
    now: datetime,
) -> tuple[Notice, ...]:
    return notices.add(db, whom, kind, conversation.id, text, now)


def _audit(
    db: Connection,
    who: Staff,
    act: str,
    conversation: Conversation,
    now: datetime,
    **detail: str | None,
) -> None:
    audit_log.note(
        db,
        who,
        act,
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"from": conversation.owner, **detail},
    )


def _done(conversation: Conversation, entries: list[Entry], told: tuple[Notice, ...]) -> Committed:
    changed = (Changed(conversation.business, conversation.id),)
    return Committed(entries, changed=changed, notices=told)


def _short(memo: str) -> str:
    return memo if len(memo) <= _SHOWN_OF_MEMO else f"{memo[:_SHOWN_OF_MEMO]}……"
