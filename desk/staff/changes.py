"""What all routes of staff that change something share."""

from collections.abc import Awaitable
from typing import Any

from sanic import Request

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.ingest import RefusedError
from desk.conversations.router import Router
from desk.conversations.unanswered import UnansweredError
from desk.errors import PageError, not_found
from desk.staff.advice import Advisor
from desk.staff.audience import Audience
from recovery.store import staff
from recovery.store.conversations import BOT, OwnershipError, owner_id

_UNANSWERED = "顾客还在等您回答；仍要这样做请再次确认"


async def changing(request: Request, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - what work gives
    """Run a change; an owner's objection becomes an answer that names the owner."""
    try:
        return await work
    except LookupError as error:
        raise not_found() from error
    except OwnershipError as error:
        code = "not_owner" if owner_id(error.owner) is None else "taken"
        sentence = await _owner_sentence(context_of(request), error.owner)
        raise PageError(409, code, sentence) from error
    except UnansweredError as error:
        raise PageError(409, "unanswered", _UNANSWERED) from error
    except RefusedError as error:
        raise PageError(400, error.code, error.sentence) from error


async def _owner_sentence(context: Context, owner: str) -> str:
    agent = owner_id(owner)
    if agent is not None:
        names = await context.storage.read(staff.names)
        return f"现在由{names.get(agent, '另一位同事')}负责"
    return "现在由机器人负责，请先接手" if owner == BOT else "还在等候接手，请先接手"


def router_of(request: Request) -> Router:
    """The router of the desk."""
    router: Router = request.app.ctx.router
    return router


def advisor_of(request: Request) -> Advisor:
    """Who asks the policy for staff."""
    advisor: Advisor = request.app.ctx.advisor
    return advisor


def audience_of(request: Request) -> Audience:
    """All open pages of staff."""
    audience: Audience = request.app.ctx.audience
    return audience
