"""Who of staff sees a conversation with its customer's data, and who sees it masked."""

from dataclasses import dataclass
from typing import Any

from desk.conversations.veil import Veil, masked_name
from recovery.roles import Act, may
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.staff import Staff

Shown = dict[str, Any]


def sees_whole(who: Staff, owner: str) -> bool:
    """Whether a member of staff sees a conversation with its customer's data.

    Args:
        who: Who looks.
        owner: Of the conversation: `bot`, `queue`, `staff:<id>`.
    """
    if not may(who.role, Act.HANDLE):
        return False
    return may(who.role, Act.OVERSEE) or owner in (QUEUE, staff_owner(who.id))


@dataclass(frozen=True)
class Sight:
    """What of a case a reader sees with its customer's data: each part by who has that part.

    Whoever has the thread in the room does not read along in a colleague's private chat.

    Attributes:
        public: The part in the room; none there is not seen.
        private: The private chat, likewise.
        case: What belongs to no part: case, customer, order, what happened before.
    """

    public: bool
    private: bool
    case: bool

    def of(self, part: Conversation) -> bool:
        """Whether a part is seen whole."""
        return self.private if part.private else self.public


def sight_of(who: Staff, public_owner: str | None, private_owner: str | None) -> Sight:
    """What a member of staff sees of a case.

    Args:
        who: Who looks.
        public_owner: Of the part in the room, None where there is none.
        private_owner: Of the private chat, likewise.
    """
    private = private_owner is not None and sees_whole(who, private_owner)
    # What the bot has in the room goes with the private chat: its customer is no stranger there.
    along = public_owner == BOT and private
    public = public_owner is not None and (along or sees_whole(who, public_owner))
    return Sight(public, private, public if private_owner is None else private)


def masked_row(row: Shown, veil: Veil) -> Shown:
    """A `Row` of the lists for a masked reader."""
    return {
        **row,
        "customer": masked_name(row["customer"]),
        "matter": veil.text(row["matter"]),
        "last": veil.text(row["last"]),
        "masked": True,
    }


def masked_event(event: Shown, veil: Veil) -> Shown:
    """An event for a masked reader.

    Args:
        event: As `desk.channels.view.for_staff` gives it.
        veil: Of the conversation's customer.
    """
    shown: Shown = veil.over(event)
    return shown


def masked_detail(detail: Shown, veil: Veil, sight: Sight, *, row: bool) -> Shown:
    """A `Detail` as far as its reader sees it.

    Args:
        detail: Whole, but for its notes, which are masked one by one.
        veil: Of the case's customer.
        sight: What the reader sees whole; all that is of no part goes with the case.
        row: Whether the row of the conversation that was opened is seen whole.
    """
    seen = {"public": sight.public, "private": sight.private, "conversation": row}
    shown: Shown = {
        name: part if name in _WHOLE or seen.get(name, sight.case) else veil.over(part, name)
        for name, part in detail.items()
    }
    if not sight.case and isinstance(detail.get("customer"), dict):
        shown["customer"]["name"] = masked_name(detail["customer"]["name"])
    if not row:
        shown["conversation"] = masked_row(detail["conversation"], veil)
    return shown


# Parts of a detail in which nothing is of the customer, or which are masked already.
_WHOLE = frozenset(
    {
        *("clocks", "labels", "kinds", "outcomes", "stages", "looking", "quota", "anger", "seq"),
        # Ids of events.
        *("held", "undelivered", "unsure"),
        "notes",
    }
)
