"""Ways between the web page and WeChat: once, for a short time, for one customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from recovery.ids import fingerprint, new_secret
from recovery.store.conversations import Conversation
from recovery.store.database import hold, stamp
from recovery.store.tables import wechat_scenes as table

Kind = Literal["scan", "link"]
# 144 random bits; a shorter text makes a code that is easier to scan.
_SECRET_LENGTH = 24


@dataclass(frozen=True)
class Scene:
    """One way over. Fields as in the table; `id` is the hash of its secret, which opens nothing."""

    id: str
    kind: str
    account: str
    customer_id: str
    conversation_id: str
    invitation_id: str | None
    expires_at: str
    used_at: str | None
    contact_id: str | None

    def state(self, now: datetime) -> str:
        """`open`, `used` or `expired`."""
        if self.used_at:
            return "used"
        return "open" if datetime.fromisoformat(self.expires_at) > now else "expired"


_COLUMNS = (
    table.c.secret_hash,
    *(table.c[name] for name in Scene.__dataclass_fields__ if name != "id"),
)


def issue(
    db: Connection,
    kind: Kind,
    account: str,
    conversation: Conversation,
    valid: timedelta,
    now: datetime,
    *,
    invitation_id: str | None = None,
    contact_id: str | None = None,
) -> tuple[str, Scene]:
    """Make a way over.

    Args:
        db: A writing transaction.
        kind: `scan`: from the web page into WeChat; `link`: the other way.
        account: The WeChat account.
        conversation: Where it leads; with an invitation the public one that it was given in.
        valid: How long it can be used.
        now: The present moment.
        invitation_id: What is entered with it.
        contact_id: Who asked for it in WeChat.

    Returns:
        The secret, which is stored as a hash only, and the scene.
    """
    secret = new_secret()[:_SECRET_LENGTH]
    scene = Scene(
        id=fingerprint(secret),
        kind=kind,
        account=account,
        customer_id=conversation.customer_id,
        conversation_id=conversation.id,
        invitation_id=invitation_id,
        expires_at=stamp(now + valid),
        used_at=None,
        contact_id=contact_id,
    )
    values = vars(scene).copy()
    values["secret_hash"] = values.pop("id")
    db.execute(insert(table).values(**values, created_at=stamp(now)))
    return secret, scene


def find(db: Connection, kind: Kind, secret: str) -> Scene | None:
    """The way over that a secret opens; anything may be asked for."""
    return load(db, kind, fingerprint(secret))


def load(db: Connection, kind: Kind, scene_id: str) -> Scene | None:
    """A way over by its id."""
    query = select(*_COLUMNS).where(table.c.secret_hash == scene_id, table.c.kind == kind)
    row = db.execute(query).first()
    return Scene(*row) if row else None


def use(db: Connection, scene: Scene, contact_id: str | None, now: datetime) -> bool:
    """Use a way over, once; the others that lead the same customer the same way close with it.

    Args:
        db: A writing transaction.
        scene: Which one.
        contact_id: Who goes over into WeChat; None keeps who asked for it there.
        now: The present moment.

    Returns:
        Whether it was open until now.
    """
    hold(db, f"scenes of {scene.customer_id}")
    values: dict[str, str] = {"used_at": stamp(now)}
    if contact_id is not None:
        values["contact_id"] = contact_id
    unused = (table.c.used_at.is_(None), table.c.expires_at > stamp(now))
    taken = db.execute(
        update(table).where(table.c.secret_hash == scene.id, *unused).values(**values)
    ).rowcount
    if not taken:
        return False
    db.execute(
        update(table)
        .where(table.c.customer_id == scene.customer_id, table.c.kind == scene.kind, *unused)
        .values(expires_at=stamp(now))
    )
    return True


def forget(db: Connection, before: datetime) -> None:
    """Take away what ran out long ago."""
    db.execute(delete(table).where(table.c.expires_at < stamp(before)))
