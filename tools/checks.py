"""`make test`: every check there is, a few at the same time, with a verdict at the end."""

from __future__ import annotations

import os
import re
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tools import environments, model, pages
from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.steps import OUTPUT, Command, end_on_sigterm, step

REQUIRE_ALL_VARIABLE = "HUIXIN_REQUIRE_ALL"
"""Set to 1, a test that lacks a browser or a service fails; otherwise it is skipped."""

TYPED = ("recovery", "desk", "actions", "tools")
"""The packages under `mypy --strict`; `bot` imports Rasa, which has no types of use."""

LANES = (os.cpu_count() or 1) + 1
"""So many stages run at the same time: one more than can compute, since each waits now and then.

With still more the tests wait for each other until they lose their patience.
"""


@dataclass(frozen=True)
class Stage:
    """One check.

    Attributes:
        name: shown in the verdict.
        run: does it and returns the exit status, 0 for good.
        after: names of stages before it that have to end first, well or not: a check whose
            preparation has failed says so itself.
    """

    name: str
    run: Callable[[], int]
    after: tuple[str, ...] = ()


def lint_stages(places: Places) -> list[Stage]:
    """Return the checks of style and types."""
    python = places.service_python

    def module(name: str, *arguments: str) -> Callable[[], int]:
        return lambda: step([python, "-m", name, *arguments], places.root)

    typed = [name for name in TYPED if (places.root / name).is_dir()]
    return [
        Stage("lint", module("ruff", "check", "--quiet")),
        Stage("format", module("ruff", "format", "--check", "--quiet")),
        Stage("types", module("mypy", *(part for name in typed for part in ("-p", name)))),
    ]


def preparing_stages(places: Places) -> list[Stage]:
    """Return the making of what the tests run on; a failure here is one more finding."""

    def install() -> int:
        _, nlu = environments.environments(places)
        environments.ensure_one(places, nlu, tests=True)
        return 0

    def build() -> int:
        pages.ensure(places)
        return 0

    def train() -> int:
        model.ensure(places)
        return 0

    # The model first: the longest stages wait for it.
    return [
        Stage("nlu environment", install),
        Stage("model", train, ("nlu environment",)),
        Stage("pages", build),
    ]


def page_stages(places: Places) -> list[Stage]:
    """Return the pages' own checks, as far as their package.json names them.

    Raises:
        ToolError: there is no such file.
    """
    wanted = (("typecheck", "pages: types"), ("test", "pages: tests"))

    def script(name: str) -> Callable[[], int]:
        return lambda: pages.install(places).run(places.web, "run", "--silent", name)

    known = pages.scripts(places)
    return [Stage(label, script(name), ("pages",)) for name, label in wanted if name in known]


def test_stages(places: Places) -> list[Stage]:
    """Return the tests of Python code and of the Rasa project."""

    def service(*arguments: str) -> Callable[[], int]:
        command: Command = [places.service_python, "-m", "pytest", *arguments]
        return lambda: step(command, places.root)

    # tests/conftest.py marks what needs the trained model.
    others = ["tests", *(f"--ignore=tests/{name}" for name in ("bot", "browser", "crash"))]
    # They wait for WeChat's five seconds as often as they compute.
    wechat = "tests/desk/wechat"

    def nlu() -> int:
        # asyncio_mode in pyproject.toml is for the service environment's plug-in.
        command: Command = [places.nlu_python, "-m", "pytest", "tests/bot"]
        # The fixtures of the other tests need what only the service environment has.
        command += ["--confcutdir=tests/bot", "-W", "ignore::pytest.PytestConfigWarning"]
        named = {"HUIXIN_MODEL": str(model.model_path(places))}
        return step(command, places.root, {**model.command_environment(), **named})

    def validate() -> int:
        command: Command = [places.nlu_python, "-m", "rasa", "data", "validate"]
        return step([*command, "--fail-on-warnings"], places.root, model.command_environment())

    def stories() -> int:
        # Rasa takes an empty folder for a success, and looks at files of this name only.
        if not any((places.root / "tests" / "stories").rglob("test_*.yml")):
            raise ToolError("tests/stories has no test_*.yml")
        command: Command = [
            *(places.nlu_python, "-m", "rasa", "test", "core", "--e2e"),
            *("--stories", "tests/stories", "--model", model.model_path(places)),
            *("--fail-on-prediction-errors", "--no-plot", "--out", reports(places) / "stories"),
        ]
        return step(command, places.root, model.command_environment())

    def prove() -> int:
        command: Command = [places.service_python, "-m", "recovery.remedy", "check"]
        return step(command, places.root)

    # Of those that may begin the first in this list does. The long ones are put so that none of
    # them is left alone at the end.
    return [
        Stage("policy", prove),
        Stage(
            "service tests",
            service(*others, f"--ignore={wechat}", "-m", "not trained"),
            ("nlu environment", "pages"),
        ),
        Stage("wechat tests", service(wechat, "-m", "not trained"), ("nlu environment", "pages")),
        Stage("crash tests", service("-s", "tests/crash"), ("model",)),
        # On their own, since Playwright keeps an event loop running in the thread of the tests.
        Stage("browser tests", service("tests/browser"), ("model", "pages")),
        Stage("dialogue tests", service(*others, "-m", "trained"), ("model", "pages")),
        Stage("nlu tests", nlu, ("model",)),
        Stage("rasa stories", stories, ("model",)),
        Stage("rasa data", validate, ("nlu environment",)),
    ]


def all_stages(places: Places) -> list[Stage]:
    """Return every check there is."""
    return [
        *preparing_stages(places),
        *lint_stages(places),
        *page_stages(places),
        *test_stages(places),
    ]


def reports(places: Places) -> Path:
    """Return the folder of what the stages print and write."""
    return places.root / "var" / "test"


def run_stages(
    stages: Sequence[Stage],
    logs: Path,
    lanes: int = LANES,
    clock: Callable[[], float] = time.monotonic,
) -> list[str]:
    """Run all stages, also after one has failed, and print a verdict.

    What a stage's programs print is shown when it has ended.

    Args:
        stages: The first ones go first, each after those that it names.
        logs: Folder of the output.
        lanes: How many run at the same time at most.
        clock: Gives seconds.

    Returns:
        The names of those that failed.

    Raises:
        ValueError: A stage waits for one that does not stand before it.
    """
    for place, stage in enumerate(stages):
        if unknown := set(stage.after) - {one.name for one in stages[:place]}:
            raise ValueError(f"{stage.name} waits for {unknown}")
    logs.mkdir(parents=True, exist_ok=True)
    outcomes: dict[str, tuple[int, float]] = {}
    ended: SimpleQueue[tuple[Stage, int, float]] = SimpleQueue()

    def begin(stage: Stage) -> None:
        log = _log(logs, stage)
        log.write_bytes(b"")
        say(f"=== {stage.name}: begins, output in {log}")
        # Not a pool: its threads would keep a stopped `make` waiting. What they have started
        # ends with this process.
        threading.Thread(
            target=lambda: ended.put((stage, *_surely(stage, log, clock))), daemon=True
        ).start()

    waiting, running = list(stages), 0
    while waiting or running:
        for stage in [one for one in waiting if outcomes.keys() >= set(one.after)]:
            if running == lanes:
                break
            waiting.remove(stage)
            running += 1
            begin(stage)
        stage, status, seconds = ended.get()
        running -= 1
        outcomes[stage.name] = status, seconds
        say(f"\n=== {stage.name}: {_verdict(status)} after {seconds:.0f} s")
        if printed := _log(logs, stage).read_text("utf-8", "replace").strip():
            say(f"{printed}\n")
    say("\n=== verdict")
    for stage in stages:
        status, seconds = outcomes[stage.name]
        say(f"{stage.name:<15} {seconds:6.1f} s  {_verdict(status)}")
    return [stage.name for stage in stages if outcomes[stage.name][0] != 0]


def _surely(stage: Stage, log: Path, clock: Callable[[], float]) -> tuple[int, float]:
    """Run one stage; whatever goes wrong in it is its own failure."""
    began = clock()
    OUTPUT.set(log)
    try:
        status = stage.run()
    except ToolError as error:
        say(f"error: {stage.name}: {error}")
        status = 1
    except Exception:  # A defect of ours in one stage must not keep the others from a verdict.
        say(f"error: {stage.name}:\n{traceback.format_exc()}")
        status = 1
    return status, clock() - began


def _log(logs: Path, stage: Stage) -> Path:
    return logs / (re.sub(r"\W+", "-", stage.name) + ".log")


def _verdict(status: int) -> str:
    return "ok" if status == 0 else f"FAILED (status {status})"


def main(arguments: list[str]) -> int:
    """Run everything; with ``--lint`` only style and types."""
    end_on_sigterm()
    places = here()
    if os.environ.get("CI") == "true":
        os.environ.setdefault(REQUIRE_ALL_VARIABLE, "1")
    # The other environment is a stage, beside the checks that do not need it.
    service, _ = environments.environments(places)
    environments.ensure_one(places, service, tests=True)
    stages = lint_stages(places) if "--lint" in arguments else all_stages(places)
    failed = run_stages(stages, reports(places))
    say(f"\nfailed: {', '.join(failed)}" if failed else "\nall good")
    return 1 if failed else 0


if __name__ == "__main__":
    run_main(main)
