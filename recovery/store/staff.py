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
# Argon2id with the parameters of the OWASP Password Storage Cheat Sheet. Every login under way
# holds this memory; the library's default of 64 MiB would nearly double that of the desk.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked for unknown logins, so that the time of an answer tells nothing.
_NOBODY = _hasher.hash("nobody has this password")


class BadAccountError(ValueError):
    """An account that cannot be made; the message says why, in Chinese."""


@dataclass(frozen=True)
class Staff:
    """One member of staff.

    Attributes:
        business: Whose conversations this account sees; None for an operator, who sees all.
    """

    id: int
    login: str
    name: str
    role: str
    business: str | None = None

    def sees(self, business: str) -> bool:
        """Whether this account may know of the conversations of a business."""
        return self.business is None or self.business == business


_COLUMNS = (staff.c.id, staff.c.login, staff.c.name, staff.c.role, staff.c.business)


def add(
    db: Connection,
    login: str,
    name: str,
    role: str,
    password: str,
    now: datetime,
    business: str | None = None,
) -> Staff:
    """Make an account.

    Args:
        db: A writing transaction.
        login: As typed at the login.
        name: As customers read it; the login where it is empty.
        role: One of `ROLES`.
        password: At least 10 characters; stored as an argon2 hash only.
        now: The present moment.
        business: The one business of the account, None for all of them. That it is configured
            is for the caller to check.

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
            business=business,
            created_at=stamp(now),
        )
    )
    row = db.execute(select(*_COLUMNS).where(staff.c.login == login)).one()
    return Staff(*row)


@dataclass(frozen=True)
class Attempt:
    """A login that was tried, with its password already compared.

    Attributes:
        password_hash: What it was compared with; None where there is no such account.
    """

    login: str
    password_hash: str | None
    right: bool


def password_hash(db: Connection, login: str) -> str | None:
    """The hash to compare a password with; None for an unknown login."""
    return db.execute(select(staff.c.password_hash).where(staff.c.login == login)).scalar()


def attempt(login: str, known: str | None, password: str) -> Attempt:
    """Compare a password, which takes long on purpose: never inside a transaction.

    Args:
        login: As typed.
        known: As `password_hash` gave it; an unknown login takes just as long.
        password: As typed.
    """
    try:
        right: bool = _hasher.verify(known or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        right = False
    return Attempt(login, known, right and known is not None)


def log_in(db: Connection, tried: Attempt, now: datetime) -> tuple[Staff, str, str] | None:
    """Settle an attempt to log in: begin a session, or count the failure.

    Args:
        db: A writing transaction.
        tried: The comparison, made before.
        now: The present moment.

    Returns:
        The member of staff, the cookie's secret and the CSRF token; None for an unknown login,
        a wrong password and a locked account alike. After five wrong passwords the account is
        locked for 30 seconds, then twice as long each time, an hour at most.
    """
    row = db.execute(
        select(*_COLUMNS, staff.c.password_hash, staff.c.failures, staff.c.locked_until)
        .where(staff.c.login == tried.login)
        .with_for_update()
    ).first()
    # Read anew: the account may have been made, locked or given another password meanwhile.
    if row is None or row.password_hash != tried.password_hash:
        return None
    if row.locked_until and row.locked_until > stamp(now):
        return None
    if not tried.right:
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
    return Staff(row.id, row.login, row.name, row.role, row.business), secret, csrf


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
    if row is None:
        return None
    return Staff(row.id, row.login, row.name, row.role, row.business), row.csrf


def log_out(db: Connection, secret: str) -> None:
    """End a session."""
    db.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == fingerprint(secret)))


def names(db: Connection) -> dict[int, str]:
    """Names by id, for lists."""
    return {row.id: row.name for row in db.execute(select(staff.c.id, staff.c.name))}
