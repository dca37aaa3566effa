"""What the supervisor has to know of `huixin.yml`: the data folder and who listens where.

Reading the settings takes the service environment (YAML, pydantic), which the tools do without.
So this module runs itself there and takes the answer as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tools.console import ToolError
from tools.places import Places
from tools.steps import ask

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Address:
    """Where a process listens.

    Attributes:
        name: name of the process.
        host: address to bind.
        port: port to bind.
        setting: the setting in `huixin.yml` that says so.
    """

    name: str
    host: str
    port: int
    setting: str

    @property
    def url(self) -> str:
        """The address as the same machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True)
class RunSettings:
    """The settings that a run needs.

    Attributes:
        data: folder of databases and secrets, absolute.
        desk: where the desk listens.
        actions: where the action server listens.
        rasa: one for each Rasa process on this machine; those elsewhere are not ours to start.
    """

    data: Path
    desk: Address
    actions: Address
    rasa: tuple[Address, ...]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Everything that has to be free before a start."""
        return (self.desk, self.actions, *self.rasa)


def read(places: Places) -> RunSettings:
    """Return the settings of the checkout; the service environment must exist.

    Raises:
        ToolError: the settings are wrong; the message names the setting to change.
    """
    answer = ask([places.service_python, "-m", "tools.settings"], cwd=places.root)
    if answer is None:
        raise ToolError(
            f"the settings could not be read; try `{places.service_python} -m tools.settings`"
        )
    known = json.loads(answer)
    if "error" in known:
        raise ToolError(f"settings: {known['error']}")
    return from_json(known)


def from_json(known: dict[str, object]) -> RunSettings:
    """Return the settings that `describe` printed.

    Raises:
        ToolError: an address of Rasa has no port.
    """
    rasa: list[Address] = []
    urls = known["rasa"]
    for index, url in enumerate(urls if isinstance(urls, list) else []):
        parts = urlsplit(str(url))
        if parts.hostname not in LOOPBACK:
            continue
        if parts.port is None:
            raise ToolError(f"settings: rasa: {url} names no port")
        name = "rasa" if not rasa else f"rasa-{len(rasa) + 1}"
        rasa.append(Address(name, parts.hostname, parts.port, f"rasa[{index}]"))
    desk, actions = known["desk"], known["actions"]
    return RunSettings(
        data=Path(str(known["data"])),
        desk=_address("desk", desk),
        actions=_address("actions", actions),
        rasa=tuple(rasa),
    )


def _address(name: str, pair: object) -> Address:
    host, port = pair if isinstance(pair, list) else (None, None)
    return Address(name, str(host), int(str(port)), f"{name}.port")


def describe() -> dict[str, object]:
    """Return the settings as JSON values; runs in the service environment."""
    from recovery.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        return {"error": str(error)}
    return {
        "data": str(settings.data),
        "desk": [settings.desk.host, settings.desk.port],
        "actions": [settings.actions.host, settings.actions.port],
        "rasa": list(settings.rasa),
    }


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
