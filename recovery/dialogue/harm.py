"""What it did to the customer, from the customer's own words; nobody is asked for it.

Anger is not read here: who shouts over a nuisance has a nuisance. What is not said counts as a
nuisance, and staff can set it. What did not happen, might happen or nearly happened is no harm,
and neither is the failure itself: a parcel that is lost is what the complaint is about.
"""

import re
from collections.abc import Mapping
from typing import Any

from recovery.remedy.facts import HARMS

HARM_BY, STAFF = "harm_by", "staff"
"""The fact of a case that says who set its harm, and its value where it was staff."""

_SIGNS = {
    "injury": re.compile(
        r"过敏(?!史|源|原|体质|性)|拉肚子|拉了?[一两三半][天夜晚宿](?!行)|腹泻|上吐下泻|呕吐|吐了(?!一口气)[一好两三半几]"
        r"|住(?:进)?了?医?院(?!子)|(?:去|进|送|跑)了?[^，。！？,.!?]{0,3}医院|看了?急诊|急诊|挂水|输液|打(?:了)?点滴|缝了?[一两三四五六七八九十几\d]+针"
        r"|(?<!心里)(?<!感情)受了?伤(?!的心|感情)|(?:烫|划|割|摔|扭|砸|夹|擦|磕|咬|撞|刮|压)伤|(?:划|割|磕|擦|摔)破了?[^，。！？,.!?]{0,3}(?:皮|手|脚|头|腿|膝)"
        r"|(?:手|脚|头|腿|胳膊|膝盖|嘴|舌头|脸)[^，。！？,.!?]{0,4}(?:划破|割破|磕破|烫到|烫着|肿|夹到|流血|扭到|扭了)"
        r"|摔(?:倒|了一跤)|滑倒|骨折|流了?血|出血|食物中毒|中毒|中暑|晕倒|晕过去|发烧|发高烧|起(?:了)?(?:一身)?(?:红)?(?:疹|包)|触电"
        r"|(?:被)?困在?(?:电梯|里面|在里)|被困"
    ),
    "loss": re.compile(
        r"泡(?:坏|烂|了水|水了)|淋(?:坏|湿)了?我|(?:弄|搞|压|摔|磕|撞|刮|染|烫)(?:坏|脏|花|破)了?我"
        r"|我们?家?(?!(?:的|新买的)?(?:快递|包裹|货|订单|外卖|餐|菜|房|座|预订|退款))(?:的|新买的)?[^，。！？,.!?]{1,8}"
        r"(?:被偷|丢了|不见了|毁了|弄(?:坏|脏|丢|湿)|搞坏|摔坏|压坏|泡坏|刮花|刮了|划了|烧坏|被砸)"
        r"|损失(?:了)?(?:好|近|将近|大概|差不多)?[一二三四五六七八九十两百千几\d]|(?:赔|亏)进去|自己(?:掏|垫|花钱|出钱|打车)|自掏腰包|垫(?:付|了)"
        r"|额外花|多花了|又花了|白花了|误工费|(?:电脑|手机|相机|行李)[^，。！？,.!?]{0,3}(?:进水|泡水|被偷)|家具[^，。！？,.!?]{0,6}(?:泡|坏|鼓)"
        r"|(?:地板|墙纸|墙皮|墙面|吊顶)[^，。！？,.!?]{0,6}(?:泡|鼓|翘|发霉|掉|起皮)|天花板[^，。！？,.!?]{0,6}(?:塌|掉)"
    ),
    "plans": re.compile(
        r"耽误(?!您|你|一下|各位)|误了(?!会)|错过|(?:赶|来|等)不(?:上|及)(?!说|打字)|没(?:能)?赶上|泡汤|白(?:跑|去|来)(?:了)?[一两几]?趟|白跑|"
        r"请了?(?:[一两三半几]?(?:个)?(?:整|多)?(?:天|上午|下午|小时)的?)?(?:事)?假|改签|"
        r"(?:会议|开会|面试|考试|婚礼|生日|满月|年会|约会|出差|签约|答辩|演出|演唱会|上班|上课|聚会|体检|手术|客户)"
        r"[^，。！？,.!?]{0,10}(?:晚|迟|没赶|没去成|没开成|没过好|没办成|错|毁|砸|黄|耽|误|泡汤|取消)|"
        r"行程[^，。！？,.!?]{0,6}(?:全乱|乱了|打乱|毁|泡汤|黄)|打乱了?[^，。！？,.!?]{0,4}(?:行程|计划|安排)|"
        r"(?:一|整|几|两|三)(?:整|个)?(?:晚|夜|宿)上?(?:都)?没(?:怎么)?(?:睡|合眼)|"
        r"没(?:法|办法)(?:上班|上学|出门|做饭|洗澡|睡觉|回家|工作)"
    ),
}
# Before a sign these take it back: it did not happen, nearly happened, or is only feared.
_TAKEN_BACK = re.compile(
    r"(?:没有?|未|并不|不|没被|差(?:一)?点儿?|险些|怕|担心|免得|以免|避免|别|会不会|能不能|不至于|如果|要是|万一|倒是没|防止|省得)"
    r"(?:会|再|有人|让我|给我|被|因此|因为这|真的?|大|怎么|他|她|孩子|我|又|影响|又要|要|造成|导致){0,2}$"
)
_ASKED = re.compile(r"(?:吗|么|嘛|吧|没有)[？?]?$|^(?:如果|要是|万一|假如)")
_CLAUSES = re.compile(r"[^，。！？!?,.；;、\s]+[？?]?")
# What happened to the goods on the way is the failure itself.
_ON_THE_WAY = re.compile(r"快递|物流|包裹|包装|发货|寄来|收到")
# Figures of speech: nobody bled, nothing broke but the mood.
_FIGURES = re.compile(
    r"流血流汗|血汗|(?<![天空脾])(?:气|急|恶心|烦|吓|愁)(?:得|到)我?(?:都|快|要|差点)?[^，。！？,.!?]{0,8}"
    r"|心情|心(?:都)?碎|心里"
)
_BY_NATURE = re.compile(r"对[^，。！？,.!?]{1,6}过敏(?!了)")


def read_harm(text: str, known: str | None = None) -> str | None:
    """Read the harm a message tells of.

    Args:
        text: The message.
        known: What was known before; it never becomes milder.

    Returns:
        One of `recovery.remedy.facts.HARMS`, or None where nothing new is told.
    """
    clauses = _CLAUSES.findall(_BY_NATURE.sub(" ", text))
    clauses = [clause for clause in clauses if not _FIGURES.search(clause)]
    told = next(
        (harm for harm in _SIGNS if any(_tells(harm, clause) for clause in clauses)),
        None,
    )
    if told is None or (known is not None and HARMS.index(told) <= HARMS.index(known)):
        return None
    return told


def told_harm(text: str, facts: Mapping[str, Any]) -> str | None:
    """The harm a message tells beyond what the case knows.

    Args:
        text: The message.
        facts: Of the case. What staff have set stands: they looked, and words may be heated.
    """
    return None if facts.get(HARM_BY) == STAFF else read_harm(text, facts.get("harm"))


def _tells(harm: str, clause: str) -> bool:
    """Whether a clause states this harm as something that happened."""
    if _ASKED.search(clause) or (harm == "loss" and _ON_THE_WAY.search(clause)):
        return False
    return any(
        not _TAKEN_BACK.search(clause[: found.start()]) for found in _SIGNS[harm].finditer(clause)
    )
