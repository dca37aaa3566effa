"""The survey after a case: five pairs of SERVQUAL (RATER), confirmation, recommendation, words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

DIMENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "reliability": "说到的都做到，事情办得对",
        "assurance": "接待的人懂行、有礼貌，让人放心",
        "tangibles": "看到的页面、单据、现场都整齐清楚",
        "empathy": "站在我的角度想，照顾到我的难处",
        "responsiveness": "回得快，肯马上动手帮忙",
    }
)
"""Each of the five dimensions as one statement; asked how it should be, and how it was."""
SCALE = (1, 7)
CONFIRMED = (1, 5)
RECOMMEND = (0, 10)
LONGEST = 500
_FIELDS = frozenset({"expected", "perceived", "confirmed", "recommend", "words"})


class BadAnswersError(ValueError):
    """Answers that cannot be taken; `sentence` says which, for the customer."""

    def __init__(self, sentence: str) -> None:
        """Remember what to answer."""
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Answers:
    """A filled survey.

    Attributes:
        expected: How it should be, 1 to 7 by dimension.
        perceived: How it was.
        confirmed: 1 (much worse than expected) to 5 (much better).
        recommend: 0 to 10.
        words: Free text, empty for none.
    """

    expected: dict[str, int]
    perceived: dict[str, int]
    confirmed: int
    recommend: int
    words: str


def read_answers(given: Mapping[str, Any]) -> Answers:
    """Read what a page sent; the words are cleaned by the caller.

    Raises:
        BadAnswersError: Something is missing, unknown or out of bounds.
    """
    if not set(given) <= _FIELDS:
        raise BadAnswersError("问卷的格式不对，请刷新页面")
    words = given.get("words", "")
    if not isinstance(words, str):
        raise BadAnswersError("问卷的格式不对，请刷新页面")
    if len(words) > LONGEST:
        raise BadAnswersError(f"想说的话最多{LONGEST}个字")
    return Answers(
        _pairs(given.get("expected")),
        _pairs(given.get("perceived")),
        _within(given.get("confirmed"), CONFIRMED, "和预期比怎么样还没有选"),
        _within(given.get("recommend"), RECOMMEND, "愿不愿意推荐还没有选"),
        words,
    )


def _pairs(given: Any) -> dict[str, int]:  # noqa: ANN401 - of a page
    if not isinstance(given, dict) or not set(given) <= set(DIMENSIONS):
        raise BadAnswersError("问卷的格式不对，请刷新页面")
    return {name: _within(given.get(name), SCALE, "五项里还有没选的") for name in DIMENSIONS}


def _within(value: Any, bounds: tuple[int, int], sentence: str) -> int:  # noqa: ANN401 - of a page
    if type(value) is not int or not bounds[0] <= value <= bounds[1]:
        raise BadAnswersError(sentence)
    return value
