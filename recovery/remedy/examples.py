"""Examples that stand beside the rows of a policy: told, worked out by hand, run as tests.

`tables/examples/<file>.json` holds at least one for each row of the file:
`{"rule", "told"}` and what has to come out. Of a decision: `"facts"` (as for `Policy.facts`;
`"trade"` in the common file) with any of `floor`, `goodwill` (kinds), `goodwill_fen`, `law` (sums
in fen), `authority`, `says` (columns of the row itself). Of a price: `"remedy"` and `"fen"`. Of a
band: `"level"` and a `"fixed"` worth in fen that lies in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from recovery.remedy.book import Book, Row
from recovery.remedy.facts import FactsError
from recovery.remedy.policy import Decision, Policy, PolicyError
from recovery.remedy.worth import price

Example = Mapping[str, Any]


def read_examples(directory: Path, file: str) -> list[Example]:
    """The examples of one file of a policy; none where none are written."""
    path = directory / "examples" / f"{file}.json"
    if not path.is_file():
        return []
    examples: list[Example] = json.loads(path.read_text("utf-8"))
    return examples


def failed_examples(book: Book, file: str, examples: Sequence[Example], day: date) -> list[str]:
    """The examples that do not come out as told, and the rows that have none.

    Args:
        book: The policy.
        file: A trade, or the common file.
        examples: As described at the top of this module.
        day: On which they are told.
    """
    policies: dict[str, Policy] = {}
    wrong: list[str] = []
    for one in examples:
        trade = str(one.get("trade", file))
        if trade not in policies:
            policies[trade] = Policy(book, trade, day)
        wrong += _failed(policies[trade], one)
    told = {str(one.get("rule")) for one in examples}
    rows = [row for table in book.files[file].values() for row in table.on(day).rows]
    return wrong + [f"{row.place}：没有例子" for row in rows if row.rule not in told]


def _failed(policy: Policy, example: Example) -> Iterator[str]:
    where = f"例子 {example.get('rule')}（{example.get('told', '')}）"
    try:
        if "remedy" in example:
            fen = price(example["remedy"], 0, policy.prices)
            if fen != example["fen"]:
                yield f"{where}：值 {fen} 分，例子说 {example['fen']}"
            return
        if "level" in example:
            yield from _outside(where, policy.row("bands", example["rule"]), example)
            return
        decision = policy.decide(policy.facts(**example["facts"]))
    except (KeyError, TypeError, FactsError, PolicyError) as error:
        yield f"{where}：{error!r}"
        return
    if example["rule"] not in decision.rules:
        yield f"{where}：用到的是 {'、'.join(decision.rules)}"
    for name, got in _outcome(decision).items():
        if name in example and example[name] != got:
            yield f"{where}：{name} 是 {got}，例子说 {example[name]}"
    said = next((one.said for one in decision.fired if one.said["rule"] == example["rule"]), {})
    for name, expected in example.get("says", {}).items():
        if said.get(name) != expected:
            yield f"{where}：{name} 是 {said.get(name)}，例子说 {expected}"


def _outside(where: str, row: Row | None, example: Example) -> Iterator[str]:
    if row is None or not row.matches({"level": example["level"]}):
        yield f"{where}：不是第 {example['level']} 档的行"
    elif not row.said["least"] <= example["fixed"] <= row.said["most"]:
        yield f"{where}：{example['fixed']} 分不在 {row.said['least']}..{row.said['most']} 之间"


def _outcome(decision: Decision) -> dict[str, Any]:
    return {
        "floor": [one["kind"] for one in decision.floor],
        "law": [one["worth"] for one in decision.floor if one["kind"] == "damages"],
        "goodwill": [one["kind"] for one in decision.goodwill],
        "goodwill_fen": decision.goodwill_worth.fen,
        "authority": decision.authority,
    }
