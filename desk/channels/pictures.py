"""Pictures of the private chat: taken in as they stream, served as harmless copies."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json, raw

from desk.album import Album
from desk.channels.sessions import context_of, own_conversation
from desk.channels.web import same_origin
from desk.context import Context
from desk.conversations.ingest import (
    PictureFile,
    RefusedError,
    Taken,
    check_pictures_left,
    is_client_id,
    take_picture,
)
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery import faults
from recovery.logs import log
from recovery.pictures import COPY_MIME, MOST_BYTES, BadPictureError, examine
from recovery.store import inbox
from recovery.store import pictures as store
from recovery.store.conversations import Conversation
from recovery.store.pictures import Picture

# Of one customer, and of all: bodies stand in memory until they are checked.
_UPLOADS_EACH = 3
_UPLOADS = 32
# Unpacked a picture may take some 300 MB, so one is unpacked at a time.
PICTURES_AT_ONCE = 1
_UPLOAD_SECONDS = 180.0
# What is read of a body that is refused anyway, for the sake of the answer.
_DRAINED_BYTES = 32 * 1024 * 1024
_DRAINED_SECONDS = 20.0
_TOO_LARGE = f"图片最大{MOST_BYTES // 1024 // 1024}MB，请压缩或截取后再发"
_ID = re.compile(r"p[0-9a-f]{24}")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": 'inline; filename="picture.jpg"',
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A picture never changes; a page that is opened again need not ask for it again.
    "Cache-Control": "private, max-age=3600",
}

pages = Blueprint("customer_pictures", url_prefix="/api")


class Uploads:
    """The uploads that are under way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one(self, customer: str) -> Iterator[None]:
        """Count an upload for the length of the block.

        Raises:
            PageError: Too many at once.
        """
        if self._under_way[customer] >= _UPLOADS_EACH:
            raise PageError(429, "too_fast", "前面的图片还在发送，请等它们发完")
        if self._under_way.total() >= _UPLOADS:
            raise PageError(503, "busy", "现在发图片的人太多，请稍等再发")
        self._under_way[customer] += 1
        try:
            yield
        finally:
            self._under_way[customer] -= 1
            if not self._under_way[customer]:
                del self._under_way[customer]


@pages.post("/conversations/<conversation_id:str>/pictures", stream=True)
async def send(request: Request, conversation_id: str) -> HTTPResponse:
    """A picture from the customer, as a message of the private chat."""
    try:
        return await _received(request, conversation_id)
    except PageError:
        # A browser reads the answer only after it could send its question.
        await drain(request)
        raise


async def _received(request: Request, conversation_id: str) -> HTTPResponse:
    context = context_of(request)
    if not same_origin(request):
        raise PageError(403, "forbidden", "请从本站的页面进入")
    conversation, _ = await own_conversation(request, conversation_id)
    if not conversation.private:
        raise not_found()
    client_id = request.args.get("client_id") or ""
    if not is_client_id(client_id):
        raise PageError(400, "bad_request", "图片的编号不对，请刷新页面")
    buckets: Buckets = request.app.ctx.message_buckets
    if not buckets.take(conversation.customer_id):
        raise PageError(429, "too_fast", "发得太快了，稍等一下再发这张")
    uploads: Uploads = request.app.ctx.uploads
    with uploads.one(conversation.customer_id):
        content = await body_of(request)
        try:
            picture, repeated = await to_the_end(
                _take(request, context, conversation, client_id, content)
            )
        except RefusedError as error:
            context.metrics.messages.labels(error.code).inc()
            raise PageError(429, error.code, error.sentence) from error
        except BadPictureError as error:
            context.metrics.messages.labels("bad_picture").inc()
            raise PageError(415, "bad_picture", error.sentence) from error
    return json({"picture": picture.shown, "repeated": repeated})


async def body_of(request: Request) -> bytes:
    """The body, as long as it keeps to the limit.

    Raises:
        PageError: Too large, by what it says or by what comes; or too slow.
    """
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said[:20]) > MOST_BYTES:
        raise PageError(413, "too_large", _TOO_LARGE)
    content = bytearray()
    try:
        async with asyncio.timeout(_UPLOAD_SECONDS):
            async for part in _parts(request):
                content += part
                if len(content) > MOST_BYTES:
                    raise PageError(413, "too_large", _TOO_LARGE)
    except TimeoutError as error:
        raise PageError(408, "too_slow", "网络太慢，图片没有传完，请再试一次") from error
    return bytes(content)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    stream: Any = request.stream
    async for part in stream:
        yield part


async def drain(request: Request) -> None:
    """Read on for a while and forget it; what is larger still is cut off by the server."""
    drained = 0
    try:
        async with asyncio.timeout(_DRAINED_SECONDS):
            async for part in _parts(request):
                drained += len(part)
                if drained > _DRAINED_BYTES:
                    return
    except TimeoutError:
        return


async def _take(
    request: Request,
    context: Context,
    conversation: Conversation,
    client_id: str,
    content: bytes,
) -> tuple[Picture, bool]:
    """Check, keep, store, show: in this order, so that no row is ever without its file.

    Raises:
        RefusedError: Enough pictures for a day.
        BadPictureError: No picture.
        PageError: The id is that of another message.
    """
    storage = context.storage
    known = await storage.read(inbox.known, conversation.id, client_id)
    repeated = known is not None
    if known is None:
        await storage.read(check_pictures_left, context, conversation.id, context.clock())
        file = await kept(request, content)
        faults.reach("picture-stored")
        taken = await storage.write(
            take_picture, context, conversation.id, client_id, file, context.clock()
        )
        faults.reach("picture-committed")
        known, repeated = taken.message, taken.repeated
        if not repeated:
            _publish(request, context, taken)
    context.metrics.messages.labels("repeated" if repeated else "taken").inc()
    picture = await storage.read(store.load, known.picture) if known.picture else None
    if picture is None:
        raise PageError(400, "bad_request", "图片的编号不对，请刷新页面")
    return picture, repeated


async def kept(request: Request, content: bytes) -> PictureFile:
    """A picture of a request on disk, once it was found to be one.

    Raises:
        BadPictureError: No picture.
    """
    return await keep(request.app.ctx.album, request.app.ctx.picture_slots, content)


async def keep(album: Album, slots: asyncio.Semaphore, content: bytes) -> PictureFile:
    """A picture on disk, once it was found to be one.

    Args:
        album: Where.
        slots: Pictures are unpacked one at a time.
        content: As it came, of an allowed size.

    Raises:
        BadPictureError: No picture.
    """
    async with slots:
        examined = await asyncio.to_thread(examine, content)
    sha256 = await asyncio.to_thread(album.keep, content, examined.copy)
    return PictureFile(sha256, len(content), examined)


def _publish(request: Request, context: Context, taken: Taken) -> None:
    router: Router = request.app.ctx.router
    context.hub.publish(taken.entries)
    router.add(taken.message)
    context.hub.changed(taken.conversation.business, taken.conversation.id)


@pages.get("/conversations/<conversation_id:str>/pictures/<picture_id:str>")
async def show(request: Request, conversation_id: str, picture_id: str) -> HTTPResponse:
    """A picture of the session's own private chat."""
    conversation, _ = await own_conversation(request, conversation_id)
    found = await find(request, conversation, picture_id) if conversation.private else None
    if found is None or found.conversation_id != conversation.id:
        raise not_found()
    return await served(request, found)


async def find(request: Request, conversation: Conversation, picture_id: str) -> Picture | None:
    """A picture that may be looked at from a conversation."""
    if not _ID.fullmatch(picture_id):
        return None
    storage = context_of(request).storage
    return await storage.read(store.seen_from, picture_id, conversation)


async def served(request: Request, picture: Picture) -> HTTPResponse:
    """The copy of a picture, for whoever was found to be allowed to see it.

    Raises:
        PageError: 404, its file is gone.
    """
    album: Album = request.app.ctx.album
    content = await asyncio.to_thread(album.copy_of, picture.sha256)
    if content is None:
        log.error("picture lost", conversation=picture.conversation_id, picture=picture.id)
        raise not_found()
    return raw(content, headers=_HEADERS, content_type=COPY_MIME)
