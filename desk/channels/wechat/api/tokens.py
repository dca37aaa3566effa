"""The access token of an account: one refresher for all processes, and never a loop.

WeChat gives the same token for two hours (stable_token), and a new one kills the one before. A
token that is refused is looked up anew once for each call: another desk may have a newer one, else
one is fetched; if WeChat gives the refused one again, a new one is asked for by force, which it
allows seldom.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.http import call
from desk.channels.wechat.api.outcomes import NotReachedError, WeChatError
from desk.context import Context
from recovery.ids import new_id
from recovery.logs import log
from recovery.store.wechat import tokens
from recovery.store.wechat.tokens import Token

# The token is wrong or superseded, unknown, too old: of both kinds of account.
REJECTED = frozenset({40001, 40014, 42001})
_BUSY = -1
_RENEW_BEFORE = timedelta(minutes=5)
# WeChat's clock may renew a little later than ours, and gives the old one until then.
_GIVEN_AGAIN = timedelta(seconds=20)
_WAIT_SECONDS = tokens.LEASE.total_seconds() + 3
_LOOK_SECONDS = 0.1
# So long a failure is everybody's answer: a crowd of calls does not become a crowd of fetches.
_AWAY_SECONDS = 1.0
_REFUSED_SECONDS = 10.0
_FLIGHTS = 3
_SHORTEST, _LONGEST = 16, 4096

_Failure = NotReachedError | WeChatError


class Tokens:
    """The access token of one account."""

    def __init__(self, account: Account, context: Context, http: httpx.AsyncClient) -> None:
        """Prepare; nothing is fetched yet.

        Args:
            account: Whose.
            context: Clock, store and secrets of the desk.
            http: From `desk.channels.wechat.api.http.open_http`.
        """
        self._account = account
        self._context = context
        self._http = http
        self._who = new_id("t")
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None
        self._failed: tuple[float, _Failure] | None = None
        # A token that is refused, and still all that WeChat gives: until when.
        self._hopeless: tuple[str, float] | None = None

    async def get(self) -> str:
        """A token that should be good.

        Raises:
            WeChatError: WeChat gives none: AppID, secret or IP list are wrong.
            NotReachedError: It cannot be reached.
            sqlalchemy.exc.SQLAlchemyError: The store is away.
        """
        token = self._token
        if token is None or self._is_due(token):
            token = await self._fetched(None)
        return token.value

    async def renew(self, rejected: str) -> str:
        """Another token than one that WeChat has refused.

        Args:
            rejected: Given by `get` or `renew` before.

        Returns:
            Another one; the same where there is no other to be had now.

        Raises:
            WeChatError: See `get`.
            NotReachedError: See `get`.
            sqlalchemy.exc.SQLAlchemyError: See `get`.
        """
        token = self._token
        if token is not None and token.value != rejected and not self._is_due(token):
            return token.value
        if self._hopeless and self._hopeless[0] == rejected and self._clock() < self._hopeless[1]:
            return rejected
        return (await self._fetched(rejected)).value

    def _is_due(self, token: Token) -> bool:
        now = self._context.clock()
        if now >= token.expires_at:
            return True
        early = now >= token.expires_at - _RENEW_BEFORE
        return early and now - token.fetched_at >= _GIVEN_AGAIN

    async def _fetched(self, rejected: str | None) -> Token:
        """One fetch at a time; all that come meanwhile share its end."""
        for _ in range(_FLIGHTS):
            if self._failed and self._clock() < self._failed[0]:
                raise self._failed[1].with_traceback(None)
            if self._flight is None:
                self._flight = asyncio.create_task(self._fetch(rejected))
                self._flight.add_done_callback(self._landed)
            # A caller that gives up does not stop the fetch of the others.
            token = await asyncio.shield(self._flight)
            if token.value != rejected or (self._hopeless and self._hopeless[0] == rejected):
                break
            # The fetch under way was begun by somebody who did not know yet that it is refused.
        return token

    def _landed(self, flight: "asyncio.Task[Token]") -> None:
        self._flight = None
        if flight.cancelled():
            return
        error = flight.exception()
        if error is None:
            self._token, self._failed = flight.result(), None
        elif isinstance(error, NotReachedError):
            self._failed = self._clock() + _AWAY_SECONDS, error
        elif isinstance(error, WeChatError):
            rest = _AWAY_SECONDS if error.code == _BUSY else _REFUSED_SECONDS
            self._failed = self._clock() + rest, error
            log.error("no access token", account=self._account.id, errcode=error.code)

    async def _fetch(self, rejected: str | None) -> Token:
        """Find a token that differs from the refused one, or fetch one."""
        storage, key = self._context.storage, self._context.secrets.seal_key
        account, end = self._account.id, self._clock() + _WAIT_SECONDS
        while True:
            known = await storage.read(tokens.load, account, key)
            if known and known.value != rejected and not self._is_due(known):
                return known
            if await storage.write(tokens.lease, account, self._who, self._context.clock()):
                break
            now = self._context.clock()
            if known and known.value != rejected and now < known.expires_at:
                # Both hold for the last five minutes; another desk is about the new one.
                return replace(known, fetched_at=now)
            if self._clock() >= end:
                raise NotReachedError("another desk fetches the access token, and does not end")
            await asyncio.sleep(_LOOK_SECONDS)
        return await self._under_lease(rejected)

    async def _under_lease(self, rejected: str | None) -> Token:
        storage, key = self._context.storage, self._context.secrets.seal_key
        account = self._account.id
        try:
            # Between the look and the lease another desk may have ended.
            known = await storage.read(tokens.load, account, key)
            if known and known.value != rejected and not self._is_due(known):
                await storage.write(tokens.give_up, account, self._who)
                return known
            token = await self._asked_or_known(known, rejected)
            if token.value == rejected:
                token = await self._by_force(token)
        except BaseException:
            # Cancelled or failed: nobody is to wait until the lease runs out.
            await asyncio.shield(storage.write(tokens.give_up, account, self._who))
            raise
        await storage.write(tokens.keep, account, self._who, token, key)
        return token

    async def _asked_or_known(self, known: Token | None, rejected: str | None) -> Token:
        """Ask; a token that holds for some minutes more is good enough while WeChat is away."""
        try:
            return await self._ask(force=False)
        except NotReachedError:
            now = self._context.clock()
            if known is None or known.value == rejected or now >= known.expires_at:
                raise
            return replace(known, fetched_at=now)

    async def _by_force(self, token: Token) -> Token:
        """Where the usual way gives what was refused."""
        account, now = self._account, self._context.clock()
        if account.official and await self._context.storage.write(
            tokens.may_force, account.id, self._who, now
        ):
            log.warning("access token refused, a new one by force", account=account.id)
            forced = await self._ask(force=True)
            if forced.value != token.value:
                return forced
        log.error("access token refused, there is no other", account=account.id)
        self._hopeless = token.value, self._clock() + _REFUSED_SECONDS
        return token

    async def _ask(self, *, force: bool) -> Token:
        """Ask WeChat; asked twice, it does no harm."""
        settings, secret = self._account.settings, self._account.secret
        if self._account.official:
            given = await call(
                self._http,
                "POST",
                f"{settings.address}/cgi-bin/stable_token",
                does=False,
                body={
                    "grant_type": "client_credential",
                    "appid": settings.app_id,
                    "secret": secret,
                    "force_refresh": force,
                },
            )
        else:
            given = await call(
                self._http,
                "GET",
                f"{settings.address}/cgi-bin/gettoken",
                does=False,
                params={"corpid": settings.app_id, "corpsecret": secret},
            )
        return _token_of(given, self._context.clock())

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()


def _token_of(given: object, now: datetime) -> Token:
    fields = given if isinstance(given, dict) else {}
    value, seconds = fields.get("access_token"), fields.get("expires_in")
    if (
        not isinstance(value, str)
        or not _SHORTEST <= len(value) <= _LONGEST
        or not isinstance(seconds, int)
        or not 0 < seconds <= 86_400
    ):
        raise NotReachedError("no access token in the answer")
    return Token(value, now + timedelta(seconds=seconds), now)
