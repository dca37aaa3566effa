"""How fast one customer or one address may go."""

import time
from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """Token buckets by key, held in memory and bounded in number."""

    def __init__(
        self,
        burst: int,
        per_second: float,
        most: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the pace.

        Args:
            burst: How many may come at once.
            per_second: How fast they come back.
            most: How many keys are remembered; the one unused longest goes first.
            clock: Monotonic seconds.
        """
        self._burst = float(burst)
        self._rate = per_second
        self._most = most
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take one token; False when none is left."""
        now = self._clock()
        level, before = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - before) * self._rate)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return allowed
