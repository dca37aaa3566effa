"""What an action wants done. Actions only read; the desk carries commands out.

Every command is a frozen dataclass of plain JSON types, so that it travels in Rasa's custom
payload and is stored in the case's log as it was given.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar


class BadCommandError(ValueError):
    """A payload that is no command."""


@dataclass(frozen=True)
class Command:
    """Base of all commands; `do` is the name on the wire."""

    do: ClassVar[str] = ""


@dataclass(frozen=True)
class OpenCase(Command):
    """Begin a case.

    Attributes:
        case: Its id, derived from the message, so that a retry names the same case.
        failure: A name in `recovery.failures`, `unknown`, or None before it is known.
        keywords: The customer's own safe words where the failure is unknown.
        safety: Somebody's body or life may be at risk.
        order_number: Proved by this customer in this chat before.
        harm: What it did to the customer, where the message tells it.
    """

    do: ClassVar[str] = "open_case"
    case: str
    failure: str | None = None
    keywords: str | None = None
    safety: bool = False
    order_number: str | None = None
    harm: str | None = None


@dataclass(frozen=True)
class ContinueCase(Command):
    """Go on in a case of the same person; one that is closed is open again.

    Attributes:
        case: Its id. The desk looks whether it is this person's.
        rule: Of `recovery.one_customer.same_matter`, for staff.
    """

    do: ClassVar[str] = "continue_case"
    case: str
    rule: str = ""


@dataclass(frozen=True)
class Note(Command):
    """Add facts to the case (failure, keywords, order_number, phone_last4, item, ...)."""

    do: ClassVar[str] = "note"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Invite(Command):
    """Ask the customer into private, or remind of the invitation that stands."""

    do: ClassVar[str] = "invite"
    reminder: bool = False


@dataclass(frozen=True)
class CountPublicReply(Command):
    """A public reply was given; a case gets two at most."""

    do: ClassVar[str] = "count_public_reply"


@dataclass(frozen=True)
class TriedProof(Command):
    """The customer named an order and the last four digits of its phone.

    Attributes:
        order_number: The order named.
        correct: Whether the directory knows the pair.
        vouched: Nothing was guessed: the order is one of the customer whose identity the host
            site has signed.
    """

    do: ClassVar[str] = "tried_proof"
    order_number: str
    correct: bool
    vouched: bool = False


@dataclass(frozen=True)
class MakeOffer(Command):
    """Put a remedy before the customer; replaces an open offer.

    Attributes:
        offer: Its id, derived from the message.
        order_number: The order it is carried out against.
        order_customer: Whose order it is, as the order system names them.
        remedies: What is given, see `recovery.remedy.catalogue`.
        rules: Ids of the policy rows that gave it.
        policy: Version and digest of the policy.
        day: ISO date on which its tables were read.
        facts: What the policy was asked, for replay.
        reason: One clause for the customer.
        why: All that spoke for it, for who asks.
        round: 0 for the first offer, 1 and 2 after each "more".
        expires_at: ISO 8601, UTC.
        floor_fen: What is owed of it, in fen.
        goodwill_fen: What is given beyond that, in fen.
        provisional: Something is still being looked into; nothing of this is final.
        by: Who offers it: `bot` or `staff:<id>`; actions never name anybody but the bot.
        authority: Of who offers it: `bot`, `agent` or `manager`.
        departure: Why staff give something else than the policy.
    """

    do: ClassVar[str] = "make_offer"
    offer: str
    order_number: str
    remedies: list[dict[str, Any]]
    rules: list[str]
    policy: str
    facts: dict[str, Any]
    reason: str
    round: int
    expires_at: str
    order_customer: str = ""
    day: str = ""
    why: list[str] = field(default_factory=list)
    floor_fen: int = 0
    goodwill_fen: int = 0
    provisional: bool = False
    by: str = "bot"
    authority: str = "bot"
    departure: str | None = None


@dataclass(frozen=True)
class AcceptOffer(Command):
    """The customer takes the open offer."""

    do: ClassVar[str] = "accept_offer"
    offer: str


@dataclass(frozen=True)
class RefuseOffer(Command):
    """The customer turns the open offer down."""

    do: ClassVar[str] = "refuse_offer"
    offer: str


@dataclass(frozen=True)
class HandOver(Command):
    """Put the conversation into the staff queue.

    Attributes:
        reason: `safety`, `asked`, `escalation`, `fury`, `unknown`, `refused`, `beyond_authority`,
            `not_understood`, `proof_limit`, `no_order`, `second_matter`, `not_as_promised`,
            `changed_mind`, `late`, `repeated`, `alleged`, `no_evidence`, `budget`, `offer_gone`,
            `remedy_late`, `remedy_refused`, `remedy_failed`, `error`, `follow_up` (asked
            afterwards, the customer was not content); `reopened` by staff who take
            what was closed.
        by: When a person answers, as promised to the customer (ISO 8601).
    """

    do: ClassVar[str] = "hand_over"
    reason: str
    by: str | None = None


@dataclass(frozen=True)
class CountMiss(Command):
    """The bot did not understand; two in a row bring a person."""

    do: ClassVar[str] = "count_miss"


@dataclass(frozen=True)
class ClearMisses(Command):
    """The bot understood again: what was missed before is no longer in a row."""

    do: ClassVar[str] = "clear_misses"


@dataclass(frozen=True)
class CloseCase(Command):
    """The matter is settled.

    Attributes:
        outcome: `thanked`, said by the bot; or one of `recovery.outcomes`, said by staff.
    """

    do: ClassVar[str] = "close_case"
    outcome: str


_COMMANDS: dict[str, type[Command]] = {
    kind.do: kind
    for kind in (
        OpenCase,
        ContinueCase,
        Note,
        Invite,
        CountPublicReply,
        TriedProof,
        MakeOffer,
        AcceptOffer,
        RefuseOffer,
        HandOver,
        CountMiss,
        ClearMisses,
        CloseCase,
    )
}


def to_wire(command: Command) -> dict[str, Any]:
    """Turn a command into plain JSON types."""
    return {"do": command.do, **asdict(command)}


def from_wire(payload: Any) -> Command:  # noqa: ANN401 - whatever came over HTTP
    """Read a command.

    Args:
        payload: As made by `to_wire`.

    Returns:
        The command.

    Raises:
        BadCommandError: Unknown name, missing or unknown fields.
    """
    name = payload.get("do") if isinstance(payload, dict) else None
    if not isinstance(name, str) or name not in _COMMANDS:
        # Only its name: the rest may hold a customer's words, and errors end up in logs.
        raise BadCommandError(f"not a command: {str(name)[:40]!r}")
    kind = _COMMANDS[name]
    given = {name: value for name, value in payload.items() if name != "do"}
    known = {item.name for item in fields(kind)}
    if not set(given) <= known:
        raise BadCommandError(f"{kind.do} has no {sorted(set(given) - known)}")
    try:
        return kind(**given)
    except TypeError as error:
        raise BadCommandError(f"{kind.do}: {error}") from error
