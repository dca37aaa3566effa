"""Who of staff is logged in, what they may do, login and logout."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import wraps
from hmac import compare_digest
from typing import Any, TypeGuard
from urllib.parse import unquote

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from recovery.ids import fingerprint
from recovery.queue.people import OFFLINE
from recovery.roles import Act, acts_of, may
from recovery.store import audit_log, presence, staff
from recovery.store.staff import Attempt, SecondStep, Staff

COOKIE = "huixin_staff"
ROOT = "/api/staff"
PASSWORD_LONGEST = 200
CODE_LONGEST = 40
# The largest number that the database keeps.
LARGEST_NUMBER = 2**31 - 1
_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,100}")
_LOGIN_LONGEST = 80
_ADDRESS_LONGEST = 64

pages = Blueprint("staff_session", url_prefix=ROOT)

Handler = Callable[..., Awaitable[HTTPResponse]]
Decorator = Callable[[Handler], Handler]


async def who_is(request: Request) -> tuple[Staff, str]:
    """Who is logged in, with the CSRF token of the session.

    Raises:
        PageError: Nobody.
    """
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    now = context.clock()
    found = await context.storage.read(staff.by_session, cookie, now) if cookie else None
    if found is None or not cookie:
        raise PageError(401, "not_logged_in", "请先登录")
    if staff.is_stale(found, now):
        await context.storage.write(staff.mark_used, cookie, now)
    return found.staff, found.csrf


async def who_works(request: Request) -> Staff:
    """Who is logged in and may do more than change the password that an admin has set.

    Raises:
        PageError: Nobody, or the password is to be changed first.
    """
    who, _ = await who_is(request)
    _require_own_password(who)
    return who


def _require_own_password(who: Staff) -> None:
    if who.must_change:
        raise PageError(403, "must_change", "请先换一个自己的密码")


def is_id(value: object) -> TypeGuard[str]:
    """Whether something can be the id of anything: the database is not asked for the rest."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_number(value: object) -> TypeGuard[int]:
    """Whether something can be the number of a row."""
    return type(value) is int and 0 < value <= LARGEST_NUMBER


def _names_something(value: object) -> bool:
    """Whether what stands in a path can name anything, as it is meant: a colon may be escaped."""
    if isinstance(value, int):
        return is_number(value)
    return isinstance(value, str) and is_id(unquote(value))


def allowed(act: Act | None = None, *, before_change: bool = False) -> Decorator:
    """Let members of staff through who may do this; a change also needs the CSRF token.

    Args:
        act: What the role must allow; None for whoever is logged in.
        before_change: Also while the password is still the one that an admin has set.
    """

    def guard(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: Request, **values: str | int) -> HTTPResponse:
            who, csrf = await who_is(request)
            if request.method not in ("GET", "HEAD"):
                given = request.headers.get("x-csrf", "")
                if not compare_digest(given.encode(errors="surrogatepass"), csrf.encode()):
                    raise PageError(403, "csrf", "页面已过期，请刷新后再试")
            if not before_change:
                _require_own_password(who)
            if act is not None and not may(who.role, act):
                raise PageError(403, "forbidden", "您的账号没有这项权限")
            if not all(_names_something(one) for one in values.values()):
                raise not_found()
            request.ctx.staff = who
            return await handler(request, **values)

        return guarded

    return guard


@pages.post("/login")
async def login(request: Request) -> HTTPResponse:
    """Log in. One sentence for every cause, so that nothing can be learned from it."""
    context, body = context_of(request), json_body(request)
    name, password, code = body.get("login"), body.get("password"), body.get("code")
    if not request.app.ctx.login_buckets.take(address_of(request)):
        raise PageError(429, "too_fast", "试得太快了，请稍等再试")
    found = None
    typed = code if plausible(code, CODE_LONGEST) and code else None
    if plausible(name, _LOGIN_LONGEST) and plausible(password, PASSWORD_LONGEST):
        tried = await compared(request, name, password)
        found = await to_the_end(
            context.storage.write(
                staff.log_in,
                tried,
                context.clock(),
                typed,
                context.secrets.seal_key,
                address_of(request),
            )
        )
    if found is None:
        raise PageError(401, "bad_login", "账号或密码不对，或暂时锁定，请稍后再试")
    if isinstance(found, SecondStep):
        raise PageError(401, found.value, _SECOND[found])
    who, secret, csrf = found
    response = json(_me(context, who, csrf))
    response.add_cookie(
        COOKIE,
        secret,
        httponly=True,
        samesite="Strict",
        secure=context.settings.secure_cookies,
        path="/",
    )
    return response


_SECOND = {
    SecondStep.CODE_NEEDED: "请输入验证器上的6位动态码，或一个恢复码",
    SecondStep.BAD_CODE: "动态码不对或已经用过，请等下一个再试",
}


async def compared(request: Request, login: str, password: str) -> Attempt:
    """Compare a password with that of an account: outside of any transaction, a few at once."""
    known = await context_of(request).storage.read(staff.password_hash, login)
    async with request.app.ctx.password_slots:
        return await asyncio.to_thread(staff.attempt, login, known, password)


async def hashed(request: Request, password: str, login: str) -> str:
    """Hash a new password, idem.

    Raises:
        PageError: 400, it is refused, and why.
    """
    async with request.app.ctx.password_slots:
        try:
            return await asyncio.to_thread(staff.hashed, password, login)
        except staff.WeakPasswordError as error:
            raise PageError(400, "weak_password", str(error)) from error


def address_of(request: Request) -> str:
    """Where a request comes from, as the proxies say it that the settings trust."""
    return str(request.remote_addr or request.ip)[:_ADDRESS_LONGEST]


def plausible(value: object, longest: int) -> TypeGuard[str]:
    """Whether this can be a login or password: text that can be stored and hashed."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _me(context: Context, who: Staff, csrf: str) -> dict[str, Any]:
    return {
        "staff": _member(who),
        "csrf": csrf,
        "businesses": businesses_of(context, who),
        "calls": context.settings.video_calls is not None,
        "sources": {
            one.id: one.settings.name for one in context.webhooks if who.sees(one.business)
        },
    }


def businesses_of(context: Context, who: Staff) -> list[dict[str, str]]:
    """The businesses that an account serves."""
    return [
        {"id": one.id, "name": one.name, "industry": one.industry}
        for one in context.directory
        if who.sees(one.id)
    ]


def _member(who: Staff) -> dict[str, Any]:
    return {
        "id": who.id,
        "login": who.login,
        "name": who.name,
        "role": who.role,
        "may": acts_of(who.role),
        "business": who.business,
        "presence": who.presence,
        "capacity": who.capacity,
        "totp": who.totp,
        "must_change": who.must_change,
    }


@pages.get("/me")
async def me(request: Request) -> HTTPResponse:
    """Who is logged in."""
    who, csrf = await who_is(request)
    return json(_me(context_of(request), who, csrf))


@pages.post("/logout")
@allowed(before_change=True)
async def logout(request: Request) -> HTTPResponse:
    """Log out."""
    context, cookie = context_of(request), request.cookies.get(COOKIE) or ""
    who, now, address = request.ctx.staff, context.clock(), address_of(request)

    async def work() -> None:
        gone = await context.storage.write(_log_out, who, cookie, now, address)
        close_pages(context, [fingerprint(cookie)])
        if gone:
            context.hub.presence()

    await to_the_end(work())
    response = empty()
    response.delete_cookie(COOKIE, path="/")
    return response


def _log_out(db: Connection, who: Staff, cookie: str, now: datetime, address: str) -> bool:
    """End a session; who has no other is not there any more. Gives whether that has changed."""
    staff.log_out(db, cookie)
    gone = not staff.has_session(db, who.id, now) and presence.choose(db, who.id, OFFLINE)
    audit_log.note(
        *(db, who, "logout", now),
        business=who.business,
        target=f"staff:{who.id}",
        address=address,
    )
    return gone


def close_pages(context: Context, sessions: Iterable[str]) -> None:
    """Close the open pages of sessions that have ended.

    Args:
        context: The desk. Pages at other desks notice at their next sign of life.
        sessions: Fingerprints of their cookies.
    """
    for one in sessions:
        context.hub.signal(_topic(one), {"type": "ended"})


def session_topic(cookie: str) -> str:
    """Where the pages of one login hear that it has ended."""
    return _topic(fingerprint(cookie))


def _topic(session: str) -> str:
    return f"session:{session}"
