"""Files that members of staff ask for: off the event loop, and one at a time."""

import asyncio
from collections.abc import Callable

from desk.errors import PageError
from desk.finish import to_the_end


class Making:
    """Lets each member have one file made at a time, and the desk make one after the other.

    A PDF takes a core for a second or two: two at once would keep customers waiting longer.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._for: set[int] = set()
        self._turn = asyncio.Semaphore(1)

    async def make(self, staff_id: int, work: Callable[[], bytes]) -> bytes:
        """Make a file.

        Args:
            staff_id: For whom.
            work: Makes it; run in a thread.

        Raises:
            PageError: 429, the one asked for before is not done yet.
        """
        if staff_id in self._for:
            raise PageError(429, "too_fast", "上一份还在做，做好以后再导下一份")
        self._for.add(staff_id)
        return await to_the_end(self._in_turn(staff_id, work))

    async def _in_turn(self, staff_id: int, work: Callable[[], bytes]) -> bytes:
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._for.discard(staff_id)
