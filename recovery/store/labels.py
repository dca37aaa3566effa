"""Labels that staff put on conversations, to find them again."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from recovery.store.database import hold, stamp
from recovery.store.tables import conversation_labels, labels

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "grey")
LONGEST = 20
MOST_EACH = 10
# As many as one query may name at once on every SQLite.
_PORTION = 500


class LabelTakenError(ValueError):
    """A label of this name is there already."""


@dataclass(frozen=True)
class Label:
    """One label; `business` None: of all businesses."""

    id: int
    business: str | None
    name: str
    colour: str

    @property
    def shown(self) -> dict[str, Any]:
        """What staff's pages are told."""
        return {"id": self.id, "name": self.name, "colour": self.colour}


_COLUMNS = tuple(labels.c[name] for name in Label.__dataclass_fields__)


def of_conversations(db: Connection, ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The labels of many conversations at once, as pages are told of them.

    Returns:
        By conversation, only those that have any; in the order of their names.
    """
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    wanted = list(ids)
    for begin in range(0, len(wanted), _PORTION):
        rows = db.execute(
            select(conversation_labels.c.conversation_id, *_COLUMNS)
            .join(labels, labels.c.id == conversation_labels.c.label_id)
            .where(conversation_labels.c.conversation_id.in_(wanted[begin : begin + _PORTION]))
            .order_by(labels.c.name)
        )
        for conversation, *values in rows:
            found[conversation].append(Label(*values).shown)
    return dict(found)


def of_business(db: Connection, business: str | None) -> list[Label]:
    """The labels that conversations of a business may have, its own and the common ones.

    Args:
        db: A transaction.
        business: None for those of all businesses.
    """
    query = select(*_COLUMNS).order_by(labels.c.name, labels.c.id)
    if business is not None:
        query = query.where(or_(labels.c.business == business, labels.c.business.is_(None)))
    return [Label(*row) for row in db.execute(query)]


def load(db: Connection, label_id: int) -> Label | None:
    """Read a label."""
    row = db.execute(select(*_COLUMNS).where(labels.c.id == label_id)).first()
    return Label(*row) if row else None


def add(db: Connection, business: str | None, name: str, colour: str) -> Label:
    """Make a label.

    Args:
        db: A writing transaction.
        business: Whose; None for all.
        name: Clean, `LONGEST` characters at most.
        colour: One of `COLOURS`.

    Raises:
        LabelTakenError: The business, or all of them, have one of this name.
    """
    hold(db, "labels")
    if any(one.name == name for one in of_business(db, business)):
        raise LabelTakenError(name)
    values = {"business": business, "name": name, "colour": colour}
    number = db.execute(insert(labels).values(**values).returning(labels.c.id)).scalar_one()
    return Label(number, business, name, colour)


def remove(db: Connection, label_id: int) -> list[str]:
    """Take a label away, also from all that have it; gives the ids of their conversations."""
    wearing = conversation_labels.c.label_id == label_id
    found = db.execute(select(conversation_labels.c.conversation_id).where(wearing)).scalars().all()
    db.execute(delete(conversation_labels).where(wearing))
    db.execute(delete(labels).where(labels.c.id == label_id))
    return list(found)


def put(db: Connection, conversation_id: str, label_ids: Collection[int], now: datetime) -> None:
    """Let a conversation have exactly these labels; they exist and may be put on it."""
    db.execute(
        delete(conversation_labels).where(conversation_labels.c.conversation_id == conversation_id)
    )
    for label_id in sorted(set(label_ids)):
        db.execute(
            insert(conversation_labels).values(
                conversation_id=conversation_id, label_id=label_id, at=stamp(now)
            )
        )
