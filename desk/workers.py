"""What works beside the requests for as long as the desk runs."""

import asyncio
from typing import Protocol

from recovery.logs import log

_REST_SECONDS = 1.0


class Worker(Protocol):
    """Something that works until it is cancelled."""

    async def run(self) -> None:
        """Work."""


async def kept_running(name: str, worker: Worker) -> None:
    """Run a worker for ever; what it failed at stays in the database and is tried again.

    Args:
        name: For the log.
        worker: What runs.
    """
    while True:
        try:
            await worker.run()
        # The worker must outlive whatever one piece of work brings about; all of it is logged.
        except Exception as error:
            log.error("worker failed", worker=name, error=repr(error), exc_info=error)
            await asyncio.sleep(_REST_SECONDS)
