"""Staff make one case of two of the same person; nothing is lost and nothing is offered twice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.dealing import withdraw_in_private
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.session import ROOT, allowed, is_id
from recovery.case import Case
from recovery.commands import Note
from recovery.one_customer.merging import gone_into, merged, offers_to_withdraw
from recovery.roles import Act, may
from recovery.store import audit_log, case_joins, cases, conversations, persons, staff
from recovery.store.case_joins import Rows
from recovery.store.conversations import Conversation, OwnershipError, staff_owner
from recovery.store.persons import PersonCase
from recovery.store.staff import Staff
from recovery.store.streams import Entry

pages = Blueprint("staff_merging", url_prefix=ROOT)

LONGEST_REASON = 200
_TOLD = "您说的这几件事，我们合到一起办了{matter}。说过的都在，不用再说一遍。"


@dataclass(frozen=True)
class Merged:
    """What a merging has done.

    Attributes:
        before: What undoing it needs, plain JSON.
        entries: To be published.
        changed: Conversations whose place in lists may have changed.
    """

    before: dict[str, Any]
    entries: list[Entry]
    changed: tuple[Changed, ...]


@pages.post("/conversations/<conversation_id:str>/merge")
@allowed(Act.HANDLE)
async def merge(request: Request, conversation_id: str) -> HTTPResponse:
    """Let another case of the same person go on in the case of this conversation."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    other, reason = body.get("case"), reason_of(body)
    if not is_id(other):
        raise PageError(400, "bad_request", "请选要合并进来的案子")

    async def work() -> str:
        join_id, committed = await context.storage.write(
            merge_cases, context, conversation_id, who, other, reason, context.clock()
        )
        router_of(request).publish(committed)
        return join_id

    return json({"join": await changing(request, to_the_end(work()))})


def reason_of(body: dict[str, Any]) -> str:
    """Why it is done, in a sentence that colleagues read.

    Raises:
        PageError: There is none, or too long a one.
    """
    reason = body.get("reason")
    words = " ".join(reason.split()) if isinstance(reason, str) else ""
    if not words or not words.isprintable():
        raise PageError(400, "no_reason", "请写一句为什么")
    if len(words) > LONGEST_REASON:
        raise PageError(400, "too_long", f"理由最多{LONGEST_REASON}个字")
    return words


def merge_cases(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    other_id: str,
    reason: str,
    now: datetime,
) -> tuple[str, Committed]:
    """Merge another case into that of a conversation.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: Of the case that stays.
        who: Its owner, or who may step in anywhere.
        other_id: The case that goes into it.
        reason: For colleagues.
        now: The present moment.

    Returns:
        Id of the entry in the log, and what is to be published.

    Raises:
        LookupError: No such conversation that this account may know of.
        OwnershipError: A colleague has the conversation.
        PageError: It cannot be merged; says why.
    """
    conversation = held_to_change(db, conversation_id, who)
    kept = persons.case_of(db, conversation.case_id) if conversation.case_id else None
    if kept is None:
        raise PageError(409, "no_case", "这段会话还没有案子")
    other = persons.case_of(db, other_id)
    if other is None or other.business != conversation.business:
        # Also what is another business's.
        raise PageError(400, "no_such_case", "没有这个案子，请刷新页面再选")
    if other.id != other_id or other.id == kept.id:
        raise PageError(409, "merged_before", "这个案子已经合并过了")
    if persons.person_of(db, kept.customer_id) != persons.person_of(db, other.customer_id):
        sentence = "这两个案子的顾客还没有证明是同一个人，不能合并；可以请顾客用合并码证明"
        raise PageError(409, "other_person", sentence)
    parts = [*conversations.all_of_case(db, kept.id), *conversations.all_of_case(db, other.id)]
    require_free(db, parts, who)
    done = unite(db, context, kept, other, who, now, tell=True)
    join_id = case_joins.add(
        db, "merge", kept.business, kept.id, other.id, done.before, reason, who.id, now
    )
    audit_log.note(
        db,
        who,
        "merge_cases",
        now,
        business=kept.business,
        target=conversation.id,
        detail={"join": join_id, "kept": kept.id, "merged": other.id},
    )
    return join_id, Committed(done.entries, changed=done.changed)


def held_to_change(db: Connection, conversation_id: str, who: Staff) -> Conversation:
    """A conversation whose case may be merged or split: one's own, or any for who oversees.

    Raises:
        LookupError: There is none that this account may know of.
        OwnershipError: Somebody else owns it.
    """
    conversation = ownership.known(db, conversation_id, who)
    if conversation.owner != staff_owner(who.id) and not may(who.role, Act.OVERSEE):
        raise OwnershipError(conversation.owner)
    return conversation


def require_free(db: Connection, parts: Sequence[Conversation], who: Staff) -> None:
    """Leave alone what a colleague looks after, but for who oversees.

    Raises:
        PageError: A colleague has one of these conversations.
    """
    theirs = [one.agent for one in parts if one.agent not in (None, who.id)]
    if theirs and not may(who.role, Act.OVERSEE):
        name = staff.names(db).get(theirs[0] or 0, "另一位同事")
        raise PageError(409, "taken", f"其中一段会话由{name}负责，请先与他商量，或请主管来合并")


def unite(
    db: Connection,
    context: Context,
    kept_row: PersonCase,
    other_row: PersonCase,
    who: Staff,
    now: datetime,
    *,
    tell: bool,
) -> Merged:
    """Make one case of two, whoever may do so.

    Args:
        db: A writing transaction that holds the person's conversations.
        context: The desk.
        kept_row: The case that stays.
        other_row: The one that goes into it.
        who: Who does it.
        now: The present moment.
        tell: Whether the customer reads of it where the other case was talked about.
    """
    kept = _turn(db, context, kept_row, who, now)
    other = _turn(db, context, other_row, who, now)
    if kept.case is None or other.case is None:
        raise LookupError(other_row.id)
    before: dict[str, Any] = {"kept": kept.case.to_state(), "other": other.case.to_state()}
    mine, theirs = offers_to_withdraw(kept.case, other.case, now)
    for turn, needed in ((kept, mine), (other, theirs)):
        if needed:
            withdraw_in_private(turn)
            save(turn)
    one = merged(kept.case, other.case, now)
    talked = [part for part in conversations.all_of_case(db, other_row.id) if part.private]
    _keep(other, gone_into(other.case), {"merged_into": one.id})
    case_joins.set_merged(db, other_row.id, one.id)
    rows: Rows = case_joins.move_all(db, other_row.id, one.id)
    cause = case_joins.bring_cause(db, other_row.id, one.id, now)
    _keep(kept, one, {"merged": other_row.id})
    if tell:
        _tell(kept, one, talked)
    before |= {"joined": one.to_state(), "rows": rows, "cause": cause}
    parts = conversations.all_of_case(db, one.id)
    changed = tuple(Changed(part.business, part.id) for part in parts)
    return Merged(before, [*kept.entries, *other.entries], changed)


def _turn(db: Connection, context: Context, row: PersonCase, who: Staff, now: datetime) -> Turn:
    """A turn of staff on a case, wherever it is talked about."""
    parts = conversations.all_of_case(db, row.id)
    if not parts:
        raise PageError(409, "no_conversation", "这个案子没有会话，不能合并")
    place = next((part for part in parts if part.private), parts[0])
    return Turn(db, context, place, f"w-{who.id}", now, cases.load(db, row.id))


def _keep(turn: Turn, case: Case, note: dict[str, str]) -> None:
    turn.case = case
    save(turn)
    cases.log(turn.db, case.id, turn.source, Note(note), turn.now)


def _tell(turn: Turn, case: Case, talked: Sequence[Conversation]) -> None:
    matter = f"：{case.matter}" if case.has_matter else ""
    for part in talked:
        there = replace(turn, conversation=part)
        event = {"kind": "message", "author": "system", "text": _TOLD.format(matter=matter)}
        there.show(part.stream, f"{part.id}.merged.{turn.now.timestamp():.0f}", event)
