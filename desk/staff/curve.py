"""How angry the customer of a case was, message by message."""

from datetime import datetime
from typing import Any

from desk.staff.look import Look
from recovery.anger import CaseAnger, heard
from recovery.store import chronicle


def anger_curve(look: Look) -> list[dict[str, Any]]:
    """The points of the anger curve over both parts of a case, as `AngerPoint`."""
    points, anger = [], None
    for one in chronicle.anger_heard(look.db, [part.id for part in look.parts]):
        anger = heard(anger, one.anger, datetime.fromisoformat(one.at))
        points.append(_point(one, anger))
    return points


def _point(one: chronicle.Heard, anger: CaseAnger) -> dict[str, Any]:
    return {
        "at": one.at,
        "level": one.anger,
        "heat": round(anger.heat, 2),
        "message": one.message,
    }
