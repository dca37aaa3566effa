"""Asks customers afterwards how it went: planned when a matter has come to rest, asked once.

What is due stands in the database. The question and that it was asked are one transaction: several
desks ask once, and a process that dies has asked or has not.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.channels.wechat.outgoing.standing import quota_of
from desk.context import Context
from desk.conversations import buttons, follow_up_words
from desk.conversations.follow_up_answers import BY_HAND
from desk.conversations.router import Router
from desk.conversations.turn import Changed, Committed
from recovery import faults
from recovery.business import Business
from recovery.case import Case
from recovery.follow_up.answers import RATE, STOP, STOP_TITLE, TITLES
from recovery.follow_up.deciding import (
    ANSWERED,
    AT_REST,
    Ask,
    Later,
    Standing,
    decide,
    first_due,
)
from recovery.logs import log
from recovery.store import (
    cases,
    conversations,
    customers,
    follow_ups,
    notices,
    persons,
    preferences,
    streams,
)
from recovery.store.conversations import BOT, Conversation
from recovery.store.database import is_away, stamp
from recovery.store.follow_ups import FollowUp
from recovery.store.rested_cases import Rested, rested_since

_EVERY_SECONDS = 5.0
_OTHER_TROUBLE = timedelta(hours=24)


class FollowUpWatch:
    """Plans and asks, for as long as the desk runs. Several may run."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Tells the pages.
        """
        self._context = context
        self._router = router

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Plan what has come to rest and do what is due; returns how many were looked at."""
        context, now = self._context, self._context.clock()
        served = [business.id for business in context.directory]
        since = now - timedelta(hours=context.follow_up.limits.late_hours)
        found = await context.storage.read(rested_since, served, since)
        for rested in found:
            await self._surely(rested.case_id, _planned, rested)
        due = await context.storage.read(follow_ups.due, served, now)
        for one in due:
            faults.reach("follow-up-due")
            committed = await self._surely(one.case_id, look_at, one)
            faults.reach("follow-up-asked")
            self._router.publish(committed)
        return len(found) + len(due)

    async def _surely(self, case_id: str, work: Any, item: Any) -> Committed:  # noqa: ANN401
        """Do one of many in a transaction of its own: a defect in it keeps no other waiting."""
        context = self._context
        try:
            done: Committed = await context.storage.write(work, context, item, context.clock())
            return done
        except Exception as error:
            # The store away concerns all alike, and the worker is tried again as a whole.
            if is_away(error):
                raise
            log.error("follow-up failed", case=case_id, exc_info=error)
            return Committed([])


# --- planning ---------------------------------------------------------------------------------


def _planned(db: Connection, context: Context, rested: Rested, now: datetime) -> Committed:
    """Plan the follow-up of a case that has come to rest, or keep why there is none."""
    conversations.hold_customer(db, rested.customer_id)
    case = cases.load(db, rested.case_id)
    if case is None or not follow_ups.is_unplanned(db, rested.case_id):
        return Committed([])
    private = conversations.of_case(db, case.id, "private")
    where = private or conversations.of_case(db, case.id, "public")
    business = context.directory.business(where.business) if where else None
    if where is None or business is None:
        return Committed([])
    why = _why_not(db, context, case, where)
    ended = datetime.fromisoformat(rested.ended_at) if rested.ended_at else now
    policy = context.follow_up
    due = None if why else first_due(policy, business.industry, ended, business.zone)
    follow_ups.schedule(
        db,
        business=business.id,
        case_id=case.id,
        conversation_id=where.id,
        customer_id=where.customer_id,
        due=due,
        now=now,
        why=why,
    )
    return Committed([], changed=(Changed(business.id, where.id),))


def _why_not(db: Connection, context: Context, case: Case, where: Conversation) -> str | None:
    """Why nobody is asked about a case that has come to rest; None where somebody is."""
    if case.stage == "closed":
        ending = context.follow_up.ending(case.outcome)
        if ending is None or not ending.asks:
            return "no_ask"
    if not where.private:
        # In a room everybody would read both the question and the matter.
        return "out_of_reach"
    person = customers.load(db, where.customer_id).person
    return "refused" if preferences.of(db, person).no_follow_up else None


# --- asking -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What a follow-up is about, in the transaction that holds its customer."""

    one: FollowUp
    conversation: Conversation
    business: Business
    case: Case | None


def look_at(db: Connection, context: Context, one: FollowUp, now: datetime) -> Committed:
    """Do what is to be done with a due follow-up.

    Args:
        db: A writing transaction.
        context: The desk.
        one: As it was read; where it has changed since, nothing is done.
        now: The present moment.
    """
    conversation = conversations.load(db, one.conversation_id, lock=True)
    business = context.directory.business(one.business)
    if conversation is None or business is None:
        # Of a business that was taken out of the settings all is kept until it comes back.
        return Committed([])
    person = customers.load(db, one.customer_id).person
    if not follow_ups.claim(db, one):
        return Committed([])
    changed = (Changed(conversation.business, conversation.id),)
    if one.state == ANSWERED:
        follow_ups.end_words(db, one, now)
        return Committed([], changed=changed)
    asked = _Asked(one, conversation, business, cases.load(db, one.case_id))
    standing = _standing(db, context, asked, person, now)
    match decide(context.follow_up, business.industry, standing, now, business.zone):
        case Ask(number, next_at):
            follow_ups.note_asked(db, one, number, next_at, now)
            return _ask(db, context, asked, number, now)
        case Later(at):
            follow_ups.put_off(db, one, at, now)
            return Committed([])
        case left:
            follow_ups.leave(db, one.id, left.state, left.why, now)
            return Committed([], changed=changed)


def _standing(
    db: Connection, context: Context, asked: _Asked, person: str, now: datetime
) -> Standing:
    one, conversation, case = asked.one, asked.conversation, asked.case
    closed_at, merged = follow_ups.ended(db, one.case_id)
    parts = [conversation, *conversations.all_of_case(db, one.case_id)]
    since = now - timedelta(days=context.follow_up.limits.between_days)
    return Standing(
        state=one.state,
        round=one.round,
        due_at=datetime.fromisoformat(str(one.due_at)),
        rested_at=datetime.fromisoformat(closed_at)
        if closed_at and closed_at > one.updated_at
        else None,
        stage=case.stage if case else None,
        merged=merged is not None,
        undone=follow_ups.has_undone(db, one.case_id),
        busy=any(part.owner != BOT for part in parts) or _other_trouble(db, one, person, now),
        refused=preferences.of(db, person).no_follow_up,
        asked_lately=follow_ups.asked_lately(db, one, since),
        newer=follow_ups.has_newer(db, one),
        moved_on=conversation.case_id not in (None, one.case_id),
        in_reach=_in_reach(db, context, conversation, now),
        planned_at=datetime.fromisoformat(one.created_at),
    )


def _other_trouble(db: Connection, one: FollowUp, person: str, now: datetime) -> bool:
    """Whether something else of the person went wrong just now: not the hour to ask for praise.

    Who complains of it has stopped the question by that; others were told of it by us.
    """
    since = stamp(now - _OTHER_TROUBLE)
    return any(
        other.id != one.case_id and other.stage not in AT_REST and (other.opened_at or "") > since
        for other in persons.cases_of(db, person)
    )


def _in_reach(db: Connection, context: Context, conversation: Conversation, now: datetime) -> bool:
    """Whether a question would arrive: in WeChat only as long as it takes messages from us."""
    if conversation.channel != "wechat" or not any(context.wechat):
        return True
    quota = quota_of(db, context, conversation, now)
    # Outside of the window a template message tells that something waits, where there is one.
    later = any(account.settings.later for account in context.wechat)
    return quota is None or bool(quota["left"]) or later


def by_person(conversation: Conversation, case: Case | None) -> bool:
    """Whether a member of staff asks, since no page is read, or since somebody was at risk."""
    return conversation.channel in BY_HAND or bool(case and case.safety)


def _ask(db: Connection, context: Context, asked: _Asked, number: int, now: datetime) -> Committed:
    one, conversation, case = asked.one, asked.conversation, asked.case
    matter = case.matter if case and case.has_matter else ""
    again = number > 1
    changed = (Changed(conversation.business, conversation.id),)
    if by_person(conversation, case):
        care = conversation.channel not in BY_HAND
        text = follow_up_words.call(matter, again=again, care=care)
        left = notices.add(db, _callers(db, conversation), "follow_up", conversation.id, text, now)
        return Committed([], changed=changed, notices=left)
    event = {
        "id": f"{one.id}.{number}",
        "kind": "message",
        "author": "bot",
        "name": asked.business.assistant,
        "text": follow_up_words.ask(one.id, matter, again=again),
        "buttons": _buttons(context, conversation, one),
        # A question that comes days later is to be heard of outside of WeChat's window too.
        "outside": True,
    }
    entry = streams.append(db, conversation.stream, event, now)
    return Committed([entry] if entry else [], changed=changed)


def _callers(db: Connection, conversation: Conversation) -> list[int]:
    """Who calls the customer: who had the case last, else the supervisors."""
    last = conversation.last_agent
    if last is not None and last in notices.readers(db, conversation.business):
        return [last]
    return notices.overseers(db, conversation.business)


def _buttons(context: Context, conversation: Conversation, one: FollowUp) -> list[dict[str, Any]]:
    """The ratings and the way out, signed for this follow-up."""
    offered = [{"title": title, "payload": f"{RATE}:{number}"} for number, title in TITLES.items()]
    offered.append({"title": STOP_TITLE, "payload": STOP})
    key = context.secrets.signing_key
    return buttons.signed(offered, conversation.id, one.id, key)
