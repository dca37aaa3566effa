"""One of several ways to say a thing, always the same one for the same occasion."""

from collections.abc import Sequence
from hashlib import sha256


def pick(variants: Sequence[str], key: str) -> str:
    """Choose one.

    Args:
        variants: At least one.
        key: Names the occasion (a message, a case), so that a retry says the same.
    """
    return variants[int(sha256(key.encode()).hexdigest(), 16) % len(variants)]
