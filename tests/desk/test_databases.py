"""The desk's database, on SQLite and on PostgreSQL alike: migrations, races, the whole road."""

import os
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from recovery.clock import utc_now
from recovery.settings import Limits
from recovery.store import conversations, customers, proofs, staff, streams
from recovery.store.database import Database
from recovery.store.proofs import TooManyTriesError
from recovery.store.tables import inbox, metadata, outbox, proof_tries
from tests.desk.orders import an_order, effects
from tests.desk.people import Agent, complain, guest, log_in, offers, the_button
from tests.desk.postgres import AbsentError, cluster, new_database
from tests.support.stack import running

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "an honest password"
TOGETHER = 12


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    try:
        with cluster() as server:
            yield server
    except AbsentError as error:
        if os.environ.get("HUIXIN_REQUIRE_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.sqlite3'}"
    return new_database(request.getfixturevalue("postgres"), f"test_{secrets.token_hex(4)}")


@pytest.fixture
def store(url: str) -> Iterator[Database]:
    made = Database(url)
    made.migrate()
    yield made
    made.close()


def at_once(work: Callable[[int], object], people: int = TOGETHER) -> list[object]:
    """Do something many times at the same moment; an exception counts as the result."""
    gate = threading.Barrier(people)

    def run(number: int) -> object:
        gate.wait(30)
        try:
            return work(number)
        except Exception as error:  # whatever it is, the test looks at it
            return error

    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(run, range(people)))


def a_customer_in(db: Connection) -> str:
    return customers.begin_session(db, None, "lanting", "客人", None, NOW)[0].id


def a_customer(store: Database) -> str:
    with store.write() as db:
        return a_customer_in(db)


# --- migrations -----------------------------------------------------------------------------


def differences(store: Database) -> list[object]:
    with store.read() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_an_empty_database_becomes_what_the_code_expects(url: str) -> None:
    store = Database(url)
    assert differences(store), "there is nothing yet"
    store.migrate()
    assert differences(store) == []
    store.close()


def test_migrating_again_changes_and_loses_nothing(store: Database) -> None:
    customer = a_customer(store)
    store.migrate()
    store.migrate()
    assert differences(store) == []
    with store.read() as db:
        assert customers.load(db, customer).name == "客人"


def test_processes_that_start_at_the_same_time_migrate_once(url: str) -> None:
    stores = [Database(url) for _ in range(4)]
    assert at_once(lambda number: stores[number].migrate(), 4) == [None] * 4
    assert differences(stores[0]) == []
    for store in stores:
        store.close()


# --- races ----------------------------------------------------------------------------------


def test_guesses_at_the_same_moment_keep_to_the_limit(store: Database) -> None:
    crowd = [a_customer(store) for _ in range(TOGETHER)]
    limits = Limits(proof_tries_per_order_and_day=5)

    def guess(number: int) -> bool:
        with store.write() as db:
            who = crowd[number]
            proofs.record(db, "lanting", "LT1", who, correct=False, limits=limits, now=NOW)
        return True

    results = at_once(guess)
    assert results.count(True) == 5
    assert sum(isinstance(result, TooManyTriesError) for result in results) == TOGETHER - 5
    with store.read() as db:
        assert db.execute(select(func.count()).select_from(proof_tries)).scalar() == 5


def test_events_of_one_stream_are_numbered_without_gap_or_double(store: Database) -> None:
    def append(number: int) -> object:
        event = {"id": f"m{number}", "kind": "message"}
        with store.write() as db:
            entry = streams.append(db, "room:new", event, NOW)
        return entry.seq if entry else None

    numbers = at_once(append)
    assert sorted(numbers, key=str) == sorted(range(1, TOGETHER + 1), key=str)
    with store.read() as db:
        assert streams.last(db, "room:new") == TOGETHER
        assert [entry.seq for entry in streams.after(db, "room:new", 0)] == [
            *range(1, TOGETHER + 1)
        ]


def test_an_event_that_is_appended_again_stands_once(store: Database) -> None:
    event = {"id": "m1", "kind": "message"}
    with store.write() as db:
        assert streams.append(db, "room:x", event, NOW) is not None
        assert streams.append(db, "room:x", event, NOW) is None
    with store.read() as db:
        assert streams.last(db, "room:x") == 1


def test_tabs_that_open_at_the_same_moment_are_one_customer(store: Database) -> None:
    def begin(_: int) -> object:
        with store.write() as db:
            return customers.begin_session(db, None, "lanting", "客人", "guest-1", NOW)[0].id

    first = at_once(begin)
    assert len(set(first)) == 1, first
    with store.write() as db:
        _, secret = customers.begin_session(db, None, "qinghe", "客人", None, NOW)

    def again(_: int) -> object:
        with store.write() as db:
            return customers.begin_session(db, secret, "lanting", "客人", None, NOW)[0].id

    second = at_once(again)
    assert len(set(second)) == 1, second


def test_of_many_who_take_a_conversation_one_gets_it(store: Database) -> None:
    with store.write() as db:
        conversation = conversations.begin(db, "lanting", a_customer_in(db), NOW, room="hall")

    def take(number: int) -> object:
        with store.write() as db:
            found = conversations.load(db, conversation.id, lock=True)
            assert found is not None
            conversations.change_owner(db, found, f"staff:{number}", NOW, expected=("bot",))
        return number

    results = at_once(take)
    (winner,) = [result for result in results if isinstance(result, int)]
    assert all(
        isinstance(result, conversations.OwnershipError) for result in results if result != winner
    )
    with store.read() as db:
        present = conversations.load(db, conversation.id)
        assert present is not None
        assert present.owner == f"staff:{winner}"


def test_wrong_passwords_at_the_same_moment_are_all_counted(store: Database) -> None:
    with store.write() as db:
        staff.add(db, "qian", "钱哥", "agent", PASSWORD, NOW)

    with store.read() as db:
        tried = staff.attempt("qian", staff.password_hash(db, "qian"), "wrong")

    def fail(_: int) -> object:
        with store.write() as db:
            return staff.log_in(db, tried, NOW)

    assert at_once(fail, 6) == [None] * 6
    with store.read() as db:
        assert db.execute(select(staff.staff.c.failures)).scalar() == 5, "then it was locked"


# --- the whole road -------------------------------------------------------------------------


async def test_the_whole_road_on_postgresql(postgres: str, trained: Path, tmp_path: Path) -> None:
    """From the post to the remedy that was carried out, and a person in between."""
    url, trackers = new_database(postgres, "huixin"), new_database(postgres, "rasa")
    # Rasa has another driver than the desk.
    tracker = trackers.replace("postgresql+psycopg:", "postgresql:")
    with running(tmp_path, database=url, tracker=tracker) as stack:
        store = Database(url)
        with store.write() as db:
            staff.add(db, "lin", "小林", "agent", PASSWORD, utc_now())
        login = log_in(stack, "lin", PASSWORD)
        order = an_order(stack)
        async with (
            guest(stack, store=store) as one,
            guest(stack, name="旁人", store=store) as other,
            Agent(stack, login) as lin,
        ):
            post = await one.post("房间没打扫干净，太脏了，气死我了！！我电话13912345678")
            seen = await other.room.event(id=post["id"])
            assert "［手机号］" in seen["text"]
            assert other.calls() == []
            await one.enter()
            wrong = await one.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
            assert offers(wrong) == []
            await lin.done(one.conversation, "take")
            await lin.done(one.conversation, "answer", id=uuid.uuid4().hex, text="我来看看")
            assert (await one.chat.event(author="staff"))["text"] == "我来看看"
            whole = await lin.whole(one.conversation)
            assert [event["id"] for event in whole["public"]].count(post["id"]) == 1
            await lin.done(one.conversation, "give_back", note="")
            said = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
            (offer,) = offers(said)
            after = await one.tell("就这样办", the_button(said, "就这样办"))
            assert offers(after)[0]["state"] == "accepted"
            for item in offer["items"]:
                await one.chat.event(kind="progress", title=item["title"], state="done")
            assert len(effects(stack, order.number)) == len(offer["items"])
            with store.read() as db:
                new = select(func.count()).select_from(inbox).where(inbox.c.state == "new")
                assert db.execute(new).scalar() == 0
                assert db.execute(select(func.count()).select_from(outbox)).scalar() > 8
            await complain(other)
        for name in ("desk", "rasa"):
            assert not (stack.data / f"{name}.sqlite3").exists()
        store.close()
        kept = Database(trackers)
        with kept.read() as db:
            assert db.execute(text("select count(*) from events")).scalar() > 20
        kept.close()
        for process in ("desk", "actions"):
            assert '"level": "error"' not in stack.log(process), process
