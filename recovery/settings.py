"""The one file of settings, `huixin.yml`, checked at start; and the secrets beside the data."""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    ValidationError,
    field_validator,
    model_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from recovery.business import Business, Directory
from recovery.personal_data.retention import Retention
from recovery.webhook import WebhookSource
from recovery.wechat import WeChatAccount

DEFAULT_FILE = "huixin.yml"
ENVIRONMENT = "HUIXIN_SETTINGS"
_KEYS = ("identity_keys", "event_keys")


class SettingsError(ValueError):
    """The settings cannot be used; the message names the setting to change."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Section):
    """Where a process listens."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class Limits(_Section):
    """What one customer may do.

    Attributes:
        burst: Messages that may come at once.
        per_second: Messages a second in the long run.
        sessions_per_minute: New sessions from one address.
        remedied_cases_per_order: How many cases of one order the bot settles by itself; the next
            one goes to a person.
    """

    burst: int = Field(default=12, ge=1)
    per_second: float = Field(default=1.0, gt=0)
    sessions_per_minute: int = Field(default=60, ge=1)
    proof_tries_per_order_and_day: int = Field(default=5, ge=1)
    proof_tries_per_customer_and_day: int = Field(default=10, ge=1)
    remedied_cases_per_order: int = Field(default=1, ge=1)
    pictures_per_conversation_and_day: int = Field(default=20, ge=1)


class Settings(_Section):
    """All settings.

    Attributes:
        data: Directory of databases and secrets, relative to the settings file.
        database: SQLAlchemy URL; None for SQLite in `data`.
        policy: Directory of the remedy policy, relative to the settings file; None for the one
            that Huixin comes with.
        trusted_proxies: How many proxies in front add to X-Forwarded-For.
        secure_cookies: Set behind TLS.
        origins: Other origins whose pages may open sockets; the own one always may.
        metrics_from: Addresses that may read /metrics, beside this machine itself.
        video_calls: Address of a Jitsi Meet that staff may call customers on; None for no calls.
        public_url: Where customers' browsers find this desk, for links that are sent to them;
            None for none.
        wechat: Accounts of WeChat and of 微信客服.
        privacy: For how long what is kept (docs/personal-data.md).
        webhooks: Other sources of messages (docs/webhook.md).
    """

    data: Path = Path("var")
    database: str | None = None
    policy: Path | None = None
    desk: Listen = Listen(host="0.0.0.0", port=8000)  # noqa: S104 - the one public port
    actions: Listen = Listen(port=5055)
    rasa: tuple[str, ...] = Field(default=("http://127.0.0.1:5005",), min_length=1)
    rasa_seconds: float = Field(default=10.0, gt=0)
    holding_seconds: float = Field(default=5.0, gt=0)
    give_up_seconds: float = Field(default=90.0, gt=0)
    episode_turns: int = Field(default=20, ge=1, le=90)
    trusted_proxies: int = Field(default=0, ge=0)
    secure_cookies: bool = False
    origins: tuple[str, ...] = ()
    metrics_from: tuple[IPvAnyAddress, ...] = ()
    video_calls: str | None = None
    public_url: str | None = None
    limits: Limits = Limits()
    privacy: Retention = Retention()
    businesses: tuple[Business, ...]
    wechat: tuple[WeChatAccount, ...] = ()
    webhooks: tuple[WebhookSource, ...] = ()

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        try:
            driver = make_url(value).drivername if value else "sqlite"
        except ArgumentError as error:
            raise ValueError("no database URL") from error
        if driver not in ("sqlite", "postgresql+psycopg"):
            raise ValueError(f"{driver} is none of sqlite, postgresql+psycopg")
        return value

    @field_validator("rasa", "origins")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Addresses as `http://host:port`, a slash at the end taken off."""
        for address in value:
            parts = urlsplit(address)
            named = parts.scheme in ("http", "https") and parts.hostname
            if not named or parts.path.strip("/") or parts.query or parts.fragment:
                raise ValueError(f"{address!r} is no address like http://host:port")
        return tuple(address.rstrip("/") for address in value)

    @field_validator("public_url")
    @classmethod
    def _public_address(cls, value: str | None) -> str | None:
        """An address that is put before a path, a slash at the end taken off."""
        if value is None:
            return None
        parts = urlsplit(value)
        odd = not value.isascii() or not value.isprintable() or " " in value or "\\" in value
        named = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if odd or not named or parts.query or parts.fragment:
            raise ValueError(f"{value!r} is no address like https://desk.example")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _accounts_of_known_businesses(self) -> "Settings":
        known = {business.id for business in self.businesses}
        ids = [account.id for account in self.wechat]
        if len(set(ids)) < len(ids):
            raise ValueError("wechat: an account id is used twice")
        for account in self.wechat:
            if account.business not in known:
                raise ValueError(f"wechat.{account.id}: no business {account.business!r}")
        return self

    @model_validator(mode="after")
    def _sources_of_known_businesses(self) -> "Settings":
        rooms = {one.id: {room.id for room in one.rooms} for one in self.businesses}
        ids = [source.id for source in self.webhooks]
        if len(set(ids)) < len(ids):
            raise ValueError("webhooks: a source id is used twice")
        for source in self.webhooks:
            if source.business not in rooms:
                raise ValueError(f"webhooks.{source.id}: no business {source.business!r}")
            if source.room is not None and source.room not in rooms[source.business]:
                raise ValueError(f"webhooks.{source.id}: room: no room {source.room!r} of it")
        return self

    @field_validator("video_calls")
    @classmethod
    def _calls_in_secret(cls, value: str | None) -> str | None:
        """An address that a customer's browser can be sent to, a slash at the end taken off."""
        if value is None:
            return None
        parts = urlsplit(value)
        odd = not value.isascii() or not value.isprintable() or " " in value or "\\" in value
        if odd or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise ValueError(f"{value!r} is no address like https://meet.example")
        if parts.query or parts.fragment:
            raise ValueError("no query or fragment belongs into the address of video calls")
        return value.rstrip("/")

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the desk's database."""
        return self.database or f"sqlite:///{self.data / 'desk.sqlite3'}"

    @property
    def orders_file(self) -> Path:
        """The embedded order directory."""
        return self.data / "orders.sqlite3"

    def directory(self) -> Directory:
        """All businesses.

        Raises:
            SettingsError: An id is used twice.
        """
        try:
            return Directory(self.businesses)
        except ValueError as error:
            raise SettingsError(f"businesses: {error}") from error


def load_settings(path: Path | None = None) -> Settings:
    """Read and check the settings.

    Args:
        path: The file; None for `HUIXIN_SETTINGS`, else `huixin.yml` of the working directory.

    Returns:
        The settings; `data` is absolute.

    Raises:
        SettingsError: No such file, not YAML, or a wrong value; names file and setting.
    """
    path = path or Path(os.environ.get(ENVIRONMENT, DEFAULT_FILE))
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
        settings = Settings.model_validate(content)
        settings.directory()
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such settings file (set {ENVIRONMENT})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML: {error}") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in error.errors()
        )
        raise SettingsError(f"{path}: {wrong}") from error
    placed: dict[str, Path] = {"data": (path.parent / settings.data).resolve()}
    if settings.policy:
        placed["policy"] = (path.parent / settings.policy).resolve()
    return settings.model_copy(update=placed)


class Secrets(_Section):
    """Made at the first start, never in the settings file.

    Attributes:
        rasa_token: Between desk and Rasa.
        signing_key: Invitations and quick replies.
        seal_key: Closes what is secret in the database itself: second factors of staff.
        identity_keys: One for each business, shared with its host site.
        event_keys: One for each business, shared with its order system, which signs with it
            what it reports (docs/incidents.md), unless `events_secret_env` names another.
    """

    rasa_token: str
    signing_key: str
    seal_key: str
    identity_keys: dict[str, str]
    event_keys: dict[str, str] = {}


def load_secrets(settings: Settings) -> Secrets:
    """Read the secrets, making the missing ones.

    Args:
        settings: Names the directory and the businesses.

    Returns:
        All secrets. The file is readable by its owner only.

    Raises:
        SettingsError: The file of secrets is damaged.
    """
    path = settings.data / "secrets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _kept(path)
    keys = dict(known.get("identity_keys", {}))
    event_keys = dict(known.get("event_keys", {}))
    complete = Secrets(
        rasa_token=known.get("rasa_token") or secrets.token_urlsafe(32),
        signing_key=known.get("signing_key") or secrets.token_urlsafe(32),
        seal_key=known.get("seal_key") or secrets.token_urlsafe(32),
        identity_keys={
            one.id: keys.get(one.id) or secrets.token_urlsafe(32) for one in settings.businesses
        }
        | keys,
        event_keys={
            one.id: event_keys.get(one.id) or secrets.token_urlsafe(32)
            for one in settings.businesses
        }
        | event_keys,
    )
    if complete.model_dump() != known:
        fresh = path.with_name(f"secrets.{os.getpid()}.tmp")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(complete.model_dump_json(indent=1), "utf-8")
        fresh.replace(path)
    # A backup that was played back may have opened it.
    path.chmod(0o600)
    return complete


def _kept(path: Path) -> dict[str, Any]:
    """The secrets of former starts; making new ones would lock every page and session out.

    Raises:
        SettingsError: The file is there and cannot be used.
    """
    if not path.exists():
        return {}
    try:
        known = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        # The error may quote the file, so it is not passed on.
        raise SettingsError(f"{path}: cannot be read as JSON") from error
    keys = [known.get(one, {}) for one in _KEYS] if isinstance(known, dict) else [None]
    if not isinstance(known, dict) or not all(isinstance(one, dict) for one in keys):
        raise SettingsError(f"{path}: does not hold what Huixin has written")
    return known
