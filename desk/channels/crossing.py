"""Customers' pages going over into WeChat, and coming back from there."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels import joining
from desk.channels.sessions import (
    COOKIE,
    context_of,
    invited,
    json_body,
    keep_session,
    own_conversation,
    slow_down,
)
from desk.channels.webhook import links
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.scenes import invite
from desk.context import Context
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery import faults
from recovery.logs import log
from recovery.store import conversations, customers, invitations
from recovery.store.conversations import Conversation
from recovery.store.customers import Customer
from recovery.store.wechat import scenes
from recovery.store.wechat.scenes import Scene

CODES_BURST = 5
CODES_PER_SECOND = 1 / 30
"""WeChat makes a code for each: enough for who loses their way, nothing for who plays with it."""

pages = Blueprint("crossing_pages", url_prefix="/api")


@pages.post("/invitations/<token:str>/wechat")
async def code_of_invitation(request: Request, token: str) -> HTTPResponse:
    """A QR code by which the one invited enters in WeChat."""
    found, shown = await invited(request, token)
    if shown["state"] == "expired":
        raise PageError(410, "expired", "这个入口已经过期，请重新获取")
    context = context_of(request)
    public = await context.storage.read(conversations.load, found.public_conversation)
    if public is None:
        raise not_found()
    return await _code(request, public, found.id)


@pages.post("/conversations/<conversation_id:str>/wechat")
async def code_of_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """A QR code by which an own private chat goes on in WeChat."""
    found, _ = await own_conversation(request, conversation_id)
    if not found.private:
        raise not_found()
    return await _code(request, found, None)


async def _code(
    request: Request, conversation: Conversation, invitation_id: str | None
) -> HTTPResponse:
    context = context_of(request)
    account = context.wechat.of(conversation.business)
    if account is None:
        raise PageError(409, "no_wechat", "这里不能转到微信，在网页上直接说就好")
    slow_down(request)
    buckets: Buckets = request.app.ctx.code_buckets
    if not buckets.take(conversation.customer_id):
        raise PageError(429, "too_fast", "二维码要得太频繁了，请稍等半分钟再试")
    try:
        code = await invite(request.app.ctx.wechat, account, conversation, invitation_id)
    except (WeChatError, NotReachedError, OutcomeUnknownError) as error:
        number = getattr(error, "code", None)
        log.warning("no qr code", account=account.id, kind=type(error).__name__, errcode=number)
        sentence = "微信那边暂时给不了二维码，过一会儿再试；在网页上接着谈也完全一样"
        raise PageError(503, "wechat_away", sentence) from error
    return json(asdict(code))


@pages.get("/crossings/<scene_id:str>")
async def crossing(request: Request, scene_id: str) -> HTTPResponse:
    """What became of an own QR code."""
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    found = (
        await context.storage.read(_became, cookie, scene_id, context.clock()) if cookie else None
    )
    if found is None:
        raise not_found()
    return json(found)


def _became(db: Connection, cookie: str, scene_id: str, now: datetime) -> dict[str, Any] | None:
    scene = scenes.load(db, "scan", scene_id)
    if scene is None or not _is_theirs(db, cookie, scene):
        return None
    led_to = None
    if scene.used_at:
        led_to = (
            invitations.load(db, scene.invitation_id).private_conversation
            if scene.invitation_id
            else scene.conversation_id
        )
    return {"state": scene.state(now), "conversation": led_to}


def _is_theirs(db: Connection, cookie: str | None, scene: Scene) -> bool:
    mine = customers.all_of_session(db, cookie) if cookie else []
    return any(one.id == scene.customer_id for one in mine)


# --- links from WeChat --------------------------------------------------------------------


@pages.get("/wechat-links/<secret:str>")
async def look_at_link(request: Request, secret: str) -> HTTPResponse:
    """What a link opens. Looking does not use it up: WeChat itself looks at what is sent."""
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    found = await context.storage.read(_shown, context, cookie, secret)
    if found is None:
        found = await context.storage.read(links.shown, context, cookie, secret)
    if found is None:
        raise not_found()
    return json(found)


def _shown(
    db: Connection, context: Context, cookie: str | None, secret: str
) -> dict[str, Any] | None:
    scene = scenes.find(db, "link", secret)
    conversation = conversations.load(db, scene.conversation_id) if scene else None
    if scene is None or conversation is None:
        return None
    business = context.directory.business(conversation.business)
    if business is None:
        return None
    if _is_theirs(db, cookie, scene):
        # Opened again where it was opened: the chat is theirs, whatever the link is worth.
        return {"business": business.name, "conversation": conversation.id}
    if scene.state(context.clock()) != "open":
        return None
    shown: dict[str, Any] = {"business": business.name, "conversation": None}
    other = _other(db, cookie, scene)
    if other is not None and conversations.private_of(db, other.id):
        # Something was said in this browser before that may be joined to it.
        shown["other"] = True
    return shown


def _other(db: Connection, cookie: str | None, scene: Scene) -> Customer | None:
    """Who this browser speaks for at the business of a link, if not for the same person."""
    theirs = customers.load(db, scene.customer_id)
    here = customers.by_session(db, cookie, theirs.business) if cookie else None
    return here if here and not here.is_same_person(theirs) else None


@pages.post("/wechat-links/<secret:str>")
async def open_link(request: Request, secret: str) -> HTTPResponse:
    """Let this browser be the customer who asked for the link."""
    # Only what is sent as JSON: a form on a foreign page cannot make a browser somebody else.
    same = json_body(request).get("join") is True
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    slow_down(request)
    shown = await context.storage.read(_shown, context, cookie, secret)
    if shown is None:
        return await _open_invitation(request, secret, same=same)
    if shown["conversation"]:
        return json({"conversation": shown["conversation"]})
    opened = await context.storage.write(_open, cookie, secret, same, context.clock())
    if opened is None:
        raise not_found()
    faults.reach("wechat-link-opened")
    conversation_id, fresh = opened
    response = json({"conversation": conversation_id})
    keep_session(context, response, fresh)
    return response


async def _open_invitation(request: Request, secret: str, *, same: bool) -> HTTPResponse:
    """The same for a link that was sent to who posted at another source."""
    context, cookie = context_of(request), request.cookies.get(COOKIE)
    known = await context.storage.read(links.shown, context, cookie, secret)
    if known is not None and known["conversation"]:
        return json({"conversation": known["conversation"]})
    return await to_the_end(_open_for(request, context, cookie, secret, same=same))


async def _open_for(
    request: Request, context: Context, cookie: str | None, secret: str, *, same: bool
) -> HTTPResponse:
    now = context.clock()
    opened = await context.storage.write(links.open_link, context, cookie, secret, now, same=same)
    if opened is None:
        raise not_found()
    router = request.app.ctx.router
    router.publish(opened.committed)
    if opened.message:
        router.add(opened.message)
    response = json({"conversation": opened.conversation_id})
    keep_session(context, response, opened.session)
    return response


def _open(
    db: Connection, cookie: str | None, secret: str, same: bool, now: datetime
) -> tuple[str, str] | None:
    scene = scenes.find(db, "link", secret)
    if scene is None or not scenes.use(db, scene, None, now):
        return None
    other = _other(db, cookie, scene)
    if same and other is not None:
        # They say so themselves: a link may have come from anybody.
        joining.join(db, other.id, scene.customer_id, "link", f"customer:{other.id}", now)
    _, fresh = customers.adopt(db, cookie, scene.customer_id, now)
    return scene.conversation_id, fresh
