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

from bench import (
    decisions,
    insights,
    machine,
    measure,
    page,
    parts,
    recognition,
    staffed,
    stock,
    wechat,
)
from bench.crowd import Plan as Crowding
from bench.figures import Sample, pooled
from bench.report import Results, render
from bench.roads import DeskRoad, OwnRoad, Road, StockRoad
from bench.staffed import Size
from bench.wechat import Outage
from bench.wechat_crowd import Plan as Writing
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
        desk: How much is going on at a desk full of customers and staff.
        page: Open cases on the page of staff, turns of the wheel, visits.
        wechat: Customers on WeChat, and how long Rasa is away.
        insights: Cases in the store, and how often each period is asked of.
    """

    rounds: dict[int, tuple[int, int]]
    late: dict[str, tuple[int, int]]
    posts: int
    decisions: int
    desk: Size
    page: tuple[int, int, int]
    wechat: wechat.Size
    insights: tuple[int, int]


FULL = Plan(
    {1: (3, 2), 8: (2, 2), 32: (1, 1)},
    {"a": (100, 1), "b": (100, 1), "c": (500, 3)},
    20,
    20_000,
    Size(50, 500, Crowding()),
    (1000, 50, 5),
    wechat.Size(
        Writing(), Writing(customers=100, seconds=150.0, quiet_seconds=60.0), Outage(30.0, 60.0)
    ),
    (100_000, 15),
)
QUICK = Plan(
    {1: (1, 1), 8: (1, 1)},
    {"c": (25, 1)},
    3,
    500,
    Size(5, 30, Crowding(rate=5.0, stay_seconds=2.0, warm_seconds=1.0, seconds=4.0)),
    (120, 5, 1),
    wechat.Size(
        Writing(customers=10, every_seconds=4.0, seconds=12.0),
        Writing(customers=5, every_seconds=4.0, seconds=12.0, quiet_seconds=60.0),
        Outage(4.0, 1.0),
    ),
    (500, 2),
)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Args:
        given: Without the program's name.

    Returns:
        `quick`, `roads` (a string of keys), `output` (None: only print), `costs` (whether what
        recognition costs is measured, too) and `only` (the one part that is measured, else None;
        its section alone is written anew).
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few messages, to see that it runs; not written"
    )
    parser.add_argument(
        "--roads", default="abc", type=_roads, help="some of a, b, c (default: all)"
    )
    parser.add_argument(
        "--only", choices=tuple(parts.HEADINGS), help="this part alone: its section is written anew"
    )
    parser.add_argument(
        "--output", type=Path, help="where it goes (default: docs/bench.md, unless a piece is run)"
    )
    options = parser.parse_args(given)
    if options.only:
        options.roads = ""
    options.costs = not options.quick and options.roads == "abc"
    whole = options.costs or (options.only and not options.quick)
    if options.output is None and whole:
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


def _notes(places: Places, load: float) -> list[str]:
    """On what it is measured."""
    notes = [
        f"Machine: {machine.describe()}",
        f"Versions: {machine.versions(places, _PACKAGES)}",
        f"Load average before: {load:.2f}",
    ]
    if load > _QUIET:
        notes.append("**The machine was busy with other things: only the ratios mean something.**")
    return notes


def _measured_part(name: str, places: Places, folder: Path, plan: Plan, load: float) -> str:
    """Measure a part alone, and write its section.

    Raises:
        ToolError: It cannot be measured.
    """
    began, notes = datetime.now(UTC), _notes(places, load)
    say(parts.HEADINGS[name].removeprefix("## "))
    if name == "decisions":
        return parts.section(decisions.measured(places, plan.decisions), began, notes)
    if name == "desk":
        return parts.section(staffed.measured(folder / name, places, plan.desk), began, notes)
    if name == "wechat":
        return parts.section(wechat.measured(folder / name, places, plan.wechat), began, notes)
    if name == "insights":
        return parts.section(insights.measured(folder / name, *plan.insights), began, notes)
    return parts.section(page.measured(folder / name, places, *plan.page), began, notes)


def _measured_parts(
    places: Places, folder: Path, plan: Plan, load: float, before: str
) -> dict[str, str]:
    """Measure all of them; one that cannot be measured here keeps what it had before."""
    written = {}
    for name in parts.HEADINGS:
        lacking = page.missing(places) if name == "page" else None
        if lacking is None:
            written[name] = _measured_part(name, places, folder, plan, load)
            continue
        say(f"{name} is not measured: {lacking}")
        old = parts.of_document(before, name)
        if old:
            written[name] = old
    return written


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
        ToolError: A model cannot be trained, or a part not be measured.
    """
    end_on_sigterm()
    options = arguments(given)
    places, plan, load = here(), QUICK if options.quick else FULL, machine.load()
    output: Path | None = options.output
    before = output.read_text("utf-8") if output and output.is_file() else ""
    with tempfile.TemporaryDirectory(prefix="huixin-bench-") as draft:
        folder = Path(draft)
        if options.only:
            shown = _measured_part(options.only, places, folder, plan, load)
            report = parts.placed(before, shown)
        else:
            results = _measured_roads(options.roads, places, folder, plan, load)
            if options.costs:
                results.parts = _measured_parts(places, folder, plan, load, before)
                say("what recognition costs, with a training of everything")
                results.costs = recognition.measured(places, model.ensure(places))
            report = shown = render(results)
    sys.stdout.write(f"\n{shown}\n")
    if output:
        output.write_text(report, "utf-8")
        say(f"written to {output}")
    return 0


def _measured_roads(keys: str, places: Places, folder: Path, plan: Plan, load: float) -> Results:
    """Measure the roads that are named."""
    models = _models(places, keys)
    names = ", ".join(sorted({path.name for path in models.values()}))
    results = Results(datetime.now(UTC), notes=[*_notes(places, load), f"Models: {names}"])
    with ExitStack() as running:
        roads = []
        for key in keys:
            road = _ROADS[key](folder / key, places, models[key])
            running.callback(road.stop)
            roads.append(road)
            results.titles[key] = road.title
            say(f"starting {key}: {road.title}")
            road.start()
            road.wait()
        asyncio.run(_measure(roads, plan, results))
    return results


if __name__ == "__main__":
    run_main(main)
