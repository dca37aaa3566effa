"""Cases in a file, decided and summed up; what cannot be read is named by line and column."""

from datetime import date
from pathlib import Path

import pytest

from recovery.remedy.explain import policies_on
from recovery.remedy.simulate import (
    CasesError,
    Spread,
    compared,
    comparison_in_words,
    comparison_to_wire,
    decide_cases,
    in_words,
    load_cases,
    outcome,
    read_cases,
    to_wire,
)
from recovery.remedy.wording import amount
from tests.recovery.remedy import policies

DAY = date(2026, 11, 22)
MONTH = Path(__file__).parents[3] / "docs" / "examples" / "month.csv"

FILE = """industry,failure,paid,anger,wait_hours
hotel,room_not_clean,60000,3,
shop,wrong_item,10000,0,30

hotel,rude_staff,60000,,
"""


def test_cases_are_read_by_names_and_by_labels() -> None:
    by_name = read_cases(FILE)
    assert [case.line for case in by_name] == [2, 3, 5]
    assert by_name[0].facts == {
        "industry": "hotel", "failure": "room_not_clean", "paid": 60_000, "anger": 3,
    }  # fmt: skip
    by_label = read_cases("行业,失误,实付（分）,首次光顾\n酒店,房间没有打扫干净,60000,是\n")
    assert by_label[0].facts == {
        "industry": "hotel", "failure": "room_not_clean", "paid": 60_000, "first_time": True,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_the_encodings_of_excel_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes("行业,失误,实付（分）\r\n酒店,太吵没法休息,60000\r\n".encode(encoding))
    assert load_cases(path)[0].facts["failure"] == "noise"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("industry,failure,paid,colour\nhotel,noise,1,red\n", "不认识的列 'colour'"),
        ("industry,failure\nhotel,noise\n", "缺少列 paid"),
        ("industry,failure,paid,paid\nhotel,noise,1,1\n", "写了两次"),
        ("industry,failure,paid\nhotel,noise,19.9\n", "第 2 行，列 paid：19.9 带小数"),
        (
            "industry,failure,paid\nhotel,noise,1\nhotel,noise,-1\n",
            "第 3 行，列 paid：“-1”不是整数",
        ),
        ("industry,failure,paid\nhotel,noise,999999999999\n", "超出了"),
        ("industry,failure,paid\nhotel,no_such,1\n", "第 2 行，列 failure：不认识“no_such”"),
        ("行业,失误,实付（分）\n酒店,没睡好,1\n", "第 2 行，列 失误：不认识“没睡好”"),
        ("industry,failure,paid\nhotel,noise,1,2,3\n", "第 2 行：有 5 格"),
        ('industry,failure,paid\nhotel,noise,"1\n', "不是 CSV"),
        ("industry,failure,paid\n", "没有案例"),
        ("", "缺少列"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(CasesError) as caught:
        read_cases(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "industry,failure,paid\nhotel,wrong_item,1\n",
            "第 2 行：“收到的货和下单的不一样”不是酒店的",
        ),
        ("industry,failure,paid\nhotel,noise,\n", "第 2 行：缺少 实付（分）"),
    ],
)
def test_a_case_that_cannot_be_decided_is_named(text: str, said: str) -> None:
    with pytest.raises(CasesError) as caught:
        decide_cases(policies_on(policies.book(), DAY), read_cases(text))
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00i\x00n", b"\x81", b"a\0b"])
def test_other_encodings_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(content)
    with pytest.raises(CasesError):
        load_cases(path)


def test_costs_are_summed_up() -> None:
    """Worked out by hand from the ladder of the policy of these tests."""
    decided = decide_cases(policies_on(policies.book(), DAY), read_cases(FILE))
    # Hotel: level 3, two meals of 60 yuan and 10 % of 600. Shop: weight 3, a day late, level 4:
    # 150 yuan and 15 % of 100 pass 80 % of 100 yuan; so do the levels 3 and 2 but not 65 yuan.
    # Rudeness: weight 2, a process: level 1, 20 yuan.
    assert [one.goodwill_worth.fen for one in decided] == [18_000, 6_500, 2_000]
    assert [one.floor_worth.fen for one in decided] == [0, 10_000, 0]
    found = outcome(decided)
    assert found.goodwill == Spread(sum=26_500, median=6_500, p90=18_000, most=18_000)
    assert found.floor == Spread(sum=10_000, median=0, p90=10_000, most=10_000)
    assert (found.cases, found.bot) == (3, 3)
    assert found.groups["failure"]["shop.wrong_item"].floor == 10_000
    assert found.groups["severity"]["4"].cases == 1
    assert found.groups["kind"]["voucher"].goodwill == 8_000
    words = in_words(found)
    assert "机器人自己定：3 件，100.0%" in words
    assert "酒店·房间没有打扫干净" in words
    assert amount(26_500) in words
    assert to_wire(found)["goodwill"] == {
        "sum": 26_500, "median": 6_500, "p90": 18_000, "most": 18_000,
    }  # fmt: skip


def test_another_policy_stands_beside() -> None:
    seed = policies.seed()
    policies.find(seed, "H-GW-3")["remedies"] = [
        {"kind": "voucher", "fen": 15_000}, {"kind": "next_discount", "bp": 1_000},
    ]  # fmt: skip
    policies.find(seed, "H-GW-1")["authority"] = "agent"
    cases = read_cases(FILE)
    before, after = (
        decide_cases(policies_on(book, DAY), cases)
        for book in (policies.book(), policies.book(seed))
    )
    both = compared(cases, before, after)
    assert [(one.line, one.difference) for one in both.changed] == [(2, 3_000), (5, 0)]
    assert (both.before.bot, both.after.bot) == (3, 2)
    words = comparison_in_words(both)
    assert "第 2 行  酒店·房间没有打扫干净  实付 600.00元  180.00元 → 210.00元（+30.00元）" in words
    assert "权限：机器人 → 员工" in words
    wire = comparison_to_wire(both)
    assert wire["changed"] == 2
    assert wire["most_changed"][0]["difference"] == 3_000
    assert "没有一个案例有变化" in comparison_in_words(compared(cases, before, before))


def test_ranks_are_values_that_occur() -> None:
    assert Spread.of([]) == Spread()
    assert Spread.of([7]) == Spread(7, 7, 7, 7)
    assert Spread.of(range(1, 11)) == Spread(sum=55, median=5, p90=9, most=10)


def test_the_sample_month_can_be_decided() -> None:
    cases = load_cases(MONTH)
    assert len(cases) == 200
    assert outcome(decide_cases(policies_on(policies.book(), DAY), cases)).cases == 200
