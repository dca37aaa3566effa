"""Takes a customer's message in: checked, masked, stored, shown. From then on it is not lost."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations import buttons
from recovery.dialogue.reply import Pressed
from recovery.ids import new_id
from recovery.pictures import Examined
from recovery.privacy import mask
from recovery.store import cases, conversations, customers, inbox, pictures, streams
from recovery.store.conversations import BOT, QUEUE, Conversation
from recovery.store.inbox import Message
from recovery.store.streams import Entry

LONGEST = 2000
ENTERED = "entered"
ENTERED_TEXT = "（客户进入私聊）"
PICTURE_TEXT = "[图片]"
# What the bot hears of a picture, instead of guessing from its stand-in.
_PICTURE_INTENT = "inform"
# Reasons to wait for a person that an accepted offer does not settle.
_FOR_A_PERSON = frozenset({"safety", "escalation"})
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
# Rasa would take a leading slash for a command of its own.
_SLASH = re.compile(r"^[\s/／]*[/／]+\s*")


class RefusedError(ValueError):
    """A message that is not taken; the customer reads the sentence.

    Attributes:
        code: `empty`, `too_long`, `too_fast`, `bad_frame`, `bad_button`, `closed`, `too_many`.
        retry: Whether sending the same again may work.
    """

    def __init__(self, code: str, sentence: str, *, retry: bool = False) -> None:
        """Remember what to answer."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.retry = retry


@dataclass(frozen=True)
class Incoming:
    """One message as a channel gives it.

    Attributes:
        conversation: Whose.
        external_id: The channel's id; the same again is the same message.
        text: As typed.
        button: A signed quick reply, None for free text.
    """

    conversation: str
    external_id: str
    text: str
    button: str | None = None


@dataclass(frozen=True)
class PictureFile:
    """A checked picture whose files are kept.

    Attributes:
        sha256: Of the file as sent.
        length: Of the file as sent, in bytes.
        examined: What was found in it.
    """

    sha256: str
    length: int
    examined: Examined


@dataclass(frozen=True)
class Taken:
    """A stored message.

    Attributes:
        repeated: It was stored before; nothing changed now.
        entries: To be published.
    """

    message: Message
    conversation: Conversation
    repeated: bool
    entries: list[Entry]


def is_client_id(client_id: str) -> bool:
    """Whether a page can have made this id: 8 to 64 letters, digits, `_` and `-`."""
    return _CLIENT_ID.fullmatch(client_id) is not None


def clean(text: str) -> str:
    """Make a text fit for storing and showing.

    Args:
        text: Anything.

    Returns:
        NFC, without control and format characters other than line breaks and the joiners of
        emoji, without a leading slash, trimmed.

    Raises:
        RefusedError: Nothing is left, or more than 2,000 characters.
    """
    if len(text) > LONGEST * 2:
        # Before any work on it: the page never sends this much.
        raise RefusedError("too_long", f"一条最多{LONGEST}个字，请分几条发")
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        char
        for char in text
        if char == "\n"
        or char in "\u200d\ufe0f"
        or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    kept = re.sub(r"\n{3,}", "\n\n", _SLASH.sub("", kept).strip())
    if not kept or not any(char not in "\u200d\ufe0f" and not char.isspace() for char in kept):
        raise RefusedError("empty", "还没有写内容")
    if len(kept) > LONGEST:
        raise RefusedError("too_long", f"一条最多{LONGEST}个字，请分几条发")
    return kept


def take(db: Connection, context: Context, incoming: Incoming, now: datetime) -> Taken:
    """Store a message and show it.

    Args:
        db: A writing transaction.
        context: The desk.
        incoming: The message, of a conversation that is the sender's own.
        now: The present moment.

    Returns:
        The stored message; for a repeated external id the one stored before.

    Raises:
        RefusedError: The text or the quick reply cannot be taken.
    """
    if not is_client_id(incoming.external_id):
        raise RefusedError("bad_frame", "消息的编号不对，请刷新页面")
    conversation = conversations.load(db, incoming.conversation, lock=True)
    if conversation is None:
        raise RefusedError("bad_frame", "对话不存在，请刷新页面")
    known = inbox.known(db, conversation.id, incoming.external_id)
    if known:
        return Taken(known, conversation, True, [])
    text = clean(incoming.text)
    pressed, intent = None, None
    if incoming.button is not None:
        read = buttons.read(
            incoming.button, conversation.id, context.secrets.signing_key, context.clock
        )
        if read is None:
            raise RefusedError("bad_button", "这个按钮已经失效，请直接打字告诉我们")
        pressed, intent = asdict(read[0]), read[1]
        conversation = _pressed_in(db, conversation, read[0], now)
    message = inbox.add(
        db,
        new_id("m"),
        conversation.id,
        incoming.external_id,
        text,
        now,
        intent=intent,
        pressed=pressed,
    )
    return Taken(message, conversation, False, _show(db, conversation, message, now))


def take_picture(
    db: Connection,
    context: Context,
    conversation_id: str,
    external_id: str,
    file: PictureFile,
    now: datetime,
) -> Taken:
    """Store a picture as a message and show it; its files are on disk already.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: A private conversation, the sender's own.
        external_id: The channel's id; the same again is the same message.
        file: What was sent.
        now: The present moment.

    Returns:
        The stored message; for a repeated external id the one stored before.

    Raises:
        RefusedError: Enough pictures for a day.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    if conversation is None:
        raise RefusedError("bad_frame", "对话不存在，请刷新页面")
    known = inbox.known(db, conversation.id, external_id)
    if known:
        return Taken(known, conversation, True, [])
    check_pictures_left(db, context, conversation.id, now)
    size = file.examined.width, file.examined.height
    picture = pictures.add(
        db, conversation, file.sha256, file.examined.mime, size, file.length, now
    )
    message = inbox.add(
        db,
        new_id("m"),
        conversation.id,
        external_id,
        PICTURE_TEXT,
        now,
        intent=_PICTURE_INTENT,
        picture=picture.id,
    )
    entries = _show(db, conversation, message, now, picture=picture.shown)
    return Taken(message, conversation, False, entries)


def check_pictures_left(
    db: Connection, context: Context, conversation_id: str, now: datetime
) -> None:
    """Keep a conversation to its number of pictures a day.

    Raises:
        RefusedError: There were as many within the last 24 hours.
    """
    most = context.settings.limits.pictures_per_conversation_and_day
    if pictures.count_since(db, conversation_id, now - timedelta(days=1)) >= most:
        raise RefusedError("too_many", f"一天最多发{most}张图片，其余的可以用文字告诉我们")


def _show(
    db: Connection,
    conversation: Conversation,
    message: Message,
    now: datetime,
    **more: Any,  # noqa: ANN401 - JSON
) -> list[Entry]:
    """Show a stored message where its conversation is read."""
    customer = customers.load(db, conversation.customer_id)
    event = {
        "id": message.id,
        "kind": "message",
        "author": "customer",
        "customer": customer.id,
        "name": customer.name,
        "text": message.text,
        "client_id": message.external_id,
        **more,
    }
    if not conversation.private:
        masked = mask(message.text)
        event["text"] = masked.text
        if masked.found:
            event["original"] = message.text
    entry = streams.append(db, conversation.shown_in, event, now)
    conversations.note_message(db, conversation.id, message.text, now)
    return [entry] if entry else []


def _pressed_in(
    db: Connection, conversation: Conversation, pressed: Pressed, now: datetime
) -> Conversation:
    """The conversation in which a quick reply counts.

    Quick replies speak to the bot. A person would not see what they stand for, so they are not
    taken in silence where a person answers. One is taken out of the queue: an acceptance
    decides the matter, no person has it yet, and only the bot can say what happens next without
    making the customer wait.

    Raises:
        RefusedError: A person answers, or is waited for; the customer reads whom to tell.
    """
    if conversation.owner == BOT:
        return conversation
    if conversation.owner != QUEUE:
        raise RefusedError("closed", "现在由同事为您服务，请直接告诉他")
    if not _settles(db, conversation, pressed, now):
        raise RefusedError("closed", "已转给同事，请等他回复您")
    conversations.change_owner(db, conversation, BOT, now, expected=(QUEUE,))
    return conversations.load(db, conversation.id) or conversation


def _settles(db: Connection, conversation: Conversation, pressed: Pressed, now: datetime) -> bool:
    """Whether this accepts an open offer of a case that needs no person for its own sake."""
    case = cases.load(db, conversation.case_id)
    if pressed.act != "accept" or pressed.offer is None or case is None:
        return False
    if case.safety or {case.reason, conversation.reason} & _FOR_A_PERSON:
        return False
    offer = case.offer(pressed.offer)
    return offer is not None and offer.open_at(now)


def take_entered(db: Connection, conversation: Conversation, now: datetime) -> Message | None:
    """Store the event that a customer entered the private chat, once."""
    if inbox.known(db, conversation.id, ENTERED):
        return None
    return inbox.add(db, new_id("m"), conversation.id, ENTERED, ENTERED_TEXT, now, intent=ENTERED)
