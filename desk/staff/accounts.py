"""Accounts that an admin manages, and the audit log."""

from collections.abc import AsyncIterator, Awaitable, Callable, Set
from datetime import datetime
from typing import Any, TypeVar, get_args

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import passing
from desk.conversations.turn import Committed
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.changes import router_of
from desk.staff.session import (
    PASSWORD_LONGEST,
    ROOT,
    address_of,
    allowed,
    businesses_of,
    close_pages,
    hashed,
    is_number,
    plausible,
)
from recovery.business import Industry
from recovery.roles import ROLES, Act, may
from recovery.store import accounts, audit_log, conversations, staff
from recovery.store.accounts import LastAdminError, NewAccount, OutOfReachError
from recovery.store.conversations import staff_owner
from recovery.store.staff import BadAccountError, Staff, TakenError

pages = Blueprint("staff_accounts", url_prefix=ROOT)

R = TypeVar("R")
Check = Callable[[Context, object], Any]

_MOST_ENTRIES = 100
_MOST_CONVERSATIONS = 100
_FILTER_LONGEST = 64
_DIGITS = 10
_INDUSTRIES = get_args(Industry)


@pages.get("/accounts")
@allowed(Act.ACCOUNTS)
async def all_accounts(request: Request) -> HTTPResponse:
    """The accounts that this admin manages."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(accounts.listed, who, context.clock())
    return json({"accounts": found, "businesses": businesses_of(context, who)})


@pages.post("/accounts")
@allowed(Act.ACCOUNTS)
async def make_account(request: Request) -> HTTPResponse:
    """Make an account with a password that is to be changed at the first login."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    _require_known(body, {"login", *_CHECKS})
    login = _a_text(context, body.get("login"))
    wished = {name: check(context, body[name]) for name, check in _CHECKS.items() if name in body}
    if "role" not in wished or "password" not in wished:
        raise _bad("账号要有角色和初始密码")
    account = NewAccount(
        login=login,
        name=wished.get("name", ""),
        role=wished["role"],
        business=wished.get("business"),
        skills=tuple(wished.get("skills", ())),
        capacity=wished.get("capacity", Staff(0, "", "", "").capacity),
        password=await hashed(request, wished["password"], login),
    )
    made = context.storage.write(accounts.make, who, account, context.clock(), address_of(request))
    return json(await _managing(to_the_end(made)))


@pages.patch("/accounts/<account_id:str>")
@allowed(Act.ACCOUNTS)
async def change_account(request: Request, account_id: str) -> HTTPResponse:
    """Change an account; what takes something away ends its logins."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    staff_id, now = _id_of(account_id), context.clock()
    _require_known(body, _CHANGEABLE.keys())
    wished = {name: _CHANGEABLE[name](context, value) for name, value in body.items()}
    if staff_id == who.id and wished.keys() & {"password", "reset_totp"}:
        # A session alone must not be enough for them; the own page asks for the password.
        raise PageError(400, "own_account", "自己的密码和双重验证请在“我的账号”里改")
    own = {"role": who.role, "business": who.business}
    if staff_id == who.id and any(wished.get(name, own[name]) != own[name] for name in own):
        # Nobody gives themselves what others have not given them.
        raise PageError(400, "own_account", "自己的角色和商家要由另一位管理员来改")
    if "password" in wished:
        before = await _managing(context.storage.read(accounts.one, who, staff_id, now))
        wished["password"] = await hashed(request, wished["password"], before["login"])
    address = address_of(request)

    async def work() -> dict[str, Any]:
        shown, ended = await context.storage.write(
            accounts.change, who, staff_id, wished, now, address
        )
        close_pages(context, ended)
        async for committed in _let_go(context, shown, who, now):
            router_of(request).publish(committed)
        return shown

    return json(await _managing(to_the_end(work())))


async def _let_go(
    context: Context, account: dict[str, Any], by: Staff, now: datetime
) -> AsyncIterator[Committed]:
    """Free the conversations of an account that may not handle them any more, one by one."""
    storage = context.storage
    former = await storage.read(staff.load, account["id"])
    if former is None:
        return
    idle = account["disabled_at"] is not None or not may(former.role, Act.HANDLE)
    for one in await storage.read(conversations.owned_by, staff_owner(former.id)):
        yield await storage.write(passing.let_go, context, one, former, by, now, whatever=idle)


async def _managing(work: Awaitable[R]) -> R:
    """Run something that an admin does; what is refused becomes an answer."""
    try:
        return await work
    except LookupError as error:
        raise not_found() from error
    except TakenError as error:
        raise PageError(409, "taken", str(error)) from error
    except BadAccountError as error:
        raise _bad(str(error)) from error
    except OutOfReachError as error:
        raise PageError(403, "forbidden", "您只能管理本商家的账号") from error
    except LastAdminError as error:
        sentence = "这是最后一位能管理这些账号的管理员，请先另设一位"
        raise PageError(409, "last_admin", sentence) from error


def _bad(sentence: str) -> PageError:
    return PageError(400, "bad_account", sentence)


def _id_of(text: str) -> int:
    # Longer ones are not even read: nor what begins with a hundred naughts.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0
    if not is_number(number):
        raise not_found()
    return number


def _require_known(body: dict[str, Any], known: Set[str]) -> None:
    unknown = body.keys() - known
    if unknown:
        raise _bad("有不认识的项目，请刷新页面再试")


def _a_text(_: Context, value: object) -> str:
    # How long it may be is for the account to say.
    if not plausible(value, PASSWORD_LONGEST):
        raise _bad("账号、姓名和密码要是文字，不能太长")
    return value


def _a_role(_: Context, value: object) -> str:
    if value not in ROLES:
        raise _bad(f"没有这个角色，可选：{'、'.join(ROLES)}")
    return str(value)


def _a_business(context: Context, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or context.directory.business(value) is None:
        raise _bad("没有这个商家")
    return value


def _some_skills(_: Context, value: object) -> list[str]:
    if not isinstance(value, list) or any(one not in _INDUSTRIES for one in value):
        raise _bad(f"擅长的行业可选：{'、'.join(_INDUSTRIES)}")
    return sorted(set(value), key=_INDUSTRIES.index)


def _a_capacity(_: Context, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad("同时接待数要是整数")
    if not 0 <= value <= _MOST_CONVERSATIONS:
        raise _bad(f"同时接待数要在0到{_MOST_CONVERSATIONS}之间")
    return value


def _a_switch(_: Context, value: object) -> bool:
    if not isinstance(value, bool):
        raise _bad("开关只能是开或关")
    return value


_CHECKS: dict[str, Check] = {
    "name": _a_text,
    "role": _a_role,
    "business": _a_business,
    "skills": _some_skills,
    "capacity": _a_capacity,
    "password": _a_text,
}
_CHANGEABLE: dict[str, Check] = {**_CHECKS, "disabled": _a_switch, "reset_totp": _a_switch}


# --- the audit log ----------------------------------------------------------------------------


@pages.get("/audit")
@allowed(Act.AUDIT)
async def audit(request: Request) -> HTTPResponse:
    """What was done, newest first; of the own business where the account has one."""
    wanted = {name: _filter(request, name) for name in ("act", "login", "target")}
    before = request.args.get("before")
    entries = await context_of(request).storage.read(
        audit_log.read,
        request.ctx.staff,
        _MOST_ENTRIES + 1,
        before=_id_of(before) if before else None,
        **wanted,
    )
    return json({"entries": entries[:_MOST_ENTRIES], "more": len(entries) > _MOST_ENTRIES})


def _filter(request: Request, name: str) -> str | None:
    given = request.args.get(name)
    if not given:
        return None
    if not plausible(given, _FILTER_LONGEST):
        raise PageError(400, "bad_request", "筛选的内容不对")
    return str(given)
