"""What of a stored event one reader may see."""

from typing import Any

_INTERNAL = frozenset({"customer", "original"})


def for_customer(event: dict[str, Any], customer: str) -> dict[str, Any]:
    """The event as a customer sees it: one's own post whole, everybody else's masked.

    Args:
        event: As stored; `customer` and `original` never leave the desk as such.
        customer: Who reads.
    """
    shown = {name: value for name, value in event.items() if name not in _INTERNAL}
    if event.get("kind") != "message":
        return shown
    mine = event.get("author") == "customer" and event.get("customer") == customer
    shown["mine"] = mine
    shown.setdefault("name", "")
    if mine:
        shown["text"] = event.get("original", event["text"])
    else:
        shown.pop("client_id", None)
    return shown


def for_staff(event: dict[str, Any]) -> dict[str, Any]:
    """The event as staff see it: whole, and nothing that could be pressed or opened."""
    shown = {
        name: value
        for name, value in event.items()
        if name not in _INTERNAL and name not in ("buttons", "token", "client_id", "link")
    }
    if event.get("kind") == "message":
        shown["mine"] = False
        shown.setdefault("name", "")
        shown["text"] = event.get("original", event["text"])
    return shown
