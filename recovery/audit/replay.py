"""Stored decisions made again with the archived policy of their day, and what differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recovery.audit.stored import Archive, NotKeptError, Stored, UndecidedError, without_fill_ins
from recovery.promises.table import worth_of


@dataclass(frozen=True)
class Difference:
    """One thing that came out differently.

    Attributes:
        decision: Its id.
        case: Of which case.
        what: `remedies`, `rules`, `floor_fen` or `goodwill_fen`.
        stored: As it was stored.
        again: As the archived policy gives it.
    """

    decision: str
    case: str
    what: str
    stored: Any
    again: Any


@dataclass(frozen=True)
class Unanswered:
    """A decision that cannot be made again.

    Attributes:
        decision: Its id.
        case: Of which case.
        policy: With which it was made.
        why: In Chinese.
    """

    decision: str
    case: str
    policy: str
    why: str


@dataclass(frozen=True)
class Replay:
    """What came of making decisions again.

    Attributes:
        decisions: How many were asked for.
        same: How many came out as they were stored.
        departed: How many staff departed in, which are not compared.
        policies: Names of the policies they were made with.
        different: What differs, in the order of the decisions.
        unanswered: What could not be made again.
    """

    decisions: int
    same: int
    departed: int
    policies: tuple[str, ...]
    different: tuple[Difference, ...]
    unanswered: tuple[Unanswered, ...]

    @property
    def found(self) -> bool:
        """Whether anything is not as it was stored."""
        return bool(self.different or self.unanswered)

    def to_wire(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "decisions": self.decisions,
            "same": self.same,
            "departed": self.departed,
            "policies": list(self.policies),
            "different": [vars(one) for one in self.different],
            "unanswered": [vars(one) for one in self.unanswered],
        }


def replay(decisions: Iterable[Stored], archive: Archive) -> Replay:
    """Make decisions again.

    Args:
        decisions: As stored. Where staff departed from the policy nothing is compared: what
            they gave stands beside what the policy gives in the audit.
        archive: The policies they were made with.
    """
    number = same = departed = 0
    policies: set[str] = set()
    different: list[Difference] = []
    unanswered: list[Unanswered] = []
    for one in decisions:
        number += 1
        policies.add(one.policy)
        try:
            found = differences(one, archive)
        except (NotKeptError, UndecidedError) as error:
            unanswered.append(Unanswered(one.id, one.case_id, one.policy, str(error)))
            continue
        if one.departs:
            departed += 1
        elif found:
            different += found
        else:
            same += 1
    return Replay(
        number, same, departed, tuple(sorted(policies)), tuple(different), tuple(unanswered)
    )


def differences(one: Stored, archive: Archive) -> Sequence[Difference]:
    """What differs between a decision as stored and made again.

    Raises:
        NotKeptError: Its policy is not in the archive.
        UndecidedError: It cannot be made again.
    """
    pairs = _added(one, archive) if one.for_lateness else _decided(one, archive)
    return [
        Difference(one.id, one.case_id, what, stored, computed)
        for what, (stored, computed) in pairs.items()
        if not _equal(stored, computed)
    ]


_Pairs = dict[str, tuple[Any, Any]]


def _decided(one: Stored, archive: Archive) -> _Pairs:
    again = archive.decide(one)
    return {
        "remedies": (list(one.given), without_fill_ins(again.remedies)),
        "rules": (list(one.rules), again.rules),
        "floor_fen": (one.floor_fen, again.floor_worth.fen),
        "goodwill_fen": (one.goodwill_fen, again.goodwill_worth.fen),
    }


def _added(one: Stored, archive: Archive) -> _Pairs:
    rule, remedies = archive.added(one)
    return {
        "remedies": (list(one.given), remedies),
        "rules": (list(one.rules), [rule] if rule else []),
        "floor_fen": (one.floor_fen, 0),
        "goodwill_fen": (one.goodwill_fen, worth_of(remedies)),
    }


def _equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether two values are the same JSON; `100.0` is not `100`, and `True` is not `1`."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)
