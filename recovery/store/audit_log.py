"""What staff have done, by whom and when: only ever appended to, in the act's own transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from recovery.store.database import stamp
from recovery.store.tables import audit_log
from recovery.store.tables import staff as staff_table

if TYPE_CHECKING:
    # Logins are written down as well, so that the accounts import this module.
    from recovery.store.staff import Staff

BY_COMMAND = {"by": "command"}
"""Detail of what was done by `python -m desk staff`, where nobody is logged in."""

_ADD = insert(audit_log)


def note(
    db: Connection,
    who: "Staff | None",
    act: str,
    now: datetime,
    *,
    business: str | None = None,
    target: str | None = None,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
) -> int:
    """Write down one act. The database refuses to change or delete what stands.

    Args:
        db: The writing transaction in which the act is done.
        who: Who did it; None for the desk itself.
        act: A verb of the desk, for example `take`, `transfer`, `login`, `grant`.
        now: The present moment.
        business: Whose conversation or account it concerns.
        target: What it was done to: id of a conversation, `staff:<id>`, id of a request.
        detail: Plain JSON: what changed, why. No password, no secret, no words of a customer.
        address: From where, for logins and accounts.

    Returns:
        The number of the entry.
    """
    made = db.execute(
        _ADD,
        {
            "at": stamp(now),
            "staff_id": who.id if who else None,
            "login": who.login if who else "",
            "act": act,
            "business": business,
            "target": target,
            "detail": detail or {},
            "address": address,
        },
    )
    key = made.inserted_primary_key
    return int(key[0]) if key else 0


def done_since(
    db: Connection, staff_id: int, acts: Iterable[str], since: str, **detail: str
) -> bool:
    """Whether a member of staff has done one of these acts after a moment, as stored.

    Args:
        db: A transaction.
        staff_id: Who.
        acts: Verbs of the log.
        since: The moment.
        detail: What must stand in the detail of the act.
    """
    query = select(audit_log.c.detail).where(
        audit_log.c.at > since, audit_log.c.staff_id == staff_id, audit_log.c.act.in_(list(acts))
    )
    wanted = detail.items()
    return any(wanted <= row.detail.items() for row in db.execute(query))


def read(
    db: Connection,
    who: "Staff",
    most: int,
    *,
    before: int | None = None,
    act: str | None = None,
    login: str | None = None,
    target: str | None = None,
) -> list[dict[str, Any]]:
    """What stands in the log, newest first.

    Args:
        db: A transaction.
        who: Who reads; an account of one business reads of that one only.
        most: How many at most.
        before: Only what is older than this entry.
        act: Only this verb.
        login: Only what this account has done.
        target: Only what was done to this.

    Returns:
        `AuditEntry` of docs/staff-api.md.
    """
    query = select(audit_log, staff_table.c.name).outerjoin(
        staff_table, staff_table.c.id == audit_log.c.staff_id
    )
    if who.business is not None:
        query = query.where(audit_log.c.business == who.business)
    if before is not None:
        query = query.where(audit_log.c.id < before)
    for column, wanted in (
        (audit_log.c.act, act),
        (audit_log.c.login, login),
        (audit_log.c.target, target),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return [
        {
            "id": row.id,
            "at": row.at,
            "login": row.login,
            "name": row.name or ("命令行" if row.detail.get("by") == "command" else "系统"),
            "act": row.act,
            "business": row.business,
            "target": row.target,
            "detail": row.detail,
            "address": row.address,
        }
        for row in db.execute(query.order_by(audit_log.c.id.desc()).limit(most))
    ]
