"""docs/policy.md says what the code says: facts, tables, commands, articles of the law.

`python -m tests.recovery.test_policy_page` writes the two tables of the page anew.
"""

import re

from recovery.remedy.__main__ import _parser
from recovery.remedy.facts import FACTS, Fact
from recovery.remedy.law import PUNITIVE, Minimum
from recovery.remedy.proof import WHOLE_FACTS
from recovery.remedy.schema import INPUTS, TABLES
from recovery.remedy.wording import SETTERS, value_words
from recovery.remedy.worth import GOODWILL_CAP_BP
from tests.support.stack import ROOT

PAGE = ROOT / "docs" / "policy.md"
_STEERS = {"worth": "能影响给多少", "manner": "只影响语气、先后、权限"}
_MOST_VALUES = 8


def _values(name: str, fact: Fact) -> str:
    if fact.values is None:
        return f"{fact.least} 到 {fact.most}"
    if len(fact.values) > _MOST_VALUES:
        return "见表“失误”"
    return "、".join(value_words(name, one) for one in fact.values)


def _unknown(name: str, fact: Fact) -> str:
    if name in ("fault", "finding"):
        return "表“失误”里这种失误的那一行"
    return "必须有" if fact.default is None else value_words(name, fact.default)


def facts_table() -> str:
    """All facts, as they stand in the page."""
    rows = [
        f"| {fact.label} `{name}` | {SETTERS[fact.set_by]} | {_values(name, fact)}"
        f" | {_unknown(name, fact)} | {_STEERS[fact.steers]} |"
        for name, fact in FACTS.items()
    ]
    return "\n".join(
        ["| 事实 | 谁来定 | 可以是 | 不知道时 | 作用 |", "|---|---|---|---|---|", *rows]
    )


def tables_table() -> str:
    """All tables, as they stand in the page."""
    rows = []
    for name, table in TABLES.items():
        file = "通用" if table.common else "每个行业一份"
        reads = "、".join(INPUTS[one].label for one in table.reads)
        says = "、".join(column.label for column in table.says.values()) or "只有权限和证据"
        rows.append(f"| {table.label} `{name}` | {file} | {reads} | {says} |")
    return "\n".join(["| 表 | 在哪 | 可以看 | 说什么 |", "|---|---|---|---|", *rows])


def _between(text: str, mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- /{mark} -->", text, re.DOTALL)
    assert found, mark
    return found.group(1)


def test_the_facts_of_the_page_are_those_of_the_code() -> None:
    assert _between(PAGE.read_text("utf-8"), "facts") == facts_table()


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    assert _between(PAGE.read_text("utf-8"), "tables") == tables_table()


def test_every_command_stands_in_the_page_and_no_other() -> None:
    text = PAGE.read_text("utf-8")
    named = set(re.findall(r"python -m recovery\.remedy (\w+)", text))
    (choices,) = (one.choices for one in _parser()._actions if one.dest == "command")
    assert named == set(choices or ())


def test_figures_of_the_page_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    assert f"{GOODWILL_CAP_BP // 100}%" in text
    assert f"{WHOLE_FACTS:,}" in text
    minimums: list[Minimum] = [minimum for _, minimum in PUNITIVE]
    for one in minimums:
        assert f"{one.article}：{one.asks}" in text, one


def test_every_place_that_the_page_names_is_there() -> None:
    text = PAGE.read_text("utf-8")
    for path in re.findall(r"`((?:recovery|docs|tests)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([\w./-]+\.\w+)\)", text):
        assert (PAGE.parent / link).exists(), link


if __name__ == "__main__":
    content = PAGE.read_text("utf-8")
    for mark, table in (("facts", facts_table()), ("tables", tables_table())):
        old = f"<!-- {mark} -->\n{_between(content, mark)}\n"
        content = content.replace(old, f"<!-- {mark} -->\n{table}\n")
    PAGE.write_text(content, "utf-8")
