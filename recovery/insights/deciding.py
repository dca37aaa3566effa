"""What of an offer counts: what it cost, how far above the policy, and whom it is alike with."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from recovery.audit.stored import Archive, NotKeptError, Stored, UndecidedError
from recovery.insights.material import Decided
from recovery.promises.table import PREFIX

_LENGTH = 16


def decided(row: Mapping[str, Any], archive: Archive) -> Decided:
    """Read a row of `decisions`.

    Args:
        row: With all columns of `recovery.audit.stored.Stored`, and its state.
        archive: Of the policies that were decided with.
    """
    one = Stored.of(row)
    return Decided(
        state=str(row["state"]),
        order_customer=str(row["order_customer"]),
        tier=str(one.facts.get("tier") or ""),
        floor_fen=one.floor_fen,
        goodwill_fen=one.goodwill_fen,
        by_staff=one.by_staff,
        departs=one.departs,
        beyond_fen=_beyond(one, archive) if row["state"] == "accepted" else 0,
        alike="" if one.by_staff else _alike(one, archive),
        given="" if one.by_staff else _word((one.floor_fen, one.goodwill_fen, _plain(one))),
        added=str(row["policy"]).startswith(PREFIX),
    )


def _beyond(one: Stored, archive: Archive) -> int:
    """What staff gave above the policy; nothing where the policy cannot be asked any more."""
    if not one.departs:
        return 0
    try:
        return max(0, one.fen - archive.decide(one).worth.fen)
    except (NotKeptError, UndecidedError):
        return 0


def _alike(one: Stored, archive: Archive) -> str:
    try:
        # Facts that cannot be read are alike to none.
        readable = one.readable
        return _word((readable.industry, archive.alike(one)))
    except (UndecidedError, KeyError, TypeError):
        return ""


def _plain(one: Stored) -> list[list[tuple[str, str]]]:
    return [sorted((name, repr(value)) for name, value in given.items()) for given in one.given]


def _word(content: object) -> str:
    return sha256(repr(content).encode(errors="surrogatepass")).hexdigest()[:_LENGTH]
