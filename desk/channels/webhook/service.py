"""All that one desk does in the generic channel, held together: roads in and out, pace."""

import asyncio

from desk.channels.webhook.deliverer import Deliverer
from desk.channels.webhook.posting import open_http
from desk.channels.webhook.sources import Source
from desk.context import Context
from desk.conversations.router import Router
from desk.finish import end
from desk.limits import Buckets
from desk.workers import kept_running
from recovery.logs import log


class Webhooks:
    """The generic channel of one desk.

    Attributes:
        context: The desk.
        router: Takes what was received, and publishes.
        deliverer: The road out.
    """

    def __init__(self, context: Context, router: Router, writers: Buckets) -> None:
        """Put it together; nothing runs yet.

        Args:
            context: The desk.
            router: As above.
            writers: How fast one customer may write.
        """
        self.context = context
        self.router = router
        self._writers = writers
        self._pace = {
            one.id: Buckets(one.settings.burst, one.settings.per_second) for one in context.webhooks
        }
        self._http = open_http()
        self.deliverer = Deliverer(context, router, self._http)
        self._task: asyncio.Task[None] | None = None

    def take_token(self, source: Source) -> bool:
        """Whether a source sends no faster than it may."""
        return self._pace[source.id].take(source.id)

    def may_write(self, source: Source, writer: str) -> bool:
        """Whether somebody writes no faster than one may."""
        return self._writers.take(f"webhook {source.id} {writer}")

    async def start(self) -> None:
        """Begin to work."""
        self._task = asyncio.create_task(kept_running("webhooks", self.deliverer))
        log.info("webhooks started", sources=len(list(self.context.webhooks)))

    async def stop(self) -> None:
        """Stop; what is under way is sent again at the next start, under the same id."""
        if self._task is not None:
            await end([self._task])
        await self.deliverer.land()
        await self._http.aclose()
