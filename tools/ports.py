"""Whether the addresses of a run are free, and who answers on them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from tools.console import ToolError
from tools.settings import Address

ANSWER_LIMIT = 2.0
"""Seconds for one look at a health route."""


def require_free(addresses: Iterable[Address]) -> None:
    """Check that each address can be bound.

    Raises:
        ToolError: one cannot; the message names the setting to change.
    """
    taken: dict[int, Address] = {}
    for address in addresses:
        other = taken.setdefault(address.port, address)
        if other is not address:
            raise ToolError(
                f"{other.name} and {address.name} are both set to port {address.port}; change "
                f"{other.setting} or {address.setting} in huixin.yml"
            )
        _require_free(address)


def _require_free(address: Address) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do; otherwise connections of a run that has just ended stand in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise ToolError(_why_not(address, error)) from None


def _why_not(address: Address, error: OSError) -> str:
    where = f"{address.host}:{address.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{address.name} cannot listen on {where}: another program does (perhaps Huixin runs "
            f"already; `ss -ltnp` shows who). End it, or change {address.setting} in huixin.yml"
        )
    if error.errno == errno.EACCES:
        return (
            f"{address.name} may not listen on {where} (ports below 1024 need rights of their "
            f"own); change {address.setting} in huixin.yml"
        )
    return (
        f"{address.name} cannot listen on {where}: {error.strerror}; change {address.setting} "
        "or its host in huixin.yml"
    )


async def answers(url: str) -> bool:
    """Tell whether a health route answers with status 200, within `ANSWER_LIMIT` seconds."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(ANSWER_LIMIT):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            try:
                request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                writer.write(f"{request}Connection: close\r\n\r\n".encode())
                status = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    return len(status) > 1 and status[1] == b"200"
