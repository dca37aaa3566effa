"""The variables of canned replies, and the replies that Huixin comes with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

STARTERS = Path(__file__).parent / "canned.yml"
VARIABLES = ("顾客", "商家", "事情", "订单号", "客服", "时限")
_BRACED = re.compile(r"\{([^{}]*)\}")
# With a variable that is not known goes the comma that leads on from it.
_EMPTY = re.compile(r"\x00[，、,：:]?\s?")


@dataclass(frozen=True)
class CannedText:
    """What a canned reply consists of.

    Attributes:
        industry: For which one; None for any.
        anger_least: For a case at least as angry, 0 to 3.
        anger_most: For a case at most as angry, 0 to 3.
        text: With variables, see `VARIABLES`.
        shortcut: What is typed to find it; None for none.
    """

    title: str
    text: str
    industry: str | None = None
    anger_least: int = 0
    anger_most: int = 3
    shortcut: str | None = None


class BadVariableError(ValueError):
    """A text with a variable that there is not.

    Attributes:
        name: As written between the braces.
    """

    def __init__(self, name: str) -> None:
        """Remember the variable."""
        super().__init__(name)
        self.name = name


def check(text: str) -> None:
    """Check the variables of a text.

    Raises:
        BadVariableError: One is unknown, or a brace stands alone.
    """
    for name in _BRACED.findall(text):
        if name not in VARIABLES:
            raise BadVariableError(name)
    if re.search(r"[{}]", _BRACED.sub("", text)):
        raise BadVariableError("{")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill in the variables of a text.

    Args:
        text: With variables.
        values: By name; what is absent or empty leaves no gap.
    """
    filled = _BRACED.sub(lambda match: values.get(match[1]) or "\0", text)
    return _EMPTY.sub("", filled)


def starters() -> list[CannedText]:
    """The replies that a new desk begins with."""
    content = yaml.safe_load(STARTERS.read_text("utf-8"))
    return [CannedText(**one) for one in content]
