"""Every remedy that can be given: its parameters, its words, the step that follows.

Money is integer fen, rates are integer basis points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Remedy = dict[str, Any]


class BadRemedyError(ValueError):
    """A remedy of unknown kind or with wrong parameters."""


@dataclass(frozen=True)
class RemedyKind:
    """One kind of remedy.

    Attributes:
        parameters: Names of its integer parameters.
        title: What is given.
        detail: More about it.
        step: What happens next, with a time: a full clause.
        done: What to say once the order system has carried it out; its argument is the receipt.
    """

    parameters: tuple[str, ...]
    title: Callable[[Remedy], str]
    detail: Callable[[Remedy], str]
    step: Callable[[Remedy], str]
    done: Callable[[Remedy, dict[str, Any]], str]


def yuan(fen: int) -> str:
    """Say an amount of fen in yuan: `1500` is `15元`, `1550` is `15.50元`."""
    whole, rest = divmod(fen, 100)
    return f"{whole}元" if rest == 0 else f"{whole}.{rest:02d}元"


def percent(basis_points: int) -> str:
    """Say basis points as a percentage: `1500` is `15%`, `1250` is `12.5%`."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}%" if rest == 0 else f"{whole}.{rest:02d}".rstrip("0") + "%"


def _by(remedy: Remedy) -> str:
    """By when, in words: as filled in with the service hours in mind, else by the table."""
    return str(remedy.get("by") or f"{remedy['minutes']}分钟内")


KINDS: dict[str, RemedyKind] = {
    "room_change": RemedyKind(
        ("minutes",),
        lambda r: "换一间打扫好、检查过的房间",
        lambda r: "客房主管先看过再请您进，行李由我们搬",
        lambda r: f"{_by(r)}同事到房门口接您换房",
        lambda r, got: f"新房间{got['room']}已经准备好，同事正过来接您",
    ),
    "clean_again": RemedyKind(
        ("minutes",),
        lambda r: "马上重新打扫",
        lambda r: "打扫完由主管检查",
        lambda r: f"{_by(r)}保洁到您房间",
        lambda r, got: "保洁已经出发",
    ),
    "repair": RemedyKind(
        ("minutes",),
        lambda r: "马上派人维修",
        lambda r: "修不好就给您换房",
        lambda r: f"{_by(r)}工程师傅到您房间",
        lambda r, got: f"维修单{got['ticket']}已经派出",
    ),
    "free_dinner": RemedyKind(
        ("persons",),
        lambda r: f"请您吃一顿{r['persons']}位的晚餐",
        lambda r: "在酒店餐厅，住店期间哪晚都行，报房号就可以",
        lambda r: "餐厅从今天起为您留位",
        lambda r, got: f"晚餐已记在您的房号下，凭证{got['coupon']}",
    ),
    "free_drink": RemedyKind(
        ("persons",),
        lambda r: f"送{r['persons']}杯饮品",
        lambda r: "大堂吧随时可以取",
        lambda r: "大堂吧报房号就能取",
        lambda r, got: f"饮品已记在您的房号下，凭证{got['coupon']}",
    ),
    "late_checkout": RemedyKind(
        ("hour",),
        lambda r: f"退房延到{r['hour']}:00",
        lambda r: "不另外收费",
        lambda r: "前台马上改好退房时间",
        lambda r, got: f"退房时间已改到{r['hour']}:00",
    ),
    "stay_discount": RemedyKind(
        ("bp",),
        lambda r: f"下次入住减{percent(r['bp'])}",
        lambda r: "一年内有效，直接从房费里减",
        lambda r: "优惠今天就放进您的账户",
        lambda r, got: f"下次入住的优惠已经生效，券号{got['coupon']}",
    ),
    "manager_call": RemedyKind(
        ("minutes",),
        lambda r: "由经理亲自打电话向您道歉",
        lambda r: "您也可以把当时的情况说给他听",
        lambda r: f"{_by(r)}经理给您去电",
        lambda r, got: f"经理已经收到，回电单{got['ticket']}",
    ),
    "resend": RemedyKind(
        (),
        lambda r: f"马上补寄{r.get('product', '正确的商品')}",
        lambda r: "走最快的快递，运费我们付",
        lambda r: "24小时内出库，运单号会发给您",
        lambda r, got: f"补寄的包裹已经出库，运单{got['shipment']}",
    ),
    "courier_pickup": RemedyKind(
        (),
        lambda r: "快递员上门取回原来那件",
        lambda r: "不用您包装，也不用付运费",
        lambda r: "快递员明天上门，来之前先打电话",
        lambda r, got: f"上门取件已经约好，取件号{got['pickup']}",
    ),
    "expedite": RemedyKind(
        ("hours",),
        lambda r: "加急送到",
        lambda r: f"{r['hours']}小时内送到您手上",
        lambda r: "仓库马上改成加急件",
        lambda r, got: f"已经改成加急，跟踪号{got['ticket']}",
    ),
    "voucher": RemedyKind(
        ("fen",),
        lambda r: f"{yuan(r['fen'])}无门槛券",
        lambda r: "一年内有效，什么都能用",
        lambda r: "券今天就放进您的账户",
        lambda r, got: f"{yuan(r['fen'])}券已经到账，券号{got['coupon']}",
    ),
    "recommendation": RemedyKind(
        ("bp",),
        lambda r: (
            f"买{r['product']}再减{percent(r['bp'])}"
            if "product" in r
            else f"下次购物减{percent(r['bp'])}"
        ),
        lambda r: "照您以前买的东西挑的，用不上就不用理" if "product" in r else "一年内有效",
        lambda r: "优惠今天就放进您的账户",
        lambda r, got: f"专属优惠已经放进账户，券号{got['coupon']}",
    ),
}


def check(remedy: Any) -> Remedy:  # noqa: ANN401 - whatever a table or a payload held
    """Check one remedy.

    Args:
        remedy: `{"kind": ..., <integer parameters>, "product"?, "sku"?, "by"?}`. zen-engine gives
            numbers as floats; a float without a fraction is taken as the integer it stands for.

    Returns:
        The remedy with integers.

    Raises:
        BadRemedyError: Unknown kind, missing, fractional or negative parameter.
    """
    kind = remedy.get("kind") if isinstance(remedy, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadRemedyError(f"unknown remedy {str(remedy)[:80]!r}")
    checked: Remedy = dict(remedy)
    for name in KINDS[remedy["kind"]].parameters:
        value = remedy.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadRemedyError(f"{remedy['kind']}.{name} must be a whole number, got {value!r}")
        checked[name] = value
    return checked


def card(remedies: list[Remedy]) -> list[dict[str, str]]:
    """The lines of an offer as a customer reads them: title and detail of each remedy."""
    return [
        {"title": KINDS[one["kind"]].title(one), "detail": KINDS[one["kind"]].detail(one)}
        for one in remedies
    ]


def steps(remedies: list[Remedy]) -> list[str]:
    """What happens after acceptance, in order, no step twice."""
    return list(dict.fromkeys(KINDS[one["kind"]].step(one) for one in remedies))


def plain(remedies: list[Remedy], reason: str) -> str:
    """The offer as plain text, for channels without cards."""
    lines = [
        f"{n}. {line['title']}（{line['detail']}）" for n, line in enumerate(card(remedies), 1)
    ]
    return "\n".join(
        [*lines, f"这样安排，是因为{reason}。", "您点头后：" + "；".join(steps(remedies)) + "。"]
    )
