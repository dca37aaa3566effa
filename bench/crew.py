"""A desk with people and open cases, written straight into its database before it starts."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from bench.script import BUSINESS, Claim, claims, fill_orders
from desk.staff.detail import note_seen
from recovery.business import Business
from recovery.case import Case, apply, hear
from recovery.clock import utc_now
from recovery.commands import OpenCase
from recovery.failures import FAILURES
from recovery.ids import new_id
from recovery.queue.people import BUSY, ONLINE
from recovery.settings import load_settings
from recovery.store import cases, clocks, conversations, customers, inbox, presence, staff, streams
from recovery.store.conversations import QUEUE, Conversation, staff_owner
from recovery.store.database import Database
from recovery.store.staff import Attempt, Opened, Staff
from tools.stack import Stack

_PASSWORD: Final = "only for a benchmark, on loopback"  # noqa: S105 - of made-up people
_TRADE: Final = "shop"
_LOUDEST: Final = 3
# Waiting times differ, and none is so long that a clock has run out.
_CAME_WITHIN_SECONDS: Final = 600
# As much as has been said by the time a person has a case.
_SAID: Final = (
    "你们发错货了，我收到的根本不是我买的那个",
    "等了一个上午也没有人理我，到底什么时候能处理？",
    "订单号和手机都说过了，请尽快给我一个说法",
)
_ANSWERED: Final = "给您添麻烦了，我正在核对您的订单，有结果马上告诉您。"


@dataclass(frozen=True)
class Member:
    """One of staff, logged in.

    Attributes:
        cookie: The session, without the cookie's name.
        csrf: What a change is sent with.
    """

    id: int
    cookie: str
    csrf: str


@dataclass(frozen=True)
class Chat:
    """An open private chat.

    Attributes:
        owner: Of staff; None while it waits in the queue.
        cookie: The customer's session, without the cookie's name.
    """

    conversation: str
    owner: int | None
    cookie: str


@dataclass(frozen=True)
class Crew:
    """Who is at a desk, and what they have to do."""

    members: list[Member]
    chats: list[Chat]


def on_duty(stack: Stack, agents: int, chats: int) -> Crew:
    """Give some agents, all online, customers of their own, each as many as the others.

    Args:
        stack: Of which nothing runs yet.
        agents: How many there are.
        chats: How many customers they have together.
    """
    share = -(-chats // agents)
    with _desk(stack) as (db, business):
        members = [
            _member(db, f"agent-{number}", ONLINE, capacity=share + 1) for number in range(agents)
        ]
        return Crew(members, _chats(db, business, [members[n % agents] for n in range(chats)]))


def queued(stack: Stack, chats: int) -> Crew:
    """Put customers into the queue, before one member of staff who takes none of them.

    Args:
        stack: As for `on_duty`.
        chats: How many wait.
    """
    with _desk(stack) as (db, business):
        # Busy: else the desk would hand out the first of them.
        reader = _member(db, "reader", BUSY, capacity=1)
        return Crew([reader], _chats(db, business, [None] * chats))


def overseer(stack: Stack) -> Member:
    """Give a desk a supervisor, and nobody else.

    Args:
        stack: As for `on_duty`.
    """
    with _desk(stack) as (db, _):
        return _member(db, "overseer", BUSY, capacity=1, role="supervisor")


@contextmanager
def _desk(stack: Stack) -> Iterator[tuple[Connection, Business]]:
    """One transaction that fills the desk's database; its orders are there as well."""
    settings = load_settings(stack.settings_file)
    business = settings.directory().business(BUSINESS)
    if business is None:
        raise LookupError(BUSINESS)
    fill_orders(settings.data / "orders.sqlite3")
    with closing(Database(settings.database_url)) as store, store.write() as db:
        yield db, business


def _member(
    db: Connection, login: str, chosen: str, *, capacity: int, role: str = "agent"
) -> Member:
    now = utc_now()
    hashed = staff.hashed(_PASSWORD, login)
    who = staff.enter(db, login, login, role, hashed, now, BUSINESS, capacity=capacity)
    presence.choose(db, who.id, chosen)
    opened = staff.log_in(db, Attempt(login, hashed, True), now)
    if not isinstance(opened, Opened):
        raise TypeError(f"{login} is not logged in: {opened}")
    return Member(who.id, opened.secret, opened.csrf)


def _chats(db: Connection, business: Business, owners: list[Member | None]) -> list[Chat]:
    failures = sorted(name for name, one in FAILURES.items() if _TRADE in one.industries)
    return [
        _chat(db, business, number, owner, claim, failures[number % len(failures)])
        for number, (owner, claim) in enumerate(zip(owners, claims(), strict=False))
    ]


def _chat(
    db: Connection,
    business: Business,
    number: int,
    owner: Member | None,
    claim: Claim,
    failure: str,
) -> Chat:
    now = utc_now() - timedelta(seconds=number % _CAME_WITHIN_SECONDS)
    name = f"客人{number:04d}"
    customer, cookie = customers.begin_session(db, None, BUSINESS, name, None, now)
    case = _case(failure, claim, number, now)
    cases.save(db, case, BUSINESS, customer.id, now)
    chat = conversations.begin(
        *(db, BUSINESS, customer.id, now),
        case_id=case.id,
        owner=staff_owner(owner.id) if owner else QUEUE,
        reason="human",
    )
    clocks.person_due(db, chat, business, now)
    for place, words in enumerate(_SAID):
        _said(db, chat, name, f"said-before-{place}", words, now)
    if owner:
        _answered(db, chat, business, owner, now)
    return Chat(chat.id, owner.id if owner else None, cookie)


def _case(failure: str, claim: Claim, number: int, now: datetime) -> Case:
    opened = OpenCase(new_id("s"), failure=failure, order_number=claim.number)
    case = apply(None, opened, now)
    if case is None:
        raise ValueError(failure)
    return replace(hear(case, number % (_LOUDEST + 1), now), stage="person", reason="human")


def _said(
    db: Connection, chat: Conversation, name: str, client_id: str, words: str, now: datetime
) -> None:
    message = inbox.add(db, new_id("m"), chat.id, client_id, words, now)
    inbox.finish(db, message.id, None)
    event = {
        "id": message.id,
        "kind": "message",
        "author": "customer",
        "customer": chat.customer_id,
        "name": name,
        "text": words,
        "client_id": client_id,
    }
    streams.append(db, chat.stream, event, now)
    conversations.note_message(db, chat.id, words, now)


def _answered(
    db: Connection, chat: Conversation, business: Business, owner: Member, now: datetime
) -> None:
    event = {"id": new_id("m"), "kind": "message", "author": "staff", "text": _ANSWERED}
    streams.append(db, chat.stream, event, now)
    conversations.note_message(db, chat.id, _ANSWERED, now)
    conversations.staff_answered(db, chat.id)
    clocks.staff_answered(db, chat, business, now)
    reader = Staff(owner.id, "", "", "agent")
    note_seen(db, chat.id, reader, streams.last(db, chat.stream))
