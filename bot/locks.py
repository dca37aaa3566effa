"""One turn at a time in each conversation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TooManyWaitingError(RuntimeError):
    """More requests are under way than the process should hold."""


class SenderLocks:
    """A lock for each sender, kept only while somebody holds it or waits for it.

    Rasa's own lock is not used: a waiter looks at it once a second.
    """

    def __init__(self, limit: int = 512) -> None:
        """Start with no locks.

        Args:
            limit: How many holders and waiters there may be in all.
        """
        self._limit = limit
        self._under_way = 0
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        """How many senders have a lock at present."""
        return len(self._locks)

    @asynccontextmanager
    async def hold(self, sender: str) -> AsyncIterator[None]:
        """Hold the sender's lock; waiters get it in the order in which they came.

        Args:
            sender: The conversation.

        Yields:
            Nothing.

        Raises:
            TooManyWaitingError: The limit is reached.
        """
        if self._under_way >= self._limit:
            raise TooManyWaitingError
        lock, users = self._locks.get(sender, (asyncio.Lock(), 0))
        self._locks[sender] = (lock, users + 1)
        self._under_way += 1
        try:
            async with lock:
                yield
        finally:
            self._under_way -= 1
            lock, users = self._locks.pop(sender)
            if users > 1:
                self._locks[sender] = (lock, users - 1)
