"""Takes a customer's message in: checked, masked, stored, shown. From then on it is not lost."""

import re
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.aftercare.hearing import hear_wishes, typed_take
from desk.context import Context
from desk.conversations import buttons, phrases
from desk.conversations.follow_up_reading import is_answer, read_answer
from desk.personal_data.reading import read_typed
from recovery.aftercare.gestures import ACTS as AFTERCARE
from recovery.case import Offer
from recovery.dialogue.reply import Pressed
from recovery.ids import new_id
from recovery.personal_data.asking import ACTS as ABOUT_DATA
from recovery.personal_data.bare import GONE_NAME
from recovery.pictures import Examined
from recovery.privacy import mask
from recovery.store import (
    audit_log,
    cases,
    clocks,
    conversations,
    customers,
    follow_ups,
    inbox,
    pictures,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, SILENT, TRANSFER, Conversation
from recovery.store.inbox import Message
from recovery.store.streams import Entry

LONGEST = 2000
ENTERED = "entered"
ENTERED_TEXT = "（客户进入私聊）"
PICTURE_TEXT = "[图片]"
SAYS_NOTHING = "inform"
"""What the bot hears of what has no words of its own, instead of guessing from a stand-in."""
# Reasons to wait for a person that an accepted offer does not settle.
_FOR_A_PERSON = frozenset({"safety", "escalation"})
# Reasons to wait of what a person has looked after already.
_WITH_A_PERSON = frozenset({TRANSFER, SILENT, "reopened"})
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
        intent: What the bot is told that it means, instead of guessing.
        via: How the words came, for staff: `voice` where WeChat has written them down.
        channel: Where the customer writes, so that answers go there; None: it stays.
    """

    conversation: str
    external_id: str
    text: str
    button: str | None = None
    intent: str | None = None
    via: str | None = None
    channel: str | None = None


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
    pressed, intent, decides = None, incoming.intent, False
    if incoming.button is not None:
        read = buttons.read(
            incoming.button, conversation.id, context.secrets.signing_key, context.clock
        )
        if read is None:
            raise RefusedError("bad_button", "这个按钮已经失效，请直接打字告诉我们")
        pressed, intent = asdict(read[0]), read[1]
        aside = is_answer(pressed) or read[0].act in AFTERCARE | ABOUT_DATA
        decides = not aside and _decides(db, conversation, read[0], now)
    elif intent is None and (answered := read_answer(db, conversation, text, now)):
        pressed, intent = asdict(answered), SAYS_NOTHING
    elif intent is None and (taken := typed_take(db, conversation, text)):
        pressed, intent = asdict(taken), SAYS_NOTHING
    elif intent is None and (about := read_typed(conversation, text)):
        pressed, intent = asdict(about), SAYS_NOTHING
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
    if incoming.button is None:
        hear_wishes(db, conversation, text, now)
    if pressed is None:
        # Whether what was pressed needs a person's answer is known when it is settled
        # (`desk.conversations.dealing`).
        customer_waits(db, context, conversation, now)
    note_channel(db, conversation, incoming.channel)
    via = {"via": incoming.via} if incoming.via else {}
    entries = show(db, conversation, message, now, **via)
    if decides:
        entries += _out_of_the_queue(db, context, conversation, now)
        conversation = conversations.load(db, conversation.id) or conversation
    return Taken(message, conversation, False, entries)


def take_picture(
    db: Connection,
    context: Context,
    conversation_id: str,
    external_id: str,
    file: PictureFile,
    now: datetime,
    *,
    channel: str = "web",
) -> Taken:
    """Store a picture as a message and show it; its files are on disk already.

    Args:
        db: A writing transaction.
        context: The desk.
        conversation_id: A private conversation, the sender's own.
        external_id: The channel's id; the same again is the same message.
        file: What was sent.
        now: The present moment.
        channel: Where the customer writes.

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
        intent=SAYS_NOTHING,
        picture=picture.id,
    )
    customer_waits(db, context, conversation, now)
    note_channel(db, conversation, channel)
    entries = show(db, conversation, message, now, picture=picture.shown)
    return Taken(message, conversation, False, entries)


def take_heard(
    db: Connection,
    context: Context,
    conversation: Conversation,
    external_id: str,
    text: str,
    by: str,
    now: datetime,
) -> Taken:
    """Store what a customer has said elsewhere, as staff wrote it down, and show it.

    Args:
        db: A writing transaction that holds the conversation.
        context: The desk.
        conversation: A private one that was begun by hand.
        external_id: The page's id; the same again is the same message.
        text: The customer's words.
        by: Name of who wrote them down.
        now: The present moment.

    Returns:
        As `take`.

    Raises:
        RefusedError: The text cannot be taken.
    """
    known = inbox.known(db, conversation.id, external_id)
    if known:
        return Taken(known, conversation, True, [])
    message = inbox.add(db, new_id("m"), conversation.id, external_id, clean(text), now)
    hear_wishes(db, conversation, message.text, now)
    # Who wrote it down was there and spoke with the customer: nobody waits for an answer.
    # Nobody waits for an answer of who is on the phone.
    conversations.snooze(db, conversation.id, None, now)
    conversations.staff_answered(db, conversation.id)
    business = context.directory.business(conversation.business)
    if business:
        clocks.answered_by_voice(db, conversation, business, now)
    entries = show(db, conversation, message, now, via=conversation.channel, by=by)
    return Taken(message, conversation, False, entries)


def check_pictures_left(
    db: Connection,
    context: Context,
    conversation_id: str,
    now: datetime,
    *,
    by_staff: bool = False,
) -> None:
    """Keep the customer of a conversation, or staff, to their number of pictures a day.

    Raises:
        RefusedError: There were as many within the last 24 hours.
    """
    most = context.settings.limits.pictures_per_conversation_and_day
    since = now - timedelta(days=1)
    if pictures.count_since(db, conversation_id, since, by_staff=by_staff) >= most:
        raise RefusedError("too_many", f"一天最多发{most}张图片，其余的可以用文字告诉我们")


def customer_waits(
    db: Connection, context: Context, conversation: Conversation, now: datetime
) -> None:
    """Measure how long this customer waits for a person, where one is due."""
    if conversation.owner == BOT:
        return
    conversations.customer_wrote(db, conversation.id, now)
    business = context.directory.business(conversation.business)
    # Of a business that was taken out of the settings messages are kept and nothing is measured.
    if business:
        clocks.customer_wrote(db, conversation, business, now)


def note_channel(db: Connection, conversation: Conversation, channel: str | None) -> None:
    """Remember where a private conversation goes on; a thread in a room stays where it is."""
    if channel is not None and conversation.private and conversation.channel != channel:
        conversations.note_channel(db, conversation.id, channel)


def show(
    db: Connection,
    conversation: Conversation,
    message: Message,
    now: datetime,
    **more: Any,  # noqa: ANN401 - JSON
) -> list[Entry]:
    """Show a stored message where its conversation is read."""
    customer = customers.load(db, conversation.customer_id)
    if customer.name == GONE_NAME:
        # A page that was open when its customer was erased: nothing new is tied to what was.
        raise RefusedError("closed", "这里的资料已经删除。请刷新页面，重新开始一段对话")
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
    if not is_answer(message.pressed):
        follow_ups.customer_wrote(db, conversation.id, now)
    entry = streams.append(db, conversation.shown_in, event, now)
    conversations.note_message(db, conversation.id, message.text, now)
    return [entry] if entry else []


def _decides(db: Connection, conversation: Conversation, pressed: Pressed, now: datetime) -> bool:
    """Whether a quick reply decides what a conversation waits in the queue for.

    Quick replies speak to the bot. A person would not see what they stand for, so they are not
    taken in silence where a person answers, but for the acceptance or refusal of an open offer:
    that one the desk settles itself (`desk.conversations.dealing.commit_pressed`), and the
    conversation stays where it is. In the queue an acceptance of the bot's own offer decides the
    matter where no person has had it and nothing else was said: only the bot can say what happens
    next without making the customer wait. Else it is settled as well, and the customer goes on
    waiting for the answer of a person.

    Raises:
        RefusedError: A person answers, or is waited for; the customer reads whom to tell.
    """
    if conversation.owner == BOT:
        return False
    offer = _open_offer(db, conversation, pressed, now)
    if offer and (offer.by_staff or conversation.owner != QUEUE):
        return False
    if conversation.owner != QUEUE:
        raise RefusedError("closed", "现在由同事为您服务，请直接告诉他")
    if not _settles(db, conversation, pressed, now):
        raise RefusedError("closed", "已转给同事，请等他回复您")
    since = conversation.waiting_since
    # What came at the very moment of the hand-over has led to it.
    said_more = since is not None and inbox.wrote_since(
        db, conversation.id, since, that_moment=False
    )
    return conversation.reason not in _WITH_A_PERSON and not said_more


def _out_of_the_queue(
    db: Connection, context: Context, conversation: Conversation, now: datetime
) -> list[Entry]:
    """Let the bot go on with what was decided, and say so."""
    business = context.business(conversation.business)
    conversations.change_owner(db, conversation, BOT, now, expected=(QUEUE,))
    clocks.given_back(db, conversation, business, now)
    audit_log.note(
        db,
        None,
        "give_back",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"from": QUEUE},
    )
    name = business.assistant
    owner = {"id": new_id("w"), "kind": "owner", "owner": "bot", "name": name}
    event = {**owner, "text": phrases.person_here(name)}
    entry = streams.append(db, conversation.stream, event, now)
    return [entry] if entry else []


def _open_offer(
    db: Connection, conversation: Conversation, pressed: Pressed, now: datetime
) -> Offer | None:
    """The open offer that a button accepts or refuses; None for every other button."""
    case = cases.load(db, conversation.case_id)
    if pressed.act not in ("accept", "refuse") or pressed.offer is None or case is None:
        return None
    offer = case.offer(pressed.offer)
    return offer if offer is not None and offer.open_at(now) else None


def _settles(db: Connection, conversation: Conversation, pressed: Pressed, now: datetime) -> bool:
    """Whether this accepts an open offer of a case that needs no person for its own sake."""
    case = cases.load(db, conversation.case_id)
    if pressed.act != "accept" or case is None:
        return False
    if case.safety or {case.reason, conversation.reason} & _FOR_A_PERSON:
        return False
    return _open_offer(db, conversation, pressed, now) is not None


def take_entered(db: Connection, conversation: Conversation, now: datetime) -> Message | None:
    """Store the event that a customer entered the private chat, once."""
    if inbox.known(db, conversation.id, ENTERED):
        return None
    return inbox.add(db, new_id("m"), conversation.id, ENTERED, ENTERED_TEXT, now, intent=ENTERED)
