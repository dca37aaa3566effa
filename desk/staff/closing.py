"""The end of a case, on the staff page."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from desk.channels.sessions import context_of, json_body
from desk.conversations.closing import (
    NoOutcomeError,
    OtherPartError,
    StillOpenError,
    close,
)
from desk.conversations.ingest import clean
from desk.errors import PageError
from desk.finish import to_the_end
from desk.staff import lessons
from desk.staff.changes import changing, router_of
from desk.staff.session import ROOT, allowed
from recovery import faults
from recovery.outcomes import OUTCOMES
from recovery.roles import Act

pages = Blueprint("staff_closing", url_prefix=ROOT)

_LONGEST_NOTE = 500
_STILL_OPEN = {
    "request": "还有申请在等经理批复，要先等结果或撤回；仍要结案请再次确认",
    "remedy": "答应顾客的补救还没有办完；仍要结案请再次确认",
}


@pages.post("/conversations/<conversation_id:str>/close")
@allowed(Act.HANDLE)
async def close_case(request: Request, conversation_id: str) -> HTTPResponse:
    """Close the case and give the conversation back to the bot."""
    context, who = context_of(request), request.ctx.staff
    body = json_body(request)
    outcome, note, force = _read(body)

    async def work() -> None:
        committed = await context.storage.write(
            close,
            context,
            conversation_id,
            who,
            outcome,
            clean(note) if note else "",
            context.clock(),
            force=force,
            lesson=lessons.read(body, context.clock()),
        )
        faults.reach("staff-closed")
        router_of(request).publish(committed)

    try:
        await changing(request, to_the_end(work()))
    except StillOpenError as error:
        raise PageError(409, f"{error.what}_open", _STILL_OPEN[error.what]) from error
    except OtherPartError as error:
        sentence = f"这个案子的{error.part}部分由{error.name}负责，请先与他商量，或请主管接手"
        raise PageError(409, "taken", sentence) from error
    except NoOutcomeError as error:
        raise PageError(400, "no_outcome", "请先选择结案的结果") from error
    return json({"owner": "bot"})


def _read(body: dict[str, Any]) -> tuple[str | None, str, bool]:
    outcome, note, force = body.get("outcome"), body.get("note", ""), body.get("force", False)
    if outcome is not None and (not isinstance(outcome, str) or outcome not in OUTCOMES):
        raise PageError(400, "bad_request", "没有这个结案结果")
    if not isinstance(note, str) or not isinstance(force, bool):
        raise PageError(400, "bad_request", "请求的格式不对")
    if len(note) > _LONGEST_NOTE:
        raise PageError(400, "too_long", f"备注最多{_LONGEST_NOTE}个字")
    return outcome, note if note.strip() else "", force
