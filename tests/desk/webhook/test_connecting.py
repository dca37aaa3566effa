"""Connecting a source: its settings, the worked example, and the check that operators run."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from desk.channels.webhook.check import check
from desk.channels.webhook.sources import read_sources
from recovery.clock import utc_now
from recovery.settings import Settings, SettingsError, load_settings
from tests.desk.people import PATIENCE
from tests.desk.scripted_rasa import scripted_rasa
from tests.desk.serving import a_context, serving
from tests.support.stack import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "webhook" / "source.py"
SECRET = "an-invented-secret-of-forty-characters-x"
SOURCE: dict[str, Any] = {
    "id": "app",
    "business": "lanting",
    "name": "岚庭App",
    "url": "https://app.example/huixin",
    "secret_env": "APP_SECRET",
}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "plain http to another machine": ({"url": "http://app.example/"}, "webhooks.0.url"),
    "no address": ({"url": "https://[::"}, "webhooks.0.url"),
    "a password in the address": ({"url": "https://a:b@app.example/"}, "webhooks.0.url"),
    "the name of another channel": ({"id": "wechat"}, "webhooks.0.id"),
    "no such business": ({"business": "nobody"}, "webhooks.app: no business"),
    "a room of another business": ({"room": "qinghe-square"}, "webhooks.app: room"),
    "private and mute": ({"private_messages": False}, "private_messages"),
    "one secret twice": ({"previous_secret_env": "APP_SECRET"}, "previous_secret_env"),
    "unknown setting": ({"secret": SECRET}, "webhooks.0.secret"),
}


def settings_with(*sources: dict[str, Any]) -> Settings:
    content: dict[str, Any] = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    return Settings.model_validate(content | {"webhooks": list(sources)})


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_setting_is_named(name: str, tmp_path: Path) -> None:
    change, named = BAD[name]
    file = tmp_path / "huixin.yml"
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    file.write_text(yaml.safe_dump(content | {"webhooks": [SOURCE | change]}), "utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert named in str(error.value)


def test_a_missing_or_short_secret_stops_the_start_and_is_not_quoted() -> None:
    settings = settings_with(SOURCE | {"previous_secret_env": "OLD_SECRET"})
    for environ, named in (
        ({}, "webhooks.app: the environment variable APP_SECRET is not set"),
        ({"APP_SECRET": SECRET}, "OLD_SECRET is not set"),
        ({"APP_SECRET": "short-one", "OLD_SECRET": SECRET}, "APP_SECRET: a secret has at least 32"),
    ):
        with pytest.raises(SettingsError) as error:
            read_sources(settings.webhooks, environ)
        assert named in str(error.value) and "short-one" not in str(error.value)
    [source] = read_sources(settings.webhooks, {"APP_SECRET": SECRET, "OLD_SECRET": SECRET[::-1]})
    assert source.secrets == (SECRET, SECRET[::-1]) and SECRET not in repr(source)


@asynccontextmanager
async def example(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the example, with nothing of ours in its reach."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(EXAMPLE),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"HUIXIN_WEBHOOK_SECRET": SECRET, "PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()


async def findings(settings: Settings, environ: dict[str, str], source: str = "app") -> list[str]:
    return [str(one) async for one in check(settings, source, environ, utc_now)]


async def test_the_example_talks_to_the_desk_and_the_check_finds_it_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", SECRET)
    async with example("serve", "--port", "0") as receiver:
        url = await line_of(receiver)
        source = SOURCE | {"url": url}
        settings = settings_with(source)
        with scripted_rasa() as rasa:
            context = a_context(tmp_path, utc_now, rasa=[rasa.url], webhooks=[source])
            async with serving(context) as desk:
                desk.app.ctx.router.rasa_ready.set()
                to = f"{desk.url}/api/webhooks/app/messages"
                said = ("say", "房间没打扫", "--to", to, "--from", "10086", "--name", "阿明")
                async with example(*said) as sender:
                    assert '"state": "taken"' in await line_of(sender)
                assert await line_of(receiver) == "[私信] 给 10086：好的：房间没打扫"
        well = await findings(settings, {"APP_SECRET": SECRET})
        assert not any(one.startswith("[错]") for one in well)
        assert "[好] 签名错的请求，对方会拒绝" in well
        [*_, other] = await findings(settings, {"APP_SECRET": SECRET[::-1]})
        assert other.startswith("[错] 对方说签名不对（HTTP 401）")
    [*_, gone] = await findings(settings, {"APP_SECRET": SECRET})
    assert gone.startswith(f"[错] 连不上 {url}")
    assert (await findings(settings, {}))[0].startswith("[错] 没有设环境变量 APP_SECRET")
    assert "现有：app" in (await findings(settings, {}, "other"))[0]
