"""Figures as people read them: values with their unit, and what has changed."""

from typing import Any

TOO_FEW = "样本太少"
_CHANNELS = {
    "web": "网页",
    "wechat": "微信",
    "comment": "公众号文章评论",
    "phone": "电话",
    "street": "当面",
    "other": "其他途径",
}
_PEOPLE = {"anger": "开始时的情绪", "tier": "会员等级", "channel": "渠道"}
_DIRECTIONS = {
    "seconds": ("长", "短"),
    "percent": ("高", "低"),
    "score": ("高", "低"),
    "points": ("高", "低"),
}
# From so much more than before it is told in times.
_TIMES_FROM = 4
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Up to this many minutes seconds are told as well; from this many hours days are told.
_SHORT_MINUTES, _LONG_HOURS = 10, 48


def yuan(fen: float) -> str:
    """A sum as `15元`, `15.50元`."""
    whole, rest = divmod(abs(round(fen)), 100)
    sign = "-" if round(fen) < 0 else ""
    return f"{sign}{whole}.{rest:02d}元" if rest else f"{sign}{whole}元"


def length(seconds: float) -> str:
    """A length of time: to the second while it is short, to minutes, hours and days after that."""
    whole = abs(round(seconds))
    sign = "-" if seconds < 0 and whole else ""
    if whole < _MINUTE:
        return f"{sign}{whole}秒"
    minutes, rest = divmod(whole, _MINUTE)
    if minutes < _SHORT_MINUTES and rest:
        return f"{sign}{minutes}分{rest}秒"
    if whole < _HOUR:
        return f"{sign}{minutes}分钟"
    hours, minutes = divmod(minutes, 60)
    if hours >= _LONG_HOURS:
        return f"{sign}{_plain(whole / _DAY, 1)}天"
    return f"{sign}{hours}小时{minutes}分" if minutes else f"{sign}{hours}小时"


def value(amount: float, unit: str) -> str:
    """A value with its unit.

    Args:
        amount: The value.
        unit: One of those of `recovery.insights.figures`.
    """
    if unit == "seconds":
        return length(amount)
    if unit == "percent":
        return f"{_plain(amount, 1)}%"
    if unit == "fen":
        return yuan(amount)
    if unit == "points":
        return f"{'+' if amount > 0 else ''}{_plain(amount, 1)}"
    return _plain(amount, 2 if unit == "score" else 1)


def figure(one: dict[str, Any]) -> str:
    """The value of a figure, or why there is none."""
    if one["value"] is not None:
        return value(one["value"], one["unit"])
    return TOO_FEW if one["n"] else "还没有"


def change(one: dict[str, Any]) -> str:
    """What has changed against the period before; empty where one of the two is not known."""
    now, before, unit = one["value"], one["before"], one["unit"]
    if now is None or before is None:
        return ""
    more, less = _DIRECTIONS.get(unit, ("多", "少"))
    by = abs(now - before)
    if unit in ("count", "fen", "seconds") and before > 0:
        if now / before >= _TIMES_FROM:
            return f"是上期的{round(now / before)}倍"
        size: float = round(by / before * 100)
        words = f"{size}%"
    else:
        size = round(by, 2)
        words = f"{_plain(by, 1)}个百分点" if unit == "percent" else _plain(by, 2)
        if unit in ("fen", "seconds"):
            words = value(by, unit)
    if not size:
        return "一样"
    return f"{more if now > before else less} {words}"


def channel(name: str) -> str:
    """What a channel is called; one of a webhook by its own name."""
    return _CHANNELS.get(name, name)


def people(one: dict[str, Any]) -> str:
    """Who is compared with whom, where it is asked whether all are treated alike."""
    name = channel(str(one["key"])) if one["group"] == "channel" else one["name"]
    return f"{_PEOPLE.get(one['group'], one['group'])}：{name}"


def share(amount: float | None) -> str:
    """A share of a hundred."""
    return "—" if amount is None else f"{_plain(amount, 1)}%"


def _plain(amount: float, digits: int) -> str:
    """A number without zeros that say nothing."""
    text = f"{amount:.{digits}f}".rstrip("0").rstrip(".") if digits else str(round(amount))
    return "0" if text in ("-0", "") else text
