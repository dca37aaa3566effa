"""Notes between members of staff: with @mentions, and whispered by a supervisor to the owner."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import clean, is_client_id
from desk.conversations.turn import Changed, Committed
from desk.conversations.veil import Veil, veil_of
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.look import Look, held
from desk.staff.session import ROOT, allowed
from recovery.roles import Act, may
from recovery.store import audit_log, clocks, notes, notices, staff
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.notes import StaffNote
from recovery.store.staff import Staff

pages = Blueprint("staff_notes", url_prefix=ROOT)

_MOST_MENTIONS = 20
_QUOTED = 60


class NobodyToWhisperToError(RuntimeError):
    """A whisper where no colleague owns the conversation."""


class BadMentionError(ValueError):
    """A mention of an account that cannot read the note."""


def section(look: Look) -> list[dict[str, Any]]:
    """The notes of both parts of a case, oldest first, as far as this reader may see them."""
    names = staff.names(look.db)
    parts = {one.id: one for one in look.parts}
    veil = veil_of(look.db, look.conversation)
    shown = []
    for note in notes.of_conversation(look.db, *parts):
        part = parts[note.conversation_id]
        if _may_read(look, part, note):
            whole = note.shown(names)
            shown.append(whole if look.sight.of(part) else veil.over(whole))
    return shown


def _may_read(look: Look, part: Conversation, note: StaffNote) -> bool:
    """A whisper is between supervisors and who has the part that it was whispered in."""
    if note.kind != "whisper" or may(look.who.role, Act.OVERSEE):
        return True
    return part.owner == staff_owner(look.who.id)


@pages.post("/conversations/<conversation_id:str>/notes")
@allowed(Act.HANDLE)
async def write(request: Request, conversation_id: str) -> HTTPResponse:
    """Write a note; who is mentioned hears of it."""
    client_id, text = _read(json_body(request))
    mentions = _mentions(json_body(request).get("mentions", []))
    context, who = context_of(request), request.ctx.staff

    async def work() -> dict[str, Any]:
        committed, note = await context.storage.write(
            _write, context, conversation_id, who, client_id, text, mentions
        )
        router_of(request).publish(committed)
        return note

    try:
        return json(await changing(request, to_the_end(work())))
    except BadMentionError as error:
        raise PageError(400, "bad_mention", "提到的同事不在，或看不到这段会话") from error


@pages.post("/conversations/<conversation_id:str>/whisper")
@allowed(Act.OVERSEE)
async def whisper(request: Request, conversation_id: str) -> HTTPResponse:
    """Tell the owner something that nobody else reads."""
    client_id, text = _read(json_body(request))
    context, who = context_of(request), request.ctx.staff

    async def work() -> dict[str, Any]:
        committed, note = await context.storage.write(
            _whisper, context, conversation_id, who, client_id, text
        )
        router_of(request).publish(committed)
        return note

    try:
        return json(await changing(request, to_the_end(work())))
    except NobodyToWhisperToError as error:
        raise PageError(409, "not_owned", "现在没有同事负责这段会话，可以改写备注") from error


def _read(body: dict[str, Any]) -> tuple[str, str]:
    """Client id and text of a note.

    Raises:
        PageError: They are none.
    """
    client_id, text = body.get("id"), body.get("text")
    if not isinstance(client_id, str) or not isinstance(text, str) or not is_client_id(client_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    return client_id, text


def _mentions(given: object) -> list[int]:
    if not isinstance(given, list) or len(given) > _MOST_MENTIONS:
        raise PageError(400, "bad_request", f"一次最多提到{_MOST_MENTIONS}位同事")
    if any(not isinstance(one, int) or isinstance(one, bool) for one in given):
        raise PageError(400, "bad_request", "请求的格式不对")
    return list(dict.fromkeys(given))


def _write(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    client_id: str,
    text: str,
    mentions: list[int],
) -> tuple[Committed, dict[str, Any]]:
    """Write a note and tell who is mentioned.

    Raises:
        LookupError: No such conversation.
        RefusedError: Empty or too long.
        BadMentionError: Somebody is mentioned who cannot read it.
    """
    conversation = held(db, conversation_id, who)
    names = staff.names(db)
    known = notes.load(db, notes.id_of(conversation.id, who, client_id))
    if known:
        return Committed([]), known.shown(names)
    words, now = clean(text), context.clock()
    readers = set(notices.readers(db, conversation.business))
    if not readers.issuperset(mentions):
        raise BadMentionError(conversation.id)
    note_id = notes.id_of(conversation.id, who, client_id)
    note = notes.add(
        db, conversation.id, who, "note", words, now, mentions=mentions, note_id=note_id
    )
    clocks.noted(db, conversation, context.business(conversation.business), now)
    called = [one for one in mentions if one != who.id]
    veil = veil_of(db, conversation)
    told = _told(who, "在备注里提到了您", veil, words)
    left = notices.add(db, called, "mention", conversation.id, told, now)
    audit_log.note(
        db,
        who,
        "note",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"note": note.id, "mentions": mentions},
    )
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([], changed=changed, notices=left), note.shown(names)


def _whisper(
    db: Connection, context: Context, conversation_id: str, who: Staff, client_id: str, text: str
) -> tuple[Committed, dict[str, Any]]:
    """Whisper to the owner.

    Raises:
        LookupError: No such conversation.
        RefusedError: Empty or too long.
        NobodyToWhisperToError: No colleague owns it.
    """
    conversation = held(db, conversation_id, who)
    names = staff.names(db)
    known = notes.load(db, notes.id_of(conversation.id, who, client_id))
    if known:
        return Committed([]), known.shown(names)
    words, now = clean(text), context.clock()
    owner = conversation.agent
    if owner is None:
        raise NobodyToWhisperToError(conversation.owner)
    note_id = notes.id_of(conversation.id, who, client_id)
    note = notes.add(db, conversation.id, who, "whisper", words, now, note_id=note_id)
    to = [owner] if owner != who.id else []
    told = _told(who, "悄悄告诉您", veil_of(db, conversation), words)
    left = notices.add(db, to, "whisper", conversation.id, told, now)
    audit_log.note(
        db,
        who,
        "whisper",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"note": note.id, "to": owner},
    )
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([], changed=changed, notices=left), note.shown(names)


def _told(who: Staff, what: str, veil: Veil, words: str) -> str:
    """The sentence of a notice. Its reader may not see the customer's data, so it holds none."""
    quoted = veil.text(words).replace("\n", " ")
    short = f"{quoted[:_QUOTED]}…" if len(quoted) > _QUOTED else quoted
    return f"{who.name}{what}：{short}"
