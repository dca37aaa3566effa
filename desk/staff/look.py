"""A member of staff looks at one conversation: what every section of the page is made from."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.standing import require_unchanged
from desk.staff.masking import Sight, sight_of
from recovery.case import Case
from recovery.store import cases, conversations
from recovery.store.conversations import Conversation
from recovery.store.staff import Staff


@dataclass(frozen=True)
class Look:
    """One look, within one transaction.

    Attributes:
        conversation: The one that was opened.
        public: The customer's thread in a room, None where there is none.
        private: The private chat of the same case, None where there is none.
    """

    db: Connection
    context: Context
    who: Staff
    conversation: Conversation
    case: Case | None
    public: Conversation | None
    private: Conversation | None
    now: datetime

    @property
    def sight(self) -> Sight:
        """What of the case is seen with its customer's data."""
        public = self.public.owner if self.public else None
        return sight_of(self.who, public, self.private.owner if self.private else None)

    @property
    def parts(self) -> tuple[Conversation, ...]:
        """Both parts, as far as there are any, the public one first."""
        return tuple(one for one in (self.public, self.private) if one)


def look_at(db: Connection, context: Context, conversation_id: str, who: Staff) -> Look | None:
    """Look at a conversation; None where there is none that this account may know of."""
    conversation = conversations.load(db, conversation_id)
    if conversation is None or not who.sees(conversation.business):
        return None
    other = None
    if conversation.case_id is not None:
        kind = "public" if conversation.private else "private"
        other = conversations.of_case(db, conversation.case_id, kind)
    public, private = (other, conversation) if conversation.private else (conversation, other)
    case = cases.load(db, conversation.case_id)
    return Look(db, context, who, conversation, case, public, private, context.clock())


def held(db: Connection, conversation_id: str, who: Staff, *, lock: bool = True) -> Conversation:
    """A conversation that this member of staff may know of.

    Args:
        db: A transaction.
        conversation_id: Which one.
        who: Who acts.
        lock: Keep others away from it until the transaction, which is a writing one, ends.

    Raises:
        LookupError: There is none; another business's is none.
        PageError: The account has been changed since it was let in.
    """
    conversation = conversations.load(db, conversation_id, lock=lock)
    if conversation is None or not who.sees(conversation.business):
        raise LookupError(conversation_id)
    require_unchanged(db, who)
    return conversation
