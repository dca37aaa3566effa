"""What the law asks at least, written apart from the tables, so that the tables can be held to it.

These are minimums for the proof; what is really given stands in the tables.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recovery.remedy.catalogue import Remedy
from recovery.remedy.facts import Facts

FRAUD = frozenset({"fake", "price_mismatch", "overcharge", "forced_shopping"})
"""Confirmed, these are fraud in the sense of 消法 §55."""
UNSAFE = frozenset({"unsafe_food", "foreign_object", "expired"})
"""Confirmed, these are food below the standard in the sense of 食品安全法 §148."""
NOT_PERFORMED = frozenset({"itinerary_changed", "hotel_downgraded", "cancelled_no_refund"})
"""Confirmed by staff as a refusal with serious consequences, these fall under 旅游法 §70."""
QUALITY = frozenset({"defective", "damaged", "wrong_item"})
"""Goods that are not what was agreed: 消法 §24."""

_MONEY_BACK = frozenset({"refund_full", "resend", "exchange"})
_MADE_GOOD = _MONEY_BACK | {"repair"}
_COMES_BACK = frozenset({"refund_full", "resend", "exchange"})
RETURN_DAYS = 7

Owed = Callable[[Mapping[str, Remedy]], bool]


@dataclass(frozen=True)
class Minimum:
    """One minimum of the law.

    Attributes:
        article: Where it stands.
        asks: What it asks, in Chinese, for messages.
        met_by: Whether these remedies, by kind, meet it.
    """

    article: str
    asks: str
    met_by: Owed


def _damages(times: int, fen: int) -> Owed:
    def met(given: Mapping[str, Remedy]) -> bool:
        one: Mapping[str, Any] = given.get("damages", {})
        return bool(one) and one["times"] >= times and one["fen"] >= fen

    return met


def _any_of(*kinds: str) -> Owed:
    return lambda given: not given.keys().isdisjoint(kinds)


PUNITIVE = (
    (FRAUD, Minimum("消法 §55", "三倍价款，至少500元", _damages(3, 50_000))),
    (UNSAFE, Minimum("食品安全法 §148", "十倍价款，至少1000元", _damages(10, 100_000))),
    (NOT_PERFORMED, Minimum("旅游法 §70", "一倍以上旅游费用", _damages(1, 0))),
)


def minimums(facts: Facts) -> Iterable[Minimum]:
    """What the law asks at least for these facts.

    Args:
        facts: Complete.

    Yields:
        Each minimum that has to be met by the floor, the damages of the law included.
    """
    if facts.finding == "confirmed":
        for failures, minimum in PUNITIVE:
            if facts.failure in failures:
                yield minimum
    if facts.fault == "customer":
        return
    if facts.failure in QUALITY:
        if facts.days <= RETURN_DAYS:
            yield Minimum("消法 §24", "七日内可退、可换", _any_of(*_MONEY_BACK))
        else:
            yield Minimum("消法 §24", "七日后换货或修理", _any_of(*_MADE_GOOD))
        if facts.industry == "shop":
            yield Minimum("消法 §24", "来回运费由卖方承担", _carriage)
    if facts.failure in ("missing_item", "lost_parcel"):
        yield Minimum("消法 §52", "补足或退款", _any_of("resend", "refund_full", "refund_part"))
    if facts.failure == "refund_delayed":
        yield Minimum("消法 §53", "退还应退的款项", _any_of("refund_now", "refund_full"))
    if facts.failure == "overbooked":
        yield Minimum(
            "消法 §53", "按约定提供或退款", _any_of("rebooking", "room_change", "refund_full")
        )
    if facts.failure == "cancelled_no_refund":
        yield Minimum(
            "旅游法 §65", "退还未发生的费用", _any_of("refund_full", "refund_part", "refund_now")
        )


def _carriage(given: Mapping[str, Remedy]) -> bool:
    """What has to come back is fetched; nothing comes back where it is mended on the spot."""
    return given.keys().isdisjoint(_COMES_BACK) or "courier_pickup" in given


def unmet(facts: Facts, floor: Iterable[Remedy]) -> list[str]:
    """The minimums that a floor does not meet, as lines for a report."""
    given = {one["kind"]: one for one in floor}
    return [f"{one.article}（{one.asks}）" for one in minimums(facts) if not one.met_by(given)]
