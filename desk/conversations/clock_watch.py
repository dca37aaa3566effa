"""Sees clocks run out: it is stored once, the owner and the supervisors hear of it."""

import asyncio
from datetime import datetime

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.router import Router
from desk.conversations.turn import Changed, Committed
from recovery.clocks import WORDS
from recovery.store import cases, clocks, conversations, notices
from recovery.store.conversations import Conversation, owner_id

_EVERY_SECONDS = 2.0


class ClockWatch:
    """Looks for clocks that have run out, for as long as the desk runs."""

    def __init__(self, context: Context, router: Router) -> None:
        """Prepare.

        Args:
            context: The desk.
            router: Tells the pages.
        """
        self._context = context
        self._router = router

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Look at all that is due; returns at how many conversations.

        Each has a transaction of its own: on PostgreSQL a second desk may look at the same time,
        and nobody waits for all of them.
        """
        context, now = self._context, self._context.clock()
        served = [business.id for business in context.directory]
        due = await context.storage.read(clocks.due, served, now)
        for one in due:
            self._router.publish(await context.storage.write(look_at_clocks, context, one, now))
        return len(due)


def look_at_clocks(
    db: Connection, context: Context, conversation_id: str, now: datetime
) -> Committed:
    """Store what has run out in one conversation, and say so to its owner and the supervisors."""
    conversation = conversations.load(db, conversation_id, lock=True)
    business = context.directory.business(conversation.business) if conversation else None
    if conversation is None or business is None:
        # Of a business that was taken out of the settings all is kept until it comes back.
        return Committed([])
    missed = clocks.look(db, conversation, business, now)
    left: tuple[notices.Notice, ...] = ()
    if missed:
        owner = owner_id(conversation.owner)
        readers = [*([owner] if owner is not None else [])]
        readers += notices.overseers(db, conversation.business)
        words = "、".join(WORDS[kind] for kind in missed)
        text = f"{_matter(db, conversation)}{words}已超时"
        left = notices.add(db, readers, "clock", conversation.id, text, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([], changed=changed, notices=left)


def _matter(db: Connection, conversation: Conversation) -> str:
    """What it is about, in brackets; the matter only, since a notice names no customer."""
    case = cases.load(db, conversation.case_id)
    return f"“{case.matter}”" if case and case.has_matter else ""
