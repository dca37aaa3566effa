"""Every fault point on the road of a follow-up: a desk that dies by SIGKILL asks once all the same.

The desk is a process of its own, with a clock that the test gives it, and does one look.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from desk.context import Context
from tests.desk.follow_ups import DAY, a_watch, at_rest
from tests.desk.serving import Clock, a_context

FOLLOW_UP = ["follow-up-due", "follow-up-asked"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    made = a_context(tmp_path, Clock())
    yield made
    made.storage.close()


def looks(folder: Path, now: datetime, fault: str) -> int:
    """Let another process look once; gives how it ended."""
    # A copy of this process: all is imported already, which takes far longer than the look.
    child = os.fork()
    if child == 0:
        os.environ["HUIXIN_FAULT"] = fault
        try:
            asyncio.run(a_watch(a_context(folder, lambda: now)).look_once())
        finally:
            # Whatever came of it, the tests go on in the other process only.
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("point", FOLLOW_UP)
def test_killed_between_due_and_sent(desk: Context, tmp_path: Path, point: str) -> None:
    told, clock = at_rest(desk), desk.clock
    assert isinstance(clock, Clock)
    asyncio.run(a_watch(desk).look_once())
    clock.now += DAY
    assert looks(tmp_path, clock.now, point) == -signal.SIGKILL
    # Nothing was committed, or question and state together.
    committed = point == "follow-up-asked"
    assert told.stands == (("asked" if committed else "waiting"), None)
    assert len(told.questions) == committed
    for _ in range(2):
        asyncio.run(a_watch(desk).look_once())
    assert len(told.questions) == 1
    assert told.stands == ("asked", None)
