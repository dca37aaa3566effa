"""`make eval`: scores the trained model and writes docs/recognition.md.

With `--gold FILE` it scores that file only, and ends with the JSON of the scorer's figures.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sklearn.metrics import f1_score, roc_auc_score

from bot.nlu import pipeline
from bot.nlu.contract import SIGNALS
from evaluation import behaviour, crossvalidation, figures
from evaluation.data import ROOT, labelled, plain, training_examples
from evaluation.figures import Heard
from evaluation.recognisers import Ours, read_rows, snownlp, word_list

SHARED = ROOT.parent / "shared" / "eval"
GOLD = ROOT / "tests" / "bot" / "gold"
REPORT = ROOT / "docs" / "recognition.md"
MARK = "<!-- figures -->"
BEHAVIOUR_MESSAGES = 240
REACH = {
    "angry_f1": ("at least", 0.78),
    "angry_auc": ("at least", 0.91),
    "anger_qwk": ("at least", 0.73),
    "false_apology": ("at most", 0.15),
    "missed_fury": ("at most", 0.08),
    "complaint_f1": ("at least", 0.90),
    "closure_f1": ("at least", 0.80),
}
Lines = list[str]


def scored(gold: Sequence[dict[str, Any]], heard: Sequence[Heard]) -> dict[str, float]:
    """Give the scorer's figures, signals included where the recogniser has them."""
    result = figures.anger(gold, heard)
    for name in SIGNALS:
        if heard[0].signals is not None and name in gold[0]:
            truth = [bool(row[name]) for row in gold]
            result[f"{name}_f1"] = float(f1_score(truth, [name in one.flags for one in heard]))
    return {name: round(value, 3) for name, value in result.items()}


def dev_table(ours: Ours) -> Lines:
    """The development set, beside SnowNLP and the word list."""
    path = SHARED / "recognition_dev.jsonl"
    if not path.exists():
        return ["The development set is not here; it is not part of Huixin."]
    gold = read_rows(path)
    columns = {
        name: scored(gold, [hear(row["text"]) for row in gold])
        for name, hear in (("ours", ours.hear), ("SnowNLP", snownlp), ("word list", word_list))
    }
    lines = ["| figure | reach | ours | SnowNLP | word list |", "|---|---|---|---|---|"]
    for name, value in columns["ours"].items():
        bound = " ".join(map(str, REACH[name])) if name in REACH else ""
        others = [str(columns[other].get(name, "")) for other in ("SnowNLP", "word list")]
        lines.append(f"| {name} | {bound} | {value} | {others[0]} | {others[1]} |")
    return lines


def reviews_line(ours: Ours) -> Lines:
    """Negative reviews told from positive ones."""
    path = SHARED / "reviews_dev.jsonl"
    if not path.exists():
        return []
    rows = read_rows(path)
    heard = [ours.hear(row["text"]) for row in rows]
    negative = [row["negative"] for row in rows]
    by = {
        "complaint": roc_auc_score(negative, [(one.signals or {})["complaint"] for one in heard]),
        "score": roc_auc_score(negative, [one.score for one in heard]),
    }
    said = ", ".join(f"by `{name}` {value:.3f}" for name, value in by.items())
    return ["", f"Reviews, negative told from positive (AUC, reach 0.88): {said}."]


def signals_table(ours: Ours) -> Lines:
    """The signals on our own test messages, with intervals."""
    rows = read_rows(GOLD / "signals.jsonl")
    heard = [ours.hear(row["text"]) for row in rows]
    lines = ["| signal | messages | F1 | 95 % interval | reach |", "|---|---|---|---|---|"]
    for name in SIGNALS:
        truth = [name in row["signals"] for row in rows]
        value, low, high = figures.with_interval(truth, [name in one.flags for one in heard])
        reach = "0.85" if name in ("escalation", "human", "private", "safety") else ""
        lines.append(f"| {name} | {sum(truth)} | {value:.3f} | {low:.3f}-{high:.3f} | {reach} |")
    return lines


def intents_line(ours: Ours) -> Lines:
    """Intents on our own test messages."""
    rows = read_rows(GOLD / "intents.jsonl")
    right = [ours.intent(plain(row["text"]), row["industry"]) == row["intent"] for row in rows]
    share = sum(right) / len(right)
    return [f"Intent accuracy on {len(rows)} messages of a hand of its own: {share:.3f}."]


def behaviour_table(ours: Ours) -> Lines:
    """Failure rates of each behaviour."""
    texts = [row["text"] for row in read_rows(GOLD / "signals.jsonl")][:BEHAVIOUR_MESSAGES]
    lines = ["| behaviour | failures | cases |", "|---|---|---|"]
    for title, kinds in (
        ("minimum functionality", list(behaviour.minimum(ours.hear))),
        ("invariance", list(behaviour.invariance(ours.hear, texts))),
        ("direction", list(behaviour.direction(ours.hear, texts))),
    ):
        failures, cases = sum(one.failures for one in kinds), sum(one.cases for one in kinds)
        lines.append(f"| **{title}**, {len(kinds)} kinds | **{failures / cases:.1%}** | {cases} |")
        lines += [f"| {one.name} | {one.failures} | {one.cases} |" for one in kinds]
    return lines


def learning_curve() -> Lines:
    """Figures of models trained on a part of the data."""
    path = SHARED / "recognition_dev.jsonl"
    if not path.exists():
        return []
    gold, examples = read_rows(path), training_examples()
    lines = [
        "| messages | angry_f1 | angry_auc | anger_qwk | false_apology |",
        "|---|---|---|---|---|",
    ]
    for part in (8, 4, 2, 1):
        hears = pipeline.train(examples[::part])
        heard = []
        for row in gold:
            made = hears(row["text"])._.emotion or (0, [1.0, 0.0, 0.0, 0.0], {})
            heard.append(Heard(made[0], made[1][2] + made[1][3], made[1]))
        one = figures.anger(gold, heard)
        names = ("angry_f1", "angry_auc", "anger_qwk", "false_apology")
        values = " | ".join(f"{one[name]:.3f}" for name in names)
        lines.append(f"| {len(examples[::part])} | {values} |")
    return lines


def cross_validation() -> Lines:
    """Intents and entities on messages whose pattern was not trained on."""
    messages = list(labelled())
    score, accuracy = crossvalidation.intents(messages)
    counts = crossvalidation.entities(messages)
    return [
        f"{crossvalidation.FOLDS} folds over {len(messages)} messages, those of one pattern (the "
        "same opening, digits and entities aside) in one fold; the trade is known where the file "
        "tells it.",
        "",
        f"Intents: weighted F1 {score:.3f} (reach 0.90), accuracy {accuracy:.3f}.",
        f"Entities: weighted F1 {counts.weighted():.3f} (reach 0.88).",
        "",
        "| entity | marked | F1 |",
        "|---|---|---|",
        *(
            f"| {kind} | {size} | {counts.score(kind):.3f} |"
            for kind, size in (counts.right + counts.missed).most_common()
        ),
    ]


def report(ours: Ours, archive: Path) -> str:
    """Write the part of the report that is measured."""
    parts: list[tuple[str, Callable[[], Lines]]] = [
        ("Development set", lambda: [*dev_table(ours), *reviews_line(ours)]),
        ("Signals, on 1,029 messages of a hand of its own", lambda: signals_table(ours)),
        ("Intents", lambda: intents_line(ours)),
        ("Cross-validation of intents and entities", cross_validation),
        ("Behaviour", lambda: behaviour_table(ours)),
        ("Learning curve", learning_curve),
    ]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    size = f"{ours.size / 1e6:.0f} MB on disk"
    lines = [f"Measured {now} on `{archive.name}` (emotion and intents: {size}) by `make eval`."]
    for title, make in parts:
        print(f"eval: {title}", file=sys.stderr)
        lines += ["", f"### {title}", "", *make()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Score and report."""
    parser = argparse.ArgumentParser(prog="evaluation", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--gold", type=Path, help="score this file only")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    ours = Ours(options.model)
    if options.gold:
        gold = read_rows(options.gold)
        print(json.dumps(scored(gold, [ours.hear(row["text"]) for row in gold]), indent=1))
        return 0
    measured = report(ours, options.model)
    print(measured)
    before = REPORT.read_text("utf-8").split(MARK)[0] if REPORT.exists() else "# Recognition\n\n"
    REPORT.write_text(f"{before}{MARK}\n{measured}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
