"""The customer's own words for a matter that the bot cannot place, where quoting them is safe."""

import re

from recovery.privacy import mask

_TROUBLE = re.compile(
    r"不[了到能上出行见通来给让会准稳显]|没[有人法来到收给发]|无法|未|坏|断|慢|掉线|卡|扣|停|错|丢|退|漏|死机|"
    r"故障|失败|异常|失灵|闪退|重启|延误|取消|涨价|乱|差|黑屏|欠费|投诉|维修|修|拖|等了|问题|收费|信号"
)
_UNSAFE = re.compile(
    r"[@#\[\]［］<>{}/\\]|https?|www|你|您|妈|爸|爹|娘|操|草|滚|傻|狗|猪|屎|屁|垃圾|骗|坑|死|贱|脑残|他么|tmd|nmsl|"
    r"流氓|无赖|混蛋|王八|缺德|黑心|恶心|强盗|小偷|抢|告你|曝光|法院|律师|警|\d{4,}",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"[\s,，.。!！?？;；:：、~～…\"'“”‘’()（）【】《》—]+")
_LEAD = re.compile(
    r"^(?:就是|而且|但是|可是|然后|结果|现在|今天|昨天|我的|我家|我|为什么|为何|为啥|怎么|请问|还|又|都|也|说|居然|竟然|"
    r"一直|老是|总是|因为|所以|导致)+(?=.{4,})"
)
_TAIL = re.compile(r"(?:了|啊|呀|吧|呢|吗|嘛|啦|哦|的)+$")
_LONGEST = 12
_SHORTEST = 4


def safe_keywords(text: str) -> str | None:
    """Pick the short clause that best names the trouble.

    Args:
        text: The customer's message.

    Returns:
        Four to twelve characters of the message itself, without insults, names, numbers of four
        digits or more, mentions and personal data; None where there is no such clause.
    """
    masked = mask(text)
    body = re.sub(r"@\S+|#[^#]*#|\[[^\]]*\]|https?://\S+", " ", masked.text)
    best: tuple[int, int, str] | None = None
    for place, clause in enumerate(_SPLIT.split(body)):
        words = _TAIL.sub("", _LEAD.sub("", clause.strip()))
        if not _SHORTEST <= len(words) <= _LONGEST or _UNSAFE.search(words):
            continue
        if not re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9+%.\-]+", words):
            continue
        hits = len(_TROUBLE.findall(words))
        if hits and (best is None or (hits, -place) > best[:2]):
            best = (hits, -place, words)
    return best[2] if best else None
