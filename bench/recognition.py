"""What recognition costs: a message, the disk, the memory, and a training of everything."""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.console import ToolError
from tools.model import command_environment, training
from tools.places import Places
from tools.steps import Command, step

_PROBE_LIMIT = 300.0


@dataclass(frozen=True)
class Costs:
    """Of recognition.

    Attributes:
        emotion_ms: Anger and signals of one message of sixty characters, median, one core.
        parse_ms: The whole of NLU of the same message, median, one core.
        emotion_disk: Bytes of the recogniser in the model archive, unpacked.
        emotion_memory: Bytes that Rasa's process grows by when it loads and uses the recogniser.
        training_s: Seconds of a training as `make train` does it, nothing kept from before.
    """

    emotion_ms: float
    parse_ms: float
    emotion_disk: int
    emotion_memory: int
    training_s: float


def measured(places: Places, model: Path) -> Costs:
    """Measure.

    Args:
        places: The checkout; the nlu environment must exist.
        model: A model of the present data.

    Raises:
        ToolError: The probe or the training failed.
    """
    with tempfile.TemporaryDirectory(prefix="huixin-probe-") as draft:
        output = Path(draft) / "costs.json"
        command: Command = [places.nlu_python, "-m", "bench.probe", model, output]
        status = step(command, places.root, command_environment(), _PROBE_LIMIT)
        if status != 0:
            raise ToolError(f"recognition could not be measured (status {status}, see above)")
        found = json.loads(output.read_text("utf-8"))
    return Costs(**found, training_s=_training(places))


def _training(places: Places) -> float:
    with tempfile.TemporaryDirectory(prefix="huixin-training-") as draft:
        command = [*training(places, "measured", draft), "--force"]
        environment = {**command_environment(), "RASA_CACHE_DIRECTORY": str(Path(draft) / "cache")}
        began = time.monotonic()
        status = step(command, places.root, environment)
        if status != 0:
            raise ToolError(f"the training that is measured failed (status {status}, see above)")
        return time.monotonic() - began
