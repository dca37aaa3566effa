"""Signs of another trade take back a failure that the words resemble."""

import pytest

from recovery.dialogue.complaint import Complaint, read_complaint
from recovery.failures import UNKNOWN
from recovery.trades import of_another_trade
from tests.recovery.talk import heard


@pytest.mark.parametrize(
    ("text", "industry", "elsewhere"),
    [
        ("话费多扣了两次", "shop", True),
        ("航班取消了不给退钱", "shop", True),
        ("离店以后押金没退", "shop", True),
        ("退房的时候多收了我一百", "hotel", False),
        ("快递员态度差", "shop", False),
        ("买的手机卡一直没发货，话费倒先扣了", "shop", False),  # speaks of both
        ("多收了我二十", "shop", False),  # of none
        ("快递丢了", "hotel", True),
        ("前台把我的快递弄丢了", "hotel", False),
    ],
)
def test_only_other_trades_without_the_own_one_count(
    text: str, industry: str, elsewhere: bool
) -> None:
    assert of_another_trade(text, industry) is elsewhere


@pytest.mark.parametrize(
    ("text", "failure"), [("话费多扣了两次", UNKNOWN), ("这单多收了我二十", "overcharge")]
)
def test_a_failure_of_another_trade_stays_unknown(text: str, failure: str) -> None:
    read = read_complaint(heard(text, "complain_overcharge", anger=1), "shop")
    assert isinstance(read, Complaint)
    assert read.failure == failure
