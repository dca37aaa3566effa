"""What may stand in a cell of a decision table, read without the engine.

The grammar is a small part of the engine's own, so that a manager can read it, every threshold
is known to the proof, and what the engine would misunderstand never reaches it.

A condition: empty (anything), `'ours'`, `'ours', 'unclear'`, `true`, `3`, `0, 2`, `>= 24`,
`< 3`, `[1..6]`. An outcome: `'text'`, `true`, a whole number, or remedies as
`[{kind: 'voucher', fen: 500}]`.
"""

import re
from dataclasses import dataclass
from typing import Any

_TEXT = r"'[^'\\\n]*'"
# More digits than any fact has; Python refuses to read thousands of them.
_DIGITS = r"\d{1,18}"
_ONE = rf"(?:{_TEXT}|-?{_DIGITS}|true|false)"
_LIST = re.compile(rf"\s*{_ONE}(?:\s*,\s*{_ONE})*\s*\Z")
_COMPARED = re.compile(rf"\s*(>=|<=|>|<)\s*({_DIGITS})\s*\Z")
_INTERVAL = re.compile(rf"\s*\[\s*({_DIGITS})\s*\.\.\s*({_DIGITS})\s*\]\s*\Z")
_TOKEN = re.compile(rf"\s*(?:({_TEXT})|({_DIGITS}(?:\.\d+)?)|([A-Za-z_]\w*)|([\[\]{{}}:,]))")

_MOST_BRACKETS = 50

Value = str | int | bool


class CellError(ValueError):
    """A cell that cannot be used; says what would be right."""


@dataclass(frozen=True)
class Condition:
    """One parsed condition: a set of values, or whole numbers from `least` to `most`."""

    values: frozenset[tuple[type, Value]] | None = None
    least: int | None = None
    most: int | None = None

    def matches(self, value: Value) -> bool:
        """Whether a value fulfils it. A boolean is never taken for a number."""
        if self.values is not None:
            return (type(value), value) in self.values
        if self.least is None and self.most is None:
            return True
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)

    @property
    def anything(self) -> bool:
        """Whether everything fulfils it."""
        return self == Condition()

    @property
    def edges(self) -> frozenset[int]:
        """The whole numbers at which it changes its mind, with one step on each side."""
        named = [edge for edge in (self.least, self.most) if edge is not None]
        for kind, one in self.values or ():
            if kind is int:
                named.append(int(one))
        return frozenset(edge + step for edge in named for step in (-1, 0, 1))


def read_condition(text: str) -> Condition:
    """Parse a condition.

    Args:
        text: The cell.

    Returns:
        The condition; for an empty cell one that everything fulfils.

    Raises:
        CellError: Not of the grammar.
    """
    if not text.strip():
        return Condition()
    compared, interval = _COMPARED.match(text), _INTERVAL.match(text)
    if compared:
        sign, number = compared.group(1), int(compared.group(2))
        if sign.startswith(">"):
            return Condition(least=number + (sign == ">"))
        return Condition(most=number - (sign == "<"))
    if interval:
        least, most = int(interval.group(1)), int(interval.group(2))
        if least > most:
            raise CellError(f"区间 {text.strip()} 的下限大于上限")
        return Condition(least=least, most=most)
    if not _LIST.match(text):
        raise CellError(
            f"条件 {text.strip()!r} 看不懂；可以写 'ours'、'a', 'b'、true、3、>= 24、[1..6]，或留空"
        )
    values = [_one(found) for found in re.findall(_ONE, text)]
    return Condition(values=frozenset((type(one), one) for one in values))


def _one(written: str) -> Value:
    if written.startswith("'"):
        return written[1:-1]
    return written == "true" if written in ("true", "false") else int(written)


def tidy_condition(text: str) -> str:
    """Write a condition the one way in which it stands in a digest and reaches the engine.

    The order of values is kept. Digits and spaces of a Chinese keyboard, which the engine does
    not know, become plain ones.

    Raises:
        CellError: Not of the grammar.
    """
    condition = read_condition(text)
    if condition.anything:
        return ""
    if condition.values is not None:
        return ", ".join(write_outcome(_one(found)) for found in re.findall(_ONE, text))
    compared = _COMPARED.match(text)
    if compared:
        return f"{compared.group(1)} {int(compared.group(2))}"
    return f"[{condition.least}..{condition.most}]"


def read_outcome(text: str) -> Any:  # noqa: ANN401 - text, number, boolean or a list of remedies
    """Parse an outcome.

    Args:
        text: The cell.

    Returns:
        `str`, `int`, `bool`, or a list of dicts of these.

    Raises:
        CellError: Not of the grammar; a number with a fraction is named as such.
    """
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise CellError("括号太多")
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if not found:
            raise CellError(f"{text.strip()[:60]!r} 在第 {at + 1} 个字符处看不懂")
        tokens.append(found.group().strip())
        at = found.end()
    if not tokens:
        raise CellError("这一格不能为空")
    value, rest = _read(tokens)
    if rest:
        raise CellError(f"{text.strip()[:60]!r} 后面多出了 {' '.join(rest)[:40]!r}")
    return value


def _read(tokens: list[str]) -> tuple[Any, list[str]]:
    if not tokens:
        raise CellError("没有写完")
    head, rest = tokens[0], tokens[1:]
    if head == "[":
        items: list[Any] = []
        while rest and rest[0] != "]":
            item, rest = _read(rest)
            items.append(item)
            rest = _after_comma(rest, "]")
        return items, _closed(rest, "]")
    if head == "{":
        found: dict[str, Any] = {}
        while rest and rest[0] != "}":
            name = rest[0]
            if len(rest) < 2 or rest[1] != ":":
                raise CellError(f"{name!r} 后面应当是冒号")
            if name in found:
                raise CellError(f"{name!r} 写了两次")
            found[name], rest = _read(rest[2:])
            rest = _after_comma(rest, "}")
        return found, _closed(rest, "}")
    if head.startswith("'"):
        return head[1:-1], rest
    if head in ("true", "false"):
        return head == "true", rest
    if "." in head:
        raise CellError(f"{head} 带小数；钱写成整数分，比例写成整数万分比")
    if head.isdigit():
        return int(head), rest
    raise CellError(f"{head!r} 看不懂；文字要放在单引号里")


def _after_comma(rest: list[str], end: str) -> list[str]:
    if rest and rest[0] == ",":
        if len(rest) > 1 and rest[1] == end:
            raise CellError("逗号后面没有内容")
        return rest[1:]
    if rest and rest[0] != end:
        raise CellError(f"{rest[0]!r} 前面缺一个逗号")
    return rest


def _closed(rest: list[str], end: str) -> list[str]:
    if not rest or rest[0] != end:
        raise CellError(f"缺少 {end}")
    return rest[1:]


def write_outcome(value: Any) -> str:  # noqa: ANN401 - as read
    """Write an outcome as it stands in a table.

    Raises:
        CellError: A text with a quote, a backslash or a line break.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(write_outcome(one) for one in value) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{name}: {write_outcome(one)}" for name, one in value.items())
        return "{" + inside + "}"
    if not isinstance(value, str) or re.search(r"['\\\n\r]", value):
        raise CellError(f"{str(value)[:40]!r} 不能写进表里：文字里不能有单引号、反斜杠和换行")
    return f"'{value}'"
