"""What staff write to each other about a conversation. No customer ever sees any of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from recovery.ids import fingerprint, new_id
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import notes

KINDS = ("note", "whisper", "transfer", "handback", "request")


@dataclass(frozen=True)
class StaffNote:
    """One note.

    Attributes:
        kind: One of `KINDS`.
        mentions: Ids of the members of staff it calls.
    """

    id: str
    conversation_id: str
    staff_id: int
    kind: str
    text: str
    mentions: list[int]
    at: str

    def shown(self, names: Mapping[int, str]) -> dict[str, Any]:
        """What staff's pages are told.

        Args:
            names: Of staff, by id.
        """
        return {
            "id": self.id,
            "kind": self.kind,
            "by": names.get(self.staff_id, ""),
            "by_id": self.staff_id,
            "text": self.text,
            "mentions": self.mentions,
            "at": self.at,
        }


_COLUMNS = tuple(notes.c[name] for name in StaffNote.__dataclass_fields__)


def id_of(conversation_id: str, who: Staff, client_id: str) -> str:
    """The id of a note that a page has named: the same page's same id is the same note."""
    return "n" + fingerprint(f"{conversation_id}:{who.id}:{client_id}")[:24]


def add(
    db: Connection,
    conversation_id: str,
    who: Staff,
    kind: str,
    text: str,
    now: datetime,
    *,
    mentions: Sequence[int] = (),
    note_id: str | None = None,
) -> StaffNote:
    """Write a note.

    Args:
        db: A writing transaction.
        conversation_id: What it is about.
        who: Who writes.
        kind: One of `KINDS`.
        text: Clean already.
        now: The present moment.
        mentions: Ids of the members of staff it calls; notices are the caller's to leave.
        note_id: As `id_of` gives it; not used before. None for one that nobody repeats.
    """
    note = StaffNote(
        note_id or new_id("n"), conversation_id, who.id, kind, text, list(mentions), stamp(now)
    )
    db.execute(insert(notes).values(**vars(note)))
    return note


def load(db: Connection, note_id: str) -> StaffNote | None:
    """Read a note."""
    row = db.execute(select(*_COLUMNS).where(notes.c.id == note_id)).first()
    return StaffNote(*row) if row else None


def of_conversation(db: Connection, *conversation_ids: str) -> list[StaffNote]:
    """The notes of a conversation, or of the two conversations of a case; oldest first."""
    query = (
        select(*_COLUMNS)
        .where(notes.c.conversation_id.in_(conversation_ids))
        .order_by(notes.c.at, notes.c.id)
    )
    return [StaffNote(*row) for row in db.execute(query)]
