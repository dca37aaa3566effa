"""Wishes that stand in a customer's message are kept with the message itself."""

from datetime import datetime

from sqlalchemy import Connection

from recovery.aftercare.wishes import read_wishes
from recovery.store import customers, preferences
from recovery.store.conversations import Conversation

CUSTOMER = "customer"


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
