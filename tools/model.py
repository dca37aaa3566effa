"""Trains the Rasa model if `models/` has none for the present training data."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools import environments
from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.stamps import digest, only_one
from tools.steps import Command, end_on_sigterm, step

RASA_ENVIRONMENT = {
    "RASA_TELEMETRY_ENABLED": "false",
    # TensorFlow's start-up remarks about the processor.
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
"""Variables for every Rasa command and process."""


def command_environment() -> dict[str, str]:
    """Return the variables for a Rasa command run by make.

    Where nobody watches, Rasa is kept to warnings: it draws its progress bars into log files,
    too, hundreds of lines for each.
    """
    watched = sys.stdout.isatty()
    return {**RASA_ENVIRONMENT, **({} if watched else {"LOG_LEVEL": "WARNING"})}


_DRAFTS = ".training-"


def key(places: Places) -> str:
    """Return the key of the present training data: 16 hex digits.

    It covers the domain, the configuration, all of `data/`, our graph components in
    `bot/nlu/` and the versions of the nlu environment.

    Raises:
        ToolError: the domain or the configuration is missing.
    """
    root = places.root
    files = [root / "domain.yml", root / "config.yml", places.requirements / "nlu.txt"]
    for needed in files:
        if not needed.is_file():
            raise ToolError(f"{needed} is missing: this checkout has no Rasa project to train")
    for folder in (root / "data", root / "bot" / "nlu"):
        files += [
            path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ]
    return digest(files, root)[:16]


def model_path(places: Places) -> Path:
    """Return where the model of the present training data lies, or would lie."""
    return places.models / f"huixin-{key(places)}.tar.gz"


def ensure(places: Places) -> Path:
    """Return the model of the present training data, trained now if there is none.

    The nlu environment must exist. A model appears under its name only when it is whole.

    Raises:
        ToolError: the training failed.
    """
    path = model_path(places)
    if path.is_file():
        return path
    with only_one(places.locks, "model"):
        if not path.is_file():
            _train(places, path)
    return path


def training(places: Places, name: str, out: str) -> Command:
    """Return the command that trains everything.

    Args:
        places: the checkout.
        name: of the archive, without its ending.
        out: folder it is written to.
    """
    return [
        *(places.nlu_python, "-m", "rasa", "train", "--fixed-model-name", name),
        # It reads all data a second time; `make test` validates, see tools/checks.py.
        *("--skip-validation", "--out", out),
    ]


def _train(places: Places, path: Path) -> None:
    say(f"model: training {path.name}, which takes a few minutes")
    places.models.mkdir(exist_ok=True)
    for left_over in places.models.glob(f"{_DRAFTS}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    name = path.name.removesuffix(".tar.gz")
    with tempfile.TemporaryDirectory(prefix=_DRAFTS, dir=places.models) as draft:
        status = step(training(places, name, draft), places.root, command_environment())
        trained = Path(draft) / path.name
        if status != 0 or not trained.is_file():
            raise ToolError(f"the model could not be trained (status {status}, see above)")
        os.replace(trained, path)


def main(_arguments: list[str]) -> int:
    """Train if there is no model for the present data, and say which one it is."""
    end_on_sigterm()
    places = here()
    environments.ensure(places)
    say(f"model: {ensure(places).relative_to(places.root)}")
    return 0


if __name__ == "__main__":
    run_main(main)
