"""Showing on one channel who one is on another: joined by proof, never by guess.

A code asked for here is typed there, within ten minutes, once. Whoever has opened something of
another identity (a QR code scanned, a link opened) may confirm to be the same. What is joined is
told after the proof only, on both sides, so that nobody is joined without hearing of it.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from desk.context import Context
from desk.conversations.turn import Changed, Committed
from recovery.store import conversations, customers, join_codes, persons, preferences, streams
from recovery.store.join_codes import Issued, TooManyError
from recovery.store.persons import How, PersonJoin

ASK_WORDS = frozenset({"绑定", "绑定账号", "合并账号", "合并帐号", "这也是我"})
ASK_WORD = "合并账号"
CONFIRM_WORDS = frozenset({"确认合并", "是我本人"})
MENU_KEY = "huixin_join"
"""Key of a menu item that stands for the words that ask."""
_BEFORE_A_CODE = ("绑定", "合并账号", "合并帐号", "合并")
_TYPED = re.compile(
    rf"[A-Za-z0-9]{{{join_codes.LENGTH // 2}}}[\s-]?[A-Za-z0-9]{{{join_codes.LENGTH // 2}}}"
)
_QUOTES = ' \t\n。.！!“”"：:'

_CODE = (
    "您的合并码是 {code}，10分钟内有效，只能用一次。请在网页上打开和我们的对话，点“这也是我”，"
    "输入这个码，两边的记录就合到一起。不要把它给别人。"
)
_JOINED = (
    "好了，{other}上的记录和这里合到一起了：说过的、核对过的订单、办过的补救都在，不用再说一遍。"
)
_TOLD = (
    "您的账号刚和{other}上的账号合到一起了，两边都能看到记录。如果不是您本人操作，请告诉我们，"
    "我们马上分开。"
)
_SAME = "这两边本来就是合在一起的，直接接着说就好。"
_WRONG = "这个码不对，或者已经过期、用过了。请在另一边重新要一个。"
_TOO_MANY = "试得太多了，请一小时以后再来。"
_NOTHING = "现在没有等您确认的合并。发“合并账号”，可以拿到一个合并码。"
NOT_HERE = "这像是合并码，别发在这里，免得别人看到。请点“这也是我”，在那里输入。"
CHANNELS = {"web": "网页", "wechat": "微信", "site": "网站账号", "webhook": "另一个渠道"}
"""How customers read where they are known."""


@dataclass(frozen=True)
class Joined:
    """What came of a proof.

    Attributes:
        entry: Of the log; None where they were one person before.
        channel: Of the other identity, a key of `CHANNELS`.
        committed: To be published: the other side hears of it.
    """

    entry: PersonJoin | None
    channel: str
    committed: Committed


def join(
    db: Connection, customer_id: str, other_id: str, how: How, by: str, now: datetime
) -> Joined:
    """Join two customers of one business who were proved to be one person.

    Args:
        db: A writing transaction.
        customer_id: Who has just shown it, and reads the answer.
        other_id: Who they are as well; hears of it in the private chat.
        how: What proved it.
        by: Who did it: `customer:<id>`, `staff:<id>`.
        now: The present moment.

    Raises:
        ValueError: They are customers of different businesses.
    """
    one, other = customers.load(db, customer_id), customers.load(db, other_id)
    entry = persons.join(db, one, other, how, by, now)
    channel = persons.channel_of(db, other)
    if entry is None:
        return Joined(None, channel, Committed([]))
    preferences.join(db, entry.kept, entry.joined, now)
    return Joined(entry, channel, _tell(db, other.id, persons.channel_of(db, one), entry, now))


def _tell(
    db: Connection, customer_id: str, channel: str, entry: PersonJoin, now: datetime
) -> Committed:
    private = conversations.private_of(db, customer_id)
    if not private:
        return Committed([])
    event = {
        "id": f"{entry.id}.joined",
        "kind": "message",
        "author": "system",
        "text": _TOLD.format(other=CHANNELS[channel]),
    }
    shown = streams.append(db, private[0].stream, event, now)
    changed = (Changed(private[0].business, private[0].id),)
    return Committed([shown] if shown else [], changed=changed)


def ask(db: Connection, context: Context, customer_id: str, now: datetime) -> Issued:
    """Make a code for a customer.

    Raises:
        TooManyError: Enough for an hour.
    """
    business = customers.load(db, customer_id).business
    return join_codes.issue(db, business, customer_id, context.secrets.signing_key, now)


def use(
    db: Connection, context: Context, customer_id: str, typed: str, now: datetime
) -> Joined | None:
    """Use a code that a customer types.

    Returns:
        What came of it; None for a code that opens nothing.

    Raises:
        TooManyError: Wrong ones were typed too often.
    """
    business = customers.load(db, customer_id).business
    key = context.secrets.signing_key
    other = join_codes.redeem(db, business, customer_id, typed, key, now)
    if other is None:
        return None
    return join(db, customer_id, other, "code", f"customer:{customer_id}", now)


def opened(db: Connection, context: Context, whose: str, opener: str, now: datetime) -> bool:
    """Remember that a customer has scanned or opened what another one was given.

    Args:
        db: A writing transaction.
        context: The desk.
        whose: The customer to whom the QR code or link was shown.
        opener: The customer who has opened it.
        now: The present moment.

    Returns:
        Whether there is something to confirm: they are not known to be one person.
    """
    if persons.person_of(db, whose) == persons.person_of(db, opener):
        return False
    business = customers.load(db, opener).business
    join_codes.propose(db, business, whose, opener, context.secrets.signing_key, now)
    return True


def confirm(
    db: Connection, context: Context, opener: str, how: How, now: datetime
) -> Joined | None:
    """Join a customer with whose code they scanned, or whose link they opened, a moment ago."""
    business = customers.load(db, opener).business
    whose = join_codes.confirm(db, business, opener, context.secrets.signing_key, now)
    return join(db, opener, whose, how, f"customer:{opener}", now) if whose else None


def answer_typed(
    db: Connection, context: Context, customer_id: str, text: str, how: How, now: datetime
) -> tuple[str, Committed] | None:
    """Answer what a customer types in a chat without buttons of ours, where it is about joining.

    A code is never kept among the customer's words.

    Args:
        db: A writing transaction.
        context: The desk.
        customer_id: Who types.
        text: Anything.
        how: What confirming proves: `wechat` where something was scanned there, else `link`.
        now: The present moment.

    Returns:
        What is said, and what is to be published; None for words that go the road of all words.
    """
    bare = text.strip(_QUOTES)
    try:
        if bare in ASK_WORDS:
            made = ask(db, context, customer_id, now)
            return _CODE.format(code=made.code), Committed([])
        if bare in CONFIRM_WORDS:
            confirmed = confirm(db, context, customer_id, how, now)
            return (
                (_words(confirmed), confirmed.committed)
                if confirmed
                else (
                    _NOTHING,
                    Committed([]),
                )
            )
        typed = _code_in(bare)
        if typed is None:
            return None
        found = use(db, context, customer_id, typed, now)
    except TooManyError:
        return _TOO_MANY, Committed([])
    return (_words(found), found.committed) if found else (_WRONG, Committed([]))


def _words(found: Joined) -> str:
    return _JOINED.format(other=CHANNELS[found.channel]) if found.entry else _SAME


def is_code(text: str) -> bool:
    """Whether a message is a code: who reads it could use it, and read all that was said."""
    return _code_in(text.strip(_QUOTES)) is not None


def _code_in(bare: str) -> str | None:
    """The code that a message consists of, alone as it was shown or after the word for it."""
    if join_codes.looks_like(bare):
        return bare
    for word in _BEFORE_A_CODE:
        if bare.startswith(word):
            rest = bare.removeprefix(word).strip(_QUOTES)
            return rest if _TYPED.fullmatch(rest) else None
    return None
