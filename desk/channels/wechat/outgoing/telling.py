"""What a message outside of the window says: that something waits, short and nothing personal."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from desk.context import Context
from recovery.privacy import beginning, mask
from recovery.store import cases
from recovery.store.wechat.told import Held
from recovery.wechat import LaterMessage, TemplateValue

Matter = Literal["offer", "answer", "closed", "progress"]
ORDER: tuple[Matter, ...] = ("offer", "answer", "closed", "progress")
"""By how much the customer waits for it, the weightiest first."""
_STATES: dict[Matter, str] = {
    "offer": "有方案",
    "answer": "已回复",
    "closed": "已办结",
    "progress": "有进展",
}
_TEXTS: dict[Matter, str] = {
    "offer": "处理方案已备好，请到公众号里查看",
    "answer": "已回复您，请到公众号里查看",
    "closed": "这件事已办结，请到公众号里查看",
    "progress": "事情有新进展，请到公众号里查看",
}
# Characters at most, by the first part of a field's name, as the console lists them; older
# templates name their fields freely.
_LENGTHS = {"thing": 20, "phrase": 5, "character_string": 32, "const": 20, "name": 10, "symbol": 5}
_LENGTH = 20
_DATES = ("time", "date")


def reaches_outside(event: Mapping[str, Any]) -> bool:
    """Whether an event is to reach the customer even outside of the window.

    Progress, the end of a matter, an offer, and what a person says; of all others those that say
    so themselves by `"outside": True`, such as a question that comes days later.
    """
    return matter_of(event) is not None


def matter_of(event: Mapping[str, Any]) -> Matter | None:
    """What an event is to a customer who is told of it outside of the window; None: not told."""
    kind = event.get("kind")
    if kind in ("offer", "closed", "progress"):
        found: Matter = kind
        return found
    if event.get("author") == "staff" or kind == "call":
        return "answer"
    return "progress" if event.get("outside") is True else None


def fill(
    db: Connection, context: Context, later: LaterMessage, matter: Matter, held: Held
) -> dict[str, str]:
    """What goes into the fields of a template: short, and nothing personal.

    Args:
        db: A transaction.
        context: The desk.
        later: Which fields.
        matter: What it is about.
        held: The event.

    Returns:
        Each field with a text that WeChat takes for it.
    """
    business = context.business(held.conversation.business)
    case = cases.load(db, held.conversation.case_id)
    at = datetime.fromisoformat(str(held.event["at"])).astimezone(business.zone)
    values: dict[TemplateValue, str] = {
        "matter": case.matter.removesuffix("这件事") if case and case.has_matter else "您反映的事",
        "state": _STATES[matter],
        "text": _TEXTS[matter],
        "time": f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
        "business": business.name,
    }
    return {name: fitted(name, values[value]) for name, value in later.fields.items()}


def fitted(field: str, value: str) -> str:
    """A text as a field of a template takes it.

    Args:
        field: For example `thing1`; its first part says what it takes.
        value: The text.

    Returns:
        One line, masked, as long as the field allows, never empty.
    """
    kind = field.rstrip("0123456789")
    plain = "".join(
        " " if char.isspace() else char
        for char in value
        if char.isspace() or unicodedata.category(char)[0] not in "CS" or char in "+-"
    )
    text = " ".join(plain.split())
    if kind in _DATES:
        return text
    text = mask(text).text
    if kind == "phrase":
        # Chinese characters only.
        text = re.sub(r"[^\u4e00-\u9fff]", "", text)
    elif kind == "character_string":
        # Everything but Chinese.
        text = re.sub(r"[^\x21-\x7e]+", "-", text).strip("-")
    most = _LENGTHS.get(kind, _LENGTH)
    return beginning(text, most) or text[:most] or ("-" if kind == "character_string" else "更新")
