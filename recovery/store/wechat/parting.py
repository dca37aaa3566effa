"""Two customers who were not one after all: neither reads in WeChat what the other one says."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, delete, or_, select, update

from recovery.store import conversations as talks
from recovery.store.database import stamp
from recovery.store.tables import conversations, wechat_contacts, wechat_sends, wechat_threads
from recovery.store.wechat import contacts
from recovery.store.wechat.sends import HELD, TODO


def part(db: Connection, some: Collection[str], others: Collection[str], now: datetime) -> None:
    """Stop delivering conversations of these customers to a WeChat of the others, and back.

    What a WeChat of theirs writes from now on begins a conversation of its own.

    Args:
        db: A writing transaction.
        some: Ids of customers.
        others: Ids of those who were taken for the same person.
        now: The present moment.
    """
    whose, reads = conversations.c.customer_id, wechat_contacts.c.customer_id
    across = (
        select(wechat_threads.c.conversation_id, wechat_threads.c.contact_id)
        .join(conversations, conversations.c.id == wechat_threads.c.conversation_id)
        .join(wechat_contacts, wechat_contacts.c.id == wechat_threads.c.contact_id)
        .where(
            or_(
                and_(whose.in_(some), reads.in_(others)),
                and_(whose.in_(others), reads.in_(some)),
            )
        )
    )
    for conversation_id, contact_id in db.execute(across).all():
        # A desk that is just about to send something to it has ended that before.
        contact = contacts.load(db, contact_id, lock=True)
        here = wechat_threads.c.conversation_id == conversation_id
        db.execute(delete(wechat_threads).where(here))
        db.execute(
            update(wechat_sends)
            .where(
                wechat_sends.c.contact_id == contact_id,
                wechat_sends.c.conversation_id == conversation_id,
                wechat_sends.c.state.in_((TODO, HELD)),
            )
            .values(state="failed", settled_at=stamp(now))
        )
        if contact is not None and contact.conversation_id == conversation_id:
            contacts.lead_to(db, contact_id, None)
        talks.note_channel(db, conversation_id, "web")
