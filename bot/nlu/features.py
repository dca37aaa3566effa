"""Features of a message: character n-grams, words, and cues that n-grams cannot count.

The space is fitted with scikit-learn-like arithmetic of our own, so that one message costs a
few dictionary look-ups and the whole space is stored as plain arrays and JSON.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jieba
import numpy as np
from scipy.sparse import csr_matrix

from bot.nlu.normaliser import HOTLINES, mask, unify

MAX_NGRAM = 4
CUE_WEIGHT = 0.35

_BRACKET_EMOJI = re.compile(r"\[[^\[\]\s]{1,8}\]")
_DIGIT_RUN = re.compile(r"\d+")
_CLAUSE_END = re.compile(r"[,.;!?，。；！？…~\s]+")

CUES = (
    "length",
    "clauses",
    "exclamations",
    "questions",
    "mixed_marks",
    "longest_marks",
    "dots",
    "longest_repeat",
    "emoji",
    "bracket_emoji",
    "mentions",
    "hashtags",
    "links",
    "latin_share",
    "digits_5",
    "digits_8",
    "digits_11",
    "digits_15",
    "e_mail",
    "ends_with_mark",
    "bare",
)


def ngrams(text: str) -> Counter[str]:
    """Count character n-grams of length 1 to 4; they carry a prefix to tell them from words."""
    counts: Counter[str] = Counter()
    for size in range(1, MAX_NGRAM + 1):
        counts.update("c" + text[start : start + size] for start in range(len(text) - size + 1))
    return counts


def words(text: str) -> Counter[str]:
    """Count words and pairs of neighbouring words."""
    cut = [word for word in jieba.lcut(text) if not word.isspace()]
    counts: Counter[str] = Counter("w" + word for word in cut)
    counts.update(f"p{left} {right}" for left, right in pairwise(cut))
    return counts


def cues(text: str) -> list[float]:
    """Count what shows feeling or personal data beside the words.

    Args:
        text: A unified text, its digits and repeats untouched.

    Returns:
        A number for each of `CUES`, counts as logarithms.
    """
    marks = re.findall(r"[!?]+", text)
    # A hotline is a word, and the only run of five digits in many a text; counted here it would
    # make every other short number look like a threat to call one.
    runs = [len(run) for run in _DIGIT_RUN.findall(text) if run not in HOTLINES]
    emoji = sum(1 for character in text if ord(character) >= 0x2600 and _is_pictogram(character))
    letters = sum(1 for character in text if "a" <= character <= "z")
    size = len(text)
    counted = (
        size,
        len([part for part in _CLAUSE_END.split(text) if part]),
        text.count("!"),
        text.count("?"),
        sum(1 for run in marks if "!" in run and "?" in run),
        max((len(run) for run in marks), default=0),
        text.count("...") + text.count("。。"),
        _longest_repeat(text),
        emoji,
        len(_BRACKET_EMOJI.findall(text)),
        text.count("@"),
        text.count("#") // 2,
        text.count("http") + text.count("www."),
    )
    return [
        *(math.log1p(count) for count in counted),
        letters / size if size else 0.0,
        float(any(5 <= run <= 7 for run in runs)),
        float(any(8 <= run <= 10 or 12 <= run <= 14 for run in runs)),
        float(any(run == 11 for run in runs)),
        float(any(run >= 15 for run in runs)),
        float(re.search(r"[\w.]+@[\w\-]+\.[a-z]", text) is not None),
        float(text[-1:] in {"!", "?"}),
        float(size <= 4),
    ]


def _is_pictogram(character: str) -> bool:
    code = ord(character)
    return 0x2600 <= code <= 0x27BF or 0x1F300 <= code <= 0x1FAFF


def _longest_repeat(text: str) -> int:
    longest = run = 0
    previous = ""
    for character in text:
        run = run + 1 if character == previous else 1
        previous = character
        longest = max(longest, run)
    return longest


class FeatureSpace:
    """Maps a text to a sparse row: n-grams and words weighted by rarity, then the cues.

    Attributes:
        size: Number of columns.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        rarity: "np.ndarray[Any, Any]",
        cue_mean: "np.ndarray[Any, Any]",
    ) -> None:
        """Use what was fitted.

        Args:
            vocabulary: The known n-grams and words; the position is the column.
            rarity: Inverse document frequency of each, shape (len(vocabulary),).
            cue_mean: Mean of each cue in training, shape (len(CUES),).
        """
        self.vocabulary = list(vocabulary)
        self.rarity = rarity
        self._columns = {term: column for column, term in enumerate(self.vocabulary)}
        self._rarity = [float(weight) for weight in rarity]
        self._cue_mean = cue_mean

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.vocabulary) + len(CUES)

    @classmethod
    def fit(cls, texts: Sequence[str], min_count: int = 2) -> "FeatureSpace":
        """Learn the vocabulary.

        Args:
            texts: Training messages, at least one.
            min_count: In how many of them a term must occur.

        Returns:
            The space.
        """
        documents: Counter[str] = Counter()
        all_cues = []
        for text in texts:
            unified = unify(text)
            masked = mask(unified)
            documents.update(ngrams(masked).keys())
            documents.update(words(masked).keys())
            all_cues.append(cues(unified))
        vocabulary = sorted(term for term, count in documents.items() if count >= min_count)
        counts = np.array([documents[term] for term in vocabulary], dtype=np.float64)
        rarity = np.log((1 + len(texts)) / (1 + counts)) + 1
        return cls(vocabulary, rarity, np.mean(all_cues, axis=0))

    def row(self, text: str) -> tuple[list[int], list[float]]:
        """Map one text.

        Args:
            text: Any text.

        Returns:
            Columns and their values. The n-grams together and the words together each have
            length 1, as far as any is known.
        """
        unified = unify(text)
        masked = mask(unified)
        columns: list[int] = []
        values: list[float] = []
        for block in (ngrams(masked), words(masked)):
            known = [
                (column, (1 + math.log(count)) * self._rarity[column])
                for term, count in block.items()
                if (column := self._columns.get(term)) is not None
            ]
            norm = math.sqrt(sum(value * value for _, value in known))
            columns.extend(column for column, _ in known)
            values.extend(value / norm for _, value in known)
        # Not divided by their spread: a cue that is rare in training (a phone number) would
        # outweigh all words where it occurs.
        scaled = (np.asarray(cues(unified)) - self._cue_mean) * CUE_WEIGHT
        # Nor shall a text like none in training be decided by one cue alone.
        limit = 4 * CUE_WEIGHT
        columns.extend(range(len(self.vocabulary), self.size))
        values.extend(float(value) for value in np.clip(scaled, -limit, limit))
        return columns, values

    def rows(self, texts: Iterable[str]) -> csr_matrix:
        """Map many texts.

        Args:
            texts: Any texts.

        Returns:
            Matrix of shape (number of texts, `size`).
        """
        pointers = [0]
        columns: list[int] = []
        values: list[float] = []
        for text in texts:
            row_columns, row_values = self.row(text)
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
            cue_mean=self._cue_mean,
        )

    @classmethod
    def load(cls, folder: Path) -> "FeatureSpace":
        """Read what `save` wrote."""
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "features.npz", allow_pickle=False) as arrays:
            return cls(vocabulary, arrays["rarity"], arrays["cue_mean"])
