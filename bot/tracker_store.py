"""Rasa's memory of conversations: SQL that is read once and only appended to.

The stock store reads and rebuilds the whole conversation at each message and counts the stored
events again at each save. This one keeps recently used trackers in memory and knows how many of
their events are stored.

A tracker in memory can hold events of a turn that broke off. So it is taken out when a turn
begins and put back when it was saved; a turn that fails leaves nothing behind, and the next one
reads the database. One conversation's turns must come one after the other, as they do behind
`bot.channel` and behind Rasa's own lock.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore, create_engine_kwargs
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.orm import Session

URL_VARIABLE = "HUIXIN_TRACKER_DB"
DEFAULT_FILE = "var/rasa.sqlite3"

# How many of a tracker's events are in the database. It lives on the tracker itself, since a
# copy of a tracker, or one made elsewhere, must not inherit it.
_STORED = "_huixin_stored_events"


def database_url(configured: str | None = None) -> URL:
    """Find the database.

    Args:
        configured: What endpoints.yml says, if it says anything.

    Returns:
        The URL in the environment variable HUIXIN_TRACKER_DB, else the configured one, else the
        SQLite file var/rasa.sqlite3 in the working directory. A value without `://` is the path
        of a SQLite file.
    """
    wanted = os.environ.get(URL_VARIABLE) or configured or DEFAULT_FILE
    if "://" in wanted:
        return make_url(wanted)
    return URL.create("sqlite", database=wanted)


class CachedTrackerStore(SQLTrackerStore):
    """Trackers in an SQL database (SQLite or PostgreSQL), the recent ones also in memory.

    It reads and writes the table of Rasa's own SQL store.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        max_trackers: int = 2000,
        max_events: int = 40000,
        **kwargs: object,
    ) -> None:
        """Connect and make the table if it is missing.

        Rasa's own constructor is left out on purpose: without a database it would sleep and try
        again for ever, unseen, instead of ending with an error.

        Args:
            domain: Slots of the trackers; Rasa sets it when a model is loaded.
            host: `url` in endpoints.yml: a database URL or the path of a SQLite file.
            event_broker: As in Rasa's store. Huixin uses none.
            max_trackers: How many trackers stay in memory.
            max_events: How many events they may have together; an event takes about 2.5 kB.
            **kwargs: For Rasa's base class.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database cannot be used.
        """
        self._kept: OrderedDict[str, DialogueStateTracker] = OrderedDict()
        self._kept_events = 0
        self._max_trackers = max_trackers
        self._max_events = max_events
        self.engine = _engine(database_url(host))
        _make_table(self.engine, self.Base.metadata)
        self.sessionmaker = sa.orm.session.sessionmaker(bind=self.engine)
        TrackerStore.__init__(self, domain, event_broker, **kwargs)

    @property
    def domain(self) -> Domain:
        """The domain whose slots the trackers have."""
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        # Trackers in memory have the slots of the old domain.
        self._kept.clear()
        self._kept_events = 0
        self._domain = domain or Domain.empty()

    @contextmanager
    def session_scope(self) -> Generator[Session, None, None]:
        """Give a session that is closed at the end.

        Rasa's own ends the process at any ValueError, one unreadable row included.

        Yields:
            The session; what is not committed is rolled back.
        """
        session = self.sessionmaker()
        try:
            yield session
        finally:
            session.close()

    async def create_tracker(
        self, sender_id: str, append_action_listen: bool = True
    ) -> DialogueStateTracker:
        """Make an empty tracker; the caller owns it as if it had been retrieved.

        Args:
            sender_id: The conversation.
            append_action_listen: Begin with a stored `action_listen`.

        Returns:
            The tracker.
        """
        tracker = await super().create_tracker(sender_id, append_action_listen)
        return await self.retrieve(sender_id) or tracker

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Take the tracker out of memory, or read it.

        Args:
            sender_id: The conversation.

        Returns:
            The tracker of the latest session, or None for an unknown conversation. The caller
            owns it; it comes back into memory with `save`.
        """
        tracker = self._kept.pop(sender_id, None)
        if tracker is not None:
            self._kept_events -= len(tracker.events)
            return tracker
        tracker = await super().retrieve(sender_id)
        if tracker is not None:
            setattr(tracker, _STORED, len(tracker.events))
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is new and keep the tracker in memory.

        Args:
            tracker: The conversation. It must not be changed afterwards without `retrieve`.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Nothing was stored, or it is unknown whether it was;
                the next `retrieve` reads what the database has.
        """
        await self.stream_events(tracker)
        stored = getattr(tracker, _STORED, None)
        if stored is None:
            with self.session_scope() as session:
                new = list(self._additional_events(session, tracker))
        else:
            new = list(islice(tracker.events, stored, None))
        if new:
            rows = [_row(tracker.sender_id, event) for event in new]
            with self.session_scope() as session:
                session.execute(self.SQLEvent.__table__.insert(), rows)
                session.commit()
        setattr(tracker, _STORED, len(tracker.events))
        self._keep(tracker)

    def episodes(self, conversation: str) -> list[str]:
        """Give the senders that are episodes of a conversation.

        Args:
            conversation: Its id.
        """
        sender = self.SQLEvent.sender_id
        with self.session_scope() as session:
            query = sa.select(sender).where(
                sa.or_(
                    sender == conversation, sender.startswith(f"{conversation}:", autoescape=True)
                )
            )
            stored = set(session.execute(query.distinct()).scalars())
        kept = {
            one for one in self._kept if one == conversation or one.startswith(f"{conversation}:")
        }
        return sorted(stored | kept)

    def silent_since(self, moment: float, most: int = 500) -> list[str]:
        """Give senders of whom nothing was stored since a moment.

        Args:
            moment: Unix time.
            most: How many at most.
        """
        sender, at = self.SQLEvent.sender_id, self.SQLEvent.timestamp
        query = sa.select(sender).group_by(sender).having(sa.func.max(at) < moment).limit(most)
        with self.session_scope() as session:
            return list(session.execute(query).scalars())

    def forget(self, sender_id: str) -> int:
        """Remove a tracker for good; the caller holds its lock.

        Args:
            sender_id: The conversation's episode.

        Returns:
            How many events were stored of it.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Nothing was removed.
        """
        kept = self._kept.pop(sender_id, None)
        if kept is not None:
            self._kept_events -= len(kept.events)
        with self.session_scope() as session:
            gone = sa.delete(self.SQLEvent).where(self.SQLEvent.sender_id == sender_id)
            number = session.execute(gone).rowcount
            session.commit()
        return int(number)

    def settle(self) -> None:
        """Let nothing that was removed stand in the files beside a SQLite database."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                raw = connection.connection.driver_connection
                if raw is not None:
                    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _keep(self, tracker: DialogueStateTracker) -> None:
        replaced = self._kept.pop(tracker.sender_id, None)
        if replaced is not None:
            self._kept_events -= len(replaced.events)
        self._kept[tracker.sender_id] = tracker
        self._kept_events += len(tracker.events)
        while len(self._kept) > self._max_trackers or self._kept_events > self._max_events:
            _, oldest = self._kept.popitem(last=False)
            self._kept_events -= len(oldest.events)


def _row(sender_id: str, event: Event) -> dict[str, Any]:
    """Make a row as Rasa's SQL store would."""
    data = event.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
        "action_name": data.get("name"),
        # Pure ASCII, so that no character of a customer can be refused by a database.
        "data": json.dumps(data),
    }


def _engine(url: URL) -> Engine:
    # Errors must not carry the messages of customers into the logs.
    options: dict[str, Any] = {"hide_parameters": True, **create_engine_kwargs(url)}
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        # One kept connection: SQLAlchemy would open the file anew for each turn.
        options |= {
            "poolclass": sa.pool.StaticPool,
            "connect_args": {"check_same_thread": False, "timeout": 2},
        }
    elif url.get_backend_name() == "postgresql":
        given = options.get("connect_args", {})
        limits = f"{given.get('options', '')} -c statement_timeout=5000".strip()
        options |= {
            "pool_pre_ping": True,
            "connect_args": {**given, "connect_timeout": 5, "options": limits},
        }
    engine = sa.create_engine(url, **options)
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _use_write_ahead_log)
    return engine


def _use_write_ahead_log(connection: Any, _: object) -> None:  # noqa: ANN401  a DBAPI connection
    """Let readers and the writer go side by side, with one sync a checkpoint.

    A killed process loses nothing; a power cut may lose the last turns, which the desk asks for
    again because it never got, or never stored, their answers.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    # What is forgotten is written over, not only let go of.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _make_table(engine: Engine, metadata: sa.MetaData) -> None:
    try:
        metadata.create_all(engine)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError):
        # Another process (`rasa shell`, a second model) may have made it at the same moment.
        if not all(sa.inspect(engine).has_table(table) for table in metadata.tables):
            raise
