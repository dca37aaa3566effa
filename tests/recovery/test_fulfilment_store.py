"""Promised remedies in the store: due, settled once, tried later and later."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from recovery.case import Case, Offer
from recovery.store import cases, conversations, customers, fulfilments
from recovery.store.conversations import Conversation
from recovery.store.database import Database
from recovery.store.fulfilments import Fulfilment

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
REMEDIES: list[dict[str, Any]] = [{"kind": "resend"}, {"kind": "voucher", "fen": 500}]


def offer(offer_id: str) -> Offer:
    return Offer(
        id=offer_id,
        order_number="QH202611150108",
        remedies=REMEDIES,
        rules=["S-MISS-0"],
        policy="shop-0",
        facts={},
        reason="",
        round=0,
        expires_at=(NOW + timedelta(hours=48)).isoformat(),
        state="accepted",
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def conversation(database: Database) -> Conversation:
    with database.write() as db:
        customer, _ = customers.begin_session(db, None, "qinghe", "小赵", None, NOW)
        begun = conversations.begin(db, "qinghe", customer.id, NOW, case_id="s1")
        cases.save(db, Case("s1", stage="agreed"), "qinghe", customer.id, NOW)
        fulfilments.promise(db, begun, "s1", offer("o1"), NOW)
    return begun


def due(database: Database, now: datetime) -> list[Fulfilment]:
    with database.read() as db:
        return fulfilments.due(db, now)


def test_every_remedy_of_an_offer_has_a_key_of_its_own(
    database: Database, conversation: Conversation
) -> None:
    found = due(database, NOW)
    assert [(one.key, one.remedy) for one in found] == [
        ("o1:0", REMEDIES[0]),
        ("o1:1", REMEDIES[1]),
    ]
    assert {one.conversation_id for one in found} == {conversation.id}


@pytest.mark.usefixtures("conversation")
def test_settled_once_although_many_try(database: Database) -> None:
    def settle(place: int) -> bool:
        with database.write() as db:
            return fulfilments.settle(db, "o1:0", "done", {"coupon": str(place)})

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(settle, range(16))) == 1
    assert [one.key for one in due(database, NOW)] == ["o1:1"]


@pytest.mark.usefixtures("conversation")
def test_first_receipt_stands(database: Database) -> None:
    with database.write() as db:
        assert fulfilments.settle(db, "o1:0", "done", {"shipment": "HX1"})
        assert not fulfilments.settle(db, "o1:0", "refused", None)
        states = {one["key"]: (one["state"], one["receipt"]) for one in _of_case(db)}
    assert states == {"o1:0": ("done", {"shipment": "HX1"}), "o1:1": ("todo", None)}


def _of_case(db: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a connection
    return fulfilments.of_case(db, "s1")


@pytest.mark.usefixtures("conversation")
def test_back_off_doubles_up_to_ten_minutes(database: Database) -> None:
    waits, now = [], NOW
    for _ in range(12):
        item = due(database, now)[0]
        with database.write() as db:
            fulfilments.settle(db, "o1:1", "done", {})
            fulfilments.postpone(db, item, now)
        begun = now
        # The very second: not a moment earlier, and then indeed.
        while not due(database, now):
            now += timedelta(seconds=1)
        waits.append((now - begun).total_seconds())
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]


@pytest.mark.usefixtures("conversation")
def test_back_off_survives_hundreds_of_tries(database: Database) -> None:
    now = NOW
    for _ in range(300):
        item = due(database, now)[0]
        with database.write() as db:
            fulfilments.settle(db, "o1:1", "done", {})
            fulfilments.postpone(db, item, now)
        now += timedelta(minutes=10)
    assert due(database, now)[0].attempts == 300


@pytest.mark.usefixtures("conversation")
def test_a_try_counts_once_however_many_made_it(database: Database) -> None:
    item = due(database, NOW)[0]
    with database.write() as db:
        assert fulfilments.postpone(db, item, NOW, "OrderSystemError: away")
        assert not fulfilments.postpone(db, item, NOW)
        assert not fulfilments.give_up(db, item)
        found = fulfilments.load(db, item.key)
    assert found is not None
    assert (found.attempts, found.problem) == (1, "OrderSystemError: away")


@pytest.mark.usefixtures("conversation")
def test_what_was_given_up_is_due_again_only_when_somebody_says_so(database: Database) -> None:
    item = due(database, NOW)[0]
    with database.write() as db:
        assert fulfilments.give_up(db, item, "TimeoutError")
        assert not fulfilments.settle(db, item.key, "done", {})
    assert [one.key for one in due(database, NOW + timedelta(days=9))] == ["o1:1"]
    with database.write() as db:
        failed = fulfilments.load(db, item.key)
        assert failed is not None
        assert (failed.state, failed.attempts, failed.problem) == ("failed", 1, "TimeoutError")
        assert not fulfilments.retry(db, "o1:1"), "not given up"
        assert not fulfilments.retry(db, "o9:9")
        assert fulfilments.retry(db, item.key)
        assert not fulfilments.retry(db, item.key)
        assert fulfilments.settle(db, "o1:1", "refused", None, "RemedyRefusedError")
        assert fulfilments.retry(db, "o1:1"), "a person has put right what was in the way"
    again = due(database, NOW)
    assert [(one.key, one.state, one.attempts) for one in again] == [
        ("o1:0", "todo", 0),
        ("o1:1", "todo", 0),
    ]


@pytest.mark.usefixtures("conversation")
def test_postponed_remedy_lets_others_pass(database: Database) -> None:
    item = due(database, NOW)[0]
    with database.write() as db:
        fulfilments.postpone(db, item, NOW)
    assert [one.key for one in due(database, NOW)] == ["o1:1"]
    later = due(database, NOW + timedelta(seconds=2))
    assert [one.key for one in later] == ["o1:1", "o1:0"]


def test_promise_is_made_once(database: Database, conversation: Conversation) -> None:
    with pytest.raises(IntegrityError), database.write() as db:
        fulfilments.promise(db, conversation, "s1", offer("o1"), NOW)
    assert len(due(database, NOW)) == 2
