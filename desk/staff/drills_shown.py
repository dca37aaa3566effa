"""Practices as the page of staff shows them."""

from datetime import datetime
from typing import Any

from recovery.drill.customer import pass_time
from recovery.drill.given import Given
from recovery.drill.scenario import Scenario, read_scenario
from recovery.drill.standing import Drill, Standing
from recovery.failures import FAILURES
from recovery.store.database import stamp
from recovery.store.drills import ENDED, RUNNING, KeptDrill
from recovery.store.staff import Staff

Shown = dict[str, Any]


def drill_of(kept: KeptDrill) -> Drill:
    """A practice as it was kept."""
    return Drill(
        scenario=read_scenario(kept.standing["scenario"]),
        given=Given.from_wire(kept.standing["given"]),
        seed=kept.id,
        due=datetime.fromisoformat(kept.due_at),
        standing=Standing.from_wire(kept.standing["customer"]),
        lines=tuple(kept.lines),
    )


def card_of(scenario: Scenario) -> Shown:
    """A scenario as whoever chooses one sees it: nothing of what is to be found out."""
    return {
        "id": scenario.id,
        "title": scenario.title,
        "industry": scenario.industry,
        "failure_name": FAILURES[scenario.failure].matter,
        "level": scenario.level,
        "minutes": scenario.minutes,
        "anger": scenario.anger,
        "persona": scenario.persona.model_dump(),
        "source": scenario.source,
    }


def row_of(kept: KeptDrill, name: str, now: datetime) -> Shown:
    """A practice in a list."""
    over = kept.state == RUNNING and now >= datetime.fromisoformat(kept.due_at)
    found = kept.review or {}
    return {
        "id": kept.id,
        "title": str(kept.standing["scenario"]["title"]),
        "staff": name,
        "state": ENDED if over else kept.state,
        "started_at": kept.started_at,
        "due_at": kept.due_at,
        "ended_at": kept.ended_at,
        "outcome": found.get("outcome", "time" if over else None),
        **{field: found.get(field) for field in ("good", "of", "opening", "close")},
    }


def shown_to(kept: KeptDrill, who: Staff, name: str, now: datetime) -> Shown:
    """A practice as its page shows it; its marks only when it is over."""
    drill = pass_time(drill_of(kept), now) if kept.state == RUNNING else drill_of(kept)
    given, anger = drill.given, drill.standing.anger
    over = kept.state != RUNNING
    hidden = () if over else ("marks", "asked", "inflames")
    return {
        "id": kept.id,
        "practice": True,
        "scenario": {**card_of(drill.scenario), "patience": drill.scenario.patience},
        "staff": name,
        "mine": kept.staff_id == who.id,
        "state": kept.state,
        "started_at": kept.started_at,
        "due_at": kept.due_at,
        "ended_at": kept.ended_at,
        "now": stamp(now),
        "lines": [
            {field: value for field, value in one.items() if field not in hidden}
            for one in drill.lines
        ],
        "anger": {"now": anger.now, "peak": anger.peak, "trend": anger.trend},
        "given": {
            "items": [dict(one) for one in given.items],
            "reason": given.reason,
            "authority": given.authority,
        },
        "review": kept.review,
    }
