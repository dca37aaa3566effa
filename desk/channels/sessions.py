"""Who a customer's page speaks for: cookie, host site's signature, invitations, own chats."""

import unicodedata
from datetime import timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import entering
from desk.conversations.ingest import RefusedError, clean
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery import faults
from recovery.business import Business, Room
from recovery.case import Case
from recovery.ids import fingerprint, read_signed
from recovery.privacy import mask
from recovery.store import cases, conversations, customers, invitations, persons
from recovery.store.conversations import Conversation
from recovery.store.customers import NAMELESS, OF_WECHAT, Customer
from recovery.store.database import hold
from recovery.store.wechat import contacts

COOKIE = "huixin_session"
_COOKIE_AGE = 180 * 24 * 3600
_IDENTITY_PURPOSE = "identity"
_NAME_LONGEST = 20
# What only those who serve are called; the traditional forms too.
_OFFICES = (
    *("客服", "官方", "经理", "管理员", "系统", "机器人", "小助手"),
    *("經理", "管理員", "系統", "機器人"),
)

pages = Blueprint("customer_pages", url_prefix="/api")


def context_of(request: Request) -> Context:
    """The desk that a request came to."""
    context: Context = request.app.ctx.desk
    return context


def status_of(request: Request) -> str:
    """`ready` or `warming`."""
    return "ready" if request.app.ctx.router.rasa_ready.is_set() else "warming"


def json_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        PageError: Not a JSON object, or not sent as JSON (which a foreign form cannot do).
    """
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise PageError(400, "bad_request", "请求的格式不对")
    body = request.json
    if not isinstance(body, dict):
        raise PageError(400, "bad_request", "请求的格式不对")
    return body


async def own_conversation(request: Request, conversation_id: str) -> tuple[Conversation, Customer]:
    """A conversation of this session.

    Raises:
        PageError: 404 alike for what does not exist and what is somebody else's.
    """
    token = request.cookies.get(COOKIE)
    found = await context_of(request).storage.read(_own, token, conversation_id) if token else None
    if found is None:
        raise not_found()
    return found


def _own(db: Connection, token: str, conversation_id: str) -> tuple[Conversation, Customer] | None:
    conversation = conversations.load(db, conversation_id)
    if conversation is None:
        return None
    reader = customers.by_session(db, token, conversation.business)
    if reader is None:
        return None
    # What was said under another name of the same person is theirs, and was said by that one.
    customer = customers.load(db, conversation.customer_id)
    return (conversation, customer) if customer.is_same_person(reader) else None


async def own_room(request: Request, room_id: str) -> tuple[Room, Business, Conversation, Customer]:
    """A room, and this session's thread in it.

    Raises:
        PageError: Unknown room, or no session for its business.
    """
    context = context_of(request)
    found = context.directory.room(room_id)
    if found is None:
        raise PageError(404, "no_room", "没有这个房间")
    room, business = found
    token = request.cookies.get(COOKIE)
    own = None
    if token:
        customer, thread = await context.storage.read(_known, token, business.id, room.id)
        if customer and thread:
            own = thread, customer
        elif customer:
            # Only the first visit waits for the writer, and only who has a session.
            own = await context.storage.write(_thread, context, token, business.id, room.id)
            faults.reach("thread-begun")
    if own is None:
        raise PageError(401, "no_session", "请刷新页面重新进入")
    return room, business, *own


def _known(
    db: Connection, token: str, business: str, room: str
) -> tuple[Customer | None, Conversation | None]:
    customer = customers.by_session(db, token, business)
    return customer, conversations.of_room(db, customer.id, room) if customer else None


def _thread(
    db: Connection, context: Context, token: str, business: str, room: str
) -> tuple[Conversation, Customer] | None:
    customer = customers.by_session(db, token, business)
    if customer is None:
        return None
    hold(db, f"customer {customer.id}")
    known = conversations.of_room(db, customer.id, room)
    if known:
        return known, customer
    begun = conversations.begin(db, business, customer.id, context.clock(), room=room)
    return begun, customer


@pages.get("/rooms")
async def rooms(request: Request) -> HTTPResponse:
    """All rooms, and whether the bot is ready."""
    listed = [
        _room(room, business)
        for business in context_of(request).directory
        for room in business.rooms
    ]
    return json({"rooms": listed, "status": status_of(request)})


def _room(room: Room, business: Business) -> dict[str, str]:
    return {
        "id": room.id,
        "name": room.name,
        "business": business.id,
        "industry": business.industry,
        "welcome": room.welcome,
    }


@pages.get("/rooms/<room_id:str>")
async def room(request: Request, room_id: str) -> HTTPResponse:
    """One room and the caller's thread in it."""
    slow_down(request)
    found, business, conversation, _ = await own_room(request, room_id)
    return json(
        {
            "room": _room(found, business),
            "conversation": conversation.id,
            "status": status_of(request),
        }
    )


@pages.post("/session")
async def session(request: Request) -> HTTPResponse:
    """Begin or go on with a session at a business."""
    context, body = context_of(request), json_body(request)
    business = context.directory.business(str(body.get("business") or ""))
    if business is None:
        raise PageError(404, "no_business", "没有这个商家")
    buckets: Buckets = request.app.ctx.session_buckets
    token = request.cookies.get(COOKIE)
    # A cookie that is nobody's session counts as none: secrets are made here, never taken over.
    if token and not await context.storage.read(customers.all_of_session, token):
        token = None
    if not token and not buckets.take(request.remote_addr or request.ip):
        raise PageError(429, "too_fast", "来得太快了，请稍等再试")
    if token:
        slow_down(request)
    external = _identity(context, business, body.get("identity"))
    customer, secret = await context.storage.write(
        customers.begin_session,
        token,
        business.id,
        _name(business, body.get("name")),
        external,
        context.clock(),
    )
    faults.reach("session-begun")
    response = json(
        {"customer": {"id": customer.id, "name": customer.name, "proved": customer.proved}}
    )
    keep_session(context, response, secret)
    return response


def keep_session(context: Context, response: HTTPResponse, secret: str) -> None:
    """Give a browser the secret of its session."""
    response.add_cookie(
        COOKIE,
        secret,
        httponly=True,
        samesite="Lax",
        secure=context.settings.secure_cookies,
        max_age=_COOKIE_AGE,
        path="/",
    )


def slow_down(request: Request) -> None:
    """Let one browser ask only as fast as it may write; its messages are counted apart.

    Raises:
        PageError: Too fast.
    """
    cookie = request.cookies.get(COOKIE)
    buckets: Buckets = request.app.ctx.page_buckets
    if cookie and not buckets.take(fingerprint(cookie)):
        raise PageError(429, "too_fast", "操作太快了，请稍等再试")


def _name(business: Business, given: object) -> str:
    """A name fit for everybody's eyes: a room shows it, so it is masked like a post."""
    if not isinstance(given, str) or not given.strip():
        return ""
    try:
        name = " ".join(clean(given[:200]).split())
    except RefusedError:
        return ""
    if _poses(name, business):
        return NAMELESS
    return mask(name).text[:_NAME_LONGEST]


def fit_name(business: Business, given: object) -> str:
    """A name that comes by another channel, fit for everybody's eyes; empty where none is left."""
    return _name(business, given)


def _poses(name: str, business: Business) -> bool:
    """Whether a customer of this name could be taken for somebody of the business."""
    told = _bare(name)
    return any(_bare(word) in told for word in (business.name, business.assistant, *_OFFICES))


def _bare(name: str) -> str:
    """What the eye reads: no spaces and signs between, no width, no case."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN")


def _identity(context: Context, business: Business, given: object) -> str | None:
    """The customer's id at the host site, if the site has signed it and it is still fresh.

    Raises:
        PageError: A signature was given and is wrong; going on as a stranger would surprise.
    """
    if given is None:
        return None
    content = (
        read_signed(
            given, context.secrets.identity_keys[business.id], _IDENTITY_PURPOSE, context.clock()
        )
        if isinstance(given, str)
        else None
    )
    customer = content.get("customer") if content else None
    fresh = content is not None and "exp" in content and content.get("business") == business.id
    named = isinstance(customer, str) and 0 < len(customer) <= 128
    if not fresh or not named or str(customer).startswith(OF_WECHAT):
        raise PageError(403, "bad_identity", "登录信息无效或已过期，请从原来的页面重新进入")
    return str(customer)


# --- invitations --------------------------------------------------------------------------


async def invited(request: Request, token: str) -> tuple[invitations.Invitation, dict[str, Any]]:
    """An invitation of this session's customer, and what its page shows.

    Raises:
        PageError: 404 alike for nonsense and what is somebody else's.
    """
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    found = await context.storage.read(_find_invitation, context, cookie, token) if cookie else None
    if found is None:
        raise not_found()
    return found


def _find_invitation(
    db: Connection, context: Context, cookie: str, token: str
) -> tuple[invitations.Invitation, dict[str, Any]] | None:
    mine = {customer.id for customer in customers.all_of_session(db, cookie)}
    now = context.clock()
    invitation = invitations.find(db, token, mine, context.secrets.signing_key, now)
    public = conversations.load(db, invitation.public_conversation) if invitation else None
    if invitation is None or public is None:
        return None
    case = cases.load(db, public.case_id)
    shown = {
        "matter": case.matter if case and case.has_matter else "",
        "business": context.business(public.business).name,
        "state": invitation.state(now),
        "wechat": wechat_of(db, context, public.business, invitation.private_conversation),
    }
    return invitation, shown


@pages.get("/invitations/<token:str>")
async def invitation(request: Request, token: str) -> HTTPResponse:
    """What an invitation leads to, for the one invited."""
    _, shown = await invited(request, token)
    return json(shown)


@pages.post("/invitations/<token:str>")
async def enter(request: Request, token: str) -> HTTPResponse:
    """Go from public into private."""
    context = context_of(request)
    found, shown = await invited(request, token)
    if shown["state"] == "expired":
        raise PageError(410, "expired", "这个入口已经过期，请重新获取")
    private = await to_the_end(_entered(context, request.app.ctx.router, found))
    return json({"conversation": private.id})


async def _entered(context: Context, router: Router, found: invitations.Invitation) -> Conversation:
    private, message, committed = await context.storage.write(
        entering.enter, context, found, context.clock()
    )
    faults.reach("entered-stored")
    router.publish(committed)
    if message:
        router.add(message)
    return private


@pages.post("/invitations/<token:str>/renew")
async def renew(request: Request, token: str) -> HTTPResponse:
    """A fresh invitation in place of an expired one, for the one invited."""
    context = context_of(request)
    found, shown = await invited(request, token)
    slow_down(request)
    if shown["state"] != "expired":
        raise PageError(409, "still_valid", "这份邀请还有效，直接进入就可以")
    fresh = await context.storage.write(_renew, context, found)
    faults.reach("invitation-renewed")
    return json({"token": fresh})


def _renew(db: Connection, context: Context, found: invitations.Invitation) -> str:
    public = conversations.load(db, found.public_conversation, lock=True)
    if public is None:
        raise LookupError(found.public_conversation)
    minutes = context.business(public.business).invitation_minutes
    token, _ = invitations.issue(
        db, public, timedelta(minutes=minutes), context.secrets.signing_key, context.clock()
    )
    return token


# --- own private chats --------------------------------------------------------------------


@pages.get("/conversations/<conversation_id:str>")
async def conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """One of the session's private chats."""
    context = context_of(request)
    found, _ = await own_conversation(request, conversation_id)
    if not found.private:
        raise not_found()
    case, wechat = await context.storage.read(_about, context, found)
    business = context.business(found.business)
    return json(
        {
            "business": business.name,
            "business_id": business.id,
            "agent": business.assistant,
            "status": status_of(request),
            "matter": case.matter if case and case.has_matter else "",
            "wechat": wechat,
        }
    )


def _about(
    db: Connection, context: Context, found: Conversation
) -> tuple[Case | None, dict[str, Any] | None]:
    return cases.load(db, found.case_id), wechat_of(db, context, found.business, found.id)


def wechat_of(
    db: Connection, context: Context, business: str, private: str | None
) -> dict[str, Any] | None:
    """How a page's customer can go on in WeChat.

    Args:
        db: A transaction.
        context: The desk.
        business: Where.
        private: Their private conversation, if there is one.

    Returns:
        Name of the account, and whether the conversation is read there already; None where the
        business has no account that makes QR codes.
    """
    account = context.wechat.of(business)
    if account is None:
        return None
    joined = private is not None and contacts.of_conversation(db, private) is not None
    return {"name": account.settings.name, "joined": joined}


@pages.get("/my/conversations")
async def my_conversations(request: Request) -> HTTPResponse:
    """All private chats of the session."""
    context = context_of(request)
    token = request.cookies.get(COOKIE)
    listed = await context.storage.read(_mine, context, token) if token else []
    return json({"conversations": listed})


def _mine(db: Connection, context: Context, token: str) -> list[dict[str, Any]]:
    """One row a case, under whatever names this person has talked of it."""
    listed: dict[str, dict[str, Any]] = {}
    for customer in customers.all_of_session(db, token):
        theirs = [
            one
            for identity in persons.customers_of(db, customer.person)
            for one in conversations.private_of(db, identity)
        ]
        for one in sorted(theirs, key=lambda found: found.last_at, reverse=True):
            row = listed.get(one.case_id or one.id)
            if row is not None:
                row["also"].append(one.id)
                continue
            case = cases.load(db, one.case_id)
            listed[one.case_id or one.id] = {
                "id": one.id,
                "business": context.business(one.business).name,
                "matter": case.matter if case and case.has_matter else "",
                "open": case is None or case.stage != "closed",
                "channel": one.channel,
                "last_at": one.last_at,
                "also": [],
            }
    return list(listed.values())
