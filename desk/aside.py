"""Calls that block, each in a thread of its own, so that one that hangs holds up nothing else.

The threads of a pool are few, and the process waits for them when it ends. A call into foreign
code may hang for ever; such a thread is left alone, and dies with the process.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def aside(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[R]:
    """Begin a call.

    Args:
        work: What blocks.
        *args: Its arguments.
        **kwargs: Its named arguments.

    Returns:
        A future with the call's result or exception.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()

    def settle(result: R | None, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # the result where no error is

    def run() -> None:
        result, failed = None, None
        try:
            result = work(*args, **kwargs)
        # Whatever it is, it belongs to whoever waits for the future.
        except Exception as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name=getattr(work, "__name__", "aside"), daemon=True).start()
    return future
