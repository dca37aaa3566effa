"""The embedded order system: each remedy once, whatever happens at the same time."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.system import OrderSystemError, RemedyRefusedError

SHOP, ORDER = "qinghe", "QH202611150108"
HOTEL, STAY, OTHER_STAY = "lanting", "LT202611180012", "LT202611190033"
VOUCHER: dict[str, Any] = {"kind": "voucher", "fen": 1000}
ROOM: dict[str, Any] = {"kind": "room_change", "minutes": 20}
THREADS = 16


def effects(orders_file: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(orders_file) as db:
        found = db.execute("SELECT key, number, kind FROM effects ORDER BY key").fetchall()
    db.close()
    return found


def together(work: list[Callable[[], Any]]) -> list[Any]:
    """Run all at the same moment, each in a thread of its own."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work gives
        barrier.wait(30)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders.sqlite3"


@pytest.fixture
def orders(file: Path) -> EmbeddedOrders:
    return fill(file)


def test_same_key_from_many_threads_has_one_effect(orders: EmbeddedOrders, file: Path) -> None:
    receipts = together([lambda: orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)] * THREADS)
    assert effects(file) == [("o1:0", ORDER, "voucher")]
    assert {tuple(receipt.items()) for receipt in receipts} == {tuple(receipts[0].items())}


def test_same_key_from_several_processes_worth_of_directories(file: Path) -> None:
    # Desk and a second worker each open the file for themselves.
    directories = [fill(file) for _ in range(4)]
    receipts = together(
        [
            lambda one=one: one.carry_out("o1:0", HOTEL, STAY, ROOM)  # type: ignore[misc]
            for one in directories
            for _ in range(4)
        ]
    )
    assert effects(file) == [("o1:0", STAY, "room_change")]
    assert len({receipt["room"] for receipt in receipts}) == 1


def test_different_keys_get_different_rooms(orders: EmbeddedOrders, file: Path) -> None:
    receipts = together(
        [
            lambda n=n: orders.carry_out(f"o{n}:0", HOTEL, STAY, ROOM)  # type: ignore[misc]
            for n in range(THREADS)
        ]
    )
    assert len({receipt["room"] for receipt in receipts}) == THREADS
    assert len(effects(file)) == THREADS


def test_receipt_is_the_same_after_a_restart(orders: EmbeddedOrders, file: Path) -> None:
    first = orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)
    again = fill(file).carry_out("o1:0", SHOP, ORDER, VOUCHER)
    assert again == first
    assert set(first) == {"coupon"}
    assert first != orders.carry_out("o1:1", SHOP, ORDER, VOUCHER)


def test_known_key_does_nothing_even_with_another_remedy(
    orders: EmbeddedOrders, file: Path
) -> None:
    first = orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)
    assert orders.carry_out("o1:0", HOTEL, STAY, ROOM) == first
    assert effects(file) == [("o1:0", ORDER, "voucher")]
    order = orders.order(HOTEL, STAY)
    assert order and order.room == "1208"


def test_room_change_moves_the_guest_into_the_room_of_the_receipt(orders: EmbeddedOrders) -> None:
    receipt = orders.carry_out("o1:0", HOTEL, STAY, ROOM)
    order = orders.order(HOTEL, STAY)
    assert order and order.room == receipt["room"] != "1208"


def test_unknown_order_and_order_of_another_business_are_refused(
    orders: EmbeddedOrders, file: Path
) -> None:
    for business, number in ((SHOP, "QH0000000000"), (HOTEL, ORDER)):
        with pytest.raises(RemedyRefusedError):
            orders.carry_out("o1:0", business, number, VOUCHER)
    assert effects(file) == []
    # A refusal leaves no open transaction behind.
    orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)
    assert len(effects(file)) == 1


def test_last_room_goes_to_one_guest_and_the_other_is_refused(
    orders: EmbeddedOrders, file: Path
) -> None:
    with sqlite3.connect(file) as db:
        db.execute("UPDATE rooms SET clean = 0 WHERE room <> '1101'")
    db.close()

    def carry_out(stay: str) -> str:
        try:
            return str(orders.carry_out(f"{stay}:0", HOTEL, stay, ROOM)["room"])
        except RemedyRefusedError:
            return "refused"

    ended = together([lambda: carry_out(STAY), lambda: carry_out(OTHER_STAY)])
    assert sorted(ended) == ["1101", "refused"]
    assert len(effects(file)) == 1


class FullDisk(sqlite3.Connection):
    """A connection whose next commit finds no room on the disk."""

    full = True

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 - as in sqlite3
        if sql == "COMMIT" and self.full:
            self.full = False
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *values)


def test_commit_that_fails_is_undone_and_can_be_tried_again(
    orders: EmbeddedOrders, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, factory=FullDisk, **options)
    )
    failed: list[OrderSystemError] = []

    def twice() -> dict[str, Any]:
        # One thread, so one connection: what the failure leaves behind meets the second try.
        try:
            orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)
        except OrderSystemError as error:
            failed.append(error)
        return orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)

    with ThreadPoolExecutor(1) as pool:
        receipt = pool.submit(twice).result(30)
    monkeypatch.undo()
    assert len(failed) == 1
    assert effects(file) == [("o1:0", ORDER, "voucher")]
    assert orders.carry_out("o1:0", SHOP, ORDER, VOUCHER) == receipt


def test_locked_file_is_away_not_broken(
    orders: EmbeddedOrders, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **options: connect(path, **{**options, "timeout": 0.1})
    )
    other = connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(OrderSystemError):
            pool.submit(orders.carry_out, "o1:0", SHOP, ORDER, VOUCHER).result(30)
        # Reading goes on meanwhile.
        assert pool.submit(orders.matches, SHOP, ORDER, "6621").result(30)
        other.execute("ROLLBACK")
        other.close()
        pool.submit(orders.carry_out, "o1:0", SHOP, ORDER, VOUCHER).result(30)
    assert len(effects(file)) == 1


def test_filling_again_changes_nothing_that_happened(orders: EmbeddedOrders, file: Path) -> None:
    room = orders.carry_out("o1:0", HOTEL, STAY, ROOM)["room"]
    again = fill(file)
    order = again.order(HOTEL, STAY)
    assert order and order.room == room
    assert again.carry_out("o2:0", HOTEL, OTHER_STAY, ROOM)["room"] != room
