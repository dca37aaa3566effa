"""The database behind an event loop: transactions run in threads, in order for SQLite."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from recovery.settings import Settings
from recovery.store.database import Database

P = ParamSpec("P")
R = TypeVar("R")


class _Writers:
    """Threads that write; what customers send goes before all that can wait."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="write")
        self._first: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._then: deque[tuple[Future[Any], Callable[[], Any]]] = deque()

    def run(self, work: Callable[[], R], *, first: bool) -> "asyncio.Future[R]":
        future: Future[R] = Future()
        (self._first if first else self._then).append((future, work))
        self._pool.submit(self._next)
        return asyncio.wrap_future(future)

    def _next(self) -> None:
        """Do one thing: as many are asked for as stand in the lines."""
        try:
            future, work = self._first.popleft()
        except IndexError:
            future, work = self._then.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        # Whoever waits for it gets it, whatever it is.
        except BaseException as error:
            future.set_exception(error)

    def close(self) -> None:
        self._pool.shutdown(wait=True)


class Storage:
    """Runs functions of the form `f(connection, ...)` in a transaction, off the event loop."""

    def __init__(self, database: Database) -> None:
        """Prepare the threads.

        Args:
            database: Migrated.
        """
        self.database = database
        # SQLite has one writer; a queue of our own waits more fairly than its busy handler. It
        # gives the interpreter away at every step of a query: two threads that read at once take
        # it from each other and from the event loop, and all of them take ten times as long.
        writers, readers = (1, 1) if database.is_sqlite else (6, 3)
        self._writers = _Writers(writers)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="read")
        self._searchers = ThreadPoolExecutor(1, thread_name_prefix="search")

    async def write(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run in a transaction that may write; an exception rolls it back."""
        return await self._write(lambda db: work(db, *args, **kwargs), first=False)

    async def write_first(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run like `write`, before all else that waits: for taking in what customers send.

        Where more is to be done than can be, answers come later, but nothing is turned away.
        """
        return await self._write(lambda db: work(db, *args, **kwargs), first=True)

    async def _write(self, work: Callable[[Connection], R], *, first: bool) -> R:
        def run() -> R:
            with self.database.write() as connection:
                return work(connection)

        return await self._writers.run(run, first=first)

    async def read(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run on a snapshot."""
        return await self._read_in(self._readers, lambda db: work(db, *args, **kwargs))

    async def read_at_length(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run on a snapshot what may take long, such as a search, so that nothing waits for it."""
        return await self._read_in(self._searchers, lambda db: work(db, *args, **kwargs))

    async def _read_in(self, threads: ThreadPoolExecutor, work: Callable[[Connection], R]) -> R:
        def run() -> R:
            with self.database.read() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(threads, run)

    def close(self) -> None:
        """Finish what runs, then close."""
        self._writers.close()
        self._readers.shutdown(wait=True)
        self._searchers.shutdown(wait=True)
        self.database.close()


def open_storage(settings: Settings) -> Storage:
    """Open the desk's database and bring it up to date."""
    database = Database(settings.database_url)
    database.migrate()
    return Storage(database)
