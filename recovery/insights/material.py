"""What the facts of one case are derived from, as it was read from the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One message of the customer.

    Attributes:
        id: Of the message.
        conversation: Where it came in.
        at: When.
        anger: As it was read in it; None where nothing was.
        words: Whether it is one: no button, no picture, no coming in.
    """

    id: str
    conversation: str
    at: datetime
    anger: int | None
    words: bool


@dataclass(frozen=True)
class Said:
    """One event of ours that the customer was shown.

    Attributes:
        id: Of the event.
        conversation: Where it was shown.
        at: When.
        kind: `message`, `owner`, `invitation`, `reminder`.
        author: Of a message: `bot`, `staff`, `system`.
        owner: Of `owner`: who answers from then on.
        sorry: Whether it says sorry.
    """

    id: str
    conversation: str
    at: datetime
    kind: str
    author: str = ""
    owner: str = ""
    sorry: bool = False


@dataclass(frozen=True)
class Decided:
    """One offer.

    Attributes:
        added: Whether the desk has added it because a promise was late: it costs, and nobody was
            asked.
        by_staff: Whether a person has decided it.
        departs: Whether staff have written down why they depart from the policy.
        beyond_fen: What it is worth above what the policy gives.
        alike: The same facts have the same word.
        given: The same remedies have the same word.
    """

    state: str
    order_customer: str
    tier: str
    floor_fen: int
    goodwill_fen: int
    by_staff: bool
    departs: bool
    beyond_fen: int
    alike: str
    given: str
    added: bool = False


@dataclass(frozen=True)
class Room:
    """What the others in the room said in an hour.

    Attributes:
        messages: How many.
        angers: As they were read.
    """

    messages: int
    angers: tuple[int, ...]


@dataclass(frozen=True)
class Survey:
    """A survey that was sent. Fields as in the table."""

    answered: bool
    expected: Mapping[str, int]
    perceived: Mapping[str, int]
    confirmed: int | None
    recommend: int | None


@dataclass(frozen=True)
class Later:
    """What the customer of the order system bought within 90 days after the case was closed."""

    fen: tuple[int, ...]


@dataclass(frozen=True)
class Material:
    """One case with all that belongs to it.

    Attributes:
        state: `recovery.case.Case.to_state`.
        person: Whose it is.
        channel: Where it began.
        by_hand: Staff have entered it, and answer elsewhere.
        began: When the message came that opened it.
        heard: Messages of the customer about it, oldest first.
        said: What they were shown, oldest first.
        public: Ids of the conversations that everybody reads.
        invited_at: When the customer was first asked into private.
        moved_at: When they came.
        room: What the others said before and after that; None where it was in no room, or the
            hour after it is not over.
        decided: Offers, oldest first.
        promises: How many, and how many of them were late.
        gestures_fen: Of what the customer has taken.
        ratings: None for who was asked and has not answered, oldest first.
        survey: None where none was sent.
        later: None where it cannot be known.
        cause: As staff have confirmed it.
        repeat: The same person had complained of the same within 30 days before.
    """

    id: str
    business: str
    state: Mapping[str, Any]
    person: str
    channel: str
    by_hand: bool
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    began: datetime
    heard: tuple[Heard, ...] = ()
    said: tuple[Said, ...] = ()
    public: frozenset[str] = frozenset()
    invited_at: datetime | None = None
    moved_at: datetime | None = None
    room: tuple[Room, Room] | None = None
    decided: tuple[Decided, ...] = ()
    promises: int = 0
    late: int = 0
    gestures_fen: int = 0
    ratings: tuple[int | None, ...] = ()
    survey: Survey | None = None
    later: Later | None = None
    cause: str | None = None
    repeat: bool = False
