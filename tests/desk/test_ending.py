"""A desk that is told to stop stops, whatever its workers are waiting for."""

import asyncio

import pytest

from desk.finish import end


@pytest.mark.parametrize("steps", range(6))
async def test_a_worker_that_is_woken_as_it_is_stopped_ends(steps: int) -> None:
    woken = asyncio.Event()

    async def works() -> None:
        while True:
            try:
                await asyncio.wait_for(woken.wait(), 10)
            except TimeoutError:
                continue
            woken.clear()

    worker = asyncio.create_task(works())
    await asyncio.sleep(0.01)
    woken.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end([worker])
    assert worker.done()


async def test_how_a_task_ends_does_not_matter() -> None:
    async def fails() -> None:
        raise LookupError

    async def ends() -> int:
        return 1

    await end([asyncio.create_task(fails()), asyncio.create_task(ends())])
    await end([])
