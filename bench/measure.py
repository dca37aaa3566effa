"""Puts load on a road and takes the times."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from bench.figures import Sample, median, window
from bench.loads import Talk, UnansweredError
from bench.roads import DeskRoad, Road
from bench.script import ROUND, STORY, Claim, story, undecided

WINDOW = 2 * ROUND
"""Messages that a figure of one place in a conversation is the median of."""


async def loaded(road: Road, together: int, each: int, messages: int = STORY) -> Sample:
    """Measure a road under some conversations at once.

    Args:
        road: Running.
        together: Conversations side by side.
        each: Conversations that come one after the other in each of these places.
        messages: Of each conversation, before its customer goes and another one comes.

    Returns:
        Latency of each answered message, and the time from the first to the last.
    """
    waiting = deque(await road.open(together * each))
    latencies: list[float] = []
    unanswered = 0

    async def place() -> None:
        nonlocal unanswered
        for _ in range(each):
            talk, claim = waiting.popleft(), next(road.claims)
            try:
                for number in range(1, messages + 1):
                    latencies.append(await talk.say(story(number, claim)))
            except UnansweredError:
                # What was to follow is not sent: a person's turn is no measure of the bot's.
                unanswered += 1
            finally:
                await talk.close()

    before = road.processor()
    began = perf_counter()
    await asyncio.gather(*(place() for _ in range(together)))
    seconds = perf_counter() - began
    after = road.processor()
    used = {name: after[name] - before.get(name, 0.0) for name in after}
    return Sample(tuple(latencies), seconds, unanswered, used)


async def alone(talk: Talk, messages: int, claim: Claim) -> list[float]:
    """Play one long conversation while nobody else speaks.

    Returns:
        Seconds of each message, from the first on.

    Raises:
        UnansweredError: The bot fell silent.
    """
    try:
        return [await talk.say(undecided(number, claim)) for number in range(1, messages + 1)]
    finally:
        await talk.close()


@dataclass(frozen=True)
class Growth:
    """What one message costs early and late in a conversation.

    Attributes:
        early: Number of the early message.
        late: Number of the late one.
        early_ms: Median in milliseconds of the window that begins with it.
        late_ms: The same of the late one.
        conversations: How many were played; the medians are medians of theirs.
    """

    early: int
    late: int
    early_ms: float
    late_ms: float
    conversations: int

    @property
    def ratio(self) -> float:
        """How many times the late message takes longer."""
        return self.late_ms / self.early_ms


async def growth(road: Road, early: int, late: int, conversations: int) -> Growth:
    """Compare an early message of a conversation with a late one.

    Each is measured over the window of `WINDOW` messages that begins with it: the same words, and
    for the desk, which begins a new Rasa session every 20 turns, the same places in it.

    Args:
        road: Running.
        early: Number of the early message.
        late: Number of the late one.
        conversations: How many are played, one after the other.
    """
    talks = await road.open(conversations)
    played = [await alone(talk, late - 1 + WINDOW, next(road.claims)) for talk in talks]
    return Growth(
        early,
        late,
        median([window(one, early, WINDOW) for one in played]),
        median([window(one, late, WINDOW) for one in played]),
        conversations,
    )


@dataclass(frozen=True)
class Invitations:
    """Seconds from an angry post in the public room, each by a new customer while all is idle."""

    to_reply: Sequence[float]
    to_invitation: Sequence[float]


async def invitations(road: DeskRoad, count: int) -> Invitations:
    """Measure the public reply and the invitation.

    Args:
        road: Running, with nothing else to do.
        count: How many customers post, one after the other.
    """
    taken = [await road.invite() for _ in range(count)]
    return Invitations([reply for reply, _ in taken], [invitation for _, invitation in taken])
