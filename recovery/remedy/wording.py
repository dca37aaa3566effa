"""The policy in the words of managers, both ways: names, conditions, remedies, facts.

What stands in the workbook and in reports is Chinese; what stands in the tables is English. Every
word here belongs to one name in its column, so that what was written can be read back.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from recovery.failures import FAILURES, TRADES
from recovery.remedy.catalogue import KINDS, Remedy, percent, yuan
from recovery.remedy.cells import CellError, read_condition
from recovery.remedy.facts import FACTS
from recovery.remedy.schema import COMMON, INPUTS, TABLES, Column, columns_of

TRADE_WORDS: Mapping[str, str] = dict(
    zip(TRADES, ("酒店", "网店", "餐饮", "零售", "物业", "旅行"), strict=True)
)
FILE_WORDS: Mapping[str, str] = {COMMON: "通用", **TRADE_WORDS}

# A matter is a clause; the mark that parts the values of a cell may not stand in it.
FAILURE_WORDS: Mapping[str, str] = {
    name: one.matter.replace("、", "") for name, one in FAILURES.items()
}
_FLAG_WORDS = {True: "是", False: "否"}
_FAULT_WORDS = {"ours": "我方", "third_party": "第三方", "unclear": "不清楚", "customer": "顾客"}
_FINDING_WORDS = {"none": "没有指称", "alleged": "仅属指称", "confirmed": "已认定"}

WORDS: Mapping[str, Mapping[Any, str]] = {
    "industry": TRADE_WORDS,
    "failure": FAILURE_WORDS,
    "kind": {name: one.label for name, one in KINDS.items()},
    "harm": {"slight": "不便", "plans": "打乱安排", "loss": "有损失", "injury": "受伤"},
    "fault": _FAULT_WORDS,
    "finding": _FINDING_WORDS,
    "tier": {"none": "普通", "silver": "银卡", "gold": "金卡"},
    "first_time": _FLAG_WORDS,
    "escalation": _FLAG_WORDS,
    "evidence": {"none": "没有", "declined": "不愿给", "photo": "照片"},
    "choice": {
        "": "不换",
        "refund": "退款",
        "exchange": "换货",
        "resend": "补寄",
        "voucher": "代金券",
        "points": "积分",
        "waiver": "减免费用",
    },
    "type": {"process": "过程", "outcome": "结果"},
}
"""Words of the values of facts, and of what tables hand on."""

_SAID_WORDS: Mapping[str, Mapping[Any, str]] = {
    "authority": {"bot": "机器人", "agent": "员工", "manager": "经理"},
    "evidence": {"none": "不用", "photo": "照片"},
    "type": WORDS["type"],
    "fault": _FAULT_WORDS,
    "finding": _FINDING_WORDS,
    "form": {
        "keep": "不变",
        "refund_part": "退款",
        "voucher": "代金券",
        "points": "积分",
        "fee_waiver": "减免费用",
    },
    "provisional": _FLAG_WORDS,
    "person": _FLAG_WORDS,
    "tone": {"plain": "平实", "warm": "温和", "urgent": "急切"},
}

SETTERS: Mapping[str, str] = {
    "settings": "商家设置",
    "customer": "顾客",
    "orders": "订单系统",
    "staff": "员工",
    "cases": "以往个案",
    "talk": "对话",
}

_COMPARED = re.compile(r"(>=|<=|>|<)\s*(\d{1,18})\Z")
_INTERVAL = re.compile(r"(\d{1,18})\s*\.\.\s*(\d{1,18})\Z")
_REMEDY = re.compile(r"(?P<label>[^()；;]+?)\s*(?:\((?P<inside>[^()]*)\))?\Z")
_PARAMETER = re.compile(r"(?P<label>[^=,]+?)\s*=\s*(?P<value>[^=,]+?)\Z")


class WordError(ValueError):
    """Words that stand for nothing; says what may be written."""


def plain_text(text: str) -> str:
    """Text with the wide digits and marks of a Chinese keyboard made plain, trimmed."""
    return unicodedata.normalize("NFKC", text).replace("≥", ">=").replace("≤", "<=").strip()


def amount(fen: int) -> str:
    """An amount as reports show it: `123456` is `1,234.56元`."""
    sign, fen = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d}元"


def value_words(name: str, value: object) -> str:
    """The value of a fact or of an input, as a manager reads it."""
    words = WORDS.get(name)
    return words.get(value, str(value)) if words is not None else str(value)


def said_words(name: str, value: object) -> str:
    """What an outcome column says, as a manager reads it."""
    if isinstance(value, list):
        return remedies_words(value)
    words = _SAID_WORDS.get(name)
    return words.get(value, str(value)) if words is not None else str(value)


def choices_of(column: str) -> list[str] | None:
    """The words that may stand in an outcome column of names; None for another column."""
    words = _SAID_WORDS.get(column)
    return list(words.values()) if words is not None else None


def read_said(name: str, column: Column, text: str) -> Any:  # noqa: ANN401 - name, number or flag
    """Read what `said_words` wrote, for names, flags and numbers.

    Raises:
        WordError: Not one of the words of the column, or no whole number.
    """
    written = plain_text(text)
    if column.kind == "number":
        return read_number(written)
    words = _SAID_WORDS[name]
    found = next((value for value, word in words.items() if plain_text(word) == written), None)
    if found is None:
        raise WordError(f"不认识“{written[:40]}”；可以写 {'、'.join(words.values())}")
    return found


def read_number(text: str) -> int:
    """Read a whole number that is not negative.

    Raises:
        WordError: Something else.
    """
    written = plain_text(text)
    if re.fullmatch(r"\d{1,18}", written, re.ASCII):
        return int(written)
    if re.fullmatch(r"\d+\.\d+", written, re.ASCII):
        raise WordError(f"{written[:30]} 带小数；钱写成整数分，比例写成整数万分比")
    raise WordError(f"“{written[:30]}”不是整数")


# ---- conditions ---------------------------------------------------------------------------


def condition_words(name: str, cell: str) -> str:
    """A condition as a manager writes it: `我方、第三方`, `>= 24`, `1..6`; empty for anything.

    Args:
        name: The input.
        cell: The condition, of the grammar of cells and tidy.
    """
    condition = read_condition(cell)
    if condition.values is None:
        return cell.strip("[]") if None not in (condition.least, condition.most) else cell
    values = [one.strip() for one in cell.split(",")]
    return "、".join(
        value_words(name, one[1:-1] if one.startswith("'") else one == "true")
        if one.startswith("'") or one in ("true", "false")
        else one
        for one in values
    )


def read_condition_words(name: str, text: str) -> str:
    """Read what `condition_words` wrote.

    Args:
        name: The input.
        text: As a manager wrote it.

    Returns:
        The cell of the table.

    Raises:
        WordError: A word that stands for nothing in this column, or no condition of numbers.
    """
    written = plain_text(text)
    if not written:
        return ""
    words = WORDS.get(name)
    parts = [one.strip() for one in re.split(r"[、,;]", written)]
    if words is not None:
        named = {plain_text(word): value for value, word in words.items()}
        strange = [one for one in parts if one not in named]
        if strange:
            raise WordError(f"不认识“{strange[0][:40]}”；可以写 {_few(words.values())}")
        return ", ".join(_cell_value(named[one]) for one in parts)
    compared, interval = _COMPARED.match(written), _INTERVAL.match(written.strip("[]").strip())
    if compared:
        return f"{compared.group(1)} {int(compared.group(2))}"
    if interval:
        cell = f"[{int(interval.group(1))}..{int(interval.group(2))}]"
        try:
            read_condition(cell)
        except CellError as error:
            raise WordError(str(error)) from error
        return cell
    try:
        return ", ".join(str(read_number(one)) for one in parts)
    except WordError as error:
        raise WordError(
            f"条件“{written[:40]}”看不懂；可以写 3、0、2（用顿号分开）、>= 24、< 3、1..6，或留空"
        ) from error


def _cell_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'"


def _few(words: Any) -> str:  # noqa: ANN401 - any iterable of words
    listed = list(words)
    return "、".join(listed[:40])


# ---- remedies -----------------------------------------------------------------------------


def remedy_words(remedy: Remedy) -> str:
    """One remedy: `换房(分钟=20)`."""
    kind = KINDS[remedy["kind"]]
    inside = "，".join(
        f"{one.label}={remedy[one.name]}" for one in kind.parameters if one.name in remedy
    )
    return f"{kind.label}({inside})" if inside else kind.label


def remedies_words(remedies: list[Remedy]) -> str:
    """A list of remedies: `换房(分钟=20)；免费餐(人数=2)`, or `无`."""
    return "；".join(remedy_words(one) for one in remedies) or "无"


def described(remedy: Remedy) -> str:
    """One remedy as reports show it: `换房（20分钟）`, `代金券（20元）`."""
    kind = KINDS[remedy["kind"]]
    inside = "，".join(
        _UNITS[one.name](remedy[one.name]) for one in kind.parameters if one.name in remedy
    )
    return f"{kind.label}（{inside}）" if inside else kind.label


def all_described(remedies: Iterable[Remedy]) -> str:
    """Remedies as reports show them."""
    return "、".join(described(one) for one in remedies) or "无"


_UNITS: Mapping[str, Callable[[int], str]] = {
    "minutes": lambda n: f"{n}分钟",
    "persons": lambda n: f"{n}人",
    "bp": percent,
    "fen": yuan,
    "points": lambda n: f"{n}分",
    "hour": lambda n: f"{n}点",
    "times": lambda n: f"{n}倍",
}


def read_remedies(text: str) -> list[Remedy]:
    """Read what `remedies_words` wrote.

    Raises:
        WordError: An unknown kind or parameter, or no whole number.
    """
    written = plain_text(text)
    if written in ("无", ""):
        if not written:
            raise WordError("不能为空；没有补救就写 无")
        return []
    return [_read_remedy(one.strip()) for one in written.split(";")]


def _read_remedy(text: str) -> Remedy:
    found = _REMEDY.match(text)
    if not found:
        raise WordError(f"“{text[:40]}”看不懂；应当像 换房(分钟=20)；免费餐(人数=2)")
    named = {plain_text(one.label): name for name, one in KINDS.items()}
    label = found.group("label")
    if label not in named:
        raise WordError(f"不认识补救“{label[:30]}”；可以写 {_few(named)}")
    kind = KINDS[named[label]]
    labels = {plain_text(one.label): one for one in kind.parameters}
    remedy: Remedy = {"kind": named[label]}
    for part in (found.group("inside") or "").split(","):
        if not part.strip():
            continue
        parameter = _PARAMETER.match(part.strip())
        if not parameter or parameter.group("label") not in labels:
            known = "、".join(labels) or "没有参数"
            raise WordError(f"{label} 的“{part.strip()[:30]}”看不懂；参数：{known}")
        name = labels[parameter.group("label")].name
        if name in remedy:
            raise WordError(f"{label} 的 {parameter.group('label')} 写了两次")
        remedy[name] = read_number(parameter.group("value"))
    missing = [one.label for one in kind.parameters if not one.optional and one.name not in remedy]
    if missing:
        raise WordError(f"{label} 缺少 {'、'.join(missing)}")
    return remedy


# ---- facts --------------------------------------------------------------------------------


def fact_of(header: str) -> str | None:
    """The fact that a heading names, by its name or by its label."""
    written = plain_text(header)
    for name, fact in FACTS.items():
        if written in (name, plain_text(fact.label)):
            return name
    return None


def read_fact(name: str, text: str) -> Any:  # noqa: ANN401 - as the fact has it
    """Read the value of a fact, by its name or by its word.

    Args:
        name: Of the fact.
        text: Not empty.

    Raises:
        WordError: No value of this fact.
    """
    fact = FACTS[name]
    written = plain_text(text)
    if fact.values is None:
        number = read_number(written)
        if not fact.least <= number <= fact.most:
            raise WordError(f"{number} 超出了 {fact.least}..{fact.most}")
        return number
    for value in fact.values:
        spelt = str(value).lower() if isinstance(value, bool) else value
        if written in (spelt, plain_text(value_words(name, value))):
            return value
    allowed = "、".join(value_words(name, one) for one in fact.values)
    raise WordError(f"不认识“{written[:40]}”；可以写 {allowed}")


# ---- places -------------------------------------------------------------------------------


def sheet_name(file: str, table: str) -> str:
    """How a table is called in the workbook and in reports: `酒店·心意`."""
    return f"{FILE_WORDS[file]}·{TABLES[table].label}"


def column_label(table: str, name: str) -> str:
    """How a column of a table is called: a condition or an outcome."""
    said = columns_of(table)
    return said[name].label if name in said else INPUTS[name].label
