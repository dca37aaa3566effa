"""Wishes that a customer states by the way, read by sure forms only.

What is not sure is left to people: a wish that was misread would be kept for good.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NO_VOUCHER = "no_voucher"
NO_POINTS = "no_points"
NO_CALL = "no_call"

WORDS: Mapping[str, str] = MappingProxyType(
    {
        NO_VOUCHER: "不要券",
        NO_POINTS: "不要积分",
        NO_CALL: "不要打电话",
        "high_floor": "要高楼层",
        "low_floor": "要低楼层",
        "quiet": "要安静的位置",
        "no_smoking": "要无烟房",
        "no_spicy": "不吃辣",
        "no_coriander": "不吃香菜",
        "wechat_only": "有事在微信上说",
    }
)
"""The wishes that the desk knows, as staff read them."""

UNWANTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        NO_VOUCHER: frozenset({"voucher", "next_discount", "recommendation"}),
        NO_POINTS: frozenset({"points"}),
        NO_CALL: frozenset({"manager_call"}),
    }
)
"""The kinds of remedy that a wish rules out as goodwill; what is owed stays owed."""

_CLAUSE = re.compile(r"[，。！？；、,.!?;\n~～…]+")
_LONGEST = 40
# A question, a report of others or a condition is no wish: 为什么不给我券, 他说不要券, 券也行.
_NO_WISH = re.compile(
    r"为什么|为啥|怎么(?!都|也)|凭什么|吗$|么$|呢$|是不是|能不能|可不可以|他说|她说|你们说|您说|谁说"
    r"|不是不|没说|如果|要是|除非|也行|都行"
)
_NOT = (
    r"(?:不(?:需要|想要|要|用|想再要|要再|收|稀罕)"
    r"|别(?:再|老|总|老是|总是)?|不要(?:再|老|总)?|请勿|勿)"
)
_GIVE = r"(?:给我们?|给|跟我们?)?(?:发|送|塞|寄|推)?(?:我们?)?(?:拿|来|用)?"
_TICKET = (
    r"(?:什么|那些|这些|任何|那种|这种)?(?:代金券|优惠券|抵用券|消费券|无门槛券|购物券|券|优惠卷)"
)
_ME = r"(?:给|跟|向|往)?我?们?"

_SIGNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        NO_VOUCHER: re.compile(
            rf"{_NOT}(?:再|又)?{_GIVE}{_TICKET}了?(?:来)?(?:打发|糊弄|敷衍|搪塞)?我?们?了?$"
            rf"|^(?:我们?)?{_NOT}(?:拿|用){_TICKET}(?:来)?(?:打发|糊弄|敷衍|搪塞)我?们?了?$"
            rf"|^{_TICKET}(?:我|我们)?(?:就)?(?:不要|不需要|不用|不稀罕)了?$"
        ),
        NO_POINTS: re.compile(
            rf"{_NOT}(?:再|又)?{_GIVE}(?:什么|那些|这些|任何)?(?:会员)?积分了?$"
            r"|^(?:会员)?积分(?:我|我们)?(?:就)?(?:不要|不需要|不用|不稀罕)了?$"
        ),
        NO_CALL: re.compile(
            r"(?:以后|今后|往后|请|千万)?(?:别|不要|不用|请勿|勿)(?:再|老|总|老是)?"
            rf"{_ME}(?:打|来|回)(?:骚扰)?电话(?:给我|过来|来)?(?:了|骚扰|打扰)?我?$"
        ),
        "high_floor": re.compile(
            r"^(?:我们?|以后|下次)*(?:都)?(?:想要|喜欢|要|想住|住|安排|给我?安?排?)(?:个|间|住)?"
            r"(?:高楼层|高层|楼层高(?:一?点|些)?)的?(?:房间|房|的房间)?$"
        ),
        "low_floor": re.compile(
            r"^(?:我们?|以后|下次)*(?:都)?(?:想要|喜欢|要|想住|住|安排|给我?安?排?)(?:个|间|住)?"
            r"(?:低楼层|低层|楼层低(?:一?点|些)?)的?(?:房间|房|的房间)?$"
        ),
        "quiet": re.compile(
            r"^(?:我们?|以后|下次)*(?:都)?(?:想要|喜欢|要|安排|给我?安?排?)(?:个|间)?"
            r"安静(?:一?点|些)?的?(?:房间|房|位置|座位|位子)$"
        ),
        "no_smoking": re.compile(
            r"^(?:我们?|以后|下次)*(?:都)?(?:想要|只要|只住|要|安排|给我?安?排?)(?:个|间)?"
            r"(?:无烟|禁烟)(?:的)?(?:房间|房|楼层)$"
        ),
        "no_spicy": re.compile(
            r"^(?:我们?)?(?:家)?(?:孩子|小孩|老人)?(?:一点)?(?:都)?(?:不(?:能)?吃|吃不了)辣(?:的)?$"
        ),
        "no_coriander": re.compile(r"^(?:我们?)?(?:都)?(?:不(?:能)?吃|别放|不要放|不放)香菜$"),
        "wechat_only": re.compile(
            r"^(?:以后|今后|有事|有什么事|请)*(?:就|都|只)?(?:在)?微信(?:上)?(?:说|联系|找我|留言|回我)(?:就行|就好|吧|就可以)?$"
        ),
    }
)
_NO_MARKETING = re.compile(
    rf"(?:以后|今后|请|麻烦)?{_NOT}(?:再|又)?{_ME}(?:发|推|推送|推荐|来|打|做|搞|看)?(?:什么|那些|这些|任何|你们的)?"
    r"(?:广告|推销|营销|推广|促销|推荐|推送)(?:短信|信息|消息|电话|东西|产品|商品)?(?:给我|了|骚扰我)?$"
    r"|^(?:以后|今后|请|麻烦)?(?:别|不要)(?:再)?(?:给|跟|向)?我们?(?:推荐|推销|推送)"
    r"(?:东西|产品|商品|别的|其他的|任何东西)?了?$"
)


@dataclass(frozen=True)
class Heard:
    """What a message wishes.

    Attributes:
        wishes: Kind, and the customer's own clause.
        no_marketing: Nothing is to be recommended any more.
    """

    wishes: tuple[tuple[str, str], ...] = ()
    no_marketing: bool = False

    def __bool__(self) -> bool:
        """Whether anything is wished."""
        return bool(self.wishes) or self.no_marketing


NOTHING = Heard()


def read_wishes(text: str) -> Heard:
    """Read the wishes of a message, clause by clause.

    Args:
        text: As the customer wrote it; hostile text is fine.
    """
    wishes: dict[str, str] = {}
    no_marketing = False
    for clause in _CLAUSE.split(text[:2000]):
        said = re.sub(r"\s+", "", clause).rstrip("吧啊呀哈哦嘛的")
        if not 2 <= len(said) <= _LONGEST or _NO_WISH.search(said):
            continue
        if _NO_MARKETING.search(said):
            no_marketing = True
            continue
        for kind, sign in _SIGNS.items():
            if sign.search(said):
                wishes[kind] = said
    return Heard(tuple(wishes.items()), no_marketing) if wishes or no_marketing else NOTHING


def unwanted_kinds(wishes: frozenset[str]) -> frozenset[str]:
    """The kinds of remedy that these wishes rule out as goodwill."""
    return frozenset().union(*(UNWANTED.get(one, frozenset()) for one in wishes))
