"""The configured sources with their secrets, which only the environment holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from recovery.settings import SettingsError
from recovery.webhook import WebhookSource

_SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Source:
    """One source that is ready for use.

    Attributes:
        settings: As the settings file has it.
        secrets: The present one, and the one before while it is still taken.
    """

    settings: WebhookSource
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """As in the settings; also the channel of its conversations."""
        return self.settings.id

    @property
    def business(self) -> str:
        """Whose."""
        return self.settings.business


class Sources:
    """All sources of a desk."""

    def __init__(self, sources: tuple[Source, ...] = ()) -> None:
        """Take them in the order of the settings."""
        self._sources = {source.id: source for source in sources}

    def __iter__(self) -> Iterator[Source]:
        """Go through them in the order of the settings."""
        return iter(self._sources.values())

    def get(self, source_id: str) -> Source | None:
        """One source by id."""
        return self._sources.get(source_id)


def read_sources(settings: tuple[WebhookSource, ...], environ: Mapping[str, str]) -> Sources:
    """Put the sources together with their secrets.

    Args:
        settings: From the settings file.
        environ: The environment.

    Raises:
        SettingsError: A variable is not set, or its secret is too short; names source and
            variable, never its content.
    """
    return Sources(tuple(_source(one, environ) for one in settings))


def _source(one: WebhookSource, environ: Mapping[str, str]) -> Source:
    secrets = []
    for variable in (one.secret_env, one.previous_secret_env):
        if variable is None:
            continue
        secret = environ.get(variable, "").strip()
        if not secret:
            raise SettingsError(
                f"webhooks.{one.id}: the environment variable {variable} is not set"
            )
        if len(secret) < _SHORTEST_SECRET:
            where = f"webhooks.{one.id}: {variable}"
            raise SettingsError(f"{where}: a secret has at least {_SHORTEST_SECRET} characters")
        secrets.append(secret)
    return Source(one, tuple(secrets))
