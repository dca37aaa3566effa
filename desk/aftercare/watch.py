"""Sends what comes after the remedy: the survey, then a gesture, then a recommendation.

One thing at a time, each once: what was sent stands in the database in the transaction that says
it, so that several desks and a process that dies send nothing twice.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.aftercare.giving import Moment, give, moment_of, recommend
from desk.aftercare.surveying import invite
from desk.context import Context
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from recovery.aftercare.gestures import Pace, load_gestures
from recovery.logs import log
from recovery.store.database import is_away
from recovery.store.solved import Solved, solved_since

_EVERY_SECONDS = 60.0
_AGAIN = timedelta(minutes=10)
_MUCH_LATER = timedelta(hours=6)
"""Where nothing fits, so that what never will is not looked at again and again."""
Step = Callable[[Moment], Committed | None]


class Aftercare:
    """Looks for solved cases, for as long as the desk runs. Several may run."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Tells the pages.
        """
        self._context = context
        self._router = router
        # By case: not looked at before. Forgotten at a restart, which only costs a look.
        self._not_before: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Send what is due now; returns how many things were sent."""
        context, now, sent = self._context, self._context.clock(), 0
        pace = load_gestures().pace
        # At night nothing is sent, and what was solved need not be looked at one by one.
        served = [
            business.id
            for business in context.directory
            if not pace.is_quiet(now.astimezone(business.zone))
        ]
        if not served:
            return 0
        found = await context.storage.read(solved_since, served, now - pace.within)
        self._not_before = {
            one.case_id: self._not_before[one.case_id]
            for one in found
            if one.case_id in self._not_before
        }
        for one in found:
            if self._not_before.get(one.case_id, now) > now or not _due(one, pace, now):
                continue
            committed = await self._surely(one)
            if committed is None or not committed.entries:
                later = _AGAIN if committed is None else _MUCH_LATER
                self._not_before[one.case_id] = now + later
            else:
                sent += 1
                self._router.publish(committed)
        return sent

    async def _surely(self, one: Solved) -> Committed | None:
        """Do one of many in a transaction of its own: a defect in it keeps no other waiting."""
        try:
            return await self._context.storage.write(
                send, self._context, one, self._context.clock()
            )
        except Exception as error:
            # The store away concerns all alike, and the worker is tried again as a whole.
            if is_away(error):
                raise
            log.error("aftercare failed", case=one.case_id, exc_info=error)
            return None


def send(db: Connection, context: Context, solved: Solved, now: datetime) -> Committed | None:
    """Send the first thing that is due for a solved case.

    Args:
        db: A writing transaction.
        context: The desk.
        solved: As it was read; what was sent since is not sent again.
        now: The present moment.

    Returns:
        None where nothing may be sent now; without entries where nothing fits.
    """
    moment = moment_of(db, context, solved, now)
    if moment is None:
        return None
    for step in _due(solved, load_gestures().pace, now):
        sent = step(moment)
        if sent is not None:
            return sent
    return Committed([])


def _due(solved: Solved, pace: Pace, now: datetime) -> list[Step]:
    """What is due by the time that has passed, first things first."""
    passed = now - solved.since
    steps: list[Step] = []
    if not solved.surveyed and (solved.worded or passed >= pace.survey_after):
        steps.append(invite)
    content = solved.rating is None or solved.rating > 3
    if content and not solved.offered and passed >= pace.gesture_after:
        steps.append(give)
    if content and not solved.recommended and passed >= pace.recommendation_after:
        steps.append(recommend)
    return steps
