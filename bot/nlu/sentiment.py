"""Sentiment lexicon: how much a message praises and blames, by words of known worth.

The table is `sentiment.tsv`. It carries what no training set can hold: thousands of rare words of
judgement that each occur once in a while. A trained pipeline keeps the table it was trained with.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("sentiment.tsv")

MEASURES = ("praise", "blame", "balance", "share", "end", "sign")
"""What `Lexicon.measure` gives, in its order."""

WORST, BEST = -2.0, 2.0
# "Not good" blames less than "bad", "not bad" praises less than "good".
_DENIED = -0.5
_DENIAL = re.compile(r"(?:[不没无未别]|没有|毫无|并非|不是很)$")
_LONGEST_DENIAL = 3
# A verdict comes last: the last two fifths of a message are summed up by themselves.
_END = 0.6
_MOST_AT_END = 4.0


class LexiconError(ValueError):
    """The lexicon is not as agreed."""


@dataclass(frozen=True)
class Hit:
    """An entry found in a text.

    Attributes:
        start: Where.
        word: The entry.
        weight: Of the entry, turned round and halved where it is denied.
    """

    start: int
    word: str
    weight: float


class Lexicon:
    """Finds words of judgement and sums them up.

    Attributes:
        weights: By word.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        """Use a table.

        Args:
            weights: By word, -2 to 2.

        Raises:
            LexiconError: A word is empty or a weight is out of bounds.
        """
        for word, weight in weights.items():
            if not word.strip() or not WORST <= weight <= BEST:
                raise LexiconError(f"sentiment.tsv: {word!r} cannot weigh {weight}")
        self.weights = dict(weights)
        self._longest = max(map(len, self.weights), default=0)

    @classmethod
    def read(cls, path: Path = TABLE) -> "Lexicon":
        """Read a table from a file.

        Raises:
            LexiconError: A line is not word, tab, weight; or see `Lexicon`.
        """
        weights: dict[str, float] = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            word, _, weight = line.partition("\t")
            try:
                value = float(weight)
            except ValueError as error:
                raise LexiconError(f"sentiment.tsv, line {number}: {line!r}") from error
            if word in weights:
                raise LexiconError(f"sentiment.tsv, line {number}: {word} stands there twice")
            weights[word] = value
        return cls(weights)

    def find(self, text: str, words: Iterable[str]) -> list[Hit]:
        """Find entries, the longest first; none overlaps another.

        Args:
            text: As `bot.nlu.normaliser.mask` gives it.
            words: Of the text. A single character judges only where it is a word by itself.

        Returns:
            What was found, in the order of the text; entries of weight 0 are left out.
        """
        alone = {word for word in words if len(word) == 1}
        hits: list[Hit] = []
        start = 0
        while start < len(text):
            for size in range(min(self._longest, len(text) - start), 0, -1):
                word = text[start : start + size]
                weight = self.weights.get(word)
                if weight is None or (size == 1 and word not in alone):
                    continue
                if _DENIAL.search(text[max(0, start - _LONGEST_DENIAL) : start]):
                    weight *= _DENIED
                if weight:
                    hits.append(Hit(start, word, weight))
                start += size
                break
            else:
                start += 1
        return hits

    def measure(self, text: str, words: tuple[str, ...]) -> tuple[float, ...]:
        """Sum up how a text judges.

        Args:
            text: As `bot.nlu.normaliser.mask` gives it.
            words: Of the text.

        Returns:
            One number for each of `MEASURES`: praise and blame (logarithms of the sums), blame
            less praise over the root of the number of words, the same over both together, blame
            less praise at the end (-4 to 4), and which of the two is more (-1, 0 or 1).
        """
        hits = self.find(text, words)
        praise = sum(hit.weight for hit in hits if hit.weight > 0)
        blame = -sum(hit.weight for hit in hits if hit.weight < 0)
        balance = blame - praise
        end = -sum(hit.weight for hit in hits if hit.start >= len(text) * _END)
        return (
            math.log1p(praise),
            math.log1p(blame),
            balance / math.sqrt(max(len(words), 1)),
            balance / (praise + blame + 1),
            max(-_MOST_AT_END, min(end, _MOST_AT_END)),
            float((balance > 0) - (balance < 0)),
        )
