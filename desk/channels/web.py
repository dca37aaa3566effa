"""The web channel: sockets of the public room and the private chat."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from sanic import Blueprint, Request, Websocket
from sqlalchemy.exc import SQLAlchemyError

from desk.channels import joining
from desk.channels.sessions import COOKIE, context_of, own_conversation, own_room, status_of
from desk.channels.socket import GONE, PageSocket, number, starts
from desk.channels.view import for_customer
from desk.context import Context
from desk.conversations.ingest import Incoming, RefusedError, is_client_id, take
from desk.conversations.queueing import prospect_of
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.hub import PARTED
from desk.limits import Buckets
from recovery import faults
from recovery.store import customers
from recovery.store.conversations import BOT, Conversation
from recovery.store.customers import Customer
from recovery.store.database import is_away

sockets = Blueprint("sockets", url_prefix="/ws")
_STATUS = "status"
_LOOKED_EVERY_SECONDS = 30.0


def same_origin(request: Request) -> bool:
    """Whether a page of ours opened the socket: browsers name the page's origin, always."""
    origin = request.headers.get("origin")
    if origin is None:
        return True
    allowed = context_of(request).settings.origins
    return urlsplit(origin).netloc == request.host or origin in allowed


@sockets.websocket("/room/<room_id:str>")  # type: ignore[untyped-decorator]  # Sanic
async def room(request: Request, socket: Websocket, room_id: str) -> None:
    """A public room: everybody's posts, and what only this customer sees."""
    try:
        _check_origin(request)
        _, _, conversation, customer = await own_room(request, room_id)
    except PageError as error:
        await _turn_away(socket, error)
        return
    after, own = number(request.args.get("after")), number(request.args.get("own"))
    numbers = {conversation.shown_in: after, conversation.stream: own}
    await _serve(request, socket, conversation, customer, numbers)


@sockets.websocket("/conversation/<conversation_id:str>")  # type: ignore[untyped-decorator]  # Sanic
async def private(request: Request, socket: Websocket, conversation_id: str) -> None:
    """A private chat of this session."""
    try:
        _check_origin(request)
        conversation, customer = await own_conversation(request, conversation_id)
        if not conversation.private:
            raise not_found()
    except PageError as error:
        await _turn_away(socket, error)
        return
    numbers = {conversation.stream: number(request.args.get("after"))}
    await _serve(request, socket, conversation, customer, numbers)


async def _stays_theirs(request: Request, socket: Websocket, conversation: Conversation) -> None:
    """Close a page that reads what its customer said under another name, once that is over."""
    context, cookie = context_of(request), request.cookies.get(COOKIE) or ""
    reader = await context.storage.read(customers.by_session, cookie, conversation.business)
    stirred = asyncio.Event()
    if reader is not None and reader.id == conversation.customer_id:
        # Nothing parts anybody from their own words.
        await stirred.wait()

    def stir(_: object) -> None:
        stirred.set()

    context.hub.hear_signals(PARTED, stir)
    try:
        while True:
            # Another desk may have done it, of which nothing is heard here.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOKED_EVERY_SECONDS):
                    await stirred.wait()
            stirred.clear()
            try:
                await own_conversation(request, conversation.id)
            except PageError as error:
                await _turn_away(socket, error)
                return
            except SQLAlchemyError as error:
                if not is_away(error):
                    raise
    finally:
        context.hub.leave_signals(PARTED, stir)


def _check_origin(request: Request) -> None:
    if not same_origin(request):
        raise PageError(403, "forbidden", "请从本站的页面进入")


async def _turn_away(socket: Websocket, error: PageError) -> None:
    """Say why in a close code of our own: 4000 + status."""
    await socket.close(4000 + error.status_code, error.code)


async def _serve(
    request: Request,
    socket: Websocket,
    conversation: Conversation,
    customer: Customer,
    numbers: dict[str, int],
) -> None:
    context = context_of(request)
    page = PageSocket(context, socket, lambda entry: for_customer(entry.event, customer.id))
    context.metrics.sockets.inc()
    try:
        found = await context.storage.read(starts, numbers)
        for stream, start in found.items():
            page.follow(stream, start.after)
        page.hear(_STATUS)
        page.hear(conversation.stream)
        # The streams' real last numbers: a page that knows higher ones (the database was
        # restored) sees that the numbering began anew, and begins anew itself.
        await socket.send(
            json.dumps(
                {
                    "type": "welcome",
                    "after": next(iter(found.values())).last,
                    "own": found[conversation.stream].last,
                    "status": status_of(request),
                }
            )
        )
        if conversation.private:
            prospect = await context.storage.read(prospect_of, context, conversation.id)
            if prospect:
                page.send(prospect.frame)
        beside = [_read(request, socket, page, conversation)]
        if conversation.private:
            beside.append(_stays_theirs(request, socket, conversation))
        await page.serve(*beside)
    except GONE:
        pass
    finally:
        page.close()
        context.metrics.sockets.dec()


async def _read(
    request: Request, socket: Websocket, page: PageSocket, conversation: Conversation
) -> None:
    context = context_of(request)
    async for raw in socket:
        frame = _frame(raw)
        kind = frame.get("type")
        if kind == "say":
            await _say(request, page, conversation, frame)
        elif kind == "ping":
            page.send({"type": "pong"})
        elif kind == "typing" and conversation.private:
            signal = {"type": "typing", "conversation": conversation.id, "who": "customer"}
            context.hub.signal(f"watch:{conversation.id}", signal)
        else:
            page.send(
                {
                    "type": "refused",
                    "id": _echo(frame.get("id")),
                    "code": "bad_frame",
                    "message": "页面发来的内容读不懂，请刷新页面",
                    "retry": False,
                }
            )


def _frame(raw: object) -> dict[str, Any]:
    if not isinstance(raw, str):
        return {}
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return frame if isinstance(frame, dict) else {}


def _echo(client_id: object) -> str:
    """The id of a refused frame, as far as it can be one: nothing else is sent back."""
    return client_id if isinstance(client_id, str) and is_client_id(client_id) else ""


async def _say(
    request: Request, page: PageSocket, conversation: Conversation, frame: dict[str, Any]
) -> None:
    context, router = context_of(request), request.app.ctx.router
    try:
        await to_the_end(_take(request, context, router, page, conversation, frame))
    except RefusedError as error:
        context.metrics.messages.labels(error.code).inc()
        page.send(
            {
                "type": "refused",
                "id": _echo(frame.get("id")),
                "code": error.code,
                "message": error.sentence,
                "retry": error.retry,
            }
        )


async def _take(
    request: Request,
    context: Context,
    router: Router,
    page: PageSocket,
    conversation: Conversation,
    frame: dict[str, Any],
) -> None:
    external, text, button = frame.get("id"), frame.get("text"), frame.get("button")
    if not isinstance(external, str) or not isinstance(text, str):
        raise RefusedError("bad_frame", "页面发来的内容读不懂，请刷新页面")
    if button is not None and not isinstance(button, str):
        raise RefusedError("bad_frame", "页面发来的内容读不懂，请刷新页面")
    buckets: Buckets = request.app.ctx.message_buckets
    if not buckets.take(conversation.customer_id):
        raise RefusedError("too_fast", "发得太快了，稍等一下再发这条", retry=True)
    if button is None and joining.is_code(text):
        raise RefusedError("join_code", joining.NOT_HERE)
    incoming = Incoming(conversation.id, external, text, button, channel="web")
    faults.reach("message-received")
    taken = await context.storage.write_first(take, context, incoming, context.clock())
    faults.reach("message-stored")
    page.send({"type": "ack", "id": external, "state": "sent", "repeated": taken.repeated})
    if taken.repeated:
        context.metrics.messages.labels("repeated").inc()
        return
    context.metrics.messages.labels("taken").inc()
    context.hub.publish(taken.entries)
    router.add(taken.message)
    if taken.conversation.owner != BOT or conversation.private:
        context.hub.changed(conversation.business, conversation.id)
