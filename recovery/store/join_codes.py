"""One-time codes by which a customer shows on one channel who they are on another.

Only a keyed hash is stored. A code is of one business, holds for ten minutes, works once; wrong
ones are counted for who types them. A link is the same without a code to type: it was opened
elsewhere (a QR code scanned, a page opened), and is confirmed by who opened it.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from recovery.store.database import hold, stamp
from recovery.store.tables import join_codes, join_tries

VALID = timedelta(minutes=10)
LENGTH = 8
ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""Nothing that looks like something else: no 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B."""
CODES_AN_HOUR = 5
WRONG_AN_HOUR = 6
_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=7)
_NOTHING = "0" * 64

Kind = Literal["code", "link"]


class TooManyError(RuntimeError):
    """Enough codes asked for, or enough wrong ones typed, for an hour."""


@dataclass(frozen=True)
class Issued:
    """A code for its customer to read, and until when it works (ISO 8601)."""

    code: str
    expires_at: str


def issue(db: Connection, business: str, customer_id: str, key: str, now: datetime) -> Issued:
    """Make a code; the one that this customer had before does not work any more.

    Args:
        db: A writing transaction.
        business: Where it works.
        customer_id: Who asks for it.
        key: The signing key.
        now: The present moment.

    Raises:
        TooManyError: As many as an hour may have were made.
    """
    hold(db, f"joining {customer_id}")
    _forget(db, now)
    asked = select(func.count()).where(
        join_codes.c.customer_id == customer_id,
        join_codes.c.kind == "code",
        join_codes.c.created_at > stamp(now - _HOUR),
    )
    if (db.execute(asked).scalar() or 0) >= CODES_AN_HOUR:
        raise TooManyError(customer_id)
    db.execute(
        update(join_codes)
        .where(
            join_codes.c.customer_id == customer_id,
            join_codes.c.kind == "code",
            join_codes.c.used_at.is_(None),
            join_codes.c.expires_at > stamp(now),
        )
        .values(expires_at=stamp(now))
    )
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    _add(db, _hash(key, business, code), business, customer_id, "code", now)
    half = LENGTH // 2
    return Issued(f"{code[:half]}-{code[half:]}", stamp(now + VALID))


def redeem(
    db: Connection, business: str, customer_id: str, typed: str, key: str, now: datetime
) -> str | None:
    """Use a code that somebody types, once. The work is the same whatever is typed.

    Args:
        db: A writing transaction.
        business: Where it is typed.
        customer_id: Who types it.
        typed: Anything.
        key: The signing key.
        now: The present moment.

    Returns:
        The customer who asked for it; None alike for wrong, used, too old, one's own, and those
        of other businesses.

    Raises:
        TooManyError: Wrong ones were typed too often; a right one counts for nothing then, and
            stays as it is.
    """
    hold(db, f"joining {customer_id}")
    wrong = select(func.count()).where(
        join_tries.c.customer_id == customer_id,
        join_tries.c.correct.is_(False),
        join_tries.c.at > stamp(now - _HOUR),
    )
    spent = (db.execute(wrong).scalar() or 0) >= WRONG_AN_HOUR
    hashed = _hash(key, business, folded(typed))
    asked = _use(db, _NOTHING if spent else hashed, customer_id, "code", now)
    if spent:
        raise TooManyError(customer_id)
    db.execute(
        insert(join_tries).values(
            business=business, customer_id=customer_id, correct=asked is not None, at=stamp(now)
        )
    )
    return asked


def propose(
    db: Connection, business: str, customer_id: str, opener: str, key: str, now: datetime
) -> None:
    """Remember that something of a customer was opened by another, who may confirm to be the same.

    Args:
        db: A writing transaction.
        business: Of both.
        customer_id: Whose code was scanned, whose link was opened.
        opener: The customer who has done so.
        key: The signing key.
        now: The present moment.
    """
    hold(db, f"joining {opener}")
    _forget(db, now)
    hashed = _hash(key, business, f"link {opener}")
    db.execute(delete(join_codes).where(join_codes.c.code_hash == hashed))
    _add(db, hashed, business, customer_id, "link", now)


def confirm(db: Connection, business: str, opener: str, key: str, now: datetime) -> str | None:
    """Confirm what was opened within ten minutes; whose it was, None where there is nothing."""
    hold(db, f"joining {opener}")
    return _use(db, _hash(key, business, f"link {opener}"), opener, "link", now)


def folded(typed: str) -> str:
    """A code as it was made, however it was typed: case, spaces and dashes do not count."""
    return "".join(char for char in typed.upper() if char.isascii() and char.isalnum())


def looks_like(typed: str) -> bool:
    """Whether this is written as codes are shown: two halves of the alphabet with a dash."""
    first, dash, second = typed.strip().upper().partition("-")
    halves = len(first) == len(second) == LENGTH // 2
    return bool(dash) and halves and all(char in ALPHABET for char in first + second)


def _use(db: Connection, hashed: str, by: str, kind: Kind, now: datetime) -> str | None:
    """Use a row, once: of two at the same moment one finds it unused.

    Who has used it and did not hear of it uses it again.
    """
    used = db.execute(
        update(join_codes)
        .where(
            join_codes.c.code_hash == hashed,
            join_codes.c.kind == kind,
            join_codes.c.customer_id != by,
            or_(join_codes.c.used_at.is_(None), join_codes.c.used_by == by),
            join_codes.c.expires_at > stamp(now),
        )
        .values(used_at=stamp(now), used_by=by)
        .returning(join_codes.c.customer_id)
    ).scalar()
    return str(used) if used else None


def _add(
    db: Connection, hashed: str, business: str, customer_id: str, kind: Kind, now: datetime
) -> None:
    db.execute(
        insert(join_codes).values(
            code_hash=hashed,
            business=business,
            customer_id=customer_id,
            kind=kind,
            created_at=stamp(now),
            expires_at=stamp(now + VALID),
        )
    )


def _forget(db: Connection, now: datetime) -> None:
    """Take away what ran out long ago."""
    before = stamp(now - _KEPT)
    db.execute(delete(join_codes).where(join_codes.c.expires_at < before))
    db.execute(delete(join_tries).where(join_tries.c.at < before))


def _hash(key: str, business: str, content: str) -> str:
    """Keyed, so that a stolen database cannot be searched for eight letters."""
    text = f"{business}\0{content}".encode(errors="surrogatepass")
    return hmac.new(key.encode(), b"join\0" + text, sha256).hexdigest()
