"""Makes the two Python environments, `.venv/service` and `.venv/nlu`, from their locks.

Each carries a stamp with what it was made from, so that a second run does nothing. The set
with the tests' requirements contains the plain set with the same versions (the locks are made
so), so an environment with tests serves a plain run as well.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.console import ToolError, run_main, say
from tools.interpreters import NLU, SERVICE, Interpreter, Need, Search, probe
from tools.places import Places, here
from tools.stamps import only_one, read_stamp, remove_stamp, write_stamp
from tools.steps import Command, end_on_sigterm, step
from tools.uv import find_uv

BUILD_LOCK = "build.txt"


@dataclass(frozen=True)
class Environment:
    """One environment of the checkout.

    Attributes:
        need: which Python it asks for; names it as well.
        folder: where it lies.
        requirements: folder of the locks.
    """

    need: Need
    folder: Path
    requirements: Path

    @property
    def name(self) -> str:
        """The environment's name, such as "nlu"."""
        return self.need.environment

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that says what it was made from."""
        return self.folder / "huixin.json"

    def lock(self, tests: bool) -> Path:
        """The lock that it is filled from, with or without the tests' requirements."""
        return self.requirements / f"{self.name}{'-test' if tests else ''}.txt"

    def facts(self, tests: bool, release: str) -> dict[str, object]:
        """What it is made from, as its stamp says it.

        Args:
            tests: with the tests' requirements.
            release: version of its interpreter, such as "3.10.13".
        """
        build = self.requirements / BUILD_LOCK
        return {
            # The folder, because an environment that was copied or moved still points back.
            "folder": str(self.folder),
            "python": release,
            "lock": _sha256(self.lock(False), build),
            "tests": _sha256(self.lock(True), build) if tests else None,
        }

    def present(self) -> Interpreter | None:
        """Return its interpreter if the whole environment was once finished here, else None."""
        stamp = read_stamp(self.stamp)
        if stamp is None or stamp.get("folder") != str(self.folder):
            return None
        found = probe(self.python)
        return found if found is not None and found.release == stamp.get("python") else None

    def up_to_date(self, tests: bool) -> bool:
        """Tell whether nothing has to be done."""
        interpreter = self.present()
        if interpreter is None:
            return False
        stamp = read_stamp(self.stamp) or {}
        wanted = self.facts(tests, interpreter.release)
        return all(
            stamp.get(key) == value for key, value in wanted.items() if tests or key != "tests"
        )


def environments(places: Places) -> tuple[Environment, Environment]:
    """Return the service and the nlu environment of a checkout."""
    return (
        Environment(SERVICE, places.venvs / SERVICE.environment, places.requirements),
        Environment(NLU, places.venvs / NLU.environment, places.requirements),
    )


def ensure(places: Places, tests: bool = False) -> None:
    """Make both environments if they are not what their locks say.

    Args:
        places: the checkout.
        tests: with the tests' requirements.

    Raises:
        ToolError: an interpreter is missing or an installation failed; the message has the cure.
    """
    for environment in environments(places):
        ensure_one(places, environment, tests)


def ensure_one(places: Places, environment: Environment, tests: bool = False) -> None:
    """Make one environment if it is not what its lock says; see `ensure`."""
    if environment.up_to_date(tests):
        return
    with only_one(places.locks, environment.name):
        if not environment.up_to_date(tests):
            _make(places, environment, tests)


def _make(places: Places, environment: Environment, tests: bool) -> None:
    uv = find_uv(places, os.environ)
    interpreter = environment.present()
    remove_stamp(environment.stamp)
    if interpreter is None:
        # Begun and not finished, moved, or its Python is gone: nothing in it can be trusted.
        first = Path(sys.executable) if environment.need is SERVICE else None
        base = Search(os.environ, uv).find(environment.need, first)
        say(f"{environment.name}: new environment with Python {base.release} ({base.path})")
        shutil.rmtree(environment.folder, ignore_errors=True)
        new: Command = [uv, "venv", "--quiet", "--no-project", "--python", base.path]
        if step([*new, environment.folder], places.root) != 0:
            raise ToolError(f"uv could not make {environment.folder} (see above)")
        interpreter = probe(environment.python)
        if interpreter is None:
            raise ToolError(f"{environment.python} does not answer")
    lock = environment.lock(tests)
    say(f"{environment.name}: installing {lock.name}")
    fill: Command = [uv, "pip", "sync", "--quiet", "--require-hashes"]
    fill += ["--python", environment.python, "-b", environment.requirements / BUILD_LOCK]
    if step([*fill, lock], places.root) != 0:
        raise ToolError(_install_cure(environment, lock))
    write_stamp(environment.stamp, environment.facts(tests, interpreter.release))


def _install_cure(environment: Environment, lock: Path) -> str:
    text = (
        f"{lock.name} could not be installed (see above). The machine has to reach PyPI or a "
        "mirror of it (UV_DEFAULT_INDEX); what was already downloaded is kept for the next try"
    )
    if environment.need is NLU and (sys.platform, platform.machine()) != ("linux", "x86_64"):
        text += (
            f".\nThe nlu lock is made for Linux on x86_64, this is {sys.platform} on "
            f"{platform.machine()}: Rasa's TensorFlow has other packages here"
        )
    return text


def _sha256(*files: Path) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def main(arguments: list[str]) -> int:
    """Make the environments; with ``--tests`` including what the tests need."""
    end_on_sigterm()
    ensure(here(), tests="--tests" in arguments)
    return 0


if __name__ == "__main__":
    run_main(main)
