"""What recovery asks of an order system, whoever runs it, and what it accepts as an answer.

An order system may be somebody else's program. What it says is therefore read by `read_order`,
`read_product` and `read_receipt`, which take nothing for granted: a price that came as a float or
as text would otherwise turn into a wrong refund without a word.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Protocol, TypeGuard, TypeVar

from recovery.remedy.catalogue import MONEY_BACK, Remedy
from recovery.remedy.facts import TIERS

MOST_FEN = 10**12
"""Ten billion yuan: what is above it is a mistake, and would not fit into every database."""
_MOST_ITEMS = 500
_NUMBER_LENGTH = 64
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{4}")

T = TypeVar("T")


class OrderSystemError(RuntimeError):
    """The order system cannot do this now; trying again with the same key is safe."""


class RemedyRefusedError(RuntimeError):
    """The order system will not do this, now or later; a person has to look at it."""


@dataclass(frozen=True)
class Item:
    """One line of an order; `price` of one piece in fen."""

    sku: str
    name: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Order:
    """One order: of goods, of a stay, of a meal, of a trip, or one fee of a household.

    Attributes:
        number: As printed for the customer.
        paid: Amount paid, in fen.
        title: A short name a customer recognises, for example `豪华大床房 3月5日`.
        customer: The order system's own id of the customer.
        placed_on: ISO date.
        received_on: ISO date on which the goods were received, or the stay, meal or trip began;
            None while that is to come.
        tier: One of `TIERS`.
        customer_since: ISO date of the customer's first order or registration.
        first_time: Whether this is the customer's only order.
        room: Where the customer stays, if there are rooms.
        identity: The id under which the host site signs this customer, where the order system
            knows it: so a customer can be written to who has not complained.
    """

    number: str
    business: str
    paid: int
    title: str
    items: tuple[Item, ...]
    customer: str
    placed_on: str
    received_on: str | None
    tier: str
    customer_since: str
    first_time: bool
    room: str | None = None
    identity: str | None = None


@dataclass(frozen=True)
class Product:
    """Something to recommend."""

    sku: str
    name: str


class OrderSystem(Protocol):
    """The order system of a business. Every call may raise `OrderSystemError`."""

    def matches(self, business: str, number: str, last4: str) -> bool:
        """Whether the order exists and its phone ends in these four digits."""

    def order(self, business: str, number: str) -> Order | None:
        """Find an order."""

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        """Orders of a customer whom the host site has identified, latest first."""

    def recommend(self, business: str, number: str) -> Product | None:
        """A product that fits what the customer of this order bought before."""

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        """Carry one remedy out, once for each key.

        Args:
            key: Idempotency key; the same key again gives the same receipt and does nothing.
            business: Whose order system.
            number: The order.
            remedy: See `recovery.remedy.catalogue`.

        Returns:
            The receipt: plain JSON types, named as the catalogue's `done` expects; see `RECEIPTS`.

        Raises:
            RemedyRefusedError: It cannot be done at all, for example no clean room is free.
        """


def fold_order_number(text: str) -> str:
    """Write an order number in one way: NFKC, upper case, no spaces or dashes."""
    return re.sub(r"[\s\-_－]", "", unicodedata.normalize("NFKC", text)).upper()


def usable_number(number: str) -> bool:
    """Whether something can be an order number at all.

    An empty one and dots would name another place in the path of a URL, control characters and
    halves of a character cannot be sent or stored.
    """
    return 0 < len(number) <= _NUMBER_LENGTH and number.strip(". ") != "" and _clean(number)


def usable_digits(last4: str) -> bool:
    """Whether these are four ASCII digits."""
    return _DIGITS.fullmatch(last4) is not None


# --- remedies and their receipts --------------------------------------------------------------

REFUNDS = MONEY_BACK | {"refund_now"}
"""Money back of what was paid for an order: together they never exceed it."""

RECEIPTS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("room_change", "room_upgrade"), "room"),
        **dict.fromkeys(("resend", "exchange"), "shipment"),
        "courier_pickup": "pickup",
        **dict.fromkeys((*sorted(REFUNDS), "damages"), "refund"),
        **dict.fromkeys(
            (
                *("apology", "explanation", "repair", "clean_again", "remake", "manager_call"),
                *("expedite", "rebooking", "bill_check", "service_upgrade"),
            ),
            "ticket",
        ),
        "points": "points",
        **dict.fromkeys(
            (
                *("free_meal", "free_dessert", "free_drink", "voucher", "next_discount"),
                *("late_checkout", "recommendation"),
                # Promised under their former names, and still to be kept.
                *("free_dinner", "stay_discount"),
            ),
            "coupon",
        ),
    }
)
"""What the receipt of each kind of remedy is named; `refund` comes with `fen`."""

RECEIPT_STATES = ("accepted", "sent_on", "done")
"""How far a remedy may be by its receipt: written down, in the hands of others, done."""
_NEEDED = {"voucher": "fen", "next_discount": "bp", "points": "points"}
_COUNTED = ("fen", "worth", "bp", "points")


def check_remedy(remedy: Remedy) -> None:
    """Refuse a remedy that no order system may be asked for.

    Args:
        remedy: As it was promised.

    Raises:
        RemedyRefusedError: Unknown kind, or an amount that is missing or no whole number.
    """
    kind = remedy.get("kind")
    if not isinstance(kind, str) or kind not in RECEIPTS:
        raise RemedyRefusedError(f"unknown remedy {str(kind)[:40]!r}")
    for name in _COUNTED:
        if name in remedy and not _whole(remedy[name]):
            raise RemedyRefusedError(f"{kind}.{name} is no whole number: {remedy[name]!r}"[:200])
    needed = _NEEDED.get(kind)
    if needed and not remedy.get(needed):
        raise RemedyRefusedError(f"{kind} without {needed}")
    if kind in ("refund_part", "fee_waiver", "damages") and not amount_of(remedy):
        raise RemedyRefusedError(f"{kind} without an amount")
    if most_of(remedy) == 0:
        raise RemedyRefusedError("nothing was paid for it")


def amount_of(remedy: Remedy) -> int | None:
    """The money a remedy pays, in fen: what the customer was told, else the parameter.

    Args:
        remedy: Checked. `worth` is the amount that was worked out from `bp` or `times`; beside
            it, `fen` may be a mere lower bound.

    Returns:
        The amount; None where the order system has to know it (`refund_full`, `refund_now`).
    """
    if remedy["kind"] == "refund_full":
        return None
    amount: int | None = remedy.get("fen")
    return amount if remedy["kind"] == "refund_now" else remedy.get("worth", amount)


def most_of(remedy: Remedy) -> int | None:
    """The most that a full refund may pay, in fen: the price of the article that it is about.

    Args:
        remedy: Checked.

    Returns:
        What the customer was told; None for the whole order, and for every other kind.
    """
    if remedy["kind"] != "refund_full":
        return None
    most: int | None = remedy.get("worth", remedy.get("fen"))
    return most


# --- what an order system says ----------------------------------------------------------------


def read_order(value: object) -> Order:
    """Read an order from plain JSON.

    Args:
        value: An object with the fields of `Order`; `items` is a list of objects with the fields
            of `Item`. `room` and `identity` may be absent, unknown fields are left out.

    Returns:
        The order.

    Raises:
        OrderSystemError: A field is missing or wrong; names it, never its value.
    """
    fields = _object(value, "order")
    lines = fields.get("items")
    if not isinstance(lines, list) or len(lines) > _MOST_ITEMS:
        raise OrderSystemError(f"items: no list of at most {_MOST_ITEMS}")
    number = _text(fields, "number", _NUMBER_LENGTH)
    if not usable_number(number):
        raise OrderSystemError("number: cannot be an order number")
    tier = fields.get("tier")
    if tier not in TIERS:
        raise OrderSystemError(f"tier: none of {', '.join(TIERS)}")
    if not isinstance(fields.get("first_time"), bool):
        raise OrderSystemError("first_time: neither true nor false")
    return Order(
        number=number,
        business=_text(fields, "business", 32),
        paid=_count(fields, "paid"),
        title=_text(fields, "title"),
        items=tuple(_item(line, place) for place, line in enumerate(lines)),
        customer=_text(fields, "customer"),
        placed_on=_day(fields, "placed_on"),
        received_on=_maybe(_day, fields, "received_on"),
        tier=tier,
        customer_since=_day(fields, "customer_since"),
        first_time=fields["first_time"],
        room=_text(fields, "room") if fields.get("room") is not None else None,
        identity=_text(fields, "identity", 128) if fields.get("identity") is not None else None,
    )


def read_product(value: object) -> Product:
    """Read a product from plain JSON: `{"sku", "name"}`.

    Raises:
        OrderSystemError: A field is missing or wrong; names it.
    """
    fields = _object(value, "product")
    return Product(_text(fields, "sku"), _text(fields, "name"))


def read_receipt(kind: str, value: object) -> dict[str, Any]:
    """Read the receipt of a remedy from plain JSON.

    Args:
        kind: A key of `RECEIPTS`.
        value: What came. `state` and `expected` may be absent: then all of it is done.

    Returns:
        The fields that belong to this kind, and `state` and `expected` (ISO 8601, UTC) where they
        were given and say that it is not done yet; nothing else.

    Raises:
        OrderSystemError: A field is missing or wrong; names it.
    """
    fields, name = _object(value, "receipt"), RECEIPTS[kind]
    progress = _under_way(fields)
    if name == "points":
        return {name: _count(fields, name), **progress}
    if name == "refund":
        return {name: _text(fields, name), "fen": _count(fields, "fen"), **progress}
    return {name: _text(fields, name), **progress}


def _under_way(fields: dict[str, Any]) -> dict[str, Any]:
    """How far a remedy is that was taken: nothing where it is done."""
    state = fields.get("state")
    if state not in (None, *RECEIPT_STATES):
        raise OrderSystemError(f"state: none of {', '.join(RECEIPT_STATES)}")
    if state in (None, "done"):
        return {}
    expected = read_expected(fields.get("expected"))
    return {"state": state, **({"expected": expected} if expected else {})}


def read_expected(value: object) -> str | None:
    """Read until when something takes, a moment with its offset; None where nobody knows.

    Raises:
        OrderSystemError: It is no such moment.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.utcoffset() is None:
            raise ValueError
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise OrderSystemError("expected: no moment like 2026-11-01T12:00:00+08:00") from error


def _item(value: object, place: int) -> Item:
    at = f"items.{place}."
    fields = _object(value, at.rstrip("."))
    return Item(
        sku=_text(fields, "sku", at=at),
        name=_text(fields, "name", at=at),
        quantity=_count(fields, "quantity", at=at),
        price=_count(fields, "price", at=at),
    )


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OrderSystemError(f"{name}: no object")
    return value


def _maybe(read: Callable[[dict[str, Any], str], T], fields: dict[str, Any], name: str) -> T | None:
    """Read a field that may be null, but not absent: to forget it would change what is due."""
    if name not in fields:
        raise OrderSystemError(f"{name}: missing")
    return None if fields[name] is None else read(fields, name)


def _text(fields: dict[str, Any], name: str, most: int = 200, *, at: str = "") -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most or not _clean(value):
        raise OrderSystemError(f"{at}{name}: no text of 1 to {most} characters")
    return value


def _count(fields: dict[str, Any], name: str, *, at: str = "") -> int:
    value = fields.get(name)
    if not _whole(value):
        raise OrderSystemError(f"{at}{name}: no whole number from 0 to {MOST_FEN}")
    return value


def _day(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    try:
        # fromisoformat alone would take 20261101 and 2026-W45-7 as well.
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError as error:
        raise OrderSystemError(f"{name}: no date like 2026-11-01") from error
    return value


def _whole(value: object) -> TypeGuard[int]:
    # A bool is an int to Python; to an accountant it is a mistake.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_FEN


def _clean(text: str) -> bool:
    """Whether a text can be stored and sent: no control characters, no halves of a character."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
