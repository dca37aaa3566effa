"""Order numbers and digits are read as people type them; a wrong guess would cost them a try."""

import pytest

from recovery.dialogue.numbers import Named, read_numbers

ORDER = "LT202611180012"


@pytest.mark.parametrize(
    ("text", "order", "last4"),
    [
        ("LT202611180012 尾号4417", ORDER, "4417"),
        ("lt202611180012，4417", ORDER, "4417"),
        ("LT202611180012，1208房，手机尾号4417", ORDER, "4417"),
        ("我是2026年11月18日入住的，LT202611180012，尾号4417", ORDER, "4417"),
        ("LT 2026 1118 0012 尾号4417", ORDER, "4417"),
        ("LT 2026 1118 0012 4417", ORDER, "4417"),
        ("LT20261118 0012", ORDER, None),
        ("ＬＴ２０２６１１１８００１２ 4417", ORDER, "4417"),
        ("LT202611180012 手机19900004417", ORDER, "4417"),
        ("858073614312 4417", "858073614312", "4417"),
        ("手机199 0000 4417", None, "4417"),
        ("后四位是 4 4 1 7", None, "4417"),
        ("后四位四四一七", None, "4417"),
        ("4417", None, "4417"),
        ("1208房没打扫", None, None),
        ("我住1208", None, None),
        ("房间号1208", None, None),
        ("等了2小时花了1200元", None, None),
        ("20:30到的", None, None),
        ("你们2026年还这样服务客人真是想不到啊", None, None),
        ("嗯", None, None),
        ("", None, None),
    ],
)
def test_a_first_message(text: str, order: str | None, last4: str | None) -> None:
    assert read_numbers(text, order_known=False) == Named(order, last4)


def test_digits_alone_count_once_the_order_is_known() -> None:
    assert read_numbers("是4417没错吧", order_known=True).last4 == "4417"
    assert read_numbers("1208房", order_known=True).last4 is None


def test_a_wrong_guess_is_read_as_a_guess() -> None:
    """Nothing makes a guess look like something else, which would go uncounted."""
    for digits in ("0000", "1111", "9999"):
        assert read_numbers(f"{ORDER} {digits}", order_known=False) == Named(ORDER, digits)
        assert read_numbers(f"{ORDER}，{digits}", order_known=True) == Named(ORDER, digits)
