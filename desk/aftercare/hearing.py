"""What a customer's message says of wishes and gestures is kept with the message itself."""

import re
from datetime import datetime

from sqlalchemy import Connection

from recovery.aftercare.gestures import TAKE
from recovery.aftercare.wishes import read_wishes
from recovery.dialogue.reply import Pressed
from recovery.store import customers, gestures, preferences
from recovery.store.conversations import Conversation

CUSTOMER = "customer"
_TAKES = re.compile(r"(?:好的?|行|那)?(?:我们?)?(?:就)?收下(?:了|吧|啦)?(?:谢谢(?:你们?|您)?)?")


def typed_take(db: Connection, conversation: Conversation, text: str) -> Pressed | None:
    """The button that a customer means who types that they take what was offered; sure forms only.

    Args:
        db: A transaction.
        conversation: Where it was said.
        text: As typed.
    """
    plain = "".join(char for char in text if char.isalnum())
    if not conversation.private or conversation.case_id is None or not _TAKES.fullmatch(plain):
        return None
    found = [one for one in gestures.of_case(db, conversation.case_id) if one.kind == "gesture"]
    if not found or found[-1].state != gestures.OFFERED:
        return None
    return Pressed(TAKE, None, found[-1].id)


def hear_wishes(db: Connection, conversation: Conversation, text: str, now: datetime) -> None:
    """Keep what a message wishes, for the person who wrote it.

    Args:
        db: A writing transaction that holds the conversation.
        conversation: Where it was said, in public or in private.
        text: As the customer typed it.
        now: The present moment.
    """
    heard = read_wishes(text)
    if not heard:
        return
    person = customers.load(db, conversation.customer_id).person
    if heard.no_marketing:
        preferences.refuse_marketing(db, person, now)
    for kind, words in heard.wishes:
        preferences.add_wish(db, person, words, CUSTOMER, now, kind=kind)
