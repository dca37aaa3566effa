"""Accounts and sessions of staff."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, insert, select, update

from recovery.ids import fingerprint, new_secret
from recovery.store.database import stamp
from recovery.store.tables import staff, staff_sessions

ROLES = ("agent", "supervisor", "manager", "trainer", "admin")
PASSWORD_SHORTEST = 10
_SESSION = timedelta(hours=12)
_TRIES_BEFORE_LOCK = 5
_LOCK = timedelta(seconds=30)
_LOCK_LONGEST = timedelta(hours=1)
_hasher = PasswordHasher()
# Checked for unknown logins, so that the time of an answer tells nothing.
_NOBODY = _hasher.hash("nobody has this password")


class BadAccountError(ValueError):
    """An account that cannot be made; the message says why, in Chinese."""


@dataclass(frozen=True)
class Staff:
    """One member of staff."""

    id: int
    login: str
    name: str
    role: str


_COLUMNS = (staff.c.id, staff.c.login, staff.c.name, staff.c.role)


def add(db: Connection, login: str, name: str, role: str, password: str, now: datetime) -> Staff:
    """Make an account.

    Raises:
        BadAccountError: The login is taken or empty, the role unknown, the password too short.
    """
    if role not in ROLES:
        raise BadAccountError(f"没有“{role}”这个角色，可选：{'、'.join(ROLES)}")
    if not login.strip() or len(login) > 40:
        raise BadAccountError("账号要有1到40个字")
    if len(password) < PASSWORD_SHORTEST:
        raise BadAccountError(f"密码至少{PASSWORD_SHORTEST}位")
    if db.execute(select(staff.c.id).where(staff.c.login == login)).first():
        raise BadAccountError(f"账号“{login}”已经有了")
    db.execute(
        insert(staff).values(
            login=login,
            name=name or login,
            role=role,
            password_hash=_hasher.hash(password),
            failures=0,
            created_at=stamp(now),
        )
    )
    row = db.execute(select(*_COLUMNS).where(staff.c.login == login)).one()
    return Staff(*row)


def log_in(
    db: Connection, login: str, password: str, now: datetime
) -> tuple[Staff, str, str] | None:
    """Check a password and begin a session.

    Args:
        db: A writing transaction.
        login: As typed.
        password: As typed.
        now: The present moment.

    Returns:
        The member of staff, the cookie's secret and the CSRF token; None for an unknown login,
        a wrong password and a locked account alike. After five wrong passwords the account is
        locked for 30 seconds, then twice as long each time, an hour at most.
    """
    row = db.execute(
        select(*_COLUMNS, staff.c.password_hash, staff.c.failures, staff.c.locked_until).where(
            staff.c.login == login
        )
    ).first()
    try:
        right: bool = _hasher.verify(row.password_hash if row else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        right = False
    if row is None:
        return None
    if row.locked_until and row.locked_until > stamp(now):
        return None
    if not right:
        failures = row.failures + 1
        over = failures - _TRIES_BEFORE_LOCK
        locked = stamp(now + min(_LOCK * 2 ** min(over, 10), _LOCK_LONGEST)) if over >= 0 else None
        db.execute(
            update(staff).where(staff.c.id == row.id).values(failures=failures, locked_until=locked)
        )
        return None
    secret, csrf = new_secret(), new_secret()
    db.execute(update(staff).where(staff.c.id == row.id).values(failures=0, locked_until=None))
    db.execute(delete(staff_sessions).where(staff_sessions.c.expires_at < stamp(now)))
    db.execute(
        insert(staff_sessions).values(
            token_hash=fingerprint(secret),
            staff_id=row.id,
            csrf=csrf,
            expires_at=stamp(now + _SESSION),
        )
    )
    return Staff(row.id, row.login, row.name, row.role), secret, csrf


def by_session(db: Connection, secret: str, now: datetime) -> tuple[Staff, str] | None:
    """Whose session a cookie is, with its CSRF token."""
    row = db.execute(
        select(*_COLUMNS, staff_sessions.c.csrf)
        .join(staff_sessions, staff_sessions.c.staff_id == staff.c.id)
        .where(
            staff_sessions.c.token_hash == fingerprint(secret),
            staff_sessions.c.expires_at > stamp(now),
        )
    ).first()
    return (Staff(row.id, row.login, row.name, row.role), row.csrf) if row else None


def log_out(db: Connection, secret: str) -> None:
    """End a session."""
    db.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == fingerprint(secret)))


def names(db: Connection) -> dict[int, str]:
    """Names by id, for lists."""
    return {row.id: row.name for row in db.execute(select(staff.c.id, staff.c.name))}
