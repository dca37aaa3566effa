"""Cases and the log of the commands that made them."""

from datetime import datetime

from sqlalchemy import Connection, String, bindparam, func, insert, null, select, update
from sqlalchemy import case as if_else

from recovery.case import Case
from recovery.commands import Command, to_wire
from recovery.store.database import stamp
from recovery.store.tables import case_log, cases

_THIS = cases.c.id == bindparam("this")
_LOAD = select(cases.c.state).where(_THIS)
_CHANGING = ("stage", "priority", "state", "updated_at", "outcome")
# When and by whom it was closed stands until it is open again; bot and staff close alike.
_CLOSING = bindparam("new_stage", type_=String) == "closed"
_SAVE = (
    update(cases)
    .where(_THIS)
    .values(
        {name: bindparam(f"new_{name}") for name in _CHANGING}
        | {
            "closed_at": if_else(
                (_CLOSING, func.coalesce(cases.c.closed_at, bindparam("new_updated_at"))),
                else_=null(),
            ),
            "closed_by": if_else((_CLOSING, cases.c.closed_by), else_=null()),
        }
    )
)
_LOG = insert(case_log)


def load(db: Connection, case_id: str | None) -> Case | None:
    """Read a case; None for no id and for an unknown one."""
    if case_id is None:
        return None
    state = db.execute(_LOAD, {"this": case_id}).scalar()
    return Case.from_state(state) if state else None


def business_of(db: Connection, case_id: str) -> str | None:
    """Whose case it is; None where there is no such case."""
    return db.execute(select(cases.c.business).where(cases.c.id == case_id)).scalar()


def customer_of(db: Connection, case_id: str) -> str | None:
    """Whose case it is: the customer who opened it."""
    return db.execute(select(cases.c.customer_id).where(cases.c.id == case_id)).scalar()


def save(db: Connection, case: Case, business: str, customer: str, now: datetime) -> None:
    """Write a case, new or known."""
    values = {
        "stage": case.stage,
        "priority": case.priority,
        "state": case.to_state(),
        "updated_at": stamp(now),
        "outcome": case.outcome,
    }
    changes = {f"new_{name}": values[name] for name in _CHANGING}
    if not db.execute(_SAVE, {"this": case.id, **changes}).rowcount:
        db.execute(
            insert(cases).values(
                id=case.id,
                business=business,
                customer_id=customer,
                opened_at=stamp(now),
                closed_at=stamp(now) if case.stage == "closed" else None,
                **values,
            )
        )


def note_closer(db: Connection, case_id: str, staff_id: int) -> None:
    """Remember who of staff has closed a case, which is saved as closed."""
    db.execute(update(cases).where(cases.c.id == case_id).values(closed_by=staff_id))


def log(db: Connection, case_id: str, message_id: str, command: Command, now: datetime) -> None:
    """Add a command to the log of a case, which is only ever appended to."""
    values = {"case_id": case_id, "message_id": message_id, "at": stamp(now)}
    db.execute(_LOG, {**values, "command": to_wire(command)})
