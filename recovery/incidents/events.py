"""What an order system reports: read strictly, since it is somebody else's program."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from recovery.failures import FAILURES, UNKNOWN
from recovery.incidents.kinds import KINDS
from recovery.orders.system import fold_order_number, usable_number

MOST_CUSTOMERS = 500
"""Orders and customers of one event; who has more sends several with the same `incident`."""
_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,80}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST = 80
_FIELDS = frozenset(
    {
        *("id", "kind", "at", "orders", "customers", "place", "failure", "title", "expected"),
        *("urgent", "incident"),
    }
)


class EventError(ValueError):
    """An event that cannot be taken.

    Attributes:
        sentence: What is wrong, in Chinese and English; never quotes what came.
    """

    def __init__(self, field: str, chinese: str, english: str) -> None:
        """Name the field."""
        super().__init__(f"{field}: {english}")
        self.sentence = f"{field}：{chinese}（{field}: {english}）"


@dataclass(frozen=True)
class OrderEvent:
    """One event, checked.

    Attributes:
        id: As the order system names it.
        kind: What happened.
        at: When, ISO 8601 with an offset.
        orders: Numbers of the orders concerned, folded.
        customers: Ids of customers concerned as the host site signs them, where no order is known.
        place: Where it happened, where it is a place that failed.
        failure: In `recovery.failures`; `unknown` where the trade knows none for it.
        title: What it is about, in the business's own words; empty where there are none.
        expected: By when it is put right, in the business's own words; empty where not known.
        urgent: Customers are told at night as well.
        incident: The same for all events of one cause; empty where this one stands alone.
    """

    id: str
    kind: str
    at: str
    orders: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    place: str = ""
    failure: str = UNKNOWN
    title: str = ""
    expected: str = ""
    urgent: bool = False
    incident: str = ""

    def to_wire(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {**asdict(self), "orders": list(self.orders), "customers": list(self.customers)}

    @classmethod
    def from_wire(cls, given: Mapping[str, Any]) -> "OrderEvent":
        """Read what `to_wire` gave."""
        lists = {name: tuple(given[name]) for name in ("orders", "customers")}
        return cls(**{**given, **lists})


def read_event(value: object, industry: str) -> OrderEvent:
    """Read an event from plain JSON.

    Args:
        value: As it came.
        industry: Of the business.

    Raises:
        EventError: A field is missing, unknown or wrong.
    """
    if not isinstance(value, dict):
        raise EventError("body", "要是一个 JSON 对象", "a JSON object")
    unknown = sorted(set(value) - _FIELDS)
    if unknown:
        raise EventError("body", "有不认识的字段", f"only the fields {', '.join(sorted(_FIELDS))}")
    id_ = value.get("id")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise EventError("id", "1到80个字母、数字或 _ . : -", "1 to 80 of [A-Za-z0-9_.:-]")
    kind = value.get("kind")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise EventError("kind", "小写字母、数字和下划线，最多40个", "[a-z][a-z0-9_]{0,39}")
    orders, customers = _orders(value.get("orders")), _customers(value.get("customers"))
    place, title = _text(value, "place"), _text(value, "title")
    if not orders and not customers and not place:
        raise EventError(
            "orders",
            "请给订单号 orders、顾客 customers，或地点 place",
            "name orders, customers, or a place",
        )
    if kind not in KINDS and not title:
        raise EventError("title", "这个 kind 没有现成的说法，请写 title", "needed for this kind")
    known = KINDS.get(kind)
    urgent = value.get("urgent", known.urgent if known else False)
    if not isinstance(urgent, bool):
        raise EventError("urgent", "只能是 true 或 false", "true or false")
    return OrderEvent(
        id=id_,
        kind=kind,
        at=_moment(value.get("at")),
        orders=orders,
        customers=customers,
        place=place,
        failure=_failure(value.get("failure"), kind, industry),
        title=title,
        expected=_text(value, "expected"),
        urgent=urgent,
        incident=_text(value, "incident"),
    )


def _failure(given: object, kind: str, industry: str) -> str:
    if given is None:
        known = KINDS.get(kind)
        return known.failures.get(industry, UNKNOWN) if known else UNKNOWN
    failure = FAILURES.get(given) if isinstance(given, str) else None
    if failure is None or industry not in failure.industries:
        names = [name for name, one in FAILURES.items() if industry in one.industries]
        raise EventError("failure", f"这一行只有：{'、'.join(names)}", f"one of {', '.join(names)}")
    return failure.name


def _orders(given: object) -> tuple[str, ...]:
    numbers = _listed(given, "orders", "订单号")
    folded = [fold_order_number(one) for one in numbers]
    if not all(usable_number(one) for one in folded):
        raise EventError("orders", "有一个不像订单号", "one cannot be an order number")
    return tuple(dict.fromkeys(folded))


def _customers(given: object) -> tuple[str, ...]:
    ids = _listed(given, "customers", "顾客编号")
    if not all(0 < len(one) <= 128 and _clean(one) for one in ids):
        raise EventError("customers", "有一个不像顾客编号", "one cannot be the id of a customer")
    return tuple(dict.fromkeys(ids))


def _listed(given: object, name: str, what: str) -> list[str]:
    if given is None:
        return []
    wrong = not isinstance(given, list) or not all(isinstance(one, str) for one in given)
    if wrong or not isinstance(given, list) or len(given) > MOST_CUSTOMERS:
        raise EventError(
            name,
            f"{what}的列表，最多{MOST_CUSTOMERS}个",
            f"a list of at most {MOST_CUSTOMERS} texts",
        )
    return given


def _text(value: dict[str, Any], name: str) -> str:
    given = value.get(name)
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > _LONGEST or not _clean(given):
        raise EventError(
            name, f"一段文字，最多{_LONGEST}个字", f"text of at most {_LONGEST} characters"
        )
    return " ".join(given.split())


def _moment(given: object) -> str:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise EventError(
            "at",
            "要带时区的时间，如 2026-11-22T09:30:00+08:00",
            "a time with an offset, like 2026-11-22T09:30:00+08:00",
        )
    return moment.isoformat()


def _clean(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
