"""Finds the Python that an environment is made with, on whatever machine this is.

Looked at, in this order: the environment variable that names one, PATH, pyenv, uv's own
interpreters, the usual places. Each candidate is run, and one that does not answer, is not
CPython, has another version, or lacks a module that every process of ours needs, is passed
over. If none is left, uv fetches one; if that fails too, the message names the cures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import ToolError, say
from tools.places import PYTHON_310_VARIABLE, SERVICE_PYTHON_VARIABLE
from tools.steps import ask, step

# ctypes, sqlite3, ssl and zlib are missing from interpreters built without the system's headers.
_QUESTION = (
    "import ctypes, json, platform, sqlite3, ssl, sys, zlib;"
    "print(json.dumps([platform.python_implementation(), sys.version_info[:3], sys.executable]))"
)

_USUAL_FOLDERS = (
    "/usr/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/opt/python*/bin",
    "/opt/conda/envs/*/bin",
    "~/.local/bin",
    "~/.asdf/installs/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin",
    "~/miniconda3/envs/*/bin",
    "~/anaconda3/envs/*/bin",
    "~/miniforge3/envs/*/bin",
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that answered.

    Attributes:
        path: the program itself, not a shim.
        version: such as (3, 10, 13).
    """

    path: Path
    version: tuple[int, int, int]

    @property
    def release(self) -> str:
        """The version as text, such as "3.10.13"."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class Need:
    """The Python that one environment asks for.

    Attributes:
        environment: name of the environment, for messages.
        minors: the versions that will do, the best first, such as ("3.12", "3.11").
        variable: environment variable with which the operator names one.
    """

    environment: str
    minors: tuple[str, ...]
    variable: str

    def met_by(self, interpreter: Interpreter) -> bool:
        """Tell whether the interpreter has one of the versions."""
        return "{}.{}".format(*interpreter.version) in self.minors


SERVICE = Need("service", ("3.13", "3.12", "3.11", "3.14"), SERVICE_PYTHON_VARIABLE)
"""rasa-sdk 3.21 runs on 3.10 to 3.14, the desk from 3.11."""

NLU = Need("nlu", ("3.10",), PYTHON_310_VARIABLE)
"""Rasa 3.6.21 refuses 3.11 and newer."""


def probe(program: Path) -> Interpreter | None:
    """Run a program and return the CPython that it is, or None."""
    answer = ask([program, "-c", _QUESTION])
    if answer is None:
        return None
    try:
        implementation, version, path = json.loads(answer.splitlines()[-1])
        major, minor, patch = map(int, version)
    except (ValueError, TypeError, IndexError):
        return None
    if implementation != "CPython" or not path:
        return None
    return Interpreter(Path(path), (major, minor, patch))


class Search:
    """Looks for interpreters on one machine.

    Args:
        environ: the environment variables; HOME, PATH, PYENV_ROOT and the need's own count.
        uv: uv's program, or None to do without it.
        usual: folders (globs, "~" allowed) to look at besides PATH.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        uv: Path | None,
        usual: Sequence[str] = _USUAL_FOLDERS,
    ) -> None:
        self._environ = environ
        self._uv = uv
        self._usual = usual
        self._home = Path(environ.get("HOME") or "/")

    def find(self, need: Need, first: Path | None = None) -> Interpreter:
        """Return an interpreter for the need, fetched by uv if none is installed.

        Args:
            need: what is asked for.
            first: a program to try before all others, such as the running Python.

        Raises:
            ToolError: there is none and none can be fetched; or the variable names a program
                that will not do.
        """
        named = self._environ.get(need.variable)
        if named:
            return self._named(need, Path(named).expanduser())
        found = self.installed(need, first)
        return found if found is not None else self._fetch(need)

    def installed(self, need: Need, first: Path | None = None) -> Interpreter | None:
        """Return the first installed interpreter that will do, or None."""
        seen: set[Path] = set()
        if first is not None:
            seen.add(first)
            found = probe(first)
            if found is not None and need.met_by(found):
                return found
        for minor in need.minors:
            for candidate in self._candidates(minor):
                if candidate in seen or not candidate.is_file():
                    continue
                seen.add(candidate)
                found = probe(candidate)
                if found is not None and need.met_by(found):
                    return found
        return None

    def _named(self, need: Need, program: Path) -> Interpreter:
        if program.is_dir():
            program = program / "bin" / "python"
        found = probe(program)
        if found is None or not need.met_by(found):
            what = "does not answer as a Python" if found is None else f"is Python {found.release}"
            raise ToolError(
                f"{need.variable} names {program}, which {what}; "
                f"it has to be CPython {' or '.join(sorted(need.minors))} "
                "with ctypes, sqlite3, ssl and zlib"
            )
        return found

    def _candidates(self, minor: str) -> Iterator[Path]:
        names = (f"python{minor}", "python3", "python")
        # Every folder on PATH, not the first hit only: a shim that does not answer may stand
        # before the real thing.
        for folder in filter(None, self._environ.get("PATH", "").split(":")):
            for name in names:
                yield Path(folder) / name
        yield from self._of_pyenv(minor)
        yield from self._of_uv(minor)
        for pattern in self._usual:
            for folder_path in self._folders(pattern):
                yield folder_path / f"python{minor}"

    def _of_pyenv(self, minor: str) -> Iterator[Path]:
        prefix = ask(["pyenv", "prefix", minor], environment=self._environ)
        if prefix:
            yield Path(prefix) / "bin" / "python"
        roots = [self._home / ".pyenv"]
        if self._environ.get("PYENV_ROOT"):
            roots.insert(0, Path(self._environ["PYENV_ROOT"]))
        for root in roots:
            yield from _newest_first(root.glob(f"versions/{minor}*/bin/python"))

    def _of_uv(self, minor: str) -> Iterator[Path]:
        if self._uv is None:
            return
        path = ask(
            [
                *(self._uv, "python", "find", "--no-project", "--no-python-downloads"),
                *("--python-preference", "only-managed", minor),
            ],
            environment=self._environ,
        )
        if path:
            yield Path(path)

    def _folders(self, pattern: str) -> list[Path]:
        path = Path(str(self._home) + pattern[1:] if pattern.startswith("~") else pattern)
        return _newest_first(Path(path.anchor).glob(str(path.relative_to(path.anchor))))

    def _fetch(self, need: Need) -> Interpreter:
        minor = need.minors[0]
        if self._uv is not None:
            say(f"{need.environment}: no Python {minor} on this machine, uv fetches one")
            status = step([self._uv, "python", "install", minor], self._home, self._environ)
            if status == 0:
                for candidate in self._of_uv(minor):
                    found = probe(candidate)
                    if found is not None and need.met_by(found):
                        return found
        raise ToolError(
            f"the {need.environment} environment needs Python {' or '.join(sorted(need.minors))}; "
            "none was found on this machine and uv could not fetch one. Any of these helps:\n"
            f"  - install Python {minor} (for example `pyenv install {minor}`), "
            "then run this again\n"
            f"  - set {need.variable}=/path/to/python{minor}\n"
            f"  - let this machine reach uv's downloads for `uv python install {minor}` (a mirror "
            "is named by UV_PYTHON_INSTALL_MIRROR, a proxy by HTTPS_PROXY)"
        )


def _newest_first(paths: Iterator[Path]) -> list[Path]:
    return sorted(
        paths, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True
    )
