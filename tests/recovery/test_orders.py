"""Order systems: what every one of them must do, and what the embedded one does beside that.

What takes `system` runs over both: the embedded one, and the same one behind real HTTP.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.remote import RemoteOrders
from recovery.orders.system import (
    RECEIPTS,
    TIERS,
    Order,
    OrderSystem,
    OrderSystemError,
    RemedyRefusedError,
    fold_order_number,
    read_order,
    read_product,
    read_receipt,
)
from recovery.settings import load_settings
from tests.support.order_server import TOKEN, OrderServer
from tests.support.stack import ROOT

SHOP, ORDER = "qinghe", "QH202611150108"
HOTEL, STAY, OTHER_STAY = "lanting", "LT202611180012", "LT202611190033"
VOUCHER: dict[str, Any] = {"kind": "voucher", "fen": 1000}
ROOM: dict[str, Any] = {"kind": "room_change", "minutes": 20}
THREADS = 16
# On which the demo takes place, whenever the tests run.
DAY = date(2026, 11, 22)


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
    return fill(file, DAY)


@pytest.fixture(params=["embedded", "http"])
def system(request: pytest.FixtureRequest, orders: EmbeddedOrders) -> Iterator[OrderSystem]:
    """The demo orders, as themselves and over HTTP."""
    if request.param == "embedded":
        yield orders
        return
    with OrderServer(orders) as server:
        remote = RemoteOrders(server.url, TOKEN)
        yield remote
        remote.close()
    assert server.wrong == [], "requests and answers fit the document"


def test_same_key_from_many_threads_has_one_effect(orders: EmbeddedOrders, file: Path) -> None:
    receipts = together([lambda: orders.carry_out("o1:0", SHOP, ORDER, VOUCHER)] * THREADS)
    assert effects(file) == [("o1:0", ORDER, "voucher")]
    assert {tuple(receipt.items()) for receipt in receipts} == {tuple(receipts[0].items())}


def test_same_key_from_several_processes_worth_of_directories(file: Path) -> None:
    # Desk and a second worker each open the file for themselves.
    directories = [fill(file, DAY) for _ in range(4)]
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
    again = fill(file, DAY).carry_out("o1:0", SHOP, ORDER, VOUCHER)
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
    again = fill(file, DAY)
    order = again.order(HOTEL, STAY)
    assert order and order.room == room
    assert again.carry_out("o2:0", HOTEL, OTHER_STAY, ROOM)["room"] != room


# --- what every order system does: questions ---------------------------------------------------

# One of each business: number, digits, customer at the host site.
DEMO = {
    "lanting": ("LT202611180012", "4417", "guest-1001"),
    "qinghe": ("QH202611150108", "6621", "buyer-2001"),
    "xiaoguan": ("XK202611200052", "5172", "diner-3001"),
    "hengji": ("HJ202611190117", "6408", "member-4001"),
    "wutong": ("WT202610090027", "7024", "owner-5002"),
    "yuanxing": ("YX202612050030", "5930", "tourist-6002"),
}

# What customers type, or send on purpose, where an order number is asked for.
HOSTILE = [
    "",
    " ",
    ".",
    "..",
    "．．",
    "../../customers",
    "..%2f..%2fadmin",
    "QH202611150108/remedies",
    "QH202611150108/../QH202611160231",
    "QH202611150108?customer=buyer-2001",
    "QH202611150108#",
    "QH202611150108%00",
    "QH202611150108\x00",
    "QH202611150108\r\nHost: elsewhere.example",
    "QH\ud800",
    "' OR '1'='1",
    "%",
    "*",
    "\\",
    "订单" * 400,
    "9" * 100_000,
    "🙂",
    "//elsewhere.example/",
    "@elsewhere.example",
]


def test_an_order_tells_everything_the_policy_asks(system: OrderSystem) -> None:
    order = system.order("hengji", "HJ202611190117")
    assert order is not None
    assert [(one.sku, one.quantity, one.price) for one in order.items] == [
        ("YOG-01", 1, 2190),
        ("MILK-01", 2, 1590),
    ]
    assert (order.number, order.business, order.paid) == ("HJ202611190117", "hengji", 5370)
    assert (order.placed_on, order.received_on) == ("2026-11-19", "2026-11-19")
    assert (order.customer, order.tier, order.customer_since) == ("member-1", "gold", "2020-11-11")
    assert (order.first_time, order.room) == (False, None)
    stay = system.order("lanting", "LT202611180012")
    assert stay and (stay.room, stay.first_time, stay.tier) == ("1208", True, "none")
    coming = system.order("yuanxing", "YX202612050030")
    assert coming and coming.received_on is None


@pytest.mark.parametrize("business", DEMO)
def test_every_demo_business_answers_every_question(system: OrderSystem, business: str) -> None:
    number, last4, customer = DEMO[business]
    assert system.matches(business, number, last4)
    order = system.order(business, number)
    assert order and order.business == business
    owned = system.orders_of(business, customer)
    assert order in owned
    assert [one.placed_on for one in owned] == sorted(
        (one.placed_on for one in owned), reverse=True
    )
    product = system.recommend(business, number)
    assert product and product.sku not in {item.sku for one in owned for item in one.items}


def test_numbers_are_found_however_they_are_written(system: OrderSystem) -> None:
    for written in ("qh-2026 1115 0108", "ＱＨ２０２６１１１５０１０８", "QH2026\u30001115_0108"):
        order = system.order(SHOP, written)
        assert order and order.number == ORDER
        assert system.matches(SHOP, written, "6621")


def test_a_proof_needs_the_right_order_business_and_digits(system: OrderSystem) -> None:
    wrong = [
        (SHOP, ORDER, "6622"),
        (SHOP, "QH202611150109", "6621"),
        (HOTEL, ORDER, "6621"),
        *((SHOP, ORDER, digits) for digits in ("", "621", "16621", "６６２１", "none", "66 1")),
        (SHOP, ORDER, "66\ud8001"),
        (SHOP, ORDER, "6621\n"),
    ]
    assert [system.matches(*one) for one in wrong] == [False] * len(wrong)


def test_what_is_unknown_is_nothing(system: OrderSystem) -> None:
    assert system.order(SHOP, "QH000000000000") is None
    assert system.order(HOTEL, ORDER) is None, "of another business"
    assert system.recommend(SHOP, "QH000000000000") is None
    for customer in (
        "nobody",
        "guest-1001",
        "..",
        "a/b",
        "a&customer=buyer-2001",
        "' OR 1",
        "\ud800",
    ):
        assert system.orders_of(SHOP, customer) == []


@pytest.mark.parametrize("number", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_number_is_an_unknown_order(system: OrderSystem, file: Path, number: str) -> None:
    assert system.order(SHOP, number) is None
    assert system.matches(SHOP, number, "6621") is False
    assert system.recommend(SHOP, number) is None
    with pytest.raises(RemedyRefusedError):
        system.carry_out("o1:0", SHOP, number, VOUCHER)
    assert effects(file) == []


# --- what every order system does: remedies ----------------------------------------------------

PARAMETERS: dict[str, dict[str, Any]] = {
    "refund_part": {"fen": 100},
    "damages": {"fen": 50_000},
    "fee_waiver": {"fen": 100},
    "voucher": {"fen": 1000},
    "next_discount": {"bp": 1500},
    "recommendation": {"bp": 1000, "product": "墨色手冲咖啡杯"},
    "points": {"points": 300},
    "manager_call": {"minutes": 30, "by": "今天18点前"},
}


@pytest.mark.parametrize("kind", RECEIPTS)
def test_every_kind_has_its_receipt_and_happens_once(
    system: OrderSystem, file: Path, kind: str
) -> None:
    remedy = {"kind": kind, **PARAMETERS.get(kind, {})}
    first = system.carry_out("o1:0", HOTEL, STAY, remedy)
    assert system.carry_out("o1:0", HOTEL, STAY, remedy) == first
    assert effects(file) == [("o1:0", STAY, kind)]
    assert set(first) == ({"refund", "fen"} if RECEIPTS[kind] == "refund" else {RECEIPTS[kind]})
    assert read_receipt(kind, first) == first


def test_the_kinds_are_those_of_the_document(system: OrderSystem) -> None:
    with OrderServer(system) as server:
        schema = server.document.content["components"]["schemas"]["Remedy"]
    assert set(schema["properties"]["kind"]["enum"]) == set(RECEIPTS)


@pytest.mark.parametrize(
    "remedy",
    [
        {},
        {"kind": None},
        {"kind": ["voucher"]},
        {"kind": "gold_bar"},
        {"kind": "REFUND_FULL"},
        *(
            {"kind": kind, **({} if amount is None else {"fen": amount})}
            for kind in ("refund_part", "damages", "fee_waiver", "voucher")
            for amount in (None, 100.0, 99.5, "100", True, -100, 0, [100], 10**15, float("nan"))
        ),
        {"kind": "refund_now", "fen": 100.0},
        {"kind": "refund_part", "fen": 100, "worth": 100.0},
        {"kind": "points"},
        {"kind": "points", "points": 10.0},
        {"kind": "next_discount", "bp": "1500"},
    ],
    ids=str,
)
def test_what_is_no_remedy_is_refused_and_leaves_nothing(
    system: OrderSystem, file: Path, remedy: dict[str, Any]
) -> None:
    with pytest.raises(RemedyRefusedError):
        system.carry_out("o1:0", SHOP, ORDER, remedy)
    assert effects(file) == []


def test_a_room_where_there_are_none_is_refused(system: OrderSystem, file: Path) -> None:
    for kind in ("room_change", "room_upgrade"):
        for business in set(DEMO) - {HOTEL}:
            with pytest.raises(RemedyRefusedError):
                system.carry_out(f"{business}:{kind}", business, DEMO[business][0], {"kind": kind})
    assert effects(file) == []


def test_an_upgrade_leads_to_a_better_room_and_ends_there(system: OrderSystem) -> None:
    upgraded = system.carry_out("o1:0", HOTEL, STAY, {"kind": "room_upgrade"})["room"]
    assert upgraded >= "1701"
    order = system.order(HOTEL, STAY)
    assert order and order.room == upgraded
    with pytest.raises(RemedyRefusedError, match="no better room"):
        system.carry_out("o1:1", HOTEL, STAY, {"kind": "room_upgrade"})
    changed = system.carry_out("o2:0", HOTEL, OTHER_STAY, ROOM)["room"]
    assert changed < "1701", "a change is no upgrade while there are ordinary rooms"


# --- what every order system does: money -------------------------------------------------------

PAID = 6800


def test_refunds_of_an_order_never_exceed_what_was_paid(system: OrderSystem) -> None:
    def refund(key: str, kind: str, **fen: int) -> int:
        receipt = system.carry_out(key, SHOP, ORDER, {"kind": kind, **fen})
        assert receipt["refund"]
        return int(receipt["fen"])

    assert refund("o1:0", "refund_part", fen=1000) == 1000
    assert refund("o1:1", "fee_waiver", fen=500) == 500
    assert refund("o1:2", "refund_now", fen=300) == 300
    for kind in ("refund_part", "fee_waiver", "refund_now"):
        with pytest.raises(RemedyRefusedError):
            refund(f"o2:{kind}", kind, fen=PAID - 1800 + 1)
    assert refund("o3:0", "damages", fen=100_000) == 100_000, "damages are paid on top"
    assert refund("o4:0", "refund_full") == PAID - 1800
    assert refund("o1:0", "refund_part", fen=1000) == 1000, "the same key, the same receipt"
    for kind in ("refund_full", "refund_now", "refund_part"):
        with pytest.raises(RemedyRefusedError):
            refund(f"o5:{kind}", kind, **({"fen": 1} if kind == "refund_part" else {}))
    assert refund("o6:0", "damages", fen=1) == 1
    # Another order of the same customer has its own money.
    other = system.carry_out("o7:0", SHOP, "QH202610020017", {"kind": "refund_now"})
    assert other["fen"] == 7800


def test_what_was_worked_out_is_paid_and_not_the_parameter(system: OrderSystem) -> None:
    """`worth` is what the customer was told; `fen` beside it is the least of `damages`."""
    damages = {"kind": "damages", "times": 10, "fen": 100_000, "worth": 68_000 * 10}
    assert system.carry_out("o1:0", SHOP, ORDER, damages)["fen"] == 680_000
    part = {"kind": "refund_part", "bp": 5000, "worth": 3400}
    assert system.carry_out("o1:1", SHOP, ORDER, part)["fen"] == 3400
    with pytest.raises(RemedyRefusedError):
        system.carry_out("o1:2", SHOP, ORDER, {"kind": "refund_part", "bp": 5000})
    full = {"kind": "refund_full", "worth": PAID}
    assert system.carry_out("o1:3", SHOP, ORDER, full)["fen"] == PAID - 3400


def test_a_full_refund_of_one_article_is_not_of_the_whole_order(system: OrderSystem) -> None:
    told = {"kind": "refund_full", "worth": 2900, "part": "floor"}
    assert system.carry_out("o1:0", SHOP, ORDER, told)["fen"] == 2900
    assert system.carry_out("o2:0", SHOP, ORDER, {"kind": "refund_full"})["fen"] == PAID - 2900
    with pytest.raises(RemedyRefusedError):
        system.carry_out("o3:0", SHOP, ORDER, {"kind": "refund_full", "worth": 0})


def test_refunds_at_the_same_moment_stay_within_what_was_paid(
    system: OrderSystem, file: Path
) -> None:
    def refund(n: int) -> int:
        kind = ("refund_part", "fee_waiver")[n % 2]
        try:
            receipt = system.carry_out(f"o{n}:0", SHOP, ORDER, {"kind": kind, "fen": 1000})
            return int(receipt["fen"])
        except RemedyRefusedError:
            return 0

    given = together([lambda n=n: refund(n) for n in range(THREADS)])  # type: ignore[misc]
    assert Counter(given) == {1000: 6, 0: THREADS - 6}
    assert len(effects(file)) == 6
    rest = system.carry_out("rest:0", SHOP, ORDER, {"kind": "refund_full"})
    assert rest["fen"] == PAID - 6000


def test_a_full_refund_at_the_same_moment_is_paid_once(system: OrderSystem) -> None:
    def refund(n: int) -> int:
        try:
            return int(system.carry_out(f"o{n}:0", SHOP, ORDER, {"kind": "refund_full"})["fen"])
        except RemedyRefusedError:
            return 0

    given = together([lambda n=n: refund(n) for n in range(THREADS)])  # type: ignore[misc]
    assert sorted(given, reverse=True)[:2] == [PAID, 0]


@pytest.mark.parametrize(
    "remedy", [VOUCHER, {"kind": "refund_full"}, {"kind": "damages", "fen": 50_000}], ids=str
)
def test_one_key_from_many_threads_is_one_effect_everywhere(
    system: OrderSystem, file: Path, remedy: dict[str, Any]
) -> None:
    receipts = together([lambda: system.carry_out("o1:0", SHOP, ORDER, remedy)] * THREADS)
    assert effects(file) == [("o1:0", ORDER, remedy["kind"])]
    assert receipts == [receipts[0]] * THREADS


@pytest.mark.parametrize("amount", [68.5, 6800.5, "6800 yuan", -1, 10**15], ids=str)
@pytest.mark.parametrize("where", ["orders SET paid", "products SET price", "items SET quantity"])
def test_a_wrong_amount_in_the_books_is_no_order(
    system: OrderSystem, file: Path, where: str, amount: object
) -> None:
    """SQLite stores a fraction or a text in a column of whole numbers without a word."""
    with sqlite3.connect(file) as db:
        db.execute(f"UPDATE {where} = ?", (amount,))
    db.close()
    with pytest.raises(OrderSystemError):
        system.order(SHOP, ORDER)
    with pytest.raises(OrderSystemError):
        system.orders_of(SHOP, "buyer-2001")


# --- reading what an order system says ---------------------------------------------------------

RIGHT: dict[str, Any] = {
    "number": "QH202611150108",
    "business": "qinghe",
    "paid": 6800,
    "title": "月白手冲咖啡杯",
    "items": [{"sku": "CUP-01", "name": "月白手冲咖啡杯", "quantity": 1, "price": 6800}],
    "customer": "shop-1",
    "placed_on": "2026-11-15",
    "received_on": "2026-11-18",
    "tier": "silver",
    "customer_since": "2026-10-02",
    "first_time": False,
}
NO_MONEY = [68.5, 6800.0, "6800", True, False, None, -1, 10**12 + 1, [6800], {}]
NO_DATE = [
    "",
    "2026-02-30",
    "20261115",
    "2026-W46-7",
    "2026-11-15T08:00:00",
    "15.11.2026",
    20261115,
]
NO_TEXT = ["", None, 5, ["x"], "x" * 201, "a\x00b", "a\nb", "\ud800"]
WRONG_FIELDS: list[tuple[str, Any]] = [
    *(("paid", value) for value in NO_MONEY),
    *((day, value) for value in NO_DATE for day in ("placed_on", "received_on", "customer_since")),
    *((day, None) for day in ("placed_on", "customer_since")),
    *((name, value) for value in NO_TEXT for name in ("number", "business", "title", "customer")),
    *(("number", value) for value in ("..", "9" * 65)),
    *(("room", value) for value in NO_TEXT if value is not None),
    *(("tier", value) for value in ("platinum", "Gold", "", None, 1, ["gold"])),
    *(("first_time", value) for value in (0, 1, "false", None)),
    *(("items", value) for value in (None, {}, "CUP-01", [None] * 501)),
]


def test_a_right_order_is_read_whole() -> None:
    order = read_order({**RIGHT, "colour": "unknown fields do no harm"})
    assert isinstance(order, Order)
    assert (order.paid, order.items[0].price, order.room) == (6800, 6800, None)
    assert read_order({**RIGHT, "received_on": None, "room": "1208"}).room == "1208"
    assert read_order({**RIGHT, "items": [], "paid": 0}).items == ()


@pytest.mark.parametrize(("name", "value"), WRONG_FIELDS)
def test_a_wrong_field_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(OrderSystemError, match=f"^{name}: "):
        read_order({**RIGHT, name: value})


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_field_is_refused_by_name(name: str) -> None:
    with pytest.raises(OrderSystemError, match=f"^{name}: "):
        read_order({field: value for field, value in RIGHT.items() if field != name})


@pytest.mark.parametrize("name", ["sku", "name", "quantity", "price"])
def test_a_wrong_line_is_refused_by_place_and_name(name: str) -> None:
    right = RIGHT["items"][0]
    for value in NO_MONEY if name in ("quantity", "price") else NO_TEXT:
        with pytest.raises(OrderSystemError, match=rf"^items\.1\.{name}: "):
            read_order({**RIGHT, "items": [right, {**right, name: value}]})


def test_what_is_no_object_is_refused() -> None:
    for value in (None, [], "order", 5, [RIGHT]):
        for read in (read_order, read_product, lambda one: read_receipt("voucher", one)):
            with pytest.raises(OrderSystemError, match="no object"):
                read(value)
    with pytest.raises(OrderSystemError, match=r"items\.0: no object"):
        read_order({**RIGHT, "items": ["CUP-01"]})


def test_receipts_are_read_with_their_types() -> None:
    refund = {"refund": "TK1", "fen": 100}
    assert read_receipt("refund_full", {**refund, "colour": "red"}) == refund
    for wrong in ({"fen": 100.0}, {"fen": "100"}, {"fen": True}, {"fen": -1}, {"refund": 5}):
        with pytest.raises(OrderSystemError):
            read_receipt("refund_full", {**refund, **wrong})
    for kind, wrong in (("points", {"points": 1.0}), ("voucher", {"ticket": "GD1"})):
        with pytest.raises(OrderSystemError):
            read_receipt(kind, wrong)


# --- the demo, and files of earlier versions ---------------------------------------------------


def test_the_demo_has_every_business_of_the_settings(orders: EmbeddedOrders, file: Path) -> None:
    with sqlite3.connect(file) as db:
        phones = [row[0] for row in db.execute("SELECT phone FROM customers")]
        known = db.execute("SELECT business, external_id FROM customers").fetchall()
        numbers = db.execute("SELECT business, number FROM orders").fetchall()
    db.close()
    assert len(set(phones)) == len(phones) == 18
    assert all(phone.startswith("1990000") and len(phone) == 11 for phone in phones)
    assert all(number == fold_order_number(number) for _, number in numbers)
    for business in load_settings(ROOT / "huixin.yml").directory():
        found = [
            order
            for whose, customer in known
            if whose == business.id
            for order in orders.orders_of(whose, customer)
        ]
        assert len(found) == sum(whose == business.id for whose, _ in numbers) >= 4
        assert len({order.customer for order in found}) == 3
        assert sum(order.first_time for order in found) >= 1
        assert {order.tier for order in found} >= {"none", "silver"}
        assert {order.tier for order in found} <= set(TIERS)
        assert min(order.placed_on for order in found) < "2026-10-03", "some are old"
        for order in found:
            assert order.customer_since <= order.placed_on
            assert business.industry in ("hotel", "property") or order.paid == sum(
                item.price * item.quantity for item in order.items
            )


# The tables of the first version, with what the demo of that time had put into them.
OLD = """
CREATE TABLE customers (
    id TEXT PRIMARY KEY, business TEXT NOT NULL, external_id TEXT, name TEXT NOT NULL,
    phone TEXT NOT NULL);
CREATE TABLE orders (
    number TEXT PRIMARY KEY, business TEXT NOT NULL, customer TEXT NOT NULL REFERENCES customers,
    title TEXT NOT NULL, paid INTEGER NOT NULL, placed_at TEXT NOT NULL, room TEXT);
CREATE INDEX orders_customer ON orders (customer, placed_at);
CREATE TABLE items (
    number TEXT NOT NULL REFERENCES orders, sku TEXT NOT NULL, quantity INTEGER NOT NULL,
    PRIMARY KEY (number, sku));
CREATE TABLE products (
    sku TEXT PRIMARY KEY, business TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL,
    price INTEGER NOT NULL);
CREATE TABLE rooms (
    business TEXT NOT NULL, room TEXT NOT NULL, clean INTEGER NOT NULL, taken_by TEXT,
    PRIMARY KEY (business, room));
CREATE TABLE effects (
    key TEXT PRIMARY KEY, business TEXT NOT NULL, number TEXT NOT NULL, kind TEXT NOT NULL,
    remedy TEXT NOT NULL, receipt TEXT NOT NULL, at TEXT NOT NULL);
INSERT INTO customers VALUES ('hotel-1', 'lanting', 'guest-1001', '林晚', '19900004417');
INSERT INTO customers VALUES ('own-1', 'qinghe', NULL, '甄测', '19900001234');
INSERT INTO products VALUES ('ROOM-K', 'lanting', '豪华大床房', '客房', 68800);
INSERT INTO orders VALUES ('LT202611180012', 'lanting', 'hotel-1', '豪华大床房', 137600,
    '2026-11-18', '1815');
INSERT INTO orders VALUES ('QH777700001111', 'qinghe', 'own-1', '杯', 6800, '2026-11-03', NULL);
INSERT INTO orders VALUES ('QH777700002222', 'qinghe', 'own-1', '杯', 6800,
    '2026-11-09T08:30:00', NULL);
INSERT INTO items VALUES ('LT202611180012', 'ROOM-K', 1);
INSERT INTO rooms VALUES ('lanting', '1815', 1, 'LT202611180012');
INSERT INTO rooms VALUES ('lanting', '1814', 1, NULL);
INSERT INTO effects VALUES ('o1:0', 'lanting', 'LT202611180012', 'room_change',
    '{"kind": "room_change", "minutes": 20}', '{"room": "1815"}', '2026-11-18T04:00:00+00:00');
"""


def test_a_file_of_the_first_version_is_brought_up_to_date(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.executescript(OLD)
    db.close()
    # Desk and actions start at the same moment.
    for orders in together([lambda: fill(file, DAY)] * 4):
        stay = orders.order(HOTEL, STAY)
        assert (stay.room, stay.received_on, stay.tier) == ("1815", "2026-11-18", "none")
        own = orders.order(SHOP, "QH777700002222")
        assert (own.placed_on, own.received_on, own.first_time) == ("2026-11-09", None, False)
        assert (own.tier, own.customer_since) == ("none", "2026-11-03")
        assert orders.carry_out("o1:0", HOTEL, STAY, ROOM) == {"room": "1815"}
    assert effects(file) == [("o1:0", STAY, "room_change")]
    assert orders.order("wutong", "WT202610090027")
    full = orders.carry_out("o2:0", HOTEL, STAY, {"kind": "refund_full"})
    assert full["fen"] == 137600
    with pytest.raises(RemedyRefusedError):
        orders.carry_out("o3:0", HOTEL, STAY, {"kind": "room_upgrade"})
