"""Nothing personal stays readable in public, and what is not personal stays as it was."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.privacy import beginning, mask

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
    # Half of the proof of an order.
    ("尾号1234", "尾号"),
    ("手机尾号是１２３４，快处理", "尾号"),
    ("手机号后四位1234", "尾号"),
    ("后4位 0012，2天了没人管", "尾号"),
    ("末四位：1-2-3-4", "尾号"),
    ("最后四位数是0012", "尾号"),
    ("尾号1234一直打不通", "尾号"),
    ("手机1234结尾的那个", "尾号"),
    ("LT 2026 1118 0012", "订单号"),
    ("LT-2026-1118-0012没到", "订单号"),
    ("订单号 2026 1118 0012", "订单号"),
    ("ＬＴ ２０２６ １１１８ ００１２", "订单号"),
    ("单号LT202611180012 3天没到", "订单号"),
    ("858073614312.", "号码"),
    ("138（1234）5678", "手机号"),
    ("(138)1234(5678)", "手机号"),
    ("【138】1234 5678", "手机号"),
    ("1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e3" + "1\ufe0f\u20e3 " * 8, "手机号"),
    ("①③⑧①②③④⑤⑥⑦⑧", "手机号"),
    ("⑴⑶⑻⑴⑵⑶⑷⑸⑹⑺⑻", "手机号"),
    ("138 1234 5678 3天没人回", "手机号"),
    ("138 1234 5678两天没人回", "手机号"),
    ("(021)6288 1234", "电话"),
    ("第三次了，等了两个小时，房间1208还没打扫", "房号"),
    ("1208房没打扫", "房号"),
    ("1208号房", "房号"),
    ("8308室的空调坏了", "房号"),
    ("A1208房间", "房号"),
    ("888号客房", "房号"),
    ("房间号是1208", "房号"),
    ("房号：１２０８", "房号"),
    ("1208、1209房都没打扫", "房号"),
]
# No digit of these is an ASCII one.
IN_NUMERALS = [
    ("手机尾号一二三四", "尾号", "一二三四"),
    ("后四位幺二三四", "尾号", "幺二三四"),
    ("一二零八房没打扫", "房号", "一二零八"),
    ("房间八零八一直没打扫", "房号", "八零八"),
    ("一三八（一二三四）五六七八", "手机号", "五六七八"),
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


@pytest.mark.parametrize(("text", "kind", "secret"), IN_NUMERALS)
def test_numerals_are_read_as_digits(text: str, kind: str, secret: str) -> None:
    masked = mask(text)
    assert kind in masked.found
    assert secret not in masked.text


def test_only_the_number_is_hidden() -> None:
    """What follows it in the same breath is the complaint."""
    assert mask("138 1234 5678 3天没人回").text == "［手机号］ 3天没人回"
    assert mask("138 1234 5678一直没人接").text == "［手机号］一直没人接"
    assert mask("尾号1234，2天了没人管").text == "尾号［尾号］，2天了没人管"
    assert mask("单号LT 2026 1118 0012 3天没到").text == "单号［订单号］ 3天没到"
    assert mask("房间八零八一直没打扫").text == "房间［房号］一直没打扫"
    assert mask("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣ 打我").text == "［手机号］ 打我"


@pytest.mark.parametrize(
    "text",
    [
        "第三次了，等了两个小时，房间还没打扫",
        "一二三四五六七八九十",
        "房费388元，388房费太贵，房间388元一晚，房间1999.99元",
        "订了2间房，三房两厅，房间100多平，房间2024年装修的",
        "2026-11-18入住，2026-11-20退房，12:30等到15:45",
        "VIP 2026-11-18 更新",
        "2026-11-18 2026-11-20",
        "排到300号，投诉了3次，12315也打了",
        "扣了2000 3000 500块",
        "A 1, 2, 3, 4, 5, 6, 7",
        "最后四天，后四位顾客都走了，1208块",
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


@given(st.text(alphabet="0123456789房间号尾后四位室 -()LTa一二三单是天，@.", max_size=40))
def test_masking_is_stable_where_numbers_touch(text: str) -> None:
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
    [
        *("路1号" * 600, "1 " * 1000, "a@" * 1000, "订单号：" * 500, "小区1栋1单元" * 250),
        *("赵" * 2000, "尾号1 2 3 " * 250, "1208房" * 400, "房间120" * 400, "A 1 2 3 4 5 " * 170),
        *("1" * 2000, "1, " * 700, "a." * 1000, "一1" * 1000),
        *("1\ufe0f\u20e3" * 650, "(1)" * 650, "一" * 2000, "1、" * 1000, "LT 20 20 2天" * 200),
    ],
)
def test_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    """Not a benchmark: a pattern that backtracks would take minutes, not a second."""
    begun = time.monotonic()
    mask(hostile)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(("text", "kind"), PERSONAL)
def test_what_was_hidden_is_said_to_who_wrote_it(text: str, kind: str) -> None:
    masked = mask(text)
    assert len(masked.hidden) == masked.text.count("［")
    assert all(one in text for one in masked.hidden)
    assert masked.hidden[0] not in repr(masked), "a log shows no more than the masked text"
    assert kind in masked.found


@pytest.mark.parametrize(("text", "_"), PERSONAL)
def test_a_text_is_never_cut_within_what_is_personal(text: str, _: str) -> None:
    whole = mask("好，" + text + "，好")
    for most in range(1, len(text) + 4):
        begun = beginning("好，" + text + "，好", most)
        assert len(begun) <= most
        assert ("好，" + text + "，好").startswith(begun)
        # What can be read of the beginning can be read of the whole text.
        assert whole.text.startswith(mask(begun).text.split("［")[0])


def test_a_short_text_is_not_cut() -> None:
    assert beginning("电话13812345678", 80) == "电话13812345678"
    assert beginning("房间没打扫", 2) == "房间"
    assert beginning("等了ABC123DEF", 6) == "等了"
