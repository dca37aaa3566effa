"""What a body of the generic channel says, checked before anything is done with it."""

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from recovery.webhook import Visibility

MOST_BYTES = 64 * 1024
_LONGEST_ID = 128
_LONGEST_PAYLOAD = 1000
_LONGEST_TEXT = 10_000
_FIELDS = frozenset({"id", "from", "text", "payload", "visibility", "at", "reply_to"})
# A source tries for a day; what is older was left lying somewhere.
_OLDEST = timedelta(hours=25)
_AHEAD = timedelta(minutes=5)


class BadMessageError(ValueError):
    """A body that cannot be taken; coming again makes it no better.

    Attributes:
        status: Of HTTP.
        code: For the source's program.
        sentence: For whoever reads its log.
    """

    def __init__(self, status: int, code: str, sentence: str) -> None:
        """Remember what to answer."""
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Written:
    """One message.

    Attributes:
        id: The source's own; the same again is the same message.
        writer: As the source names them.
        name: What the writer is called there; anything.
        text: Words; empty where an option was pressed.
        payload: Of the pressed option.
        visibility: Who reads it; None: as the settings say.
        reply_to: The event of ours, or the message, that it answers.
        digest: Of all of it.
    """

    id: str
    writer: str
    name: str
    text: str
    payload: str | None
    visibility: Visibility | None
    reply_to: str | None
    digest: str


def read(raw: bytes, now: datetime) -> Written:
    """Read a body.

    Args:
        raw: As it came.
        now: The present moment.

    Raises:
        BadMessageError: Another form, or too old.
    """
    body = _object(raw)
    unknown = sorted(body.keys() - _FIELDS)
    if unknown:
        raise _wrong(f"不认识的字段：{ascii(unknown[0])[:40]}")
    writer = body.get("from")
    if not isinstance(writer, dict) or writer.keys() - {"id", "name"}:
        raise _wrong("from 要写成 {id, name}")
    visibility = body.get("visibility")
    if visibility not in (None, "public", "private"):
        raise _wrong("visibility 只能是 public 或 private")
    payload = body.get("payload")
    if payload is not None and not _is_payload(payload):
        raise _wrong("payload 不是我们给出的选项")
    text = body.get("text", "")
    if not isinstance(text, str) or (payload is None and "text" not in body):
        raise _wrong("要有 text 或 payload")
    if len(text) > _LONGEST_TEXT:
        raise BadMessageError(422, "too_long", "text 太长")
    name = writer.get("name", "")
    if not isinstance(name, str):
        raise _wrong("from.name 要是字符串")
    _check_time(body.get("at"), now)
    reply_to = body.get("reply_to")
    return Written(
        id=_id(body.get("id"), "id"),
        writer=_id(writer.get("id"), "from.id"),
        name=name[:200],
        text=text,
        payload=payload,
        visibility=visibility,
        reply_to=None if reply_to is None else _id(reply_to, "reply_to"),
        digest=_digest(body),
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _wrong("正文不是 UTF-8 的 JSON") from error
    if not isinstance(body, dict):
        raise _wrong("正文要是一个 JSON 对象")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _id(value: object, field: str) -> str:
    """An id: it is stored and looked up as it is, so nothing is cleaned out of it.

    Raises:
        BadMessageError: No text that every store takes.
    """
    fit = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value == value.strip()
    if not fit or any(unicodedata.category(char)[0] == "C" for char in str(value)):
        raise _wrong(f"{field} 要是1到{_LONGEST_ID}个可见字符")
    return str(value)


def _is_payload(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= _LONGEST_PAYLOAD
    )


def _check_time(value: object, now: datetime) -> None:
    """Turn away what was written long ago, or by a clock that is ahead.

    Raises:
        BadMessageError: No time, or too far away.
    """
    if value is None:
        return
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _wrong("at 要写成带时区的 ISO 8601 时间")
    try:
        fresh = -_AHEAD <= now - at <= _OLDEST
    except OverflowError:
        fresh = False
    if not fresh:
        raise BadMessageError(422, "too_old", "at 离现在太远")


def _digest(body: dict[str, Any]) -> str:
    """The same for the same content, however it is written down."""
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(plain.encode("ascii")).hexdigest()


def _wrong(sentence: str) -> BadMessageError:
    return BadMessageError(400, "bad_message", sentence)
