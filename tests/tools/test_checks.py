"""All stages run, and the verdict names every one that failed."""

import re
import sys
import threading
from pathlib import Path

import pytest

from tools import checks
from tools.checks import Stage, run_stages
from tools.console import ToolError
from tools.places import Places, here
from tools.steps import step


def test_a_failure_does_not_hide_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks() -> int:
        raise ToolError("no browser here")

    def breaks() -> int:
        raise LookupError("a defect of the tools")

    seen: list[str] = []

    def good() -> int:
        seen.append("good")
        return 0

    stages = [
        Stage("lint", lambda: 3),
        Stage("pages", lacks),
        Stage("types", breaks),
        Stage("tests", good, ("lint", "pages")),
    ]
    assert run_stages(stages, tmp_path, clock=lambda: 0.0) == ["lint", "pages", "types"]
    assert seen == ["good"]
    out = capsys.readouterr().out
    assert "error: pages: no browser here" in out
    assert "a defect of the tools" in out
    verdict = out.split("=== verdict\n")[1].splitlines()
    assert [line.split()[0] for line in verdict] == ["lint", "pages", "types", "tests"]
    assert ["FAILED (status 3)" in verdict[0], verdict[3].endswith("ok")] == [True, True]


def test_stages_run_beside_each_other_and_each_after_those_it_needs(tmp_path: Path) -> None:
    both, order = threading.Barrier(2), []

    def meets(name: str) -> int:
        both.wait(30)
        order.append(name)
        return 0

    def follows(name: str) -> int:
        order.append(name)
        return 0

    stages = [
        Stage("model", lambda: meets("model")),
        Stage("crash", lambda: follows("crash"), ("model", "pages")),
        Stage("pages", lambda: meets("pages")),
    ]
    with pytest.raises(ValueError, match="pages"):
        run_stages(stages, tmp_path, 2)
    stages.append(stages.pop(1))
    assert run_stages(stages, tmp_path, 2) == []
    assert order[-1] == "crash"


def test_no_more_stages_run_than_there_are_lanes(tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def count() -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.02)
        with lock:
            now[0] -= 1
        return 0

    assert run_stages([Stage(f"s{n}", count) for n in range(9)], tmp_path, 3) == []
    assert most[0] <= 3


def test_what_a_stage_prints_is_shown_whole_when_it_has_ended(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    printed = threading.Event()

    def first() -> int:
        status = step([sys.executable, "-c", "print('a red test')"], tmp_path)
        printed.set()
        assert second_has_printed.wait(30)
        return status + step([sys.executable, "-c", "print('and what it means')"], tmp_path)

    def second() -> int:
        assert printed.wait(30)
        status = step([sys.executable, "-c", "print('all green'); exit(2)"], tmp_path)
        second_has_printed.set()
        return status

    second_has_printed = threading.Event()
    # What was left by a former run is not shown.
    (tmp_path / "crash-tests.log").write_text("long ago", "utf-8")
    stages = [Stage("crash tests", first), Stage("others", second)]
    assert run_stages(stages, tmp_path, 2) == ["others"]
    out = re.sub(r"after \d+ s", "after some time", capfd.readouterr().out)
    assert "=== others: FAILED (status 2) after some time\nall green\n" in out
    assert "=== crash tests: ok after some time\na red test\nand what it means\n" in out
    assert "long ago" not in out


def test_everything_is_checked() -> None:
    stages = checks.all_stages(here())
    assert sorted(stage.name for stage in stages) == sorted(
        [
            *("nlu environment", "model", "pages", "lint", "format", "types"),
            *("pages: types", "pages: tests", "crash tests", "browser tests", "policy"),
            *(
                "service tests",
                "wechat tests",
                "dialogue tests",
                "nlu tests",
                "rasa data",
                "rasa stories",
            ),
        ]
    )


def test_every_test_belongs_to_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def step(command: list[str | Path], *_: object) -> int:
        commands.append([str(part) for part in command])
        return 0

    monkeypatch.setattr(checks, "step", step)
    for stage in checks.test_stages(here()):
        stage.run()
    pytests = [command[3:] for command in commands if command[2] == "pytest"]
    folders = {
        path.name for path in (here().root / "tests").iterdir() if any(path.rglob("test_*.py"))
    }

    def seen_by(arguments: list[str]) -> set[str]:
        """The folders of which everything is run."""
        named = {one for one in folders if f"tests/{one}" in arguments}
        left_out = {one for one in folders if f"--ignore=tests/{one}" in arguments}
        return folders - left_out if "tests" in arguments else named

    by_mark: dict[str, set[str]] = {}
    for arguments in pytests:
        marks = arguments[arguments.index("-m") + 1] if "-m" in arguments else ""
        by_mark[marks] = by_mark.get(marks, set()) | seen_by(arguments)
    assert by_mark.keys() == {"", "trained", "not trained"}
    # What is run in two halves is run in both.
    assert by_mark["trained"] == by_mark["not trained"]
    assert by_mark[""] | by_mark["trained"] == folders


def test_what_needs_the_model_is_marked(request: pytest.FixtureRequest) -> None:
    """By the fixtures of a test, of all those that run now."""
    for item in request.session.items:
        needs = "trained" in getattr(item, "fixturenames", ())
        assert (item.get_closest_marker("trained") is not None) == needs, item.nodeid


def test_no_test_stories_are_no_success(tmp_path: Path) -> None:
    (tmp_path / "tests" / "stories").mkdir(parents=True)
    (tmp_path / "tests" / "stories" / "hotel.yml").touch()
    [stories] = [
        stage for stage in checks.test_stages(Places(tmp_path)) if stage.name == "rasa stories"
    ]
    with pytest.raises(ToolError, match=r"no test_\*\.yml"):
        stories.run()


@pytest.mark.parametrize(("ci", "expected"), [("true", "1"), ("", None)])
def test_in_ci_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, expected: str | None
) -> None:
    seen: list[str | None] = []
    monkeypatch.setenv("CI", ci)
    # Set first, so that monkeypatch puts the present state back at the end.
    monkeypatch.setenv(checks.REQUIRE_ALL_VARIABLE, "x")
    monkeypatch.delenv(checks.REQUIRE_ALL_VARIABLE)
    monkeypatch.setattr(checks.environments, "ensure_one", lambda *_, **__: None)
    monkeypatch.setattr(checks, "end_on_sigterm", lambda: None)

    def stages(_: object) -> list[Stage]:
        seen.append(checks.os.environ.get(checks.REQUIRE_ALL_VARIABLE))
        return [Stage("lint", lambda: 1)]

    monkeypatch.setattr(checks, "lint_stages", stages)
    monkeypatch.setattr(checks, "reports", lambda _: tmp_path)
    assert checks.main(["--lint"]) == 1
    assert seen == [expected]
