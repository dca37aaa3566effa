"""What a member of staff finds out about a case: whose order it is, what it is about."""

import asyncio
from datetime import datetime
from typing import Any, Literal

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.aside import aside
from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.dealing import withdraw_in_private
from desk.conversations.turn import Committed, Turn, save
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import advisor_of, changing, router_of
from desk.staff.proposals import begin_turn, found_for
from desk.staff.session import ROOT, allowed
from recovery.case import apply
from recovery.commands import Command, Note, TriedProof
from recovery.failures import FAILURES
from recovery.ids import fingerprint
from recovery.logs import log
from recovery.orders.system import (
    OrderSystemError,
    fold_order_number,
    usable_digits,
    usable_number,
)
from recovery.remedy.wording import FAILURE_WORDS
from recovery.roles import Act
from recovery.store import audit_log, cases
from recovery.store.staff import Staff

pages = Blueprint("staff_matters", url_prefix=ROOT)

Matched = Literal["proved", "not_matched", "away"]
_ORDER_SECONDS = 4.0


@pages.get("/failures")
@allowed(Act.HANDLE)
async def failures(request: Request) -> HTTPResponse:
    """What can go wrong at a business, for a case that is entered by hand."""
    context, who = context_of(request), request.ctx.staff
    business = business_of(context, who, request.args.get("business"))
    return json({"failures": failures_of(context, business)})


@pages.post("/conversations/<conversation_id:str>/order")
@allowed(Act.HANDLE)
async def prove(request: Request, conversation_id: str) -> HTTPResponse:
    """See whether an order is the customer's, by its number and the last four of its phone."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    pair = order_of(body)
    if pair is None:
        raise PageError(400, "bad_order", "请写订单号和手机尾号四位")
    conversation = await changing(
        request, context.storage.read(ownership.own, conversation_id, who)
    )
    matched = await match(request, conversation.business, *pair)
    if matched == "proved":

        async def work() -> None:
            committed = await context.storage.write(_proved, context, conversation_id, who, pair[0])
            router_of(request).publish(committed)

        await changing(request, to_the_end(work()))
    return json({"order": matched})


@pages.post("/conversations/<conversation_id:str>/matter")
@allowed(Act.HANDLE)
async def place(request: Request, conversation_id: str) -> HTTPResponse:
    """Say what a case is about: the failure, the article of the order."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    conversation = await changing(
        request, context.storage.read(ownership.own, conversation_id, who)
    )
    facts: dict[str, Any] = {}
    if body.get("failure") is not None:
        business = context.business(conversation.business)
        facts |= {"failure": failure_of(context, business.id, body["failure"]), "keywords": None}
    if body.get("item") is not None:
        found = await found_for(advisor_of(request), conversation_id)
        if body["item"] not in [item.sku for item in found.order.items]:
            raise PageError(400, "bad_item", "订单里没有这一件")
        facts["item"] = body["item"]
    if not facts:
        raise PageError(400, "bad_request", "请选是什么事，或订单里的哪一件")

    async def work() -> None:
        committed = await context.storage.write(_placed, context, conversation_id, who, facts)
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json(await advisor_of(request).advice(conversation_id))


def business_of(context: Context, who: Staff, given: object) -> str:
    """A configured business that this account serves.

    Raises:
        PageError: There is none; another's is none.
    """
    known = isinstance(given, str) and context.directory.business(given) is not None
    if not isinstance(given, str) or not known or not who.sees(given):
        raise PageError(404, "not_found", "没有这家商户")
    return given


def failures_of(context: Context, business_id: str) -> list[dict[str, str]]:
    """The failures that the policy of a business knows, with words for staff."""
    business = context.business(business_id)
    policy = context.policy.on(business.industry, context.clock().astimezone(business.zone).date())
    return [
        {"name": name, "label": FAILURE_WORDS[name]} for name in FAILURES if name in policy.failures
    ]


def failure_of(context: Context, business_id: str, given: object) -> str:
    """A failure that the business can commit.

    Raises:
        PageError: Something else.
    """
    known = {one["name"] for one in failures_of(context, business_id)}
    if not isinstance(given, str) or given not in known:
        raise PageError(400, "bad_failure", "这家商户没有这一类问题")
    return given


def order_of(body: dict[str, Any]) -> tuple[str, str] | None:
    """Order number and last four digits of a phone, as a page sends them; None where one lacks.

    Raises:
        PageError: Something that can be neither.
    """
    number, last4 = body.get("order_number"), body.get("phone_last4")
    if number in (None, "") or last4 in (None, ""):
        return None
    if not isinstance(number, str) or not isinstance(last4, str) or len(number) > 200:
        raise PageError(400, "bad_order", "请写订单号和手机尾号四位")
    folded = fold_order_number(number)
    if not usable_number(folded) or not usable_digits(last4):
        raise PageError(400, "bad_order", "订单号或手机尾号不对")
    return folded, last4


async def match(request: Request, business: str, number: str, last4: str) -> Matched:
    """Ask the order system whether number and digits belong together.

    Raises:
        PageError: This member has tried too often.
    """
    context, who = context_of(request), request.ctx.staff
    if not request.app.ctx.proof_buckets.take(str(who.id)):
        raise PageError(429, "too_fast", "核对得太勤了，请过一会儿再试")
    call = aside(context.orders.matches, business, number, last4)
    try:
        right = await asyncio.wait_for(call, _ORDER_SECONDS)
    except (OrderSystemError, TimeoutError) as error:
        log.warning("order system away", business=business, error=str(error))
        return "away"
    await context.storage.write(_tried, business, who, number, right, context.clock())
    return "proved" if right else "not_matched"


def _tried(
    db: Connection, business: str, who: Staff, number: str, right: bool, now: datetime
) -> None:
    detail = {"order": fingerprint(f"{business}:{number}")[:16], "right": right}
    audit_log.note(db, who, "prove_order", now, business=business, detail=detail)


def _proved(
    db: Connection, context: Context, conversation_id: str, who: Staff, number: str
) -> Committed:
    conversation = ownership.own(db, conversation_id, who)
    turn = begin_turn(db, context, conversation, who)
    case = turn.case
    if case is None:
        raise PageError(409, "no_case", "这段会话还没有案子")
    if case.order_number == number:
        return Committed([])
    if case.given:
        raise PageError(409, "given", "这个案子已经按另一个订单办过补救")
    _corrected(turn, TriedProof(number, correct=True))
    return Committed(turn.entries, changed=turn.changed)


def _corrected(turn: Turn, command: Command) -> None:
    """Put right what the case is about; what was offered for something else is taken back."""
    turn.case = apply(turn.case, command, turn.now)
    withdraw_in_private(turn)
    save(turn)
    if turn.case:
        cases.log(turn.db, turn.case.id, turn.source, command, turn.now)


def _placed(
    db: Connection, context: Context, conversation_id: str, who: Staff, facts: dict[str, Any]
) -> Committed:
    conversation = ownership.own(db, conversation_id, who)
    turn = begin_turn(db, context, conversation, who)
    case = turn.case
    if case is None:
        raise PageError(409, "no_case", "这段会话还没有案子")
    changes = {name: value for name, value in facts.items() if case.facts.get(name) != value}
    if not changes:
        return Committed([])
    _corrected(turn, Note(changes))
    detail = {name: value for name, value in changes.items() if value is not None}
    audit_log.note(
        db,
        who,
        "place",
        turn.now,
        business=conversation.business,
        target=conversation.id,
        detail=detail,
    )
    return Committed(turn.entries, changed=turn.changed)
