"""Who the customer of a conversation is on other channels, what joined them, and their cases."""

from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from desk.conversations.veil import masked_name, veil_of
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.hub import PARTED
from desk.staff.changes import changing, router_of
from desk.staff.look import Look, look_at
from desk.staff.session import ROOT, allowed
from recovery.case import Case
from recovery.one_customer.same_matter import built_in
from recovery.roles import Act, may
from recovery.store import (
    audit_log,
    case_joins,
    conversations,
    customers,
    persons,
    preferences,
    staff,
)
from recovery.store.case_joins import CaseJoin
from recovery.store.conversations import staff_owner
from recovery.store.persons import PersonCase, PersonJoin
from recovery.store.staff import Staff
from recovery.store.wechat import parting

pages = Blueprint("staff_persons", url_prefix=ROOT)

HOW_WORDS = {
    "code": "顾客输入了合并码",
    "link": "顾客打开了链接并确认",
    "wechat": "顾客扫码并在微信里确认",
    "identity": "网站登录的是同一个账号",
}


@pages.get("/conversations/<conversation_id:str>/person")
@allowed(Act.READ)
async def person(request: Request, conversation_id: str) -> HTTPResponse:
    """`Person` of docs/staff-api.md."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(_shown, context, conversation_id, who)
    if found is None:
        raise not_found()
    return json(found)


@pages.post("/person-joins/<person_join_id:str>/undo")
@allowed(Act.GRANT)
async def undo(request: Request, person_join_id: str) -> HTTPResponse:
    """Take apart what was joined as one person."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(undo_join, person_join_id, who, context.clock())
        router_of(request).publish(committed)
        context.hub.signal(PARTED, {"type": "parted"})

    await changing(request, to_the_end(work()))
    return json({"undone": person_join_id})


def undo_join(db: Connection, join_id: str, who: Staff, now: datetime) -> Committed:
    """Take a joining of two persons back.

    Raises:
        LookupError: There is none that this account may know of.
        PageError: It cannot be taken back (now); says why.
    """
    entry = persons.join_entry(db, join_id)
    if entry is None or not who.sees(entry.business):
        raise LookupError(join_id)
    if entry.undone_at is not None:
        raise PageError(409, "undone", "这一步已经撤销过了")
    if persons.cases_across(db, entry):
        sentence = "两边的会话还在同一个案子里，请先撤销合并，或把会话拆分出来"
        raise PageError(409, "one_case", sentence)
    if persons.undo_join(db, join_id, staff_owner(who.id), now) is None:
        raise PageError(409, "joined_since", "后来又合并了别的账号，请先撤销后来的那一步")
    parting.part(db, entry.customers, persons.customers_of(db, entry.kept), now)
    # Who of the two did not want it is not known any more: neither is bothered.
    stands = preferences.of(db, entry.kept)
    if stands.no_follow_up:
        preferences.refuse_follow_up(db, entry.joined, now)
    if stands.no_marketing:
        preferences.refuse_marketing(db, entry.joined, now)
    audit_log.note(
        db,
        who,
        "undo_person_join",
        now,
        business=entry.business,
        target=entry.id,
        detail={"kept": entry.kept, "joined": entry.joined, "how": entry.how},
    )
    parts = [
        part
        for customer in (entry.kept, *entry.customers)
        for part in conversations.private_of(db, customer)
    ]
    return Committed([], changed=tuple(Changed(part.business, part.id) for part in parts))


def _shown(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> dict[str, Any] | None:
    look = look_at(db, context, conversation_id, who)
    if look is None:
        return None
    person_id = persons.person_of(db, look.conversation.customer_id)
    found = persons.cases_of(db, person_id)
    joins = case_joins.of_cases(db, [one.id for one in found])
    shown: dict[str, Any] = {
        "identities": [
            {
                "id": one.id,
                "name": one.name if look.sight.case else masked_name(one.name),
                "channel": persons.channel_of(db, one),
                "since": customers.since(db, one.id),
                "proved": one.proved,
                "here": one.id == look.conversation.customer_id,
            }
            for one in persons.identities_of(db, person_id)
        ],
        "joins": [_join(look, one) for one in persons.joins_of(db, person_id)],
        "parts": _parts(look),
        "cases": [_case(look, one) for one in found if one.id != look.conversation.case_id],
        "steps": [_step(look, one) for one in joins],
        "went_on": _went_on(look),
    }
    if look.sight.case:
        return shown
    veil = veil_of(db, look.conversation)
    return {name: part if name == "identities" else veil.over(part) for name, part in shown.items()}


def _join(look: Look, entry: PersonJoin) -> dict[str, Any]:
    return {
        "id": entry.id,
        "how": HOW_WORDS.get(entry.how, entry.how),
        "at": entry.at,
        "undone_at": entry.undone_at,
        "may_undo": entry.undone_at is None and may(look.who.role, Act.GRANT),
    }


def _parts(look: Look) -> list[dict[str, Any]]:
    """The conversations of this case, the one spoken in last first."""
    if look.conversation.case_id is None:
        return []
    return [
        {
            "conversation": one.id,
            "private": one.private,
            "channel": one.channel,
            "last_at": one.last_at,
            "here": one.id == look.conversation.id,
        }
        for one in conversations.all_of_case(look.db, look.conversation.case_id)
    ]


def _case(look: Look, row: PersonCase) -> dict[str, Any]:
    case = Case.from_state(row.state)
    parts = conversations.all_of_case(look.db, row.id)
    return {
        "id": row.id,
        "conversation": parts[0].id if parts else None,
        "matter": case.matter if case.has_matter else "",
        "stage": case.stage,
        "order_number": case.order_number,
        "opened_at": row.opened_at,
    }


def _step(look: Look, join: CaseJoin) -> dict[str, Any]:
    """One merging or splitting of this person's cases."""
    other = join.before.get("other") if join.kind == "merge" else None
    matter = Case.from_state(other).matter if other else ""
    return {
        "id": join.id,
        "kind": join.kind,
        "kept": join.kept_case,
        "other": join.other_case,
        "matter": matter,
        "reason": join.reason,
        "by": staff.names(look.db).get(join.by, ""),
        "at": join.at,
        "undone_at": join.undone_at,
    }


def _went_on(look: Look) -> list[dict[str, str]]:
    """When and why a new complaint went on in this case."""
    if look.conversation.case_id is None:
        return []
    words = {one.rule: one.why for one in built_in()}
    return [
        {"at": at, "why": words.get(rule, rule)}
        for at, rule in persons.went_on(look.db, look.conversation.case_id)
    ]
