"""The pages are installed and built when their sources change, with a Node.js that is fit."""

import os
from pathlib import Path

import pytest

from tests.tools.conftest import MakeProgram
from tools import pages
from tools.console import ToolError
from tools.places import Places

NPM = """
[ "$1" = --version ] && exit 0
echo "$*" >> {root}/calls
case "$1" in
ci) rm -rf node_modules; mkdir node_modules;;
run) [ -e {root}/broken ] && exit 2; mkdir -p dist; echo page > dist/index.html;;
esac
"""


@pytest.fixture
def places(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Places:
    places = Places(tmp_path / "checkout")
    (places.web / "src").mkdir(parents=True)
    (places.web / "package.json").write_text('{"scripts": {"build": "vite"}}', encoding="utf-8")
    (places.web / "package-lock.json").write_text("{}", encoding="utf-8")
    (places.web / "src" / "main.ts").write_text("1", encoding="utf-8")
    node(tmp_path / "bin", program, "v20.20.2", NPM.format(root=tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return places


def node(folder: Path, program: MakeProgram, version: str, npm: str = "exit 0") -> None:
    program(folder / "node", f"echo {version}")
    program(folder / "npm", npm)


def calls(places: Places) -> list[str]:
    """What npm was asked for since the last look."""
    path = places.root.parent / "calls"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.split()[0] for line in lines]


def test_a_second_build_does_nothing(places: Places) -> None:
    pages.ensure(places)
    assert calls(places) == ["ci", "run"]
    pages.ensure(places)
    assert calls(places) == []


def test_a_changed_source_is_built_without_installing_again(places: Places) -> None:
    pages.ensure(places)
    calls(places)
    (places.web / "src" / "main.ts").write_text("2", encoding="utf-8")
    pages.ensure(places)
    assert calls(places) == ["run"]


def test_a_changed_lock_installs_and_builds(places: Places) -> None:
    pages.ensure(places)
    calls(places)
    (places.web / "package-lock.json").write_text('{"v": 2}', encoding="utf-8")
    pages.ensure(places)
    assert calls(places) == ["ci", "run"]


def test_removed_pages_are_built_again(places: Places) -> None:
    pages.ensure(places)
    calls(places)
    (places.web / "dist" / "index.html").unlink()
    pages.ensure(places)
    assert calls(places) == ["run"]


def test_a_failed_build_is_tried_again(places: Places) -> None:
    broken = places.root.parent / "broken"
    broken.touch()
    with pytest.raises(ToolError, match="could not be built"):
        pages.ensure(places)
    broken.unlink()
    calls(places)
    pages.ensure(places)
    assert calls(places) == ["run"]


def test_a_checkout_without_pages_says_so(places: Places) -> None:
    (places.web / "package.json").unlink()
    with pytest.raises(ToolError, match=r"package\.json is missing"):
        pages.ensure(places)


@pytest.mark.parametrize(
    ("version", "fit"),
    [
        ("v18.19.0", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.19.0", True),
        ("", False),
        ("node: command not found", False),
    ],
)
def test_fit_versions_of_node(version: str, fit: bool) -> None:
    assert pages.new_enough(version) is fit


def test_an_old_node_on_path_hides_no_newer_one(
    places: Places, tmp_path: Path, program: MakeProgram
) -> None:
    node(tmp_path / "old", program, "v18.19.0")
    path = f"{tmp_path / 'old'}{os.pathsep}{tmp_path / 'bin'}"
    found = pages.find_node(places, {"PATH": path})
    assert found.npm == tmp_path / "bin" / "npm"
    assert found.environment["PATH"].startswith(f"{tmp_path / 'bin'}{os.pathsep}")


def test_without_a_fit_node_the_one_from_pypi_is_installed(
    places: Places, tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    node(tmp_path / "old", program, "v18.19.0")
    asked: list[str] = []

    def install(where: Places, lock: str) -> None:
        asked.append(lock)
        node(where.venvs / "tools" / "bin", program, "v24.19.0")

    monkeypatch.setattr(pages, "install_tool", install)
    for _ in range(2):
        found = pages.find_node(places, {"PATH": str(tmp_path / "old")})
        assert found.npm == places.venvs / "tools" / "bin" / "npm"
    assert asked == ["node.txt"]
