"""One call of a source: signed, to the address that was checked, with an end in sight."""

import asyncio
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any

import httpx

from desk.channels.webhook.sources import Source
from recovery.business import is_loopback
from recovery.signing import HEADER, sign

WHOLE_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
_CONNECTIONS = 40
# What a source answers is read for nothing but the status.
_MOST_READ = 64 * 1024


@dataclass(frozen=True)
class Ending:
    """How a call has ended.

    Attributes:
        status: Of HTTP; None where no answer came.
        problem: What happened instead, for operators; holds no address and no words.
        retry_after: What the source has asked for, as it stands in the header.
    """

    status: int | None
    problem: str | None = None
    retry_after: str | None = None


class _AddressError(ValueError):
    """An address that leads where the settings do not allow."""


def open_http() -> httpx.AsyncClient:
    """Make the client that all sources share; close it with `aclose`."""
    # They write addresses, which may hold a token of the source's.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WHOLE_SECONDS, connect=_CONNECT_SECONDS, pool=WHOLE_SECONDS),
        limits=httpx.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=20, keepalive_expiry=5.0
        ),
        headers={"User-Agent": "huixin", "Accept-Encoding": "identity"},
        follow_redirects=False,
        # No proxy and no password from the surroundings of the process.
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


async def post(
    http: httpx.AsyncClient, source: Source, body: Mapping[str, Any], now: datetime
) -> Ending:
    """Post one body, signed with each secret that is in use.

    Args:
        http: From `open_http`.
        source: Where.
        body: Plain JSON.
        now: The present moment.

    Returns:
        How it has ended; nothing is raised.
    """
    raw = written(body)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        HEADER: sign(source.secrets[0], raw, now, *source.secrets[1:]),
    }
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            url, host, extensions = await _checked(source)
            headers["Host"] = host
            async with http.stream(
                "POST", url, headers=headers, content=raw, extensions=extensions
            ) as answer:
                await _read_out(answer)
    except _AddressError as error:
        return Ending(None, str(error))
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        return Ending(None, f"no answer: {type(error).__name__}")
    except (TimeoutError, OSError, UnicodeError) as error:
        return Ending(None, f"not reached: {type(error).__name__}")
    return Ending(answer.status_code, None, answer.headers.get("Retry-After"))


def written(body: Mapping[str, Any]) -> bytes:
    """JSON as it is signed and sent."""
    # A half of a character, which no customer could have typed, shall not stop a message.
    plain = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return plain.encode(errors="replace")


async def _checked(source: Source) -> tuple[httpx.URL, str, dict[str, Any]]:
    """The address with the very machine in it that was checked: a name may mean another next.

    Raises:
        _AddressError: A private network that the settings do not allow.
        OSError: The name is unknown.
    """
    url = httpx.URL(source.settings.url)
    host = url.netloc.decode("ascii")
    if is_loopback(url.host):
        return url, host, {}
    port = url.port or 443
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    if not source.settings.private_addresses:
        addresses = [one for one in addresses if _is_public(one)]
    if not addresses:
        raise _AddressError("the address is in a private network (private_addresses)")
    # Not every machine that knows IPv6 addresses has a way there.
    chosen = min(addresses, key=lambda one: ":" in one)
    return url.copy_with(host=chosen), host, {"sni_hostname": url.host}


def _is_public(address: str) -> bool:
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not found.is_multicast


async def _read_out(answer: httpx.Response) -> None:
    """Read what came, so that the connection can be used again; not without end."""
    length = 0
    async for chunk in answer.aiter_raw():
        length += len(chunk)
        if length > _MOST_READ:
            return
