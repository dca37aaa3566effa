"""The survey for whoever has its link: looked at, answered once."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.ingest import RefusedError, clean
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.limits import Buckets
from recovery.aftercare.survey import DIMENSIONS, Answers, BadAnswersError, read_answers
from recovery.store import cases, conversations, surveys
from recovery.store.surveys import Survey

pages = Blueprint("surveys", url_prefix="/api")

BURST, PER_SECOND = 20, 0.2
"""Of one address: a family behind one router fills in theirs, and nobody guesses secrets."""
_SECRET_LENGTH = (20, 100)


@pages.get("/surveys/<token:str>")
async def look(request: Request, token: str) -> HTTPResponse:
    """What a link opens: `open`, `done` or `expired`; the matter only where it is open."""
    context = context_of(request)
    _slow_down(request)
    found = await context.storage.read(_shown, context, _plausible(token))
    if found is None:
        raise not_found()
    return json(found, headers={"Cache-Control": "no-store"})


@pages.post("/surveys/<token:str>")
async def answer(request: Request, token: str) -> HTTPResponse:
    """Answer a survey; what was answered before stays as it was."""
    context = context_of(request)
    _slow_down(request)
    secret, body = _plausible(token), json_body(request)
    try:
        answers = read_answers({**body, "words": _cleaned(body.get("words", ""))})
    except BadAnswersError as error:
        raise PageError(400, "bad_answers", error.sentence) from error

    async def work() -> tuple[str, bool] | None:
        state, committed = await context.storage.write(_answered, context, secret, answers)
        request.app.ctx.router.publish(committed)
        return state

    state = await to_the_end(work())
    if state is None:
        raise not_found()
    name, repeated = state
    if name == "expired":
        raise PageError(410, "expired", "这份问卷已经过期，谢谢您还记得它")
    return json({"state": "done", "repeated": repeated})


def _slow_down(request: Request) -> None:
    buckets: Buckets = request.app.ctx.survey_buckets
    if not buckets.take(request.remote_addr or request.ip):
        raise PageError(429, "too_fast", "操作太快了，请稍等再试")


def _plausible(token: str) -> str:
    least, most = _SECRET_LENGTH
    if not least <= len(token) <= most or not token.isascii():
        raise not_found()
    return token


def _cleaned(words: Any) -> Any:  # noqa: ANN401 - of a page
    """Words as messages are cleaned; nothing stays nothing."""
    if not isinstance(words, str) or not words.strip():
        return "" if isinstance(words, str) else words
    try:
        return clean(words)
    except RefusedError as error:
        raise BadAnswersError("想说的话太长了，或者有看不见的字符") from error


def _shown(db: Connection, context: Context, secret: str) -> dict[str, Any] | None:
    found = surveys.by_secret(db, secret)
    business = context.directory.business(found.business) if found else None
    if found is None or business is None:
        return None
    state = found.state(context.clock())
    shown: dict[str, Any] = {"state": state, "business": business.name}
    if state == "open":
        case = cases.load(db, found.case_id)
        shown["matter"] = case.matter if case and case.has_matter else ""
        shown["dimensions"] = [{"id": name, "text": text} for name, text in DIMENSIONS.items()]
    return shown


def _answered(
    db: Connection, context: Context, secret: str, answers: Answers
) -> tuple[tuple[str, bool] | None, Committed]:
    """Keep the answers.

    Returns:
        State and whether it was answered before, None for an unknown secret; what to publish.
    """
    found = surveys.by_secret(db, secret)
    if found is None or context.directory.business(found.business) is None:
        return None, Committed([])
    now = context.clock()
    state = found.state(now)
    if state != "open":
        return (state, state == "done"), Committed([])
    new = surveys.answer(db, found.id, answers, now)
    return ("done", not new), Committed([], changed=_changed(db, found))


def _changed(db: Connection, found: Survey) -> tuple[Changed, ...]:
    private = conversations.of_case(db, found.case_id, "private")
    return (Changed(private.business, private.id),) if private else ()
