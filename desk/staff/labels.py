"""Labels: made by supervisors, put on conversations by everybody who handles them."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import empty, json
from sqlalchemy import Connection

from desk.channels.sessions import context_of, json_body
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from desk.errors import PageError, not_found
from desk.finish import to_the_end
from desk.staff.changes import changing, router_of
from desk.staff.look import held
from desk.staff.session import ROOT, allowed
from recovery.roles import Act
from recovery.store import audit_log, conversations, labels
from recovery.store.labels import COLOURS, LONGEST, MOST_EACH, Label, LabelTakenError
from recovery.store.staff import Staff

pages = Blueprint("staff_labels", url_prefix=ROOT)


class BadLabelError(ValueError):
    """A label that this conversation cannot have."""


@pages.get("/labels")
@allowed(Act.READ)
async def all_labels(request: Request) -> HTTPResponse:
    """The labels of the own business."""
    storage, who = context_of(request).storage, request.ctx.staff
    found = await storage.read(labels.of_business, who.business)
    return json({"labels": [one.shown for one in found]})


@pages.post("/labels")
@allowed(Act.WORDING)
async def add(request: Request) -> HTTPResponse:
    """Make a label for the own business."""
    context, who = context_of(request), request.ctx.staff
    body = json_body(request)
    name, colour = body.get("name"), body.get("colour")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name.strip()) <= LONGEST:
        raise PageError(400, "bad_label", f"标签要有1到{LONGEST}个字")
    if colour not in COLOURS:
        raise PageError(400, "bad_label", f"颜色可选：{'、'.join(COLOURS)}")
    try:
        made = await to_the_end(
            context.storage.write(_add, context, who, name.strip(), str(colour))
        )
    except LabelTakenError as error:
        raise PageError(409, "taken", "已经有同名的标签") from error
    return json(made.shown)


@pages.delete("/labels/<label_id:int>")
@allowed(Act.WORDING)
async def remove(request: Request, label_id: int) -> HTTPResponse:
    """Take a label away, also from all conversations."""
    context, who = context_of(request), request.ctx.staff

    async def work() -> None:
        router_of(request).publish(await context.storage.write(_remove, context, who, label_id))

    try:
        await to_the_end(work())
    except LookupError as error:
        raise not_found() from error
    return empty()


@pages.put("/conversations/<conversation_id:str>/labels")
@allowed(Act.HANDLE)
async def put(request: Request, conversation_id: str) -> HTTPResponse:
    """Let a conversation have exactly these labels."""
    context, who = context_of(request), request.ctx.staff
    given = json_body(request).get("labels")
    if not isinstance(given, list) or len(given) > MOST_EACH:
        raise PageError(400, "bad_label", f"一段会话最多{MOST_EACH}个标签")
    if any(not isinstance(one, int) or isinstance(one, bool) for one in given):
        raise PageError(400, "bad_request", "请求的格式不对")

    async def work() -> list[dict[str, Any]]:
        committed, shown = await context.storage.write(
            _put, context, conversation_id, who, sorted(set(given))
        )
        router_of(request).publish(committed)
        return shown

    try:
        return json({"labels": await changing(request, to_the_end(work()))})
    except BadLabelError as error:
        raise PageError(400, "bad_label", "这个标签已经没有了，请刷新") from error


def _add(db: Connection, context: Context, who: Staff, name: str, colour: str) -> Label:
    made = labels.add(db, who.business, name, colour)
    audit_log.note(
        db,
        who,
        "label_add",
        context.clock(),
        business=who.business,
        target=f"label:{made.id}",
        detail={"name": name, "colour": colour},
    )
    return made


def _remove(db: Connection, context: Context, who: Staff, label_id: int) -> Committed:
    """Take a label away.

    Raises:
        LookupError: No such label, or not one of the own business: what all businesses have in
            common is for an operator to change.
    """
    found = labels.load(db, label_id) if label_id < 2**31 else None
    if found is None or (who.business is not None and found.business != who.business):
        raise LookupError(label_id)
    changed = []
    for conversation_id in labels.remove(db, label_id):
        conversation = conversations.load(db, conversation_id)
        if conversation:
            changed.append(Changed(conversation.business, conversation.id))
    audit_log.note(
        db,
        who,
        "label_remove",
        context.clock(),
        business=found.business or who.business,
        target=f"label:{label_id}",
        detail={"name": found.name, "conversations": len(changed)},
    )
    return Committed([], changed=tuple(changed))


def _put(
    db: Connection, context: Context, conversation_id: str, who: Staff, wanted: list[int]
) -> tuple[Committed, list[dict[str, Any]]]:
    """Put labels on a conversation.

    Raises:
        LookupError: No such conversation.
        BadLabelError: No such label in the business of the conversation.
    """
    conversation = held(db, conversation_id, who)
    known = {one.id for one in labels.of_business(db, conversation.business)}
    if not known.issuperset(wanted):
        raise BadLabelError(conversation_id)
    before = labels.of_conversations(db, [conversation.id]).get(conversation.id, [])
    if {one["id"] for one in before} == set(wanted):
        return Committed([]), before
    now = context.clock()
    labels.put(db, conversation.id, wanted, now)
    audit_log.note(
        db,
        who,
        "labels",
        now,
        business=conversation.business,
        target=conversation.id,
        detail={"labels": wanted},
    )
    after = labels.of_conversations(db, [conversation.id]).get(conversation.id, [])
    return Committed([], changed=(Changed(conversation.business, conversation.id),)), after
