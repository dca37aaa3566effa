"""Shows in WeChat that somebody writes: the bot when it takes its time, or who owns the chat.

WeChat lets it stand for 15 seconds or until a message comes, and takes it only within half a minute
of an exchange. It is a courtesy: what fails is not tried again.
"""

import asyncio
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.outgoing.planning import WECHAT
from desk.channels.wechat.outgoing.standing import Rights
from desk.hub import WRITES
from recovery.logs import log
from recovery.store import conversations
from recovery.store.conversations import staff_owner
from recovery.store.wechat import contacts, deliveries
from recovery.store.wechat.contacts import Contact

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

_PRIVATE = "private:"
# Most answers of the bot are there by then, and cost no call.
_BOT_PAUSE = 1.2
_LASTS_SECONDS = 15.0
_AFTER_EXCHANGE = timedelta(seconds=28)
_AT_ONCE = 8
_NO_RIGHT = 48001
_NO_RIGHT_SECONDS = 3600.0


class Typing:
    """Passes on who writes, for one desk."""

    def __init__(self, wechat: "WeChat", rights: Rights, *, pause: float = _BOT_PAUSE) -> None:
        """Prepare.

        Args:
            wechat: The channel.
            rights: What accounts may do.
            pause: How long the bot thinks before it is shown.
        """
        self._wechat = wechat
        self._rights = rights
        self._pause = pause
        self._thinking: dict[str, asyncio.TimerHandle] = {}
        self._shown: dict[str, float] = {}
        self._refused: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Listen from now on."""
        self._wechat.context.hub.hear_all_signals(self.heard)

    def end(self) -> None:
        """Listen no more."""
        self._wechat.context.hub.leave_all_signals(self.heard)
        for timer in self._thinking.values():
            timer.cancel()
        self._thinking.clear()
        for task in tuple(self._tasks):
            task.cancel()

    def heard(self, topic: str, frame: dict[str, Any]) -> None:
        """A signal of the hub."""
        if frame.get("type") != "typing":
            return
        if topic.startswith(WRITES):
            self._soon(topic.removeprefix(WRITES), frame.get("staff"))
        elif topic.startswith(_PRIVATE) and frame.get("who") == "bot":
            self._bot(topic.removeprefix(_PRIVATE), on=bool(frame.get("on")))

    def _bot(self, conversation: str, *, on: bool) -> None:
        timer = self._thinking.pop(conversation, None)
        if timer is not None:
            timer.cancel()
        if on:
            loop = asyncio.get_running_loop()
            self._thinking[conversation] = loop.call_later(self._pause, self._thinks, conversation)

    def _thinks(self, conversation: str) -> None:
        self._thinking.pop(conversation, None)
        self._soon(conversation, None)

    def _soon(self, conversation: str, staff_id: int | None) -> None:
        """Show it beside, unless it shows already."""
        now = monotonic()
        self._shown = {one: at for one, at in self._shown.items() if now - at < _LASTS_SECONDS}
        if conversation in self._shown or len(self._tasks) >= _AT_ONCE:
            return
        self._shown[conversation] = now
        task = asyncio.get_running_loop().create_task(self._show(conversation, staff_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show(self, conversation: str, staff_id: int | None) -> None:
        context = self._wechat.context
        found = await context.storage.read(_reader, conversation, staff_id, context.clock())
        account = context.wechat.get(found.account) if found else None
        if found is None or account is None or not self._may(account):
            return
        try:
            await self._wechat.api(account).typing(found.openid, on=True)
        except WeChatError as error:
            if error.code == _NO_RIGHT:
                self._refused[account.id] = monotonic()
            # Any other: it shows already, or the exchange is too long ago by WeChat's clock.
            log.info("wechat typing refused", account=account.id, errcode=error.code)
        except (NotReachedError, OutcomeUnknownError) as error:
            log.info("wechat typing failed", account=account.id, error=type(error).__name__)

    def _may(self, account: Account) -> bool:
        refused = self._refused.get(account.id)
        recently = refused is not None and monotonic() - refused < _NO_RIGHT_SECONDS
        now = self._wechat.context.clock()
        return account.official and not recently and self._rights.may_send(account, now)


def _reader(
    db: Connection, conversation_id: str, staff_id: int | None, now: datetime
) -> Contact | None:
    """Who would see it: the contact of a chat that is had in WeChat, a moment after an exchange.

    Args:
        db: A transaction.
        conversation_id: Where somebody writes.
        staff_id: Who; only the owner speaks, so only the owner is shown. None: the bot.
        now: The present moment.
    """
    conversation = conversations.load(db, conversation_id)
    if conversation is None or not conversation.private or conversation.channel != WECHAT:
        return None
    if staff_id is not None and conversation.owner != staff_owner(staff_id):
        return None
    contact = contacts.of_conversation(db, conversation_id)
    if contact is None or not contact.following:
        return None
    exchanges = (contact.wrote_at, contact.acted_at, deliveries.last_sent(db, contact.id))
    latest = max((one for one in exchanges if one), default=None)
    recent = latest is not None and now - datetime.fromisoformat(latest) < _AFTER_EXCHANGE
    return contact if recent else None
