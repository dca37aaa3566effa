"""Takes each conversation's messages in order, different conversations side by side."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.aftercare.settling import is_aftercare, settle_pressed
from desk.context import Context
from desk.conversations.commit import (
    Committed,
    commit_answer,
    commit_given_up,
    commit_holding,
    commit_overheard,
)
from desk.conversations.dealing import commit_pressed, is_settled_here
from desk.conversations.follow_up_answers import commit_follow_up_answer
from desk.conversations.follow_up_reading import answers
from desk.conversations.ingest import ENTERED
from desk.conversations.queueing import expected
from desk.conversations.rasa import Answer, Rasa, RasaAwayError
from desk.finish import end
from desk.hub import staff_topic
from desk.personal_data.asked import settle_asked
from desk.personal_data.reading import asks_about_data
from recovery import faults
from recovery.case import Case
from recovery.follow_up.answers import OPINION
from recovery.logs import log
from recovery.store import cases, conversations, inbox, said, streams
from recovery.store.conversations import BOT, Conversation
from recovery.store.database import is_away
from recovery.store.inbox import Message

_TOGETHER = 48
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 3.0
_OVERHEARD_TRIES = 4
_HANDLE_TRIES = 4
# In WeChat words cost no quota within five seconds of a message; the callback waits for less.
_WECHAT_HOLDING_SECONDS = 3.5


@dataclass(frozen=True)
class _Situation:
    """What Rasa is told beside the message.

    Attributes:
        dealt_with: A person has answered it, or closed the matter after it: the bot only hears it.
        person_by: When a person can answer, where the queue is slower than what is promised.
    """

    conversation: Conversation
    case: Case | None
    said: list[str]
    dealt_with: bool = False
    person_by: str | None = None

    @property
    def for_bot(self) -> bool:
        """Whether the bot answers."""
        return self.conversation.owner == BOT and not self.dealt_with


class _TakenOverError(Exception):
    """A person has taken a conversation that Rasa was asked about."""


class Router:
    """One lane a conversation; only the owner of a conversation answers in it."""

    def __init__(self, context: Context, rasa: Rasa) -> None:
        """Begin with empty lanes.

        Args:
            context: The desk.
            rasa: The road to Rasa.
        """
        self._context = context
        self._rasa = rasa
        self._lanes: dict[str, deque[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_TOGETHER)
        self._stopping = False
        self.rasa_ready = asyncio.Event()
        self.remedies_wait = asyncio.Event()

    async def recover(self) -> int:
        """Take up what a former process left unanswered; returns how many messages."""
        waiting = await self._context.storage.read(inbox.waiting)
        for message in waiting:
            self.add(message, again=True)
        return len(waiting)

    def add(self, message: Message, *, again: bool = False) -> None:
        """Queue a stored message behind the others of its conversation.

        Args:
            message: In state `new`.
            again: It comes from before a restart.
        """
        if self._stopping:
            return
        if again:
            log.info("taken up again", conversation=message.conversation_id, message=message.id)
        self._context.metrics.waiting.inc()
        lane = self._lanes.get(message.conversation_id)
        if lane is not None:
            lane.append(message)
            return
        self._lanes[message.conversation_id] = deque([message])
        self.spawn(self._run(message.conversation_id))

    def spawn(self, work: Any) -> None:  # noqa: ANN401 - any coroutine
        """Run something beside, and keep it from being collected."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop; what is under way is taken up again at the next start."""
        self._stopping = True
        await end(self._tasks)

    async def _run(self, conversation: str) -> None:
        lane = self._lanes[conversation]
        while lane:
            await self._handle_surely(lane[0])
            lane.popleft()
            self._context.metrics.waiting.dec()
        del self._lanes[conversation]

    async def _handle_surely(self, message: Message) -> None:
        """Handle a message; when that fails again and again, give it to a person.

        While the store is away nothing can be said or given to anybody, so that counts for
        nothing: the message waits at the head of its lane until the store is back.
        """
        for attempt in range(_HANDLE_TRIES):
            try:
                await self._with_store(message, self._handle)
                return
            # A lane must outlive whatever one message brings about; all of it is logged.
            except Exception as error:
                log.error(
                    "message failed",
                    conversation=message.conversation_id,
                    message=message.id,
                    exc_info=error,
                )
                await asyncio.sleep(_FIRST_PAUSE * 2**attempt)
        try:
            await self._with_store(message, self._give_up)
        except Exception as error:
            # The business is configured no more: the message stays `new` for the next start, and
            # the lane goes on with what follows.
            log.error("message left", conversation=message.conversation_id, error=repr(error))

    async def _with_store(
        self, message: Message, work: Callable[[Message], Coroutine[Any, Any, None]]
    ) -> None:
        """Do something with a message, again and again for as long as the store is away."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await work(message)
                return
            except SQLAlchemyError as error:
                if not is_away(error):
                    raise
                # Its text may hold parts of the statement, which is of no use here.
                kind = type(error).__name__
                log.warning("store away", conversation=message.conversation_id, error=kind)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _give_up(self, message: Message) -> None:
        self.publish(
            await self._context.storage.write(
                commit_given_up, self._context, message, self._context.clock()
            )
        )

    async def _handle(self, message: Message) -> None:
        begun = perf_counter()
        committed = None
        # None: the owner has changed under way, and the present one decides what happens.
        while committed is None:
            situation = await self._context.storage.read(_situation, self._context, message)
            if situation is None:
                return
            if answers(message):
                committed = await self._followed_up(message, situation)
            elif is_aftercare(message):
                committed = await self._context.storage.write(
                    settle_pressed, self._context, message, self._context.clock()
                )
            elif asks_about_data(message):
                committed = await self._context.storage.write(
                    settle_asked, self._context, message, self._context.clock()
                )
            elif situation.for_bot:
                committed = await self._answered(message, situation)
            elif not situation.dealt_with and is_settled_here(message):
                committed = await self._context.storage.write(
                    commit_pressed, self._context, message, self._context.clock()
                )
            else:
                committed = await self._overheard(message, situation)
        faults.reach("turn-committed")
        self.publish(committed)
        self._context.metrics.answers.observe(perf_counter() - begun)

    def publish(self, committed: Committed) -> None:
        """Show what was committed."""
        hub = self._context.hub
        hub.publish(committed.entries)
        for changed in committed.changed:
            hub.changed(*changed)
        for notice in committed.notices:
            hub.signal(staff_topic(notice.staff_id), {"type": "notice", "notice": notice.shown})
        if committed.promised:
            self.remedies_wait.set()

    # --- the bot answers ------------------------------------------------------------------

    async def _answered(self, message: Message, situation: _Situation) -> Committed | None:
        storage, clock = self._context.storage, self._context.clock
        typing = situation.conversation.private
        if typing:
            self._typing(situation.conversation, on=True)
        try:
            answer = await self._ask(message, situation)
        except _TakenOverError:
            return None
        finally:
            if typing:
                self._typing(situation.conversation, on=False)
        if answer is None:
            faults.reach("patience-over")
            return await storage.write(commit_given_up, self._context, message, clock())
        faults.reach("rasa-answered")
        return await storage.write(commit_answer, self._context, message, answer, clock())

    def _typing(self, conversation: Conversation, *, on: bool) -> None:
        frame = {"type": "typing", "on": on, "who": "bot"}
        self._context.hub.signal(conversation.stream, frame)

    async def _ask(self, message: Message, situation: _Situation) -> Answer | None:
        """Ask Rasa until it answers; None when the patience of the settings is over.

        Raises:
            _TakenOverError: A person took the conversation while Rasa was away.
        """
        loop = asyncio.get_running_loop()
        settings = self._context.settings
        begun, pause, failures = loop.time(), _FIRST_PAUSE, 0
        patience = settings.holding_seconds
        if situation.conversation.channel == "wechat":
            patience = min(patience, _WECHAT_HOLDING_SECONDS)
        holding = loop.call_later(patience, lambda: self.spawn(self._hold(message)))
        try:
            while True:
                try:
                    body = _body(self._context, message, situation, failures)
                    # Only the call itself takes a slot: whoever waits for Rasa to come back
                    # must not keep others from being asked for patience.
                    async with self._slots:
                        answer = await self._rasa.ask(message.conversation_id, body)
                    if not answer.failed:
                        return answer
                    # An action failed (its process was away). That turn stands in the tracker
                    # under its id for good, so the message is asked again under the next one.
                    failures += 1
                    log.warning("turn failed", conversation=message.conversation_id)
                    if answer.repeated:
                        # It failed before a restart of ours; there is nothing to wait for.
                        continue
                except RasaAwayError as error:
                    log.warning("rasa away", conversation=message.conversation_id, error=str(error))
                if loop.time() - begun > settings.give_up_seconds:
                    return None
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                fresh = await self._context.storage.read(_situation, self._context, message)
                situation = fresh or situation
                if not situation.for_bot:
                    raise _TakenOverError
        finally:
            holding.cancel()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until Rasa has come up."""
        if self.rasa_ready.is_set():
            await asyncio.sleep(seconds)
            return
        try:
            # Not `wait_for`: it loses the end of the desk where both come at once.
            async with asyncio.timeout(seconds):
                await self.rasa_ready.wait()
        except TimeoutError:
            return

    async def _hold(self, message: Message) -> None:
        now = self._context.clock()
        try:
            committed = await self._context.storage.write(
                commit_holding, self._context, message, now
            )
        except SQLAlchemyError as error:
            # The customer is not asked for patience; the answer itself still comes.
            kind = type(error).__name__
            log.warning("holding failed", conversation=message.conversation_id, error=kind)
            return
        if committed.entries:
            faults.reach("holding-committed")
        self.publish(committed)

    # --- a person answers -----------------------------------------------------------------

    async def _overheard(self, message: Message, situation: _Situation) -> Committed | None:
        """Show it to staff at once; anger stays measured, and the bot will know the story."""
        self._context.hub.changed(situation.conversation.business, message.conversation_id)
        understood = None
        if message.intent != ENTERED:
            understood = await self._listened(message, situation)
        faults.reach("overheard")
        return await self._context.storage.write(
            commit_overheard,
            self._context,
            message,
            understood,
            self._context.clock(),
            dealt_with=situation.dealt_with,
        )

    async def _listened(self, message: Message, situation: _Situation) -> dict[str, Any] | None:
        """What the recogniser makes of words that the bot does not answer; None: it is away."""
        body = _body(self._context, message, situation)
        del body["intent"]
        pause = _FIRST_PAUSE
        for _ in range(_OVERHEARD_TRIES):
            try:
                async with self._slots:
                    return await self._rasa.overhear(message.conversation_id, body)
            except RasaAwayError:
                await self._pause(pause)
                pause *= 2
        return None

    async def _followed_up(self, message: Message, situation: _Situation) -> Committed:
        """Settle what answers a follow-up; the bot is not asked, but listens to free words."""
        pressed, understood = message.pressed or {}, None
        if pressed.get("act") == OPINION:
            understood = await self._listened(message, situation)
        return await self._context.storage.write(
            commit_follow_up_answer, self._context, message, understood, self._context.clock()
        )

    async def staff_said(self, conversation: Conversation, message_id: str, text: str) -> None:
        """Let the bot know what a person said; if Rasa is away the case still knows."""
        body = {
            "sender": _sender(conversation, self._context.settings.episode_turns),
            "message_id": message_id,
            "text": text,
            "metadata": {"by": conversation.owner},
        }
        try:
            async with self._slots:
                await self._rasa.told(conversation.id, body)
        except RasaAwayError as error:
            log.warning("rasa away", conversation=conversation.id, error=str(error))


def _situation(db: Connection, context: Context, message: Message) -> _Situation | None:
    present = inbox.load(db, message.id)
    conversation = conversations.load(db, message.conversation_id)
    if present is None or present.state != "new" or conversation is None:
        return None
    case, by = cases.load(db, conversation.case_id), None
    if conversation.owner == BOT and context.directory.business(conversation.business):
        by = expected(db, context, conversation, case, context.clock())
    return _Situation(
        conversation,
        case,
        said.variants(db, conversation.customer_id),
        _dealt_with(db, conversation, message),
        by.isoformat() if by else None,
    )


def _dealt_with(db: Connection, conversation: Conversation, message: Message) -> bool:
    """Whether a person has had the word after a private message, while Rasa had not heard it."""
    if not conversation.private:
        return False
    return any(
        later.get("author") == "staff"
        or (later["kind"] == "closed" and str(later["id"]).startswith("w"))
        for later in streams.following(db, conversation.stream, message.id)
    )


def _sender(conversation: Conversation, episode_turns: int) -> str:
    """Rasa's id: a new one begins long before replaying the old one gets slow."""
    return f"{conversation.id}:{conversation.turns // episode_turns}"


def _body(
    context: Context, message: Message, situation: _Situation, failures: int = 0
) -> dict[str, Any]:
    conversation, case = situation.conversation, situation.case
    stage = "public"
    if conversation.private:
        stage = case.stage if case else "hearing"
    return {
        "sender": _sender(conversation, context.settings.episode_turns),
        "message_id": f"{message.id}.{failures}" if failures else message.id,
        "text": message.text,
        "intent": message.intent,
        "metadata": {
            "visibility": conversation.kind,
            "channel": conversation.channel,
            "business": conversation.business,
            # Known, never guessed from the text: it decides which failures there can be.
            "industry": context.business(conversation.business).industry,
            "conversation": conversation.id,
            "message": message.id,
            "customer": conversation.customer_id,
            "case": conversation.case_id,
            "stage": stage,
            "anger": case.level if case else None,
            "said": situation.said,
            "button": message.pressed,
            "picture": message.picture,
            "person_by": situation.person_by,
        },
    }
