"""What one transaction does to a conversation and its case, and what it brings about."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from desk.context import Context
from recovery.business import Business
from recovery.case import Case
from recovery.store import cases, decisions, streams
from recovery.store.conversations import Conversation
from recovery.store.notices import Notice
from recovery.store.streams import Entry


class Changed(NamedTuple):
    """A conversation whose place in staff's lists may have changed."""

    business: str
    conversation: str


@dataclass
class Turn:
    """One commit under way.

    Attributes:
        source: Id of the message that it answers, or what stands for it in the log of the case.
        case: As it is by now; written by `save`.
        entries: What was shown.
        promised: Remedies wait to be carried out.
        notices: What `recovery.store.notices.add` gave.
        others: Other conversations of which the same holds as of this one.
    """

    db: Connection
    context: Context
    conversation: Conversation
    source: str
    now: datetime
    case: Case | None
    entries: list[Entry] = field(default_factory=list)
    promised: bool = False
    notices: list[Notice] = field(default_factory=list)
    others: list[Changed] = field(default_factory=list)

    @property
    def changed(self) -> tuple[Changed, ...]:
        """The conversation, and others, whose place in the lists may have changed."""
        return (Changed(self.conversation.business, self.conversation.id), *self.others)

    @property
    def committed(self) -> "Committed":
        """All that is to be published."""
        return Committed(self.entries, self.promised, self.changed, tuple(self.notices))

    @property
    def business(self) -> Business:
        """Whose conversation it is."""
        return self.context.business(self.conversation.business)

    def show(self, stream: str, event_id: str, event: dict[str, Any]) -> None:
        """Add an event to a stream, once for each event id."""
        entry = streams.append(self.db, stream, {"id": event_id, **event}, self.now)
        if entry:
            self.entries.append(entry)


@dataclass(frozen=True)
class Committed:
    """What a commit brought about.

    Attributes:
        entries: To be published now.
        promised: Remedies wait to be carried out.
        changed: Conversations whose place in staff's lists may have changed.
        notices: What `recovery.store.notices.add` gave: pages of staff hear of it.
    """

    entries: list[Entry]
    promised: bool = False
    changed: tuple[Changed, ...] = ()
    notices: tuple[Notice, ...] = ()


def save(turn: Turn) -> None:
    """Write the case as it is by now, and how its offers stand."""
    if turn.case:
        owner = turn.conversation
        decisions.settle(turn.db, turn.case.offers, turn.now)
        cases.save(turn.db, turn.case, owner.business, owner.customer_id, turn.now)
