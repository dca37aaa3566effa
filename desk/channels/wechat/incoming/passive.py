"""Callbacks that wait for words: what is said while one waits costs no quota."""

import asyncio
from typing import Literal

# WeChat hangs up after five seconds; what has to be committed and written fits in between.
PATIENCE_SECONDS = 4.2
# So much is left for the commit that says that the words went this way.
_COMMIT_SECONDS = 0.1
# So many decisions are remembered; WeChat asks again for fifteen seconds.
_REMEMBERED = 4096


class Slot:
    """One callback that waits.

    Attributes:
        key: Account, and key of the message that it has brought.
        stored: Whether what it has brought is stored; else WeChat has to bring it again.
    """

    def __init__(self, slots: "Slots", key: tuple[str, str], until: float) -> None:
        """Begin to wait, for nobody yet.

        Args:
            slots: All of them.
            key: Account and key of the message.
            until: When it gives up, by the clock of the event loop.
        """
        self.key = key
        self.stored = False
        self._slots = slots
        self._until = until
        self._contact: str | None = None
        self._text: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def belongs_to(self, contact_id: str) -> None:
        """Say who waits; nothing happens where nobody waits any more."""
        if not self._text.done() and self._contact is None:
            self._contact = contact_id
            self._slots.enter(contact_id, self)

    @property
    def closed(self) -> bool:
        """Whether nobody waits any more."""
        return self._text.done()

    @property
    def open(self) -> bool:
        """Whether a reply that is committed now still arrives."""
        now = asyncio.get_running_loop().time()
        return not self._text.done() and now < self._until - _COMMIT_SECONDS

    def fill(self, text: str) -> bool:
        """Let the callback answer with these words.

        Args:
            text: At most 2,048 bytes; committed as the reply to this message already.

        Returns:
            Whether it does; False when it has answered otherwise just now.
        """
        taken = False
        # WeChat may have asked again while the first callback still waits: both say the same.
        for slot in self._slots.of(self):
            if not slot._text.done():
                slot._text.set_result(text)
                taken = True
        return taken

    async def text(self, seconds: float | None = None) -> str | None:
        """Wait for the words.

        Args:
            seconds: For how long; None: as long as the slot is open at all.

        Returns:
            The words; None when there were none in time, and from then on none can come.
        """
        left = self._until - asyncio.get_running_loop().time()
        try:
            await asyncio.wait({self._text}, timeout=max(0.0, left if seconds is None else seconds))
        finally:
            self.close()
        return None if self._text.cancelled() else self._text.result()

    def close(self) -> None:
        """Wait no more."""
        if not self._text.done():
            self._text.cancel()
        if self._contact is not None:
            self._slots.leave(self._contact, self)


class Slots:
    """All callbacks of this process that wait."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_contact: dict[str, list[Slot]] = {}
        self._ways: dict[tuple[str, str], str] = {}

    def prepare(self, key: tuple[str, str], seconds: float = PATIENCE_SECONDS) -> Slot:
        """A callback that has just come in; whom it is from is not known yet."""
        return Slot(self, key, asyncio.get_running_loop().time() + seconds)

    def open(
        self, contact_id: str, key: tuple[str, str], seconds: float = PATIENCE_SECONDS
    ) -> Slot:
        """Let a callback of a contact wait."""
        slot = self.prepare(key, seconds)
        slot.belongs_to(contact_id)
        return slot

    def waiting(self, contact_id: str) -> Slot | None:
        """The oldest callback of a contact that can still carry a reply."""
        return next((one for one in self._by_contact.get(contact_id, ()) if one.open), None)

    def goes(self, key: tuple[str, str], way: Literal["here", "call"]) -> bool:
        """Decide how the reply to a message goes, which its callback had just given up.

        The store tells of it too late: WeChat may ask again before a former decision stands there.

        Args:
            key: Account and key of the message.
            way: `here`, by a callback that has brought it again; `call`, by a call.

        Returns:
            Whether it goes so; False where it goes the other way already.
        """
        while len(self._ways) >= _REMEMBERED:
            self._ways.pop(next(iter(self._ways)))
        return self._ways.setdefault(key, way) == way

    def everybody(self) -> dict[str, Slot]:
        """Of each contact that waits the oldest callback that can still carry a reply."""
        found = {contact: self.waiting(contact) for contact in self._by_contact}
        return {contact: slot for contact, slot in found.items() if slot is not None}

    def of(self, slot: Slot) -> list[Slot]:
        """A callback and all others that have brought the same message."""
        others = self._by_contact.get(slot._contact or "", ())
        return [slot, *(one for one in others if one is not slot and one.key == slot.key)]

    def let_go(self, account: str, key: str) -> None:
        """Let no callback wait any longer for words on a message: there will be none."""
        for kept in list(self._by_contact.values()):
            for slot in [one for one in kept if one.key == (account, key)]:
                slot.close()

    def enter(self, contact_id: str, slot: Slot) -> None:
        """Keep a slot."""
        self._by_contact.setdefault(contact_id, []).append(slot)

    def leave(self, contact_id: str, slot: Slot) -> None:
        """Forget a slot."""
        kept = [one for one in self._by_contact.get(contact_id, ()) if one is not slot]
        if kept:
            self._by_contact[contact_id] = kept
        else:
            self._by_contact.pop(contact_id, None)
