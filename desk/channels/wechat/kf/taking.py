"""Stores what was read of a 微信客服 account, in its order, each entry where it belongs."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.incoming import receiving
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.kf import events as kf_events
from desk.channels.wechat.kf import sessions as kf_sessions
from desk.channels.wechat.kf.reading import Elsewhere, Read, SessionChange
from desk.channels.wechat.kf.sessions import Session
from recovery.logs import log
from recovery.store.database import is_away
from recovery.store.wechat import contacts, sends

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

# A welcome is taken for twenty seconds; the call needs some of them.
_WELCOME_LIFE = timedelta(seconds=18)
_SESSIONS_AT_ONCE = 8
# Who came over from the web page: what is to be said there waits for the first words from here.
_LED_HERE = "您好，您在网页上的会话已经接到这里了。请在这里说句话，我们接着为您处理。"
# So often what one entry brings about may fail before it is passed over.
_MOST_FAILURES = 3
# A message may be reported lost before the call that sent it is written down as over.
_SETTLING_SECONDS, _SETTLING_TRIES = 0.5, 20


class NotTakenError(RuntimeError):
    """An entry could not be stored; it is read again."""


class Taking:
    """Takes entries of one account."""

    def __init__(self, wechat: "WeChat", account: Account) -> None:
        """Prepare."""
        self._wechat = wechat
        self._account = account
        self._storage, self._clock = wechat.context.storage, wechat.context.clock
        self._failures: Counter[str] = Counter()

    async def take(self, api: KfApi, reads: Sequence[Read]) -> None:
        """Store a page of entries; when this has come back, none of them is needed any more.

        Args:
            api: Of the account.
            reads: In the order in which WeCom gave them.

        Raises:
            SQLAlchemyError: The store is away.
            NotTakenError: One of them could not be stored, for the first times.
        """
        asked = await self._sessions(api, reads)
        beside: list[asyncio.Task[None]] = []
        try:
            for place, one in enumerate(reads):
                work = self._one(one, reads[place + 1 :], asked, beside)
                await self._surely(one, work)
            await asyncio.gather(*beside)
        finally:
            for task in beside:
                task.cancel()
        self._failures.clear()

    async def _surely(self, one: Read, work: Coroutine[Any, Any, None]) -> None:
        """Do something, or see to it that the page is read again, but not for ever."""
        try:
            await work
        # One entry must not keep all that follow from being read, whatever it brings about.
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and is_away(error):
                raise
            self._failures[one.key] += 1
            log.error(
                "kf entry failed",
                account=self._account.id,
                error=type(error).__name__,
                exc_info=error,
            )
            if self._failures[one.key] < _MOST_FAILURES:
                raise NotTakenError from error

    async def _sessions(self, api: KfApi, reads: Sequence[Read]) -> dict[str, Session]:
        """Whose the sessions of all who have written are; new ones are taken for this desk.

        Whom WeCom says nothing of is not in it; before anything is sent it is asked again.
        """
        writers = {one.openid for one in reads if isinstance(one, Inbound) and not one.is_event}
        limit = asyncio.Semaphore(_SESSIONS_AT_ONCE)
        found: dict[str, Session] = {}

        async def ask(user: str) -> None:
            async with limit:
                try:
                    found[user] = await kf_sessions.claim(api, user)
                except (WeChatError, NotReachedError, OutcomeUnknownError) as error:
                    kind = type(error).__name__
                    log.warning("kf session unknown", account=self._account.id, error=kind)

        await asyncio.gather(*(ask(user) for user in writers))
        return found

    async def _one(
        self,
        one: Read,
        later: Sequence[Read],
        asked: Mapping[str, Session],
        beside: list[asyncio.Task[None]],
    ) -> None:
        context, account = self._wechat.context, self._account.id
        if isinstance(one, SessionChange):
            committed = await self._storage.write(
                kf_events.session_changed, account, one, self._clock()
            )
        elif isinstance(one, Elsewhere):
            committed = await self._storage.write(
                kf_events.heard_elsewhere, context, account, one, self._clock()
            )
        elif one.kind == "job":
            beside.append(asyncio.create_task(self._surely(one, self._undelivered(one))))
            return
        elif not one.is_event and await self._is_a_colleagues(one, later, asked):
            committed = await self._storage.write(
                kf_events.said_to_colleague, account, one, self._clock()
            )
        else:
            await self._receive(one, beside)
            return
        self._wechat.router.publish(committed)

    async def _is_a_colleagues(
        self, one: Inbound, later: Sequence[Read], asked: Mapping[str, Session]
    ) -> bool:
        """Whether a customer's message is one to a colleague who has the session in WeCom.

        Who has it now says WeCom; who had it when this was written, what was read before it.
        """
        session = asked.get(one.openid)
        if session == "person":
            return True
        contact = await self._storage.read(contacts.find, self._account.id, one.openid)
        if contact is None or not kf_sessions.with_a_person(contact, self._clock()):
            return False
        if session is None or any(_ends(other, one.openid) for other in later):
            return True
        # It is over, and WeCom has not told so.
        await self._storage.write(kf_sessions.over, contact.id)
        return False

    async def _receive(self, one: Inbound, beside: list[asyncio.Task[None]]) -> None:
        """Give a message the road of every message; what is said at once goes out from here."""
        text = await receiving.receive(self._wechat, self._account, one)
        if one.kind == "follow":
            code = one.more.get("welcome_code")
            # Without a code nothing may be said to who has said nothing.
            if code:
                welcome = self._welcome(one, str(code), text or _LED_HERE)
                beside.append(asyncio.create_task(self._surely(one, welcome)))
        elif text:
            await self._storage.write(_say, self._account.id, one, text, self._clock())
            self._wechat.wake()

    async def _welcome(self, one: Inbound, code: str, text: str) -> None:
        """Say a welcome while its code is good: one message, which costs nothing.

        Read again after a restart it is sent again, under the same msgid and by the same code:
        WeCom takes it once.
        """
        api: KfApi = self._wechat.api(self._account)
        msgid = kf_events.message_id(self._account.id, one.key)
        until, pause = one.sent_at + _WELCOME_LIFE.total_seconds(), 0.5
        while self._clock().timestamp() < until:
            try:
                await api.send_on_event(code, text, msgid)
                return
            except WeChatError as error:
                # Used already, or too late; the customer's first words are answered in any case.
                log.info("kf welcome refused", account=self._account.id, error=error.code)
                return
            except (NotReachedError, OutcomeUnknownError) as error:
                kind = type(error).__name__
                log.warning("kf welcome not sent", account=self._account.id, error=kind)
            await asyncio.sleep(pause)
            pause *= 2

    async def _undelivered(self, one: Inbound) -> None:
        """Settle a message that WeCom could not deliver, when the call that sent it is settled."""
        account = self._account.id
        for _ in range(_SETTLING_TRIES):
            if not await self._storage.read(kf_events.is_on_its_way, account, one):
                break
            await asyncio.sleep(_SETTLING_SECONDS)
        reason = int(one.more["status"])
        words = kf_events.REASONS.get(reason, "not known to this version")
        log.warning("kf message not delivered", account=account, fail_type=reason, reason=words)
        committed = await self._storage.write(kf_events.undelivered, account, one, self._clock())
        self._wechat.router.publish(committed)


def _ends(other: Read, openid: str) -> bool:
    return isinstance(other, SessionChange) and other.openid == openid and other.session == "ended"


def _say(db: Connection, account: str, one: Inbound, text: str, now: datetime) -> None:
    """Send a sentence that is no event of a conversation, once for each message."""
    contact = contacts.find(db, account, one.openid)
    if contact is not None:
        event_id = kf_events.message_id(account, one.key)
        sends.say(db, contact.id, contact.conversation_id, event_id, text, now)
