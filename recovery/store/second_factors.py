"""Second factors of accounts as stored: a sealed secret, the codes on paper, what was used."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from recovery.logs import log
from recovery.second_factor import (
    SealError,
    new_recovery_codes,
    new_secret,
    plain_code,
    recovery_fingerprint,
    seal,
    step_of,
    unseal,
)
from recovery.store.database import stamp
from recovery.store.tables import recovery_codes, staff


class Used(StrEnum):
    """What a second factor was shown by."""

    APP = "app"
    PAPER = "recovery_code"


def begin(db: Connection, staff_id: int, key: str) -> str | None:
    """Make a secret, which is not in force before it is confirmed.

    Args:
        db: A writing transaction.
        staff_id: Whose.
        key: Seals it.

    Returns:
        The secret; None where one is in force, which has to be taken away first.
    """
    secret = new_secret()
    changed = db.execute(
        update(staff)
        .where(staff.c.id == staff_id, staff.c.totp_confirmed_at.is_(None))
        .values(totp_secret=seal(secret, key), totp_last=0)
    )
    return secret if changed.rowcount else None


def confirm(db: Connection, staff_id: int, code: str, key: str, now: datetime) -> list[str] | None:
    """Put the secret into force with a first code of the app.

    Returns:
        The recovery codes, which are shown this once; None where the code is wrong, or there is
        nothing to confirm.
    """
    row = db.execute(
        select(staff.c.totp_secret, staff.c.totp_confirmed_at)
        .where(staff.c.id == staff_id)
        .with_for_update()
    ).one()
    if row.totp_secret is None or row.totp_confirmed_at is not None:
        return None
    step = _step(staff_id, row.totp_secret, code, key, now, 0)
    if step is None:
        return None
    db.execute(
        update(staff)
        .where(staff.c.id == staff_id)
        .values(totp_confirmed_at=stamp(now), totp_last=step)
    )
    db.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
    codes = new_recovery_codes()
    hashes = [recovery_fingerprint(one) for one in codes]
    db.execute(
        insert(recovery_codes),
        [{"code_hash": one, "staff_id": staff_id, "made_at": stamp(now)} for one in hashes],
    )
    return codes


def spend(db: Connection, staff_id: int, code: str, key: str, now: datetime) -> Used | None:
    """Use a code up.

    Args:
        db: A writing transaction that holds the account's row.
        staff_id: Whose.
        code: Of the app or from paper, as typed.
        key: Opens the secret.
        now: The present moment.

    Returns:
        Which of the two it was; None where it is wrong, too old or was used before.
    """
    paper = recovery_fingerprint(code)
    if paper is not None:
        gone = db.execute(
            delete(recovery_codes).where(
                recovery_codes.c.staff_id == staff_id, recovery_codes.c.code_hash == paper
            )
        )
        return Used.PAPER if gone.rowcount else None
    row = db.execute(
        select(staff.c.totp_secret, staff.c.totp_last).where(staff.c.id == staff_id)
    ).one()
    if row.totp_secret is None:
        return None
    step = _step(staff_id, row.totp_secret, code, key, now, row.totp_last)
    if step is None:
        return None
    db.execute(update(staff).where(staff.c.id == staff_id).values(totp_last=step))
    return Used.APP


def drop(db: Connection, staff_id: int) -> bool:
    """Take the second factor away; whether one was in force."""
    had = db.execute(select(staff.c.totp_confirmed_at).where(staff.c.id == staff_id)).scalar()
    db.execute(
        update(staff)
        .where(staff.c.id == staff_id)
        .values(totp_secret=None, totp_confirmed_at=None, totp_last=0)
    )
    db.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))
    return had is not None


def _step(staff_id: int, sealed: str, code: str, key: str, now: datetime, last: int) -> int | None:
    try:
        secret = unseal(sealed, key)
    except SealError:
        # Codes from paper still open the account; they need no key.
        log.error("second factor cannot be opened, secrets.json is another one", staff=staff_id)
        return None
    return step_of(secret, plain_code(code), now, last)
