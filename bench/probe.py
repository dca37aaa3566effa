"""Measures recognition in the nlu environment: `python -m bench.probe MODEL OUTPUT` writes JSON.

It runs on one core, since a server has many conversations and no spare core for each.
"""

import asyncio
import json
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent

from bench import machine
from bench.figures import median
from bot.nlu import pipeline

# Sixty characters, as long as a complaint usually is.
MESSAGE = (
    "房间根本没打扫，床单上还有头发，打了三次电话都没人管，我们一家人在大厅等了两个小时，"
    "前台只说没办法，你们到底管不管，给个说法"
)
_WARM = 50
_TIMES = 500
_PARSES = 200
_MS = 1000


def _median_ms(what: Callable[[], object], times: int) -> float:
    for _ in range(_WARM):
        what()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        taken.append(time.perf_counter() - began)
    return median(taken) * _MS


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def emotion(archive: Path) -> dict[str, float]:
    """Measure the recogniser in a process that has its libraries and Rasa's, as the server has.

    Args:
        archive: A trained model.

    Returns:
        `emotion_ms`, `emotion_disk` and `emotion_memory` in bytes.
    """
    before = machine.memory_of(os.getpid()).now
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as packed:
            packed.extractall(folder)  # noqa: S202 - our own model
        meta = next(Path(folder).glob("components/*EmotionRecognizer*/meta.json"))
        hear = pipeline.load(meta.parent)
        disk = _size(meta.parent)
    took = _median_ms(lambda: hear(MESSAGE), _TIMES)
    return {
        "emotion_ms": took,
        "emotion_disk": disk,
        "emotion_memory": machine.memory_of(os.getpid()).now - before,
    }


def parse(archive: Path) -> dict[str, float]:
    """Measure the whole of NLU as the server runs it.

    Args:
        archive: A trained model.

    Returns:
        `parse_ms`.
    """
    agent = Agent.load(str(archive))
    loop = asyncio.new_event_loop()

    def once() -> Any:  # noqa: ANN401 - Rasa's
        return loop.run_until_complete(agent.parse_message(MESSAGE))

    took = _median_ms(once, _PARSES)
    loop.close()
    return {"parse_ms": took}


def main() -> None:
    """Measure the model named on the command line."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    archive, output = map(Path, sys.argv[1:])
    output.write_text(json.dumps({**emotion(archive), **parse(archive)}), "utf-8")


if __name__ == "__main__":
    main()
