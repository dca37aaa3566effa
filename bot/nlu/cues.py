"""Cues of feeling and danger: named patterns, counted in the whole message and in its last words.

The table is `cues.yml`. A trained pipeline keeps the table it was trained with.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

TABLE = Path(__file__).with_name("cues.yml")

YOU = "(?:你们?|您|贵(?:公司|司|店|酒店|行|物业)|他们|客服|商家|店家|公司|物业|酒店|平台)"
DONE = (
    "(?:解决|处理|回复|答复|结果|动静|消息|下文|说法|反应|修好|修|弄好|发货|到账|退|来人?|人来|人管|"
    "人接|恢复|联系)"
)
# A count beyond this adds nothing.
MOST = 4
# Feeling shows at the end: the last clauses of a message are looked at again by themselves.
LAST_CLAUSES = 2

_CLAUSE_END = re.compile(r"[,.;!?。、;…~\s]+")


class CueTableError(ValueError):
    """The table of cues is not as agreed."""


class Cues:
    """Counts cues in a text.

    Attributes:
        table: The patterns of each cue, as in the file.
        names: Of the cues, in the order of the table.
    """

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        """Compile a table.

        Args:
            table: Regular expressions of each cue, joined as alternatives; `{you}` and `{done}`
                are filled in.

        Raises:
            CueTableError: A pattern is no regular expression, or a cue has none.
        """
        self.table = {name: list(patterns) for name, patterns in table.items()}
        self.names = tuple(self.table)
        self._patterns: list[re.Pattern[str]] = []
        for name, patterns in self.table.items():
            try:
                joined = "|".join(patterns).replace("{you}", YOU).replace("{done}", DONE)
                self._patterns.append(re.compile(joined))
            except (re.error, TypeError) as error:
                raise CueTableError(f"cues.yml: {name}: {error}") from error
            if not patterns or self._patterns[-1].match(""):
                raise CueTableError(f"cues.yml: {name} fits the empty text, so it says nothing")

    @classmethod
    def read(cls, path: Path = TABLE) -> "Cues":
        """Read a table from a file.

        Raises:
            CueTableError: See `Cues`.
        """
        return cls(yaml.safe_load(path.read_text("utf-8")))

    def find(self, text: str) -> list[tuple[str, int, int]]:
        """Find cues.

        Args:
            text: As `bot.nlu.normaliser.mask` gives it.

        Returns:
            Name, start and end of each, those of one cue together.
        """
        return [
            (name, match.start(), match.end())
            for name, pattern in zip(self.names, self._patterns, strict=True)
            for match in pattern.finditer(text)
            if match.end() > match.start()
        ]

    def count(self, text: str, found: Sequence[tuple[str, int, int]]) -> list[float]:
        """Count cues.

        Args:
            text: As `bot.nlu.normaliser.mask` gives it.
            found: What `find` gave for it.

        Returns:
            For each cue the root of its count in the text, at most 2; then for each cue whether
            the last two clauses have it.
        """
        counts = Counter(name for name, _, _ in found)
        last = last_clauses(text)
        return [
            *(float(min(counts[name], MOST)) ** 0.5 for name in self.names),
            *(float(pattern.search(last) is not None) for pattern in self._patterns),
        ]


def last_clauses(text: str) -> str:
    """Give the last clauses of a text, without the marks between them."""
    return "".join([part for part in _CLAUSE_END.split(text) if part][-LAST_CLAUSES:])
