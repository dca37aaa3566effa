"""The interface of an account without its desk, for checks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from desk.__main__ import make_context
from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.http import open_http
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.api.tokens import Tokens
from recovery.business import EmbeddedOrdersSetting
from recovery.settings import Settings


@asynccontextmanager
async def connected(settings: Settings, account: Account) -> AsyncIterator[OfficialApi | KfApi]:
    """Connect one account.

    The desk's own database is left alone, whether it is there or not: WeChat gives the same token
    again for two hours, so that one that is asked for here supersedes none of the desk's.

    Args:
        settings: Of the desk.
        account: One of its accounts.

    Yields:
        Its interface, as long as the block lasts.
    """
    with TemporaryDirectory(prefix="huixin-check-") as folder:
        context = await asyncio.to_thread(make_context, _apart(settings, Path(folder)))
        try:
            async with open_http() as http:
                tokens = Tokens(account, context, http)
                if account.official:
                    yield OfficialApi(account, tokens, http)
                else:
                    yield KfApi(account, tokens, http)
        finally:
            context.storage.close()


def _apart(settings: Settings, folder: Path) -> Settings:
    """The settings of a desk that has nothing but its businesses."""
    orders = EmbeddedOrdersSetting()
    return settings.model_copy(
        update={
            "data": folder,
            "database": None,
            "policy": None,
            "wechat": (),
            "businesses": tuple(
                one.model_copy(update={"orders": orders}) for one in settings.businesses
            ),
        }
    )
