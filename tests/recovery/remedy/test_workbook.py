"""A workbook comes back as the same policy; what a manager got wrong is named by its place."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from recovery.remedy.book import Book, PolicyFileError
from recovery.remedy.release import UseError
from recovery.remedy.workbook import (
    MOST_BYTES,
    export,
    read_workbook,
    read_workbook_bytes,
    workbook_bytes,
)
from tests.recovery.remedy import policies

HEAD = (policies.VERSION, policies.DAY, policies.NOTE)
Edit = Callable[[Workbook], None]


@pytest.fixture(scope="module")
def good() -> Book:
    return policies.book()


@pytest.fixture(scope="module")
def content(good: Book) -> bytes:
    return workbook_bytes(good)


def sheet(found: Workbook, title: str) -> Worksheet:
    one = found[title]
    assert isinstance(one, Worksheet)
    return one


def column(one: Worksheet, label: str) -> int:
    return [cell.value for cell in one[1]].index(label) + 1


def edited(content: bytes, edit: Edit) -> bytes:
    found = load_workbook(io.BytesIO(content))
    edit(found)
    made = io.BytesIO()
    found.save(made)
    return made.getvalue()


def put(title: str, line: int, label: str, value: object) -> Edit:
    def edit(found: Workbook) -> None:
        one = sheet(found, title)
        one.cell(line, column(one, label)).value = value  # type: ignore[union-attr, assignment]

    return edit


def wrong_with(content: bytes, edit: Edit) -> list[str]:
    with pytest.raises(PolicyFileError) as caught:
        read_workbook_bytes(edited(content, edit), *HEAD)
    return list(caught.value.wrong)


def read(content: bytes) -> Book:
    return read_workbook_bytes(content, *HEAD).book


def test_an_unchanged_workbook_is_the_same_policy(good: Book, content: bytes) -> None:
    assert read(content).digest == good.digest
    assert read(edited(content, lambda found: None)).digest == good.digest


def test_every_condition_and_every_remedy_comes_back(tmp_path: Path) -> None:
    seed = policies.seed()
    policies.find(seed, "H-GW-8")["remedies"] = [
        {"kind": "free_meal", "persons": 2}, {"kind": "refund_part", "bp": 100},
        {"kind": "refund_part", "fen": 34_000}, {"kind": "next_discount", "bp": 3_900},
        {"kind": "late_checkout", "hour": 14}, {"kind": "manager_call", "minutes": 30},
    ]  # fmt: skip
    policies.find(seed, "H-GW-8")["reason"] = "=1+1，+86 也行，<b>不是</b>标记  _x000D_ "
    policies.find(seed, "H-GW-7")["effective_to"] = "2027-01-31"
    policies.find(seed, "C-LOY-OLD")["tenure_days"] = "[1095..36500]"
    policies.find(seed, "C-REC-0")["recurrence"] = "0"
    policies.find(seed, "C-REC-1")["recurrence"] = "1, 2, 3"
    made = policies.book(seed)
    path = tmp_path / "policy.xlsx"
    export(made, path)
    assert read_workbook(path, *HEAD).book.digest == made.digest


def test_the_order_of_rows_is_kept(content: bytes, good: Book) -> None:
    def edit(found: Workbook) -> None:
        one = sheet(found, "酒店·心意")
        first = [cell.value for cell in one[2]]
        one.delete_rows(2)
        one.append(first)

    rules = [row.rule for row in read(edited(content, edit)).files["hotel"]["goodwill"].rows]
    before = [row.rule for row in good.files["hotel"]["goodwill"].rows]
    assert rules == [*before[1:], before[0]]


def test_what_a_manager_sees(content: bytes) -> None:
    found = load_workbook(io.BytesIO(content))
    assert found.sheetnames[:3] == ["说明", "通用·严重程度", "通用·基础档"]
    assert all(len(one) <= 31 for one in found.sheetnames)
    one = sheet(found, "酒店·可换的形式")
    assert [cell.value for cell in one[1]] == [
        "规则号", "失误", "想换的形式", "补救", "心意换成",
        "权限", "所需证据", "理由（给顾客看）", "依据", "生效日", "失效日",
    ]  # fmt: skip
    assert [cell.value for cell in one[2]][:7] == [
        "H-CH-REFUND-PART", "房间没有打扫干净", "退款", "换房(分钟=20)", "退款", "机器人", "不用",
    ]  # fmt: skip
    assert one.freeze_panes == "B2"
    offered = {str(each.formula1) for each in one.data_validations.dataValidation}
    assert '"机器人,员工,经理"' in offered
    base = sheet(found, "通用·基础档")
    assert base.cell(3, 2).value == "没有指称、已认定"
    assert sheet(found, "通用·严重程度").cell(3, 4).value == "24..71"
    assert sheet(found, "通用·金额").cell(4, 2).value == "> 10000000"


@pytest.mark.parametrize(
    ("label", "value"),
    [("生效日", datetime(2026, 1, 1)), ("失效日", None), ("心意档", 1), ("心意档", 1.0),
     ("心意档", "１"), ("规则号", "H-GW-1 "), ("补救", "代金券（分＝2000）"), ("权限", " 机器人 ")],
)  # fmt: skip
def test_what_excel_and_a_chinese_keyboard_make_of_a_cell_is_understood(
    content: bytes, good: Book, label: str, value: object
) -> None:
    assert read(edited(content, put("酒店·心意", 3, label, value))).digest == good.digest


@pytest.mark.parametrize(
    ("label", "value", "why"),
    [
        ("心意档", "第一", "看不懂"),
        ("心意档", 1.5, "带小数"),
        ("心意档", True, "看不懂"),
        ("补救", "代金券(分=19.9)", "带小数"),
        ("补救", "代金券(元=20)", "看不懂；参数：分"),
        ("补救", "代金券", "缺少 分"),
        ("补救", "玩具熊(个=1)", "不认识补救“玩具熊”"),
        ("补救", None, "不能为空"),
        ("权限", "老板", "不认识“老板”；可以写 机器人、员工、经理"),
        ("理由（给顾客看）", None, "不能为空"),
        ("理由（给顾客看）", "一行\n两行", "换行"),
        ("理由（给顾客看）", "=A1", "是公式"),
        ("依据", "#REF!", "错误值"),
        ("生效日", "2026/1/1", "应当像 2026-11-22"),
        ("生效日", datetime(2026, 1, 1, 8), "带了时间"),
        ("失效日", "2025-12-31", "失效日早于生效日"),
        ("规则号", "H-GW-2", "已经用在"),
        ("规则号", "h1", "应当像 H-CLEAN-F1"),
    ],
)
def test_a_wrong_cell_is_named(content: bytes, label: str, value: object, why: str) -> None:
    wrong = wrong_with(content, put("酒店·心意", 3, label, value))
    assert any(why in one for one in wrong), wrong
    named = [one for one in wrong if one.startswith("工作表 酒店·心意，第 ")]
    assert named, wrong
    # The same rule again is said of the second of the two rows.
    if value != "H-GW-2":
        assert any(f"第 3 行，列 {label}：" in one for one in named), wrong


def test_a_failure_of_another_trade_is_named(content: bytes) -> None:
    wrong = wrong_with(content, put("酒店·应给的", 2, "失误", "收到的货少了东西"))
    place = "工作表 酒店·应给的，第 2 行，列 失误："
    assert any(one.startswith(place) and "不是这个行业的失误" in one for one in wrong), wrong


def test_rows_that_contradict_each_other_are_named_by_sheet_and_row(content: bytes) -> None:
    wrong = wrong_with(content, put("酒店·心意", 3, "心意档", "1..2"))
    assert any("工作表 酒店·心意，第 3 行：与行 H-GW-2 条件重叠" in one for one in wrong), wrong


def _merge(found: Workbook) -> None:
    sheet(found, "酒店·心意").merge_cells("A2:B2")


def _rename(found: Workbook) -> None:
    sheet(found, "酒店·心意").title = "酒店心意"


def _beside(found: Workbook) -> None:
    sheet(found, "酒店·心意").cell(3, 30).value = "备注"  # type: ignore[union-attr]


def _heading(found: Workbook) -> None:
    sheet(found, "酒店·心意").cell(1, 2).value = "颜色"  # type: ignore[union-attr]


def _far(found: Workbook) -> None:
    sheet(found, "酒店·心意").cell(9_000, 1).value = "H-FAR-1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (_merge, "工作表 酒店·心意：有合并的单元格 A2:B2"),
        (_rename, "工作表 酒店·心意：不在"),
        (_rename, "工作表 酒店心意：不认识"),
        (_beside, "工作表 酒店·心意，第 3 行，列 AD：这一列没有列名"),
        (_heading, "工作表 酒店·心意，第 1 行 B1：不认识的列 颜色"),
        (_far, "工作表 酒店·心意：用到了第 9000 行"),
    ],
)
def test_a_wrong_sheet_is_named(content: bytes, edit: Edit, why: str) -> None:
    wrong = wrong_with(content, edit)
    assert any(why in one for one in wrong), wrong


def _with_part(content: bytes, name: str, data: bytes) -> bytes:
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, data)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("xl/vbaProject.bin", b"x", "宏"),
        ("xl/media/image1.png", b"x", "图片"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "链接"),
        ("xl/bomb.xml", b"0" * 60_000_000, "解开以后太大"),
        ("xl/x.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "声明"),
        ("xl/y.xml", "<!doctype x><x/>".encode("utf-16"), "声明"),
    ],
)
def test_a_workbook_with_strange_parts_is_refused(
    content: bytes, name: str, data: bytes, why: str
) -> None:
    with pytest.raises(UseError, match=why):
        read_workbook_bytes(_with_part(content, name, data), *HEAD)


@pytest.mark.parametrize("cut", [0, 10, 4_000, -100])
def test_what_is_no_workbook_is_refused(content: bytes, cut: int) -> None:
    with pytest.raises(UseError, match=r"xlsx"):
        read_workbook_bytes(content[:cut], *HEAD)


def test_a_damaged_part_is_refused(content: bytes) -> None:
    spoilt = bytearray(content)
    spoilt[3_000:3_200] = bytes(200)
    with pytest.raises((UseError, PolicyFileError)):
        read_workbook_bytes(bytes(spoilt), *HEAD)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    path.write_bytes(b"\0" * (MOST_BYTES + 1))
    with pytest.raises(UseError, match="超过"):
        read_workbook(path, *HEAD)


def test_edits_are_never_overwritten(good: Book, tmp_path: Path) -> None:
    path = tmp_path / "mine.xlsx"
    path.write_text("mine", "utf-8")
    with pytest.raises(UseError, match="已经有"):
        export(good, path)
    assert path.read_text("utf-8") == "mine"


def test_a_text_that_no_workbook_can_hold_is_refused(tmp_path: Path) -> None:
    seed = policies.seed()
    policies.find(seed, "H-GW-1")["reason"] = "响铃\x07"
    with pytest.raises(UseError, match="不能存"):
        export(policies.book(seed), tmp_path / "x.xlsx")
