"""What cannot be read here: staff see that it came, the customer is asked for words."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import phrases
from desk.conversations.ingest import (
    SAYS_NOTHING,
    RefusedError,
    Taken,
    customer_waits,
    note_channel,
    show,
)
from recovery.ids import new_id
from recovery.store import conversations, inbox, streams
from recovery.store.conversations import BOT, Conversation
from recovery.store.inbox import Message
from recovery.store.streams import Entry

# Who is served by a person, or waits for one, is asked for words no more often than that.
_PAUSE = timedelta(minutes=3)
_ASKED, _ASKED_BESIDE = ".ask", ".ask.hold"


def take_unread(
    db: Connection,
    context: Context,
    conversation_id: str,
    external_id: str,
    stand_in: str,
    kind: str,
    now: datetime,
    *,
    channel: str,
) -> Taken:
    """Show that something came that cannot be read here, such as a voice or a video.

    The customer is asked at once to say it otherwise. Where the bot answers, it is told nothing.
    Where a person answers, or is due to, the customer waits for that person's word all the same,
    and is asked once in a while.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: A private conversation, the sender's own.
        external_id: The channel's id; the same again is the same message.
        stand_in: What stands for it, `[语音]` for example.
        kind: As of `phrases.please_type`.
        now: The present moment.
        channel: Where the customer writes.

    Returns:
        The stored message, `done` already where nobody is to answer it any more.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None:
        raise RefusedError("bad_frame", "对话不存在，请刷新页面")
    known = inbox.known(db, conversation.id, external_id)
    if known:
        return Taken(known, conversation, True, [])
    message = inbox.add(
        db, new_id("m"), conversation.id, external_id, stand_in, now, intent=SAYS_NOTHING
    )
    customer_waits(db, context, conversation, now)
    note_channel(db, conversation, channel)
    entries = show(db, conversation, message, now)
    if conversation.owner == BOT:
        inbox.finish(db, message.id, None)
        message = replace(message, state="done")
        entries += _asked(db, conversation, message, kind, _ASKED, now)
    elif not streams.has_lately(db, conversation.stream, _ASKED_BESIDE, now - _PAUSE):
        entries += _asked(db, conversation, message, kind, _ASKED_BESIDE, now)
    return Taken(message, conversation, False, entries)


def _asked(
    db: Connection,
    conversation: Conversation,
    message: Message,
    kind: str,
    ending: str,
    now: datetime,
) -> list[Entry]:
    text = phrases.please_type(message.external_id, kind, to_person=conversation.owner != BOT)
    asked = {"id": f"{message.id}{ending}", "kind": "message", "author": "system", "text": text}
    entry = streams.append(db, conversation.stream, asked, now)
    return [entry] if entry else []
