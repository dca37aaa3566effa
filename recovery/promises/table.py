"""The table of promised times: when each kind of remedy is due, and what is added when it is late.

The file `late.json` is read strictly: every row has a rule id, and nothing unknown is passed over.
Its name, version and digest, stands in each decision that it made, so that the decision can be made
again with the archived file.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recovery.business import Industry
from recovery.remedy.catalogue import KINDS, BadRemedyError, Remedy, check, kind_of

FILE = "late.json"
BUILT_IN = Path(__file__).parent / FILE
PREFIX = "late-"
"""Names of these tables begin so; those of the remedy policy never do."""
EVERY = "*"
_DAY = 24 * 60
_Rule = Annotated[str, Field(pattern=r"^P-[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=64)]
_Share = Annotated[int, Field(ge=0, le=10_000)]
_Minutes = Annotated[int, Field(ge=1, le=30 * _DAY)]


class PromiseTableError(ValueError):
    """The table cannot be used; says where and why."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Warn(_Row):
    """How long before its time a promise that is not kept yet is spoken of.

    Attributes:
        share_bp: This share of all the time there was.
        least_minutes: But at least so long before, or half of the time where that is less.
        most_minutes: And at most so long before.
    """

    share_bp: _Share
    least_minutes: _Minutes
    most_minutes: _Minutes


class Due(_Row):
    """When a kind of remedy is due that names no minutes itself.

    Attributes:
        minutes: After so much service time.
        hours: After so many hours by the clock.
        days: At the end of the day, so many days after.
        then_days: Once it is sent on: at the end of the day, so many days after that.
    """

    rule: _Rule
    name: str
    kinds: list[str]
    industries: list[Industry] | None = None
    minutes: _Minutes | None = None
    hours: Annotated[int, Field(ge=1, le=30 * 24)] | None = None
    days: Annotated[int, Field(ge=0, le=30)] | None = None
    then_days: Annotated[int, Field(ge=0, le=30)] | None = None

    @model_validator(mode="after")
    def _one_time(self) -> "Due":
        if sum(one is not None for one in (self.minutes, self.hours, self.days)) != 1:
            raise ValueError("exactly one of minutes, hours and days")
        return self


class Extend(_Row):
    """How much longer it takes, as a share of the time there was.

    Attributes:
        span_to: Up to so many minutes from promise to due; None for all that is longer.
    """

    rule: _Rule
    name: str
    span_to: _Minutes | None = None
    share_bp: _Share
    least_minutes: _Minutes
    most_minutes: _Minutes


class Add(_Row):
    """What is added for a promise that is not kept in time.

    Attributes:
        paid_from: For orders of at least so much, in fen.
        late_from: For a delay of at least so many minutes.
        remedies: Nothing, or what needs no price list of a trade.
    """

    rule: _Rule
    name: str
    kinds: list[str]
    industries: list[str]
    paid_from: Annotated[int, Field(ge=0)] = 0
    late_from: Annotated[int, Field(ge=0)] = 0
    remedies: list[dict[str, Any]]

    @model_validator(mode="after")
    def _priced(self) -> "Add":
        for one in self.remedies:
            try:
                checked = check(one)
            except BadRemedyError as error:
                raise ValueError(str(error)) from error
            kind = kind_of(checked)
            if kind.price is None or kind.unit_priced or "bp" in checked:
                raise ValueError(f"{one['kind']}: only what has a price of its own")
        return self


class _Content(_Row):
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.\-]{1,20}$")]
    warn: Warn
    due: list[Due]
    extend: list[Extend]
    add: list[Add]
    most_additions_per_case: Annotated[int, Field(ge=0, le=20)]

    @model_validator(mode="after")
    def _whole(self) -> "_Content":
        rules = [one.rule for one in self.due]
        rules += [one.rule for one in self.extend] + [one.rule for one in self.add]
        if len(set(rules)) < len(rules):
            raise ValueError("a rule id is used twice")
        named = {kind for one in self.due for kind in one.kinds}
        named |= {kind for one in self.add for kind in one.kinds}
        if unknown := named - {EVERY, *KINDS}:
            raise ValueError(f"unknown kinds {sorted(unknown)}")
        if not self.due or self.due[-1].kinds != [EVERY] or self.due[-1].industries:
            raise ValueError("the last row of due holds for every kind")
        if not self.extend or self.extend[-1].span_to is not None:
            raise ValueError("the last row of extend holds for every span")
        return self


class PromiseTable:
    """The table as it decides. The first row that fits answers."""

    def __init__(self, content: object) -> None:
        """Take a table.

        Args:
            content: As parsed from JSON.

        Raises:
            PromiseTableError: It cannot be used.
        """
        try:
            self._content = _Content.model_validate(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(one) for one in first["loc"])
            raise PromiseTableError(f"{FILE}：{place or '全表'}：{first['msg']}") from error
        self.bundle: dict[str, Any] = self._content.model_dump(mode="json", exclude_none=True)
        text = json.dumps(self.bundle, ensure_ascii=False, sort_keys=True)
        digest = sha256(text.encode()).hexdigest()[:12]
        self.name = f"{PREFIX}{self._content.version}-{digest}"

    @property
    def warn(self) -> Warn:
        """When a promise is spoken of before it is missed."""
        return self._content.warn

    @property
    def most_additions(self) -> int:
        """How often something is added in one case."""
        return self._content.most_additions_per_case

    def due(self, kind: str, industry: str) -> Due:
        """The row that says when a kind of remedy is due."""
        return next(
            one
            for one in self._content.due
            if _holds(one.kinds, kind) and (one.industries is None or industry in one.industries)
        )

    def extend(self, span_minutes: int) -> Extend:
        """The row that says how much longer it takes."""
        return next(
            one
            for one in self._content.extend
            if one.span_to is None or span_minutes <= one.span_to
        )

    def add(self, facts: Mapping[str, Any]) -> tuple[str, list[Remedy]]:
        """What is added for promises that are not kept in time.

        Args:
            facts: `industry`, `kinds` (those that are late), `paid` in fen, `late_minutes`.

        Returns:
            The rule, and what it gives: that of the kind for which most is given; empty without
            any rule.
        """
        found = [_first(self._content.add, facts, str(kind)) for kind in facts["kinds"]]
        rows = [one for one in found if one is not None]
        if not rows:
            return "", []
        best = max(rows, key=lambda one: worth_of(one.remedies))
        return best.rule, [{**check(one), "part": "goodwill"} for one in best.remedies]


def _first(rows: list[Add], facts: Mapping[str, Any], kind: str) -> Add | None:
    for one in rows:
        if (
            _holds(one.kinds, kind)
            and _holds(one.industries, str(facts["industry"]))
            and facts["paid"] >= one.paid_from
            and facts["late_minutes"] >= one.late_from
        ):
            return one
    return None


def _holds(named: list[str], one: str) -> bool:
    return EVERY in named or one in named


def worth_of(remedies: list[Remedy]) -> int:
    """What additions cost, in fen."""
    total = 0
    for one in remedies:
        price = kind_of(one).price
        total += price(one, 0, 0) if price else 0
    return total


def read_promise_table(text: str) -> PromiseTable:
    """Read the table.

    Args:
        text: JSON.

    Raises:
        PromiseTableError: It cannot be used.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PromiseTableError(f"{FILE}：不是 JSON（{error}）") from error
    return PromiseTable(content)


def load_promise_table(directory: Path | None = None) -> PromiseTable:
    """Read the table from its file.

    Args:
        directory: Of the operator's own policy; where it has a `late.json`, that one counts.

    Raises:
        PromiseTableError: It cannot be used.
    """
    own = directory / FILE if directory else None
    path = own if own and own.is_file() else BUILT_IN
    try:
        return read_promise_table(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PromiseTableError(f"{path}：读不出来（{error}）") from error
