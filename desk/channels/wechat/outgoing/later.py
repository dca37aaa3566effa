"""What waits for a customer is told once outside of the window: by template or subscribe message.

It tells that something waits, never what: the words themselves go out when the customer writes.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.outgoing.telling import ORDER, fill, matter_of, reaches_outside
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from recovery.logs import log
from recovery.store import conversations, notices
from recovery.store.wechat import credits as credits_of
from recovery.store.wechat import told
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.told import Via, Waiting
from recovery.wechat import LaterMessage

if TYPE_CHECKING:
    from desk.channels.wechat.api.official import OfficialApi
    from desk.channels.wechat.service import WeChat

__all__ = ["Teller", "credited", "finished", "reaches_outside"]

_EVERY_SECONDS = 2.0
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_ZONE = ZoneInfo("Asia/Shanghai")

_BUSY = -1
_NO_CREDIT = 43101
_DAY_LIMIT = 45009
_NO_RIGHT = 48001
_TOKEN = frozenset({40001, 40014, 42001})


@dataclass(frozen=True)
class _Telling:
    """What is about to be told."""

    id: int
    conversation: str
    fields: dict[str, str]


class Teller:
    """Looks for contacts for whom something is held, for as long as the desk runs."""

    def __init__(self, wechat: "WeChat") -> None:
        """Prepare.

        Args:
            wechat: The channel.
        """
        self._wechat = wechat
        self._context = wechat.context
        # By account: nothing is told before.
        self._not_before: dict[str, datetime] = {}
        # By contact: the latest send of those that were looked at and were not worth telling.
        self._left: dict[str, int] = {}

    async def run(self) -> None:
        """Look again and again."""
        if not any(account.settings.later for account in self._context.wechat):
            # Nothing to do for as long as the desk runs.
            await asyncio.Event().wait()
        while True:
            await self.look_once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look_once(self) -> int:
        """Tell all who are to be told; returns how many were."""
        context, now, number = self._context, self._context.clock(), 0
        accounts = {
            one.id: one
            for one in context.wechat
            if one.official and one.settings.later and self._not_before.get(one.id, now) <= now
        }
        if not accounts:
            return 0
        waiting = await context.storage.read(told.waiting, list(accounts))
        self._left = {one.contact_id: self._left.get(one.contact_id, 0) for one in waiting}
        tellable = await context.storage.read(_tellable, list(accounts.values()), waiting)
        for one in tellable:
            if self._left[one.contact_id] < one.latest:
                number += await self._tell(accounts[one.account], one)
        return number

    async def _tell(self, account: Account, one: Waiting) -> bool:
        """Tell one contact, if there is a way; gives whether it was tried."""
        later, context = account.settings.later, self._context
        if later is None or self._not_before.get(account.id, context.clock()) > context.clock():
            return False
        telling = await context.storage.write(_begin, context, later, one, context.clock())
        if telling == "nothing":
            self._left[one.contact_id] = one.latest
        if not isinstance(telling, _Telling):
            return False
        api: OfficialApi = self._wechat.api(account)
        message = None
        try:
            if later.kind == "template":
                message = await api.template(one.openid, later.id, telling.fields, None)
            else:
                await api.subscribe_message(one.openid, later.id, telling.fields, None)
        except WeChatError as error:
            await self._refused(account, later, one, telling, error.code)
        except NotReachedError:
            await self._undone(account, later, one, telling, None, _MINUTE)
        except OutcomeUnknownError:
            # It stands as unknown and is not said again in this silence.
            log.warning("later message unknown", account=account.id)
        else:
            await context.storage.write(
                told.settle, telling.id, "sent", context.clock(), message=message
            )
        return True

    async def _refused(
        self, account: Account, later: LaterMessage, one: Waiting, telling: _Telling, code: int
    ) -> None:
        """Do what an error of WeChat's means for a message, which was not sent."""
        log.warning("later message refused", account=account.id, kind=later.kind, errcode=code)
        if code == _NO_CREDIT:
            await self._undone(account, later, one, telling, code, timedelta())
        elif code == _DAY_LIMIT:
            here = self._context.clock().astimezone(_ZONE)
            day = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            await self._undone(account, later, one, telling, code, day - here)
        elif code == _NO_RIGHT:
            await self._undone(account, later, one, telling, code, _HOUR)
        elif code == _BUSY or code in _TOKEN:
            await self._undone(account, later, one, telling, code, _MINUTE)
        else:
            self._wechat.router.publish(
                await self._context.storage.write(
                    _failed, telling.id, telling.conversation, code, self._context.clock()
                )
            )

    async def _undone(
        self,
        account: Account,
        later: LaterMessage,
        one: Waiting,
        telling: _Telling,
        code: int | None,
        pause: timedelta,
    ) -> None:
        now = self._context.clock()
        if pause:
            self._not_before[account.id] = now + pause
        await self._context.storage.write(_undo, later, one.contact_id, telling.id, code, now)


def _tellable(db: Connection, accounts: list[Account], waiting: list[Waiting]) -> list[Waiting]:
    """Those to whom a message may be sent at all."""
    holders = {
        one.id: credits_of.holders(db, one.settings.later.id)
        for one in accounts
        if one.settings.later and one.settings.later.kind == "subscribe"
    }
    return [
        one
        for one in waiting
        if one.account not in holders or one.contact_id in holders[one.account]
    ]


def _begin(
    db: Connection, context: Context, later: LaterMessage, one: Waiting, now: datetime
) -> _Telling | Literal["nothing", "no way"]:
    """Keep that a contact is told now of the weightiest of what waits."""
    worth = [
        (matter, held)
        for held in told.held(db, one.contact_id)
        if (matter := matter_of(held.event)) is not None
    ]
    if not worth:
        return "nothing"
    matter, held = min(worth, key=lambda pair: ORDER.index(pair[0]))
    via: Via = later.kind
    if via == "subscribe" and not credits_of.spend(db, one.contact_id, later.id):
        return "no way"
    if not told.claim(db, one.contact_id, now):
        if via == "subscribe":
            credits_of.allow(db, one.contact_id, later.id)
        return "no way"
    fields = fill(db, context, later, matter, held)
    made = told.begin(db, one.contact_id, held.conversation.id, via, now)
    return _Telling(made, held.conversation.id, fields)


def _undo(
    db: Connection,
    later: LaterMessage,
    contact_id: str,
    told_id: int,
    code: int | None,
    now: datetime,
) -> None:
    told.undo(db, told_id, contact_id, now, code)
    if later.kind == "subscribe":
        if code == _NO_CREDIT:
            credits_of.withdraw(db, contact_id, later.id)
        else:
            credits_of.allow(db, contact_id, later.id)


def _failed(
    db: Connection, told_id: int, conversation_id: str, code: int | None, now: datetime
) -> Committed:
    """Keep that a message did not arrive; who has the conversation hears of it."""
    told.settle(db, told_id, "failed", now, error=code)
    conversation = conversations.load(db, conversation_id)
    if conversation is None:
        return Committed([])
    changed = (Changed(conversation.business, conversation.id),)
    if conversation.agent is None:
        return Committed([], changed=changed)
    words = "微信的服务通知没有送到，顾客还不知道有新消息；等他在公众号里写来时才会看到"
    left = notices.add(db, [conversation.agent], "undelivered", conversation.id, words, now)
    return Committed([], changed=changed, notices=left)


# --- what WeChat tells of it ------------------------------------------------------------------


def credited(
    db: Connection, context: Context, contact: Contact, inbound: Inbound, now: datetime
) -> None:
    """Count what a customer has allowed, or taken back, of subscribe messages.

    Args:
        db: A writing transaction.
        context: The desk.
        contact: Who.
        inbound: Of kind `credit`.
        now: The present moment.
    """
    account = context.wechat.get(contact.account)
    wanted = account.settings.later.id if account and account.settings.later else None
    for template, change in dict(inbound.more.get("credits") or {}).items():
        # Of templates that nobody sends nothing is kept: anything may stand in the event.
        if template != wanted:
            continue
        if change > 0:
            credits_of.allow(db, contact.id, template)
        else:
            credits_of.withdraw(db, contact.id, template)


def finished(
    db: Connection,
    context: Context,
    account: Account,
    contact: Contact,
    inbound: Inbound,
    now: datetime,
) -> Committed:
    """Keep how a template or subscribe message ended.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Whose.
        contact: To whom.
        inbound: Of kind `job`.
        now: The present moment.

    Returns:
        What to publish: the owner hears of one that did not arrive.
    """
    status = str(inbound.more.get("status") or "").strip().lower()
    found = told.of_message(db, contact.id, str(inbound.more.get("message") or ""))
    if found is None or found.state == "failed":
        return Committed([])
    if status == "success":
        told.settle(db, found.id, "sent", now)
        return Committed([])
    log.warning("later message not delivered", account=account.id, status=status[:40])
    return _failed(db, found.id, found.conversation, None, now)
