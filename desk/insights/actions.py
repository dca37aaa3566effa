"""Corrective actions: what was promised at the end of a case so that it does not happen again."""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.standing import require_unchanged
from desk.finish import to_the_end
from desk.staff.changes import changing
from desk.staff.session import ROOT, allowed
from recovery.roles import Act
from recovery.store import audit_log, cases, causes
from recovery.store.staff import Staff

pages = Blueprint("staff_insight_actions", url_prefix=f"{ROOT}/insights")


@pages.post("/actions/<case_id:str>/done")
@allowed(Act.OVERSEE)
async def mark_done(request: Request, case_id: str) -> HTTPResponse:
    """Note that the action of a case is done; done again it is the same."""
    context, who = context_of(request), request.ctx.staff
    await changing(request, to_the_end(context.storage.write(_done, context, who, case_id)))
    return json({"done": True})


def _done(db: Connection, context: Context, who: Staff, case_id: str) -> None:
    """Note it.

    Raises:
        LookupError: No such case, or no action in it.
        PageError: The account has been changed since it was let in.
    """
    business = cases.business_of(db, case_id)
    if business is None or not who.sees(business):
        raise LookupError(case_id)
    require_unchanged(db, who)
    said = causes.of_case(db, case_id)
    if said is None or not said.action:
        raise LookupError(case_id)
    now = context.clock()
    if causes.done(db, case_id, now):
        detail = {"case": case_id}
        audit_log.note(db, who, "action_done", now, business=business, detail=detail)
