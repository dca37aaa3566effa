"""What one thing does to a remedy while all else that counts is the same.

Decisions are compared only within strata of the same facts. The interval is a bootstrap in two
steps, strata first and decisions within them, since decisions about the same facts are alike.
Estimates are floats; what a report shows of them is whole fen.
"""

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SEED = 20261122
_RESAMPLES = 1_000
_LEAST = 8
_HALF_A_FEN = 0.5

Arms = tuple[Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class Effect:
    """The mean difference between two sides, in fen.

    Attributes:
        about: `tier`, `anger`, `channel` or `business`.
        lower: Values of the one side.
        higher: Values of the other side, from which the difference is taken.
        strata: How many groups of the same facts have both sides.
        decisions: How many decisions these hold on each side.
        mean: What the other side gets more; None where nothing can be compared.
        interval: Of 95 %; None where there is too little.
        sure: Whether the interval leaves out zero by more than rounding.
    """

    about: str
    lower: tuple[str, ...]
    higher: tuple[str, ...]
    strata: int
    decisions: tuple[int, int]
    mean: int | None = None
    interval: tuple[int, int] | None = None
    sure: bool = False

    def to_wire(self) -> dict[str, Any]:
        """The effect as plain JSON types."""
        return {
            **vars(self),
            "lower": list(self.lower),
            "higher": list(self.higher),
            "decisions": list(self.decisions),
            "interval": list(self.interval) if self.interval else None,
        }


def effect(
    about: str,
    lower: Sequence[str],
    higher: Sequence[str],
    decisions: Iterable[tuple[Hashable, str, int]],
    seed: int = SEED,
) -> Effect:
    """Compare two sides.

    Args:
        about: What is looked at.
        lower: Values of the one side.
        higher: Values of the other side.
        decisions: Stratum, value and fen of each.
        seed: Of the bootstrap.
    """
    sides: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for stratum, value, fen in decisions:
        if value in lower or value in higher:
            sides[stratum][value in higher].append(fen)
    arms: list[Arms] = [one for one in sides.values() if one[0] and one[1]]
    counts = (sum(len(one[0]) for one in arms), sum(len(one[1]) for one in arms))
    found = Effect(about, tuple(lower), tuple(higher), len(arms), counts)
    if not arms:
        return found
    mean = _mean(arms)
    if min(counts) < _LEAST:
        return Effect(*_head(found), mean=round(mean))
    least, most = _interval(arms, mean, seed)
    sure = least > _HALF_A_FEN or most < -_HALF_A_FEN
    return Effect(*_head(found), mean=round(mean), interval=(round(least), round(most)), sure=sure)


def _head(one: Effect) -> tuple[str, tuple[str, ...], tuple[str, ...], int, tuple[int, int]]:
    return one.about, one.lower, one.higher, one.strata, one.decisions


def _told(arms: Arms) -> tuple[float, float]:
    """How much a stratum tells (half the harmonic mean of its sides), and its weighted difference.

    Of one decision on each side it tells half as much as of two.
    """
    low, high = arms
    weight = len(low) * len(high) / (len(low) + len(high))
    return weight, weight * (sum(high) / len(high) - sum(low) / len(low))


def _mean(arms: Iterable[Arms]) -> float:
    return _over([_told(one) for one in arms])


def _over(told: Sequence[tuple[float, float]]) -> float:
    return sum(one for _, one in told) / sum(weight for weight, _ in told)


def _interval(arms: Sequence[Arms], mean: float, seed: int) -> tuple[float, float]:
    if all(len({*low, *high}) == 1 for low, high in arms):
        # The usual case: the same for the same. Whatever is drawn, nothing differs.
        return mean, mean
    draw = random.Random(seed)  # noqa: S311 - a bootstrap that comes out the same again
    # Where each side got one thing only there is nothing to draw within.
    fixed = [_told(one) if all(len(set(side)) == 1 for side in one) else None for one in arms]
    places = range(len(arms))
    means = sorted(
        _over(
            [fixed[place] or _told(_again(draw, arms[place]))
             for place in draw.choices(places, k=len(arms))]
        )
        for _ in range(_RESAMPLES)
    )  # fmt: skip
    # The smallest and largest 2.5 %.
    cut = _RESAMPLES // 40
    return means[cut], means[-cut - 1]


def _again(draw: random.Random, arms: Arms) -> Arms:
    low, high = arms
    return _side(draw, low), _side(draw, high)


def _side(draw: random.Random, side: Sequence[int]) -> Sequence[int]:
    return side if len(set(side)) == 1 else draw.choices(side, k=len(side))
