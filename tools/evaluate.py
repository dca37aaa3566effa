"""`make eval`: has the model trained if need be, and scores it in Rasa's environment."""

from __future__ import annotations

from pathlib import Path

from tools import environments, model
from tools.console import ToolError, run_main
from tools.places import here
from tools.steps import end_on_sigterm, step


def main(arguments: list[str]) -> int:
    """Evaluate; an argument names a file of one's own to score.

    Raises:
        ToolError: The file is not there.
    """
    end_on_sigterm()
    places = here()
    gold: list[str | Path] = []
    if arguments:
        path = Path(arguments[0]).resolve()
        if not path.is_file():
            raise ToolError(f"{arguments[0]} is not there: make eval GOLD=path/to/gold.jsonl")
        gold = ["--gold", path]
    environments.ensure(places, tests=True)
    trained = model.ensure(places)
    return step(
        [places.nlu_python, "-m", "evaluation", "--model", trained, *gold],
        places.root,
        model.command_environment(),
    )


if __name__ == "__main__":
    run_main(main)
