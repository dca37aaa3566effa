"""What WeCom tells of a session beside the customer's words to this desk, each as one transaction.

All of it may be told again: what was stored once is stored no second time.
"""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.kf import sessions as kf_sessions
from desk.channels.wechat.kf.reading import Elsewhere, SessionChange, stand_in
from desk.channels.wechat.outgoing import budget
from desk.context import Context
from desk.conversations.ingest import LONGEST, RefusedError, clean
from desk.conversations.turn import Changed, Committed
from recovery.store import clocks, conversations, customers, streams
from recovery.store.conversations import BOT
from recovery.store.wechat import contacts, deliveries, quota, sends
from recovery.store.wechat.contacts import Contact

# `fail_type`: the session was older than 48 hours, was closed, or had its five messages. All are
# over with the customer's next message.
_OVER = frozenset({4, 5, 6})
_REFUSED_BY_CUSTOMER = 10
REASONS = {
    0: "unknown reason",
    1: "the account was deleted",
    2: "the application is closed",
    4: "the session is older than 48 hours",
    5: "the session is closed",
    6: "five messages were sent",
    8: "the company is not verified",
    _REFUSED_BY_CUSTOMER: "refused by the customer",
    11: "nobody of the company has signed in to the WeCom app",
    12: "a kind of message that may not be sent",
    13: "limited for safety",
}
"""What operators read of each `fail_type`."""
_BY_COLLEAGUE = "同事（企业微信）"


def message_id(account: str, key: str) -> str:
    """Id of what stands for an entry of `sync_msg`; fits `msgid` and the ids of events."""
    return "kf" + sha256(f"{account} {key}".encode()).hexdigest()[:28]


def session_changed(
    db: Connection, account: str, change: SessionChange, now: datetime
) -> Committed:
    """A colleague has taken a session in WeCom, or ended it."""
    contact = _held(db, account, change.openid)
    if contact is None:
        # Never came to this desk.
        return Committed([])
    if change.session == "person":
        return kf_sessions.taken(db, contact.id, now)
    kf_sessions.over(db, contact.id)
    return Committed([], changed=_changed(db, contact))


def heard_elsewhere(
    db: Connection, context: Context, account: str, said: Elsewhere, now: datetime
) -> Committed:
    """Show what a colleague has written inside WeCom; the customer has it already.

    Who writes there has the session, also where WeCom has not told so.
    """
    contact = _held(db, account, said.openid)
    if contact is None or contact.conversation_id is None:
        return Committed([])
    event_id = message_id(account, said.key)
    conversation = conversations.load(db, contact.conversation_id, lock=True)
    if conversation is None or streams.event(db, conversation.stream, event_id):
        return Committed([])
    committed = kf_sessions.taken(db, contact.id, now)
    text = _fit(said.text)
    event = {
        "id": event_id,
        "kind": "message",
        "author": "staff",
        "name": _BY_COLLEAGUE,
        "text": text,
        "elsewhere": "wecom",
    }
    entry = streams.append(db, conversation.stream, event, now)
    conversations.note_message(db, conversation.id, text, now)
    business = context.directory.business(conversation.business)
    if conversation.owner != BOT and business:
        # A person has answered, if not from here: nobody waits for that any more.
        conversations.staff_answered(db, conversation.id)
        clocks.staff_answered(db, conversation, business, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([entry] if entry else [], changed=changed, notices=committed.notices)


def said_to_colleague(db: Connection, account: str, inbound: Inbound, now: datetime) -> Committed:
    """Show what a customer has written to a colleague in WeCom; the bot takes no turn for it."""
    contact = _held(db, account, inbound.openid)
    if contact is None or contact.conversation_id is None:
        # The session has been a colleague's from the start: it is no matter of this desk.
        return Committed([])
    conversation = conversations.load(db, contact.conversation_id, lock=True)
    if conversation is None:
        return Committed([])
    committed = kf_sessions.taken(db, contact.id, now)
    customer = customers.load(db, conversation.customer_id)
    text = _fit(stand_in(inbound))
    event = {
        "id": message_id(account, inbound.key),
        "kind": "message",
        "author": "customer",
        "customer": customer.id,
        "name": customer.name,
        "text": text,
        "elsewhere": "wecom",
    }
    entry = streams.append(db, conversation.stream, event, now)
    if entry is None:
        return committed
    conversations.note_message(db, conversation.id, text, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([entry], changed=changed, notices=committed.notices)


def is_on_its_way(db: Connection, account: str, job: Inbound) -> bool:
    """Whether the call that sent a message has not been settled here yet."""
    contact = contacts.find(db, account, job.openid)
    if contact is None:
        return False
    rows = deliveries.of_batch(db, contact.id, str(job.more["message"]))
    return any(row.state == sends.SENDING for row in rows)


def undelivered(db: Connection, account: str, job: Inbound, now: datetime) -> Committed:
    """A message did not arrive though WeCom had taken it.

    Args:
        db: A writing transaction.
        account: Of the settings.
        job: Tells which message (`message`) and why (`status`: fail_type).
        now: The present moment.
    """
    contact, reason = _held(db, account, job.openid), int(job.more["status"])
    rows = deliveries.of_batch(db, contact.id, str(job.more["message"])) if contact else []
    if contact is None or not rows:
        return Committed([])
    ids = [row.id for row in rows]
    if reason in _OVER:
        # Without its batch: what goes again is another message, and takes another msgid.
        sends.settle(db, ids, sends.HELD, now, error=reason)
        quota.use_up(db, contact.id, budget.PER_MESSAGE, budget.PER_ACT)
        return Committed([], changed=_changed(db, contact))
    sends.settle(db, ids, sends.FAILED, now, error=reason)
    why = "顾客已拒收" if reason == _REFUSED_BY_CUSTOMER else "企业微信没有送达"
    conversation = conversations.load(db, rows[0].conversation_id or contact.conversation_id or "")
    if conversation is None:
        return Committed([])
    return kf_sessions.tell(db, conversation, f"有一条发到微信的消息顾客没有收到：{why}", now)


def _held(db: Connection, account: str, openid: str) -> Contact | None:
    contacts.hold_writer(db, account, openid)
    return contacts.find(db, account, openid)


def _fit(text: str) -> str:
    """A text that can be shown, whatever came."""
    try:
        return clean(text[:LONGEST])
    except RefusedError as error:
        return "[消息太长]" if error.code == "too_long" else "[空消息]"


def _changed(db: Connection, contact: Contact) -> tuple[Changed, ...]:
    conversation = (
        conversations.load(db, contact.conversation_id) if contact.conversation_id else None
    )
    return (Changed(conversation.business, conversation.id),) if conversation else ()
