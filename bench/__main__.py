"""`python -m bench`: measure, print the report, write it to docs/bench.md."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import decisions, machine, measure, recognition, stock
from bench.figures import Sample, pooled
from bench.report import Results, render
from bench.roads import DeskRoad, OwnRoad, Road, StockRoad
from tools import model
from tools.console import run_main, say
from tools.places import Places, here
from tools.steps import end_on_sigterm

_QUIET = 0.5
_PACKAGES = (
    *("rasa", "rasa-sdk", "sanic", "sqlalchemy", "tensorflow", "scikit-learn", "jieba"),
    *("httpx", "aiohttp", "websockets"),
)
_ROADS: dict[str, type[Road]] = {road.key: road for road in (StockRoad, OwnRoad, DeskRoad)}


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: By number of conversations: how many rounds, and how many conversations come one
            after the other in each place.
        late: By road: the message that is held against message 5, and in how many conversations.
        posts: Angry posts in the public room.
        decisions: Of the remedy policy.
    """

    rounds: dict[int, tuple[int, int]]
    late: dict[str, tuple[int, int]]
    posts: int
    decisions: int


FULL = Plan(
    {1: (3, 2), 8: (2, 2), 32: (1, 1)},
    {"a": (100, 1), "b": (100, 1), "c": (500, 3)},
    20,
    20_000,
)
QUICK = Plan({1: (1, 1), 8: (1, 1)}, {"c": (25, 1)}, 3, 500)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Args:
        given: Without the program's name.

    Returns:
        `quick`, `roads` (a string of keys), `output` (None: only print), `costs` (whether what
        recognition costs is measured, too) and `only` (the one part that is measured, else None).
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few messages, to see that it runs; not written"
    )
    parser.add_argument(
        "--roads", default="abc", type=_roads, help="some of a, b, c (default: all)"
    )
    parser.add_argument(
        "--only", choices=("decisions",), help="this part alone, without any road; not written"
    )
    parser.add_argument(
        "--output", type=Path, help="where the report goes (default: docs/bench.md, if all is run)"
    )
    options = parser.parse_args(given)
    if options.only:
        options.roads = ""
    options.costs = not options.quick and options.roads == "abc"
    if options.output is None and options.costs:
        options.output = here().root / "docs" / "bench.md"
    return options


def _roads(given: str) -> str:
    if not given or not set(given) <= _ROADS.keys():
        raise argparse.ArgumentTypeError("name some of a, b and c")
    return "".join(sorted(set(given)))


def _models(places: Places, keys: str) -> dict[str, Path]:
    """Give the model of each road, trained now where there is none for the present data.

    Raises:
        ToolError: It cannot be trained.
    """
    return {key: (stock if key == "a" else model).ensure(places) for key in keys}


def _notes(places: Places, models: dict[str, Path], load: float) -> list[str]:
    notes = [
        f"Machine: {machine.describe()}",
        f"Versions: {machine.versions(places, _PACKAGES)}",
        f"Models: {', '.join(sorted({path.name for path in models.values()})) or 'none'}",
        f"Load average before: {load:.2f}",
    ]
    if load > _QUIET:
        notes.append("**The machine was busy with other things: only the ratios mean something.**")
    return notes


async def _measure(roads: Sequence[Road], plan: Plan, results: Results) -> None:
    for road in roads:
        say(f"warming up {road.key}")
        await measure.loaded(road, 2, 1)
    desk = next((road for road in roads if isinstance(road, DeskRoad)), None)
    if desk:
        say("angry posts in the public room")
        results.invitations = await measure.invitations(desk, plan.posts)
    for level, (rounds, each) in plan.rounds.items():
        samples: dict[str, list[Sample]] = {road.key: [] for road in roads}
        for number in range(1, rounds + 1):
            for road in roads:
                sample = await measure.loaded(road, level, each)
                samples[road.key].append(sample)
                say(
                    f"{level} at once, round {number}, {road.key}: {sample.median:.1f} ms, "
                    f"{sample.rate:.1f} messages/s"
                )
        for key, taken in samples.items():
            results.samples[key, level] = pooled(taken)
    for road in roads:
        if road.key in plan.late:
            late, conversations = plan.late[road.key]
            say(f"one long conversation, {road.key}")
            results.growth[road.key] = await measure.growth(road, 5, late, conversations)
    for road in roads:
        results.memory[road.key] = road.memory()


def main(given: list[str]) -> int:
    """Measure and report.

    Args:
        given: The command line without the program's name.

    Returns:
        0, also where a target is not reached: the report says so.

    Raises:
        ToolError: A model cannot be trained.
    """
    end_on_sigterm()
    options = arguments(given)
    places, plan = here(), QUICK if options.quick else FULL
    models = _models(places, options.roads)
    load = machine.load()
    results = Results(datetime.now(UTC), notes=_notes(places, models, load))
    with tempfile.TemporaryDirectory(prefix="huixin-bench-") as folder, ExitStack() as running:
        roads = []
        for key in options.roads:
            road = _ROADS[key](Path(folder) / key, places, models[key])
            running.callback(road.stop)
            roads.append(road)
            results.titles[key] = road.title
            say(f"starting {key}: {road.title}")
            road.start()
            road.wait()
        asyncio.run(_measure(roads, plan, results))
    if options.only or options.costs:
        say("decisions of the remedy policy")
        results.decisions = decisions.measured(places, plan.decisions)
    if options.costs:
        say("what recognition costs, with a training of everything")
        results.costs = recognition.measured(places, model.ensure(places))
    report = render(results)
    sys.stdout.write(f"\n{report}")
    if options.output:
        options.output.write_text(report, "utf-8")
        say(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    run_main(main)
