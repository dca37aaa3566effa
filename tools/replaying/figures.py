"""Counts over the visits of a replay."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recovery.anger import ANGRY
from recovery.dialogue.complaint import complains
from tools.replaying.visits import Visit

LEVELS = ("calm", "dissatisfied", "angry", "furious")
NO_CASE = "(no case)"
NO_MATTER = "(no matter named)"


@dataclass(frozen=True)
class Intent:
    """How posts of one intent fared."""

    name: str
    posts: int
    answered: int
    invited: int


@dataclass(frozen=True)
class Figures:
    """What a replay came to.

    Attributes:
        posts: How many were made.
        refused: By the desk, with a sentence.
        broken: Visits that went wrong.
        anger: Posts by recognised level, 0 to 3.
        complaints: Posts recognised as complaints.
        aloud: Posts answered where everybody reads it.
        invited: Posts that brought an invitation.
        entered: Customers who found an opening in the private chat.
        to_person: Cases that wait for a person once the customer has posted.
        responses: How often each response was said in answer to a post.
        failures: Cases by failure.
        intents: By number of posts.
        median: Seconds to the first words, over the posts with an answer; None without any.
        p95: The same, 95th percentile.
        silent: Posts without any words, by the reason.
    """

    posts: int
    refused: int
    broken: int
    anger: tuple[int, ...]
    complaints: int
    aloud: int
    invited: int
    entered: int
    to_person: int
    responses: Counter[str]
    failures: Counter[str]
    intents: tuple[Intent, ...]
    median: float | None
    p95: float | None
    silent: Counter[str]


def count(visits: Sequence[Visit]) -> Figures:
    """Count.

    Args:
        visits: All of a replay.
    """
    known = [visit.recorded for visit in visits if visit.recorded]
    understood = [one.understood for one in known if one.understood]
    levels = Counter(one.anger for one in understood)
    seconds = [visit.seconds for visit in visits if visit.seconds is not None]
    return Figures(
        posts=len(visits),
        refused=sum(visit.refused is not None for visit in visits),
        broken=sum(visit.broken is not None for visit in visits),
        anger=tuple(levels[level] for level in range(len(LEVELS))),
        complaints=sum(complains(one) for one in understood),
        aloud=sum(bool(visit.aloud) for visit in visits),
        invited=sum(visit.invited for visit in visits),
        entered=sum(bool(visit.opening) for visit in visits),
        to_person=sum(one.stage == "person" for one in known),
        responses=Counter(name for one in known for name in one.responses),
        failures=Counter(failure_of(visit) for visit in visits if visit.recorded),
        intents=_intents(visits),
        median=percentile(seconds, 0.5),
        p95=percentile(seconds, 0.95),
        silent=Counter(why for visit in visits if (why := why_silent(visit))),
    )


def failure_of(visit: Visit) -> str:
    """The failure of the case that a post opened, or why there is none."""
    if visit.recorded is None or not visit.recorded.case:
        return NO_CASE
    return visit.recorded.failure or NO_MATTER


def intent_of(visit: Visit) -> str:
    """The intent of a post, `(unread)` where nothing was understood."""
    heard = visit.recorded.understood if visit.recorded else None
    return heard.intent if heard else "(unread)"


def why_silent(visit: Visit) -> str | None:
    """Why a post brought no words; None where it brought some."""
    if visit.broken:
        return "the visit broke"
    if visit.refused:
        return "refused by the desk"
    if visit.answered:
        return None
    heard = visit.recorded.understood if visit.recorded else None
    if heard is None:
        return "Rasa did not answer in time"
    kind = "angry" if heard.anger >= ANGRY else "not angry"
    return f"no complaint, {kind}, intent {heard.intent}"


def percentile(values: Iterable[float], share: float) -> float | None:
    """The value that a share of the values does not exceed (nearest rank).

    Args:
        values: In any order.
        share: Above 0, at most 1.

    Returns:
        One of the values; None where there is none.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _intents(visits: Sequence[Visit]) -> tuple[Intent, ...]:
    by_name: dict[str, list[Visit]] = {}
    for visit in visits:
        by_name.setdefault(intent_of(visit), []).append(visit)
    rows = [
        Intent(
            name,
            len(group),
            sum(visit.answered for visit in group),
            sum(visit.invited for visit in group),
        )
        for name, group in by_name.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.posts, row.name)))
