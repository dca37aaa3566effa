"""Calls of WeChat's interface over HTTP, and what their ends mean.

The access token stands in the address of every call. So neither the log of httpx nor one of its
exceptions gets out of here: what is raised names what happened and holds no address.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError

WHOLE_SECONDS = 8.0
_CONNECT_SECONDS = 3.0
_CONNECTIONS = 40
MOST_BYTES = 4 * 1024 * 1024
_MESSAGE_LENGTH = 160

# Nothing of the request has left this machine.
_NOT_REACHED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
)
# WeChat shows \uXXXX as it is written, and JSON can write these characters in no other way.
_UNSHOWN = {number: None for number in range(32) if chr(number) not in "\n\t"}
# Tokens, openids and the like; `rid` is what WeChat's support asks for.
_NAMELESS = re.compile(r"[A-Za-z0-9_-]{16,}")
_RID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")


@dataclass(frozen=True)
class File:
    """What was answered where no JSON came.

    Attributes:
        content: Bytes.
        type: As WeChat says, for example `image/jpeg`.
    """

    content: bytes
    type: str


def open_http() -> httpx.AsyncClient:
    """Make the client that all accounts share; close it with `aclose`."""
    # They write addresses, and with them tokens: httpx at INFO, httpcore at DEBUG.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WHOLE_SECONDS, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
        # Idle connections are given up before the other side does, since a call on one that has
        # just been closed may have been carried out or not.
        limits=httpx.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=20, keepalive_expiry=5.0
        ),
        headers={"User-Agent": "huixin", "Accept-Encoding": "identity"},
        follow_redirects=False,
        # No proxy and no password from the surroundings of the process.
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    does: bool,
    params: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    file: tuple[str, bytes, str] | None = None,
    seconds: float | None = None,
    most: int = MOST_BYTES,
) -> dict[str, Any] | File:
    """Call once.

    Args:
        http: From `open_http`.
        method: Of HTTP.
        url: Without a query.
        does: Whether something happens that must not happen twice.
        params: The query.
        body: Sent as JSON.
        file: Name, content and type, sent as the field `media` of a form.
        seconds: For all of it; WHOLE_SECONDS by default.
        most: Bytes of the answer.

    Returns:
        JSON whose `errcode`, if any, is 0; or a file.

    Raises:
        WeChatError: WeChat has refused.
        NotReachedError: The call was not carried out, or it does no harm twice.
        OutcomeUnknownError: It may have been carried out; only where it `does` something.
    """
    headers, content, files = {}, None, None
    if body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
        content = written(body)
    if file is not None:
        files = {"media": file}
    try:
        async with asyncio.timeout(WHOLE_SECONDS if seconds is None else seconds):
            async with http.stream(
                method, url, params=params, headers=headers, content=content, files=files
            ) as answer:
                _check_status(answer.status_code, does)
                raw = await _bounded(answer, most)
    # `from None` here and below: what httpx raises knows the address, and with it the token.
    except _NOT_REACHED as error:
        raise NotReachedError(f"WeChat is away: {type(error).__name__}") from None
    except (httpx.HTTPError, httpx.StreamError, TimeoutError, UnicodeError) as error:
        raise _unanswered(does, f"no answer: {type(error).__name__}") from None
    if raw is None:
        if does:
            raise OutcomeUnknownError("the answer is too long")
        raise WeChatError(45001, f"more than {most} bytes")
    return _read(raw, answer.headers.get("Content-Type", ""), does)


def written(body: Mapping[str, Any]) -> bytes:
    """JSON as WeChat wants it: characters as they are, not as their numbers."""
    # A half of a character, which no customer could have typed, shall not stop a message.
    return json.dumps(_shown(body), ensure_ascii=False, allow_nan=False).encode(errors="replace")


def _shown(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value.translate(_UNSHOWN)
    if isinstance(value, Mapping):
        return {name: _shown(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(one) for one in value]
    return value


def _unanswered(does: bool, reason: str) -> NotReachedError | OutcomeUnknownError:
    return OutcomeUnknownError(reason) if does else NotReachedError(reason)


def _check_status(status: int, does: bool) -> None:
    """WeChat itself always says 200; anything else is of what stands between."""
    if status >= 500:
        raise _unanswered(does, f"HTTP {status}")
    if status != 200:
        raise NotReachedError(f"HTTP {status}")


async def _bounded(answer: httpx.Response, most: int) -> bytes | None:
    """The body; None where it is too long."""
    raw = bytearray()
    async for chunk in answer.aiter_raw():
        raw += chunk
        if len(raw) > most:
            return None
    return bytes(raw)


def _read(raw: bytes, kind: str, does: bool) -> dict[str, Any] | File:
    kind = kind.partition(";")[0].strip().lower()
    if kind.startswith(("image/", "audio/", "voice/", "video/")):
        return File(raw, kind)
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        if not does and raw and not kind.startswith(("text/", "application/json")):
            return File(raw, kind)
        raise _unanswered(does, "no JSON") from None
    if not isinstance(content, dict):
        raise _unanswered(does, "no JSON object")
    code = content.get("errcode", 0)
    if not isinstance(code, int):
        raise _unanswered(does, "errcode is no number")
    if code:
        raise WeChatError(code, _told(content.get("errmsg")))
    return content


def _told(message: Any) -> str:  # noqa: ANN401 - JSON
    """What WeChat says about an error, without what could be a token or an openid."""

    def named(found: re.Match[str]) -> str:
        return found[0] if _RID.fullmatch(found[0]) else "…"

    text = message if isinstance(message, str) else ""
    return _NAMELESS.sub(named, " ".join(text.split()))[:_MESSAGE_LENGTH]
