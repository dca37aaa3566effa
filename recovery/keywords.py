"""The customer's own words for a matter that the bot cannot place, where quoting them is safe.

The quote stands in 您说的“…”这件事 and the whole room may read it. So it must name a thing and what
is wrong with it, as a plain statement: no question, no wish, no threat, no verdict, nobody's name.
Where the post holds no such statement, the subject alone is quoted; where it has no subject
either, nothing is. A missing quote costs little, a wrong one mocks the customer.
"""

import re
from collections import Counter
from collections.abc import Iterator

from recovery.privacy import mask

# What can fail, in any trade. None of them says anything about a person.
_THING = (
    r"(?:宽带|光纤|光猫|路由器|机顶盒|无线网络?|网络|[Ww][Ii]-?[Ff][Ii]|[2-5][Gg](?:网络|信号|网)?|网速|信号|"
    r"流量|话费|月租|套餐|漫游|热点|座机|固话|彩铃|号码|[Ss][Ii][Mm]卡|手机卡|电话卡|充值卡|短信|验证码|"
    r"手机|电视|电脑|平板|空调|冰箱|洗衣机|热水器|电梯|门锁|门卡|房卡|音箱|打印机|手表|充电器|充电宝|数据线|"
    r"屏幕|触屏|电池|电量|耳机|听筒|喇叭|摄像头|相机|按键|键盘|主板|指纹|蓝牙|声音|画面|闹钟|"
    r"系统|软件|程序|客户端|[Aa][Pp][Pp]|网页|网站|官网|页面|输入法|浏览器|视频|图片|照片|相册|歌曲|文件|"
    r"账号|帐号|账户|帐户|密码|会员|积分|优惠券|余额|红包|"
    r"押金|定金|订金|保证金|退款|货款|费用|账单|帐单|发票|合同|订单|充值|提现|转账|"
    r"航班|机票|车票|火车票|行李|座位|快递|包裹|外卖|货物|商品|赠品|奖品|礼品|"
    r"客服电话|人工客服|人工服务|人工台|热线|电话|安装|维修|售后|上门)"
)
# Things that are a matter by themselves: these may be quoted alone.
_SUBJECT = re.compile(
    r"宽带|光纤|网络|网速|信号|流量|话费|套餐|漫游|短信|验证码|会员|积分|余额|押金|定金|订金|保证金|退款|"
    r"账单|帐单|发票|合同|订单|充值|提现|航班|机票|行李|快递|包裹|外卖|赠品|奖品|安装|维修|售后"
)
_ABILITY = (
    r"(?:[上连打收充用看听发接登开关删刷退取查装搜换拨传读放点按找买联修]|登录|注册|下载|更新|升级|安装|支付|"
    r"使用|启动|加载|联系|兑换|取消|提现|播放)不(?:了|上|到|开|出来?|进去?|动|通|成|掉)"
)
_LACK = (
    r"(?:没有?|无|未|不)(?:信号|网络|网|声音|反应|显示|到账|收到|送到|到货|发货|处理|回复|解决|恢复|退还?|开通|"
    r"动静|提示|通知|人接|人来|人管|人处理|人回复?|好|响|亮|稳定|稳|准|灵敏|灵|通|兼容|匹配|相符|符|一致|生效|成功)"
)
_TROUBLE = (
    rf"(?:{_ABILITY}(?:网|电话|短信|电|机|钱|去|来)?|{_LACK}|断网|断线|掉线|断开|断断续续|断流|中断|一断|"
    r"(?:老|总|常|又|就|一直|自动|自己)断|死机|卡死|卡顿|卡住|[很太好就老总又巨]卡|[黑花白闪绿蓝]屏|闪退|崩溃|(?:自动|自己|无限|反复|一直|老是|总是|不断)重启|"
    r"失灵|失效|失败|出错|报错|错误|乱码|乱跳|乱点|发烫|漏水|漏电|裂了|碎了|坏了|坏掉|烧了|故障|异常|瘫痪|"
    r"(?:乱|多|重复|莫名|莫名其妙|被)扣(?:费|钱|款|话费|流量|了)|乱收费|多收(?:费|钱|了)|重复收费|"
    r"发错|送错|扣错|算错|弄丢|丢失|丢了|不见了|消失|没了|"
    r"延误|晚点|被取消|停机(?!保号)|停网|超时|迟迟不?[到来发退]?|"
    r"(?:[很太好这]|越来越)[慢差弱]|(?:还|一直)没(?:到(?!期)|[来好修装退发开])|都没有|打不通|没人接|没人管)"
)
# Adverbs that may stand before the trouble where no thing does.
_OFTEN = r"(?:一直|总是|老是|经常|天天|又|三天两头|还是|突然|完全|根本|再也)"
_STATEMENT = re.compile(
    rf"{_THING}[^的得]{{0,6}}?{_TROUBLE}|{_OFTEN}*{_TROUBLE}{_THING}|{_OFTEN}+{_TROUBLE}"
)

# Said of somebody, to somebody, or not said as a fact.
_NO_FACT = re.compile(
    r"[你您我他她它咱俺谁哪啥何吗么呢]|什么|怎|为|多少|几[点时天个]|说|称|告知|告诉|表示|问|请|求|叫|让|希望|建议|想|"
    r"如果|要是|假如|万一|除非|不然|否则|难道|是否|是不是|能不能|会不会|可不可|有没有|应该|可以|可能|会|要|别|"
    r"不是|并非|没问题|但|而|却|虽|因|所以|于是|然后|终于|以为|担心|怕|已经?解决|修好|恢复(?:了|正常)|投诉|报警|"
    r"申报|报修|排查|肯定|估计|恐怕|并且|而且"
)
# Before a statement these take it back: a condition, a wish, a denial, a report.
_TAKEN_BACK = re.compile(
    r"如果|要是|假如|万一|除非|不然|否则|难道|希望|建议|能不能|是不是|会不会|有没有|是否|不是|并非|不要|别|没说|"
    r"以为|担心|怕|避免|防止|终于|再不|再敢|不会|[说称]"
)
_UNSAFE = re.compile(
    r"[@#\[\]［］<>{}/\\]|https?|www|妈|爸|爹|娘|操|草|艹|滚|傻|狗|猪|屎|屁|垃圾|骗|坑|死(?!机)|贱|脑残|特么|尼玛|"
    r"[Tt][Mm][Dd]?|[Ss][Bb]|逼|流氓|无赖|混蛋|王八|缺德|黑心|恶心|强盗|偷|盗|抢|霸|曝光|法院|律师|警|\d{4,}",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\u4e00-\u9fffA-Za-z0-9+%.\-]+")
# A link, an account, a topic, an emoji of Weibo and what was masked are no words of the sentence.
_ASIDE = re.compile(r"https?://[!-~]+|[@＠]\S+|#[^#\s]{1,40}#|\[[^\]]*\]|［[^］]*］")
_CLAUSE = re.compile(r"([^\s,，.。!！?？;；:：、~～…\"'“”‘’()（）【】《》—]+)([^\w]*)")
_WHY = re.compile(r"为什么|为何|为啥|为毛|怎么|咋")
# What may follow the trouble in the quote: how often, how long.
_REST = re.compile(
    r"了?(?:好几|[一二两三四五六七八九十几\d]+)(?:次|遍|回|天|周|个月|个小时|个星期|年)了?|[很好]久了?|半天了?|[了过]"
)
_LONGEST = 14
_SHORTEST = 4


def safe_keywords(text: str) -> str | None:
    """Pick the customer's words that name the trouble.

    Args:
        text: The customer's message.

    Returns:
        Four to fourteen characters of the message itself that state what is wrong with what,
        else its subject of two to four; without insults, names, questions, numbers of four
        digits or more, mentions and personal data. None where there is nothing of the kind.
    """
    clauses = list(_clauses(_ASIDE.sub(" ", mask(text).text)))
    for clause, asked in clauses:
        words = _statement(clause, asked)
        if words:
            return words
    subjects = Counter(
        word
        for clause, _ in clauses
        if not _TAKEN_BACK.search(clause)
        for word in _SUBJECT.findall(clause)
    )
    return max(subjects, key=subjects.__getitem__, default=None)


def _clauses(text: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a text, each with whether a question mark follows it."""
    for match in _CLAUSE.finditer(text):
        yield match[1], "?" in match[2] or "？" in match[2]


def _statement(clause: str, asked: bool) -> str | None:
    for match in _STATEMENT.finditer(clause):
        before, rest = clause[: match.start()], clause[match.end() :]
        # "Why is it ...?" takes the trouble for granted, any other question does not state it.
        if _TAKEN_BACK.search(before) or (asked and not _WHY.search(before)):
            continue
        more = _REST.match(rest)
        words = match.group() + (more.group() if more else "")
        rest = rest[more.end() :] if more else rest
        if (
            not rest.startswith("的")
            and _SHORTEST <= len(words) <= _LONGEST
            and _PLAIN.fullmatch(words)
            and not _NO_FACT.search(words)
            and not _UNSAFE.search(words)
        ):
            return words
    return None
