"""The follow-up of a case, for staff: seen, planned, cancelled, the result of a call typed in."""

from datetime import datetime, timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.follow_up import by_person
from desk.conversations.follow_up_answers import take_rating
from desk.conversations.ingest import clean
from desk.conversations.turn import Changed, Committed, Turn
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.look import Look, held
from desk.staff.session import ROOT, allowed
from recovery.case import Case
from recovery.follow_up.answers import HIGHEST, LOWEST
from recovery.follow_up.deciding import ASKED, AT_REST, CANCELLED, ENDED, MOST_ASKS, WAITING
from recovery.roles import Act, may
from recovery.store import audit_log, cases, conversations, customers, follow_ups, preferences
from recovery.store.conversations import Conversation, OwnershipError, staff_owner
from recovery.store.follow_ups import FollowUp
from recovery.store.staff import Staff

pages = Blueprint("staff_follow_ups", url_prefix=ROOT)

_FURTHEST = timedelta(days=30)
_LONGEST_WORDS = 500
_OPEN = (WAITING, ASKED)


def section(look: Look) -> dict[str, Any] | None:
    """How it stands with the follow-up of a case; None where there is no case."""
    if look.case is None:
        return None
    where = look.private or look.conversation
    person = customers.load(look.db, where.customer_id).person
    one = follow_ups.of_case(look.db, look.case.id)
    refused = preferences.of(look.db, person).no_follow_up
    acts = may(look.who.role, Act.HANDLE)
    calls = by_person(where, look.case)
    planned = _why_no_plan(look.case, where, one, refused=refused, calls=calls) is None
    return {
        "state": one.state if one else None,
        "why": one.why if one else None,
        "round": one.round if one else 0,
        "due_at": one.due_at if one and one.state in _OPEN else None,
        "asked_at": one.asked_at if one else None,
        "rating": one.rating if one else None,
        "rated_at": one.rated_at if one else None,
        "words": one.words if one else None,
        "by_person": calls,
        "refused": refused,
        "may_plan": acts and planned,
        "may_cancel": acts and one is not None and one.state in _OPEN,
        "may_answer": acts and calls and (one is None or one.rating is None),
    }


@pages.post("/conversations/<conversation_id:str>/follow_up")
@allowed(Act.HANDLE)
async def plan(request: Request, conversation_id: str) -> HTTPResponse:
    """Plan the follow-up of a case, or another time for it."""
    context, who = context_of(request), request.ctx.staff
    at = _at(json_body(request).get("at"), context.clock())

    async def work() -> None:
        router_of(request).publish(
            await context.storage.write(_plan, context, conversation_id, who, at, context.clock())
        )

    await changing(request, to_the_end(work()))
    return json({"state": WAITING})


@pages.delete("/conversations/<conversation_id:str>/follow_up")
@allowed(Act.HANDLE)
async def cancel(request: Request, conversation_id: str) -> HTTPResponse:
    """Ask nothing more about a case; what was cancelled stays so."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        router_of(request).publish(
            await context.storage.write(_cancel, conversation_id, who, context.clock())
        )

    await changing(request, to_the_end(work()))
    return json({"state": CANCELLED})


@pages.post("/conversations/<conversation_id:str>/follow_up/result")
@allowed(Act.HANDLE)
async def result(request: Request, conversation_id: str) -> HTTPResponse:
    """Take down what a customer has said on the phone, or that nobody was reached."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    rating, words = _result(body)

    async def work() -> str:
        committed, state = await context.storage.write(
            _take_down, context, conversation_id, who, rating, words, context.clock()
        )
        router_of(request).publish(committed)
        return state

    return json({"state": await changing(request, to_the_end(work()))})


def _plan(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    at: datetime | None,
    now: datetime,
) -> Committed:
    conversation, where, case = _held(db, conversation_id, who)
    business = context.business(conversation.business)
    person = customers.load(db, where.customer_id).person
    one = follow_ups.of_case(db, case.id)
    calls = by_person(where, case)
    refused = preferences.of(db, person).no_follow_up
    why_not = _why_no_plan(case, where, one, refused=refused, calls=calls)
    if why_not:
        raise PageError(409, *why_not)
    policy = context.follow_up
    wished = at or now + policy.wait(business.industry).first
    # Staff call when they think fit; the desk keeps the quiet hours in any case.
    due = wished if calls else policy.quiet.over(wished, business.zone)
    if one is not None and one.state == WAITING:
        follow_ups.put_off(db, one, due, now)
    else:
        follow_ups.schedule(
            db,
            business=business.id,
            case_id=case.id,
            conversation_id=where.id,
            customer_id=where.customer_id,
            due=due,
            now=now,
        )
    return _noted(db, conversation, who, "follow_up_plan", {"until": due.isoformat()}, now)


def _why_no_plan(
    case: Case, where: Conversation, one: FollowUp | None, *, refused: bool, calls: bool
) -> tuple[str, str] | None:
    """Why the follow-up of a case cannot be planned: code and sentence; None where it can."""
    if case.stage not in AT_REST:
        return "not_at_rest", "事情还没有办完，办完再回访"
    if refused:
        return "refused", "顾客说过不要再回访"
    if not where.private:
        return "no_private", "顾客没有进过私聊，公开场合不回访"
    if one is None or one.state == WAITING:
        return None
    if one.rating is not None:
        return "answered", "顾客已经答过回访了"
    if one.state == ASKED:
        return "asked", "已经问过顾客，正在等回音"
    if one.round >= MOST_ASKS and one.asked_at and not calls:
        return "asked_twice", "已经问过两次，不再打扰顾客"
    return None


def _cancel(db: Connection, conversation_id: str, who: Staff, now: datetime) -> Committed:
    conversation, _, case = _held(db, conversation_id, who)
    one = follow_ups.of_case(db, case.id)
    if one is None or one.state not in _OPEN:
        return Committed([])
    follow_ups.leave(db, one.id, CANCELLED, "staff", now)
    return _noted(db, conversation, who, "follow_up_cancel", {"case": case.id}, now)


def _take_down(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    rating: int | None,
    words: str,
    now: datetime,
) -> tuple[Committed, str]:
    conversation, where, case = _held(db, conversation_id, who)
    if not by_person(where, case):
        raise PageError(409, "not_by_person", "这位顾客会自己在聊天里答，不用代记")
    one = follow_ups.of_case(db, case.id) or _unplanned(db, case, where, now)
    if one.rating is not None:
        raise PageError(409, "answered", "这次回访已经记过了")
    detail = {"rating": rating, "case": case.id}
    if rating is None:
        if words:
            follow_ups.keep_words(db, one, words, now)
        follow_ups.leave(db, one.id, ENDED, "unreached", now)
        return _noted(db, conversation, who, "follow_up_result", detail, now), ENDED
    turn = Turn(db, context, where, f"w-{who.id}", now, case)
    turn.notices += take_rating(turn, one, rating, spoken=False)
    if words:
        follow_ups.keep_words(db, one, words, now)
    else:
        follow_ups.end_words(db, one, now)
    noted = _noted(db, conversation, who, "follow_up_result", detail, now)
    done = turn.committed
    return Committed(done.entries, changed=noted.changed, notices=done.notices), "answered"


def _unplanned(db: Connection, case: Case, where: Conversation, now: datetime) -> FollowUp:
    """A follow-up that a member of staff has made without a plan: it was asked just now.

    Raises:
        LookupError: Never; the row was written in this very transaction.
    """
    made = follow_ups.schedule(
        db,
        business=where.business,
        case_id=case.id,
        conversation_id=where.id,
        customer_id=where.customer_id,
        due=now,
        now=now,
    )
    one = follow_ups.load(db, made)
    if one is None:
        raise LookupError(made)
    return one


def _held(
    db: Connection, conversation_id: str, who: Staff
) -> tuple[Conversation, Conversation, Case]:
    """What was opened, where its customer is asked, and the case, all kept from others.

    Raises:
        LookupError: No such conversation.
        OwnershipError: A colleague has it.
        PageError: There is no case.
    """
    conversation = held(db, conversation_id, who)
    colleague = conversation.agent is not None and conversation.owner != staff_owner(who.id)
    if colleague and not may(who.role, Act.OVERSEE):
        raise OwnershipError(conversation.owner)
    case = cases.load(db, conversation.case_id)
    if case is None:
        raise PageError(409, "no_case", "还没有案子，没有可回访的事")
    private = conversations.of_case(db, case.id, "private")
    return conversation, private or conversation, case


def _noted(
    db: Connection,
    conversation: Conversation,
    who: Staff,
    act: str,
    detail: dict[str, Any],
    now: datetime,
) -> Committed:
    audit_log.note(
        db,
        who,
        act,
        now,
        business=conversation.business,
        target=conversation.id,
        detail=detail,
    )
    return Committed([], changed=(Changed(conversation.business, conversation.id),))


def _at(given: object, now: datetime) -> datetime | None:
    """When a follow-up is wished for; None: when the rules say.

    Raises:
        PageError: No moment, or one that is over or too far off.
    """
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PageError(400, "bad_request", "请选一个时间")
    if not now < moment <= now + _FURTHEST:
        raise PageError(400, "bad_time", "请选以后30天以内的时间")
    return moment


def _result(body: dict[str, Any]) -> tuple[int | None, str]:
    rating, words = body.get("rating"), body.get("words", "")
    if rating is not None and (isinstance(rating, bool) or not isinstance(rating, int)):
        raise PageError(400, "bad_request", "请选1到5分")
    if rating is not None and not LOWEST <= rating <= HIGHEST:
        raise PageError(400, "bad_request", "请选1到5分")
    if not isinstance(words, str):
        raise PageError(400, "bad_request", "请求的格式不对")
    if len(words) > _LONGEST_WORDS:
        raise PageError(400, "too_long", f"最多{_LONGEST_WORDS}个字")
    return rating, clean(words) if words.strip() else ""
