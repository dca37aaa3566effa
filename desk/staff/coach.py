"""Suggestions and warnings for who writes an answer; nothing is sent by itself."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import LONGEST
from desk.conversations.ownership import answer_id
from desk.errors import PageError, not_found
from desk.staff.by_hand import CHANNELS
from desk.staff.changes import advisor_of
from desk.staff.look import Look, look_at
from desk.staff.masking import sees_whole
from desk.staff.session import ROOT, allowed
from recovery.case import Case
from recovery.clock import spoken_moment
from recovery.coach.suggestions import Moment, Suggestion, suggest
from recovery.coach.warnings import Situation, Warning, apologises, warnings
from recovery.remedy.catalogue import card
from recovery.roles import Act
from recovery.store import customers, fulfilments, remedy_requests, streams
from recovery.store.conversations import staff_owner
from recovery.store.customers import NAMELESS
from recovery.store.staff import Staff

pages = Blueprint("staff_coach", url_prefix=ROOT)

# Of each part; what was said longer ago may be said again.
_LOOKED_BACK = 100
# An apology of so many answers ago is not heard any more.
_STILL_HEARD = 10
_SILENT_AFTER = timedelta(hours=2)
_WHOLE_PRICE_BP = 10_000


@dataclass(frozen=True)
class Said:
    """One message of a conversation."""

    author: str
    name: str
    text: str
    at: str


@pages.get("/conversations/<conversation_id:str>/suggestions")
@allowed(Act.HANDLE)
async def suggestions(request: Request, conversation_id: str) -> HTTPResponse:
    """Replies that fit the present state."""
    context, who = context_of(request), request.ctx.staff
    found = await context.storage.read(suggestions_for, context, conversation_id, who)
    if found is None:
        raise not_found()
    return json({"suggestions": [vars(one) for one in found]})


@pages.post("/conversations/<conversation_id:str>/check")
@allowed(Act.HANDLE)
async def check(request: Request, conversation_id: str) -> HTTPResponse:
    """What to mind before this is sent."""
    text = json_body(request).get("text")
    if not isinstance(text, str) or len(text) > LONGEST:
        raise PageError(400, "bad_request", "请求的格式不对")
    found = await warnings_for(request, conversation_id, text)
    return json({"warnings": [vars(one) for one in found]})


async def warned(
    request: Request, conversation_id: str, client_id: str, text: str
) -> HTTPResponse | None:
    """What the route of answers says instead of sending, where there is something to mind.

    Returns:
        409 `warned`; None where nothing is to be minded, and where it is not this member's to
        answer, or was said before: then there is nothing to keep from being sent. In a case by
        hand it has been said already, and is only written down.
    """
    context, who = context_of(request), request.ctx.staff
    if not await context.storage.read(_about_to_say, conversation_id, who, client_id, context):
        return None
    found = await warnings_for(request, conversation_id, text)
    if not found:
        return None
    error = {"code": "warned", "message": "发送前请再看一眼标出的话"}
    return json({"error": error, "warnings": [vars(one) for one in found]}, status=409)


def _about_to_say(
    db: Connection, conversation_id: str, who: Staff, client_id: str, context: Context
) -> bool:
    look = look_at(db, context, conversation_id, who)
    if look is None or look.conversation.owner != staff_owner(who.id):
        return False
    if look.conversation.channel in CHANNELS:
        return False
    event_id = answer_id(look.conversation, who, client_id)
    return streams.event(db, look.conversation.shown_in, event_id) is None


async def warnings_for(request: Request, conversation_id: str, text: str) -> list[Warning]:
    """What a member of staff should mind before saying this.

    The policy is asked only where the words promise something: that takes an order system.

    Raises:
        PageError: 404, no such conversation.
    """
    context, who = context_of(request), request.ctx.staff
    situation = await context.storage.read(situation_of, context, conversation_id, who)
    if situation is None:
        raise not_found()
    # Beside the event loop: whoever writes at length keeps nobody waiting.
    found = await asyncio.to_thread(warnings, text, situation)
    if not any(one.kind == "promise" for one in found):
        return found
    advice = (await advisor_of(request).advice(conversation_id))["advice"]
    if not advice:
        return found
    return await asyncio.to_thread(warnings, text, _with_advice(situation, advice))


def situation_of(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> Situation | None:
    """What a text is read against; None where there is no such conversation."""
    look = look_at(db, context, conversation_id, who)
    if look is None:
        return None
    ours = [one for one in said_in(look) if one.author in ("bot", "staff")]
    situation = Situation(
        private=look.conversation.private,
        apologised=any(apologises(one.text) for one in ours[-_STILL_HEARD:]),
    )
    for offer in look.case.offers if look.case else ():
        if offer.state in ("open", "accepted"):
            total = offer.floor_fen + offer.goodwill_fen
            situation = _with(situation, offer.remedies, total)
    return situation


def _with_advice(situation: Situation, advice: Mapping[str, Any]) -> Situation:
    """The same, with what the policy would give."""
    remedies = [{**item["wish"], "worth": item["worth"]} for item in advice["items"]]
    return _with(situation, remedies, advice["floor_fen"] + advice["goodwill_fen"])


def _with(situation: Situation, remedies: Iterable[Mapping[str, Any]], total: int) -> Situation:
    """The same, with what was offered."""
    for one in remedies:
        sums = [int(one[name]) for name in ("worth", "fen") if one.get(name) is not None]
        bp = int(one.get("bp") or 0)
        situation = replace(
            situation,
            most_fen=max(situation.most_fen, total, *sums),
            most_bp=max(situation.most_bp, bp),
            whole=situation.whole or one["kind"] == "refund_full" or bp >= _WHOLE_PRICE_BP,
            times=situation.times or one["kind"] == "damages",
        )
    return situation


def said_in(look: Look) -> list[Said]:
    """The latest messages of both parts of a case, oldest first."""
    events: list[dict[str, Any]] = []
    if look.public:
        public = look.public
        posts = streams.posts_of(look.db, public.shown_in, public.customer_id, _LOOKED_BACK)
        events += [one for one in posts if one.get("customer") in (None, public.customer_id)]
    if look.private:
        after = max(0, streams.last(look.db, look.private.stream) - _LOOKED_BACK)
        found = streams.after(look.db, look.private.stream, after, _LOOKED_BACK)
        events += [entry.event for entry in found]
    said = [
        Said(event["author"], event.get("name") or "", event["text"], event["at"])
        for event in events
        if event["kind"] == "message"
    ]
    return sorted(said, key=lambda one: one.at)


def suggestions_for(
    db: Connection, context: Context, conversation_id: str, who: Staff
) -> list[Suggestion] | None:
    """Suggested replies; None where there is no such conversation."""
    look = look_at(db, context, conversation_id, who)
    if look is None:
        return None
    said = said_in(look)
    ours = [one.text for one in said if one.author != "customer"]
    return suggest(_moment(look, said), ours)


def _moment(look: Look, said: list[Said]) -> Moment:
    business = look.context.directory.business(look.conversation.business)
    case, conversation, now = look.case, look.conversation, look.now
    customer = customers.load(look.db, conversation.customer_id)
    known = customer.name != NAMELESS and sees_whole(look.who, conversation.owner)
    ours = [one for one in said if one.author in ("bot", "staff")]
    by_customer = [one for one in said if one.author == "customer"]
    last = said[-1] if said else None
    quiet_since = datetime.fromisoformat(by_customer[-1].at) if by_customer else now
    waits = last is not None and last.author == "customer"
    moment = Moment(
        private=conversation.private,
        stage=case.stage if case else "",
        reason=conversation.reason or (case.reason if case else None),
        anger=case.level if case else 0,
        matter=case.matter if case and case.has_matter else "您说的这件事",
        customer=customer.name if known else "",
        staff=look.who.name,
        time=business.person_by_words(now) if business else "稍后",
        introduced=any(one.author == "staff" and one.name == look.who.name for one in said),
        waits=waits,
        silent=not waits and bool(by_customer) and now - quiet_since > _SILENT_AFTER,
        apologised=any(apologises(one.text) for one in ours[-_STILL_HEARD:]),
        calls=look.context.settings.video_calls is not None,
    )
    return _with_remedies(look, case, moment) if case else moment


def _with_remedies(look: Look, case: Case, moment: Moment) -> Moment:
    """The same, with what was offered, asked for and carried out."""
    business = look.context.directory.business(look.conversation.business)
    offer = case.open_offer(look.now)
    expires = ""
    if offer and business:
        until = datetime.fromisoformat(offer.expires_at)
        expires = spoken_moment(until, look.now, business.zone)
    titles: dict[str, list[str]] = {"todo": [], "done": [], "refused": [], "failed": []}
    for item in fulfilments.of_case(look.db, case.id):
        titles[item["state"]].append(card([item["remedy"]])[0]["title"])
    requests = remedy_requests.of_case(look.db, case.id)
    advice = case.facts.get("advice")
    return replace(
        moment,
        order_known=case.order_number is not None,
        lacks_evidence=bool(isinstance(advice, dict) and advice.get("lacks_evidence"))
        and case.facts.get("evidence") != "photo",
        offered=tuple(line["title"] for line in card(offer.remedies)) if offer else (),
        expires=expires,
        refused=bool(case.offers) and case.offers[-1].state == "refused",
        failed=(*titles["failed"], *titles["refused"]),
        running=tuple(titles["todo"]),
        done=tuple(titles["done"]),
        requested=any(one.state == "open" for one in requests),
    )
