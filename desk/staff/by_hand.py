"""A case that did not come through a page: by phone, on the street, by letter."""

import re
from dataclasses import dataclass
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.ingest import RefusedError, Taken, clean, take_heard
from desk.conversations.standing import require_unchanged
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.matters import Matched, business_of, failure_of, match, order_of
from desk.staff.offers import client_id_of
from desk.staff.session import ROOT, allowed
from recovery.case import apply
from recovery.commands import Command, Note, OpenCase
from recovery.dialogue.harm import read_harm
from recovery.failures import UNKNOWN
from recovery.ids import fingerprint
from recovery.keywords import safe_keywords
from recovery.roles import Act
from recovery.store import audit_log, cases, clocks, conversations, customers, notes
from recovery.store.conversations import staff_owner
from recovery.store.database import hold
from recovery.store.staff import Staff

pages = Blueprint("staff_by_hand", url_prefix=ROOT)

CHANNELS = {"phone": "电话", "street": "当面", "other": "其他途径"}
"""How a case that is entered by hand may have come, and what staff call it."""
_LONGEST_NAME = 40
_PHONE = re.compile(r"\+?[0-9][0-9 \-]{4,24}")


@dataclass(frozen=True)
class _Told:
    """What a member of staff was told.

    Attributes:
        customer: Id of the customer to be made, derived from the page's id.
        failure: A failure of the trade, None where it is not known.
        order: Number of the order, and whether it is proved; None where none was named.
        phone: To call back, empty where none was given.
    """

    customer: str
    business: str
    channel: str
    name: str
    text: str
    failure: str | None
    order: tuple[str, Matched] | None
    phone: str


@pages.post("/cases")
@allowed(Act.HANDLE)
async def begin(request: Request) -> HTTPResponse:
    """Enter a case by hand; it is the member's own. Sent again it is the same case."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id = client_id_of(body)
    business = business_of(context, who, body.get("business"))
    channel = body.get("channel")
    if not isinstance(channel, str) or channel not in CHANNELS:
        raise PageError(400, "bad_channel", "请选是电话、当面还是其他途径")
    name, text = _name(body.get("name")), _text(body)
    failure = body.get("failure")
    if failure is not None:
        failure = failure_of(context, business, failure)
    phone, pair = _phone(body.get("phone")), order_of(body)
    customer = "u" + fingerprint(f"by hand:{business}:{who.id}:{client_id}")[:24]
    known = await context.storage.read(_known, customer)
    if known is not None:
        return json({"conversation": known, "order": None})
    matched = await match(request, business, *pair) if pair else None
    order = (pair[0], matched) if pair and matched else None
    told = _Told(customer, business, channel, name, text, failure, order, phone)

    async def work() -> str:
        committed, taken = await context.storage.write(_begin, context, who, told, client_id)
        return _publish(request, committed, taken)

    return json({"conversation": await changing(request, to_the_end(work())), "order": matched})


@pages.post("/conversations/<conversation_id:str>/heard")
@allowed(Act.HANDLE)
async def heard(request: Request, conversation_id: str) -> HTTPResponse:
    """Add what the customer says to a case that was entered by hand."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id, text = client_id_of(body), _text(body)

    async def work() -> Taken:
        committed, taken = await context.storage.write(
            _heard, context, conversation_id, who, client_id, text
        )
        _publish(request, committed, taken)
        return taken

    taken = await changing(request, to_the_end(work()))
    return json({"id": taken.message.id, "repeated": taken.repeated})


def _publish(request: Request, committed: Committed, taken: Taken) -> str:
    router = router_of(request)
    router.publish(committed)
    if not taken.repeated:
        # As any message that a person answers: its anger and its dangers are measured.
        router.add(taken.message)
    return taken.conversation.id


def _known(db: Connection, customer: str) -> str | None:
    """The conversation of a case that was entered before."""
    return next((one.id for one in conversations.private_of(db, customer)), None)


def _begin(
    db: Connection, context: Context, who: Staff, told: _Told, client_id: str
) -> tuple[Committed, Taken]:
    """Make customer, case and conversation, and take the first words."""
    hold(db, f"customer {told.customer}")
    require_unchanged(db, who)
    known = _known(db, told.customer)
    if known is not None:
        conversation = ownership.known(db, known, who)
        now = context.clock()
        taken = take_heard(db, context, conversation, client_id, told.text, who.name, now)
        return Committed([]), taken
    now, business = context.clock(), context.business(told.business)
    customer = customers.add(db, told.customer, business.id, told.name, now)
    case_id = "s" + told.customer[1:]
    conversation = conversations.begin(
        db,
        business.id,
        customer.id,
        now,
        case_id=case_id,
        owner=staff_owner(who.id),
        channel=told.channel,
    )
    number, matched = told.order or (None, None)
    commands: list[Command] = [
        OpenCase(
            case_id,
            told.failure or UNKNOWN,
            None if told.failure else safe_keywords(told.text),
            order_number=number if matched == "proved" else None,
            harm=read_harm(told.text),
        )
    ]
    if number and matched != "proved":
        commands.append(Note({"order_number": number}))
    case = None
    for command in commands:
        case = apply(case, command, now)
    if case is not None:
        cases.save(db, case, business.id, customer.id, now)
    for command in commands:
        cases.log(db, case_id, f"w-{who.id}", command, now)
    clocks.person_due(db, conversation, business, now)
    if told.phone:
        notes.add(db, conversation.id, who, "note", f"回电号码：{told.phone}", now)
    taken = take_heard(db, context, conversation, client_id, told.text, who.name, now)
    audit_log.note(
        db,
        who,
        "enter_case",
        now,
        business=business.id,
        target=conversation.id,
        detail={"channel": told.channel, "failure": told.failure, "order": matched},
    )
    changed = (Changed(business.id, conversation.id),)
    return Committed(taken.entries, changed=changed), taken


def _heard(
    db: Connection, context: Context, conversation_id: str, who: Staff, client_id: str, text: str
) -> tuple[Committed, Taken]:
    conversation = ownership.own(db, conversation_id, who)
    if conversation.channel not in CHANNELS:
        raise PageError(409, "not_by_hand", "只有手工建的案子才由同事代记，网上的顾客自己写")
    now = context.clock()
    taken = take_heard(db, context, conversation, client_id, text, who.name, now)
    if taken.repeated:
        return Committed([]), taken
    audit_log.note(
        db,
        who,
        "heard",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"message": taken.message.id},
    )
    changed = (Changed(conversation.business, conversation.id),)
    return Committed(taken.entries, changed=changed), taken


def _name(given: object) -> str:
    if not isinstance(given, str):
        raise PageError(400, "bad_name", "请写怎么称呼顾客")
    try:
        name = " ".join(clean(given[:200]).split())
    except RefusedError as error:
        raise PageError(400, "bad_name", "请写怎么称呼顾客") from error
    if len(name) > _LONGEST_NAME:
        raise PageError(400, "bad_name", f"称呼最多{_LONGEST_NAME}个字")
    return name


def _text(body: dict[str, Any]) -> str:
    text = body.get("text")
    if not isinstance(text, str):
        raise PageError(400, "bad_request", "请写顾客说了什么")
    try:
        return clean(text)
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error


def _phone(given: object) -> str:
    if given in (None, ""):
        return ""
    if not isinstance(given, str) or not _PHONE.fullmatch(given.strip()):
        raise PageError(400, "bad_phone", "回电号码不对")
    return given.strip()
