"""Environments are made once, mended when their locks change, and redone after a break."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.conftest import MakeProgram
from tools.console import ToolError
from tools.environments import Environment, ensure_one
from tools.interpreters import Need
from tools.places import Places, here

MINOR = "{}.{}".format(*sys.version_info)

# Notes each call; makes an environment of the real Python; installs only while allowed to.
UV = """
echo "$*" >> {root}/calls
case "$1" in
--version) echo "uv 0.9.1";;
venv) for last; do :; done; mkdir -p "$last/bin"; ln -s {python} "$last/bin/python";;
pip) [ ! -e {root}/no-network ];;
esac
"""


class Checkout:
    """A checkout with one environment, and uv replaced by a stand-in."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root)
        self.places.requirements.mkdir(parents=True)
        for name in ("service.txt", "service-test.txt", "build.txt"):
            (self.places.requirements / name).write_text(f"# {name}\n", encoding="utf-8")
        self.environment = environment_of(self.places)

    def ensure(self, tests: bool = False) -> list[str]:
        """Make the environment; return what uv was asked for, in short."""
        calls = self.places.root / "calls"
        calls.unlink(missing_ok=True)
        ensure_one(self.places, self.environment, tests)
        return short(calls)


def environment_of(places: Places) -> Environment:
    need = Need("service", (MINOR,), "HUIXIN_TEST_PYTHON")
    return Environment(need, places.venvs / "service", places.requirements)


def short(calls: Path) -> list[str]:
    if not calls.exists():
        return []
    lines = [line.split() for line in calls.read_text(encoding="utf-8").splitlines()]
    return [
        words[0] if words[0] == "venv" else Path(words[-1]).name
        for words in lines
        if words[0] in ("venv", "pip")
    ]


@pytest.fixture
def checkout(tmp_path: Path, program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    root = tmp_path / "checkout"
    uv = UV.format(root=root, python=sys.executable)
    program(tmp_path / "bin" / "uv", uv)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HUIXIN_TEST_PYTHON", sys.executable)
    return Checkout(root)


def test_a_second_run_does_nothing(checkout: Checkout) -> None:
    assert checkout.ensure() == ["venv", "service.txt"]
    assert checkout.ensure() == []


def test_hashes_are_required_and_build_tools_pinned(checkout: Checkout) -> None:
    checkout.ensure()
    [install] = [
        line
        for line in (checkout.places.root / "calls").read_text(encoding="utf-8").splitlines()
        if line.startswith("pip")
    ]
    assert "--require-hashes" in install
    assert f"-b {checkout.places.requirements / 'build.txt'}" in install


def test_a_changed_lock_is_installed_into_the_same_environment(checkout: Checkout) -> None:
    checkout.ensure()
    (checkout.places.requirements / "service.txt").write_text("# newer\n", encoding="utf-8")
    assert checkout.ensure() == ["service.txt"]
    assert checkout.ensure() == []


def test_an_environment_with_tests_serves_a_plain_run_but_not_the_reverse(
    checkout: Checkout,
) -> None:
    checkout.ensure()
    assert checkout.ensure(tests=True) == ["service-test.txt"]
    assert checkout.ensure() == []
    assert checkout.ensure(tests=True) == []


def test_an_interrupted_installation_is_redone_from_scratch(
    checkout: Checkout, tmp_path: Path
) -> None:
    no_network = checkout.places.root / "no-network"
    no_network.touch()
    with pytest.raises(ToolError, match=r"service\.txt could not be installed"):
        checkout.ensure()
    debris = checkout.environment.folder / "half"
    debris.touch()
    no_network.unlink()
    assert checkout.ensure() == ["venv", "service.txt"]
    assert not debris.exists()


def test_a_failed_update_leaves_no_stamp_of_the_old_state(checkout: Checkout) -> None:
    checkout.ensure()
    lock = checkout.places.requirements / "service.txt"
    before = lock.read_text(encoding="utf-8")
    lock.write_text("# newer\n", encoding="utf-8")
    (checkout.places.root / "no-network").touch()
    with pytest.raises(ToolError):
        checkout.ensure()
    (checkout.places.root / "no-network").unlink()
    lock.write_text(before, encoding="utf-8")
    assert checkout.ensure() == ["venv", "service.txt"]


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.ensure()
    checkout.environment.python.unlink()
    checkout.environment.python.symlink_to("/nonexistent/python")
    assert checkout.ensure() == ["venv", "service.txt"]


def test_a_moved_checkout_gets_its_own_environment(checkout: Checkout, tmp_path: Path) -> None:
    checkout.ensure()
    moved = Places(tmp_path / "moved")
    checkout.places.root.rename(moved.root)
    assert not environment_of(moved).up_to_date(tests=False)


def test_two_makes_at_once_make_it_once(checkout: Checkout) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.tools.test_environments import environment_of\n"
        "from tools.environments import ensure_one; from tools.places import Places\n"
        "places = Places(Path(sys.argv[1]))\n"
        "ensure_one(places, environment_of(places))\n"
    )
    command = [sys.executable, "-c", code, str(checkout.places.root)]
    both = [subprocess.Popen(command, cwd=here().root) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert short(checkout.places.root / "calls") == ["venv", "service.txt"]
