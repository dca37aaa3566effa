"""Commits together what comes at the same time: for SQLite a commit is the greater part of it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from desk.storage import Storage

R = TypeVar("R")

_Work = Callable[[Connection], Any]
# So long nobody else gets to write.
_MOST = 16


class Together:
    """Writes like `Storage.write_first`; what waits for its turn becomes one transaction."""

    def __init__(self, storage: Storage) -> None:
        """Prepare.

        Args:
            storage: Of the desk.
        """
        self._storage = storage
        self._waiting: list[tuple[_Work, asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Connection], R]) -> R:
        """Do something in a transaction that may write, others perhaps beside it.

        Args:
            work: What fails alone undoes nothing of the others.

        Returns:
            What the work gives, once it is committed; its exceptions come through as well.
        """
        if not self._storage.database.is_sqlite:
            # Many write at once there, and locks are given back the earlier the better.
            return await self._storage.write_first(work)
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work_off())
        return await future

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                portion, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._commit(portion)
        finally:
            self._task = None

    async def _commit(self, portion: list[tuple[_Work, asyncio.Future[Any]]]) -> None:
        try:
            ends = await self._storage.write_first(_all, [work for work, _ in portion])
        # Nothing of it is stored; whoever waits for it is told why.
        except Exception as error:
            ends = [(None, error)] * len(portion)
        for (_, future), (result, failure) in zip(portion, ends, strict=True):
            if future.cancelled():
                continue
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)


def _all(db: Connection, works: list[_Work]) -> list[tuple[Any, Exception | None]]:
    if len(works) == 1:
        return [(works[0](db), None)]
    ends: list[tuple[Any, Exception | None]] = []
    for work in works:
        try:
            with db.begin_nested():
                ends.append((work(db), None))
        # It belongs to whoever waits for it; the others are committed.
        except Exception as error:
            ends.append((None, error))
    return ends
