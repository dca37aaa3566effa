"""How things stand with WeChat: what accounts may do, and what staff are told of a customer."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from desk.channels.wechat.accounts import Account
from desk.channels.wechat.outgoing import budget
from desk.channels.wechat.outgoing.rendering import moment
from desk.context import Context
from recovery.logs import log
from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.wechat import contacts, deliveries, sends
from recovery.store.wechat.contacts import Contact

_SILENCE = timedelta(hours=1)
_LOOKED_BACK = timedelta(days=7)


class Rights:
    """What WeChat has refused to whole accounts, for as long as this process runs.

    An operator changes it in WeChat's console or in the settings; until then asking again and
    again would be of no use.
    """

    def __init__(self) -> None:
        """Begin with what the settings say."""
        self._silent: dict[str, datetime] = {}
        self._blocked: dict[str, datetime] = {}
        self._without_menus: set[str] = set()

    def may_send(self, account: Account, now: datetime) -> bool:
        """Whether the account may send 客服消息, as far as is known."""
        until = self._silent.get(account.id)
        return account.settings.custom_messages and (until is None or until <= now)

    def silence(self, account: Account, now: datetime) -> None:
        """It may not (48001): it is asked again after an hour."""
        if self.may_send(account, now):
            log.error(
                "wechat: the account may not send customer messages",
                account=account.id,
                errcode=48001,
                setting="custom_messages: false",
            )
        self._silent[account.id] = now + _SILENCE

    def blocked(self, account_id: str, now: datetime) -> datetime | None:
        """Until when WeChat takes no calls of the account; None: it does."""
        until = self._blocked.get(account_id)
        return until if until is not None and until > now else None

    def block(self, account_id: str, until: datetime, code: int) -> None:
        """No calls before a moment: those of the day are used up, or the secret is wrong."""
        log.error("wechat: calls refused", account=account_id, errcode=code, until=stamp(until))
        self._blocked[account_id] = until

    def without_menus(self, account_id: str) -> bool:
        """Whether WeChat has refused a menu."""
        return account_id in self._without_menus

    def take_menus(self, account_id: str) -> None:
        """It may not send 菜单消息 (40200): quick replies are numbered from now on."""
        if account_id not in self._without_menus:
            log.error(
                "wechat: the account may not send menus",
                account=account_id,
                errcode=40200,
                setting="msgmenu: false",
            )
        self._without_menus.add(account_id)


# --- for staff --------------------------------------------------------------------------------


def quota_of(
    db: Connection, context: Context, conversation: Conversation, now: datetime
) -> dict[str, Any] | None:
    """How many messages may still go to the customer of a conversation, and what waits.

    Args:
        db: A transaction.
        context: The desk.
        conversation: A private one; others are not delivered to WeChat.
        now: The present moment.

    Returns:
        `{"left", "until": iso | None, "held", "unsure", "words"}`; None where nobody reads it in
        WeChat.
    """
    contact = contacts.of_conversation(db, conversation.id)
    account = context.wechat.get(contact.account) if contact else None
    if contact is None or account is None:
        return None
    marks = marks_of(db, conversation.id, now)
    held, unsure = len(marks["held"]), len(marks["unsure"])
    may_send = account.settings.custom_messages
    until = budget.until(contact, now) if may_send else None
    left = budget.left(contact, now) if may_send else 0
    words = _words(context, conversation, contact, account, left, until, now)
    if held:
        words += f"，下面这{held}条等顾客再写来时送出"
    if unsure:
        words += f"；有{unsure}条不确定送到没有"
    return {
        "left": left,
        "until": stamp(until) if until else None,
        "held": held,
        "unsure": unsure,
        "words": words,
    }


def marks_of(db: Connection, conversation_id: str, now: datetime) -> dict[str, list[str]]:
    """Which of a conversation's events wait, did not arrive, or may not have arrived.

    Returns:
        Ids of events: `held`, `undelivered`, `unsure`.
    """
    states = (sends.HELD, sends.FAILED, sends.UNKNOWN)
    since = stamp(now - _LOOKED_BACK)
    found = deliveries.events_by_state(db, conversation_id, states, since)
    names = {"held": sends.HELD, "undelivered": sends.FAILED, "unsure": sends.UNKNOWN}
    return {
        name: [event for event, its in found.items() if its == state]
        for name, state in names.items()
    }


def _words(
    context: Context,
    conversation: Conversation,
    contact: Contact,
    account: Account,
    left: int,
    until: datetime | None,
    now: datetime,
) -> str:
    business = context.directory.business(conversation.business)
    if not contact.following:
        return "顾客已经不再关注公众号，微信里发不到了"
    if not account.settings.custom_messages:
        return "这个公众号只能在顾客写来时回一条"
    blocked = budget.blocked(contact, now)
    if blocked and business:
        return f"微信暂时不收，{moment(stamp(blocked), business.zone)}以后再送"
    if left and until and business:
        return f"微信现在还能发{left}条，到{moment(stamp(until), business.zone)}为止"
    return "微信这边已经不能主动发了"
