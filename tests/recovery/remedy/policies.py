"""A small whole policy that the tests of this folder damage, one way at a time."""

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recovery.failures import FAILURES, TRADES
from recovery.remedy import law, schema
from recovery.remedy.book import Book, Row, Table, document, read_book, row_of, save_book
from recovery.remedy.schema import COMMON, FILES, TABLES

Rows = dict[str, list[dict[str, Any]]]
Seed = dict[str, Rows]

VERSION, DAY, NOTE = "2026.11-1", "2026-11-22", "测试用的政策"
LETTER = dict(zip(TRADES, "HSRMPT", strict=True))
_LADDER = (
    (0, 0, 0),
    (2_000, 6_000, 0),
    (6_000, 9_000, 500),
    (10_000, 15_000, 1_000),
    (15_000, 20_000, 1_500),
    (20_000, 26_000, 2_000),
    (26_000, 32_000, 2_500),
    (32_000, 40_000, 3_000),
    (40_000, 50_000, 4_000),
)


def names(*values: str) -> str:
    """A condition that lists names."""
    return ", ".join(f"'{one}'" for one in values)


def _row(rule: str, **columns: object) -> dict[str, Any]:
    return {
        "rule": rule,
        "reason": "这样对您公平",
        "source": "内部规定：测试",
        "effective_from": "2026-01-01",
        **columns,
    }


def _severity() -> list[dict[str, Any]]:
    harms = ((names("slight"), 0), (names("plans", "loss"), 1), (names("injury"), 2))
    waits = (("< 24", 0), ("[24..71]", 1), (">= 72", 2))
    return [
        _row(
            f"C-SEV-{weight}{more}{late}",
            weight=str(weight),
            harm=harm,
            wait_hours=wait,
            severity=min(4, weight + more + late),
        )
        for weight in (1, 2, 3)
        for harm, more in harms
        for wait, late in waits
    ]


def _base() -> list[dict[str, Any]]:
    judged = names("none", "confirmed")
    ours, other = names("ours"), names("third_party", "unclear")
    rows = [
        _row("C-BASE-ALLEGED", finding=names("alleged"), points=0),
        _row("C-BASE-CUSTOMER", finding=judged, fault=names("customer"), points=0),
    ]
    for fault, mark, less in ((ours, "OURS", 0), (other, "OTHER", 1)):
        for kind, lower in (("outcome", 0), ("process", 1)):
            rows += [
                _row(
                    f"C-BASE-{mark}-{kind.upper()}-{severity}",
                    finding=judged,
                    fault=fault,
                    type=names(kind),
                    severity=str(severity),
                    points=max(0, severity - less - lower),
                )
                for severity in (1, 2, 3, 4)
            ]
    return rows


def _law() -> list[dict[str, Any]]:
    asked = ((law.FRAUD, 3, 50_000), (law.UNSAFE, 10, 100_000), (law.NOT_PERFORMED, 1, 0))
    special = law.FRAUD | law.UNSAFE | law.NOT_PERFORMED
    ordinary = [one for one in FAILURES if one not in special]
    return [
        _row("C-LAW-NONE", finding=names("none", "alleged"), remedies=[]),
        _row("C-LAW-OTHER", finding=names("confirmed"), failure=names(*ordinary), remedies=[]),
        *(
            _row(
                f"C-LAW-{times}",
                finding=names("confirmed"),
                failure=names(*(one for one in FAILURES if one in failures)),
                remedies=[{"kind": "damages", "times": times, "fen": fen}],
                authority="manager",
            )
            for failures, times, fen in asked
        ),
    ]


def _common() -> Rows:
    return {
        "severity": _severity(),
        "base": _base(),
        "recurring": [
            _row("C-REC-OTHER", fault=names("third_party", "unclear", "customer"), points=0),
            _row("C-REC-0", fault=names("ours"), recurrence="0", points=0),
            _row("C-REC-1", fault=names("ours"), recurrence=">= 1", points=1),
        ],
        "newcomer": [
            _row("C-NEW-NO", first_time="false", points=0),
            _row("C-NEW-0", first_time="true", wait_hours="< 24", points=0),
            _row("C-NEW-24", first_time="true", wait_hours=">= 24", points=1),
        ],
        "loyalty": [
            _row("C-LOY-GOLD", tier=names("gold"), points=1),
            _row("C-LOY-OLD", tier=names("none", "silver"), tenure_days=">= 1095", points=1),
            _row("C-LOY-NO", tier=names("none", "silver"), tenure_days="< 1095", points=0),
        ],
        "rounds": [_row(f"C-ROUND-{one}", round=str(one), points=one) for one in range(3)],
        "law": _law(),
        "allegation": [
            _row("C-ALL-NONE", finding=names("none"), provisional=False, person=False),
            _row("C-ALL-ALLEGED", finding=names("alleged"), provisional=True, person=True),
            _row("C-ALL-SURE", finding=names("confirmed"), provisional=False, person=True,
                 authority="agent"),
        ],
        "claims": [
            _row("C-CLAIMS-FEW", claims="< 2"),
            _row("C-CLAIMS-MANY", claims=">= 2", authority="agent"),
        ],
        "amount": [
            _row("C-AMOUNT-BOT", paid="<= 1000000"),
            _row("C-AMOUNT-AGENT", paid="[1000001..10000000]", authority="agent"),
            _row("C-AMOUNT-MANAGER", paid="> 10000000", authority="manager"),
        ],
        "manner": [
            *(
                _row(f"C-MAN-{one}", anger=str(one), escalation="false", priority=one, tone=tone)
                for one, tone in enumerate(("plain", "plain", "warm", "urgent"))
            ),
            _row("C-MAN-ESC", escalation="true", priority=3, tone="urgent", authority="agent"),
        ],
    }  # fmt: skip


_PICKED_UP = {"kind": "courier_pickup"}
_FLOORS: Mapping[str, list[dict[str, Any]]] = {
    "room_not_clean": [{"kind": "room_change", "minutes": 20}],
    "missing_item": [{"kind": "resend"}],
    "lost_parcel": [{"kind": "resend"}],
    "refund_delayed": [{"kind": "refund_now", "minutes": 60}],
    "overbooked": [{"kind": "rebooking", "minutes": 60}],
    "cancelled_no_refund": [{"kind": "refund_full"}],
}


def _floor(trade: str, failure: str, mark: str) -> list[dict[str, Any]]:
    if failure not in law.QUALITY:
        owed = _FLOORS.get(failure, [{"kind": "apology"}])
        return [_row(f"{mark}-FLOOR", failure=names(failure), remedies=owed)]
    carriage = [_PICKED_UP] if trade == "shop" else []
    return [
        _row(
            f"{mark}-FLOOR-{place}",
            failure=names(failure),
            days=days,
            remedies=[{"kind": kind}, *carriage],
            evidence="photo" if failure == "damaged" else "none",
        )
        for place, days, kind in ((1, "<= 7", "refund_full"), (2, "> 7", "exchange"))
    ]


def _gesture(level: int) -> list[dict[str, Any]]:
    fen, _, rate = _LADDER[level]
    called = [{"kind": "manager_call", "minutes": 60}] if level >= 5 else []
    rated = [{"kind": "next_discount", "bp": rate}] if rate else []
    if level == 3:
        return [{"kind": "free_meal", "persons": 2}, *rated]
    return [{"kind": "voucher", "fen": fen}, *rated, *called] if level else []


def _choices(trade: str, mark: str) -> list[dict[str, Any]]:
    if trade == "hotel":
        owed = [{"kind": "room_change", "minutes": 20}]
        return [
            _row(f"{mark}-CH-{form.upper().replace('_', '-')}", failure=names("room_not_clean"),
                 choice=names(choice), remedies=owed, form=form)
            for choice, form in (("refund", "refund_part"), ("points", "points"))
        ]  # fmt: skip
    if trade == "shop":
        return [
            _row(f"{mark}-CH-RESEND", failure=names("wrong_item"), choice=names("resend"),
                 days="<= 7", remedies=[{"kind": "resend"}, _PICKED_UP], form="keep")
        ]  # fmt: skip
    return []


def _trade(trade: str) -> Rows:
    letter = LETTER[trade]
    failures = [name for name, one in FAILURES.items() if trade in one.industries]
    marks = {name: f"{letter}-{name.upper().replace('_', '-')}" for name in failures}
    return {
        "failures": [
            _row(
                f"{marks[name]}-F",
                failure=names(name),
                weight=3 if place == 0 else 2,
                type="process" if name == "rude_staff" else "outcome",
                fault="ours",
                finding="none",
            )
            for place, name in enumerate(failures)
        ],
        "floor": [row for name in failures for row in _floor(trade, name, marks[name])],
        "goodwill": [
            _row(
                f"{letter}-GW-{level}",
                level=str(level),
                remedies=_gesture(level),
                authority="bot" if level < 6 else "agent" if level < 8 else "manager",
            )
            for level in range(schema.MOST_LEVEL + 1)
        ],
        "choices": _choices(trade, letter),
        "prices": [_row(f"{letter}-PRICE", kind=names("free_meal", "free_dessert"), fen=6_000)],
        "bands": [
            _row(f"{letter}-BAND-{level}", level=str(level), least=least, most=most, rate=rate)
            for level, (least, most, rate) in enumerate(_LADDER)
        ],
    }


def seed() -> Seed:
    """A fresh copy of the rows of the policy, to be changed at will."""
    return copy.deepcopy({COMMON: _common(), **{trade: _trade(trade) for trade in TRADES}})


def find(one: Seed, rule: str) -> dict[str, Any]:
    """A row of a seed."""
    return next(row for file in one.values() for rows in file.values() for row in rows
                if row["rule"] == rule)  # fmt: skip


def documents(one: Seed) -> dict[str, dict[str, Any]]:
    """The files of a seed, as parsed JSON."""
    return {file: _document(file, one[file]) for file in FILES}


def texts(one: Seed) -> dict[str, str]:
    """The files of a seed, as text."""
    return {file: json.dumps(found) for file, found in documents(one).items()}


def _document(file: str, rows: Rows) -> dict[str, Any]:
    used = {
        name: tuple(one for one in TABLES[name].reads if any(one in row for row in rows[name]))
        for name in schema.tables_of(file)
    }
    content = document({name: Table(file, name, reads, ()) for name, reads in used.items()})
    for node in content["nodes"][1:]:
        node["content"]["rules"] = [row_of(file, node["id"], **row) for row in rows[node["id"]]]
    return content


def book(one: Seed | None = None, version: str = VERSION, day: str = DAY, note: str = NOTE) -> Book:
    """The policy of a seed, read as files are."""
    return read_book(texts(one or seed()), version, day, note)


def released(directory: Path, one: Seed | None = None, version: str = VERSION) -> Book:
    """The policy of a seed, written to a directory with its manifest."""
    made = book(one, version)
    save_book(made, directory)
    return made


def damaged(good: Book, file: str, table: str, rows: Mapping[str, Mapping[str, Any]]) -> Book:
    """A policy with other outcomes in some rows, past the checks of the reader.

    Args:
        good: The policy.
        file: Of the table.
        table: Its name.
        rows: What is said instead, by rule.
    """
    old = good.files[file][table]
    made = tuple(
        Row(file, table, row.cells, {**row.said, **rows.get(row.rule, {})}) for row in old.rows
    )
    return with_table(good, replace(old, rows=made))


def with_table(good: Book, table: Table) -> Book:
    """A policy with one table replaced, past the checks of the reader."""
    files = {
        file: {name: table if (file, name) == (table.file, table.name) else one
               for name, one in tables.items()}
        for file, tables in good.files.items()
    }  # fmt: skip
    return Book(good.version, good.day, good.note, files)
