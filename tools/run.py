"""`make run`: prepares, migrates, and keeps desk, actions and Rasa running."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from tools import environments, model, pages, settings
from tools.console import ToolError, run_main, say
from tools.places import Places, here
from tools.ports import answers, require_free
from tools.settings import Address, RunSettings
from tools.steps import end_on_sigterm, step
from tools.supervisor import Service, Supervisor

TOKEN_VARIABLE = "HUIXIN_RASA_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable in which a Rasa process finds the token that the desk shows it."""

TRACKER_VARIABLE = "HUIXIN_TRACKER_DB"
"""Environment variable that names Rasa's database; the operator's own value is kept."""

DESK_HEAD_START = 20.0
"""Seconds that Rasa, which keeps a core busy while it loads, leaves to the desk at most."""


def run(places: Places) -> int:
    """Prepare the checkout, start everything, and return when it has been stopped.

    Returns:
        The exit status, see `tools.supervisor.Supervisor.run`.

    Raises:
        ToolError: it could not be started; the message has the cure.
    """
    environments.ensure(places)
    known = settings.read(places)
    # Before the long work, and before a migration under the feet of a run that goes on.
    require_free(known.addresses)
    pages.ensure(places)
    trained = model.ensure(places)
    migrate(places)
    show(known)
    supervisor = Supervisor(services(places, known, trained), places.root, say)
    return asyncio.run(supervisor.run())


def migrate(places: Places) -> None:
    """Bring the databases up to date and make the secrets, if there are none.

    Raises:
        ToolError: the migration failed.
    """
    if step([places.service_python, "-m", "desk", "migrate"], places.root) != 0:
        raise ToolError("the database could not be migrated (see above); nothing was started")


def rasa_token(data: Path) -> str:
    """Return the token between desk and Rasa.

    Args:
        data: the data folder of the settings.

    Raises:
        ToolError: the secrets cannot be read.
    """
    path = data / "secrets.json"
    try:
        token = json.loads(path.read_text(encoding="utf-8"))["rasa_token"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path} has no rasa_token ({error}); `make run` makes it") from None
    return str(token)


def services(places: Places, known: RunSettings, trained: Path) -> tuple[Service, ...]:
    """Return the processes in the order of their start, the desk first.

    Args:
        places: the checkout, migrated.
        known: its settings.
        trained: the model that Rasa loads.

    Raises:
        ToolError: the secrets cannot be read.
    """
    service, nlu = str(places.service_python), str(places.nlu_python)
    rasa_environment = {
        **model.RASA_ENVIRONMENT,
        TOKEN_VARIABLE: rasa_token(known.data),
        "HUIXIN_ACTIONS_URL": f"{known.actions.url}/webhook",
    }
    if known.data != places.root / "var":
        # Rasa knows endpoints.yml only, which names the default folder.
        own = os.environ.get(TRACKER_VARIABLE)
        rasa_environment[TRACKER_VARIABLE] = own or str(known.data / "rasa.sqlite3")
    return (
        Service(
            "desk",
            (service, "-m", "desk"),
            ready=_healthy(known.desk, "/healthz"),
            essential=True,
            head_start=DESK_HEAD_START,
        ),
        Service("actions", (service, "-m", "actions"), ready=_healthy(known.actions, "/readyz")),
        *(
            Service(
                address.name,
                (
                    *(nlu, "-m", "bot", "--model", str(trained)),
                    *("--host", address.host, "--port", str(address.port)),
                ),
                environment=rasa_environment,
                ready=_healthy(address, "/readyz"),
            )
            for address in known.rasa
        ),
    )


def show(known: RunSettings) -> None:
    """Print where everything is to be found."""
    say(
        f"\nHuixin: {known.desk.url}/  (staff: {known.desk.url}/staff)\n"
        + "".join(f"  {address.name}: {address.url}\n" for address in known.addresses[1:])
        + "The pages answer at once and say so until Rasa has loaded. Ctrl-C stops everything.\n"
    )


def _healthy(address: Address, route: str) -> Callable[[], Awaitable[bool]]:
    return functools.partial(answers, address.url + route)


def main(_arguments: list[str]) -> int:
    """Run Huixin until Ctrl-C."""
    end_on_sigterm()
    os.environ.update(model.RASA_ENVIRONMENT)
    return run(here())


if __name__ == "__main__":
    run_main(main)
