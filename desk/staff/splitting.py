"""Staff split a matter off into a case of its own: chosen messages, or a whole conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations import phrases
from desk.conversations.turn import Changed, Committed, Turn, save
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.matters import failure_of
from desk.staff.merging import held_to_change, reason_of
from desk.staff.proposals import begin_turn
from desk.staff.session import ROOT, allowed, is_id
from recovery.case import Case
from recovery.commands import Note, OpenCase
from recovery.ids import new_id
from recovery.one_customer.merging import split_off
from recovery.roles import Act
from recovery.store import audit_log, case_joins, cases, clocks, conversations, streams
from recovery.store.conversations import Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.webhook import threads as webhook_threads
from recovery.store.wechat import contacts, threads

pages = Blueprint("staff_splitting", url_prefix=ROOT)

MOST_MESSAGES = 30
_HERE = "您说的{matter}，我们单独开了一份来办，不会和这件混在一起。"
_THERE = "{matter}在这里单独办。下面是您之前说的，不用再说一遍。"


@dataclass(frozen=True)
class Wanted:
    """What is to be split off.

    Attributes:
        failure: What the new case is about.
        messages: Ids of the customer's messages that tell of it; none where `whole`.
        whole: The conversation itself goes along.
        reason: For colleagues.
    """

    failure: str
    messages: tuple[str, ...]
    whole: bool
    reason: str


@pages.post("/conversations/<conversation_id:str>/split")
@allowed(Act.HANDLE)
async def split(request: Request, conversation_id: str) -> HTTPResponse:
    """Begin a case of its own with a matter of this one."""
    context, who, body = context_of(request), request.ctx.staff, json_body(request)

    async def work() -> str:
        led_to, committed = await context.storage.write(
            split_case, context, conversation_id, who, body, context.clock()
        )
        router_of(request).publish(committed)
        return led_to

    return json({"conversation": await changing(request, to_the_end(work()))})


def split_case(
    db: Connection,
    context: Context,
    conversation_id: str,
    who: Staff,
    body: dict[str, Any],
    now: datetime,
) -> tuple[str, Committed]:
    """Split a matter off.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: A private one of the case.
        who: Its owner, or who may step in anywhere.
        body: `{"failure", "messages": [ids], "whole": bool, "reason"}`.
        now: The present moment.

    Returns:
        The conversation in which the new case is talked about, and what is to be published.

    Raises:
        LookupError: No such conversation that this account may know of.
        OwnershipError: A colleague has it.
        PageError: It cannot be split so; says why.
    """
    conversation = held_to_change(db, conversation_id, who)
    turn = begin_turn(db, context, conversation, who)
    if turn.case is None:
        raise PageError(409, "no_case", "这段会话还没有案子")
    if not conversation.private:
        raise PageError(409, "public", "请在私聊里拆分，公开区的话留在公开区")
    wanted = _read(context, conversation, body)
    before: dict[str, Any] = {"kept": turn.case.to_state(), "whole": wanted.whole}
    case_id = new_id("s")
    shown: Sequence[str] = ()
    if wanted.whole:
        others = [one for one in conversations.all_of_case(db, turn.case.id) if one.private]
        if len(others) < 2:
            sentence = "这个案子只有这一段私聊，请选要分出去的消息"
            raise PageError(409, "only_part", sentence)
        shown = [
            one.id
            for one in turn.case.offers
            if streams.event(db, conversation.stream, f"{one.id}.open")
        ]
    offers = tuple(one for one in turn.case.offers if one.id in shown)
    left, new = split_off(turn.case, case_id, wanted.failure, offers, now)
    cases.save(db, new, conversation.business, conversation.customer_id, now)
    opened = OpenCase(case_id, wanted.failure, order_number=new.order_number)
    cases.log(db, case_id, turn.source, opened, now)
    turn.case = left
    save(turn)
    cases.log(db, left.id, turn.source, Note({"split_off": case_id}), now)
    if wanted.whole:
        place = _along(turn, new, shown)
    else:
        place = _beside(turn, new, wanted.messages, who)
    before |= {"conversation": place.id}
    join_id = case_joins.add(
        db, "split", place.business, left.id, case_id, before, wanted.reason, who.id, now
    )
    audit_log.note(
        db,
        who,
        "split_case",
        now,
        business=place.business,
        target=conversation.id,
        detail={"join": join_id, "kept": left.id, "new": case_id, "failure": wanted.failure},
    )
    turn.others.append(Changed(place.business, place.id))
    return place.id, turn.committed


def _read(context: Context, conversation: Conversation, body: dict[str, Any]) -> Wanted:
    failure = failure_of(context, conversation.business, body.get("failure"))
    whole, messages = body.get("whole", False), body.get("messages", [])
    if not isinstance(whole, bool) or not isinstance(messages, list):
        raise PageError(400, "bad_request", "请求的格式不对")
    if not all(is_id(one) for one in messages) or len(messages) > MOST_MESSAGES:
        raise PageError(400, "bad_request", f"最多选{MOST_MESSAGES}条消息")
    if not whole and not messages:
        raise PageError(400, "no_messages", "请选要分出去的消息")
    chosen = () if whole else tuple(dict.fromkeys(messages))
    return Wanted(failure, chosen, whole, reason_of(body))


def _along(turn: Turn, new: Case, shown: Sequence[str]) -> Conversation:
    """The conversation itself goes on with the new case, and what was offered in it."""
    here = turn.conversation
    old = here.case_id or ""
    rows = case_joins.rows_of_conversation(turn.db, old, here.id)
    rows |= case_joins.rows_of_offers(turn.db, old, shown)
    case_joins.move(turn.db, rows, old, new.id)
    _say(turn, here.stream, f"{new.id}.split", _THERE.partition("。")[0] + "。", new)
    return conversations.load(turn.db, here.id) or here


def _beside(turn: Turn, new: Case, messages: Sequence[str], who: Staff) -> Conversation:
    """A private chat of its own, in which stands what the customer has said of it."""
    db, here, now = turn.db, turn.conversation, turn.now
    told = [streams.event(db, here.stream, one) for one in messages]
    if any(one is None or one.get("author") != "customer" for one in told):
        raise PageError(400, "bad_messages", "只能分出顾客在这段会话里说的话")
    owner = here.owner if here.agent is not None else staff_owner(who.id)
    place = conversations.begin(
        db,
        here.business,
        here.customer_id,
        now,
        case_id=new.id,
        owner=owner,
        channel=here.channel,
    )
    clocks.person_due(db, place, turn.business, now)
    begun = {
        "kind": "owner",
        "owner": "staff",
        "name": who.name,
        "text": phrases.entered_with(turn.business.name, who.name),
    }
    turn.show(place.stream, f"{place.id}.begun", begun)
    _say(turn, place.stream, f"{new.id}.there", _THERE, new)
    for one in sorted((event for event in told if event), key=lambda event: str(event["at"])):
        copied = {name: value for name, value in one.items() if name not in ("id", "client_id")}
        turn.show(place.stream, f"{one['id']}.split", copied)
    if told and told[-1]:
        conversations.note_message(db, place.id, str(told[-1]["text"]), now)
    contact = contacts.of_conversation(db, here.id)
    if contact is not None:
        # What stands there was said by the customer; what staff say from now on is delivered.
        threads.bind(db, place.id, contact.id, now, planned=streams.last(db, place.stream))
    source = webhook_threads.carried_to(db, here.stream)
    if source is not None:
        # The same at another source; what answers it (`reply_to`, an option) comes in there.
        webhook_threads.bind(db, place.stream, source, planned=streams.last(db, place.stream))
    _say(turn, here.stream, f"{new.id}.here", _HERE, new)
    return place


def _say(turn: Turn, stream: str, event_id: str, words: str, case: Case) -> None:
    text = words.format(matter=case.matter)
    turn.show(stream, event_id, {"kind": "message", "author": "system", "text": text})
