"""What the end of a call means, and writing it down. Nothing is ever tried again blindly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from desk.channels.wechat.api.outcomes import NotReachedError, OutcomeUnknownError, WeChatError
from desk.channels.wechat.kf import sessions as kf_sessions
from desk.channels.wechat.kf.sessions import Session
from desk.channels.wechat.outgoing import budget
from desk.channels.wechat.outgoing.dispatching import Flight
from desk.channels.wechat.outgoing.standing import Rights
from desk.context import Context
from desk.conversations.turn import Changed, Committed
from recovery.logs import log
from recovery.store import conversations, notices
from recovery.store.conversations import Conversation, owner_id
from recovery.store.notices import Notice
from recovery.store.wechat import contacts, deliveries, quota, sends
from recovery.store.wechat.contacts import Contact
from recovery.store.wechat.sends import NOTICE, Send

UNDELIVERED = "undelivered"
_FAILED_WORDS = "有一条消息没能发到顾客的微信，请换个方式告诉顾客"
_UNSURE_WORDS = "有一条消息不确定顾客的微信收到没有，请留意，必要时再说一遍"

BUSY, NO_MENUS, NO_RIGHT, DAY_OVER, TOO_OFTEN = -1, 40200, 48001, 45009, 43117
WINDOW_OVER, QUOTA_OVER, NOT_OURS = 45015, 45047, kf_sessions.BAD_STATE
# Of the token, the secret, the list of addresses: an operator has to put them right.
_SET_UP_WRONGLY = frozenset(
    {40001, 40013, 40014, 40125, 40164, 41002, 41004, 42001, 50002, 61004, 89503}
)
_BUSY_PAUSE, _BUSY_TRIES = timedelta(seconds=2), 3
# With `resend_unknown` once more; WeCom takes it once by its name, so there it may be tried on.
_UNKNOWN_TRIES, _UNKNOWN_TRIES_KF = 2, 12
_SET_UP_PAUSE, _OFTEN_PAUSE = timedelta(seconds=60), timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(seconds=60)
# WeChat's day.
_DAY = ZoneInfo("Asia/Shanghai")


class CannotBeMadeError(RuntimeError):
    """A message that cannot be made: its picture is gone."""


@dataclass(frozen=True)
class Landed:
    """A call that has ended.

    Attributes:
        flight: The call.
        error: Why it has not succeeded; None: it has.
        session: Of 微信客服: who has the session, where that is not this desk.
    """

    flight: Flight
    error: Exception | None = None
    session: Session | None = None


def settle(
    db: Connection, context: Context, rights: Rights, landed: Sequence[Landed], now: datetime
) -> Committed:
    """Write down how calls have ended.

    Args:
        db: A writing transaction.
        context: The desk.
        rights: What accounts may do; what WeChat has said of them is kept there.
        landed: The calls.
        now: The present moment.
    """
    told = _Told(db, context, now)
    # In one order, since another desk may lock contacts as well.
    for one in sorted(landed, key=lambda each: each.flight.contact.id):
        contact = contacts.load(db, one.flight.contact.id, lock=True)
        if contact is None:
            continue
        if one.session in ("person", "ended") or _code(one) == NOT_OURS:
            quota.refund(db, [contact.id])
            session: Session = one.session or "person"
            told.also(kf_sessions.not_ours(db, context, contact.id, session, now))
        else:
            _settle_one(db, rights, one, contact, told, now)
    return told.committed


def settle_lost(db: Connection, context: Context, rows: Sequence[Send], now: datetime) -> Committed:
    """Write down what is known of calls whose desk has died: mostly nothing.

    Args:
        db: A writing transaction.
        context: The desk.
        rows: In state `sending`.
        now: The present moment.
    """
    told = _Told(db, context, now)
    for row in rows:
        contact = contacts.load(db, row.contact_id)
        account = context.wechat.get(contact.account) if contact else None
        if account is None:
            continue
        _unsure(db, [row], account.official, account.settings.resend_unknown, told, now)
    return told.committed


def _settle_one(
    db: Connection, rights: Rights, one: Landed, contact: Contact, told: "_Told", now: datetime
) -> None:
    flight, rows, error = one.flight, one.flight.letter.rows, one.error
    via = sends.CUSTOM if flight.account.official else sends.KF
    numbers = flight.rows
    if error is None:
        sends.settle(db, numbers, sends.SENT, now, via=via, batch=flight.batch)
        return
    if isinstance(error, OutcomeUnknownError):
        settings = flight.account.settings
        _unsure(db, rows, flight.account.official, settings.resend_unknown, told, now, flight.batch)
        return
    # WeChat has not carried it out.
    quota.refund(db, [contact.id])
    attempts = max(row.attempts for row in rows) + 1
    if isinstance(error, NotReachedError):
        # Of WeCom the name is kept: it does no harm and may save a double.
        name = None if flight.account.official else flight.batch
        due = now + _pause_after(attempts)
        sends.settle(db, numbers, sends.TODO, now, batch=name, due=due)
        return
    code = _code(one)
    if code is None:
        log.error("wechat: cannot be sent", contact=contact.id, error=repr(error))
        told.troubled(rows, sends.FAILED, None)
        return
    _refused(db, rights, one, contact, code, attempts, told, now)


def _refused(
    db: Connection,
    rights: Rights,
    one: Landed,
    contact: Contact,
    code: int,
    attempts: int,
    told: "_Told",
    now: datetime,
) -> None:
    """What WeChat's error means for what was sent, the contact and the account."""
    flight, numbers = one.flight, one.flight.rows
    account, rows = flight.account, flight.letter.rows
    # An earlier try may have arrived: WeCom takes it once as long as its name stays.
    name = None if account.official else flight.batch
    # Who has written meanwhile has opened a window that this call knew nothing of.
    since = (contact.wrote_at, contact.acted_at)
    anew = since != (flight.contact.wrote_at, flight.contact.acted_at)
    if code in (WINDOW_OVER, QUOTA_OVER) and anew:
        sends.settle(db, numbers, sends.TODO, now, error=code, batch=name)
    elif code in (WINDOW_OVER, QUOTA_OVER):
        quota.use_up(db, contact.id, budget.PER_MESSAGE, budget.PER_ACT)
        sends.settle(db, numbers, sends.HELD, now, error=code, batch=name)
        told.changed(rows)
    elif code == NO_RIGHT:
        rights.silence(account, now)
        sends.settle(db, numbers, sends.HELD, now, error=code, batch=name)
        told.changed(rows)
    elif code == NO_MENUS and flight.letter.kind == "menu":
        rights.take_menus(account.id)
        sends.settle(db, numbers, sends.TODO, now, error=code, batch=name)
    elif code == DAY_OVER or code in _SET_UP_WRONGLY:
        until = _next_day(now) if code == DAY_OVER else now + _SET_UP_PAUSE
        rights.block(account.id, until, code)
        quota.block(db, contact.id, until, code)
        sends.settle(db, numbers, sends.TODO, now, error=code, batch=name, due=until)
        told.changed(rows)
    elif code == TOO_OFTEN:
        quota.block(db, contact.id, now + _OFTEN_PAUSE, code)
        sends.settle(db, numbers, sends.TODO, now, error=code, batch=name, due=now + _OFTEN_PAUSE)
    elif code == BUSY and not (attempts >= _BUSY_TRIES and rows[0].error == BUSY):
        sends.settle(db, numbers, sends.TODO, now, error=code, batch=name, due=now + _BUSY_PAUSE)
    else:
        log.error("wechat: refused", account=account.id, contact=contact.id, errcode=code)
        told.troubled(rows, sends.FAILED, code)


def _code(one: Landed) -> int | None:
    """WeChat's error code, of WeCom the one that means the same."""
    if not isinstance(one.error, WeChatError):
        return None
    return one.error.code if one.flight.account.official else kf_sessions.meaning(one.error.code)


def _unsure(
    db: Connection,
    rows: Sequence[Send],
    official: bool,
    resend: bool,
    told: "_Told",
    now: datetime,
    batch: str | None = None,
) -> None:
    """Nobody knows whether it has arrived. WeCom takes it once by its name, WeChat does not."""
    tries = max(row.attempts for row in rows) + (0 if batch is None else 1)
    most = _UNKNOWN_TRIES if official else _UNKNOWN_TRIES_KF
    if (resend or not official) and tries < most:
        name = None if official else batch or rows[0].batch
        due = now + _pause_after(tries)
        sends.settle(db, [row.id for row in rows], sends.TODO, now, batch=name, due=due)
        return
    told.troubled(rows, sends.UNKNOWN, None, batch or rows[0].batch)


def _pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: one second, then twice as long each time."""
    return min(timedelta(seconds=1 << min(attempts - 1, 6)), _LONGEST_PAUSE)


def _next_day(now: datetime) -> datetime:
    local = now.astimezone(_DAY)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


class _Told:
    """Whom of staff something concerns: collected, and left as notices."""

    def __init__(self, db: Connection, context: Context, now: datetime) -> None:
        self._db = db
        self._now = now
        self._context = context
        self._changed: set[Changed] = set()
        self._notices: list[Notice] = []

    @property
    def committed(self) -> Committed:
        """What is to be published."""
        return Committed([], changed=tuple(self._changed), notices=tuple(self._notices))

    def also(self, committed: Committed) -> None:
        """Publish this as well."""
        self._changed |= set(committed.changed)
        self._notices += committed.notices

    def changed(self, rows: Sequence[Send]) -> list[Conversation]:
        """The standing of what these rows belong to has changed; gives the conversations."""
        found = []
        for conversation_id in {row.conversation_id for row in rows if row.conversation_id}:
            one = conversations.load(self._db, conversation_id)
            if one is not None:
                found.append(one)
                self._changed.add(Changed(one.business, one.id))
        return found

    def troubled(
        self, rows: Sequence[Send], state: str, error: int | None, batch: str | None = None
    ) -> None:
        """It did not arrive, or nobody knows: the owner is told once an event."""
        db, now, numbers = self._db, self._now, [row.id for row in rows]
        # Notices are not worth calling anybody for.
        events = {(row.contact_id, row.event_id) for row in rows if row.weight != NOTICE}
        fresh = [one for one in events if not deliveries.troubled(db, *one, numbers)]
        via = rows[0].via
        sends.settle(db, numbers, state, now, error=error, via=via, batch=batch)
        for conversation in self.changed(rows):
            owner = owner_id(conversation.owner)
            if owner is None or not fresh:
                continue
            words = _FAILED_WORDS if state == sends.FAILED else _UNSURE_WORDS
            self._notices += notices.add(db, [owner], UNDELIVERED, conversation.id, words, now)
