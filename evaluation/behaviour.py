"""Behaviour in the manner of CheckList (Ribeiro et al. 2020): what must hold whatever the words.

Minimum functionality: plain messages that nobody may get wrong. Invariance: changes that must not
change the level. Direction: additions that must not lower it, or must not raise it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from opencc import OpenCC

from evaluation.figures import Heard

_THINGS = ("房间", "快递", "宽带", "电梯", "菜", "手机", "退款", "导游", "订单", "会员")
_PEOPLE = ("王芳", "李建国", "陈小雨")
_TRADITIONAL = OpenCC("s2t")


@dataclass(frozen=True)
class Kind:
    """One behaviour.

    Attributes:
        name: What must hold.
        failures: How many of the cases fail.
        cases: How many there are.
    """

    name: str
    failures: int
    cases: int


@dataclass(frozen=True)
class _Minimum:
    name: str
    patterns: Sequence[str]
    holds: Callable[[Heard], bool]

    def cases(self) -> list[str]:
        return [
            pattern.format(thing)
            for pattern in self.patterns
            for thing in (_THINGS if "{}" in pattern else _THINGS[:1])
        ]


def _at_least(level: int) -> Callable[[Heard], bool]:
    return lambda heard: heard.anger >= level


def _at_most(level: int) -> Callable[[Heard], bool]:
    return lambda heard: heard.anger <= level


def _flag(name: str) -> Callable[[Heard], bool]:
    return lambda heard: name in heard.flags


def _no_flag(name: str) -> Callable[[Heard], bool]:
    return lambda heard: name not in heard.flags


MINIMUM = (
    _Minimum("a greeting is calm", ("你好", "在吗", "您好，请问有人吗", "早上好"), _at_most(0)),
    _Minimum("thanks are calm", ("谢谢", "非常感谢", "好的，谢谢", "辛苦了"), _at_most(0)),
    _Minimum("praise is calm", ("{}很好，很满意", "{}不错，点赞", "{}太棒了，谢谢"), _at_most(0)),
    _Minimum(
        "a question is calm", ("请问{}怎么办理", "想咨询一下{}的事", "{}在哪里看"), _at_most(0)
    ),
    _Minimum(
        "bare facts are calm", ("订单号SX20260318", "1208", "昨天下午", "已私信"), _at_most(0)
    ),
    _Minimum("disappointment is a grievance", ("{}太让人失望了", "对{}很失望"), _at_least(1)),
    _Minimum("a verdict is anger", ("{}太差劲了，什么破服务！！", "{}就是坑人的！"), _at_least(2)),
    _Minimum("abuse is anger", ("垃圾{}，骗子公司！", "你们这群骗子，滚！"), _at_least(2)),
    _Minimum("a threat is fury", ("{}再不解决我就起诉曝光你们这帮骗子！！！",), _at_least(3)),
    _Minimum(
        "hidden abuse is heard",
        ("辣鸡{}！！", "垃 圾{}！！", "你们{}的人都是沙雕！！"),
        _at_least(2),
    ),
    _Minimum("angry faces are heard", ("{}又坏了😡😡😡", "{}到底修不修[怒][怒]"), _at_least(1)),
    _Minimum(
        "calm reports are not fury", ("{}有点问题，麻烦看一下", "{}坏了，请帮忙处理"), _at_most(1)
    ),
    _Minimum("said not to be angry", ("我不生气，就是问一下{}", "没事，{}不急"), _at_most(1)),
    _Minimum("a complaint is one", ("{}坏了没人管", "{}三天了还没处理"), _flag("complaint")),
    _Minimum("thanks are no complaint", ("谢谢，{}已经好了", "好的谢谢"), _no_flag("complaint")),
    _Minimum(
        "a question is no complaint", ("请问{}几点可以办理", "{}怎么收费"), _no_flag("complaint")
    ),
    _Minimum(
        "an authority is escalation",
        ("{}不处理我就打12315投诉", "我找律师起诉你们"),
        _flag("escalation"),
    ),
    _Minimum("a person is asked for", ("转人工", "我要人工客服", "叫你们经理来"), _flag("human")),
    _Minimum(
        "a number is private",
        ("我电话13800001111", "我的身份证号110101199001011234"),
        _flag("private"),
    ),
    _Minimum(
        "injury is danger",
        ("我被烫伤了", "孩子摔伤流血了", "吃完上吐下泻进医院了"),
        _flag("safety"),
    ),
    _Minimum("solved is closure", ("已经解决了，谢谢", "好了，没问题了"), _flag("closure")),
)

INVARIANT: dict[str, Callable[[str], str]] = {
    "a greeting before": lambda text: f"你好，{text}",
    "another greeting before": lambda text: f"您好 {text}",
    "an account before": lambda text: f"@某某客服 {text}",
    "an account behind": lambda text: f"{text} @某某官博",
    "a link behind": lambda text: f"{text} http://t.cn/RabcDe",
    "other digits": lambda text: (
        re.sub(r"\d", lambda one: str((int(one[0]) + 3) % 10), text)
        if not re.search(r"1[12]\d|315|123", text)
        else text
    ),
    "full-width signs": lambda text: text.replace(",", "，").replace("!", "！").replace("?", "？"),
    "half-width signs": lambda text: text.replace("，", ",").replace("！", "!").replace("？", "?"),
    "traditional characters": _TRADITIONAL.convert,
    "space around": lambda text: f"  {text} ",
    "a line end": lambda text: f"{text}\n",
    "invisible characters": lambda text: "\u200b".join((text[:3], text[3:])),
    "您 for 你": lambda text: text.replace("你们", "您们") if "您" not in text else text,
    "capital letters": lambda text: text.upper(),
    "full-width digits": lambda text: text.translate(
        str.maketrans("0123456789", "０１２３４５６７８９")
    ),
    "a name before": lambda text: f"我是{_PEOPLE[len(text) % 3]}，{text}",
    "a full stop behind": lambda text: text if text[-1:] in "。！？!?." else f"{text}。",
    "a place behind": lambda text: f"{text} 我在:文明路",
}
NEVER_LOWERS = {
    "气死我了": "{}气死我了",
    "太差劲了": "{}太差劲了！",
    "骗子公司": "{}骗子公司！",
    "垃圾": "垃圾！{}",
    "什么破服务": "{}什么破服务！！",
    "打12315": "{}再不解决我打12315投诉你们！",
    "marks": "{}！！！",
    "😡": "{}😡😡",
}
NEVER_RAISES = {
    "谢谢，已经解决了": "{}谢谢，已经解决了",
    "没事了": "{}没事了，谢谢",
    "不着急": "{}不着急，慢慢来",
    "辛苦": "{}辛苦你们了，谢谢",
}


def minimum(hear: Callable[[str], Heard]) -> Iterator[Kind]:
    """Try minimum functionality."""
    for one in MINIMUM:
        cases = one.cases()
        failures = sum(not one.holds(hear(text)) for text in cases)
        yield Kind(one.name, failures, len(cases))


def invariance(hear: Callable[[str], Heard], texts: Sequence[str]) -> Iterator[Kind]:
    """Try changes that mean nothing, on these messages."""
    before = [hear(text).anger for text in texts]
    for name, change in INVARIANT.items():
        cases = [(change(text), level) for text, level in zip(texts, before, strict=True)]
        cases = [
            (new, level) for (new, level), text in zip(cases, texts, strict=True) if new != text
        ]
        yield Kind(name, sum(hear(new).anger != level for new, level in cases), len(cases))


def direction(hear: Callable[[str], Heard], texts: Sequence[str]) -> Iterator[Kind]:
    """Try additions that mean more or less anger, on these messages."""
    before = [hear(text).anger for text in texts]
    for added, sign in ((NEVER_LOWERS, 1), (NEVER_RAISES, -1)):
        for name, pattern in added.items():
            failures = sum(
                (hear(pattern.format(_ended(text))).anger - level) * sign < 0
                for text, level in zip(texts, before, strict=True)
            )
            yield Kind(f"{name} never {'lowers' if sign > 0 else 'raises'}", failures, len(texts))


def _ended(text: str) -> str:
    return text if text[-1:] in "。！？!?，,. " else f"{text}，"
