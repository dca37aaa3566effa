"""The interface of an account against the double, without a desk that serves.

As a process of its own, `python -m tests.desk.wechat.interfaces FOLDER URL` with the settings on
standard input prints one line for each of five calls that need a token at once.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.http import open_http
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.api.tokens import Tokens
from desk.context import Context
from recovery.clock import Clock as AnyClock
from recovery.clock import utc_now
from recovery.ids import fingerprint
from tests.desk.serving import a_context
from tests.support.wechat.double import Double


@dataclass
class Caller:
    """One process that calls WeChat."""

    context: Context
    http: httpx.AsyncClient
    account: Account
    tokens: Tokens

    @property
    def official(self) -> OfficialApi:
        return OfficialApi(self.account, self.tokens, self.http)

    @property
    def kf(self) -> KfApi:
        return KfApi(self.account, self.tokens, self.http)


@contextmanager
def a_double(clock: AnyClock, kind: str = "official", **settings: Any) -> Iterator[Double]:  # noqa: ANN401
    """A WeChat with one account, whose settings and secrets stand in `double.made`."""
    with Double(clock) as double:
        double.made = double.account(kind, **settings)  # type: ignore[attr-defined]
        yield double


@asynccontextmanager
async def a_caller(
    double: Double,
    folder: Path,
    clock: AnyClock,
    url: str | None = None,
    **changes: str,
) -> AsyncIterator[Caller]:
    """A process with the account of a double.

    Args:
        double: From `a_double`.
        folder: For its data; the same one for processes of one desk.
        clock: Its clock.
        url: Of its database.
        **changes: Of the account's secrets, by the end of the variable's name.
    """
    settings, secrets = double.made  # type: ignore[attr-defined]
    for name, value in changes.items():
        secrets |= {one: value for one in secrets if one.endswith(name)}
    with patch.dict(os.environ, secrets):
        context = a_context(folder, clock, wechat=[settings], database=url)
    account = next(iter(context.wechat))
    http = open_http()
    try:
        yield Caller(context, http, account, Tokens(account, context, http))
    finally:
        await http.aclose()
        context.storage.close()


async def _five_calls(folder: str, url: str) -> None:
    settings, secrets = json.loads(sys.stdin.read())
    with patch.dict(os.environ, secrets):
        context = a_context(Path(folder), utc_now, wechat=[settings], database=url)
    account = next(iter(context.wechat))
    http = open_http()
    tokens = Tokens(account, context, http)
    for token in await asyncio.gather(*(tokens.get() for _ in range(5))):
        print(fingerprint(token))
    await http.aclose()
    context.storage.close()


if __name__ == "__main__":
    asyncio.run(_five_calls(*sys.argv[1:3]))
