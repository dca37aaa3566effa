"""Customers' pages: "这也是我", a code to type elsewhere, and a code from elsewhere."""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels import joining
from desk.channels.joining import CHANNELS, Joined
from desk.channels.sessions import COOKIE, context_of, json_body, slow_down
from desk.errors import PageError
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery.store import customers, persons
from recovery.store.join_codes import TooManyError

TRIES_BURST = 10
TRIES_PER_SECOND = 1 / 60
"""Codes typed from one address: enough for a household, nothing for a list of guesses."""
_LONGEST = 40

pages = Blueprint("identity_pages", url_prefix="/api/my")


@pages.get("/identities")
async def identities(request: Request) -> HTTPResponse:
    """By which ways this session's customer is known at a business."""
    context = context_of(request)
    customer = await _customer(request, request.args.get("business"))
    shown = await context.storage.read(_ways, customer)
    return json({"channels": shown})


@pages.post("/codes")
async def ask(request: Request) -> HTTPResponse:
    """A code for this session's customer, to be typed on the other channel."""
    context, body = context_of(request), json_body(request)
    slow_down(request)
    customer = await _customer(request, body.get("business"))
    try:
        made = await context.storage.write(joining.ask, context, customer, context.clock())
    except TooManyError as error:
        raise PageError(429, "too_many", "要得太多了，请一小时以后再来") from error
    return json({"code": made.code, "expires": made.expires_at})


@pages.post("/codes/use")
async def use(request: Request) -> HTTPResponse:
    """Use a code that was asked for on the other channel."""
    body = json_body(request)
    customer = await _customer(request, body.get("business"))
    typed = body.get("code")
    if not isinstance(typed, str) or not typed.strip() or len(typed) > _LONGEST:
        raise PageError(400, "bad_request", "请输入合并码")
    buckets: Buckets = request.app.ctx.join_buckets
    if not buckets.take(request.remote_addr or request.ip):
        raise PageError(429, "too_fast", "试得太快了，请稍等再试")
    try:
        found = await to_the_end(_used(request, customer, typed))
    except TooManyError as error:
        raise PageError(429, "too_many", "试得太多了，请一小时以后再来") from error
    if found is None:
        raise PageError(404, "no_code", "这个码不对，或者已经过期、用过了。请在另一边重新要一个")
    return json({"channel": CHANNELS[found.channel], "new": found.entry is not None})


async def _used(request: Request, customer: str, typed: str) -> Joined | None:
    context = context_of(request)
    found = await context.storage.write(joining.use, context, customer, typed, context.clock())
    if found is not None:
        request.app.ctx.router.publish(found.committed)
    return found


async def _customer(request: Request, business: object) -> str:
    """Id of the customer whom this session speaks for at a business.

    Raises:
        PageError: There is none.
    """
    context, cookie = context_of(request), request.cookies.get(COOKIE)
    known = None
    if cookie and isinstance(business, str):
        known = await context.storage.read(customers.by_session, cookie, business)
    if known is None:
        raise PageError(401, "no_session", "请刷新页面重新进入")
    return known.id


def _ways(db: Connection, customer_id: str) -> list[str]:
    person = persons.person_of(db, customer_id)
    ways = [persons.channel_of(db, one) for one in persons.identities_of(db, person)]
    return [CHANNELS[one] for one in dict.fromkeys(ways)]
