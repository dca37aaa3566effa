"""Run the Rasa process: `python -m bot --model models/x.tar.gz`.

It serves `bot.channel` and nothing else: none of Rasa's HTTP API, no other channel of
credentials.yml, no telemetry, no access log.
"""

# isort: off
import bot.environment  # noqa: F401  before Rasa is imported
# isort: on

import argparse
import asyncio
import logging
import sys
from functools import partial
from pathlib import Path

import jieba
from rasa.core.channels import channel as rasa_channels
from rasa.core.channels.channel import UserMessage
from rasa.core.run import close_resources, create_http_input_channels, load_agent_on_start
from rasa.core.utils import AvailableEndpoints
from rasa.utils.common import configure_logging_and_warnings
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from bot import logs
from bot.channel import DeskChannel, error_answer
from bot.tracker_store import CachedTrackerStore
from bot.turns import strict

logger = logging.getLogger("bot")


class MisconfiguredError(RuntimeError):
    """endpoints.yml or credentials.yml would have this process do what it must not."""


def make_app(model: Path, endpoints: AvailableEndpoints, credentials: Path) -> Sanic:
    """Make the server; the model is loaded when it starts.

    Args:
        model: A model archive, or a folder whose newest archive is taken.
        endpoints: As read from endpoints.yml.
        credentials: Path of credentials.yml.

    Returns:
        The server, not yet running.

    Raises:
        MisconfiguredError: There is another channel than ours.
    """
    channels = create_http_input_channels(None, str(credentials))
    if len(channels) != 1 or not isinstance(channels[0], DeskChannel):
        raise MisconfiguredError(
            "credentials.yml must name bot.channel.DeskChannel and no other channel: others let "
            "anybody speak as anybody. For a try, use `rasa run` or `rasa shell`."
        )
    app = Sanic("huixin_rasa", configure_logging=False)
    rasa_channels.register(channels, app, route="/")
    app.error_handler.add(SanicException, _refuse)
    app.register_listener(
        partial(load_agent_on_start, str(model), endpoints, None), "before_server_start"
    )
    app.register_listener(_make_ready, "before_server_start")
    app.register_listener(close_resources, "after_server_stop")
    return app


async def _make_ready(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
    agent = app.ctx.agent
    if not isinstance(strict(agent.tracker_store), CachedTrackerStore):
        raise MisconfiguredError(
            "endpoints.yml must set tracker_store to bot.tracker_store.CachedTrackerStore, "
            "else conversations live in memory only."
        )
    if agent.is_ready():
        # The first parse reads jieba's dictionary, a second of work that no customer waits for.
        jieba.initialize()
        await agent.processor.parse_message(UserMessage("你好"))
        logger.info("ready", extra={"model": agent.model_id})
    else:
        logger.error("No model could be loaded; /readyz says so")


def _refuse(_: Request, error: SanicException) -> HTTPResponse:
    """Answer what never reached a route of ours (unknown path, wrong method, broken HTTP)."""
    status = getattr(error, "status_code", None) or 500
    return error_answer(status, f"http_{status}", type(error).__name__)


def main(arguments: list[str] | None = None) -> None:
    """Serve until stopped.

    Args:
        arguments: Those of the command line, without the program's name.
    """
    parser = argparse.ArgumentParser(prog="python -m bot", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5005)
    parser.add_argument("--config-dir", type=Path, default=Path())
    options = parser.parse_args(arguments)

    configure_logging_and_warnings(logging.WARNING, filter_repeated_logs=False)
    logs.configure()
    credentials = options.config_dir / "credentials.yml"
    endpoints_file = options.config_dir / "endpoints.yml"
    for file in (credentials, endpoints_file):
        if not file.is_file():
            parser.error(f"{file} does not exist")
    try:
        endpoints = AvailableEndpoints.read_endpoints(str(endpoints_file))
        app = make_app(options.model, endpoints, credentials)
    except MisconfiguredError as error:
        sys.exit(str(error))
    # One worker: order and locks are kept in this process. More load, more processes.
    app.run(
        host=options.host,
        port=options.port,
        workers=1,
        access_log=False,
        debug=False,
    )


if __name__ == "__main__":
    main()
