"""A practice under way: its lines, and how the simulated customer stands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from recovery.anger import CaseAnger
from recovery.drill.given import Given
from recovery.drill.scenario import Scenario

Outcome = Literal["calmed", "walked_out", "time", "stopped"]
CUSTOMER, TRAINEE = "customer", "trainee"

Line = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """How a simulated customer stands.

    Attributes:
        mood: What they feel, 0 to 3.
        anger: What their lines showed, as of a case.
        told: Places of the facts that they told.
        touched: Places of what calmed them.
        done: What of `reading.GOOD` was done.
        sorries: Lines that said sorry.
        streak: Lines in a row that did harm.
        chases: How often they asked since the last answer.
        outcome: How it ended, None while it goes on.
    """

    mood: float
    anger: CaseAnger
    told: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()
    done: tuple[str, ...] = ()
    sorries: int = 0
    streak: int = 0
    chases: int = 0
    outcome: Outcome | None = None

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    @classmethod
    def from_wire(cls, content: Mapping[str, Any]) -> "Standing":
        """Read what `to_wire` gave."""
        lists = {name: tuple(content[name]) for name in ("told", "touched", "done")}
        return cls(**{**content, **lists, "anger": CaseAnger(**content["anger"])})


@dataclass(frozen=True)
class Drill:
    """One practice under way.

    Attributes:
        seed: Chooses among what the customer might say.
        lines: `{"id", "by", "text", "at"}`; of the customer also `level` and `heat`, of the
            trainee `marks` and `waited`, in seconds.
    """

    scenario: Scenario
    given: Given
    seed: str
    due: datetime
    standing: Standing
    lines: tuple[Line, ...]

    @property
    def theirs(self) -> list[str]:
        """What the customer has said."""
        return [one["text"] for one in self.lines if one["by"] == CUSTOMER]


def level_of(mood: float) -> int:
    """The level that a mood shows as, the upper one of two equally near."""
    return int(mood + 0.5)
