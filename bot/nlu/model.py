"""The model behind `emotion`: linear scorers over clauses, for anger and for each signal.

A message is as angry as its angriest clause: a long complaint is told calmly up to the one clause
that is not, and taken as a whole it would pass for a report. So the scorers, logistic regressions
learnt from whole messages, score each clause; five numbers sum the clauses up (the two angriest,
their mean, the most furious, the least calm), and a second regression turns these into the four
probabilities. A complaint, a threat, personal data and danger are there when one clause has them;
asking for a person and settling a matter are said by the message as a whole.

The scorers learn with balanced classes, so that rare furious messages count as much as frequent
calm ones. That bends the probabilities and regularisation makes them timid. Both are set right on
messages that the scorer has not seen (five-fold, stratified): anger by the second regression, each
signal by a slope and an offset (Platt scaling).

Anger is decided by expected cost. Taking level i for level j costs |i - j|, which is lowest at
the median of the probabilities, so that a doubtful message is taken for the level between
rather than for an extreme: neither a calm customer is over-apologised to nor a furious one
answered lightly.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bot.nlu.clauses import clauses
from bot.nlu.contract import ANGER_LEVELS, SIGNALS
from bot.nlu.features import FeatureSpace

Array = np.ndarray[Any, Any]

FOLDS = 5
# Fewer examples than this on either side cannot be calibrated on.
MIN_TO_CALIBRATE = 10
ANGER_STRENGTH = 2.0
SIGNAL_STRENGTH = 8.0
COST = np.abs(np.subtract.outer(np.arange(ANGER_LEVELS), np.arange(ANGER_LEVELS))).astype(float)
SUMMARY = 5
# There as soon as one clause has them; the others are read from the whole message.
IN_A_CLAUSE = ("complaint", "escalation", "private")
# A level or signal that training never saw: so unlikely that it rounds to 0.
_NEVER = -30.0
_CLAUSEWISE = np.array([name in IN_A_CLAUSE for name in SIGNALS])


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

    def __init__(
        self,
        space: FeatureSpace,
        weights: Array,
        offsets: Array,
        mix_weights: Array,
        mix_offsets: Array,
    ) -> None:
        """Use what was fitted.

        Args:
            space: The features.
            weights: Shape (space.size, 4 + number of signals), the signals' calibration included.
            offsets: Shape (4 + number of signals,), the same.
            mix_weights: From the summary of the clauses to the levels, shape (SUMMARY, 4).
            mix_offsets: Shape (4,).
        """
        self.space = space
        self._weights = np.ascontiguousarray(weights, dtype=np.float32)
        self._offsets = np.asarray(offsets, dtype=np.float64)
        self._mix_weights = np.asarray(mix_weights, dtype=np.float64)
        self._mix_offsets = np.asarray(mix_offsets, dtype=np.float64)

    @classmethod
    def fit(cls, examples: Sequence[Example]) -> "EmotionModel":
        """Train.

        Args:
            examples: At least one.

        Returns:
            The model. The same examples in the same order give the same model.
        """
        texts = [example.text for example in examples]
        space = FeatureSpace.fit(texts)
        rows, parts = space.rows(texts), _Parts.of(texts, space)
        levels = np.array([example.anger for example in examples])
        anger_weights, anger_offsets, mix_weights, mix_offsets = _fit_anger(rows, parts, levels)
        signal_parts = [
            _fit_signal(
                rows,
                parts if name in IN_A_CLAUSE else None,
                np.array([name in example.signals for example in examples]),
            )
            for name in SIGNALS
        ]
        weights = np.column_stack([anger_weights, *(part[0] for part in signal_parts)])
        offsets = np.concatenate([anger_offsets, [part[1] for part in signal_parts]])
        return cls(space, weights, offsets, mix_weights, mix_offsets)

    def predict(self, text: str) -> tuple[int, list[float], dict[str, float]]:
        """Score one text.

        Args:
            text: Any text that is not blank.

        Returns:
            Anger 0 to 3, the probabilities of the four levels, the probability of each signal.
        """
        cut, whole = clauses(text), self._score(text)
        said = np.array([whole if piece == text else self._score(piece) for piece in cut.said])
        scores = np.array([*said, *map(self._score, cut.asides)])
        mixed = summary(said[:, :ANGER_LEVELS]) @ self._mix_weights + self._mix_offsets
        probabilities = softmax(mixed[None])[0]
        highest = np.where(_CLAUSEWISE, scores[:, ANGER_LEVELS:].max(axis=0), whole[ANGER_LEVELS:])
        signals = 1 / (1 + np.exp(-np.clip(highest, -60, 60)))
        return (
            decide(probabilities),
            [float(p) for p in probabilities],
            {name: float(p) for name, p in zip(SIGNALS, signals, strict=True)},
        )

    def _score(self, text: str) -> Array:
        columns, values = self.space.row(text)
        result: Array = np.asarray(values) @ self._weights[columns] + self._offsets
        return result

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and arrays, nothing that is executed on reading."""
        self.space.save(folder)
        np.savez(
            folder / "weights.npz",
            weights=self._weights,
            offsets=self._offsets,
            mix_weights=self._mix_weights,
            mix_offsets=self._mix_offsets,
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
            names = ("weights", "offsets", "mix_weights", "mix_offsets")
            return cls(FeatureSpace.load(folder), *(arrays[name] for name in names))


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


def summary(scores: Array) -> Array:
    """Sum up what the clauses of a message score.

    Args:
        scores: Of the four levels, shape (clauses, 4), at least one clause.

    Returns:
        Shape (SUMMARY,): how far angry lies above calm in the angriest clause, in the next one
        (the same one where there is no other) and on average; how far furious lies above all
        else where it does most; how far calm does where it does least.
    """
    upper = np.logaddexp(scores[:, 2], scores[:, 3])
    margins = np.sort(upper - np.logaddexp(scores[:, 0], scores[:, 1]))[::-1]
    fury = (scores[:, 3] - scores[:, :3].max(axis=1)).max()
    calm = (scores[:, 0] - scores[:, 1:].max(axis=1)).min()
    return np.array([margins[0], margins[min(1, len(margins) - 1)], margins.mean(), fury, calm])


@dataclass(frozen=True)
class _Parts:
    """The pieces of many messages, of each first what it says and then its asides.

    Attributes:
        rows: Their features, shape (pieces, space.size).
        said: Of each message the first of what it says, and the first piece after that.
        ends: Where its pieces end.
    """

    rows: csr_matrix
    said: tuple[tuple[int, int], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, texts: Iterable[str], space: FeatureSpace) -> "_Parts":
        pieces: list[str] = []
        said: list[tuple[int, int]] = []
        ends: list[int] = []
        for text in texts:
            cut = clauses(text)
            said.append((len(pieces), len(pieces) + len(cut.said)))
            pieces += [*cut.said, *cut.asides]
            ends.append(len(pieces))
        return cls(space.rows(pieces), tuple(said), tuple(ends))

    def summaries(self, weights: Array, offsets: Array, chosen: Array) -> Array:
        """The summaries of some messages under a scorer of anger, shape (messages, SUMMARY)."""
        scores = self.rows @ weights + offsets
        return np.array([summary(scores[slice(*self.said[one])]) for one in chosen])

    def highest(self, scores: Array, chosen: Array) -> Array:
        """The highest score of a piece in each of some messages, given that of every piece."""
        return np.array([scores[self.said[one][0] : self.ends[one]].max() for one in chosen])


def _fit_anger(rows: csr_matrix, parts: _Parts, levels: Array) -> tuple[Array, Array, Array, Array]:
    """Give weights (features, 4), offsets (4,), and the mix of the clauses on top of them."""
    present = np.unique(levels)
    weights = np.zeros((rows.shape[1], ANGER_LEVELS))
    offsets = np.full(ANGER_LEVELS, _NEVER)
    mix_weights, mix_offsets = np.zeros((SUMMARY, ANGER_LEVELS)), np.full(ANGER_LEVELS, _NEVER)
    if len(present) == 1:
        mix_offsets[present[0]] = 0.0
        return weights, offsets, mix_weights, mix_offsets

    def fitted(chosen: Array) -> tuple[Array, Array]:
        part_weights, part_offsets = weights.copy(), offsets.copy()
        classifier = _anger_classifier().fit(rows[chosen], levels[chosen])
        part_weights[:, present], part_offsets[present] = _per_class(classifier)
        return part_weights, part_offsets

    everything = np.arange(len(levels))
    weights_of_all, offsets_of_all = fitted(everything)
    if np.bincount(levels, minlength=ANGER_LEVELS)[present].min() >= MIN_TO_CALIBRATE:
        unseen = np.zeros((len(levels), SUMMARY))
        for train, test in _folds().split(rows, levels):
            unseen[test] = parts.summaries(*fitted(train), test)
    else:
        unseen = parts.summaries(weights_of_all, offsets_of_all, everything)
    mean, spread = unseen.mean(axis=0), unseen.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    mix = LogisticRegression(max_iter=300, random_state=0).fit((unseen - mean) / spread, levels)
    per_class, per_class_offsets = _per_class(mix)
    mix_weights[:, present] = per_class / spread[:, None]
    mix_offsets[present] = per_class_offsets - (mean / spread) @ per_class
    return weights_of_all, offsets_of_all, mix_weights, mix_offsets


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


def _fit_signal(rows: csr_matrix, parts: _Parts | None, present: Array) -> tuple[Array, float]:
    """Give weights (features,) and the offset, calibrated; over the clauses where given."""
    count = int(present.sum())
    if count in (0, len(present)):
        return np.zeros(rows.shape[1]), _NEVER if count == 0 else -_NEVER
    classifier = _signal_classifier().fit(rows, present)
    slope, shift = 1.0, 0.0
    if min(count, len(present) - count) >= MIN_TO_CALIBRATE:
        unseen = np.zeros(len(present))
        for train, test in _folds().split(rows, present):
            part = _signal_classifier().fit(rows[train], present[train])
            if parts is None:
                unseen[test] = part.decision_function(rows[test])
            else:
                unseen[test] = parts.highest(part.decision_function(parts.rows), test)
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
