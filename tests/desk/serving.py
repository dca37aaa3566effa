"""A desk that serves from within the test: real HTTP and sockets, no Rasa, a clock of its own."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sanic import Sanic

from desk.__main__ import make_context
from desk.app import make_app
from desk.context import Context
from desk.sanic_types import App
from recovery.settings import Settings
from tests.support.stack import ROOT, free_port

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class Clock:
    """A clock that a test winds on."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Desk:
    """A desk that serves."""

    context: Context
    app: App
    url: str


def a_context(folder: Path, clock: Callable[[], datetime], **changes: object) -> Context:
    """A desk's stores, not served yet."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    changes = {"rasa": [f"http://127.0.0.1:{free_port()}"], "data": folder / "var"} | changes
    content |= changes
    # What is told once to every customer would stand between what a test looks at.
    content["businesses"] = [{"privacy_notice": ""} | one for one in content["businesses"]]
    return replace(make_context(Settings.model_validate(content)), clock=clock)


@asynccontextmanager
async def serving(context: Context) -> AsyncIterator[Desk]:
    """Serve for the length of the block; the stores are closed with it."""
    app = make_app(context)
    # Sanic rewrites its own classes at a start, which works once in a process.
    app.config.TOUCHUP = False
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = await app.create_server(
        sock=listener, return_asyncio_server=True, access_log=False, asyncio_server_kwargs={}
    )
    assert server is not None
    await server.startup()
    await server.before_start()
    try:
        await server.after_start()
        await server.start_serving()
        yield Desk(context, app, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        await server.before_stop()
        await server.close()
        for connection in server.connections:
            connection.close_if_idle()
        await server.after_stop()
        Sanic.unregister_app(app)
