"""Many who accept at once: each offer once, each remedy once, and no budget passed.

On SQLite and on PostgreSQL; several desks on one database stand for several processes, and one
test starts real ones.
"""

import asyncio
import multiprocessing
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from desk.context import Context
from desk.conversations.commit import Committed, commit_answer
from recovery.case import Case, Offer
from recovery.commands import AcceptOffer
from recovery.orders.demo import fill
from recovery.orders.remote import RemoteOrders
from recovery.store import cases, conversations, decisions
from recovery.store.conversations import BOT, QUEUE
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import policies
from tests.desk.deals import (
    NOON,
    REMEDIES,
    Clock,
    Deal,
    a_desk,
    a_worker,
    add_orders,
    answer,
    at_once,
    case_of,
    decided,
    effects,
    present,
    shown,
    states,
)
from tests.desk.postgres import new_database
from tests.support.order_server import BROKEN_AFTER, CUT, DROPPED, REFUSED, TOKEN, OrderServer

OFFERS = 100
TIMES = 10
DESKS = 3
TOGETHER = 64
# Long enough that the longest wait between two tries is over.
A_WHILE = timedelta(minutes=11)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def desks(
    folder: Path,
    url: str,
    clock: Clock,
    many: int = DESKS,
    **more: Any,  # noqa: ANN401 - settings
) -> Iterator[list[Context]]:
    """Several desks on one database, each with connections and threads of its own."""
    made = [a_desk(folder, url, clock, **more) for _ in range(many)]
    try:
        yield made
    finally:
        for one in made:
            one.storage.close()


def begun(desk: Context, deals: list[Deal]) -> None:
    """All deals with their offer on the table."""
    for deal in deals:
        with desk.storage.database.write() as db:
            deal.begin(db, desk)
            deal.offered(db, desk)
    assert {state for state, _ in decided(desk).values()} == {"open"}


async def accepted_by_all(contexts: list[Context], deals: list[Deal], times: int = 1) -> None:
    """All accept at once, `times` messages each, spread over the desks."""
    messages = []
    for deal in deals:
        with contexts[0].storage.database.write() as db:
            messages += [(deal, deal.says(db, contexts[0])) for _ in range(times)]
    # Neighbours are of different offers, and the messages of one come from different desks.
    messages = [messages[place::times] for place in range(times)]
    work = [
        contexts[place % len(contexts)].storage.write(deal.accepts, contexts[0], message)
        for place, (deal, message) in enumerate(one for part in messages for one in part)
    ]
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert [one for one in ended if not isinstance(one, Committed)] == []


async def carried_out(contexts: list[Context], clock: Clock) -> None:
    """Two workers side by side, until nothing is left to do."""
    workers = [a_worker(context) for context in contexts[:2]]
    async with asyncio.timeout(240):
        while "todo" in states(contexts[0]).values():
            await asyncio.gather(*(worker.work_once() for worker in workers))
            clock.now += A_WHILE


async def all_accepted_and_done(
    folder: Path,
    url: str,
    clock: Clock,
    deals: list[Deal],
    **more: Any,  # noqa: ANN401 - settings
) -> None:
    file = folder / "var" / "orders.sqlite3"
    fill(file)
    add_orders(file, deals)
    with desks(folder, url, clock, **more) as contexts:
        begun(contexts[0], deals)
        # The workers do not wait until everybody has accepted.
        accepting = asyncio.create_task(accepted_by_all(contexts, deals, TIMES))
        while not accepting.done():
            await asyncio.gather(*(a_worker(one).work_once() for one in contexts[:2]))
            await asyncio.sleep(0.01)
        await accepting
        await carried_out(contexts, clock)
        found = decided(contexts[0])
        assert {one: state for one, (state, _) in found.items()} == {
            deal.offer: "accepted" for deal in deals
        }
        expected = sorted(
            (f"{deal.offer}:{place}", deal.number)
            for deal in deals
            for place in range(len(REMEDIES))
        )
        assert effects(file) == expected
        assert states(contexts[0]) == {key: "done" for key, _ in expected}
        for deal in deals:
            assert [one.state for one in case_of(contexts[0], deal).offers] == ["accepted"]
            told = Counter(
                (event["kind"], event["state"])
                for event in shown(contexts[0], deal)
                if event["kind"] in ("offer", "progress")
            )
            assert told["offer", "accepted"] == 1
            assert told["progress", "done"] == len(REMEDIES)


def many_deals(number: int) -> list[Deal]:
    return [Deal(f"QH5{place:011d}", f"buyer-{place}") for place in range(number)]


async def test_a_thousand_acceptances_of_a_hundred_offers(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    await all_accepted_and_done(tmp_path, url, clock, many_deals(OFFERS))


async def test_the_same_with_orders_over_http_that_fail(
    postgres: str, tmp_path: Path, clock: Clock
) -> None:
    """Every fourth call ends badly, before or after the order system has done it."""
    url = new_database(postgres, f"test_{secrets.token_hex(4)}")
    file = tmp_path / "var" / "orders.sqlite3"
    with ExitStack() as stack:
        server = stack.enter_context(OrderServer(fill(file)))
        remote = RemoteOrders(server.url, TOKEN, pause=lambda _: None)
        stack.callback(remote.close)
        true = server.next_fault
        faults = [DROPPED, BROKEN_AFTER, CUT, REFUSED]
        calls = iter(range(10**9))

        def next_fault() -> Any:  # noqa: ANN401 - the support's own
            number = next(calls)
            return faults[number // 4 % len(faults)] if number % 4 == 3 else true()

        server.next_fault = next_fault  # type: ignore[method-assign]
        await all_accepted_and_done(tmp_path, url, clock, many_deals(40), orders=remote)
        assert server.wrong == []


# --- budgets ----------------------------------------------------------------------------------


def outcome(desk: Context, deals: list[Deal]) -> tuple[list[Deal], list[Deal]]:
    """Who got it, and who waits for a person with an offer that stands."""
    got, waiting = [], []
    for deal in deals:
        (offer,) = case_of(desk, deal).offers
        chat = present(desk, deal)
        if offer.state == "accepted":
            assert chat.owner == BOT
            got.append(deal)
        else:
            assert (offer.state, chat.owner, chat.reason) == ("open", QUEUE, "budget")
            assert case_of(desk, deal).reason == "budget"
            waiting.append(deal)
    found = decided(desk)
    assert all(found[deal.offer][0] == "accepted" for deal in got)
    assert all(found[deal.offer] == ("open", None) for deal in waiting)
    assert {key.partition(":")[0] for key in states(desk)} >= {deal.offer for deal in got}
    assert not {key.partition(":")[0] for key in states(desk)} & {deal.offer for deal in waiting}
    return got, waiting


async def test_a_days_budget_is_not_passed(url: str, tmp_path: Path, clock: Clock) -> None:
    deals = many_deals(TOGETHER)
    with desks(tmp_path, url, clock, goodwill_per_day=20_999) as contexts:
        desk = contexts[0]
        begun(desk, deals)
        await accepted_by_all(contexts, deals)
        got, waiting = outcome(desk, deals)
        assert (len(got), len(waiting)) == (20, TOGETHER - 20)
        # What is owed needs no budget.
        (owed,) = others = [Deal("QH600000000001", "buyer-owed", goodwill=0)]
        begun_later(desk, others)
        await accepted_by_all(contexts, others)
        assert case_of(desk, owed).offers[0].state == "accepted"
        # Another business has its own.
        theirs = [
            Deal(f"LT6{place:011d}", f"guest-{place}", business="lanting") for place in range(25)
        ]
        begun_later(desk, theirs)
        await accepted_by_all(contexts, theirs)
        assert len(outcome(desk, theirs)[0]) == 20
        # A new day opens it again, for those as well whose offer still stands.
        clock.now = desk.business("qinghe").day_began(clock.now + timedelta(days=1))
        assert clock.now < NOON + timedelta(hours=48)
        with desk.storage.database.write() as db:
            for deal in waiting:
                deal.again(db)
        await accepted_by_all(contexts, waiting)
        got, waiting = outcome(desk, waiting)
        assert (len(got), len(waiting)) == (20, TOGETHER - 40)
        with desk.storage.database.read() as db:
            since = desk.business("qinghe").day_began(clock.now)
            assert decisions.spent_since(db, "qinghe", since) == 20_000


def begun_later(desk: Context, deals: list[Deal]) -> None:
    for deal in deals:
        with desk.storage.database.write() as db:
            deal.begin(db, desk)
            deal.offered(db, desk)


async def test_a_customers_budget_is_not_passed(url: str, tmp_path: Path, clock: Clock) -> None:
    """Over orders, sessions and cases: the order system knows who it is."""
    deals = [Deal(f"QH5{place:011d}", "one-and-the-same") for place in range(TOGETHER)]
    other = [Deal("QH600000000002", "somebody-else")]
    with desks(tmp_path, url, clock, goodwill_per_customer=7_000) as contexts:
        begun(contexts[0], [*deals, *other])
        await accepted_by_all(contexts, [*deals, *other])
        got, waiting = outcome(contexts[0], deals)
        assert (len(got), len(waiting)) == (7, TOGETHER - 7)
        assert len(outcome(contexts[0], other)[0]) == 1


def in_a_process(folder: str, url: str, deals: list[Deal]) -> list[str]:
    """What one desk's process does; gives what went wrong."""
    desk = a_desk(Path(folder), url, Clock(), goodwill_per_day=20_000)

    def accept(place: int) -> object:
        with desk.storage.database.write() as db:
            return deals[place].accepts(db, desk)

    ended = at_once(accept, len(deals))
    desk.storage.close()
    return [repr(one) for one in ended if not isinstance(one, Committed)]


def test_a_budget_is_not_passed_by_several_processes(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    deals = many_deals(TOGETHER)
    with desks(tmp_path, url, clock, many=1, goodwill_per_day=20_000) as (desk,):
        begun(desk, deals)
        parts = [(str(tmp_path), url, deals[place::2]) for place in range(2)]
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            assert pool.starmap(in_a_process, parts) == [[]] * 2
        assert len(outcome(desk, deals)[0]) == 20


def test_acceptances_that_cross_do_not_wait_for_each_other(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    """Two offers in one turn, in one order here and in the other there."""

    def accept(number: int) -> object:
        with desk.storage.database.write() as db:
            deal = deals[number]
            message = deal.says(db, desk)
            names = [f"o{number}a", f"o{number}b"]
            crossed = names if number % 2 else names[::-1]
            done = answer(*(AcceptOffer(name) for name in crossed))
            return commit_answer(db, desk, message, done, clock())

    with desks(tmp_path, url, clock, many=1, limits={"remedied_cases_per_order": 99}) as (desk,):
        deals = many_deals(16)
        for number, deal in enumerate(deals):
            with desk.storage.database.write() as db:
                deal.begin(db, desk)
                offers = tuple(
                    an_offer(f"o{number}{letter}", f"QH-{letter}") for letter in ("a", "b")
                )
                case = Case(f"s{number}", stage="offered", offers=offers)
                cases.save(db, case, "qinghe", deal.chat.customer_id, NOON)
                conversations.bind_case(db, deal.chat.id, case.id)
        ended = at_once(accept, len(deals))
        assert [one for one in ended if isinstance(one, DBAPIError)] == []
        for deal in deals:
            # One case is settled once; the other offer is for a person.
            states = sorted(one.state for one in case_of(desk, deal).offers)
            assert states == ["accepted", "open"]


def test_what_staff_have_found_otherwise_is_not_carried_out(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    """The offer was made from an allegation; meanwhile a person has looked."""
    facts = {"fault": "unclear", "finding": "alleged"}
    as_found = [{**facts, "finding": "none"}, facts]
    deals = [Deal(f"QH7{place:011d}", f"buyer-{place}", facts=facts) for place in range(2)]
    with desks(tmp_path, url, clock, many=1) as (desk,):
        begun(desk, deals)
        for deal, found in zip(deals, as_found, strict=True):
            case = case_of(desk, deal)
            with desk.storage.database.write() as db:
                noted = replace(case, facts={**case.facts, **found})
                cases.save(db, noted, "qinghe", deal.chat.customer_id, NOON)
                deal.accepts(db, desk)
        changed, same = deals
        assert [one.state for one in case_of(desk, changed).offers] == ["replaced"]
        assert present(desk, changed).reason == "offer_gone"
        assert [one.state for one in case_of(desk, same).offers] == ["accepted"]


def an_offer(offer_id: str, order: str) -> Offer:
    return Offer(
        id=offer_id,
        order_number=order,
        remedies=[{"kind": "apology"}],
        rules=["S-1"],
        policy="shop-0",
        facts={},
        reason="",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
    )


async def test_an_offer_that_is_over_is_over_although_the_budget_is_used_up(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    """Nobody is told that an offer stands which does not."""
    with desks(tmp_path, url, clock, many=1, goodwill_per_day=0) as contexts:
        deals = many_deals(1)
        begun(contexts[0], deals)
        clock.now += timedelta(hours=49)
        await accepted_by_all(contexts, deals)
        assert present(contexts[0], deals[0]).reason == "offer_gone"


# --- who comes again and again ----------------------------------------------------------------


async def test_offers_made_before_the_others_were_taken_do_not_pass_the_guard(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    """Five open offers of one customer, each made when no other had been accepted."""
    with desks(tmp_path, url, clock) as contexts:
        desk = contexts[0]
        policy = desk.policy.on("shop", clock.now.date())
        facts = policy.facts("late", paid=6800).to_wire()
        few = next(
            claims
            for claims in range(1, 20)
            if policy.decide(policy.facts("late", paid=6800, claims=claims)).authority != "bot"
        )
        assert policy.decide(policy.facts("late", paid=6800)).authority == "bot"
        deals = [
            Deal(f"QH5{place:011d}", "again", failure="late", facts=facts) for place in range(5)
        ]
        begun(desk, deals)
        await accepted_by_all(contexts, deals)
        states_now = Counter(case_of(desk, deal).offers[0].state for deal in deals)
        assert states_now == {"accepted": few, "open": 5 - few}
        for deal in deals:
            if case_of(desk, deal).offers[0].state == "open":
                assert present(desk, deal).reason == "repeated"
        for business, buyer in (("qinghe", "another"), ("lanting", "again")):
            trade = desk.business(business).industry
            wire = facts if trade == "shop" else {}
            deal = Deal(f"X{business}", buyer, business=business, failure="late", facts=wire)
            begun_later(desk, [deal])
            await accepted_by_all(contexts, [deal])
            assert case_of(desk, deal).offers[0].state == "accepted"


# --- the archive of policies ------------------------------------------------------------------


def test_a_policy_is_kept_once_whoever_offers_first(url: str, tmp_path: Path, clock: Clock) -> None:
    deals = many_deals(16)
    with desks(tmp_path, url, clock) as contexts:

        def offer(place: int) -> object:
            desk = contexts[place % DESKS]
            with desk.storage.database.write() as db:
                deals[place].begin(db, desk)
            with desk.storage.database.write() as db:
                return deals[place].offered(db, desk)

        ended = at_once(offer, len(deals))
        assert [one for one in ended if not isinstance(one, Committed)] == []
        book = contexts[0].policy.book
        with contexts[0].storage.database.read() as db:
            assert db.execute(select(func.count()).select_from(policies)).scalar() == 1
            assert decisions.kept_policies(db) == {book.name: book.to_bundle()}
        assert len(decided(contexts[0])) == len(deals)


def test_an_offer_of_a_policy_that_does_not_run_here_leaves_no_trace(
    url: str, tmp_path: Path, clock: Clock
) -> None:
    with desks(tmp_path, url, clock, many=1) as (desk,):
        deal = many_deals(1)[0]
        begun(desk, [deal])
        first = deal.offer
        before = len(shown(desk, deal))
        deal.policy = "tomorrow's+0123456789ab"
        with desk.storage.database.write() as db:
            deal.offered(db, desk, 1)
        # The offer before it stands, a person comes, and nothing was shown but that.
        case = case_of(desk, deal)
        assert [(one.id, one.state) for one in case.offers] == [(first, "open")]
        assert (case.stage, case.reason) == ("person", "error")
        assert (present(desk, deal).owner, present(desk, deal).reason) == (QUEUE, "error")
        assert decided(desk) == {first: ("open", None)}
        assert [(event["kind"], event.get("author")) for event in shown(desk, deal)[before:]] == [
            ("message", "system"),
            ("owner", None),
        ]
        with desk.storage.database.read() as db:
            log = db.execute(text("SELECT command FROM case_log ORDER BY id")).scalars().all()
            assert sum("make_offer" in str(one) for one in log) == 1
            assert list(decisions.kept_policies(db)) == [desk.policy.book.name]
        # What was told before it in the same answer is kept: the person needs it.
        other = many_deals(2)[1]
        other.policy = deal.policy
        begun_later(desk, [other])
        assert (case_of(desk, other).order_number, case_of(desk, other).offers) == (
            other.number,
            (),
        )
        assert states(desk) == {}


# --- what was decided, as it was settled -------------------------------------------------------


def test_a_decision_follows_its_offer(url: str, tmp_path: Path, clock: Clock) -> None:
    with desks(tmp_path, url, clock, many=1) as (desk,):
        deal = many_deals(1)[0]
        begun(desk, [deal])
        first = deal.offer
        clock.now += timedelta(minutes=1)
        with desk.storage.database.write() as db:
            deal.offered(db, desk, 1)
        second = deal.offer
        assert decided(desk) == {first: ("replaced", None), second: ("open", None)}
        clock.now += timedelta(minutes=1)
        with desk.storage.database.write() as db:
            deal.accepts(db, desk)
        taken = clock.now.isoformat(timespec="microseconds")
        assert decided(desk) == {first: ("replaced", None), second: ("accepted", taken)}
        # A later message of the case changes nothing of it.
        clock.now += timedelta(hours=1)
        with desk.storage.database.write() as db:
            commit_answer(db, desk, deal.says(db, desk), answer(), clock())
        assert decided(desk)[second] == ("accepted", taken)
        with desk.storage.database.read() as db:
            (row,) = [one for one in decisions.all_of(db) if one["id"] == second]
            keys = select(fulfilments_table.c.key).order_by(fulfilments_table.c.key)
            assert db.execute(keys).scalars().all() == [
                f"{second}:{place}" for place in range(len(REMEDIES))
            ]
        assert row["case_id"] == case_of(desk, deal).id
        assert (row["order_customer"], row["order_number"]) == (deal.buyer, deal.number)
        assert (row["goodwill_fen"], row["floor_fen"], row["anger"]) == (1000, 500, 0)
        assert row["remedies"] == list(REMEDIES)
        assert (row["decided_by"], row["departure"]) == ("bot", None)
