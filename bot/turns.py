"""One turn of a conversation, from the desk's message to the saved tracker.

It goes Rasa's own way (`MessageProcessor.handle_message`) with what that lacks: the same message
is answered once, the stage of the case is brought in line before the turn, a failed action is
known as failed, and a store that cannot be read or written is an error instead of a bot that
silently forgets.
"""

import logging
import time
from typing import Any

from rasa.core.actions.action import ActionSessionStart
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    BotUttered,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot import answers
from bot.incoming import BadRequestError, CustomerMessage, Forgetting, StaffMessage
from bot.locks import SenderLocks
from bot.nlu.contract import calm
from bot.remote_action import failed_actions
from bot.tracker_store import CachedTrackerStore
from recovery import faults

logger = logging.getLogger(__name__)

CHANNEL = "desk"
STAGE_SLOT = "stage"
FALLBACK_INTENT = "nlu_fallback"


class Silent(OutputChannel):
    """An output channel that delivers nothing: the desk reads the answer and delivers it.

    It cannot raise, which in Rasa would lose the turn.
    """

    @classmethod
    def name(cls) -> str:
        """Give the name by which variants may be bound to this channel."""
        return CHANNEL

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Do nothing."""


class Turns:
    """Takes turns with a loaded model, one at a time in each conversation."""

    def __init__(self, locks: SenderLocks | None = None) -> None:
        """Start with nothing under way.

        Args:
            locks: For a test that wants another limit.
        """
        self._locks = locks or SenderLocks()

    async def answer(self, agent: Agent, message: CustomerMessage) -> dict[str, Any]:
        """Answer a customer.

        Args:
            agent: With a loaded model.
            message: What the customer said.

        Returns:
            The answer of /desk/messages.

        Raises:
            BadRequestError: The model knows no such intent or stage.
            TooManyWaitingError: Too much is under way; nothing was done.
            sqlalchemy.exc.SQLAlchemyError: The tracker could not be read or saved.
        """
        processor = _processor(agent)
        _check_names(processor, message)
        faults.reach("rasa-received")
        async with self._locks.hold(message.sender):
            began = time.perf_counter()
            tracker = await processor.get_tracker(message.sender)
            turn = answers.turn_of(tracker, message.message_id, overheard_too=False)
            repeated = turn is not None
            if not repeated:
                await self._take_turn(processor, tracker, message)
                faults.reach("rasa-taken")
                turn = answers.turn_of(tracker, message.message_id, overheard_too=False)
            await processor.tracker_store.save(tracker)
            answer = answers.answer(turn, repeated=repeated)
        if not repeated:
            faults.reach("rasa-saved")
        _log(message, answer, began)
        return answer

    async def overhear(self, agent: Agent, message: CustomerMessage) -> dict[str, Any]:
        """Understand and remember a message that a person answers; no action runs.

        Args:
            agent: With a loaded model.
            message: What the customer said.

        Returns:
            The answer of /desk/overheard.

        Raises:
            BadRequestError: The model knows no such stage.
            TooManyWaitingError: Too much is under way; nothing was done.
            sqlalchemy.exc.SQLAlchemyError: The tracker could not be read or saved.
        """
        processor = _processor(agent)
        _check_names(processor, message)
        async with self._locks.hold(message.sender):
            tracker = await processor.get_tracker(message.sender)
            turn = answers.turn_of(tracker, message.message_id, overheard_too=True)
            repeated = turn is not None
            if not repeated:
                await _start_locally(processor, tracker)
                _reconcile_stage(processor, tracker, message)
                user_message = _user_message(message, {answers.OVERHEARD: True})
                await _hear(processor, tracker, user_message, message)
                tracker.update(ActionExecuted(ACTION_LISTEN_NAME), processor.domain)
                faults.reach("rasa-overhearing")
                turn = answers.turn_of(tracker, message.message_id, overheard_too=True)
            await processor.tracker_store.save(tracker)
        if not repeated:
            faults.reach("rasa-overheard")
        return {"understood": answers.understood(turn), "repeated": repeated}

    async def remember(self, agent: Agent, message: StaffMessage) -> dict[str, Any]:
        """Put what staff said into the tracker.

        Args:
            agent: With a loaded model.
            message: What was said.

        Returns:
            The answer of /desk/spoken.

        Raises:
            TooManyWaitingError: Too much is under way; nothing was done.
            sqlalchemy.exc.SQLAlchemyError: The tracker could not be read or saved.
        """
        processor = _processor(agent)
        async with self._locks.hold(message.sender):
            tracker = await processor.get_tracker(message.sender)
            repeated = answers.was_spoken(tracker, message.message_id)
            if not repeated:
                await _start_locally(processor, tracker)
                marks = {answers.SPOKEN_BY: message.by, answers.SPOKEN_ID: message.message_id}
                tracker.update(BotUttered(message.text, metadata=marks), processor.domain)
                faults.reach("rasa-remembering")
            await processor.tracker_store.save(tracker)
        if not repeated:
            faults.reach("rasa-remembered")
        return {"repeated": repeated}

    async def forget(self, agent: Agent, wanted: Forgetting) -> dict[str, Any]:
        """Forget conversations for good.

        Args:
            agent: With a loaded model.
            wanted: Which ones.

        Returns:
            The answer of /desk/forget; `more`: ask again.

        Raises:
            BadRequestError: The store is none that forgets.
            TooManyWaitingError: Too much is under way; some may be forgotten already.
            sqlalchemy.exc.SQLAlchemyError: The store could not be read or written.
        """
        store = _processor(agent).tracker_store
        if not isinstance(store, CachedTrackerStore):
            raise BadRequestError("this store does not forget")
        silent = store.silent_since(wanted.before) if wanted.before is not None else []
        named = [one for name in wanted.conversations for one in store.episodes(name)]
        events = 0
        for sender in dict.fromkeys([*named, *silent]):
            async with self._locks.hold(sender):
                events += store.forget(sender)
        if named or silent:
            store.settle()
        return {"forgotten": len({*named, *silent}), "events": events, "more": len(silent) > 0}

    async def _take_turn(
        self, processor: MessageProcessor, tracker: DialogueStateTracker, message: CustomerMessage
    ) -> None:
        user_message = _user_message(message)
        failures: list[str] = []
        await _start(processor, tracker, user_message)
        token = failed_actions.set(failures)
        try:
            _reconcile_stage(processor, tracker, message)
            if not await _hear(processor, tracker, user_message, message):
                failures.append("nlu")
            begun = len(tracker.events)
            tracker = await processor.run_action_extract_slots(user_message.output_channel, tracker)
            await processor._run_prediction_loop(user_message.output_channel, tracker)
        finally:
            failed_actions.reset(token)
        taken = list(tracker.events)[begun:]
        if any(isinstance(event, ActionExecutionRejected) for event in taken):
            failures.append("rejected")
        if tracker.latest_action_name != ACTION_LISTEN_NAME:
            # Rasa gave up (ten actions in one turn); the next turn must find the bot listening.
            failures.append("endless")
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME), processor.domain)
        if failures:
            answers.mark_failed(tracker)
            logger.error(
                "A turn failed", extra={"sender": message.sender, "failures": sorted(failures)}
            )


def _processor(agent: Agent) -> MessageProcessor:
    """Give the processor, its store stripped of Rasa's fail-safe wrapper.

    The wrapper answers a store that cannot be read with a new, empty conversation and one that
    cannot be written with a store in memory, and only logs it. The desk would rather ask again.
    """
    processor = agent.processor
    processor.tracker_store = strict(processor.tracker_store)
    return processor


def strict(store: TrackerStore) -> TrackerStore:
    """Take the store out of Rasa's fail-safe wrapper, if it is in one."""
    return store._tracker_store if isinstance(store, FailSafeTrackerStore) else store


def _check_names(processor: MessageProcessor, message: CustomerMessage) -> None:
    if message.intent is not None and message.intent not in processor.domain.intents:
        raise BadRequestError("the model knows no such intent")
    if message.stage is not None:
        slot = next((slot for slot in processor.domain.slots if slot.name == STAGE_SLOT), None)
        values = getattr(slot, "values", None)
        if slot is None or (values is not None and message.stage not in values):
            raise BadRequestError("the model knows no such stage")


def _user_message(message: CustomerMessage, marks: dict[str, Any] | None = None) -> UserMessage:
    return UserMessage(
        message.text,
        Silent(),
        message.sender,
        input_channel=CHANNEL,
        message_id=message.message_id,
        metadata={**message.metadata, **(marks or {})},
    )


async def _start(
    processor: MessageProcessor, tracker: DialogueStateTracker, message: UserMessage
) -> None:
    """Begin the session of a new tracker by the domain's own action."""
    if tracker.applied_events():
        return
    await processor._update_tracker_session(tracker, message.output_channel, message.metadata)
    if tracker.latest_action_name != ACTION_LISTEN_NAME:
        # The action failed. No rule fits a bot that is not listening, so begin without it.
        logger.warning("Session started without its action", extra={"sender": message.sender_id})
        await _begin(processor, tracker)


async def _start_locally(processor: MessageProcessor, tracker: DialogueStateTracker) -> None:
    """Begin the session of a new tracker without asking the action server."""
    if not tracker.applied_events():
        await _begin(processor, tracker)


async def _begin(processor: MessageProcessor, tracker: DialogueStateTracker) -> None:
    action = ActionSessionStart()
    if tracker.latest_action_name != action.name():
        tracker.update(ActionExecuted(action.name()), processor.domain)
    events = await action.run(Silent(), processor.nlg, tracker, processor.domain)
    tracker.update_with_events(events, processor.domain)


def _reconcile_stage(
    processor: MessageProcessor, tracker: DialogueStateTracker, message: CustomerMessage
) -> None:
    """Let the case store be right about the stage."""
    if message.stage is not None and tracker.get_slot(STAGE_SLOT) != message.stage:
        tracker.update(SlotSet(STAGE_SLOT, message.stage), processor.domain)


async def _hear(
    processor: MessageProcessor,
    tracker: DialogueStateTracker,
    user_message: UserMessage,
    message: CustomerMessage,
) -> bool:
    """Understand the message and put it into the tracker.

    Returns:
        False when the NLU broke on it. The turn goes on as if nothing had been understood:
        a message that can never be stored would block its conversation.
    """
    heard = True
    if message.intent is not None:
        parse = _parse(message, message.intent, 1.0)
    elif not message.text:
        parse = _parse(message, _fallback(processor), 1.0)
    else:
        try:
            parse = await processor.parse_message(user_message, tracker)
        # A component may raise anything; its message can hold the customer's text.
        except Exception as error:
            heard = False
            parse = _parse(message, _fallback(processor), 0.0)
            logger.error(
                "The NLU failed", extra={"sender": message.sender, "error": type(error).__name__}
            )
    parse.setdefault("emotion", calm())
    tracker.update(
        UserUttered(
            message.text,
            parse["intent"],
            parse["entities"],
            parse,
            input_channel=CHANNEL,
            message_id=message.message_id,
            metadata=user_message.metadata,
        ),
        processor.domain,
    )
    return heard


def _parse(message: CustomerMessage, intent: str | None, confidence: float) -> dict[str, Any]:
    given = message.metadata.get("anger")
    return {
        "text": message.text,
        "intent": {"name": intent, "confidence": confidence},
        "intent_ranking": [{"name": intent, "confidence": confidence}],
        "entities": [],
        "emotion": calm(given if message.intent is not None and given is not None else 0),
    }


def _fallback(processor: MessageProcessor) -> str | None:
    return FALLBACK_INTENT if FALLBACK_INTENT in processor.domain.intents else None


def _log(message: CustomerMessage, answer: dict[str, Any], began: float) -> None:
    logger.info(
        "turn",
        extra={
            "sender": message.sender,
            "message_id": message.message_id,
            "intent": answer["understood"]["intent"]["name"],
            "repeated": answer["repeated"],
            "failed": bool(answer.get("failed")),
            "milliseconds": round(1000 * (time.perf_counter() - began), 1),
        },
    )
