"""Features of a message: character n-grams, words, cues, sentiment, and marks.

The space is fitted with scikit-learn-like arithmetic of our own, so that one message costs a
few dictionary look-ups and the whole space is stored as plain arrays and JSON.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from bot.nlu.normaliser import HOTLINES
from recovery.privacy import mask as hide

MAX_NGRAM = 3
# In how many messages a term must occur. Rarer ones tell more about who wrote than what is felt.
MIN_COUNT = 3
CUE_WEIGHT = 0.14
# Nor shall a text like none in training be decided by one cue alone.
CUE_LIMIT = 4.0

_DIGIT_RUN = re.compile(r"\d+")
_CLAUSE_END = re.compile(r"[,.;!?。…~\s]+")
_EMAIL = re.compile(r"[\w.]+@[\w\-]+\.[a-z]")

MARKS = (
    "length",
    "clauses",
    "exclamations",
    "questions",
    "longest_marks",
    "longest_repeat",
    "topics",
    "latin_share",
    "one_to_four",
    "five_to_eight",
    "digits_5",
    "digits_8",
    "digits_11",
    "digits_15",
    "e_mail",
    "personal_data",
)
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Analysis:
    """What the pipeline found in one message.

    Attributes:
        raw: As it was written.
        unified: See `normaliser.unify`.
        masked: See `normaliser.mask`.
        words: Of the masked text, without white space.
        cues: See `cues.Cues.count`.
        sentiment: See `sentiment.Lexicon.measure`.
    """

    raw: str
    unified: str
    masked: str
    words: tuple[str, ...]
    cues: tuple[float, ...]
    sentiment: tuple[float, ...]


def ngrams(text: str) -> Counter[str]:
    """Count character n-grams of length 1 to 3; they carry a prefix to tell them from words."""
    counts: Counter[str] = Counter()
    for size in range(1, MAX_NGRAM + 1):
        counts.update("c" + text[start : start + size] for start in range(len(text) - size + 1))
    return counts


def terms(words: Sequence[str]) -> Counter[str]:
    """Count words and pairs of neighbouring words."""
    counts: Counter[str] = Counter("w" + word for word in words)
    counts.update(f"p{left} {right}" for left, right in pairwise(words))
    return counts


def marks(analysis: Analysis) -> list[float]:
    """Count what shows feeling or personal data beside the words.

    Args:
        analysis: Of the message.

    Returns:
        A number for each of `MARKS`, counts as logarithms.
    """
    text = analysis.unified
    # A hotline is a word, and the only run of five digits in many a text; counted here it would
    # make every other short number look like a threat to call one.
    runs = [len(run) for run in _DIGIT_RUN.findall(text) if run not in HOTLINES]
    letters = sum(1 for character in text if "a" <= character <= "z")
    size = len(analysis.masked)
    counted = (
        size,
        len([part for part in _CLAUSE_END.split(text) if part]),
        text.count("!"),
        text.count("?"),
        max((len(run) for run in re.findall(r"[!?]+", text)), default=0),
        _longest_repeat(text),
        text.count("#") // 2,
    )
    return [
        *(math.log1p(count) for count in counted),
        letters / len(text) if text else 0.0,
        float(size <= 4),
        float(5 <= size <= 8),
        float(any(5 <= run <= 7 for run in runs)),
        float(any(8 <= run <= 10 or 12 <= run <= 14 for run in runs)),
        float(any(run == 11 for run in runs)),
        float(any(run >= 15 for run in runs)),
        float(_EMAIL.search(text) is not None),
        float(min(len(hide(analysis.raw).found), 2)),
    ]


def _longest_repeat(text: str) -> int:
    longest = run = 0
    previous = ""
    for character in text:
        run = run + 1 if character == previous else 1
        previous = character
        longest = max(longest, run)
    return longest


class FeatureSpace:
    """Maps a message to a sparse row: n-grams and words weighted by rarity, then the counts.

    Counts are cues, sentiment and marks.

    Attributes:
        size: Number of columns.
    """

    def __init__(
        self, vocabulary: Sequence[str], rarity: Array, mean: Array, spread: Array
    ) -> None:
        """Use what was fitted.

        Args:
            vocabulary: The known n-grams and words; the position is the column.
            rarity: Inverse document frequency of each, shape (len(vocabulary),).
            mean: Of each count in training.
            spread: Their standard deviation, above 0.
        """
        self.vocabulary = list(vocabulary)
        self.rarity = rarity
        self._columns = {term: column for column, term in enumerate(self.vocabulary)}
        self._rarity = [float(weight) for weight in rarity]
        self._mean = mean
        self._spread = spread

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.vocabulary) + len(self._mean)

    @classmethod
    def fit(cls, analyses: Sequence[Analysis], min_count: int = MIN_COUNT) -> "FeatureSpace":
        """Learn the vocabulary.

        Args:
            analyses: Of the training messages, at least one.
            min_count: In how many of them a term must occur.

        Returns:
            The space.
        """
        documents: Counter[str] = Counter()
        for one in analyses:
            documents.update(ngrams(one.masked).keys())
            documents.update(terms(one.words).keys())
        vocabulary = sorted(term for term, count in documents.items() if count >= min_count)
        counts = np.array([documents[term] for term in vocabulary], dtype=np.float64)
        rarity = np.log((1 + len(analyses)) / (1 + counts)) + 1
        shown = np.array([_shown(one) for one in analyses])
        spread = shown.std(axis=0)
        return cls(vocabulary, rarity, shown.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def row(self, analysis: Analysis) -> tuple[list[int], list[float]]:
        """Map one message.

        Args:
            analysis: Of the message.

        Returns:
            Columns and their values. The n-grams together and the words together each have
            length 1, as far as any is known.
        """
        columns: list[int] = []
        values: list[float] = []
        for block in (ngrams(analysis.masked), terms(analysis.words)):
            known = [
                (column, (1 + math.log(count)) * self._rarity[column])
                for term, count in block.items()
                if (column := self._columns.get(term)) is not None
            ]
            norm = math.sqrt(sum(value * value for _, value in known))
            columns.extend(column for column, _ in known)
            values.extend(value / norm for _, value in known)
        scaled = (np.asarray(_shown(analysis)) - self._mean) / self._spread
        columns.extend(range(len(self.vocabulary), self.size))
        values.extend((np.clip(scaled, -CUE_LIMIT, CUE_LIMIT) * CUE_WEIGHT).tolist())
        return columns, values

    def rows(self, analyses: Iterable[Analysis]) -> csr_matrix:
        """Map many messages.

        Args:
            analyses: Of the messages.

        Returns:
            Matrix of shape (number of messages, `size`).
        """
        pointers = [0]
        columns: list[int] = []
        values: list[float] = []
        for analysis in analyses:
            row_columns, row_values = self.row(analysis)
            columns.extend(row_columns)
            values.extend(row_values)
            pointers.append(len(columns))
        return csr_matrix((values, columns, pointers), shape=(len(pointers) - 1, self.size))

    def save(self, folder: Path) -> None:
        """Write vocabulary.json and features.npz into the folder."""
        (folder / "vocabulary.json").write_text(
            json.dumps(self.vocabulary, ensure_ascii=False), encoding="utf-8"
        )
        np.savez(
            folder / "features.npz",
            rarity=self.rarity.astype(np.float32),
            mean=self._mean,
            spread=self._spread,
        )

    @classmethod
    def load(cls, folder: Path) -> "FeatureSpace":
        """Read what `save` wrote."""
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "features.npz", allow_pickle=False) as arrays:
            return cls(vocabulary, arrays["rarity"], arrays["mean"], arrays["spread"])


def _shown(analysis: Analysis) -> list[float]:
    return [*analysis.cues, *analysis.sentiment, *marks(analysis)]
