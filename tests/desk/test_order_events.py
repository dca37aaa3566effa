"""Before they complain: what an order system reports reaches customers first, once, by policy."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from desk import order_reports
from desk.conversations.dealing import take_offer
from desk.conversations.rasa import Rasa
from desk.conversations.router import Router
from desk.conversations.turn import Turn
from desk.incidents import first_words
from desk.incidents.admitting import admit
from desk.incidents.watch import IncidentWatch
from recovery.orders.system import OrderSystemError
from recovery.signing import HEADER, sign
from recovery.store import conversations, customers, preferences, proofs, staff
from recovery.store.conversations import QUEUE, staff_owner
from recovery.store.tables import decisions, fulfilments, notices, order_events, wechat_threads
from recovery.store.wechat import contacts
from tests.desk.incident_scene import IncidentScene, complains, empty_desk
from tests.desk.people import PATIENCE
from tests.desk.postgres import new_database
from tests.desk.serving import NOON, Clock, a_context, serving

PASSWORD = "an honest password"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_desk(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def scene(tmp_path: Path, empty: Path) -> Iterator[IncidentScene]:
    made = IncidentScene(tmp_path, copy_of=empty)
    yield made
    made.close()


# --- coming in --------------------------------------------------------------------------------


async def test_what_is_reported_is_kept_once_and_only_from_who_may(tmp_path: Path) -> None:
    clock = Clock()
    context = a_context(tmp_path, clock)
    key = context.secrets.event_keys["wutong"]
    body: dict[str, Any] = {
        "id": "ev-1",
        "kind": "lift_down",
        "at": "2026-11-22T11:55:00+08:00",
        "orders": ["wt-2026 0001"],
        "place": "3栋",
    }
    async with (
        serving(context) as desk,
        httpx.AsyncClient(base_url=desk.url, timeout=PATIENCE, trust_env=False) as http,
    ):

        async def send(
            content: Any,  # noqa: ANN401 - JSON, or bytes
            secret: str = key,
            business: str = "wutong",
            late: timedelta = timedelta(0),
        ) -> tuple[int, Any]:
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            header = {HEADER: sign(secret, raw, clock() - late)}
            answer = await http.post(f"/api/orders/{business}/events", content=raw, headers=header)
            return answer.status_code, answer.json()

        assert await send(body) == (200, {"event": "ev-1", "state": "taken"})
        assert await send(body) == (200, {"event": "ev-1", "state": "repeated"})
        status, said = await send({**body, "kind": "late"})
        assert (status, said["error"]["code"]) == (409, "other_event")
        # Who does not know the secret learns not even which businesses there are.
        refused = [
            await send(body, secret="guessed"),
            await send(body, business="nobody"),
            await send(body, secret=context.secrets.event_keys["qinghe"]),
            await send(body, late=timedelta(minutes=6)),
        ]
        assert {status for status, _ in refused} == {401}
        assert len({json.dumps(said) for _, said in refused}) == 1
        for wrong, named in (
            ({"id": "bad id"}, "id"),
            ({"kind": "Late!"}, "kind"),
            ({"at": "2026-11-22T11:55:00"}, "at"),
            ({"orders": "WT1"}, "orders"),
            ({"orders": ["\x00"]}, "orders"),
            ({"orders": [], "place": None}, "orders"),
            ({"failure": "noisy"}, "failure"),
            ({"urgent": 1}, "urgent"),
            ({"price": 1}, "body"),
            ({"title": "\ud800"}, "title"),
        ):
            status, said = await send({**body, "id": "ev-2", **wrong})
            assert (status, said["error"]["code"]) == (400, "bad_event"), wrong
            assert said["error"]["message"].startswith(f"{named}："), wrong
        assert (await send(b"[" * 5000))[0] == 400
        assert (await send(b"\xff"))[0] == 400
        assert (await send(b" " * 70_000))[0] == 413
        with context.storage.database.read() as db:
            kept = db.execute(select(order_events.c.id, order_events.c.content)).all()
    assert [row.id for row in kept] == ["ev-1"]
    assert kept[0].content["orders"] == ["WT20260001"]
    assert kept[0].content["failure"] == "lift_broken"


def test_it_can_be_tried_from_the_command_line(
    scene: IncidentScene, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    order_reports.add_arguments(parser)

    def run(*words: str) -> int:
        return order_reports.run(scene.desk.settings, parser.parse_args(["report", *words]))

    event = ("wutong", "lift_down", "WT1", "--id", "by-hand")
    assert run(*event) == 0
    assert run(*event) == 0
    assert run(*event, "--place", "3栋") == 1
    assert run("wutong", "lift_down") == 1
    assert run("elsewhere", "late", "X1") == 1
    with scene.store.read() as db:
        assert db.execute(select(order_events.c.id)).scalars().all() == ["by-hand"]
    said = capsys.readouterr()
    assert "先告诉顾客" in said.out
    assert "orders" in said.err


# --- reaching the customer --------------------------------------------------------------------


def test_the_customer_is_told_first_with_the_remedy_and_once(scene: IncidentScene) -> None:
    number = scene.order(identity="owner-1")
    customer = scene.customer(identity="owner-1")
    scene.reported(orders=[number], place="3栋", expected="今天18点")
    scene.rounds(2)
    [chat] = scene.chats(customer)
    [words] = scene.shown(chat, "message")
    assert "林晚您好" in words["text"]
    assert "3栋的电梯出了故障" in words["text"]
    assert "今天18点" in words["text"]
    [card] = scene.shown(chat, "offer")
    assert card["state"] == "open"
    assert card["buttons"][0]["title"] == "就这样办"
    case = scene.case(chat)
    assert (case.stage, case.failure, case.order_number) == ("offered", "lift_broken", number)
    with scene.store.read() as db:
        [decision] = db.execute(select(decisions)).all()
    assert (decision.decided_by, decision.id) == ("bot", card["offer"])
    [member] = scene.members()
    assert (member.state, member.offer_id, member.why) == ("told", card["offer"], None)
    assert scene.incidents()[0].state == "single"

    def accepts(db: Any) -> None:  # noqa: ANN401 - a connection
        turn = Turn(db, scene.desk, scene.present(chat), "m-test", scene.clock(), scene.case(chat))
        take_offer(turn, card["offer"])

    scene.do(accepts)
    with scene.store.read() as db:
        assert len(db.execute(select(fulfilments.c.key)).all()) == len(card["items"])
    # The same trouble once more: the order had its remedy, so a person looks.
    scene.later(hours=1)
    scene.reported(orders=[number], place="3栋")
    scene.rounds()
    assert scene.members()[0].why == first_words.ALREADY


def test_who_proved_an_order_is_written_to_where_the_last_talk_was(scene: IncidentScene) -> None:
    number, customer = scene.order(), scene.customer()
    old = scene.talks(customer, complains("dirt"), stage="closed")
    limits = scene.desk.settings.limits
    with scene.store.write() as db:
        proofs.record(
            *(db, "wutong", number, customer.id), correct=True, limits=limits, now=scene.clock()
        )
    scene.reported(orders=[number])
    scene.rounds()
    assert [one.id for one in scene.chats(customer)] == [old.id]
    assert scene.case(old).failure == "lift_broken"
    assert len(scene.shown(old, "offer")) == 1


def test_who_talks_about_something_else_gets_a_conversation_beside(scene: IncidentScene) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    other = scene.talks(customer, complains("dirt", "WT99"))
    scene.reported(orders=[number])
    scene.rounds()
    beside = next(one for one in scene.chats(customer) if one.id != other.id)
    assert len(scene.shown(beside, "offer")) == 1
    assert scene.shown(other) == []


def test_an_open_case_about_the_order_goes_on_and_is_offered_nothing_twice(
    scene: IncidentScene,
) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    chat = scene.talks(customer, complains("lift_broken", number))
    scene.reported(orders=[number])
    scene.rounds()
    assert len(scene.shown(chat, "offer")) == 1
    scene.reported(orders=[number], expected="明天9点")
    scene.rounds()
    assert len(scene.shown(chat, "offer")) == 1
    assert "明天9点" in scene.shown(chat, "message")[-1]["text"]
    assert [one.id for one in scene.chats(customer)] == [chat.id]
    assert len(scene.case(chat).offers) == 1


def test_who_complained_in_the_room_is_told_in_private_in_the_same_case(
    scene: IncidentScene,
) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    public = scene.talks(customer, complains("lift_broken"), room="wutong-yard")
    scene.reported(orders=[number])
    scene.rounds()
    [chat] = scene.chats(customer)
    assert chat.case_id == public.case_id
    assert len(scene.shown(chat, "offer")) == 1
    assert scene.shown(public) == []
    assert scene.case(chat).order_number == number


def test_whom_a_colleague_serves_is_told_and_the_colleague_decides(scene: IncidentScene) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    with scene.store.write() as db:
        lin = staff.add(db, "lin", "小林", "agent", PASSWORD, scene.clock(), "wutong")
    opened = complains("lift_broken", number)
    chat = scene.talks(customer, opened, owner=staff_owner(lin.id), stage="person")
    scene.reported(orders=[number])
    scene.rounds()
    assert len(scene.shown(chat, "message")) == 1
    assert scene.shown(chat, "offer") == []
    assert scene.present(chat).owner == staff_owner(lin.id)
    assert scene.members()[0].why == first_words.SERVED
    with scene.store.read() as db:
        assert db.execute(select(notices.c.staff_id)).scalars().all() == [lin.id]


def test_what_is_beyond_the_bot_brings_a_person_and_says_when(scene: IncidentScene) -> None:
    number = scene.order("qinghe", identity="b-1", title="杯子", items=("CUP-01",))
    customer = scene.customer(business="qinghe", identity="b-1")
    scene.reported("qinghe", kind="refund_delayed", orders=[number])
    unknown = scene.order("qinghe", identity="b-2", title="壶", items=("KET-01",))
    second = scene.customer(business="qinghe", identity="b-2")
    scene.reported("qinghe", kind="out_of_stock", orders=[unknown])
    scene.rounds()
    for who in (customer, second):
        [chat] = scene.chats(who)
        assert scene.present(chat).owner == QUEUE
        assert "20分钟内" in scene.shown(chat, "message")[0]["text"]
        assert scene.shown(chat, "offer") == []
        assert scene.case(chat).stage == "person"
    advice = scene.case(scene.chats(customer)[0]).facts["advice"]
    assert advice["authority"] == "agent"


def test_who_cannot_be_reached_is_listed_for_staff(scene: IncidentScene) -> None:
    strangers = scene.order(identity="never-came")
    with scene.store.write() as db:
        called = customers.add(db, "u-called", "wutong", "电话里的", scene.clock())
    phoned = scene.order()
    talk = scene.talks(called, complains("dirt", phoned))
    scene.do(conversations.note_channel, talk.id, "phone")
    scene.reported(orders=[strangers, phoned, "WT0000"])
    scene.rounds()
    assert {(one.state, one.why) for one in scene.members()} == {
        ("unreachable", first_words.NOT_KNOWN),
        ("unreachable", first_words.NO_CHANNEL),
        ("unreachable", first_words.NO_ORDER),
    }
    assert scene.shown(talk) == []


def test_an_id_of_a_customer_takes_an_order_only_where_there_is_one(scene: IncidentScene) -> None:
    first, second = (scene.customer(identity=f"owner-{n}") for n in (1, 2))
    only = scene.order(identity="owner-1")
    scene.order(identity="owner-2", buyer="two")
    scene.order(identity="owner-2", buyer="two")
    scene.reported(customers=["owner-1", "owner-2"])
    scene.rounds()
    [chat] = scene.chats(first)
    assert scene.case(chat).order_number == only
    assert len(scene.shown(chat, "offer")) == 1
    [chat] = scene.chats(second)
    assert scene.case(chat).order_number is None
    assert (scene.present(chat).owner, scene.present(chat).reason) == (QUEUE, "no_order")


def test_nobody_is_woken_unless_it_is_urgent(scene: IncidentScene) -> None:
    numbers = [scene.order(identity=f"owner-{n}") for n in (1, 2)]
    sleeper, waker = (scene.customer(identity=f"owner-{n}") for n in (1, 2))
    scene.clock.now = NOON + timedelta(hours=10)  # 22:00
    scene.reported(kind="facility_down", orders=numbers[:1])
    scene.reported(kind="lift_down", orders=numbers[1:])
    scene.rounds()
    assert scene.chats(sleeper) == []
    assert len(scene.chats(waker)) == 1
    scene.later(hours=9, minutes=59)
    scene.rounds()
    assert scene.chats(sleeper) == []
    scene.later(minutes=1)  # 8:00, when the business opens
    scene.rounds()
    assert len(scene.chats(sleeper)) == 1


def test_while_the_order_system_is_away_it_is_tried_again(
    scene: IncidentScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    scene.reported(orders=[number])

    def away(business: str, number: str) -> None:
        raise OrderSystemError("away")

    with monkeypatch.context() as patched:
        patched.setattr(scene.desk.orders, "order", away)
        scene.rounds(2)
    assert [one.attempts for one in scene.members()] == [1]
    assert scene.chats(customer) == []
    scene.later(minutes=1)
    scene.rounds()
    assert len(scene.shown(scene.chats(customer)[0], "offer")) == 1


def test_a_customer_of_wechat_reads_it_there(scene: IncidentScene) -> None:
    number = scene.order(identity="wechat:o-123")
    with scene.store.write() as db:
        customer = customers.of_wechat(db, "wutong", "o-123", "微信顾客", scene.clock())
        contact = contacts.add(db, "fuwu", "o-123", customer.id, scene.clock())
    scene.reported(orders=[number])
    scene.rounds()
    [chat] = scene.chats(customer)
    assert chat.channel == "wechat"
    [words] = scene.shown(chat, "message")
    assert words["outside"] is True
    assert words["text"].startswith("您好，")
    with scene.store.read() as db:
        bound = db.execute(select(wechat_threads.c.contact_id, wechat_threads.c.planned)).all()
        led = contacts.load(db, contact.id)
    assert [tuple(row) for row in bound] == [(contact.id, 0)]
    assert led is not None
    assert led.conversation_id == chat.id


def test_two_desks_tell_each_customer_once(tmp_path: Path, postgres: str) -> None:
    """Both look at the same moment; what one has under its hands the other leaves alone."""
    url = new_database(postgres, "two_incident_desks")
    first = IncidentScene(tmp_path, database=url)
    second = replace(first.desk, storage=first.desk.storage)
    numbers = [first.order(identity=f"owner-{n}") for n in range(4)]
    told = [first.customer(identity=f"owner-{n}") for n in range(4)]
    first.reported(orders=numbers)

    async def both() -> None:
        rasa = Rasa(["http://127.0.0.1:9"], "", 1.0, first.desk.metrics)
        watches = [IncidentWatch(desk, Router(desk, rasa)) for desk in (first.desk, second)]
        await asyncio.gather(*(one.look_once() for one in watches))
        await asyncio.gather(*(one.look_once() for one in watches))
        await rasa.close()

    try:
        asyncio.run(both())
        for customer in told:
            [chat] = first.chats(customer)
            assert len(first.shown(chat, "message")) == 1
            assert len(first.shown(chat, "offer")) == 1
        assert [one.state for one in first.members()] == ["told"] * 4
        [incident] = first.incidents()
        assert incident.state == "open"
    finally:
        first.close()


def test_nobody_is_offered_what_they_have_said_they_do_not_want(scene: IncidentScene) -> None:
    given = []
    for n, wish in ((1, ""), (2, "no_voucher")):
        number = scene.order("qinghe", identity=f"buyer-{n}")
        customer = scene.customer(business="qinghe", identity=f"buyer-{n}")
        if wish:
            scene.do(
                lambda db, person=customer.person: preferences.add_wish(
                    db, person, "别给我券", "customer", NOON, kind="no_voucher"
                )
            )
        scene.reported("qinghe", kind="late", orders=[number], incident="late-1")
        scene.rounds()
        [chat] = scene.chats(customer)
        offer = scene.case(chat).offers[0]
        given.append({one["kind"] for one in offer.remedies})
    assert "voucher" in given[0]
    assert given[1]
    assert "voucher" not in given[1]
    assert scene.members()[-1].differs, "staff see that it is not what the others got"


def test_another_trouble_is_no_part_of_what_was_agreed_long_ago(scene: IncidentScene) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    old = scene.talks(customer, complains("dirt", number), stage="agreed")
    scene.later(days=40)
    scene.reported(orders=[number])
    scene.rounds()
    assert scene.shown(old) == []
    assert len(scene.chats(customer)) == 2


def test_an_event_that_cannot_be_worked_off_keeps_nobody_else_waiting(
    scene: IncidentScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    scene.reported(id="broken-1", orders=["WT404"])
    scene.reported(id="whole-1", orders=[number])

    def breaks(db: Any, context: Any, business: str, event: str, now: Any) -> Any:  # noqa: ANN401
        if event == "broken-1":
            raise RuntimeError("a defect")
        return admit(db, context, business, event, now)

    monkeypatch.setattr("desk.incidents.watch.admit", breaks)
    scene.rounds()
    assert len(scene.chats(customer)) == 1
    monkeypatch.undo()
    scene.later(minutes=11)
    scene.rounds()
    assert "WT404" in {one.order_number for one in scene.members()}
