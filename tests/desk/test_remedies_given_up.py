"""A remedy that cannot be carried out for hours: counted, told, given to a person, set going."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from sqlalchemy import text

from desk.context import Context
from desk.conversations.fulfilment import FulfilmentWorker, problem_of
from desk.conversations.router import Router
from desk.staff.remedies import set_going
from recovery.business import Directory
from recovery.case import Case, Offer
from recovery.clock import utc_now
from recovery.orders.system import OrderSystemError, RemedyRefusedError
from recovery.store import cases, conversations, customers, fulfilments, staff
from recovery.store.conversations import BOT, QUEUE, OwnershipError, staff_owner
from recovery.store.fulfilments import MOST_TRIES, wait_after
from recovery.store.staff import Staff
from tests.desk.deals import NOON, Clock, Deal, a_desk, case_of, present, shown
from tests.desk.orders import an_order, effects
from tests.desk.people import Agent, Login, database, log_in, until
from tests.support.stack import Stack

PASSWORD = "an honest password"
PHONE = "13912345678"
ROOM: dict[str, Any] = {"kind": "room_change", "minutes": 20}
LI = Staff(3, "li", "李娜", "agent", None)


@dataclass
class Orders:
    """An order system that does what a test says."""

    does: Callable[[str], dict[str, Any]]
    asked: list[str] = field(default_factory=list)

    def carry_out(self, key: str, *_: object) -> dict[str, Any]:
        self.asked.append(key)
        return self.does(key)


def away(_: str) -> dict[str, Any]:
    raise OrderSystemError(f"the order system answers 503 to {PHONE}")


def well(_: str) -> dict[str, Any]:
    return {"room": "1301"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(url: str, tmp_path: Path, clock: Clock) -> Iterator[Context]:
    made = a_desk(tmp_path, url, clock)
    yield made
    made.storage.close()


def promised(
    desk: Context,
    number: int = 1,
    *,
    owner: str = BOT,
    reason: str | None = None,
    remedy: dict[str, Any] = ROOM,
    business: str = "lanting",
) -> Deal:
    """An accepted offer with one remedy."""
    offer = Offer(
        id=f"o{number}",
        order_number=f"LT{number}",
        remedies=[remedy],
        rules=[],
        policy="",
        facts={},
        reason="",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
        state="accepted",
    )
    case = Case(f"s{number}", stage="agreed", offers=(offer,))
    with desk.storage.database.write() as db:
        customer, _ = customers.begin_session(db, None, business, "阿明", None, NOON)
        cases.save(db, case, business, customer.id, NOON)
        chat = conversations.begin(
            db, business, customer.id, NOON, case_id=case.id, owner=owner, reason=reason
        )
        fulfilments.promise(db, chat, case.id, offer, NOON)
    return Deal(offer.order_number, "", offer=offer.id, chat=chat, business=business)


def a_worker(desk: Context, orders: Orders, seconds: float = 30) -> FulfilmentWorker:
    desk = replace(desk, orders=cast(Any, orders))
    return FulfilmentWorker(desk, Router(desk, cast(Any, None)), call_seconds=seconds)


def remedy_of(desk: Context, deal: Deal) -> dict[str, Any]:
    with desk.storage.database.read() as db:
        (found,) = fulfilments.of_case(db, "s" + deal.offer[1:])
    return found


def told(desk: Context, deal: Deal) -> list[tuple[str, str]]:
    return [
        (event["id"].split(".")[1], event["state"])
        for event in shown(desk, deal)
        if event["kind"] == "progress"
    ]


async def tried_to_the_end(desk: Context, worker: FulfilmentWorker, clock: Clock) -> datetime:
    """Let the worker try, each time as soon as it may, until nothing is due any more."""
    began = clock.now
    for _ in range(MOST_TRIES + 5):
        if await worker.work_once():
            latest = clock.now
        clock.now += timedelta(minutes=10)
    assert await worker.work_once() == 0
    assert latest - began < timedelta(hours=MOST_TRIES)
    return latest


def test_about_four_hours_of_tries() -> None:
    waited = sum((wait_after(tries) for tries in range(MOST_TRIES - 1)), timedelta())
    assert timedelta(hours=3, minutes=45) < waited <= timedelta(hours=4)
    assert waited + wait_after(MOST_TRIES - 1) > timedelta(hours=4)
    assert wait_after(10**6) == timedelta(minutes=10)


async def test_after_hours_a_person_gets_it_and_the_customer_hears_of_it_once(
    desk: Context, clock: Clock
) -> None:
    orders = Orders(away)
    worker = a_worker(desk, orders)
    deal = promised(desk)
    await tried_to_the_end(desk, worker, clock)
    assert orders.asked == ["o1:0"] * MOST_TRIES
    found = remedy_of(desk, deal)
    assert (found["state"], found["attempts"], found["receipt"]) == ("failed", MOST_TRIES, None)
    assert found["problem"].startswith("OrderSystemError: the order system answers 503")
    assert PHONE not in found["problem"]
    assert told(desk, deal) == [("late", "late"), ("failed", "late")]
    words = next(one["text"] for one in shown(desk, deal) if one["id"].endswith(".failed"))
    assert ("同事" in words and "前" in words) or "分钟内" in words
    assert (present(desk, deal).owner, present(desk, deal).reason) == (QUEUE, "remedy_failed")
    case = case_of(desk, deal)
    assert (case.stage, case.reason) == ("person", "remedy_failed")
    # A person sets it going again: at once, with all tries before it; once more late is said.
    with desk.storage.database.write() as db:
        assert fulfilments.retry(db, "o1:0")
        assert not fulfilments.retry(db, "o1:0"), "once"
    assert remedy_of(desk, deal)["attempts"] == 0
    await tried_to_the_end(desk, worker, clock)
    assert orders.asked == ["o1:0"] * (2 * MOST_TRIES)
    assert told(desk, deal) == [("late", "late"), ("failed", "late")] * 2
    assert present(desk, deal).reason == "remedy_failed"
    with desk.storage.database.write() as db:
        assert fulfilments.retry(db, "o1:0")
    orders.does = well
    assert await worker.work_once() == 1
    assert told(desk, deal)[4:] == [("done", "done")]
    found = remedy_of(desk, deal)
    assert (found["state"], found["receipt"], found["problem"]) == ("done", {"room": "1301"}, None)
    with desk.storage.database.write() as db:
        assert not fulfilments.retry(db, "o1:0"), "what is done stays done"


async def test_the_bot_gets_it_back_and_fails_again_and_a_person_comes_again(
    desk: Context, clock: Clock
) -> None:
    worker = a_worker(desk, Orders(away))
    deal = promised(desk)
    await tried_to_the_end(desk, worker, clock)
    with desk.storage.database.write() as db:
        deal.again(db)
        fulfilments.retry(db, "o1:0")
    await tried_to_the_end(desk, worker, clock)
    assert (present(desk, deal).owner, present(desk, deal).reason) == (QUEUE, "remedy_failed")


async def test_defects_and_silence_count_as_tries(desk: Context, clock: Clock) -> None:
    go_on = threading.Event()

    def broken(key: str) -> dict[str, Any]:
        if key == "o2:0":
            go_on.wait(60)
        if key == "o3:0":
            return {}  # a receipt of which nothing can be told
        raise ZeroDivisionError(PHONE)

    orders = Orders(broken)
    worker = a_worker(desk, orders, seconds=0.02)
    defect, silent, odd = (promised(desk, number) for number in (1, 2, 3))
    await tried_to_the_end(desk, worker, clock)
    found = [remedy_of(desk, deal) for deal in (defect, silent, odd)]
    assert [one["state"] for one in found] == ["failed"] * 3
    assert [one["attempts"] for one in found] == [MOST_TRIES] * 3
    assert [one["problem"] for one in found] == ["ZeroDivisionError", "TimeoutError", "KeyError"]
    assert orders.asked.count("o2:0") == 1, "no call beside the one that hangs"
    for deal in (defect, silent, odd):
        assert told(desk, deal) == [("late", "late"), ("failed", "late")]
        assert present(desk, deal).reason == "remedy_failed"
    go_on.set()
    await asyncio.sleep(0)


async def test_a_remedy_that_nobody_knows_any_more_keeps_nobody_waiting(
    desk: Context, clock: Clock
) -> None:
    worker = a_worker(desk, Orders(away))
    odd = promised(desk, remedy={"kind": "moon", "by": "tomorrow"})
    await tried_to_the_end(desk, worker, clock)
    assert remedy_of(desk, odd)["state"] == "failed"
    assert told(desk, odd) == [("late", "late"), ("failed", "late")]

    def refuses(_: str) -> dict[str, Any]:
        raise RemedyRefusedError(f"no moon for {PHONE}")

    other = promised(desk, 2, remedy={"kind": "moon"})
    await a_worker(desk, Orders(refuses)).work_once()
    found = remedy_of(desk, other)
    assert (found["state"], found["problem"]) == ("refused", "RemedyRefusedError")


async def test_a_person_who_is_at_it_keeps_it(desk: Context, clock: Clock) -> None:
    worker = a_worker(desk, Orders(away))
    deal = promised(desk, owner=staff_owner(3))
    danger = promised(desk, 2, owner=QUEUE, reason="safety")
    await tried_to_the_end(desk, worker, clock)
    assert (present(desk, deal).owner, present(desk, deal).reason) == (
        staff_owner(3),
        "remedy_failed",
    )
    assert case_of(desk, deal).stage == "agreed"
    # Somebody's safety stays the first thing to be seen.
    assert (present(desk, danger).owner, present(desk, danger).reason) == (QUEUE, "safety")
    for one in (deal, danger):
        assert told(desk, one) == [("late", "late"), ("failed", "late")]


async def test_tries_of_two_workers_at_the_same_time_count_once(
    desk: Context, clock: Clock
) -> None:
    deal = promised(desk)
    with desk.storage.database.read() as db:
        (item,) = fulfilments.due(db, clock.now)
    workers = [a_worker(desk, Orders(away)) for _ in range(2)]
    await asyncio.gather(*(worker._carry_out(item) for worker in workers))
    assert remedy_of(desk, deal)["attempts"] == 1
    # One has done it; the other, which heard nothing, neither counts nor says that it is late.
    with desk.storage.database.write() as db:
        db.execute(text("UPDATE fulfilments SET attempts = :many"), {"many": MOST_TRIES - 1})
        late = fulfilments.load(db, item.key)
    assert late is not None
    await a_worker(desk, Orders(well))._carry_out(late)
    await workers[0]._carry_out(late)
    assert told(desk, deal) == [("done", "done")]
    assert present(desk, deal).owner == BOT


async def test_what_is_promised_is_kept_while_its_business_is_not_served(
    desk: Context, clock: Clock
) -> None:
    deal = promised(desk)
    others = Directory(tuple(one for one in desk.directory if one.id != "lanting"))
    worker = a_worker(replace(desk, directory=others), Orders(away))
    for _ in range(MOST_TRIES + 3):
        assert await worker.work_once() == 1
        clock.now += timedelta(minutes=10)
    assert remedy_of(desk, deal)["state"] == "todo"
    assert told(desk, deal) == []
    assert await a_worker(desk, Orders(well)).work_once() == 1
    assert told(desk, deal) == [("done", "done")]


def test_a_problem_fits_wherever_it_comes_from(desk: Context) -> None:
    promised(desk)
    long = OrderSystemError("\x00\n坏" * 400)
    with desk.storage.database.write() as db:
        (item,) = fulfilments.due(db, NOON)
        assert fulfilments.postpone(db, item, NOON, problem_of(long))
        kept = fulfilments.load(db, item.key)
    assert kept is not None and kept.problem is not None
    assert len(kept.problem) <= 200
    assert kept.problem.isprintable()
    assert problem_of(KeyError(PHONE)) == "KeyError"
    assert problem_of(TimeoutError()) == "TimeoutError"


def test_who_may_set_a_remedy_going_again(desk: Context) -> None:
    deal, other = promised(desk, owner=staff_owner(LI.id)), promised(desk, 2)
    chat = deal.chat.id
    with desk.storage.database.write() as db:
        (item, _) = fulfilments.due(db, NOON)
        # Nothing is to be done while it is tried anyway.
        assert set_going(db, chat, item.key, LI, NOON)[1] == {
            "key": "o1:0",
            "state": "todo",
            "repeated": True,
        }
        fulfilments.give_up(db, item, "x")
        stranger = replace(LI, business="qinghe")
        for conversation, key, who in (
            (chat, "o1:0", stranger),
            (chat, "o2:0", LI),
            (chat, "o9:0", LI),
            ("k-none", "o1:0", LI),
        ):
            with pytest.raises(LookupError):
                set_going(db, conversation, key, who, NOON)
        with pytest.raises(OwnershipError):
            set_going(db, chat, "o1:0", replace(LI, id=4), NOON)
        with pytest.raises(OwnershipError):
            set_going(db, other.chat.id, "o2:0", LI, NOON)
        committed, answer = set_going(db, chat, "o1:0", LI, NOON)
        assert committed.promised
        assert answer == {"key": "o1:0", "state": "todo", "repeated": False}
        memo = db.execute(text("SELECT command FROM case_log")).scalars().all()
    assert len(memo) == 1
    assert "li" in (memo[0] if isinstance(memo[0], str) else json.dumps(memo[0]))


# --- over the wire ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def members(alone: Stack) -> tuple[Login, Login]:
    with closing(database(alone)) as store, store.write() as db:
        staff.add(db, "redo-lin", "小林", "agent", PASSWORD, utc_now())
        staff.add(db, "redo-qing", "小青", "agent", PASSWORD, utc_now(), "qinghe")
    return log_in(alone, "redo-lin", PASSWORD), log_in(alone, "redo-qing", PASSWORD)


@pytest_asyncio.fixture
async def lin(alone: Stack, members: tuple[Login, Login]) -> AsyncIterator[Agent]:
    async with Agent(alone, members[0]) as agent:
        yield agent


async def test_staff_set_a_remedy_going_again(
    alone: Stack, lin: Agent, members: tuple[Login, Login]
) -> None:
    order, now = an_order(alone), utc_now()
    offer = Offer(
        id="oredo",
        order_number=order.number,
        remedies=[{"kind": "apology"}],
        rules=[],
        policy="",
        facts={},
        reason="",
        round=0,
        expires_at=now.isoformat(),
        state="accepted",
    )
    with closing(database(alone)) as store, store.write() as db:
        customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, now)
        case = Case("sredo", stage="person", reason="remedy_failed", offers=(offer,))
        cases.save(db, case, "lanting", customer.id, now)
        chat = conversations.begin(
            db, "lanting", customer.id, now, case_id=case.id, owner=QUEUE, reason="remedy_failed"
        )
        fulfilments.promise(db, chat, case.id, offer, now)
        db.execute(
            text(
                "UPDATE fulfilments SET state = 'failed', attempts = 32,"
                " problem = 'OrderSystemError: away' WHERE key = 'oredo:0'"
            )
        )
    path = f"{chat.id}/remedies"
    assert (await lin.row(chat.id))[1]["reason"] == "remedy_failed"
    (shown_remedy,) = (await lin.whole(chat.id))["case"]["remedies"]
    # How far a promise is, stands beside it (test_progress.py).
    shown_remedy.pop("promise")
    assert shown_remedy == {
        "key": "oredo:0",
        "remedy": "apology",
        "title": "正式向您道歉",
        "state": "failed",
        "receipt": None,
        "attempts": 32,
        "problem": "OrderSystemError: away",
    }
    refused = await lin.act(chat.id, "remedies/oredo:0/retry")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_owner")
    await lin.done(chat.id, "take")
    async with Agent(alone, members[1]) as stranger:
        assert (await stranger.act(chat.id, "remedies/oredo:0/retry")).status_code == 404
    assert (await lin.act(chat.id, "remedies/oredo:1/retry")).status_code == 404
    unguarded = await lin.http.post(
        f"/api/staff/conversations/{path}/oredo:0/retry", headers={"X-CSRF": "no"}
    )
    assert unguarded.status_code == 403
    assert effects(alone, order.number) == []
    # As a page writes it into an address.
    first = await lin.done(chat.id, "remedies/oredo%3A0/retry")
    assert first == {"key": "oredo:0", "state": "todo", "repeated": False}
    await until(lambda: effects(alone, order.number))
    await until(lambda: "oredo:0.done" in str(progress(alone, chat.id)))
    again = await lin.done(chat.id, "remedies/oredo:0/retry")
    assert again == {"key": "oredo:0", "state": "done", "repeated": True}
    assert len(effects(alone, order.number)) == 1


def progress(stack: Stack, conversation: str) -> list[Any]:
    with closing(database(stack)) as store, store.read() as db:
        return list(
            db.execute(
                text("SELECT id FROM outbox WHERE stream = :stream"),
                {"stream": f"private:{conversation}"},
            ).scalars()
        )
