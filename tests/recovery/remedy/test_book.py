"""Files that cannot be used are refused whole; the message names file, table, row and column."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recovery.remedy.book import (
    MANIFEST,
    Book,
    PolicyFileError,
    load_book,
    read_book,
    read_directory,
    save_book,
)
from tests.recovery.remedy import policies

Documents = dict[str, dict[str, Any]]


def rule(documents: Documents, file: str, table: str, name: str) -> dict[str, Any]:
    content = next(one for one in documents[file]["nodes"] if one["id"] == table)["content"]
    found: dict[str, Any] = next(one for one in content["rules"] if one["rule"] == f"'{name}'")
    return found


def change(file: str, table: str, name: str, **cells: object) -> Callable[[Documents], None]:
    return lambda documents: rule(documents, file, table, name).update(cells)


def wrong_with(damage: Callable[[Documents], None]) -> list[str]:
    documents = policies.documents(policies.seed())
    damage(documents)
    texts = {file: json.dumps(one) for file, one in documents.items()}
    with pytest.raises(PolicyFileError) as caught:
        read_book(texts, policies.VERSION, policies.DAY, policies.NOTE)
    return list(caught.value.wrong)


GESTURE = "hotel.json：表 goodwill，第 2 行 'H-GW-1'"
PAID = "common.json：表 amount，第 1 行 'C-AMOUNT-BOT'"


@pytest.mark.parametrize(
    ("damage", "place", "why"),
    [
        (change("hotel", "failures", "H-NOISE-F", failure="'no_such'"),
         "hotel.json：表 failures，第 2 行 'H-NOISE-F'，列 failure：", "不认识 'no_such'"),
        (change("hotel", "floor", "H-NOISE-FLOOR", failure="'wrong_item'"),
         "hotel.json：表 floor，行 H-NOISE-FLOOR，列 failure：", "不是这个行业的失误"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'voucher', fen: 19.9}]"),
         f"{GESTURE}，列 remedies：", "带小数"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'voucher', fen: '2000'}]"),
         f"{GESTURE}，列 remedies：", "要写整数"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'voucher', fen: true}]"),
         f"{GESTURE}，列 remedies：", "要写整数"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'teddy'}]"),
         f"{GESTURE}，列 remedies：", "不认识补救种类 'teddy'"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'free_dinner', persons: 2}]"),
         f"{GESTURE}，列 remedies：", "不认识补救种类"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'voucher', fen: 1, worth: 9}]"),
         f"{GESTURE}，列 remedies：", "没有参数 'worth'"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'refund_part'}]"),
         f"{GESTURE}，列 remedies：", "bp 或 fen"),
        (change("hotel", "goodwill", "H-GW-1", remedies="'voucher'"),
         f"{GESTURE}，列 remedies：", "补救要写成"),
        (change("hotel", "goodwill", "H-GW-1", remedies="[{kind: 'room_upgrade', minutes: 20}]"),
         "hotel.json：表 goodwill，行 H-GW-1，列 remedies：", "没有价格"),
        (change("hotel", "goodwill", "H-GW-1", reason="''"), f"{GESTURE}，列 reason：", "不能为空"),
        (change("hotel", "goodwill", "H-GW-1", reason=None),
         f"{GESTURE}，列 reason：", "缺少这一格"),
        (change("hotel", "goodwill", "H-GW-1", authority="'boss'"),
         f"{GESTURE}，列 authority：", "不认识 'boss'"),
        (change("hotel", "goodwill", "H-GW-1", colour="'red'"),
         f"{GESTURE}：", "不认识的列 colour"),
        (change("hotel", "goodwill", "H-GW-1", effective_from="'2026-13-01'"),
         f"{GESTURE}，列 effective_from：", "应当像 2026-11-22"),
        (change("hotel", "goodwill", "H-GW-1", effective_to="'2025-01-01'"),
         f"{GESTURE}，列 effective_to：", "早于生效日"),
        (change("hotel", "goodwill", "H-GW-1", rule="'h1'"), "第 2 行 'h1'，列 rule：", "应当像"),
        (change("hotel", "goodwill", "H-GW-1", rule="'H-GW-2'"),
         "hotel.json：表 goodwill，第 3 行 'H-GW-2'，列 rule：", "已经用在"),
        (change("hotel", "goodwill", "H-GW-1", level="2"),
         "hotel.json：表 goodwill，行 H-GW-1，列 effective_from：", "日期重叠"),
        (change("hotel", "goodwill", "H-GW-1", level="[1..2]"),
         "hotel.json：表 goodwill，行 H-GW-1：", "条件重叠"),
        (change("hotel", "goodwill", "H-GW-1", level="9"), f"{GESTURE}，列 level：", "超出"),
        (change("hotel", "goodwill", "H-GW-1", level="'one'"), f"{GESTURE}，列 level：", "整数"),
        (change("hotel", "goodwill", "H-GW-1", level=1), f"{GESTURE}，列 level：", "写成文字"),
        # A zero that is not text is no empty cell, and so no condition that everything meets.
        (change("common", "amount", "C-AMOUNT-BOT", paid=0), f"{PAID}，列 paid：", "写成文字"),
        (change("common", "newcomer", "C-NEW-NO", first_time="1"),
         "common.json：表 newcomer，第 1 行 'C-NEW-NO'，列 first_time：", "不认识 1"),
        (change("hotel", "bands", "H-BAND-1", level="[1..2]"),
         "hotel.json：表 bands，第 2 行 'H-BAND-1'，列 level：", "一个一个写"),
        (change("hotel", "prices", "H-PRICE", kind=""),
         "hotel.json：表 prices，第 1 行 'H-PRICE'，列 kind：", "一个一个写"),
        (change("hotel", "prices", "H-PRICE", fen="'6000'"),
         "hotel.json：表 prices，第 1 行 'H-PRICE'，列 fen：", "要写整数"),
        (change("hotel", "failures", "H-NOISE-F", failure=""),
         "hotel.json：表 failures，第 2 行 'H-NOISE-F'，列 failure：", "一个一个写"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named(damage: Callable[[Documents], None], place: str, why: str) -> None:
    wrong = wrong_with(damage)
    assert any(place in one and why in one for one in wrong), wrong


def _extra_input(documents: Documents) -> None:
    content = next(one for one in documents["hotel"]["nodes"] if one["id"] == "goodwill")["content"]
    content["inputs"].append({"id": "anger", "name": "情绪", "field": "anger"})


def test_a_column_that_the_table_may_not_read_is_refused() -> None:
    wrong = wrong_with(_extra_input)
    assert any("hotel.json：表 goodwill：条件列 ['anger'] 不能用" in one for one in wrong), wrong


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nodes": 3}', "null", "[" * 100_000, '{"a": 1'])
def test_a_file_that_is_no_document_is_refused(text: str) -> None:
    texts = policies.texts(policies.seed()) | {"shop": text}
    with pytest.raises(PolicyFileError, match=r"shop\.json"):
        read_book(texts, policies.VERSION, policies.DAY, policies.NOTE)


def test_a_truncated_file_is_refused() -> None:
    texts = policies.texts(policies.seed())
    texts["travel"] = texts["travel"][:-200]
    with pytest.raises(PolicyFileError, match=r"travel\.json：不是完整的 JSON"):
        read_book(texts, policies.VERSION, policies.DAY, policies.NOTE)


def test_missing_files_and_tables_are_named() -> None:
    documents = policies.documents(policies.seed())
    documents["hotel"]["nodes"] = [
        one for one in documents["hotel"]["nodes"] if one["id"] != "floor"
    ]
    texts = {file: json.dumps(one) for file, one in documents.items() if file != "retail"}
    with pytest.raises(PolicyFileError) as caught:
        read_book(texts, policies.VERSION, policies.DAY, policies.NOTE)
    assert "retail.json：文件不在" in caught.value.wrong
    assert "hotel.json：缺少表 floor" in caught.value.wrong


def test_a_released_policy_is_read_back(tmp_path: Path) -> None:
    made = policies.released(tmp_path)
    assert load_book(tmp_path) == made
    assert load_book(tmp_path).digest == made.digest
    assert Book.from_bundle(made.to_bundle()).digest == made.digest


def test_tables_changed_without_a_release_are_refused(tmp_path: Path) -> None:
    policies.released(tmp_path)
    path = tmp_path / "hotel.json"
    path.write_text(path.read_text("utf-8").replace("fen: 2000", "fen: 2001"), "utf-8")
    with pytest.raises(PolicyFileError, match="表已经改过"):
        load_book(tmp_path)
    read_directory(tmp_path, "draft", policies.DAY, "")


def test_spaces_and_wide_digits_are_not_a_change(tmp_path: Path) -> None:
    made = policies.released(tmp_path)
    path = tmp_path / "common.json"
    path.write_text(path.read_text("utf-8").replace('">= 72"', '">=７２ "'), "utf-8")
    assert load_book(tmp_path).digest == made.digest


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 1}'])
def test_a_manifest_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    policies.released(tmp_path)
    (tmp_path / MANIFEST).write_text(text, "utf-8")
    with pytest.raises(PolicyFileError, match=r"policy\.json"):
        load_book(tmp_path)


def test_a_day_on_which_a_row_ends_is_a_day_of_its_own(tmp_path: Path) -> None:
    seed = policies.seed()
    policies.find(seed, "H-GW-1")["effective_to"] = "2027-03-31"
    made = policies.book(seed)
    assert made.epochs() == ["2026-01-01", "2027-04-01"]
    save_book(made, tmp_path)
    assert load_book(tmp_path).epochs() == made.epochs()
