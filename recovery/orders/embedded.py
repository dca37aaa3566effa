"""An order system in one SQLite file: for demos, for tests, for those who have no other."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from recovery import faults
from recovery.clock import Clock, utc_now
from recovery.orders.system import (
    Item,
    Order,
    OrderSystemError,
    Product,
    RemedyRefusedError,
    fold_order_number,
)
from recovery.remedy.catalogue import Remedy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    id TEXT PRIMARY KEY, business TEXT NOT NULL, external_id TEXT, name TEXT NOT NULL,
    phone TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    number TEXT PRIMARY KEY, business TEXT NOT NULL, customer TEXT NOT NULL REFERENCES customers,
    title TEXT NOT NULL, paid INTEGER NOT NULL, placed_at TEXT NOT NULL, room TEXT);
CREATE INDEX IF NOT EXISTS orders_customer ON orders (customer, placed_at);
CREATE TABLE IF NOT EXISTS items (
    number TEXT NOT NULL REFERENCES orders, sku TEXT NOT NULL, quantity INTEGER NOT NULL,
    PRIMARY KEY (number, sku));
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, business TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL,
    price INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rooms (
    business TEXT NOT NULL, room TEXT NOT NULL, clean INTEGER NOT NULL, taken_by TEXT,
    PRIMARY KEY (business, room));
CREATE TABLE IF NOT EXISTS effects (
    key TEXT PRIMARY KEY, business TEXT NOT NULL, number TEXT NOT NULL, kind TEXT NOT NULL,
    remedy TEXT NOT NULL, receipt TEXT NOT NULL, at TEXT NOT NULL);
"""


class EmbeddedOrders:
    """`OrderSystem` in SQLite. Safe for several threads and processes."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        """Open the file, making it where it is absent.

        Args:
            path: The database file.
            clock: Gives the time of effects.
        """
        self._path = path
        self._clock = clock
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as db:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)

    def _connection(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.row_factory = sqlite3.Row
            self._local.connection = connection
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                # This thread uses the connection again: nothing may stay open, also not what a
                # full disk kept from being committed.
                if db.in_transaction:
                    db.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise OrderSystemError(str(error)) from error

    def _rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        try:
            return self._connection().execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise OrderSystemError(str(error)) from error

    def matches(self, business: str, number: str, last4: str) -> bool:
        """Whether the order exists and its phone ends in these four digits."""
        rows = self._rows(
            "SELECT phone FROM orders JOIN customers ON customers.id = orders.customer"
            " WHERE orders.business = ? AND number = ?",
            business,
            fold_order_number(number),
        )
        # The comparison also runs for an unknown order, so that time tells nothing.
        phone = rows[0]["phone"] if rows else "none"
        return compare_digest(phone[-4:].encode(), last4.encode()) and bool(rows)

    def order(self, business: str, number: str) -> Order | None:
        """Find an order."""
        rows = self._rows(
            "SELECT * FROM orders WHERE business = ? AND number = ?",
            business,
            fold_order_number(number),
        )
        return self._order(rows[0]) if rows else None

    def _order(self, row: sqlite3.Row) -> Order:
        items = self._rows(
            "SELECT items.sku, name, quantity, price FROM items JOIN products USING (sku)"
            " WHERE number = ? ORDER BY price DESC",
            row["number"],
        )
        return Order(
            number=row["number"],
            business=row["business"],
            paid=row["paid"],
            title=row["title"],
            items=tuple(Item(**dict(item)) for item in items),
            room=row["room"],
        )

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        """Orders of a customer whom the host site has identified, latest first."""
        rows = self._rows(
            "SELECT orders.* FROM orders JOIN customers ON customers.id = orders.customer"
            " WHERE orders.business = ? AND customers.external_id = ? ORDER BY placed_at DESC",
            business,
            external_customer,
        )
        return [self._order(row) for row in rows]

    def recommend(self, business: str, number: str) -> Product | None:
        """The product of a category bought most often before that was not bought yet."""
        rows = self._rows(
            "WITH bought AS (SELECT items.sku, category FROM orders one"
            "  JOIN orders ON orders.customer = one.customer JOIN items ON"
            "  items.number = orders.number JOIN products USING (sku) WHERE one.number = ?)"
            " SELECT sku, name FROM products WHERE business = ?"
            "  AND sku NOT IN (SELECT sku FROM bought)"
            "  AND category IN (SELECT category FROM bought)"
            " ORDER BY (SELECT count(*) FROM bought WHERE bought.category = products.category)"
            "  DESC, sku LIMIT 1",
            fold_order_number(number),
            business,
        )
        return Product(rows[0]["sku"], rows[0]["name"]) if rows else None

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        """Carry one remedy out, once for each key. See `OrderSystem.carry_out`."""
        faults.reach("orders-before")
        with self._transaction() as db:
            done = db.execute("SELECT receipt FROM effects WHERE key = ?", (key,)).fetchone()
            if done:
                receipt: dict[str, Any] = json.loads(done["receipt"])
                return receipt
            known = db.execute(
                "SELECT 1 FROM orders WHERE business = ? AND number = ?", (business, number)
            ).fetchone()
            if not known:
                raise RemedyRefusedError(f"no order {number}")
            receipt = self._receipt(db, key, business, number, remedy)
            db.execute(
                "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    business,
                    number,
                    remedy["kind"],
                    json.dumps(remedy, ensure_ascii=False),
                    json.dumps(receipt, ensure_ascii=False),
                    self._clock().isoformat(),
                ),
            )
        faults.reach("orders-after")
        return receipt

    def _receipt(
        self, db: sqlite3.Connection, key: str, business: str, number: str, remedy: Remedy
    ) -> dict[str, Any]:
        code = sha256(key.encode()).hexdigest()[:10].upper()
        match remedy["kind"]:
            case "room_change":
                room = db.execute(
                    "SELECT room FROM rooms WHERE business = ? AND clean = 1 AND taken_by IS NULL"
                    " ORDER BY room DESC LIMIT 1",
                    (business,),
                ).fetchone()
                if room is None:
                    raise RemedyRefusedError("no clean room is free")
                db.execute(
                    "UPDATE rooms SET taken_by = ? WHERE business = ? AND room = ?",
                    (number, business, room["room"]),
                )
                db.execute("UPDATE orders SET room = ? WHERE number = ?", (room["room"], number))
                return {"room": room["room"]}
            case "resend":
                return {"shipment": f"HX{code}"}
            case "courier_pickup":
                return {"pickup": f"QJ{code}"}
            case "repair" | "clean_again" | "manager_call" | "expedite":
                return {"ticket": f"GD{code}"}
            case _:
                return {"coupon": f"Q{code}"}
