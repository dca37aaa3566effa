"""Signed letters between systems: what came was written by who knows the secret, and lately.

One header, `X-Huixin-Signature: t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 with the
secret over the time in digits, a dot, and the body as it was sent. The time stands under the
signature, so an old letter cannot be sent again with a new time. Several v1 may stand in one
header: who changes a secret signs with both for a while.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

HEADER = "X-Huixin-Signature"
TOLERANCE = 300
_LONGEST = 1024
_DIGITS = 12
_MOST = 8


class SignatureError(ValueError):
    """The letter is not from who knows the secret, or it is an old one."""


def sign(secret: str, body: bytes, now: datetime, *others: str) -> str:
    """The header of a letter that goes out.

    Args:
        secret: Of the two systems.
        body: Exactly as it is sent.
        now: The current time.
        others: Secrets that are in use beside it, while it is being changed.

    Returns:
        What stands in `X-Huixin-Signature`.
    """
    at = str(int(now.timestamp()))
    given = [f"v1={_digest(one, at, body)}" for one in (secret, *others)]
    return ",".join([f"t={at}", *given])


def verify(
    header: str, body: bytes, secrets: Sequence[str], now: datetime, tolerance: int = TOLERANCE
) -> datetime:
    """Check the header of a letter that came in.

    Every signature is compared with every secret, in constant time, whatever was found before.

    Args:
        header: What stood in `X-Huixin-Signature`; empty when nothing did.
        body: Exactly as it came.
        secrets: The current one, and the previous one while it is still taken.
        now: The current time.
        tolerance: By how many seconds the letter may be old, or its clock ahead of ours.

    Returns:
        When it was signed.

    Raises:
        SignatureError: Not well formed, signed with another secret, or too old.
    """
    at, given = _read(header)
    right = False
    for secret in secrets:
        # An empty secret is one that nobody set; what is signed with it is signed by anybody.
        if secret:
            wanted = _digest(secret, at, body)
            for one in given:
                right |= hmac.compare_digest(wanted, one)
    if not right:
        raise SignatureError("no signature with a known secret")
    if abs(int(now.timestamp()) - int(at)) > tolerance:
        raise SignatureError("signed too long ago, or by a clock that is ahead")
    return datetime.fromtimestamp(int(at), UTC)


def _digest(secret: str, at: str, body: bytes) -> str:
    signed = at.encode("ascii") + b"." + body
    return hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()


def _read(header: str) -> tuple[str, list[str]]:
    """The time in its digits, and the signatures.

    Raises:
        SignatureError: Another form.
    """
    if len(header) > _LONGEST or not header.isascii():
        raise SignatureError("no header of a signature")
    times: list[str] = []
    given: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            given.append(value.lower())
        # Other names are versions of signatures that this desk does not know yet.
    if len(times) != 1 or not given or len(given) > _MOST:
        raise SignatureError("no header of a signature")
    if not times[0].isdigit() or len(times[0]) > _DIGITS:
        raise SignatureError("no time in the header of the signature")
    return times[0], given
