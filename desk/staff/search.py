"""Search over open and closed conversations. Nobody finds by what they may not see."""

import unicodedata
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json
from sqlalchemy import Connection

from desk.channels.sessions import context_of
from desk.context import Context
from desk.conversations.veil import veil_of
from desk.errors import PageError
from desk.limits import Buckets
from desk.staff.lists import some_rows
from desk.staff.session import ROOT, allowed
from recovery.roles import Act, may
from recovery.store import conversations, finding
from recovery.store.finding import STATES, Hit, Wanted
from recovery.store.staff import Staff

pages = Blueprint("staff_search", url_prefix=ROOT)

PAGE = 50
_MOST_PAGES = 40
_LONGEST = 80
# A search reads all that was ever said: one account does not keep all others from it.
BURST = 20
PER_SECOND = 1.0


@pages.get("/search")
@allowed(Act.READ)
async def search(request: Request) -> HTTPResponse:
    """Rows that fit, the latest first."""
    context, who = context_of(request), request.ctx.staff
    wanted, page = _read(request, who)
    buckets: Buckets = request.app.ctx.search_buckets
    if not buckets.take(str(who.id)):
        raise PageError(429, "too_fast", "搜得太快了，请稍等再搜")
    rows, more = await context.storage.read_at_length(results, context, who, wanted, page)
    return json({"rows": rows, "more": more})


def _read(request: Request, who: Staff) -> tuple[Wanted, int]:
    """What a page asks for.

    Raises:
        PageError: Something in it is no question.
    """
    words = unicodedata.normalize("NFC", request.args.get("q") or "").strip()
    if len(words) > _LONGEST or not all(char.isprintable() for char in words):
        raise PageError(400, "bad_request", f"搜索最多{_LONGEST}个字")
    label, state = request.args.get("label"), request.args.get("state")
    if state is not None and state not in STATES:
        raise PageError(400, "bad_request", f"状态可选：{'、'.join(STATES)}")
    wanted = wanted_by(who, words, _number(label, 2**31 - 1) if label else None, state)
    return wanted, _number(request.args.get("page") or "0", _MOST_PAGES)


def wanted_by(
    who: Staff, words: str | None, label: int | None = None, state: str | None = None
) -> Wanted:
    """What a member of staff looks for; empty words are none."""
    return Wanted(
        words=words or None,
        label=label,
        state=next((one for one in STATES if one == state), None),
        business=who.business,
        staff_id=who.id,
        whole=may(who.role, Act.OVERSEE),
        own=may(who.role, Act.HANDLE),
    )


def _number(value: str, most: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 10 or int(value) > most:
        raise PageError(400, "bad_request", "请求的格式不对")
    return int(value)


def results(
    db: Connection, context: Context, who: Staff, wanted: Wanted, page: int
) -> tuple[list[dict[str, Any]], bool]:
    """One page of what is found, as this reader is shown it, and whether there is more.

    Where conversations are masked for the reader, those are left out of a page that are found
    only by what masking hides: it may hold fewer, also none, with more to come. So every page
    costs the same, and none is looked through again for the next.
    """
    hits = finding.find(db, wanted, PAGE + 1, page * PAGE)
    more, hits = len(hits) > PAGE, hits[:PAGE]
    legible = _legible(db, wanted.words, [one for one in hits if not one.sure])
    shown = [one.conversation for one in hits if one.sure or one.conversation in legible]
    rows = {row.whole["id"]: row for row in some_rows(db, context, shown)}
    return [rows[one].shown_to(who) for one in shown if one in rows], more


def _legible(db: Connection, words: str | None, hits: list[Hit]) -> set[str]:
    """Those whose words are still found when they are masked."""
    if words is None or not hits:
        return set()
    said = finding.said_with(db, [one.conversation for one in hits], words)
    legible = set()
    for conversation_id, texts in said.items():
        conversation = conversations.load(db, conversation_id) if texts else None
        if conversation is None:
            continue
        veil = veil_of(db, conversation)
        if any(words.lower() in veil.text(text).lower() for text in texts):
            legible.add(conversation_id)
    return legible
