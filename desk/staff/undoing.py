"""A merging or splitting is taken back: what went to and fro goes home, what came since stays."""

from dataclasses import replace
from datetime import datetime

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.merging import held_to_change, require_free, unite
from desk.staff.session import ROOT, allowed
from recovery.case import Case
from recovery.commands import Note
from recovery.one_customer.merging import apart
from recovery.roles import Act
from recovery.store import audit_log, case_joins, cases, conversations, decisions, persons
from recovery.store.case_joins import CaseJoin
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.staff import Staff

pages = Blueprint("staff_undoing", url_prefix=ROOT)


@pages.post("/case-joins/<case_join_id:str>/undo")
@allowed(Act.HANDLE)
async def undo(request: Request, case_join_id: str) -> HTTPResponse:
    """Take a merging or splitting back."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            undo_join, context, case_join_id, who, context.clock()
        )
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json({"undone": case_join_id})


def undo_join(
    db: Connection, context: Context, join_id: str, who: Staff, now: datetime
) -> Committed:
    """Take a merging or splitting back, as who has the conversation, or may step in anywhere.

    Raises:
        LookupError: There is none that this account may know of.
        OwnershipError: A colleague has the case.
        PageError: It was taken back before, or what it made went into something else since.
    """
    join = case_joins.load(db, join_id)
    parts = conversations.all_of_case(db, join.kept_case) if join else []
    if join is None or not who.sees(join.business) or not parts:
        raise LookupError(join_id)
    # One's own, where there is one: who has any of them may do it.
    place = next((one for one in parts if one.owner == staff_owner(who.id)), parts[0])
    held_to_change(db, place.id, who)
    # What was read before the others were kept out may be old.
    join = case_joins.load(db, join_id)
    if join is None or join.undone_at is not None:
        raise PageError(409, "undone", "这一步已经撤销过了")
    require_free(db, conversations.all_of_case(db, join.kept_case), who)
    committed = (
        _unmerge(db, join, who, now)
        if join.kind == "merge"
        else _unsplit(db, context, join, who, now)
    )
    case_joins.undo(db, join.id, who.id, now)
    audit_log.note(
        db,
        who,
        "undo_merge" if join.kind == "merge" else "undo_split",
        now,
        business=join.business,
        target=place.id,
        detail={"join": join.id, "kept": join.kept_case, "other": join.other_case},
    )
    return committed


def _unmerge(db: Connection, join: CaseJoin, who: Staff, now: datetime) -> Committed:
    present = cases.load(db, join.kept_case)
    standing = persons.case_of(db, join.kept_case)
    if present is None or standing is None or standing.id != join.kept_case:
        raise PageError(409, "merged_since", "这个案子后来又合并了，请先撤销后来的那一步")
    before = join.before
    kept, other, joined = (Case.from_state(before[name]) for name in ("kept", "other", "joined"))
    two = apart(present, kept, other, joined, now)
    case_joins.set_merged(db, other.id, None)
    case_joins.move(db, before["rows"], kept.id, other.id)
    late = case_joins.rows_of_offers(db, kept.id, [one.id for one in two.other.offers])
    case_joins.move(db, late, kept.id, other.id)
    if before.get("cause"):
        case_joins.take_cause_back(db, other.id, kept.id)
    parts = [
        *conversations.all_of_case(db, kept.id),
        *conversations.all_of_case(db, other.id),
    ]
    for case in (two.kept, two.other):
        _keep(db, case, parts, who, Note({"unmerged": join.id}), now)
    return Committed([], changed=tuple(Changed(one.business, one.id) for one in parts))


def _unsplit(
    db: Connection, context: Context, join: CaseJoin, who: Staff, now: datetime
) -> Committed:
    """What was split off goes back, with all that came in it since."""
    kept, other = persons.case_of(db, join.kept_case), persons.case_of(db, join.other_case)
    if kept is None or other is None or (kept.id, other.id) != (join.kept_case, join.other_case):
        raise PageError(409, "merged_since", "其中一个案子后来又合并了，请先撤销后来的那一步")
    require_free(db, conversations.all_of_case(db, other.id), who)
    done = unite(db, context, kept, other, who, now, tell=False)
    return Committed(done.entries, changed=done.changed)


def _keep(
    db: Connection,
    case: Case,
    parts: list[Conversation],
    who: Staff,
    note: Note,
    now: datetime,
) -> None:
    place = parts[0]
    # Staff have it in their hands again: nothing of it waits for a step that is over.
    case = replace(case, misses=0)
    decisions.settle(db, case.offers, now)
    cases.save(db, case, place.business, place.customer_id, now)
    cases.log(db, case.id, f"w-{who.id}", note, now)
