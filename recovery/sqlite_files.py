"""What every SQLite file of ours is told when it is opened."""

import sqlite3
import time

_SECONDS = 10.0
_PAUSE = 0.02


def write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and one writer work side by side (WAL), every commit on disk.

    SQLite does not wait for others when the first connections to a file all want to change its
    journal at once, whatever the timeout says: desk and actions start at the same moment.

    Args:
        connection: A new one.

    Raises:
        sqlite3.OperationalError: Others have held the file for ten seconds.
    """
    end = time.monotonic() + _SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(_PAUSE)
    connection.execute("PRAGMA synchronous=FULL")
