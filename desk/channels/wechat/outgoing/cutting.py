"""Cuts long texts where a reader would pause: WeChat takes 2,048 bytes of UTF-8 in one message."""

import re
import unicodedata
from bisect import bisect_left
from itertools import takewhile

MOST_BYTES = 2048
# A pause before this share of what fits makes a message too short to be worth it.
_LEAST_SHARE = 0.4
_JOINER, _KEYCAP = "\u200d", "\u20e3"
# After which characters one pauses, the longest pause first.
_PAUSES = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n|[。！？…；!?;]+[”’」』）)】》]*(?=\s|[^\s。！？…；!?;”’」』）)】》])"),
    re.compile(r"[，、：,:]+(?=\D)"),
    re.compile(r"\s+"),
)
# What belongs together: addresses, amounts and times, words and numbers in Latin letters.
_WHOLE = re.compile(
    r"https?://[^\s，。！？；、）】》”]+"
    r"|[¥￥$]?\d[\d.,:/%-]*(?:\d|%)?[元分件张个号楼天月日时年米]?"
    r"|[A-Za-z0-9_@.+-]+"
)


def size(text: str) -> int:
    """Length in bytes of UTF-8, as WeChat counts."""
    return len(text.encode(errors="surrogatepass"))


def cut(text: str, most: int = MOST_BYTES) -> list[str]:
    """Cut a text into parts that fit.

    Args:
        text: Any.
        most: Bytes in a part, at least those of one character.

    Returns:
        Parts without white space around them, none of them empty; put together again they are the
        text but for white space where it was cut.
    """
    parts = []
    rest = text.strip()
    while size(rest) > most:
        end = _end_of_first(rest, most)
        part, rest = rest[:end].rstrip(), rest[end:].lstrip()
        parts.append(part)
    return [*parts, rest] if rest else parts


def _end_of_first(text: str, most: int) -> int:
    """Where the first part ends: behind the best pause that fits."""
    fits = _fitting(text, most)
    least = int(fits * _LEAST_SHARE)
    wholes = _wholes(text, fits)

    def parts_nothing(end: int) -> bool:
        before = bisect_left(wholes, (end, 0)) - 1
        return not _glued(text, end) and not (before >= 0 and end < wholes[before][1])

    for pause in _PAUSES:
        # What stands behind the last that fits tells whether there is a pause.
        ends = [found.end() for found in pause.finditer(text, 0, fits + 1)]
        for end in reversed(ends):
            if least < end <= fits and parts_nothing(end):
                return end
    for end in range(fits, least, -1):
        if parts_nothing(end):
            return end
    return next((end for end in range(fits, 0, -1) if not _glued(text, end)), fits)


def _fitting(text: str, most: int) -> int:
    """How many characters fit, at least one."""
    used = 0
    for place, char in enumerate(text):
        used += size(char)
        if used > most:
            return max(1, place)
    return len(text)


def _wholes(text: str, before: int) -> list[tuple[int, int]]:
    """Where numbers, words and addresses begin and end, of those that begin before a place."""
    found = takewhile(lambda one: one.start() < before, _WHOLE.finditer(text))
    return [one.span() for one in found]


def _glued(text: str, place: int) -> bool:
    """Whether the characters on both sides make one that is seen."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if _JOINER in (before, after) or after == _KEYCAP or _extends(after):
        return True
    if _is_regional(before) and _is_regional(after):
        # Flags are pairs: only between two of them may be cut.
        run = 0
        while run < place and _is_regional(text[place - 1 - run]):
            run += 1
        return run % 2 == 1
    return before == "\r" and after == "\n"


def _extends(char: str) -> bool:
    """Whether a character only changes the one before it: accents, skin tones, variants, tags."""
    code = ord(char)
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or 0x1F3FB <= code <= 0x1F3FF
        or 0xE0020 <= code <= 0xE007F
    )


def _is_regional(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF
