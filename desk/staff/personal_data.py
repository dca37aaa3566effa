"""What customers ask about their data, for managers and admins of the own business."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json, raw
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import RefusedError, clean
from desk.conversations.standing import require_unchanged
from desk.conversations.turn import Changed, Committed
from desk.conversations.veil import masked_name
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.personal_data.carrying import carry_out, clear
from desk.personal_data.exporting import HEADERS, packed
from desk.personal_data.own_pages import CONFIRMED
from desk.personal_data.requesting import ask_to_erase, refuse
from desk.staff.changes import changing, router_of
from desk.staff.look import held
from desk.staff.session import ROOT, allowed
from recovery.personal_data.words import REFUSED as REFUSED_WORDS
from recovery.roles import Act
from recovery.store import (
    audit_log,
    conversations,
    customers,
    data_requests,
    persons,
    staff,
    streams,
)
from recovery.store.data_requests import OPEN, DataRequest
from recovery.store.personal_scope import scope_of, unfinished
from recovery.store.staff import Staff

pages = Blueprint("staff_personal_data", url_prefix=ROOT)

_MOST = 200
_LONGEST_REASON = 200


@pages.get("/privacy")
@allowed(Act.PRIVACY)
async def overview(request: Request) -> HTTPResponse:
    """`Privacy` of docs/staff-api.md: requests, what was done, for how long what is kept."""
    context, who = context_of(request), request.ctx.staff
    listed = await context.storage.read(_listed, context, who)
    return json({"requests": listed, "retention": context.settings.privacy.model_dump()})


@pages.get("/privacy/conversations/<conversation_id:str>")
@allowed(Act.PRIVACY)
async def look(request: Request, conversation_id: str) -> HTTPResponse:
    """What there is of the customer of a conversation: how much, nothing of what."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(_person, conversation_id, who)
    if found is None:
        raise not_found()
    return json(found)


@pages.post("/privacy/conversations/<conversation_id:str>/erase")
@allowed(Act.PRIVACY)
async def erase(request: Request, conversation_id: str) -> HTTPResponse:
    """Erase the customer of a conversation; what was agreed is done for them first."""
    context, who = context_of(request), request.ctx.staff
    _confirmed(request)

    def asked(db: Connection) -> str:
        held(db, conversation_id, who)
        conversation = conversations.load(db, conversation_id)
        if conversation is None:
            raise LookupError(conversation_id)
        customer, now = customers.load(db, conversation.customer_id), context.clock()
        waits = ask_to_erase(db, customer, f"staff:{who.id}", now, who)
        if waits:
            _refuse_unfinished()
        known = data_requests.open_of(db, customer.person or customer.id, "erase")
        if known is None:
            raise LookupError(conversation_id)
        return known.id

    request_id = await changing(request, to_the_end(context.storage.write(asked)))
    return json(await to_the_end(_carried(request, request_id)))


@pages.post("/privacy/conversations/<conversation_id:str>/export")
@allowed(Act.GRANT)
async def export(request: Request, conversation_id: str) -> HTTPResponse:
    """All that is kept about the customer of a conversation, as a file to hand on."""
    context, who = context_of(request), request.ctx.staff

    def noted(db: Connection) -> tuple[str, str]:
        conversation = held(db, conversation_id, who)
        person, now = persons.person_of(db, conversation.customer_id), context.clock()
        by = f"staff:{who.id}"
        made = data_requests.ask(db, conversation.business, person, "export", by, now)
        done = data_requests.DONE
        data_requests.settle(db, made.id, done, now, decided_by=who.id)
        where = {"business": conversation.business, "target": conversation.id}
        audit_log.note(db, who, "export_data", now, **where, detail={"request": made.id})
        return conversation.business, person

    business, person = await changing(request, to_the_end(context.storage.write(noted)))
    content = await packed(context, request.app.ctx.album, business, person)
    if content is None:
        raise not_found()
    return raw(content, content_type="application/zip", headers=HEADERS)


@pages.post("/privacy/requests/<data_request_id:str>/carry_out")
@allowed(Act.PRIVACY)
async def carry(request: Request, data_request_id: str) -> HTTPResponse:
    """Carry an erasure out that a customer has asked for."""
    context, who = context_of(request), request.ctx.staff
    _confirmed(request)
    await context.storage.read(_own, data_request_id, who)
    return json(await to_the_end(_carried(request, data_request_id)))


@pages.post("/privacy/requests/<data_request_id:str>/refuse")
@allowed(Act.PRIVACY)
async def turn_down(request: Request, data_request_id: str) -> HTTPResponse:
    """Refuse an erasure, with a reason that the customer reads."""
    context, who = context_of(request), request.ctx.staff
    reason = _reason(json_body(request).get("reason"))

    async def work() -> None:
        committed = await context.storage.write(_refused, context, data_request_id, reason, who)
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json({"state": data_requests.REFUSED})


def _confirmed(request: Request) -> None:
    if json_body(request).get("confirm") != CONFIRMED:
        raise PageError(400, "not_confirmed", f"请输入“{CONFIRMED}”两个字确认")


def _refuse_unfinished() -> None:
    sentence = "还有答应顾客的补救没有办完，办完才能删除"
    raise PageError(409, "unfinished", sentence)


def _reason(given: object) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST_REASON:
        raise PageError(400, "bad_request", f"请写理由，最多{_LONGEST_REASON}个字")
    try:
        return clean(given)
    except RefusedError as error:
        raise PageError(400, "bad_request", "请写理由，顾客会看到") from error


def _own(db: Connection, request_id: str, who: Staff) -> DataRequest:
    """An open erasure of a business that this account sees.

    Raises:
        PageError: There is none.
    """
    found = data_requests.load(db, request_id)
    if found is None or not who.sees(found.business) or found.kind != "erase":
        raise not_found()
    if found.state != OPEN:
        raise PageError(409, "settled", "这个请求已经处理过了")
    return found


async def _carried(request: Request, request_id: str) -> dict[str, Any]:
    context, who = context_of(request), request.ctx.staff

    def work(db: Connection) -> DataRequest | None:
        require_unchanged(db, who)
        return carry_out(db, request_id, context.clock(), who)

    done = await context.storage.write(work)
    if done is None:
        raise PageError(409, "settled", "这个请求已经处理过了")
    if done.state == OPEN:
        _refuse_unfinished()
    for part in (done.result or {}).get("trackers") or ():
        context.hub.changed(done.business, part)
    cleared = await clear(context, request.app.ctx.album, request.app.ctx.rasa, done)
    counts = (done.result or {}).get("counts") or {}
    return {"state": "done" if cleared else done.state, "counts": counts}


def _refused(
    db: Connection, context: Context, request_id: str, reason: str, who: Staff
) -> Committed:
    require_unchanged(db, who)
    _own(db, request_id, who)
    request, now = data_requests.take(db, request_id, (OPEN,)), context.clock()
    if request is None:
        raise PageError(409, "settled", "这个请求已经处理过了")
    refuse(db, request, reason, who, now)
    parts = [
        one
        for customer in persons.customers_of(db, request.person)
        for one in conversations.private_of(db, customer)
    ]
    if not parts:
        return Committed([])
    # Where they wrote last, and once.
    latest = max(parts, key=lambda one: one.last_at)
    text = REFUSED_WORDS.format(reason=reason)
    event = {"id": f"{request.id}.refused", "kind": "message", "author": "system", "text": text}
    shown = streams.append(db, latest.stream, event, now)
    return Committed([shown] if shown else [], changed=(Changed(latest.business, latest.id),))


def _listed(db: Connection, context: Context, who: Staff) -> list[dict[str, Any]]:
    businesses = [one.id for one in context.directory if who.sees(one.id)]
    if who.business is None:
        # What belongs to no business in particular: codes, tries, what channels carried.
        businesses.append("")
    names = staff.names(db)
    return [_shown(db, one, names) for one in data_requests.listed(db, businesses, _MOST)]


def _shown(db: Connection, one: DataRequest, names: dict[int, str]) -> dict[str, Any]:
    waits, conversation = False, None
    if one.state == OPEN and one.kind == "erase":
        scope = scope_of(db, one.person)
        waits = bool(scope and unfinished(db, scope))
        conversation = scope.conversations[0] if scope and scope.conversations else None
    by_staff = one.asked_by.startswith("staff:")
    return {
        "id": one.id,
        "business": one.business,
        "kind": one.kind,
        "state": one.state,
        "asked_by": "staff" if by_staff else one.asked_by.partition(":")[0],
        "asked_at": one.asked_at,
        "due_at": one.due_at,
        "settled_at": one.settled_at,
        "decided_by": names.get(one.decided_by or 0, ""),
        "reason": one.reason or "",
        "waits": waits,
        "conversation": conversation,
        "counts": (one.result or {}).get("counts") or {},
    }


def _person(db: Connection, conversation_id: str, who: Staff) -> dict[str, Any] | None:
    conversation = conversations.load(db, conversation_id)
    if conversation is None or not who.sees(conversation.business):
        return None
    person = persons.person_of(db, conversation.customer_id)
    scope = scope_of(db, person)
    if scope is None:
        return None
    identities = persons.identities_of(db, person)
    asked = data_requests.open_of(db, person, "erase")
    return {
        "business": scope.business,
        "names": [masked_name(one.name) for one in identities],
        "channels": [persons.channel_of(db, one) for one in identities],
        "conversations": len(scope.conversations),
        "cases": len(scope.cases),
        "unfinished": len(unfinished(db, scope)),
        "request": asked.id if asked else None,
    }
