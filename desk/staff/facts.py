"""What staff may set of a case, as a page sends it."""

import json
from collections.abc import Mapping
from typing import Any

from desk.errors import PageError
from recovery.remedy.facts import FACTS
from recovery.remedy.wording import WORDS

SETTABLE = ("fault", "finding", "harm")
"""Whose fault it is, what was found, and the harm, where the bot has read it wrongly."""
_LONGEST_SHOWN = 40


def read_facts(body: Mapping[str, Any]) -> dict[str, str]:
    """Read facts that a member of staff sets.

    Args:
        body: Any of `SETTABLE` by name.

    Returns:
        At least one of them.

    Raises:
        PageError: Something else; its sentence names what, and what there is.
    """
    names = "、".join(f"{FACTS[name].label}（{name}）" for name in SETTABLE)
    unknown = [name for name in body if name not in SETTABLE]
    if unknown:
        said = "、".join(map(_quoted, unknown[:3]))
        raise PageError(400, "unknown_fact", f"没有{said}这一项；可以记的有{names}")
    if not body:
        raise PageError(400, "no_fact", f"没有要记的；可以记的有{names}")
    for name, value in body.items():
        words = WORDS[name]
        if not isinstance(value, str) or value not in words:
            known = "、".join(f"{word}（{one}）" for one, word in words.items())
            raise PageError(
                400, "bad_fact", f"{FACTS[name].label}不能是{_quoted(value)}；可以是{known}"
            )
    return dict(body)


def _quoted(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    # Half a character cannot be sent back.
    safe = "".join(char if char.isprintable() else "?" for char in shown[:_LONGEST_SHOWN])
    return f"“{safe}{'…' if len(shown) > _LONGEST_SHOWN else ''}”"
