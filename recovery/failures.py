"""The failures that the bot can place, named once for NLU, words and policy.

The intent `complain_<failure>` of the training data stands for the failure of that name.
"""

from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """One kind of service failure.

    Attributes:
        name: As in the intent and in the policy tables.
        matter: A Chinese clause that names it.
        industries: Who can commit it.
        needs_item: Whether the remedy depends on which article of the order it was.
    """

    name: str
    matter: str
    industries: frozenset[str]
    needs_item: bool = False


def _failure(name: str, matter: str, *industries: str, needs_item: bool = False) -> Failure:
    return Failure(name, matter, frozenset(industries), needs_item)


TRADES = ("hotel", "shop", "restaurant", "retail", "property", "travel")

FAILURES: dict[str, Failure] = {
    failure.name: failure
    for failure in (
        _failure("room_not_clean", "房间没有打扫干净", "hotel"),
        _failure("noise", "太吵、没法休息", "hotel", "property"),
        _failure("wrong_room", "给的房间和预订的不一样", "hotel"),
        _failure("overbooked", "订好了却没有房间", "hotel"),
        _failure("broken_facility", "房间设施坏了", "hotel"),
        _failure("slow_checkin", "办理入住等了太久", "hotel"),
        _failure("wrong_item", "收到的货和下单的不一样", "shop", needs_item=True),
        _failure("missing_item", "收到的货少了东西", "shop", needs_item=True),
        _failure("damaged", "收到时东西已经破损", "shop", needs_item=True),
        _failure("defective", "买到的东西有毛病", "shop", "retail", needs_item=True),
        _failure("late", "迟迟没有到", "shop", "restaurant", "travel"),
        _failure("lost_parcel", "包裹没有送到", "shop"),
        _failure("fake", "您担心商品真伪", "shop", needs_item=True),
        _failure("refund_delayed", "退款迟迟没有到账", "shop"),
        _failure("price_dropped", "刚买就降价", "shop"),
        _failure("slow_service", "上菜等了太久", "restaurant"),
        _failure("wrong_dish", "上的菜和点的不一样", "restaurant"),
        _failure("foreign_object", "您说的菜里有异物", "restaurant"),
        _failure("unsafe_food", "您担心吃的东西不安全", "restaurant"),
        _failure("price_mismatch", "结账的价格和标价不一样", "retail"),
        _failure("expired", "您说的商品过期", "retail", needs_item=True),
        _failure("return_refused", "退换没有办成", "retail", needs_item=True),
        _failure("repair_delayed", "报修迟迟没有人来", "property"),
        _failure("dirt", "公共区域不干净", "property"),
        _failure("parking", "停车的事没有管好", "property"),
        _failure("leak", "家里漏水", "property"),
        _failure("lift_broken", "电梯出了故障", "property"),
        _failure("fee_dispute", "费用您有疑问", "property"),
        _failure("security", "小区的安全没有看好", "property"),
        _failure("itinerary_changed", "行程和说好的不一样", "travel"),
        _failure("hotel_downgraded", "住的酒店降了档次", "travel"),
        _failure("forced_shopping", "您说的被要求购物", "travel"),
        _failure("cancelled_no_refund", "取消以后钱没有退回", "travel"),
        _failure("rude_staff", "工作人员的态度", *TRADES),
        _failure("overcharge", "多收了钱", "hotel", "shop", "restaurant", "travel"),
    )
}

COMPLAINT_PREFIX = "complain_"
SUBJECT_LENGTH = 3
"""Key words of up to so many characters are a mere subject (账单), longer ones a statement."""


def served_by(industry: str, intent: str) -> Failure | None:
    """The failure an intent stands for, if a business of this industry can commit it.

    Args:
        industry: The industry of the business, never guessed from the text.
        intent: An intent name of the training data.

    Returns:
        The failure, or None for another trade's failure and for every other intent.
    """
    if not intent.startswith(COMPLAINT_PREFIX):
        return None
    failure = FAILURES.get(intent.removeprefix(COMPLAINT_PREFIX))
    return failure if failure and industry in failure.industries else None


def owned(failure: str | None) -> bool:
    """Whether words may own the failure. An allegation of fraud is neither admitted nor denied."""
    return failure not in ("fake", "unsafe_food", "expired", "forced_shopping", "foreign_object")


def matter_words(failure: str | None, keywords: str | None) -> str:
    """Name a matter as a noun phrase that stands after 关于.

    Args:
        failure: A name in `FAILURES`, `UNKNOWN` or None.
        keywords: The customer's own safe words, for what cannot be placed.

    Returns:
        For example `房间没有打扫干净这件事`, `您说的“信号断断续续”这件事` or `您说的账单的事`.
    """
    known = FAILURES.get(failure or "")
    if known:
        return f"{known.matter}这件事"
    if keywords and len(keywords) <= SUBJECT_LENGTH:
        return f"您说的{keywords}的事"
    if keywords:
        return f"您说的“{keywords}”这件事"
    return "您说的这件事"
