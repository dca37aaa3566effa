"""A scenario of practice: who the customer is, what happened, what calms and what inflames."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recovery.business import Industry
from recovery.failures import FAILURES
from recovery.privacy import mask

Word = Annotated[str, Field(min_length=1, max_length=20)]
Line = Annotated[str, Field(min_length=2, max_length=300)]
Title = Annotated[str, Field(min_length=2, max_length=40)]

# Line breaks, and the joiner of emoji.
_SEEN = "\n\u200d"
_WORDS = {"min_length": 1, "max_length": 20}


class BadScenarioError(ValueError):
    """A scenario that cannot be practised; the message says why, in Chinese."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Persona(_Part):
    """Who the customer is, as whoever practises reads it."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    about: Annotated[str, Field(max_length=200)] = ""


class Fact(_Part):
    """Something the customer knows.

    Attributes:
        asked: Words of a question that asks for it.
        line: What the customer says then.
        given: The opening says it already: who asks for it has not read.
        hidden: It explains the anger, and is not told unless somebody asks.
    """

    title: Title
    asked: Annotated[tuple[Word, ...], Field(**_WORDS)]
    line: Line
    given: bool = False
    hidden: bool = False


class Touch(_Part):
    """What touches this customer more than others, for better or worse.

    Attributes:
        words: Any of them.
        what: What it is, for the review.
        line: What the customer answers.
    """

    words: Annotated[tuple[Word, ...], Field(**_WORDS)]
    what: Title
    line: Line


class Order(_Part):
    """What the policy is asked with, as in `recovery.remedy.facts`."""

    paid: int = Field(ge=0, le=100_000_000)
    harm: Literal["slight", "plans", "loss", "injury"] = "slight"
    tier: Literal["none", "silver", "gold"] = "none"
    recurrence: int = Field(default=0, ge=0, le=20)
    evidence: Literal["none", "declined", "photo"] = "photo"
    first_time: bool = False
    fault: Literal["ours", "third_party", "unclear"] | None = None


class Better(_Part):
    """How it can be said in this matter."""

    acknowledge: Line
    step: Line


class Scenario(_Part):
    """One scenario.

    Attributes:
        level: 1 easy, 2 usual, 3 hard.
        minutes: How long a practice takes.
        patience: Seconds that the customer waits for an answer before it is slow.
        anger: At the opening, 0 to 3.
        matter: Words that name the matter.
        closing: What a calmed customer ends with.
        source: `written` comes with Huixin, `recorded` was made out of a case.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
    industry: Industry
    failure: str
    title: Title
    level: int = Field(default=2, ge=1, le=3)
    minutes: int = Field(default=10, ge=3, le=30)
    patience: int = Field(default=90, ge=30, le=300)
    anger: int = Field(default=2, ge=0, le=3)
    persona: Persona
    opening: Annotated[tuple[Line, ...], Field(min_length=1, max_length=4)]
    matter: Annotated[tuple[Word, ...], Field(**_WORDS)]
    facts: Annotated[tuple[Fact, ...], Field(max_length=8)] = ()
    calms: Annotated[tuple[Touch, ...], Field(max_length=6)] = ()
    inflames: Annotated[tuple[Touch, ...], Field(max_length=6)] = ()
    order: Order
    better: Better
    closing: Line
    source: Literal["written", "recorded"] = "written"

    @model_validator(mode="after")
    def _of_its_trade(self) -> "Scenario":
        failure = FAILURES.get(self.failure)
        if failure is None or self.industry not in failure.industries:
            raise ValueError(f"{self.industry} has no failure {self.failure!r}")
        return self

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON types."""
        return self.model_dump(mode="json")


# What stands wrong in a form is named as the page names it.
_FIELDS = {
    "title": "标题",
    "persona": "顾客",
    "opening": "开头的话",
    "matter": "关键词",
    "facts": "问得到的事",
    "calms": "让顾客消气的话",
    "inflames": "让顾客更气的话",
    "order": "实付金额",
    "better": "更好的说法",
    "closing": "收尾的话",
    "failure": "什么事",
    "minutes": "时长",
    "anger": "开头的情绪",
}


def read_scenario(content: Any) -> Scenario:  # noqa: ANN401 - whatever a page or a store held
    """Read a scenario.

    Raises:
        BadScenarioError: It is none.
    """
    try:
        found = Scenario.model_validate(content)
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        name = _FIELDS.get(str(place[0]) if place else "", "内容")
        raise BadScenarioError(f"场景里“{name}”填得不对：不能空着，也不能太长") from error
    if any(_is_unseen(char) for text in _texts(found.to_wire()) for char in text):
        raise BadScenarioError("场景里有看不见的字符，请删掉再保存")
    return found


def _is_unseen(char: str) -> bool:
    return char not in _SEEN and unicodedata.category(char).startswith("C")


def personal_data(scenario: Scenario) -> tuple[str, ...]:
    """Kinds of personal data in the words of a scenario, each once; there must be none."""
    return tuple(
        dict.fromkeys(kind for text in _texts(scenario.to_wire()) for kind in mask(text).found)
    )


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        # Its own id is made by the desk.
        return [text for name, one in value.items() if name != "id" for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []
