"""The database behind an event loop: transactions run in threads, in order for SQLite."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from recovery.store.database import Database

P = ParamSpec("P")
R = TypeVar("R")


class Storage:
    """Runs functions of the form `f(connection, ...)` in a transaction, off the event loop."""

    def __init__(self, database: Database) -> None:
        """Prepare the threads.

        Args:
            database: Migrated.
        """
        self.database = database
        # SQLite has one writer; a queue of our own waits more fairly than its busy handler.
        writers = 1 if database.is_sqlite else 6
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="write")
        self._readers = ThreadPoolExecutor(3, thread_name_prefix="read")

    async def write(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run in a transaction that may write; an exception rolls it back."""

        def run() -> R:
            with self.database.write() as connection:
                return work(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writers, run)

    async def read(
        self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run on a snapshot."""

        def run() -> R:
            with self.database.read() as connection:
                return work(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def close(self) -> None:
        """Finish what runs, then close."""
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.database.close()
