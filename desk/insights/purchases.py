"""`python -m desk purchases BUSINESS FILE`: later orders, for who comes back and buys again.

The file is what an order system exports: CSV in UTF-8 with the columns `order_number`, `customer`
(as the order system names them, the same as in its answers), `amount_fen` and `ordered_at`
(ISO 8601 with the zone). Told again, an order is what was told last.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from desk.storage import open_storage
from recovery.orders.system import usable_number
from recovery.settings import Settings
from recovery.store import purchases
from recovery.store.purchases import BadPurchaseError

_COLUMNS = ("order_number", "customer", "amount_fen", "ordered_at")
_LONGEST_CUSTOMER = 200


class _Purchase(NamedTuple):
    number: str
    customer: str
    amount_fen: int
    ordered_at: datetime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("business")
    parser.add_argument("file", type=Path, help=f"CSV with the columns {', '.join(_COLUMNS)}")


def run(settings: Settings, given: argparse.Namespace) -> int:
    """Take a file in, the whole of it or nothing.

    Returns:
        Exit code: 1 where it is refused, with the line that is wrong.
    """
    if settings.directory().business(given.business) is None:
        sys.stderr.write(f"没有商家 {given.business}\n")
        return 1
    storage = open_storage(settings)
    try:
        with storage.database.write() as db:
            taken = taken_in(db, given.business, given.file)
    except (OSError, UnicodeDecodeError, BadPurchaseError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        storage.close()
    sys.stdout.write(f"记下了{taken}单\n")
    return 0


def taken_in(db: Connection, business: str, file: Path) -> int:
    """Keep the orders of a file; gives how many.

    Raises:
        BadPurchaseError: A line is not what it has to be; says which.
        OSError: The file cannot be read.
    """
    taken = 0
    for one in _read(file):
        purchases.note(db, business, one.number, one.customer, one.amount_fen, one.ordered_at)
        taken += 1
    return taken


def _read(file: Path) -> Iterator[_Purchase]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines)
        missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise BadPurchaseError(f"缺少列：{'、'.join(missing)}")
        for row in table:
            try:
                yield _purchase({name: row[name] or "" for name in _COLUMNS})
            except (TypeError, ValueError) as error:
                raise BadPurchaseError(f"第{table.line_num}行读不懂") from error


def _purchase(row: dict[str, str]) -> _Purchase:
    number, customer = row["order_number"].strip(), row["customer"].strip()
    amount, moment = int(row["amount_fen"]), datetime.fromisoformat(row["ordered_at"].strip())
    if not usable_number(number) or not 0 < len(customer) <= _LONGEST_CUSTOMER or "\0" in customer:
        raise ValueError(number)
    if amount < 0 or moment.tzinfo is None:
        raise ValueError(moment)
    return _Purchase(number, customer, amount, moment)
