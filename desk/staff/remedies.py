"""What staff do with a remedy that could not be carried out: set it going again."""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.conversations.commit import Changed, Committed
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.api import logged_in
from recovery import faults
from recovery.commands import Note
from recovery.store import cases, conversations, fulfilments
from recovery.store.conversations import OwnershipError, staff_owner
from recovery.store.staff import Staff

pages = Blueprint("staff_remedies", url_prefix="/api/staff")


@pages.post("/conversations/<conversation_id:str>/remedies/<key:str>/retry")
@logged_in
async def retry(request: Request, conversation_id: str, key: str) -> HTTPResponse:
    """Try a remedy again that was given up or refused. Sent again it changes nothing."""
    context, who, key = context_of(request), request.ctx.staff, unquote(key)
    router: Router = request.app.ctx.router

    async def work() -> dict[str, Any]:
        committed, answer = await context.storage.write(
            set_going, conversation_id, key, who, context.clock()
        )
        faults.reach("remedy-retried")
        router.publish(committed)
        return answer

    try:
        answer = await to_the_end(work())
    except LookupError as error:
        raise not_found() from error
    except OwnershipError as error:
        raise PageError(409, "not_owner", "请先接手这段会话，再重新办理") from error
    return json(answer)


def set_going(
    db: Connection, conversation_id: str, key: str, who: Staff, now: datetime
) -> tuple[Committed, dict[str, Any]]:
    """Set a remedy going again as the owner of the conversation.

    Args:
        db: A writing transaction.
        conversation_id: The private conversation, or the public one about the same case.
        key: Of the remedy, see `recovery.store.fulfilments`.
        who: Who wants it.
        now: The present moment.

    Returns:
        What to publish, and `{"key", "state", "repeated"}`: `repeated` where it is under way
        already, or done.

    Raises:
        LookupError: No such conversation, or no such remedy of it.
        OwnershipError: Somebody else owns the conversation.
    """
    conversation = conversations.load(db, conversation_id, lock=True)
    item = fulfilments.load(db, key)
    if conversation is None or not who.sees(conversation.business):
        raise LookupError(conversation_id)
    if item is None or item.case_id != conversation.case_id:
        raise LookupError(key)
    if conversation.owner != staff_owner(who.id):
        raise OwnershipError(conversation.owner)
    again = fulfilments.retry(db, key)
    if again:
        memo = Note({"remedy_retried": key, "remedy_retried_by": who.login})
        cases.log(db, item.case_id, f"w-{who.id}", memo, now)
    answer = {"key": key, "state": "todo" if again else item.state, "repeated": not again}
    changed = (Changed(conversation.business, conversation.id),) if again else ()
    return Committed([], promised=again, changed=changed), answer
