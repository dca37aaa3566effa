"""The insights as an Excel workbook: every figure as a number, beside it how it is worked out."""

import io
from collections.abc import Iterable, Sequence
from typing import Any, cast

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from desk.insights import wording
from desk.insights.contents import Contents
from recovery.insights.figures import GROUPS

_HEADING = Font(bold=True)
_GROUND = PatternFill("solid", start_color="DCECE5")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_LONGEST = 30_000
# What a spreadsheet may take for the beginning of a formula, also after having been saved as CSV.
_BEGINS = ("=", "+", "-", "@", "\t", "\r")

_UNITS = {
    "count": "件",
    "seconds": "秒",
    "percent": "%",
    "fen": "元",
    "score": "分",
    "points": "点",
}
_FORMATS = {
    "count": "#,##0.##",
    "seconds": "#,##0",
    "percent": "0.0%",
    "fen": "#,##0.00",
    "score": "0.00",
    "points": "0.0",
}

Value = str | int | float | None
# A number together with its unit, or a text.
Entry = Value | tuple[float | None, str]


def workbook(contents: Contents) -> bytes:
    """All of it as the bytes of an .xlsx file.

    Args:
        contents: What is saved.
    """
    made = Workbook()
    first = made.active
    assert isinstance(first, Worksheet)  # noqa: S101 - a new workbook has one sheet
    first.title = "说明"
    _fill(first, (16, 80), ("", ""), contents.head)
    _sheet(
        *(made, "指标", (12, 28, 14, 8, 16, 14, 16, 10, 10, 26, 70)),
        (
            "方面",
            "指标",
            "数值",
            "单位",
            "读作",
            "上期",
            "比上期",
            "件数",
            "总数",
            "提醒",
            "怎么算的",
        ),
        (_figure(one) for one in contents.figures),
    )
    for title, widths, heads, rows in _lists(contents):
        _sheet(made, title, widths, heads, rows)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def _figure(one: dict[str, Any]) -> tuple[Entry, ...]:
    unit = one["unit"]
    return (
        GROUPS.get(one["group"], one["group"]),
        one["name"],
        (one["value"], unit),
        _UNITS.get(unit, ""),
        wording.figure(one),
        (one["before"], unit),
        wording.change(one),
        one["n"],
        one["of"],
        one["low"] or "",
        one["how"],
    )


def _lists(
    contents: Contents,
) -> Iterable[tuple[str, Sequence[int], Sequence[str], Iterable[tuple[Entry, ...]]]]:
    """The sheets beside the figures; one of which there is nothing is left out."""
    if contents.days:
        yield (
            *("每天", (14, 12, 16, 12), ("日期", "新投诉", "开头的情绪（0—3）", "结案")),
            (
                (one["day"], one["cases"], (one["anger_opening"], "score"), one["closed"])
                for one in contents.days
            ),
        )
    if contents.pareto:
        yield (
            *("根本原因", (36, 10, 12, 12, 12), ("原因", "件数", "其中已确认", "占比", "累计")),
            (
                (
                    *(one["name"], one["count"], one.get("confirmed")),
                    *((one["share"], "percent"), (one["cumulative"], "percent")),
                )
                for one in contents.pareto
            ),
        )
    for title, rows in (("什么事", contents.failures), ("渠道", contents.channels)):
        if rows:
            yield title, (36, 10), (title, "件数"), ((one["name"], one["count"]) for one in rows)
    if contents.servqual:
        yield (
            *("期望和感受", (18, 12, 12, 12, 10), ("方面", "期望", "感受", "差距", "份数")),
            (
                (
                    one["name"],
                    *((one[part], "score") for part in ("expected", "perceived", "gap")),
                    one["n"],
                )
                for one in contents.servqual
            ),
        )
    if contents.budgets:
        yield (
            *("心意的预算", (28, 14, 14), ("商家", "花了（元）", "预算（元）")),
            (
                (one["name"], (one["spent_fen"], "fen"), (one["budget_fen"], "fen"))
                for one in contents.budgets
            ),
        )
    if contents.fairness:
        yield (
            *("公平", (28, 10, 14, 16), ("人群", "件数", "提出补救", "平均心意（元）")),
            (
                (
                    *(wording.people(one), one["n"]),
                    *((one["offered_share"], "percent"), (one["mean_fen"], "fen")),
                )
                for one in contents.fairness
            ),
        )
    if contents.actions:
        yield (
            *("改进措施", (60, 28, 16, 14, 24), ("措施", "原因", "谁来做", "到哪天", "做完")),
            (
                (one["action"], one["name"], one["by"] or "", one["due"] or "", one["done"] or "")
                for one in contents.actions
            ),
        )
    if contents.alerts:
        yield (
            *("正在变多", (36, 14, 10, 12), ("什么", "哪天", "件数", "平常")),
            (
                (one["name"], one["day"], one["count"], (one["expected"], "points"))
                for one in contents.alerts
            ),
        )


def _sheet(
    made: Workbook,
    title: str,
    widths: Sequence[int],
    heads: Sequence[str],
    rows: Iterable[tuple[Entry, ...]],
) -> None:
    sheet = made.create_sheet(title)
    _fill(sheet, widths, heads, rows)
    sheet.freeze_panes = "A2"


def _fill(
    sheet: Worksheet,
    widths: Sequence[int],
    heads: Sequence[str],
    rows: Iterable[Sequence[Entry]],
) -> None:
    if any(heads):
        for column, head in enumerate(heads, 1):
            cell = _cell(sheet, 1, column)
            _write(cell, head)
            cell.font, cell.fill = _HEADING, _GROUND
    for place, row in enumerate(rows, 2 if any(heads) else 1):
        for column, entry in enumerate(row, 1):
            cell = _cell(sheet, place, column)
            _write(cell, entry)
            cell.alignment = _WRAPPED
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    """A cell; in a sheet of ours none are merged."""
    return cast(Cell, sheet.cell(row, column))


def _write(cell: Cell, entry: Entry) -> None:
    """Put something into a cell; text stays text, whatever it begins with."""
    if isinstance(entry, tuple):
        amount, unit = entry
        if amount is not None:
            cell.value = amount / 100 if unit in ("fen", "percent") else amount
            cell.number_format = _FORMATS.get(unit, "General")
        return
    if not isinstance(entry, str):
        cell.value = entry
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", entry)[:_LONGEST]
    cell.data_type = "s"
    if entry.startswith(_BEGINS):
        cell.quotePrefix = True
