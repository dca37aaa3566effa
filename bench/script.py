"""What the customers of the benchmark say, and the orders that they say it about."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recovery.orders.demo import fill

BUSINESS: Final = "qinghe"
ROOM: Final = "qinghe-square"
ORDERS: Final = 2000
_ARTICLE: Final = ("CUP-01", "月白手冲咖啡杯", 6800)

POST: Final = "你们发错货了！我要的不是这个，气死人了！"
"""The angry post in the public room that brings the invitation."""

# Nobody asks for a person, no proof is wrong, no offer is asked to be better twice: the bot keeps
# the conversation, so that each message has an answer of the bot's to be measured.
_COMPLAINT: Final = ("你们发错货了，我收到的根本不是我买的那个", "订单号{number}，手机尾号{last4}")
_SETTLEMENT: Final = (
    "为什么是这样处理？",
    "处理到哪一步了？",
    "这点补偿不够，能不能再多一点？",
    "我再考虑一下",
    "可以，就这样办吧",
    "谢谢你，辛苦了",
)
_AFTERWARDS: Final = (
    "请问可以开发票吗？",
    "你好，在吗？",
    "处理到哪一步了？",
    "为什么是这样处理？",
    "好的，谢谢你们",
    "请问电子发票怎么开？",
    "可以，就这样办吧",
    "谢谢你，辛苦了",
    "你好",
    "请问可以开发票吗？",
    "处理到哪一步了？",
    "再见",
)
_UNDECIDED: Final = (
    "为什么是这样处理？",
    "我再考虑一下",
    "请问可以开发票吗？",
    "处理到哪一步了？",
    "你好，在吗？",
    "让我想想再说",
    "这样处理的理由是什么？",
    "请问电子发票怎么开？",
    "你好",
    "再见",
)


@dataclass(frozen=True)
class Claim:
    """An order with one article, and the last four digits of its phone."""

    number: str
    last4: str


STORY: Final = len(_COMPLAINT + _SETTLEMENT + _AFTERWARDS)
"""How many messages a whole story has: complaint, offer, a better one, acceptance, and after."""

ROUND: Final = len(_UNDECIDED)
"""After how many messages a customer who cannot decide says the same again."""


def story(number: int, claim: Claim) -> str:
    """Give one message of a whole story.

    Args:
        number: Its place, 1 to `STORY`.
        claim: What it is about.
    """
    return _filled((_COMPLAINT + _SETTLEMENT + _AFTERWARDS)[number - 1], claim)


def undecided(number: int, claim: Claim) -> str:
    """Give one message of a customer who talks about the offer without end.

    Args:
        number: Its place, from 1 on.
        claim: What it is about.
    """
    if number <= len(_COMPLAINT):
        return _filled(_COMPLAINT[number - 1], claim)
    return _UNDECIDED[(number - len(_COMPLAINT) - 1) % ROUND]


def _filled(text: str, claim: Claim) -> str:
    return text.format(number=claim.number, last4=claim.last4)


def claims() -> Iterator[Claim]:
    """Give each order of the directory once, since an order is made good for once only."""
    return (Claim(f"QH2025{number:08d}", f"{number:04d}") for number in range(1, ORDERS + 1))


def fill_orders(path: Path) -> None:
    """Put the orders of all claims into an order directory, beside the demo's.

    Args:
        path: The SQLite file of `recovery.orders.embedded`.
    """
    fill(path)
    sku, title, paid = _ARTICLE
    orders = list(claims())
    with sqlite3.connect(path) as db:
        db.executemany(
            "INSERT INTO customers (id, business, external_id, name, phone)"
            " VALUES (?, ?, NULL, '客人', ?)",
            [(f"bench-{one.number}", BUSINESS, f"1990000{one.last4}") for one in orders],
        )
        db.executemany(
            "INSERT INTO orders (number, business, customer, title, paid, placed_at, room)"
            " VALUES (?, ?, ?, ?, ?, '2025-11-15', NULL)",
            [(one.number, BUSINESS, f"bench-{one.number}", title, paid) for one in orders],
        )
        db.executemany("INSERT INTO items VALUES (?, ?, 1)", [(one.number, sku) for one in orders])
    db.close()
