"""Words that staff had better not send: blame, argument, empty promises, a second apology.

Rules, not a model: a warning that is often wrong is soon clicked away, so each rule names a turn
of phrase that is hardly ever said kindly, and passes over what takes it back (`不是您的问题`,
`如果…`, a question). Staff decide; a warning never keeps anybody from sending.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from recovery.privacy import mask

Kind = Literal["blame", "argue", "promise", "apology", "private", "shout"]

KINDS: tuple[Kind, ...] = ("private", "blame", "argue", "promise", "apology", "shout")
ADVICE: dict[Kind, str] = {
    "blame": "听起来在怪顾客；只说看到的情况，再说您能办什么。",
    "argue": "听起来在争辩；先认下顾客的感受，再说事实和下一步。",
    "promise": "超出了方案里有的，说了就要兑现；只说已经定下的，别的先去请示。",
    "apology": "已经道过歉了，再说会显得空；换成下一步做什么、什么时候好。",
    "private": "这里大家都看得到；订单、电话、姓名和住处请到私聊里说。",
    "shout": "连着用感叹号或问号像在喊；一句话一个句号就够了。",
}


@dataclass(frozen=True)
class Situation:
    """What a text is to be read against.

    Attributes:
        private: Whether only the customer reads it.
        apologised: Whether the bot or staff have said sorry a short while ago.
        most_fen: The largest sum that was offered or that the policy gives, 0 for none.
        most_bp: The largest share, in basis points.
        whole: Whether the whole price is given back, or the order is free.
        times: Whether a multiple of the price is given, as the law gives for fraud.
    """

    private: bool = True
    apologised: bool = False
    most_fen: int = 0
    most_bp: int = 0
    whole: bool = False
    times: bool = False


@dataclass(frozen=True)
class Warning:
    """One thing to mind.

    Attributes:
        text: What to do instead, one Chinese sentence.
        words: The words meant, as they stand in the text.
    """

    kind: Kind
    text: str
    words: str


@dataclass(frozen=True)
class _Rule:
    """A turn of phrase, unless something in its clause takes it back."""

    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _rule(pattern: str, unless: str | None = None) -> _Rule:
    return _Rule(re.compile(pattern), re.compile(unless) if unless else None)


_YOU = "(?:(?:您|你)们?)"
_US = "(?:我们|我|咱们|本店|店里|酒店|商家|平台|公司|餐厅|物业|旅行社|这边|我方)"
_IF = (
    "如果|要是|若|万一|假如|是不是|有没有|会不会|是否|吗|怕|"
    "以免|避免|不怪|不是您|不是你|并非|没有怪"
)
_MISTAKES = "(?:看|记|弄|搞|选|填|拍|点|写|听|买|理解|想|输|按|放|拿)错"

_BLAME = (
    _rule(
        rf"{_YOU}(?:自己|本人)(?:也|都|又|先|当时|就)?[^，。！？；,]{{0,6}}?(?:没(?!有?关系)|不(?!用|必|需)|{_MISTAKES}"
        r"|弄丢|弄坏|搞坏|摔|忘|造成|导致|操作|引起|误|大意|疏忽|粗心|同意|答应|要求|确认|挑|签收|决定|折腾|惹)",
        _IF + "|决定就好|做主",
    ),
    _rule(
        rf"{_YOU}(?:当时|之前|当初|下单时|下单前|入住时|一开始|事先|根本|都|就|也|又)*(?:没有?|不)"
        r"(?:仔细|认真|看清|看仔细|看懂|看说明|看规则|看页面|看公告|好好|按(?:照)?(?:说明|要求|规定|步骤|时间|时)|注意看|注意到|听清"
        r"|提前(?:说|告知|申请|联系|预约|看|打)|及时(?:说|告知|反馈|联系|申请|提出|取|办|确认|回|处理|检查)"
        r"|早(?:点|些)?(?:说|讲|反馈|来)|说清|讲清|说明白|保管好|检查|配合|遵守|核对|备注|保存好)",
        _IF + "|不怪|也没关系|没关系",
    ),
    _rule(
        rf"(?<!不)(?:是|属于|明显是|就是|还是|怪|赖|全在|都在|在于)(?:因为|由于)?{_YOU}(?:自己|个人|那边|这边|本人|家里?)?(?:的)?"
        r"(?:操作|责任|问题|原因|错|失误|疏忽|粗心|理解|使用|保管|安装|填|选|误会|误操作|过错|习惯|家人|孩子)",
        _IF + "|请问|我们的",
    ),
    _rule(
        rf"{_YOU}(?:的)?(?:使用|保管|操作|安装|理解|填写|存放|清洗|穿着|驾驶|停放)(?:方法|方式|的方法)?(?:不当|有误|错误|失误|错了|不对|有问题)",
        _IF,
    ),
    _rule(
        rf"(?<!让)(?<!害)(?<!使){_YOU}(?:可能|应该是|肯定是|估计|怕是|多半|明显|当时|都|是|自己|这是|那是|一定是)*"
        rf"(?:{_MISTAKES}|误会|误解|弄坏|摔坏|用坏|弄丢)(?:了|的|啦|吧)?",
        _IF + "|没有误会|让您|让你|害您",
    ),
    _rule(r"谁(?:让|叫|要)(?:您|你)(?!满意|等)"),
    _rule(
        rf"{_YOU}(?:自己|本人)[^，。！？；]{{1,10}}(?:的[呀啊吧嘛哦呢]?(?=[，。！]|$)|[呀啊嘛])",
        _IF + "|做主|您自己的|自己定",
    ),
    _rule(
        rf"{_YOU}(?:来|到|说|讲|下单|申请|反馈|联系|报修|报|提|退|打电话|通知)得?(?:实在|确实|也|真)*(?:太|有点|有些|比较)(?:晚|迟|慢)",
        "等|让",
    ),
    _rule(
        rf"{_YOU}(?:都|也|又|连)(?:不|没有?)(?:看|读|听|问|查)(?!到|见|过来)",
        _IF.replace("|吗", ""),
    ),
    _rule(
        r"(?:用户|顾客|客户|客人|买家|业主|使用者|住客|个人)(?:自身|自己|个人|的)*(?:操作|使用|保管|安装|原因)?(?:失误|不当|自身原因|个人原因|原因(?:造成|导致|引起))|人为(?:损坏|造成|原因|因素)",
        _IF + "|不是|不属于|并不",
    ),
    _rule(
        rf"{_YOU}(?:自己|先)?(?:把|将)[^，。！？]{{1,8}}(?:弄|搞|摔|撕|洗|用|拆|碰|打|踩|砸)(?:坏|脏|丢|破|碎|翻|烂)",
        _IF,
    ),
    _rule(
        rf"{_YOU}?(?:要是|如果|但凡|当初)(?:能)?早(?:点|些|一点)(?:说|讲|反馈|联系|告诉|提|打电话|问)"
    ),
    _rule(
        r"(?:别人|人家|别的\S{1,3}|其他\S{1,3}|大家)[^，。！？]{0,6}(?:都|也)(?:挺|是)?(?:好好的|没事|没问题|没说|没反映|没意见|觉得(?:挺)?好|满意)"
        r"|怎么(?:就)?(?:偏偏)?(?:到|就)(?:您|你)(?:这里|这儿|这|一个|家)"
    ),
    _rule(
        r"(?:责任|问题|原因|错|毛病|根源|过错)(?:主要|完全|全|都|还是|其实|就)*(?:出|是)?在(?:您|你)",
        _IF + "|不在|不是",
    ),
    _rule(
        r"自己(?:又|都|也|平时)*(?:不|没有?)(?:维护|注意|小心|当心|检查|看清|看好|留意|保养|关好|锁好|收好|管好)",
        _IF + "|我们自己",
    ),
    _rule(
        rf"{_YOU}[^，。！？；您你]{{1,8}}(?:的时候|时|那会儿|那天)(?:都|又|就|也|可|并|明明)*(?:没有?|不)(?:说|讲|提|看|问|写|备注|注意|选|勾|检查|留)(?!错|到)",
        _IF + "|没关系",
    ),
    _rule(
        rf"{_YOU}[^，。！？；]{{0,6}}(?:方法|方式|姿势|步骤|习惯|顺序)(?:不对|有问题|不当|错|不正确)",
        _IF,
    ),
    _rule(
        rf"{_YOU}(?:当时|当初|之前)?(?:为什么|怎么|干嘛|干吗|为何)(?:就|都)?(?:不|没)(?:早|提前|看|说|先|仔细|注意|问|检查|打|当场|当面)"
    ),
    _rule(
        rf"{_YOU}(?:自己)?(?:就|也|本|早|本来|早就|当时|其实)*(?:该|应该|应当)(?:先|提前|仔细|看清|自己|早|当场|当时|检查|注意|多)",
        "收到|拿到|得到|享有|不该|不应该",
    ),
    _rule(
        rf"{_YOU}(?:自己|自行)(?:负责|承担|想办法|解决|看着办|处理|去查|去看|找)|后果自负|自己看着办|自认倒霉",
        "不用|不必|不需要|不会让",
    ),
    _rule(
        r"(?:别的|其他|别家|人家)(?:的)?(?:顾客|客人|人|用户|买家|业主|团友|住客|邻居)(?:都|怎么|就|也|从来)+(?:没|不|能|可以|好好)"
    ),
    _rule(
        rf"(?:只有|就|偏偏|唯独){_YOU}(?:一个|一家|一位)?(?:人|家)?(?:(?:的)?(?:意见|毛病|问题|话|事)多|抱怨|在闹|在说|提过?|这么|这样|老是|总是|觉得|投诉|反映|有意见|事多|事儿多|要求多|不满意|嫌|天天)"
    ),
    _rule(
        rf"{_YOU}(?:也|未免|真是|是不是)*(?:太|这么|那么|过于)(?:计较|敏感|较真|挑剔|激动|过分|苛刻|夸张|难缠|矫情|娇气|多事|心急|急躁)"
    ),
    _rule(
        r"小题大做|无理取闹|斤斤计较|吹毛求疵|没事找事|胡搅蛮缠|得寸进尺|贪小便宜|占便宜|碰瓷|讹(?:我们|人|钱)|没素质|有病吧|神经病|闭嘴|不讲道理|不讲理|不识好歹"
    ),
    _rule(
        rf"{_YOU}(?:的)?(?:要求|态度|语气|说法|做法)(?:也|真|实在|太|很|有点|这么|未免)*(?:过分|恶劣|不好|离谱|无理|不合理|差)"
    ),
    _rule(r"便宜没好货|一分(?:价)?钱一分货|贪便宜|图便宜"),
)

_ARGUE = (
    _rule(
        r"(?:这|那|绝对|完全|根本|我们|怎么|都|也|是)?不可能(?!让您|让你|再让|不管|丢下|叫您|忘|把您)",
        "有没有可能|不是不可能",
    ),
    _rule(
        rf"(?:我|我们|前面|刚才|之前|早就|都|已经){{1,3}}(?:跟|和|给|对)?{_YOU}?(?:已经|都)?(?:说|讲|解释|回复|强调|告诉|重复|答复)(?:{_YOU})?(?:过了|过(?:很多|好多|好几|多少|几|无数|不止一|[两三四五六七八九十])(?:遍|次)|了(?:很多|好多|好几|多少|几|无数|不止一|[两三四五六七八九十])(?:遍|次))"
    ),
    _rule(
        rf"(?:不是|不都)(?:已经|都|早就|刚)*(?:跟|和|给|对)?{_YOU}?(?:说|告诉|解释|讲|回复|发|通知)(?:{_YOU})?(?:过|得很清楚|了)[^不]{{0,3}}(?:吗|嘛|么|？|\?|，)"
    ),
    _rule(
        rf"(?:跟|和|给|对){_YOU}(?:都|已经|早就)?(?:说|讲|解释|写)(?:得|的)(?:很|非常|够|这么|那么|再)?(?:清楚|明白)"
    ),
    _rule(
        r"(?:页面|规则|说明|协议|条款|详情|公告|须知|合同|小票|规定|短信)(?:里|上|中|页)?(?:都|早就|已经|也|可是|明明|不是)*(?:写|说|标|注|讲|规定)(?:得|的|着|明)?(?:很|非常|清清|明明)(?:清楚|明白|楚楚|白白|楚)"
    ),
    _rule(
        rf"(?:但是?|可是?|不过|然而|问题是|关键是){_YOU}"
        r"(?:也(?!可以|能|不用|不必|别|有权|可|许|可以)|都|又|却|当时|自己|没(?!收到|有收到|拿到|看到|等到|说错|有错|关系)|不(?!用|必|需|满意|放心|急|方便|会|介意|想|愿|知道|清楚)"
        r"|说的(?:不|没|跟|和)|必须|应该|签(?:了|过|收)|同意(?:了|过)|答应(?:了|过))",
        "如果|要是|可以|都看得到|都能|都不用|却要|却没等|也没等|都没等|却等",
    ),
    _rule(
        rf"(?:不是|并非|不能算|不算|怪不到|怪不得|赖不着){_US}(?:这边|这里|店里|酒店)?(?:的)?(?:问题|责任|错|原因|过错|事|头上|$)",
        "不是我们的问题，是|如果|是不是|只是|不只是",
    ),
    _rule(
        rf"(?:跟|和|与|不关|关){_US}(?:这边|店里|酒店)?(?:没(?:有)?(?:什么)?关系|无关|什么事|的事|何干)|不归{_US}(?:管|负责)|{_US}(?:可|也)?不(?:负责|管|承担)|{_US}没(?:有)?(?:这个)?义务|{_US}(?:有|又)?(?:什么|哪里|哪儿)(?:做)?错"
    ),
    _rule(
        r"规定就是(?:规定|这样|这么|如此)|(?:这|那)(?:就)?是(?:我们|公司|店里|平台|酒店|总部)?(?:的)?规定(?:[，。！!,]|$)|就是这(?:样|么)(?:规定|定)的|没办法就是没办法|就这(?:么)?(?:个)?(?:规定|政策)"
    ),
    _rule(
        r"爱(?:买|来|住|吃|信|要|等|退|签|告|投诉)(?:就|不)?(?:不)?(?:买|来|住|吃|信|要|等|退|签|告|投诉|不)|随便(?:您|你)(?!选|挑|什么时候|坐|用|看)|随(?:您|你)(?:便|怎么|去)|(?:那|就)?(?:您|你)(?:就|尽管|想|要)?(?:去)?(?:告|投诉|曝光|差评|报警|起诉)(?:吧|好了|呗|就是了)|尽管(?:去)?(?:投诉|告|曝光|差评)|(?:要|想)(?:投诉|告|曝光|差评)(?:就|您就|你就|随)"
    ),
    _rule(
        rf"{_YOU}(?:要是|如果)?(?:再|还|继续)(?:这样|这么|闹|骂|吵|纠缠|胡|说)[^，。]{{0,4}}(?:下去|说|闹|我|就|也|没用)?",
        "不用|不让|再说一遍|别再|再说一次|再说一下|不必再|还这样",
    ),
    _rule(
        rf"{_YOU}(?:跟|和|对)?(?:我)?(?:这样|这么)?(?:说|闹|骂|吵|喊|发火|催)(?:也|再多也|多少遍也|都)*(?:没用|没有用|不管用|白搭|没意义)"
    ),
    _rule(
        rf"{_YOU}(?:有没有|能不能|可不可以|到底|究竟|是不是)(?:搞错|讲理|讲道理|听懂|听明白|冷静|讲点|看懂|好好(?:说|听|看)|想(?:怎样|怎么样|干|要怎|清楚|好)|要(?:怎样|怎么样|干什么|我说)|明白|懂|听我)"
    ),
    _rule(
        r"(?:请|麻烦|先|希望|劝)(?:您|你)?(?:先|不要|别)?(?:冷静|激动|生气|消消气|保持冷静|发火|带情绪|情绪化)|(?:^|[，。！!])(?:您|你)?先?(?:冷静(?:一下|点|些)|别激动|别生气|不要激动|不要生气|消消气|别急眼|别上火)|注意(?:一下)?(?:您|你)的?(?:态度|言辞|用词|语气|措辞)",
        "先激动|先生气",
    ),
    _rule(
        rf"{_YOU}(?:说|讲|反映|描述)的?(?:情况|话|这些|这个|那些|根本|也|并|都|这种|事)*(?:不对|不是事实|不属实|不存在|没道理|不成立|没有道理|站不住|是错的|不合理|太假)|哪有(?:您|你)(?:说的|讲的|这样|这么)|{_YOU}有(?:什么)?(?:证据|依据|凭据)(?!.{{0,4}}(?:可以|请|也|就|的话|发))|(?:谁|哪个|哪位)(?:跟|和|给|对)?(?:您|你)?(?:说|告诉|承诺)(?:过|您|你)*的(?:？|\?|，|$)|凭什么"
    ),
    _rule(r"根本(?:就)?(?:不存在|(?:没有?|不是|没)(?:您|你)?(?:们)?(?:说的|讲的|这|那|什么))"),
    _rule(r"(?<!您)(?<!你)明明(?:就|已经|都|写|标|告诉|通知|送到|签收|是(?!您)|有|放|说|提醒)"),
    _rule(rf"{_US}(?:可|又|也|从来|根本|并)?(?:没有|没)(?:骗|说错|做错|答应|承诺|欠)(?:过|您|你)*"),
    _rule(
        r"(?:不(?:接受|同意|认可|满意|要|想要|愿意))(?:就|那就|也)(?:算了|没办法|没有办法|拉倒|别)|爱莫能助|我也没办法[。！!，]?$|我(?:也|们也)?(?:很)?(?:无奈|委屈)"
    ),
    _rule(
        r"呵呵|真逗|搞笑|好笑|莫名其妙|不至于吧|至于(?:吗|嘛)|有什么(?:好)?(?:大不了|可(?:气|吵|投诉|生气)的|好(?:气|吵|投诉|生气)的)|这点(?:小)?事"
    ),
    _rule(rf"{_YOU}?怎么(?:就|还|还是|总是|老是|一直)*(?:听|看|想|讲|说)不(?:明白|懂|通|清|进去)"),
    _rule(
        rf"(?:监控|记录|录音|{_US}(?:这里|店里)?)(?:里|上|中)?(?:面)?(?:根本|并|也|都)?"
        rf"(?:没有|没看到|看不到|没发现){_YOU}(?:说|讲|描述|反映)的"
    ),
    _rule(
        r"从来(?:都|就)?没(?:有)?(?:出过|出现过|有过|遇到过|遇过|发生过|听说过|听过|接到过"
        r"|人(?:这么)?(?:说|投诉|反映|提))",
        "有没有",
    ),
    _rule(
        rf"{_YOU}(?:还)?(?:想|要)(?:让)?(?:我们|我)(?:怎么办|怎么样|怎样|咋办|做什么|干什么|能怎么)"
        r"|(?:那)?(?:我们|我)(?:能|还能|又能)(?:怎么办|有什么办法|怎么样)"
    ),
    _rule(
        r"嫌(?:贵|慢|吵|远|脏|麻烦|小|弃|不好)[^，。]{0,4}(?:可以|就|您|你|那)*(?:不|别|去|换|走|另)"
    ),
    _rule(
        r"(?:您|你)(?:的)?情绪(?:也)?(?:这么|那么|太|很|过于|有点|有些)?(?:大|激动|不稳|失控|化)"
        r"|(?:没法|无法|没办法|不能)(?:跟|和|与)(?:您|你)(?:正常)?(?:沟通|说|谈|交流|讲)(?!电话|上)"
        r"|有话好好说|好好说话"
    ),
    _rule(
        r"(?:话|事情|账)(?:也)?(?:可)?(?:不能|不是)(?:这么|这样)(?:说|讲|算|看)"
        r"|(?:我们|我)(?:也|都)(?:有难处|很难|挺难|难做|难办|不容易|冤枉|无辜|是受害者|尽力了)"
    ),
)

_ABSOLUTE = (
    _rule(
        r"保证(?!金|书|人)",
        "不能|无法|没法|不敢|没办法|为了?保证|为保证|不好保证|很难|难以|以保证|质量保证|品质保证|不保证|保证书",
    ),
    _rule(
        r"(?:一定|肯定|绝对|百分之?百|百分百|100%|必定|铁定|必然|包)(?:会|能|可以|都会|都能)?(?:给您|给你|帮您|帮你|让您|让你|为您)?(?:把)?(?:钱|款)?(?:全额|全款|全部|马上|今天|明天)?"
        r"(?:退(?!房|订|出|休)|赔|补偿|免单|到账|到(?=[，。！]|$)|通过|批|解决|满意|办成|办好|送到|修好|没问题|没有问题|不会再)",
        "不一定|不能肯定|不敢肯定|吗|？|\\?",
    ),
    _rule(
        r"(?:绝对|绝|再也|永远|今后都?|以后都?|保管)不会(?:再)?(?:发生|出|有|犯|这样|让您|坏|漏|错)"
    ),
    _rule(
        r"无条件(?:退|换|赔|满足)|(?:要|说)多少(?:都|就|我们)?(?:赔|退|给)(?:多少)?|想要什么(?:都|就|我们)(?:给|可以|行)|(?:什么|任何|所有)要求(?:我们|我|都)*(?:答应|满足|可以|没问题)|满意为止|包(?:您|你)满意|您说了算多少"
    ),
    _rule(
        r"(?:我|这里|现在)(?:就)?(?:个人)?(?:私下|破例|偷偷|自掏腰包|违反规定)(?:给|帮|替|为|把|多|再)*(?:您|你)?"
    ),
    _rule(
        r"(?:不管|无论|不论)(?:是)?(?:多少|什么|怎样|多大)[^，。]{0,4}(?:都|全|一律)(?:会|能|可以)?"
        r"(?:赔|退|给|承担|答应|满足|报销)"
    ),
)

_GIVING = re.compile(
    r"退|赔|补(?:偿|给|您|你|贴)?|送|返|减|免|抵|红包|优惠券|代金券|给(?:您|你)|打(?:到|给)"
)
_NOT_GIVEN = re.compile(
    r"申请|请示|问(?:一下)?经理|报(?:给|上|到|经理)|向经理|给不了|不了|不能|不会|无法|没法|没有|不是|不到|做不到|办不到|超出|最多|"
    r"(?:您|你)(?:想|希望|要求|要的|提|说的|的意思|是想|要)|吗|？|\?|如果|要是|是否|是不是|运费|已经(?:退|到|付)|收(?:了|您|费|取)|付(?:的|了|过)|花了|满\d|消费|原价|标价|差"
)
# Numbers are read so far and no further: what is longer is no sum, and every digit of it would
# be tried as its beginning.
_SUM = re.compile(
    r"(?:[¥￥]\s?(?P<a>\d[\d,]{0,15}(?:\.\d{1,2})?)|(?P<b>\d[\d,]{0,15}(?:\.\d{1,2})?)\s?(?:元|块|圆|人民币)|(?P<c>[一二两三四五六七八九十百千万]{1,15})(?:元|块钱?|圆))"
)
_SHARE = re.compile(
    r"(?P<p>\d{1,3}(?:\.\d+)?)\s?[%％]|百分之(?P<c>[一二三四五六七八九十百]{1,9})|(?P<h>一半|半价)"
)
_TIMES = re.compile(
    r"双倍|[两二三四五六七八九十\d]{1,9}倍|(?:假|退|缺|坏|少)一(?:赔|罚|补)[一二三四五六七八九十\d]+"
)
_WHOLE = re.compile(
    r"(?:全额|全款|全部|整单|全单)(?:的)?(?:退|赔|返|补|给您退|给你退|免)|免单|(?:退|赔)(?:您|你|给您|给你)?(?:全额|全款|全部)|(?:房费|餐费|团费|这一?单|这顿|整单|全程)(?:全)?免(?!得)|不收(?:您|你)?(?:一分)?钱"
)

_SORRY = re.compile(
    r"抱歉|道(?:个|一?声|一个|一?次)?歉|对不起|对不住|歉意|赔不是|致歉|赔礼|实在不好意思|非常不好意思|真是不好意思|太不好意思"
)
_NO_SORRY = re.compile(
    r"不用|不必|不需要|要求|(?:您|你)(?:要|希望|想|提)|当面|登门|书面|已经道|道过歉|光道歉|道歉不|道歉没|道歉信|只会道歉|不只是"
)
_SHOUTS = re.compile(r"[！!]{2,}|[？?]{2,}|[！!？?]*(?:[！!][？?]|[？?][！!])[！!？?]*")
_EXCLAIMED = re.compile(r"[！!]")
_EXCLAMATIONS = 3
# No two ways to read the same words: repeated, they would be tried in every combination.
_ASKS = re.compile(
    r"(?:发|告诉|提供|留|报|说|写|填|贴)(?:一下|下|给我们|给我|我|在这里|这里|在下面|在评论区?|个|出|上|来|过来|到这里|到评论区?|的|和|、|一个|您|你|订单号|姓名|手机号?|电话)*"
    r"(?:订单编?号|手机号|手机|电话|联系方式|身份证|地址|姓名|真名|房号|房间号|微信|银行卡|卡号)"
)
_ASKS_BEFORE = re.compile(
    r"(?:订单编?号|手机号码?|电话号?码?|联系方式|身份证号?|地址|姓名|房号|房间号|微信号?|银行卡号?|卡号)[^，。！？；]{0,8}(?:发|打|告诉|报|留|贴|写|说)(?:一下|下|给我们|给我|我|在这里|这里|在下面|在评论|出来|上来|过来)|(?:订单编?号|手机号码?|电话号?码?|身份证号?|姓名|房号|房间号)(?:码)?(?:是)?(?:多少|几号|哪个|什么)"
)
_ELSEWHERE = re.compile(r"私聊|私信|邀请|单独|不要|别|不用|请勿|不适合|不方便|不必|切勿|勿")

_LONGEST_QUOTE = 30
_CLAUSE_END = "，。！？；,;!?\n"
_DIGITS = dict(zip("一二两三四五六七八九", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_UNITS = {"十": 10, "百": 100, "千": 1000}


def warnings(text: str, situation: Situation) -> list[Warning]:
    """What a member of staff should mind before sending a text.

    Args:
        text: As typed.
        situation: What it is read against.

    Returns:
        At most one warning of a kind, in the order of `KINDS`.
    """
    finders: dict[Kind, Callable[[], Iterator[str]]] = {
        "private": lambda: iter(()) if situation.private else _personal(text),
        "blame": lambda: _by_rules(text, _BLAME),
        "argue": lambda: _by_rules(text, _ARGUE),
        "promise": lambda: _promises(text, situation),
        "apology": lambda: _apologies(text, already=situation.apologised),
        "shout": lambda: _shouts(text),
    }
    found = []
    for kind in KINDS:
        words = next(finders[kind](), None)
        if words is not None:
            found.append(Warning(kind, ADVICE[kind], words))
    return found


def apologises(text: str) -> bool:
    """Whether a text says sorry."""
    return next(_apologies(text, already=True), None) is not None


def _clause(text: str, start: int, end: int) -> str:
    """The clause around a place, with what it ends with."""
    begin = max((text.rfind(mark, 0, start) for mark in _CLAUSE_END), default=-1) + 1
    ends = [place for mark in _CLAUSE_END if (place := text.find(mark, end)) >= 0]
    return text[begin : min(ends) + 1 if ends else len(text)]


def _quoted(text: str, match: re.Match[str]) -> str:
    """The words of a match, read on to the end of their clause."""
    ends = [place for mark in _CLAUSE_END if (place := text.find(mark, match.end())) >= 0]
    return text[match.start() : min(ends, default=len(text))].strip(_CLAUSE_END)[:_LONGEST_QUOTE]


def _by_rules(text: str, rules: tuple[_Rule, ...]) -> Iterator[str]:
    for rule in rules:
        for match in rule.pattern.finditer(text):
            clause = _clause(text, match.start(), match.end())
            if rule.unless is None or not rule.unless.search(clause):
                yield _quoted(text, match)


def _promises(text: str, situation: Situation) -> Iterator[str]:
    """What is promised without being offered: absolutes, sums, shares, multiples, everything."""
    yield from _by_rules(text, _ABSOLUTE)
    for match in _TIMES.finditer(text):
        if not situation.times and _given(text, match):
            yield match[0]
    for match in _WHOLE.finditer(text):
        if not situation.whole and not _NOT_GIVEN.search(_clause(text, *match.span())):
            yield match[0]
    for match in _SUM.finditer(text):
        if _fen(match) > situation.most_fen and _given(text, match):
            yield match[0]
    for match in _SHARE.finditer(text):
        bp = _basis_points(match)
        if bp > situation.most_bp and _given(text, match):
            yield match[0]


def _given(text: str, match: re.Match[str]) -> bool:
    clause = _clause(text, *match.span())
    return _GIVING.search(clause) is not None and not _NOT_GIVEN.search(clause)


def _fen(match: re.Match[str]) -> int:
    """The sum of a match, in fen; no float on the way."""
    number = match["a"] or match["b"]
    if not number:
        return 100 * _counted(match["c"])
    whole, _, rest = number.replace(",", "").partition(".")
    return 100 * int(whole) + int((rest + "00")[:2])


def _basis_points(match: re.Match[str]) -> int:
    if match["h"]:
        return 5000
    if not match["p"]:
        return 100 * _counted(match["c"])
    whole, _, rest = match["p"].partition(".")
    return 100 * int(whole) + int((rest + "00")[:2])


def _counted(numeral: str) -> int:
    """A Chinese numeral, up to some ten thousands."""
    total = part = digit = 0
    for char in numeral:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char == "万":
            total, part, digit = (total + part + digit) * 10_000, 0, 0
        else:
            part, digit = part + (digit or 1) * _UNITS[char], 0
    return total + part + digit


def _apologies(text: str, *, already: bool) -> Iterator[str]:
    said = [
        match[0]
        for match in _SORRY.finditer(text)
        if not _NO_SORRY.search(_clause(text, *match.span()))
    ]
    if already or len(said) > 1:
        yield from said[-1:]


def _personal(text: str) -> Iterator[str]:
    """What nobody else should read in a room, and questions that would bring it there."""
    masked = mask(text)
    if masked.found:
        yield masked.hidden[0]
    for pattern in (_ASKS, _ASKS_BEFORE):
        for match in pattern.finditer(text):
            if not _ELSEWHERE.search(text):
                yield match[0]


def _shouts(text: str) -> Iterator[str]:
    for match in _SHOUTS.finditer(text):
        yield match[0]
    if len(_EXCLAIMED.findall(text)) >= _EXCLAMATIONS:
        yield "！"
