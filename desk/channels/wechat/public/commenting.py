"""What a comment under an article becomes: a public conversation, one reply, a way into private.

A comment says nothing about who writes it: its customer is nobody's contact. Only when the writer
writes to the account in private, with the openid that WeChat gave for the comment, are the two
one, and the matter goes on there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.context import Context
from desk.conversations.commented import COMMENT, LONGEST_REPLY
from desk.conversations.entering import enter_uninvited
from desk.conversations.ingest import LONGEST, Incoming, RefusedError, clean, take
from desk.conversations.turn import Changed, Committed
from recovery.ids import fingerprint, new_id
from recovery.privacy import beginning, mask
from recovery.store import cases, conversations, customers, inbox, notices, streams
from recovery.store.conversations import Conversation
from recovery.store.customers import NAMELESS
from recovery.store.database import hold
from recovery.store.inbox import Message
from recovery.store.wechat import comments, contacts, threads
from recovery.store.wechat.comments import Comment, State
from recovery.store.wechat.contacts import Contact

ROOMS = "room:wc-"
"""How the streams of what stands under articles begin."""
_TAKEN_UP_WITHIN = timedelta(days=30)
_NOTE = (
    "这是公众号“{name}”文章下的评论，所有人都能看到；微信里每条评论只能回复一次，只能发文字。"
    "顾客给公众号发来私信以前，这里不知道他是谁"
)
# How to go on in private. Each says the name of the account and may follow any sentence.
_WAYS = (
    "想一对一处理，请在公众号“{name}”里发消息给我们。",
    "请到公众号“{name}”里给我们发消息，只有您和我们看得到，接着就办。",
    "方便时请给公众号“{name}”发一条消息，我们单独为您办。",
    "细节请在公众号“{name}”的对话里告诉我们，别人看不到。",
    "接下来请打开公众号“{name}”，直接发消息，我们一对一跟进。",
)
_END = re.compile(r"[。！？!?；;]")
_TOLD = {
    "done": "已在评论下公开回复：{text}",
    "skipped": "这条评论已经删除，或在公众号后台回复过，没有再回",
    "unknown": "不知道微信有没有收到这条评论的回复，为免重复不再发；请到公众号后台看一下",
    "failed": "微信没有收下这条评论的回复（{error}），请到公众号后台直接回复",
}


def room_of(account: str, article: str) -> str:
    """The room in which the comments under one article stand; no page leads there."""
    return f"wc-{fingerprint(f'{account} {article}')[:28]}"


@dataclass(frozen=True)
class Commented:
    """A comment that was taken.

    Attributes:
        message: For the router.
        committed: To be published.
    """

    message: Message
    committed: Committed


def take_comment(
    db: Connection,
    context: Context,
    account: Account,
    article: str,
    comment: str,
    openid: str | None,
    text: str,
    now: datetime,
) -> Commented | None:
    """Put a comment on the road of a public post, once.

    Args:
        db: A writing transaction.
        context: The desk.
        account: Under whose article.
        article: As in the settings.
        comment: WeChat's id of it.
        openid: Of its writer; kept beside the comment only.
        text: As written.
        now: The present moment.

    Returns:
        What to publish; None where it was taken before, or has no words.
    """
    hold(db, f"comment {account.id} {article} {comment}")
    if comments.known(db, account.id, article, [comment]):
        return None
    try:
        words = clean(text[:LONGEST])
    except RefusedError:
        comments.skip(db, account.id, article, [comment], now)
        return None
    business = account.settings.business
    customer = customers.add(db, new_id("u"), business, NAMELESS, now)
    room = room_of(account.id, article)
    conversation = conversations.begin(db, business, customer.id, now, room=room, channel=COMMENT)
    external = fingerprint(f"{account.id} {article} {comment}")[:40]
    taken = take(db, context, Incoming(conversation.id, external, words), now)
    comments.add(db, account.id, article, comment, openid, conversation.id, taken.message.id, now)
    note = _NOTE.format(name=account.settings.name)
    told = tell_staff(db, conversation, f"{taken.message.id}.note", note, now)
    return Commented(taken.message, Committed([*taken.entries, *told.entries]))


def tell_staff(
    db: Connection, conversation: Conversation, event_id: str, text: str, now: datetime
) -> Committed:
    """Show a sentence in the conversation of a comment: staff alone read what is its own."""
    event = {"id": event_id, "kind": "message", "author": "system", "text": text}
    entry = streams.append(db, conversation.stream, event, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([entry] if entry else [], changed=changed)


def compose(answer: str, name: str, key: str, *, invites: bool, before: str | None) -> str:
    """Write the reply to a comment.

    Args:
        answer: What was said to everybody.
        name: Of the account.
        key: Chooses the words, so that a retry says the same.
        invites: Whether it says how to go on in private.
        before: The reply that stands under the same article before this one.

    Returns:
        At most `LONGEST_REPLY` characters, nothing personal in it. How to go on in private is
        said in other words than in the reply before, and not twice in one.
    """
    words = mask(answer).text.strip()
    way = ""
    if invites and name not in words:
        way = _way(name, key, before or "")
    return _cut(words, LONGEST_REPLY - len(way)) + way


def _way(name: str, key: str, before: str) -> str:
    fresh: Sequence[str] = [way for one in _WAYS if (way := one.format(name=name)) not in before]
    return fresh[int(sha256(key.encode()).hexdigest(), 16) % len(fresh)]


def _cut(words: str, most: int) -> str:
    """The beginning of a text: whole sentences, as long as one fits; never half a number."""
    if len(words) <= most:
        return words
    ends = [found.end() for found in _END.finditer(words) if found.end() <= most]
    return words[: ends[-1]] if ends else beginning(words, most - 1) + "…"


def begin_reply(db: Connection, comment: Comment, answer: str, name: str) -> str | None:
    """Write the reply and keep that it is on its way; None where somebody was faster."""
    # What stands before it under the article is to be known.
    hold(db, f"comments {comment.account} {comment.article}")
    conversation = conversations.load(db, comment.conversation_id or "")
    message = inbox.load(db, comment.message_id or "")
    personal = message is not None and bool(mask(message.text).found)
    matter = conversation is not None and conversation.case_id is not None
    text = compose(
        answer,
        name,
        comment.comment,
        invites=(matter or personal) and comment.taken_up_at is None,
        before=comments.last_reply(db, comment.account, comment.article),
    )
    return text if comments.begin_sending(db, comment, text) else None


def settle_reply(
    db: Connection, comment: Comment, state: State, error: int | None, text: str, now: datetime
) -> Committed:
    """Keep what became of a reply; staff read it, and who has the matter hears of a failure."""
    comments.settle(db, comment, state, now, error)
    conversation = conversations.load(db, comment.conversation_id or "")
    if conversation is None or state not in _TOLD:
        return Committed([])
    words = _TOLD[state].format(text=text, error=error)
    told = tell_staff(db, conversation, f"{comment.message_id}.{state}", words, now)
    if state not in ("unknown", "failed") or conversation.agent is None:
        return told
    left = notices.add(db, [conversation.agent], "undelivered", conversation.id, words, now)
    return Committed(told.entries, changed=told.changed, notices=left)


# --- in private -----------------------------------------------------------------------------


@dataclass(frozen=True)
class TakenUp:
    """A matter that its writer goes on with in private.

    Attributes:
        conversation: The private one; the contact leads there.
        entered: For the router, before the writer's own words; None: it was begun before.
        committed: To be published.
    """

    conversation: Conversation
    entered: Message | None
    committed: Committed


def taken_up(db: Connection, context: Context, contact: Contact, now: datetime) -> TakenUp | None:
    """Let who wrote a comment go on in private with its case.

    Args:
        db: A writing transaction.
        context: The desk.
        contact: Who writes to the account and is in no open conversation.
        now: The present moment.

    Returns:
        The latest open case of the writer's comments within 30 days, in its private conversation;
        None where there is none.
    """
    since = now - _TAKEN_UP_WITHIN
    for comment in comments.of_writer(db, contact.account, contact.openid, since):
        public = conversations.load(db, comment.conversation_id or "", lock=True)
        case = cases.load(db, public.case_id) if public else None
        if public is None or case is None or case.stage == "closed":
            continue
        if context.directory.business(public.business) is None:
            continue
        private, entered, committed = enter_uninvited(db, context, public, now)
        # Where it was begun before, it was shown elsewhere.
        shown = 0 if entered else streams.last(db, private.stream)
        threads.bind(db, private.id, contact.id, now, planned=shown)
        contacts.lead_to(db, contact.id, private.id)
        comments.note_taken_up(db, comment, now)
        words = "顾客给公众号发来私信，这件事转到私聊里接着谈"
        told = tell_staff(db, public, f"{comment.message_id}.private", words, now)
        entries = [*committed.entries, *told.entries]
        changed = (*committed.changed, *told.changed)
        whole = Committed(entries, changed=changed, notices=committed.notices)
        return TakenUp(private, entered, whole)
    return None
