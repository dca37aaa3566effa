"""What waits for one WeChat of a customer, when another one takes the conversation over."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from recovery.store.database import stamp
from recovery.store.tables import wechat_options, wechat_sends
from recovery.store.wechat import contacts
from recovery.store.wechat.sends import HELD, TODO


def take_over(
    db: Connection, conversation_id: str, former: str, contact_id: str, now: datetime
) -> None:
    """Send what of a conversation waits for its former contact to the present one, to it alone.

    What is under way already ends where it was begun.

    Args:
        db: A writing transaction.
        conversation_id: Delivered to the present contact from now on.
        former: Id of the contact to whom it was delivered.
        contact_id: Id of the present one.
        now: The present moment.
    """
    # A desk that is just about to send something to the former one has ended that before.
    contacts.load(db, former, lock=True)
    its = (
        wechat_sends.c.contact_id == former,
        wechat_sends.c.conversation_id == conversation_id,
        wechat_sends.c.state.in_((TODO, HELD)),
    )
    waiting = db.execute(select(wechat_sends.c.content).where(*its)).scalars()
    menus = [item for content in waiting for item, _ in content.get("options", ())]
    # Without its batch: to another user it is another message, also for WeCom.
    fresh = {"contact_id": contact_id, "state": TODO, "due_at": stamp(now), "attempts": 0}
    db.execute(update(wechat_sends).where(*its).values(**fresh, batch=None, error=None))
    of_those = wechat_options.c.id.in_(menus)
    db.execute(update(wechat_options).where(of_those).values(contact_id=contact_id))
