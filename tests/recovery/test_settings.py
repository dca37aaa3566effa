"""The settings file is checked at start; what is wrong is named by file and setting."""

import json
import os
import stat
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from recovery.business import HttpOrdersSetting, Industry
from recovery.failures import TRADES
from recovery.settings import Secrets, Settings, SettingsError, load_secrets, load_settings
from tools.places import here

SHIPPED = here().root / "huixin.yml"


@pytest.fixture
def content() -> Any:  # noqa: ANN401 - YAML
    """The shipped settings, to be spoilt."""
    return yaml.safe_load(SHIPPED.read_text("utf-8"))


def written(folder: Path, content: object) -> Path:
    path = folder / "huixin.yml"
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, "utf-8")
    return path


# --- what is right --------------------------------------------------------------------------


def test_the_shipped_file_serves_a_business_of_every_trade() -> None:
    settings = load_settings(SHIPPED)
    assert [(one.id, one.industry) for one in settings.directory()] == [
        ("lanting", "hotel"),
        ("qinghe", "shop"),
        ("xiaoguan", "restaurant"),
        ("hengji", "retail"),
        ("wutong", "property"),
        ("yuanxing", "travel"),
    ]
    assert {one.orders.kind for one in settings.directory()} == {"embedded"}
    assert settings.data == SHIPPED.parent / "var"
    assert settings.database_url == f"sqlite:///{SHIPPED.parent / 'var' / 'desk.sqlite3'}"


def test_what_is_absent_has_a_default(tmp_path: Path, content: Any) -> None:  # noqa: ANN401
    settings = load_settings(written(tmp_path, {"businesses": content["businesses"]}))
    assert settings.data == tmp_path / "var"
    assert (settings.desk.host, settings.desk.port) == ("0.0.0.0", 8000)  # noqa: S104
    assert (settings.actions.host, settings.rasa) == ("127.0.0.1", ("http://127.0.0.1:5005",))
    assert settings.limits.proof_tries_per_order_and_day == 5


def test_data_lies_where_the_file_says_not_where_the_process_stands(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = written(tmp_path, {**content, "data": "somewhere/else"})
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    assert load_settings(path).data == tmp_path / "somewhere" / "else"
    assert load_settings(written(tmp_path, {**content, "data": "/srv/huixin"})).data == Path(
        "/srv/huixin"
    )


def test_the_environment_names_another_file(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUIXIN_SETTINGS", str(written(tmp_path, content)))
    assert load_settings().data == tmp_path / "var"


def test_addresses_are_taken_with_and_without_a_slash_at_the_end(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
) -> None:
    content |= {"rasa": ["http://127.0.0.1:5005/"], "origins": ["https://shop.example/"]}
    settings = load_settings(written(tmp_path, content))
    assert settings.rasa == ("http://127.0.0.1:5005",)
    assert settings.origins == ("https://shop.example",)


# --- what is wrong --------------------------------------------------------------------------


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    """Set one setting, however deep."""

    def spoil(content: Any) -> None:  # noqa: ANN401
        for part in path[:-1]:
            content = content.setdefault(part, {}) if isinstance(content, dict) else content[part]
        content[path[-1]] = value

    return spoil


def drop(*path: str | int) -> Callable[[Any], None]:
    def spoil(content: Any) -> None:  # noqa: ANN401
        for part in path[:-1]:
            content = content[part]
        del content[path[-1]]

    return spoil


def another(field: str) -> Callable[[Any], None]:
    """Let the second business use an id of the first."""

    def spoil(content: Any) -> None:  # noqa: ANN401
        first, second = content["businesses"][:2]
        if field == "business":
            second["id"] = first["id"]
        else:
            second["rooms"][0]["id"] = first["rooms"][0]["id"]

    return spoil


HOTEL = ("businesses", 0)
HTTP = {"kind": "http", "url": "https://orders.example/huixin", "token_env": "LANTING_TOKEN"}
WRONG: dict[str, tuple[Callable[[Any], None], str]] = {
    "unknown setting": (put("colour", value="red"), "colour"),
    "unknown limit": (put("limits", "bursts", value=3), "limits.bursts"),
    "no businesses": (drop("businesses"), "businesses"),
    "empty businesses": (put("businesses", value=[]), "businesses"),
    "businesses are words": (put("businesses", value="lanting"), "businesses"),
    "port too high": (put("desk", "port", value=65536), "desk.port"),
    "port below nothing": (put("desk", "port", value=-1), "desk.port"),
    "port is a word": (put("desk", "port", value="eight"), "desk.port"),
    "listen is a word": (put("desk", value="everywhere"), "desk"),
    "no rasa": (put("rasa", value=[]), "rasa"),
    "rasa is no address": (put("rasa", value=["127.0.0.1:5005"]), "rasa"),
    "rasa with a path": (put("rasa", value=["http://127.0.0.1:5005/webhooks"]), "rasa"),
    "rasa without host": (put("rasa", value=["http://"]), "rasa"),
    "origin with a path": (put("origins", value=["https://shop.example/page"]), "origins"),
    "origin is a star": (put("origins", value=["*"]), "origins"),
    "database is no URL": (put("database", value="huixin"), "database"),
    "database unknown": (put("database", value="mysql://localhost/huixin"), "database"),
    "database driver absent": (put("database", value="postgresql://localhost/x"), "database"),
    "no patience": (put("give_up_seconds", value=0), "give_up_seconds"),
    "patience below nothing": (put("holding_seconds", value=-1), "holding_seconds"),
    "endless episodes": (put("episode_turns", value=91), "episode_turns"),
    "burst of nothing": (put("limits", "burst", value=0), "limits.burst"),
    "pace of nothing": (put("limits", "per_second", value=0), "limits.per_second"),
    "proof of nothing": (
        put("limits", "proof_tries_per_order_and_day", value=0),
        "limits.proof_tries_per_order_and_day",
    ),
    "cookies maybe": (put("secure_cookies", value="maybe"), "secure_cookies"),
    "business without id": (drop(*HOTEL, "id"), "businesses.0.id"),
    "id with capitals": (put(*HOTEL, "id", value="Lanting"), "businesses.0.id"),
    "id in Chinese": (put(*HOTEL, "id", value="岚庭"), "businesses.0.id"),
    "id with a slash": (put(*HOTEL, "id", value="lan/ting"), "businesses.0.id"),
    "one-letter id": (put(*HOTEL, "id", value="l"), "businesses.0.id"),
    "empty name": (put(*HOTEL, "name", value=""), "businesses.0.name"),
    "unknown industry": (put(*HOTEL, "industry", value="airline"), "businesses.0.industry"),
    "no hours": (drop(*HOTEL, "hours"), "businesses.0.hours"),
    "never closes": (put(*HOTEL, "hours", "closes", value="24:30"), "businesses.0.hours.closes"),
    "closes as it opens": (put(*HOTEL, "hours", "closes", value="08:00"), "businesses.0.hours"),
    "time without quotes": (
        put(*HOTEL, "hours", "closes", value=1380),
        "businesses.0.hours.closes",
    ),
    "unknown zone": (put(*HOTEL, "timezone", value="Asia/Nowhere"), "businesses.0.timezone"),
    "zone is a path": (put(*HOTEL, "timezone", value="../../etc"), "businesses.0.timezone"),
    "answers at once": (put(*HOTEL, "reply_minutes", value=0), "businesses.0.reply_minutes"),
    "orders of no kind": (put(*HOTEL, "orders", value={}), "businesses.0.orders"),
    "orders by letter": (
        put(*HOTEL, "orders", value={"kind": "letter"}),
        "businesses.0.orders",
    ),
    "orders are a word": (put(*HOTEL, "orders", value="embedded"), "businesses.0.orders"),
    "unknown setting of orders": (
        put(*HOTEL, "orders", value={"kind": "embedded", "token": "x"}),
        "businesses.0.orders.embedded.token",
    ),
    "orders without a token": (
        put(*HOTEL, "orders", value={"kind": "http", "url": "https://orders.example"}),
        "businesses.0.orders.http.token_env",
    ),
    "token instead of its variable": (
        put(*HOTEL, "orders", value={**HTTP, "token_env": "s3cret-token"}),
        "businesses.0.orders.http.token_env",
    ),
    "no rooms": (put(*HOTEL, "rooms", value=[]), "businesses.0.rooms"),
    "room without welcome": (drop(*HOTEL, "rooms", 0, "welcome"), "businesses.0.rooms.0.welcome"),
    "unknown room setting": (put(*HOTEL, "rooms", 0, "size", value=3), "businesses.0.rooms.0.size"),
    "business id used twice": (another("business"), "businesses"),
    "room id used twice": (another("room"), "businesses"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_setting_is_named_with_its_file(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
    kind: str,
) -> None:
    spoil, setting = WRONG[kind]
    spoil(content)
    path = written(tmp_path, content)
    with pytest.raises(SettingsError) as error:
        load_settings(path)
    assert str(error.value).startswith(f"{path}: ")
    assert f" {setting}: " in str(error.value)


def test_all_wrong_settings_are_named_at_once(tmp_path: Path, content: Any) -> None:  # noqa: ANN401
    content["desk"]["port"] = -1
    content["businesses"][1]["industry"] = "airline"
    with pytest.raises(SettingsError, match=r"desk\.port: .*; businesses\.1\.industry: "):
        load_settings(written(tmp_path, content))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "file"),
        ("just words", "file"),
        ("- a\n- list\n", "file"),
        ("businesses: [", "not YAML"),
        ("a: 1\n\tb: 2\n", "not YAML"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_what_is_no_settings_file(tmp_path: Path, text: str, cause: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load_settings(path)
    assert str(error.value).startswith(f"{path}: ")
    assert cause in str(error.value)


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no such settings file \(set HUIXIN_SETTINGS\)"):
        load_settings(tmp_path / "absent.yml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(binary)


def test_hours_are_those_of_the_file(tmp_path: Path, content: Any) -> None:  # noqa: ANN401
    content["businesses"][0]["hours"] = {"opens": "09:00", "closes": "22:00"}
    hotel, *_ = load_settings(written(tmp_path, content)).directory()
    assert (hotel.hours.opens, hotel.hours.closes) == (time(9), time(22))
    unquoted = SHIPPED.read_text("utf-8").replace('"23:00"', "23:00")
    with pytest.raises(SettingsError, match="in quotes"):
        load_settings(written(tmp_path, unquoted))


# --- orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://orders.example", "https://orders.example"),
        ("https://orders.example:8443/huixin/", "https://orders.example:8443/huixin"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_orders_of_a_business_may_be_elsewhere(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
    url: str,
    kept: str,
) -> None:
    put(*HOTEL, "orders", value={**HTTP, "url": url})(content)
    hotel, shop, *_ = load_settings(written(tmp_path, content)).directory()
    assert isinstance(hotel.orders, HttpOrdersSetting)
    assert (hotel.orders.url, hotel.orders.token_env) == (kept, "LANTING_TOKEN")
    assert shop.orders.kind == "embedded"


@pytest.mark.parametrize(
    "url",
    [
        "http://orders.example",
        "http://10.0.0.7",
        "http://127.0.0.1.orders.example",
        "http://localhost@orders.example",
        "https://user:password@orders.example",
        "https://@orders.example",
        "https://orders.example/?token=password",
        "https://orders.example/#password",
        "https://orders.example:password",
        "https://orders.example/pass\nword",
        "https://orders.example /",
        "https://orders.example\\@127.0.0.1/",
        "ftp://orders.example",
        "orders.example",
        "https://",
        "",
    ],
)
def test_an_address_to_which_no_token_may_be_sent(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
    url: str,
) -> None:
    put(*HOTEL, "orders", value={**HTTP, "url": url})(content)
    with pytest.raises(SettingsError, match=r"businesses\.0\.orders\.http\.url: ") as error:
        load_settings(written(tmp_path, content))
    assert "password" not in str(error.value)


def test_the_industries_are_those_that_failures_are_known_of() -> None:
    assert get_args(Industry) == TRADES


# --- secrets --------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, content: Any) -> Settings:  # noqa: ANN401
    return load_settings(written(tmp_path, content))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_for_the_owner_only(settings: Settings) -> None:
    before = os.umask(0)
    try:
        made = load_secrets(settings)
    finally:
        os.umask(before)
    path = settings.data / "secrets.json"
    assert mode(path) == 0o600
    assert load_secrets(settings) == made
    assert list(settings.data.iterdir()) == [path], "nothing is left beside it"
    everything = [made.rasa_token, made.signing_key, *made.identity_keys.values()]
    assert set(made.identity_keys) == {one.id for one in settings.businesses}
    assert len(set(everything)) == len(everything) == 2 + len(settings.businesses)
    assert all(len(secret) >= 43 for secret in everything), "256 random bits"


def test_a_business_that_is_added_gets_a_key_and_the_others_keep_theirs(
    tmp_path: Path,
    content: Any,  # noqa: ANN401
) -> None:
    both = content["businesses"][:2]
    first = load_secrets(load_settings(written(tmp_path, {**content, "businesses": both[:1]})))
    more = load_secrets(load_settings(written(tmp_path, {**content, "businesses": both})))
    assert set(first.identity_keys) == {"lanting"}
    assert set(more.identity_keys) == {"lanting", "qinghe"}
    assert more.identity_keys["lanting"] == first.identity_keys["lanting"]
    assert (more.rasa_token, more.signing_key) == (first.rasa_token, first.signing_key)
    fewer = load_secrets(load_settings(written(tmp_path, {**content, "businesses": both[:1]})))
    assert fewer == more, "a business that comes back finds its key again"
    assert mode(tmp_path / "var" / "secrets.json") == 0o600


def test_a_file_that_others_could_read_is_closed(settings: Settings) -> None:
    made = load_secrets(settings)
    path = settings.data / "secrets.json"
    path.chmod(0o644)
    assert load_secrets(settings) == made
    assert mode(path) == 0o600


@pytest.mark.parametrize("damage", ["", "{", "[]", '"x"', '{"identity_keys": []}', "\x00"])
def test_damaged_secrets_are_not_replaced_in_silence(settings: Settings, damage: str) -> None:
    """New ones would lock out every host site and make every invitation void."""
    load_secrets(settings)
    path = settings.data / "secrets.json"
    path.write_text(damage, "utf-8")
    with pytest.raises(SettingsError) as error:
        load_secrets(settings)
    assert str(error.value).startswith(f"{path}: ")
    assert path.read_text("utf-8") == damage


def test_a_lost_secret_is_made_anew_and_the_rest_kept(settings: Settings) -> None:
    made = load_secrets(settings)
    path = settings.data / "secrets.json"
    kept = made.model_dump()
    del kept["signing_key"]
    path.write_text(json.dumps(kept), "utf-8")
    again = load_secrets(settings)
    assert again.signing_key not in ("", made.signing_key)
    assert again == Secrets(**{**made.model_dump(), "signing_key": again.signing_key})
