"""The model behind `emotion`: linear scorers over features, for anger and for each signal.

Logistic regressions over n-grams, words and cues. Anger is ordinal: one scorer each tells whether
a message is at least dissatisfied, at least angry, furious. Other designs were measured beside
it, see docs/recognition.md; this one hears best and costs least.

Regularisation makes the scorers timid, and balanced classes bend the probabilities of the rare
signals. Both are set right by a slope and an offset (Platt scaling), found on messages that the
scorer has not seen (five-fold, stratified).

Anger is decided by expected cost. To answer an angry customer as if she were not costs twice as
much as the reverse, since nobody comes back to her; to apologise to the calm costs more than to
let a mild grievance pass for a question, which is answered as well. So a message is taken for at
least dissatisfied, angry, furious from the probabilities `AT_LEAST` on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.nlu.contract import ANGER_LEVELS, SIGNALS
from bot.nlu.features import Analysis, FeatureSpace

Array = np.ndarray[Any, Any]

FOLDS = 5
# Fewer examples than this on either side cannot be calibrated on.
MIN_TO_CALIBRATE = 10
STRENGTH = 2.0
AT_LEAST = (0.6, 0.35, 0.3)
"""From which probability on a message is taken for at least level 1, 2, 3."""
# A level or signal that training never saw: so unlikely that it rounds to 0.
_NEVER = -30.0


@dataclass(frozen=True)
class Example:
    """A message with what a trainer heard in it.

    Attributes:
        text: The message.
        anger: 0 to 3.
        signals: Names out of `SIGNALS`.
    """

    text: str
    anger: int
    signals: frozenset[str]


class EmotionModel:
    """Scores messages for anger and signals."""

    def __init__(self, space: FeatureSpace, weights: Array, offsets: Array) -> None:
        """Use what was trained.

        Args:
            space: Of the features.
            weights: Shape (space.size, 3 + signals): at least level 1, 2, 3; each signal.
            offsets: Shape (3 + signals,).
        """
        self.space = space
        self._weights = np.asarray(weights, dtype=np.float64)
        self._offsets = np.asarray(offsets, dtype=np.float64)

    @classmethod
    def fit(cls, analyses: Sequence[Analysis], examples: Sequence[Example]) -> "EmotionModel":
        """Train.

        Args:
            analyses: Of the messages of the examples, in their order; at least one.
            examples: What was heard in them.

        Returns:
            The model. The same examples in the same order give the same model.
        """
        space = FeatureSpace.fit(analyses)
        rows = space.rows(analyses)
        anger = np.array([example.anger for example in examples])
        tasks = [
            *((anger >= level, None) for level in range(1, ANGER_LEVELS)),
            *(
                (np.array([name in one.signals for one in examples]), "balanced")
                for name in SIGNALS
            ),
        ]
        # Not in threads: they would share liblinear's random numbers and differ from run to run.
        scorers = [_fit(rows, *task) for task in tasks]
        return cls(
            space,
            np.column_stack([weights for weights, _ in scorers]),
            np.array([offset for _, offset in scorers]),
        )

    def predict(self, analysis: Analysis) -> tuple[int, list[float], dict[str, float]]:
        """Score one message.

        Args:
            analysis: Of a text that is not blank.

        Returns:
            Anger 0 to 3, the probabilities of the four levels, the probability of each signal.
        """
        columns, values = self.space.row(analysis)
        scores = np.asarray(values) @ self._weights[columns] + self._offsets
        likely = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        probabilities = levels(likely[: ANGER_LEVELS - 1])
        return (
            decide(probabilities),
            [float(p) for p in probabilities],
            {name: float(p) for name, p in zip(SIGNALS, likely[ANGER_LEVELS - 1 :], strict=True)},
        )

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and arrays, nothing that is executed on reading."""
        self.space.save(folder)
        np.savez(
            folder / "weights.npz",
            weights=self._weights.astype(np.float32),
            offsets=self._offsets,
        )
        (folder / "signals.json").write_text(json.dumps(SIGNALS), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "EmotionModel":
        """Read what `save` wrote.

        Args:
            folder: Where it is.

        Returns:
            The model.

        Raises:
            ValueError: It was trained for other signals than ours.
        """
        signals = json.loads((folder / "signals.json").read_text(encoding="utf-8"))
        if tuple(signals) != SIGNALS:
            raise ValueError(f"the model knows the signals {signals}: train it again")
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            return cls(FeatureSpace.load(folder), arrays["weights"], arrays["offsets"])


def decide(probabilities: Array) -> int:
    """Choose the level.

    Args:
        probabilities: Of the four levels.

    Returns:
        The highest level that the message reaches or exceeds with the probability `AT_LEAST`.
    """
    for level in range(ANGER_LEVELS - 1, 0, -1):
        if probabilities[level:].sum() >= AT_LEAST[level - 1]:
            return level
    return 0


def levels(at_least: Array) -> Array:
    """Turn the probabilities of at least level 1, 2, 3 into those of the four levels.

    Args:
        at_least: Three, each from a scorer of its own, so that a higher level may come out
            likelier than a lower one; it then drags the lower one up to it.

    Returns:
        Four, which sum up to 1.
    """
    falling = np.maximum.accumulate(at_least[::-1])[::-1]
    return np.abs(np.diff(np.concatenate([[1.0], falling, [0.0]])))


def _fit(rows: csr_matrix, present: Array, class_weight: str | None) -> tuple[Array, float]:
    """Give calibrated weights (features,) and the offset."""
    count = int(present.sum())
    if count in (0, len(present)):
        return np.zeros(rows.shape[1]), _NEVER if count == 0 else -_NEVER

    def fitted(chosen: Array) -> LogisticRegression:
        classifier = LogisticRegression(
            C=STRENGTH,
            class_weight=class_weight,
            solver="liblinear",
            dual=True,
            tol=1e-2,
            random_state=0,
        )
        return classifier.fit(rows[chosen], present[chosen])

    whole = fitted(np.arange(len(present)))
    slope, shift = 1.0, 0.0
    if min(count, len(present) - count) >= MIN_TO_CALIBRATE:
        unseen = np.zeros(len(present))
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        for train, test in folds.split(rows, present):
            unseen[test] = fitted(train).decision_function(rows[test])
        slope, shift = _platt(unseen, present)
    return whole.coef_[0] * slope, float(whole.intercept_[0]) * slope + shift


def _platt(scores: Array, present: Array) -> tuple[float, float]:
    """Find slope and offset of Platt's method, with his smoothed targets."""
    positives = int(present.sum())
    negatives = len(present) - positives
    targets = np.where(present, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: Array) -> float:
        logits = scores * np.exp(parameters[0]) + parameters[1]
        return float(np.mean(np.logaddexp(0, logits) - targets * logits))

    best = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-10, 10)])
    return float(np.exp(best.x[0])), float(best.x[1])
