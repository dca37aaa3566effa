"""Keeps the facts of cases up to date: a few at a time, and only of cases that have changed.

Several desks may do so at once. A row is derived from what is stored and nothing else, so whoever
writes it writes the same; what was read a moment too early is read again in the next round.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Connection

from desk.context import Context
from recovery.audit.stored import Archive
from recovery.insights.facts import VERSION, Facts, facts
from recovery.logs import log
from recovery.store import case_changes, case_facts, case_material, decisions
from recovery.store.database import hold, is_away

_AT_ONCE = 25
_A_ROUND = 500
# Long enough for transactions that were under way, and for clocks of desks that differ.
_OVERLAP = timedelta(minutes=2)
# What may have been left undone when the desk was last stopped.
_LOOKED_BACK = timedelta(days=7)


class Refresh:
    """Derives facts; keeps nothing that has to outlive the process.

    Attributes:
        behind: How many cases have no facts yet.
    """

    def __init__(self, context: Context, *, pauses: bool = True) -> None:
        """Begin with what has changed in the last days.

        Args:
            context: The desk.
            pauses: Rest as long as it worked, so that half of a core is left to others.
        """
        self._context = context
        self._pauses = pauses
        self._since: datetime | None = None
        self._archive = Archive({})
        self._policies = 0
        self._whole = False
        self._after = case_changes.FIRST
        self.behind = 0

    async def look_once(self) -> int:
        """Derive what has changed and some of what is missing; gives how many rows are new."""
        context, now = self._context, self._context.clock()
        read = context.storage.read_at_length
        changed = await read(self._changed, now)
        done = await self._derive(changed)
        self._since = now - _OVERLAP
        if self._whole:
            # What is made from now on is found by its time.
            return done
        missing = await read(case_changes.missing, self._served, VERSION, self._after, _A_ROUND)
        done += await self._derive([case_id for _, case_id in missing])
        self._whole = len(missing) < _A_ROUND
        self.behind = 0
        if missing and not self._whole:
            self._after = missing[-1]
            self.behind = await read(
                case_changes.how_many_missing, self._served, VERSION, self._after
            )
        return done

    @property
    def _served(self) -> list[str]:
        return [business.id for business in self._context.directory]

    def _changed(self, db: Connection, now: datetime) -> list[str]:
        since = self._since
        if since is None:
            latest = case_changes.latest(db)
            since = min(latest, now) - _LOOKED_BACK if latest else now
        return case_changes.changed(db, since, now)

    async def _derive(self, ids: Sequence[str]) -> int:
        storage, done = self._context.storage, 0
        for first in range(0, len(ids), _AT_ONCE):
            began, now = monotonic(), self._context.clock()
            some = ids[first : first + _AT_ONCE]
            rows, gone = await self._surely(some, now)
            if await storage.read_at_length(case_facts.differ, rows, gone):
                done += await storage.write(_put, rows, gone, now)
            if self._pauses:
                await asyncio.sleep(monotonic() - began)
        return done

    async def _surely(self, ids: Sequence[str], now: datetime) -> tuple[list[Facts], list[str]]:
        """Derive some; a case that cannot be derived keeps none of the others waiting."""
        try:
            return await self._context.storage.read_at_length(self._facts, ids, now)
        # What is stored may be older than any rule of today; the case is named, and left out.
        except Exception as error:
            if is_away(error):
                raise
            if len(ids) == 1:
                log.error("no facts of a case", case=ids[0], error=repr(error), exc_info=error)
                return [], []
        each = [await self._surely([one], now) for one in ids]
        return [row for rows, _ in each for row in rows], [one for _, gone in each for one in gone]

    def _facts(
        self, db: Connection, ids: Collection[str], now: datetime
    ) -> tuple[list[Facts], list[str]]:
        archive = self._archive_of(db)
        found, gone = case_material.read(db, ids, archive, now)
        directory = self._context.directory
        # Of a business that was taken out of the settings all stays as it was.
        pairs = [(one, directory.business(one.business)) for one in found]
        return [facts(one, business, now) for one, business in pairs if business], gone

    def _archive_of(self, db: Connection) -> Archive:
        """The policies that decisions were made with, read again when there are more."""
        kept = decisions.policies_kept(db)
        if kept != self._policies:
            self._archive, self._policies = Archive(decisions.kept_policies(db)), kept
        return self._archive


def _put(db: Connection, rows: Sequence[Facts], gone: Collection[str], now: datetime) -> int:
    # Cases that are alike are compared in the same step: desks take turns.
    hold(db, "case facts")
    case_facts.remove(db, gone)
    return case_facts.put(db, rows, now)
