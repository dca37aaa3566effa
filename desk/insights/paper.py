"""The insights as a PDF to print and hand round: A4, Chinese, without a customer's name."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode
from fpdf.fonts import FontFace, TTFFont

from desk.insights import wording
from desk.insights.contents import Contents
from desk.insights.fonts import Face
from recovery.insights.figures import GROUPS

_FAMILY = "chinese"
_INK, _SOFT, _LINE = (42, 36, 31), (100, 90, 79), (224, 214, 199)
_ACCENT, _WARM, _PALE, _GROUND = (29, 102, 86), (150, 72, 29), (135, 122, 107), (239, 232, 220)
_TEXT, _SMALL, _HEADING, _TITLE = 9.5, 8.0, 13.0, 18.0
_ROW = 5.6
_CHART_HEIGHT, _CHART_FOOT = 42.0, 5.0
_MOST_BARS = 12
_MOST_DAY_LABELS = 12
# Stands for a character that the font does not have.
_UNKNOWN = "□"

Row = Sequence[str]


def paper(contents: Contents, face: Face, now: datetime) -> bytes:
    """All of it as the bytes of a PDF.

    Args:
        contents: What is saved.
        face: The font.
        now: The present moment, as the file says it was made.
    """
    made = _Paper(contents, face, now)
    made.head()
    made.alerts()
    made.figures()
    made.days()
    made.causes()
    made.lists()
    made.explanations()
    return bytes(made.pdf.output())


class _Pages(FPDF):
    """Numbers its pages."""

    name = ""

    def footer(self) -> None:
        """Say at the foot what it is, and which page."""
        self.set_y(-12)
        self.set_font(_FAMILY, size=_SMALL)
        self.set_text_color(*_SOFT)
        self.cell(0, 6, f"{self.name} · 第 {self.page_no()} 页，共 {{nb}} 页", align="C")


class _Paper:
    """Puts the parts of a file on pages, one after the other."""

    def __init__(self, contents: Contents, face: Face, now: datetime) -> None:
        """Begin the first page.

        Args:
            contents: What is saved.
            face: The font.
            now: The present moment.
        """
        self._contents = contents
        self.pdf = pdf = _Pages(format="A4")
        pdf.add_font(_FAMILY, "", face.regular, collection_font_number=face.number)
        pdf.add_font(_FAMILY, "B", face.bold, collection_font_number=face.number)
        font = pdf.fonts[_FAMILY]
        self._known = font.cmap if isinstance(font, TTFFont) else {}
        pdf.name = self._shown(contents.title)
        pdf.set_title(pdf.name)
        pdf.set_creator("回心")
        pdf.set_lang("zh-CN")
        pdf.set_creation_date(now)
        pdf.set_margin(16)
        pdf.set_auto_page_break(True, margin=18)
        pdf.add_page()

    # ---- parts ----------------------------------------------------------------------------

    def head(self) -> None:
        """Title, and what it is about."""
        self._font(_TITLE, bold=True)
        self._lines(self._contents.title, 10)
        self.pdf.ln(1)
        for name, words in self._contents.head:
            self._font(_TEXT, colour=_SOFT)
            self._lines(f"{name}：{words}", 5.2)
        if self._contents.changed:
            self._heading("有什么变化")
            self._font(_TEXT)
            for line in self._contents.changed:
                self._lines(f"· {line}", 5.6)

    def alerts(self) -> None:
        """What is rising."""
        if not self._contents.alerts:
            return
        self._heading("正在变多")
        self._font(_TEXT, colour=_WARM)
        for one in self._contents.alerts:
            usual = wording.value(one["expected"], "count")
            self._lines(f"{one['name']}：{one['day']} 有 {one['count']} 件，平常约 {usual} 件", 5.6)

    def figures(self) -> None:
        """A table for each group."""
        for group in dict.fromkeys(one["group"] for one in self._contents.figures):
            self._heading(GROUPS.get(group, group))
            self._table(
                (56, 36, 30, 24, 32),
                ("指标", "数值", "比上期", "件数", "提醒"),
                (
                    (
                        *(one["name"], wording.figure(one), wording.change(one) or "—"),
                        *(str(one["n"]), one["low"] if one["n"] else ""),
                    )
                    for one in self._contents.figures
                    if one["group"] == group
                ),
            )

    def days(self) -> None:
        """Cases that came and were closed, day by day."""
        days = self._contents.days
        if not days:
            return
        self._heading("每天", _CHART_HEIGHT + 22)
        self._legend((("新投诉", _WARM), ("结案", _PALE)))
        pdf, left, top = self.pdf, self.pdf.l_margin, self.pdf.get_y()
        most = max(1, *(max(one["cases"], one["closed"]) for one in days))
        step = pdf.epw / len(days)
        foot = top + _CHART_HEIGHT
        for place, one in enumerate(days):
            for part, (name, colour) in enumerate((("cases", _WARM), ("closed", _PALE))):
                height = one[name] / most * (_CHART_HEIGHT - 4)
                pdf.set_fill_color(*colour)
                if height:
                    x = left + step * (place + 0.1 + 0.4 * part)
                    pdf.rect(x, foot - height, step * 0.4, height, style="F")
        pdf.set_draw_color(*_PALE)
        pdf.line(left, foot, left + pdf.epw, foot)
        self._font(_SMALL, colour=_SOFT)
        pdf.text(left, top + 2, str(most))
        every = -(-len(days) // _MOST_DAY_LABELS)
        for place in range(0, len(days), every):
            label = str(days[place]["day"])[5:].replace("-", "/")
            pdf.text(left + step * place, foot + _CHART_FOOT - 1, label)
        pdf.set_y(foot + _CHART_FOOT + 1)

    def causes(self) -> None:
        """The most frequent causes as bars, and all of them as a table."""
        causes = self._contents.pareto
        if not causes:
            return
        self._heading("根本原因", 40)
        self._legend((("已确认", _ACCENT), ("系统推测", _PALE)))
        pdf, most = self.pdf, max(1, *(one["count"] for one in causes))
        names = 58.0
        for one in causes[:_MOST_BARS]:
            sure = int(one.get("confirmed") or 0)
            self._room(_ROW)
            top, left = pdf.get_y(), pdf.l_margin
            self._font(_SMALL)
            pdf.set_xy(left, top)
            pdf.cell(names, _ROW, self._fitting(one["name"], names - 2))
            width = (pdf.epw - names - 26) / most
            for start, count, colour in ((0, sure, _ACCENT), (sure, one["count"] - sure, _PALE)):
                if count > 0:
                    pdf.set_fill_color(*colour)
                    bar = left + names + start * width
                    pdf.rect(bar, top + 1, count * width, _ROW - 2, style="F")
            pdf.set_xy(left + names + one["count"] * width + 1, top)
            pdf.cell(26, _ROW, f"{one['count']} 件 {wording.share(one['share'])}")
            pdf.set_xy(left, top + _ROW)
        pdf.ln(2)

    def lists(self) -> None:
        """Whatever else there is, as tables."""
        have = self._contents
        tables: tuple[tuple[str, Sequence[int], Row, Callable[[dict[str, Any]], Row], Any], ...] = (
            (
                *("什么事", (120, 58), ("什么事", "件数")),
                *(lambda one: (one["name"] or "还不清楚", str(one["count"])), have.failures),
            ),
            (
                *("从哪里来", (120, 58), ("渠道", "件数")),
                *(lambda one: (one["name"], str(one["count"])), have.channels),
            ),
            (
                *("期望和感受", (58, 30, 30, 30, 30), ("方面", "期望", "感受", "差距", "份数")),
                *(_gap, have.servqual),
            ),
            (
                *("心意的预算", (78, 50, 50), ("商家", "花了", "预算")),
                *(_budget, have.budgets),
            ),
            (
                *("是不是一样对待", (78, 25, 35, 40), ("人群", "件数", "提出补救", "平均心意")),
                *(_fair, have.fairness),
            ),
            (
                *("改进措施", (68, 40, 26, 24, 20), ("措施", "原因", "谁来做", "到哪天", "做完")),
                *(_action, have.actions),
            ),
        )
        for title, widths, heads, of, rows in tables:
            if rows:
                self._heading(title)
                self._table(widths, heads, (of(one) for one in rows))

    def explanations(self) -> None:
        """How each figure is worked out."""
        if not self._contents.figures:
            return
        self._heading("怎么算的")
        self._table(
            (48, 130),
            ("指标", "怎么算的"),
            ((one["name"], one["how"]) for one in self._contents.figures),
        )

    # ---- means ----------------------------------------------------------------------------

    def _shown(self, text: str) -> str:
        """A text in characters that the font has, on one line."""
        return "".join(
            char if ord(char) in self._known else _UNKNOWN for char in " ".join(text.split())
        )

    def _font(
        self, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK
    ) -> None:
        self.pdf.set_font(_FAMILY, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def _lines(self, text: str, height: float) -> None:
        self.pdf.multi_cell(
            *(0, height, self._shown(text)),
            align="L",
            wrapmode=WrapMode.CHAR,
            new_x="LMARGIN",
            new_y="NEXT",
        )

    def _room(self, height: float) -> None:
        if self.pdf.will_page_break(height):
            self.pdf.add_page()

    def _heading(self, text: str, with_it: float = 20.0) -> None:
        """A heading that stays with what comes after it."""
        self.pdf.ln(4)
        self._room(with_it)
        self._font(_HEADING, bold=True)
        self._lines(text, 7.5)

    def _legend(self, marks: Iterable[tuple[str, tuple[int, int, int]]]) -> None:
        pdf = self.pdf
        self._font(_SMALL, colour=_SOFT)
        for name, colour in marks:
            pdf.set_fill_color(*colour)
            pdf.rect(pdf.get_x(), pdf.get_y() + 1, 3, 3, style="F")
            pdf.set_x(pdf.get_x() + 4)
            pdf.cell(pdf.get_string_width(name) + 4, 5, name)
        pdf.ln(7)

    def _fitting(self, text: str, width: float) -> str:
        """The beginning of a text that fits."""
        text = self._shown(text)
        if self.pdf.get_string_width(text) <= width:
            return text
        while text and self.pdf.get_string_width(f"{text}…") > width:
            text = text[:-1]
        return f"{text}…"

    def _table(self, widths: Sequence[int], heads: Row, rows: Iterable[Row]) -> None:
        self._font(_SMALL)
        self.pdf.set_draw_color(*_LINE)
        # Rows are filled with whatever was filled last.
        self.pdf.set_fill_color(255)
        with self.pdf.table(
            col_widths=tuple(widths),
            width=self.pdf.epw,
            align="LEFT",
            text_align="LEFT",
            line_height=4.6,
            padding=0.8,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=_INK, fill_color=_GROUND),
            wrapmode=WrapMode.CHAR,
        ) as table:
            for row in (heads, *rows):
                line = table.row()
                for cell in row:
                    line.cell(self._shown(cell))


def _score(value: float | None) -> str:
    return wording.TOO_FEW if value is None else wording.value(value, "score")


def _gap(one: dict[str, Any]) -> Row:
    parts = (_score(one[part]) for part in ("expected", "perceived", "gap"))
    return (one["name"], *parts, str(one["n"]))


def _budget(one: dict[str, Any]) -> Row:
    budget = one["budget_fen"]
    return one["name"], wording.yuan(one["spent_fen"]), wording.yuan(budget) if budget else "没有设"


def _fair(one: dict[str, Any]) -> Row:
    mean = one["mean_fen"]
    return (
        *(wording.people(one), str(one["n"]), wording.share(one["offered_share"])),
        "—" if mean is None else wording.yuan(mean),
    )


def _action(one: dict[str, Any]) -> Row:
    done = "做完了" if one["done"] else "还没"
    return one["action"], one["name"], one["by"] or "—", one["due"] or "—", done
