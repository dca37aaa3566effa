"""Databases for tests that are not about migrations: copies of one that was migrated once.

A desk begins in nearly every test, and three quarters of what that takes are migrations.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from recovery.store.database import Database


@contextmanager
def ready_databases(folder: Path) -> Iterator[None]:
    """Let `Database.migrate` copy a ready file where there is none yet, within the block.

    Args:
        folder: For the one that is copied; nothing else is in it.
    """
    truly = Database.migrate
    template: list[bytes] = []

    def ready() -> bytes:
        if not template:
            path = folder / "ready.sqlite3"
            with closing(Database(f"sqlite:///{path}")) as made:
                truly(made)
                with made.engine.connect() as db:
                    db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            template.append(path.read_bytes())
        return template[0]

    def migrate(store: Database) -> None:
        file = make_url(store.url).database if store.is_sqlite else None
        if not file or file == ":memory:" or Path(file).exists():
            truly(store)
        else:
            Path(file).write_bytes(ready())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "migrate", migrate)
        patch.setattr(Database, "truly_migrate", truly, raising=False)
        yield
