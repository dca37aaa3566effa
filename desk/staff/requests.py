"""Remedies beyond a member's authority: asked of a manager, granted or refused."""

from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.turn import Changed, Committed, Turn
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff import proposals
from desk.staff.advice import Found
from desk.staff.by_hand import CHANNELS
from desk.staff.changes import advisor_of, changing, router_of
from desk.staff.look import Look
from desk.staff.offers import check_place, client_id_of, reason_of
from desk.staff.proposals import Proposal
from desk.staff.session import ROOT, allowed
from recovery.ids import fingerprint
from recovery.orders.system import Product
from recovery.remedy.wishes import BadWishError
from recovery.roles import Act, may
from recovery.store import (
    audit_log,
    cases,
    conversations,
    customers,
    fulfilments,
    notes,
    notices,
    remedy_requests,
    staff,
)
from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.remedy_requests import GRANTED, OPEN, REFUSED, WITHDRAWN, RemedyRequest
from recovery.store.staff import Staff

pages = Blueprint("staff_requests", url_prefix=ROOT)

# What the manager has seen; a grant of something else would be no grant.
_SEEN = ("remedies", "worth_fen", "policy_fen", "floor_fen", "order_number", "failure", "item")


@pages.post("/conversations/<conversation_id:str>/requests")
@allowed(Act.HANDLE)
async def ask(request: Request, conversation_id: str) -> HTTPResponse:
    """Ask a manager for what is beyond one's authority. Sent again it is the same request."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    request_id = "q" + fingerprint(f"{conversation_id}:{who.id}:{client_id_of(body)}")[:24]
    reason, wishes = reason_of(body), body.get("remedies")
    if not reason:
        raise PageError(400, "no_reason", "请写明为什么要这样补救，经理靠它来定")
    await changing(request, context.storage.read(ownership.own, conversation_id, who))
    found = await proposals.found_for(advisor_of(request), conversation_id)

    async def work() -> dict[str, Any]:
        committed, shown = await context.storage.write(
            _ask, context, conversation_id, who, found, wishes, reason, request_id
        )
        router_of(request).publish(committed)
        return shown

    return json(await changing(request, to_the_end(work())))


@pages.delete("/conversations/<conversation_id:str>/requests/<request_id:str>")
@allowed(Act.HANDLE)
async def withdraw(request: Request, conversation_id: str, request_id: str) -> HTTPResponse:
    """Take one's own request back."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            _withdraw, conversation_id, request_id, who, context.clock()
        )
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return empty()


@pages.get("/requests")
@allowed(Act.HANDLE)
async def listed(request: Request) -> HTTPResponse:
    """What waits for a decision or was decided lately: all for who decides, else one's own."""
    context = context_of(request)
    return json({"requests": await context.storage.read(_listed, context, request.ctx.staff)})


@pages.post("/requests/<request_id:str>/grant")
@allowed(Act.GRANT)
async def grant(request: Request, request_id: str) -> HTTPResponse:
    """Grant a request: the offer is made in the conversation at once."""
    context, who = context_of(request), request.ctx.staff
    note = reason_of(json_body(request), "note")
    wanted = await changing(request, context.storage.read(_decidable, request_id, who))
    if wanted.state != OPEN:
        # Only what this manager has granted: sent again it is the same.
        return json(await context.storage.read(_shown, context, wanted))
    found = await proposals.found_for(advisor_of(request), wanted.conversation_id)
    first = await context.storage.read(_proposed, context, wanted, found, who)
    product = await proposals.recommended(context, first)

    async def work() -> dict[str, Any]:
        committed, shown = await context.storage.write(
            _grant, context, request_id, who, found, product, note
        )
        router_of(request).publish(committed)
        return shown

    return json(await changing(request, to_the_end(work())))


@pages.post("/requests/<request_id:str>/refuse")
@allowed(Act.GRANT)
async def refuse(request: Request, request_id: str) -> HTTPResponse:
    """Refuse a request, with a note for who asked."""
    context, who = context_of(request), request.ctx.staff
    note = reason_of(json_body(request), "note")
    if not note:
        raise PageError(400, "no_note", "请写一句为什么不同意，好让同事向顾客交代")

    async def work() -> dict[str, Any]:
        committed, shown = await context.storage.write(_refuse, context, request_id, who, note)
        router_of(request).publish(committed)
        return shown

    return json(await changing(request, to_the_end(work())))


def section(look: Look) -> list[dict[str, Any]]:
    """The requests of a case, oldest first."""
    if look.case is None:
        return []
    found = remedy_requests.of_case(look.db, look.case.id)
    return shown_all(look.db, look.context, found)


def shown_all(db: Connection, context: Context, found: list[RemedyRequest]) -> list[dict[str, Any]]:
    """Requests as pages of staff read them."""
    names = staff.names(db)
    shown = []
    for one in found:
        conversation = conversations.load(db, one.conversation_id)
        case = cases.load(db, one.case_id)
        customer = customers.load(db, conversation.customer_id) if conversation else None
        business = context.directory.business(one.business)
        shown.append(
            {
                "id": one.id,
                "conversation": one.conversation_id,
                "customer": customer.name if customer else "",
                "matter": case.matter if case and case.has_matter else "",
                "business": business.name if business else one.business,
                "asked_by": names.get(one.asked_by, ""),
                "asked_by_id": one.asked_by,
                "asked_at": one.asked_at,
                "reason": one.reason,
                "items": one.content["items"],
                "worth_fen": one.content["worth_fen"],
                "policy_fen": one.content["policy_fen"],
                "needed": one.needed,
                "state": one.state,
                "decided_by": names.get(one.decided_by, "") if one.decided_by else None,
                "decided_at": one.decided_at,
                "answer": one.answer,
            }
        )
    return shown


def _shown(db: Connection, context: Context, one: RemedyRequest) -> dict[str, Any]:
    return shown_all(db, context, [one])[0]


def _listed(db: Connection, context: Context, who: Staff) -> list[dict[str, Any]]:
    now = context.clock()
    if may(who.role, Act.GRANT):
        found = remedy_requests.to_decide(db, who.business, now)
    else:
        found = remedy_requests.asked_by(db, who.id, now)
    return shown_all(db, context, found)


# --- asking -------------------------------------------------------------------------------


def _ask(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    found: Found,
    wishes: object,
    reason: str,
    request_id: str,
) -> tuple[Committed, dict[str, Any]]:
    conversation = ownership.own(db, conversation_id, who)
    known = remedy_requests.load(db, request_id)
    if known is not None:
        return Committed([]), _shown(db, context, known)
    now = context.clock()
    check_place(conversation, cases.load(db, conversation.case_id))
    if remedy_requests.is_open(db, found.case.id):
        raise PageError(409, "request_open", "这个案子已经有一份申请在等经理")
    proposal = _held(db, context, found, who, wishes, now)
    if proposal.verdict.refused is not None:
        raise PageError(400, "bad_remedy", proposal.verdict.refused)
    one = RemedyRequest(
        id=request_id,
        conversation_id=conversation.id,
        case_id=found.case.id,
        business=conversation.business,
        asked_by=who.id,
        asked_at=stamp(now),
        content={"wishes": wishes, **_content(proposal)},
        needed=proposal.verdict.needed,
        reason=reason,
    )
    remedy_requests.add(db, one)
    notes.add(db, conversation.id, who, "request", reason, now)
    deciders = [one for one in notices.granters(db, conversation.business) if one != who.id]
    text = f"{who.name}申请一份补救，请您定"
    told = notices.add(db, deciders, "request", conversation.id, text, now)
    _keep(db, who, "request", one, now)
    return _committed(conversation, told), _shown(db, context, one)


def _held(
    db: Connection, context: Context, found: Found, who: Staff, wishes: object, now: datetime
) -> Proposal:
    try:
        return proposals.propose(db, context, found, who.role, wishes, now)
    except BadWishError as error:
        raise PageError(400, error.code, error.sentence) from error


def _content(proposal: Proposal) -> dict[str, Any]:
    wished, facts = proposal.wished, proposal.found.case.facts
    return {
        "order_number": proposal.found.order.number,
        "failure": facts.get("failure"),
        "item": proposal.item.sku if proposal.item else None,
        "remedies": list(wished.remedies),
        "items": proposal.items,
        "worth_fen": wished.worth,
        "policy_fen": wished.policy_fen,
        "floor_fen": wished.floor_fen,
        "rules": wished.decision.rules,
    }


def _withdraw(
    db: Connection, conversation_id: str, request_id: str, who: Staff, now: datetime
) -> Committed:
    conversation = ownership.known(db, conversation_id, who)
    one = remedy_requests.load(db, request_id)
    if one is None or one.conversation_id != conversation.id or one.asked_by != who.id:
        raise LookupError(request_id)
    if not remedy_requests.settle(db, one.id, WITHDRAWN, now, decided_by=who.id):
        if one.state == WITHDRAWN:
            return Committed([])
        raise _decided()
    _keep(db, who, "withdraw_request", one, now)
    return _committed(conversation)


# --- deciding -----------------------------------------------------------------------------


def _decidable(db: Connection, request_id: str, who: Staff) -> RemedyRequest:
    """A request that this manager may decide, or has granted before.

    Raises:
        LookupError: There is none that this account may know of.
        PageError: It is one's own, or decided.
    """
    one = remedy_requests.load(db, request_id)
    if one is None or not who.sees(one.business):
        raise LookupError(request_id)
    if one.asked_by == who.id:
        raise PageError(403, "own_request", "自己的申请要请另一位经理来定")
    if one.state != OPEN and (one.state, one.decided_by) != (GRANTED, who.id):
        raise _decided()
    return one


def _decided() -> PageError:
    return PageError(409, "decided", "这份申请已经处理过了")


def _proposed(
    db: Connection, context: Context, one: RemedyRequest, found: Found, who: Staff
) -> Proposal:
    """What a request asks for, with the facts as they stand now.

    Raises:
        PageError: 409 `changed`: it is no longer what was asked for.
    """
    changed = PageError(409, "changed", "事实或政策在申请以后变了，请让同事按最新情况重新申请")
    if found.case.id != one.case_id:
        raise changed
    wishes = one.content["wishes"]
    try:
        proposal = proposals.propose(db, context, found, who.role, wishes, context.clock())
    except BadWishError as error:
        raise changed from error
    fresh = _content(proposal)
    if any(fresh[name] != one.content.get(name) for name in _SEEN):
        raise changed
    return proposal


def _grant(
    db: Connection,
    context: Context,
    request_id: str,
    who: Staff,
    found: Found,
    product: Product | None,
    note: str,
) -> tuple[Committed, dict[str, Any]]:
    first = _decidable(db, request_id, who)
    conversation = ownership.known(db, first.conversation_id, who)
    # Read anew: whoever decides holds the conversation.
    one = _decidable(db, request_id, who)
    if one.state != OPEN:
        return Committed([]), _shown(db, context, one)
    turn = proposals.begin_turn(db, context, conversation, who)
    check_place(conversation, turn.case)
    if conversation.agent is None:
        raise PageError(409, "not_with_person", "这段会话现在没有同事负责，请先有人接手再批准")
    # What other cases give for the same order is known from here on.
    fulfilments.hold_order(db, conversation.business, found.order.number)
    proposal = _proposed(db, context, one, found, who)
    if proposal.verdict.refused is not None or not proposal.verdict.allowed:
        raise PageError(409, "beyond", proposal.verdict.why)
    offer_id = "o" + fingerprint(one.id)[:24]
    settled = remedy_requests.settle(
        db, one.id, GRANTED, turn.now, decided_by=who.id, answer=note or None, offer_id=offer_id
    )
    if not settled:
        raise _decided()
    proposals.offer(
        turn,
        proposal,
        who,
        offer_id=offer_id,
        reason=one.reason,
        product=product,
        agreed=False,
        act="grant",
        more={"request": one.id, "asked_by": one.asked_by},
    )
    told = _tell_of_grant(turn, one, who, note)
    granted = remedy_requests.load(db, one.id) or one
    return (
        Committed(turn.entries, turn.promised, turn.changed, told),
        _shown(db, context, granted),
    )


def _tell_of_grant(
    turn: Turn, one: RemedyRequest, who: Staff, note: str
) -> tuple[notices.Notice, ...]:
    """Tell who asked, and who has the conversation by now: the customer will speak to them."""
    conversation, db = turn.conversation, turn.db
    by_voice = conversation.channel in CHANNELS
    done = "请说给顾客听，再记下顾客的答复" if by_voice else "方案已经发给顾客"
    more = f"{done}：{note}" if note else done
    told = notices.add(
        db,
        [one.asked_by],
        "decided",
        conversation.id,
        f"{who.name}批准了您的申请，{more}",
        turn.now,
    )
    owner = conversation.agent
    if owner is not None and owner not in (one.asked_by, who.id):
        asker = staff.names(db).get(one.asked_by, "同事")
        text = f"{who.name}批准了{asker}的申请，{more}"
        told += notices.add(db, [owner], "decided", conversation.id, text, turn.now)
    return told


def _refuse(
    db: Connection, context: Context, request_id: str, who: Staff, note: str
) -> tuple[Committed, dict[str, Any]]:
    one = _decidable(db, request_id, who)
    conversation = ownership.known(db, one.conversation_id, who)
    now = context.clock()
    if not remedy_requests.settle(db, one.id, REFUSED, now, decided_by=who.id, answer=note):
        raise _decided()
    text = f"{who.name}没有同意您的申请：{note}"
    told = notices.add(db, [one.asked_by], "decided", conversation.id, text, now)
    _keep(db, who, "refuse_request", one, now)
    return _committed(conversation, told), _shown(
        db, context, remedy_requests.load(db, one.id) or one
    )


def _keep(db: Connection, who: Staff, act: str, one: RemedyRequest, now: datetime) -> None:
    detail = {
        "request": one.id,
        "asked_by": one.asked_by,
        "kinds": [remedy["kind"] for remedy in one.content["remedies"]],
        "worth_fen": one.content["worth_fen"],
        "policy_fen": one.content["policy_fen"],
    }
    audit_log.note(
        db, who, act, now, business=one.business, target=one.conversation_id, detail=detail
    )


def _committed(conversation: Conversation, told: tuple[notices.Notice, ...] = ()) -> Committed:
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([], changed=changed, notices=told)
