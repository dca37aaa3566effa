"""Remedies that staff offer: looked at first, then put before the customer."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.dealing import FoundOtherwiseError, GivenBeforeError, TooOftenError
from desk.conversations.ingest import RefusedError, clean, is_client_id
from desk.conversations.turn import Committed
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff import proposals
from desk.staff.advice import Found
from desk.staff.changes import advisor_of, changing, router_of
from desk.staff.session import ROOT, allowed
from recovery import faults
from recovery.case import Case, OfferNotOpenError
from recovery.ids import fingerprint
from recovery.orders.system import Product
from recovery.remedy.wishes import BadWishError
from recovery.roles import Act
from recovery.store import cases, fulfilments
from recovery.store.conversations import Conversation
from recovery.store.decisions import OverBudgetError
from recovery.store.staff import Staff

pages = Blueprint("staff_offers", url_prefix=ROOT)

LONGEST_REASON = 500
_REPEATED = "这个订单在别的案子里已经补救过，还要给请用“另拟方案”写明理由"
_NOT_TAKEN = (
    OfferNotOpenError,
    OverBudgetError,
    GivenBeforeError,
    TooOftenError,
    FoundOtherwiseError,
)


@pages.post("/conversations/<conversation_id:str>/preview")
@allowed(Act.HANDLE)
async def preview(request: Request, conversation_id: str) -> HTTPResponse:
    """What an offer would be worth, how it departs from the policy, who may give it."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    await changing(request, context.storage.read(ownership.own, conversation_id, who))
    found = await proposals.found_for(advisor_of(request), conversation_id)
    wishes = body.get("remedies")
    return json(await context.storage.read(proposals.previewed, context, found, who.role, wishes))


@pages.post("/conversations/<conversation_id:str>/offers")
@allowed(Act.HANDLE)
async def offer(request: Request, conversation_id: str) -> HTTPResponse:
    """Offer what the policy gives, or something else with a reason. Sent again it is the same."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)
    client_id, agreed = client_id_of(body), body.get("agreed", False)
    if not isinstance(agreed, bool):
        raise PageError(400, "bad_request", "请求的格式不对")
    reason, wishes = reason_of(body), body.get("remedies")
    offer_id = offer_id_of(conversation_id, who, client_id)
    known = await changing(request, context.storage.read(_state, conversation_id, who, offer_id))
    if known is not None:
        return json({"offer": offer_id, "state": known})
    found = await proposals.found_for(advisor_of(request), conversation_id)
    first = await context.storage.read(_looked_at, context, found, who, wishes)
    product = await proposals.recommended(context, first)

    async def work() -> str:
        committed, state = await context.storage.write(
            _offer,
            context,
            conversation_id,
            who,
            found,
            wishes,
            offer_id=offer_id,
            reason=reason,
            product=product,
            agreed=agreed,
        )
        faults.reach("staff-offered")
        router_of(request).publish(committed)
        return state

    return json({"offer": offer_id, "state": await changing(request, to_the_end(work()))})


def _state(db: Connection, conversation_id: str, who: Staff, offer_id: str) -> str | None:
    """How an offer stands that was made before; asked as the owner."""
    conversation = ownership.own(db, conversation_id, who)
    case = cases.load(db, conversation.case_id)
    check_place(conversation, case)
    known = case.offer(offer_id) if case else None
    return known.state if known else None


def _looked_at(
    db: Connection, context: Context, found: Found, who: Staff, wishes: object
) -> proposals.Proposal:
    """What would be offered.

    Raises:
        PageError: Nobody may give it, or nothing can be offered.
    """
    try:
        return proposals.propose(db, context, found, who.role, wishes, context.clock())
    except BadWishError as error:
        raise PageError(400, error.code, error.sentence) from error


def _offer(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    found: Found,
    wishes: object,
    *,
    offer_id: str,
    reason: str,
    product: Product | None,
    agreed: bool,
) -> tuple[Committed, str]:
    """Make the offer as the owner.

    Raises:
        LookupError: No such conversation.
        OwnershipError: Somebody else owns it.
        PageError: It may not be offered, or not by this member, or not here.
    """
    conversation = ownership.own(db, conversation_id, who)
    turn = proposals.begin_turn(db, context, conversation, who)
    known = turn.case.offer(offer_id) if turn.case else None
    if known is not None:
        return Committed([]), known.state
    check_place(conversation, turn.case)
    # What other cases give for the same order is known from here on.
    fulfilments.hold_order(db, conversation.business, found.order.number)
    proposal = _looked_at(db, context, found, who, wishes)
    verdict = proposal.verdict
    if verdict.refused is not None:
        raise PageError(400, "bad_remedy", verdict.refused)
    if not verdict.allowed:
        raise PageError(409, "beyond", verdict.why)
    if proposal.repeated and not reason:
        raise PageError(400, "no_reason", _REPEATED)
    if proposal.needs_reason and not reason:
        raise PageError(400, "no_reason", "和政策给的不一样，请写明理由")
    try:
        proposals.offer(
            turn, proposal, who, offer_id=offer_id, reason=reason, product=product, agreed=agreed
        )
    except _NOT_TAKEN as error:
        raise PageError(409, "offer_gone", "方案的前提刚刚变了，请看一眼最新情况再提") from error
    made = turn.case.offer(offer_id) if turn.case else None
    return Committed(turn.entries, turn.promised, turn.changed), made.state if made else "open"


def check_place(conversation: Conversation, case: Case | None) -> None:
    """See whether a remedy can be offered in a conversation at all.

    Raises:
        PageError: In public nothing is offered; what is closed is over.
    """
    if not conversation.private:
        raise PageError(409, "not_private", "补救只在私聊里提，请先请顾客进入私聊")
    if case is not None and case.stage == "closed":
        raise PageError(409, "closed", "这个案子已经结了")


def offer_id_of(conversation_id: str, who: Staff, client_id: str) -> str:
    """Id of an offer that a page has named: the same page's same id is the same offer."""
    return "o" + fingerprint(f"{conversation_id}:{who.id}:{client_id}")[:24]


def client_id_of(body: dict[str, Any]) -> str:
    """The id that a page gives to what it sends.

    Raises:
        PageError: None, or one that no page can have made.
    """
    client_id = body.get("id")
    if not isinstance(client_id, str) or not is_client_id(client_id):
        raise PageError(400, "bad_request", "请求的格式不对")
    return client_id


def reason_of(body: dict[str, Any], name: str = "reason") -> str:
    """A reason as a member of staff has written it, empty where there is none.

    Raises:
        PageError: No text, or too long.
    """
    given = body.get(name)
    if given is None or given == "":
        return ""
    if not isinstance(given, str):
        raise PageError(400, "bad_request", "请求的格式不对")
    if not given.strip():
        return ""
    if len(given) > LONGEST_REASON:
        raise PageError(400, "too_long", f"最多写{LONGEST_REASON}个字")
    try:
        return clean(given)
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error
