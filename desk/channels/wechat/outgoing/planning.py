"""Reads the streams of private conversations and puts what is new on its way to WeChat."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.channels.wechat.outgoing import budget, choices
from desk.channels.wechat.outgoing.choices import Choices
from desk.channels.wechat.outgoing.cutting import MOST_BYTES, size
from desk.channels.wechat.outgoing.rendering import PROGRESS, Shown, ending, parts, show
from desk.context import Context
from recovery.business import Business
from recovery.logs import log
from recovery.store import streams
from recovery.store.streams import Entry
from recovery.store.wechat import options, sends, threads
from recovery.store.wechat.sends import Draft
from recovery.store.wechat.threads import Behind

WECHAT = "wechat"
_PORTION = 200
_GONE = 45015
"""WeChat's code for whoever has left."""
# Remedies of one offer get on within moments of each other, and moments after the customer was
# answered: they go as one message, and after the answer.
_WITH_OTHERS = timedelta(seconds=2)


def plan(
    db: Connection, context: Context, these: Collection[str] | None, now: datetime
) -> set[str]:
    """Put what is new in conversations on its way.

    Args:
        db: A writing transaction.
        context: The desk.
        these: Ids of conversations; None: all of which something is new.
        now: The present moment.

    Returns:
        Ids of the contacts to whom something is to be sent.
    """
    accounts = [account.id for account in context.wechat]
    reached: dict[str, int] = {}
    served = set()
    for one in threads.behind(db, accounts, these):
        business = context.directory.business(one.conversation.business)
        if business is None:
            # Taken out of the settings: all is kept until it comes back.
            continue
        if _plan_one(db, context, business, one, now):
            served.add(one.contact.id)
        reached[one.conversation.id] = one.last
    threads.moved(db, reached)
    return served


def _plan_one(
    db: Connection, context: Context, business: Business, one: Behind, now: datetime
) -> bool:
    """Put what is new in one conversation on its way; gives whether there was anything."""
    drafts: list[Draft] = []
    for entry in _news(db, one):
        # Also what is only read on the web page: numbers must not mean what is over.
        left = choices.after(
            db, context, one.conversation, one.contact.id, ending(entry.event), now
        )
        if _goes(context, one, entry.event, now):
            drafts += _of_event(db, context, one, business, entry, left, now)
    if not drafts:
        return False
    if one.contact.following:
        sends.plan(db, one.contact.id, one.conversation.id, drafts, now)
    else:
        # Staff see that it did not arrive; it stays to be read on the web page.
        sends.plan(
            db, one.contact.id, one.conversation.id, drafts, now, state=sends.FAILED, error=_GONE
        )
    return one.contact.following


def _of_event(
    db: Connection,
    context: Context,
    one: Behind,
    business: Business,
    entry: Entry,
    left: Choices | None,
    now: datetime,
) -> list[Draft]:
    try:
        told = _told(db, one, entry.event)
        shown = show(entry.event, business.zone, told=told)
    except (KeyError, TypeError, ValueError) as error:
        # An event in a form of before, or of a version to come: it must not keep all others back.
        log.error("wechat: event left out", conversation=one.conversation.id, error=repr(error))
        return []
    if shown is None:
        return []
    # Where none is left all have ended, whatever the event ends by itself.
    ends = "asked" if left else "all" if ending(entry.event) else ""
    drafts = _drafts(db, context, one, entry.event["id"], shown, ends, now)
    reminder = left.reminder(shown.text, business.zone, now) if left else None
    last = drafts[-1]
    if reminder and size(f"{last.content['text']}\n{reminder}") <= MOST_BYTES:
        last.content["choices"] = reminder
    return drafts


def _news(db: Connection, one: Behind) -> list[Entry]:
    found: list[Entry] = []
    seq = one.planned
    while seq < one.last:
        portion = streams.after(db, one.conversation.stream, seq, _PORTION)
        found += [entry for entry in portion if entry.seq <= one.last]
        if not portion:
            break
        seq = portion[-1].seq
    return found


def _goes(context: Context, one: Behind, event: dict[str, Any], now: datetime) -> bool:
    """Whether an event goes to WeChat: where the customer talks, or can be reached better.

    Who talks on the web page reads it there. What staff say, how a remedy gets on and that a
    matter is closed is sent as well when no page is open.
    """
    if one.conversation.channel == WECHAT or event.get("outside"):
        return True
    by_staff = event.get("kind") == "message" and event.get("author") == "staff"
    if event.get("kind") not in ("progress", "closed") and not by_staff:
        return False
    if context.hub.hears(one.conversation.stream):
        return False
    return one.contact.following and budget.left(one.contact, now) > 0


def _told(db: Connection, one: Behind, event: dict[str, Any]) -> bool:
    """Of an offer: whether its card was shown to the customer while it was open."""
    if event.get("kind") != "offer":
        return False
    shown = streams.event(db, one.conversation.stream, f"{event['offer']}.open")
    return shown is not None


def _drafts(
    db: Connection,
    context: Context,
    one: Behind,
    event_id: str,
    shown: Shown,
    ends: str,
    now: datetime,
) -> list[Draft]:
    if shown.picture:
        content: dict[str, Any] = {"picture": shown.picture, "ends": ends}
        return [Draft(event_id, 0, "image", shown.weight, content)]
    pause = _WITH_OTHERS if shown.role == PROGRESS else timedelta(0)
    texts = parts(shown)
    made = [
        Draft(event_id, place, "text", shown.weight, {"text": text}, pause)
        for place, text in enumerate(texts)
    ]
    content = made[-1].content
    if ends:
        content["ends"] = ends
    if shown.passing:
        content["passing"] = True
    if shown.role:
        for draft in made:
            draft.content["role"] = shown.role
    if shown.buttons:
        listed = options.show(db, one.contact.id, one.conversation.id, shown.buttons, now)
        content["options"] = [[one.id, one.title] for one in listed]
        tokens = [button["token"] for button in shown.buttons]
        if choices.offer_of(context, one.conversation.id, tokens):
            content["offer"] = True
        made[-1] = replace(made[-1], kind="menu")
    return made
