"""What order systems report of remedies that they were given: sent on, done, later than was said.

Signed like all that they report (docs/incidents.md). Nothing is kept for later: what is answered
with 200 is committed together with what the customer is told, and the same again changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations import late_promises, promising
from desk.conversations.router import Router
from desk.conversations.turn import Changed, Committed
from desk.finish import to_the_end
from desk.incidents.receiving import body_of, refused, signed_by
from recovery.business import Business
from recovery.incidents.events import EventError
from recovery.orders.system import OrderSystemError, read_expected
from recovery.promises.timing import speak_at
from recovery.store import conversations, fulfilments, promises, streams
from recovery.store.conversations import Conversation
from recovery.store.database import is_away, stamp
from recovery.store.fulfilments import Fulfilment
from recovery.store.promises import DONE, LATE, SENT_ON, Promise

calls = Blueprint("remedy_reports", url_prefix="/api/orders")

STATES = (SENT_ON, DONE, LATE)
_FIELDS = frozenset({"key", "state", "expected"})
_LONGEST_KEY = 48


class NotTakenError(Exception):
    """The order system reports a remedy of which it has not given a receipt."""


@dataclass(frozen=True)
class Report:
    """One report, checked.

    Attributes:
        key: The `Idempotency-Key` with which the remedy came.
        state: `sent_on`, `done` or `late`.
        expected: Until when it takes, None where nobody knows.
    """

    key: str
    state: str
    expected: datetime | None


@calls.post("/<business_id:str>/remedies")
async def report(request: Request, business_id: str) -> HTTPResponse:
    """Take one report of an order system."""
    context, business = context_of(request), signed_by(request, business_id)
    if isinstance(business, HTTPResponse):
        return business
    router: Router = request.app.ctx.router

    async def work(said: Report) -> bool:
        committed = await context.storage.write(take, context, business, said, context.clock())
        router.publish(committed)
        return bool(committed.changed)

    try:
        said = read_report(body_of(request.body))
        new = await to_the_end(work(said))
    except EventError as error:
        return refused(400, "bad_report", error.sentence)
    except LookupError:
        return refused(404, "not_found", "没有这一项补救（no such remedy）")
    except NotTakenError:
        return refused(409, "not_taken", "还没有收到这一项的回执，请稍后再报（no receipt yet）")
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        return refused(503, "away", "暂时存不下，请稍后再送（try again）", again=5)
    return json({"key": said.key, "state": "taken" if new else "repeated"})


def read_report(value: object) -> Report:
    """Read a report from plain JSON.

    Raises:
        EventError: A field is missing, unknown or wrong.
    """
    if not isinstance(value, dict) or not set(value) <= _FIELDS:
        raise EventError("body", "只有 key、state、expected", "an object of key, state, expected")
    key, state = value.get("key"), value.get("state")
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise EventError("key", "请给办理时收到的 Idempotency-Key", "the Idempotency-Key it had")
    if state not in STATES:
        raise EventError("state", f"只有 {'、'.join(STATES)}", f"one of {', '.join(STATES)}")
    try:
        expected = read_expected(value.get("expected"))
    except OrderSystemError as error:
        raise EventError(
            "expected",
            "要带时区的时间，如 2026-11-22T18:00:00+08:00",
            "a time with an offset, like 2026-11-22T18:00:00+08:00",
        ) from error
    return Report(key, str(state), datetime.fromisoformat(expected) if expected else None)


def take(
    db: Connection, context: Context, business: Business, said: Report, now: datetime
) -> Committed:
    """Take a report; gives what to publish, nothing where it was known.

    Raises:
        LookupError: No such remedy of this business.
        NotTakenError: The desk waits for the receipt still.
    """
    item = fulfilments.load(db, said.key)
    if item is None or item.business != business.id:
        raise LookupError(said.key)
    conversation = conversations.load(db, item.conversation_id, lock=True)
    item, one = fulfilments.load(db, said.key), promises.load(db, said.key)
    if conversation is None or item is None:
        raise LookupError(said.key)
    if item.state == "todo":
        raise NotTakenError
    if one is None or not one.open or promising.is_finished(db, item):
        return Committed([])
    if said.state == DONE:
        return _shown(db, conversation, promising.ended(db, one, item.remedy, now), now)
    if said.state == LATE:
        return _late(db, context, business, conversation, one, said.expected, now)
    return _sent_on(db, context, business, conversation, item, one, said.expected, now)


def _sent_on(
    db: Connection,
    context: Context,
    business: Business,
    conversation: Conversation,
    item: Fulfilment,
    one: Promise,
    expected: datetime | None,
    now: datetime,
) -> Committed:
    receipt = fulfilments.receipt_of(db, item.key)
    told = promising.sent_on(db, context, one, item.remedy, receipt, expected, now)
    if told.late is not None:
        return _late(db, context, business, conversation, told.late, told.due, now)
    return _shown(db, conversation, told.event, now)


def _late(
    db: Connection,
    context: Context,
    business: Business,
    conversation: Conversation,
    one: Promise,
    expected: datetime | None,
    now: datetime,
) -> Committed:
    if expected is not None and expected <= one.due:
        return Committed([])
    if expected is None and one.times_late:
        return Committed([])
    speaks = speak_at(business, one.due, now)
    if speaks > now:
        # It is night: the watch tells it in the morning, with the time that was reported.
        if expected is not None:
            fulfilments.note_expected(db, one.key, stamp(expected))
        promises.defer(db, [one.key], speaks, now)
        return Committed([], changed=(Changed(conversation.business, conversation.id),))
    return late_promises.later(db, context, conversation, one, expected, now)


def _shown(
    db: Connection, conversation: Conversation, event: dict[str, Any] | None, now: datetime
) -> Committed:
    if event is None:
        return Committed([])
    entry = streams.append(db, conversation.stream, event, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([entry] if entry else [], changed=changed)
