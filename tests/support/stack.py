"""The real processes, for tests: `tools.stack` with the model that tests are content with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import model, stack
from tools.places import here
from tools.stack import PATIENCE, ROOT, answers, free_port, started, wait_until

__all__ = [
    "PATIENCE",
    "ROOT",
    "Stack",
    "answers",
    "free_port",
    "running",
    "usable_model",
    "wait_until",
]


def usable_model() -> Path | None:
    """The model of the present data; while the data is being edited, the newest one.

    Where everything is required (CI) only the present one will do.
    """
    exact = model.model_path(here())
    if exact.is_file() or os.environ.get("HUIXIN_REQUIRE_ALL"):
        return exact if exact.is_file() else None
    others = sorted(here().models.glob("huixin-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    return others[-1] if others else None


class Stack(stack.Stack):
    """Desk, actions and Rasa as processes, with the usable model."""

    def __init__(self, folder: Path, **changes: Any) -> None:  # noqa: ANN401 - settings
        """Write the settings; nothing runs yet.

        Args:
            folder: For data, settings and logs.
            **changes: Settings that differ from huixin.yml.
        """
        super().__init__(folder, usable_model(), **changes)


@contextmanager
def running(folder: Path, *names: str, **changes: Any) -> Iterator[Stack]:  # noqa: ANN401
    """A stack whose processes end with the block."""
    with started(Stack(folder, **changes), *names) as processes:
        yield processes
