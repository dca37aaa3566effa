"""The door of the Rasa process: what the desk posts, and the health of the process.

The routes are mounted at the root of Rasa's server (docs/architecture.md, "Desk -> Rasa").
Every answer is JSON; an error is `{"error": {"code", "message"}}`. The desk may repeat any
request: 500 and 503 mean that it should.
"""

import asyncio
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from bot import (
    incoming,
    prediction,  # noqa: F401  mends Rasa's prediction
)
from bot.locks import TooManyWaitingError
from bot.remote_action import close_session
from bot.turns import CHANNEL, Turns

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "HUIXIN_RASA_TOKEN"  # noqa: S105  the name of a variable
STOP_SECONDS = 5.0

Handler = Callable[[Request], Awaitable[HTTPResponse]]


class DeskChannel(InputChannel):
    """Takes the desk's messages and answers them in the same call."""

    def __init__(self) -> None:
        """Start with no turn under way."""
        self._turns = Turns()
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    def name(cls) -> str:
        """Give the name that stands in the tracker as input channel."""
        return CHANNEL

    def url_prefix(self) -> str:
        """Mount at the root, under `rasa run` too."""
        return "/"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Make the routes.

        Args:
            on_new_message: Rasa's handler; not used, it neither answers nor tells of failures.

        Returns:
            The blueprint.
        """
        blueprint = Blueprint("desk", url_prefix=None)

        @blueprint.post("/desk/messages")
        @_guarded
        async def messages(request: Request) -> HTTPResponse:
            message = incoming.customer_message(request.body, with_intent=True)
            return _json(200, await self._finish(self._turns.answer(_agent(request), message)))

        @blueprint.post("/desk/overheard")
        @_guarded
        async def overheard(request: Request) -> HTTPResponse:
            message = incoming.customer_message(request.body, with_intent=False)
            return _json(200, await self._finish(self._turns.overhear(_agent(request), message)))

        @blueprint.post("/desk/spoken")
        @_guarded
        async def spoken(request: Request) -> HTTPResponse:
            message = incoming.staff_message(request.body)
            return _json(200, await self._finish(self._turns.remember(_agent(request), message)))

        @blueprint.post("/desk/forget")
        @_guarded
        async def forget(request: Request) -> HTTPResponse:
            wanted = incoming.forgetting(request.body)
            return _json(200, await self._finish(self._turns.forget(_agent(request), wanted)))

        @blueprint.get("/healthz")
        async def healthz(_: Request) -> HTTPResponse:
            return _json(200, {"status": "up"})

        @blueprint.get("/readyz")
        async def readyz(request: Request) -> HTTPResponse:
            agent = _loaded(request)
            if agent is None:
                return error_answer(503, "not_ready", "no model is loaded")
            return _json(200, {"status": "ready", "model": agent.model_id})

        @blueprint.listener("before_server_start")
        async def bound_requests(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
            app.config.REQUEST_MAX_SIZE = incoming.MAX_BODY_BYTES

        @blueprint.listener("after_server_stop")
        async def finish(_: Sanic, __: asyncio.AbstractEventLoop) -> None:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            await close_session()

        return blueprint

    async def _finish(self, turn: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Run a turn to its end, even when the desk hangs up meanwhile."""
        task = asyncio.create_task(turn)
        # The loop itself holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Taken here, since nobody else does when the desk has hung up.
            task.exception()


def _guarded(handler: Handler) -> Handler:
    """Let only the desk in, and turn what goes wrong into a clear answer."""

    @wraps(handler)
    async def guarded(request: Request) -> HTTPResponse:
        token = os.environ.get(TOKEN_VARIABLE)
        if not token:
            return error_answer(503, "not_configured", f"{TOKEN_VARIABLE} is not set")
        given = request.headers.get("authorization", "")
        # Sanic keeps bytes that are not UTF-8 as lone surrogates.
        given_bytes = given.encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given_bytes, f"Bearer {token}".encode()):
            return error_answer(401, "unauthorized", "a bearer token is needed")
        if len(request.body) > incoming.MAX_BODY_BYTES:
            return error_answer(413, "too_large", "the body is too large")
        if _loaded(request) is None:
            return error_answer(503, "not_ready", "no model is loaded")
        try:
            return await handler(request)
        except incoming.BadRequestError as error:
            return error_answer(400, "bad_request", str(error))
        except TooManyWaitingError:
            return error_answer(503, "busy", "too many turns are under way")
        # The store, the model or Rasa itself may raise anything. Nothing was saved, and the
        # desk has to learn that it should ask again.
        except Exception:
            logger.exception("A turn broke off")
            return error_answer(500, "turn_failed", "nothing was saved; ask again")

    return guarded


def _loaded(request: Request) -> Agent | None:
    agent = getattr(request.app.ctx, "agent", None)
    return agent if agent is not None and agent.is_ready() else None


def _agent(request: Request) -> Agent:
    agent: Agent = request.app.ctx.agent
    return agent


def _json(status: int, content: dict[str, Any]) -> HTTPResponse:
    return HTTPResponse(
        json.dumps(content, ensure_ascii=False),
        status=status,
        content_type="application/json",
    )


def error_answer(status: int, code: str, message: str) -> HTTPResponse:
    """Make the answer to a request that fails.

    Args:
        status: HTTP status.
        code: For the program that asked.
        message: For its developer.

    Returns:
        The answer.
    """
    return _json(status, {"error": {"code": code, "message": message}})
