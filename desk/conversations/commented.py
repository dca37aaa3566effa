"""Comments under articles: public, without a page of ours, and answered once, in words only.

The bot's public words lead to an entry on the customer's page, and some of them are for the
customer alone. Whoever comments elsewhere has neither: what is said there is made fit here.
"""

import re
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from desk.conversations.ingest import RefusedError
from recovery.store import streams
from recovery.store.conversations import Conversation
from recovery.store.wechat import comments

COMMENT = "comment"
"""The channel of such a conversation."""
LONGEST_REPLY = 140
# Leaves room for how to go on in private.
LONGEST_OF_STAFF = 90

_ENTRY = re.compile(r"私聊|入口|只有您看|仅您可见|只对您|旁人看不|别人看不")
_SENTENCE = re.compile(r"[^。！？!?]+[。！？!?]*")
# What is said instead, where nothing else would be left, by the first response.
_INSTEAD = {
    "say_public_insult": (
        "听得出您很生气，发生了什么，我们想听您说。",
        "您的火气我们接着，究竟碰上了什么，请告诉我们。",
        "气成这样必有原因，请给我们一个弄清楚的机会。",
        "能让您说出这样的话，一定是出了事，我们想知道是哪一件。",
    ),
    "say_public_private_data": (
        "涉及个人信息的事，不适合在评论里说。",
        "为保护您的隐私，个人信息请不要写在评论里。",
        "有要核对的内容，请不要留在公开的评论里。",
    ),
    "say_public_invite_person": (
        "看到您的留言了，会有同事来回复您。",
        "您的话已经转给同事，由同事来答您。",
        "这件事由同事接手，我们会一直跟到有结果。",
    ),
    "say_public_stay": (
        "好的，按您的意思来，事情照样往下办。",
        "明白，该查的我们继续查。",
    ),
}
_ANYWAY = (
    "看到您的留言了，这件事我们来跟进。",
    "您的留言我们读到了，这就去核实。",
    "已经记下您说的事，我们接着往下办。",
)
_STANDS = {
    "new": "评论只能公开回复一次，已经回过了，正在发出",
    "sending": "评论只能公开回复一次，已经回过了，正在发出",
    "done": "微信里每条评论只能回复一次，这一条已经回复过了；顾客发来私信后再接着谈",
    "unknown": "这条评论的回复已经发出，微信没有告诉我们是否收到；请到公众号后台看一下",
    "failed": "微信没有收下这条评论的回复，也不能再发；可以到公众号后台直接回复",
    "skipped": "这条评论已经删除或在公众号后台回复过，这里不能再回",
}


def fit(spoken: list[dict[str, Any]], own: set[str], key: str) -> list[dict[str, Any]]:
    """Make what the bot says in public fit for a comment.

    Args:
        spoken: The bot's messages with `response` and `text`.
        own: Responses that the customer alone would see; nobody sees them here.
        key: Chooses the words, so that a retry says the same.

    Returns:
        The messages that are left, without any way in that only a page of ours has; none where
        nothing was said to everybody.
    """
    aloud = [one for one in spoken if one["response"] not in own]
    kept = []
    for one in aloud:
        text = "".join(part for part in _SENTENCE.findall(one["text"]) if not _ENTRY.search(part))
        if one["response"] == "say_public_question":
            # Where an answer stands may well be called an entry; it is on no page of ours.
            text = one["text"]
        if text:
            kept.append({**one, "text": text})
    if kept or not aloud:
        return kept
    instead = _INSTEAD.get(aloud[0]["response"], _ANYWAY)
    place = int(sha256(key.encode()).hexdigest(), 16) % len(instead)
    return [{**aloud[0], "text": instead[place]}]


def check_reply(
    db: Connection,
    conversation: Conversation,
    post: str | None,
    words: str,
    message_id: str,
    now: datetime,
) -> None:
    """Keep staff to the one short reply that a comment can have.

    Args:
        db: A writing transaction that holds the conversation.
        conversation: Of a comment.
        post: Id of the comment among the messages.
        words: What is to be said.
        message_id: Of the answer; the same again is the same answer.
        now: The present moment.

    Raises:
        RefusedError: It was answered before, is gone or too old, or the words are too long.
    """
    before = streams.replies_to(db, conversation.shown_in, post) if post else []
    if message_id in before:
        return
    kept = comments.of_conversation(db, conversation.id)
    state = kept.state if kept else "skipped"
    if before or state != "new":
        raise RefusedError("replied", _STANDS[state])
    if kept and datetime.fromisoformat(kept.created_at) <= now - comments.ANSWERED_WITHIN:
        raise RefusedError("too_old", "这条评论过去太久，不再从这里回复；可以到公众号后台直接回复")
    if len(words) > LONGEST_OF_STAFF:
        raise RefusedError("too_long", f"评论的回复最多{LONGEST_OF_STAFF}个字，其余的请到私信里谈")
