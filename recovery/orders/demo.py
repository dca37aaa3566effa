"""Demo customers and orders for the two stories. Everything in it is invented."""

import sqlite3
from pathlib import Path

from recovery.orders.embedded import EmbeddedOrders

_CUSTOMERS = (
    ("hotel-1", "lanting", "guest-1001", "林晚", "19900004417"),
    ("hotel-2", "lanting", "guest-1002", "周砚", "19900002086"),
    ("hotel-3", "lanting", "guest-1003", "欧阳静姝", "19900007730"),
    ("shop-1", "qinghe", "buyer-2001", "苏禾", "19900006621"),
    ("shop-2", "qinghe", "buyer-2002", "程远", "19900003358"),
    ("shop-3", "qinghe", "buyer-2003", "陆小满", "19900009914"),
)
_PRODUCTS = (
    ("CUP-01", "qinghe", "月白手冲咖啡杯", "咖啡", 6800),
    ("CUP-02", "qinghe", "墨色手冲咖啡杯", "咖啡", 6800),
    ("KET-01", "qinghe", "细口手冲壶", "咖啡", 15900),
    ("FIL-01", "qinghe", "手冲滤纸100片", "咖啡", 1900),
    ("BEAN-01", "qinghe", "云南水洗咖啡豆250克", "咖啡", 5900),
    ("EAR-01", "qinghe", "星野蓝牙耳机", "数码", 19900),
    ("EAR-02", "qinghe", "星野头戴耳机", "数码", 39900),
    ("CAB-01", "qinghe", "编织充电线1.5米", "数码", 2900),
    ("TEA-01", "qinghe", "武夷岩茶礼盒", "茶", 16800),
    ("TEA-02", "qinghe", "茉莉花茶100克", "茶", 4900),
    ("ROOM-K", "lanting", "豪华大床房", "客房", 68800),
    ("ROOM-T", "lanting", "高级双床房", "客房", 59800),
)
_ORDERS = (
    (
        "LT202611180012",
        "lanting",
        "hotel-1",
        "豪华大床房",
        137600,
        "2026-11-18",
        "1208",
        ["ROOM-K"],
    ),
    ("LT202611190033", "lanting", "hotel-2", "高级双床房", 59800, "2026-11-19", "0906", ["ROOM-T"]),
    ("LT202611200041", "lanting", "hotel-3", "豪华大床房", 68800, "2026-11-20", "1011", ["ROOM-K"]),
    (
        "QH202610020017",
        "qinghe",
        "shop-1",
        "手冲滤纸等2件",
        7800,
        "2026-10-02",
        None,
        ["FIL-01", "BEAN-01"],
    ),
    ("QH202611150108", "qinghe", "shop-1", "月白手冲咖啡杯", 6800, "2026-11-15", None, ["CUP-01"]),
    (
        "QH202611160231",
        "qinghe",
        "shop-2",
        "星野蓝牙耳机等2件",
        22800,
        "2026-11-16",
        None,
        ["EAR-01", "CAB-01"],
    ),
    ("QH202611170305", "qinghe", "shop-3", "武夷岩茶礼盒", 16800, "2026-11-17", None, ["TEA-01"]),
)
_ROOMS = tuple(f"{floor}{door:02d}" for floor in range(11, 19) for door in range(1, 16))


def fill(path: Path) -> EmbeddedOrders:
    """Make the demo order directory, leaving an existing one as it is.

    Args:
        path: The SQLite file.

    Returns:
        The order system over it.
    """
    system = EmbeddedOrders(path)
    with sqlite3.connect(path, timeout=10) as db:
        db.executemany("INSERT OR IGNORE INTO customers VALUES (?, ?, ?, ?, ?)", _CUSTOMERS)
        db.executemany("INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?, ?)", _PRODUCTS)
        for number, business, customer, title, paid, placed, room, skus in _ORDERS:
            db.execute(
                "INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number, business, customer, title, paid, placed, room),
            )
            db.executemany(
                "INSERT OR IGNORE INTO items VALUES (?, ?, 1)", [(number, sku) for sku in skus]
            )
        taken = {order[6] for order in _ORDERS if order[6]}
        db.executemany(
            "INSERT OR IGNORE INTO rooms VALUES ('lanting', ?, 1, NULL)",
            [(room,) for room in _ROOMS if room not in taken],
        )
    db.close()
    return system
