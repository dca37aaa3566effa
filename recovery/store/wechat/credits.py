"""How many subscribe messages (订阅通知) a contact has allowed, template by template."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from recovery.store.database import hold
from recovery.store.tables import wechat_credits as table


def left(db: Connection, contact_id: str, template: str) -> int:
    """How many may still be sent."""
    query = select(table.c.left).where(*_this(contact_id, template))
    return db.execute(query).scalar() or 0


def holders(db: Connection, template: str) -> set[str]:
    """The contacts to whom at least one may be sent."""
    query = select(table.c.contact_id).where(table.c.template == template, table.c.left > 0)
    return set(db.execute(query).scalars())


def allow(db: Connection, contact_id: str, template: str) -> None:
    """Count one more: each tap of the customer allows one."""
    hold(db, f"credits {contact_id}")
    more = update(table).where(*_this(contact_id, template)).values(left=table.c.left + 1)
    if not db.execute(more).rowcount:
        db.execute(insert(table).values(contact_id=contact_id, template=template, left=1))


def spend(db: Connection, contact_id: str, template: str) -> bool:
    """Use one; False where there is none."""
    query = (
        update(table)
        .where(*_this(contact_id, template), table.c.left > 0)
        .values(left=table.c.left - 1)
    )
    return bool(db.execute(query).rowcount)


def withdraw(db: Connection, contact_id: str, template: str) -> None:
    """Count none any more: the customer has switched them off, or WeChat knows of none."""
    db.execute(update(table).where(*_this(contact_id, template)).values(left=0))


def _this(contact_id: str, template: str) -> tuple[Any, ...]:
    return table.c.contact_id == contact_id, table.c.template == template
