"""The staff page of incidents: who may look, join, tell all, close."""

from collections.abc import Awaitable, Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import RefusedError, clean
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.incidents import changing as incident_changes
from desk.incidents import showing, together
from desk.staff.changes import changing
from desk.staff.matters import business_of, failure_of
from desk.staff.offers import client_id_of, reason_of
from desk.staff.session import ROOT, allowed
from recovery.coach.warnings import Situation, warnings
from recovery.failures import UNKNOWN
from recovery.incidents.wording import LONGEST_WORDS, filled
from recovery.remedy.wishes import BadWishError, read_wishes
from recovery.roles import Act
from recovery.store import incidents
from recovery.store.staff import Staff

pages = Blueprint("staff_incidents", url_prefix=f"{ROOT}/incidents")

_WHICH = ("living", "single", "closed")


@pages.get("")
@allowed(Act.HANDLE)
async def all_of_them(request: Request) -> HTTPResponse:
    """The list; with a conversation, also those that its case belongs to."""
    context, who = context_of(request), request.ctx.staff
    which = request.args.get("state", "living")
    if which not in _WHICH:
        raise PageError(400, "bad_request", "请求的格式不对")
    conversation = request.args.get("conversation")
    found = await context.storage.read(showing.listed, context, who, which, conversation)
    if found is None:
        raise not_found()
    return json(found)


@pages.post("")
@allowed(Act.HANDLE)
async def begin(request: Request) -> HTTPResponse:
    """Open one by hand; what an agent opens is a proposal to supervisors."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id = client_id_of(body)
    business = context.business(business_of(context, who, body.get("business")))
    failure = body.get("failure")
    failure = UNKNOWN if failure in (None, "") else failure_of(context, business.id, failure)
    title = _words(body, "title", incident_changes.LONGEST_TITLE)
    conversation = body.get("conversation")
    if conversation is not None and not isinstance(conversation, str):
        raise PageError(400, "bad_request", "请求的格式不对")

    def work(db: Connection) -> str:
        return incident_changes.open_by_staff(
            db, context, who, client_id, business, failure, title, conversation
        )

    return json({"incident": await _written(request, work)})


@pages.get("/<incident_id:str>")
@allowed(Act.HANDLE)
async def one(request: Request, incident_id: str) -> HTTPResponse:
    """All of one incident."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(showing.detail, context, who, incident_id)
    if found is None:
        raise not_found()
    return json(found)


@pages.post("/<incident_id:str>/members")
@allowed(Act.HANDLE)
async def join(request: Request, incident_id: str) -> HTTPResponse:
    """Let a conversation's case belong to it."""
    context, who = context_of(request), request.ctx.staff
    conversation = json_body(request).get("conversation")
    if not isinstance(conversation, str):
        raise PageError(400, "bad_request", "请求的格式不对")

    def work(db: Connection) -> int:
        return incident_changes.join(db, context, who, incident_id, conversation)

    return json({"member": await _written(request, work)})


@pages.delete("/<incident_id:str>/members/<member_id:int>")
@allowed(Act.HANDLE)
async def leave(request: Request, incident_id: str, member_id: int) -> HTTPResponse:
    """Take a case out of it."""
    return await _done(request, incident_changes.leave, incident_id, member_id)


@pages.post("/<incident_id:str>/members/<member_id:int>/accept")
@allowed(Act.HANDLE)
async def accept(request: Request, incident_id: str, member_id: int) -> HTTPResponse:
    """Take a case in that the bot has proposed."""
    return await _done(request, incident_changes.accept_member, incident_id, member_id)


@pages.post("/<incident_id:str>/confirm")
@allowed(Act.OVERSEE)
async def confirm(request: Request, incident_id: str) -> HTTPResponse:
    """Say that what was proposed is one incident."""
    return await _done(request, incident_changes.confirm, incident_id)


@pages.post("/<incident_id:str>/dismiss")
@allowed(Act.OVERSEE)
async def dismiss(request: Request, incident_id: str) -> HTTPResponse:
    """Say that what was proposed is none."""
    return await _done(request, incident_changes.dismiss, incident_id)


@pages.post("/<incident_id:str>/close")
@allowed(Act.OVERSEE)
async def close(request: Request, incident_id: str) -> HTTPResponse:
    """Close it."""
    return await _done(request, incident_changes.close, incident_id)


@pages.post("/<incident_id:str>/preview")
@allowed(Act.OVERSEE)
async def preview(request: Request, incident_id: str) -> HTTPResponse:
    """How customers would read a text, and what to mind before it goes out."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    text = _text(body)
    together.check_words(text)
    found = await context.storage.read(_previewed, context, who, incident_id, text)
    if found is None:
        raise not_found()
    return json({**found, "warnings": [vars(one) for one in warnings(text, Situation())]})


@pages.post("/<incident_id:str>/tell")
@allowed(Act.OVERSEE)
async def tell(request: Request, incident_id: str) -> HTTPResponse:
    """Send one text to all; with something to mind only when it was seen."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id, text, urgent = client_id_of(body), _text(body), _flag(body, "urgent")
    together.check_words(text)
    found = [] if _flag(body, "seen") else warnings(text, Situation())
    if found:
        error = {"code": "warned", "message": "发送前请再看一眼标出的话"}
        return json({"error": error, "warnings": [vars(one) for one in found]}, status=409)

    def work(db: Connection) -> together.Told:
        return together.tell_all(db, context, who, incident_id, client_id, text, urgent=urgent)

    return _told(await _written(request, work))


@pages.post("/<incident_id:str>/remedies")
@allowed(Act.OVERSEE)
async def remedies(request: Request, incident_id: str) -> HTTPResponse:
    """Decide what all are offered: what the policy gives, or something else with a reason."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id, reason, urgent = client_id_of(body), reason_of(body), _flag(body, "urgent")
    wishes = body.get("remedies")
    if wishes is not None:
        if not reason:
            raise PageError(400, "no_reason", "和政策给的不一样，请写明理由")
        await context.storage.read(_checked, context, who, incident_id, wishes)

    def work(db: Connection) -> together.Told:
        return together.offer_all(
            db, context, who, incident_id, client_id, wishes, reason, urgent=urgent
        )

    return _told(await _written(request, work))


def _checked(
    db: Connection, context: Context, who: Staff, incident_id: str, wishes: object
) -> None:
    """See whether what a page wishes for all can be given by anybody.

    Raises:
        PageError: It cannot; or there is no such incident.
    """
    incident = incidents.load(db, incident_id)
    business = context.directory.business(incident.business) if incident else None
    if incident is None or business is None or not who.sees(incident.business):
        raise not_found()
    today = context.clock().astimezone(business.zone).date()
    try:
        read_wishes(wishes, context.policy.on(business.industry, today))
    except BadWishError as error:
        raise PageError(400, error.code, error.sentence) from error


def _previewed(
    db: Connection, context: Context, who: Staff, incident_id: str, text: str
) -> dict[str, Any] | None:
    shown = showing.detail(db, context, who, incident_id)
    if shown is None:
        return None
    members = [one for one in shown["members_list"] if one["state"] in incidents.IN]
    examples = [
        filled(text, name=one["customer"], order=one["order"], matter=shown["title"])
        for one in members[:3]
    ] or [filled(text, name="", order="", matter=shown["title"])]
    return {
        "examples": list(dict.fromkeys(examples)),
        "to": sum(one["conversation"] is not None and one["private"] for one in members),
        "of": len(members),
        "quiet_until": shown["quiet_until"],
    }


async def _done(
    request: Request, change: Callable[..., None], incident_id: str, *more: int
) -> HTTPResponse:
    context, who = context_of(request), request.ctx.staff

    def work(db: Connection) -> None:
        change(db, context, who, incident_id, *more)

    await _written(request, work)
    return empty()


async def _written(request: Request, work: Callable[[Connection], Any]) -> Any:  # noqa: ANN401
    storage = context_of(request).storage
    done: Awaitable[Any] = to_the_end(storage.write(work))
    return await changing(request, done)


def _told(told: together.Told) -> HTTPResponse:
    return json(
        {
            "message": told.message,
            "to": told.to,
            "due": told.due.isoformat(),
            "waits": told.waits,
        }
    )


def _flag(body: dict[str, Any], name: str) -> bool:
    given = body.get(name, False)
    if not isinstance(given, bool):
        raise PageError(400, "bad_request", "请求的格式不对")
    return given


def _text(body: dict[str, Any]) -> str:
    return _words(body, "text", 2 * LONGEST_WORDS)


def _words(body: dict[str, Any], name: str, most: int) -> str:
    given = body.get(name)
    if not isinstance(given, str) or len(given) > most:
        raise PageError(400, "bad_text", f"最多写{most}个字")
    try:
        return clean(given)
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error
