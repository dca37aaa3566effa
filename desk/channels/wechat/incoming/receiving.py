"""The road in: what WeChat brings is stored, taken, and put on the road of every message."""

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from desk.channels.pictures import keep
from desk.channels.wechat.accounts import Account
from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.incoming.intake import Outcome, Picture
from desk.channels.wechat.incoming.passive import Slot
from desk.channels.wechat.incoming.taking import say_later, take_in, take_waiting
from desk.finish import to_the_end
from recovery import faults
from recovery.logs import log
from recovery.pictures import MOST_BYTES, BadPictureError
from recovery.store.conversations import BOT
from recovery.store.database import is_away
from recovery.store.wechat import received
from recovery.store.wechat.received import Received

if TYPE_CHECKING:
    from desk.channels.wechat.service import WeChat

# How long after each try to fetch a picture the next one follows.
FETCH_PAUSES = (2.0, 10.0)
# WeChat asks again within 15 seconds; whoever comes later is not waited with.
_ASKS_AGAIN_SECONDS = 20.0
# Older messages say nothing about how fast somebody writes now.
_LATE_SECONDS = 30.0
# Two transactions that wait for each other are ended by PostgreSQL; the next try succeeds.
_STORE_PAUSE = 0.2
_TOO_LARGE = f"图片最大{MOST_BYTES // 1024 // 1024}MB，请压缩或截取后再发"


async def receive(
    wechat: "WeChat", account: Account, inbound: Inbound, *, slot: Slot | None = None
) -> str | None:
    """Take what came in, once however often it comes.

    Args:
        wechat: The service.
        account: Where it came in.
        inbound: What.
        slot: The callback that waits for words; None where none does.

    Returns:
        What is to be said at once: with a slot as the reply of the callback, else by the caller.
        The same message gets the same again. None: nothing, or it goes its own way.
    """
    try:
        # Whoever hangs up meanwhile cannot undo the commit: what follows it must follow.
        outcome = await to_the_end(_received(wechat, account, inbound, slot))
        if outcome.text is not None or slot is None or not outcome.expects:
            return outcome.text
        text = await slot.text()
        if text is None and outcome.repeated and outcome.row is not None:
            # It may have been given to the callback before while this one was looked up.
            text = await wechat.context.storage.read(_passive, outcome.row)
            if text is not None and not wechat.slots.goes(slot.key, "here"):
                return None
        return text
    finally:
        if slot is not None:
            slot.close()


async def _received(
    wechat: "WeChat", account: Account, inbound: Inbound, slot: Slot | None
) -> Outcome:
    context = wechat.context
    free = slot is not None and slot.open
    outcome = await _stored(wechat, account, inbound, free=free)
    if slot is not None:
        slot.stored = True
    row = outcome.row
    if row is None:
        return outcome
    if outcome.repeated:
        context.metrics.messages.labels("repeated").inc()
        if slot is not None and row.contact_id and _may_still_come(wechat, row):
            slot.belongs_to(row.contact_id)
            return outcome
        text = row.passive
        if slot is not None and text is not None and not wechat.slots.goes(slot.key, "here"):
            text = None
        return Outcome(row, repeated=True, text=text)
    if outcome.waits:
        faults.reach("wechat-received")
    else:
        faults.reach("wechat-taken")
    if slot is not None and row.contact_id:
        slot.belongs_to(row.contact_id)
    if outcome.waits:
        wechat.lanes.add(row)
    publish(wechat, outcome)
    if outcome.text is not None and slot is not None and slot.closed:
        # The store was too slow: WeChat has been answered, or has hung up, or asks again.
        if wechat.slots.goes(slot.key, "call"):
            await context.storage.write(say_later, row, outcome.text, context.clock())
            wechat.wake()
    return outcome


class _Pace:
    """Whether somebody writes no faster than one may; an openid stands for one customer.

    Asked only of what has not come before, and counted once however often it is tried to store it.
    """

    def __init__(self, wechat: "WeChat", account: Account, inbound: Inbound) -> None:
        self._wechat = wechat
        self._inbound = inbound
        self._key = f"wechat {account.id} {inbound.openid}"
        self._kept: bool | None = None

    def __call__(self) -> bool:
        if self._kept is None:
            # What was written while the desk was away comes all at once.
            now = self._wechat.context.clock().timestamp()
            late = now - self._inbound.sent_at > _LATE_SECONDS
            self._kept = late or self._wechat.buckets.take(self._key)
        return self._kept


async def _stored(wechat: "WeChat", account: Account, inbound: Inbound, *, free: bool) -> Outcome:
    """Commit it; what the store cannot do at this very moment it is asked for once more.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: It is away.
    """
    context, pace = wechat.context, _Pace(wechat, account, inbound)

    def taken(db: Connection) -> Outcome:
        return take_in(db, context, account, inbound, context.clock(), allowed=pace, free=free)

    try:
        return await wechat.together.write(taken)
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
    await asyncio.sleep(_STORE_PAUSE)
    return await wechat.together.write(taken)


def _passive(db: Connection, row: Received) -> str | None:
    present = received.load(db, row.account, row.key)
    return present.passive if present else None


def _may_still_come(wechat: "WeChat", row: Received) -> bool:
    """Whether it is worth waiting with a message that has come before for its answer."""
    since = (wechat.context.clock() - row.since).total_seconds()
    return row.passive is None and since < _ASKS_AGAIN_SECONDS


def publish(wechat: "WeChat", outcome: Outcome) -> None:
    """Show what was committed, and let the bot have it."""
    hub, router = wechat.context.hub, wechat.router
    for committed in outcome.committed:
        router.publish(committed)
    for message in outcome.first:
        router.add(message)
    for taken in (*((outcome.taken,) if outcome.taken else ()), *outcome.more):
        if taken.repeated:
            continue
        hub.publish(taken.entries)
        if taken.message.state == "new":
            router.add(taken.message)
        if taken.conversation.owner != BOT or taken.conversation.private:
            hub.changed(taken.conversation.business, taken.conversation.id)
    # What was held may go out now.
    wechat.wake()


async def take_from_lane(wechat: "WeChat", row: Received) -> None:
    """Take what was stored before; what has to be fetched is fetched now.

    Raises:
        NotYetError: Something of the contact has come before it.
    """
    context = wechat.context
    account = context.wechat.get(row.account)
    if account is None:
        # Kept for when the account stands in the settings again.
        return
    inbound = Inbound.from_wire(row.content)
    picture = None
    if inbound.kind == "image":
        picture = await _picture(wechat, account, inbound, row)
    free = row.contact_id is not None and wechat.slots.waiting(row.contact_id) is not None
    outcome = await context.storage.write(
        take_waiting, context, account, row, context.clock(), picture, free=free
    )
    if not outcome.expects and outcome.text is None:
        # Nothing follows: WeChat is not kept waiting.
        wechat.slots.let_go(row.account, row.key)
    faults.reach("wechat-fetched")
    publish(wechat, outcome)


async def _picture(wechat: "WeChat", account: Account, inbound: Inbound, row: Received) -> Picture:
    """Fetch the file of a picture, with patience: WeChat keeps it for three days."""
    storage, attempt = wechat.context.storage, row.attempts
    if inbound.media is None:
        return Picture()
    while True:
        try:
            content = await wechat.api(account).media(inbound.media)
            if len(content) > MOST_BYTES:
                return Picture(sentence=_TOO_LARGE)
            return Picture(await keep(wechat.album, wechat.picture_slots, content))
        except BadPictureError as error:
            return Picture(sentence=error.sentence)
        except (WeChatError, NotReachedError, OutcomeUnknownError, OSError) as error:
            # Of an error of the disk the path is no business of the log's reader.
            what = error.code if isinstance(error, WeChatError) else type(error).__name__
            log.warning("picture not fetched", account=account.id, error=what, attempt=attempt)
        if attempt >= len(FETCH_PAUSES):
            return Picture()
        await storage.write(received.count_attempt, row)
        await asyncio.sleep(FETCH_PAUSES[attempt])
        attempt += 1
