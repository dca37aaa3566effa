"""Every fault point on the road of an order event: a desk that dies by SIGKILL tells it once.

The desk is a process of its own at the noon of the tests, and does one look.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk.incident_scene import IncidentScene
from tests.support.stack import ROOT

INCIDENT = ["order-event-admitted", "told-first"]
_ONE_LOOK = """
import sys
from pathlib import Path
from tests.desk.incident_scene import IncidentScene
scene = IncidentScene(Path(sys.argv[1]))
scene.rounds()
"""


def looks(folder: Path, fault: str) -> int:
    """Let another process look once; gives how it ended."""
    command = [sys.executable, "-c", _ONE_LOOK, str(folder)]
    environment = os.environ | {"HUIXIN_FAULT": fault}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=300).returncode


@pytest.mark.parametrize("point", INCIDENT)
def test_killed_before_and_after_the_customer_is_told(tmp_path: Path, point: str) -> None:
    scene = IncidentScene(tmp_path)
    try:
        number = scene.order(identity="owner-1")
        customer = scene.customer(identity="owner-1")
        scene.reported(orders=[number], place="3栋")
        assert looks(tmp_path, point) == -signal.SIGKILL
        # Whom it concerns was committed; who was told was so with words and offer together.
        assert len(scene.chats(customer)) == (point == "told-first")
        scene.rounds(2)
        [chat] = scene.chats(customer)
        assert len(scene.shown(chat, "message")) == 1
        assert len(scene.shown(chat, "offer")) == 1
        assert [one.state for one in scene.members()] == ["told"]
    finally:
        scene.close()
