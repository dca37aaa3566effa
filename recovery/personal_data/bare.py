"""What is left of stored JSON when the person is taken out: codes, amounts and times.

Everything is named that stays; what is not named goes, so that a field that is added later is not
kept by accident.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from recovery.coach.warnings import apologises
from recovery.remedy.catalogue import BY_HAND
from recovery.remedy.facts import FACTS

GONE = "（内容已删除）"
"""Stands where words of a customer, or to one, stood."""
GONE_SORRY = "很抱歉。（其余内容已删除）"
"""The same where we had apologised: when that was is a figure."""
GONE_NAME = "已删除的顾客"
"""Stands where a customer's name stood."""
NOBODY = "某位顾客"
"""Stands in words about many customers where one of them was named."""
_SHORTEST = 2

Bare = Callable[[Any], Any]

_SHOWN = frozenset({"message", "owner", "invitation", "reminder", "closed"})
_OF_AN_EVENT = ("id", "at", "author", "customer", "reply_to", "owner")
_OF_A_COMMAND = (
    *("do", "case", "failure", "stage", "offer", "round", "floor_fen", "goodwill_fen", "rule"),
    *("provisional", "authority", "policy", "day", "rules", "correct", "vouched", "reminder"),
    *("safety", "expires_at", "outcome", "harm"),
)
_OF_A_CASE = (
    *("id", "stage", "anger", "safety", "invited", "public_replies", "apologised", "proof_tries"),
    *("misses", "settled", "reason", "promised_by", "outcome", "opened_at"),
)
_OF_AN_OFFER = (
    *("id", "rules", "policy", "round", "expires_at", "state", "day", "floor_fen"),
    *("goodwill_fen", "provisional", "by", "authority"),
)
_OF_CASE_FACTS = ("failure", "harm", "fault", "finding", "evidence")
_WORDS_OF_A_REMEDY = ("kind", "part", "trade")
_NUMBERS = (bool, int, float)


def only(given: Any, names: Collection[str]) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """Those fields of a JSON object that have these names."""
    return {name: given[name] for name in names if name in given} if _is_object(given) else {}


def _is_object(given: object) -> bool:
    return isinstance(given, Mapping)


def numbers(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """The numbers of a JSON object, and yes and no."""
    if not _is_object(given):
        return {}
    return {name: value for name, value in given.items() if isinstance(value, _NUMBERS)}


def gesture(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """What was given as a gesture: that there was one."""
    return {**numbers(given), "title": GONE, "why": ""}


def event(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """An event of a stream: that something was said, by which side, and when."""
    left = only(given, _OF_AN_EVENT)
    kind = str(given.get("kind"))
    sorry = kind == "message" and left.get("author") in ("bot", "staff")
    text = GONE_SORRY if sorry and apologises(str(given.get("text") or "")) else GONE
    name = GONE_NAME if left.get("author") == "customer" else ""
    return {**left, "kind": kind if kind in _SHOWN else "notice", "name": name, "text": text}


def command(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """A command of the log of a case."""
    return only(given, _OF_A_COMMAND)


def remedy(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """A remedy: what kind it is and how much."""
    return {**numbers(given), **only(given, _WORDS_OF_A_REMEDY)}


def receipt(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """What an order system gave for a remedy: amounts. Words about it need no codes then."""
    return {**numbers(given), BY_HAND: True}


def remedies(given: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - stored JSON
    """Several of them."""
    return [remedy(one) for one in given] if isinstance(given, list) else []


def facts(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """What a decision was made from: numbers, and words of the fixed lists."""
    known = {
        name: value
        for name, value in only(given, FACTS).items()
        if FACTS[name].values is None or value in (FACTS[name].values or ())
    }
    return {name: one for name, one in known.items() if isinstance(one, (*_NUMBERS, str))}


def offer(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """An offer within a case, still readable as one."""
    return {
        **only(given, _OF_AN_OFFER),
        "order_number": "",
        "remedies": remedies(given.get("remedies")),
        "facts": facts(given.get("facts")),
        "reason": "",
    }


def case(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """A case, still readable as one: closed, without words, order and claims."""
    return {
        **only(given, _OF_A_CASE),
        "stage": "closed",
        "facts": only(given.get("facts"), _OF_CASE_FACTS),
        "order_number": None,
        "offers": [offer(one) for one in given.get("offers") or ()],
    }


def understood(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """What was understood of a message: how angry, and what it wanted."""
    if not _is_object(given):
        return {}
    intent = only(given.get("intent"), ("name", "confidence"))
    return {"intent": intent, "emotion": numbers(given.get("emotion"))}


def request(given: Any) -> dict[str, Any]:  # noqa: ANN401 - stored JSON
    """What staff had asked a manager for."""
    if not _is_object(given):
        return {}
    listed = {name: remedies(one) for name, one in given.items() if isinstance(one, list)}
    return {**numbers(given), **listed}


def without(given: Any, named: Collection[str]) -> Any:  # noqa: ANN401 - stored JSON
    """Words about many customers, with those taken out that name one.

    Args:
        given: A text, or JSON with texts in it.
        named: Names, ids and order numbers of the one; what is shorter than two is left alone.
    """
    if isinstance(given, str):
        for one in sorted(named, key=len, reverse=True):
            if len(one) >= _SHORTEST:
                given = given.replace(one, NOBODY)
        return given
    if isinstance(given, list):
        return [without(one, named) for one in given]
    if _is_object(given):
        return {name: without(one, named) for name, one in given.items()}
    return given
