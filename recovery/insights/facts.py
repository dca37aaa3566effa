"""The facts of one case: one row of whole numbers, derived from all that belongs to the case.

In a measure None means that the case does not count for it (`recovery.store.tables.insights`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recovery.anger import ANGRY, CALM
from recovery.business import Business
from recovery.failures import UNKNOWN
from recovery.insights.answering import answering
from recovery.insights.causes import proposed
from recovery.insights.figures import DIMENSIONS
from recovery.insights.material import Material, Room

VERSION = 1
"""Raised when what is derived changes: then all rows are derived again."""
REPEATED_WITHIN = timedelta(days=30)
PUBLIC_FOR = timedelta(days=7)
RETURNED_WITHIN = timedelta(days=90)
ROOM_FOR = timedelta(hours=1)
CONTENT = 4
"""From which rating of five on somebody is satisfied."""
# As expected, on a scale of five; who recommends on one of ten, and who warns of us.
_AS_EXPECTED, _PROMOTES, _DETRACTS = 3, 9, 6
ACCEPTED_OUTCOMES = frozenset({"solved", "compensated", "explained", "thanked"})
"""How a case ends that the customer has accepted."""


@dataclass(frozen=True)
class Facts:
    """One row.

    Attributes:
        row: The columns of `case_facts`, without those that the store fills in.
    """

    row: Mapping[str, Any]

    @property
    def case_id(self) -> str:
        """Of which case."""
        return str(self.row["case_id"])

    @property
    def alike(self) -> str:
        """Cases that the policy sees as the same have the same word; empty for none."""
        return str(self.row["alike"])

    @property
    def begun(self) -> tuple[str, str]:
        """The business, and the day on which the case began there."""
        return str(self.row["business"]), str(self.row["day"])


def failure_of(state: Mapping[str, Any]) -> str:
    """The failure of a case; empty where it is not known."""
    failure = str((state.get("facts") or {}).get("failure") or "")
    return "" if failure == UNKNOWN else failure


def complains(state: Mapping[str, Any]) -> bool:
    """Whether a case is a complaint.

    One that was begun because the order system had reported a failure is none while its customer
    has not shown that they mind.
    """
    if not (state.get("facts") or {}).get("reported"):
        return True
    return int((state.get("anger") or {}).get("peak") or 0) > CALM


def facts(case: Material, business: Business, now: datetime) -> Facts:
    """Derive the row of a case.

    Args:
        case: As read.
        business: Whose it is.
        now: The present moment: what is not known yet says when it will be.
    """
    failure = failure_of(case.state)
    cause = case.cause or proposed(failure, business.industry)
    speed = answering(case, business, now)
    first = next((one for one in case.decided if one.alike and not one.added), None)
    measures: dict[str, int | None] = {
        **_anger(case),
        "closed": _one(case.closed_at is not None),
        "repeat": _one(case.repeat and failure != ""),
        "apology_seconds": speed.apology,
        "bot_seconds": speed.bot,
        "person_seconds": speed.person,
        "person_service_seconds": speed.person_service,
        "heard": speed.heard or None,
        "in_time": speed.in_time if speed.heard else None,
        **_moving(case, now),
        **_remedies(case),
        **_answers(case),
    }
    measures |= {"recovered": _recovered(case, measures)}
    measures |= _later(case, recovered=measures["recovered"] == 1)
    ends = [
        case.invited_at + PUBLIC_FOR if case.invited_at else None,
        case.moved_at + ROOM_FOR if case.moved_at else None,
        case.closed_at + RETURNED_WITHIN if case.closed_at else None,
        speed.next_known,
    ]
    coming = [one for one in ends if one is not None and one >= now]
    return Facts(
        {
            "case_id": case.id,
            "version": VERSION,
            "business": case.business,
            "industry": business.industry,
            "channel": case.channel,
            "person": case.person,
            "tier": next((one.tier for one in reversed(case.decided) if one.tier), ""),
            "failure": failure,
            "cause": cause,
            "cause_confirmed": case.cause is not None,
            "day": case.opened_at.astimezone(business.zone).date().isoformat(),
            "opened_at": _stamp(case.opened_at),
            "outcome": case.outcome,
            "alike": first.alike if first else "",
            "given": first.given if first else "",
            **measures,
            "look_at": _stamp(min(coming)) if coming else None,
        }
    )


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _one(yes: bool) -> int | None:
    return 1 if yes else None


def _anger(case: Material) -> dict[str, int | None]:
    names = ("angry", "anger_opening", "anger_peak", "anger_close", "relief", "neutral")
    found: dict[str, int | None] = dict.fromkeys(names)
    anger = case.state.get("anger")
    if not anger:
        return found
    opening, now = int(anger["opening"]), int(anger["now"])
    angry = opening >= ANGRY
    found |= {"angry": int(angry), "anger_opening": opening, "anger_peak": int(anger["peak"])}
    if case.closed_at is not None:
        found["anger_close"] = now
        if angry:
            found |= {"relief": opening - now, "neutral": int(now == CALM)}
    return found


def _moving(case: Material, now: datetime) -> dict[str, int | None]:
    """What became of the invitation, and of the room."""
    found: dict[str, int | None] = {
        "moved": None,
        "angry_in_public": None,
        **_of_room("before", case.room[0] if case.room else None),
        **_of_room("after", case.room[1] if case.room else None),
    }
    if case.invited_at is None:
        return found
    found["moved"] = int(case.moved_at is not None)
    until = case.invited_at + PUBLIC_FOR
    if now > until:
        found["angry_in_public"] = int(
            any(
                (one.anger or 0) >= ANGRY
                for one in case.heard
                if one.conversation in case.public and case.invited_at < one.at <= until
            )
        )
    return found


def _of_room(when: str, room: Room | None) -> dict[str, int | None]:
    mean = round(100 * sum(room.angers) / len(room.angers)) if room and room.angers else None
    return {
        f"room_anger_{when}": mean,
        f"room_messages_{when}": room.messages if room else None,
    }


def _remedies(case: Material) -> dict[str, int | None]:
    every = [one for one in case.decided if one.state != "replaced"]
    accepted = [one for one in every if one.state == "accepted"]
    standing = [one for one in every if not one.added]
    floor = sum(one.floor_fen for one in accepted)
    goodwill = sum(one.goodwill_fen for one in accepted) + case.gestures_fen
    spent = floor + goodwill
    return {
        "offers": len(standing) or None,
        "accepted": sum(one.state == "accepted" for one in standing) if standing else None,
        "floor_fen": floor or None,
        "goodwill_fen": goodwill or None,
        "spent_fen": spent or None,
        "beyond_fen": sum(one.beyond_fen for one in accepted) if spent else None,
        "departures": sum(one.departs for one in standing) if standing else None,
        "promises": case.promises or None,
        "late": case.late if case.promises else None,
    }


def _answers(case: Material) -> dict[str, int | None]:
    rating = next((one for one in reversed(case.ratings) if one is not None), None)
    survey, found = case.survey, dict[str, int | None]()
    given = survey if survey and survey.answered else None
    for name in DIMENSIONS:
        pair = [given.expected.get(name), given.perceived.get(name)] if given else [None, None]
        # Half a pair is no gap.
        whole = None not in pair
        found[f"expected_{name}"], found[f"perceived_{name}"] = pair if whole else (None, None)
    confirmed = given.confirmed if given else None
    recommend = given.recommend if given else None
    return found | {
        "answered": int(rating is not None) if case.ratings else None,
        "rating": rating,
        "satisfied": int(rating >= CONTENT) if rating is not None else None,
        "survey_answered": int(survey.answered) if survey else None,
        "confirmed": int(confirmed >= _AS_EXPECTED) if confirmed is not None else None,
        "recommend": _promotes(recommend) if recommend is not None else None,
    }


def _promotes(recommend: int) -> int:
    return 100 if recommend >= _PROMOTES else -100 if recommend <= _DETRACTS else 0


def _recovered(case: Material, measures: Mapping[str, int | None]) -> int | None:
    if measures["angry"] != 1:
        return None
    rating = measures["rating"]
    if rating is not None:
        return int(rating >= CONTENT)
    return int(case.closed_at is not None and case.outcome in ACCEPTED_OUTCOMES)


def _later(case: Material, *, recovered: bool) -> dict[str, int | None]:
    names = ("recovered", "others")
    found: dict[str, int | None] = {f"returned_{name}": None for name in names}
    found |= {f"later_fen_{name}": None for name in names}
    if case.later is not None:
        mine: Sequence[int] = case.later.fen
        name = "recovered" if recovered else "others"
        found |= {f"returned_{name}": int(bool(mine)), f"later_fen_{name}": sum(mine)}
    return found
