"""Orders of a test's own, so that tests do not use up each other's tries of proof."""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from tests.support.stack import Stack

CUSTOMER_NAME = "闻人秋月"
_ITEMS = {"lanting": ("ROOM-K",), "qinghe": ("CUP-01",)}


@dataclass(frozen=True)
class AnOrder:
    """An order in the embedded directory.

    Attributes:
        number: As printed for the customer.
        last4: Of its phone number.
        wrong4: Four digits that are not.
    """

    number: str
    last4: str
    title: str
    room: str | None

    @property
    def wrong4(self) -> str:
        return f"{(int(self.last4) + 1) % 10_000:04d}"


def _file(stack: Stack) -> sqlite3.Connection:
    return sqlite3.connect(stack.data / "orders.sqlite3", timeout=10)


def an_order(
    stack: Stack,
    business: str = "lanting",
    *,
    items: tuple[str, ...] | None = None,
    external_id: str | None = None,
) -> AnOrder:
    """Put a new order of a new customer into the order directory of a stack."""
    tail = f"{secrets.randbelow(10**12):012d}"
    number = ("LT" if business == "lanting" else "QH") + tail
    last4 = f"{secrets.randbelow(9000) + 1000}"
    title = f"秋山套房{tail[-3:]}" if business == "lanting" else f"秋山礼盒{tail[-3:]}"
    room = "望月轩" if business == "lanting" else None
    with _file(stack) as db:
        db.execute(
            "INSERT INTO customers (id, business, external_id, name, phone) VALUES (?, ?, ?, ?, ?)",
            (f"c{tail}", business, external_id, CUSTOMER_NAME, f"1990000{last4}"),
        )
        db.execute(
            "INSERT INTO orders (number, business, customer, title, paid, placed_at, room)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, business, f"c{tail}", title, 68800, "2026-11-20", room),
        )
        db.executemany(
            "INSERT INTO items VALUES (?, ?, 1)",
            [(number, sku) for sku in items or _ITEMS[business]],
        )
    db.close()
    return AnOrder(number, last4, title, room)


def effects(stack: Stack, number: str) -> list[Any]:
    """What was carried out against an order: key and kind of each remedy."""
    with _file(stack) as db:
        rows = db.execute("SELECT key, kind FROM effects WHERE number = ? ORDER BY key", (number,))
        found = rows.fetchall()
    db.close()
    return found
