"""Work that is done to its end, whoever stops waiting for it.

Sanic cancels a handler when its page goes away. A commit runs in a thread and cannot be
cancelled, so what has to follow it (routing the message, showing the event) must not be either:
a message would stand in the inbox and wait for the next restart.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

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
