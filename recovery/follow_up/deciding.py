"""What is to be done with a follow-up that is due: asked, put off, or left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from recovery.follow_up.policy import FollowUpPolicy

WAITING, ASKED, ANSWERED, ENDED, CANCELLED = (
    "waiting",
    "asked",
    "answered",
    "ended",
    "cancelled",
)
MOST_ASKS = 2
_LONGEST = timedelta(days=60)
"""So long after it was planned nobody is asked any more, however often it was put off."""
AT_REST = ("closed", "agreed")
"""Stages of a case that has come to rest."""

Why = Literal[
    "asked_lately",
    "merged",
    "no_ask",
    "other_matter",
    "out_of_reach",
    "refused",
    "reopened",
    "silent",
    "staff",
    "too_late",
    "unreached",
    "wrote_first",
    "wrote_other",
]


@dataclass(frozen=True)
class Standing:
    """How a due follow-up stands, as the store has it in the transaction that decides.

    Attributes:
        state: `waiting` or `asked`.
        round: How often it was asked.
        due_at: When it was due, aware.
        rested_at: When the case has come to rest since this was last looked at; None: it has not.
        stage: Of the case, None where there is none any more.
        merged: The case goes on in another.
        undone: Something that was promised is not done yet.
        busy: A person has the conversation, or it waits for one.
        refused: The person never wants to be asked again.
        asked_lately: The person was asked about another matter within the days of the policy.
        newer: Another matter of the person has ended later and will be asked about.
        moved_on: The conversation is about another case by now.
        in_reach: A question would arrive.
        planned_at: When it was planned, aware; None: not known.
    """

    state: str
    round: int
    due_at: datetime
    rested_at: datetime | None = None
    stage: str | None = "closed"
    merged: bool = False
    undone: bool = False
    busy: bool = False
    refused: bool = False
    asked_lately: bool = False
    newer: bool = False
    moved_on: bool = False
    in_reach: bool = True
    planned_at: datetime | None = None


@dataclass(frozen=True)
class Ask:
    """Ask now.

    Attributes:
        round: The first or the second time.
        next_at: When it is looked at again: to ask once more, or to end it.
    """

    round: int
    next_at: datetime


@dataclass(frozen=True)
class Later:
    """Look again at a moment."""

    at: datetime


@dataclass(frozen=True)
class Leave:
    """Ask no more.

    Attributes:
        state: `ended` where it was asked and nobody answered, else `cancelled`.
        why: A short name.
    """

    state: str
    why: Why


Decision = Ask | Later | Leave


def first_due(
    policy: FollowUpPolicy, industry: str, ended_at: datetime, zone: ZoneInfo
) -> datetime:
    """When it is first asked how it went.

    Args:
        policy: The rules.
        industry: Of the business.
        ended_at: When the last remedy was done, or the case was closed.
        zone: Of the business.
    """
    return policy.quiet.over(ended_at + policy.wait(industry).first, zone)


def decide(
    policy: FollowUpPolicy, industry: str, standing: Standing, now: datetime, zone: ZoneInfo
) -> Decision:
    """Say what is to be done with a follow-up.

    Args:
        policy: The rules.
        industry: Of the business.
        standing: How it stands.
        now: The present moment.
        zone: Of the business.
    """
    if standing.due_at > now:
        return Later(standing.due_at)
    left = _left(policy, standing, now)
    if left is not None:
        return left
    if standing.busy or standing.undone:
        later = now + timedelta(hours=policy.limits.busy_hours)
        return Later(policy.quiet.over(later, zone))
    if standing.stage not in AT_REST:
        return Leave(CANCELLED, "reopened")
    due = policy.quiet.over(now, zone)
    if standing.rested_at:
        # A person has ended it only now: what was done then has to be lived with first.
        due = max(due, first_due(policy, industry, standing.rested_at, zone))
    if due > now:
        return Later(due)
    number = standing.round + (standing.state == ASKED)
    wait = policy.wait(industry)
    return Ask(number, now + (wait.end if number >= MOST_ASKS else wait.again))


def _left(policy: FollowUpPolicy, standing: Standing, now: datetime) -> Leave | None:
    """Why it is not asked any more; None where it may be."""
    if standing.state == ASKED and standing.round >= MOST_ASKS:
        return Leave(ENDED, "silent")
    overdue = now - standing.due_at > timedelta(hours=policy.limits.late_hours)
    if standing.planned_at is not None:
        # What a person never gives back, or nobody ever carries out, is not waited for for ever.
        overdue |= now - standing.planned_at > _LONGEST
    reasons: list[tuple[bool, Why]] = [
        (standing.refused, "refused"),
        (standing.merged, "merged"),
        (standing.stage is None or standing.moved_on, "other_matter"),
        (overdue, "too_late"),
        (standing.newer, "other_matter"),
        (standing.asked_lately, "asked_lately"),
        (not standing.in_reach and not standing.busy, "out_of_reach"),
    ]
    why = next((name for holds, name in reasons if holds), None)
    if why is None:
        return None
    # Asked once without an answer, it has had its chance; else nothing was asked.
    return Leave(ENDED if standing.state == ASKED else CANCELLED, why)
