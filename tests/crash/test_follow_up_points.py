"""Every fault point on the road of a follow-up: a desk that dies by SIGKILL asks once all the same.

The desk is a process of its own with a clock that the test gives it, and does one look.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from desk.context import Context
from tests.desk.follow_ups import DAY, a_watch, at_rest
from tests.desk.serving import Clock, a_context
from tests.support.stack import ROOT

FOLLOW_UP = ["follow-up-due", "follow-up-asked"]
_ONE_LOOK = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from tests.desk.follow_ups import a_watch
from tests.desk.serving import a_context
now = datetime.fromisoformat(sys.argv[2])
desk = a_context(Path(sys.argv[1]), lambda: now)
asyncio.run(a_watch(desk).look_once())
desk.storage.close()
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    made = a_context(tmp_path, Clock())
    yield made
    made.storage.close()


def looks(folder: Path, now: datetime, fault: str) -> int:
    """Let another process look once; gives how it ended."""
    command = [sys.executable, "-c", _ONE_LOOK, str(folder), now.isoformat()]
    environment = os.environ | {"HUIXIN_FAULT": fault}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=300).returncode


@pytest.mark.parametrize("point", FOLLOW_UP)
async def test_killed_between_due_and_sent(desk: Context, tmp_path: Path, point: str) -> None:
    told, clock = at_rest(desk), desk.clock
    assert isinstance(clock, Clock)
    await a_watch(desk).look_once()
    clock.now += DAY
    assert looks(tmp_path, clock.now, point) == -signal.SIGKILL
    # Nothing was committed, or question and state together.
    committed = point == "follow-up-asked"
    assert told.stands == (("asked" if committed else "waiting"), None)
    assert len(told.questions) == committed
    for _ in range(2):
        await a_watch(desk).look_once()
    assert len(told.questions) == 1
    assert told.stands == ("asked", None)
