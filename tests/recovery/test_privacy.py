"""Nothing personal stays readable in public, and what is not personal stays as it was."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.privacy import mask

PERSONAL = [
    ("我电话13812345678快联系我", "手机号"),
    ("１３８１２３４５６７８", "手机号"),
    ("138 1234 5678", "手机号"),
    ("138-1234-5678 打给我", "手机号"),
    ("1-3-8-1-2-3-4-5-6-7-8", "手机号"),
    ("一三八一二三四五六七八", "手机号"),
    ("幺三八零零一二三四五六", "手机号"),
    ("+86 13812345678", "手机号"),
    ("1\u200b3812345678", "手机号"),
    ("身份证31010119900101123X", "证件号"),
    ("卡号6222 0212 3456 7890 123", "卡号"),
    ("座机021-62881234", "电话"),
    ("写信到 a.b-c@example.com 吧", "邮箱"),
    ("订单号SX20260318001没发", "订单号"),
    ("单号：858073614312", "订单号"),
    ("LT202611180012 这单", "订单号"),
    ("我微信abc_12345", "账号"),
    ("QQ 10001234", "账号"),
    ("我叫张三丰，电话在这", "姓名"),
    ("收货人：欧阳 收", "姓名"),
    ("住在南京西路1266号恒隆5楼", "地址"),
    ("幸福小区3栋2单元501", "地址"),
]


@pytest.mark.parametrize(("text", "kind"), PERSONAL)
def test_personal_data_is_hidden(text: str, kind: str) -> None:
    masked = mask(text)
    assert kind in masked.found
    assert not any(run in masked.text for run in _runs(text))


def _runs(text: str) -> list[str]:
    """Every four digits in a row of the original: none may be left."""
    digits = [char for char in text if char.isascii() and char.isdigit()]
    return ["".join(digits[place : place + 4]) for place in range(max(0, len(digits) - 3))]


@pytest.mark.parametrize(
    "text",
    [
        "第三次了，等了两个小时，房间1208还没打扫",
        "一二三四五六七八九十",
        "10M宽带的钱连1M都没有，多扣了386块",
        "我叫你们经理来",
        "2014年12月25日到现在",
        "充了1999.99元，0.5折都没有",
        "这条路上全是坑",
        "",
        "😡😡😡",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert mask(text).text == text
    assert mask(text).found == ()


@given(st.text(max_size=300))
def test_masking_is_stable(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


@given(
    st.text(alphabet=st.characters(categories=["Lo"]), max_size=20),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", " ", "-", "·", "\u200b"]),
)
def test_a_phone_is_found_anywhere(before: str, phone: str, gap: str) -> None:
    masked = mask(before + "，" + gap.join(phone) + "。" + before)
    assert "手机号" in masked.found or "证件号" in masked.found or "卡号" in masked.found


@pytest.mark.parametrize(
    "hostile",
    ["路1号" * 600, "1 " * 1000, "a@" * 1000, "订单号：" * 500, "小区1栋1单元" * 250, "赵" * 2000],
)
def test_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    """Not a benchmark: a pattern that backtracks would take minutes, not a second."""
    begun = time.monotonic()
    mask(hostile)
    assert time.monotonic() - begun < 5
