"""The model behind the entities: a conditional random field over characters.

It learns from the marked examples. The trainers' patterns and lookup tables are among its
features, so they lead it and do not bind it: "12号" may be a date or a table. Characters, since a
word cut wrongly would cut its entity wrongly, too.
"""

import ctypes
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import jieba
import pycrfsuite

Span = tuple[int, int, str]
"""Start, end and kind of an entity."""

OUTSIDE = "O"
NUMERALS = "零一二两三四五六七八九十百千万亿几半"
# Passive-aggressive: better than L-BFGS on messages not seen, in a quarter of its time.
ALGORITHM = "pa"
ROUNDS = 15
# A feature seen but once tells of that message only.
MIN_COUNT = 2
# Two characters out of a lookup table often are parts of other words; longer ones hardly ever.
SURE_LENGTH = 3
# Of the messages without any entity so many are learnt from: one in.
EMPTY_SHARE = 2

SEED = 1

_FILE = "entities.crfsuite"


class Gazetteer:
    """Finds patterns and words of lookup tables.

    Attributes:
        patterns: Regular expressions by kind.
        words: Kind of each word of the lookup tables.
    """

    def __init__(self, patterns: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> None:
        """Use the trainers' tables.

        Args:
            patterns: Regular expressions by kind.
            words: Kind by word.

        Raises:
            re.error: One is no regular expression.
        """
        self.patterns = {kind: list(sources) for kind, sources in patterns.items()}
        self.words = dict(words)
        self._compiled = [
            (kind, re.compile(source, re.IGNORECASE))
            for kind, sources in self.patterns.items()
            for source in sources
        ]
        self._longest = max(map(len, self.words), default=0)

    def by_pattern(self, text: str) -> list[Span]:
        """Give what the patterns find; of overlapping ones the longest."""
        found = [
            (match.start(), match.end(), kind)
            for kind, pattern in self._compiled
            for match in pattern.finditer(text)
            if match.end() > match.start()
        ]
        found.sort(key=lambda span: (span[0] - span[1], span[0]))
        kept: list[Span] = []
        for start, end, kind in found:
            if all(end <= before or start >= after for before, after, _ in kept):
                kept.append((start, end, kind))
        return kept

    def by_word(self, text: str, bounds: frozenset[int]) -> list[Span]:
        """Give the words of the tables, the longest at each place.

        Args:
            text: The message.
            bounds: Where its words begin and end; a short entry must keep to them.
        """
        found: list[Span] = []
        start = 0
        while start < len(text):
            for size in range(min(self._longest, len(text) - start), 1, -1):
                kind = self.words.get(text[start : start + size])
                end = start + size
                if kind and (size >= SURE_LENGTH or {start, end} <= bounds):
                    found.append((start, end, kind))
                    start = end
                    break
            else:
                start += 1
        return found


class EntityModel:
    """Marks entities in a text."""

    def __init__(self, gazetteer: Gazetteer, trained: bytes) -> None:
        """Use what was trained.

        Args:
            gazetteer: That it was trained with.
            trained: CRFsuite's model.
        """
        self.gazetteer = gazetteer
        self._trained = trained
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(trained)

    @classmethod
    def fit(
        cls, examples: Iterable[tuple[str, Sequence[Span]]], gazetteer: Gazetteer, draft: Path
    ) -> "EntityModel":
        """Train.

        Args:
            examples: Messages and what is marked in them, at least one with a mark. Of
                overlapping marks the later wins.
            gazetteer: Patterns and words.
            draft: An existing folder, for CRFsuite to write in.

        Returns:
            The model. The same examples in the same order give the same model.
        """
        trainer = pycrfsuite.Trainer(algorithm=ALGORITHM, verbose=False)
        trainer.set_params({"max_iterations": ROUNDS, "feature.minfreq": MIN_COUNT})
        empty = 0
        for text, spans in examples:
            if not spans:
                empty += 1
                if empty % EMPTY_SHARE:
                    continue
            if text:
                trainer.append(features(text, gazetteer), tags(text, spans))
        path = draft / _FILE
        # CRFsuite shuffles with C's rand(); the same examples shall give the same model.
        ctypes.CDLL(None).srand(SEED)
        trainer.train(str(path))
        return cls(gazetteer, path.read_bytes())

    def predict(self, text: str) -> list[Span]:
        """Mark a text.

        Args:
            text: Any.

        Returns:
            What is found, in the order of the text; nothing overlaps.
        """
        return spans(self._tagger.tag(features(text, self.gazetteer))) if text else []

    def save(self, folder: Path) -> None:
        """Write the model into a folder: nothing that is executed on reading."""
        (folder / _FILE).write_bytes(self._trained)
        tables = {"patterns": self.gazetteer.patterns, "words": self.gazetteer.words}
        (folder / "gazetteer.json").write_text(json.dumps(tables, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "EntityModel | None":
        """Read what `save` wrote; None where there is nothing."""
        if not (folder / _FILE).is_file():
            return None
        tables = json.loads((folder / "gazetteer.json").read_text("utf-8"))
        gazetteer = Gazetteer(tables["patterns"], tables["words"])
        return cls(gazetteer, (folder / _FILE).read_bytes())


def tags(text: str, marked: Sequence[Span]) -> list[str]:
    """Give the tag of each character: B-kind, I-kind or O."""
    found = [OUTSIDE] * len(text)
    for start, end, kind in marked:
        found[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return found


def spans(tagged: Sequence[str]) -> list[Span]:
    """Read the entities from tags; one that begins with I counts, too."""
    found: list[Span] = []
    start, kind = 0, ""
    for place, tag in enumerate([*tagged, OUTSIDE]):
        if kind and tag != f"I-{kind}":
            found.append((start, place, kind))
            kind = ""
        if tag != OUTSIDE and not kind:
            start, kind = place, tag[2:]
    return found


def features(text: str, gazetteer: Gazetteer) -> list[list[str]]:
    """Give the features of each character of a text."""
    size = len(text)
    words, place_in_word, word_number = _words(text)
    bounds = frozenset(_bounds(words))
    pattern = _laid(size, gazetteer.by_pattern(text))
    listed = _laid(size, gazetteer.by_word(text, bounds))
    kinds = [_kind(character) for character in text]
    seen = ["0" if kind == "d" else character for character, kind in zip(text, kinds, strict=True)]
    result = []
    for here in range(size):
        number = word_number[here]
        before = words[number - 1] if number else "^"
        after = words[number + 1] if number + 1 < len(words) else "$"
        one = [
            f"w={words[number]}",
            f"w-={before}",
            f"w+={after}",
            f"s={place_in_word[here]}",
            f"b-={seen[here - 1] if here else '^'}{seen[here]}",
            f"b+={seen[here]}{seen[here + 1] if here + 1 < size else '$'}",
        ]
        for step in range(-3, 4):
            there = here + step
            if not 0 <= there < size:
                one.append(f"c{step}=^")
                continue
            one.append(f"t{step}={kinds[there]}")
            if abs(step) < 3:
                one.append(f"c{step}={seen[there]}")
                one.append(f"p{step}={pattern[there]}")
                one.append(f"g{step}={listed[there]}")
        result.append(one)
    return result


def _words(text: str) -> tuple[list[str], list[str], list[int]]:
    """Words; for each character its place in its word (B, M, E, S) and the word's number."""
    words = [*jieba.cut(text.lower())]
    if sum(map(len, words)) != len(text):
        # Lower case may be longer: İ.
        words = [*jieba.cut(text)]
    places: list[str] = []
    numbers: list[int] = []
    for number, word in enumerate(words):
        numbers += [number] * len(word)
        places += ["S"] if len(word) == 1 else ["B", *["M"] * (len(word) - 2), "E"]
    return words, places, numbers


def _bounds(words: Sequence[str]) -> Iterable[int]:
    place = 0
    yield place
    for word in words:
        place += len(word)
        yield place


def _laid(size: int, found: Sequence[Span]) -> list[str]:
    laid = [""] * size
    for start, end, kind in found:
        for place in range(start, end):
            edge = "B" if place == start else "E" if place == end - 1 else "I"
            laid[place] = f"{edge}{kind}"
    return laid


def _kind(character: str) -> str:
    if character.isdigit():
        return "d"
    if character in NUMERALS:
        return "n"
    if "\u4e00" <= character <= "\u9fff":
        return "h"
    if character.isalpha():
        return "l"
    return "s" if character.isspace() else "p"


def gazetteer_of(
    kinds: Iterable[str],
    regex_features: Iterable[Mapping[str, str]],
    lookup_tables: Iterable[Mapping[str, Any]],
) -> Gazetteer:
    """Gather the trainers' tables for the kinds of entities.

    Args:
        kinds: Of entities that are marked in the examples.
        regex_features: Rasa's, with `name` and `pattern`; others' names are left alone.
        lookup_tables: Rasa's, with `name` and `elements` (a list, or the path of a file).

    Raises:
        re.error: A pattern is no regular expression.
        OSError: The file of a lookup table cannot be read.
    """
    known = set(kinds)
    patterns: dict[str, list[str]] = {}
    for feature in regex_features:
        if feature["name"] in known:
            patterns.setdefault(feature["name"], []).append(feature["pattern"])
    words: dict[str, str] = {}
    for table in lookup_tables:
        if table["name"] not in known:
            continue
        elements = table["elements"]
        if isinstance(elements, str):
            elements = Path(elements).read_text("utf-8").splitlines()
        for element in cast("list[str]", elements):
            if len(element.strip()) > 1:
                words[element.strip()] = table["name"]
    return Gazetteer(patterns, words)
