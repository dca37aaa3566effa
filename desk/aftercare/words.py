"""What the desk says of surveys, gestures and recommendations."""

from recovery.variants import pick

TAKE_TITLE, LEAVE_TITLE, NO_MORE_TITLE = "收下", "不用了", "不要再推荐"

_SURVEY = (
    "还想请您花一分钟说说这次服务：五个小题，告诉我们哪里该改。",
    "这次服务哪里好、哪里不够，想听您说说，一分钟就能填完；不填也没关系。",
)
_GIFT = (
    "{why}。想给您留一份心意：{title}。不附带任何条件，您看要收下吗？",
    "{why}，这份小心意请您收着：{title}。不用您做什么，您看合适吗？",
)
_TAKEN = (
    "好的，已经为您记下：{title}。",
    "收下就好，这就去安排：{title}。",
)
_TAKEN_TASK = (
    "好的，已经交代给同事：{title}。到时候不用您再提。",
    "记下了：{title}。同事会照着办，您不用再说一遍。",
)
_LEFT = ("好的，不打扰您，有事随时说。", "明白，那就不安排了，有需要随时找我们。")
_OVER = "这份心意已经过了能领的时间，抱歉；想要的话直接告诉同事。"
_NOT_NOW = "这份心意要同事确认一下才能安排，确认好会在这里告诉您。"
_NO_MORE = "好的，以后不再给您推荐任何东西。"
_RECOMMEND = "【推荐】{text}\n用不上不用理会。"


def survey(key: str) -> str:
    """Ask to fill in the survey; its link stands below."""
    return pick(_SURVEY, key)


def gesture(key: str, title: str, why: str) -> str:
    """Offer a small gesture: why this and why them, what it is, no strings."""
    return pick(_GIFT, key).format(why=why, title=title)


def taken(key: str, title: str, *, task: bool) -> str:
    """Say that it is on its way."""
    return pick(_TAKEN_TASK if task else _TAKEN, key).format(title=title)


def left(key: str) -> str:
    """Answer who does not want it."""
    return pick(_LEFT, key)


def over() -> str:
    """Say that it cannot be taken any more."""
    return _OVER


def not_now() -> str:
    """Say that a person has to look, since the budget is used up."""
    return _NOT_NOW


def no_more() -> str:
    """Confirm that nothing is recommended any more."""
    return _NO_MORE


def recommendation(text: str) -> str:
    """Recommend something, marked as what it is."""
    return _RECOMMEND.format(text=text)


def task(title: str) -> str:
    """Tell staff what the customer has taken and what they have to do."""
    return f"顾客收下了一份心意，请记着办：{title}"


def over_budget(title: str) -> str:
    """Tell staff what the customer would have taken."""
    return f"顾客想收下“{title}”，今天的心意预算已用完，请您定"
