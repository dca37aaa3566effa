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
    RECEIPTS,
    REFUNDS,
    Order,
    OrderSystemError,
    Product,
    RemedyRefusedError,
    amount_of,
    check_remedy,
    fold_order_number,
    most_of,
    read_order,
    usable_digits,
    usable_number,
)
from recovery.remedy.catalogue import Remedy
from recovery.sqlite_files import write_ahead

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
CREATE INDEX IF NOT EXISTS effects_order ON effects (business, number);
"""

# What later versions added to the tables above; a file of an earlier one gets it when it is opened.
_ADDED = (
    ("customers", "tier", "TEXT NOT NULL DEFAULT 'none'"),
    # NULL for the day of the first order.
    ("customers", "since", "TEXT"),
    ("orders", "received_on", "TEXT"),
    # The better a room, the higher its grade.
    ("rooms", "grade", "INTEGER NOT NULL DEFAULT 1"),
    # What came back of the money paid for the order.
    ("effects", "refunded", "INTEGER NOT NULL DEFAULT 0"),
)

_ORDERS = """
SELECT orders.number, orders.business, orders.paid, orders.title, orders.room,
    substr(orders.placed_at, 1, 10) AS placed_on, orders.received_on, customers.id AS customer,
    customers.external_id AS identity, customers.tier,
    coalesce(customers.since, (SELECT min(substr(placed_at, 1, 10)) FROM orders own
        WHERE own.customer = customers.id)) AS customer_since,
    (SELECT count(*) FROM orders own WHERE own.customer = customers.id) = 1 AS first_time
FROM orders JOIN customers ON customers.id = orders.customer
"""

_SENT_ON = ("shipment", "pickup", "ticket")
_CODES = {"shipment": "HX", "pickup": "QJ", "ticket": "GD", "refund": "TK", "coupon": "Q"}


class EmbeddedOrders:
    """`OrderSystem` in SQLite. Safe for several threads and processes."""

    def __init__(
        self, path: Path, clock: Clock = utc_now, sends_on: frozenset[str] = frozenset()
    ) -> None:
        """Open the file, making it where it is absent.

        Args:
            path: The database file.
            clock: Gives the time of effects.
            sends_on: Businesses whose tickets, parcels and pickups are in the hands of others once
                they are carried out here, and are reported as done later.
        """
        self._path = path
        self._clock = clock
        self._sends_on = sends_on
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as db:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            for table, column, kind in _ADDED:
                there = db.execute(f"PRAGMA table_info({table})").fetchall()
                if column not in {row["name"] for row in there}:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def _connection(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            # Each thread uses its own; closed they are by whoever ends.
            connection = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
            self._opened.append(connection)
            write_ahead(connection)
            connection.row_factory = sqlite3.Row
            self._local.connection = connection
        return connection

    def close(self) -> None:
        """Close the connections of all threads, none of which may be using one."""
        self._local = threading.local()
        while self._opened:
            self._opened.pop().close()

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
        except UnicodeEncodeError:
            # Half a character cannot be stored, so nothing is known under such a name.
            return []
        except sqlite3.OperationalError as error:
            raise OrderSystemError(str(error)) from error

    def matches(self, business: str, number: str, last4: str) -> bool:
        """Whether the order exists and its phone ends in these four digits."""
        number = fold_order_number(number)
        if not usable_number(number) or not usable_digits(last4):
            return False
        rows = self._rows(
            "SELECT phone FROM orders JOIN customers ON customers.id = orders.customer"
            " WHERE orders.business = ? AND number = ?",
            business,
            number,
        )
        # The comparison also runs for an unknown order, so that time tells nothing.
        phone = rows[0]["phone"] if rows else "none"
        return compare_digest(phone[-4:].encode(), last4.encode()) and bool(rows)

    def order(self, business: str, number: str) -> Order | None:
        """Find an order."""
        number = fold_order_number(number)
        if not usable_number(number):
            return None
        rows = self._rows(
            _ORDERS + " WHERE orders.business = ? AND orders.number = ?", business, number
        )
        return self._order(rows[0]) if rows else None

    def _order(self, row: sqlite3.Row) -> Order:
        items = self._rows(
            "SELECT items.sku, name, quantity, price FROM items JOIN products USING (sku)"
            " WHERE number = ? ORDER BY price DESC",
            row["number"],
        )
        # SQLite keeps whatever was put into a column: a price of 68.5 is refused here as well.
        return read_order(
            {
                **dict(row),
                "first_time": bool(row["first_time"]),
                "items": [dict(item) for item in items],
            }
        )

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        """Orders of a customer whom the host site has identified, latest first."""
        rows = self._rows(
            _ORDERS + " WHERE orders.business = ? AND customers.external_id = ?"
            " ORDER BY orders.placed_at DESC, orders.number DESC",
            business,
            external_customer,
        )
        return [self._order(row) for row in rows]

    def recommend(self, business: str, number: str) -> Product | None:
        """The product of a category bought most often before that was not bought yet."""
        if not usable_number(number):
            return None
        rows = self._rows(
            "WITH bought AS (SELECT items.sku, category FROM orders one"
            "  JOIN orders ON orders.customer = one.customer JOIN items ON"
            "  items.number = orders.number JOIN products USING (sku) WHERE one.number = ?)"
            " SELECT sku, name FROM products WHERE business = ?"
            "  AND sku NOT IN (SELECT sku FROM bought)"
            "  AND category IN (SELECT category FROM bought)"
            " ORDER BY (SELECT count(*) FROM bought WHERE bought.category = products.category)"
            "  DESC, sku LIMIT 1",
            number,
            business,
        )
        return Product(rows[0]["sku"], rows[0]["name"]) if rows else None

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        """Carry one remedy out, once for each key. See `OrderSystem.carry_out`."""
        faults.reach("orders-before")
        if not usable_number(number):
            raise RemedyRefusedError("no such order")
        with self._transaction() as db:
            done = db.execute("SELECT receipt FROM effects WHERE key = ?", (key,)).fetchone()
            if done:
                receipt: dict[str, Any] = json.loads(done["receipt"])
                return receipt
            known = db.execute(
                "SELECT paid FROM orders WHERE business = ? AND number = ?", (business, number)
            ).fetchone()
            if not known:
                raise RemedyRefusedError("no such order")
            check_remedy(remedy)
            receipt = self._receipt(db, key, business, number, known["paid"], remedy)
            db.execute(
                "INSERT INTO effects (key, business, number, kind, remedy, receipt, at, refunded)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key,
                    business,
                    number,
                    remedy["kind"],
                    json.dumps(remedy, ensure_ascii=False),
                    json.dumps(receipt, ensure_ascii=False),
                    self._clock().isoformat(),
                    receipt["fen"] if remedy["kind"] in REFUNDS else 0,
                ),
            )
        faults.reach("orders-after")
        return receipt

    def _receipt(
        self,
        db: sqlite3.Connection,
        key: str,
        business: str,
        number: str,
        paid: int,
        remedy: Remedy,
    ) -> dict[str, Any]:
        kind, name = remedy["kind"], RECEIPTS[remedy["kind"]]
        if name == "room":
            return {name: _moved(db, business, number, upgrade=kind == "room_upgrade")}
        if name == "points":
            return {name: remedy["points"]}
        code = _CODES[name] + sha256(key.encode()).hexdigest()[:10].upper()
        if name != "refund":
            on = business in self._sends_on and name in _SENT_ON and kind != "apology"
            return {name: code, "state": "sent_on"} if on else {name: code}
        amount = amount_of(remedy)
        if kind in REFUNDS:
            amount = _refundable(db, business, number, paid, amount, most_of(remedy))
        return {name: code, "fen": amount}


def _moved(db: sqlite3.Connection, business: str, number: str, *, upgrade: bool) -> str:
    """Move the customer into a clean room that is free, and say which.

    Raises:
        RemedyRefusedError: There is none, or none that is better than the present one.
    """
    room = db.execute(
        "SELECT room FROM rooms WHERE business = ? AND clean = 1 AND taken_by IS NULL"
        " AND (NOT ? OR grade > (SELECT coalesce(max(grade), 1) FROM rooms"
        "  JOIN orders USING (business, room) WHERE orders.number = ?))"
        " ORDER BY grade, room DESC LIMIT 1",
        (business, upgrade, number),
    ).fetchone()
    if room is None:
        raise RemedyRefusedError("no better room is free" if upgrade else "no clean room is free")
    db.execute(
        "UPDATE rooms SET taken_by = ? WHERE business = ? AND room = ?",
        (number, business, room["room"]),
    )
    db.execute("UPDATE orders SET room = ? WHERE number = ?", (room["room"], number))
    return str(room["room"])


def _refundable(
    db: sqlite3.Connection,
    business: str,
    number: str,
    paid: int,
    wanted: int | None,
    most: int | None = None,
) -> int:
    """How much is given back: what is wanted, else all that is left, `most` at most.

    Raises:
        RemedyRefusedError: More than is left, or nothing is left.
    """
    before = db.execute(
        "SELECT coalesce(sum(refunded), 0) FROM effects WHERE business = ? AND number = ?",
        (business, number),
    ).fetchone()[0]
    if not isinstance(paid, int):
        raise OrderSystemError("paid: no whole number")
    left = paid - int(before)
    amount = min(left, left if most is None else most) if wanted is None else wanted
    if not 0 < amount <= left:
        raise RemedyRefusedError(f"{amount} fen asked for, {left} fen left of what was paid")
    return amount
