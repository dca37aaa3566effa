"""The model behind the intents: first what the customer does, then, of a complaint, its failure.

Two sets of logistic regressions, one class against the rest, over the features of the emotion
model and the trainers' patterns. The industry of the business is known and never guessed, so the
failures that it cannot commit are left out: the same words mean a dirty room to a hotel and a
dirty stairwell to a property manager.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from bot.nlu.features import Analysis, FeatureSpace
from recovery.failures import COMPLAINT_PREFIX, FAILURES

Array = np.ndarray[Any, Any]

COMPLAINT = "complaint"
OTHER = "complain_other"
"""The intent of complaints that are none of the named failures; every industry has it."""
STRENGTH = 2.0
PATTERN_WEIGHT = 0.5
# One scorer against the rest for each of dozens of classes: the small doubts of all of them add
# up to more than the message deserves. Found on messages that the model had not seen.
SHARPNESS = 1.25
# How far rare classes are weighted up: 0 not at all, 1 until all weigh the same. Complaints are
# most of what is said, and a complaint taken for praise is the worst mistake.
ACTS_BALANCE = 0.5
FAILURES_BALANCE = 1.0


class Patterns:
    """Regular expressions that trainers wrote about what a message is about.

    Attributes:
        sources: The expressions by name.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Compile them.

        Args:
            sources: Expressions by name.

        Raises:
            re.error: One is no regular expression.
        """
        self.sources = dict(sources)
        self._compiled = [re.compile(source) for source in self.sources.values()]

    def row(self, text: str) -> list[float]:
        """Tell of each pattern whether the text has it, as a weight."""
        return [PATTERN_WEIGHT if pattern.search(text) else 0.0 for pattern in self._compiled]


class IntentModel:
    """Gives the probabilities of the intents of a message."""

    def __init__(
        self,
        space: FeatureSpace,
        patterns: Patterns,
        acts: Sequence[str],
        failures: Sequence[str],
        weights: Array,
        offsets: Array,
    ) -> None:
        """Use what was trained.

        Args:
            space: Of the features.
            patterns: Of the trainers.
            acts: The intents that are no complaints, and `COMPLAINT`.
            failures: The intents of complaints.
            weights: Shape (space.size + patterns, acts + failures).
            offsets: Shape (acts + failures,).
        """
        self.space = space
        self.patterns = patterns
        self.acts = list(acts)
        self.failures = list(failures)
        self._weights = np.asarray(weights, dtype=np.float32)
        self._offsets = np.asarray(offsets, dtype=np.float64)

    @classmethod
    def fit(
        cls, analyses: Sequence[Analysis], intents: Sequence[str], patterns: Patterns
    ) -> "IntentModel":
        """Train.

        Args:
            analyses: Of the messages, at least one.
            intents: Of the messages.
            patterns: Of the trainers.

        Returns:
            The model. The same messages in the same order give the same model.
        """
        space = FeatureSpace.fit(analyses)
        shown = csr_matrix(
            [patterns.row(one.raw) for one in analyses],
            shape=(len(analyses), len(patterns.sources)),
        )
        rows = hstack([space.rows(analyses), shown]).tocsr()
        acts = np.array([COMPLAINT if _is_complaint(intent) else intent for intent in intents])
        complaints = np.flatnonzero(acts == COMPLAINT)
        # Not in threads: they would share liblinear's random numbers and differ from run to run.
        first = _fit(rows, acts, ACTS_BALANCE)
        second = _fit(rows[complaints], np.array(intents)[complaints], FAILURES_BALANCE)
        return cls(
            space,
            patterns,
            first[0],
            second[0],
            np.column_stack([first[1], second[1]]),
            np.concatenate([first[2], second[2]]),
        )

    def predict(self, analysis: Analysis, industry: str | None) -> dict[str, float]:
        """Score one message.

        Args:
            analysis: Of the message.
            industry: Of the business; None where it is not known, as in `rasa shell`. Of one
                that has no failures of its own every complaint is `OTHER`.

        Returns:
            The probability of each possible intent, the likeliest first; they sum up to 1.
        """
        columns, values = self.space.row(analysis)
        scores = np.asarray(values) @ self._weights[columns] + self._offsets
        scores += self.patterns.row(analysis.raw) @ self._weights[self.space.size :]
        likely = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        acts = _shares(likely[: len(self.acts)])
        result = dict(zip(self.acts, acts, strict=True))
        complaint = result.pop(COMPLAINT, 0.0)
        if complaint:
            possible = np.array([_possible(failure, industry) for failure in self.failures])
            kinds = _shares(likely[len(self.acts) :] * possible)
            for failure, share in zip(self.failures, kinds, strict=True):
                if share:
                    result[failure] = complaint * share
        ranked = sorted(result.items(), key=lambda one: -one[1])
        return {name: float(share) for name, share in ranked}

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and arrays, nothing that is executed on reading."""
        self.space.save(folder)
        np.savez(folder / "weights.npz", weights=self._weights, offsets=self._offsets)
        (folder / "intents.json").write_text(
            json.dumps(
                {
                    "acts": self.acts,
                    "failures": self.failures,
                    "patterns": self.patterns.sources,
                },
                ensure_ascii=False,
            ),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, folder: Path) -> "IntentModel":
        """Read what `save` wrote."""
        kept = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            return cls(
                FeatureSpace.load(folder),
                Patterns(kept["patterns"]),
                kept["acts"],
                kept["failures"],
                arrays["weights"],
                arrays["offsets"],
            )


def _is_complaint(intent: str) -> bool:
    return intent.startswith(COMPLAINT_PREFIX)


def _possible(intent: str, industry: str | None) -> bool:
    """Whether a business of this industry can hear the complaint."""
    failure = FAILURES.get(intent.removeprefix(COMPLAINT_PREFIX))
    return industry is None or failure is None or industry in failure.industries


def _shares(likely: Array) -> Array:
    sharp = likely**SHARPNESS
    total = sharp.sum()
    return sharp / total if total else sharp


def _fit(rows: csr_matrix, classes: Array, balance: float) -> tuple[list[str], Array, Array]:
    """Give the names, weights (features, classes) and offsets of one-against-the-rest scorers."""
    counts = Counter(classes)
    names = sorted(counts)
    if len(names) < 2:
        return names, np.zeros((rows.shape[1], len(names))), np.zeros(len(names))
    weights_of = {
        name: (len(classes) / (len(names) * count)) ** balance for name, count in counts.items()
    }
    scorer = LogisticRegression(
        C=STRENGTH, class_weight=weights_of, solver="liblinear", dual=True, tol=1e-2, random_state=0
    ).fit(rows, classes)
    weights, offsets = scorer.coef_.T, scorer.intercept_
    if len(names) == 2:
        # scikit-learn keeps one column for two classes.
        weights, offsets = np.hstack([-weights, weights]), np.array([-offsets[0], offsets[0]])
    return list(scorer.classes_), weights, offsets
