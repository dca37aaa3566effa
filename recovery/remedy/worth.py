"""What a remedy is worth: a sum in fen, and a set of what has no price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recovery.remedy.catalogue import KINDS, SUPERSEDES, Remedy, share

GOODWILL_CAP_BP = 8_000
"""Goodwill never passes 80 % of the price (Edström et al. 2022: about there it exceeds what an
error-free service would have been worth to the guest)."""


@dataclass(frozen=True)
class Worth:
    """What a set of remedies is worth.

    Attributes:
        fen: The sum of what has a price.
        others: What has none, with its parameters.
    """

    fen: int
    others: tuple[Remedy, ...] = ()

    def at_least(self, other: "Worth") -> bool:
        """Whether nobody loses by getting this in place of the other."""
        return self.fen >= other.fen and all(
            any(_covers(mine, theirs) for mine in self.others) for theirs in other.others
        )


def price(remedy: Remedy, paid: int, prices: Mapping[str, int]) -> int | None:
    """The price of one remedy.

    Args:
        remedy: Checked.
        paid: Amount paid, in fen.
        prices: Unit prices of the trade, in fen, by kind.

    Returns:
        Fen; None for what has no price.
    """
    kind = KINDS[remedy["kind"]]
    return None if kind.price is None else kind.price(remedy, paid, prices.get(remedy["kind"], 0))


def worth(remedies: Iterable[Remedy], paid: int, prices: Mapping[str, int]) -> Worth:
    """What a list of remedies is worth; see `price` for the arguments."""
    total = 0
    others: list[Remedy] = []
    for one in remedies:
        fen = price(one, paid, prices)
        if fen is None:
            others.append(one)
        else:
            total += fen
    return Worth(total, tuple(others))


def cap(paid: int) -> int:
    """The most that goodwill may be worth, in fen."""
    return share(paid, GOODWILL_CAP_BP)


def _covers(mine: Remedy, theirs: Remedy) -> bool:
    if mine["kind"] != theirs["kind"]:
        return theirs["kind"] in SUPERSEDES.get(mine["kind"], frozenset())
    for parameter in KINDS[mine["kind"]].parameters:
        have, want = mine.get(parameter.name), theirs.get(parameter.name)
        if want is None:
            continue
        if have is None or (have < want if parameter.more_is_better else have > want):
            return False
    return True
