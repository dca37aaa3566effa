"""What somebody asks of the insights: read strictly, and held to what they may see."""

import re
from datetime import date, timedelta

from sanic import Request

from desk.channels.sessions import context_of
from desk.errors import PageError
from recovery.business import Business
from recovery.failures import FAILURES
from recovery.insights.period import Filters

_KNOWN = frozenset({"business", "from", "to", "industry", "channel", "failure"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,15}")
NOT_KNOWN = "unknown"
"""How one asks for cases of which the failure is not known."""
LONGEST_DAYS = 2 * 366
_USUAL_DAYS = 30
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)


def asked(request: Request, *also: str) -> tuple[Filters, dict[str, str]]:
    """Read the filters of a request.

    Args:
        request: Of a member of staff who may read insights.
        also: Other parameters that may stand there.

    Returns:
        The filters, and the values of the other parameters.

    Raises:
        PageError: Something in it is not what it has to be.
    """
    given = _given(request, _KNOWN | set(also))
    served = _served(request, given)
    since, until = _days(request, given, served)
    channel, failure = given.get("channel"), given.get("failure")
    if channel is not None and not _CHANNEL.fullmatch(channel):
        raise PageError(400, "bad_channel", "没有这个渠道")
    if failure is not None and failure != NOT_KNOWN and failure not in FAILURES:
        raise PageError(400, "bad_failure", "没有这种失误")
    filters = Filters(
        tuple(one.id for one in served),
        since,
        until,
        channel,
        "" if failure == NOT_KNOWN else failure,
    )
    return filters, {name: given[name] for name in also if name in given}


def _given(request: Request, known: frozenset[str] | set[str]) -> dict[str, str]:
    found = {}
    for name, values in request.get_args(keep_blank_values=True).items():
        if name not in known or len(values) != 1:
            raise PageError(400, "bad_request", "请求的格式不对")
        # A filter that is left empty is none.
        if values[0]:
            found[name] = values[0]
    return found


def seen_businesses(request: Request) -> list[Business]:
    """The businesses of which somebody may read insights."""
    who = request.ctx.staff
    return [one for one in context_of(request).directory if who.sees(one.id)]


def _served(request: Request, given: dict[str, str]) -> list[Business]:
    served = seen_businesses(request)
    wanted, industry = given.get("business"), given.get("industry")
    if wanted is not None:
        served = [one for one in served if one.id == wanted]
        if not served:
            raise PageError(404, "not_found", "没有找到这个商家")
    if industry is not None:
        known = {one.industry for one in context_of(request).directory}
        if industry not in known:
            raise PageError(400, "bad_industry", "没有这个行业")
        served = [one for one in served if one.industry == industry]
    return served


def _days(request: Request, given: dict[str, str], served: list[Business]) -> tuple[date, date]:
    now = context_of(request).clock()
    today = now.astimezone(served[0].zone).date() if served else now.date()
    until = _day(given.get("to"), today)
    since = _day(given.get("from"), until - timedelta(days=_USUAL_DAYS - 1))
    if since > until:
        raise PageError(400, "bad_period", "开始的日子不能晚于结束的日子")
    if (until - since).days >= LONGEST_DAYS:
        raise PageError(400, "bad_period", "一次最多看两年")
    return since, until


def _day(text: str | None, otherwise: date) -> date:
    if text is None:
        return otherwise
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not _FIRST <= day < _LAST:
        raise PageError(400, "bad_day", "日期要写成2026-01-31这样")
    return day


def number(text: str | None, most: int) -> int:
    """The number of a page, from 0.

    Raises:
        PageError: It is none.
    """
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) >= most:
        raise PageError(400, "bad_page", "没有这一页")
    return int(text)
