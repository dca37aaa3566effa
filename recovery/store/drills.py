"""Practices of staff, and scenarios made out of cases. No figure, queue or clock reads these."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from recovery.store.database import stamp
from recovery.store.tables import cases, drill_scenarios, drills, staff

RUNNING, ENDED, LEFT = "running", "ended", "left"


@dataclass(frozen=True)
class KeptDrill:
    """One practice. Fields as in the table.

    Attributes:
        state: `running`, `ended`, or `left` before a word was said.
        standing: `scenario`, `given` and `customer` as they were, so that what is changed later
            changes no practice; `asked`: the page's id of it.
    """

    id: str
    staff_id: int
    scenario: str
    state: str
    lines: list[dict[str, Any]]
    standing: dict[str, Any]
    review: dict[str, Any] | None
    started_at: str
    due_at: str
    ended_at: str | None


@dataclass(frozen=True)
class KeptScenario:
    """A scenario made out of a case. Fields as in the table."""

    id: str
    business: str
    content: dict[str, Any]
    case_id: str | None
    made_by: int
    made_at: str


_DRILL = tuple(drills.c[name] for name in KeptDrill.__dataclass_fields__)
_SCENARIO = tuple(drill_scenarios.c[name] for name in KeptScenario.__dataclass_fields__)


def keep(db: Connection, drill: KeptDrill) -> None:
    """Write down a practice that begins."""
    db.execute(insert(drills).values(**vars(drill)))


def save(db: Connection, drill: KeptDrill) -> None:
    """Write down how far a practice is; one that is over is not changed any more."""
    changes = {name: getattr(drill, name) for name in ("state", "lines", "standing", "review")}
    running = (drills.c.id == drill.id) & (drills.c.state == RUNNING)
    db.execute(update(drills).where(running).values(**changes, ended_at=drill.ended_at))


def load(db: Connection, drill_id: str, *, lock: bool = False) -> KeptDrill | None:
    """Read a practice.

    Args:
        db: A transaction.
        drill_id: Which one.
        lock: Keep others away from it until the transaction, which is a writing one, ends.
    """
    query = select(*_DRILL).where(drills.c.id == drill_id)
    row = db.execute(query.with_for_update() if lock else query).first()
    return KeptDrill(*row) if row else None


def running_of(db: Connection, staff_id: int) -> KeptDrill | None:
    """The practice that a member of staff has not ended."""
    query = select(*_DRILL).where(drills.c.staff_id == staff_id, drills.c.state == RUNNING)
    row = db.execute(query.order_by(drills.c.started_at.desc())).first()
    return KeptDrill(*row) if row else None


def begun_since(db: Connection, staff_id: int, since: datetime) -> int:
    """How many practices a member of staff began since a moment."""
    query = select(func.count()).select_from(drills)
    mine = query.where(drills.c.staff_id == staff_id, drills.c.started_at > stamp(since))
    return int(db.execute(mine).scalar() or 0)


def of_staff(db: Connection, staff_id: int, most: int) -> list[KeptDrill]:
    """The practices of a member of staff, newest first; not those left before a word was said."""
    query = select(*_DRILL).where(drills.c.staff_id == staff_id, drills.c.state != LEFT)
    rows = db.execute(query.order_by(drills.c.started_at.desc()).limit(most))
    return [KeptDrill(*row) for row in rows]


def of_team(db: Connection, business: str | None, most: int) -> list[tuple[KeptDrill, str]]:
    """The practices that are over of the staff of a business, with their names, newest first.

    Args:
        db: A transaction.
        business: None for all.
        most: How many at most.
    """
    query = select(*_DRILL, staff.c.name).join(staff, staff.c.id == drills.c.staff_id)
    if business is not None:
        query = query.where(staff.c.business == business)
    query = query.where(drills.c.state == ENDED).order_by(drills.c.started_at.desc())
    return [(KeptDrill(*row[:-1]), row[-1]) for row in db.execute(query.limit(most))]


def whose(db: Connection, staff_id: int) -> tuple[str, str | None]:
    """Name and business of who practised."""
    row = db.execute(select(staff.c.name, staff.c.business).where(staff.c.id == staff_id)).one()
    return str(row.name), row.business


# ---- scenarios out of cases --------------------------------------------------------------------


def add_scenario(db: Connection, scenario: KeptScenario) -> None:
    """Keep a scenario."""
    db.execute(insert(drill_scenarios).values(**vars(scenario)))


def scenario(db: Connection, scenario_id: str) -> KeptScenario | None:
    """Read a scenario."""
    row = db.execute(select(*_SCENARIO).where(drill_scenarios.c.id == scenario_id)).first()
    return KeptScenario(*row) if row else None


def scenarios_of(db: Connection, business: str | None) -> list[KeptScenario]:
    """The scenarios of a business, newest first; None for all."""
    query = select(*_SCENARIO).order_by(drill_scenarios.c.made_at.desc())
    if business is not None:
        query = query.where(drill_scenarios.c.business == business)
    return [KeptScenario(*row) for row in db.execute(query)]


def remove_scenario(db: Connection, scenario_id: str) -> bool:
    """Take a scenario away; practices of it keep their own copy."""
    gone = delete(drill_scenarios).where(drill_scenarios.c.id == scenario_id)
    return bool(db.execute(gone).rowcount)


@dataclass(frozen=True)
class ClosedCase:
    """A case that a scenario can be made of."""

    id: str
    business: str
    state: dict[str, Any]
    closed_at: str


def closed_cases(db: Connection, business: str | None, most: int) -> list[ClosedCase]:
    """The cases that were closed last; those merged into another count with it."""
    query = select(cases.c.id, cases.c.business, cases.c.state, cases.c.closed_at).where(
        cases.c.stage == "closed", cases.c.closed_at.is_not(None), cases.c.merged_into.is_(None)
    )
    if business is not None:
        query = query.where(cases.c.business == business)
    rows = db.execute(query.order_by(cases.c.closed_at.desc()).limit(most))
    return [ClosedCase(*row) for row in rows]
