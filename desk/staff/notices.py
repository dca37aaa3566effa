"""What a member of staff was told: the bell of the page."""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json

from desk.channels.sessions import context_of, json_body
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.session import LARGEST_NUMBER, ROOT, allowed
from recovery.store import notices

pages = Blueprint("staff_notices", url_prefix=ROOT)


@pages.get("/me/notices")
@allowed()
async def mine(request: Request) -> HTTPResponse:
    """The latest notices, newest first, and how many are unread."""
    storage, who = context_of(request).storage, request.ctx.staff
    latest = await storage.read(notices.latest, who)
    unread = await storage.read(notices.unread, who)
    return json({"notices": [one.shown for one in latest], "unread": unread})


@pages.post("/me/notices/read")
@allowed()
async def read(request: Request) -> HTTPResponse:
    """Mark the own notices read, up to one."""
    context, who = context_of(request), request.ctx.staff
    up_to = json_body(request).get("up_to")
    if not isinstance(up_to, int) or isinstance(up_to, bool) or not 0 <= up_to <= LARGEST_NUMBER:
        raise PageError(400, "bad_request", "请求的格式不对")
    await to_the_end(context.storage.write(notices.mark_read, who.id, up_to, context.clock()))
    return empty()
