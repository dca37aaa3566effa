"""What one entry of `kf/sync_msg` says. Entries are somebody else's JSON: anything may lack."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from desk.channels.wechat.incoming.inbound import Inbound

# Who an entry is from: the customer, WeCom itself, a colleague who types in WeCom.
_CUSTOMER, _SYSTEM, _SERVICER = 3, 4, 5
# What colleagues do to a session in WeCom: taken from the pool, handed on, ended, taken up again.
_CHANGES: dict[int, Literal["person", "ended"]] = {
    1: "person",
    2: "person",
    3: "ended",
    4: "person",
}
# What is sent beside words, as colleagues read it.
_STAND_INS = {
    "image": "[图片]",
    "voice": "[语音]",
    "video": "[视频]",
    "file": "[文件]",
    "business_card": "[名片]",
    "miniprogram": "[小程序]",
    "channels": "[视频号]",
    "merged_msg": "[聊天记录]",
}
# Ids are looked up and stored as they are: nothing else than what WeCom makes them of.
_ID = re.compile(r"[!-~]{1,512}")
_LONGEST_KEY = 128
_LONGEST_OPENID = 64


@dataclass(frozen=True)
class Elsewhere:
    """A colleague has written to the customer inside WeCom, past this desk.

    Attributes:
        key: msgid.
        openid: To whom: external_userid.
        text: What was said, or what stands for it.
        sent_at: Unix time.
    """

    key: str
    openid: str
    text: str
    sent_at: int


@dataclass(frozen=True)
class SessionChange:
    """A colleague has taken a session in WeCom (`person`), or ended it (`ended`)."""

    key: str
    openid: str
    session: Literal["person", "ended"]
    sent_at: int


Read = Inbound | Elsewhere | SessionChange


def read(entry: Mapping[str, Any], open_kfid: str) -> Read | None:
    """Understand one entry of `msg_list`.

    Args:
        entry: As WeCom gave it.
        open_kfid: Of the account that was asked; what belongs to another one is not read.

    Returns:
        None for what says nothing to this desk: colleagues coming and going, what is not
        understood. A message that could not be delivered is an `Inbound` of kind `job` with
        `message` (msgid) and `status` (fail_type).
    """
    key, kind = _id(entry.get("msgid")), _id(entry.get("msgtype"))
    event = _part(entry, "event")
    of = _id(entry.get("open_kfid")) or _id(event.get("open_kfid"))
    openid = _id(entry.get("external_userid")) or _id(event.get("external_userid"))
    fits = 0 < len(key) <= _LONGEST_KEY and 0 < len(openid) <= _LONGEST_OPENID
    if not fits or of not in ("", open_kfid):
        return None
    sent_at, origin = _number(entry.get("send_time")), _number(entry.get("origin"))
    if kind == "event":
        return _event(event, key, openid, sent_at)
    if origin == _CUSTOMER:
        return _message(entry, kind, key, openid, sent_at)
    if origin == _SERVICER:
        return Elsewhere(key, openid, _said(entry, kind), sent_at)
    return None


def stand_in(inbound: Inbound) -> str:
    """What colleagues read of a customer's message where the bot does not hear it."""
    return inbound.text or _STAND_INS.get(inbound.kind, "[其他消息]")


def _event(event: Mapping[str, Any], key: str, openid: str, sent_at: int) -> Read | None:
    match _id(event.get("event_type")):
        case "enter_session":
            # `scene_param` is what was put behind the address of one way in, `scene` that way.
            scene = _id(event.get("scene_param")) or _id(event.get("scene"))
            code = _id(event.get("welcome_code"))
            more: dict[str, Any] = {"welcome_code": code} if code else {}
            return Inbound("follow", key, openid, sent_at, scene=scene or None, more=more)
        case "msg_send_fail":
            message = _id(event.get("fail_msgid"))
            more = {"message": message, "status": _number(event.get("fail_type"))}
            return Inbound("job", key, openid, sent_at, more=more) if message else None
        case "session_status_change":
            session = _CHANGES.get(_number(event.get("change_type")))
            return SessionChange(key, openid, session, sent_at) if session else None
    return None


def _message(
    entry: Mapping[str, Any], kind: str, key: str, openid: str, sent_at: int
) -> Inbound | None:
    part = _part(entry, kind)
    media = _id(part.get("media_id")) or None
    match kind:
        case "text":
            menu = _id(part.get("menu_id")) or None
            return Inbound("text", key, openid, sent_at, _text(part.get("content")), menu=menu)
        case "image" if media:
            return Inbound("image", key, openid, sent_at, media=media)
        case "voice":
            return Inbound("voice", key, openid, sent_at, media=media)
        case "video":
            return Inbound("video", key, openid, sent_at, media=media)
        case "location":
            return Inbound("location", key, openid, sent_at, _place(part))
        case "link":
            return Inbound("link", key, openid, sent_at, _link(part))
    # Files, cards, mini programs and what WeCom adds next: none is passed over in silence, and
    # what they are called is all that can be heard of them.
    return Inbound("link", key, openid, sent_at, _said(entry, kind))


def _said(entry: Mapping[str, Any], kind: str) -> str:
    """An entry in words."""
    part = _part(entry, kind)
    match kind:
        case "text":
            return _text(part.get("content"))
        case "location":
            return _place(part)
        case "link":
            return _link(part)
        case "msgmenu":
            return _text(part.get("head_content")) or "[菜单]"
    title = _text(part.get("title"))
    return f"{_STAND_INS.get(kind, '[其他消息]')} {title}".strip()


def _place(part: Mapping[str, Any]) -> str:
    words = " ".join(one for one in (_text(part.get("name")), _text(part.get("address"))) if one)
    if not words:
        words = f"{_text(part.get('latitude'))},{_text(part.get('longitude'))}".strip(",")
    return f"【位置】{words}"


def _link(part: Mapping[str, Any]) -> str:
    words = (_text(part.get("title")), _text(part.get("url")))
    return "【链接】" + " ".join(one for one in words if one)


def _part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = entry.get(name)
    return part if isinstance(part, Mapping) else {}


def _id(value: object) -> str:
    """An id as it came, never mended into another one; nothing where it cannot be one."""
    text = value.strip() if isinstance(value, str) else _text(value)
    return text if _ID.fullmatch(text) else ""


def _text(value: object) -> str:
    """A text that can be stored; of a number its digits, of anything else nothing."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="ignore").decode().strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _number(value: object) -> int:
    """A whole number; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
