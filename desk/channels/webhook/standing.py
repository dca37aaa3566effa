"""What staff are told of words that went to a source."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from recovery.store.conversations import Conversation
from recovery.store.webhook import sends

_LOOKED_BACK = timedelta(days=7)


def undelivered_of(
    db: Connection, context: Context, parts: Iterable[Conversation | None], now: datetime
) -> list[str]:
    """Ids of the events of these conversations that no source has taken."""
    if not any(context.webhooks):
        return []
    streams = {name for one in parts if one for name in (one.stream, one.shown_in)}
    return sends.undelivered(db, streams, now - _LOOKED_BACK)
