"""Five-fold cross-validation of intents and entities; messages of one pattern stay in one fold."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sklearn.metrics import accuracy_score, f1_score

from bot.nlu import pipeline
from bot.nlu.entity_model import EntityModel
from bot.nlu.intent_model import IntentModel
from evaluation import data
from evaluation.data import Labelled

FOLDS = 5


@dataclass
class Counts:
    """Of the entities of each kind: found rightly, found wrongly, missed."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def score(self, kind: str) -> float:
        """F1 of one kind; a found entity counts if start, end and kind are right."""
        right = 2 * self.right[kind]
        return right / max(right + self.wrong[kind] + self.missed[kind], 1)

    def weighted(self) -> float:
        """F1 over all kinds, weighted by how often each occurs."""
        sizes = self.right + self.missed
        return sum(self.score(kind) * size for kind, size in sizes.items()) / sizes.total()


def folds(messages: Sequence[Labelled]) -> list[int]:
    """Give the fold of each message."""
    return [data.hash_of(one.pattern) % FOLDS for one in messages]


def intents(messages: Sequence[Labelled]) -> tuple[float, float]:
    """Cross-validate the intents, each message with the trade of its business.

    Args:
        messages: All.

    Returns:
        Weighted F1 and accuracy.
    """
    fold_of, patterns = folds(messages), data.intent_patterns()
    analyses = pipeline.analyses([one.text for one in messages])
    truth, heard = [], []
    for fold in range(FOLDS):
        learnt = [number for number, other in enumerate(fold_of) if other != fold]
        model = IntentModel.fit(
            [analyses[number] for number in learnt],
            [messages[number].intent for number in learnt],
            patterns,
        )
        for number, other in enumerate(fold_of):
            if other == fold:
                truth.append(messages[number].intent)
                heard.append(next(iter(model.predict(analyses[number], messages[number].trade))))
    return (
        float(f1_score(truth, heard, average="weighted")),
        float(accuracy_score(truth, heard)),
    )


def entities(messages: Sequence[Labelled]) -> Counts:
    """Cross-validate the entities.

    Args:
        messages: All.

    Returns:
        What was found and missed.
    """
    fold_of, gazetteer, counts = folds(messages), data.gazetteer(), Counts()
    for fold in range(FOLDS):
        learnt = [
            (one.text, one.spans)
            for one, other in zip(messages, fold_of, strict=True)
            if other != fold
        ]
        with tempfile.TemporaryDirectory() as draft:
            model = EntityModel.fit(learnt, gazetteer, Path(draft))
        for one, other in zip(messages, fold_of, strict=True):
            if other == fold:
                truth, found = set(one.spans), set(model.predict(one.text))
                counts.right.update(kind for _, _, kind in truth & found)
                counts.wrong.update(kind for _, _, kind in found - truth)
                counts.missed.update(kind for _, _, kind in truth - found)
    return counts
