"""What the desk posts to Rasa, checked.

Everything that reaches Rasa passes here, so that nothing a customer types can be a command of
Rasa's (a leading "/"), break the store (lone surrogates, NUL) or grow without bound.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

MAX_BODY_BYTES = 64 * 1024
MAX_TEXT = 4000
MAX_DEPTH = 8
MAX_FORGOTTEN = 200

_NAME = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SLASHES = re.compile(r"^[\s/]*/\s*")
_UNUSABLE = re.compile("[\ud800-\udfff\x00]")


class BadRequestError(ValueError):
    """The body breaks the contract. The message is for developers and quotes no content."""


@dataclass(frozen=True)
class CustomerMessage:
    """A message of a customer, or a button or event that stands for one.

    Attributes:
        sender: The conversation's episode; Rasa's sender id.
        message_id: Unique for the sender; names the turn.
        text: Cleaned text, at most 4,000 characters, without a leading "/"; may be empty.
        intent: Given for buttons and events; then the text is not interpreted.
        metadata: As posted, cleaned.
    """

    sender: str
    message_id: str
    text: str
    intent: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str | None:
        """Stage of the case as the desk knows it."""
        return self.metadata.get("stage")


@dataclass(frozen=True)
class StaffMessage:
    """What a member of staff said.

    Attributes:
        sender: The conversation's episode.
        message_id: Unique for the sender.
        text: Cleaned text, not empty.
        by: Who said it, as in `staff:3`.
    """

    sender: str
    message_id: str
    text: str
    by: str


@dataclass(frozen=True)
class Forgetting:
    """What is to be forgotten.

    Attributes:
        conversations: Ids; every episode of theirs.
        before: Unix time; also every conversation in which nothing was said since; None: no other.
    """

    conversations: tuple[str, ...]
    before: float | None


def customer_message(body: bytes, *, with_intent: bool) -> CustomerMessage:
    """Read the body of /desk/messages or /desk/overheard.

    Args:
        body: JSON in UTF-8.
        with_intent: Whether `intent` may be given.

    Returns:
        The message.

    Raises:
        BadRequestError: Something in it is not as agreed.
    """
    fields = _object(body)
    intent = fields.get("intent")
    if intent is not None:
        if not with_intent:
            _refuse("intent is not allowed here")
        if not isinstance(intent, str) or not _WORD.fullmatch(intent):
            _refuse("intent must be null or the name of an intent")
    metadata = fields.get("metadata")
    if not isinstance(metadata, dict):
        _refuse("metadata must be an object")
    _check_metadata(metadata)
    return CustomerMessage(
        sender=_name(fields, "sender"),
        message_id=_name(fields, "message_id"),
        text=without_command(_text(fields)),
        intent=intent,
        metadata=metadata,
    )


def staff_message(body: bytes) -> StaffMessage:
    """Read the body of /desk/spoken.

    Args:
        body: JSON in UTF-8.

    Returns:
        The message.

    Raises:
        BadRequestError: Something in it is not as agreed.
    """
    fields = _object(body)
    metadata = fields.get("metadata")
    by = metadata.get("by") if isinstance(metadata, dict) else None
    if not isinstance(by, str) or not _NAME.fullmatch(by):
        _refuse("metadata.by must name who spoke")
    text = _text(fields).strip()
    if not text:
        _refuse("text must not be empty")
    return StaffMessage(_name(fields, "sender"), _name(fields, "message_id"), text, by)


def forgetting(body: bytes) -> Forgetting:
    """Read the body of /desk/forget.

    Args:
        body: JSON in UTF-8.

    Returns:
        What is to be forgotten.

    Raises:
        BadRequestError: Something in it is not as agreed.
    """
    fields = _object(body)
    before = fields.get("before")
    if before is not None and (isinstance(before, bool) or not isinstance(before, (int, float))):
        _refuse("before must be a number or null")
    given = fields.get("conversations")
    if not isinstance(given, list) or len(given) > MAX_FORGOTTEN:
        _refuse(f"conversations must be a list of {MAX_FORGOTTEN} at most")
    names = tuple(_name({"conversation": one}, "conversation") for one in given)
    return Forgetting(names, before)


def without_command(text: str) -> str:
    """Take away what would make Rasa read the text as a command.

    Args:
        text: What the customer typed.

    Returns:
        The text without white space around it and without slashes, repeated or spaced ones
        included, at its beginning.
    """
    return _SLASHES.sub("", text).strip()


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        _refuse("the body is too large")
    try:
        decoded = json.loads(body, parse_constant=_refuse_constant)
    except BadRequestError:
        raise
    except (ValueError, RecursionError):
        _refuse("the body is not JSON in UTF-8")
    if not isinstance(decoded, dict):
        _refuse("the body must be an object")
    cleaned: dict[str, Any] = _clean(decoded, 0)
    return cleaned


def _clean(value: Any, depth: int) -> Any:  # noqa: ANN401  walks any JSON
    """Copy JSON without characters and numbers that no store can hold."""
    if depth > MAX_DEPTH:
        _refuse("nested too deep")
    if isinstance(value, str):
        return _UNUSABLE.sub("", value)
    if isinstance(value, dict):
        return {_clean(key, depth + 1): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        _refuse("numbers must be finite")
    if isinstance(value, int) and abs(value) >= 2**63:
        _refuse("numbers must fit 64 bits")
    return value


def _name(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        _refuse(f"{key} must be 1 to 128 of A-Z a-z 0-9 _ . : -")
    return value


def _text(fields: Mapping[str, Any]) -> str:
    text = fields.get("text")
    if not isinstance(text, str):
        _refuse("text must be a string")
    if len(text) > MAX_TEXT:
        _refuse(f"text is longer than {MAX_TEXT} characters")
    return text


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    """Check the keys that the bot itself reads; others pass, they are for actions."""
    for key in ("channel", "business", "industry", "conversation", "case", "picture"):
        value = metadata.get(key)
        if value is not None and not isinstance(value, str):
            _refuse(f"metadata.{key} must be a string or null")
    if metadata.get("visibility") not in (None, "public", "private"):
        _refuse("metadata.visibility must be public or private")
    stage = metadata.get("stage")
    if stage is not None and not (isinstance(stage, str) and _WORD.fullmatch(stage)):
        _refuse("metadata.stage must be the name of a stage")
    anger = metadata.get("anger")
    if anger is not None and (type(anger) is not int or not 0 <= anger <= 3):
        _refuse("metadata.anger must be 0 to 3 or null")
    said = metadata.get("said")
    if said is not None and not (
        isinstance(said, list) and all(isinstance(name, str) for name in said)
    ):
        _refuse("metadata.said must be a list of variant ids")
    button = metadata.get("button")
    if button is not None and not isinstance(button, dict):
        _refuse("metadata.button must be an object or null")


def _refuse_constant(_: str) -> NoReturn:
    _refuse("numbers must be finite")


def _refuse(why: str) -> NoReturn:
    raise BadRequestError(why)
