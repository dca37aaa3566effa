"""The second factor of staff: one-time codes of an authenticator app, and codes on paper.

The codes follow RFC 6238 (TOTP: six digits, a step of 30 seconds), which every authenticator app
speaks. The secret is sealed at rest, so that a stolen database makes no codes.
"""

import base64
import io
import secrets
import unicodedata
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from recovery.ids import fingerprint

ISSUER = "回心"
RECOVERY_CODES = 10
_STEP_SECONDS = 30
# A phone's clock may be wrong, and typing takes time (RFC 6238, 5.2).
_DRIFT_STEPS = 1
_DIGITS = 6
# No letter or digit that looks like another.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 4


class SealError(ValueError):
    """A sealed secret that this desk's key does not open."""


def new_secret() -> str:
    """Make the secret of an authenticator app (160 bits, base32)."""
    return pyotp.random_base32()


def uri_of(secret: str, login: str) -> str:
    """What an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def qr_of(uri: str) -> str:
    """A QR code as SVG, black on white also on a dark page."""
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(
        drawn, kind="svg", scale=5, border=4, light="#fff", xmldecl=False, svgns=True
    )
    return drawn.getvalue().decode()


def seal(secret: str, key: str) -> str:
    """Close a secret for storage.

    Args:
        secret: Of an authenticator app.
        key: `recovery.settings.Secrets.seal_key`.
    """
    return _box(key).encrypt(secret.encode()).decode()


def unseal(sealed: str, key: str) -> str:
    """Open what `seal` closed.

    Raises:
        SealError: The key is another one: `secrets.json` was not restored with the database.
    """
    try:
        return _box(key).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealError("the key in secrets.json does not open this secret") from error


def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(sha256(b"seal\0" + key.encode()).digest()))


def plain_code(typed: str) -> str:
    """A code without what people type around it: gaps, hyphens, full width, small letters."""
    folded = unicodedata.normalize("NFKC", typed)
    return "".join(char for char in folded if char.isalnum()).upper()


def step_of(secret: str, code: str, now: datetime, last: int = 0) -> int | None:
    """The time step that a code belongs to.

    Args:
        secret: Of the authenticator app.
        code: As `plain_code` gives it.
        now: The present moment.
        last: The step of the code that was used last; no code is good twice (RFC 6238, 5.2).

    Returns:
        The step, to be remembered; None where the code is wrong, old or used.
    """
    if len(code) != _DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
    found = None
    # All of them are compared, so that the time of the answer tells nothing.
    for step in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        if compare_digest(totp.at(step * _STEP_SECONDS), code) and step > last:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Make the codes for who has lost the phone; each is good once (78 random bits)."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_fingerprint(code: str) -> str | None:
    """How a recovery code is stored; None for what cannot be one.

    Args:
        code: As typed.
    """
    plain = plain_code(code)
    if len(plain) != _GROUPS * _GROUP or any(char not in _ALPHABET for char in plain):
        return None
    return fingerprint(plain)
