"""All stages run, and the verdict names every one that failed."""

import threading
from pathlib import Path

import pytest

from tools import checks
from tools.checks import Stage, run_stages
from tools.console import ToolError
from tools.places import Places, here


def test_a_failure_does_not_hide_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    def lacks() -> int:
        raise ToolError("no browser here")

    seen: list[str] = []

    def good() -> int:
        seen.append("good")
        return 0

    stages = [Stage("lint", lambda: 3), Stage("pages", lacks), Stage("tests", good)]
    assert run_stages(stages, clock=lambda: 0.0) == ["lint", "pages"]
    assert seen == ["good"]
    out = capsys.readouterr().out
    assert "error: no browser here" in out
    verdict = out.split("=== verdict\n")[1].splitlines()
    assert [line.split()[0] for line in verdict] == ["lint", "pages", "tests"]
    assert ["FAILED (status 3)" in verdict[0], verdict[2].endswith("ok")] == [True, True]


def test_a_stage_with_a_log_runs_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, other_is_done = tmp_path / "made" / "crash.log", threading.Event()

    def crash() -> int:
        assert other_is_done.wait(30)
        log.write_text("a red test\n", "utf-8")
        return 1

    def other() -> int:
        other_is_done.set()
        return 0

    assert run_stages([Stage("crash", crash, log), Stage("other", other)]) == ["crash"]
    out = capsys.readouterr().out
    assert "a red test" in out
    assert "crash" in out.split("=== verdict\n")[1].splitlines()[0]


def test_everything_is_checked() -> None:
    places = here()
    names = [
        stage.name
        for stage in (
            *checks.lint_stages(places),
            *checks.preparing_stages(places),
            *checks.page_stages(places),
            *checks.test_stages(places),
        )
    ]
    assert names == [
        *("lint", "format", "types", "pages", "model", "pages: types", "pages: tests"),
        *("crash tests", "policy", "service tests", "browser tests", "nlu tests"),
        *("rasa data", "rasa stories"),
    ]


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
    monkeypatch: pytest.MonkeyPatch, ci: str, expected: str | None
) -> None:
    seen: list[str | None] = []
    monkeypatch.setenv("CI", ci)
    # Set first, so that monkeypatch puts the present state back at the end.
    monkeypatch.setenv(checks.REQUIRE_ALL_VARIABLE, "x")
    monkeypatch.delenv(checks.REQUIRE_ALL_VARIABLE)
    monkeypatch.setattr(checks.environments, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(checks, "end_on_sigterm", lambda: None)

    def stages(_: object) -> list[Stage]:
        seen.append(checks.os.environ.get(checks.REQUIRE_ALL_VARIABLE))
        return [Stage("lint", lambda: 1)]

    monkeypatch.setattr(checks, "lint_stages", stages)
    assert checks.main(["--lint"]) == 1
    assert seen == [expected]
