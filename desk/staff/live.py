"""What changes while a member of staff looks on."""

import asyncio
import json as jsonlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sanic import Blueprint, Request, Websocket
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.channels.socket import GONE, PageSocket, number, text_of
from desk.channels.view import for_staff
from desk.channels.web import same_origin
from desk.context import Context
from desk.conversations.veil import Veil, veil_of
from desk.errors import PageError
from desk.hub import staff_topic
from desk.staff.audience import Audience
from desk.staff.detail import HISTORY, note_seen
from desk.staff.lists import ListedRow
from desk.staff.look import look_at
from desk.staff.masking import Sight, masked_event, sight_of
from desk.staff.session import COOKIE, is_id, session_topic, who_works
from recovery.roles import Act, may
from recovery.store import conversations, presence, streams
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.streams import Entry

sockets = Blueprint("staff_sockets", url_prefix="/ws")

# Of the other part of a case a page may have missed this much while it read the whole.
_AGAIN = 30
_DETAIL_EVERY_SECONDS = 1.0
# A page gives a sign of life every 20 seconds, a hidden one every minute.
_CHECKED_EVERY_SECONDS = 30.0
_SILENT_SECONDS = 90.0
_UNKNOWN = "unknown"
_MOST_SEQ = 10**9


@dataclass
class _Watched:
    """The conversation that a page looks at.

    Attributes:
        parts: The public and the private part of its case, as they were.
        standing: Who owns each part, by id of the part.
        posts: Ids of this customer's posts in the room: what answers them is shown as well.
        starts: From where each stream is sent.
    """

    who: Staff
    conversation: Conversation
    parts: tuple[Conversation, ...]
    standing: dict[str, "_Standing"]
    veil: Veil
    posts: set[str]
    starts: dict[str, int]

    def view(self, entry: Entry) -> dict[str, Any] | None:
        """What the reader sees of an event; nothing of other customers in the same room."""
        part = next((one for one in self.parts if entry.stream in (one.stream, one.shown_in)), None)
        if part is None:
            return None
        event = entry.event
        standing = self.standing[part.id]
        if event["kind"] == "owner" and entry.stream == part.stream and entry.seq > standing.last:
            # Somebody else has it from here on; who is read in a moment.
            standing.owner = _UNKNOWN
        customer = event.get("customer")
        if customer is not None:
            if customer != self.conversation.customer_id:
                return None
            self.posts.add(str(event["id"]))
        elif event.get("reply_to") is not None and event["reply_to"] not in self.posts:
            return None
        shown = for_staff(event)
        return shown if self._sight().of(part) else masked_event(shown, self.veil)

    def _sight(self) -> Sight:
        owners = {part.private: self.standing[part.id].owner for part in self.parts}
        return sight_of(self.who, owners.get(False), owners.get(True))

    @property
    def unsure(self) -> bool:
        """Whether it has to be read who has a part: until then it is masked."""
        return any(one.owner == _UNKNOWN for one in self.standing.values())

    def row_changed(self, row: ListedRow) -> None:
        """Take over what is new in the row of a part; it never shows more than before by itself."""
        standing, owner = self.standing[row.whole["id"]], row.whole["owner"]
        if standing.owner != owner:
            # A row may have been read before the latest change of hands.
            standing.owner = _UNKNOWN
        if row.veil.order is not None:
            self.veil = row.veil


@dataclass
class _Standing:
    """Who owns a part of a case.

    Attributes:
        owner: As of `last`; `_UNKNOWN` until it is read anew.
        last: The latest number of the part's own stream when that was read.
    """

    owner: str
    last: int


class _StaffSocket:
    """Tells a staff page what changes, and sends the conversation it looks at."""

    def __init__(self, context: Context, page: PageSocket, audience: Audience) -> None:
        self._context = context
        self._page = page
        self._audience = audience
        self._watched: _Watched | None = None
        self._detail_told = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.who: Staff | None = None
        self.heard_at = monotonic()
        page.view = self._view

    def _view(self, entry: Entry) -> dict[str, Any] | None:
        watched = self._watched
        if watched is None:
            return None
        shown = watched.view(entry)
        self._make_sure(watched)
        return shown

    def _make_sure(self, watched: _Watched) -> None:
        """Have it read who owns the parts, where that is not known."""
        if watched.unsure:
            self._beside(self._read_standing(watched))

    async def _read_standing(self, watched: _Watched) -> None:
        watched.standing = await self._context.storage.read(_standing, watched.parts)

    def end(self, _: dict[str, Any]) -> None:
        """The login has ended: nothing more is shown."""
        self._page.end(4401, "not_logged_in")

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        self._page.send(frame)

    def rows_changed(
        self, rows: Iterable[ListedRow], gone: Iterable[str], seen_only: Collection[str]
    ) -> None:
        """Tell the page of rows that have changed, as this account may see them."""
        who = self.who
        if who is None or not may(who.role, Act.READ):
            return
        found, away = list(rows), list(gone)
        shown = ",".join(row.text_for(who) for row in found if row.listed)
        if shown or away:
            self._page.send_text(f'{{"type":"rows","rows":[{shown}],"gone":{text_of(away)}}}')
        watched = self._watched
        for row in found:
            if watched is None or row.whole["id"] not in watched.standing:
                continue
            watched.row_changed(row)
            self._make_sure(watched)
            if row.whole["id"] == watched.conversation.id:
                self._watched_changed(who, watched, row)
                if watched.conversation.id not in seen_only:
                    self._tell_detail(watched.conversation.id)

    def _watched_changed(self, who: Staff, watched: _Watched, row: ListedRow) -> None:
        if row.whole["owner"] == staff_owner(who.id) and row.whole["unread"]:
            self._beside(self._seen(who, watched.conversation))

    def _tell_detail(self, conversation: str) -> None:
        """Have the page read the whole again, now or within a second: not at every word."""
        wait = self._detail_told + _DETAIL_EVERY_SECONDS - monotonic()
        if wait <= 0:
            self._detail_told = monotonic()
            self._page.send({"type": "detail", "conversation": conversation})
        elif wait <= _DETAIL_EVERY_SECONDS:
            # Taken for told: what follows until then is read together.
            self._detail_told += _DETAIL_EVERY_SECONDS
            self._beside(self._tell_detail_later(conversation, wait))

    async def _tell_detail_later(self, conversation: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._watched and self._watched.conversation.id == conversation:
            self._page.send({"type": "detail", "conversation": conversation})

    async def _seen(self, who: Staff, conversation: Conversation) -> None:
        """What stands on the owner's open page has been seen."""
        seq = self._page.reached(conversation.shown_in)
        if await self._context.storage.write(note_seen, conversation.id, who, seq):
            self._context.hub.changed(conversation.business, conversation.id, seen_only=True)

    def _beside(self, work: Any) -> None:  # noqa: ANN401 - any coroutine
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def watch(self, conversation_id: str | None, after: int) -> None:
        """Send the events of one conversation, both its parts, instead of the one before.

        A page that has read the whole again goes on where it is; a part that has come into
        being meanwhile is sent as well.

        Args:
            conversation_id: Which one, None for none.
            after: The last number of its stream that the page has seen.
        """
        before, found = self._watched, None
        if conversation_id is not None and self.who is not None:
            found = await self._context.storage.read(
                _watched, self._context, conversation_id, self.who, after
            )
        followed: set[str] = set()
        if before and found and before.conversation.id == found.conversation.id:
            reached = self._page.reached(found.conversation.stream)
            followed = set(before.starts) if 0 < after <= reached else set()
        for stream in before.starts if before else ():
            if stream not in followed:
                self._page.unfollow(stream)
        if before:
            self._page.unhear(_watch_topic(before.conversation))
        if not (before and found and before.conversation.id == found.conversation.id):
            self._detail_told = 0.0
        self._watched = found
        self._audience.look(self, found.conversation.id if found else None)
        if found:
            self._page.hear(_watch_topic(found.conversation))
            for stream, start in found.starts.items():
                if stream not in followed:
                    self._page.follow(stream, start)

    def types(self) -> None:
        """The member of staff writes an answer."""
        self._audience.types(self)

    def leave(self) -> None:
        """The page is gone."""
        self._audience.leave(self)
        for task in tuple(self._tasks):
            task.cancel()


def _watched(
    db: Connection, context: Context, conversation_id: str, who: Staff, after: int
) -> _Watched | None:
    look = look_at(db, context, conversation_id, who)
    if look is None or not may(who.role, Act.READ):
        return None
    conversation = look.conversation
    starts = {conversation.stream: after}
    posts: set[str] = set()
    for part in look.parts:
        for stream in (part.stream, part.shown_in):
            starts.setdefault(stream, max(0, streams.last(db, stream) - _AGAIN))
        if not part.private:
            shown = streams.posts_of(db, part.shown_in, part.customer_id, HISTORY)
            posts |= {str(event["id"]) for event in shown}
    veil, standing = veil_of(db, conversation), _standing(db, look.parts)
    return _Watched(who, conversation, look.parts, standing, veil, posts, starts)


def _standing(db: Connection, parts: tuple[Conversation, ...]) -> dict[str, _Standing]:
    """Who owns the parts now, and up to which number of their streams that is so."""
    found = {}
    for part in parts:
        present = conversations.load(db, part.id) or part
        found[part.id] = _Standing(present.owner, streams.last(db, part.stream))
    return found


def _watch_topic(conversation: Conversation) -> str:
    """Where those who look at a conversation hear that its customer types."""
    return f"watch:{conversation.id}"


@sockets.websocket("/staff")  # type: ignore[untyped-decorator]  # Sanic
async def live(request: Request, socket: Websocket) -> None:
    """What changes while a member of staff looks on."""
    context = context_of(request)
    audience: Audience = request.app.ctx.audience
    page = PageSocket(context, socket, lambda entry: for_staff(entry.event))
    desk = _StaffSocket(context, page, audience)
    session = session_topic(request.cookies.get(COOKIE) or "")
    # Before the check, so that a logout at this very moment is not missed.
    context.hub.hear_signals(session, desk.end)
    audience.enter(desk)
    try:
        if not same_origin(request):
            raise PageError(403, "forbidden", "请从本站的页面进入")
        desk.who = await who_works(request)
        page.hear(staff_topic(desk.who.id))
        await _alive(context, desk.who)
        context.hub.presence()
        await socket.send(jsonlib.dumps({"type": "welcome", "after": number(None)}))
        await page.serve(_read(request, socket, page, desk), _attended(request, desk))
    except PageError as error:
        await socket.close(4000 + error.status_code, error.code)
    except GONE:
        pass
    finally:
        desk.leave()
        context.hub.leave_signals(session, desk.end)
        page.close()


async def _alive(context: Context, who: Staff) -> None:
    """Keep that a page of a member of staff is open."""
    await context.storage.write(presence.sign_of_life, who.id, context.clock())


async def _attended(request: Request, desk: _StaffSocket) -> None:
    """See, whatever the page sends or not, that its login is good and that it is there.

    Raises:
        PageError: It is not.
    """
    while True:
        await asyncio.sleep(_CHECKED_EVERY_SECONDS)
        desk.who = await who_works(request)
        if monotonic() - desk.heard_at > _SILENT_SECONDS:
            raise PageError(408, "silent", "页面没有动静")


async def _read(request: Request, socket: Websocket, page: PageSocket, desk: _StaffSocket) -> None:
    async for raw in socket:
        desk.heard_at = monotonic()
        try:
            frame = jsonlib.loads(raw)
        except (ValueError, RecursionError):
            continue
        if not isinstance(frame, dict):
            continue
        # The session may have run out since the socket was opened.
        desk.who = await who_works(request)
        kind = frame.get("type")
        if kind == "ping":
            await _alive(context_of(request), desk.who)
            page.send({"type": "pong"})
        elif kind == "typing":
            desk.types()
        elif kind == "watch":
            conversation, after = frame.get("conversation"), frame.get("after")
            if conversation is None or is_id(conversation):
                # Whatever is no number has seen nothing.
                seen = after if type(after) is int and 0 <= after < _MOST_SEQ else 0
                await desk.watch(conversation, seen)
