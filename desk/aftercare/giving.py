"""Gestures and recommendations: whether one fits now, and how it is put before the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from desk.aftercare import words
from desk.channels.wechat.outgoing.standing import quota_of
from desk.context import Context
from desk.conversations import buttons
from desk.conversations.turn import Changed, Committed
from recovery.aftercare.gestures import (
    LEAVE,
    NO_MORE,
    TAKE,
    Gesture,
    History,
    load_gestures,
)
from recovery.business import Business
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import (
    cases,
    conversations,
    decisions,
    gestures,
    persons,
    preferences,
    promises,
    streams,
    surveys,
)
from recovery.store.conversations import BOT, Conversation
from recovery.store.database import hold, stamp
from recovery.store.gestures import Offered
from recovery.store.preferences import Preferences
from recovery.store.solved import Solved

_IDLE = timedelta(minutes=10)
"""Who wrote this lately is in the middle of a talk."""
_APART = timedelta(hours=12)
"""Between two things that are sent unasked."""
_GRATEFUL = 4
_AT_REST = ("closed", "agreed")
BY_HAND = frozenset({"phone", "street", "other"})


@dataclass(frozen=True)
class Moment:
    """A solved case in the transaction that holds its conversation.

    Attributes:
        wishes: What the person wishes.
    """

    db: Connection
    context: Context
    solved: Solved
    conversation: Conversation
    business: Business
    case: Case
    wishes: Preferences
    now: datetime

    def say(self, event_id: str, text: str, **more: Any) -> Committed:  # noqa: ANN401 - JSON
        """Say something in the private conversation."""
        event = {
            "id": event_id,
            "kind": "message",
            "author": "bot",
            "name": self.business.assistant,
            "text": text,
            **more,
        }
        entry = streams.append(self.db, self.conversation.stream, event, self.now)
        changed = (Changed(self.conversation.business, self.conversation.id),)
        return Committed([entry] if entry else [], changed=changed)

    def buttons(self, *shown: tuple[str, str]) -> list[dict[str, Any]]:
        """Quick replies, title and payload each, signed for this conversation."""
        wanted = [{"title": title, "payload": payload} for title, payload in shown]
        key = self.context.secrets.signing_key
        return buttons.signed(wanted, self.conversation.id, None, key)


def moment_of(db: Connection, context: Context, solved: Solved, now: datetime) -> Moment | None:
    """Look whether this is a moment at which a customer may be spoken to unasked.

    Args:
        db: A writing transaction.
        context: The desk.
        solved: As it was read.
        now: The present moment.

    Returns:
        None at night, while a person has the conversation or is due, in the middle of a talk,
        while another matter of the person is open, where WeChat takes no message, and for who
        does not want to be asked anything any more.
    """
    conversation = conversations.load(db, solved.conversation_id, lock=True)
    business = context.directory.business(solved.business)
    case = cases.load(db, solved.case_id)
    if conversation is None or business is None or case is None:
        return None
    hold(db, f"aftercare {solved.person}")
    wishes = preferences.of(db, solved.person)
    local = now.astimezone(business.zone)
    if wishes.no_follow_up or load_gestures().pace.is_quiet(local):
        return None
    if conversation.owner != BOT or conversation.case_id != case.id:
        return None
    if case.stage not in _AT_REST:
        return None
    if conversation.channel in BY_HAND or conversation.last_at > stamp(now - _IDLE):
        return None
    if case.level > 0 or case.safety or _open_elsewhere(db, solved):
        return None
    if conversation.channel == "wechat":
        quota = quota_of(db, context, conversation, now)
        if quota is None or not quota["left"]:
            return None
    return Moment(db, context, solved, conversation, business, case, wishes, now)


def _open_elsewhere(db: Connection, solved: Solved) -> bool:
    """Whether another matter of the person is under way."""
    return any(
        one.id != solved.case_id and one.stage not in _AT_REST
        for one in persons.cases_of(db, solved.person)
    )


def spoken_to_lately(moment: Moment) -> bool:
    """Whether something of these was sent within the last hours: one thing at a time."""
    since = moment.now - _APART
    of_whom = moment.solved.business, moment.solved.person
    if surveys.sent_since(moment.db, *of_whom, since):
        return True
    return gestures.had_since(moment.db, *of_whom, since)


# --- gestures ---------------------------------------------------------------------------------


def give(moment: Moment) -> Committed | None:
    """Offer the gesture that fits; None where none does, or one was offered lately."""
    db, solved, now = moment.db, moment.solved, moment.now
    pace = load_gestures().pace
    lately = now - pace.gesture_every
    if gestures.had_since(db, solved.business, solved.person, lately, "gesture"):
        return None
    chosen = load_gestures().choose(_history(moment))
    if chosen is None or spoken_to_lately(moment):
        return None
    if not affordable(db, moment.business, moment.case, solved.customer_id, chosen.cost_fen, now):
        return None
    content: dict[str, Any] = {"title": chosen.title, "why": chosen.why}
    content |= {"remedy": _remedy(chosen, moment.business)} if chosen.remedy else {}
    content |= {"task": chosen.task} if chosen.task else {}
    one = _kept(moment, "gesture", chosen.rule, content, chosen.cost_fen)
    return moment.say(
        f"{one.id}.offered",
        words.gesture(one.case_id, chosen.title, chosen.why),
        buttons=moment.buttons(
            (words.TAKE_TITLE, f"{TAKE}:{one.id}"),
            (words.LEAVE_TITLE, f"{LEAVE}:{one.id}"),
        ),
    )


def _remedy(chosen: Gesture, business: Business) -> dict[str, Any]:
    remedy = {"part": "goodwill", "trade": business.industry, **(chosen.remedy or {})}
    return {**remedy, "worth": chosen.cost_fen}


def _history(moment: Moment) -> History:
    """What is known of the case and the person, from what was decided and promised."""
    case, db = moment.case, moment.db
    facts: Mapping[str, Any] = case.accepted_offer.facts if case.accepted_offer else {}
    return History(
        industry=moment.business.industry,
        wishes=frozenset(one.kind for one in moment.wishes.wishes if one.kind),
        late=any(one.times_late for one in promises.of_case(db, case.id).values()),
        recurrence=int(facts.get("recurrence", 0)),
        tier=str(facts.get("tier", "none")),
        tenure_days=int(facts.get("tenure_days", 0)),
        peak=case.anger.peak if case.anger else 0,
        has_order=case.order_number is not None,
    )


def affordable(
    db: Connection, business: Business, case: Case, customer_id: str, cost_fen: int, now: datetime
) -> bool:
    """Whether the goodwill budgets of the business bear a gesture for a customer."""
    offer = case.accepted_offer
    passed = decisions.budget_passed(
        db,
        business.id,
        # Nobody's name: what others were given does not count.
        offer.order_customer if offer and offer.order_customer else f"nobody:{customer_id}",
        cost_fen,
        business.day_began(now),
        business.goodwill_per_day,
        business.goodwill_per_customer,
        now,
        customer_id=customer_id,
    )
    return passed is None


# --- recommendations --------------------------------------------------------------------------


def recommend(moment: Moment) -> Committed | None:
    """Recommend something of the business's own list; None where that may not be, or nothing is.

    Never to who was not content, never to who refused it, once in a while, marked as what it is.
    """
    solved, now, offered = moment.solved, moment.now, moment.business.recommendations
    if not offered or moment.wishes.no_marketing:
        return None
    if solved.rating is not None and solved.rating < _GRATEFUL:
        return None
    lately = now - load_gestures().pace.recommendation_every
    had_lately = gestures.had_since(
        moment.db, solved.business, solved.person, lately, "recommendation"
    )
    if had_lately or spoken_to_lately(moment):
        return None
    had = gestures.rules_had(moment.db, solved.business, solved.person, "recommendation")
    fresh = next((text for text in offered if _rule(text) not in had), None)
    if fresh is None:
        return None
    one = _kept(moment, "recommendation", _rule(fresh), {"title": fresh, "why": ""}, 0)
    return moment.say(
        f"{one.id}.offered",
        words.recommendation(fresh),
        buttons=moment.buttons((words.NO_MORE_TITLE, f"{NO_MORE}:{one.id}")),
    )


def _rule(text: str) -> str:
    return "own-" + sha256(text.encode()).hexdigest()[:12]


def _kept(moment: Moment, kind: str, rule: str, content: dict[str, Any], cost_fen: int) -> Offered:
    one = Offered(
        new_id("g"),
        moment.solved.business,
        moment.solved.case_id,
        moment.solved.person,
        kind,
        rule,
        content,
        cost_fen,
        gestures.OFFERED,
        stamp(moment.now),
        None,
        kind == "recommendation",
    )
    gestures.offer(moment.db, one)
    return one
