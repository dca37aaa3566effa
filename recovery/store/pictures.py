"""Pictures sent as evidence: whose they are and which file; the files lie beside the database."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from recovery.ids import new_id
from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.tables import conversations as conversations_table
from recovery.store.tables import pictures


@dataclass(frozen=True)
class Picture:
    """One picture of a conversation.

    Attributes:
        case_id: The case it was sent to, as far as there was one.
        sha256: Of the file as it was sent, in hex; names the files.
        mime: True type of the file as it was sent.
        width: In pixels, upright.
        height: In pixels, upright.
        bytes: Length of the file as it was sent.
        staff_id: Who of staff sent it; None for the customer.
    """

    id: str
    conversation_id: str
    customer_id: str
    case_id: str | None
    sha256: str
    mime: str
    width: int
    height: int
    bytes: int
    staff_id: int | None
    created_at: str

    @property
    def shown(self) -> dict[str, Any]:
        """What pages are told of it."""
        return {"id": self.id, "width": self.width, "height": self.height}


_COLUMNS = tuple(pictures.c[name] for name in Picture.__dataclass_fields__)


def add(
    db: Connection,
    conversation: Conversation,
    sha256: str,
    mime: str,
    size: tuple[int, int],
    length: int,
    now: datetime,
    *,
    staff_id: int | None = None,
) -> Picture:
    """Enter a picture whose files are on disk already.

    Args:
        db: A writing transaction.
        conversation: Where it was sent.
        sha256: Of the file as it was sent.
        mime: Its true type.
        size: Width and height in pixels, upright.
        length: In bytes.
        now: The present moment.
        staff_id: Who of staff sent it; None for the customer.
    """
    picture = Picture(
        id=new_id("p"),
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        case_id=conversation.case_id,
        sha256=sha256,
        mime=mime,
        width=size[0],
        height=size[1],
        bytes=length,
        staff_id=staff_id,
        created_at=stamp(now),
    )
    db.execute(insert(pictures).values(**asdict(picture)))
    return picture


def load(db: Connection, picture_id: str) -> Picture | None:
    """Read a picture."""
    row = db.execute(select(*_COLUMNS).where(pictures.c.id == picture_id)).first()
    return Picture(*row) if row else None


def seen_from(db: Connection, picture_id: str, conversation: Conversation) -> Picture | None:
    """A picture of a conversation, or of the other conversation about the same case.

    Staff read the public and the private part of a case on one page.
    """
    picture = load(db, picture_id)
    if picture is None or picture.conversation_id == conversation.id:
        return picture
    case = select(conversations_table.c.case_id).where(
        conversations_table.c.id == picture.conversation_id
    )
    same = conversation.case_id is not None and db.execute(case).scalar() == conversation.case_id
    return picture if same else None


def count_since(
    db: Connection, conversation_id: str, since: datetime, *, by_staff: bool = False
) -> int:
    """How many pictures the customer, or staff, sent in a conversation from a moment on."""
    sender = pictures.c.staff_id.is_not(None) if by_staff else pictures.c.staff_id.is_(None)
    query = select(func.count()).where(
        pictures.c.conversation_id == conversation_id,
        pictures.c.created_at >= stamp(since),
        sender,
    )
    return db.execute(query).scalar_one()
