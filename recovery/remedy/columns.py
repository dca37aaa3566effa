"""Plain text in columns, aligned by the width that a terminal gives Chinese characters."""

import unicodedata
from collections.abc import Sequence

_GAP = "  "


def width(text: str) -> int:
    """How many places of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "FW" else 1
        for one in text
    )


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = (), indent: str = "") -> str:
    """Rows as lines with columns under one another.

    Args:
        rows: Of one length.
        right: The columns that end, and do not begin, under one another.
        indent: Before every line.
    """
    if not rows:
        return ""
    widths = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            " " * (widths[place] - width(text)) + text
            if place in right
            else text + " " * (widths[place] - width(text))
            for place, text in enumerate(row)
        ]
        lines.append((indent + _GAP.join(cells)).rstrip())
    return "\n".join(lines)
