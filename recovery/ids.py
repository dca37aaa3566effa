"""Identifiers that cannot be guessed, and short-lived signed tokens."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any


def new_id(prefix: str) -> str:
    """Make an unguessable identifier: one letter and 24 hex digits (96 random bits)."""
    return prefix + secrets.token_hex(12)


def new_secret() -> str:
    """Make a secret for a cookie or an invitation (256 random bits, URL safe)."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Hash a secret for storage, so that a stolen database opens nothing (SHA-256, hex).

    Anything may come in a cookie, also bytes that are no text; they are hashed like all others.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _mac(payload: bytes, key: str, purpose: str) -> bytes:
    return hmac.new(key.encode(), purpose.encode() + b"\x00" + payload, hashlib.sha256).digest()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(content: dict[str, Any], key: str, purpose: str) -> str:
    """Sign a small JSON object.

    Args:
        content: Plain JSON types. An `exp` in it is a Unix time in seconds.
        key: The signing key.
        purpose: Keeps a token of one kind from being taken for another kind.

    Returns:
        `payload.signature`, both URL-safe base64 without padding.
    """
    payload = json.dumps(content, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    raw = payload.encode()
    return f"{_b64(raw)}.{_b64(_mac(raw, key, purpose))}"


def read_signed(token: str, key: str, purpose: str, now: datetime) -> dict[str, Any] | None:
    """Read what `sign` made.

    Args:
        token: Anything; hostile text is fine.
        key: The signing key.
        purpose: As given to `sign`.
        now: The present moment, for `exp`.

    Returns:
        The content, or None when the token is forged, of another purpose, malformed or expired.
    """
    try:
        payload, signature = (
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")
        )
        if not hmac.compare_digest(signature, _mac(payload, key, purpose)):
            return None
        content = json.loads(payload)
        if not isinstance(content, dict):
            return None
        if "exp" in content and float(content["exp"]) < now.timestamp():
            return None
    except (ValueError, TypeError):
        return None
    return content
