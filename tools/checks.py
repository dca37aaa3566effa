"""`make test`: every check there is, one after the other, with a verdict at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools import environments, model, pages
from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.steps import Command, end_on_sigterm, step

REQUIRE_ALL_VARIABLE = "HUIXIN_REQUIRE_ALL"
"""Set to 1, a test that lacks a browser or a service fails; otherwise it is skipped."""

TYPED = ("recovery", "desk", "actions", "tools")
"""The packages under `mypy --strict`; `bot` imports Rasa, which has no types of use."""


@dataclass(frozen=True)
class Stage:
    """One check.

    Attributes:
        name: shown in the verdict.
        run: does it and returns the exit status, 0 for good.
        log: where its output goes, for a stage that runs beside those that follow it.
    """

    name: str
    run: Callable[[], int]
    log: Path | None = None


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

    def build() -> int:
        pages.ensure(places)
        return 0

    def train() -> int:
        model.ensure(places)
        return 0

    return [Stage("pages", build), Stage("model", train)]


def page_stages(places: Places) -> list[Stage]:
    """Return the pages' own checks, as far as their package.json names them.

    Raises:
        ToolError: there is no such file.
    """
    wanted = (("typecheck", "pages: types"), ("test", "pages: tests"))

    def script(name: str) -> Callable[[], int]:
        return lambda: pages.install(places).run(places.web, "run", "--silent", name)

    known = pages.scripts(places)
    return [Stage(label, script(name)) for name, label in wanted if name in known]


def test_stages(places: Places) -> list[Stage]:
    """Return the tests of Python code and of the Rasa project."""
    reports = places.root / "var" / "test"

    def service(*arguments: str, output: Path | None = None) -> Callable[[], int]:
        command: Command = [places.service_python, "-m", "pytest", *arguments]
        return lambda: step(command, places.root, output=output)

    others = [f"--ignore=tests/{name}" for name in ("bot", "browser", "crash")]

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
            *("--fail-on-prediction-errors", "--no-plot", "--out", reports / "stories"),
        ]
        return step(command, places.root, model.command_environment())

    def prove() -> int:
        command: Command = [places.service_python, "-m", "recovery.remedy", "check"]
        return step(command, places.root)

    crash_log = reports / "crash.log"
    return [
        # Beside all the others: for most of a quarter of an hour they wait for Rasa to load.
        Stage("crash tests", service("-s", "tests/crash", output=crash_log), crash_log),
        Stage("policy", prove),
        Stage("service tests", service("tests", *others)),
        # On their own: Playwright keeps an event loop running in the thread of the tests.
        Stage("browser tests", service("tests/browser")),
        Stage("nlu tests", nlu),
        Stage("rasa data", validate),
        Stage("rasa stories", stories),
    ]


def run_stages(stages: list[Stage], clock: Callable[[], float] = time.monotonic) -> list[str]:
    """Run all stages, also after one has failed, and print a verdict.

    Args:
        stages: One after the other; one with a log runs beside those after it, and its log is
            shown when all have ended.
        clock: Gives seconds.

    Returns:
        The names of those that failed.
    """

    def surely(stage: Stage) -> tuple[int, float]:
        began = clock()
        try:
            status = stage.run()
        except ToolError as error:
            say(f"error: {error}")
            status = 1
        return status, clock() - began

    outcomes: dict[str, tuple[int, float]] = {}
    with ThreadPoolExecutor() as lanes:
        beside: list[tuple[Stage, Future[tuple[int, float]]]] = []
        for stage in stages:
            if stage.log:
                say(f"\n=== {stage.name}: beside the others, output in {stage.log}")
                stage.log.parent.mkdir(parents=True, exist_ok=True)
                beside.append((stage, lanes.submit(surely, stage)))
            else:
                say(f"\n=== {stage.name}")
                outcomes[stage.name] = surely(stage)
        for stage, outcome in beside:
            outcomes[stage.name] = outcome.result()
            say(f"\n=== {stage.name}")
            if stage.log and stage.log.exists():
                say(stage.log.read_text("utf-8", "replace").rstrip())
    say("\n=== verdict")
    for stage in stages:
        status, seconds = outcomes[stage.name]
        verdict = "ok" if status == 0 else f"FAILED (status {status})"
        say(f"{stage.name:<14} {seconds:6.1f} s  {verdict}")
    return [stage.name for stage in stages if outcomes[stage.name][0] != 0]


def main(arguments: list[str]) -> int:
    """Run everything; with ``--lint`` only style and types."""
    end_on_sigterm()
    places = here()
    if os.environ.get("CI") == "true":
        os.environ.setdefault(REQUIRE_ALL_VARIABLE, "1")
    environments.ensure(places, tests=True)
    stages = lint_stages(places)
    if "--lint" not in arguments:
        stages += [*preparing_stages(places), *page_stages(places), *test_stages(places)]
    failed = run_stages(stages)
    say(f"\nfailed: {', '.join(failed)}" if failed else "\nall good")
    return 1 if failed else 0


if __name__ == "__main__":
    run_main(main)
