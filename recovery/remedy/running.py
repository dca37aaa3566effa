"""The policy that a process runs: read at start, read again when its files change.

A changed policy that cannot be used is reported once and changes nothing: the one that runs goes
on. The last one that could be used is kept beside the data, so that also a restart goes on with
it; only where there never was one does a broken policy stop the start.
"""

import threading
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from time import monotonic

from recovery.logs import log
from recovery.remedy.book import MANIFEST, Book, PolicyFileError, load_book, save_book
from recovery.remedy.policy import Policy
from recovery.settings import Settings, SettingsError

BUILT_IN = Path(__file__).parent / "tables"
_LOOK_EVERY_SECONDS = 2.0
_MOST_KEPT = 64


class RunningPolicy:
    """Safe for several threads."""

    def __init__(
        self,
        directory: Path = BUILT_IN,
        last_good: Path | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Read the policy.

        Args:
            directory: Where its files are.
            last_good: Where to keep the last one that could be used, None for nowhere.
            clock: Seconds, for how often the files are looked at.

        Raises:
            PolicyFileError: It cannot be used, and there is none from before.
        """
        self._directory = directory
        self._last_good = last_good
        self._clock = clock
        self._lock = threading.Lock()
        self._mark = self._marks()
        self._book = self._first()
        self._policies: dict[tuple[str, date], Policy] = {}
        self._looked = clock()

    def _first(self) -> Book:
        try:
            book = load_book(self._directory)
        except PolicyFileError as error:
            if self._last_good is None or not (self._last_good / MANIFEST).is_file():
                raise
            book = load_book(self._last_good)
            self._refused(error, book)
            return book
        self._keep(book)
        return book

    def _keep(self, book: Book) -> None:
        if self._last_good is None:
            return
        try:
            save_book(book, self._last_good)
        except OSError as error:
            # The desk can do without; it only could not restart with a broken policy.
            log.warning("policy not kept", directory=str(self._last_good), error=str(error))

    def _refused(self, error: PolicyFileError, runs: Book) -> None:
        log.error(
            "policy refused, the former one goes on",
            running=runs.name,
            file=str(self._directory / MANIFEST),
            wrong=list(error.wrong[:5]),
        )

    @property
    def book(self) -> Book:
        """The tables that hold now."""
        self._look()
        return self._book

    def on(self, trade: str, day: date) -> Policy:
        """The policy of a trade on a day.

        Raises:
            PolicyError: No such trade.
        """
        self._look()
        with self._lock:
            found = self._policies.get((trade, day))
            if found is None:
                if len(self._policies) >= _MOST_KEPT:
                    self._policies.clear()
                found = self._policies[trade, day] = Policy(self._book, trade, day)
            return found

    def _marks(self) -> tuple[tuple[str, int, int], ...]:
        marks = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            marks.append((path.name, found.st_mtime_ns, found.st_size))
        return tuple(marks)

    def fresh(self) -> Book:
        """The tables as they stand in the files at this moment, where they can be used."""
        self._look(at_once=True)
        return self._book

    def _look(self, *, at_once: bool = False) -> None:
        """Take a changed policy, if it can be used. Not more often than every two seconds."""
        with self._lock:
            if not at_once and self._clock() - self._looked < _LOOK_EVERY_SECONDS:
                return
            self._looked = self._clock()
            mark = self._marks()
            if mark == self._mark:
                return
            self._mark = mark
            try:
                book = load_book(self._directory)
            except PolicyFileError as error:
                self._refused(error, self._book)
                return
            if book.name != self._book.name:
                log.info("policy changed", before=self._book.name, now=book.name)
                self._book = book
                self._policies.clear()
                self._keep(book)


def policy_of(settings: Settings) -> RunningPolicy:
    """The policy that the settings name, else the one that Huixin comes with.

    Raises:
        SettingsError: It cannot be used, and there is none from before.
    """
    try:
        if settings.policy is None:
            return RunningPolicy()
        return RunningPolicy(settings.policy, settings.data / "policy-in-use")
    except PolicyFileError as error:
        raise SettingsError(f"policy: {error}") from error


@cache
def running(directory: Path = BUILT_IN) -> RunningPolicy:
    """The running policy of a directory, one for each process."""
    return RunningPolicy(directory)
