"""What a review found: buttons and owners, danger overheard, orders that pay again, and more.

Most of it is tried on the desk's own stores and functions, without processes.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CalledProcessError
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import yaml
from sanic import Sanic
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs

from desk import app as desk_app
from desk.__main__ import make_context
from desk.app import make_app
from desk.channels import sessions
from desk.channels.socket import PageSocket, starts
from desk.channels.view import for_customer, for_staff
from desk.context import Context
from desk.conversations import buttons, entering, ownership
from desk.conversations.commit import commit_answer, commit_overheard
from desk.conversations.dealing import is_settled_here
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.ingest import Incoming, RefusedError, Taken, take
from desk.conversations.rasa import Answer, Rasa
from desk.conversations.router import Router
from desk.conversations.turn import Committed
from desk.staff import detail, lists, live, session
from desk.staff.audience import Audience
from recovery.case import Case, Offer
from recovery.commands import AcceptOffer, to_wire
from recovery.ids import new_id
from recovery.orders.system import OrderSystemError
from recovery.settings import Settings
from recovery.store import (
    cases,
    conversations,
    customers,
    fulfilments,
    inbox,
    invitations,
    staff,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.database import Database
from recovery.store.inbox import Message
from recovery.store.staff import Staff
from tests.desk.people import PATIENCE, Agent, database, expire_invitations, guest, log_in, until
from tests.support.customer import Customer
from tests.support.stack import ROOT, Stack, running

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "an honest password"
ORDER = "LT202611180012"
ROOM = "lanting-lobby"


class Clock:
    """A clock that a test winds on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_desk(folder: Path, clock: Clock, **changes: object) -> Context:
    content = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
    content["businesses"] = [{"privacy_notice": ""} | one for one in content["businesses"]]
    settings = Settings.model_validate(content | {"data": folder / "var"} | changes)
    return replace(make_context(settings), clock=clock)


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Context]:
    context = a_desk(tmp_path, clock)
    with context.storage.database.write() as db:
        # The third of them is who answers here.
        for login, name in (("li", "李"), ("qiao", "乔"), ("lin", "小林")):
            staff.enter(db, login, name, "agent", "no hash", NOON, "lanting")
    yield context
    context.storage.close()


def offer(offer_id: str = "o1", order: str = ORDER) -> Offer:
    return Offer(
        id=offer_id,
        order_number=order,
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
    )


def a_chat(
    desk: Context,
    case: Case | None = None,
    *,
    room: str | None = None,
    owner: str = BOT,
    reason: str | None = None,
) -> Conversation:
    """A conversation of a new customer, private where no room is given."""
    with desk.storage.database.write() as db:
        customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOON)
        begun = conversations.begin(
            db,
            "lanting",
            customer.id,
            NOON,
            room=room,
            case_id=case.id if case else None,
            owner=owner,
            reason=reason,
        )
        if case:
            cases.save(db, case, "lanting", customer.id, NOON)
    return begun


def present(desk: Context, conversation: Conversation) -> Conversation:
    with desk.storage.database.read() as db:
        found = conversations.load(db, conversation.id)
    assert found is not None
    return found


def case_of(desk: Context, conversation: Conversation) -> Case:
    with desk.storage.database.read() as db:
        found = cases.load(db, present(desk, conversation).case_id)
    assert found is not None
    return found


def shown(desk: Context, stream: str) -> list[dict[str, Any]]:
    with desk.storage.database.read() as db:
        return [entry.event for entry in streams.after(db, stream, 0, 10_000)]


def said(desk: Context, conversation: Conversation, words: str = "救命") -> Message:
    """A message that was stored and is not answered yet."""
    with desk.storage.database.write() as db:
        return inbox.add(db, new_id("m"), conversation.id, new_id("c"), words, NOON)


# --- quick replies where a person answers or is waited for ------------------------------------


def press(
    desk: Context, conversation: Conversation, act: str = "accept", offer_id: str | None = "o1"
) -> Taken:
    payload = act if act in ("accept", "refuse", "more") else f"{act}:CUP-01"
    key = desk.secrets.signing_key
    [button] = buttons.signed(
        [{"title": "就这样办", "payload": payload}], conversation.id, offer_id, key
    )
    incoming = Incoming(conversation.id, new_id("c"), "就这样办", button["token"])
    with desk.storage.database.write() as db:
        return take(db, desk, incoming, NOON)


def waiting_case(**changes: Any) -> Case:  # noqa: ANN401 - fields of a case
    case = Case("s1", stage="person", offers=(offer(),), reason="beyond_authority")
    return replace(case, **changes)


def test_an_acceptance_settles_what_only_waited_for_a_decision(desk: Context) -> None:
    chat = a_chat(desk, waiting_case(), owner=QUEUE, reason="beyond_authority")
    assert press(desk, chat).conversation.owner == BOT
    assert present(desk, chat).owner == BOT


@pytest.mark.parametrize(
    ("act", "case", "reason"),
    [
        ("accept", waiting_case(safety=True), "beyond_authority"),
        ("accept", waiting_case(reason="safety"), "safety"),
        ("accept", waiting_case(), "safety"),
        ("accept", waiting_case(reason="escalation"), "escalation"),
        ("accept", waiting_case(reason="escalation"), None),
        ("accept", waiting_case(offers=()), "asked"),
        ("accept", waiting_case(offers=(replace(offer(), state="replaced"),)), "repeated"),
        ("accept", None, "error"),
        ("refuse", waiting_case(), "beyond_authority"),
        ("more", waiting_case(), "beyond_authority"),
        ("item", waiting_case(), "beyond_authority"),
        ("order", waiting_case(), "beyond_authority"),
    ],
)
def test_no_button_takes_a_case_from_the_queue_that_needs_a_person(
    desk: Context, act: str, case: Case | None, reason: str | None
) -> None:
    chat = a_chat(desk, case, owner=QUEUE, reason=reason)
    with pytest.raises(RefusedError, match="已转给同事，请等他回复您") as refused:
        press(desk, chat, act)
    assert (refused.value.code, refused.value.retry) == ("closed", False)
    assert present(desk, chat).owner == QUEUE
    with desk.storage.database.read() as db:
        assert inbox.waiting(db) == [], "nothing is swallowed"
    assert shown(desk, chat.stream) == []


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_what_is_decided_of_an_open_offer_is_taken_while_a_person_answers(
    desk: Context, act: str
) -> None:
    chat = a_chat(desk, waiting_case(), owner=staff_owner(3))
    press(desk, chat, act)
    assert present(desk, chat).owner == staff_owner(3)
    with desk.storage.database.read() as db:
        [waits] = inbox.waiting(db)
    assert is_settled_here(waits)


@pytest.mark.parametrize("act", ["more", "form", "item", "order", "no_photo"])
def test_a_person_is_told_in_words(desk: Context, act: str) -> None:
    chat = a_chat(desk, waiting_case(), owner=staff_owner(3))
    with pytest.raises(RefusedError, match="现在由同事为您服务，请直接告诉他") as refused:
        press(desk, chat, act)
    assert refused.value.code == "closed"
    assert present(desk, chat).owner == staff_owner(3)


# --- danger heard while a person owns ---------------------------------------------------------


DANGER = {"emotion": {"anger": 2, "flags": ["safety"]}, "intent": {"name": "complain"}}


def overhear(
    desk: Context, conversation: Conversation, understood: dict[str, Any] | None = None
) -> Message:
    message = said(desk, conversation)
    with desk.storage.database.write() as db:
        committed = commit_overheard(db, desk, message, understood or DANGER, NOON)
    assert committed is not None
    return message


@pytest.mark.parametrize("owner", [QUEUE, "staff:3"])
def test_danger_heard_by_nobody_but_the_program_opens_a_case(desk: Context, owner: str) -> None:
    chat = a_chat(desk, owner=owner, reason="error")
    message = overhear(desk, chat)
    case = case_of(desk, chat)
    assert case.id == "s" + message.id[1:]
    assert (case.safety, case.priority, case.reason, case.stage) == (True, 4, "safety", "person")
    assert case.anger and case.anger.now == 2
    assert (present(desk, chat).reason, present(desk, chat).owner) == ("safety", owner)


def test_danger_lifts_a_case_to_the_top_of_the_queue(desk: Context) -> None:
    promised = (NOON + timedelta(minutes=9)).isoformat()
    calm = Case("s1", stage="person", reason="asked", promised_by=promised)
    chat = a_chat(desk, calm, owner=QUEUE, reason="asked")
    furious = a_chat(desk, Case("s2", stage="person"), owner=QUEUE, reason="error")
    overhear(desk, furious, {"emotion": {"anger": 3}})
    overhear(desk, chat)
    case = case_of(desk, chat)
    assert (case.safety, case.priority, case.reason) == (True, 4, "safety")
    assert case.promised_by == promised, "the time that was promised stands"
    operator = Staff(1, "li", "李", "agent")
    with desk.storage.database.read() as db:
        rows = lists.all_lists(db, desk, operator)["rows"]
    queue = sorted(rows, key=lambda row: -row["priority"])
    assert [(row["id"], row["safety"], row["reason"]) for row in queue] == [
        (chat.id, True, "safety"),
        (furious.id, False, "error"),
    ]
    assert queue[0]["priority"] > queue[1]["priority"] > 0
    overhear(desk, chat)
    with desk.storage.database.read() as db:
        logged = db.execute(text("SELECT command FROM case_log"))
        log = [json.loads(row[0])["do"] for row in logged]
    assert log == ["hand_over"], "once"


def test_anger_without_danger_opens_nothing(desk: Context) -> None:
    chat = a_chat(desk, owner=QUEUE, reason="error")
    overhear(desk, chat, {"emotion": {"anger": 3, "flags": ["complaint"]}})
    assert present(desk, chat).case_id is None
    assert present(desk, chat).reason == "error"


def test_danger_in_an_answer_that_is_dropped_is_heard(desk: Context) -> None:
    """A person took over while Rasa was thinking."""
    chat = a_chat(desk, Case("s1"), owner=staff_owner(3))
    answer = Answer([{"text": "请先顾好自己", "response": "say_care"}], DANGER, failed=False)
    message = said(desk, chat)
    with desk.storage.database.write() as db:
        committed = commit_answer(db, desk, message, answer, NOON)
    assert committed.entries == [], "only the owner speaks"
    case = case_of(desk, chat)
    assert (case.safety, case.priority) == (True, 4)
    assert present(desk, chat).turns == 1


def test_danger_in_public_brings_a_person_into_the_private_chat_too(desk: Context) -> None:
    public = a_chat(desk, Case("s1"), room=ROOM, owner=staff_owner(3))
    with desk.storage.database.write() as db:
        private = conversations.begin(db, "lanting", public.customer_id, NOON, case_id="s1")
    overhear(desk, public)
    found = present(desk, private)
    assert (found.owner, found.reason) == (QUEUE, "safety")
    assert shown(desk, private.stream)[-1]["owner"] == "queue"


def test_what_is_overheard_counts_as_a_turn(desk: Context) -> None:
    """Else the tracker of a long talk with staff grows for ever."""
    chat = a_chat(desk, owner=staff_owner(3))
    for _ in range(3):
        overhear(desk, chat, {"emotion": {"anger": 0}})
    assert present(desk, chat).turns == 3
    message = said(desk, chat)
    with desk.storage.database.write() as db:
        commit_overheard(db, desk, message, None, NOON)
    assert present(desk, chat).turns == 3, "Rasa has heard nothing"


# --- one order does not pay again and again ---------------------------------------------------


def accepted(desk: Context, conversation: Conversation, offer_id: str) -> list[dict[str, Any]]:
    """Commit an acceptance; what the customer is shown of it."""
    answer = Answer(
        [
            {"text": "好的，这就去办。", "response": "say_confirm", "variant": "v1"},
            {"custom": {"commands": [to_wire(AcceptOffer(offer_id))]}},
        ],
        {"emotion": {"anger": 0}},
        failed=False,
    )
    message = said(desk, conversation, "就这样办")
    with desk.storage.database.write() as db:
        commit_answer(db, desk, message, answer, NOON)
    return shown(desk, conversation.stream)


def remedies(desk: Context) -> list[str]:
    with desk.storage.database.read() as db:
        return [item.key for item in fulfilments.due(db, NOON)]


def offered(desk: Context, number: int, order: str = ORDER) -> Conversation:
    case = Case(f"s{number}", stage="offered", offers=(offer(f"o{number}", order),))
    return a_chat(desk, case)


def test_an_order_pays_in_one_case_only(desk: Context) -> None:
    first, second = offered(desk, 1), offered(desk, 2)
    accepted(desk, first, "o1")
    assert remedies(desk) == ["o1:0"]
    events = accepted(desk, second, "o2")
    assert remedies(desk) == ["o1:0"]
    words = "".join(event.get("text", "") for event in events)
    assert "同事" in words
    assert "15分钟内" in words
    assert not any(word in words for word in ("重复", "欺", "骗", "恶意", "不符", "滥用"))
    assert "这就去办" not in words
    assert [event["state"] for event in events if event["kind"] == "offer"] == ["replaced"]
    assert (present(desk, second).owner, present(desk, second).reason) == (QUEUE, "repeated")
    case = case_of(desk, second)
    assert (case.stage, case.reason, case.accepted_offer) == ("person", "repeated", None)
    # The bot does not go on as if it were agreed.
    assert case.resume_stage(desk.clock()) == "hearing"
    with pytest.raises(RefusedError):
        press(desk, second, "accept", "o2")


def test_other_orders_and_the_same_case_still_pay(desk: Context) -> None:
    accepted(desk, offered(desk, 1), "o1")
    accepted(desk, offered(desk, 2, "LT202611190033"), "o2")
    assert remedies(desk) == ["o1:0", "o2:0"]
    with desk.storage.database.read() as db:
        assert not fulfilments.given_before(db, "lanting", ORDER, "s1", 1)
        assert fulfilments.given_before(db, "lanting", ORDER, "s9", 1)
        assert not fulfilments.given_before(db, "lanting", ORDER, "s9", 2)
        assert not fulfilments.given_before(db, "qinghe", ORDER, "s9", 1)


def test_the_settings_say_how_often_an_order_may_pay(tmp_path: Path, clock: Clock) -> None:
    desk = a_desk(tmp_path, clock, limits={"remedied_cases_per_order": 2})
    for number in (1, 2, 3):
        accepted(desk, offered(desk, number), f"o{number}")
    assert remedies(desk) == ["o1:0", "o2:0"]
    desk.storage.close()


# --- staff's words in the room ----------------------------------------------------------------


def test_staff_answer_in_public_masked_and_to_the_customers_post(desk: Context) -> None:
    thread = a_chat(desk, Case("s1"), room=ROOM, owner=staff_owner(3))
    who = Staff(3, "lin", "小林", "agent", "lanting")
    with desk.storage.database.write() as db:
        for number in range(2):
            incoming = Incoming(thread.id, new_id("c"), f"房间没人打扫{number}")
            post = take(db, desk, incoming, NOON).message
        other = a_chat_in(db, "旁人")
        take(db, desk, Incoming(other.id, new_id("c"), "今天天气不错"), NOON)
        words = "您的1208房已安排，请打13812345678找我"
        answer = ownership.answer(db, desk, thread.id, who, "w-1", words, NOON)
        again = ownership.answer(db, desk, thread.id, who, "w-1", words, NOON)
    [entry] = answer[0].entries
    assert again[0].entries == []
    assert entry.stream == f"room:{ROOM}"
    assert entry.event["reply_to"] == post.id
    public = for_customer(entry.event, other.customer_id)
    assert "13812345678" not in json.dumps(public)
    assert "1208" not in json.dumps(public)
    assert "［手机号］" in public["text"]
    assert for_staff(entry.event)["text"] == words
    with desk.storage.database.read() as db:
        whole = detail.whole_conversation(db, desk, thread.id, who)
    assert whole is not None
    texts = [event["text"] for event in whole["public"]]
    assert texts == ["房间没人打扫0", "房间没人打扫1", words], "and not everybody's talk"
    assert "13812345678" not in present_last(desk, thread)


def a_chat_in(db: Connection, name: str) -> Conversation:
    customer, _ = customers.begin_session(db, None, "lanting", name, None, NOON)
    return conversations.begin(db, "lanting", customer.id, NOON, room=ROOM)


def present_last(desk: Context, conversation: Conversation) -> str:
    query = text("SELECT last_text FROM conversations WHERE id = :id")
    with desk.storage.database.read() as db:
        return str(db.execute(query, {"id": conversation.id}).scalar())


def test_staff_speak_whole_words_in_private(desk: Context) -> None:
    chat = a_chat(desk, owner=staff_owner(3))
    with desk.storage.database.write() as db:
        who = Staff(3, "lin", "小林", "agent", "lanting")
        [entry] = ownership.answer(db, desk, chat.id, who, "w-1", "1208房已安排", NOON)[0].entries
    assert entry.event["text"] == "1208房已安排"
    assert "reply_to" not in entry.event


# --- opening a conversation on the staff page -------------------------------------------------


def test_a_rooms_posts_are_looked_up_and_not_scanned(desk: Context) -> None:
    thread = a_chat(desk, room=ROOM)
    plans: list[str] = []

    @event.listens_for(desk.storage.database.engine, "before_cursor_execute")
    def explain(*given: Any) -> None:  # noqa: ANN401 - as SQLAlchemy gives it
        cursor, statement, values = given[1:4]
        if "FROM outbox" in statement and not statement.startswith("EXPLAIN"):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(str(row) for row in cursor.fetchall())

    with desk.storage.database.read() as db:
        streams.posts_of(db, thread.shown_in, thread.customer_id, 500)
        streams.last_post(db, thread.shown_in, thread.customer_id)
    steps = " ".join(plans)
    assert "outbox_customer (stream=? AND customer=?)" in steps
    assert "outbox_reply (stream=? AND reply_to=?)" in steps
    assert "SCAN outbox" not in steps


def test_looking_writes_only_what_the_owner_has_seen(desk: Context) -> None:
    chat = a_chat(desk, owner=staff_owner(3))
    lin, wu = Staff(3, "lin", "小林", "agent"), Staff(4, "wu", "老吴", "agent")
    with desk.storage.database.write() as db:
        take(db, desk, Incoming(chat.id, new_id("c"), "有人吗"), NOON)

    def unread(who: Staff) -> int:
        with desk.storage.database.read() as db:
            # Whoever writes here fails.
            db.exec_driver_sql("PRAGMA query_only = ON")
            try:
                whole = detail.whole_conversation(db, desk, chat.id, who)
            finally:
                db.exec_driver_sql("PRAGMA query_only = OFF")
        assert whole is not None
        assert whole["seq"] == 1
        return int(whole["conversation"]["unread"])

    assert unread(lin) == 1
    with desk.storage.database.write() as db:
        detail.note_seen(db, chat.id, wu, 1)
    assert unread(lin) == 1, "who does not own it has not read it for the owner"
    with desk.storage.database.write() as db:
        detail.note_seen(db, chat.id, lin, 1)
        detail.note_seen(db, chat.id, lin, 0)
    assert unread(lin) == 0


# --- passwords are compared outside of transactions -------------------------------------------


class FakeRequest:
    """As much of a request as a handler asks for."""

    def __init__(self, desk: Context, body: object = None, **more: object) -> None:
        made = make_app_context(desk)
        self.app = SimpleNamespace(ctx=made)
        self.json = body
        self.headers = {"content-type": "application/json"}
        self.cookies: dict[str, str] = {}
        self.remote_addr = ""
        self.ip = "127.0.0.1"
        for name, value in more.items():
            setattr(self, name, value)


def make_app_context(desk: Context) -> SimpleNamespace:
    Sanic._app_registry.clear()
    made = make_app(desk).ctx
    Sanic._app_registry.clear()
    return made


async def test_the_writer_is_free_while_passwords_are_compared(
    desk: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk.storage.database.write() as db:
        staff.add(db, "qian", "钱哥", "agent", PASSWORD, NOON)
    begun, go_on, together = threading.Semaphore(0), threading.Event(), []
    under_way: set[int] = set()
    compare = staff.attempt

    def slowly(login: str, known: str | None, password: str) -> staff.Attempt:
        under_way.add(threading.get_ident())
        together.append(len(under_way))
        begun.release()
        assert go_on.wait(PATIENCE)
        under_way.discard(threading.get_ident())
        return compare(login, known, password)

    monkeypatch.setattr(staff, "attempt", slowly)
    request = cast(Any, FakeRequest(desk, {"login": "qian", "password": PASSWORD}))
    logins = [asyncio.create_task(session.login(request)) for _ in range(4)]
    assert await asyncio.to_thread(begun.acquire, timeout=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        # Were the password compared by the only writer, this would wait for ever.
        await desk.storage.write(lambda db: db.execute(text("SELECT 1")).scalar())
    go_on.set()
    answers = await asyncio.gather(*logins)
    assert [answer.status for answer in answers] == [200] * 4
    assert max(together) <= 2
    await request.app.ctx.rasa.close()


def test_a_login_is_settled_as_the_account_stands_then(desk: Context) -> None:
    with desk.storage.database.write() as db:
        staff.add(db, "qian", "钱哥", "agent", PASSWORD, NOON)
        known = staff.password_hash(db, "qian")
        right = staff.attempt("qian", known, PASSWORD)
        wrong = staff.attempt("qian", known, "wrong password")
        assert (right.right, wrong.right) == (True, False)
        for _ in range(5):
            assert staff.log_in(db, wrong, NOON) is None
        assert staff.log_in(db, right, NOON) is None, "locked while it was compared"
        later = NOON + timedelta(minutes=5)
        db.execute(text("UPDATE staff SET password_hash = 'another'"))
        assert staff.log_in(db, right, later) is None, "of the password before"
        db.execute(text("UPDATE staff SET password_hash = :known"), {"known": known})
        assert staff.log_in(db, right, later) is not None
        nobody = staff.attempt("nobody", staff.password_hash(db, "nobody"), PASSWORD)
        assert staff.log_in(db, nobody, later) is None


# --- names that pose as the business ----------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("岚庭酒店", "访客"),
        ("岚庭 酒店 前台", "访客"),
        ("小岚", "访客"),
        ("小 岚", "访客"),
        ("人工客服", "访客"),
        ("客\u200b服", "访客"),
        ("客·服", "访客"),
        ("【官方】", "访客"),
        ("官_方", "访客"),
        ("大堂经理", "访客"),
        ("管理员", "访客"),
        ("管理員", "访客"),
        ("系统通知", "访客"),
        ("机器人", "访客"),
        ("小助手", "访客"),
        ("青禾小铺", "青禾小铺"),  # another business's room
        ("阿明", "阿明"),
        ("经常来", "经常来"),
        ("岚", "岚"),
    ],
)
def test_no_customer_is_called_as_who_serves(desk: Context, given: str, taken: str) -> None:
    lanting = desk.business("lanting")
    assert sessions._name(lanting, given) == taken


def test_a_latin_name_of_a_business_is_seen_in_any_width_and_case(desk: Context) -> None:
    lanting = desk.business("lanting").model_copy(update={"assistant": "Lan Bot"})
    for given in ("lanbot", "ＬＡＮ ＢＯＴ", "La-n.Bot", "ⓁⒶⓃ bot"):
        assert sessions._name(lanting, given) == "访客"


# --- remedies that take long ------------------------------------------------------------------


class OrderDesk:
    """An order system that does what a test says."""

    def __init__(self, carry_out: Callable[[str], dict[str, Any]]) -> None:
        self._carry_out = carry_out
        self.asked: list[str] = []

    def carry_out(self, key: str, *_: object) -> dict[str, Any]:
        self.asked.append(key)
        return self._carry_out(key)


def a_worker(desk: Context, orders: OrderDesk, seconds: float = PATIENCE) -> FulfilmentWorker:
    desk = replace(desk, orders=cast(Any, orders))
    rasa = cast(Rasa, None)
    return FulfilmentWorker(desk, Router(desk, rasa), call_seconds=seconds)


def promised(desk: Context, number: int, owner: str = BOT) -> Conversation:
    agreed = replace(offer(f"o{number}", f"LT20261118{number:04d}"), state="accepted")
    case = Case(f"s{number}", stage="agreed", offers=(agreed,))
    chat = a_chat(desk, case, owner=owner)
    with desk.storage.database.write() as db:
        fulfilments.promise(db, chat, case.id, agreed, NOON)
    return chat


async def test_a_remedy_that_is_late_is_told_once_and_goes_on(desk: Context, clock: Clock) -> None:
    away = True

    def carry_out(_: str) -> dict[str, Any]:
        if away:
            raise OrderSystemError("away")
        return {"room": "1301"}

    orders = OrderDesk(carry_out)
    worker = a_worker(desk, orders)
    chat = promised(desk, 1)
    for tries in range(1, 8):
        assert await worker.work_once() == 1
        clock.now += timedelta(minutes=10)
        told = shown(desk, chat.stream)
        late = ["progress", "owner"] if tries >= 5 else []
        assert [event["kind"] for event in told] == late, tries
        assert present(desk, chat).owner == (QUEUE if tries >= 5 else BOT), tries
    assert told[0]["state"] == "late"
    assert "同事" in told[0]["text"]
    assert "分钟内" in told[0]["text"]
    assert present(desk, chat).reason == "remedy_late"
    assert (case_of(desk, chat).stage, case_of(desk, chat).reason) == ("person", "remedy_late")
    # A person gives it back: the bot is not made to hand it over again at every try.
    with desk.storage.database.write() as db:
        conversations.change_owner(db, present(desk, chat), BOT, NOON, expected=(QUEUE,))
    assert await worker.work_once() == 1
    assert present(desk, chat).owner == BOT
    clock.now += timedelta(minutes=10)
    away = False
    assert await worker.work_once() == 1
    news = [event for event in shown(desk, chat.stream) if event["kind"] == "progress"]
    assert [event["state"] for event in news] == ["late", "done"]
    assert news[0]["title"] == news[1]["title"]


async def test_a_late_remedy_takes_nothing_from_a_person(desk: Context, clock: Clock) -> None:
    def carry_out(_: str) -> dict[str, Any]:
        raise OrderSystemError("away")

    worker = a_worker(desk, OrderDesk(carry_out))
    chat = promised(desk, 1, owner=staff_owner(3))
    for _ in range(5):
        await worker.work_once()
        clock.now += timedelta(minutes=10)
    assert present(desk, chat).owner == staff_owner(3)
    assert case_of(desk, chat).stage == "agreed"
    assert len(shown(desk, chat.stream)) == 1


async def test_a_call_that_hangs_holds_up_only_itself(desk: Context, clock: Clock) -> None:
    go_on = threading.Event()

    def carry_out(key: str) -> dict[str, Any]:
        if key == "o1:0":
            assert go_on.wait(PATIENCE)
        return {"room": "1301"}

    orders = OrderDesk(carry_out)
    worker = a_worker(desk, orders, seconds=0.05)
    hanging, other = promised(desk, 1), promised(desk, 2)
    async with asyncio.timeout(PATIENCE):
        assert await worker.work_once() == 2
    assert shown(desk, hanging.stream) == []
    assert [event["state"] for event in shown(desk, other.stream)] == ["done"]
    clock.now += timedelta(minutes=1)
    await worker.work_once()
    assert orders.asked == ["o1:0", "o2:0"], "no second call beside the one that hangs"
    go_on.set()
    clock.now += timedelta(minutes=1)
    await a_worker_until_done(worker, desk, hanging, clock)
    assert orders.asked == ["o1:0", "o2:0"]


async def a_worker_until_done(
    worker: FulfilmentWorker, desk: Context, chat: Conversation, clock: Clock
) -> None:
    async with asyncio.timeout(PATIENCE):
        while not shown(desk, chat.stream):
            await worker.work_once()
            clock.now += timedelta(minutes=1)
    assert [event["state"] for event in shown(desk, chat.stream)] == ["done"]


async def test_a_remedy_of_a_business_that_is_gone_waits_in_silence(
    desk: Context, clock: Clock
) -> None:
    """What cannot be told must not keep what is behind it waiting."""

    def carry_out(key: str) -> dict[str, Any]:
        if key == "o1:0":
            raise ZeroDivisionError
        return {"room": "1301"}

    worker = a_worker(desk, OrderDesk(carry_out))
    promised(desk, 1)
    with desk.storage.database.write() as db:
        db.execute(text("UPDATE fulfilments SET business = 'gone'"))
    other = promised(desk, 2)
    for _ in range(6):
        await worker.work_once()
        clock.now += timedelta(minutes=10)
    assert [event["state"] for event in shown(desk, other.stream)] == ["done"]


# --- coming into a private chat that waits for a person ---------------------------------------


def entered(desk: Context, case: Case | None, now: datetime = NOON) -> list[dict[str, Any]]:
    """What a customer reads who comes in from the room."""
    thread = a_chat(desk, case, room=ROOM)
    with desk.storage.database.write() as db:
        key = desk.secrets.signing_key
        _, found = invitations.issue(db, thread, timedelta(minutes=30), key, now)
        private, message, committed = entering.enter(db, desk, found, desk.clock())
        again = entering.enter(db, desk, found, desk.clock())
    entries = committed.entries
    assert message is not None
    assert again == (private, None, Committed([])), "said once"
    assert [entry.stream for entry in entries] == [private.stream] * len(entries)
    return [entry.event for entry in entries]


def test_who_comes_in_while_a_person_is_due_is_told_when(desk: Context, clock: Clock) -> None:
    case = Case("s1", stage="person", reason="asked", facts={"failure": "room_not_clean"})
    owner, due = entered(desk, case)
    assert (owner["kind"], owner["owner"]) == ("owner", "queue")
    assert (due["kind"], due["author"]) == ("message", "system")
    assert case.matter in due["text"]
    assert "15分钟内" in due["text"]
    clock.now = NOON + timedelta(minutes=5)
    promised_by = (NOON + timedelta(minutes=15)).isoformat()
    _, due = entered(desk, replace(case, id="s2", promised_by=promised_by), clock.now)
    assert "10分钟内" in due["text"], "what was promised, not a new time"
    clock.now = NOON + timedelta(minutes=20)
    _, due = entered(desk, replace(case, id="s3", promised_by=promised_by), clock.now)
    assert "15分钟内" in due["text"], "never a time that is over"


def test_without_a_matter_it_is_told_as_well(desk: Context) -> None:
    _, due = entered(desk, Case("s1", stage="person", reason="error"))
    assert due["text"].startswith("您的事")
    assert "None" not in due["text"]


def test_safety_comes_before_everything(desk: Context) -> None:
    _, due = entered(desk, Case("s1", stage="person", reason="safety", safety=True))
    assert "120" in due["text"]
    assert "110" in due["text"]
    assert "同事" in due["text"]
    assert "15分钟内" in due["text"]


def test_where_the_bot_answers_nothing_is_added(desk: Context) -> None:
    assert len(entered(desk, Case("s1"))) == 1
    assert len(entered(desk, None)) == 1


# --- what pages are sent ----------------------------------------------------------------------


def fill_stream(desk: Context, stream: str, many: int) -> None:
    with desk.storage.database.write() as db:
        known = streams.last(db, stream)
        for number in range(known + 1, known + many + 1):
            post = {"id": f"{stream}-{number}", "kind": "message", "author": "bot", "text": "嗯"}
            streams.append(db, stream, post, NOON)


def test_a_newcomer_gets_the_latest_part_of_a_room_only(desk: Context) -> None:
    fill_stream(desk, "room:r", 350)
    for stream in ("own:k", "private:k"):
        fill_stream(desk, stream, 350)
    with desk.storage.database.read() as db:
        fresh = starts(db, {"room:r": 0, "own:k": 0, "private:k": 0})
        assert {name: one.after for name, one in fresh.items()} == {
            "room:r": 50,
            "own:k": 0,
            "private:k": 0,
        }
        assert {one.last for one in fresh.values()} == {350}
        assert starts(db, {"room:r": 12})["room:r"].after == 12, "who was there misses nothing"
        restored = starts(db, {"room:r": 9_000, "own:k": 351, "room:new": 4})
        assert [(one.after, one.last) for one in restored.values()] == [
            (350, 350),
            (350, 350),
            (0, 0),
        ]


class Line:
    """The far end of a socket: takes frames, as slowly as a test wants."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.taken = asyncio.Event()
        self.clear = asyncio.Event()
        self.clear.set()
        self.assembler = SimpleNamespace(put=None)

    async def send(self, frame: str) -> None:
        await self.clear.wait()
        self.frames.append(json.loads(frame))
        self.taken.set()

    async def close(self, *_: object) -> None:
        return

    def numbers(self, stream: str) -> list[int]:
        return [frame["seq"] for frame in self.frames if frame.get("stream") == stream]

    async def holds(self, check: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not check():
                self.taken.clear()
                await self.taken.wait()


class Watching:
    """A staff page that is being served."""

    def __init__(self, desk: Context) -> None:
        self.line = Line()
        self.page = PageSocket(desk, cast(Any, self.line), for_staff)
        self.desk = live._StaffSocket(desk, self.page, Audience(desk))
        self.desk.who = Staff(1, "li", "李", "agent")
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "Watching":
        self._serving = asyncio.create_task(self.page.serve(self._until_gone()))
        return self

    async def _until_gone(self) -> None:
        await self._gone.wait()

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._serving
        self.page.close()


async def grow(desk: Context, stream: str, many: int) -> None:
    """Append and publish, as commits do."""
    for _ in range(many):
        event = {"id": new_id("m"), "kind": "message", "author": "bot", "text": "嗯"}
        entry = await desk.storage.write(streams.append, stream, event, NOON)
        assert entry is not None
        desk.hub.publish([entry])


async def test_what_was_missed_and_what_happens_never_mix(desk: Context) -> None:
    chat, other = a_chat(desk), a_chat(desk)
    fill_stream(desk, chat.stream, 700)
    async with Watching(desk) as staff_page:
        line = staff_page.line
        await asyncio.gather(
            staff_page.desk.watch(chat.id, 0),
            grow(desk, chat.stream, 60),
        )
        await line.holds(lambda: len(line.numbers(chat.stream)) >= 760)
        assert line.numbers(chat.stream) == list(range(1, 761))
        # Looking away in the middle of catching up, and back again from the start.
        line.frames.clear()
        line.clear.clear()
        await staff_page.desk.watch(chat.id, 0)
        growing = asyncio.create_task(grow(desk, chat.stream, 5))
        line.clear.set()
        await line.holds(lambda: len(line.numbers(chat.stream)) >= 20)
        await staff_page.desk.watch(other.id, 0)
        seen = len(line.numbers(chat.stream))
        await growing
        await grow(desk, other.stream, 1)
        await line.holds(lambda: line.numbers(other.stream) == [1])
        assert len(line.numbers(chat.stream)) <= seen + 1, "only what was on its way"
        assert line.numbers(chat.stream) == list(range(1, len(line.numbers(chat.stream)) + 1))
        line.frames.clear()
        await staff_page.desk.watch(chat.id, 763)
        await line.holds(lambda: len(line.numbers(chat.stream)) >= 2)
        assert line.numbers(chat.stream) == [764, 765]


async def test_a_page_from_before_a_restored_backup_goes_on(desk: Context) -> None:
    chat = a_chat(desk)
    fill_stream(desk, chat.stream, 3)
    async with Watching(desk) as staff_page:
        await staff_page.desk.watch(chat.id, 900)
        # It goes on from the moment that the page is served, which is soon.
        async with asyncio.timeout(PATIENCE):
            while not (seen := staff_page.line.numbers(chat.stream)):
                await grow(desk, chat.stream, 1)
                await asyncio.sleep(0.02)
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        assert seen[0] > 3


async def test_a_conversation_that_is_not_looked_at_is_not_heard(desk: Context) -> None:
    first, second = a_chat(desk), a_chat(desk)
    async with Watching(desk) as staff_page:
        await staff_page.desk.watch(first.id, 0)
        await staff_page.desk.watch(second.id, 0)
        for conversation in (first, second):
            frame = {"type": "typing", "conversation": conversation.id, "who": "customer"}
            desk.hub.signal(f"watch:{conversation.id}", frame)
        await grow(desk, first.stream, 1)
        await grow(desk, second.stream, 1)
        line = staff_page.line
        await line.holds(lambda: line.numbers(second.stream) == [1])
        typing = [frame["conversation"] for frame in line.frames if frame["type"] == "typing"]
        assert typing == [second.id]
        assert line.numbers(first.stream) == []
        await staff_page.desk.watch("knone", 0)
    assert not desk.hub._signals
    assert not desk.hub._streams


# --- the store is away ------------------------------------------------------------------------


def lost() -> OperationalError:
    return OperationalError("SELECT", {}, Exception("server closed the connection"))


class Answering:
    """Rasa, which has an answer to everything."""

    async def ask(self, _: str, body: dict[str, Any]) -> Answer:
        said = {"text": f"听到了：{body['text']}", "response": "say_hear", "variant": "v1"}
        return Answer([said], {"emotion": {"anger": 0}}, failed=False)


async def answered_after(
    desk: Context, monkeypatch: pytest.MonkeyPatch, errors: list[Exception]
) -> tuple[Conversation, list[dict[str, Any]]]:
    """Two messages of one conversation, while these errors come first."""
    monkeypatch.setattr("desk.conversations.router._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("desk.conversations.router._LONGEST_PAUSE", 0.002)
    chat = a_chat(desk)
    messages = [said(desk, chat, "第一句"), said(desk, chat, "第二句")]
    write = desk.storage.write

    async def failing(work: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as storage
        if errors:
            raise errors.pop(0)
        return await write(work, *args, **kwargs)

    monkeypatch.setattr(desk.storage, "write", failing)
    router = Router(desk, cast(Rasa, Answering()))
    router.rasa_ready.set()
    for message in messages:
        router.add(message)

    def done() -> bool:
        with desk.storage.database.read() as db:
            return not inbox.waiting(db)

    await until(done)
    await router.stop()
    return chat, shown(desk, chat.stream)


async def test_messages_wait_for_the_store_in_their_order(
    desk: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that restarts takes longer than any number of tries."""
    _, events = await answered_after(desk, monkeypatch, [lost() for _ in range(40)])
    assert [event["text"] for event in events] == ["听到了：第一句", "听到了：第二句"]


async def test_other_errors_still_count(desk: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be handled goes to a person, and the next one is heard."""
    broken: list[Exception] = [ZeroDivisionError() for _ in range(3)]
    broken.append(IntegrityError("INSERT", {}, Exception("unique")))
    chat, events = await answered_after(desk, monkeypatch, [lost(), *broken, lost()])
    assert present(desk, chat).owner == QUEUE
    assert [event["kind"] for event in events] == ["message", "owner"]


async def test_waiting_for_the_store_ends_when_the_desk_stops(
    desk: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = asyncio.Event()

    async def failing(*_: object) -> None:
        tried.set()
        raise lost()

    chat = a_chat(desk)
    message = said(desk, chat)
    monkeypatch.setattr(desk.storage, "read", failing)
    router = Router(desk, cast(Rasa, Answering()))
    router.add(message)
    async with asyncio.timeout(PATIENCE):
        await tried.wait()
        await router.stop()
    with desk.storage.database.read() as db:
        assert [one.id for one in inbox.waiting(db)] == [message.id], "for the next start"


def test_postgresql_is_not_waited_for_as_long_as_tcp_would() -> None:
    database = Database("postgresql+psycopg://huixin@db.invalid/huixin")
    given: dict[str, Any] = {}

    class Seen(Exception):
        pass

    @event.listens_for(database.engine, "do_connect")
    def see(_dialect: object, _record: object, _args: object, values: dict[str, Any]) -> None:
        given.update(values)
        raise Seen

    with pytest.raises(Seen), database.read():
        pass
    assert given["connect_timeout"] == 3
    assert given["options"] == "-c statement_timeout=5000"
    assert cast(Any, database.engine.pool)._timeout == 5
    database.close()


# --- logs and metrics -------------------------------------------------------------------------


def test_a_failure_is_logged_without_the_invitation() -> None:
    request = SimpleNamespace(
        path="/api/invitations/secret-token", uri_template="/api/invitations/<token:str>"
    )
    with capture_logs() as logs:
        desk_app._failed(cast(Any, request), RuntimeError("broken"))
    [entry] = logs
    assert entry["route"] == "/api/invitations/<token:str>"
    assert "secret-token" not in str(entry)


@pytest.mark.parametrize(
    ("address", "changes", "may"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("127.8.8.8", {}, True),
        ("192.0.2.10", {}, False),
        ("192.0.2.10", {"metrics_from": ["192.0.2.10", "2001:db8::1"]}, True),
        ("2001:db8::1", {"metrics_from": ["192.0.2.10", "2001:db8::1"]}, True),
        ("192.0.2.11", {"metrics_from": ["192.0.2.10"]}, False),
        ("::ffff:192.0.2.10", {"metrics_from": ["192.0.2.10"]}, True),
        ("", {}, False),
    ],
)
def test_metrics_are_for_this_machine_and_those_named(
    tmp_path: Path, clock: Clock, address: str, changes: dict[str, Any], may: bool
) -> None:
    desk = a_desk(tmp_path, clock, **changes)
    request = cast(Any, FakeRequest(desk, ip=address))
    assert desk_app._may_measure(request) is may
    desk.storage.close()


def test_what_a_proxy_passes_on_is_not_this_machine(tmp_path: Path, clock: Clock) -> None:
    forwarded = {"x-forwarded-for": "192.0.2.10"}
    desk = a_desk(tmp_path, clock)
    request = cast(Any, FakeRequest(desk, ip="127.0.0.1", headers=forwarded))
    assert not desk_app._may_measure(request)
    desk.storage.close()
    behind = a_desk(tmp_path, clock, trusted_proxies=1)
    values = {"ip": "127.0.0.1", "headers": forwarded, "remote_addr": "192.0.2.10"}
    assert not desk_app._may_measure(cast(Any, FakeRequest(behind, **values)))
    behind.storage.close()


# --- over the wire ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk that lets nobody go fast."""
    limits = {"burst": 3, "per_second": 0.001, "sessions_per_minute": 1000}
    with running(tmp_path_factory.mktemp("slow"), "desk", limits=limits) as stack:
        yield stack


def invited(stack: Stack, customer_id: str, thread: str) -> str:
    """An invitation as the bot would give it."""
    store = database(stack)
    now = datetime.now(UTC)
    with store.write() as db:
        public = conversations.load(db, thread)
        assert public is not None
        assert public.customer_id == customer_id
        key = stack.secrets["signing_key"]
        token, _ = invitations.issue(db, public, timedelta(minutes=30), key, now)
    store.close()
    return token


async def test_an_invitation_is_renewed_when_it_is_over_and_not_too_often(slow: Stack) -> None:
    async with guest(slow) as one:
        # Room and session are asked for as one browser; three times, and not a fourth.
        http = one.customer.http
        token = invited(slow, one.id, one.thread)
        valid = await http.post(f"/api/invitations/{token}/renew")
        assert (valid.status_code, valid.json()["error"]["code"]) == (409, "still_valid")
        assert "还有效" in valid.json()["error"]["message"]
        expire_invitations(one.store, one.id)
        fresh = await http.post(f"/api/invitations/{token}/renew")
        assert fresh.status_code == 200
        assert (await http.get(f"/api/invitations/{fresh.json()['token']}")).json()["state"] == (
            "open"
        )
        expire_invitations(one.store, one.id)
        again = await http.post(f"/api/invitations/{token}/renew")
        assert (again.status_code, again.json()["error"]["code"]) == (429, "too_fast")
        for answer in (
            await http.get(f"/api/rooms/{ROOM}"),
            await http.post("/api/session", json={"business": "lanting"}),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_fast")
        with one.store.read() as db:
            query = text("SELECT count(*) FROM invitations WHERE customer_id = :id")
            assert db.execute(query, {"id": one.id}).scalar() == 2
        # What is asked for is counted apart from what is said.
        assert (await one.room.answered(await one.room.say("在吗")))["type"] == "ack"


async def test_a_customer_cannot_be_called_as_the_business(alone: Stack) -> None:
    async with Customer(alone.url) as customer:
        assert (await customer.begin("lanting", "岚庭酒店官方客服"))["name"] == "访客"


async def test_metrics_over_the_wire(alone: Stack) -> None:
    async with httpx.AsyncClient(base_url=alone.url, trust_env=False, timeout=PATIENCE) as http:
        assert (await http.get("/metrics")).status_code == 200
        forwarded = {"X-Forwarded-For": "192.0.2.10"}
        assert (await http.get("/metrics", headers=forwarded)).status_code == 404


async def test_a_page_learns_that_the_numbering_began_anew(alone: Stack) -> None:
    async with guest(alone) as one:
        page = one.customer.room(ROOM)
        page.last = {f"room:{ROOM}": 1_000_000, f"own:{one.thread}": 7}
        await page.connect()
        welcome = await page.until(lambda seen: seen.frames and seen.frames[0])
        with one.store.read() as db:
            last = streams.last(db, f"room:{ROOM}")
        assert (welcome["type"], welcome["after"], welcome["own"]) == ("welcome", last, 0)
        await page.disconnect()


async def test_an_old_room_does_not_flood_who_comes_in(alone: Stack) -> None:
    store = database(alone)
    now = datetime.now(UTC)
    with store.write() as db:
        for number in range(320):
            post = {"id": new_id("m"), "kind": "message", "author": "bot", "text": f"旧{number}"}
            streams.append(db, f"room:{ROOM}", post, now)
        last = streams.last(db, f"room:{ROOM}")
    store.close()
    async with Customer(alone.url) as customer:
        await customer.begin("lanting", "新来的")
        async with customer.room(ROOM) as page:
            await page.until(lambda seen: seen.last.get(f"room:{ROOM}") == last)
            numbers = [frame["seq"] for frame in page.frames if frame["type"] == "event"]
    assert numbers == list(range(last - 299, last + 1))


async def test_staff_of_one_business_meet_no_other(alone: Stack) -> None:
    more = {"HUIXIN_STAFF_PASSWORD": PASSWORD}
    with pytest.raises(CalledProcessError) as refused:
        alone.run("staff", "add", "wire-x", "--business", "nobody", **more)
    assert "没有“nobody”这个商家" in refused.value.stderr.decode()
    alone.run("staff", "add", "wire-qing", "--name", "小青", "--business", "qinghe", **more)
    login = await asyncio.to_thread(log_in, alone, "wire-qing", PASSWORD)
    async with (
        Agent(alone, login) as shop,
        shop.socket() as socket,
        guest(alone, "lanting") as hotel_guest,
        guest(alone, "qinghe") as shop_guest,
    ):
        assert json.loads(await socket.recv())["type"] == "welcome"
        # Rasa is away, so both wait for a person in the end.
        await hotel_guest.post("房间没人打扫")
        await shop_guest.post("发错货了")
        async with asyncio.timeout(PATIENCE):
            first = json.loads(await socket.recv())
        assert (first["type"], first["gone"]) == ("rows", [])
        assert [row["id"] for row in first["rows"]] == [shop_guest.thread]
        listed = [row["id"] for row in await shop.rows()]
        assert shop_guest.thread in listed
        assert hotel_guest.thread not in listed
        for what, body in (
            ("take", {}),
            ("answer", {"id": new_id("w"), "text": "您好"}),
            ("give_back", {"note": ""}),
        ):
            answer = await shop.act(hotel_guest.thread, what, **body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        path = f"/api/staff/conversations/{hotel_guest.thread}"
        assert (await shop.http.get(path)).status_code == 404
        await shop.done(shop_guest.thread, "take")
