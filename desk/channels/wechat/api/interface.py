"""What the interfaces of both kinds of account share: a token at every call, pictures."""

from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.http import File, call
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.api.tokens import REJECTED, Tokens
from recovery.store.database import is_away

_MOST_MEDIA = 12 * 1024 * 1024
# Files are larger than words.
_MEDIA_SECONDS = 20.0


class Interface:
    """Calls with the token of one account.

    Every call may raise `WeChatError` (refused, not carried out), `NotReachedError` (not carried
    out, or harmless; may be made again) and, where it sends something, `OutcomeUnknownError`. That
    there is no good access token is a `NotReachedError`: it says nothing about the call.
    """

    def __init__(self, account: Account, tokens: Tokens, http: httpx.AsyncClient) -> None:
        """Prepare; nothing is called yet.

        Args:
            account: Whose.
            tokens: Of the same account.
            http: From `desk.channels.wechat.api.http.open_http`.
        """
        self._account = account
        self._tokens = tokens
        self._http = http

    async def media(self, media_id: str) -> bytes:
        """A picture or another file of a customer; kept by WeChat for three days."""
        got = await self._call(
            "/cgi-bin/media/get",
            method="GET",
            params={"media_id": media_id},
            seconds=_MEDIA_SECONDS,
            most=_MOST_MEDIA,
        )
        if not isinstance(got, File):
            # Of a video WeChat gives an address only.
            raise WeChatError(40007, "no file")
        return got.content

    async def token_works(self) -> None:
        """See that there is an access token and that WeChat takes it.

        Raises:
            WeChatError: With the code of whichever of the two fails.
            NotReachedError: WeChat cannot be reached.
        """
        token = await self._tokens.get()
        try:
            await self._once(token, "/cgi-bin/get_api_domain_ip", "GET", does=False)
        except WeChatError as error:
            if error.code not in REJECTED:
                raise
            other = await self._tokens.renew(token)
            if other == token:
                raise
            await self._once(other, "/cgi-bin/get_api_domain_ip", "GET", does=False)

    async def callback_addresses(self) -> list[str]:
        """The addresses from which WeChat calls back."""
        got = await self._ask("/cgi-bin/getcallbackip", method="GET")
        return _texts(got.get("ip_list"))

    async def _upload(self, jpeg: bytes) -> str:
        """Upload a picture; gives its MediaId. Twice does no harm."""
        got = await self._ask(
            "/cgi-bin/media/upload",
            params={"type": "image"},
            file=("picture.jpg", jpeg, "image/jpeg"),
            seconds=_MEDIA_SECONDS,
        )
        media = got.get("media_id")
        if not isinstance(media, str) or not media:
            raise NotReachedError("no media_id in the answer")
        return media

    async def _do(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do something that must not be done twice."""
        got = await self._call(path, body=body, does=True)
        if isinstance(got, File):
            raise OutcomeUnknownError("a file instead of an answer")
        return got

    async def _ask(self, path: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - of `_call`
        """Ask, or do what does no harm twice."""
        got = await self._call(path, **how)
        if isinstance(got, File):
            raise NotReachedError("a file instead of an answer")
        return got

    async def _call(
        self,
        path: str,
        *,
        method: str = "POST",
        does: bool = False,
        **how: Any,  # noqa: ANN401 - of `call`
    ) -> dict[str, Any] | File:
        """Call; once more with another token where that one was refused, never a third time."""
        token = await self._token(None)
        try:
            return await self._once(token, path, method, does=does, **how)
        except WeChatError as error:
            if error.code not in REJECTED:
                raise
            refused = error.code
        other = await self._token(token)
        if other != token:
            try:
                return await self._once(other, path, method, does=does, **how)
            except WeChatError as error:
                if error.code not in REJECTED:
                    raise
                refused = error.code
        raise NotReachedError(f"the access token is refused: errcode {refused}")

    async def _token(self, rejected: str | None) -> str:
        try:
            if rejected is None:
                return await self._tokens.get()
            return await self._tokens.renew(rejected)
        except WeChatError as error:
            # A wrong secret, a missing address in the IP list: to be mended by operators, while
            # whatever was to be sent waits.
            raise NotReachedError(f"no access token: errcode {error.code}") from error
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            raise NotReachedError("no access token: the store is away") from error

    async def _once(
        self,
        token: str,
        path: str,
        method: str,
        *,
        does: bool,
        params: Mapping[str, str] | None = None,
        **how: Any,  # noqa: ANN401 - of `call`
    ) -> dict[str, Any] | File:
        return await call(
            self._http,
            method,
            self._account.settings.address + path,
            does=does,
            params={"access_token": token, **(params or {})},
            **how,
        )


def _texts(value: object) -> list[str]:
    """What of a list are words."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
