"""What the store knows of a customer's past, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from recovery.case import Case, Offer
from recovery.commands import MakeOffer
from recovery.store import cases, customers, decisions
from recovery.store.database import Database
from recovery.store.decisions import History, OverBudgetError
from tests.desk.deals import NOON, at_once

BUYER = "buyer-1"
Give = Callable[..., str]


@pytest.fixture
def give(store: Database) -> Give:
    """A maker of offers, each of a session, a case and an order of its own."""
    made = 0

    def given(
        at: datetime = NOON,
        *,
        state: str = "accepted",
        buyer: str = BUYER,
        business: str = "qinghe",
        failure: str = "damaged",
        goodwill: int = 1000,
    ) -> str:
        nonlocal made
        made += 1
        name = f"{made:04d}"
        command = MakeOffer(
            offer=f"o{name}",
            order_number=f"QH{name}",
            order_customer=buyer,
            remedies=[{"kind": "apology"}],
            rules=["R-1"],
            policy="1+0",
            day="2026-11-22",
            facts={"failure": failure},
            reason="",
            round=0,
            expires_at=(at + timedelta(hours=48)).isoformat(),
            goodwill_fen=goodwill,
        )
        with store.write() as db:
            customer, _ = customers.begin_session(db, None, business, "客人", None, at)
            cases.save(db, Case(f"s{name}"), business, customer.id, at)
            decisions.made(
                db,
                command,
                case_id=f"s{name}",
                business=business,
                customer_id=customer.id,
                channel="web",
                anger=0,
                now=at,
            )
            fields = {name: value for name, value in vars(command).items() if name != "offer"}
            settled = Offer(id=command.offer, **fields, state=state)
            decisions.settle(db, [settled], at)
        return f"s{name}"

    return given


def past(
    store: Database, case: str = "s-new", failure: str = "damaged", buyer: str = BUYER
) -> History:
    with store.read() as db:
        return decisions.history(db, "qinghe", buyer, failure, case, NOON)


def test_the_third_claim_within_thirty_days_is_seen(store: Database, give: Give) -> None:
    """Over orders, sessions and cases of one customer of the order system."""
    assert past(store) == History()
    first = give(NOON - timedelta(days=29, hours=23))
    assert past(store) == History(1, 1, 1000)
    give(NOON - timedelta(hours=1), failure="late", goodwill=200)
    assert past(store) == History(2, 1, 1200)
    assert past(store, failure="late") == History(2, 1, 1200)
    # A case does not count for itself.
    assert past(store, case=first) == History(1, 0, 200)


def test_what_does_not_count_as_a_claim(store: Database, give: Give) -> None:
    for state in ("open", "refused", "replaced"):
        give(NOON - timedelta(days=1), state=state)
    give(NOON - timedelta(days=1), business="lanting")
    give(NOON - timedelta(days=1), buyer="somebody-else")
    assert past(store) == History()
    give(NOON - timedelta(days=31))
    assert past(store) == History(claims=0, recurrence=1, goodwill=0)


def test_the_same_failure_counts_for_ninety_days(store: Database, give: Give) -> None:
    give(NOON - timedelta(days=89, hours=23))
    assert past(store) == History(0, 1, 0)
    assert past(store, failure="late") == History()
    give(NOON - timedelta(days=90, seconds=1))
    give(NOON - timedelta(days=400))
    assert past(store).recurrence == 1


def test_a_refused_offer_does_not_become_a_claim_by_a_later_message(
    store: Database, give: Give
) -> None:
    case = give(NOON - timedelta(days=2), state="refused")
    with store.write() as db:
        (row,) = decisions.all_of(db)
    assert (row["case_id"], row["state"], row["accepted_at"]) == (case, "refused", None)
    assert past(store) == History()


def test_a_name_as_long_as_an_order_system_may_give_is_kept_whole(
    store: Database, give: Give
) -> None:
    name = "客" * 200
    give(buyer=name)
    assert past(store, buyer=name).claims == 1
    assert past(store, buyer=name[:199]).claims == 0


def test_who_spends_a_budget_takes_turns(store: Database, give: Give) -> None:
    """The check and what follows from it are one: nobody comes between."""
    for _ in range(12):
        give(state="open")
    begins = NOON - timedelta(hours=12)

    def accept(number: int) -> object:
        offer = f"o{number + 1:04d}"
        with store.write() as db:
            decisions.hold_budgets(db, "qinghe")
            decisions.check_budgets(db, "qinghe", offer, begins, 5_500, 10**9, NOON)
            accepted = Offer(offer, "QH1", [], [], "", {}, "", 0, "", state="accepted")
            decisions.settle(db, [accepted], NOON)
        return "taken"

    ended = at_once(accept)
    assert ended.count("taken") == 5
    assert sum(isinstance(one, OverBudgetError) for one in ended) == 7
    with store.read() as db:
        assert decisions.spent_since(db, "qinghe", begins) == 5000
        assert decisions.spent_since(db, "qinghe", NOON + timedelta(seconds=1)) == 0
