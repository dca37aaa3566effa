"""Hundreds of running conversations while processes are killed at random.

HUIXIN_CONVERSATIONS and HUIXIN_KILLS make it smaller for a quick run, HUIXIN_SEED repeats the
choices of a run. (What is under way at the moment of a kill depends on the machine as well.)
"""

import asyncio
import os
import random
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.crash.crowd import SCRIPTS, Crowd, Order
from tests.crash.ledger import Ledger, add_order
from tests.support.stack import ROOT, Stack, answers

CONVERSATIONS = int(os.environ.get("HUIXIN_CONVERSATIONS", "200"))
KILLS = int(os.environ.get("HUIXIN_KILLS", "20"))
SEED = os.environ.get("HUIXIN_SEED") or secrets.token_hex(4)
ORDERS = 12
# Seconds of work between Rasa's being ready and its next death.
RASA_WORKS = (0.3, 3.0)
# Seconds that loading Rasa takes at the least, once it is imported.
RASA_LOADS = 3.0
# Seconds that a customer waits for one answer: Rasa is away for most of the time, and on a busy
# machine for long.
PATIENCE = 1800.0


class Killer:
    """Kills processes at random moments and starts them again at once."""

    def __init__(self, stack: Stack, crowd: Crowd) -> None:
        """Begin with nobody killed.

        Args:
            stack: All three run.
            crowd: Whose conversations run.
        """
        self._stack = stack
        self._crowd = crowd
        self._rasa_works = asyncio.Event()
        self._rasa_works.set()
        self._loads = RASA_LOADS
        self.kills: dict[str, int] = dict.fromkeys(("rasa", "desk", "actions"), 0)

    async def all(self) -> None:
        """Kill each process as often as wanted."""
        async with asyncio.TaskGroup() as group:
            for name in self.kills:
                group.create_task(self._kill_often(name, random.Random(f"{SEED} {name}")))

    async def _kill_often(self, name: str, chance: random.Random) -> None:
        for _ in range(KILLS):
            if name == "rasa":
                await asyncio.sleep(chance.uniform(*RASA_WORKS))
            else:
                # Half of them at any moment, half while answers are being given; all of them
                # about as often as Rasa.
                await asyncio.sleep(chance.uniform(0, self._loads))
                if chance.random() < 0.5:
                    await self._rasa_works.wait()
                    await asyncio.sleep(chance.uniform(0, 1.5))
            assert self._crowd.running >= 0.9 * CONVERSATIONS, "too few are talking"
            await self._kill(name)

    async def _kill(self, name: str) -> None:
        if name == "rasa":
            self._rasa_works.clear()
        await asyncio.to_thread(self._stack.kill, name)
        self.kills[name] += 1
        begun = time.monotonic()
        await asyncio.to_thread(self._stack.start, name)
        if name == "rasa":
            self._rasa_works.set()
            self._loads = max(time.monotonic() - begun, RASA_LOADS)


@pytest.fixture
async def stack(tmp_path: Path, trained: Path) -> AsyncIterator[Stack]:
    settings = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    stack = Stack(
        tmp_path,
        # Restarts must not bring anything into the queue, nor may an invitation expire.
        give_up_seconds=7200,
        businesses=[{**one, "invitation_minutes": 600} for one in settings["businesses"]],
        # Conversations reach a second episode.
        episode_turns=4,
    )
    try:
        await asyncio.to_thread(stack.start, "desk", "actions", "rasa")
        await asyncio.to_thread(stack.wait_ready)
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)


async def test_nothing_is_lost_or_doubled(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nHUIXIN_SEED={SEED}")
    orders = [Order(f"QH7{n:011d}", f"{n:04d}") for n in range(1, ORDERS + 1)]
    for order in orders:
        add_order(stack.data / "orders.sqlite3", order.number, order.last4)
    ledger = Ledger(stack)
    crowd = Crowd(stack.url, ledger, orders, SEED, PATIENCE)
    # Undisturbed, each script once: what every message must bring about.
    undisturbed = {script: (await crowd.talk(script, script)).shape() for script in SCRIPTS}
    killer = Killer(stack, crowd)
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        killing = group.create_task(killer.all())
        for number in range(CONVERSATIONS):
            group.create_task(crowd.customer(number, lambda: not killing.done()))
    took = time.monotonic() - begun
    await crowd.close()
    await ledger.rest()
    totals = ledger.check()
    with capsys.disabled():
        print(f"{len(crowd.talks)} conversations, {totals}, {killer.kills}, {took:.0f} s")

    assert killer.kills == dict.fromkeys(killer.kills, KILLS)
    assert len(crowd.talks) >= CONVERSATIONS + len(SCRIPTS)
    assert answers(f"{stack.url}/readyz")
    # Each message brought about exactly what it brings about undisturbed: not less, not more.
    for talk in crowd.talks:
        assert talk.shape() == undisturbed[talk.script], talk.script
    # The customers' view and the stores agree.
    assert totals.messages == sum(len(talk.said) for talk in crowd.talks)
    assert totals.effects == sum(talk.remedies for talk in crowd.talks) > 0
    refused = "SELECT count(*) FROM fulfilments WHERE state <> 'done'"
    assert ledger.count("desk", refused) == 0
    queued = "SELECT DISTINCT reason FROM conversations WHERE owner = 'queue'"
    assert "error" not in {row["reason"] for row in ledger.rows("desk", queued)}
