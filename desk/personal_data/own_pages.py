"""Customers' pages: "我的资料": what can be had, fetching it once, having it deleted."""

from datetime import datetime
from html import escape
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import html, json, raw
from sqlalchemy import Connection

from desk.channels.sessions import COOKIE, context_of, json_body, slow_down
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.limits import Buckets
from desk.personal_data.exporting import HEADERS, packed
from desk.personal_data.requesting import PATH, ask_to_erase, export_link, take_back
from recovery.store import customers, data_requests
from recovery.store.customers import Customer
from recovery.store.personal_scope import scope_of, unfinished

CONFIRMED = "删除"
"""What has to be typed before anything is deleted."""
_SECRET_LENGTH = (20, 100)
_PAGE = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>我的资料</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "<h1>我的资料</h1><p>{text}</p>"
)
_FORM = '<form method="post" action="{path}"><button type="submit">下载</button></form>'

pages = Blueprint("own_data")


@pages.get("/api/my/data")
async def look(request: Request) -> HTTPResponse:
    """Whether an erasure is asked for, and what it would have to wait for."""
    customer = await _customer(request, request.args.get("business"))
    return json(await context_of(request).storage.read(_standing, customer))


@pages.post("/api/my/data/export")
async def export(request: Request) -> HTTPResponse:
    """A link under which all that is kept can be fetched once."""
    context, body = context_of(request), json_body(request)
    slow_down(request)
    customer = await _customer(request, body.get("business"))
    by, now = f"customer:{customer.id}", context.clock()
    path = await to_the_end(context.storage.write(export_link, customer, by, now))
    return json({"url": path})


@pages.post("/api/my/data/erase")
async def erase(request: Request) -> HTTPResponse:
    """Ask to be erased; it is confirmed by a word that has to be typed."""
    context, body = context_of(request), json_body(request)
    slow_down(request)
    customer = await _customer(request, body.get("business"))
    if body.get("confirm") != CONFIRMED:
        raise PageError(400, "not_confirmed", f"请输入“{CONFIRMED}”两个字确认")
    by, now = f"customer:{customer.id}", context.clock()
    await to_the_end(context.storage.write(ask_to_erase, customer, by, now))
    return json(await context.storage.read(_standing, customer))


@pages.post("/api/my/data/keep")
async def keep(request: Request) -> HTTPResponse:
    """Take it back, as long as it was not carried out."""
    context, body = context_of(request), json_body(request)
    slow_down(request)
    customer = await _customer(request, body.get("business"))
    person = customer.person or customer.id
    await to_the_end(context.storage.write(take_back, person, context.clock()))
    return json(await context.storage.read(_standing, customer))


@pages.get(f"{PATH}<secret:str>")
async def link(request: Request, secret: str) -> HTTPResponse:
    """What a link leads to: a page with a button, so that no preview uses the link up."""
    _slow_down(request)
    path = f"{PATH}{escape(_plausible(secret))}"
    text = "点下载得到一个压缩包，里面有网页、数据和图片。只能下载一次。"
    return html(_PAGE.format(text=text) + _FORM.format(path=path))


@pages.post(f"{PATH}<secret:str>")
async def fetch(request: Request, secret: str) -> HTTPResponse:
    """The file, once."""
    context = context_of(request)
    _slow_down(request)
    plausible, now = _plausible(secret), context.clock()
    found = await to_the_end(context.storage.write(data_requests.use_link, plausible, now))
    album = request.app.ctx.album
    content = await packed(context, album, found.business, found.person) if found else None
    if content is None:
        text = "这个链接已经用过，或者过期了。请回到对话里重新要一个。"
        return html(_PAGE.format(text=text), status=410)
    return raw(content, content_type="application/zip", headers=HEADERS)


def _slow_down(request: Request) -> None:
    buckets: Buckets = request.app.ctx.survey_buckets
    if not buckets.take(request.remote_addr or request.ip):
        raise PageError(429, "too_fast", "操作太快了，请稍等再试")


def _plausible(secret: str) -> str:
    least, most = _SECRET_LENGTH
    if not least <= len(secret) <= most or not secret.isascii():
        raise not_found()
    return secret


async def _customer(request: Request, business: object) -> Customer:
    """The customer whom this session speaks for at a business.

    Raises:
        PageError: There is none.
    """
    context, cookie = context_of(request), request.cookies.get(COOKIE)
    known = None
    if cookie and isinstance(business, str):
        known = await context.storage.read(customers.by_session, cookie, business)
    if known is None:
        raise PageError(401, "no_session", "请刷新页面重新进入")
    return known


def _standing(db: Connection, customer: Customer) -> dict[str, Any]:
    person = customer.person or customer.id
    asked = data_requests.open_of(db, person, "erase")
    scope = scope_of(db, person)
    waits = bool(scope and unfinished(db, scope))
    due = datetime.fromisoformat(asked.due_at).isoformat() if asked else None
    return {"asked_at": asked.asked_at if asked else None, "due_at": due, "waits": waits}
