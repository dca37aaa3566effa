"""XML of WeChat read without entities, DTD or anything outside of it, as `Inbound`."""

import hashlib
import re
from typing import Any, NoReturn
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming.inbound import Inbound, Kind

# WeChat's deepest are lists within an event: xml > SubscribeMsgPopupEvent > List > TemplateId.
_DEPTH = 6
_ELEMENTS = 1_000
_NAME_LENGTH = 64
_IDENTITY = re.compile(r"[A-Za-z0-9_@.-]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,12})?")
_SCENE_PREFIX = "qrscene_"
_SCENE_LENGTH = 64
_MEDIA_LENGTH = 512
# Menus of these kinds call the desk and open the minute of three messages; `view` and the
# pickers of pictures and places do not (developers.weixin.qq.com, 客服消息).
_CLICKS = frozenset({"click", "scancode_push", "scancode_waitmsg"})
_TEMPLATE_LENGTH = 64


class BadMessageError(ValueError):
    """No message of WeChat.

    Attributes:
        code: What is wrong with it, for logs; nothing of the message itself.
    """

    def __init__(self, code: str) -> None:
        """Remember what is wrong."""
        super().__init__(code)
        self.code = code


class _Fields:
    """Builds fields while the parser reads: a tree of a hostile text is never made."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self._elements = 0

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= _DEPTH:
            raise BadMessageError("xml too deep")
        if self._elements > _ELEMENTS or len(name) > _NAME_LENGTH:
            raise BadMessageError("xml too large")
        self._open.append((name, {}, []))

    def data(self, text: str) -> None:
        self._open[-1][2].append(text)

    def end(self, _name: str) -> None:
        name, fields, words = self._open.pop()
        value: Any = fields or "".join(words).strip()
        if not self._open:
            self.root = name, value
            return
        siblings = self._open[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]

    def close(self) -> Any:  # noqa: ANN401 - JSON-like, as deep as the message
        return self.root


def fields_of(xml: bytes) -> dict[str, Any]:
    """Read the fields of an XML text of WeChat.

    Args:
        xml: UTF-8, whatever it says of itself. Its size is the caller's to bound.

    Returns:
        For each element its words without white space around, its own fields if it has elements,
        or a list of them if there are several of the name.

    Raises:
        BadMessageError: Not well-formed, no `<xml>`, with a DTD or entities, too deep or with too
            many elements.
    """
    target = _Fields()
    # A declared encoding is overruled: what it names would choose a codec of Python's.
    parser = XMLParser(
        target=target,
        encoding="utf-8",
        forbid_dtd=True,
        forbid_entities=True,
        forbid_external=True,
    )
    try:
        parser.feed(xml)
        root = parser.close()
    except DefusedXmlException:
        _refuse("xml with dtd or entities")
    except (ParseError, ExpatError):
        _refuse("xml not well-formed")
    if root is None or root[0] != "xml" or not isinstance(root[1], dict):
        raise BadMessageError("xml of another kind")
    fields: dict[str, Any] = root[1]
    return fields


def _refuse(code: str) -> NoReturn:
    # The parser's own error quotes the text, so it is not passed on.
    raise BadMessageError(code) from None


def inbound_of(account: Account, fields: dict[str, Any]) -> Inbound:
    """Understand a message or event of an Official Account.

    Args:
        account: Where it came in.
        fields: From `fields_of`.

    Returns:
        What it is; `other` for what the desk has no use for.

    Raises:
        BadMessageError: Who wrote it or when is missing, or it is of 微信客服, which is pulled.
    """
    if not account.official:
        raise BadMessageError("message of 微信客服 is pulled")
    openid, moment = _text(fields, "FromUserName"), _text(fields, "CreateTime")
    if not _IDENTITY.fullmatch(openid):
        raise BadMessageError("no FromUserName")
    if not _SECONDS.fullmatch(moment):
        raise BadMessageError("no CreateTime")
    kind = _text(fields, "MsgType").lower()
    if not kind:
        raise BadMessageError("no MsgType")
    more = _event(fields) if kind == "event" else _message(kind, fields)
    return Inbound(
        key=_key(fields, openid, moment, kind), openid=openid, sent_at=int(moment), **more
    )


def _key(fields: dict[str, Any], openid: str, moment: str, kind: str) -> str:
    """MsgId; of what has none, who, when and what it was.

    The same again gives the same key (developers.weixin.qq.com, 接收事件推送: FromUserName and
    CreateTime). A digest, since what was clicked may be a long address.
    """
    number = _text(fields, "MsgId")
    if kind != "event" and _NUMBER.fullmatch(number) and number.strip("0"):
        return number
    parts = [openid, moment, kind, _text(fields, "Event").lower(), _text(fields, "EventKey")]
    # A message without MsgId is told from another of its second by its words; a job by its number.
    parts += [number, _text(fields, "MsgID")]
    if kind != "event":
        parts += [_text(fields, "Content"), _text(fields, "MediaId")]
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"event-{digest[:40]}"


def _message(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What a message of the customer's says, as arguments of `Inbound`."""
    media = _text(fields, "MediaId")[:_MEDIA_LENGTH] or None
    if kind == "text":
        menu = _text(fields, "bizmsgmenuid")[:_SCENE_LENGTH] or None
        return _of("text", text=_text(fields, "Content"), menu=menu)
    if kind == "image":
        return _of("image", media=media)
    if kind == "voice":
        return _of("voice", text=_text(fields, "Recognition"), media=media)
    if kind in ("video", "shortvideo"):
        return _of("video", media=media)
    if kind == "location":
        return _of("location", text=f"【位置】{_place(fields)}".strip())
    title, address = _text(fields, "Title"), _text(fields, "Url")
    if kind == "link":
        return _of("link", text=" ".join(filter(None, ("【链接】" + title, address))))
    if kind == "miniprogrampage":
        return _of("link", text=f"【小程序】{title}")
    if kind == "file":
        return _of("link", text=f"【文件】{title}")
    return _of("other")


def _place(fields: dict[str, Any]) -> str:
    label = _text(fields, "Label")
    if label:
        return label
    latitude, longitude = _text(fields, "Location_X"), _text(fields, "Location_Y")
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        return ""
    return f"纬度{latitude}，经度{longitude}"


def _event(fields: dict[str, Any]) -> dict[str, Any]:
    """What has happened, as arguments of `Inbound`."""
    event, key = _text(fields, "Event").lower(), _text(fields, "EventKey")
    if event == "subscribe":
        scanned = key.startswith(_SCENE_PREFIX)
        return _of("follow", scene=_scene(key.removeprefix(_SCENE_PREFIX)) if scanned else None)
    if event == "unsubscribe":
        return _of("unfollow")
    if event == "scan":
        return _of("scan", scene=_scene(key))
    if event in _CLICKS:
        return _of("click", text=key)
    if event in ("subscribe_msg_popup_event", "subscribe_msg_change_event"):
        return _of("credit", more={"credits": _credits(event, fields)})
    if event == "subscribe_msg_sent_event":
        first = next(iter(_list(fields, "SubscribeMsgSentEvent")), {})
        return _job(_text(first, "MsgID"), _text(first, "ErrorStatus"))
    if event == "templatesendjobfinish":
        return _job(_text(fields, "MsgID"), _text(fields, "Status"))
    return _of("other")


def _credits(event: str, fields: dict[str, Any]) -> dict[str, int]:
    """How many messages of each template the customer has allowed, or taken back.

    A popup's refusal takes nothing back that was allowed before. In the list of their
    subscriptions customers only switch them off or on again, which allows no further message.
    """
    popup = event == "subscribe_msg_popup_event"
    found: dict[str, int] = {}
    for one in _list(fields, "SubscribeMsgPopupEvent" if popup else "SubscribeMsgChangeEvent"):
        template, status = _text(one, "TemplateId"), _text(one, "SubscribeStatusString").lower()
        if not template or len(template) > _TEMPLATE_LENGTH:
            continue
        if popup and status == "accept":
            found[template] = 1
        elif not popup and status == "reject":
            found[template] = -1
    return found


def _job(message: str, status: str) -> dict[str, Any]:
    known = bool(_NUMBER.fullmatch(message))
    more = {"message": message, "status": status[:100]}
    return _of("job", more=more) if known else _of("other")


def _of(kind: Kind, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - arguments of Inbound
    return {"kind": kind, **more}


def _scene(key: str) -> str | None:
    # What is longer than WeChat allows a scene to be was not made by it.
    return key if 0 < len(key) <= _SCENE_LENGTH else None


def _list(fields: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The entries of `<name><List>…</List></name>`: WeChat sends one, several, or one List each."""
    outer = fields.get(name)
    entries: list[Any] = []
    for part in outer if isinstance(outer, list) else [outer]:
        inner = part.get("List") if isinstance(part, dict) else None
        entries += inner if isinstance(inner, list) else [inner]
    return [one for one in entries if isinstance(one, dict)]


def _text(fields: dict[str, Any], name: str) -> str:
    """The words of a field; of several the first; "" where there are none."""
    value = fields.get(name, "")
    if isinstance(value, list):
        value = value[0]
    return value if isinstance(value, str) else ""
