"""One spelling for what people type in many ways.

Two steps. `unify` folds forms of characters and disguises of words, and loses nothing that shows
feeling. `mask` then takes out what differs between messages without meaning.
"""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

# People write at length; how they feel shows at the beginning and at the end.
MAX_HEAD = 400
MAX_TAIL = 200

HOTLINES = frozenset(
    "110 119 120 122 315 12300 12301 12305 12309 12315 12318 12320 12321 12331 12333 12345 12348 "
    "12356 12358 12363 12365 12369 12377 12378 12381 12386 12388".split()
)
"""Numbers that mean an authority or an emergency; they keep their digits."""

SAME_WORD = {
    "垃圾": "辣鸡|辣机|拉圾|垃级|乐色|垃 圾|lj(?![a-z])",
    "傻逼": "沙雕|煞笔|傻[bx叉比笔币](?![a-z])|莎比|沙比|(?<![a-z])sb(?![a-z])|s\\*b|傻\\*",
    "他妈": "(?<![a-z])tmd|(?<![a-z])tnnd|他喵|他[吗嘛马]的|特么|特码|踏马|他娘|"
    "tm的|(?<![a-z])tm(?![a-z])",
    "你妈": "nmsl|(?<![a-z])cnm|草泥马|尼玛|泥马|你[吗马]的|尼马|(?<![a-z])nmb",
    "卧槽": "我擦|握草|我[艹草肏](?!莓|坪|地|图)|(?<![a-z])wc(?![a-z])|wtf|我去年买了个表",
    "操": "艹|肏|fuck\\w*",
    "坑爹": "坑die|坑跌|坑爷",
    "骗子": "骗纸|片子手",
    "怎么": "肿么|咋么|怎麽|怎末|zenme",
    "什么": "神马|什麽|甚么|啥子|shenme",
    "没有": "木有|米有|冇|没得(?!说)",
    "为什么": "为毛|为嘛|为啥子|点解|做咩",
    "是不是": "系咪",
    "这样": "酱紫|酱子|咁样",
    "非常": "灰常|飞常",
    "生气": "森气|嬲",
    "伤心": "桑心|蓝瘦|香菇",
    "知道吗": "造吗|吱道吗",
    "谢谢": "3q|thx|thanks|thank ?you|蟹蟹|多谢晒|唔该|谢啦",
    "滚": "滚粗|(?<![a-z])gun(?![a-z])",
    "无语": "5语|无鱼",
    "呵呵": "荷荷|hehe|呵呵哒",
    "客服": "克服人员|kefu",
    "投诉": "头诉|tousu",
}
"""Homophones, initials and dialect for words that carry feeling, by the word they stand for."""

KAOMOJI = {
    "[怒]": r"\(?╯.{0,6}[□°﹏口].{0,6}\)?╯.{0,3}┻━┻|\(#.{0,4}\)凸?|\(▼.{0,4}▼|\(╬.{0,4}\)|凸\(?",
    "[泪]": r"t[_.^o]t|q[a_.]q|\(;.{0,4};\)|\(╥.{0,4}╥\)|\(ㄒ.{0,3}ㄒ\)|>_<|\(>﹏<\)|〒.?〒",
    "[白眼]": r"[-=]_[-=]\|*|→_→|←_←|╮\(.{0,6}\)╭|=\.=|¬_¬|\(￣.{0,4}￣\)|\|{3,}",
    "[哈哈]": r"\^[_o.]?\^|\(\*?\^.{0,3}\^\*?\)|\(≧.{0,4}≦\)|:-?\)|:-?d(?![a-z])|"
    r"\(๑.{0,6}๑\)|o\(∩.?∩\)o",
}
"""Faces made of signs, by the emoji of Weibo that they stand for."""

# Words that people hide from word filters by signs or spaces between the characters.
_DISGUISED = (
    "垃圾 骗子 骗人 骗钱 傻逼 流氓 无耻 无赖 混蛋 王八 黑店 黑心 奸商 投诉 举报 曝光 退款 维权 "
    "恶心 坑人 坑爹 忽悠 敷衍 缺德 贱人 滚蛋 去死 媒体 起诉 律师 工商 消协"
).split()
_BETWEEN = r"[\s.·•*_\-~/|,，、。…]{1,3}"
_DISGUISE = re.compile("|".join(_BETWEEN.join(map(re.escape, word)) for word in _DISGUISED))
_NO_WORD = re.compile(r"[^\w]|_")
# A run of single characters with a space after each: 什 么 服 务.
_SPACED_OUT = re.compile(r"(?<![^\s])(?:[\u4e00-\u9fff]\s){2,}[\u4e00-\u9fff](?![^\s!?,。])")
_SAME = [(re.compile(pattern), word) for word, pattern in SAME_WORD.items()]
_FACES = [(re.compile(pattern), face) for face, pattern in KAOMOJI.items()]

_NUMBER = re.compile(r"\d+")
_URL = re.compile(r"https?://[!-~]+|www\.[!-~]+")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[a-z][\w.]*")
_ACCOUNT = re.compile(r"@[^\s@,.:;!?。、:()\[\]\"'“”‘’#]{1,24}")
_AUTHORITY = re.compile(
    r"315|3\.15|工商|消[协委保费]|网警|警|公安|cctv|央视|电视台|[日晚早时都]报|新闻|记者|媒体|法院|检察|纪委|局|部$|"
    r"工信|维权|投诉|举报|信访|市长|政务|发布|管理"
)
_PLACE = re.compile(r"\s*我在(?:这里)?:\S.{0,20}$|\s[\u4e00-\u9fff]{2,8}[·•][^\s]{1,10}$")
_ACCOUNTS = re.compile(r"(?:@某\s*){2,}")
# A polite opening tells nothing of what follows it, nor does the full stop at the end.
_OPENING = re.compile(
    r"^(?:@某\s*)?(?:你好|您好|早上好|下午好|晚上好|hi|hello|哈喽|亲)[,!~。. ]{1,3}(?=.{4})"
)
_AT_THE_ENDS = re.compile(r"^(?:(?:@某|url)\s*)+(?=.)|(?:\s*(?:@某|url))+$")
_REPEATS = re.compile(r"(.)\1{3,}", re.DOTALL)
_SPACE = re.compile(r"\s+")


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


def unify(text: str) -> str:
    """Unify the forms of characters and the disguises of words; nothing is masked yet.

    Args:
        text: Any text.

    Returns:
        The text in NFKC (half-width marks), lower case and simplified characters, invisible and
        control characters removed, white space as single spaces, disguised and misspelt words
        that carry feeling in their usual spelling, faces of signs as Weibo's emoji.
    """
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(
        " " if character.isspace() else character
        for character in folded
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    one = _simplifier().convert(_SPACE.sub(" ", visible).strip()).lower()
    one = _SPACED_OUT.sub(lambda match: match[0].replace(" ", ""), one)
    one = _DISGUISE.sub(lambda match: _NO_WORD.sub("", match[0]), one)
    for pattern, face in _FACES:
        one = pattern.sub(face, one)
    for pattern, word in _SAME:
        one = pattern.sub(word, one)
    return one.strip()


def mask(text: str) -> str:
    """Take out of a unified text what differs between messages without meaning.

    Args:
        text: As `unify` gives it.

    Returns:
        The text with digits as 0 (at most three; hotlines such as 12315 stay), accounts as `@某`
        or, where they name an authority, `@官`, links and mail addresses as one word, accounts
        and links at its ends, a greeting before it, the full stop behind it and the place a post
        was sent from left out, repeats of a character ended at three, and the middle of a long
        text left out.
    """
    short = _URL.sub(" url ", text)
    short = _EMAIL.sub(" email ", short)
    short = _ACCOUNT.sub(lambda match: " @官 " if _AUTHORITY.search(match[0]) else " @某 ", short)
    short = _PLACE.sub("", short)
    short = _ACCOUNTS.sub("@某 ", _SPACE.sub(" ", short).strip())
    short = _OPENING.sub("", _AT_THE_ENDS.sub("", short)).replace("您", "你")
    short = _NUMBER.sub(_mask_number, short)
    short = _SPACE.sub(" ", _REPEATS.sub(r"\1\1\1", short)).strip()
    short = short[:-1] if short[-1:] == "。" and short[-2:] != "。。" and len(short) > 1 else short
    if len(short) > MAX_HEAD + MAX_TAIL:
        short = f"{short[:MAX_HEAD]} {short[-MAX_TAIL:]}"
    return short


def _mask_number(match: re.Match[str]) -> str:
    number = match[0]
    # The digits of other scripts that NFKC leaves are masked as well.
    return number if number in HOTLINES else "0" * min(len(number), 3)
