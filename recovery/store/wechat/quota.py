"""How many messages went to a contact since WeChat last allowed some: counted before each call."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, Connection, bindparam, case, update

from recovery.store.database import stamp
from recovery.store.tables import wechat_contacts

_COUNTERS = (wechat_contacts.c.sent_since_wrote, wechat_contacts.c.sent_since_acted)
_THIS = wechat_contacts.c.id == bindparam("this")


def _one_less(counter: "Column[int]") -> object:
    return case((counter > 0, counter - 1), else_=0)


_SPEND = update(wechat_contacts).where(_THIS).values({one: one + 1 for one in _COUNTERS})
_REFUND = update(wechat_contacts).where(_THIS).values({one: _one_less(one) for one in _COUNTERS})


def spend(db: Connection, contact_ids: Collection[str]) -> None:
    """Count a message to each of these, whichever right WeChat takes it from."""
    if contact_ids:
        db.execute(_SPEND, [{"this": one} for one in contact_ids])


def refund(db: Connection, contact_ids: Collection[str]) -> None:
    """Take a message off again that WeChat has refused or never seen."""
    if contact_ids:
        db.execute(_REFUND, [{"this": one} for one in contact_ids])


def use_up(db: Connection, contact_id: str, after_writing: int, after_acting: int) -> None:
    """Believe WeChat that nothing is left until the contact writes or does something.

    Args:
        db: A writing transaction.
        contact_id: Whose.
        after_writing: How many there are at most after a message.
        after_acting: How many there are at most after a click, a scan, a follow.
    """
    db.execute(
        update(wechat_contacts)
        .where(_THIS)
        .values(sent_since_wrote=after_writing, sent_since_acted=after_acting),
        {"this": contact_id},
    )


def block(db: Connection, contact_id: str, until: datetime | None, code: int | None) -> None:
    """Send nothing before a moment, because WeChat has said so by this error; None: no block."""
    db.execute(
        update(wechat_contacts)
        .where(_THIS)
        .values(blocked_until=stamp(until) if until else None, blocked_by=code),
        {"this": contact_id},
    )
