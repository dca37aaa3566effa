"""What WeChat has brought, each once: its own key says what is the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from recovery.store.database import stamp
from recovery.store.tables import wechat_received

NEW = "new"
DONE = "done"
FAILED = "failed"


@dataclass(frozen=True)
class Received:
    """One message or event. Fields as in the table."""

    account: str
    key: str
    position: int
    contact_id: str | None
    content: dict[str, Any]
    state: str
    message_id: str | None
    passive: str | None
    attempts: int
    received_at: str

    @property
    def since(self) -> datetime:
        """When it came."""
        return datetime.fromisoformat(self.received_at)


_COLUMNS = tuple(wechat_received.c[name] for name in Received.__dataclass_fields__)
_THIS = (wechat_received.c.account == bindparam("its_account")) & (
    wechat_received.c.key == bindparam("its_key")
)
_LOAD = select(*_COLUMNS).where(_THIS)
_ADD = {
    dialect: begin(wechat_received)
    .values({name: bindparam(name) for name in Received.__dataclass_fields__})
    .on_conflict_do_nothing(index_elements=[wechat_received.c.account, wechat_received.c.key])
    .returning(wechat_received.c.key)
    for dialect, begin in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_WAITING = select(*_COLUMNS).where(wechat_received.c.state == NEW)
_FIRST = (
    select(func.min(wechat_received.c.position))
    .where(wechat_received.c.state == NEW)
    .where(wechat_received.c.contact_id == bindparam("contact"))
)


def load(db: Connection, account: str, key: str, *, lock: bool = False) -> Received | None:
    """Read one; `lock` keeps it from others until the transaction ends."""
    query = _LOAD.with_for_update() if lock else _LOAD
    row = db.execute(query, {"its_account": account, "its_key": key}).first()
    return Received(*row) if row else None


def add(
    db: Connection,
    account: str,
    key: str,
    content: dict[str, Any],
    now: datetime,
    *,
    contact_id: str | None,
    waits: bool,
    message_id: str | None = None,
    passive: str | None = None,
) -> Received | None:
    """Store what came in.

    Args:
        db: A writing transaction.
        account: At which account.
        key: What is the same has the same.
        content: As `desk.channels.wechat.incoming.inbound.Inbound.to_wire` gives it.
        now: The present moment.
        contact_id: Who.
        waits: Whether something is still to be done with it, in the order of arrival.
        message_id: What became of it in the inbox.
        passive: What is answered at once.

    Returns:
        None when it was there before.
    """
    # Only what waits has an order; so few rows do that asking for the last costs nothing.
    last = func.coalesce(func.max(wechat_received.c.position), 0)
    place = db.execute(select(last).where(wechat_received.c.state == NEW)).scalar() if waits else 0
    row = Received(
        account=account,
        key=key,
        position=int(place or 0) + 1 if waits else 0,
        contact_id=contact_id,
        content=content,
        state=NEW if waits else DONE,
        message_id=message_id,
        passive=passive,
        attempts=0,
        received_at=stamp(now),
    )
    added = db.execute(_ADD[db.dialect.name], vars(row)).first()
    return row if added is not None else None


def waits(db: Connection, contact_id: str) -> int | None:
    """The position of what is next to be done of a contact; None where nothing waits."""
    first: int | None = db.execute(_FIRST, {"contact": contact_id}).scalar()
    return first


def waiting(db: Connection, until: str | None = None) -> list[Received]:
    """All that waits, in the order of arrival.

    Args:
        db: A transaction.
        until: Only what has come before this moment, as stored.
    """
    query = _WAITING
    if until is not None:
        query = query.where(wechat_received.c.received_at < until)
    rows = db.execute(query.order_by(wechat_received.c.position, wechat_received.c.received_at))
    return [Received(*row) for row in rows]


def settle(
    db: Connection, row: Received, state: str = DONE, *, message_id: str | None = None
) -> None:
    """Say that nothing is to be done with it any more."""
    db.execute(
        update(wechat_received)
        .where(wechat_received.c.account == row.account, wechat_received.c.key == row.key)
        .values(state=state, message_id=message_id)
    )


def count_attempt(db: Connection, row: Received) -> None:
    """Remember that something failed that is tried again."""
    db.execute(
        update(wechat_received)
        .where(wechat_received.c.account == row.account, wechat_received.c.key == row.key)
        .values(attempts=wechat_received.c.attempts + 1)
    )


def answer(db: Connection, key: tuple[str, str], passive: str | None) -> None:
    """Remember what is given as the passive reply, for when WeChat asks again.

    Args:
        db: A writing transaction.
        key: Account and key.
        passive: None: it was not given after all.
    """
    db.execute(
        update(wechat_received)
        .where(wechat_received.c.account == key[0], wechat_received.c.key == key[1])
        .values(passive=passive)
    )


def sweep(db: Connection, before: datetime, most: int = 2000) -> int:
    """Remove what is long done; WeChat asks again within seconds. Returns how many."""
    old = (
        select(wechat_received.c.account, wechat_received.c.key)
        .where(wechat_received.c.received_at < stamp(before), wechat_received.c.state != NEW)
        .limit(most)
    )
    these = tuple_(wechat_received.c.account, wechat_received.c.key)
    return int(db.execute(delete(wechat_received).where(these.in_(old))).rowcount)
