"""Who of staff is there: the own presence, and the colleagues."""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.errors import PageError
from desk.finish import to_the_end
from desk.hub import staff_topic
from desk.staff.session import ROOT, allowed
from recovery.queue.people import PRESENCES
from recovery.roles import Act
from recovery.store import audit_log, presence
from recovery.store.staff import Staff

pages = Blueprint("staff_presence", url_prefix=ROOT)


@pages.put("/me/presence")
@allowed(Act.HANDLE)
async def set_presence(request: Request) -> HTTPResponse:
    """Say whether one is there. Conversations stay with who has them."""
    context, who = context_of(request), request.ctx.staff
    chosen = json_body(request).get("presence")
    if chosen not in PRESENCES:
        raise PageError(400, "bad_presence", "状态只能是在线、忙碌、离开或离线")

    async def work() -> None:
        if await context.storage.write(_choose, context, who, chosen):
            context.hub.signal(staff_topic(who.id), {"type": "presence", "presence": chosen})
            context.hub.presence()

    await to_the_end(work())
    return json({"presence": chosen})


def _choose(db: Connection, context: Context, who: Staff, chosen: str) -> bool:
    now = context.clock()
    if chosen != "offline":
        presence.sign_of_life(db, who.id, now)
    changed = presence.choose(db, who.id, chosen)
    if changed:
        audit_log.note(
            *(db, who, "presence", now),
            business=who.business,
            target=f"staff:{who.id}",
            detail={"presence": chosen},
        )
    return changed


@pages.get("/colleagues")
@allowed(Act.READ)
async def colleagues(request: Request) -> HTTPResponse:
    """Who handles conversations of the own business, for handing on and for @mentions."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(presence.colleagues, who.business, context.clock())
    return json({"colleagues": [one.shown for one in found]})
