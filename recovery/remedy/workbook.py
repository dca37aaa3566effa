"""The policy as a workbook that managers edit, both ways.

One sheet a table, headings and names in Chinese. What comes back is read strictly: everything
wrong is named by sheet, row and column, and nothing is guessed. A workbook is a file from
outside: its size is bounded before it is unpacked, and formulas, macros, pictures and links to
other files are refused.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import IllegalCharacterError
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from recovery.failures import FAILURES
from recovery.remedy.book import Book, PolicyFileError, Table, document, read_book
from recovery.remedy.catalogue import KINDS
from recovery.remedy.cells import CellError, write_outcome
from recovery.remedy.release import UseError
from recovery.remedy.schema import (
    FILES,
    INPUTS,
    LAST_DAY,
    TABLES,
    Column,
    columns_of,
    tables_of,
)
from recovery.remedy.wording import (
    FAILURE_WORDS,
    TRADE_WORDS,
    WORDS,
    WordError,
    choices_of,
    column_label,
    condition_words,
    plain_text,
    read_condition_words,
    read_remedies,
    read_said,
    said_words,
    sheet_name,
)

GUIDE = "说明"
FOR_EVER = "长期"
MOST_BYTES = 5_000_000
_MOST_UNPACKED = 40_000_000
_MOST_PARTS = 500
_MOST_ROWS = 3_000
_MOST_COLUMNS = 40
_VALIDATED_ROWS = 1_000
_REFUSED_PARTS = {
    "vba": "宏",
    "xl/media/": "图片",
    "xl/embeddings/": "嵌入的文件",
    "xl/externallinks/": "到别的文件的链接",
}
_PLACE = re.compile(
    r"(?P<file>\w+)\.json：表 (?P<table>\w+)"
    r"(?:，第 (?P<place>\d+) 行(?: (?P<named>[^\s，：]+))?|，行 (?P<rule>[^\s，：]+))?"
    r"(?:，列 (?P<column>\w+))?"
)

_CONDITION = PatternFill("solid", start_color="DDEBF7")
_OUTCOME = PatternFill("solid", start_color="E2EFDA")
_HEADING = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_WIDTHS = {"reason": 44, "source": 44, "remedies": 44, "failure": 32, "rule": 22}
_WIDTH = 14


# ---- out ----------------------------------------------------------------------------------


def export(book: Book, path: Path) -> None:
    """Write a policy as a workbook.

    Args:
        book: The policy.
        path: A file that is not there yet: a manager's own edits are never overwritten.

    Raises:
        UseError: The file is there, cannot be written, or would not read back as the same policy.
    """
    if path.exists():
        raise UseError(f"已经有 {path}；请换一个名字，或先把它移开")
    content = workbook_bytes(book)
    try:
        again = read_workbook_bytes(content, book.version, book.day, book.note).book
    except PolicyFileError as error:
        raise UseError(f"有的内容工作簿里写不下，没有导出：\n{error}") from error
    if again.digest != book.digest:
        raise UseError("有的内容写进工作簿以后读不回原样，没有导出")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UseError(f"{path}：写不进去（{error.strerror}）") from error


def workbook_bytes(book: Book) -> bytes:
    """A policy as the bytes of an .xlsx file.

    Raises:
        UseError: A text holds what no workbook can.
    """
    made = Workbook()
    guide = made.active
    assert isinstance(guide, Worksheet)  # noqa: S101 - a new workbook has one sheet
    guide.title = GUIDE
    try:
        _write_guide(guide, book)
        for file in FILES:
            for name in tables_of(file):
                _write_table(made.create_sheet(sheet_name(file, name)), book.files[file][name])
    except IllegalCharacterError as error:
        raise UseError(f"文字里有工作簿不能存的字符：{error}") from error
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def _columns(table: Table) -> list[tuple[str, bool]]:
    """The columns of a sheet, each with whether it is a condition: the rule's id stands first."""
    says = [name for name in columns_of(table.name) if name != "rule"]
    return [("rule", False), *((one, True) for one in table.reads), *((one, False) for one in says)]


def _write_table(sheet: Worksheet, table: Table) -> None:
    columns = _columns(table)
    for place, (name, condition) in enumerate(columns, 1):
        cell = _write(sheet, 1, place, column_label(table.name, name))
        cell.font, cell.fill = _HEADING, _CONDITION if condition else _OUTCOME
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, _WIDTH)
        words = None if condition else choices_of(name)
        if words is not None:
            _offer(sheet, place, words)
    for line, row in enumerate(table.rows, 2):
        for place, (name, condition) in enumerate(columns, 1):
            value = (
                condition_words(name, row.cells.get(name, ""))
                if condition
                else _shown(columns_of(table.name)[name], name, row.said[name])
            )
            _write(sheet, line, place, value)
    sheet.freeze_panes = "B2"


def _shown(column: Column, name: str, value: Any) -> str | int:  # noqa: ANN401 - outcomes
    if column.kind == "number":
        return int(value)
    if name == "effective_to" and value == LAST_DAY:
        return FOR_EVER
    return str(value) if column.kind in ("rule", "text", "day") else said_words(name, value)


def _write(sheet: Worksheet, line: int, place: int, value: str | int) -> Cell:
    cell = sheet.cell(line, place)
    assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged
    cell.value = value if value != "" else None
    if isinstance(value, str) and value:
        # A reason that begins with = is a text, never a formula; 0 and >= 24 stay as written.
        cell.data_type = "s"
        cell.number_format = "@"
    cell.alignment = _WRAPPED
    return cell


def _offer(sheet: Worksheet, place: int, words: list[str]) -> None:
    """Let a column be filled in from a list."""
    listed = DataValidation(
        type="list",
        formula1=f'"{",".join(words)}"',
        allow_blank=False,
        showErrorMessage=True,
        errorTitle="不能这样写",
        error=f"只能写 {'、'.join(words)}",
    )
    letter = get_column_letter(place)
    listed.add(f"{letter}2:{letter}{_VALIDATED_ROWS}")
    sheet.add_data_validation(listed)


_HOW = (
    "每个工作表是一张表，每行是一条规则。蓝色的列是条件，绿色的列是结果。",
    "条件留空表示不限；同一列的几个值用顿号分开，例如 我方、第三方；"
    "数可以写 3、>= 24、< 3、1..6（从1到6，两头都算）。",
    "补救用分号分开，参数写在括号里，例如 换房(分钟=20)；免费餐(人数=2)；没有补救写 无。",
    "钱一律是整数分（100分是1元），比例一律是整数万分比（1000是10%）；不能有小数和公式。",
    "每种情况必须正好有一行回答：不能漏（可换的形式、价目除外），也不能两行都答得上。",
    "理由会原样读给顾客听，接在“这样安排，是因为”后面，句末不加标点。",
    f"日期像 2026-11-22；失效日写 {FOR_EVER} 表示一直有效。要从某天起换一条，"
    "就把旧行的失效日写成前一天，再加一行新的。",
    "可以加行、删行、改行，也可以调换行的次序；规则号在全部表里不能重复。不要合并单元格。",
    "改完运行 python -m recovery.remedy import 文件.xlsx 目录 --version 版本 --date 日期"
    " --note 改了什么；有一处不对就什么都不写。",
)


def _write_guide(sheet: Worksheet, book: Book) -> None:
    rows: list[tuple[str, ...]] = [
        ("回心补救政策",),
        ("版本", book.version),
        ("日期", book.day),
        ("说明", book.note),
        ("指纹", book.digest),
        (),
        ("怎么改",),
        *((str(place), text) for place, text in enumerate(_HOW, 1)),
        (),
        ("可以写的值",),
        *_allowed(),
        (),
        ("补救种类", "参数"),
        *(
            (one.label, _parameters(name))
            for name, one in KINDS.items()
        ),
        (),
        ("行业", "失误"),
        *(
            (words, "、".join(FAILURE_WORDS[name] for name, one in FAILURES.items()
                             if trade in one.industries))
            for trade, words in TRADE_WORDS.items()
        ),
    ]  # fmt: skip
    for line, cells in enumerate(rows, 1):
        for place, text in enumerate(cells, 1):
            cell = _write(sheet, line, place, text)
            if len(cells) == 1 or cells[0] in ("补救种类", "行业"):
                cell.font = _HEADING
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 110


def _parameters(kind: str) -> str:
    needed = [one.label for one in KINDS[kind].parameters if not one.optional]
    # Of parameters that may be left out exactly one is written: a share or a sum.
    either = " 或 ".join(one.label for one in KINDS[kind].parameters if one.optional)
    return "、".join([*needed, *([either] if either else [])]) or "没有参数"


def _allowed() -> Iterator[tuple[str, str]]:
    for name, known in INPUTS.items():
        if name in ("failure", "kind"):
            continue
        if name in WORDS:
            yield known.label, "、".join(WORDS[name].values())
        else:
            yield known.label, f"{known.least}..{known.most}"
    shown = set()
    for table in TABLES:
        for name, column in columns_of(table).items():
            words = choices_of(name)
            if words is not None and column.label not in shown:
                shown.add(column.label)
                yield column.label, "、".join(words)


# ---- in -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """A policy that was read from a workbook.

    Attributes:
        book: The policy.
        placed: From a message about files to one about sheets and their rows.
    """

    book: Book
    placed: Callable[[str], str]


def read_workbook(path: Path, version: str, day: str, note: str) -> Imported:
    """Read a policy from a workbook.

    Args:
        path: An .xlsx file as `export` writes it, edited.
        version: Its version.
        day: ISO date of the release.
        note: What was changed.

    Raises:
        UseError: No such file, no workbook, too large, or with parts that are refused.
        PolicyFileError: Something in it is wrong; every place is named by sheet, row and column.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UseError(f"{path}：文件超过 {MOST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise UseError(f"{path}：读不出来（{error.strerror}）") from error
    return read_workbook_bytes(content, version, day, note)


def read_workbook_bytes(content: bytes, version: str, day: str, note: str) -> Imported:
    """Read a policy from the bytes of a workbook; see `read_workbook`."""
    _look_inside(content)
    try:
        found = load_workbook(io.BytesIO(content), keep_links=False)
    except Exception as error:  # openpyxl has no error of its own for what is damaged
        raise UseError(f"这个文件不是完整的 .xlsx（{type(error).__name__}）") from error
    try:
        reading = _Reading(found)
        return Imported(reading.book(version, day, note), reading.placed)
    finally:
        found.close()


def _look_inside(content: bytes) -> None:
    """Refuse a file by its list of parts, before anything is read as a workbook."""
    if len(content) > MOST_BYTES:
        raise UseError(f"文件超过 {MOST_BYTES // 1_000_000} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > _MOST_PARTS or sum(one.file_size for one in parts) > _MOST_UNPACKED:
                raise UseError("解开以后太大，不像一份政策")
            for one in parts:
                for mark, what in _REFUSED_PARTS.items():
                    if mark in one.filename.lower():
                        raise UseError(f"工作簿里有{what}（{one.filename[:60]}），请删掉再存")
                # What is declared too small is cut off there and fails its checksum. Wide
                # encodings are looked through as well.
                if b"<!DOCTYPE" in packed.read(one).replace(b"\0", b"").upper():
                    raise UseError(f"工作簿里有不该有的声明（{one.filename[:60]}）")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise UseError("这个文件不是 .xlsx（旧的 .xls 和加了密码的文件不能用）") from error
    except Exception as error:
        # Damaged streams raise errors of the compressors, which have no common class.
        if isinstance(error, UseError):
            raise
        raise UseError("这个文件不是完整的 .xlsx") from error


@dataclass
class _Sheet:
    """One table as read: the rules in order, each with the row where it stands."""

    reads: tuple[str, ...] = ()
    rules: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class _Reading:
    """Reads the sheets of a workbook and notes everything that is wrong."""

    def __init__(self, found: Workbook) -> None:
        self._found = found
        self._wrong: list[str] = []
        self._sheets: dict[tuple[str, str], _Sheet] = {}

    def book(self, version: str, day: str, note: str) -> Book:
        """The policy of the workbook.

        Raises:
            PolicyFileError: Something is wrong.
        """
        expected = {
            sheet_name(file, table): (file, table) for file in FILES for table in tables_of(file)
        }
        present = set(self._found.sheetnames)
        strange = [one for one in self._found.sheetnames if one not in {GUIDE, *expected}]
        self._wrong += [f"工作表 {one}：不认识，请删掉或改回原名" for one in strange]
        self._wrong += [f"工作表 {one}：不在" for one in expected if one not in present]
        for title, (file, table) in expected.items():
            if title in present:
                sheet = self._found[title]
                if isinstance(sheet, Worksheet):
                    self._sheets[file, table] = self._table(title, table, sheet)
                else:
                    self._wrong.append(f"工作表 {title}：不是表格")
        if self._wrong:
            raise PolicyFileError(self._wrong)
        try:
            return read_book(self._texts(), version, day, note)
        except PolicyFileError as error:
            raise PolicyFileError(self.placed(one) for one in error.wrong) from error

    def placed(self, message: str) -> str:
        """A message about files, about the sheets that they were read from."""

        def said(found: re.Match[str]) -> str:
            file, table = found["file"], found["table"]
            sheet = self._sheets.get((file, table))
            if sheet is None:
                return found.group()
            line = None
            if found["place"]:
                line = sheet.lines[int(found["place"]) - 1]
            elif found["rule"]:
                ids = [one["rule"].strip("'") for one in sheet.rules]
                at = found["rule"]
                line = sheet.lines[ids.index(at)] if at in ids else None
            where = f"工作表 {sheet_name(file, table)}"
            where += f"，第 {line} 行" if line else ""
            column = found["column"]
            if column and (column in columns_of(table) or column in INPUTS):
                where += f"，列 {column_label(table, column)}"
            return where

        return _PLACE.sub(said, message)

    def _texts(self) -> dict[str, str]:
        texts = {}
        for file in FILES:
            tables = {
                name: Table(file, name, self._sheets[file, name].reads, ())
                for name in tables_of(file)
            }
            content = document(tables)
            for one in content["nodes"]:
                if one["id"] in tables:
                    one["content"]["rules"] = self._sheets[file, one["id"]].rules
            texts[file] = json.dumps(content, ensure_ascii=False)
        return texts

    def _table(self, title: str, table: str, sheet: Worksheet) -> _Sheet:
        read = _Sheet()
        where = f"工作表 {title}"
        if sheet.merged_cells.ranges:
            merged = "、".join(str(one) for one in list(sheet.merged_cells.ranges)[:3])
            self._wrong.append(f"{where}：有合并的单元格 {merged}，请取消合并")
            return read
        if sheet.max_row > _MOST_ROWS or sheet.max_column > _MOST_COLUMNS:
            self._wrong.append(
                f"{where}：用到了第 {sheet.max_row} 行、第 {sheet.max_column} 列，"
                f"最多 {_MOST_ROWS} 行、{_MOST_COLUMNS} 列；请删掉下面和右边的空行空列"
            )
            return read
        columns = self._headings(where, table, sheet)
        if columns is None:
            return read
        read.reads = tuple(name for name in columns.values() if name in TABLES[table].reads)
        for cells in sheet.iter_rows(min_row=2):
            if all(cell.value is None or str(cell.value).strip() == "" for cell in cells):
                continue
            rule = self._rule(where, table, columns, cells)
            read.rules.append(rule)
            read.lines.append(int(cells[0].row or 0))
        return read

    def _headings(self, where: str, table: str, sheet: Worksheet) -> dict[int, str] | None:
        """The column that each place holds."""
        known = {
            plain_text(column_label(table, name)): name
            for name in (*TABLES[table].reads, *columns_of(table))
        }
        before = len(self._wrong)
        found: dict[int, str] = {}
        for cell in sheet[1]:
            heading = "" if cell.value is None else plain_text(str(cell.value))
            if not heading:
                continue
            name = known.get(heading)
            if name is None:
                shown = "、".join(column_label(table, one)
                                 for one in (*TABLES[table].reads, *columns_of(table)))  # fmt: skip
                self._wrong.append(
                    f"{where}，第 1 行 {cell.coordinate}：不认识的列 {heading[:30]}；可以写 {shown}"
                )
            elif name in found.values():
                self._wrong.append(f"{where}，第 1 行 {cell.coordinate}：列 {heading} 写了两次")
            else:
                found[int(cell.column or 0)] = name
        missing = [name for name in columns_of(table) if name not in found.values()]
        self._wrong += [f"{where}，第 1 行：缺少列 {column_label(table, name)}" for name in missing]
        return found if len(self._wrong) == before else None

    def _rule(
        self, where: str, table: str, columns: Mapping[int, str], cells: tuple[Any, ...]
    ) -> dict[str, str]:
        rule: dict[str, str] = {}
        for cell in cells:
            name = columns.get(int(cell.column))
            try:
                text = _cell_text(cell)
                if name is None:
                    if text.strip():
                        raise WordError("这一列没有列名")
                    continue
                if name in columns_of(table):
                    rule[name] = write_outcome(_read(columns_of(table)[name], name, text))
                else:
                    rule[name] = read_condition_words(name, text)
            except (WordError, CellError) as error:
                label = column_label(table, name) if name else str(cell.column_letter)
                self._wrong.append(f"{where}，第 {cell.row} 行，列 {label}：{error}")
                if name in columns_of(table):
                    rule[name] = "''"
        return {"_id": rule.get("rule", "").strip("'"), **rule}


def _cell_text(cell: Any) -> str:  # noqa: ANN401 - openpyxl has several classes of cells
    """What a cell holds, as text: whole numbers without a fraction, days as ISO dates."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise WordError("是公式；请改成写定的值")
    if cell.data_type == "e":
        raise WordError(f"是错误值 {value}")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not value.is_integer() or abs(value) > 10**15:
            raise WordError(f"{value} 带小数；钱写成整数分，比例写成整数万分比")
        return str(int(value))
    if isinstance(value, datetime):
        if value.time() != datetime.min.time():
            raise WordError(f"{value} 带了时间；日期写成 2026-11-22")
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise WordError(f"{str(value)[:40]} 不能用；请写成文字或整数")
    return value


def _read(column: Column, name: str, text: str) -> Any:  # noqa: ANN401 - outcomes
    if column.kind == "text":
        # As written: what is read to customers is not changed on the way.
        if not text.strip():
            raise WordError("不能为空")
        return text
    if name == "effective_to" and plain_text(text) in ("", FOR_EVER):
        return LAST_DAY
    if not text.strip():
        raise WordError("不能为空")
    if column.kind in ("rule", "day"):
        return plain_text(text)
    if column.kind == "remedies":
        return read_remedies(text)
    return read_said(name, column, text)


__all__ = [
    "GUIDE",
    "MOST_BYTES",
    "Imported",
    "export",
    "read_workbook",
    "read_workbook_bytes",
    "workbook_bytes",
]
