"""The training data as it is measured on: messages with labels, marks and trade; the tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.nlu.entity_model import Gazetteer, Span, gazetteer_of
from bot.nlu.intent_model import Patterns
from bot.nlu.intents import PREFIXES
from bot.nlu.model import Example
from recovery.failures import TRADES

ROOT = Path(__file__).resolve().parents[1]
# Customers of trades that have no failures here; the name stands for any such trade.
_OTHER_TRADES = "other_trades"
_MARK = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")
_NO_PATTERN = re.compile(r"[\W\d]")
_OPENING = 5


@dataclass(frozen=True)
class Labelled:
    """A training message.

    Attributes:
        text: Without marks.
        intent: Its intent.
        example: Anger and signals.
        spans: Its entities.
        trade: The industry, `other_trades`, or None where the file mixes them.
    """

    text: str
    intent: str
    example: Example
    spans: tuple[Span, ...]
    trade: str | None

    @property
    def pattern(self) -> str:
        """Its opening without digits, marks and names of things: alike in messages of one mould."""
        text = list(self.text)
        for start, end, _ in self.spans:
            text[start:end] = " " * (end - start)
        return _NO_PATTERN.sub("", "".join(text))[:_OPENING] or self.text


@cache
def _blocks() -> tuple[tuple[str, dict[str, Any]], ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(
        (path.stem, block)
        for path in sorted((ROOT / "data" / "nlu").glob("*.yml"))
        for block in yaml.load(path.read_text("utf-8"), loader).get("nlu", [])  # noqa: S506 - safe
    )


def plain(text: str) -> str:
    """Take the marks of entities out of a text."""
    return _MARK.sub(r"\1", text)


def _read(marked: str) -> tuple[str, tuple[Span, ...]]:
    text, spans, place = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[place : mark.start()]
        spans.append((len(text), len(text) + len(mark[1]), mark[2]))
        text += mark[1]
        place = mark.end()
    return text + marked[place:], tuple(spans)


def labelled() -> Iterator[Labelled]:
    """Give all labelled messages of data/nlu."""
    for stem, block in _blocks():
        if not isinstance(block.get("examples"), list):
            continue
        trade = stem if stem in TRADES or stem == _OTHER_TRADES else None
        for one in block["examples"]:
            text, spans = _read(one["text"])
            signals = frozenset(one["metadata"]["signals"])
            example = Example(text, one["metadata"]["anger"], signals)
            yield Labelled(text, block["intent"], example, spans, trade)


def training_examples() -> list[Example]:
    """Give anger and signals of all messages, shuffled the same way each time."""
    # Neighbours in a file are of one hand and one matter.
    return sorted((one.example for one in labelled()), key=lambda example: hash_of(example.text))


def intent_patterns() -> Patterns:
    """Give the trainers' patterns that lead the intents."""
    sources: dict[str, list[str]] = {}
    for name, source in _regex_features():
        if name.startswith(PREFIXES):
            sources.setdefault(name, []).append(source)
    return Patterns({name: "|".join(parts) for name, parts in sorted(sources.items())})


def gazetteer() -> Gazetteer:
    """Give the trainers' patterns and tables that lead the entities."""
    kinds = {kind for one in labelled() for _, _, kind in one.spans}
    features = [{"name": name, "pattern": source} for name, source in _regex_features()]
    tables = [
        {"name": block["lookup"], "elements": _items(block["examples"])}
        for _, block in _blocks()
        if "lookup" in block
    ]
    return gazetteer_of(kinds, features, tables)


def _regex_features() -> Iterator[tuple[str, str]]:
    for _, block in _blocks():
        if "regex" in block:
            for source in _items(block["examples"]):
                yield block["regex"], source


def _items(listed: str) -> list[str]:
    return [line.removeprefix("- ") for line in listed.splitlines() if line.strip()]


def hash_of(text: str) -> int:
    """A number that is the same in every process, unlike `hash`."""
    number = 0
    for character in text:
        number = (number * 1_000_003 + ord(character)) % (1 << 61)
    return number
