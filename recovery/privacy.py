"""Masking of personal data in public text.

Deterministic and of the standard library only: a post is held until it is masked, also when
Rasa is away, and both environments use this module. A match is replaced as a whole; showing
the last digits of a phone number in public would give away half of the proof of an order.
"""

import re
import unicodedata
from dataclasses import dataclass, field

_NUMERALS = dict(
    zip("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两", "0012345678911234567892", strict=True)
)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
# What turns a digit into a keycap: 1\ufe0f\u20e3.
_KEYCAP = "\ufe0f\u20e3"
_GAP = rf"[\s\-_.·•,，、*~～—/|()\[\]【】{_KEYCAP}{_INVISIBLE}]{{0,4}}"
_END = f"[{_KEYCAP}]{{0,2}}"


def _spaced(digits: int) -> str:
    return rf"\d(?:{_GAP}\d){{{digits - 1}}}"


_DATE = r"(?:19|20)\d\d[\-/.](?:0?[1-9]|1[0-2])[\-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
_PHONE = rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9]{_GAP}{_spaced(9)}{_END}(?!\d)"
_LANDLINE = rf"(?<!\d)0\d{{2,3}}{_GAP}[2-9](?:{_GAP}\d){{6,7}}(?!\d)"
_IDENTITY = rf"(?<!\d)(?!{_DATE})[1-9]{_GAP}{_spaced(16)}{_GAP}[\dXx](?![\dA-Za-z]){_END}"
_CARD = rf"(?<!\d)(?!{_DATE}){_spaced(16)}(?:{_GAP}\d){{0,3}}{_END}(?!\d)"
# The end of a phone number is half of the proof of an order.
_TAIL = (
    r"(?:尾号|尾数|(?:[后末]面?|末尾|最后)\s?[4四]\s?[位个](?:数字?|号码)?)"
    r"\s{0,3}(?:是|为|就是|应该是|[:：=])?\s{0,3}"
    rf"(?P<v>(?:{_spaced(4)}{_END}(?!\d)|\d{{3,8}}(?!\d)|{_spaced(4)}))"
)
_ENDING = rf"(?<!\d)(?P<v>{_spaced(4)}{_END})\s?(?:结尾|收尾)"
_EMAIL = r"[A-Za-z0-9._%+\-]{1,64}\s?@\s?[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}"
# A code may be written in groups; a number with a unit behind the gap is none of them.
_BREAK = rf"[\s\-_.·{_KEYCAP}{_INVISIBLE}]"
_UNITS = "天|小时|分|秒|点|年|月|日|号|周|星期|晚|次|个|块|元|毛|件|箱|瓶|双|套|单|人|间|位|楼|层"
_NEXT = rf"\d|{_BREAK}{{1,2}}(?!\d{{1,4}}\s?(?:{_UNITS}))\d"
_ORDER = (
    r"(?:订单编?号?|单号|快递单?号?|运单号?|物流单?号?|预订号|确认号|工单号?|流水号|编号)"
    r"\s{0,3}(?:是|为|[:：#])?\s{0,3}"
    rf"(?P<v>[A-Za-z]{{0,4}}{_BREAK}{{0,2}}\d(?:{_NEXT}){{4,31}}[A-Za-z0-9\-]{{0,12}}"
    r"|[A-Za-z]{0,4}[\-\s]?\d[A-Za-z0-9\-]{4,31})"
)
_CODE = (
    rf"(?<![A-Za-z0-9])(?P<v>[A-Za-z]{{1,4}}{_BREAK}{{0,2}}(?!{_DATE})"
    rf"\d(?:{_NEXT}){{6,23}})(?![A-Za-z0-9])"
)
_DIGITS = r"(?<![\d.A-Za-z])(?P<v>\d{9,32})(?!\d|\.\d)"
_ACCOUNT = (
    r"(?:微信|威信|vx|wx|wechat|qq|QQ|扣扣|账号|帐号|账户|帐户|会员号|卡号|用户名)"
    r"(?:号码?)?\s{0,3}(?:是|为|[:：])?\s{0,3}(?P<v>[A-Za-z0-9][A-Za-z0-9_\-@.]{4,31})"
)
_NAME = (
    r"(?:我叫|我的名字叫|姓名|联系人|收货人|收件人|入住人|户主|本名)\s{0,3}(?:是|为|叫|[:：])?\s{0,3}"
    r"(?P<v>[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛"
    r"奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元"
    r"卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾"
    r"路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪"
    r"包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓"
    r"蓬全郗班仰秋仲伊宫宁仇栾暴甘斜厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓"
    r"蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏"
    r"柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍"
    r"聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公肖][\u4e00-\u9fff]{1,2})"
    r"(?=[\s,，。.;；、:：!！?？()（）\d]|$|电话|手机|的|住)"
)
_ADDRESS = (
    r"(?P<v>[\u4e00-\u9fff]{0,10}[\u4e00-\u9fff]{2,8}(?:路|街|大道|巷|弄|胡同)\s?\d{1,5}\s?(?:号|弄)"
    r"(?:\s?[\u4e00-\u9fffA-Za-z0-9]{0,12}?\d{1,4}\s?(?:号楼|栋|幢|座|单元|楼|层|室|户|号)?)*"
    r"|[\u4e00-\u9fff]{2,12}(?:小区|花园|公寓|家园|苑|新村|社区)\s?\d{1,4}\s?(?:号楼|栋|幢|座)"
    r"(?:\s?[\u4e00-\u9fffA-Za-z0-9]{0,6}?\d{1,4}\s?(?:单元|楼|层|室|户|号)?)*)"
)
# Where a guest sleeps is nobody else's business.
_NUMERAL = "零〇一二三四五六七八九幺"
_ROOM_NUMBER = (
    r"(?:[A-Za-z]?\d{3,5}[A-Za-z]?(?![\dA-Za-z]|\.\d)"
    rf"|[{_NUMERAL}]{{3,4}}(?![十百千万直个次天样点下晚会共定些]))"
)
_ROOM_NUMBERS = rf"{_ROOM_NUMBER}(?:\s?[、,，和及跟/]\s?{_ROOM_NUMBER}){{0,3}}"
_ROOM_BEFORE = (
    rf"(?<![\d.A-Za-z{_NUMERAL}])(?P<v>{_ROOM_NUMBERS})\s?(?:号?(?:客房|房间?|室)|号包[房间])"
    r"(?![费价租款钱贷型产东晚])"
)
_ROOM_AFTER = (
    r"(?:房间号?码?|客房号?码?|房号码?)\s?(?:是|为|在|[:：#])?\s?"
    rf"(?P<v>{_ROOM_NUMBERS})(?!\s?(?:{_UNITS}|多|来|左右|平|以|起|一晚|每|度|瓦|/))"
)

# The order matters: the longer and surer patterns first.
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("邮箱", _EMAIL),
        ("证件号", _IDENTITY),
        ("卡号", _CARD),
        ("手机号", _PHONE),
        ("电话", _LANDLINE),
        ("订单号", _ORDER),
        ("账号", _ACCOUNT),
        ("订单号", _CODE),
        ("号码", _DIGITS),
        ("姓名", _NAME),
        ("地址", _ADDRESS),
        ("尾号", _TAIL),
        ("尾号", _ENDING),
        ("房号", _ROOM_BEFORE),
        ("房号", _ROOM_AFTER),
    )
)
_LONGEST_PLACE = 120
_ROOTS = frozenset({"证件号", "手机号", "卡号", "尾号"})


@dataclass(frozen=True)
class Masked:
    """A text without personal data.

    Attributes:
        text: What everybody may read.
        found: The kinds of data that were hidden, in order of first appearance, each once.
        hidden: What was hidden, in order; for who wrote it, never for a log.
    """

    text: str
    found: tuple[str, ...]
    hidden: tuple[str, ...] = field(default=(), repr=False)


def _fold(text: str) -> str:
    """Fold widths one character to one, so that positions stay those of the original."""
    return "".join(_narrow(char) for char in text)


def _narrow(char: str) -> str:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        # Also those in circles and brackets, which NFKC writes with more than one character.
        return str(digit)
    narrow = unicodedata.normalize("NFKC", char)
    return narrow if len(narrow) == 1 else char


def _with_numerals(folded: str) -> str:
    return "".join(_NUMERALS.get(char, char) for char in folded)


def mask(text: str) -> Masked:
    """Hide what is personal: numbers, mail, accounts, names and addresses.

    Numbers are those of phones, identities, cards, orders and rooms. They are found in full
    width, with gaps between the digits, and, but for orders, in Chinese numerals.

    Args:
        text: Any text.

    Returns:
        The text with each match replaced by its kind in ［］, and the kinds found.
    """
    pieces, last = [], 0
    places = _places(text)
    for start, end, kind, _ in places:
        pieces += [text[last:start], f"［{kind}］"]
        last = end
    pieces.append(text[last:])
    kinds = tuple(dict.fromkeys(kind for _, _, kind, _ in places))
    return Masked("".join(pieces), kinds, tuple(text[start:end] for start, end, *_ in places))


def beginning(text: str, most: int) -> str:
    """The beginning of a text, never ending within what `mask` would hide.

    Half of a number is not recognised as one, and would be shown to those who must not see it.

    Args:
        text: Any text.
        most: Characters at most.
    """
    if len(text) <= most:
        return text
    # Nothing that is hidden is longer than what is looked at behind the end.
    places = _places(text[: most + _LONGEST_PLACE])
    end = next((start for start, _, _, reach in places if start < most < reach), most)
    if end == most and _is_sign(text[most - 1]) and _is_sign(text[most]):
        # A number or code that no rule knows is not shown in part either.
        while end and _is_sign(text[end - 1]):
            end -= 1
    return text[:end]


def _is_sign(char: str) -> bool:
    return _narrow(char).isascii() and _narrow(char).isalnum()


def _places(text: str) -> list[tuple[int, int, str, int]]:
    """Where something personal begins and ends, of which kind it is, and how far it is known by.

    In order. A number of four digits is one of a room by what stands behind it.
    """
    folded = _fold(text)
    numeric = _with_numerals(folded)
    taken: list[tuple[int, int, str, int]] = []
    free = bytearray(b"\1") * len(text)
    for kind, pattern in _RULES:
        # As written first: in “13812345678一直没人接” the numeral is none of the number.
        for source in (folded, numeric) if kind in _ROOTS else (folded,):
            for match in pattern.finditer(source):
                start, end = match.span("v") if "v" in pattern.groupindex else match.span()
                if all(free[start:end]):
                    taken.append((start, end, kind, match.end()))
                    free[start:end] = bytes(end - start)
    return sorted(taken)
