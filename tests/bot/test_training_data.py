"""The training data: labelled, varied, and nothing of what it is measured on."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EVALUATION = ROOT.parent / "shared" / "eval"
GOLD = Path(__file__).parent / "gold"
SIGNALS = {"complaint", "escalation", "human", "closure", "private", "safety"}
INDUSTRIES = ("hotel", "shop", "restaurant", "retail", "property", "travel")

# Two texts are near duplicates from this Jaccard index of their character bigrams on; measured
# over Chinese characters only, where there are at least so many of them.
TOO_NEAR = 0.7
LONG_ENOUGH = 12

_ENTITY = re.compile(r"\[([^\[\]]+)\]\([a-z_]+\)")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def plain(text: str) -> str:
    return _ENTITY.sub(r"\1", text)


def examples() -> Iterator[tuple[str, str, dict[str, object]]]:
    """File, plain text and labels of each example."""
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for block in yaml.load(path.read_text("utf-8"), loader).get("nlu", []):  # noqa: S506 - safe
            if isinstance(block.get("examples"), list):
                for one in block["examples"]:
                    yield path.stem, plain(one["text"]), one["metadata"]


EXAMPLES = tuple(examples())


def bigrams(text: str) -> frozenset[str]:
    characters = "".join(_CHINESE.findall(text))
    if len(characters) < LONG_ENOUGH:
        return frozenset()
    return frozenset(characters[start : start + 2] for start in range(len(characters) - 1))


def near(texts: Iterable[str], others: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Pairs of near duplicates within the texts, or between texts and others."""
    index: dict[str, list[int]] = defaultdict(list)
    kept: list[tuple[str, frozenset[str]]] = []

    def add(text: str, parts: frozenset[str]) -> None:
        for part in parts:
            index[part].append(len(kept))
        kept.append((text, parts))

    for other in others or ():
        add(other, bigrams(other))
    pairs = []
    for text in texts:
        parts = bigrams(text)
        shared = Counter(number for part in parts for number in index.get(part, ()))
        for number, common in shared.items():
            other, others_parts = kept[number]
            if common >= TOO_NEAR * (len(parts) + len(others_parts) - common):
                pairs.append((text, other))
        if others is None:
            add(text, parts)
    return pairs


def test_there_is_enough_of_every_kind() -> None:
    files = Counter(name for name, _, _ in EXAMPLES)
    assert len({text for _, text, _ in EXAMPLES}) >= 8_000
    for industry in INDUSTRIES:
        assert files[industry] >= 500, industry
    assert files["other_trades"] >= 1_500
    levels = Counter(labels["anger"] for _, _, labels in EXAMPLES)
    assert set(levels) == {0, 1, 2, 3}
    assert min(levels.values()) >= len(EXAMPLES) * 0.08
    lengths = [len(text) for _, text, _ in EXAMPLES]
    assert sum(length < 8 for length in lengths) >= len(lengths) * 0.08
    assert sum(length >= 60 for length in lengths) >= len(lengths) * 0.1


def test_every_example_is_labelled() -> None:
    for _, text, labels in EXAMPLES:
        assert labels["anger"] in (0, 1, 2, 3), text
        assert isinstance(labels["signals"], list), text
        assert set(labels["signals"]) <= SIGNALS, text


def test_no_two_examples_are_nearly_the_same() -> None:
    same = Counter(text for _, text, _ in EXAMPLES)
    assert not [text for text, count in same.items() if count > 1]
    assert near(text for _, text, _ in EXAMPLES) == []


def test_the_measure_finds_what_it_is_for() -> None:
    first = "房间根本没有打扫床单上还有头发太恶心了"
    assert near([first, f"{first}。。"])
    assert near([first], ["房间根本没有打扫床单上还有头发真恶心了"])
    assert not near([first, "快递三天没动静问客服也没有人理到底还要等多久"])


def gold() -> list[str]:
    return [
        plain(json.loads(line)["text"])
        for path in sorted(GOLD.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def test_nothing_of_our_test_files_is_trained_on() -> None:
    assert gold()
    assert near((text for _, text, _ in EXAMPLES), gold()) == []


def evaluated() -> list[str]:
    texts = []
    for path in sorted(EVALUATION.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            texts += [turn["text"] for turn in row["turns"]] if "turns" in row else [row["text"]]
    return texts


@pytest.mark.skipif(not EVALUATION.is_dir(), reason="the evaluation sets are not part of Huixin")
def test_nothing_of_the_evaluation_sets_is_trained_on() -> None:
    texts = evaluated()
    assert len(texts) > 1_000
    assert near((text for _, text, _ in EXAMPLES), texts) == []
