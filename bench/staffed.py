"""From a customer's sending to the screen of the member of staff, at a desk full of both."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import crew
from bench.crowd import Plan, Seen
from bench.listener import listening
from bench.machine import Memory, memory_of
from tools.console import ToolError
from tools.places import Places
from tools.stack import Stack, started
from tools.steps import Command, step

_OPENING_SECONDS = 120.0


@dataclass(frozen=True)
class Size:
    """How much is going on.

    Attributes:
        agents: Staff online, each with a page open.
        chats: Private chats that they own, each with its customer's page open.
    """

    agents: int
    chats: int
    plan: Plan


@dataclass(frozen=True)
class Staffed:
    """What was measured."""

    size: Size
    seen: Seen
    memory: Memory


def measured(folder: Path, places: Places, size: Size) -> Staffed:
    """Measure at a desk of its own, with what hears everything in Rasa's place.

    Args:
        folder: For data, settings and logs; made here.
        places: The checkout.
        size: How much is going on.

    Raises:
        ToolError: The crowd failed.
    """
    folder.mkdir()
    with listening() as rasa:
        stack = Stack(folder, bind=True, rasa=[rasa])
        people = crew.on_duty(stack, size.agents, size.chats)
        with started(stack, "desk"):
            stack.wait_ready()
            pid = stack.processes["desk"].pid
            plan, output = folder / "plan.json", folder / "seen.json"
            content = {"url": stack.url, "pid": pid, "plan": asdict(size.plan)}
            plan.write_text(json.dumps({**content, "crew": asdict(people)}), "utf-8")
            command: Command = [sys.executable, "-m", "bench.crowd", plan, output]
            limit = _OPENING_SECONDS + size.plan.warm_seconds + size.plan.seconds
            status = step(command, places.root, dict(os.environ), limit)
            if status != 0:
                raise ToolError(f"the crowd at the desk failed (status {status}, see above)")
            found = Seen(**json.loads(output.read_text("utf-8")))
            return Staffed(size, found, memory_of(pid))
