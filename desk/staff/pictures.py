"""Pictures that staff send: checked as those of customers, by the owner of a private chat."""

from functools import wraps

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels import pictures as channel
from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.ingest import (
    PICTURE_TEXT,
    PictureFile,
    RefusedError,
    check_pictures_left,
    is_client_id,
)
from desk.conversations.turn import Committed
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.session import ROOT, Handler, allowed
from desk.staff.speaking import NotPrivateError, own_chat, show
from recovery.ids import fingerprint
from recovery.pictures import BadPictureError
from recovery.roles import Act
from recovery.store import pictures, streams
from recovery.store.conversations import Conversation
from recovery.store.pictures import Picture
from recovery.store.staff import Staff

pages = Blueprint("staff_pictures", url_prefix=ROOT)


def _heard_out(handler: Handler) -> Handler:
    """Read a body that is refused to its end: a browser reads the answer only after it."""

    @wraps(handler)
    async def patient(request: Request, **values: str) -> HTTPResponse:
        try:
            return await handler(request, **values)
        except PageError:
            await channel.drain(request)
            raise

    return patient


@pages.post("/conversations/<conversation_id:str>/pictures", stream=True)
@_heard_out
@allowed(Act.HANDLE)
async def send(request: Request, conversation_id: str) -> HTTPResponse:
    """A picture for the customer of an own private chat."""
    context, who, router = context_of(request), request.ctx.staff, router_of(request)
    client_id = request.args.get("client_id") or ""
    if not is_client_id(client_id):
        raise PageError(400, "bad_request", "图片的编号不对，请刷新页面")

    async def work(content: bytes) -> tuple[Picture, bool]:
        try:
            # Before anything is put on disk; again with the row, since others may be faster.
            await context.storage.read(_check_left, context, conversation_id, who, client_id)
            file = await channel.kept(request, content)
            committed, conversation, picture = await context.storage.write(
                _send, context, conversation_id, who, client_id, file
            )
        except RefusedError as error:
            raise PageError(429, error.code, error.sentence) from error
        router.publish(committed)
        event_id = _event_id(conversation, who, client_id)
        router.spawn(router.staff_said(conversation, event_id, PICTURE_TEXT))
        return picture, not committed.entries

    try:
        # Before the body: who may not send need not be read to the end of ten megabytes.
        await changing(request, context.storage.read(own_chat, conversation_id, who, lock=False))
        with request.app.ctx.uploads.one(f"staff:{who.id}"):
            content = await channel.body_of(request)
            picture, repeated = await changing(request, to_the_end(work(content)))
    except NotPrivateError as error:
        raise PageError(409, "not_private", "图片只能发到私聊里") from error
    except BadPictureError as error:
        raise PageError(415, "bad_picture", error.sentence) from error
    return json({"picture": picture.shown, "repeated": repeated})


def _event_id(conversation: Conversation, who: Staff, client_id: str) -> str:
    return "w" + fingerprint(f"{conversation.id}:{who.id}:picture:{client_id}")[:24]


def _check_left(
    db: Connection, context: Context, conversation_id: str, who: Staff, client_id: str
) -> None:
    """See that there may be one more picture, unless this one was sent before.

    Raises:
        RefusedError: Enough pictures for a day.
    """
    conversation = own_chat(db, conversation_id, who, lock=False)
    event_id = _event_id(conversation, who, client_id)
    if streams.event(db, conversation.shown_in, event_id) is None:
        check_pictures_left(db, context, conversation.id, context.clock(), by_staff=True)


def _send(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    client_id: str,
    file: PictureFile,
) -> tuple[Committed, Conversation, Picture]:
    """Show a picture whose files are on disk; the same client id again is the same picture.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        NotPrivateError: It is a thread in a room.
        RefusedError: Enough pictures for a day.
    """
    conversation = own_chat(db, conversation_id, who)
    event_id = _event_id(conversation, who, client_id)
    known = streams.event(db, conversation.shown_in, event_id)
    if known:
        before = pictures.load(db, known["picture"]["id"])
        if before is None:
            raise PageError(400, "bad_request", "图片的编号不对，请刷新页面")
        return Committed([]), conversation, before
    now = context.clock()
    check_pictures_left(db, context, conversation.id, now, by_staff=True)
    size = file.examined.width, file.examined.height
    picture = pictures.add(
        db, conversation, file.sha256, file.examined.mime, size, file.length, now, staff_id=who.id
    )
    event = {
        "id": event_id,
        "kind": "message",
        "author": "staff",
        "name": who.name,
        "text": PICTURE_TEXT,
        "client_id": client_id,
        "picture": picture.shown,
    }
    return show(db, context, conversation, who, "picture", event), conversation, picture
