"""What staff do with a remedy that could not be carried out: set it going again, or do it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.conversations import promising
from desk.conversations.commit import Changed, Committed
from desk.conversations.router import Router
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.offers import reason_of
from desk.staff.session import allowed
from recovery import faults
from recovery.commands import Note
from recovery.remedy.catalogue import BY_HAND, done_words, kind_of
from recovery.roles import Act
from recovery.store import audit_log, cases, conversations, fulfilments, notes, streams
from recovery.store.conversations import Conversation, OwnershipError, staff_owner
from recovery.store.fulfilments import Fulfilment
from recovery.store.staff import Staff

pages = Blueprint("staff_remedies", url_prefix="/api/staff")


@pages.post("/conversations/<conversation_id:str>/remedies/<key:str>/retry")
@allowed(Act.HANDLE)
async def retry(request: Request, conversation_id: str, key: str) -> HTTPResponse:
    """Try a remedy again that was given up or refused. Sent again it changes nothing."""
    context, who = context_of(request), request.ctx.staff

    async def change() -> tuple[Committed, dict[str, Any]]:
        done = await context.storage.write(
            set_going, conversation_id, unquote(key), who, context.clock()
        )
        faults.reach("remedy-retried")
        return done

    return await change_remedy(request, change, "请先接手这段会话，再重新办理")


@pages.post("/conversations/<conversation_id:str>/remedies/<key:str>/done")
@allowed(Act.HANDLE)
async def done(request: Request, conversation_id: str, key: str) -> HTTPResponse:
    """Say that a person has done what could not be carried out; the customer is told once."""
    context, who = context_of(request), request.ctx.staff
    note = reason_of(json_body(request), "note")
    if not note:
        raise PageError(400, "no_note", "请写明是怎么办的，好让同事以后查得到")
    change = partial(
        context.storage.write, do_by_hand, conversation_id, unquote(key), who, note, context.clock()
    )
    return await change_remedy(request, change, "请先接手这段会话，再登记办好")


async def change_remedy(
    request: Request,
    change: Callable[[], Awaitable[tuple[Committed, dict[str, Any]]]],
    why_not: str,
) -> HTTPResponse:
    """Change a remedy to the end, publish it and answer.

    Args:
        request: The call.
        change: Commits it.
        why_not: The sentence for who does not own the conversation.
    """
    router: Router = request.app.ctx.router

    async def work() -> dict[str, Any]:
        committed, answer = await change()
        router.publish(committed)
        return answer

    try:
        return json(await to_the_end(work()))
    except LookupError as error:
        raise not_found() from error
    except OwnershipError as error:
        raise PageError(409, "not_owner", why_not) from error


def do_by_hand(
    db: Connection, conversation_id: str, key: str, who: Staff, note: str, now: datetime
) -> tuple[Committed, dict[str, Any]]:
    """Write down as the owner of the conversation that a remedy was done by a person.

    Args:
        db: A writing transaction.
        conversation_id: The private conversation, or the public one about the same case.
        key: Of the remedy, given up or refused.
        who: Who has done it.
        note: How, for colleagues.
        now: The present moment.

    Returns:
        What to publish, and `{"key", "state", "repeated"}`: `repeated` where it is done already.

    Raises:
        LookupError: No such conversation, or no such remedy of it.
        OwnershipError: Somebody else owns the conversation.
        PageError: 409 `under_way`: the order system may still do it; doing it twice costs twice.
    """
    conversation, item = owned(db, conversation_id, key, who)
    if not fulfilments.done_by_hand(db, key, {BY_HAND: True, "by": who.id}):
        if item.state != "done":
            raise PageError(409, "under_way", "系统还在办这一项，办不成时再由人来办")
        return Committed([]), {"key": key, "state": item.state, "repeated": True}
    promising.done_by_hand(db, key, now)
    memo = Note({"remedy_done": key, "remedy_done_by": who.login})
    cases.log(db, item.case_id, f"w-{who.id}", memo, now)
    notes.add(db, conversation.id, who, "note", note, now)
    keep(db, conversation, who, "remedy_done", key, now)
    event = {
        "id": f"{key}.done",
        "kind": "progress",
        "title": kind_of(item.remedy).title(item.remedy),
        "text": done_words(item.remedy, {BY_HAND: True}),
        "state": "done",
    }
    entry = streams.append(db, f"private:{item.conversation_id}", event, now)
    # The card stands in the private part; who owns only the public one changes its row as well.
    touched = dict.fromkeys((conversation.id, item.conversation_id))
    changed = tuple(Changed(conversation.business, one) for one in touched)
    answer = {"key": key, "state": "done", "repeated": False}
    return Committed([entry] if entry else [], changed=changed), answer


def keep(
    db: Connection, conversation: Conversation, who: Staff, act: str, key: str, now: datetime
) -> None:
    """Write down in the audit log what was done about a remedy."""
    audit_log.note(
        db,
        who,
        act,
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"remedy": key},
    )


def owned(
    db: Connection, conversation_id: str, key: str, who: Staff
) -> tuple[Conversation, Fulfilment]:
    """A conversation of one's own and a remedy of its case.

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
    return conversation, item


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
    conversation, item = owned(db, conversation_id, key, who)
    again = fulfilments.retry(db, key)
    if again:
        promising.taken_up(db, key, now)
        memo = Note({"remedy_retried": key, "remedy_retried_by": who.login})
        cases.log(db, item.case_id, f"w-{who.id}", memo, now)
        keep(db, conversation, who, "remedy_retried", key, now)
    answer = {"key": key, "state": "todo" if again else item.state, "repeated": not again}
    changed = (Changed(conversation.business, conversation.id),) if again else ()
    return Committed([], promised=again, changed=changed), answer
