"""One custom action a turn: public, opening of the private chat, private."""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.exc import SQLAlchemyError

from actions.before import affordable_for, earlier_cases, past_of, proved_before
from actions.context import Context, current
from recovery import faults
from recovery.business import Business
from recovery.case import Case, OfferNotOpenError, apply, hear
from recovery.clock import utc_now
from recovery.commands import BadCommandError, Command, HandOver, OpenCase, from_wire, to_wire
from recovery.dialogue.continuing import continued
from recovery.dialogue.private import opening_turn, private_turn
from recovery.dialogue.public import public_turn
from recovery.dialogue.reply import Pressed, Reply, Say, Turn, Underway
from recovery.ids import fingerprint
from recovery.logs import log
from recovery.orders.remote import within
from recovery.orders.system import OrderSystemError
from recovery.remedy.facts import FactsError
from recovery.remedy.policy import PolicyError
from recovery.store import cases, fulfilments, preferences, underway
from recovery.understood import Understood


class _Turn:
    """Base: reads, decides, says; never writes.

    Not an `Action` itself, since rasa-sdk registers every subclass.
    """

    action_name: ClassVar[str]

    def decide(self, turn: Turn) -> Reply:
        """Decide what to say and do."""
        raise AssertionError(f"{type(self).__name__} decides nothing")

    def name(self) -> str:
        """Name in the domain."""
        return self.action_name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer one message.

        Args:
            dispatcher: Takes responses by name and one custom payload with the commands.
            tracker: Latest message with metadata; without metadata (rasa shell) the case is
                folded from the commands in the events.
            domain: Not used, not sent.

        Returns:
            The new stage as a slot event.
        """
        faults.reach("action-called")
        context = current()
        metadata = tracker.latest_message.get("metadata") or {}
        business = _business(context, metadata)
        # Stores and order systems are waited for in a thread: others get their turn meanwhile.
        case, reply = await asyncio.to_thread(
            self._reply_in_time, context, business, metadata, tracker
        )
        _utter(dispatcher, reply, business)
        faults.reach("action-decided")
        if _is_public(metadata):
            return []
        return [SlotSet("stage", _stage_after(case, reply.commands))]

    def _reply_in_time(
        self, context: Context, business: Business, metadata: dict[str, Any], tracker: Tracker
    ) -> tuple[Case | None, Reply]:
        # An action has three seconds, however many questions it asks.
        with within():
            return self._reply(context, business, metadata, tracker)

    def _reply(
        self, context: Context, business: Business, metadata: dict[str, Any], tracker: Tracker
    ) -> tuple[Case | None, Reply]:
        """The case with this message's anger in it, and the answer."""
        picture = metadata.get("picture")
        heard = Understood.from_parse(tracker.latest_message)
        if picture:
            # A picture has no words that could be angry.
            heard = replace(heard, anger=0, signals={}, flags=frozenset())
        case: Case | None = None
        now = utc_now()
        try:
            known = _known(context, metadata, tracker)
            case = known.case if picture or not known.case else hear(known.case, heard.anger, now)
            today = now.astimezone(business.zone).date()
            turn = Turn(
                message=_message_id(tracker),
                heard=heard,
                business=business,
                case=case,
                now=now,
                orders=context.orders,
                policy=context.policy.on(business.industry, today),
                external_customer=known.external,
                pressed=_pressed(metadata),
                underway=known.underway,
                given_before=_given_before(context, business),
                past=past_of(context, business, metadata.get("customer")),
                affordable=affordable_for(context, business, metadata.get("customer")),
                picture=picture,
                expected=_expected(metadata),
                proved_orders=known.proved_orders,
                unwanted=known.unwanted,
            )
            went_on = continued(
                turn,
                partial(earlier_cases, context, metadata),
                self.decide,
                public=_is_public(metadata),
            )
            return went_on or (case, self.decide(turn))
        except (
            OrderSystemError,
            PolicyError,
            FactsError,
            SQLAlchemyError,
            OfferNotOpenError,
        ) as error:
            if _is_public(metadata):
                # The desk asks again; meanwhile nothing wrong is said before everybody.
                raise
            # The customer gets a person rather than silence; the operator gets the cause.
            log.error("turn failed", sender=tracker.sender_id, error=repr(error))
            return case, _failed(business, heard)


class ActionPublic(_Turn, Action):  # type: ignore[misc]  # rasa-sdk has no types
    """Answers a post in a public room."""

    action_name = "action_public"

    def decide(self, turn: Turn) -> Reply:
        """See `recovery.dialogue`."""
        return public_turn(turn)


class ActionOpen(_Turn, Action):  # type: ignore[misc]  # rasa-sdk has no types
    """Speaks first when the customer has entered the private chat."""

    action_name = "action_open"

    def decide(self, turn: Turn) -> Reply:
        """See `recovery.dialogue`."""
        return opening_turn(turn)


class ActionPrivate(_Turn, Action):  # type: ignore[misc]  # rasa-sdk has no types
    """Answers a message of the private chat."""

    action_name = "action_private"

    def decide(self, turn: Turn) -> Reply:
        """See `recovery.dialogue`."""
        return private_turn(turn)


def _business(context: Context, metadata: dict[str, Any]) -> Business:
    """The business of the message; in `rasa shell` the first one, or `HUIXIN_BUSINESS`."""
    named = metadata.get("business") or os.environ.get("HUIXIN_BUSINESS", "")
    return context.directory.business(named) or next(iter(context.directory))


@dataclass(frozen=True)
class _Known:
    """What the stores know: the case, its remedies, and the customer's id at the host site."""

    case: Case | None
    external: str | None = None
    underway: tuple[Underway, ...] = ()
    proved_orders: tuple[str, ...] = ()
    unwanted: frozenset[str] = frozenset()


def _is_public(metadata: dict[str, Any]) -> bool:
    return metadata.get("visibility") == "public"


def _known(context: Context, metadata: dict[str, Any], tracker: Tracker) -> _Known:
    if not metadata.get("conversation"):
        return _Known(_folded(tracker.events))
    with context.database.read() as db:
        case = cases.load(db, metadata.get("case"))
        customer = metadata.get("customer")
        external, proved = proved_before(db, customer) if customer else (None, ())
        agreed = case is not None and case.accepted_offer is not None
        promised = underway.of_case(db, case.id) if case and agreed else ()
        unwanted = preferences.unwanted_by(db, customer) if customer else frozenset()
    return _Known(case, external, promised, proved, unwanted)


def _given_before(context: Context, business: Business) -> Callable[[str, str], bool]:
    """Whether the bot has settled as many cases of an order as it may; asked only when needed."""

    def given(order_number: str, case_id: str) -> bool:
        most = context.settings.limits.remedied_cases_per_order
        with context.database.read() as db:
            return fulfilments.given_before(db, business.id, order_number, case_id, most)

    return given


def _folded(events: Iterable[dict[str, Any]]) -> Case | None:
    case: Case | None = None
    for event in events:
        custom = (event.get("data") or {}).get("custom") or {}
        for payload in custom.get("commands") or []:
            try:
                case = apply(case, from_wire(payload), utc_now())
            except (BadCommandError, OfferNotOpenError) as error:
                log.warning("command in the tracker passed over", error=repr(error))
    return case


def _message_id(tracker: Tracker) -> str:
    """The desk's id of the message; Rasa's own id outside the desk, in the same form."""
    metadata = tracker.latest_message.get("metadata") or {}
    if metadata.get("message"):
        return str(metadata["message"])
    given = str(tracker.latest_message.get("message_id") or "")
    return "m" + fingerprint(given or str(len(tracker.events)))[:24]


def _pressed(metadata: dict[str, Any]) -> Pressed | None:
    button = metadata.get("button")
    return Pressed(button["act"], button.get("offer"), button.get("value")) if button else None


def _expected(metadata: dict[str, Any]) -> datetime | None:
    """When a person can answer, as the desk knows it."""
    given = metadata.get("person_by")
    return datetime.fromisoformat(given) if given else None


def _failed(business: Business, heard: Understood) -> Reply:
    by = business.person_by(utc_now())
    words = {"time": business.person_by_words(utc_now())}
    return Reply((Say("say_handover", heard.anger, words),), (HandOver("error", by.isoformat()),))


def _utter(dispatcher: CollectingDispatcher, reply: Reply, business: Business) -> None:
    for say in reply.says:
        variables: dict[str, Any] = {
            "business": business.name,
            "assistant": business.assistant,
            **say.words,
            "anger": say.level,
            # No variant is written for this one: those of a trade are left out.
            "industry": business.industry if say.trade else "any",
        }
        if say.optional:
            variables["optional"] = True
        if say.buttons:
            variables["buttons"] = [vars(button) for button in say.buttons]
        dispatcher.utter_message(response=say.response, **variables)
    if reply.plain:
        # A channel with cards shows the offer of the commands instead of this text.
        dispatcher.utter_message(text=reply.plain)
    own = [say.response for say in reply.says if say.own]
    payload = {"commands": [to_wire(one) for one in reply.commands], "own": own}
    dispatcher.utter_message(json_message=payload)


def _stage_after(case: Case | None, commands: Iterable[Command]) -> str:
    for command in commands:
        if case is None and not isinstance(command, OpenCase):
            continue
        case = apply(case, command, utc_now())
    return case.stage if case else "hearing"
