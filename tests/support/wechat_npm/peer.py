"""Two ciphers of WeChat from npm that share no code with ours: wechat-crypto, @wecom/crypto."""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.console import ToolError
from tools.pages import find_node
from tools.places import here
from tools.stamps import digest, only_one, read_stamp, remove_stamp, write_stamp

LIBRARIES = ("wechat-crypto", "@wecom/crypto")
_HERE = Path(__file__).resolve().parent
_PACKAGES = ("package.json", "package-lock.json", ".npmrc")


class AbsentError(RuntimeError):
    """There is no Node.js, or npm reaches no registry."""


@dataclass(frozen=True)
class Peer:
    """Node.js with both packages."""

    folder: Path
    environment: dict[str, str]

    def run(self, jobs: list[dict[str, Any]]) -> list[dict[str, str]]:
        """Carry out jobs of `peer.cjs`."""
        done = subprocess.run(
            ["node", "--no-deprecation", str(_HERE / "peer.cjs")],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            input=json.dumps(jobs).encode(),
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        results: list[dict[str, str]] = json.loads(done.stdout)
        return results


def install() -> Peer:
    """Install the packages of the lock file, once for each content of it.

    Raises:
        AbsentError: They cannot be had here.
    """
    places = here()
    folder = places.root / "var" / "tests" / "wechat_npm"
    try:
        node = find_node(places, os.environ)
    except ToolError as error:
        raise AbsentError(str(error)) from error
    stamp = folder / "node_modules" / ".huixin-packages.json"
    wanted = {"lock": digest([_HERE / name for name in _PACKAGES], _HERE)}
    with only_one(places.locks, "wechat-npm"):
        if read_stamp(stamp) != wanted:
            folder.mkdir(parents=True, exist_ok=True)
            remove_stamp(stamp)
            for name in _PACKAGES:
                shutil.copyfile(_HERE / name, folder / name)
            if node.run(folder, "ci", "--no-audit", "--no-fund", "--ignore-scripts") != 0:
                raise AbsentError("npm could not install wechat-crypto and @wecom/crypto")
            write_stamp(stamp, wanted)
    return Peer(folder, dict(node.environment))


def wire(text: str) -> str:
    """A text as the jobs carry it."""
    return base64.b64encode(text.encode()).decode()


def unwire(content: str) -> str:
    """A text out of a result."""
    return base64.b64decode(content).decode()
