"""Every fault point on the road of a late promise: a desk that dies by SIGKILL tells it once.

The desk is a process of its own with a clock that the test gives it, and does one look.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from desk.context import Context
from desk.conversations.promise_watch import PromiseWatch
from desk.conversations.router import Router
from recovery.orders.several import SeveralOrders, close_orders
from recovery.store.tables import decisions as decisions_table
from tests.desk.deals import NOON, Clock, Deal, a_desk, add_orders, shown, states
from tests.support.stack import ROOT

PROMISE = ["promise-due", "promise-told"]
_ONE_LOOK = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from desk.conversations.promise_watch import PromiseWatch
from desk.conversations.router import Router
from tests.desk.deals import Clock, a_desk
folder = Path(sys.argv[1])
clock = Clock(datetime.fromisoformat(sys.argv[2]))
desk = a_desk(folder, f"sqlite:///{folder / 'desk.sqlite3'}", clock)
asyncio.run(PromiseWatch(desk, Router(desk, None)).look_once())
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    made = a_desk(tmp_path, f"sqlite:///{tmp_path / 'desk.sqlite3'}", Clock())
    yield made
    assert isinstance(made.orders, SeveralOrders)
    close_orders(made.orders)
    made.storage.close()


def accepted(desk: Context) -> Deal:
    """A customer who was promised something within the hour."""
    remedies = ({"kind": "expedite", "minutes": 60},)
    deal = Deal("QH660000000001", "b1", 0, remedies=remedies, facts={"paid": 30_000})
    add_orders(desk.settings.orders_file, [deal])
    with desk.storage.database.write() as db:
        deal.begin(db, desk)
        deal.offered(db, desk)
        deal.accepts(db, desk)
    return deal


def additions(desk: Context) -> int:
    """How many decisions add something for a delay."""
    query = select(decisions_table.c.id).where(decisions_table.c.policy.like("late-%"))
    with desk.storage.database.read() as db:
        return len(db.execute(query).all())


def looks(folder: Path, now: datetime, fault: str) -> int:
    """Let another process look once; gives how it ended."""
    command = [sys.executable, "-c", _ONE_LOOK, str(folder), now.isoformat()]
    environment = os.environ | {"HUIXIN_FAULT": fault}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=300).returncode


@pytest.mark.parametrize("point", PROMISE)
async def test_killed_before_and_after_it_is_told(
    desk: Context, tmp_path: Path, point: str
) -> None:
    deal, clock = accepted(desk), desk.clock
    assert isinstance(clock, Clock)
    clock.now = NOON + timedelta(minutes=50)
    assert looks(tmp_path, clock.now, point) == -signal.SIGKILL

    def told() -> int:
        return len([one for one in shown(desk, deal) if one["kind"] == "progress"])

    # Nothing was committed, or words, new time and what is added together.
    committed = point == "promise-told"
    assert (told(), additions(desk)) == (committed, committed)
    watch = PromiseWatch(desk, Router(desk, None))  # type: ignore[arg-type]  # no Rasa here
    for _ in range(2):
        await watch.look_once()
    assert (told(), additions(desk)) == (1, 1)
    assert len(states(desk)) == 2, "the remedy, and once what is added"
