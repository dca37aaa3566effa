"""Demo customers and orders of six businesses, one a trade. Everything in it is invented.

Its dates are those of a day in November 2026 and move along with today: what was delivered
three days before that day was delivered three days ago whenever the demo is run, so that a return
within seven days stays one.
"""

import sqlite3
from datetime import date, timedelta
from pathlib import Path

from recovery.orders.embedded import EmbeddedOrders

# Id, business, id at the host site, name, phone, tier, customer since.
_CUSTOMERS = (
    ("hotel-1", "lanting", "guest-1001", "林晚", "19900004417", "none", "2026-11-18"),
    ("hotel-2", "lanting", "guest-1002", "周砚", "19900002086", "silver", "2024-05-02"),
    ("hotel-3", "lanting", "guest-1003", "欧阳静姝", "19900007730", "gold", "2021-09-30"),
    ("shop-1", "qinghe", "buyer-2001", "苏禾", "19900006621", "none", "2026-10-02"),
    ("shop-2", "qinghe", "buyer-2002", "程远", "19900003358", "silver", "2025-06-18"),
    ("shop-3", "qinghe", "buyer-2003", "陆小满", "19900009914", "none", "2026-11-17"),
    ("diner-1", "xiaoguan", "diner-3001", "顾南舟", "19900005172", "gold", "2023-02-11"),
    ("diner-2", "xiaoguan", "diner-3002", "沈知夏", "19900008846", "silver", "2025-07-05"),
    ("diner-3", "xiaoguan", "diner-3003", "唐一禾", "19900001093", "none", "2026-11-21"),
    ("member-1", "hengji", "member-4001", "孟晓岚", "19900006408", "gold", "2020-11-11"),
    ("member-2", "hengji", "member-4002", "韩牧之", "19900002759", "silver", "2024-12-24"),
    ("member-3", "hengji", "member-4003", "叶清和", "19900009367", "none", "2026-11-15"),
    ("owner-1", "wutong", "owner-5001", "许望舒", "19900003581", "gold", "2019-04-20"),
    ("owner-2", "wutong", "owner-5002", "方以宁", "19900007024", "silver", "2022-08-01"),
    ("owner-3", "wutong", "owner-5003", "罗锦年", "19900004695", "none", "2026-10-08"),
    ("tourist-1", "yuanxing", "tourist-6001", "江听雨", "19900008213", "gold", "2022-03-15"),
    ("tourist-2", "yuanxing", "tourist-6002", "温如言", "19900005930", "silver", "2024-09-09"),
    ("tourist-3", "yuanxing", "tourist-6003", "秦司南", "19900001748", "none", "2026-10-26"),
)
# SKU, business, name, category, price of one in fen.
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
    ("DISH-01", "xiaoguan", "巷口水煮鱼", "热菜", 8800),
    ("DISH-02", "xiaoguan", "梅菜扣肉", "热菜", 5200),
    ("DISH-03", "xiaoguan", "清炒时蔬", "热菜", 2600),
    ("DISH-04", "xiaoguan", "砂锅豆腐", "热菜", 3200),
    ("SOUP-01", "xiaoguan", "山药排骨汤", "汤", 4800),
    ("SWEET-01", "xiaoguan", "桂花酒酿圆子", "甜品", 1800),
    ("SWEET-02", "xiaoguan", "红糖糍粑", "甜品", 2200),
    ("RICE-01", "hengji", "五常大米5公斤", "粮油", 6980),
    ("OIL-01", "hengji", "压榨菜籽油5升", "粮油", 8990),
    ("MILK-01", "hengji", "鲜牛奶950毫升", "乳品", 1590),
    ("YOG-01", "hengji", "原味酸奶八连杯", "乳品", 2190),
    ("POT-01", "hengji", "铸铁炖锅24厘米", "厨具", 26900),
    ("PAN-01", "hengji", "不粘煎锅28厘米", "厨具", 15900),
    ("KNIFE-01", "hengji", "三德刀", "厨具", 12900),
    ("FEE-01", "wutong", "物业费（每月）", "物业费", 17800),
    ("PARK-01", "wutong", "地下车位管理费（每月）", "车位", 8000),
    ("HOME-01", "wutong", "家政保洁2小时", "上门服务", 12000),
    ("HOME-02", "wutong", "空调清洗一台", "上门服务", 9800),
    ("HOME-03", "wutong", "油烟机深度清洗", "上门服务", 15800),
    ("TRIP-01", "yuanxing", "山城古镇四日游", "国内游", 198000),
    ("TRIP-02", "yuanxing", "海岛慢游五日", "国内游", 328000),
    ("TRIP-03", "yuanxing", "雪乡六日小团", "国内游", 286000),
    ("DAY-01", "yuanxing", "茶山一日游", "一日游", 26800),
    ("DAY-02", "yuanxing", "湖畔骑行一日游", "一日游", 19800),
)
# Number, business, customer, title, paid in fen, placed, received or begun, room, pieces by SKU.
_ORDERS: tuple[tuple[str, str, str, str, int, str, str | None, str | None, dict[str, int]], ...] = (
    (
        *("LT202611180012", "lanting", "hotel-1", "豪华大床房", 137600),
        *("2026-11-18", "2026-11-18", "1208", {"ROOM-K": 1}),
    ),
    (
        *("LT202611190033", "lanting", "hotel-2", "高级双床房", 59800),
        *("2026-11-19", "2026-11-19", "0906", {"ROOM-T": 1}),
    ),
    (
        *("LT202611200041", "lanting", "hotel-3", "豪华大床房", 68800),
        *("2026-11-20", "2026-11-20", "1011", {"ROOM-K": 1}),
    ),
    (
        *("LT202605020015", "lanting", "hotel-2", "高级双床房", 119600),
        *("2026-05-02", "2026-05-02", "0907", {"ROOM-T": 2}),
    ),
    (
        *("LT202409280009", "lanting", "hotel-3", "豪华大床房", 68800),
        *("2024-09-28", "2024-09-28", "1012", {"ROOM-K": 1}),
    ),
    (
        *("QH202603050061", "qinghe", "shop-2", "茉莉花茶100克", 4900),
        *("2026-03-05", "2026-03-08", None, {"TEA-02": 1}),
    ),
    (
        *("QH202610020017", "qinghe", "shop-1", "手冲滤纸等2件", 7800),
        *("2026-10-02", "2026-10-05", None, {"FIL-01": 1, "BEAN-01": 1}),
    ),
    (
        *("QH202611150108", "qinghe", "shop-1", "月白手冲咖啡杯", 6800),
        *("2026-11-15", "2026-11-18", None, {"CUP-01": 1}),
    ),
    (
        *("QH202611160231", "qinghe", "shop-2", "星野蓝牙耳机等2件", 22800),
        *("2026-11-16", "2026-11-19", None, {"EAR-01": 1, "CAB-01": 1}),
    ),
    (
        *("QH202611170305", "qinghe", "shop-3", "武夷岩茶礼盒", 16800),
        *("2026-11-17", "2026-11-20", None, {"TEA-01": 1}),
    ),
    (
        *("XK202602140007", "xiaoguan", "diner-1", "堂食 二人桌", 15800),
        *("2026-02-14", "2026-02-14", None, {"DISH-01": 1, "DISH-02": 1, "SWEET-01": 1}),
    ),
    (
        *("XK202611200052", "xiaoguan", "diner-1", "堂食 四人桌", 21400),
        *("2026-11-20", "2026-11-20", None),
        {"DISH-01": 1, "DISH-02": 1, "DISH-03": 1, "SOUP-01": 1},
    ),
    (
        *("XK202608080019", "xiaoguan", "diner-2", "外卖 砂锅豆腐等2份", 5800),
        *("2026-08-08", "2026-08-08", None, {"DISH-04": 1, "DISH-03": 1}),
    ),
    (
        *("XK202611220061", "xiaoguan", "diner-2", "外卖 巷口水煮鱼等2份", 10600),
        *("2026-11-22", None, None, {"DISH-01": 1, "SWEET-01": 1}),
    ),
    (
        *("XK202611210058", "xiaoguan", "diner-3", "堂食 二人桌", 10000),
        *("2026-11-21", "2026-11-21", None, {"DISH-02": 1, "SOUP-01": 1}),
    ),
    (
        *("HJ202512310044", "hengji", "member-1", "铸铁炖锅24厘米", 26900),
        *("2025-12-31", "2025-12-31", None, {"POT-01": 1}),
    ),
    (
        *("HJ202611190117", "hengji", "member-1", "鲜牛奶等3件", 5370),
        *("2026-11-19", "2026-11-19", None, {"MILK-01": 2, "YOG-01": 1}),
    ),
    (
        *("HJ202603080083", "hengji", "member-2", "五常大米等2件", 15970),
        *("2026-03-08", "2026-03-08", None, {"RICE-01": 1, "OIL-01": 1}),
    ),
    (
        *("HJ202611210126", "hengji", "member-2", "三德刀 送货上门", 12900),
        *("2026-11-21", None, None, {"KNIFE-01": 1}),
    ),
    (
        *("HJ202611150098", "hengji", "member-3", "不粘煎锅28厘米", 15900),
        *("2026-11-15", "2026-11-15", None, {"PAN-01": 1}),
    ),
    (
        *("WT202601050012", "wutong", "owner-1", "3栋1202 物业费 上半年", 106800),
        *("2026-01-05", "2026-01-01", None, {"FEE-01": 6}),
    ),
    (
        *("WT202607030012", "wutong", "owner-1", "3栋1202 物业费 下半年", 106800),
        *("2026-07-03", "2026-07-01", None, {"FEE-01": 6}),
    ),
    (
        *("WT202610090027", "wutong", "owner-2", "5栋0803 物业费和车位 第四季度", 77400),
        *("2026-10-09", "2026-10-01", None, {"FEE-01": 3, "PARK-01": 3}),
    ),
    (
        *("WT202611100031", "wutong", "owner-2", "5栋0803 家政保洁", 12000),
        *("2026-11-10", None, None, {"HOME-01": 1}),
    ),
    (
        *("WT202610080036", "wutong", "owner-3", "7栋2101 物业费 第四季度", 53400),
        *("2026-10-08", "2026-10-08", None, {"FEE-01": 3}),
    ),
    (
        *("YX202505010003", "yuanxing", "tourist-1", "山城古镇四日游", 396000),
        *("2025-04-10", "2025-05-01", None, {"TRIP-01": 2}),
    ),
    (
        *("YX202611140021", "yuanxing", "tourist-1", "海岛慢游五日", 656000),
        *("2026-10-20", "2026-11-14", None, {"TRIP-02": 2}),
    ),
    (
        *("YX202604180015", "yuanxing", "tourist-2", "茶山一日游", 53600),
        *("2026-04-12", "2026-04-18", None, {"DAY-01": 2}),
    ),
    (
        *("YX202612050030", "yuanxing", "tourist-2", "雪乡六日小团", 286000),
        *("2026-11-08", None, None, {"TRIP-03": 1}),
    ),
    (
        *("YX202611010026", "yuanxing", "tourist-3", "湖畔骑行一日游", 19800),
        *("2026-10-26", "2026-11-01", None, {"DAY-02": 1}),
    ),
)
_ROOMS = tuple(f"{floor}{door:02d}" for floor in range(11, 19) for door in range(1, 16))
_UPPER_ROOMS = "1701"


_WRITTEN_ON = date(2026, 11, 22)


def fill(
    path: Path, today: date | None = None, sends_on: frozenset[str] = frozenset()
) -> EmbeddedOrders:
    """Make the demo order directory, leaving what happened in an existing one as it is.

    Args:
        path: The SQLite file. One of an earlier version gets what it lacks.
        today: The day on which the demo takes place; the present one without it.
        sends_on: As for `EmbeddedOrders`.

    Returns:
        The order system over it.
    """
    system = EmbeddedOrders(path, sends_on=sends_on)
    with sqlite3.connect(path, timeout=10) as db:
        _put(db, (today or date.today()) - _WRITTEN_ON)
    db.close()
    return system


def _moved(day: str | None, by: timedelta) -> str | None:
    return (date.fromisoformat(day) + by).isoformat() if day else None


def _put(db: sqlite3.Connection, by: timedelta) -> None:
    for *customer, tier, since in _CUSTOMERS:
        db.execute(
            "INSERT OR IGNORE INTO customers (id, business, external_id, name, phone)"
            " VALUES (?, ?, ?, ?, ?)",
            customer,
        )
        db.execute(
            "UPDATE customers SET tier = ?, since = ? WHERE id = ?",
            (tier, _moved(since, by), customer[0]),
        )
    db.executemany(
        "INSERT OR IGNORE INTO products (sku, business, name, category, price)"
        " VALUES (?, ?, ?, ?, ?)",
        _PRODUCTS,
    )
    for number, business, customer_id, title, paid, placed, received, room, pieces in _ORDERS:
        db.execute(
            "INSERT OR IGNORE INTO orders"
            " (number, business, customer, title, paid, placed_at, room)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, business, customer_id, title, paid, _moved(placed, by), room),
        )
        db.execute(
            "UPDATE orders SET placed_at = ?, received_on = ? WHERE number = ?",
            (_moved(placed, by), _moved(received, by), number),
        )
        db.executemany(
            "INSERT OR IGNORE INTO items (number, sku, quantity) VALUES (?, ?, ?)",
            [(number, sku, quantity) for sku, quantity in pieces.items()],
        )
    taken = {order[7] for order in _ORDERS if order[7]}
    db.executemany(
        "INSERT OR IGNORE INTO rooms (business, room, clean) VALUES ('lanting', ?, 1)",
        [(room,) for room in _ROOMS if room not in taken],
    )
    db.execute(
        "UPDATE rooms SET grade = 2 WHERE business = 'lanting' AND room >= ? AND grade = 1",
        (_UPPER_ROOMS,),
    )
