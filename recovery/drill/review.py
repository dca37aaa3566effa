"""The review after a practice: what was done, the line it refers to, and how to say it better."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from recovery.drill.standing import CUSTOMER, TRAINEE, Drill, Line
from recovery.failures import matter_words, owned

Verdict = Literal["good", "mixed", "bad"]

# Within so many of the trainee's first lines the customer should feel heard.
_EARLY = 2
_SORRIES_MOST = 2
_MOST_QUOTED = 3

_ENDINGS = {
    "calmed": "顾客消了气，事情有了着落。",
    "walked_out": "顾客不愿再谈，走了。",
    "time": "时间到了，事情还没有谈完。",
    "stopped": "练习由您结束。",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        words: What was found, one Chinese sentence.
        lines: Ids of the lines that it refers to.
        quote: The words meant.
        better: How it can be said; empty where nothing is to be said better.
    """

    id: str
    title: str
    verdict: Verdict
    words: str
    lines: tuple[str, ...] = ()
    quote: str = ""
    better: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**vars(self), "lines": list(self.lines)}


def review(drill: Drill) -> dict[str, Any]:
    """Look back on a practice that is over.

    Args:
        drill: With an outcome, and at least one line of the trainee.

    Returns:
        Plain JSON: `outcome`, `ending`, `checks`, `good` of `of`, `curve`, `first_answer` in
        seconds, `opening`, `peak` and `close` of the anger, `unasked`: what nobody asked for.
    """
    checks = [
        check(drill)
        for check in (
            *(_first_answer, _acknowledged, _apologised, _blamed, _asked_again),
            *(_step, _remedy, _manner),
        )
    ]
    said = [one for one in drill.lines if one["by"] == CUSTOMER]
    outcome = drill.standing.outcome or "stopped"
    return {
        "outcome": outcome,
        "ending": _ENDINGS[outcome],
        "checks": [one.to_wire() for one in checks],
        "good": sum(one.verdict == "good" for one in checks),
        "of": len(checks),
        "curve": [
            {"line": one["id"], "at": one["at"], "level": one["level"], "heat": one["heat"]}
            for one in said
        ],
        "first_answer": _trainee(drill)[0]["waited"],
        "opening": said[0]["level"],
        "peak": max(one["level"] for one in said),
        "close": said[-1]["level"],
        "unasked": [
            {"title": one.title, "line": one.line}
            for place, one in enumerate(drill.scenario.facts)
            if not one.given and place not in drill.standing.told
        ],
    }


def _trainee(drill: Drill) -> list[Line]:
    return [one for one in drill.lines if one["by"] == TRAINEE]


def _marked(drill: Drill, *marks: str) -> Iterator[tuple[int, Line, str]]:
    """The trainee's lines with a mark: place among them, line, words."""
    for place, line in enumerate(_trainee(drill)):
        for one in line["marks"]:
            if one["mark"] in marks:
                yield place, line, str(one["words"])


def _ids(found: list[tuple[int, Line, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line["id"] for _, line, _ in found))


def _quotes(found: list[tuple[int, Line, str]]) -> str:
    return "；".join(dict.fromkeys(words for _, _, words in found[:_MOST_QUOTED]))


def _matter(drill: Drill) -> str:
    return matter_words(drill.scenario.failure, None)


def _first_answer(drill: Drill) -> Check:
    first = _trainee(drill)[0]
    waited, patience = int(first["waited"]), drill.scenario.patience
    verdict: Verdict = (
        "good" if waited <= patience else "mixed" if waited <= 2 * patience else "bad"
    )
    words = f"第一次回答用了{_span(waited)}，这位顾客等得起{_span(patience)}。"
    slow = [one["id"] for one in _trainee(drill)[1:] if one["waited"] > patience]
    if slow:
        words += f"后面还有{len(slow)}次让顾客等久了。"
        verdict = "mixed" if verdict == "good" else verdict
    better = "" if verdict == "good" else "先回一句“看到了，我在查”，再去查；不要让顾客对着空白等。"
    return Check("first_answer", "回得及时", verdict, words, (first["id"], *slow), better=better)


def _acknowledged(drill: Drill) -> Check:
    title, better = "先认下感受", drill.scenario.better.acknowledge
    found = list(_marked(drill, "acknowledged"))
    if not found:
        words = "从头到尾没有一句话说到顾客的感受。"
        return Check("acknowledged", title, "bad", words, better=better)
    early = found[0][0] < _EARLY
    words = (
        "一开头就说到了顾客的感受。"
        if early
        else f"到第{found[0][0] + 1}句才说到顾客的感受，早一点更好。"
    )
    return Check(
        *("acknowledged", title, "good" if early else "mixed", words, _ids(found[:1])),
        quote=found[0][2],
        better="" if early else better,
    )


def _apologised(drill: Drill) -> Check:
    found = list(_marked(drill, "apologised"))
    times, title = len(found), "道歉一次，说清为什么"
    better = (
        f"为{_matter(drill)}向您道歉。"
        if owned(drill.scenario.failure)
        else ("让您遇到这样的事、还要专门来说，向您道歉；事情本身我们马上去核实。")
    )
    if not found:
        return Check("apologised", title, "bad", "没有道过歉。", better=better)
    if times == 1:
        verdict: Verdict = "good"
        words, better = "道歉说了一次，正好。", ""
    else:
        verdict = "mixed" if times <= _SORRIES_MOST else "bad"
        words = f"道歉说了{times}次，说多了就显得空。"
        better = "第二次起换成下一步：做什么、谁来做、什么时候好。"
    quote = _quotes(found) if verdict != "good" else ""
    return Check("apologised", title, verdict, words, _ids(found), quote=quote, better=better)


def _blamed(drill: Drill) -> Check:
    found = list(_marked(drill, "blame", "argue"))
    title = "不怪顾客、不争辩"
    if not found:
        return Check("blamed", title, "good", "没有怪顾客，也没有争辩。")
    better = f"只说看到的和要做的：“{drill.scenario.better.step}”"
    words = f"有{len(_ids(found))}句听起来在怪顾客或争辩。"
    return Check("blamed", title, "bad", words, _ids(found), _quotes(found), better)


def _asked_again(drill: Drill) -> Check:
    found, title = list(_marked(drill, "asked_again")), "说过的不再问"
    if not found:
        return Check("asked_again", title, "good", "没有再问顾客已经说过的事。")
    words = f"又问了顾客说过的：{_quotes(found).replace('；', '、')}。"
    better = "先往上看一遍，用顾客的原话接着说，例如“您说的……我看到了”。"
    return Check("asked_again", title, "bad", words, _ids(found), better=better)


def _step(drill: Drill) -> Check:
    found, title = list(_marked(drill, "step")), "下一步带时间"
    if found:
        words = "说了下一步做什么、什么时候。"
        return Check("step", title, "good", words, _ids(found[:1]), quote=found[0][2])
    words = "没有一句话说清下一步做什么、什么时候。"
    return Check("step", title, "bad", words, better=drill.scenario.better.step)


def _remedy(drill: Drill) -> Check:
    title = "补救在政策之内"
    offered = "、".join(one["title"] for one in drill.given.items[:3])
    better = f"政策这次给的是：{offered}。可以说：“我能给您{offered}，您看这样行不行？”"
    beyond = list(_marked(drill, "promise"))
    if beyond:
        words = "答应了政策里没有的，或把话说满了。"
        return Check("remedy", title, "bad", words, _ids(beyond), _quotes(beyond), better)
    found = list(_marked(drill, "remedy"))
    if found:
        words = "提出的补救都在政策之内。"
        return Check("remedy", title, "good", words, _ids(found[:1]), quote=found[0][2])
    return Check("remedy", title, "bad", "没有提出补救。", better=better)


def _manner(drill: Drill) -> Check:
    found, title = list(_marked(drill, "shout", "stock", "again")), "说人话"
    hurt = [(line, place) for line in _trainee(drill) for place in line["inflames"]]
    if not found and not hurt:
        return Check("manner", title, "good", "没有套话、没有喊，也没有重复自己。")
    lines = tuple(dict.fromkeys([*_ids(found), *(line["id"] for line, _ in hurt)]))
    parts = []
    if found:
        parts.append(f"有{len(_ids(found))}句是套话、喊话或重复")
    if hurt:
        told = dict.fromkeys(drill.scenario.inflames[place].what for _, place in hurt)
        parts.append(f"碰了这位顾客最在意的：{'、'.join(told)}")
    better = "只说和这位顾客这件事有关的话，一句话一个意思。"
    verdict: Verdict = "mixed" if len(lines) == 1 else "bad"
    return Check("manner", title, verdict, "，".join(parts) + "。", lines, _quotes(found), better)


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest}秒"
    return f"{minutes}分{rest}秒" if rest else f"{minutes}分钟"
