"""What a customer who was asked how it went means: a rating, a refusal; only what is sure.

Whatever is not sure is nothing here, and goes the road of any other message.
"""

import re
import unicodedata

RATE, STOP, OPINION = "rate", "no_ask", "opinion"
"""Acts of an answer, as buttons sign them; the last comes by words alone."""
ACTS = frozenset({RATE, STOP, OPINION})
LOWEST, HIGHEST = 1, 5
TITLES = {1: "1分 很不满意", 2: "2分 不满意", 3: "3分 一般", 4: "4分 满意", 5: "5分 很满意"}
"""Of the buttons. In this order the numbers of a list in WeChat are the ratings themselves."""
STOP_TITLE = "不用再问我"
POOR = 2
"""Up to this rating the case is opened again."""
FAIR = 3

_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_WORDS = {
    "很不满意": 1,
    "非常不满意": 1,
    "十分不满意": 1,
    "不满意": 2,
    "不太满意": 2,
    "一般": 3,
    "一般般": 3,
    "满意": 4,
    "挺满意": 4,
    "比较满意": 4,
    "很满意": 5,
    "非常满意": 5,
    "十分满意": 5,
}
_THANKS = r"(?:谢谢|谢谢您|谢谢你|谢谢你们|多谢|谢了|辛苦了)?"
_RATING = re.compile(
    r"(?:我?(?:给|打|评)(?:你们)?个?)?"
    r"(?:(?P<digit>[1-5])(?:分|颗?星)?|(?P<written>[一二两三四五])(?:分|颗?星))"
    rf"(?:好评)?(?:吧|了|啦)?{_THANKS}"
)
_RATING_TITLE = re.compile(r"(?P<digit>[1-5])分(?P<words>很不满意|不满意|一般|满意|很满意)")
_SATISFIED = re.compile(rf"(?P<words>{'|'.join(_WORDS)})(?:的|了|吧|啦)?{_THANKS}")
_STOP = re.compile(
    r"(?:以后|今后|下次)?(?:请|麻烦)?(?:你们|您|你)?(?:以后|今后)?"
    r"(?:都|就)?(?:不用|不要|不必|不需要|无需|别)(?:再|再来|来)?(?:给我|对我|向我)?"
    r"(?P<what>打?回访|回访电话|问|打分|评价|打扰|发这个|发这些)(?:我)?(?:了|啦)?(?:吧|哈)?"
    rf"{_THANKS}"
)
_ASKS = re.compile(
    r"[?？]|吗|呢$|怎么|怎样|什么时候|为什么|多少|哪里|哪儿|能不能|可不可以|可以.*么"
)


def _plain(text: str) -> str:
    """The words without punctuation, spaces and emoji; digits of any width are the same."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(char for char in folded if char.isalnum())


def read_rating(text: str) -> int | None:
    """The rating that a text gives, 1 to 5; None where it is not just that."""
    if asks(text):
        return None
    plain = _plain(text)
    titled = _RATING_TITLE.fullmatch(plain)
    if titled:
        return int(titled["digit"])
    given = _RATING.fullmatch(plain)
    # `-5`, `4.5`, `1/5` lose their signs above: nothing but a number's own words may be there.
    if given and not re.search(r"\d\s*[^\w\s，。！!,~～]+\s*\d|[-−]\s*\d", text):
        return int(given["digit"]) if given["digit"] else _DIGITS[given["written"]]
    said = _SATISFIED.fullmatch(plain)
    return _WORDS[said["words"]] if said else None


def refuses(text: str, *, asked: bool) -> bool:
    """Whether a text says that the writer does not want to be asked any more, ever.

    Args:
        text: The text.
        asked: It answers our question; else it has to say itself what it is about.
    """
    found = _STOP.fullmatch(_plain(text))
    return found is not None and (asked or "回访" in found["what"])


def asks(text: str) -> bool:
    """Whether a text asks something, and so is no answer to a question of ours."""
    return _ASKS.search(text.strip()) is not None
