"""Conversations on the staff page: lists, read, take, answer, hand on, put aside, give back."""

from datetime import datetime, timedelta
from typing import Any, get_args

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from desk.channels import pictures
from desk.channels.sessions import context_of, json_body
from desk.conversations import ownership, passing
from desk.conversations.closing import StillOpenError
from desk.conversations.ingest import RefusedError, clean, is_client_id
from desk.conversations.passing import NoColleagueError
from desk.conversations.veil import Veil
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.hub import staff_topic
from desk.staff import coach, detail, lists, remedy_view
from desk.staff.changes import advisor_of, audience_of, changing, router_of
from desk.staff.facts import read_facts
from desk.staff.look import look_at
from desk.staff.masking import masked_detail, sees_whole
from desk.staff.session import ROOT, allowed
from recovery import faults
from recovery.case import BadStageError, Stage
from recovery.queue.people import OFFLINE, ONLINE
from recovery.roles import Act
from recovery.store.conversations import QUEUE, staff_owner
from recovery.store.database import stamp

_LONGEST_NOTE = 500
_LONGEST_SNOOZE = timedelta(days=31)
_STAGES = get_args(Stage)
_NO_COLLEAGUE = {
    "unknown": ("bad_colleague", "没有这位同事，或他不处理这个商家的会话"),
    "offline": ("offline", "{name}不在线，请转给别人或放回队列"),
    "full": ("full", "{name}手上的会话已经满了，请转给别人或放回队列"),
}

pages = Blueprint("staff_conversations", url_prefix=ROOT)


@pages.get("/conversations")
@allowed(Act.READ)
async def all_conversations(request: Request) -> HTTPResponse:
    """The lists, the angriest first."""
    context = context_of(request)
    return json(await context.storage.read_at_length(lists.all_lists, context, request.ctx.staff))


@pages.get("/conversations/<conversation_id:str>")
@allowed(Act.READ)
async def one_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """One conversation with its case, public and private part."""
    context, who = context_of(request), request.ctx.staff
    shown = await context.storage.read(detail.whole_conversation, context, conversation_id, who)
    if shown is None:
        raise not_found()
    row, seen, sight = shown["conversation"], shown.pop("seen_up_to"), shown.pop("sight")
    if row["owner"] == staff_owner(who.id) and row["unread"]:
        await context.storage.write(detail.note_seen, conversation_id, who, seen)
        context.hub.changed(row["business_id"], conversation_id, seen_only=True)
    if shown["case"]:
        advisor, business = advisor_of(request), context.directory.business(row["business_id"])
        shown["case"] |= await advisor.advice(conversation_id)
        may_offer = remedy_view.may_offer(business, who.role, shown["case"]["advice"])
        shown["case"]["may_offer"] = may_offer
        bought = await advisor.order(conversation_id)
        shown["order"] = remedy_view.order_shown(bought, row["industry"]) if bought else None
    shown["looking"] = audience_of(request).looking(conversation_id, who.id)
    order_number = shown["case"]["order_number"] if shown["case"] else None
    veil = Veil(row["customer"], order_number)
    return json(masked_detail(shown, veil, sight, row=sees_whole(who, row["owner"])))


@pages.get("/conversations/<conversation_id:str>/pictures/<picture_id:str>")
@allowed(Act.READ)
async def picture(request: Request, conversation_id: str, picture_id: str) -> HTTPResponse:
    """A picture that a customer sent, for who may see the conversation."""
    context, who = context_of(request), request.ctx.staff
    look = await context.storage.read(look_at, context, conversation_id, who)
    found = await pictures.find(request, look.conversation, picture_id) if look else None
    if look is None or found is None:
        raise not_found()
    # It is shown in its own part, whichever of the two was opened.
    part = next((one for one in look.parts if one.id == found.conversation_id), None)
    if part is None or not look.sight.of(part):
        raise not_found()
    return await pictures.served(request, found)


@pages.post("/conversations/<conversation_id:str>/take")
@allowed(Act.HANDLE)
async def take(request: Request, conversation_id: str) -> HTTPResponse:
    """Take a conversation over."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            ownership.take, context, conversation_id, who, context.clock()
        )
        faults.reach("staff-took")
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    if who.presence == OFFLINE:
        context.hub.signal(staff_topic(who.id), {"type": "presence", "presence": ONLINE})
    return json({"owner": staff_owner(who.id)})


@pages.post("/conversations/<conversation_id:str>/answer")
@allowed(Act.HANDLE)
async def answer(request: Request, conversation_id: str) -> HTTPResponse:
    """Say something as the owner."""
    context, body = context_of(request), json_body(request)
    client_id, text = body.get("id"), body.get("text")
    if not isinstance(client_id, str) or not isinstance(text, str) or not is_client_id(client_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    try:
        # Before anybody reads it: a text without end would be read for seconds.
        clean(text)
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error
    who, router = request.ctx.staff, router_of(request)
    if body.get("confirmed") is not True:
        objection = await coach.warned(request, conversation_id, client_id, text)
        if objection:
            return objection

    async def work() -> tuple[str, bool]:
        committed, conversation, message_id = await context.storage.write(
            ownership.answer, context, conversation_id, who, client_id, text, context.clock()
        )
        faults.reach("staff-answered")
        router.publish(committed)
        # Also when it was said before: the bot may not have heard it then, and hears it once.
        router.spawn(router.staff_said(conversation, message_id, text))
        return message_id, not committed.entries

    message_id, repeated = await changing(request, to_the_end(work()))
    return json({"id": message_id, "repeated": repeated})


@pages.post("/conversations/<conversation_id:str>/facts")
@allowed(Act.HANDLE)
async def set_facts(request: Request, conversation_id: str) -> HTTPResponse:
    """Set what only staff may judge; answers with the facts and what the policy makes of them."""
    context, who = context_of(request), request.ctx.staff
    given = read_facts(json_body(request))

    async def work() -> None:
        committed = await context.storage.write(
            ownership.note_facts, conversation_id, who, given, context.clock()
        )
        router_of(request).publish(committed)

    try:
        await changing(request, to_the_end(work()))
    except ownership.NoCaseError as error:
        raise PageError(409, "no_case", "这段会话还没有案子，没有可以记的") from error
    facts = await context.storage.read(detail.facts_of, conversation_id)
    return json({"facts": facts, **await advisor_of(request).advice(conversation_id)})


@pages.post("/conversations/<conversation_id:str>/give_back")
@allowed(Act.HANDLE)
async def give_back(request: Request, conversation_id: str) -> HTTPResponse:
    """Give a conversation back to the bot, with a note and where it goes on."""
    context, body, who = context_of(request), json_body(request), request.ctx.staff
    note, at = _text(body, "note", _LONGEST_NOTE), body.get("at")
    now, force = context.clock(), _flag(body, "force")
    if at is not None and at not in _STAGES:
        raise PageError(400, "bad_stage", "没有这样的阶段")

    async def work() -> None:
        committed = await context.storage.write(
            ownership.give_back, context, conversation_id, who, note, now, at, force=force
        )
        faults.reach("staff-gave-back")
        router_of(request).publish(committed)

    try:
        await changing(request, to_the_end(work()))
    except BadStageError as error:
        raise PageError(400, "bad_stage", "案子现在不能从这一步接着办") from error
    except StillOpenError as error:
        sentence = "还有申请在等经理批复；仍要交还请再次确认，申请会撤回"
        raise PageError(409, f"{error.what}_open", sentence) from error
    return json({"owner": "bot"})


@pages.post("/conversations/<conversation_id:str>/transfer")
@allowed(Act.HANDLE)
async def transfer(request: Request, conversation_id: str) -> HTTPResponse:
    """Hand a conversation to a colleague, or back into the queue."""
    context, body, who = context_of(request), json_body(request), request.ctx.staff
    to, memo = body.get("to"), _text(body, "memo", _LONGEST_NOTE)
    if to != QUEUE and type(to) is not int:
        raise PageError(400, "bad_request", "请选择转给哪位同事")
    if not memo:
        raise PageError(400, "no_memo", "请写明前因后果，接手的同事才不用再问一遍")
    receiver = None if to == QUEUE else to

    async def work() -> None:
        committed = await context.storage.write(
            passing.hand_on, context, conversation_id, who, receiver, memo, context.clock()
        )
        faults.reach("staff-handed-on")
        router_of(request).publish(committed)

    try:
        await changing(request, to_the_end(work()))
    except NoColleagueError as error:
        code, sentence = _NO_COLLEAGUE[error.why]
        status = 400 if error.why == "unknown" else 409
        raise PageError(status, code, sentence.format(name=error.name)) from error
    return json({"owner": QUEUE if receiver is None else staff_owner(receiver)})


@pages.post("/conversations/<conversation_id:str>/step_in")
@allowed(Act.OVERSEE)
async def step_in(request: Request, conversation_id: str) -> HTTPResponse:
    """Take a conversation from whoever has it, a colleague included."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            passing.step_in, context, conversation_id, who, context.clock()
        )
        faults.reach("staff-stepped-in")
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json({"owner": staff_owner(who.id)})


@pages.post("/conversations/<conversation_id:str>/snooze")
@allowed(Act.HANDLE)
async def snooze(request: Request, conversation_id: str) -> HTTPResponse:
    """Put one's own conversation aside, or take it up again."""
    context, body, who = context_of(request), json_body(request), request.ctx.staff
    note, now = _text(body, "note", _LONGEST_NOTE), context.clock()
    until, force = _moment(body.get("until"), now), _flag(body, "force")

    async def work() -> None:
        committed = await context.storage.write(
            passing.snooze, context, conversation_id, who, until, note, now, force=force
        )
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json({"snoozed_until": stamp(until) if until else None})


def _moment(given: object, now: datetime) -> datetime | None:
    """A moment ahead, within a month; None for none.

    Raises:
        PageError: It is something else.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not now < moment <= now + _LONGEST_SNOOZE:
        raise PageError(400, "bad_time", "请选择一个将来的时间，最长一个月")
    return moment


def _flag(body: dict[str, Any], name: str) -> bool:
    """Whether something is meant on purpose.

    Raises:
        PageError: It is neither yes nor no.
    """
    given = body.get(name, False)
    if not isinstance(given, bool):
        raise PageError(400, "bad_request", "请求的格式不对")
    return given


def _text(body: dict[str, Any], name: str, most: int) -> str:
    """A text that may be left out, made fit for storing.

    Raises:
        PageError: It is no text, or too long.
    """
    given = body.get(name)
    if given is None or given == "":
        return ""
    if not isinstance(given, str):
        raise PageError(400, "bad_request", "请求的格式不对")
    try:
        words = clean(given)
    except RefusedError as error:
        if error.code == "empty":
            return ""
        raise PageError(400, error.code, error.sentence) from error
    if len(words) > most:
        raise PageError(400, "too_long", f"最多{most}个字")
    return words
