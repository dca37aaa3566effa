"""What became of an offer without a button: the customer's word taken down, or it is taken back."""

from typing import Literal

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.dealing import (
    FoundOtherwiseError,
    GivenBeforeError,
    TooOftenError,
    refuse_offer,
    take_offer,
    withdraw,
)
from desk.conversations.turn import Committed, Turn, save
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.offers import check_place
from desk.staff.proposals import begin_turn
from desk.staff.session import ROOT, allowed
from recovery.case import Offer, OfferNotOpenError
from recovery.commands import Note
from recovery.roles import Act
from recovery.store import audit_log, cases
from recovery.store.decisions import OverBudgetError
from recovery.store.staff import Staff

pages = Blueprint("staff_settling", url_prefix=ROOT)

Settlement = Literal["accept", "refuse", "withdraw"]
_STATES = {"accept": "accepted", "refuse": "refused", "withdraw": "replaced"}
_SETTLED = {
    "accepted": "顾客已经同意这份方案",
    "refused": "顾客已经不要这份方案",
    "replaced": "这份方案已经收回或换掉",
    "open": "这份方案已经过了有效期，请按现在的情况重新提出",
}


@pages.post("/conversations/<conversation_id:str>/offers/<offer_id:str>/accept")
@allowed(Act.HANDLE)
async def accept(request: Request, conversation_id: str, offer_id: str) -> HTTPResponse:
    """Take down that the customer has said yes; what the offer gives is promised, once."""
    return await _settle(request, conversation_id, offer_id, "accept")


@pages.post("/conversations/<conversation_id:str>/offers/<offer_id:str>/refuse")
@allowed(Act.HANDLE)
async def refuse(request: Request, conversation_id: str, offer_id: str) -> HTTPResponse:
    """Take down that the customer has said no."""
    return await _settle(request, conversation_id, offer_id, "refuse")


@pages.post("/conversations/<conversation_id:str>/offers/<offer_id:str>/withdraw")
@allowed(Act.HANDLE)
async def take_back(request: Request, conversation_id: str, offer_id: str) -> HTTPResponse:
    """Take an offer back that nobody has answered."""
    return await _settle(request, conversation_id, offer_id, "withdraw")


async def _settle(
    request: Request, conversation_id: str, offer_id: str, how: Settlement
) -> HTTPResponse:
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        committed = await context.storage.write(
            settle, context, conversation_id, who, offer_id, how
        )
        router_of(request).publish(committed)

    await changing(request, to_the_end(work()))
    return json({"offer": offer_id, "state": _STATES[how]})


def settle(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    offer_id: str,
    how: Settlement,
) -> Committed:
    """Settle an open offer as the owner of its conversation; what is settled so already stays so.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: The private one.
        who: Its owner.
        offer_id: Of its case, of the bot's or of staff.
        how: What became of it.

    Raises:
        LookupError: No such conversation, or no such offer of its case.
        OwnershipError: Somebody else owns it.
        PageError: It is settled otherwise, or cannot be taken any more.
    """
    conversation = ownership.own(db, conversation_id, who)
    turn = begin_turn(db, context, conversation, who)
    offer = turn.case.offer(offer_id) if turn.case else None
    if turn.case is None or offer is None:
        raise LookupError(offer_id)
    if offer.state == _STATES[how]:
        return Committed([])
    check_place(conversation, turn.case)
    if not offer.open_at(turn.now):
        raise PageError(409, "offer_gone", _SETTLED[offer.state])
    _carry_out(turn, offer, who, how)
    save(turn)
    audit_log.note(
        db,
        who,
        "accept_offer"
        if how == "accept"
        else "refuse_offer"
        if how == "refuse"
        else "withdraw_offer",
        turn.now,
        business=conversation.business,
        target=conversation.id,
        detail={
            "offer": offer.id,
            "by": offer.by,
            "worth_fen": offer.floor_fen + offer.goodwill_fen,
            # The customer's own word, as the member of staff heard it.
            "agreed": how == "accept",
        },
    )
    return Committed(turn.entries, turn.promised, turn.changed)


def _carry_out(turn: Turn, offer: Offer, who: Staff, how: Settlement) -> None:
    """Do it.

    Raises:
        PageError: It cannot be taken any more.
    """
    if how == "withdraw":
        withdraw(turn)
        memo = Note({"offer_withdrawn": offer.id, "offer_withdrawn_by": who.login})
        if turn.case:
            cases.log(turn.db, turn.case.id, turn.source, memo, turn.now)
        return
    try:
        if how == "accept":
            take_offer(turn, offer.id)
        else:
            refuse_offer(turn, offer.id)
    except (OverBudgetError, TooOftenError) as error:
        sentence = "心意额度或次数用完了，请收回这份方案，由经理重新提出"
        raise PageError(409, "beyond", sentence) from error
    except (GivenBeforeError, FoundOtherwiseError, OfferNotOpenError) as error:
        sentence = "方案的前提变了，请收回这份方案，按现在的情况重新提出"
        raise PageError(409, "offer_gone", sentence) from error
