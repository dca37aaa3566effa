"""Canned replies: changed by supervisors, filled in for whoever writes an answer."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.veil import masked_name
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.look import Look, look_at
from desk.staff.masking import sees_whole
from desk.staff.session import ROOT, allowed, is_id
from recovery.coach.canned import VARIABLES, BadVariableError, CannedText, check, fill
from recovery.failures import TRADES
from recovery.roles import Act
from recovery.store import audit_log, canned, customers
from recovery.store.canned import Canned
from recovery.store.customers import NAMELESS
from recovery.store.staff import Staff

pages = Blueprint("staff_canned", url_prefix=ROOT)

R = TypeVar("R")

_LONGEST_TITLE = 40
_LONGEST_TEXT = 1000
_LONGEST_SHORTCUT = 20


def values_of(look: Look) -> dict[str, str]:
    """The variables of a conversation, as far as its reader may know them.

    In a public room neither the order nor the name that a customer gave elsewhere is written.
    """
    business = look.context.directory.business(look.conversation.business)
    customer = customers.load(look.db, look.conversation.customer_id)
    name = "" if customer.name == NAMELESS else customer.name
    order = look.case.order_number if look.case else None
    whole = sees_whole(look.who, look.conversation.owner)
    matter = look.case.matter if look.case and look.case.has_matter else "您说的这件事"
    return {
        "顾客": name if whole else masked_name(name),
        "商家": business.name if business else "",
        "事情": matter,
        "订单号": (order or "") if whole and look.conversation.private else "",
        "客服": look.who.name,
        "时限": business.person_by_words(look.now) if business else "",
    }


@pages.get("/canned")
@allowed(Act.HANDLE)
async def fitting(request: Request) -> HTTPResponse:
    """The replies; for a conversation those that fit it, filled in, the best first."""
    context, who = context_of(request), request.ctx.staff
    conversation_id = request.args.get("conversation")
    if conversation_id is not None and not is_id(conversation_id):
        raise not_found()
    if conversation_id is None:
        found = await context.storage.read(canned.of_business, who.business)
        return json({"replies": [one.shown for one in found]})
    shown = await context.storage.read(_fitting, context, conversation_id, who)
    if shown is None:
        raise not_found()
    return json({"replies": shown})


def _fitting(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> list[dict[str, Any]] | None:
    look = look_at(db, context, conversation_id, who)
    if look is None:
        return None
    business = context.directory.business(look.conversation.business)
    industry, anger = business.industry if business else "", look.case.level if look.case else 0
    fit = [
        one
        for one in canned.of_business(db, look.conversation.business)
        if one.fits(industry, anger)
    ]
    values = values_of(look)
    return [{**one.shown, "text": fill(one.text, values)} for one in sorted(fit, key=_rank)]


def _rank(one: Canned) -> tuple[bool, bool, int, int, int]:
    """What is made for this business, this trade and this anger comes first, then what is used."""
    spread = one.anger_most - one.anger_least
    return one.business is None, one.industry is None, spread, -one.uses, one.id


@pages.get("/canned/all")
@allowed(Act.WORDING)
async def all_of_them(request: Request) -> HTTPResponse:
    """All replies of the own business, with their variables as written."""
    storage, who = context_of(request).storage, request.ctx.staff
    found = await storage.read(canned.of_business, who.business)
    return json({"replies": [one.shown for one in found]})


@pages.post("/canned")
@allowed(Act.WORDING)
async def add(request: Request) -> HTTPResponse:
    """Keep a new reply for the own business."""
    context, given = context_of(request), _read(json_body(request))
    made = await to_the_end(context.storage.write(_add, context, request.ctx.staff, given))
    return json(made.shown)


@pages.put("/canned/<canned_id:int>")
@allowed(Act.WORDING)
async def change(request: Request, canned_id: int) -> HTTPResponse:
    """Change a reply."""
    context, given = context_of(request), _read(json_body(request))
    who = request.ctx.staff
    changed = await _changing(context.storage.write(_change, context, who, canned_id, given))
    return json(changed.shown)


@pages.delete("/canned/<canned_id:int>")
@allowed(Act.WORDING)
async def remove(request: Request, canned_id: int) -> HTTPResponse:
    """Take a reply away."""
    context = context_of(request)
    await _changing(context.storage.write(_remove, context, request.ctx.staff, canned_id))
    return empty()


@pages.post("/canned/<canned_id:int>/used")
@allowed(Act.HANDLE)
async def used(request: Request, canned_id: int) -> HTTPResponse:
    """Count that a reply was put into an answer."""
    storage, who = context_of(request).storage, request.ctx.staff
    await _changing(storage.write(_used, who, canned_id))
    return empty()


async def _changing(work: Coroutine[Any, Any, R]) -> R:
    """Run a change of a reply; what cannot be changed becomes an answer that says why."""
    try:
        return await to_the_end(work)
    except LookupError as error:
        raise not_found() from error
    except _CommonError as error:
        sentence = "这一条是各商家共用的，请新建一条自己的，或请总管理员来改"
        raise PageError(403, "common", sentence) from error


def _read(body: dict[str, Any]) -> CannedText:
    """A reply as a page sends it.

    Raises:
        PageError: Something is missing or wrong; its sentence says what.
    """
    least, most = body.get("anger_least", 0), body.get("anger_most", 3)
    if not (_is_anger(least) and _is_anger(most) and least <= most):
        raise PageError(400, "bad_canned", "怒气的范围是0到3，从低到高")
    industry = body.get("industry")
    if industry is not None and industry not in TRADES:
        raise PageError(400, "bad_canned", "没有这个行业")
    title = _line(body.get("title"), _LONGEST_TITLE, "标题")
    shortcut = None
    if body.get("shortcut"):
        shortcut = _line(body["shortcut"], _LONGEST_SHORTCUT, "快捷码")
    text = body.get("text")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= _LONGEST_TEXT:
        raise PageError(400, "bad_canned", f"内容要有1到{_LONGEST_TEXT}个字")
    if not all(char.isprintable() or char == "\n" for char in text):
        raise PageError(400, "bad_canned", "内容里有不能显示的字符")
    try:
        check(text)
    except BadVariableError as error:
        known = "、".join(f"{{{one}}}" for one in VARIABLES)
        sentence = f"没有“{error.name[:20]}”这个变量，可用：{known}"
        raise PageError(400, "bad_variable", sentence) from error
    return CannedText(title, text.strip(), industry, least, most, shortcut)


def _is_anger(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 3


def _line(value: object, longest: int, what: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise PageError(400, "bad_canned", f"{what}要有1到{longest}个字")
    if not 0 < len(value.strip()) <= longest:
        raise PageError(400, "bad_canned", f"{what}要有1到{longest}个字")
    return value.strip()


class _CommonError(RuntimeError):
    """A reply of all businesses, which an account of one of them does not change."""


def _known(db: Connection, canned_id: int, who: Staff) -> Canned:
    """A reply that this account sees.

    Raises:
        LookupError: There is none.
    """
    found = canned.load(db, canned_id)
    if found is None or not (who.business is None or found.business in (None, who.business)):
        raise LookupError(canned_id)
    return found


def _own(db: Connection, context: Context, canned_id: int, who: Staff) -> Canned:
    """A reply that this account may change; the only business of a desk owns the common ones.

    Raises:
        LookupError: There is none.
        _CommonError: Others use it as well.
    """
    found = _known(db, canned_id, who)
    alone = len(context.settings.businesses) == 1
    if found.business is None and who.business is not None and not alone:
        raise _CommonError(canned_id)
    return found


def _add(db: Connection, context: Context, who: Staff, given: CannedText) -> Canned:
    now = context.clock()
    made = canned.add(db, who.business, given, who.id, now)
    _audit(db, context, who, "canned_add", made)
    return made


def _change(
    db: Connection, context: Context, who: Staff, canned_id: int, given: CannedText
) -> Canned:
    found = _own(db, context, canned_id, who)
    canned.change(db, found.id, given, who.id, context.clock())
    _audit(db, context, who, "canned_change", found)
    return canned.load(db, found.id) or found


def _remove(db: Connection, context: Context, who: Staff, canned_id: int) -> None:
    found = _own(db, context, canned_id, who)
    canned.remove(db, found.id)
    _audit(db, context, who, "canned_remove", found)


def _used(db: Connection, who: Staff, canned_id: int) -> None:
    found = _known(db, canned_id, who)
    canned.count_use(db, found.id)


def _audit(db: Connection, context: Context, who: Staff, act: str, one: Canned) -> None:
    audit_log.note(
        db,
        who,
        act,
        context.clock(),
        # A reply of all businesses is changed by its only one, which may read of it.
        business=one.business or who.business,
        target=f"canned:{one.id}",
        detail={"title": one.title},
    )
