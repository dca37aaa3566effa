"""What staff say of a promise: others have it in hand, it is done, it takes until another time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

from sanic import Blueprint, HTTPResponse, Request
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import promising
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError
from desk.staff.offers import reason_of
from desk.staff.remedies import change_remedy, do_by_hand, keep, owned
from desk.staff.session import ROOT, allowed
from recovery.promises.timing import warn_at
from recovery.promises.words import moved_words, staff_sent_words, title_of
from recovery.remedy.catalogue import Remedy
from recovery.roles import Act
from recovery.store import conversations, notes, promises, streams
from recovery.store.fulfilments import Fulfilment
from recovery.store.promises import DONE, LATE, SENT_ON, Promise
from recovery.store.staff import Staff

pages = Blueprint("staff_promises", url_prefix=ROOT)

MOVED = "moved"
STEPS = (SENT_ON, DONE, MOVED)
_FURTHEST = timedelta(days=60)
_SOONEST = timedelta(minutes=1)


@dataclass(frozen=True)
class Step:
    """What a member of staff says of a promise.

    Attributes:
        stage: `sent_on`, `done` or `moved`.
        due: Until when it takes; needed for `moved`, possible for `sent_on`.
        reason: For colleagues; of `moved` it is what the customer reads.
    """

    stage: str
    due: datetime | None
    reason: str


@pages.post("/conversations/<conversation_id:str>/remedies/<key:str>/promise")
@allowed(Act.HANDLE)
async def step(request: Request, conversation_id: str, key: str) -> HTTPResponse:
    """Set the stage or the time of a promise; its customer is told once."""
    context, who = context_of(request), request.ctx.staff
    said = _read(json_body(request), context.clock())
    change = partial(
        context.storage.write, take_step, context, conversation_id, unquote(key), who, said
    )
    return await change_remedy(request, change, "请先接手这段会话，再改办理进度")


def take_step(
    db: Connection, context: Context, conversation_id: str, key: str, who: Staff, said: Step
) -> tuple[Committed, dict[str, Any]]:
    """Take what the owner of a conversation says of a promise.

    Returns:
        What to publish, and `{"key", "stage", "due_at", "repeated"}`.

    Raises:
        LookupError: No such conversation, or no such remedy of it.
        OwnershipError: Somebody else owns the conversation.
        PageError: 409 `under_way`, `is_done`.
    """
    now = context.clock()
    conversation, item = owned(db, conversation_id, key, who)
    if said.stage == DONE and item.state in ("failed", "refused"):
        committed, answer = do_by_hand(db, conversation_id, key, who, said.reason, now)
        return committed, {
            "key": key,
            "stage": DONE,
            "due_at": None,
            "repeated": answer["repeated"],
        }
    if promises.load(db, key) is None:
        told_in = conversations.load(db, item.conversation_id) or conversation
        promising.watch(db, context, key, item.case_id, told_in, item.remedy, now)
    one = promises.load(db, key)
    if one is None:
        raise LookupError(key)
    event = _stepped(db, context, one, item, said, now)
    if event is not None:
        moved, done = said.stage == MOVED, said.stage == DONE
        keep(
            db,
            conversation,
            who,
            "promise_moved" if moved else "promise_done" if done else "promise_sent_on",
            key,
            now,
        )
        notes.add(db, conversation.id, who, "note", _note(item.remedy, said), now)
    entry = streams.append(db, f"private:{item.conversation_id}", event, now) if event else None
    present = promises.load(db, key) or one
    changed = (Changed(conversation.business, item.conversation_id),) if event else ()
    return Committed([entry] if entry else [], changed=changed), {
        "key": key,
        "stage": present.stage,
        "due_at": present.due_at,
        "repeated": event is None,
    }


def _stepped(
    db: Connection, context: Context, one: Promise, item: Fulfilment, said: Step, now: datetime
) -> dict[str, Any] | None:
    """Change the promise; gives what the customer is told, None where it was so already."""
    if one.stage == DONE or promising.is_finished(db, item):
        if said.stage == DONE:
            return None
        raise PageError(409, "is_done", "这一项已经办好了")
    if said.stage == DONE:
        if item.state == "todo":
            raise PageError(409, "under_way", "系统还在办这一项，办成后再登记")
        return promising.ended(db, one, item.remedy, now)
    if said.stage == SENT_ON:
        return _sent_on(db, context, one, item.remedy, said.due, now)
    return _moved(db, context, one, item.remedy, said, now)


def _sent_on(
    db: Connection,
    context: Context,
    one: Promise,
    remedy: Remedy,
    due: datetime | None,
    now: datetime,
) -> dict[str, Any] | None:
    if SENT_ON in one.told:
        return None
    business = context.business(one.business)
    by = due or one.due
    look = warn_at(context.promises, one.promised, by) if not one.times_late else by
    stage = LATE if one.stage == LATE else SENT_ON
    promises.change(db, one, stage, now, due=by, look=max(look, now), tell=SENT_ON)
    time = business.due_words(by, now) if by > now else ""
    text = staff_sent_words(remedy, time)
    return {**_event(one, SENT_ON, remedy, text), "state": "running"}


def _moved(
    db: Connection, context: Context, one: Promise, remedy: Remedy, said: Step, now: datetime
) -> dict[str, Any] | None:
    if said.due is None or one.due == said.due:
        return None
    business = context.business(one.business)
    promises.change(db, one, LATE, now, due=said.due, look=said.due, tell=LATE, late=1)
    time = business.due_words(said.due, now)
    text = moved_words(title_of(remedy), time, said.reason)
    return {**_event(one, f"moved.{one.times_late}", remedy, text), "state": "late"}


def _event(one: Promise, what: str, remedy: Remedy, text: str) -> dict[str, Any]:
    return {
        "id": f"{one.key}.{what}",
        "kind": "progress",
        "title": title_of(remedy),
        "text": text,
    }


def _note(remedy: Remedy, said: Step) -> str:
    words = {SENT_ON: "已转交去办", DONE: "已办好", MOVED: "改了时间"}[said.stage]
    return f"“{title_of(remedy)}”{words}：{said.reason}"


def _read(body: dict[str, Any], now: datetime) -> Step:
    stage = body.get("stage")
    if stage not in STEPS:
        raise PageError(400, "bad_stage", "请选转交、办好或改时间")
    reason = reason_of(body)
    if not reason:
        words = "请写一句给顾客看的原因" if stage == MOVED else "请写一句说明，好让同事以后查得到"
        raise PageError(400, "no_reason", words)
    due = _moment(body.get("due_at"))
    if stage == MOVED and due is None:
        raise PageError(400, "no_time", "请选新的时间")
    if due is not None and not now + _SOONEST <= due <= now + _FURTHEST:
        raise PageError(400, "bad_time", "时间要在现在以后，最多六十天")
    return Step(str(stage), due, reason)


def _moment(given: object) -> datetime | None:
    if given is None or given == "":
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
        if moment is None or moment.utcoffset() is None:
            raise ValueError
        return moment.replace(second=0, microsecond=0)
    except (ValueError, OverflowError) as error:
        raise PageError(400, "bad_time", "时间不对，请重新选") from error
