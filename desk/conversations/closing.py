"""A member of staff closes a case: what is open is taken back, the customer is told, the bot waits.

A thread in a room that is about no case yet is closed in the same way, with nothing to end.
"""

from datetime import datetime

from sqlalchemy import Connection, exists, select

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.dealing import withdraw_in_private
from desk.conversations.lessons import Lesson, learn
from desk.conversations.standing import require_unchanged
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.conversations.unanswered import check_answered
from desk.conversations.unasked import CLOSED, withdraw_requests
from recovery.case import apply
from recovery.commands import CloseCase, HandOver
from recovery.ids import new_id
from recovery.insights.causes import cause_name
from recovery.outcomes import OUTCOMES
from recovery.store import audit_log, cases, clocks, conversations, notes, remedy_requests, staff
from recovery.store.conversations import BOT, Conversation, OwnershipError, staff_owner
from recovery.store.notices import Notice
from recovery.store.staff import Staff
from recovery.store.tables import fulfilments

_UNDONE = ("todo", "refused", "failed")


class NoOutcomeError(ValueError):
    """A case that is to be closed without saying how it ended."""


class OtherPartError(RuntimeError):
    """A colleague looks after the other part of the case: it is not ended over their head.

    Attributes:
        part: What that part is called.
        name: Of the colleague.
    """

    def __init__(self, part: str, name: str) -> None:
        """Remember who has what."""
        super().__init__(f"{part}: {name}")
        self.part = part
        self.name = name


class StillOpenError(RuntimeError):
    """Something of the case is not settled; it can be closed all the same, on purpose.

    Attributes:
        what: `request`: colleagues wait for a decision; `remedy`: something promised is not done.
    """

    def __init__(self, what: str) -> None:
        """Remember what is open."""
        super().__init__(what)
        self.what = what


def close(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    outcome: str | None,
    note: str,
    now: datetime,
    *,
    force: bool = False,
    lesson: Lesson | None = None,
) -> Committed:
    """Close the case of a conversation as its owner.

    Both parts of the case go back to the bot; where a colleague has one of them, nothing ends.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Which one.
        who: The owner.
        outcome: One of `recovery.outcomes`; None only where there is no case.
        note: For colleagues, clean already; may be empty.
        now: The present moment.
        force: Close it although something is open. What was promised is carried out all the same;
            a request is withdrawn.
        lesson: Why it came about; without a case there is nothing to learn from.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        OtherPartError: A colleague has the other part of the case.
        PageError: The account has been changed since it was let in.
        NoOutcomeError: There is a case and no outcome.
        StillOpenError: A request or a remedy is open and `force` is not set.
        UnansweredError: The customer waits for an answer and `force` is not set.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None or not who.sees(conversation.business):
        raise LookupError(conversation_id)
    require_unchanged(db, who)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    case = cases.load(db, conversation.case_id)
    if case and outcome is None:
        raise NoOutcomeError(conversation.id)
    parts = _parts(db, conversation, who)
    if not force:
        check_answered(db, conversation)
    if case and not force:
        _check_settled(db, case.id)
    turn = Turn(db, context, conversation, f"w-{who.id}", now, case)
    told = _end_case(turn, who, outcome) if case and outcome else ()
    if case and lesson:
        learn(db, turn.business, case, who, lesson, now)
    event_id = new_id("w")
    for part in parts:
        clocks.closed(db, part, turn.business, now)
        if part.owner == BOT:
            continue
        conversations.change_owner(db, part, BOT, now, expected=(part.owner,))
        name = turn.business.assistant
        words = phrases.person_here(name)
        owner = {"kind": "owner", "owner": "bot", "name": name, "text": words}
        turn.show(part.stream, f"{event_id}.{part.kind}", owner)
    if case:
        # The last word: whom to tell what is still wrong is not followed by a name.
        closed = {"kind": "closed", "text": phrases.closed()}
        turn.show(conversation.stream, f"{event_id}.closed", closed)
    if note or (case and outcome):
        said = OUTCOMES[outcome] if case and outcome else "无案子"
        notes.add(db, conversation.id, who, "note", f"结案（{said}）{note}", now)
    audit_log.note(
        db,
        who,
        "close",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={
            **{"case": case.id if case else None, "outcome": outcome, "force": force},
            **({"cause": cause_name(lesson.cause)} if case and lesson else {}),
        },
    )
    changed = tuple(Changed(part.business, part.id) for part in parts)
    return Committed(turn.entries, changed=changed, notices=told)


def _check_settled(db: Connection, case_id: str) -> None:
    """See that nobody waits for anything of a case.

    Raises:
        StillOpenError: Somebody does.
    """
    if remedy_requests.is_open(db, case_id):
        raise StillOpenError("request")
    undone = exists().where(fulfilments.c.case_id == case_id, fulfilments.c.state.in_(_UNDONE))
    if db.execute(select(undone)).scalar():
        raise StillOpenError("remedy")


def _end_case(turn: Turn, who: Staff, outcome: str) -> tuple[Notice, ...]:
    """Take back what is open, and write the end of the case down; gives who is told of it."""
    withdraw_in_private(turn)
    command = CloseCase(outcome)
    turn.case = apply(turn.case, command, turn.now)
    if turn.case is None:
        return ()
    save(turn)
    cases.note_closer(turn.db, turn.case.id, who.id)
    cases.log(turn.db, turn.case.id, turn.source, command, turn.now)
    return withdraw_requests(turn.db, turn.conversation, turn.case.id, CLOSED, who, turn.now)


def _parts(db: Connection, conversation: Conversation, who: Staff) -> list[Conversation]:
    """What ends: the conversation, and the other part of its case.

    Raises:
        OtherPartError: A colleague has that.
    """
    if conversation.case_id is None:
        return [conversation]
    kind = "public" if conversation.private else "private"
    other = conversations.of_case(db, conversation.case_id, kind)
    if other is None:
        return [conversation]
    if other.agent not in (None, who.id):
        name = staff.names(db).get(other.agent or 0, "另一位同事")
        raise OtherPartError("私聊" if other.private else "公开", name)
    return [conversation, other]


def reopen(db: Connection, conversation: Conversation, who: Staff, now: datetime) -> None:
    """A member of staff has taken what was closed: a person is due for it again."""
    case = cases.load(db, conversation.case_id)
    if case is None or case.stage != "closed":
        return
    command = HandOver("reopened")
    opened = apply(case, command, now)
    if opened:
        cases.save(db, opened, conversation.business, conversation.customer_id, now)
    cases.log(db, case.id, f"w-{who.id}", command, now)
