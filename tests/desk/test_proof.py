"""Proof of an order: nobody gets order data or a remedy of worth by guessing."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, insert, select

from recovery.ids import new_id
from recovery.settings import Limits
from recovery.store import proofs
from recovery.store.database import Database, stamp
from recovery.store.proofs import TooManyTriesError
from recovery.store.tables import customers, proof_tries
from tests.desk.orders import CUSTOMER_NAME, AnOrder, an_order
from tests.desk.people import Guest, complain, database, guest, offers, signed_identity
from tests.support.customer import Frame
from tests.support.stack import ROOT, Stack

LIMIT = Limits().proof_tries_per_order_and_day


def texts_of(response: str) -> set[str]:
    """All variants of a response that has no variables."""
    found = set()
    for path in (ROOT / "data" / "responses").glob("*.yml"):
        responses = yaml.safe_load(path.read_text("utf-8"))["responses"]
        found |= {variant["text"] for variant in responses.get(response, ())}
    assert found
    return found


def wrong_tries(stack: Stack, order: str) -> int:
    store = database(stack)
    with store.read() as db:
        count = db.execute(
            select(func.count())
            .select_from(proof_tries)
            .where(proof_tries.c.order_number == order, proof_tries.c.correct.is_(False))
        ).scalar()
    store.close()
    return int(count or 0)


def everything_seen(one: Guest) -> str:
    return json.dumps([*one.room.frames, *one.chat.frames], ensure_ascii=False)


def shows_nothing_of(order: AnOrder, one: Guest) -> None:
    """What the directory knows of an order; its number is known to who named it."""
    seen = everything_seen(one)
    assert offers(one.chat.events) == []
    for secret in (order.title, order.room, CUSTOMER_NAME, "1990000", "豪华大床房", "月白手冲"):
        assert secret is None or secret not in seen, secret


def outline(events: list[Frame]) -> list[tuple[str, ...]]:
    """What happened, whichever variant of the words it was said in."""
    return [(event["kind"], event.get("author", ""), event.get("owner", "")) for event in events]


async def test_the_right_digits_bring_the_offer(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        await complain(one)
        shows_nothing_of(order, one)
        asked = await one.tell(f"订单号是{order.number}")
        assert offers(asked) == [], "the number alone proves nothing"
        shows_nothing_of(order, one)
        said = await one.tell(order.last4)
        (offer,) = offers(said)
        assert offer["state"] == "open"
        assert offer["items"]
        assert offer["reason"]
        assert offer["steps"]


async def test_an_unknown_order_and_wrong_digits_are_answered_alike(stack: Stack) -> None:
    known = an_order(stack)
    answers = set()
    for number in (known.number, "LT999999999999"):
        async with guest(stack) as one:
            await complain(one)
            said = await one.tell(f"订单号{number}，手机后四位{known.wrong4}")
            assert [event["kind"] for event in said] == ["message"]
            answers.add(said[0]["text"] in texts_of("say_proof_failed"))
            shows_nothing_of(known, one)
    assert answers == {True}


async def test_an_order_of_another_business_is_an_unknown_order(stack: Stack) -> None:
    of_shop = an_order(stack, "qinghe")
    async with guest(stack, "lanting") as one:
        await complain(one)
        said = await one.tell(f"订单号{of_shop.number}，手机后四位{of_shop.last4}")
        assert said[0]["text"] in texts_of("say_proof_failed")
        shows_nothing_of(of_shop, one)


async def test_in_one_chat_tries_end_with_a_person(stack: Stack) -> None:
    order = an_order(stack)
    async with guest(stack) as one:
        await complain(one)
        for _ in range(LIMIT - 1):
            said = await one.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
            assert said[-1]["text"] in texts_of("say_proof_failed")
        last = await one.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
        assert any(event["kind"] == "owner" and event["owner"] == "queue" for event in last)
        assert wrong_tries(stack, order.number) == LIMIT
        after = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        assert after == [], "a person answers now"
        shows_nothing_of(order, one)


async def test_tries_count_over_all_sessions_and_right_digits_come_too_late(stack: Stack) -> None:
    order = an_order(stack)
    for _ in range(LIMIT):
        async with guest(stack) as guesser:
            await complain(guesser)
            await guesser.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
    assert wrong_tries(stack, order.number) == LIMIT
    async with guest(stack) as late:
        await complain(late)
        said = await late.tell(f"订单号{order.number}，手机后四位{order.last4}")
        assert any(event["kind"] == "owner" and event["owner"] == "queue" for event in said)
        shows_nothing_of(order, late)
        right = outline(said)
    async with guest(stack) as wrong:
        await complain(wrong)
        said = await wrong.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
        assert outline(said) == right, "right and wrong digits look alike by then"
    assert wrong_tries(stack, order.number) == LIMIT


async def test_fifty_who_guess_at_once_get_no_more_tries_than_one(stack: Stack) -> None:
    """Every pair of digits is tried once, the right one among them, all at the same moment."""
    order = an_order(stack)
    others = [f"{number:04d}" for number in range(49) if f"{number:04d}" != order.last4]
    async with AsyncExitStack() as crowd:
        guessers = [
            await crowd.enter_async_context(guest(stack, name=f"客人{n}"))
            for n in range(len(others))
        ]
        await asyncio.gather(*(complain(one, "房间没打扫，太脏了，气死我了！") for one in guessers))
        await asyncio.gather(
            *(
                one.tell(f"订单号{order.number}，手机后四位{digits}")
                for one, digits in zip(guessers, others, strict=True)
            )
        )
        assert wrong_tries(stack, order.number) == LIMIT
        for one in guessers:
            shows_nothing_of(order, one)
        async with guest(stack) as last:
            await complain(last)
            await last.tell(f"订单号{order.number}，手机后四位{order.last4}")
            shows_nothing_of(order, last)


async def test_a_customer_whom_the_host_site_knows_is_asked_for_nothing(stack: Stack) -> None:
    order = an_order(stack, external_id="guest-proof-1")
    identity = signed_identity(stack, "lanting", "guest-proof-1")
    async with guest(stack, identity=identity) as one:
        said = await complain(one)
        (offer,) = offers(said)
        assert offer["state"] == "open"
        assert wrong_tries(stack, order.number) == 0


async def test_a_known_customer_cannot_guess_somebody_elses_order_either(stack: Stack) -> None:
    """A signature proves who somebody is, not that an order is his."""
    order = an_order(stack)
    for number in range(LIMIT):
        identity = signed_identity(stack, "lanting", f"guest-guess-{order.last4}-{number}")
        async with guest(stack, identity=identity) as one:
            await complain(one)
            await one.tell(f"订单号{order.number}，手机后四位{order.wrong4}")
            shows_nothing_of(order, one)
    identity = signed_identity(stack, "lanting", f"guest-guess-{order.last4}-last")
    async with guest(stack, identity=identity) as one:
        await complain(one)
        await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        shows_nothing_of(order, one)


# --- the count itself -----------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FEW = Limits(proof_tries_per_order_and_day=3, proof_tries_per_customer_and_day=4)


@pytest.fixture
def store(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made.migrate()
    return made


def a_customer(store: Database) -> str:
    customer = new_id("u")
    with store.write() as db:
        db.execute(
            insert(customers).values(
                id=customer, business="lanting", name="客人", created_at=stamp(NOW)
            )
        )
    return customer


def tried(
    store: Database, order: str, customer: str, *, correct: bool = False, now: datetime = NOW
) -> bool:
    """Whether the try was allowed."""
    try:
        with store.write() as db:
            proofs.record(db, "lanting", order, customer, correct=correct, limits=FEW, now=now)
    except TooManyTriesError:
        return False
    return True


def test_a_customer_has_a_limit_over_all_orders(store: Database) -> None:
    customer, other = a_customer(store), a_customer(store)
    assert [tried(store, f"LT{n}", customer) for n in range(5)] == [True] * 4 + [False]
    assert not tried(store, "LT9", customer, correct=True), "right digits come too late"
    assert tried(store, "LT9", other, correct=True)


def test_an_order_has_a_limit_over_all_customers(store: Database) -> None:
    crowd = [a_customer(store) for _ in range(4)]
    assert [tried(store, "LT1", one) for one in crowd] == [True, True, True, False]
    assert not tried(store, "LT1", crowd[0], correct=True)
    assert tried(store, "LT2", crowd[0], correct=True), "other orders are not shut"


def test_right_answers_use_up_nothing(store: Database) -> None:
    customer = a_customer(store)
    assert all(tried(store, "LT1", customer, correct=True) for _ in range(20))


def test_a_day_later_tries_are_free_again(store: Database) -> None:
    customer = a_customer(store)
    assert [tried(store, "LT1", customer) for _ in range(4)] == [True, True, True, False]
    assert not tried(store, "LT1", customer, now=NOW + timedelta(hours=23, minutes=59))
    assert tried(store, "LT1", customer, now=NOW + timedelta(hours=24, seconds=1))
