"""The staff page: login, the queue, take, read, answer, set facts, give back."""

import asyncio
import json as jsonlib
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from hmac import compare_digest
from typing import Any, TypeGuard

from sanic import Blueprint, HTTPResponse, Request, Websocket
from sanic.response import empty, json

from desk.channels import pictures
from desk.channels.sessions import context_of, json_body
from desk.channels.socket import GONE, PageSocket, number
from desk.channels.view import for_staff
from desk.channels.web import same_origin
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.ingest import RefusedError, is_client_id
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.hub import DESK
from desk.staff import lists
from desk.staff.advice import Advisor
from desk.staff.facts import read_facts
from recovery import faults
from recovery.ids import fingerprint
from recovery.store import conversations, staff
from recovery.store.conversations import Conversation, OwnershipError, staff_owner
from recovery.store.staff import Staff

COOKIE = "huixin_staff"
_ROOT = "/api/staff"

pages = Blueprint("staff_pages", url_prefix=_ROOT)
sockets = Blueprint("staff_sockets", url_prefix="/ws")

Handler = Callable[..., Awaitable[HTTPResponse]]


async def _who(request: Request) -> tuple[Staff, str]:
    """Who is logged in, with the CSRF token of the session.

    Raises:
        PageError: Nobody.
    """
    context = context_of(request)
    cookie = request.cookies.get(COOKIE)
    found = (
        await context.storage.read(staff.by_session, cookie, context.clock()) if cookie else None
    )
    if found is None:
        raise PageError(401, "not_logged_in", "请先登录")
    return found


def logged_in(handler: Handler) -> Handler:
    """Let members of staff through; a change also needs the session's CSRF token."""

    @wraps(handler)
    async def guarded(request: Request, **values: str) -> HTTPResponse:
        who, csrf = await _who(request)
        if request.method not in ("GET", "HEAD"):
            given = request.headers.get("x-csrf", "")
            if not compare_digest(given.encode(errors="surrogatepass"), csrf.encode()):
                raise PageError(403, "csrf", "页面已过期，请刷新后再试")
        request.ctx.staff = who
        return await handler(request, **values)

    return guarded


@pages.post("/login")
async def login(request: Request) -> HTTPResponse:
    """Log in. One sentence for every cause, so that nothing can be learned from it."""
    context, body = context_of(request), json_body(request)
    name, password = body.get("login"), body.get("password")
    if not request.app.ctx.login_buckets.take(request.remote_addr or request.ip):
        raise PageError(429, "too_fast", "试得太快了，请稍等再试")
    found = None
    if _plausible(name, 80) and _plausible(password, 200):
        known = await context.storage.read(staff.password_hash, name)
        # Costly on purpose: outside of any transaction, and only a few at once.
        async with request.app.ctx.password_slots:
            tried = await asyncio.to_thread(staff.attempt, name, known, password)
        found = await context.storage.write(staff.log_in, tried, context.clock())
    if found is None:
        raise PageError(401, "bad_login", "账号或密码不对，或暂时锁定，请稍后再试")
    who, secret, csrf = found
    response = json({"staff": _member(who), "csrf": csrf})
    response.add_cookie(
        COOKIE,
        secret,
        httponly=True,
        samesite="Strict",
        secure=context.settings.secure_cookies,
        path="/",
    )
    return response


def _plausible(value: object, longest: int) -> TypeGuard[str]:
    """Whether this can be a login or password: text that can be stored and hashed."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _member(who: Staff) -> dict[str, Any]:
    return {"id": who.id, "name": who.name, "role": who.role}


@pages.get("/me")
async def me(request: Request) -> HTTPResponse:
    """Who is logged in."""
    who, csrf = await _who(request)
    return json({"staff": _member(who), "csrf": csrf})


@pages.post("/logout")
@logged_in
async def logout(request: Request) -> HTTPResponse:
    """Log out."""
    context, cookie = context_of(request), request.cookies.get(COOKIE) or ""
    await context.storage.write(staff.log_out, cookie)
    context.hub.signal(_session_topic(cookie), {"type": "ended"})
    response = empty()
    response.delete_cookie(COOKIE, path="/")
    return response


@pages.get("/conversations")
@logged_in
async def all_conversations(request: Request) -> HTTPResponse:
    """The lists, the angriest first."""
    context = context_of(request)
    return json(await context.storage.read(lists.all_lists, context, request.ctx.staff))


@pages.get("/conversations/<conversation_id:str>")
@logged_in
async def one_conversation(request: Request, conversation_id: str) -> HTTPResponse:
    """One conversation with its case, public and private part."""
    context, who = context_of(request), request.ctx.staff
    shown = await context.storage.read(lists.whole_conversation, context, conversation_id, who)
    if shown is None:
        raise not_found()
    row = shown["conversation"]
    if row["owner"] == staff_owner(who.id) and row["unread"]:
        await context.storage.write(lists.note_seen, conversation_id, who, shown["seq"])
    if shown["case"]:
        shown["case"] |= await _advisor(request).advice(conversation_id)
    return json(shown)


@pages.get("/conversations/<conversation_id:str>/pictures/<picture_id:str>")
@logged_in
async def picture(request: Request, conversation_id: str, picture_id: str) -> HTTPResponse:
    """A picture that a customer sent, for who may see the conversation."""
    storage, who = context_of(request).storage, request.ctx.staff
    conversation = await storage.read(conversations.load, conversation_id)
    if conversation is None or not who.sees(conversation.business):
        raise not_found()
    found = await pictures.find(request, conversation, picture_id)
    if found is None:
        raise not_found()
    return await pictures.served(request, found)


async def _change(request: Request, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - what work gives
    """Run a change; an owner's objection becomes an answer that names the owner."""
    try:
        return await work
    except LookupError as error:
        raise not_found() from error
    except OwnershipError as error:
        code = "taken" if error.owner.startswith("staff:") else "not_owner"
        sentence = await _owner_sentence(context_of(request), error.owner)
        raise PageError(409, code, sentence) from error
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error


async def _owner_sentence(context: Context, owner: str) -> str:
    if owner.startswith("staff:"):
        names = await context.storage.read(staff.names)
        return f"现在由{names.get(int(owner.removeprefix('staff:')), '另一位同事')}负责"
    return "现在由机器人负责，请先接手" if owner == "bot" else "还在等候接手，请先接手"


@pages.post("/conversations/<conversation_id:str>/take")
@logged_in
async def take(request: Request, conversation_id: str) -> HTTPResponse:
    """Take a conversation over."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            ownership.take, context, conversation_id, who, context.clock()
        )
        faults.reach("staff-took")
        _router(request).publish(committed)

    await _change(request, to_the_end(work()))
    return json({"owner": staff_owner(who.id)})


@pages.post("/conversations/<conversation_id:str>/answer")
@logged_in
async def answer(request: Request, conversation_id: str) -> HTTPResponse:
    """Say something as the owner."""
    context, body = context_of(request), json_body(request)
    client_id, text = body.get("id"), body.get("text")
    if not isinstance(client_id, str) or not isinstance(text, str) or not is_client_id(client_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    who, router = request.ctx.staff, _router(request)

    async def work() -> tuple[str, bool]:
        committed, conversation, message_id = await context.storage.write(
            ownership.answer, conversation_id, who, client_id, text, context.clock()
        )
        faults.reach("staff-answered")
        router.publish(committed)
        # Also when it was said before: the bot may not have heard it then, and hears it once.
        router.spawn(router.staff_said(conversation, message_id, text))
        return message_id, not committed.entries

    message_id, repeated = await _change(request, to_the_end(work()))
    return json({"id": message_id, "repeated": repeated})


@pages.post("/conversations/<conversation_id:str>/facts")
@logged_in
async def set_facts(request: Request, conversation_id: str) -> HTTPResponse:
    """Set what only staff may judge; answers with the facts and what the policy makes of them."""
    context, who = context_of(request), request.ctx.staff
    given = read_facts(json_body(request))

    async def work() -> None:
        committed = await context.storage.write(
            ownership.note_facts, conversation_id, who, given, context.clock()
        )
        _router(request).publish(committed)

    try:
        await _change(request, to_the_end(work()))
    except ownership.NoCaseError as error:
        raise PageError(409, "no_case", "这段会话还没有案子，没有可以记的") from error
    facts = await context.storage.read(lists.facts_of, conversation_id)
    return json({"facts": facts, **await _advisor(request).advice(conversation_id)})


@pages.post("/conversations/<conversation_id:str>/give_back")
@logged_in
async def give_back(request: Request, conversation_id: str) -> HTTPResponse:
    """Give a conversation back to the bot."""
    context, body = context_of(request), json_body(request)
    note, who = body.get("note"), request.ctx.staff
    memo = note if isinstance(note, str) else ""

    async def work() -> None:
        committed = await context.storage.write(
            ownership.give_back, context, conversation_id, who, memo, context.clock()
        )
        faults.reach("staff-gave-back")
        _router(request).publish(committed)

    await _change(request, to_the_end(work()))
    return json({"owner": "bot"})


def _session_topic(cookie: str) -> str:
    """Where the pages of one login hear that it has ended."""
    return f"session:{fingerprint(cookie)}"


def _router(request: Request) -> Router:
    router: Router = request.app.ctx.router
    return router


def _advisor(request: Request) -> Advisor:
    advisor: Advisor = request.app.ctx.advisor
    return advisor


# --- live ---------------------------------------------------------------------------------


class _StaffSocket:
    """Tells a staff page which lists changed, and sends the conversation it looks at."""

    def __init__(self, context: Context, page: PageSocket) -> None:
        self._context = context
        self._page = page
        self._watched: Conversation | None = None
        self.who: Staff | None = None

    def end(self, _: dict[str, Any]) -> None:
        """The login has ended: nothing more is shown."""
        self._page.end(4401, "not_logged_in")

    def changed(self, frame: dict[str, Any]) -> None:
        if self.who is None or not self.who.sees(frame["business"]):
            return
        event = {"kind": "changed", "conversation": frame["conversation"]}
        # One running number over all businesses; lists are read anew, so gaps do not matter.
        seq = time.time_ns() // 1_000_000
        self._page.send({"type": "event", "stream": "desk:all", "seq": seq, "event": event})

    async def watch(self, conversation_id: str, after: int) -> None:
        """Send the events of one conversation instead of the one before."""
        if self._watched:
            self._page.unfollow(self._watched.stream)
            self._page.unhear(_watch_topic(self._watched))
        found = await self._context.storage.read(conversations.load, conversation_id)
        self._watched = found if found and self.who and self.who.sees(found.business) else None
        if self._watched:
            self._page.follow(self._watched.stream, after)
            self._page.hear(_watch_topic(self._watched))


def _watch_topic(conversation: Conversation) -> str:
    """Where those who look at a conversation hear that its customer types."""
    return f"watch:{conversation.id}"


@sockets.websocket("/staff")  # type: ignore[untyped-decorator]  # Sanic
async def live(request: Request, socket: Websocket) -> None:
    """What changes while a member of staff looks on."""
    context = context_of(request)
    page = PageSocket(context, socket, for_staff)
    desk = _StaffSocket(context, page)
    session = _session_topic(request.cookies.get(COOKIE) or "")
    # Before the check, so that a logout at this very moment is not missed.
    context.hub.hear_signals(session, desk.end)
    context.hub.hear_signals(DESK, desk.changed)
    try:
        if not same_origin(request):
            raise PageError(403, "forbidden", "请从本站的页面进入")
        desk.who, _ = await _who(request)
        await socket.send(jsonlib.dumps({"type": "welcome", "after": number(None)}))
        await page.serve(_read(request, socket, page, desk))
    except PageError as error:
        await socket.close(4000 + error.status_code, error.code)
    except GONE:
        pass
    finally:
        context.hub.leave_signals(DESK, desk.changed)
        context.hub.leave_signals(session, desk.end)
        page.close()


async def _read(request: Request, socket: Websocket, page: PageSocket, desk: _StaffSocket) -> None:
    async for raw in socket:
        try:
            frame = jsonlib.loads(raw)
        except (ValueError, RecursionError):
            continue
        if not isinstance(frame, dict):
            continue
        # The session may have run out since the socket was opened.
        desk.who, _ = await _who(request)
        if frame.get("type") == "ping":
            page.send({"type": "pong"})
        elif frame.get("type") == "watch":
            conversation, after = frame.get("conversation"), frame.get("after")
            if isinstance(conversation, str) and conversation.isascii():
                await desk.watch(conversation, after if isinstance(after, int) else 0)
