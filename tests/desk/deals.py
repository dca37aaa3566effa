"""Offers and acceptances as the desk carries them out, without Rasa: for tests of many at once."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, select, update

from desk.__main__ import make_context
from desk.context import Context
from desk.conversations.commit import Committed, commit_answer
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.rasa import Answer
from desk.conversations.router import Router
from recovery.case import Case
from recovery.commands import AcceptOffer, Command, MakeOffer, OpenCase, TriedProof, to_wire
from recovery.ids import new_id
from recovery.orders.system import OrderSystem
from recovery.settings import Settings
from recovery.store import cases, conversations, customers, inbox
from recovery.store.conversations import BOT, Conversation
from recovery.store.inbox import Message
from recovery.store.tables import conversations as conversations_table
from recovery.store.tables import decisions as decisions_table
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import outbox
from tests.support.stack import ROOT

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
REMEDIES: tuple[dict[str, Any], ...] = (
    {"kind": "refund_part", "fen": 500, "worth": 500},
    {"kind": "voucher", "fen": 1000, "worth": 1000},
    {"kind": "apology"},
)
_CALM: dict[str, Any] = {
    "intent": {"name": "accept", "confidence": 0.99},
    "entities": [],
    "emotion": {"anger": 0, "score": 0.0, "signals": {}, "flags": []},
}


@dataclass
class Clock:
    """A clock that a test winds on."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


def a_desk(
    folder: Path,
    url: str,
    clock: Clock,
    orders: OrderSystem | None = None,
    **changes: Any,  # noqa: ANN401 - settings
) -> Context:
    """A desk without its web server; several may share database and orders.

    Args:
        folder: For its data.
        url: Of the database.
        clock: Its clock.
        orders: Instead of the embedded ones.
        **changes: Fields of every business, or `limits`.
    """
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    limits = changes.pop("limits", {})
    for business in content["businesses"]:
        business |= {"privacy_notice": ""} | changes
    content |= {"data": folder / "var", "database": url, "limits": limits}
    made = make_context(Settings.model_validate(content))
    return replace(made, clock=clock, orders=orders or made.orders)


def a_worker(desk: Context) -> FulfilmentWorker:
    return FulfilmentWorker(desk, Router(desk, None))  # type: ignore[arg-type]  # no Rasa here


@dataclass
class Deal:
    """One customer with an offer.

    Attributes:
        number: Of the order.
        buyer: Whose order it is, as the order system names them.
        goodwill: Of the offer, in fen.
    """

    number: str
    buyer: str
    goodwill: int = 1000
    business: str = "qinghe"
    failure: str = "damaged"
    facts: Mapping[str, Any] = field(default_factory=dict)
    policy: str | None = None
    remedies: Iterable[dict[str, Any]] = REMEDIES
    offer: str = ""
    chat: Conversation = None  # type: ignore[assignment]  # begun with the offer

    def begin(self, db: Connection, desk: Context) -> None:
        """Come into a private chat with a case."""
        now = desk.clock()
        customer, _ = customers.begin_session(db, None, self.business, "客人", None, now)
        self.chat = conversations.begin(db, self.business, customer.id, now)

    def says(self, db: Connection, desk: Context) -> Message:
        """A message of this customer, not answered yet."""
        key = new_id("c")
        return inbox.add(db, new_id("m"), self.chat.id, key, "好", desk.clock())

    def offered(self, db: Connection, desk: Context, round_: int = 0) -> Committed:
        """Make an offer, as the bot's answer to a message."""
        message = self.says(db, desk)
        self.offer = "o" + message.id[1:]
        commands: list[Command] = []
        present = conversations.load(db, self.chat.id)
        if present is not None and present.case_id is None:
            commands.append(OpenCase("s" + message.id[1:], failure=self.failure))
            commands.append(TriedProof(self.number, correct=True, vouched=False))
        commands.append(self.made(desk, round_))
        return commit_answer(db, desk, message, answer(*commands), desk.clock())

    def made(self, desk: Context, round_: int = 0) -> MakeOffer:
        return MakeOffer(
            offer=self.offer,
            order_number=self.number,
            order_customer=self.buyer,
            remedies=list(self.remedies),
            rules=["R-1"],
            policy=self.policy or desk.policy.book.name,
            day=desk.clock().date().isoformat(),
            facts={"failure": self.failure, **self.facts},
            reason="东西坏了",
            round=round_,
            expires_at=(desk.clock() + timedelta(hours=48)).isoformat(),
            floor_fen=500,
            goodwill_fen=self.goodwill,
        )

    def accepts(self, db: Connection, desk: Context, message: Message | None = None) -> Committed:
        """Take the offer, as the bot's answer to a message."""
        message = message or self.says(db, desk)
        return commit_answer(db, desk, message, answer(AcceptOffer(self.offer)), desk.clock())

    def again(self, db: Connection) -> None:
        """Let the bot own the conversation again, as after a press of the button."""
        db.execute(
            update(conversations_table)
            .where(conversations_table.c.id == self.chat.id)
            .values(owner=BOT, reason=None)
        )


def answer(*commands: Command) -> Answer:
    """An answer of Rasa's that does something."""
    return Answer(
        [
            {"text": "好的。", "response": "say_confirm", "variant": None},
            {"custom": {"commands": [to_wire(one) for one in commands], "own": []}},
        ],
        _CALM,
        failed=False,
    )


def add_orders(file: Path, deals: Iterable[Deal], paid: int = 6800) -> None:
    """Put the orders of deals into the embedded order system."""
    with closing(sqlite3.connect(file, timeout=30)) as db, db:
        for deal in deals:
            db.execute(
                "INSERT OR IGNORE INTO customers (id, business, external_id, name, phone)"
                " VALUES (?, ?, NULL, '甄测', '19900001234')",
                (deal.buyer, deal.business),
            )
            db.execute(
                "INSERT INTO orders (number, business, customer, title, paid, placed_at, room)"
                " VALUES (?, ?, ?, '杯子', ?, '2026-11-15', NULL)",
                (deal.number, deal.business, deal.buyer, paid),
            )


def effects(file: Path) -> list[tuple[str, str]]:
    """Key and order of all that was carried out."""
    with closing(sqlite3.connect(file, timeout=30)) as db:
        return db.execute("SELECT key, number FROM effects ORDER BY key").fetchall()


def states(desk: Context) -> dict[str, str]:
    """How each remedy stands, by key."""
    with desk.storage.database.read() as db:
        table = fulfilments_table.c
        return {row.key: row.state for row in db.execute(select(table.key, table.state))}


def decided(desk: Context) -> dict[str, tuple[str, str | None]]:
    """State and time of acceptance of each decision, by offer."""
    with desk.storage.database.read() as db:
        rows = db.execute(
            select(decisions_table.c.id, decisions_table.c.state, decisions_table.c.accepted_at)
        )
        return {row.id: (row.state, row.accepted_at) for row in rows}


def case_of(desk: Context, deal: Deal) -> Case:
    with desk.storage.database.read() as db:
        present = conversations.load(db, deal.chat.id)
        found = cases.load(db, present.case_id) if present else None
    assert found is not None
    return found


def present(desk: Context, deal: Deal) -> Conversation:
    with desk.storage.database.read() as db:
        found = conversations.load(db, deal.chat.id)
    assert found is not None
    return found


def shown(desk: Context, deal: Deal) -> list[dict[str, Any]]:
    """All events of a deal's private chat, in order."""
    with desk.storage.database.read() as db:
        rows = db.execute(
            select(outbox.c.event)
            .where(outbox.c.stream == f"private:{deal.chat.id}")
            .order_by(outbox.c.seq)
        )
        return [row.event for row in rows]


def at_once(work: Callable[[int], object], people: int = 12) -> list[object]:
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
