"""The clauses of a message.

Whoever is angry tells at length what happened, and is angry in one clause of it. Taken as a whole
the message looks like a report; its angriest clause does not.
"""

import re
from dataclasses import dataclass

# Shorter pieces say too little alone and are read with their neighbour.
SHORTEST = 6

# After a run of marks; a point between letters or digits ends nothing.
_END = re.compile(
    r"(?<=[,;!?，。；！？…~～])(?![,.;!?，。；！？…~～])\s*|(?<=\.)(?![,.;!?，。；！？…~～A-Za-z0-9])\s*|\s+"
)
# Whom a post is addressed to, and where it links to.
_ASIDE = re.compile(r"[@＠][^\s@＠,.:;!?，。：；！？]{1,16}|https?://[!-~]+")


@dataclass(frozen=True)
class Clauses:
    """A message in pieces.

    Attributes:
        said: At least one piece, each with the marks that end it.
        asides: Accounts and links that stand by themselves. They say nothing of how the writer
            feels, but an authority that is tagged is a threat.
    """

    said: tuple[str, ...]
    asides: tuple[str, ...] = ()


def clauses(text: str) -> Clauses:
    """Cut a message into clauses.

    Args:
        text: Any text that is not blank.

    Returns:
        Its pieces. One of fewer than `SHORTEST` characters is joined to the next, at the end to
        the one before. Where a message is nothing but asides it has said those.
    """
    said: list[str] = []
    asides: list[str] = []
    begun = ""
    for part in _END.split(text):
        if not part:
            continue
        if _ASIDE.fullmatch(part):
            asides.append(part)
            continue
        begun += part
        if len(begun) >= SHORTEST:
            said.append(begun)
            begun = ""
    if begun and said:
        said[-1] += begun
    elif begun:
        said.append(begun)
    return Clauses(tuple(said), tuple(asides)) if said else Clauses((text,))
