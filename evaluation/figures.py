"""Figures of recognition, as in the scorer of the evaluation sets and in addition to it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score, roc_auc_score

Array = np.ndarray[Any, Any]

ANGRY = 2
BINS = 10
RESAMPLES = 1_000


@dataclass(frozen=True)
class Heard:
    """What a recogniser made of one message.

    Attributes:
        anger: 0 to 3.
        score: Higher is angrier.
        probabilities: Of the four levels; empty for a recogniser without them.
        signals: Probability of each.
        flags: The signals above their thresholds.
    """

    anger: int
    score: float
    probabilities: Sequence[float] = ()
    signals: dict[str, float] | None = None
    flags: frozenset[str] = frozenset()


def anger(gold: Sequence[dict[str, Any]], heard: Sequence[Heard]) -> dict[str, float]:
    """Score anger.

    Args:
        gold: Rows with `anger` and `complaint`.
        heard: What was made of each.

    Returns:
        angry_f1, angry_auc, anger_qwk, false_apology, missed_fury, and ece where there are
        probabilities: the mean distance between the stated probability of angry or furious and
        its share, over ten bins.
    """
    truth = np.array([row["anger"] for row in gold])
    level = np.array([one.anger for one in heard])
    score = np.array([one.score for one in heard])
    calm = np.array([row["anger"] == 0 and not row["complaint"] for row in gold])
    figures = {
        "angry_f1": f1_score(truth >= ANGRY, level >= ANGRY),
        "angry_auc": roc_auc_score(truth >= ANGRY, score),
        "anger_qwk": cohen_kappa_score(truth, level, weights="quadratic"),
        "false_apology": float((level[calm] >= 1).mean()) if calm.any() else 0.0,
        "missed_fury": float((level[truth == 3] < ANGRY).mean()) if (truth == 3).any() else 0.0,
    }
    if heard and heard[0].probabilities:
        figures["ece"] = calibration_error(truth >= ANGRY, score)
    return {name: float(value) for name, value in figures.items()}


def calibration_error(truth: Array, stated: Array) -> float:
    """Expected calibration error over `BINS` bins of equal width."""
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(truth[bins == number].mean() - stated[bins == number].mean())
            * (bins == number).mean()
            for number in range(BINS)
            if (bins == number).any()
        )
    )


def with_interval(
    truth: Sequence[bool],
    said: Sequence[bool],
    measure: Callable[[Array, Array], float] = f1_score,
) -> tuple[float, float, float]:
    """Give a figure and the bounds of its 95 % interval, by resampling messages."""
    one, other = np.array(truth), np.array(said)
    chance = random.Random(0)  # noqa: S311 - no secret
    tries = []
    for _ in range(RESAMPLES):
        chosen = np.array([chance.randrange(len(one)) for _ in range(len(one))])
        if one[chosen].any():
            tries.append(measure(one[chosen], other[chosen]))
    low, high = np.quantile(tries, [0.025, 0.975]) if tries else (0.0, 0.0)
    return float(measure(one, other)), float(low), float(high)
