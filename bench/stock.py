"""Stock Rasa's model: trained once for the present data and kept by a hash of it."""

import os
import shutil
import tempfile
from pathlib import Path

from tools.console import ToolError, say
from tools.model import command_environment
from tools.places import Places
from tools.stamps import digest, only_one
from tools.steps import Command, step

CONFIG = Path(__file__).parent / "stock" / "config.yml"
# Not beside the desk's own models: `rasa shell` takes the newest archive that it finds there.
FOLDER = "bench"


def model_path(places: Places) -> Path:
    """Give where stock Rasa's model of the present data lies, or would lie.

    Args:
        places: The checkout.

    Returns:
        A path with a key over the domain, the training data, the stock configuration and the
        versions of the nlu environment.
    """
    root = places.root
    files = [root / "domain.yml", CONFIG, places.requirements / "nlu.txt"]
    files += [path for path in (root / "data").rglob("*") if path.is_file()]
    return places.models / FOLDER / f"stock-{digest(files, root)[:16]}.tar.gz"


def ensure(places: Places) -> Path:
    """Give stock Rasa's model, trained now if there is none for the present data.

    Args:
        places: The checkout; the nlu environment must exist.

    Raises:
        ToolError: The training failed.
    """
    path = model_path(places)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_one(places.locks, "stock-model"):
        if not path.is_file():
            _train(places, path)
    return path


def _train(places: Places, path: Path) -> None:
    say(f"stock Rasa: training {path.name} once, which takes some minutes")
    with tempfile.TemporaryDirectory(prefix=".training-", dir=path.parent) as draft:
        command: Command = [
            *(places.nlu_python, "-m", "rasa", "train", "--config", CONFIG),
            *("--fixed-model-name", path.name.removesuffix(".tar.gz"), "--out", draft),
        ]
        # A cache of its own: the project's keeps only so many trainings.
        environment = {**command_environment(), "RASA_CACHE_DIRECTORY": str(Path(draft) / "cache")}
        status = step(command, places.root, environment)
        trained = Path(draft) / path.name
        if status != 0 or not trained.is_file():
            raise ToolError(f"stock Rasa's model could not be trained (status {status}, see above)")
        for older in path.parent.glob("stock-*.tar.gz"):
            older.unlink()
        os.replace(trained, path)
        shutil.rmtree(Path(draft) / "cache", ignore_errors=True)
