"""What staff see and do of wishes, gestures and the survey in the case panel."""

from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import clean
from desk.conversations.turn import Changed, Committed
from desk.conversations.veil import veil_of
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.look import Look, held
from desk.staff.masking import sees_whole
from desk.staff.session import ROOT, allowed
from recovery.aftercare.wishes import WORDS, read_wishes
from recovery.roles import Act, may
from recovery.store import audit_log, customers, gestures, preferences, staff, streams, surveys
from recovery.store.conversations import Conversation
from recovery.store.gestures import DONE, TAKEN
from recovery.store.preferences import LONGEST_WISH, Preferences
from recovery.store.staff import Staff

pages = Blueprint("staff_aftercare", url_prefix=ROOT)

_STAFF = "staff:"
_FLAGS = ("no_marketing", "no_follow_up")


def section(look: Look) -> dict[str, Any]:
    """Wishes and preferences of the person, gestures and the survey of the case."""
    person = customers.load(look.db, look.conversation.customer_id).person
    shown = _wishes_shown(look.db, preferences.of(look.db, person))
    case = look.case
    survey = surveys.of_case(look.db, case.id) if case else None
    return {
        **shown,
        "gestures": [one.shown for one in gestures.of_case(look.db, case.id)] if case else [],
        "survey": survey.shown if survey else None,
    }


def _wishes_shown(db: Connection, wishes: Preferences) -> dict[str, Any]:
    names = staff.names(db)
    return {
        "wishes": [
            {
                "text": one.text,
                "kind": WORDS.get(one.kind, ""),
                "at": one.at,
                "by": names.get(int(one.by.removeprefix(_STAFF)), "同事")
                if one.by.startswith(_STAFF)
                else "顾客",
            }
            for one in wishes.wishes
        ],
        "no_marketing": wishes.no_marketing,
        "no_follow_up": wishes.no_follow_up,
    }


@pages.post("/conversations/<conversation_id:str>/wishes")
@allowed(Act.HANDLE)
async def change_wishes(request: Request, conversation_id: str) -> HTTPResponse:
    """Change one thing of what a customer wishes.

    `add` or `drop` a wish by its words, or set `no_marketing` or `no_follow_up`. Who wants to be
    left alone is left alone for good: only who oversees takes that back.
    """
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    [name] = body if len(body) == 1 else [""]
    value = body.get(name)
    if name in ("add", "drop") and isinstance(value, str):
        if not 0 < len(value.strip()) <= LONGEST_WISH:
            raise PageError(400, "bad_wish", f"写清楚顾客的心意，最多{LONGEST_WISH}个字")
    elif name not in _FLAGS or not isinstance(value, bool):
        raise PageError(400, "bad_request", "请求的格式不对")
    if name in _FLAGS and not value and not may(who.role, Act.OVERSEE):
        raise PageError(403, "forbidden", "顾客说过不要，要恢复请主管来改")

    async def work() -> dict[str, Any]:
        committed, shown = await context.storage.write(
            _change, context, conversation_id, who, name, value
        )
        router_of(request).publish(committed)
        return shown

    return json(await changing(request, to_the_end(work())))


def _change(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    name: str,
    value: Any,  # noqa: ANN401 - text or a flag, checked
) -> tuple[Committed, dict[str, Any]]:
    """Change it, with an entry in the audit log; says nothing to the customer.

    Raises:
        LookupError: No such conversation.
        RefusedError: The words cannot be kept.
    """
    conversation = held(db, conversation_id, who)
    person, now = customers.load(db, conversation.customer_id).person, context.clock()
    match name:
        case "add":
            words = clean(value)
            sure = read_wishes(words).wishes
            # What staff write in a sure form is acted upon as if the customer had written it.
            kind = sure[0][0] if len(sure) == 1 else ""
            preferences.add_wish(db, person, words, f"{_STAFF}{who.id}", now, kind=kind)
        case "drop":
            preferences.drop_wish(db, person, value, now)
        case "no_marketing":
            preferences.refuse_marketing(db, person, now, on=value)
        case _:
            preferences.refuse_follow_up(db, person, now, on=value)
    _note(db, who, conversation, name, value, now)
    shown = _wishes_shown(db, preferences.of(db, person))
    if not sees_whole(who, conversation.owner):
        shown = veil_of(db, conversation).over(shown)
    return _done(conversation), shown


def _note(
    db: Connection,
    who: Staff,
    conversation: Conversation,
    name: str,
    value: Any,  # noqa: ANN401 - text or a flag
    now: datetime,
) -> None:
    """Of a customer's words the log keeps that there were some, not which."""
    detail = {name: value} if isinstance(value, bool) else {"change": name}
    audit_log.note(
        db,
        who,
        "wishes",
        now,
        business=conversation.business,
        target=conversation.id,
        detail=detail,
    )


@pages.post("/conversations/<conversation_id:str>/gestures/<gesture_id:str>/done")
@allowed(Act.HANDLE)
async def gesture_done(request: Request, conversation_id: str, gesture_id: str) -> HTTPResponse:
    """Say that a task that a customer has taken as a gesture is done; the customer is told."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        router_of(request).publish(
            await context.storage.write(_done_task, context, conversation_id, gesture_id, who)
        )

    await changing(request, to_the_end(work()))
    return json({"state": DONE})


def _done_task(
    db: Connection, context: Context, conversation_id: str, gesture_id: str, who: Staff
) -> Committed:
    """Mark it done, once.

    Raises:
        LookupError: No such gesture in this conversation's case, or nothing that staff do.
    """
    conversation = held(db, conversation_id, who)
    one = gestures.load(db, gesture_id)
    if one is None or one.case_id != conversation.case_id or not one.content.get("task"):
        raise LookupError(gesture_id)
    now = context.clock()
    if not gestures.settle(db, one.id, DONE, now, expected=TAKEN):
        if one.state == DONE:
            return Committed([])
        raise LookupError(gesture_id)
    audit_log.note(
        db,
        who,
        "gesture_done",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"key": one.id},
    )
    title = str(one.content["title"])
    event = {
        "id": f"{one.id}.done",
        "kind": "progress",
        "title": title,
        "text": f"“{title}”同事已经为您办好",
        "state": "done",
    }
    private = conversation if conversation.private else None
    entry = streams.append(db, private.stream, event, now) if private else None
    return Committed([entry] if entry else [], changed=_done(conversation).changed)


def _done(conversation: Conversation) -> Committed:
    return Committed([], changed=(Changed(conversation.business, conversation.id),))
