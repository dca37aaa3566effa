"""A real store with decisions in it, for the tests of what looks back at them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import update

from recovery.audit.stored import Archive, Stored, within
from recovery.case import Case
from recovery.commands import MakeOffer
from recovery.failures import FAILURES
from recovery.remedy.book import Book
from recovery.remedy.facts import FAULTS, FINDINGS, HARMS, TIERS, Facts
from recovery.remedy.policy import Policy
from recovery.store import cases, customers, decisions
from recovery.store.database import Database
from recovery.store.tables import decisions as table
from tests.recovery.remedy import policies

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
BOOK = policies.book()

Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def facts(trade: str = "hotel", **known: Any) -> Facts:  # noqa: ANN401 - of FACTS
    """Facts of an ordinary case of a trade."""
    failure = known.pop("failure", "room_not_clean" if trade == "hotel" else "missing_item")
    return Policy(BOOK, trade, DAY).facts(failure, known.pop("paid", 60_000), **known)


class Store:
    """Decisions in an SQLite file, under one business."""

    def __init__(self, database: Database, business: str = "lanting", book: Book = BOOK) -> None:
        self.database = database
        self.business = business
        self.book = book
        self.number = 0

    def keep(self, book: Book | None = None) -> None:
        """Put a policy into the archive."""
        kept = book or self.book
        with self.database.write() as db:
            decisions.keep_policy(db, kept.name, kept.to_bundle(), NOW)

    def made(
        self,
        *many: Facts,
        day: date = DAY,
        channel: str = "web",
        decided_by: str = "bot",
        departure: str | None = None,
        change: Change | None = None,
    ) -> list[str]:
        """Write down what the policy gives for facts.

        Args:
            many: One decision each.
            day: Of the tables.
            channel: Where it was offered.
            decided_by: `bot` or `staff:<id>`.
            departure: The reason of staff.
            change: What becomes of the remedies, past the policy; the sums follow.

        Returns:
            Ids of the decisions.
        """
        ids = []
        with self.database.write() as db:
            customer, _ = customers.begin_session(db, None, self.business, "小赵", None, NOW)
            for one in many:
                self.number += 1
                offer = f"{self.business}-o{self.number}"
                case = Case(f"{self.business}-s{self.number}")
                cases.save(db, case, self.business, customer.id, NOW)
                command = _offer(Policy(self.book, one.industry, day), one, offer)
                if change:
                    command = _changed(command, change)
                decisions.made(
                    db,
                    command,
                    case_id=case.id,
                    business=self.business,
                    customer_id=customer.id,
                    channel=channel,
                    anger=one.anger,
                    now=NOW,
                    decided_by=decided_by,
                    departure=departure,
                )
                ids.append(offer)
        return ids

    def alter(self, offer: str, **values: Any) -> None:  # noqa: ANN401 - of columns
        """Change a row behind everybody's back."""
        with self.database.write() as db:
            db.execute(update(table).where(table.c.id == offer).values(**values))

    def read(self) -> tuple[list[Stored], Archive]:
        """All decisions of the business, and the archive."""
        with self.database.read() as db:
            rows = decisions.all_of(db, self.business)
            return within(rows), Archive(decisions.kept_policies(db))


def _offer(policy: Policy, asked: Facts, offer: str) -> MakeOffer:
    decision = policy.decide(asked)
    filled = [
        {**one, "by": f"今天{14 + place}点前", "product": "保温杯", "sku": "S-1"}
        for place, one in enumerate(decision.remedies)
    ]
    return MakeOffer(
        offer=offer,
        order_number="LT1",
        order_customer="c1",
        remedies=filled,
        rules=decision.rules,
        policy=decision.policy,
        day=decision.day,
        facts=asked.to_wire(),
        reason=decision.reason,
        round=asked.round,
        expires_at=NOW.isoformat(),
        floor_fen=decision.floor_worth.fen,
        goodwill_fen=decision.goodwill_worth.fen,
        provisional=decision.provisional,
    )


def _changed(command: MakeOffer, change: Change) -> MakeOffer:
    remedies = change([dict(one) for one in command.remedies])
    sums = {"floor": 0, "goodwill": 0}
    for one in remedies:
        sums[one.get("part", "floor")] += int(one.get("worth", 0))
    return replace(
        command, remedies=remedies, floor_fen=sums["floor"], goodwill_fen=sums["goodwill"]
    )


def plus(fen: int) -> Change:
    """A voucher on top."""
    extra = {"kind": "voucher", "fen": fen, "part": "goodwill", "trade": "hotel", "worth": fen}
    return lambda remedies: [*remedies, extra]


def less(remedies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """No goodwill at all."""
    return [one for one in remedies if one["part"] == "floor"]


@contextmanager
def store_in(folder: Path) -> Iterator[Store]:
    """A store with its policy in the archive, as the desk keeps it."""
    database = Database(f"sqlite:///{folder / 'desk.sqlite3'}")
    database.migrate()
    store = Store(database)
    store.keep()
    yield store
    database.close()


@st.composite
def many_facts(draw: st.DrawFn) -> list[Facts]:
    """Facts of one trade, of few kinds, so that many are alike in what counts."""
    trade = draw(st.sampled_from(("hotel", "shop", "travel")))
    names = sorted(name for name, one in FAILURES.items() if trade in one.industries)
    failures = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    paid = draw(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=2))
    one = st.builds(
        Facts,
        industry=st.just(trade),
        failure=st.sampled_from(failures),
        paid=st.sampled_from(paid),
        fault=st.sampled_from(FAULTS[:2]),
        finding=st.sampled_from(FINDINGS),
        harm=st.sampled_from(HARMS[:2]),
        days=st.sampled_from((0, 3, 7, 8, 40)),
        wait_hours=st.sampled_from((0, 5, 23, 24, 80)),
        recurrence=st.sampled_from((0, 1, 2)),
        claims=st.integers(0, 4),
        tier=st.sampled_from(TIERS),
        tenure_days=st.sampled_from((0, 1094, 1095, 4000)),
        first_time=st.booleans(),
        evidence=st.sampled_from(("none", "photo", "declined")),
        round=st.integers(0, 2),
        choice=st.sampled_from(("", "points", "refund")),
        anger=st.integers(0, 3),
        escalation=st.booleans(),
    )
    return draw(st.lists(one, min_size=1, max_size=25))
