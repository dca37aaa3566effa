"""Looks up what became of what was sent: for staff, and when WeCom says later how it ended."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from recovery.store.tables import wechat_sends
from recovery.store.wechat.sends import FAILED, SENT, UNKNOWN, Send

_COLUMNS = tuple(wechat_sends.c[name] for name in Send.__dataclass_fields__)


def of_batch(db: Connection, contact_id: str, batch: str) -> list[Send]:
    """What went to a contact under this id, in the order in which it was said."""
    query = select(*_COLUMNS).where(
        wechat_sends.c.contact_id == contact_id, wechat_sends.c.batch == batch
    )
    return [Send(*row) for row in db.execute(query.order_by(wechat_sends.c.id))]


def events_by_state(
    db: Connection, conversation_id: str, states: Collection[str], since: str = ""
) -> dict[str, str]:
    """Ids of a conversation's events that stand so, the first of their parts deciding.

    Args:
        db: A transaction.
        conversation_id: Which conversation.
        states: Which states.
        since: Only what was planned from then on, as stored.
    """
    query = (
        select(wechat_sends.c.event_id, wechat_sends.c.state)
        .where(
            wechat_sends.c.conversation_id == conversation_id,
            wechat_sends.c.state.in_(list(states)),
            wechat_sends.c.created_at >= since,
        )
        .order_by(wechat_sends.c.id)
    )
    found: dict[str, str] = {}
    for event_id, state in db.execute(query):
        found.setdefault(event_id, state)
    return found


def troubled(db: Connection, contact_id: str, event_id: str, but: Collection[int]) -> bool:
    """Whether another part of an event could not be sent, beside these rows."""
    query = select(wechat_sends.c.id).where(
        wechat_sends.c.contact_id == contact_id,
        wechat_sends.c.event_id == event_id,
        wechat_sends.c.state.in_((UNKNOWN, FAILED)),
        wechat_sends.c.id.not_in(list(but)),
    )
    return db.execute(query.limit(1)).first() is not None


def last_sent(db: Connection, contact_id: str) -> str | None:
    """When something last went to a contact, as stored."""
    query = select(func.max(wechat_sends.c.settled_at)).where(
        wechat_sends.c.contact_id == contact_id, wechat_sends.c.state == SENT
    )
    return db.execute(query).scalar()
