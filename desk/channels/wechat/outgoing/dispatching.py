"""Decides, for each contact to whom something is due, whether it goes, waits or is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.outgoing import budget
from desk.channels.wechat.outgoing.composing import Letter, compose, compose_passive
from desk.channels.wechat.outgoing.rendering import PROGRESS
from desk.channels.wechat.outgoing.standing import Rights
from desk.context import Context
from desk.conversations.turn import Changed
from recovery.ids import new_id
from recovery.store import conversations
from recovery.store.conversations import BOT
from recovery.store.wechat import quota, received, sends, threads, under_way
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.sends import Send

CALL_SECONDS = 20.0
"""How long a call may take, with all that belongs to it."""
# When nobody has heard of a call for this long, the desk that made it is gone.
_LEASE = timedelta(seconds=3 * CALL_SECONDS / 2)
# What follows a passive reply must not be there before it.
_AFTER_PASSIVE = timedelta(seconds=1)
# What can wait for the bot's answer is looked at again after so long.
_WITH_ANSWER = timedelta(seconds=1)
# Contacts looked at in one transaction.
_TOGETHER = 200

Key = tuple[str, str]


@dataclass(frozen=True)
class Flight:
    """One call that is about to be made.

    Attributes:
        contact: As it was when the call was decided on.
        letter: What is sent.
        batch: Its name; WeCom takes a message of the same name once.
    """

    account: Account
    contact: Contact
    letter: Letter
    batch: str

    @property
    def rows(self) -> list[int]:
        """Ids of the rows that go with it."""
        return [row.id for row in self.letter.rows]


@dataclass
class Decided:
    """What one look has brought about.

    Attributes:
        flights: Calls to be made after the commit.
        passive: By contact, what callbacks are to answer, after the commit.
        changed: Conversations whose standing in WeChat is another one now.
    """

    flights: list[Flight] = field(default_factory=list)
    passive: dict[str, Letter] = field(default_factory=dict)
    changed: set[Changed] = field(default_factory=set)


def reply_passively(
    db: Connection,
    context: Context,
    rights: Rights,
    waiting: Mapping[str, Key],
    now: datetime,
) -> Decided:
    """Answer callbacks that wait: what they carry costs nothing.

    Args:
        db: A writing transaction.
        context: The desk.
        rights: What accounts may do.
        waiting: By contact, the message whose callback waits.
        now: The present moment.
    """
    decided = Decided()
    for contact, rows in _ready(db, context, now, waiting):
        account = context.wechat.get(contact.account)
        if account is None or not rows or _goes_with_answer(db, rows):
            continue
        letter = compose_passive(rows, goes_on=_left(rights, account, contact, now) > 0)
        if letter is None:
            continue
        taken = [row.id for row in letter.rows]
        sends.settle(db, taken, sends.SENT, now, via=sends.PASSIVE)
        received.answer(db, waiting[contact.id], letter.text)
        sends.postpone(db, [row.id for row in rows if row.id not in taken], now + _AFTER_PASSIVE)
        decided.passive[contact.id] = letter
    return decided


def take_back(db: Connection, refused: Mapping[Key, Letter], now: datetime) -> None:
    """Send otherwise what callbacks could not carry: they had just answered without it.

    Args:
        db: A writing transaction.
        refused: What was to be the replies, by the messages.
        now: The present moment.
    """
    for key, letter in refused.items():
        sends.settle(db, [row.id for row in letter.rows], sends.TODO, now)
        received.answer(db, key, None)


def take(
    db: Connection,
    context: Context,
    rights: Rights,
    most: int,
    now: datetime,
) -> Decided:
    """Decide what goes by calls, and say so in the rows before any is made.

    Args:
        db: A writing transaction.
        context: The desk.
        rights: What accounts may do.
        most: How many calls at most.
        now: The present moment.
    """
    decided = Decided()
    for contact, rows in _ready(db, context, now, None):
        account = context.wechat.get(contact.account)
        if account is None or not rows:
            continue
        later = _later(rights, account, contact, rows, now)
        if later is not None:
            sends.postpone(db, [row.id for row in rows], later)
            continue
        if _goes_with_answer(db, rows):
            sends.postpone(db, [row.id for row in rows], now + _WITH_ANSWER)
            continue
        left = _left(rights, account, contact, now)
        menus = account.settings.msgmenu and not rights.without_menus(account.id)
        letter = compose(rows, left=left, menus=menus) if left > 0 else None
        if letter is None:
            sends.hold(db, [row.id for row in rows])
            decided.changed |= _conversations(db, rows)
        elif len(decided.flights) < most:
            known = next((row.batch for row in letter.rows if row.batch), None)
            decided.flights.append(Flight(account, contact, letter, known or new_id("b")))
    begun = [
        (one.batch, sends.CUSTOM if one.account.official else sends.KF, one.rows)
        for one in decided.flights
    ]
    under_way.begin(db, begun, now + _LEASE)
    quota.spend(db, [one.contact.id for one in decided.flights])
    for one in decided.flights:
        decided.changed |= _conversations(db, one.letter.rows, watched_only=True)
    return decided


def _ready(
    db: Connection, context: Context, now: datetime, these: Mapping[str, Key] | None
) -> list[tuple[Contact, list[Send]]]:
    accounts = [account.id for account in context.wechat]
    return under_way.ready(db, accounts, now, _TOGETHER, these)


def _left(rights: Rights, account: Account, contact: Contact, now: datetime) -> int:
    return budget.left(contact, now) if rights.may_send(account, now) else 0


def _goes_with_answer(db: Connection, rows: Sequence[Send]) -> bool:
    """Whether all that waits can wait for what the bot is about to say, or has just said.

    It would take the place of the answer in the passive reply, or cost a message of its own.
    """
    light = all(
        (row.weight == sends.NOTICE and not row.content.get("passing"))
        or row.content.get("role") == PROGRESS
        for row in rows
    )
    if not light:
        return False
    these = {row.conversation_id for row in rows if row.conversation_id}
    # The answer may have been given a moment ago, and not be among the rows yet.
    return under_way.with_the_bot(db, these) or threads.any_of_these_behind(db, these)


def _later(
    rights: Rights, account: Account, contact: Contact, rows: Sequence[Send], now: datetime
) -> datetime | None:
    """When to look again, where nothing can be sent now but soon; None: now is the time."""
    ends = [budget.blocked(contact, now), rights.blocked(account.id, now)]
    first = next((row for row in rows if row.state == sends.TODO), None)
    if first is not None and first.attempts:
        # What has failed goes first, and not before its time.
        due = datetime.fromisoformat(first.due_at)
        ends.append(due if due > now else None)
    return max((end for end in ends if end), default=None)


def _conversations(
    db: Connection, rows: Sequence[Send], *, watched_only: bool = False
) -> set[Changed]:
    """The conversations of rows; with `watched_only` those that a person looks after."""
    found = set()
    for conversation_id in {row.conversation_id for row in rows if row.conversation_id}:
        one = conversations.load(db, conversation_id)
        if one is not None and not (watched_only and one.owner == BOT):
            found.add(Changed(one.business, one.id))
    return found
