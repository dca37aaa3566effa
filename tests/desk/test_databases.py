"""The desk's database, on SQLite and on PostgreSQL alike: migrations, races, the whole road."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from recovery.clock import utc_now
from recovery.ids import new_id
from recovery.settings import Limits
from recovery.store import conversations, customers, fulfilments, proofs, staff, streams
from recovery.store.database import MIGRATIONS, Database
from recovery.store.proofs import TooManyTriesError
from recovery.store.tables import inbox, metadata, outbox, proof_tries
from tests.desk.deals import Clock, Deal, a_desk, at_once, case_of, decided, states
from tests.desk.orders import an_order, effects
from tests.desk.people import Agent, complain, guest, log_in, offers, the_button
from tests.desk.postgres import new_database
from tests.support.stack import running

pytestmark = pytest.mark.usefixtures("as_operators_migrate")

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "an honest password"
TOGETHER = 12


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


# What a desk of version 0003 had written: an open offer, and a remedy on its way.
_OLD_CASE = {
    "id": "s1",
    "stage": "offered",
    "facts": {"failure": "damaged"},
    "order_number": "QH202611150108",
    "offers": [
        {
            "id": "o1",
            "order_number": "QH202611150108",
            "remedies": [{"kind": "voucher", "fen": 500}],
            "rules": ["S-1"],
            "policy": "shop-0",
            "facts": {},
            "reason": "东西坏了",
            "round": 0,
            "expires_at": (NOW + timedelta(hours=48)).isoformat(),
            "state": "open",
        }
    ],
}


def revise(store: Database, revision: str) -> None:
    """Bring a database to one version of the schema, forward or back."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", store.url)
    with store.write() as db:
        config.attributes["connection"] = db
        if revision.startswith("-"):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)


def test_a_database_of_before_the_decisions_goes_on_with_what_it_holds(
    url: str, tmp_path: Path
) -> None:
    store = Database(url)
    revise(store, "0003")
    with store.write() as db:
        # In the words of then: today's functions know columns that there were not.
        then = {
            "chat": new_id("k"),
            "customer": new_id("u"),
            "state": json.dumps(_OLD_CASE),
            "at": NOW.isoformat(timespec="microseconds"),
        }
        db.execute(
            text(
                "INSERT INTO customers (id, business, name, created_at)"
                " VALUES (:customer, 'qinghe', '客人', :at)"
            ),
            then,
        )
        db.execute(
            text(
                "INSERT INTO conversations (id, business, customer_id, kind, case_id, owner, turns,"
                " created_at, last_at, last_text, seen_by_staff) VALUES (:chat, 'qinghe',"
                " :customer, 'private', 's1', 'bot', 0, :at, :at, '', 0)"
            ),
            then,
        )
        db.execute(
            text(
                "INSERT INTO cases (id, business, customer_id, stage, priority, state, opened_at,"
                " updated_at) VALUES ('s1', 'qinghe', :customer, 'hearing', 0, :state, :at, :at)"
            ),
            then,
        )
        db.execute(
            text(
                "INSERT INTO fulfilments (key, case_id, conversation_id, business, order_number,"
                " remedy, state, attempts, due_at, created_at) VALUES ('o0:0', 's1', :chat,"
                " 'qinghe', 'QH1', '{\"kind\": \"apology\"}', 'todo', 3, :at, :at)"
            ),
            then,
        )
    store.migrate()
    assert differences(store) == []
    with store.read() as db:
        chat = conversations.load(db, then["chat"])
        assert customers.load(db, then["customer"]).person == then["customer"]
    assert chat is not None
    desk = a_desk(tmp_path, url, Clock())
    deal = Deal("QH202611150108", "", offer="o1", chat=chat)
    with store.write() as db:
        (item,) = fulfilments.due(db, NOW)
        assert (item.key, item.attempts, item.problem) == ("o0:0", 3, None)
        # An offer of which there is no decision is accepted all the same.
        deal.accepts(db, desk)
    assert [one.state for one in case_of(desk, deal).offers] == ["accepted"]
    assert states(desk) == {"o0:0": "todo", "o1:0": "todo"}
    assert decided(desk) == {}
    desk.storage.close()
    store.close()


def test_the_schema_can_go_back_and_forth_with_its_data(store: Database) -> None:
    customer = a_customer(store)
    revise(store, "-2")
    assert differences(store), "as it was before the decisions"
    store.migrate()
    assert differences(store) == []
    with store.read() as db:
        assert customers.load(db, customer).name == "客人"


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
