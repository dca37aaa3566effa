"""What recovery asks of an order system, whoever runs it."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Protocol

from recovery.remedy.catalogue import Remedy


class OrderSystemError(RuntimeError):
    """The order system cannot do this now; trying again with the same key is safe."""


class RemedyRefusedError(RuntimeError):
    """The order system will not do this, now or later; a person has to look at it."""


@dataclass(frozen=True)
class Item:
    """One line of an order; `price` in fen."""

    sku: str
    name: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Order:
    """One order.

    Attributes:
        number: As printed for the customer.
        paid: Amount paid, in fen.
        title: A short name a customer recognises, for example `豪华大床房 3月5日`.
    """

    number: str
    business: str
    paid: int
    title: str
    items: tuple[Item, ...]
    room: str | None = None


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
            The receipt: plain JSON types, named as the catalogue's `done` expects.

        Raises:
            RemedyRefusedError: It cannot be done at all, for example no clean room is free.
        """


def fold_order_number(text: str) -> str:
    """Write an order number in one way: NFKC, upper case, no spaces or dashes."""
    return re.sub(r"[\s\-_－]", "", unicodedata.normalize("NFKC", text)).upper()
