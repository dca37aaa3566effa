"""An event of a stream as a source is sent it: words, and options that come back as payloads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from desk.channels.webhook.sources import Source
from desk.channels.wechat.outgoing import rendering as plain
from desk.context import Context
from desk.conversations.commented import fit
from recovery.business import Business
from recovery.store import streams
from recovery.store.conversations import Conversation
from recovery.store.webhook import received
from recovery.store.webhook.contacts import Contact
from recovery.webhook import Visibility

NO_PICTURES = "pictures are not sent"
_SPEAKERS = ("bot", "staff", "system")
_INVITATIONS = ("invitation", "reminder")


@dataclass(frozen=True)
class Letter:
    """What is to be sent of one event.

    Attributes:
        body: As it is signed.
        problem: Why it cannot be sent at all.
    """

    body: dict[str, Any]
    problem: str | None = None


def of_private(
    db: Connection,
    business: Business,
    conversation: Conversation,
    contact: Contact,
    event: Mapping[str, Any],
) -> Letter | None:
    """An event of a private conversation; None for what is not sent."""
    told = True
    if event.get("kind") == "offer":
        card = streams.event(db, conversation.stream, f"{event['offer']}.open")
        told = card is not None
    shown = plain.show(event, business.zone, told=told)
    if shown is None:
        return None
    options = [
        {"title": one["title"], "payload": f"{conversation.id}:{one['token']}"}
        for one in shown.buttons
    ]
    body = _body(conversation, contact, event, "private", shown.text, options)
    return Letter(body, NO_PICTURES if shown.picture else None)


def of_own(
    context: Context,
    source: Source,
    business: Business,
    conversation: Conversation,
    contact: Contact,
    event: Mapping[str, Any],
) -> Letter | None:
    """What only the writer of a public post is to see; None where the source cannot do that."""
    if not source.settings.private_messages:
        return None
    kind, text = event.get("kind"), str(event.get("text", ""))
    if kind in _INVITATIONS:
        text = _invitation(context, business, str(event.get("token", "")), str(kind))
    elif kind != "message" or event.get("author") not in _SPEAKERS:
        return None
    elif str(event.get("id", "")).endswith(plain.HOLDING):
        # Somebody who has posted in public does not sit and wait.
        return None
    text = plain.words(text)
    return Letter(_body(conversation, contact, event, "private", text, [])) if text else None


def of_room(
    db: Connection,
    source: Source,
    business: Business,
    conversation: Conversation,
    contact: Contact,
    event: Mapping[str, Any],
) -> Letter | None:
    """An answer to a public post, for everybody; None for what is none."""
    if event.get("kind") != "message" or event.get("author") not in _SPEAKERS:
        return None
    post, text = str(event["reply_to"]), str(event.get("text", ""))
    if not source.settings.private_messages:
        # There is no entry that only the writer sees: words about one would lead nowhere.
        if event["author"] != "staff":
            [fitted] = fit([{"response": "", "text": text}], set(), post) or [{"text": text}]
            text = fitted["text"]
        if streams.event(db, conversation.stream, f"{post}.invite"):
            text += source.settings.reach or _reach(business)
    text = plain.words(text)
    if not text:
        return None
    body = _body(conversation, contact, event, "public", text, [])
    named = received.external_id(db, source.id, post)
    return Letter({**body, "reply_to": named} if named else body)


def _body(
    conversation: Conversation,
    contact: Contact,
    event: Mapping[str, Any],
    visibility: Visibility,
    text: str,
    options: list[dict[str, str]],
) -> dict[str, Any]:
    return {
        "id": str(event["id"]),
        "to": contact.external_id,
        "conversation": conversation.id,
        "visibility": visibility,
        "kind": str(event["kind"]),
        "author": str(event.get("author", "system")),
        "text": text,
        "options": options,
        "at": str(event["at"]),
    }


def _invitation(context: Context, business: Business, token: str, kind: str) -> str:
    """How to go on in private, for the one invited: here, or on a page."""
    base = context.settings.public_url
    if kind == "reminder":
        words = "单独谈的入口还给您留着，直接回复这条消息就行，只有您和我们看得到。"
    else:
        words = "这件事想和您单独谈，只有您和我们看得到：直接回复这条消息就行。"
    if base is None or not token:
        return words
    minutes = business.invitation_minutes
    return (
        f"{words}也可以点开下面的链接在网页上谈，链接{minutes}分钟内有效，只能用一次，"
        f"请不要转给别人：\n{base}/w/{token}"
    )


def _reach(business: Business) -> str:
    return f"想单独处理，请联系{business.name}的客服，我们一对一为您办。"
