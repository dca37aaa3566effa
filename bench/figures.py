"""The arithmetic of the benchmark."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


def median(values: Sequence[float]) -> float:
    """Give the middle value, or the mean of the two middle ones.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least this share of the values do not exceed.

    Args:
        values: Any, in any order.
        share: 0 to 1.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


@dataclass(frozen=True)
class Sample:
    """What was measured of one road with one number of conversations.

    Attributes:
        latencies: Seconds from sending a message to having its answer, for each message.
        seconds: How long it took to answer them all.
        unanswered: Messages that got no answer in time; they are in no other figure.
        processor: CPU seconds that each process used meanwhile, by its name.
    """

    latencies: tuple[float, ...]
    seconds: float
    unanswered: int = 0
    processor: Mapping[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Median latency in milliseconds."""
        return 1000 * median(self.latencies)

    @property
    def p95(self) -> float:
        """Latency in milliseconds that 95 of 100 messages stay within."""
        return 1000 * percentile(self.latencies, 0.95)

    @property
    def rate(self) -> float:
        """Messages answered a second."""
        return len(self.latencies) / self.seconds

    def processor_of(self, name: str) -> float:
        """CPU milliseconds that a process used for each message."""
        return 1000 * self.processor.get(name, 0.0) / len(self.latencies)


def pooled(samples: Iterable[Sample]) -> Sample:
    """Put the rounds of one measurement together."""
    latencies: list[float] = []
    seconds, unanswered = 0.0, 0
    processor: dict[str, float] = {}
    for sample in samples:
        latencies += sample.latencies
        seconds += sample.seconds
        unanswered += sample.unanswered
        for name, used in sample.processor.items():
            processor[name] = processor.get(name, 0.0) + used
    return Sample(tuple(latencies), seconds, unanswered, processor)


def window(latencies: Sequence[float], first: int, length: int) -> float:
    """Give the median in milliseconds of some messages of one conversation.

    Args:
        latencies: Seconds, of the messages 1, 2, 3, ... of the conversation.
        first: Number of the first message looked at.
        length: How many are looked at.

    Raises:
        ValueError: The conversation is shorter.
    """
    part = latencies[first - 1 : first - 1 + length]
    if first < 1 or len(part) < length:
        raise ValueError(f"no messages {first} to {first + length - 1}")
    return 1000 * median(part)
