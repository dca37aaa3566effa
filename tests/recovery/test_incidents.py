"""Incidents without a desk: what is read, when it may go out, what the bot takes for one cause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.business import Business, Hours, Room
from recovery.failures import FAILURES, TRADES, UNKNOWN
from recovery.incidents.events import EventError, OrderEvent, read_event
from recovery.incidents.kinds import KINDS
from recovery.incidents.proposing import Suspect, propose, rules
from recovery.incidents.quiet_hours import is_quiet, may_write_at
from recovery.incidents.wording import filled, opening, unknown_variables
from recovery.orders.system import Item, Order

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LATE = {"id": "e1", "kind": "late", "at": "2026-11-22T09:30:00+08:00", "orders": ["QH1"]}


def business(opens: str = "08:00", closes: str = "23:00") -> Business:
    return Business(
        id="lanting",
        name="岚庭酒店",
        industry="hotel",
        help="可以看房间里的服务指南",
        hours=Hours(opens=opens, closes=closes),  # type: ignore[arg-type]  # read by pydantic
        rooms=(Room(id="lobby", name="大堂", welcome="欢迎"),),
    )


def order(number: str, title: str, room: str | None = None, sku: str = "CUP-01") -> Order:
    return Order(
        number=number,
        business="b",
        paid=10000,
        title=title,
        items=(Item(sku, "月白杯", 1, 10000),),
        customer="c",
        placed_on="2026-11-20",
        received_on="2026-11-21",
        tier="none",
        customer_since="2026-01-01",
        first_time=False,
        room=room,
    )


def suspects(failure: str, *orders: Order | None, hours: float = 1) -> list[Suspect]:
    return [
        Suspect(f"s{place}", failure, NOON - timedelta(hours=hours), one)
        for place, one in enumerate(orders)
    ]


# --- what is reported -------------------------------------------------------------------------


def test_every_kind_is_a_failure_that_its_trade_can_commit() -> None:
    for kind in KINDS.values():
        for trade, failure in kind.failures.items():
            assert trade in TRADES
            assert trade in FAILURES[failure].industries, (kind.name, trade)


def test_what_a_trade_has_no_failure_for_is_left_to_people() -> None:
    assert read_event(LATE, "shop").failure == "late"
    assert read_event(LATE, "retail").failure == UNKNOWN
    assert read_event({**LATE, "failure": "defective"}, "retail").failure == "defective"
    with pytest.raises(EventError, match="failure"):
        read_event({**LATE, "failure": "noise"}, "shop")


def test_what_was_read_is_stored_and_read_again() -> None:
    event = read_event({**LATE, "orders": ["qh-1", "QH 1"], "customers": ["a"]}, "shop")
    assert event.orders == ("QH1",)
    assert OrderEvent.from_wire(event.to_wire()) == event


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({}, optional={name: _JSON for name in (*LATE, "place", "title")}))
def test_whatever_comes_is_read_or_refused_by_name(body: object) -> None:
    try:
        event = read_event(body, "shop")
    except EventError as error:
        assert "：" in error.sentence
    else:
        assert event.orders or event.customers or event.place


# --- when it goes out -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opens", "closes", "now", "then"),
    [
        ("08:00", "23:00", "12:00", "12:00"),
        ("08:00", "23:00", "20:59", "20:59"),
        ("08:00", "23:00", "21:00", "08:00"),  # the night, although people serve
        ("09:00", "22:00", "07:30", "09:00"),  # the night ends before they open
        ("00:00", "00:00", "03:00", "08:00"),
        ("17:00", "02:00", "23:00", "17:00"),
        ("22:00", "06:00", "23:00", "08:00"),  # who serves at night only
    ],
)
def test_what_can_wait_waits_for_the_day(opens: str, closes: str, now: str, then: str) -> None:
    local = datetime.combine(datetime(2026, 11, 22), datetime.strptime(now, "%H:%M").time(), ZONE)
    when = may_write_at(business(opens, closes), local, urgent=False)
    assert when >= local
    assert f"{when.astimezone(ZONE):%H:%M}" == then
    assert when - local < timedelta(days=1)
    assert is_quiet(business(opens, closes), local) == (when > local)
    assert may_write_at(business(opens, closes), local, urgent=True) == local


# --- what the bot proposes --------------------------------------------------------------------


def test_rules_are_named_once_and_each_trade_has_some() -> None:
    assert {row.industry for row in rules()} == set(TRADES)


def test_cases_of_one_building_are_proposed_for_one_incident() -> None:
    given = suspects(
        "lift_broken", order("1", "3栋1202 物业费"), order("2", "3栋0803 物业费 上半年")
    )
    [found] = propose(given, "property", NOON, ZONE)
    assert (found.rule, found.place, found.cases) == ("I-P-01", "3栋", ("s0", "s1"))
    assert found.title == "3栋：电梯出了故障"
    # Later in the day it is the same.
    assert propose(given, "property", NOON + timedelta(hours=3), ZONE)[0].key == found.key


@pytest.mark.parametrize(
    ("failure", "orders", "hours"),
    [
        ("lift_broken", [order("1", "3栋1202 物业费"), order("2", "5栋0803 物业费")], 1),
        ("lift_broken", [order("1", "3栋1202 物业费"), None], 1),  # no order is known
        ("lift_broken", [order("1", "物业费"), order("2", "物业费")], 1),  # no place is named
        ("lift_broken", [order("1", "3栋1202 物业费"), order("2", "3栋0803 物业费")], 25),
        ("fee_dispute", [order("1", "3栋1202 物业费"), order("2", "3栋0803 物业费")], 1),
    ],
)
def test_nothing_is_guessed(failure: str, orders: list[Order | None], hours: float) -> None:
    assert propose(suspects(failure, *orders, hours=hours), "property", NOON, ZONE) == []


def test_products_floors_and_days_are_told_apart() -> None:
    shop = suspects("defective", order("1", "杯"), order("2", "杯"), order("3", "壶", sku="KET-01"))
    [found] = propose(shop, "shop", NOON, ZONE)
    assert found.cases == ("s0", "s1")
    assert found.title == "月白杯：买到的东西有毛病"
    hotel = suspects("noise", order("1", "大床房", "1208"), order("2", "双床房", "1201"))
    assert propose(hotel, "hotel", NOON, ZONE)[0].place == "12层"
    other = replace(order("2", "双床房", "0908"), received_on="2026-11-20")
    assert propose(suspects("overbooked", order("1", "房"), other), "hotel", NOON, ZONE) == []


# --- words ------------------------------------------------------------------------------------


def test_the_first_words_name_the_customer_the_trouble_and_no_placeholder() -> None:
    event = read_event({**LATE, "expected": "明天12点"}, "shop")
    for style in ("offer", "person", "already", "aside"):
        for key in "abcdef":
            said = opening(
                style,
                key,
                event,
                name="林晚",
                business="青禾小铺",
                assistant="小禾",
                order_title="月白杯",
                time="20分钟内",
            )
            assert said.startswith("林晚您好")
            assert "您的“月白杯”要比说好的时间晚" in said
            assert "明天12点" in said
            assert "{" not in said


def test_a_text_to_all_is_filled_for_each() -> None:
    text = "{称呼}您好，{事情}正在修，订单{订单}照常"
    assert unknown_variables(text) == []
    assert unknown_variables("{姓名}您好") == ["姓名"]
    assert filled(text, name="林晚", order="WT1", matter="电梯") == (
        "林晚您好，电梯正在修，订单WT1照常"
    )
    # What a customer is called cannot bring in variables of its own.
    assert filled("{称呼}您好", name="{订单}", order="WT1", matter="") == "{订单}您好"
    assert filled("{称呼}您好", name="访客", order="", matter="") == "您好"
