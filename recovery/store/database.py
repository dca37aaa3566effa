"""One door to the database: transactions for writing, snapshots for reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from recovery.sqlite_files import write_ahead

MIGRATIONS = Path(__file__).parent / "migrations"
_STATEMENT_MS = 5000
# What a statement of ours can be at fault for; it fails again however often it is repeated.
_DEFECTS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


def is_away(error: BaseException) -> bool:
    """Whether an error means that the store cannot be reached now, and the same works later.

    Lost connections, a server that starts or stops, a full pool, a lock waited for too long.
    """
    if isinstance(error, _DEFECTS):
        return False
    return isinstance(error, (DBAPIError, DisconnectionError, PoolTimeoutError))


def stamp(moment: datetime) -> str:
    """Write a moment as stored: ISO 8601, UTC, microseconds, sortable as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def hold(db: Connection, name: str) -> bool:
    """Keep all others who hold this name out until the transaction ends.

    For what is looked up first and written then, where no row stands yet that could be locked.
    On SQLite nothing is to be done: a writing transaction is alone anyway.

    Args:
        db: A writing transaction.
        name: Names of two things may share a lock (64 bits of a hash); that only costs time.

    Returns:
        Whether others may have been waited for; then what was read before is old.
    """
    if db.dialect.name != "postgresql":
        return False
    number = int.from_bytes(sha256(name.encode(errors="surrogatepass")).digest()[:8], signed=True)
    db.execute(select(func.pg_advisory_xact_lock(number)))
    return True


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
            # Parameters hold customers' words, and errors end up in logs.
            self.engine = create_engine(
                url, connect_args={"timeout": 15}, pool_size=4, hide_parameters=True
            )
            _mend_sqlite(self.engine)
        else:
            # A server that is away is noticed within seconds, not when TCP gives up.
            self.engine = create_engine(
                url,
                connect_args={
                    "connect_timeout": 3,
                    "options": f"-c statement_timeout={_STATEMENT_MS}",
                },
                pool_size=8,
                pool_timeout=5,
                pool_pre_ping=True,
                hide_parameters=True,
            )
            _quote_nothing(self.engine)

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
            if not self.is_sqlite:
                # A change of the schema may take its time, and so may waiting for another's.
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            # Desk and actions start at the same time.
            hold(connection, "migrations")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def settle(self) -> bool:
        """Let nothing that was erased stand in files beside the database.

        PostgreSQL sees to that itself (docs/personal-data.md).

        Returns:
            Whether it is so now; readers may have been in the way.
        """
        if not self.is_sqlite:
            return True
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            # Who reads just now is not waited for: it is tried again.
            [(patience,)] = cursor.execute("PRAGMA busy_timeout").fetchall()
            cursor.execute("PRAGMA busy_timeout=500")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={int(patience)}")
        finally:
            raw.close()
        return not busy

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _quote_nothing(engine: Engine) -> None:
    """Errors of PostgreSQL quote rows, with openids and customers' words; errors end up in logs."""

    @event.listens_for(engine, "handle_error")
    def _cut(context: ExceptionContext) -> None:
        for error in (context.original_exception, context.sqlalchemy_exception):
            if error is not None and error.args and isinstance(error.args[0], str):
                error.args = (error.args[0].partition("\nDETAIL:")[0], *error.args[1:])


def _mend_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own type
        # The driver's own transaction control starts too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        write_ahead(connection)
        connection.execute("PRAGMA foreign_keys=ON")
        # What is erased is written over, not only let go of.
        connection.execute("PRAGMA secure_delete=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its lock at once, else two readers that become writers deadlock.
        write = connection.get_execution_options().get("huixin_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
