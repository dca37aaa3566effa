"""What the same order was given in other cases, and what that leaves of what was paid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from recovery.remedy.catalogue import MONEY_BACK, BadRemedyError, Remedy, kind_of, yuan

REFUND_NOW = "refund_now"
"""Gives back what is due, and only the order system knows how much that is."""
_MOST_NAMED = 6


class Promised(NamedTuple):
    """One remedy that was promised in another case of an order.

    Attributes:
        receipt: Of the order system; None while it is not carried out.
    """

    case_id: str
    remedy: Remedy
    receipt: Mapping[str, Any] | None


@dataclass(frozen=True)
class Elsewhere:
    """What an order was given in other cases.

    Attributes:
        cases: In how many.
        remedies: All of it, also what could not be carried out yet: a person settles that.
        back_fen: Money back of it, in fen.
        left_fen: What of the price of the whole order is not given back yet; None where no other
            case gave anything.
    """

    cases: int = 0
    remedies: tuple[Remedy, ...] = ()
    back_fen: int = 0
    left_fen: int | None = None

    def of(self, paid: int) -> int:
        """How much of a price can still be given back, in fen."""
        return paid if self.left_fen is None else min(paid, self.left_fen)

    @property
    def words(self) -> str:
        """What was given, for staff; empty where nothing was."""
        if not self.cases:
            return ""
        titles = list(dict.fromkeys(_title(one) for one in self.remedies))
        named = "、".join(titles[:_MOST_NAMED]) + ("等" if len(titles) > _MOST_NAMED else "")
        back = f"，其中退减{yuan(self.back_fen)}" if self.back_fen else ""
        return f"这个订单在另外{self.cases}个案子里已经给过{named}{back}"


NOWHERE = Elsewhere()


def elsewhere(promised: Iterable[Promised], order_paid: int) -> Elsewhere:
    """Add up what an order was given in other cases.

    Args:
        promised: In other cases than the one at hand.
        order_paid: What was paid for the whole order, in fen.
    """
    known = list(promised)
    if not known:
        return NOWHERE
    back = min(order_paid, sum(_back(one, order_paid) for one in known))
    return Elsewhere(
        cases=len({one.case_id for one in known}),
        remedies=tuple(one.remedy for one in known),
        back_fen=back,
        left_fen=order_paid - back,
    )


def _back(one: Promised, order_paid: int) -> int:
    """The money that a remedy gives back, in fen; all of it where nobody knows yet how much."""
    kind = one.remedy.get("kind")
    if kind not in MONEY_BACK and kind != REFUND_NOW:
        return 0
    for said in ((one.receipt or {}).get("fen"), one.remedy.get("worth"), one.remedy.get("fen")):
        if isinstance(said, int):
            return said
    return order_paid


def _title(remedy: Remedy) -> str:
    """What a remedy is called, also one that the catalogue knows no more."""
    try:
        return kind_of(remedy).title(remedy)
    except (BadRemedyError, KeyError, TypeError, ValueError):
        return str(remedy.get("kind", ""))
