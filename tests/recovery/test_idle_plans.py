"""A desk with very many cases looks for work by indexes: no table that grows is read whole."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from recovery.store import follow_ups, fulfilments, promises, queue, rested_cases, solved
from recovery.store.database import Database

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
GROWING = ("cases", "conversations", "follow_ups", "fulfilments", "promises", "surveys")
LOOKS: dict[str, Callable[[Connection], Any]] = {
    "aftercare": lambda db: solved.solved_since(db, ["qinghe"], NOON - timedelta(days=14)),
    "follow-ups to plan": lambda db: rested_cases.rested_since(
        db, ["qinghe"], NOON - timedelta(days=3)
    ),
    "follow-ups": lambda db: follow_ups.due(db, ["qinghe"], NOON),
    "promises": lambda db: promises.to_look_at(db, ["qinghe"], NOON),
    "promises to adopt": lambda db: promises.unwatched(db, ["qinghe"], 1),
    "remedies": lambda db: fulfilments.due(db, NOON),
    "put aside": lambda db: queue.to_wake(db, "qinghe", NOON),
    "waiting for an answer": lambda db: queue.unanswered(db, "qinghe"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path_factory.mktemp('plans')}/x.sqlite3")) as made:
        made.migrate()
        yield made


@pytest.mark.parametrize("name", LOOKS)
def test_what_every_desk_asks_again_and_again_takes_an_index(store: Database, name: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(*seen: object) -> None:
        asked.append((str(seen[2]), seen[3]))

    with store.read() as db:
        event.listen(db, "before_cursor_execute", note)
        LOOKS[name](db)
        event.remove(db, "before_cursor_execute", note)
        assert asked
        plans = [
            step[-1]
            for statement, values in asked
            for step in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    whole = {f"SCAN {table}" for table in GROWING}
    # Followed by an index it is only what the index holds.
    assert not whole & set(plans)
