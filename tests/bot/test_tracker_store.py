"""Rasa's memory: read once, only appended to, and never wrong about what is stored."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar, cast

import pytest
import sqlalchemy as sa
from rasa.core.agent import Agent
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.incoming import Forgetting
from bot.tracker_store import CachedTrackerStore, database_url
from bot.turns import Turns
from tests.bot.conftest import PROJECT

T = TypeVar("T")


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load(str(PROJECT / "domain.yml"))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HUIXIN_TRACKER_DB", raising=False)
    return tmp_path / "deep" / "rasa.sqlite3"


def made(file: Path, domain: Domain, **limits: int) -> CachedTrackerStore:
    return CachedTrackerStore(domain, str(file), **limits)


def now(work: Awaitable[T]) -> T:
    async def scenario() -> T:
        return await work

    return asyncio.run(scenario())


def turn(tracker: DialogueStateTracker, number: int, domain: Domain) -> None:
    events: list[Event] = [
        UserUttered(f"第{number}句", {"name": "complain"}, message_id=f"m{number}"),
        ActionExecuted("action_public"),
        BotUttered(f"答{number}", metadata={"variant": str(number)}),
        SlotSet("stage", "hearing"),
        ActionExecuted("action_listen"),
    ]
    for event in events:
        tracker.update(event, domain)


def begin(store: CachedTrackerStore, sender: str, domain: Domain) -> DialogueStateTracker:
    tracker = now(store.get_or_create_tracker(sender, append_action_listen=False))
    tracker.update(ActionExecuted("action_session_start"), domain)
    tracker.update(SessionStarted(), domain)
    tracker.update(ActionExecuted("action_listen"), domain)
    return tracker


def rows(file: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(file) as database:
        return database.execute("SELECT sender_id, data FROM events ORDER BY id").fetchall()


def test_memory_and_database_hold_the_same(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    now(store.save(tracker))
    for number in range(5):
        tracker = now(store.retrieve("a"))
        turn(tracker, number, domain)
        now(store.save(tracker))

    kept = now(store.retrieve("a"))
    read = now(made(file, domain).retrieve("a"))
    stock = SQLTrackerStore(domain, db=str(file))
    read_by_stock = now(stock.retrieve("a"))

    assert kept is tracker
    # Rasa reads from the start of the session on, the event before it is left out.
    events = [event.as_dict() for event in kept.events][1:]
    for other in (read, read_by_stock):
        assert [event.as_dict() for event in other.events] == events
        assert other.current_slot_values() == kept.current_slot_values()
        assert other.latest_message.message_id == "m4"
        assert other.current_state()["latest_action_name"] == "action_listen"
    assert len(rows(file)) == 3 + 5 * 5


def test_a_turn_is_written_once_though_saved_twice(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    now(store.save(tracker))
    now(store.save(tracker))

    assert len(rows(file)) == 3


def test_a_turn_that_breaks_off_leaves_nothing(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    turn(tracker, 0, domain)
    now(store.save(tracker))

    broken = now(store.retrieve("a"))
    turn(broken, 1, domain)
    again = now(store.retrieve("a"))

    assert again is not broken
    assert again.latest_message.message_id == "m0"
    turn(again, 2, domain)
    now(store.save(again))
    assert [json.loads(data)["message_id"] for _, data in rows(file) if '"user"' in data] == [
        "m0",
        "m2",
    ]


def test_a_new_conversation_that_breaks_off_leaves_nothing(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    broken = begin(store, "a", domain)
    turn(broken, 0, domain)

    again = now(store.get_or_create_tracker("a", append_action_listen=False))

    assert again is not broken
    assert len(again.events) == 0


def test_a_save_that_fails_is_an_error_and_can_be_repeated(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    now(store.save(tracker))
    tracker = now(store.retrieve("a"))
    turn(tracker, 0, domain)
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(sa.exc.OperationalError) as raised:
        now(store.save(tracker))
    blocker.execute("ROLLBACK")
    blocker.close()

    assert "第0句" not in str(raised.value)
    again = now(store.retrieve("a"))
    assert again is not tracker
    assert again.latest_message.text is None
    turn(again, 0, domain)
    now(store.save(again))
    assert sum('"user"' in data for _, data in rows(file)) == 1


def test_a_save_that_was_stored_though_it_failed_is_found(
    file: Path, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    turn(tracker, 0, domain)
    commit = sa.orm.Session.commit

    def commit_and_lose_the_answer(session: sa.orm.Session) -> None:
        commit(session)
        raise sa.exc.OperationalError("COMMIT", {}, Exception("connection lost"))

    monkeypatch.setattr(sa.orm.Session, "commit", commit_and_lose_the_answer)
    with pytest.raises(sa.exc.OperationalError):
        now(store.save(tracker))
    monkeypatch.undo()

    assert now(store.retrieve("a")).latest_message.message_id == "m0"


def test_only_the_recent_ones_stay_in_memory(file: Path, domain: Domain) -> None:
    store = made(file, domain, max_trackers=2)
    kept = {}
    for sender in "abc":
        kept[sender] = begin(store, sender, domain)
        now(store.save(kept[sender]))

    assert now(store.retrieve("a")) is not kept["a"]
    assert now(store.retrieve("b")) is kept["b"]
    assert now(store.retrieve("c")) is kept["c"]


def test_memory_is_bounded_by_events_too(file: Path, domain: Domain) -> None:
    store = made(file, domain, max_events=10)
    kept = {}
    for sender in "abcd":
        kept[sender] = begin(store, sender, domain)
        now(store.save(kept[sender]))

    assert now(store.retrieve("a")) is not kept["a"]
    assert all(now(store.retrieve(sender)) is kept[sender] for sender in "bcd")
    # What was taken out counts no more.
    for sender in "bcd":
        now(store.save(kept[sender]))
    assert all(now(store.retrieve(sender)) is kept[sender] for sender in "bcd")


def test_another_domain_forgets_what_is_in_memory(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    now(store.save(tracker))

    store.domain = domain

    assert now(store.retrieve("a")) is not tracker


def test_any_character_of_a_customer_is_stored(file: Path, domain: Domain) -> None:
    text = "\ud800\x00😡'; DROP TABLE events;--"
    store = made(file, domain)
    tracker = begin(store, "a", domain)
    tracker.update(UserUttered(text, {"name": "complain"}, message_id="m"), domain)
    now(store.save(tracker))

    assert now(made(file, domain).retrieve("a")).latest_message.text == text


def test_sqlite_writes_ahead_and_syncs_at_checkpoints(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    with store.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 1


def test_rasa_makes_it_from_endpoints_yml(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    store = TrackerStore.create(EndpointConfig(type="bot.tracker_store.CachedTrackerStore"))

    assert isinstance(store, CachedTrackerStore)
    assert (tmp_path / "var" / "rasa.sqlite3").exists()


def test_a_store_that_cannot_be_used_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database, but long enough to be read as one" * 100)

    with pytest.raises(sa.exc.DatabaseError):
        CachedTrackerStore(host=str(tmp_path / "file"))


def test_where_the_database_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUIXIN_TRACKER_DB", raising=False)
    assert database_url().render_as_string() == "sqlite:///var/rasa.sqlite3"
    assert database_url("x.db").database == "x.db"
    monkeypatch.setenv("HUIXIN_TRACKER_DB", "postgresql://h@db/rasa")
    assert database_url("x.db").get_backend_name() == "postgresql"


def test_what_is_forgotten_is_gone_from_memory_database_and_file(
    file: Path, domain: Domain
) -> None:
    store = made(file, domain)
    for sender in ("v1:0", "v1:1", "v10:0"):
        tracker = now(store.create_tracker(sender))
        tracker.update(UserUttered(f"秘密{sender}", {"name": "complain"}, message_id="m1"), domain)
        now(store.save(tracker))

    assert store.episodes("v1") == ["v1:0", "v1:1"]
    assert [store.forget(one) > 1 for one in store.episodes("v1")] == [True, True]
    store.settle()

    assert store.episodes("v1") == []
    assert now(store.retrieve("v1:0")) is None
    assert now(store.retrieve("v10:0")) is not None
    for part in file.parent.iterdir():
        assert json.dumps("秘密v1:0")[1:-1].encode() not in part.read_bytes()


def test_those_who_have_been_silent_for_long_are_known(file: Path, domain: Domain) -> None:
    store = made(file, domain)
    tracker = now(store.create_tracker("v1:0"))
    tracker.update(UserUttered("早了", {"name": "complain"}, timestamp=1000.0), domain)
    now(store.save(tracker))
    latest = max(event.timestamp for event in tracker.events)

    assert store.silent_since(latest) == []
    assert store.silent_since(latest + 1) == ["v1:0"]


def test_every_episode_of_a_conversation_is_forgotten_in_its_turn(
    file: Path, domain: Domain
) -> None:
    store = made(file, domain)
    for sender in ("v1:0", "v1:1", "v2:0", "v3:0"):
        tracker = begin(store, sender, domain)
        turn(tracker, 1, domain)
        now(store.save(tracker))
    latest = max(event.timestamp for event in tracker.events)
    agent = SimpleNamespace(processor=SimpleNamespace(tracker_store=store))

    async def forget(*names: str, before: float | None = None) -> dict[str, object]:
        return await Turns().forget(cast(Agent, agent), Forgetting(names, before))

    done = now(forget("v1", "v2", "unknown"))
    assert (done["forgotten"], done["more"]) == (3, False)
    assert {sender for sender, _ in rows(file)} == {"v3:0"}
    assert now(forget(before=latest))["forgotten"] == 0
    assert now(forget(before=latest + 1))["forgotten"] == 1
    assert rows(file) == []
