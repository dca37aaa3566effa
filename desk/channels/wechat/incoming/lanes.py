"""What was stored and is still to be taken: one lane a contact, contacts side by side."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.incoming.intake import NotYetError
from desk.channels.wechat.incoming.receiving import take_from_lane
from desk.channels.wechat.incoming.taking import give_up
from desk.finish import end
from recovery.logs import log
from recovery.store.database import is_away, stamp
from recovery.store.wechat import received
from recovery.store.wechat.received import Received

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

_TRIES = 4
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 3.0
_LOOK_SECONDS = 10.0
# A desk that works at something has it done by then; else it has died, and another takes over.
_LEFT_ALONE = timedelta(minutes=2)
_KEPT = timedelta(days=7)
_SWEEP_EVERY = timedelta(hours=1)


class Lanes:
    """Takes what waits of each contact, in the order in which it came."""

    def __init__(self, wechat: "WeChat") -> None:
        """Begin with empty lanes.

        Args:
            wechat: The service.
        """
        self._wechat = wechat
        self._lanes: dict[str, deque[Received]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def add(self, row: Received) -> None:
        """Put something that waits behind the rest of its contact."""
        if self._stopping:
            return
        contact = row.contact_id or ""
        lane = self._lanes.get(contact)
        if lane is not None:
            if all((one.account, one.key) != (row.account, row.key) for one in lane):
                lane.append(row)
            return
        self._lanes[contact] = deque([row])
        task = asyncio.get_running_loop().create_task(self._run(contact))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def recover(self) -> int:
        """Take up what a former process has left; returns how much."""
        return await self._take_up(None)

    async def run(self) -> None:
        """Look now and then for what another desk has left behind, and forget what is long done."""
        context, swept = self._wechat.context, None
        while True:
            now = context.clock()
            if swept is None or now - swept >= _SWEEP_EVERY:
                gone = 1
                while gone:
                    # In portions: others write in between.
                    gone = await context.storage.write(received.sweep, now - _KEPT)
                swept = now
            await asyncio.sleep(_LOOK_SECONDS)
            await self._take_up(stamp(context.clock() - _LEFT_ALONE))

    async def stop(self) -> None:
        """Stop; what is under way is taken up again at the next start."""
        self._stopping = True
        await end(self._tasks)

    async def _take_up(self, until: str | None) -> int:
        rows = await self._wechat.context.storage.read(received.waiting, until)
        known = [row for row in rows if self._wechat.context.wechat.get(row.account) is not None]
        for row in known:
            self.add(row)
        return len(known)

    async def _run(self, contact: str) -> None:
        lane = self._lanes[contact]
        while lane:
            await self._surely(lane[0])
            lane.popleft()
        del self._lanes[contact]

    async def _surely(self, row: Received) -> None:
        """Take one; when that fails again and again, ask the customer to send it once more."""
        tries, pause = 0, _FIRST_PAUSE
        while tries < _TRIES:
            try:
                await take_from_lane(self._wechat, row)
                return
            except NotYetError:
                # Another desk is at it.
                pass
            # A lane must outlive whatever one message brings about; all of it is logged.
            except Exception as error:
                away = isinstance(error, SQLAlchemyError) and is_away(error)
                tries += 0 if away else 1
                if away:
                    log.warning("store away", account=row.account, error=type(error).__name__)
                else:
                    log.error("wechat message failed", account=row.account, exc_info=error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        try:
            context = self._wechat.context
            await context.storage.write(give_up, row, context.clock())
            self._wechat.wake()
        except SQLAlchemyError as error:
            # It stays stored, and is taken up at the next start.
            log.error("wechat message left", account=row.account, error=type(error).__name__)
