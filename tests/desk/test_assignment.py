"""The queue hands itself out: to whom, in which order, and back from who says nothing."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from desk.context import Context
from desk.conversations import ownership, passing
from desk.conversations.attendance import Attendance, assign_next
from desk.conversations.queueing import prospect_of, reckon, told_in_queue
from desk.conversations.rasa import Rasa
from desk.conversations.router import Router
from recovery.store import audit_log, notices, presence
from recovery.store.conversations import QUEUE, Conversation, staff_owner
from recovery.store.staff import Staff
from recovery.store.tables import conversations as table
from tests.desk.queues import NOON, Clock, House, a_desk

# Hotel hours are 8:00 to 23:00 in Shanghai.
NIGHT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = a_desk(tmp_path, clock)
    yield House(context, clock)
    context.storage.close()


def attendance(context: Context) -> Attendance:
    rasa = Rasa("http://127.0.0.1:9", "", 1.0, context.metrics)
    return Attendance(context, Router(context, rasa))


async def look(house: House) -> None:
    await attendance(house.context).look_once()


def answer(house: House, who: Staff, chat: Conversation) -> None:
    client = f"client-{house.clock().timestamp()}".replace(".", "-")
    with house.database.write() as db:
        ownership.answer(db, house.context, chat.id, who, client, "在的", house.clock())


async def test_nobody_there_the_queue_stays(house: House) -> None:
    chat = house.chat()
    house.person("lin", presence="offline")
    house.person("wu", presence="away")
    house.person("gone", alive=False)
    house.person("boss", "manager")
    await look(house)
    assert house.now(chat).owner == QUEUE


async def test_who_is_first_is_handed_out_first(house: House) -> None:
    calm, furious = house.chat(anger=0), house.chat(anger=3)
    lin = house.person("lin", capacity=1)
    await look(house)
    assert (house.now(furious).owner, house.now(calm).owner) == (staff_owner(lin.id), QUEUE)
    assert house.heard(lin) == ["assigned"]
    assert house.shown(furious)[-1]["name"] == "Lin"
    assert house.acts(furious) == ["assign"]


async def test_the_load_is_shared(house: House) -> None:
    chats = [house.chat() for _ in range(6)]
    people = [house.person(name, capacity=4) for name in ("lin", "wu", "an")]
    await look(house)
    owners = [house.now(chat).owner for chat in chats]
    assert sorted(owners) == sorted(staff_owner(one.id) for one in people for _ in range(2))


async def test_who_served_a_customer_last_serves_them_again(house: House) -> None:
    lin, wu = house.person("lin"), house.person("wu")
    first = house.chat(owner=staff_owner(wu.id))
    for _ in range(2):
        house.chat(owner=staff_owner(wu.id))
    again = house.chat(customer=first.customer_id)
    other = house.chat()
    await look(house)
    assert house.now(again).owner == staff_owner(wu.id)
    assert house.now(other).owner == staff_owner(lin.id)


async def test_where_staff_take_themselves_nothing_is_handed_out(tmp_path: Path) -> None:
    clock = Clock()
    content = a_desk(tmp_path, clock)
    manual = [
        {**one.model_dump(mode="json"), "assignment": "manual"}
        for one in content.settings.businesses
    ]
    content.storage.close()
    context = a_desk(tmp_path, clock, businesses=manual)
    house = House(context, clock)
    chat = house.chat()
    house.person("lin")
    await look(house)
    assert house.now(chat).owner == QUEUE
    context.storage.close()


async def test_who_says_nothing_loses_it_to_the_front(house: House) -> None:
    lin, boss = house.person("lin"), house.person("boss", "manager")
    chat = house.chat(anger=1)
    await look(house)
    house.clock.passes(minutes=4, seconds=50)
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id)
    house.clock.passes(seconds=10)
    house.lives(lin)
    await look(house)
    found = house.now(chat)
    assert (found.owner, found.reason, found.front) == (QUEUE, "silent", True)
    assert house.heard(lin) == ["assigned", "silent"]
    assert house.heard(boss) == ["silent"]
    assert "抱歉" in house.shown(chat)[-1]["text"]
    with house.database.read() as db:
        assert presence.of(db, lin.id) == "away", "nothing is handed to an empty chair"

    angrier = house.chat(anger=3)
    wu = house.person("wu", capacity=1)
    await look(house)
    assert house.now(chat).owner == staff_owner(wu.id), "before who is angrier"
    assert house.now(angrier).owner == QUEUE


async def test_it_does_not_go_back_to_who_was_silent(house: House) -> None:
    lin = house.person("lin")
    chat = house.chat()
    await look(house)
    house.clock.passes(minutes=6)
    await look(house)
    wu = house.person("wu", capacity=0)
    with house.database.write() as db:
        presence.choose(db, lin.id, "online")
    house.lives(lin, wu)
    await look(house)
    assert house.now(chat).owner == QUEUE
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
    assert house.now(chat).owner == staff_owner(lin.id), "by hand he may have it"


def comes_online(house: House, who: Staff) -> None:
    """As by the menu of the page."""
    with house.database.write() as db:
        now = house.clock()
        if presence.choose(db, who.id, "online"):
            target = f"staff:{who.id}"
            audit_log.note(db, who, "presence", now, target=target, detail={"presence": "online"})
    house.lives(who)


async def test_who_is_alone_gets_it_again_after_coming_back(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    await look(house)
    house.clock.passes(minutes=6)
    house.lives(lin)
    await look(house)
    assert house.now(chat).owner == QUEUE
    house.clock.passes(minutes=30)
    house.lives(lin)
    await look(house)
    assert house.now(chat).owner == QUEUE, "to who is away nothing is handed"
    comes_online(house, lin)
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id)


def puts_back(house: House, who: Staff, chat: Conversation) -> None:
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, who, house.clock())
        passing.hand_on(db, house.context, chat.id, who, None, "不是我的专长", house.clock())


async def test_who_puts_it_back_does_not_get_it_back(house: House) -> None:
    lin, wu = house.person("lin"), house.person("wu")
    for _ in range(3):
        house.chat(owner=staff_owner(wu.id))
    chat = house.chat()
    puts_back(house, lin, chat)
    await look(house)
    assert house.now(chat).owner == staff_owner(wu.id), "though lin knows the customer"


async def test_where_nobody_else_is_there_it_comes_back_in_the_end(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    puts_back(house, lin, chat)
    await look(house)
    assert house.now(chat).owner == QUEUE, "not at once"
    house.clock.passes(minutes=15)
    house.lives(lin)
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id), "before the time promised is over"


async def test_who_serves_others_stays_there(house: House) -> None:
    lin, boss = house.person("lin"), house.person("boss", "manager")
    left, served = house.chat(owner=staff_owner(lin.id)), house.chat(owner=staff_owner(lin.id))
    house.says(left)
    house.clock.passes(minutes=4)
    house.says(served)
    answer(house, lin, served)
    house.clock.passes(minutes=1)
    house.lives(lin)
    await look(house)
    assert (house.now(left).owner, house.now(served).owner) == (QUEUE, staff_owner(lin.id))
    assert (house.heard(lin), house.heard(boss)) == (["silent"], ["silent"])
    with house.database.read() as db:
        assert presence.of(db, lin.id) == "online"
        [notice] = notices.latest(db, lin)
    assert "离开" not in notice.text


@pytest.mark.parametrize(("before", "after"), [("online", "away"), ("busy", "busy")])
async def test_who_is_silent_is_shown_as_they_are(house: House, before: str, after: str) -> None:
    lin = house.person("lin", presence=before)
    chat = house.chat(owner=staff_owner(lin.id))
    house.says(chat)
    heard: list[str] = []
    house.context.hub.hear_signals(
        f"staff:{lin.id}",
        lambda frame: heard.append(frame["presence"]) if frame["type"] == "presence" else None,
    )
    house.clock.passes(minutes=6)
    house.lives(lin)
    await look(house)
    with house.database.read() as db:
        assert presence.of(db, lin.id) == after
        [notice] = notices.latest(db, lin)
    assert heard == ([after] if before != after else [])
    assert ("离开" in notice.text) is (before != after)


async def test_who_answers_keeps_it_however_long(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    await look(house)
    answer(house, lin, chat)
    house.clock.passes(hours=3)
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id), "the customer is not waiting"
    house.says(chat)
    house.clock.passes(minutes=6)
    await look(house)
    assert house.now(chat).owner == QUEUE


async def test_at_night_nobody_is_silent(house: House) -> None:
    lin = house.person("lin")
    chat = house.chat(owner=staff_owner(lin.id))
    house.clock.now = datetime(2026, 11, 22, 14, 58, tzinfo=UTC)
    house.says(chat)
    house.clock.passes(hours=9, minutes=2)
    # Two minutes were left of the evening, and the hotel opens at this moment.
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id)
    house.clock.passes(minutes=3)
    await look(house)
    assert house.now(chat).owner == QUEUE


async def test_what_is_put_aside_is_not_silence(house: House) -> None:
    lin = house.person("lin")
    chat = house.chat(owner=staff_owner(lin.id))
    house.says(chat)
    until = NOON + timedelta(hours=1)
    with house.database.write() as db:
        passing.snooze(db, house.context, chat.id, lin, until, "", house.clock(), force=True)
    house.clock.passes(minutes=30)
    await look(house)
    assert house.now(chat).owner == staff_owner(lin.id)
    house.clock.passes(minutes=31)
    await look(house)
    found = house.now(chat)
    assert (found.snoozed_until, found.owner) == (None, staff_owner(lin.id)), "not lost at once"
    house.clock.passes(minutes=5)
    await look(house)
    assert house.now(chat).owner == QUEUE


def told(house: House, chat: Conversation) -> str:
    with house.database.write() as db:
        return told_in_queue(db, house.context, chat, house.clock())


def test_what_the_customer_is_told_is_true(house: House) -> None:
    first, second = house.chat(anger=3), house.chat(anger=0)
    assert "没有同事在线" in told(house, first)
    assert "15分钟内有人回复您" in told(house, first)
    lin = house.person("lin", capacity=1)
    house.chat(owner=staff_owner(lin.id))
    assert "您是下一位" in told(house, first)
    assert "前面还有1位" in told(house, second)
    assert "大约" not in told(house, second), "nothing was measured yet"
    house.clock.now = NIGHT
    assert "非服务时间" in told(house, second)
    assert "今天08:15前" in told(house, second)


def test_minutes_are_told_where_they_were_measured(house: House) -> None:
    lin = house.person("lin", capacity=3)
    for _ in range(3):
        chat = house.chat()
        house.clock.passes(minutes=8)
        with house.database.write() as db:
            ownership.take(db, house.context, chat.id, lin, house.clock())
    house.lives(lin)
    waits, after = house.chat(anger=3), house.chat(anger=0)
    house.clock.passes(minutes=2)
    house.lives(lin)
    with house.database.write() as db:
        reckon(db, house.context, house.context.business("lanting"), house.clock())
    with house.database.read() as db:
        near = prospect_of(db, house.context, waits.id)
        far = prospect_of(db, house.context, after.id)
        assert prospect_of(db, house.context, chat.id) is None
    # Three within the eighteen minutes since the first was taken.
    assert near is not None
    assert far is not None
    assert (near.place, near.minutes, far.place, far.minutes) == (1, 6, 2, 12)


async def test_the_page_of_who_waits_hears_where_they_stand(house: House) -> None:
    first, second = house.chat(anger=3), house.chat(anger=0)
    heard: list[tuple[str, int]] = []
    for name, chat in (("first", first), ("second", second)):
        house.context.hub.hear_signals(
            chat.stream,
            lambda frame, name=name: heard.append((name, frame["position"])),  # type: ignore[misc]
        )
    worker = attendance(house.context)
    await worker.look_once()
    await worker.look_once()
    assert sorted(heard) == [("first", 1), ("second", 2)], "once, as long as nothing changes"
    heard.clear()
    house.person("lin", capacity=1)
    await worker.look_once()
    assert heard == [("second", 1)]


async def test_of_the_night_the_first_in_the_morning(house: House) -> None:
    house.clock.now = NIGHT
    night = house.chat(anger=0)
    house.clock.now = datetime(2026, 11, 23, 0, 1, tzinfo=UTC)
    morning = house.chat(anger=3)
    house.person("lin", capacity=1)
    await look(house)
    assert house.now(night).owner != QUEUE
    assert house.now(morning).owner == QUEUE


def test_two_desks_on_one_database_hand_each_one_out_once(tmp_path: Path, url: str) -> None:
    clock = Clock()
    desks = [a_desk(tmp_path / str(one), clock, database=url) for one in range(2)]
    house = House(desks[0], clock)
    people = [house.person(name, capacity=5) for name in ("lin", "wu")]
    chats = [house.chat() for _ in range(14)]
    done: list[str] = []

    def hand_out(context: Context) -> None:
        business = context.business("lanting")
        while True:
            with context.storage.database.write() as db:
                committed = assign_next(db, context, business, clock())
            if committed is None:
                return
            done.extend(one.conversation for one in committed.changed)

    threads = [threading.Thread(target=hand_out, args=(one,)) for one in desks * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(set(done)) == 10, "as many as they can take, each once"
    with house.database.read() as db:
        owners = [row.owner for row in db.execute(select(table.c.owner))]
    assert sorted(owners) == sorted(
        [*(staff_owner(one.id) for one in people for _ in range(5)), *[QUEUE] * (len(chats) - 10)]
    )
    for context in desks:
        context.storage.close()


async def test_an_agent_who_comes_is_handed_what_waits_at_once(house: House) -> None:
    chat = house.chat()
    worker = asyncio.create_task(attendance(house.context).run())
    try:
        await asyncio.sleep(0)
        lin = house.person("lin")
        house.context.hub.presence()
        async with asyncio.timeout(20):
            while house.now(chat).owner == QUEUE:  # noqa: ASYNC110 - the worker is another task
                await asyncio.sleep(0.02)
        assert house.now(chat).owner == staff_owner(lin.id)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
