"""Hides one customer from those who need not know whom a conversation is with.

What is put under it is veiled whole: each text is masked unless its name below says that the
desk or a colleague has made it. A field that is added later is therefore masked until somebody
decides otherwise.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from recovery.privacy import mask
from recovery.store import cases, customers
from recovery.store.conversations import Conversation
from recovery.store.customers import NAMELESS

_TEXTS_KEPT = 8192
_TAIL = 4
# Made by the desk, by settings or by colleagues about themselves: no customer's words come in.
_OURS = frozenset(
    {
        *("id", "kind", "author", "state", "stage", "outcome", "owner", "owner_name", "visibility"),
        *("business", "business_id", "industry", "channel", "trend", "reply_to", "conversation"),
        *("case", "by", "asked_by", "decided_by", "role", "presence", "colour", "message", "offer"),
        *("policy", "rules", "part", "authority", "needed", "key", "remedy", "evidence", "day"),
    }
)
# Left out: they show or prove who somebody is, or are not for masked readers at all.
_DROPPED = frozenset(
    {
        *("picture", "pictures", "receipt", "original", "token", "buttons", "url"),
        # The last four are half of the proof of an order.
        *("phone", "phone_last4"),
    }
)
_ORDERS = frozenset({"order_number", "number"})
_NAMED = frozenset({"customer"})
# As a case by hand is entered: short numbers are hidden nowhere else.
_CALL_BACK = re.compile(r"(回电号码\s?[：:]?\s?)\+?\d[\d \-]{4,24}")
# A place is shown on a map, or called as the map calls it: where somebody lives, in any form.
_PLACE = re.compile(r"(【位置】)[^\n]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def masked_name(name: str) -> str:
    """A name as a masked reader sees it: the first character, nothing of how long it is."""
    if name in ("", NAMELESS):
        return name
    return f"{name[0]}**" if len(name) > 1 else "**"


def masked_order(number: str | None) -> str | None:
    """An order number but for its last four; a short one is hidden whole."""
    if number is None:
        return None
    return f"****{number[-_TAIL:]}" if len(number) > 2 * _TAIL else "****"


@lru_cache(_TEXTS_KEPT)
def _masked(text: str) -> str:
    # Lists show the same latest words again and again.
    return mask(_PLACE.sub(r"\1［地址］", _CALL_BACK.sub(r"\1［电话］", text))).text


@lru_cache(_TEXTS_KEPT)
def _spread(words: str) -> re.Pattern[str]:
    """Finds a name or number in capitals or not, and with gaps between its signs."""
    signs = "[\\s\\-]{0,2}".join(re.escape(sign) for sign in words if not sign.isspace())
    return re.compile(signs or re.escape(words), re.IGNORECASE)


@dataclass(frozen=True)
class Veil:
    """Hides one customer from masked readers.

    Attributes:
        name: Of the customer, as stored.
        order: The proved order number of the case.
    """

    name: str = ""
    order: str | None = None

    def text(self, text: str) -> str:
        """A text without the customer's name, the order number and what `mask` finds."""
        if self.order:
            text = _spread(self.order).sub("［订单号］", text)
        text = _masked(text)
        # One character alone would be struck out of words that have nothing to do with it.
        if len(self.name) > 1 and self.name != NAMELESS:
            shown = masked_name(self.name)
            text = _spread(self.name).sub(lambda _: shown, text)
        return text

    def over(self, value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON
        """Veil any JSON that leaves the desk.

        Args:
            value: As a reader who sees everything would get it; not changed.
            name: Of the field that it stands in.
        """
        if isinstance(value, dict):
            return self._fields(value)
        if isinstance(value, list | tuple):
            return [self.over(one, name) for one in value]
        if not isinstance(value, str) or name in _OURS or _MOMENT.fullmatch(value):
            return value
        if name in _NAMED:
            return masked_name(value)
        if name in _ORDERS:
            return masked_order(value)
        return self.text(value)

    def _fields(self, content: dict[str, Any]) -> dict[str, Any]:
        shown = {
            field: None if field in _DROPPED else self.over(value, field)
            for field, value in content.items()
        }
        if content.get("kind") == "message":
            # Colleagues and the bot are called by their names, customers are not.
            shown["name"] = (
                masked_name(content.get("name") or "")
                if content.get("author") == "customer"
                else content.get("name", "")
            )
        return shown


def veil_of(db: Connection, conversation: Conversation) -> Veil:
    """The veil of the customer of a conversation."""
    case = cases.load(db, conversation.case_id)
    name = customers.load(db, conversation.customer_id).name
    return Veil(name, case.order_number if case else None)
