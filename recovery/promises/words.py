"""What a customer reads of a promise without asking: sent on, done, late, missed, moved.

One message is either a status or an explanation, never both: a late promise is explained and gets
its new time, and nothing is said of how far it is (Hogreve, Bilstein and Mandl 2017).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.remedy.catalogue import BadRemedyError, Remedy, done_words, kind_of
from recovery.variants import pick

PROMISED = "答应您的补救"
_ENDED: Mapping[str, str] = {
    "repair": "维修已经做好",
    "clean_again": "已经重新打扫好",
    "remake": "重做的那份已经送到",
    "resend": "补寄的东西已经送到",
    "exchange": "换的新件已经交到您手上",
    "courier_pickup": "快递员已经取走",
    "manager_call": "经理已经和您通过电话",
    "expedite": "加急的这件事已经办到",
    "rebooking": "新的安排已经订好",
    "bill_check": "账目已经核对好",
    "explanation": "情况已经查清楚",
    "service_upgrade": "服务升级已经办好",
    **dict.fromkeys(("refund_full", "refund_part", "refund_now"), "退款已经到账"),
    "damages": "赔偿已经到账",
}
_WHY = (
    "是我们这边排得慢了，抱歉",
    "是我们估得太紧，让您多等了，抱歉",
    "我们这边人手一时没排开，抱歉",
)
_WHY_SYSTEM = (
    "我们的系统办理时遇到了阻碍，抱歉",
    "是我们的系统卡住了，让您多等，抱歉",
)
_WHY_SENT = (
    "接着办的一方告诉我们要久一些，这份耽误由我们负责，抱歉",
    "后面的环节慢了，是我们没盯紧，抱歉",
)
_SOON_LATE = (
    "先跟您说一声，{titles}赶不上原先说的时间了：{why}。改在{times}。{added}",
    "{titles}要比说好的晚一些：{why}。新的时间是{times}。{added}",
)
_IS_LATE = (
    "{titles}没能在说好的时间办到：{why}。改在{times}。{added}",
    "答应您的{titles}晚了：{why}。新的时间是{times}。{added}",
)
_ADDED = (
    "为这次耽误，另外给您{added}，不用您再做什么。",
    "让您多等了，另外给您{added}，会直接到您名下。",
)
_MISSED = (
    "{titles}连改过的时间也没赶上，不该这样。已请同事亲自跟到底，{time}给您回话。",
    "很抱歉，{titles}又晚了。这件事交到同事手里盯着办，{time}告诉您结果。",
)
_MOVED = "{titles}的时间改在{time}：{why}。"


@dataclass(frozen=True)
class LateOne:
    """One remedy that takes longer.

    Attributes:
        title: What the customer calls it.
        time: Until when it takes, in words.
    """

    title: str
    time: str


def title_of(remedy: Remedy) -> str:
    """What the customer calls a remedy, also one that the catalogue knows no more."""
    try:
        return kind_of(remedy).title(remedy)
    except (BadRemedyError, KeyError, TypeError, ValueError):
        return PROMISED


def sent_on_words(remedy: Remedy, receipt: Mapping[str, Any], time: str = "") -> str:
    """Say that others have it in hand now; `time` is until when it takes, empty where unknown."""
    said = done_words(remedy, receipt)
    return f"{said}，预计{time}办好" if time else said


def staff_sent_words(remedy: Remedy, time: str = "") -> str:
    """The same where a person has arranged it, without a receipt."""
    said = f"“{title_of(remedy)}”已经安排人去办"
    return f"{said}，{time}办好" if time else said


def ended_words(remedy: Remedy) -> str:
    """Say that what was sent on is done."""
    return _ENDED.get(str(remedy.get("kind")), f"“{title_of(remedy)}”已经办好")


def late_words(
    key: str,
    late: Sequence[LateOne],
    *,
    missed: bool = False,
    system: bool = False,
    sent_on: bool = False,
    added: Sequence[str] = (),
) -> str:
    """Explain that promises are not kept in time, with the new times and what is added.

    Args:
        key: Chooses the words.
        late: What is late, with the new times; at least one.
        missed: Something is late already, else it will be.
        system: The order system could not do it so far.
        sent_on: Others have it in hand.
        added: What is given for that, as titles.
    """
    why = _WHY_SYSTEM if system else _WHY_SENT if sent_on else _WHY
    if len({one.time for one in late}) == 1:
        times = late[0].time
    else:
        times = "，".join(f"“{one.title}”{one.time}" for one in late)
    given = pick(_ADDED, key).format(added="、".join(added)) if added else ""
    return pick(_IS_LATE if missed else _SOON_LATE, key).format(
        titles=_titles(late), why=pick(why, key), times=times, added=given
    )


def missed_words(key: str, late: Sequence[LateOne], time: str) -> str:
    """Say that the new time was not kept either and who sees to it; `time`: by when they answer."""
    return pick(_MISSED, key).format(titles=_titles(late), time=time)


def moved_words(title: str, time: str, why: str) -> str:
    """Say the new time that a member of staff has set, and why, in their words."""
    return _MOVED.format(titles=f"“{title}”", time=time, why=why.rstrip("。！!.；;，, "))


def _titles(late: Sequence[LateOne]) -> str:
    names = [f"“{one.title}”" for one in late]
    return names[0] if len(names) == 1 else "、".join(names[:-1]) + "和" + names[-1]
