"""Every remedy that can be given: its parameters, its price, its words, the step that follows.

A remedy is a plain dict that travels through tables, commands and stores:
`{"kind", <integer parameters>, "part"?: "floor"|"goodwill", "trade"?, "worth"?: fen, "by"?,
"product"?, "sku"?}`. Money is integer fen, rates are integer basis points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Remedy = dict[str, Any]
Part = Literal["floor", "goodwill"]
Price = Callable[[Remedy, int, int], int]


class BadRemedyError(ValueError):
    """A remedy of unknown kind or with wrong parameters."""


@dataclass(frozen=True)
class Parameter:
    """One integer parameter of a kind.

    Attributes:
        label: As a manager reads it.
        more_is_better: For the customer: an hour later is better, a minute longer is worse.
        optional: May be absent; what is absent is worst.
    """

    name: str
    label: str
    more_is_better: bool = True
    optional: bool = False


@dataclass(frozen=True)
class RemedyKind:
    """One kind of remedy.

    Attributes:
        label: Its name in the workbook of managers, and in reports.
        parameters: What has to be said about it.
        price: From remedy, amount paid and unit price to fen; None for what has no price.
        unit_priced: Whether the price list of the industry has to name it.
        title: What is given.
        detail: More about it.
        step: What happens next, with a time: a full clause.
        done: What to say once the order system has carried it out; its argument is the receipt.
    """

    label: str
    parameters: tuple[Parameter, ...]
    price: Price | None
    title: Callable[[Remedy], str]
    detail: Callable[[Remedy], str]
    step: Callable[[Remedy], str]
    done: Callable[[Remedy, dict[str, Any]], str]
    unit_priced: bool = False


def yuan(fen: int) -> str:
    """Say an amount of fen in yuan: `1500` is `15元`, `1550` is `15.50元`."""
    whole, rest = divmod(fen, 100)
    return f"{whole}元" if rest == 0 else f"{whole}.{rest:02d}元"


def percent(basis_points: int) -> str:
    """Say basis points as a percentage: `1500` is `15%`, `1250` is `12.5%`."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}%" if rest == 0 else f"{whole}.{rest:02d}".rstrip("0") + "%"


def share(paid: int, basis_points: int) -> int:
    """A share of an amount, rounded down to whole fen."""
    return paid * basis_points // 10_000


def _by(remedy: Remedy) -> str:
    """By when, in words: as filled in with the service hours in mind, else by the table."""
    if remedy.get("by"):
        return str(remedy["by"])
    # Former offers counted some times in hours.
    minutes = int(remedy.get("minutes", 60 * int(remedy.get("hours", 24))))
    if minutes < 120:
        return f"{minutes}分钟内"
    hours = -(-minutes // 60)
    return f"{hours}小时内" if hours < 48 else f"{-(-hours // 24)}天内"


def _money(remedy: Remedy) -> str:
    """The amount where it is worked out, else the share it is worked out from."""
    fen = remedy.get("worth", remedy.get("fen"))
    return yuan(fen) if fen is not None else percent(remedy["bp"])


def _per_head(remedy: Remedy, _paid: int, unit: int) -> int:
    return int(remedy["persons"]) * unit


def _of_paid(remedy: Remedy, paid: int, _unit: int) -> int:
    return int(remedy["fen"]) if "fen" in remedy else share(paid, remedy["bp"])


def _rate(remedy: Remedy, paid: int, _unit: int) -> int:
    """A rate on a purchase to come counts as it would on one at the price of this one."""
    return share(paid, remedy["bp"])


def _whole(_remedy: Remedy, paid: int, _unit: int) -> int:
    return paid


def _flat(_remedy: Remedy, _paid: int, unit: int) -> int:
    return unit


def _times(remedy: Remedy, paid: int, _unit: int) -> int:
    return max(paid * int(remedy["times"]), int(remedy["fen"]))


_MINUTES = Parameter("minutes", "分钟", more_is_better=False)
_PERSONS = Parameter("persons", "人数")
_BP = Parameter("bp", "万分比")
_FEN = Parameter("fen", "分")
_SHARE = (Parameter("bp", "万分比", optional=True), Parameter("fen", "分", optional=True))


def _at(trade: dict[str, str], otherwise: str) -> Callable[[Remedy], str]:
    return lambda r: trade.get(str(r.get("trade")), otherwise)


# The stay, the meal or the trip may be over: what can only be had during it is not promised.
_TABLE = {
    "hotel": "在酒店餐厅，这次住或一年内再来都行",
    "travel": "这次行程或一年内的下一次都能用",
}
_BAR = {
    "hotel": "在大堂吧，这次住或一年内再来都行",
    "travel": "这次行程或一年内的下一次都能用",
}
_PLAN = {
    "hotel": "住店服务为您升级一次",
    "property": "安排专人上门服务一次",
    "travel": "行程服务为您升级一次",
}
_PLAN_WHEN = {
    "hotel": "这次住或下次来都行，不另外收费",
    "travel": "这次行程或下一次都行，不另外收费",
}
_SENT_IN = {"shop": "来回运费我们付，修好寄回给您", "retail": "送到店里就行，修好通知您来取"}
_SEND_IN = ("shop", "retail")
_SPED = {"shop": "送到您手上", "restaurant": "送到您面前", "property": "到场"}

_NEXT = _at(
    {
        "hotel": "下次入住",
        "restaurant": "下次用餐",
        "property": "下期物业费",
        "travel": "下次出行",
    },
    "下次消费",
)

KINDS: dict[str, RemedyKind] = {
    "apology": RemedyKind(
        "道歉",
        (),
        None,
        lambda r: "正式向您道歉",
        lambda r: "负责人署名，写清楚是我们哪里没做好",
        lambda r: "道歉会发到这里给您",
        lambda r, got: "这件事没有办好，让您受委屈了，我们郑重向您道歉",
    ),
    "explanation": RemedyKind(
        "说明原因",
        (),
        None,
        lambda r: "把情况查清楚告诉您",
        lambda r: "不推脱，查到什么说什么",
        lambda r: "查清楚以后会在这里告诉您",
        lambda r, got: f"说明已经登记去写，编号{got['ticket']}，写好会发到这里",
    ),
    "refund_full": RemedyKind(
        "全额退款",
        (),
        _whole,
        lambda r: f"全额退款{_money(r)}" if r.get("worth") else "全额退款",
        lambda r: "按原路退回您付款的账户",
        lambda r: "退款当天提交，一般1到3个工作日到账",
        lambda r, got: f"{yuan(got['fen'])}退款已经提交，退款号{got['refund']}",
    ),
    "refund_part": RemedyKind(
        "部分退款",
        _SHARE,
        _of_paid,
        lambda r: f"退您{_money(r)}",
        lambda r: "按原路退回您付款的账户",
        lambda r: "退款当天提交，一般1到3个工作日到账",
        lambda r, got: f"{yuan(got['fen'])}退款已经提交，退款号{got['refund']}",
    ),
    "damages": RemedyKind(
        "法定赔偿",
        (Parameter("times", "倍数"), _FEN),
        _times,
        lambda r: f"法定赔偿{_money(r)}",
        lambda r: "依法计算，由负责人确认",
        lambda r: "赔偿由负责人办理",
        lambda r, got: f"{yuan(got['fen'])}赔偿已经提交，编号{got['refund']}",
    ),
    "refund_now": RemedyKind(
        "加急办退款",
        (_MINUTES,),
        None,
        lambda r: "加急把该退的钱退给您",
        lambda r: "财务专人跟进，按原路退回",
        lambda r: f"{_by(r)}退款提交到银行",
        lambda r, got: f"{yuan(got['fen'])}退款已经加急提交，退款号{got['refund']}",
    ),
    "resend": RemedyKind(
        "补寄",
        (),
        _whole,
        lambda r: f"马上补寄{r.get('product', '一份')}给您",
        lambda r: "走最快的快递，运费我们付",
        lambda r: "24小时内出库，运单号会发给您",
        lambda r, got: f"补寄的包裹已经出库，运单{got['shipment']}",
    ),
    "exchange": RemedyKind(
        "换货",
        (),
        _whole,
        lambda r: f"换一件新的{r.get('product', '')}",
        _at({"retail": "到店就换，不用您再付钱"}, "来回运费都由我们付"),
        _at({"retail": "新的一件24小时内备好，留在服务台等您"}, "新的一件24小时内备好"),
        lambda r, got: f"换的新件已经备好，单号{got['shipment']}",
    ),
    "courier_pickup": RemedyKind(
        "快递上门取件",
        (),
        None,
        _at({"travel": "快递员上门取回您想退的东西"}, "快递员上门取回原来那件"),
        lambda r: "不用您包装，也不用付运费",
        lambda r: "快递员明天上门，来之前先打电话",
        lambda r, got: f"上门取件已经约好，取件号{got['pickup']}",
    ),
    "repair": RemedyKind(
        "维修",
        (_MINUTES,),
        None,
        _at(dict.fromkeys(_SEND_IN, "免费给您修好"), "马上派人维修"),
        _at(
            {"hotel": "修不好就给您换房", "property": "先修好要紧，该我们修的不收您钱", **_SENT_IN},
            "修好为止，不另外收费",
        ),
        lambda r: f"{_by(r)}{'安排好维修' if r.get('trade') in _SEND_IN else '师傅到场'}",
        lambda r, got: (
            f"维修已经安排好，编号{got['ticket']}"
            if r.get("trade") in _SEND_IN
            else f"维修单{got['ticket']}已经派出"
        ),
    ),
    "clean_again": RemedyKind(
        "重新打扫",
        (_MINUTES,),
        None,
        lambda r: "马上重新打扫",
        lambda r: "打扫完由主管检查",
        lambda r: f"{_by(r)}保洁到现场",
        lambda r, got: f"保洁已经出发，编号{got['ticket']}",
    ),
    "remake": RemedyKind(
        "重做一份",
        (_MINUTES,),
        None,
        lambda r: "马上重新做一份",
        lambda r: "厨师长盯着做，原来那份不收钱",
        lambda r: f"{_by(r)}送到您面前",
        lambda r, got: f"后厨已经接单，编号{got['ticket']}",
    ),
    "room_change": RemedyKind(
        "换房",
        (_MINUTES,),
        None,
        lambda r: "换一间检查过的房间",
        lambda r: "主管先看过，干净、安静、和您订的一样，行李由我们搬",
        lambda r: f"{_by(r)}同事到房门口接您换房",
        lambda r, got: f"新房间{got['room']}已经准备好，同事正过来接您",
    ),
    "room_upgrade": RemedyKind(
        "升级房型",
        (_MINUTES,),
        _flat,
        lambda r: "免费升级到更好的房型",
        lambda r: "不另外收费，行李由我们搬",
        lambda r: f"{_by(r)}同事接您去新房间",
        lambda r, got: f"升级后的房间{got['room']}已经准备好，同事正过来接您",
        unit_priced=True,
    ),
    "free_meal": RemedyKind(
        "免费餐",
        (_PERSONS,),
        _per_head,
        lambda r: f"请您吃一顿{r['persons']}位的正餐",
        _at(_TABLE, "一年内随时来，报手机号就可以"),
        _at({"hotel": "餐厅从今天起为您留位"}, "餐券今天就放进您的账户"),
        lambda r, got: f"这顿饭已经记在您名下，凭证{got['coupon']}",
        unit_priced=True,
    ),
    "free_dessert": RemedyKind(
        "免费甜品",
        (_PERSONS,),
        _per_head,
        lambda r: f"送{r['persons']}份甜品",
        _at(_BAR, "现在就可以上，也可以下次来吃"),
        lambda r: "甜品今天就记到您名下",
        lambda r, got: f"甜品已经记在您名下，凭证{got['coupon']}",
        unit_priced=True,
    ),
    "free_drink": RemedyKind(
        "免费饮品",
        (_PERSONS,),
        _per_head,
        lambda r: f"送{r['persons']}杯饮品",
        _at(_BAR, "现在就可以上，也可以下次来喝"),
        lambda r: "饮品今天就记到您名下",
        lambda r, got: f"饮品已经记在您名下，凭证{got['coupon']}",
        unit_priced=True,
    ),
    "voucher": RemedyKind(
        "代金券",
        (_FEN,),
        _of_paid,
        lambda r: f"{yuan(r['fen'])}无门槛券",
        _at({"property": "一年内可以抵物业费"}, "一年内有效，什么都能用"),
        lambda r: "券今天就放进您的账户",
        lambda r, got: f"{yuan(r['fen'])}券已经到账，券号{got['coupon']}",
    ),
    "next_discount": RemedyKind(
        "下次优惠",
        (_BP,),
        _rate,
        lambda r: f"{_NEXT(r)}减{percent(r['bp'])}",
        lambda r: "一年内有效，直接从应付的钱里减",
        lambda r: "优惠今天就放进您的账户",
        lambda r, got: f"下次的优惠已经生效，券号{got['coupon']}",
    ),
    "fee_waiver": RemedyKind(
        "减免费用",
        _SHARE,
        _of_paid,
        lambda r: f"减免{_money(r)}",
        _at({"property": "从这一期物业费里减"}, "从这一笔账里减"),
        lambda r: "减免当天登记",
        lambda r, got: f"{yuan(got['fen'])}减免已经登记，编号{got['refund']}",
    ),
    "points": RemedyKind(
        "积分",
        (Parameter("points", "积分"),),
        lambda r, paid, unit: int(r["points"]),
        lambda r: f"送您{r['points']}积分",
        lambda r: f"100积分抵1元，合{yuan(r['points'])}",
        lambda r: "积分今天就到账",
        lambda r, got: f"{got['points']}积分已经到账",
    ),
    "service_upgrade": RemedyKind(
        "升级服务",
        (),
        _flat,
        _at(_PLAN, "会员服务为您升级一次"),
        _at(_PLAN_WHEN, "不另外收费"),
        lambda r: "同事会和您约好时间",
        lambda r, got: f"服务升级已经安排，编号{got['ticket']}",
        unit_priced=True,
    ),
    "rebooking": RemedyKind(
        "重新预订",
        (_MINUTES,),
        None,
        _at({"hotel": "为您另外订好同等或更好的房间"}, "为您换到同等或更好的安排"),
        lambda r: "差价由我们承担",
        lambda r: f"{_by(r)}把新的安排发给您确认",
        lambda r, got: f"重新预订已经在办，编号{got['ticket']}",
    ),
    "late_checkout": RemedyKind(
        "延迟退房",
        (Parameter("hour", "点"),),
        None,
        lambda r: f"退房延到{r['hour']}:00",
        lambda r: "不另外收费",
        lambda r: "前台马上改好退房时间",
        lambda r, got: f"退房时间已改到{r['hour']}:00",
    ),
    "manager_call": RemedyKind(
        "经理致电",
        (_MINUTES,),
        None,
        lambda r: "由经理亲自打电话给您",
        lambda r: "听您把当时的情况说完，给您一个答复",
        lambda r: f"{_by(r)}经理给您去电",
        lambda r, got: f"经理已经收到，回电单{got['ticket']}",
    ),
    "expedite": RemedyKind(
        "加急",
        (_MINUTES,),
        None,
        _at(
            {
                "shop": "加急送到",
                "restaurant": "您这一单加急",
                "property": "派同事到现场处理",
                "travel": "马上为您加急安排",
            },
            "加急优先处理",
        ),
        lambda r: _by(r) + _SPED.get(str(r.get("trade")), "办到位"),
        _at(
            {
                "shop": "仓库马上改成加急件",
                "restaurant": "您这一单马上排到最前面",
                "property": "现在就通知同事动身",
                "travel": "马上请当地的同事加急",
            },
            "马上改成加急",
        ),
        lambda r, got: f"已经改成加急，跟踪号{got['ticket']}",
    ),
    "recommendation": RemedyKind(
        "推荐优惠",
        (_BP,),
        _rate,
        lambda r: (
            f"买{r['product']}再减{percent(r['bp'])}"
            if "product" in r
            else f"下次购物减{percent(r['bp'])}"
        ),
        lambda r: "照您以前买的东西挑的，用不上就不用理" if "product" in r else "一年内有效",
        lambda r: "优惠今天就放进您的账户",
        lambda r, got: f"专属优惠已经放进账户，券号{got['coupon']}",
    ),
    "bill_check": RemedyKind(
        "核对账目",
        (_MINUTES,),
        None,
        lambda r: "逐笔核对账目，把明细给您",
        lambda r: "该退的一分不少退给您",
        lambda r: f"{_by(r)}把核对结果发给您",
        lambda r, got: f"账目核对已经开始，编号{got['ticket']}",
    ),
}

MONEY_BACK = frozenset({"refund_full", "refund_part", "fee_waiver"})
"""Kinds that give back of what was paid; together they never exceed it."""

SUPERSEDES: Mapping[str, frozenset[str]] = {
    "room_change": frozenset({"clean_again"}),
    "room_upgrade": frozenset({"room_change", "clean_again"}),
    "manager_call": frozenset({"apology"}),
}
"""What is no longer needed where the better thing is given."""

_FORMER = {"free_dinner": "free_meal", "stay_discount": "next_discount"}


def kind_of(remedy: Remedy) -> RemedyKind:
    """The kind of a remedy, also of one that was stored under a former name.

    Raises:
        BadRemedyError: There is no such kind.
    """
    name = remedy.get("kind")
    kind = KINDS.get(_FORMER.get(str(name), str(name)))
    if kind is None:
        raise BadRemedyError(f"unknown remedy {str(name)[:40]!r}")
    return kind


def whole(value: Any) -> int | None:  # noqa: ANN401 - whatever a table or a payload held
    """A whole number that is not negative, else None.

    zen-engine gives numbers as floats; a float without a fraction is taken as the integer it
    stands for. Text and booleans are no numbers.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return value


def check(remedy: Any) -> Remedy:  # noqa: ANN401 - whatever a table or a payload held
    """Check one remedy.

    Args:
        remedy: As described at the top of this module.

    Returns:
        The remedy with integers.

    Raises:
        BadRemedyError: Unknown kind; unknown, missing, fractional or negative parameter.
    """
    if not isinstance(remedy, dict):
        raise BadRemedyError(f"a remedy is an object with a kind, got {str(remedy)[:80]!r}")
    kind = kind_of(remedy)
    checked: Remedy = dict(remedy)
    for parameter in kind.parameters:
        if parameter.optional and parameter.name not in remedy:
            continue
        value = whole(remedy.get(parameter.name))
        if value is None:
            raise BadRemedyError(
                f"{remedy['kind']}.{parameter.name} must be a whole number,"
                f" got {remedy.get(parameter.name)!r}"
            )
        checked[parameter.name] = value
    if (
        kind.parameters == _SHARE
        and ("bp" in remedy) == ("fen" in remedy)
        and "worth" not in remedy
    ):
        raise BadRemedyError(f"{remedy['kind']} needs either bp or fen")
    return checked


def card(remedies: list[Remedy]) -> list[dict[str, str]]:
    """The lines of an offer as a customer reads them: title, detail and part of each remedy."""
    return [
        {
            "title": kind_of(one).title(one),
            "detail": kind_of(one).detail(one),
            "part": str(one.get("part", "floor")),
        }
        for one in remedies
    ]


BY_HAND = "by_hand"
"""In the receipt of what a person has done in place of the order system."""


def done_words(remedy: Remedy, receipt: Mapping[str, Any]) -> str:
    """What to say once a remedy is carried out, by the order system or by a person."""
    kind = kind_of(remedy)
    if receipt.get(BY_HAND):
        return f"“{kind.title(remedy)}”同事已经为您办好"
    return kind.done(remedy, dict(receipt))


def steps(remedies: list[Remedy]) -> list[str]:
    """What happens after acceptance, in order, no step twice."""
    return list(dict.fromkeys(kind_of(one).step(one) for one in remedies))


def plain(remedies: list[Remedy], reason: str) -> str:
    """The offer as plain text, for channels without cards."""
    lines = [
        f"{n}. {line['title']}（{line['detail']}）" for n, line in enumerate(card(remedies), 1)
    ]
    return "\n".join(
        [*lines, f"这样安排，是因为{reason}。", "您点头后：" + "；".join(steps(remedies)) + "。"]
    )
