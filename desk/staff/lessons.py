"""Lessons on the staff page: what is asked at the end of a case, and what was answered."""

from datetime import date, datetime, timedelta
from typing import Any

from desk.conversations.ingest import clean
from desk.conversations.lessons import LONGEST_NAME, Lesson
from desk.errors import PageError
from desk.staff.look import Look
from recovery.insights.causes import OTHER
from recovery.insights.causes import causes as known_causes
from recovery.store import causes

_LONGEST_ACTION = 300
# No zone is further behind UTC.
_FARTHEST_BEHIND = timedelta(hours=12)


def section(look: Look) -> dict[str, Any] | None:
    """`Detail.lesson` of docs/staff-api.md; None where there is no case to learn from."""
    if look.case is None:
        return None
    industry = look.context.business(look.conversation.business).industry
    likely = causes.propose(look.case, industry)
    said = causes.of_case(look.db, look.case.id)
    chosen = said.confirmed if said and said.confirmed else next(iter(likely), "")
    known = known_causes()
    # Where nothing is likely everything is offered.
    offered = dict.fromkeys((*([chosen] if chosen else ()), *(likely or known), OTHER))
    return {
        "cause": chosen,
        "confirmed": bool(said and said.confirmed),
        "causes": [{"name": one, "label": known[one].name} for one in offered if one in known],
        "action": (said and said.action) or "",
        "action_by": (said and said.action_by) or "",
        "action_due": (said and said.action_due) or "",
    }


def read(body: dict[str, Any], now: datetime) -> Lesson | None:
    """What a page says is learned; None where it says nothing.

    Args:
        body: Of the request.
        now: The present moment.

    Raises:
        PageError: 400, and why.
    """
    cause, due = body.get("cause"), body.get("action_due")
    action = _words(body.get("action"), "措施", _LONGEST_ACTION)
    by = _words(body.get("action_by"), "谁来做", LONGEST_NAME)
    if cause in (None, ""):
        if action or by or due:
            raise PageError(400, "no_cause", "写了改进措施，请选是什么原因")
        return None
    if not isinstance(cause, str) or cause not in known_causes():
        raise PageError(400, "bad_request", "没有这个原因")
    return Lesson(cause, action, by, _day(due, now))


def _words(value: object, name: str, longest: int) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise PageError(400, "bad_request", "请求的格式不对")
    if len(value) > longest:
        raise PageError(400, "too_long", f"{name}最多{longest}个字")
    return clean(value) if value.strip() else ""


def _day(value: object, now: datetime) -> date | None:
    if value is None or value == "":
        return None
    try:
        day = date.fromisoformat(str(value))
    except ValueError as error:
        raise PageError(400, "bad_day", "没有这一天") from error
    # Wherever the business is, this is today there or the day before.
    if day < (now - _FARTHEST_BEHIND).date():
        raise PageError(400, "bad_day", "期限要在今天或以后")
    return day
