"""The real processes, for tests: `tools.stack` with the model that tests are content with."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from tests.support.forged import forged
from tools import model, stack
from tools.places import here
from tools.stack import PATIENCE, ROOT, answers, free_port, started, wait_until

__all__ = [
    "BY_HAND",
    "PATIENCE",
    "ROOT",
    "Stack",
    "answers",
    "free_port",
    "running",
    "usable_model",
    "wait_until",
]

BY_HAND = {"assignment": "manual", "silent_minutes": 24 * 60}
"""For every business: who has which conversation is decided by the test, and by nobody else."""


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
    """Desk, actions and Rasa as processes, with the usable model.

    Attributes:
        cold: Whether what is started from now on starts as for operators, importing everything.
    """

    def __init__(self, folder: Path, *, cold: bool = False, **changes: Any) -> None:  # noqa: ANN401
        """Write the settings; nothing runs yet.

        Args:
            folder: For data, settings and logs.
            cold: See above; else processes come from `tests.support.forge`.
            **changes: Settings that differ from huixin.yml.
        """
        self.cold = cold
        super().__init__(folder, usable_model(), **changes)

    def run(self, *arguments: str, **more: str) -> None:
        """Run a command of the desk to its end.

        Raises:
            CalledProcessError: It has failed; `stderr` has all that it printed.
        """
        if self.cold:
            return super().run(*arguments, **more)
        log = self.folder / "commands.log"
        before = log.stat().st_size if log.exists() else 0
        process = forged("service", "desk", list(arguments), self.environment(**more), log)
        if status := process.wait(60):
            printed = log.read_bytes()[before:]
            raise CalledProcessError(status, process.args, stderr=printed)

    def _begin(self, name: str, environment: Mapping[str, str]) -> Any:  # noqa: ANN401
        if self.cold:
            return super()._begin(name, environment)
        _, _, module, *arguments = self._command(name)
        kind = "nlu" if name == "rasa" else "service"
        return forged(kind, module, arguments, environment, self.folder / f"{name}.log")


@contextmanager
def running(folder: Path, *names: str, **changes: Any) -> Iterator[Stack]:  # noqa: ANN401
    """A stack whose processes end with the block."""
    with started(Stack(folder, **changes), *names) as processes:
        yield processes
