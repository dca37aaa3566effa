"""A desk without its web server, orders of its own, and what order systems report."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from desk.context import Context
from desk.conversations.rasa import Rasa
from desk.conversations.router import Router
from desk.incidents.watch import IncidentWatch
from recovery.case import Case, apply
from recovery.commands import Command, OpenCase
from recovery.ids import new_id
from recovery.incidents.events import read_event
from recovery.orders.several import close_orders
from recovery.store import cases, conversations, customers, incidents, order_events, streams
from recovery.store.conversations import BOT, Conversation
from recovery.store.customers import Customer
from recovery.store.incidents import Incident, Member
from tests.desk.serving import NOON, Clock, a_context

PLACED = "2026-11-20"


def put_order(
    file: Path,
    business: str,
    number: str,
    *,
    identity: str | None = None,
    title: str = "3栋1202 物业费",
    items: tuple[str, ...] = ("FEE-01",),
    tier: str = "none",
    room: str | None = None,
    buyer: str | None = None,
) -> str:
    """Put an order of a customer into the embedded order system; gives its number."""
    buyer = buyer or f"c-{number}"
    with closing(sqlite3.connect(file, timeout=10)) as db, db:
        db.execute(
            "INSERT OR IGNORE INTO customers"
            " (id, business, external_id, name, phone, tier, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (buyer, business, identity, "闻人秋月", "19900004417", tier, PLACED),
        )
        db.execute(
            "INSERT INTO orders"
            " (number, business, customer, title, paid, placed_at, received_on, room)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, business, buyer, title, 20000, PLACED, PLACED, room),
        )
        db.executemany("INSERT INTO items VALUES (?, ?, 1)", [(number, sku) for sku in items])
    return number


def empty_desk(folder: Path) -> Path:
    """The data of a desk in which nothing has happened, to be copied: migrations take a second."""
    IncidentScene(folder).close()
    return folder / "var"


class IncidentScene:
    """A desk whose worker runs when the test says so.

    Attributes:
        clock: Of the desk; stands at noon in Shanghai.
    """

    def __init__(
        self,
        folder: Path,
        copy_of: Path | None = None,
        **changes: Any,  # noqa: ANN401 - settings
    ) -> None:
        if copy_of is not None:
            shutil.copytree(copy_of, folder / "var")
        self.clock = Clock(NOON)
        self.desk: Context = a_context(folder, self.clock, **changes)
        self.store = self.desk.storage.database
        self._numbers = 0

    def close(self) -> None:
        """Close what was opened."""
        close_orders(self.desk.orders)
        self.desk.storage.close()

    def order(self, business: str = "wutong", **given: Any) -> str:  # noqa: ANN401 - of put_order
        """A new order."""
        self._numbers += 1
        number = f"{business[:2].upper()}7{self._numbers:08d}"
        return put_order(self.desk.settings.orders_file, business, number, **given)

    def customer(
        self, name: str = "林晚", business: str = "wutong", identity: str | None = None
    ) -> Customer:
        """A customer with a browser, known to the host site where an identity is given."""
        with self.store.write() as db:
            made, _ = customers.begin_session(db, None, business, name, identity, self.clock())
            return made

    def talks(
        self,
        customer: Customer,
        *commands: Command,
        owner: str = BOT,
        stage: str | None = None,
        room: str | None = None,
    ) -> Conversation:
        """A private conversation about a case that these commands made, or one in a room."""
        now, case = self.clock(), None
        for command in commands:
            case = apply(case, command, now)
        if case is not None and stage is not None:
            case = replace(case, stage=stage)  # type: ignore[arg-type]  # a stage
        with self.store.write() as db:
            if case is not None:
                cases.save(db, case, customer.business, customer.id, now)
            return conversations.begin(
                db,
                customer.business,
                customer.id,
                now,
                case_id=case.id if case else None,
                owner=owner,
                room=room,
            )

    def reported(self, business: str = "wutong", **body: Any) -> None:  # noqa: ANN401 - JSON
        """An order system reports."""
        content = {"id": new_id("r"), "kind": "lift_down", "at": NOON.isoformat(), **body}
        event = read_event(content, self.desk.business(business).industry)
        with self.store.write() as db:
            order_events.receive(db, business, event, self.clock())

    def rounds(self, number: int = 1, desk: Context | None = None) -> None:
        """Let the worker look so many times."""

        async def look() -> None:
            desk_ = desk or self.desk
            rasa = Rasa(["http://127.0.0.1:9"], "", 1.0, desk_.metrics)
            try:
                watch = IncidentWatch(desk_, Router(desk_, rasa))
                for _ in range(number):
                    await watch.look_once()
            finally:
                await rasa.close()

        asyncio.run(look())

    def later(self, **by: float) -> None:
        """Wind the clock."""
        self.clock.now += timedelta(**by)

    def members(self) -> list[Member]:
        """All members of all incidents."""
        with self.store.read() as db:
            found = self.incidents()
            return [one for incident in found for one in incidents.members(db, incident.id)]

    def incidents(self) -> list[Incident]:
        """All incidents, the latest first."""
        with self.store.read() as db:
            return [one for one, _ in incidents.listed(db, None, incidents.STATES)]

    def chats(self, customer: Customer) -> list[Conversation]:
        """The private conversations of a customer."""
        with self.store.read() as db:
            return conversations.private_of(db, customer.id)

    def shown(self, chat: Conversation, kind: str = "") -> list[dict[str, Any]]:
        """What a conversation shows, of one kind or all."""
        with self.store.read() as db:
            events = [one.event for one in streams.after(db, chat.stream, 0)]
        return [one for one in events if not kind or one["kind"] == kind]

    def case(self, chat: Conversation) -> Case:
        """The case of a conversation."""
        with self.store.read() as db:
            present = conversations.load(db, chat.id)
            found = cases.load(db, present.case_id) if present else None
        assert found is not None
        return found

    def present(self, chat: Conversation) -> Conversation:
        """A conversation as it is now."""
        with self.store.read() as db:
            found = conversations.load(db, chat.id)
        assert found is not None
        return found

    def do(self, work: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - any function
        """Do something in a transaction."""
        with self.store.write() as db:
            return work(db, *given)


def complains(failure: str, order: str | None = None) -> OpenCase:
    """A new case about this failure, its order proved."""
    return OpenCase(new_id("s"), failure, order_number=order)
