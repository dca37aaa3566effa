"""All open pages of staff: what changes is read once and told to each as far as it may know."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from time import monotonic
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from desk.context import Context
from desk.hub import DESK, writes_topic
from desk.staff.lists import ListedRow, some_rows
from recovery.logs import log
from recovery.store.staff import Staff

# What changes within this time is read together.
_TOGETHER_SECONDS = 0.06
_TYPING_SECONDS = 5.0

Looker = dict[str, Any]


class Page(Protocol):
    """One open page of a member of staff."""

    who: Staff | None

    def rows_changed(
        self, rows: Iterable[ListedRow], gone: Iterable[str], seen_only: Collection[str]
    ) -> None:
        """Tell the page of rows, as far as it may know of them.

        Args:
            rows: As they are now.
            gone: Conversations that are in no list any more.
            seen_only: Those of the rows of which nothing else has changed than how far their
                owners have read.
        """

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""


class Audience:
    """Holds nothing that would have to outlive the process."""

    def __init__(self, context: Context) -> None:
        """Begin with no pages.

        Args:
            context: The desk.
        """
        self._context = context
        self._pages: set[Page] = set()
        self._changed: dict[str, str] = {}
        self._more_than_seen: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._looking: defaultdict[str, dict[Page, float]] = defaultdict(dict)

    def enter(self, page: Page) -> None:
        """Tell a page of everything from now on."""
        if not self._pages:
            self._context.hub.hear_signals(DESK, self.note)
        self._pages.add(page)

    def leave(self, page: Page) -> None:
        """A page is closed."""
        self.look(page, None)
        self._pages.discard(page)
        if not self._pages:
            self._context.hub.leave_signals(DESK, self.note)

    # --- rows of the lists ----------------------------------------------------------------

    def note(self, frame: dict[str, Any]) -> None:
        """Remember that a conversation has changed; it is read together with others."""
        self._changed[frame["conversation"]] = frame["business"]
        if not frame["seen_only"]:
            self._more_than_seen.add(frame["conversation"])
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._tell_soon())

    async def _tell_soon(self) -> None:
        while self._changed:
            await asyncio.sleep(_TOGETHER_SECONDS)
            changed, self._changed = self._changed, {}
            more, self._more_than_seen = self._more_than_seen, set()
            try:
                await self.tell(changed, changed.keys() - more)
            except SQLAlchemyError as error:
                # Pages read the lists again when they come back; nothing is lost by waiting.
                log.warning("rows not told", error=type(error).__name__)
                self._changed = {**changed, **self._changed}
                self._more_than_seen |= more
                await asyncio.sleep(1.0)

    async def tell(self, changed: dict[str, str], seen_only: Collection[str] = ()) -> None:
        """Read rows once and tell every page that may know of them.

        Args:
            changed: Business by conversation.
            seen_only: As for `Page.rows_changed`.
        """
        rows = await self._context.storage.read(some_rows, self._context, list(changed))
        by_id = {row.whole["id"]: row for row in rows}
        for page in tuple(self._pages):
            who = page.who
            if who is None:
                continue
            mine = [one for one, business in changed.items() if who.sees(business)]
            found = [by_id[one] for one in mine if one in by_id]
            gone = [one for one in mine if one not in by_id or not by_id[one].listed]
            page.rows_changed(found, gone, seen_only)

    # --- who looks at what ----------------------------------------------------------------

    def look(self, page: Page, conversation: str | None) -> None:
        """A page looks at a conversation, and no more at the one before."""
        before = [one for one, pages in self._looking.items() if page in pages]
        if before == ([conversation] if conversation else []):
            return
        for one in before:
            del self._looking[one][page]
            self._tell_lookers(one)
            if not self._looking[one]:
                del self._looking[one]
        if conversation:
            self._looking[conversation][page] = 0.0
            self._tell_lookers(conversation)

    def types(self, page: Page) -> None:
        """A page writes an answer in the conversation it looks at."""
        for conversation, pages in tuple(self._looking.items()):
            if page in pages:
                pages[page] = monotonic() + _TYPING_SECONDS
                self._tell_lookers(conversation)
                if page.who is not None:
                    # Other channels may show the customer that the owner writes.
                    frame = {"type": "typing", "who": "staff", "staff": page.who.id}
                    self._context.hub.signal(writes_topic(conversation), frame)
                loop = asyncio.get_running_loop()
                loop.call_later(_TYPING_SECONDS + 0.1, self._tell_lookers, conversation)

    def looking(self, conversation: str, but: int | None = None) -> list[Looker]:
        """Who looks at a conversation, each once.

        Args:
            conversation: Which one.
            but: Who is left out: the one who asks.
        """
        found: dict[int, Looker] = {}
        now = monotonic()
        for page, typing in self._looking.get(conversation, {}).items():
            who = page.who
            if who is None or who.id == but:
                continue
            one = found.setdefault(who.id, {"id": who.id, "name": who.name, "typing": False})
            one["typing"] = one["typing"] or typing > now
        return sorted(found.values(), key=lambda one: str(one["name"]))

    def _tell_lookers(self, conversation: str) -> None:
        for page in tuple(self._looking.get(conversation, ())):
            if page.who is not None:
                who = self.looking(conversation, page.who.id)
                page.send({"type": "looking", "conversation": conversation, "who": who})
