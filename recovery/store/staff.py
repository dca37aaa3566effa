"""Accounts of staff: who there is, the login, and the sessions that it begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from recovery.ids import fingerprint, new_secret
from recovery.passwords import SHORTEST, weakness
from recovery.roles import ROLES
from recovery.store import audit_log, second_factors
from recovery.store.database import stamp
from recovery.store.tables import staff, staff_sessions

PASSWORD_SHORTEST = SHORTEST
LOGIN_LONGEST = NAME_LONGEST = 40
_SESSION = timedelta(hours=12)
_IDLE = timedelta(hours=2)
# A session is marked as used at most this often, so that reading stays reading.
SEEN_EVERY = timedelta(minutes=1)
_TRIES_BEFORE_LOCK = 5
_LOCK = timedelta(seconds=30)
_LOCK_LONGEST = timedelta(hours=1)
# Argon2id with the parameters of the OWASP Password Storage Cheat Sheet. Every login under way
# holds this memory; the library's default of 64 MiB would nearly double that of the desk.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Checked for unknown logins, so that the time of an answer tells nothing.
_NOBODY = _hasher.hash("nobody has this password")


class BadAccountError(ValueError):
    """An account that cannot be made or changed so; the message says why, in Chinese."""


class TakenError(BadAccountError):
    """There is an account of this login."""


class WeakPasswordError(BadAccountError):
    """A password that is refused."""


@dataclass(frozen=True)
class Staff:
    """One member of staff.

    Attributes:
        business: Whose conversations this account sees; None for an operator, who sees all.
        presence: As chosen: `online`, `busy`, `away`, `offline`.
        capacity: How many conversations at once.
        skills: Industries; none of them: all.
        totp: Whether a second factor is in force.
        must_change: An admin has set the password; nothing else is done before it is changed.
    """

    id: int
    login: str
    name: str
    role: str
    business: str | None = None
    presence: str = "offline"
    capacity: int = 6
    skills: tuple[str, ...] = ()
    totp: bool = False
    must_change: bool = False

    def sees(self, business: str) -> bool:
        """Whether this account may know of the conversations of a business."""
        return self.business is None or self.business == business


_COLUMNS = (
    staff.c.id,
    staff.c.login,
    staff.c.name,
    staff.c.role,
    staff.c.business,
    staff.c.presence,
    staff.c.capacity,
    staff.c.skills,
    staff.c.totp_confirmed_at,
    staff.c.must_change,
)


def _of(row: Row[*tuple[Any, ...]]) -> Staff:
    return Staff(
        row.id,
        row.login,
        row.name,
        row.role,
        row.business,
        row.presence,
        row.capacity,
        tuple(row.skills),
        row.totp_confirmed_at is not None,
        row.must_change,
    )


def load(db: Connection, staff_id: int, *, lock: bool = False) -> Staff | None:
    """One account by id; None where there is none.

    Args:
        db: A transaction.
        staff_id: Which one.
        lock: Keep others from changing it until the transaction ends.
    """
    query = select(*_COLUMNS).where(staff.c.id == staff_id)
    # Its id stays as it is: who only refers to the account need not wait.
    row = db.execute(query.with_for_update(key_share=True) if lock else query).first()
    return _of(row) if row else None


def as_it_was(db: Connection, who: Staff) -> bool:
    """Whether an account may still do what it was let in for: enabled, same role and business."""
    row = db.execute(
        select(staff.c.role, staff.c.business).where(
            staff.c.id == who.id, staff.c.disabled_at.is_(None)
        )
    ).first()
    return row is not None and (row.role, row.business) == (who.role, who.business)


def by_login(db: Connection, login: str) -> Staff | None:
    """One account by what is typed at the login; None where there is none."""
    row = db.execute(select(*_COLUMNS).where(staff.c.login == login)).first()
    return _of(row) if row else None


def hashed(password: str, login: str) -> str:
    """Hash a new password, which takes long on purpose: never inside a transaction.

    Raises:
        WeakPasswordError: It is refused, and why.
    """
    weak = weakness(password, login)
    if weak:
        raise WeakPasswordError(weak)
    return _hasher.hash(password)


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
        BadAccountError: The login is taken or empty, the role unknown, the password refused.
    """
    return enter(db, login, name, role, hashed(password, login), now, business)


def enter(
    db: Connection,
    login: str,
    name: str,
    role: str,
    password: str,
    now: datetime,
    business: str | None = None,
    **more: object,
) -> Staff:
    """Make an account whose password is hashed already.

    Args:
        db: A writing transaction.
        login: As for `add`, like all others.
        name: Idem.
        role: Idem.
        password: From `hashed`.
        now: Idem.
        business: Idem.
        **more: Further columns: `skills`, `capacity`, `must_change`.

    Raises:
        BadAccountError: As `add`.
    """
    if role not in ROLES:
        raise BadAccountError(f"没有“{role}”这个角色，可选：{'、'.join(ROLES)}")
    checked(login, LOGIN_LONGEST, "账号")
    if name:
        checked(name, NAME_LONGEST, "姓名")
    if db.execute(select(staff.c.id).where(staff.c.login == login)).first():
        raise TakenError(f"账号“{login}”已经有了")
    db.execute(
        insert(staff).values(
            login=login,
            name=name or login,
            role=role,
            password_hash=password,
            password_changed_at=stamp(now),
            failures=0,
            business=business,
            created_at=stamp(now),
            **more,
        )
    )
    return _of(db.execute(select(*_COLUMNS).where(staff.c.login == login)).one())


def checked(text: str, longest: int, what: str) -> str:
    """A login or name that can be stored, typed and read.

    Raises:
        BadAccountError: It is empty, too long, or has signs that nobody sees.
    """
    if not text.strip() or len(text) > longest:
        raise BadAccountError(f"{what}要有1到{longest}个字")
    if text != text.strip() or not text.isprintable():
        raise BadAccountError(f"{what}里有看不见的字符或多余的空格")
    return text


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


class Opened(NamedTuple):
    """A session that has begun: whose, the cookie's secret, the CSRF token."""

    staff: Staff
    secret: str
    csrf: str


class SecondStep(StrEnum):
    """Why a right password was not enough."""

    CODE_NEEDED = "code_needed"
    BAD_CODE = "bad_code"


def log_in(
    db: Connection,
    tried: Attempt,
    now: datetime,
    code: str | None = None,
    seal_key: str = "",
    address: str | None = None,
) -> Opened | SecondStep | None:
    """Settle an attempt to log in: begin a session, or count the failure.

    Args:
        db: A writing transaction.
        tried: The comparison, made before.
        now: The present moment.
        code: Of the second factor, as typed; None where none was.
        seal_key: Opens the secret of the second factor.
        address: Where the attempt comes from, for the audit log.

    Returns:
        The session. None for an unknown login, a wrong password, a locked and a disabled
        account alike. After five failures, be it of the password or of the code, the account is
        locked for 30 seconds, then twice as long each time, an hour at most.
    """
    row = _unlocked(db, tried, now)
    if row is None:
        return None
    who = _of(row)
    if not tried.right:
        _failed(db, who, row.failures, now, "password", address)
        return None
    used = None
    if who.totp:
        if code is None:
            return SecondStep.CODE_NEEDED
        used = second_factors.spend(db, who.id, code, seal_key, now)
        if used is None:
            _failed(db, who, row.failures, now, "code", address)
            return SecondStep.BAD_CODE
    db.execute(update(staff).where(staff.c.id == who.id).values(failures=0, locked_until=None))
    detail = {"second": used.value} if used else {}
    _note(db, who, "login", now, detail, address)
    return _begin(db, who, now)


def confirm_password(
    db: Connection, tried: Attempt, now: datetime, address: str | None = None
) -> bool:
    """Settle the password of somebody who is logged in; a wrong one counts as at the login."""
    row = _unlocked(db, tried, now)
    if row is None:
        return False
    if not tried.right:
        _failed(db, _of(row), row.failures, now, "password", address)
    return tried.right


def _unlocked(db: Connection, tried: Attempt, now: datetime) -> Row[*tuple[Any, ...]] | None:
    """The account of an attempt, held, where it may be tried at all."""
    row = db.execute(
        select(
            *_COLUMNS,
            staff.c.password_hash,
            staff.c.failures,
            staff.c.locked_until,
            staff.c.disabled_at,
        )
        .where(staff.c.login == tried.login)
        .with_for_update()
    ).first()
    # Read anew: the account may have been made, locked or given another password meanwhile.
    if row is None or row.password_hash != tried.password_hash or row.disabled_at is not None:
        return None
    if row.locked_until and row.locked_until > stamp(now):
        return None
    return row


def _failed(
    db: Connection, who: Staff, before: int, now: datetime, what: str, address: str | None
) -> None:
    failures = before + 1
    over = failures - _TRIES_BEFORE_LOCK
    locked = stamp(now + min(_LOCK * 2 ** min(over, 10), _LOCK_LONGEST)) if over >= 0 else None
    db.execute(
        update(staff).where(staff.c.id == who.id).values(failures=failures, locked_until=locked)
    )
    _note(db, who, "login_failed", now, {"wrong": what, "locked_until": locked}, address)


def _note(
    db: Connection,
    who: Staff,
    act: str,
    now: datetime,
    detail: dict[str, Any],
    address: str | None,
) -> None:
    audit_log.note(
        db,
        who,
        act,
        now,
        business=who.business,
        target=f"staff:{who.id}",
        detail=detail,
        address=address,
    )


def _begin(db: Connection, who: Staff, now: datetime) -> Opened:
    secret, csrf = new_secret(), new_secret()
    db.execute(delete(staff_sessions).where(staff_sessions.c.expires_at < stamp(now)))
    db.execute(
        insert(staff_sessions).values(
            token_hash=fingerprint(secret),
            staff_id=who.id,
            csrf=csrf,
            expires_at=stamp(now + _SESSION),
            created_at=stamp(now),
            seen_at=stamp(now),
        )
    )
    return Opened(who, secret, csrf)


class Session(NamedTuple):
    """A session that is good: whose, its CSRF token, when it was marked as used last."""

    staff: Staff
    csrf: str
    seen_at: str | None


def by_session(db: Connection, secret: str, now: datetime) -> Session | None:
    """Whose session a cookie is; None for one that has run out, by age or for want of use.

    A session ends after 12 hours, and after 2 hours in which nothing was asked with it.
    """
    row = db.execute(
        select(*_COLUMNS, staff_sessions.c.csrf, staff_sessions.c.seen_at)
        .join(staff_sessions, staff_sessions.c.staff_id == staff.c.id)
        .where(
            staff_sessions.c.token_hash == fingerprint(secret),
            staff_sessions.c.expires_at > stamp(now),
            # Those of before this was kept run out by age alone.
            func.coalesce(staff_sessions.c.seen_at, staff_sessions.c.expires_at)
            > stamp(now - _IDLE),
            staff.c.disabled_at.is_(None),
        )
    ).first()
    return Session(_of(row), row.csrf, row.seen_at) if row else None


def mark_used(db: Connection, secret: str, now: datetime) -> None:
    """Note that a session was used, unless that was noted within the last minute."""
    db.execute(
        update(staff_sessions)
        .where(
            staff_sessions.c.token_hash == fingerprint(secret),
            staff_sessions.c.seen_at <= stamp(now - SEEN_EVERY),
        )
        .values(seen_at=stamp(now))
    )


def is_stale(session: Session, now: datetime) -> bool:
    """Whether the use of a session is to be noted again."""
    return session.seen_at is not None and session.seen_at <= stamp(now - SEEN_EVERY)


def log_out(db: Connection, secret: str) -> None:
    """End a session."""
    db.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == fingerprint(secret)))


def has_session(db: Connection, staff_id: int, now: datetime) -> bool:
    """Whether an account is logged in anywhere."""
    session = select(staff_sessions.c.token_hash).where(
        staff_sessions.c.staff_id == staff_id,
        staff_sessions.c.expires_at > stamp(now),
        func.coalesce(staff_sessions.c.seen_at, staff_sessions.c.expires_at) > stamp(now - _IDLE),
    )
    return db.execute(session.limit(1)).first() is not None


def end_sessions(db: Connection, staff_id: int, but: str | None = None) -> list[str]:
    """End the sessions of an account.

    Args:
        db: A writing transaction.
        staff_id: Whose.
        but: The cookie of the one that goes on.

    Returns:
        Their fingerprints, for closing what is open.
    """
    mine = staff_sessions.c.staff_id == staff_id
    if but is not None:
        mine &= staff_sessions.c.token_hash != fingerprint(but)
    ended = delete(staff_sessions).where(mine).returning(staff_sessions.c.token_hash)
    return list(db.execute(ended).scalars())


def names(db: Connection) -> dict[int, str]:
    """Names by id, for lists."""
    return {row.id: row.name for row in db.execute(select(staff.c.id, staff.c.name))}
