"""The model behind `emotion`: one linear classifier for anger, one for each signal.

Both are logistic regressions with balanced classes, so that rare furious messages count as much
in training as frequent calm ones. Balancing bends the probabilities, and regularisation makes
them timid; both are set right by calibration on messages that the classifier has not seen
(five-fold, stratified): anger by a temperature and an offset for each level (vector scaling with
one temperature), each signal by a slope and an offset (Platt scaling).

Anger is decided by expected cost. Taking level i for level j costs |i - j|, which is lowest at
the median of the probabilities, so that a doubtful message is taken for the level between
rather than for an extreme: neither a calm customer is over-apologised to nor a furious one
answered lightly.
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
from bot.nlu.features import FeatureSpace

Array = np.ndarray[Any, Any]

FOLDS = 5
# Fewer examples than this on either side cannot be calibrated on.
MIN_TO_CALIBRATE = 10
ANGER_STRENGTH = 8.0
SIGNAL_STRENGTH = 8.0
COST = np.abs(np.subtract.outer(np.arange(ANGER_LEVELS), np.arange(ANGER_LEVELS))).astype(float)
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
    """Scores texts. Columns of the weights: the four levels, then the signals."""

    def __init__(self, space: FeatureSpace, weights: Array, offsets: Array) -> None:
        """Use what was fitted.

        Args:
            space: The features.
            weights: Shape (space.size, 4 + number of signals), calibration included.
            offsets: Shape (4 + number of signals,), calibration included.
        """
        self.space = space
        self._weights = np.ascontiguousarray(weights, dtype=np.float32)
        self._offsets = np.asarray(offsets, dtype=np.float64)

    @classmethod
    def fit(cls, examples: Sequence[Example]) -> "EmotionModel":
        """Train.

        Args:
            examples: At least one.

        Returns:
            The model. The same examples in the same order give the same model.
        """
        space = FeatureSpace.fit([example.text for example in examples])
        rows = space.rows(example.text for example in examples)
        anger_weights, anger_offsets = _fit_anger(
            rows, np.array([example.anger for example in examples])
        )
        signal_parts = [
            _fit_signal(rows, np.array([name in example.signals for example in examples]))
            for name in SIGNALS
        ]
        weights = np.column_stack([anger_weights, *(part[0] for part in signal_parts)])
        offsets = np.concatenate([anger_offsets, [part[1] for part in signal_parts]])
        return cls(space, weights, offsets)

    def predict(self, text: str) -> tuple[int, list[float], dict[str, float]]:
        """Score one text.

        Args:
            text: Any text that is not blank.

        Returns:
            Anger 0 to 3, the probabilities of the four levels, the probability of each signal.
        """
        columns, values = self.space.row(text)
        scores = np.asarray(values) @ self._weights[columns] + self._offsets
        probabilities = softmax(scores[None, :ANGER_LEVELS])[0]
        signals = 1 / (1 + np.exp(-np.clip(scores[ANGER_LEVELS:], -60, 60)))
        return (
            decide(probabilities),
            [float(p) for p in probabilities],
            {name: float(p) for name, p in zip(SIGNALS, signals, strict=True)},
        )

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and arrays, nothing that is executed on reading."""
        self.space.save(folder)
        np.savez(folder / "weights.npz", weights=self._weights, offsets=self._offsets)
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
    """Choose the level with the lowest expected cost.

    Args:
        probabilities: Of the four levels.

    Returns:
        The level.
    """
    return int(np.argmin(COST @ probabilities))


def softmax(scores: Array) -> Array:
    """Turn scores into probabilities, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Array = powers / powers.sum(axis=1, keepdims=True)
    return result


def _fit_anger(rows: csr_matrix, levels: Array) -> tuple[Array, Array]:
    """Give weights (features, 4) and offsets (4,), calibrated."""
    present = np.unique(levels)
    weights = np.zeros((rows.shape[1], ANGER_LEVELS))
    offsets = np.full(ANGER_LEVELS, _NEVER)
    if len(present) == 1:
        offsets[present[0]] = 0.0
        return weights, offsets
    classifier = _anger_classifier().fit(rows, levels)
    fitted_weights, fitted_offsets = _per_class(classifier)
    temperature, shifts = 1.0, np.zeros(len(present))
    if np.bincount(levels, minlength=ANGER_LEVELS)[present].min() >= MIN_TO_CALIBRATE:
        unseen = np.zeros((len(levels), len(present)))
        for train, test in _folds().split(rows, levels):
            part = _anger_classifier().fit(rows[train], levels[train])
            part_weights, part_offsets = _per_class(part)
            unseen[test] = rows[test] @ part_weights + part_offsets
        temperature, shifts = _scale(unseen, np.searchsorted(present, levels))
    weights[:, present] = fitted_weights * temperature
    offsets[present] = fitted_offsets * temperature + shifts
    return weights, offsets


def _anger_classifier() -> LogisticRegression:
    return LogisticRegression(
        C=ANGER_STRENGTH, class_weight="balanced", max_iter=300, tol=1e-3, random_state=0
    )


def _per_class(classifier: LogisticRegression) -> tuple[Array, Array]:
    """Give weights (features, classes); scikit-learn keeps one column for two classes."""
    weights, offsets = classifier.coef_.T, classifier.intercept_
    if weights.shape[1] == 1:
        return np.hstack([-weights / 2, weights / 2]), np.array([-offsets[0], offsets[0]]) / 2
    return weights, offsets


def _scale(scores: Array, classes: Array) -> tuple[float, Array]:
    """Find the temperature and the offsets that make the probabilities of `scores` true."""

    def loss(parameters: Array) -> float:
        probabilities = softmax(scores * np.exp(parameters[0]) + parameters[1:])
        picked = probabilities[np.arange(len(classes)), classes]
        # The second term keeps the offsets small where little is known.
        return float(-np.log(picked + 1e-12).mean() + 1e-3 * (parameters**2).sum())

    best = minimize(loss, np.zeros(1 + scores.shape[1]), method="L-BFGS-B")
    return float(np.exp(best.x[0])), best.x[1:]


def _fit_signal(rows: csr_matrix, present: Array) -> tuple[Array, float]:
    """Give weights (features,) and the offset, calibrated."""
    count = int(present.sum())
    if count in (0, len(present)):
        return np.zeros(rows.shape[1]), _NEVER if count == 0 else -_NEVER
    classifier = _signal_classifier().fit(rows, present)
    slope, shift = 1.0, 0.0
    if min(count, len(present) - count) >= MIN_TO_CALIBRATE:
        unseen = np.zeros(len(present))
        for train, test in _folds().split(rows, present):
            part = _signal_classifier().fit(rows[train], present[train])
            unseen[test] = part.decision_function(rows[test])
        slope, shift = _platt(unseen, present)
    return classifier.coef_[0] * slope, float(classifier.intercept_[0]) * slope + shift


def _signal_classifier() -> LogisticRegression:
    return LogisticRegression(
        C=SIGNAL_STRENGTH, class_weight="balanced", solver="liblinear", tol=1e-3, random_state=0
    )


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


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=0)
