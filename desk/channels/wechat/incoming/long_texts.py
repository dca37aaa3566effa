"""Texts longer than one message of the desk: WeChat lets people write more at once."""

import unicodedata

from desk.channels.wechat.outgoing.cutting import cut, size
from desk.conversations import phrases
from desk.conversations.ingest import LONGEST, RefusedError

MOST = 6000
"""So many characters are taken at once; nobody types more into a chat."""


def parts_of(text: str) -> list[str]:
    """Cut what a customer has written into messages that can be taken, where one pauses.

    Args:
        text: As it came.

    Returns:
        At least one; none is longer than one message may be.

    Raises:
        RefusedError: It is longer than can be taken at once; nothing of it is.
    """
    if len(text) <= LONGEST:
        return [text]
    if len(text) > MOST:
        raise RefusedError("too_long", phrases.too_much(MOST))
    # As it is stored: some characters become several.
    rest = unicodedata.normalize("NFC", text).strip()
    parts = []
    while len(rest) > LONGEST:
        part = cut(rest, size(rest[:LONGEST]))[0]
        parts.append(part)
        rest = rest[len(part) :].lstrip()
    return [*parts, rest] if rest else parts
