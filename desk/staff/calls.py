"""A video call that the owner of a private chat offers its customer."""

from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.turn import Committed
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.session import ROOT, allowed
from desk.staff.speaking import NotPrivateError, own_chat, show
from recovery.ids import new_id
from recovery.roles import Act
from recovery.store import streams
from recovery.store.staff import Staff

pages = Blueprint("staff_calls", url_prefix=ROOT)

# Pressed again within this time it is the same call.
_SAME_CALL = timedelta(minutes=10)
_LOOKED_BACK = 200
_TEXT = "{name}邀请您视频通话，点开就能说，不用装软件"


@pages.post("/conversations/<conversation_id:str>/call")
@allowed(Act.HANDLE)
async def call(request: Request, conversation_id: str) -> HTTPResponse:
    """Offer a video call; the customer gets the link of a room that nobody can guess."""
    context, who = context_of(request), request.ctx.staff
    address = context.settings.video_calls
    if address is None:
        raise PageError(409, "no_calls", "还没有设置视频通话的地址，请联系管理员")

    async def work() -> str:
        committed, url = await context.storage.write(_offer, context, conversation_id, who, address)
        router_of(request).publish(committed)
        return url

    try:
        return json({"url": await changing(request, to_the_end(work()))})
    except NotPrivateError as error:
        raise PageError(409, "not_private", "视频通话只能在私聊里发起") from error


def _offer(
    db: Connection, context: Context, conversation_id: str, who: Staff, address: str
) -> tuple[Committed, str]:
    """Show a call to the customer.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        NotPrivateError: It is a thread in a room.
    """
    conversation = own_chat(db, conversation_id, who)
    now = context.clock()
    standing = _standing(db, conversation.shown_in, who, now)
    if standing:
        return Committed([]), standing
    url = f"{address}/huixin-{token_hex(16)}"
    event: dict[str, Any] = {
        "id": new_id("w"),
        "kind": "call",
        "url": url,
        "text": _TEXT.format(name=who.name),
        "name": who.name,
    }
    # The address opens the room, so it stands nowhere but in the chat.
    return show(db, context, conversation, who, "call", event), url


def _standing(db: Connection, stream: str, who: Staff, now: datetime) -> str | None:
    """The call that this member of staff has offered a moment ago."""
    after = max(0, streams.last(db, stream) - _LOOKED_BACK)
    for entry in reversed(streams.after(db, stream, after, _LOOKED_BACK)):
        event = entry.event
        if event["kind"] == "call" and event["name"] == who.name:
            offered = datetime.fromisoformat(event["at"])
            return str(event["url"]) if now - offered < _SAME_CALL else None
    return None
