"""How far the messages of each 微信客服 account were read."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from recovery.store.database import hold, stamp
from recovery.store.tables import wechat_cursors


def load(db: Connection, account: str) -> str | None:
    """The cursor to read on from; None where nothing was read yet."""
    query = select(wechat_cursors.c.cursor).where(wechat_cursors.c.account == account)
    return db.execute(query).scalar()


def move(db: Connection, account: str, before: str | None, after: str, now: datetime) -> bool:
    """Remember that everything up to a cursor is stored.

    Args:
        db: A writing transaction.
        account: Of the settings.
        before: From where it was read, as `load` gave it.
        after: What WeCom gave with these messages.
        now: The present moment.

    Returns:
        False, with nothing done, where another desk has read on meanwhile: an older cursor must
        not take the place of a newer one.
    """
    hold(db, f"wechat cursor {account}")
    values = {"cursor": after, "updated_at": stamp(now)}
    if before is None:
        if load(db, account) is not None:
            return False
        db.execute(insert(wechat_cursors).values(account=account, **values))
        return True
    changed = db.execute(
        update(wechat_cursors)
        .where(wechat_cursors.c.account == account, wechat_cursors.c.cursor == before)
        .values(**values)
    )
    return changed.rowcount > 0
