"""What becomes of one message or event of WeChat, decided and stored in one transaction."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from desk.channels import joining
from desk.channels.wechat import scenes
from desk.channels.wechat.accounts import Account
from desk.channels.wechat.incoming import arriving, places
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.intake import NotYetError, Outcome, Picture, external_id
from desk.channels.wechat.incoming.putting import is_unread, put
from desk.context import Context
from desk.conversations import phrases, still_waiting
from desk.conversations.ingest import RefusedError, Taken
from desk.conversations.turn import Committed
from recovery.store.conversations import BOT
from recovery.store.wechat import contacts, received, sends
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.received import FAILED, Received

TOO_FAST = "发得太快了，稍等一下再发这条"


def take_in(
    db: Connection,
    context: Context,
    account: Account,
    inbound: Inbound,
    now: datetime,
    *,
    allowed: Callable[[], bool],
    free: bool = False,
) -> Outcome:
    """Take what has just come in: words at once, what has to be fetched first is only stored.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Where it came in.
        inbound: What.
        now: The present moment.
        allowed: Asked of what is new: whether the customer keeps to the pace; else they are told
            so.
        free: A callback waits, so that words cost nothing.

    Raises:
        RuntimeError: Another contact's message has the same key; nothing is taken.
    """
    if inbound.kind == "other":
        return Outcome()
    contacts.hold_writer(db, account.id, inbound.openid)
    known = received.load(db, account.id, inbound.key)
    if known is not None:
        return Outcome(known, repeated=True, text=known.passive, expects=not inbound.is_event)
    contact: Contact | None
    outcome: Outcome | None
    if inbound.kind in ("follow", "scan"):
        contact, outcome = arriving.arrived(db, context, account, inbound, now)
    elif inbound.kind in ("unfollow", "credit", "job"):
        contact, outcome = arriving.noticed(db, context, account, inbound, now)
    else:
        contact = arriving.contact_of(db, account, inbound, now)
        outcome = _said(db, context, account, contact, inbound, now, allowed=allowed, free=free)
    row = received.add(
        db,
        account.id,
        inbound.key,
        inbound.to_wire(),
        now,
        contact_id=contact.id if contact else None,
        waits=outcome is None,
        message_id=outcome.taken.message.id if outcome and outcome.taken else None,
        passive=outcome.text if outcome else None,
    )
    if row is None:
        raise RuntimeError("two contacts with one key")
    if outcome is None:
        return Outcome(row, expects=True)
    return replace(outcome, row=row)


def take_waiting(
    db: Connection,
    context: Context,
    account: Account,
    row: Received,
    now: datetime,
    picture: Picture | None = None,
    *,
    free: bool = False,
) -> Outcome:
    """Take what was stored before.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Where it came in.
        row: As it was read.
        now: The present moment.
        picture: What became of its file, where it is a picture.
        free: As of `take_in`.

    Raises:
        NotYetError: Something of the contact has come before it; that is taken first.
    """
    inbound = Inbound.from_wire(row.content)
    contacts.hold_writer(db, account.id, inbound.openid)
    present = received.load(db, row.account, row.key)
    contact = contacts.load(db, row.contact_id) if row.contact_id else None
    if present is None or present.state != received.NEW or contact is None:
        return Outcome()
    first = received.waits(db, contact.id)
    if first is not None and first < present.position:
        raise NotYetError(row.key)
    outcome = _taken(db, context, account, contact, inbound, now, picture, free=free)
    message_id = outcome.taken.message.id if outcome.taken else None
    received.settle(db, row, message_id=message_id)
    if outcome.text is not None:
        _say(db, contact.id, row, outcome.text, now)
    return outcome


def give_up(db: Connection, row: Received, now: datetime) -> None:
    """Say that something could not be taken in; its words stay stored for operators."""
    present = received.load(db, row.account, row.key)
    if present is None or present.state != received.NEW:
        return
    received.settle(db, row, FAILED)
    if row.contact_id:
        _say(db, row.contact_id, row, phrases.not_taken(), now)


def say_later(db: Connection, row: Received, text: str, now: datetime) -> None:
    """Send what was to be the passive reply to somebody who has waited for too long."""
    received.answer(db, (row.account, row.key), None)
    if row.contact_id:
        _say(db, row.contact_id, row, text, now)


def _say(db: Connection, contact_id: str, row: Received, text: str, now: datetime) -> None:
    contact = contacts.load(db, contact_id)
    if contact is not None:
        event_id = f"{external_id(row.account, row.key)}.r"
        sends.say(db, contact.id, contact.conversation_id, event_id, text, now)


# --- what is said -------------------------------------------------------------------------


def _said(
    db: Connection,
    context: Context,
    account: Account,
    contact: Contact,
    inbound: Inbound,
    now: datetime,
    *,
    allowed: Callable[[], bool],
    free: bool,
) -> Outcome | None:
    """Take a message or a click; None: it has to wait for its turn, or for its file."""
    arriving.allow_more(db, account, contact, inbound, now)
    if not allowed():
        context.metrics.messages.labels("too_fast").inc()
        return Outcome(text=TOO_FAST)
    if inbound.kind == "image" or received.waits(db, contact.id) is not None:
        return None
    return _taken(db, context, account, contact, inbound, now, free=free)


def _taken(
    db: Connection,
    context: Context,
    account: Account,
    contact: Contact,
    inbound: Inbound,
    now: datetime,
    picture: Picture | None = None,
    *,
    free: bool,
) -> Outcome:
    """Take what a contact says, wherever its words go."""
    text = inbound.text
    if inbound.kind == "click":
        text = account.settings.menu.get(inbound.text, "")
        if inbound.text == joining.MENU_KEY:
            text = joining.ASK_WORD
        if not text and inbound.text != scenes.MENU_KEY:
            return Outcome(text=phrases.nothing_there())
    place = places.of(db, context, account, contact, now)
    if _wants_page(inbound):
        url = scenes.link(db, context, contact, place.conversation, now)
        return Outcome(text=scenes.link_words(url), committed=place.committed, first=place.first)
    joined = _about_joining(db, context, contact, inbound, text, now)
    if joined is not None:
        words, told = joined
        committed = (*place.committed, told)
        return Outcome(text=words, committed=committed, first=place.first)
    try:
        taken, *more = put(db, context, account, contact, inbound, place, text, now, picture)
    except RefusedError as error:
        context.metrics.messages.labels(error.code).inc()
        return Outcome(text=error.sentence, committed=place.committed, first=place.first)
    context.metrics.messages.labels("repeated" if taken.repeated else "taken").inc()
    if free:
        taken = _told(db, context, inbound, taken, now)
    return Outcome(
        taken=taken,
        more=tuple(more),
        first=place.first,
        committed=place.committed,
        expects=bool(place.committed) or _expects(db, contact, taken),
    )


def _about_joining(
    db: Connection, context: Context, contact: Contact, inbound: Inbound, text: str, now: datetime
) -> tuple[str, Committed] | None:
    """What is said to who wants this account to be one with that on the page."""
    if inbound.kind not in ("text", "click"):
        return None
    return joining.answer_typed(db, context, contact.customer_id, text, "wechat", now)


def _told(db: Connection, context: Context, inbound: Inbound, taken: Taken, now: datetime) -> Taken:
    """Say how things stand to who waits in the queue; only where that costs no message."""
    if taken.repeated or taken.message.pressed:
        return taken
    conversation, message = taken.conversation.id, taken.message.id
    unread = is_unread(inbound, taken)
    entry = still_waiting.tell(db, context, conversation, message, now, unread=unread)
    return replace(taken, entries=[*taken.entries, entry]) if entry else taken


def _expects(db: Connection, contact: Contact, taken: Taken) -> bool:
    """Whether words may follow within seconds: of the bot, of the desk, or held until now.

    A person takes longer than WeChat waits for.
    """
    if taken.conversation.owner == BOT or taken.message.pressed or len(taken.entries) > 1:
        return True
    return bool(sends.open_of(db, contact.id))


def _wants_page(inbound: Inbound) -> bool:
    if inbound.kind == "click":
        return inbound.text == scenes.MENU_KEY
    return inbound.kind == "text" and scenes.asks_for_page(inbound.text)
