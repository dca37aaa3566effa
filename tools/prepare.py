"""Prepares a checkout: environments, pages, model. A second time it has nothing to do."""

from __future__ import annotations

from pathlib import Path

from tools import environments, model, pages
from tools.console import run_main, say
from tools.places import Places, here
from tools.steps import end_on_sigterm


def prepare(places: Places, tests: bool = False) -> Path:
    """Make whatever is missing or out of date.

    Args:
        places: the checkout.
        tests: with the tests' requirements.

    Returns:
        The model of the present training data.

    Raises:
        ToolError: something could not be made; the message has the cure.
    """
    environments.ensure(places, tests)
    pages.ensure(places)
    return model.ensure(places)


def main(arguments: list[str]) -> int:
    """Prepare the checkout, with ``--tests`` for its tests too, with ``--quiet`` for a program."""
    end_on_sigterm()
    prepare(here(), tests="--tests" in arguments)
    if "--quiet" not in arguments:
        say("ready: `make run` starts Huixin")
    return 0


if __name__ == "__main__":
    run_main(main)
