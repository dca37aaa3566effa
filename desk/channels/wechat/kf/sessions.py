"""Who has a customer's session in WeCom. The API may write only while this desk has it.

A session stays in state 1 (智能助手) while staff answer from this desk. When a colleague takes it
inside WeCom, the bot is silent: it would talk past a person. What the customer and the colleague
say there is shown here and no turn is taken for it; when the session is over, this desk goes on.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from desk.channels.wechat.api.kf import KfApi
from desk.channels.wechat.api.outcomes import WeChatError
from desk.channels.wechat.outgoing import budget
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from recovery.logs import log
from recovery.store import conversations, notices, streams
from recovery.store.conversations import Conversation, owner_id
from recovery.store.wechat import contacts, quota, sends
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.sends import Send

Session = Literal["ours", "person", "ended"]
NOTICE = "undelivered"
# States of WeCom: new, smart assistant, pool, person, ended.
_NEW, _ASSISTANT, _POOL, _PERSON, _ENDED = range(5)
# WeCom's codes: a change of state that is not allowed; a message that is not, in this state.
_NO_SUCH_CHANGE, BAD_STATE = 95016, 95018
# WeCom's codes that mean what another code means for Official Accounts.
_MEANINGS = {
    95001: 45047,  # five messages are sent
    95002: 45015,  # 48 hours are over
    95013: 45015,  # the session has ended: the customer's next message opens another
    40096: 40003,  # no such customer
    45033: -1,  # too many calls at once
}
# A session is over by then in any case, whether or not WeCom has said so.
_LONGEST = timedelta(hours=48)
_TAKEN = (
    "同事在企业微信里接手了这位顾客：机器人不再回复，从这里说的话要等那边结束、顾客再写来时才能送出"
)


async def claim(api: KfApi, user: str) -> Session:
    """See who has a session, and take it for this desk where nobody has it yet.

    Args:
        api: Of the account.
        user: external_userid.

    Raises:
        WeChatError: WeCom has refused to say or do it.
        NotReachedError: As its name says.
        OutcomeUnknownError: Whether it was taken is not known; asking again tells.
    """
    state = await api.state(user)
    if state == _NEW:
        try:
            await api.set_state(user, _ASSISTANT)
        except WeChatError as error:
            if error.code != _NO_SUCH_CHANGE:
                raise
            # Somebody else was quicker.
            state = await api.state(user)
            log.info("kf session changed meanwhile", state=state)
    if state in (_POOL, _PERSON):
        return "person"
    return "ended" if state == _ENDED else "ours"


def meaning(code: int) -> int:
    """The code of Official Accounts that means the same as one of WeCom."""
    return _MEANINGS.get(code, code)


def with_a_person(contact: Contact, now: datetime) -> bool:
    """Whether a colleague has this contact's session in WeCom, as far as this desk knows."""
    return contact.blocked_by == BAD_STATE and budget.blocked(contact, now) is not None


def taken(db: Connection, contact_id: str, now: datetime) -> Committed:
    """A colleague has a session in WeCom: hold what waits for the customer, and tell staff once.

    Words of the bot are dropped: they answer what the colleague answers now. Those of staff here,
    and news of remedies, wait until the customer writes again.

    Args:
        db: A writing transaction.
        contact_id: Whose session.
        now: The present moment.
    """
    return _kept_back(db, contact_id, (sends.TODO, sends.HELD), now)


def not_ours(
    db: Connection, context: Context, contact_id: str, session: Session, now: datetime
) -> Committed:
    """What was about to be sent cannot be: `claim` has said `person` or `ended`, or 95018 came.

    Args:
        db: A writing transaction.
        context: The desk.
        contact_id: Whose session; no call for this contact is under way by now.
        session: What `claim` has said.
        now: The present moment.
    """
    if session == "person":
        return _kept_back(db, contact_id, (sends.TODO, sends.SENDING, sends.HELD), now)
    if session == "ended":
        _hold(db, sends.open_of(db, contact_id), now)
        return Committed([], changed=_changed(db, contact_id))
    return Committed([])


def over(db: Connection, contact_id: str) -> None:
    """No colleague has the session any more; what waits goes out when the customer writes."""
    contact = contacts.load(db, contact_id, lock=True)
    if contact is not None and contact.blocked_by == BAD_STATE:
        quota.block(db, contact_id, None, None)


def tell(db: Connection, conversation: Conversation, words: str, now: datetime) -> Committed:
    """Leave a notice with whom it concerns: the owner, or else who looks after the colleagues."""
    owner = owner_id(conversation.owner)
    readers = [owner] if owner is not None else notices.overseers(db, conversation.business)
    left = notices.add(db, readers, NOTICE, conversation.id, words, now)
    changed = (Changed(conversation.business, conversation.id),)
    return Committed([], changed=changed, notices=left)


def _kept_back(
    db: Connection, contact_id: str, states: tuple[str, ...], now: datetime
) -> Committed:
    contact = contacts.load(db, contact_id, lock=True)
    if contact is None:
        return Committed([])
    known = with_a_person(contact, now)
    quota.block(db, contact_id, now + _LONGEST, BAD_STATE)
    late = [one for one in sends.open_of(db, contact_id) if one.state in states]
    dropped = {one.id for one in late if _said_by_bot(db, one)}
    sends.settle(db, dropped, sends.FAILED, now, error=BAD_STATE)
    _hold(db, [one for one in late if one.id not in dropped], now)
    if known or contact.conversation_id is None:
        return Committed([], changed=_changed(db, contact_id))
    conversation = conversations.load(db, contact.conversation_id)
    return tell(db, conversation, _TAKEN, now) if conversation else Committed([])


def _hold(db: Connection, rows: Iterable[Send], now: datetime) -> None:
    for one in rows:
        # A former try may have arrived: under the same name WeCom takes it once.
        sends.settle(db, [one.id], sends.HELD, now, error=BAD_STATE, batch=one.batch)


def _said_by_bot(db: Connection, send: Send) -> bool:
    """Whether it is mere talk of the bot; an offer is a matter of its own and stays."""
    if send.conversation_id is None:
        return False
    event = streams.event(db, f"private:{send.conversation_id}", send.event_id)
    return event is not None and event["kind"] == "message" and event.get("author") == "bot"


def _changed(db: Connection, contact_id: str) -> tuple[Changed, ...]:
    contact = contacts.load(db, contact_id)
    if contact is None or contact.conversation_id is None:
        return ()
    conversation = conversations.load(db, contact.conversation_id)
    return (Changed(conversation.business, conversation.id),) if conversation else ()
