"""The own account of a member of staff: password and second factor."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.session import (
    CODE_LONGEST,
    COOKIE,
    PASSWORD_LONGEST,
    ROOT,
    address_of,
    allowed,
    close_pages,
    compared,
    hashed,
    plausible,
)
from recovery.second_factor import qr_of, uri_of
from recovery.store import accounts, audit_log, second_factors, staff
from recovery.store.staff import Staff

pages = Blueprint("staff_own_account", url_prefix=f"{ROOT}/me")

R = TypeVar("R")


@pages.post("/password")
@allowed(before_change=True)
async def change_password(request: Request) -> HTTPResponse:
    """Give oneself another password; every other login of the account ends."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    new = body.get("new")
    if not plausible(new, PASSWORD_LONGEST):
        raise PageError(400, "weak_password", f"密码要是最多{PASSWORD_LONGEST}位的文字")
    if new == body.get("old"):
        raise PageError(400, "weak_password", "新密码要和原来的不一样")
    fresh = await hashed(request, new, who.login)
    cookie, now, address = request.cookies.get(COOKIE) or "", context.clock(), address_of(request)

    def change(db: Connection) -> list[str]:
        return accounts.change_own_password(db, who, cookie, fresh, now, address)

    async def work() -> None:
        close_pages(context, await _with_password(request, body.get("old"), change))

    await to_the_end(work())
    return empty()


async def _with_password(request: Request, password: object, work: Callable[[Connection], R]) -> R:
    """Do something to the own account that the session alone is not enough for.

    Raises:
        PageError: 400, the password is wrong, or the account is locked.
    """
    context, who = context_of(request), request.ctx.staff
    now, address = context.clock(), address_of(request)
    wrong = PageError(400, "wrong_password", "现在的密码不对，或试得太多暂时锁定了")
    if not plausible(password, PASSWORD_LONGEST):
        raise wrong
    tried = await compared(request, who.login, password)

    def confirmed(db: Connection) -> tuple[bool, R | None]:
        # A refusal is an answer and no exception: the failure has to stay counted.
        if not staff.confirm_password(db, tried, now, address):
            return False, None
        return True, work(db)

    right, done = await context.storage.write(confirmed)
    if not right:
        raise wrong
    return done  # type: ignore[return-value]  # of the work, where the password was right


@pages.post("/totp")
@allowed()
async def begin_second_factor(request: Request) -> HTTPResponse:
    """Make the secret of an authenticator app; it is in force once it is confirmed."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)

    def begin(db: Connection) -> str | None:
        return second_factors.begin(db, who.id, context.secrets.seal_key)

    # Who finds a session open must not lock its owner out.
    secret = await to_the_end(_with_password(request, body.get("password"), begin))
    if secret is None:
        raise PageError(409, "totp_on", "双重验证已经开启；要换手机，请先停用再开启")
    uri = uri_of(secret, who.login)
    return json({"secret": secret, "uri": uri, "qr": qr_of(uri)})


@pages.post("/totp/confirm")
@allowed()
async def confirm_second_factor(request: Request) -> HTTPResponse:
    """Put the second factor into force; gives the codes for who loses the phone."""
    context, who, code = context_of(request), request.ctx.staff, json_body(request).get("code")
    wrong = PageError(400, "bad_code", "动态码不对，请看手机时间是否准确，等下一个再试")
    if not plausible(code, CODE_LONGEST):
        raise wrong
    now, address = context.clock(), address_of(request)

    def confirm(db: Connection) -> list[str] | None:
        made = second_factors.confirm(db, who.id, code, context.secrets.seal_key, now)
        if made is not None:
            _note(db, who, "totp_on", now, address)
        return made

    codes = await to_the_end(context.storage.write(confirm))
    if codes is None:
        raise wrong
    return json({"recovery_codes": codes})


@pages.delete("/totp")
@allowed()
async def drop_second_factor(request: Request) -> HTTPResponse:
    """Take the second factor away."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    now, address = context.clock(), address_of(request)

    def drop(db: Connection) -> None:
        if second_factors.drop(db, who.id):
            _note(db, who, "totp_off", now, address)

    await to_the_end(_with_password(request, body.get("password"), drop))
    return empty()


def _note(db: Connection, who: Staff, act: str, now: datetime, address: str) -> None:
    audit_log.note(
        *(db, who, act, now),
        business=who.business,
        target=f"staff:{who.id}",
        address=address,
    )
