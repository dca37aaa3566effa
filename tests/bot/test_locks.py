"""One turn at a time in each conversation."""

import asyncio

import pytest

from bot.locks import SenderLocks, TooManyWaitingError


def test_holders_of_one_sender_come_in_order_and_leave_nothing_behind() -> None:
    async def scenario() -> list[str]:
        locks = SenderLocks()
        seen: list[str] = []

        async def turn(sender: str, name: str) -> None:
            async with locks.hold(sender):
                seen.append(f"{name} in")
                for _ in range(3):
                    await asyncio.sleep(0)
                seen.append(f"{name} out")

        await asyncio.gather(turn("a", "1"), turn("a", "2"), turn("a", "3"))
        assert len(locks) == 0
        return seen

    assert asyncio.run(scenario()) == ["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]


def test_other_senders_do_not_wait() -> None:
    async def scenario() -> None:
        locks = SenderLocks()
        async with locks.hold("a"), locks.hold("b"):
            assert len(locks) == 2

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_there_is_a_limit_and_a_cancelled_waiter_gives_its_place_back() -> None:
    async def scenario() -> None:
        locks = SenderLocks(limit=2)
        async with locks.hold("a"):

            async def wait() -> None:
                async with locks.hold("a"):
                    pass

            waiter = asyncio.create_task(wait())
            await asyncio.sleep(0)
            with pytest.raises(TooManyWaitingError):
                async with locks.hold("b"):
                    pass
            waiter.cancel()
            await asyncio.gather(waiter, return_exceptions=True)
            async with locks.hold("b"):
                pass
        assert len(locks) == 0

    asyncio.run(scenario())
