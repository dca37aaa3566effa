"""All that one desk does in WeChat, held together: accounts, roads in and out, workers."""

import asyncio
from typing import Any

from desk.album import Album
from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.http import open_http
from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.official import OfficialApi
from desk.channels.wechat.api.tokens import Tokens
from desk.channels.wechat.incoming.lanes import Lanes
from desk.channels.wechat.incoming.passive import Slots
from desk.channels.wechat.incoming.together import Together
from desk.channels.wechat.kf.pulling import KfDesk
from desk.channels.wechat.outgoing.deliverer import Deliverer
from desk.channels.wechat.outgoing.later import Teller
from desk.channels.wechat.public.comments import CommentWorker
from desk.context import Context
from desk.conversations.router import Router
from desk.finish import end
from desk.limits import Buckets
from desk.workers import Worker, kept_running
from recovery.logs import log


class WeChat:
    """The WeChat channel of one desk.

    Attributes:
        context: The desk.
        router: Takes what was received, and publishes.
        album: Where pictures are kept.
        buckets: How fast one customer may write.
        picture_slots: Pictures are unpacked one at a time.
        slots: Callbacks that wait for words.
        lanes: What was received and is still to be taken.
        together: Commits what is received at the same time.
        kf: Fetches what was written to accounts of 微信客服.
        woken: Set when something may have to go out; the deliverer clears it.
    """

    def __init__(
        self,
        context: Context,
        router: Router,
        album: Album,
        buckets: Buckets,
        picture_slots: asyncio.Semaphore,
    ) -> None:
        """Put it together; nothing runs yet."""
        self.context = context
        self.router = router
        self.album = album
        self.buckets = buckets
        self.picture_slots = picture_slots
        self.slots = Slots()
        self.together = Together(context.storage)
        self.woken = asyncio.Event()
        self.lanes = Lanes(self)
        self._apis: dict[str, Any] = {}
        self._http = open_http()
        self._tasks: list[asyncio.Task[None]] = []
        self.kf = KfDesk(self)

    def api(self, account: Account) -> Any:  # noqa: ANN401 - whoever calls knows which
        """The interface of an account: `OfficialApi` or `KfApi`."""
        api = self._apis.get(account.id)
        if api is None:
            tokens = Tokens(account, self.context, self._http)
            kind = OfficialApi if account.official else KfApi
            api = self._apis[account.id] = kind(account, tokens, self._http)
        return api

    def wake(self) -> None:
        """Let the deliverer look now."""
        self.woken.set()

    async def start(self) -> None:
        """Begin to work."""
        taken_up = await self.lanes.recover()
        workers: dict[str, Worker] = {
            "wechat deliverer": Deliverer(self),
            "wechat lanes": self.lanes,
            "wechat comments": CommentWorker(self),
            "wechat later": Teller(self),
            "wechat kf": self.kf,
        }
        self._tasks = [
            asyncio.create_task(kept_running(name, worker)) for name, worker in workers.items()
        ]
        log.info("wechat started", accounts=len(list(self.context.wechat)), taken_up=taken_up)

    async def stop(self) -> None:
        """Stop; what is under way is taken up again at the next start."""
        await end(self._tasks)
        await self.lanes.stop()
        await self._http.aclose()
