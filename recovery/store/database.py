"""One door to the database: transactions for writing, snapshots for reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).parent / "migrations"


def stamp(moment: datetime) -> str:
    """Write a moment as stored: ISO 8601, UTC, microseconds, sortable as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Database:
    """SQLite (WAL, every commit on disk) or PostgreSQL, by URL."""

    def __init__(self, url: str) -> None:
        """Prepare connections; nothing is opened yet.

        Args:
            url: An SQLAlchemy URL.
        """
        self.url = url
        target = make_url(url)
        self.is_sqlite = target.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if target.database:
                Path(target.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(url, connect_args={"timeout": 15}, pool_size=4)
            _mend_sqlite(self.engine)
        else:
            self.engine = create_engine(url, pool_size=8, pool_pre_ping=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; commits at the end, rolls back on an error."""
        with self.engine.connect().execution_options(huixin_write=True) as connection:
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot for reading."""
        with self.engine.connect() as connection:
            with connection.begin():
                yield connection

    def migrate(self) -> None:
        """Bring the schema up to date. Safe to repeat."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        # Alembic reads % as interpolation.
        config.set_main_option("sqlalchemy.url", self.url.replace("%", "%%"))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _mend_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own type
        # The driver's own transaction control starts too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once, else two readers that become writers deadlock.
        write = connection.get_execution_options().get("huixin_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
