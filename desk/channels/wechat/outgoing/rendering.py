"""An event of a private stream as WeChat can show it: texts, a text with quick replies, pictures.

What pages show as cards becomes plain words. What only a page can do with an event (a card that
changes, an invitation) is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from desk.channels.wechat.outgoing.cutting import MOST_BYTES, cut, size

Weight = Literal["say", "notice"]
Ending = Literal["", "asked", "all"]
Button = dict[str, str]

HOLDING = ".hold"
"""End of the id of an event that only asks for patience."""

CARD, REPLACED, CLOSED, OWNER, QUEUE = "card", "replaced", "closed", "owner", "queue"
PATIENCE, PROGRESS = "patience", "progress"
"""What an event is beside others that wait with it, see `Shown.role`."""

_LONGEST_TITLE = 40
# Of a text that has to be cut anyway: a word on what follows may stand below it.
_PART_BYTES = MOST_BYTES - 128
# 微信客服 takes ten items; so many titles also leave room for words in one message.
_MOST_BUTTONS = 10
_HOW_TO_CHOOSE = "回复数字即可："
# WeChat makes links of these in any text; the words of others are to stay words.
_TAG = re.compile(r"<(?=\s*/?\s*[aA]\b)")
# What a customer may answer with a number.
_ASKS = re.compile(r"[？?几哪]|多少|订单号|手机号|[四4]位|尾号")
# Asked beside the matter itself, which stands as it stood.
_ASIDE = (HOLDING, ".ask")
_BEGUN = ".begun"
# Two characters in a row that say what something is about.
_PAIR = re.compile(r"(?=([^\W_]{2}))")
_OF_PERSONS = frozenset("您我们给")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_PARTS = (("floor", "应给您的："), ("goodwill", "另外的心意："))


@dataclass(frozen=True)
class Shown:
    """An event as it is told.

    Attributes:
        weight: `notice` may wait for something heavier where few messages are left.
        text: Words; empty for a picture.
        buttons: Quick replies below, `{"title", "token"}`.
        picture: Id of a picture instead of words.
        passing: Idle beside what is said after it: to ask for patience together with the answer.
        role: What it is to others that wait with it: `card` (of an offer), `replaced` (an offer),
            `closed`, `owner`, `queue` (a person comes), `patience`, `progress`; else empty.
    """

    weight: Weight
    text: str = ""
    buttons: list[Button] = field(default_factory=list)
    picture: str | None = None
    passing: bool = False
    role: str = ""


def show(event: Mapping[str, Any], zone: ZoneInfo, *, told: bool = True) -> Shown | None:
    """Say an event in WeChat's means.

    Args:
        event: Of a private stream, as stored.
        zone: Of the business.
        told: Of an offer: the customer has read what is offered.

    Returns:
        None for what is not sent: the customer's own words, what only pages can show, what was
        said inside of WeCom.
    """
    if event.get("elsewhere"):
        return None
    match event.get("kind"):
        case "message":
            return _message(event)
        case "offer":
            return _offer(event, zone, told=told)
        case "owner":
            return _words("notice", event, role=_role_of_owner(event))
        case "progress":
            return _words("say", {"text": _progress(event)}, role=PROGRESS)
        case "closed":
            return _words("say", event, role=CLOSED)
        case "notice":
            return _words("notice", event)
        case "call":
            return _words("say", {"text": f"{event.get('text', '')}\n{event.get('url', '')}"})
        case _:
            return None


def ending(event: Mapping[str, Any]) -> Ending:
    """Which quick replies shown before an event cannot be typed as numbers after it.

    Returns:
        `all`; `asked`: those that answer a question, not those of an offer that stays open;
        nothing where all go on.
    """
    kind, author = event.get("kind"), event.get("author")
    if kind in ("offer", "closed"):
        return "all"
    if kind == "owner":
        return "" if event.get("owner") == "bot" else "asked"
    if kind != "message" or author not in ("bot", "staff", "system"):
        return ""
    if author == "staff" or event.get("buttons") or event.get("picture"):
        return "all"
    if str(event.get("id", "")).endswith(_ASIDE):
        return ""
    return "all" if _ASKS.search(str(event.get("text", ""))) else "asked"


def _role_of_owner(event: Mapping[str, Any]) -> str:
    if str(event.get("id", "")).endswith(_BEGUN):
        return ""
    return QUEUE if event.get("owner") == "queue" else OWNER


def _message(event: Mapping[str, Any]) -> Shown | None:
    if event.get("author") not in ("bot", "staff", "system"):
        return None
    picture = event.get("picture")
    if picture:
        return Shown("say", picture=str(picture["id"]))
    event_id = str(event.get("id", ""))
    if event_id.endswith(HOLDING):
        # Only what stands for the bot's own answer, `m1.hold`, is followed by one.
        held = _words("notice", event, role=PATIENCE if event_id.count(".") == 1 else "")
        return replace(held, passing=True) if held else None
    return _words("say", _with_link(event), buttons=_buttons(event))


def _with_link(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event with the address that it leads to below its words; a path leads nowhere here."""
    link = event.get("link") or {}
    url = str(link.get("url", ""))
    if not url.startswith(("https://", "http://")):
        return event
    return {**event, "text": f"{event.get('text', '')}\n{url}"}


def _words(
    weight: Weight,
    event: Mapping[str, Any],
    *,
    buttons: list[Button] | None = None,
    role: str = "",
) -> Shown | None:
    text = words(str(event.get("text", "")))
    return Shown(weight, text, buttons or [], role=role) if text else None


def words(text: str) -> str:
    """A text that WeChat shows as it is: no links hidden in it, no characters it refuses."""
    whole = text.encode(errors="replace").decode()
    return _TAG.sub("＜", _CONTROL.sub("", whole)).strip()


def _buttons(event: Mapping[str, Any]) -> list[Button]:
    return [
        {"title": _title(str(one["title"])), "token": str(one["token"])}
        for one in (event.get("buttons") or ())[:_MOST_BUTTONS]
    ]


def _title(title: str) -> str:
    """What a quick reply says: it comes back as the customer's words, so it is one line."""
    line = " ".join(words(title).split())
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


def _progress(event: Mapping[str, Any]) -> str:
    title, text = str(event.get("title", "")), str(event.get("text", ""))
    return text if not title or _names(text, title) else f"{title}：{text}"


def _names(text: str, title: str) -> bool:
    """Whether a text says itself what it is about: `8元券已经到账` of `8元无门槛券`."""
    if title in text:
        return True
    pairs = {
        pair for pair in _PAIR.findall(title) if not pair.isascii() and not _OF_PERSONS & set(pair)
    }
    return any(pair in text for pair in pairs)


# --- offers -----------------------------------------------------------------------------------


def _offer(event: Mapping[str, Any], zone: ZoneInfo, *, told: bool) -> Shown | None:
    """An offer in words. What is owed stands apart from what is given beyond it."""
    state = event.get("state")
    if state == "open":
        text = "\n".join(_card("【为您准备的补救方案】", event, zone, opened=True))
        return Shown("say", words(text), _buttons(event), role=CARD)
    if state == "accepted" and not told:
        # Agreed upon elsewhere, on the phone for example: the customer has it in writing now.
        text = "\n".join(_card("【已按您同意的方案登记】", event, zone, opened=False))
        return Shown("say", words(text))
    if state == "replaced" and told:
        return Shown("notice", "先前的那个方案不再有效。", role=REPLACED)
    # Taken or turned down by the customer, who is answered in words.
    return None


def _card(head: str, event: Mapping[str, Any], zone: ZoneInfo, *, opened: bool) -> list[str]:
    items: Sequence[Mapping[str, Any]] = event.get("items") or ()
    groups = [
        (label, of_part)
        for part, label in _PARTS
        if (of_part := [one for one in items if one.get("part", "floor") == part])
    ]
    lines = [head]
    for label, of_part in groups:
        lines += [label] if len(groups) > 1 else []
        lines += [_item(one) for one in of_part]
    if event.get("provisional"):
        lines.append("这不是最后的处理，同事会接着跟进。")
    if event.get("reason"):
        lines.append(f"为什么是这个方案：{event['reason']}")
    steps = event.get("steps") or ()
    if steps:
        lines += ["接下来：", *(f"· {step}" for step in steps)]
    if opened and event.get("expires"):
        lines.append(f"有效至 {moment(str(event['expires']), zone)}，可以慢慢考虑。")
    return lines


def _item(item: Mapping[str, Any]) -> str:
    detail = item.get("detail")
    return f"· {item['title']}（{detail}）" if detail else f"· {item['title']}"


def moment(iso: str, zone: ZoneInfo) -> str:
    """A moment that is right whenever it is read: `11月24日 12:00`."""
    local = datetime.fromisoformat(iso).astimezone(zone)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


# --- quick replies ----------------------------------------------------------------------------


def numbered(text: str, titles: Sequence[str]) -> str:
    """A text with its quick replies as numbered lines."""
    lines = [f"{number}. {title}" for number, title in enumerate(titles, start=1)]
    return "\n".join([*([text, ""] if text else []), _HOW_TO_CHOOSE, *lines])


def parts(shown: Shown) -> list[str]:
    """The words of an event in parts that fit; the last leaves room for its quick replies."""
    below = numbered("", [one["title"] for one in shown.buttons])
    room = MOST_BYTES - (size(below) + len("\n\n") if shown.buttons else 0)
    if size(shown.text) <= room:
        return [shown.text]
    *before, last = cut(shown.text, _PART_BYTES)
    return [*before, *cut(last, min(room, _PART_BYTES))]
