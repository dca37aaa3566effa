"""Puts what a contact of WeChat says into the inbox: words, quick replies, files."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming import places
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.intake import Picture, external_id
from desk.channels.wechat.incoming.long_texts import parts_of
from desk.channels.wechat.incoming.places import Place
from desk.context import Context
from desk.conversations.ingest import (
    PICTURE_TEXT,
    SAYS_NOTHING,
    Incoming,
    RefusedError,
    Taken,
    take,
    take_picture,
)
from desk.conversations.unread import take_unread
from recovery.store.wechat import contacts, options
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.options import Option

CHANNEL = "wechat"
_BAD_BUTTON = "这个按钮已经失效，请直接打字告诉我们"
_STAND_INS = {"voice": "[语音]", "video": "[视频]", "image": PICTURE_TEXT}
_WITHOUT_WORDS = frozenset({"location", "link"})


def put(
    db: Connection,
    context: Context,
    account: Account,
    contact: Contact,
    inbound: Inbound,
    place: Place,
    text: str,
    now: datetime,
    picture: Picture | None,
) -> list[Taken]:
    """Put it into the inbox, a long text as several messages.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Where it came in.
        contact: Whose it is.
        inbound: What came.
        place: Where its words go.
        text: Those.
        now: The present moment.
        picture: What became of its file, where it is a picture.

    Returns:
        What became of it, in order.

    Raises:
        RefusedError: It cannot be taken; nothing is stored.
    """
    external, conversation = external_id(account.id, inbound.key), place.conversation.id
    if picture is not None and picture.file is not None:
        file = picture.file
        return [take_picture(db, context, conversation, external, file, now, channel=CHANNEL)]
    if inbound.kind == "image" and picture is not None and picture.sentence is not None:
        raise RefusedError("bad_picture", picture.sentence)
    if inbound.kind in _STAND_INS and not text.strip():
        kind, stand_in = inbound.kind, _STAND_INS[inbound.kind]
        return [
            take_unread(db, context, conversation, external, stand_in, kind, now, channel=CHANNEL)
        ]
    incoming = Incoming(
        conversation,
        external,
        text,
        intent=SAYS_NOTHING if inbound.kind in _WITHOUT_WORDS else None,
        via="voice" if inbound.kind == "voice" else None,
        channel=CHANNEL,
    )
    option = options.match(db, contact.id, text, inbound.menu) if inbound.kind == "text" else None
    if option is None:
        return _words(db, context, incoming, now)
    try:
        return [_press(db, context, contact, incoming, option, now)]
    except RefusedError:
        if option.id == inbound.menu:
            raise
        # What was typed is taken for what it says where it stands for nothing any more; and what
        # follows goes where it went.
        contacts.lead_to(db, contact.id, conversation)
        return _words(db, context, incoming, now)


def _words(db: Connection, context: Context, incoming: Incoming, now: datetime) -> list[Taken]:
    """Take words, all of them: what is too long for one message as several, one after the other.

    Raises:
        RefusedError: They cannot be taken; nothing is stored.
    """
    found: list[Taken] = []
    parts = parts_of(incoming.text)
    for number, part in enumerate(parts, start=1):
        ending = f"-{number}" if found else ""
        one = replace(incoming, external_id=incoming.external_id + ending, text=part)
        try:
            found.append(take(db, context, one, now))
        except RefusedError as error:
            # Nothing that can be read is left out between the parts.
            if error.code != "empty" or (number == len(parts) and not found):
                raise
    return found


def _press(
    db: Connection,
    context: Context,
    contact: Contact,
    incoming: Incoming,
    option: Option,
    now: datetime,
) -> Taken:
    """Take a quick reply, in the conversation where it was shown.

    Raises:
        RefusedError: It does not count any more; nothing is stored.
    """
    there = places.of_option(db, contact, option.conversation_id)
    if there is None:
        raise RefusedError("bad_button", _BAD_BUTTON)
    pressed = replace(incoming, conversation=there, text=option.title, button=option.token)
    return take(db, context, pressed, now)


def is_unread(inbound: Inbound, taken: Taken) -> bool:
    """Whether something stands for what could not be heard or seen here."""
    if taken.message.picture is not None or inbound.text.strip():
        return False
    return inbound.kind in _STAND_INS
