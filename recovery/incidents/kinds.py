"""The kinds of trouble that an order system reports, and the failure that each is in a trade."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class EventKind:
    """One kind of event.

    Attributes:
        name: As order systems send it.
        happened: What happened, as the end of a sentence about an order or a place.
        failures: By trade, the failure that it is; a trade that is missing has none, and there a
            person decides unless the event names one.
        urgent: Whether customers are told at night as well.
    """

    name: str
    happened: str
    failures: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = False


def _kind(name: str, happened: str, *, urgent: bool = False, **failures: str) -> EventKind:
    return EventKind(name, happened, MappingProxyType(failures), urgent)


KINDS: Mapping[str, EventKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _kind(
                "late",
                "要比说好的时间晚",
                shop="late",
                restaurant="late",
                travel="late",
                property="repair_delayed",
                hotel="slow_checkin",
            ),
            _kind(
                "cancelled",
                "被我们这边取消了",
                urgent=True,
                hotel="overbooked",
                travel="itinerary_changed",
            ),
            _kind("out_of_stock", "里有货品缺货，暂时发不出"),
            _kind("lost", "在路上丢失了", shop="lost_parcel"),
            _kind("room_not_ready", "的房间还没有准备好", hotel="slow_checkin"),
            _kind("overbooked", "的房间没能留住", urgent=True, hotel="overbooked"),
            _kind(
                "facility_down",
                "用到的设施出了故障",
                hotel="broken_facility",
                property="repair_delayed",
            ),
            _kind("lift_down", "的电梯出了故障", urgent=True, property="lift_broken"),
            _kind("leak", "漏水", urgent=True, property="leak"),
            _kind("noise", "会有施工的声音", property="noise", hotel="noise"),
            _kind("kitchen_slow", "上菜比平时慢", restaurant="slow_service"),
            _kind(
                "itinerary_changed",
                "的行程有变动",
                travel="itinerary_changed",
            ),
            _kind("hotel_changed", "住的酒店换了一家", travel="hotel_downgraded"),
            _kind("refund_delayed", "的退款会晚到账", shop="refund_delayed"),
            _kind(
                "charged_wrong",
                "的金额算错了",
                hotel="overcharge",
                shop="overcharge",
                restaurant="overcharge",
                travel="overcharge",
                retail="price_mismatch",
                property="fee_dispute",
            ),
        )
    }
)
