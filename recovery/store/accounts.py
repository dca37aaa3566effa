"""What admins do with accounts, and what everybody does with the own one."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from recovery.roles import ROLES, Act, may
from recovery.store import audit_log, second_factors
from recovery.store import staff as accounts
from recovery.store.database import hold, stamp
from recovery.store.staff import (
    NAME_LONGEST,
    BadAccountError,
    Staff,
    checked,
    end_sessions,
    enter,
)
from recovery.store.tables import staff

_COLUMNS = (
    staff.c.id,
    staff.c.login,
    staff.c.name,
    staff.c.role,
    staff.c.business,
    staff.c.skills,
    staff.c.capacity,
    staff.c.presence,
    staff.c.totp_confirmed_at,
    staff.c.must_change,
    staff.c.locked_until,
    staff.c.disabled_at,
    staff.c.created_at,
)
_ENDS_SESSIONS = frozenset({"role", "business", "disabled", "password", "totp"})


class LastAdminError(RuntimeError):
    """Without this admin nobody could manage the accounts that this one manages."""


class OutOfReachError(RuntimeError):
    """An account of one business cannot give what is beyond it."""


@dataclass(frozen=True)
class NewAccount:
    """An account as an admin wishes it.

    Attributes:
        password: From `recovery.store.staff.hashed`.
    """

    login: str
    name: str
    role: str
    business: str | None
    skills: tuple[str, ...]
    capacity: int
    password: str


def listed(db: Connection, by: Staff, now: datetime) -> list[dict[str, Any]]:
    """The accounts that an admin manages, as `Account` of docs/staff-api.md."""
    query = select(*_COLUMNS).order_by(staff.c.login)
    if by.business is not None:
        query = query.where(staff.c.business == by.business)
    return [_shown(row, now) for row in db.execute(query)]


def one(db: Connection, by: Staff, staff_id: int, now: datetime) -> dict[str, Any]:
    """One account, as in the list.

    Raises:
        LookupError: There is none that this admin manages.
    """
    row = db.execute(select(*_COLUMNS).where(staff.c.id == staff_id)).first()
    if row is None or not _manages(by, row.business):
        raise LookupError(staff_id)
    return _shown(row, now)


def _shown(row: Row[*tuple[Any, ...]], now: datetime) -> dict[str, Any]:
    locked = row.locked_until
    return {
        "id": row.id,
        "login": row.login,
        "name": row.name,
        "role": row.role,
        "business": row.business,
        "skills": row.skills,
        "capacity": row.capacity,
        "presence": row.presence,
        "totp": row.totp_confirmed_at is not None,
        "must_change": row.must_change,
        "locked_until": locked if locked and locked > stamp(now) else None,
        "disabled_at": row.disabled_at,
        "created_at": row.created_at,
    }


def _manages(by: Staff, business: str | None) -> bool:
    return by.business is None or by.business == business


def make(
    db: Connection, by: Staff, wished: NewAccount, now: datetime, address: str | None = None
) -> dict[str, Any]:
    """Make an account, whose password is to be changed at the first login.

    Raises:
        BadAccountError: The login is taken, or something is wrong with what is wished.
        OutOfReachError: For another business than the admin's, or for all of them.
    """
    if not _manages(by, wished.business):
        raise OutOfReachError
    added = enter(
        db,
        wished.login,
        wished.name,
        wished.role,
        wished.password,
        now,
        wished.business,
        skills=list(wished.skills),
        capacity=wished.capacity,
        must_change=True,
    )
    detail = {
        "login": added.login,
        "name": added.name,
        "role": added.role,
        "skills": list(added.skills),
        "capacity": added.capacity,
    }
    _note(db, by, "account_made", added, now, detail, address)
    return one(db, by, added.id, now)


def change(
    db: Connection,
    by: Staff,
    staff_id: int,
    wished: dict[str, Any],
    now: datetime,
    address: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Change an account.

    Args:
        db: A writing transaction.
        by: The admin.
        staff_id: Whose account.
        wished: Checked values of `name`, `role`, `business`, `skills`, `capacity`, `disabled`,
            `password` (hashed), `reset_totp`; only what is to change.
        now: The present moment.
        address: Where the admin is.

    Returns:
        The account as in the list, and the fingerprints of the sessions that have ended.

    Raises:
        LookupError: There is no such account that this admin manages.
        BadAccountError: Something is wrong with what is wished.
        OutOfReachError: It would be moved to where this admin manages nothing.
        LastAdminError: Nobody would be left to manage what this account manages.
    """
    # Two admins who take each other's office away at once would leave none.
    hold(db, "admins")
    before = accounts.load(db, staff_id, lock=True)
    if before is None or not _manages(by, before.business):
        raise LookupError(staff_id)
    values, changed = _differences(db, before, wished, now)
    if "business" in values and not _manages(by, values["business"]):
        raise OutOfReachError
    if values:
        db.execute(update(staff).where(staff.c.id == staff_id).values(**values))
    if wished.get("reset_totp"):
        changed["totp"] = [second_factors.drop(db, staff_id), False]
    _require_admin(db, before)
    ended = end_sessions(db, staff_id) if _ENDS_SESSIONS & changed.keys() else []
    if changed:
        _note(db, by, "account_changed", before, now, changed, address)
        if values.get("business", before.business) != before.business:
            # Both businesses may read of it.
            moved = replace(before, business=values["business"])
            _note(db, by, "account_changed", moved, now, changed, address)
    after = db.execute(select(*_COLUMNS).where(staff.c.id == staff_id)).one()
    return _shown(after, now), ended


def _differences(
    db: Connection, before: Staff, wished: dict[str, Any], now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to write, and what to say of it: from and to, of passwords only that."""
    values: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    for name in ("name", "role", "business", "skills", "capacity"):
        held = getattr(before, name)
        held = list(held) if isinstance(held, tuple) else held
        if name in wished and wished[name] != held:
            values[name] = wished[name]
            changed[name] = [held, wished[name]]
    if "name" in values:
        checked(values["name"], NAME_LONGEST, "姓名")
    if "role" in values and values["role"] not in ROLES:
        raise BadAccountError(f"没有“{values['role']}”这个角色，可选：{'、'.join(ROLES)}")
    if "disabled" in wished:
        disabled = db.execute(select(staff.c.disabled_at).where(staff.c.id == before.id)).scalar()
        if wished["disabled"] != (disabled is not None):
            values["disabled_at"] = stamp(now) if wished["disabled"] else None
            values["presence"] = "offline"
            changed["disabled"] = [disabled is not None, wished["disabled"]]
    if "password" in wished:
        values |= _new_password(wished["password"], now, must_change=True)
        changed["password"] = True
    return values, changed


def _new_password(password: str, now: datetime, *, must_change: bool) -> dict[str, Any]:
    """A new password opens a locked account again."""
    return {
        "password_hash": password,
        "password_changed_at": stamp(now),
        "must_change": must_change,
        "failures": 0,
        "locked_until": None,
    }


def _require_admin(db: Connection, before: Staff) -> None:
    """Refuse a change that leaves nobody to manage what an admin managed before it.

    Raises:
        LastAdminError: There is nobody.
    """
    if not may(before.role, Act.ACCOUNTS):
        return
    admins = db.execute(
        select(staff.c.role, staff.c.business).where(staff.c.disabled_at.is_(None))
    ).all()
    left = {row.business for row in admins if may(row.role, Act.ACCOUNTS)}
    if None not in left and before.business not in left:
        raise LastAdminError


def change_own_password(
    db: Connection,
    who: Staff,
    cookie: str,
    password: str,
    now: datetime,
    address: str | None = None,
) -> list[str]:
    """Give oneself another password.

    Args:
        db: A writing transaction, in which the old password was confirmed.
        who: Whose.
        cookie: Of the session in which it is done, which goes on.
        password: From `recovery.store.staff.hashed`.
        now: The present moment.
        address: From where.

    Returns:
        The fingerprints of the sessions that have ended.
    """
    values = _new_password(password, now, must_change=False)
    db.execute(update(staff).where(staff.c.id == who.id).values(**values))
    _note(db, who, "password_changed", who, now, {}, address)
    return end_sessions(db, who.id, cookie)


def reset(db: Connection, login: str, password: str, now: datetime) -> Staff:
    """Open an account again from the machine itself: new password, no second factor, no lock.

    Args:
        db: A writing transaction.
        login: Whose.
        password: From `recovery.store.staff.hashed`.
        now: The present moment.

    Raises:
        LookupError: There is no such account.
    """
    found = accounts.by_login(db, login)
    if found is None:
        raise LookupError(login)
    values = _new_password(password, now, must_change=False) | {"disabled_at": None}
    db.execute(update(staff).where(staff.c.id == found.id).values(**values))
    dropped = second_factors.drop(db, found.id)
    end_sessions(db, found.id)
    detail = {"password": True, "totp": [dropped, False], **audit_log.BY_COMMAND}
    _note(db, None, "account_reset", found, now, detail, None)
    return found


def _note(
    db: Connection,
    by: Staff | None,
    act: str,
    whose: Staff,
    now: datetime,
    detail: dict[str, Any],
    address: str | None,
) -> None:
    audit_log.note(
        db,
        by,
        act,
        now,
        business=whose.business,
        target=f"staff:{whose.id}",
        detail=detail,
        address=address,
    )
