"""Work that is done to its end, whoever stops waiting for it; and tasks that are made to end.

Sanic cancels a handler when its page goes away. A commit runs in a thread and cannot be
cancelled, so what has to follow it (routing the message, showing the event) must not be either:
a message would stand in the inbox and wait for the next restart.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

R = TypeVar("R")

_ONCE_MORE_SECONDS = 0.5

# The loop itself holds tasks weakly.
_under_way: set[asyncio.Task[Any]] = set()


async def to_the_end(work: Coroutine[Any, Any, R]) -> R:
    """Run something that is not broken off when the caller is cancelled.

    Args:
        work: A commit and what follows from it.

    Returns:
        What the work gives; its exceptions come through as well.
    """
    task = asyncio.get_running_loop().create_task(work)
    _under_way.add(task)
    task.add_done_callback(_forget)
    return await asyncio.shield(task)


def _forget(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        # Taken here, since nobody else does when the caller is gone.
        task.exception()


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their end.

    `asyncio.wait_for` loses a cancellation that comes together with what it waits for (Python
    3.11), and the task goes on: it is told again until it listens.

    Args:
        tasks: How they end is nobody's business any more.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=_ONCE_MORE_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()
