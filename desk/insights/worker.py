"""What the desk does for its insights beside the requests: facts, alerts, weekly reports."""

import asyncio
from datetime import timedelta

from desk.context import Context
from desk.conversations.router import Router
from desk.insights import rises, weekly
from desk.insights.overview import Parts, by_month, day_of
from desk.insights.refresh import Refresh
from recovery.insights.period import Filters
from recovery.logs import log
from recovery.store import case_facts
from recovery.store.database import is_away

_EVERY_SECONDS = 30.0
# A desk that has just started has customers waiting.
_FIRST_SECONDS = 3.0
# Alerts and reports are looked at once in so many rounds, and in the first.
_ROUNDS = 10


class Insights:
    """Looks again and again, for as long as the desk runs. Several may run.

    Attributes:
        parts: What months add up to, for whoever asks.
    """

    def __init__(self, context: Context, router: Router, *, pauses: bool = True) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Tells the pages.
            pauses: As for `Refresh`.
        """
        self._context = context
        self._router = router
        self._refresh = Refresh(context, pauses=pauses)
        self._round = 0
        self.parts = Parts()

    @property
    def behind(self) -> int:
        """How many cases have no facts yet."""
        return self._refresh.behind

    async def run(self) -> None:
        """Look again and again; what fails is done in a later round."""
        await asyncio.sleep(_FIRST_SECONDS)
        while True:
            try:
                await self.look_once()
            # Whatever it is of, a store that is away comes back; all else is a defect to be seen.
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("insights wait for the store", error=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS if not self.behind else 0.1)

    async def look_once(self) -> int:
        """One round; gives how many rows of facts are new."""
        done = await self._refresh.look_once()
        if self._round == 0 and not self.behind:
            await self._add_up()
        # A cause rises, and a week is over, only once all cases are known.
        if not self.behind and (done or self._round % _ROUNDS == 0):
            await self.look_at_days()
        self._round += 1
        return done

    async def look_at_days(self) -> None:
        """See what rises, and make the reports that are due."""
        context, storage = self._context, self._context.storage
        now = context.clock()
        for business in context.directory:
            if await storage.read_at_length(rises.found, business, now):
                committed = await storage.write(rises.look, business, now)
                self._router.publish(committed)
            week = await storage.read_at_length(weekly.due, business, now)
            if week is not None:
                content = await storage.read_at_length(
                    weekly.content_of, context, self.parts, business, week
                )
                committed = await storage.write(weekly.keep, business, week, content, now)
                self._router.publish(committed)

    async def _add_up(self) -> None:
        """Add the months of the last year up, before anybody asks: later only days change."""
        storage, now = self._context.storage, self._context.clock()
        for business in self._context.directory:
            if await storage.read_at_length(case_facts.first_day, business.id) is None:
                continue
            today = day_of(business, now)
            year = Filters((business.id,), today - timedelta(days=364), today)
            for month in by_month(year):
                await storage.read_at_length(self.parts.of, month)
