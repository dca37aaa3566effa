"""One spelling for what people type in many ways."""

import re
import unicodedata

# People write at length; how they feel shows at the beginning and at the end.
MAX_HEAD = 400
MAX_TAIL = 200

HOTLINES = frozenset(
    "110 119 120 122 315 12300 12301 12305 12309 12315 12318 12320 12321 12331 12333 12345 12348 "
    "12356 12358 12363 12365 12369 12377 12378 12381 12386 12388".split()
)
"""Numbers that mean an authority or an emergency; they keep their digits."""

_NUMBER = re.compile(r"\d+")
_URL = re.compile(r"https?://[!-~]+|www\.[!-~]+")
_REPEATS = re.compile(r"(.)\1{3,}", re.DOTALL)
_SPACE = re.compile(r"\s+")


def unify(text: str) -> str:
    """Unify the forms of characters; nothing is counted or masked yet.

    Args:
        text: Any text.

    Returns:
        The text in NFKC and lower case, invisible and control characters removed, white space
        as single spaces.
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    visible = "".join(
        " " if character.isspace() else character
        for character in folded
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    return _SPACE.sub(" ", visible).strip()


def mask(text: str) -> str:
    """Take out of a unified text what differs between messages without meaning.

    Args:
        text: As `unify` gives it.

    Returns:
        The text with digits as 0 (at most three; hotlines such as 12315 stay), links as one
        word, repeats of a character ended at three, and the middle of a long text left out.
    """
    short = _URL.sub(" url ", text)
    short = _NUMBER.sub(_mask_number, short)
    short = _SPACE.sub(" ", _REPEATS.sub(r"\1\1\1", short)).strip()
    if len(short) > MAX_HEAD + MAX_TAIL:
        short = f"{short[:MAX_HEAD]} {short[-MAX_TAIL:]}"
    return short


def _mask_number(match: re.Match[str]) -> str:
    number = match[0]
    # The digits of other scripts that NFKC leaves are masked as well.
    return number if number in HOTLINES else "0" * min(len(number), 3)
