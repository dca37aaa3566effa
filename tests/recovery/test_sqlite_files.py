"""Processes that open a new file at the same moment."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from recovery.sqlite_files import write_ahead


def test_many_may_open_a_file_of_before_at_once(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.sqlite3"
        with closing(sqlite3.connect(path)) as old:
            old.execute("CREATE TABLE t (x)")
        together = threading.Barrier(6)

        def opened(path: Path = path, together: threading.Barrier = together) -> str:
            with closing(sqlite3.connect(path, timeout=0)) as connection:
                together.wait()
                write_ahead(connection)
                return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

        with ThreadPoolExecutor(6) as threads:
            assert set(threads.map(lambda _: opened(), range(6))) == {"wal"}
