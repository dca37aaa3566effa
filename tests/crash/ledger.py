"""What must hold in the stores once everything has come to rest, whatever was killed."""

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.stack import Stack, wait_until


@dataclass(frozen=True)
class Totals:
    """How much the stores hold, for reports and for tests that want it not to be nothing."""

    messages: int
    replies: int
    accepted: int
    effects: int


class Ledger:
    """Reads the databases of a stack as an auditor would: from outside, with plain SQL."""

    def __init__(self, stack: Stack) -> None:
        """Open nothing yet.

        Args:
            stack: Whose stores.
        """
        self._files = {name: stack.data / f"{name}.sqlite3" for name in ("desk", "orders", "rasa")}

    @contextmanager
    def _open(self, name: str) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._files[name], timeout=30)) as db:
            db.row_factory = sqlite3.Row
            yield db

    def rows(self, name: str, query: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401
        """Ask one of the databases."""
        with self._open(name) as db:
            return db.execute(query, values).fetchall()

    def count(self, name: str, query: str, *values: Any) -> int:  # noqa: ANN401 - SQL values
        """Ask for one number."""
        return int(self.rows(name, query, *values)[0][0])

    def waiting(self) -> int:
        """Messages without an end, and remedies that are promised and not carried out."""
        return self.count("desk", "SELECT count(*) FROM inbox WHERE state = 'new'") + self.count(
            "desk", "SELECT count(*) FROM fulfilments WHERE state = 'todo'"
        )

    async def rest(self, patience: float = 120.0) -> None:
        """Wait until nothing is under way."""
        await asyncio.to_thread(
            wait_until, lambda: self.waiting() == 0, "messages and remedies to be done", patience
        )

    def streams(self) -> dict[str, int]:
        """The number of the latest event of every stream."""
        return {row["name"]: row["last"] for row in self.rows("desk", "SELECT * FROM streams")}

    def last(self, stream: str) -> int:
        """The number of the latest event of a stream."""
        return self.count(
            "desk", "SELECT coalesce(max(last), 0) FROM streams WHERE name = ?", stream
        )

    def effects(self, order: str) -> list[str]:
        """Keys of what was carried out against an order."""
        found = self.rows("orders", "SELECT key FROM effects WHERE number = ? ORDER BY key", order)
        return [row["key"] for row in found]

    def check(self) -> Totals:
        """Check everything that must hold at rest.

        Raises:
            AssertionError: Something was lost or doubled.
        """
        assert self.waiting() == 0
        self._check_streams()
        return Totals(
            messages=self._check_messages(),
            replies=self._check_replies(),
            accepted=self._check_offers(),
            effects=self._check_effects(),
        )

    def _check_streams(self) -> None:
        """Every stream is numbered from 1 without gaps."""
        found = self.rows(
            "desk",
            "SELECT stream, min(seq) AS first, max(seq) AS last, count(*) AS many FROM outbox"
            " GROUP BY stream",
        )
        assert {row["stream"]: row["last"] for row in found} == self.streams()
        for row in found:
            assert (row["first"], row["many"]) == (1, row["last"]), row["stream"]

    def _check_messages(self) -> int:
        """Every message is shown once, in the order in which it was taken."""
        shown = self.rows(
            "desk",
            "SELECT stream, seq, id, json_extract(event, '$.client_id') AS client FROM outbox"
            " WHERE json_extract(event, '$.author') = 'customer' ORDER BY stream, seq",
        )
        taken = self.rows(
            "desk",
            "SELECT id, conversation_id, external_id FROM inbox WHERE external_id <> 'entered'"
            " ORDER BY position",
        )
        assert Counter((row["id"], row["client"]) for row in shown) == Counter(
            (row["id"], row["external_id"]) for row in taken
        )
        whose = {row["id"]: row["conversation_id"] for row in taken}
        in_order: defaultdict[str, list[str]] = defaultdict(list)
        for row in shown:
            in_order[whose[row["id"]]].append(row["id"])
        for row in taken:
            assert in_order[row["conversation_id"]].pop(0) == row["id"]
        return len(taken)

    def _check_replies(self) -> int:
        """At most one turn a message, whose commands are done once."""
        ids = {row["id"] for row in self.rows("desk", "SELECT id FROM outbox")}
        heard: Counter[str] = Counter()
        answered = 0
        for row in self.rows("desk", "SELECT id, conversation_id FROM inbox"):
            heard[row["conversation_id"]] += 1
            answered += any(f"{row['id']}.{part}" in ids for part in ("r", "r0", "o0", "i"))
        turns = {
            row["id"]: row["turns"] for row in self.rows("desk", "SELECT * FROM conversations")
        }
        assert all(many <= heard[conversation] for conversation, many in turns.items())
        commands = self.rows("desk", "SELECT case_id, message_id, command FROM case_log")
        repeated = [tuple(row) for row, many in Counter(map(tuple, commands)).items() if many > 1]
        assert repeated == []
        opened = Counter(
            row["case_id"] for row in commands if json.loads(row["command"])["do"] == "open_case"
        )
        assert set(opened.values()) <= {1}
        return answered

    def _check_offers(self) -> int:
        """What was accepted is promised whole, once, and nothing else is."""
        promised: Counter[str] = Counter()
        for row in self.rows("desk", "SELECT key, state FROM fulfilments"):
            promised[row["key"].partition(":")[0]] += 1
        accepted = {
            offer["id"]: len(offer["remedies"])
            for row in self.rows("desk", "SELECT state FROM cases")
            for offer in json.loads(row["state"])["offers"]
            if offer["state"] == "accepted"
        }
        assert dict(promised) == accepted
        return len(accepted)

    def _check_effects(self) -> int:
        """Every remedy that is done was carried out, once, as promised; no other was."""
        done = {
            row["key"]: (row["order_number"], json.loads(row["remedy"]), json.loads(row["receipt"]))
            for row in self.rows("desk", "SELECT * FROM fulfilments WHERE state = 'done'")
        }
        carried_out = {
            row["key"]: (row["number"], json.loads(row["remedy"]), json.loads(row["receipt"]))
            for row in self.rows("orders", "SELECT * FROM effects")
        }
        assert done == carried_out
        told = Counter(
            row["id"]
            for row in self.rows("desk", "SELECT id FROM outbox WHERE id LIKE 'o%:%.done'")
        )
        assert told == Counter(f"{key}.done" for key in done)
        return len(done)


def add_order(file: Path, number: str, last4: str) -> None:
    """Put an order of its own into the order system: one cup, sent to an invented phone."""
    buyer, cup = f"crash-{number}", ("月白手冲咖啡杯", 6800, "2026-11-15", None)
    with closing(sqlite3.connect(file, timeout=30)) as db, db:
        db.execute(
            "INSERT INTO customers (id, business, external_id, name, phone)"
            " VALUES (?, 'qinghe', NULL, '甄测', ?)",
            (buyer, f"1990000{last4}"),
        )
        db.execute(
            "INSERT INTO orders (number, business, customer, title, paid, placed_at, room)"
            " VALUES (?, 'qinghe', ?, ?, ?, ?, ?)",
            (number, buyer, *cup),
        )
        db.execute("INSERT INTO items VALUES (?, 'CUP-01', 1)", (number,))
