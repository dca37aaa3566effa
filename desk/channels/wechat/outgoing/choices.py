"""Which quick replies may be typed as numbers, and for how long.

Those of an offer count for as long as it is open, through whatever else the bot says, until it
asks something: a number is then the answer to that. Those that answer a question of the bot count
until the bot goes on. All end with what staff say, with other quick replies, with the offer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from desk.channels.wechat.outgoing.rendering import Ending
from desk.context import Context
from desk.conversations import buttons
from recovery.case import Offer
from recovery.clock import spoken_point
from recovery.store import cases
from recovery.store.conversations import Conversation
from recovery.store.wechat import options
from recovery.store.wechat.options import Option


@dataclass(frozen=True)
class Choices:
    """What can still be typed as numbers.

    Attributes:
        offer: To which they belong; it is open.
        options: In order.
    """

    offer: Offer
    options: Sequence[Option]

    def reminder(self, text: str, zone: ZoneInfo, now: datetime) -> str | None:
        """The numbers in one line, below words that remind of the offer; None below others.

        Args:
            text: What the bot says; it reminds where it says until when the offer stands.
            zone: Of the business.
            now: The present moment.
        """
        until = datetime.fromisoformat(self.offer.expires_at)
        if spoken_point(until, now, zone) not in text:
            return None
        listed = "，".join(f"{one.number} {one.title}" for one in self.options)
        return f"（回复数字即可：{listed}）"


def after(
    db: Connection,
    context: Context,
    conversation: Conversation,
    contact_id: str,
    ending: Ending,
    now: datetime,
) -> Choices | None:
    """Let those numbers end that an event ends.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation: Of the event, as it is now.
        contact_id: Who was shown them.
        ending: Which ones the event ends, see `rendering.ending`.
        now: The present moment.

    Returns:
        Those of an open offer that can still be typed after words that end others.
    """
    if not ending:
        return None
    found = None
    if ending == "asked":
        current = options.current(db, contact_id)
        if not current:
            return None
        found = _of_open_offer(db, context, conversation, current, now)
    if found is None:
        options.clear(db, contact_id)
    return found


def offer_of(context: Context, conversation_id: str, tokens: Iterable[str]) -> str | None:
    """Id of the offer that quick replies belong to; None where they answer a question."""
    key = context.secrets.signing_key
    for token in tokens:
        read = buttons.read(token, conversation_id, key, context.clock)
        if read is not None and read[0].offer:
            return read[0].offer
    return None


def _of_open_offer(
    db: Connection,
    context: Context,
    conversation: Conversation,
    current: Sequence[Option],
    now: datetime,
) -> Choices | None:
    if current[0].conversation_id != conversation.id:
        return None
    case = cases.load(db, conversation.case_id)
    offer = case.open_offer(now) if case else None
    if offer is None:
        return None
    shown = offer_of(context, conversation.id, [one.token for one in current])
    return Choices(offer, current) if shown == offer.id else None
