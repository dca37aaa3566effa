"""Fetches what was written to accounts of 微信客服: their callback only says that there is some.

Read on from a cursor, which is moved only when everything before it is stored; what is read twice
is the same by its msgid. So nothing is lost when the desk dies at any point.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.kf import KfApi, Page
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.kf.reading import Read, read
from desk.channels.wechat.kf.taking import NotTakenError, Taking
from recovery.logs import log
from recovery.store.database import is_away
from recovery.store.wechat import cursors

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

# A callback that got lost costs no more than this.
_EVERY_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# WeCom's tokens of callbacks are good for ten minutes.
_TOKEN_LIFE = timedelta(minutes=9)
_BAD_TOKEN = 95007
# WeCom gives the last three days. When an account is read for the very first time, what is older
# than this was written to whoever looked after the account until then; a bot that answers words of
# two days ago to hundreds of people at once would do harm. Once there is a cursor, all that was
# written while the desk was away was written to this desk, and all of it is answered.
_FIRST_HISTORY = timedelta(minutes=15)


def called(wechat: "WeChat", account: Account, fields: Mapping[str, Any]) -> None:
    """Take note of a callback `kf_msg_or_event`; what it is about is fetched beside.

    Args:
        wechat: The channel.
        account: Of kind `kf`.
        fields: Of the callback. What is about another account of the company is not looked at.
    """
    ours = str(fields.get("OpenKfId") or "") in ("", account.settings.open_kfid)
    if wechat.kf is not None and ours and fields.get("Event") == "kf_msg_or_event":
        wechat.kf.called(account, str(fields.get("Token") or ""))


class KfDesk:
    """The readers of all 微信客服 accounts of one desk."""

    def __init__(self, wechat: "WeChat") -> None:
        """Prepare one reader an account; nothing is fetched yet."""
        self._readers = {
            account.id: Reader(wechat, account)
            for account in wechat.context.wechat
            if not account.official
        }

    def called(self, account: Account, token: str) -> None:
        """Let the reader of an account look now; several calls at once are one look."""
        reader = self._readers.get(account.id)
        if reader is not None:
            reader.call(token)

    async def run(self) -> None:
        """Read all accounts, side by side, until cancelled."""
        if not self._readers:
            # A worker that comes back is begun again at once.
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            for reader in self._readers.values():
                group.create_task(reader.run())


class Reader:
    """Reads one account."""

    def __init__(self, wechat: "WeChat", account: Account) -> None:
        """Prepare; nothing is fetched yet."""
        self._wechat = wechat
        self._account = account
        self._taking = Taking(wechat, account)
        self._storage, self._clock = wechat.context.storage, wechat.context.clock
        self._called = asyncio.Event()
        self._token: tuple[str, datetime] | None = None

    def call(self, token: str) -> None:
        """Look now."""
        if token:
            self._token = token, self._clock()
        self._called.set()

    async def run(self) -> None:
        """Look whenever WeCom calls, and every minute in any case."""
        pause = _FIRST_PAUSE
        while True:
            self._called.clear()
            wait = _EVERY_SECONDS
            try:
                await self.read_once()
                pause = _FIRST_PAUSE
            except (
                WeChatError,
                NotReachedError,
                OutcomeUnknownError,
                NotTakenError,
                SQLAlchemyError,
            ) as error:
                if isinstance(error, SQLAlchemyError) and not is_away(error):
                    raise
                # Of a refusal the code; of the rest the kind: a text may hold a statement.
                said = str(error.code) if isinstance(error, WeChatError) else type(error).__name__
                log.warning("kf not read", account=self._account.id, error=said)
                wait, pause = pause, min(pause * 2, _LONGEST_PAUSE)
            try:
                # Not `wait_for`: it loses the end of the desk where both come at once.
                async with asyncio.timeout(wait):
                    await self._called.wait()
            except TimeoutError:
                continue

    async def read_once(self) -> int:
        """Read to the end; returns how many entries there were.

        Raises:
            WeChatError: WeCom has refused.
            NotReachedError: It is away.
            OutcomeUnknownError: It did not answer.
            NotTakenError: Something could not be stored; it is read again.
            SQLAlchemyError: The store is away.
        """
        api: KfApi = self._wechat.api(self._account)
        kept = await self._storage.read(cursors.load, self._account.id)
        first = kept is None
        since = self._clock() - _FIRST_HISTORY if first else None
        cursor, count = kept or "", 0
        while True:
            page = await self._page(api, cursor)
            count += len(page.messages)
            await self._taking.take(api, self._readable(page, since))
            more = page.more and page.cursor not in ("", cursor)
            cursor = page.cursor or cursor
            # The first time it is kept at the end only: after a restart under way the rest of
            # what is too old would else be answered. It is kept also where there was nothing.
            if not (first and more) and cursor != kept:
                kept = await self._kept(kept, cursor)
            if not more:
                return count

    def _readable(self, page: Page, since: datetime | None) -> list[Read]:
        """What of a page says something to this desk, without what is too old."""
        found = [read(entry, self._account.settings.open_kfid or "") for entry in page.messages]
        reads = [one for one in found if one is not None]
        if since is None:
            return reads
        fresh = [one for one in reads if one.sent_at >= since.timestamp()]
        if len(fresh) < len(reads):
            passed = len(reads) - len(fresh)
            log.info("kf history passed over", account=self._account.id, entries=passed)
        return fresh

    async def _kept(self, before: str | None, after: str) -> str:
        """Keep the cursor; gives what is kept now."""
        moved = await self._storage.write(
            cursors.move, self._account.id, before, after, self._clock()
        )
        if moved:
            return after
        # Another desk reads as well. Both read to the end, and nothing is taken twice.
        return await self._storage.read(cursors.load, self._account.id) or after

    async def _page(self, api: KfApi, cursor: str) -> Page:
        token = self._fresh_token()
        try:
            return await api.sync(cursor, token)
        except WeChatError as error:
            if error.code != _BAD_TOKEN or not token:
                raise
        # Too old already. Without one WeCom answers as well, only not as often.
        self._token = None
        return await api.sync(cursor, "")

    def _fresh_token(self) -> str:
        if self._token is None or self._clock() - self._token[1] > _TOKEN_LIFE:
            return ""
        return self._token[0]
