"""What the trained model hears: our own test messages, behaviours, and the real ones if at hand."""

import os
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from evaluation import behaviour
from evaluation.__main__ import GOLD, SHARED, scored
from evaluation.recognisers import Ours, read_rows

MODEL = os.environ.get("HUIXIN_MODEL")
pytestmark = pytest.mark.skipif(
    not MODEL, reason="make test names the trained model in HUIXIN_MODEL"
)


@pytest.fixture(scope="module")
def ours() -> Ours:
    return Ours(Path(str(MODEL)))


@pytest.mark.parametrize("signal", ["escalation", "human", "private", "safety"])
def test_rare_signals_are_heard(ours: Ours, signal: str) -> None:
    rows = read_rows(GOLD / "signals.jsonl")
    truth = [signal in row["signals"] for row in rows]
    assert sum(truth) >= 100
    assert f1_score(truth, [signal in ours.hear(row["text"]).flags for row in rows]) >= 0.82


def test_plain_messages_are_heard_right(ours: Ours) -> None:
    kinds = list(behaviour.minimum(ours.hear))
    assert sum(one.failures for one in kinds) <= 0.05 * sum(one.cases for one in kinds), kinds


def test_what_means_nothing_changes_nothing(ours: Ours) -> None:
    texts = [row["text"] for row in read_rows(GOLD / "signals.jsonl")][:240]
    kinds = list(behaviour.invariance(ours.hear, texts))
    assert sum(one.failures for one in kinds) <= 0.03 * sum(one.cases for one in kinds), kinds


def test_added_anger_never_lowers_and_added_peace_never_raises(ours: Ours) -> None:
    texts = [row["text"] for row in read_rows(GOLD / "signals.jsonl")][:240]
    kinds = list(behaviour.direction(ours.hear, texts))
    assert sum(one.failures for one in kinds) <= 0.02 * sum(one.cases for one in kinds), kinds


@pytest.mark.skipif(not SHARED.is_dir(), reason="the evaluation sets are not part of Huixin")
def test_real_messages_are_heard(ours: Ours) -> None:
    gold = read_rows(SHARED / "recognition_dev.jsonl")
    figures = scored(gold, [ours.hear(row["text"]) for row in gold])
    assert figures["angry_f1"] >= 0.78
    assert figures["angry_auc"] >= 0.91
    assert figures["anger_qwk"] >= 0.73
    assert figures["false_apology"] <= 0.15
    assert figures["missed_fury"] <= 0.08
