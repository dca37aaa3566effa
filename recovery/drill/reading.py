"""What a trainee's words do, read by rules: those of the coach, and some of what does good.

Rules, not a model: the desk has no recogniser of its own, and practice must not reach the one of
Rasa, whose every question belongs to a conversation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from recovery.coach.suggestions import alike
from recovery.coach.warnings import apologises, warnings
from recovery.drill.given import Given
from recovery.drill.scenario import Fact, Scenario, Touch

Good = Literal["acknowledged", "apologised", "named", "remedy", "step"]
Bad = Literal["blame", "argue", "promise", "shout", "stock", "again", "asked_again", "empty"]

GOOD: tuple[Good, ...] = ("acknowledged", "apologised", "named", "remedy", "step")
BAD: tuple[Bad, ...] = (
    *("blame", "argue", "asked_again", "again", "promise", "shout", "stock", "empty"),
)

_FEELING = (
    r"心情|着急|生气|难受|失望|不容易|委屈|辛苦|感受|窝火|闹心|糟心|气|急|烦|担心|不满|上火|心疼"
)
_ACKNOWLEDGED = re.compile(
    rf"(?:理解|体会|明白|知道|看得出|听得出|想象).{{0,10}}(?:{_FEELING})"
    r"|(?:换(?:成|作|做|了)?(?:是)?(?:谁|我|哪个)|(?:谁|我)(?:要是)?(?:遇到|遇上|碰到|碰上|摊上))"
    r"|让您.{0,16}(?:委屈|受累|久等|等|白跑|失望|着急|担心|操心|难受|费心|折腾|扫兴|睡好|休息好|受惊"
    r"|不方便|为难|受气|跑|堵心|寒心|没面子)"
    r"|您(?:说得|说的)(?:对|有道理|是(?!吧))|您(?:生气|着急|有火|不高兴|失望)(?:是|很|太|都|也)"
    r"|(?:确实|真)(?:的)?(?:不该|不应该|说不过去|太让人|让人|很让人)"
    r"|(?:辛苦|委屈|耽误|打扰|连累|折腾|为难|怠慢)(?:您|你|到您|了您)"
    r"|(?:是|都是)我们(?:没|的(?:错|疏忽|责任|问题|失误)|做得)|我们(?:没(?:有)?做好|做得不好|没做到)"
    r"|难怪您|您[^。！？]{0,18}(?:难受|难熬|吓坏|吓着|委屈|害怕|心疼|没睡好|糊弄|窝火)|是应该的"
    r"|(?:太|真|最)(?:难熬|难受|糟心|扫兴|窝火|闹心|不像话)|(?:谁都|谁也|换我也)[^，。]{0,4}(?:受不了|会|不好受|觉得|扫兴|生气|着急|不满|难受|窝火|失望)"
    r"|(?:不容易|本来是(?:件)?高兴|难得)|这(?:种|样)?(?:事|情况|一晚|一趟).{0,6}(?:谁都|不该|不好受|受罪)"
)
_STOCK = re.compile(
    r"请(?:您)?(?:稍安勿躁|耐心)|耐心(?:等|地等)|反馈(?:给|到|至)?(?:相关|有关)(?:部门|人员|同事)"
    r"|(?:给|为)您(?:造成|带来)(?:的|了)?(?:不便|困扰)|敬请(?:谅解|见谅)|感谢您的(?:理解|反馈|配合|支持|宝贵)"
    r"|(?:按|按照|根据)(?:公司|店里|酒店|平台|我们)?(?:的)?(?:规定|流程|制度|惯例)|会尽快(?!在|于)|稍后(?:会|给)|第一时间(?!告诉|通知|回)"
    r"|亲(?:亲)?[，,~～]|高度重视|竭诚|给予(?:您)?(?:一个)?(?:满意|合理)"
)
_ASKS = re.compile(
    r"吗|呢|？|\?|多少|哪|几(?!句|天都)|什么|怎么|是否|有没有|是不是|麻烦|请(?!放心|相信|原谅)|提供"
    r"|告诉(?:我|一下)|发(?:一下|我|给我|张|来)|(?:说|讲|报|留|核对|确认)(?:一下|下)|方便"
)
_CLOCK = re.compile(
    r"(?:[\d一二两三四五六七八九十半几]{1,4}\s?(?:个)?(?:多|半)?(?:分钟|小时|钟头|天|工作日|刻钟))"
    r"|(?:今天|今晚|今日|明天|明早|明晚|后天|本周|周[一二三四五六日天]|下午|晚上|中午|上午|早上)[^，。！？；]{0,6}"
    r"(?:\d{1,2}\s?[:：点时]|前|之前|以前|内|之内)"
    r"|\d{1,2}\s?[:：]\d{2}|[\d一二两三四五六七八九十]{1,3}点(?:钟|半|前|之前|整)?|(?:天黑|下班|睡觉|退房|开饭)前"
)
_GONE = re.compile(
    r"(?:等|过|花|用|晚|迟|拖|耽误|住|排)了|已经|之前|刚才|昨|的时候|(?:分钟|小时|天)了"
)
_STEP = re.compile(
    r"核实|查|安排|联系|处理|办|送|换|退|打电话|去电|致电|回(?:复|您|电|话)|告诉您|通知您|盯|催|派|到(?!底)|上门"
    r"|答复|补|重做|打扫|修|请示|跟进|更新|给您|找|说清|准信|结果|叫人|过来|去(?!年)"
)
_GIVING = re.compile(
    r"给(?:您|你)|为(?:您|你)|帮(?:您|你)|送|退|免|减|赔|补|换|升|请(?:您|你)(?:吃|喝|用餐)|安排|可以|能|重新|再"
)
_NOT_GIVEN = re.compile(
    r"不能|无法|没法|不了|不(?:给|予|可以)?(?:退|换|送|补|赔|免)|没有办法|没办法|没有?把握|先问|用过|满\d|申请|请示|问(?:一下)?经理|如果|要是|您(?:想要|希望|要求|是想|要的是)"
    r"|(?<!行)(?<!好)(?<!成)吗|还是"
)
# What a remedy is called by whoever offers it.
_KINDS: dict[str, re.Pattern[str]] = {
    "room_change": re.compile(
        r"(?:换|调)(?:到|去|成)?[^，。！？]{0,8}房|房[^，。！？]{0,8}换|(?:开|找|安排)(?:一)?间[^，。！？]{0,8}房"
    ),
    "room_upgrade": re.compile(r"升(?:级)?[^，。！？]{0,8}(?:房|套)"),
    "clean_again": re.compile(r"打扫|清扫|保洁|清洁|收拾|清理"),
    "late_checkout": re.compile(r"(?:延|晚|推迟)[^，。！？]{0,5}退房"),
    "free_meal": re.compile(
        r"(?:免费|送|请)[^，。！？]{0,8}(?:餐|饭|自助)|餐券|餐[^，。！？]{0,6}(?:免费|送)"
    ),
    "free_dessert": re.compile(r"甜品|甜点|蛋糕"),
    "free_drink": re.compile(r"(?:免费|送|请)[^，。！？]{0,6}(?:饮|茶|咖啡|果汁|喝)|饮品|饮料"),
    "remake": re.compile(r"重(?:新)?(?:做|上|炒|出)|再做|新做"),
    "refund_full": re.compile(r"全额退|全退|全款退|退(?:您|给您)?全"),
    "refund_part": re.compile(r"退(?!房|订|货|出|换|休|回去)|差价"),
    "refund_now": re.compile(r"加急[^，。！？]{0,6}退|退款[^，。！？]{0,8}(?:加急|催|优先|今天)"),
    "damages": re.compile(r"赔(?:偿|付)?[^，。！？]{0,8}(?:倍|赔)|[一二三十两]倍|假一赔"),
    "resend": re.compile(r"补(?:寄|发)|重(?:新)?(?:寄|发)|再(?:寄|发)"),
    "exchange": re.compile(r"换(?:一|个|货|新|双|件|台|套|成)|调换|更换"),
    "courier_pickup": re.compile(r"上门(?:取|收)|取件|来取"),
    "repair": re.compile(r"维?修|抢修|堵漏"),
    "voucher": re.compile(r"券|红包"),
    "next_discount": re.compile(r"下(?:次|回|一次)[^，。！？]{0,10}(?:折|优惠|便宜|减)"),
    "fee_waiver": re.compile(
        r"(?:减(?!少)|免(?!费))(?:收|掉|除|去)?[^，。！？]{0,8}(?:费|单)|免单|不收"
    ),
    "points": re.compile(r"积分"),
    "service_upgrade": re.compile(r"升级(?!.{0,6}房)|加(?:一)?(?:项|个)服务"),
    "rebooking": re.compile(r"重(?:新)?(?:订|预订|安排(?:酒店|行程))|改(?:订|签)|另(?:订|外安排)"),
    "manager_call": re.compile(r"经理[^，。！？]{0,8}(?:打|电话|致电|回电|联系|来|见)"),
    "expedite": re.compile(r"加急|催|优先|插队|先(?:给您)?(?:送|做|上|办)"),
    "bill_check": re.compile(r"(?:核对|对|查|核)[^，。！？]{0,8}(?:账|单|明细|费)"),
    "explanation": re.compile(
        r"(?:原因|经过|怎么回事|来龙去脉)[^，。！？]{0,10}(?:告诉|说|讲|给)|(?:查|说|讲)清"
    ),
}
# What has a price and is in no policy of the matter is beyond it.
_PRICED = frozenset(
    {
        *("room_upgrade", "free_meal", "free_dessert", "free_drink", "refund_full", "damages"),
        *("voucher", "next_discount", "fee_waiver", "points", "service_upgrade"),
    }
)
_WORDS = frozenset({"apology", "explanation", "manager_call", "recommendation"})
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*")
_CLAUSE = re.compile(r"[^，。！？!?；;,\n]+")
_ASKED = re.compile(r"[^，。！？!?；;,\n]+[！？!?]?")
_SHORTEST = 4


@dataclass(frozen=True)
class Reading:
    """What one line of a trainee does.

    Attributes:
        good: Of `GOOD`, with the words that do it.
        bad: Of `BAD`, likewise.
        asked: Places of the scenario's facts that it asks for.
        calms: Places of what calms this customer.
        inflames: Places of what inflames this customer.
    """

    good: dict[Good, str] = field(default_factory=dict)
    bad: dict[Bad, str] = field(default_factory=dict)
    asked: tuple[int, ...] = ()
    calms: tuple[int, ...] = ()
    inflames: tuple[int, ...] = ()


def read(
    text: str, scenario: Scenario, given: Given, before: Sequence[str], told: Sequence[int]
) -> Reading:
    """Read a line of a trainee.

    Args:
        text: As typed.
        scenario: What is practised.
        given: What the policy gives.
        before: What the trainee said before.
        told: Places of the facts that the customer has told already.
    """
    bad = _bad(text, given, before)
    good: dict[Good, str] = {}
    acknowledged = _ACKNOWLEDGED.search(text)
    if acknowledged and not {"blame", "argue"} & bad.keys():
        good["acknowledged"] = _clause_at(text, acknowledged.start())
    if apologises(text):
        good["apologised"] = text
    named = next((word for word in scenario.matter if word in text), None)
    if named:
        good["named"] = named
    remedy, beyond = _remedies(text, given)
    if beyond:
        bad.setdefault("promise", beyond)
    if remedy and "promise" not in bad:
        good["remedy"] = remedy
    step = _step(text)
    if step:
        good["step"] = step
    asked = tuple(place for place, fact in enumerate(scenario.facts) if _asks(text, fact))
    known = [one for one in asked if scenario.facts[one].given or one in told]
    if known:
        bad["asked_again"] = scenario.facts[known[0]].title
    calms, inflames = _touched(text, scenario.calms), _touched(text, scenario.inflames)
    if not (good or bad or asked or calms or inflames) and len(text) < 2 * _SHORTEST:
        bad["empty"] = text
    return Reading(good, bad, asked, calms, inflames)


def _bad(text: str, given: Given, before: Sequence[str]) -> dict[Bad, str]:
    found: dict[Bad, str] = {}
    kinds: dict[str, Bad] = {
        "blame": "blame",
        "argue": "argue",
        "promise": "promise",
        "shout": "shout",
    }
    for one in warnings(text, given.situation(apologised=False)):
        if one.kind in kinds:
            found[kinds[one.kind]] = one.words
    stock = _STOCK.search(text)
    if stock:
        found["stock"] = stock[0]
    if any(alike(text, one) for one in before):
        found["again"] = text
    return found


def _clause_at(text: str, place: int) -> str:
    """The clause in which a place is."""
    return next((one[0] for one in _CLAUSE.finditer(text) if one.end() > place), text)


def _touched(text: str, touches: Sequence[Touch]) -> tuple[int, ...]:
    return tuple(
        place for place, one in enumerate(touches) if any(word in text for word in one.words)
    )


def _asks(text: str, fact: Fact) -> bool:
    return any(
        _ASKS.search(clause) and any(word in clause for word in fact.asked)
        for clause in _ASKED.findall(text)
    )


def _step(text: str) -> str | None:
    """The words that say what happens next and by when."""
    for sentence in _SENTENCE.findall(text):
        clauses: list[str] = _CLAUSE.findall(sentence)
        timed = [one for one in clauses if _CLOCK.search(one) and not _GONE.search(one)]
        # 三十分钟内 may stand alone behind what is done; a question for the time is no promise.
        asked = re.search(r"(?:几点|什么时候|哪天|多久)|您[^，。]{0,6}(?:方便|有空)", sentence)
        if timed and not asked and any(_STEP.search(one) for one in clauses):
            return timed[0]
    return None


def _remedies(text: str, given: Given) -> tuple[str | None, str | None]:
    """What of the policy is offered in a text, and what beyond it, in its own words."""
    # To explain is no remedy where there is any other.
    offered = set(given.kinds) - _WORDS or set(given.kinds)
    within = beyond = None
    for clause in _CLAUSE.findall(text):
        if not _GIVING.search(clause) or _NOT_GIVEN.search(clause):
            continue
        named = [kind for kind, pattern in _KINDS.items() if pattern.search(clause)]
        if any(kind in offered for kind in named):
            within = within or clause
        elif "refund_part" in named and _money_back(given):
            within = within or clause
        elif any(kind in _PRICED for kind in named):
            beyond = beyond or clause
    return within, beyond


def _money_back(given: Given) -> bool:
    return bool({"refund_part", "refund_full", "refund_now", "damages"} & set(given.kinds))
