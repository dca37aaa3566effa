"""The order systems of all businesses of a desk as one: each call goes to whom it belongs."""

import os
import re
from collections.abc import Mapping
from typing import Any

from recovery.business import EmbeddedOrdersSetting, HttpOrdersSetting
from recovery.orders.demo import fill
from recovery.orders.embedded import EmbeddedOrders
from recovery.orders.remote import RemoteOrders
from recovery.orders.system import Order, OrderSystem, OrderSystemError, Product
from recovery.remedy.catalogue import Remedy
from recovery.settings import Settings, SettingsError

# What may stand in a header; anything else would fail at the first call, in the middle of a case.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


class SeveralOrders:
    """`OrderSystem` over those of several businesses. As safe for threads as they are."""

    def __init__(self, systems: Mapping[str, OrderSystem]) -> None:
        """Take the systems.

        Args:
            systems: By id of the business; several may share one.
        """
        self._systems = dict(systems)

    def of(self, business: str) -> OrderSystem:
        """The system of a business.

        Raises:
            OrderSystemError: It has none, perhaps since it was taken out of the settings: what is
                promised to its customers is kept until it comes back.
        """
        system = self._systems.get(business)
        if system is None:
            raise OrderSystemError(f"no order system for business {business!r}")
        return system

    def close(self) -> None:
        """Close all that keep connections."""
        for system in {id(one): one for one in self._systems.values()}.values():
            close_orders(system)

    def matches(self, business: str, number: str, last4: str) -> bool:
        """Whether the order exists and its phone ends in these four digits."""
        return self.of(business).matches(business, number, last4)

    def order(self, business: str, number: str) -> Order | None:
        """Find an order."""
        return self.of(business).order(business, number)

    def orders_of(self, business: str, external_customer: str) -> list[Order]:
        """Orders of a customer whom the host site has identified, latest first."""
        return self.of(business).orders_of(business, external_customer)

    def recommend(self, business: str, number: str) -> Product | None:
        """A product that fits what the customer of this order bought before."""
        return self.of(business).recommend(business, number)

    def carry_out(self, key: str, business: str, number: str, remedy: Remedy) -> dict[str, Any]:
        """Carry one remedy out, once for each key. See `OrderSystem.carry_out`."""
        return self.of(business).carry_out(key, business, number, remedy)


def close_orders(orders: OrderSystem) -> None:
    """Close the connections of an order system, where it keeps any; it is not asked any more."""
    if isinstance(orders, SeveralOrders | RemoteOrders | EmbeddedOrders):
        orders.close()


def open_orders(settings: Settings) -> SeveralOrders:
    """Open the order system of every business.

    Args:
        settings: Checked. Businesses without a system of their own share the embedded one.

    Returns:
        One system for all; nothing is asked of a remote one yet, it may be away at start.

    Raises:
        SettingsError: A token is missing in the environment, or is none; names the variable.
    """
    embedded: EmbeddedOrders | None = None
    sends_on = frozenset(
        one.id
        for one in settings.businesses
        if isinstance(one.orders, EmbeddedOrdersSetting) and one.orders.sends_on
    )
    systems: dict[str, OrderSystem] = {}
    for place, business in enumerate(settings.businesses):
        setting = business.orders
        if isinstance(setting, HttpOrdersSetting):
            where = f"businesses.{place}.orders.http.token_env"
            systems[business.id] = RemoteOrders(setting.url, _token(setting.token_env, where))
        else:
            embedded = embedded or fill(settings.orders_file, sends_on=sends_on)
            systems[business.id] = embedded
    return SeveralOrders(systems)


def _token(variable: str, where: str) -> str:
    token = os.environ.get(variable, "").strip()
    if not token:
        raise SettingsError(f"{where}: the environment variable {variable} is not set")
    if not _TOKEN.fullmatch(token):
        raise SettingsError(f"{where}: what {variable} holds cannot be a token")
    return token
