"""Who comes from the room into a private chat finds the same people and has not begun to wait."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desk.conversations import ownership, passing
from desk.conversations.entering import enter
from desk.conversations.turn import Committed
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, clocks, conversations, customers, invitations
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from tests.desk.queues import Clock, House, a_desk


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = a_desk(tmp_path, clock)
    yield House(context, clock)
    context.storage.close()


def a_thread(house: House, owner: str = QUEUE, stage: str = "person") -> Conversation:
    case, now = Case(new_id("s"), stage=stage, facts={"failure": "room_not_clean"}), house.clock()  # type: ignore[arg-type]
    with house.database.write() as db:
        one = customers.begin_session(db, None, "lanting", "阿明", None, now)[0].id
        cases.save(db, case, "lanting", one, now)
        room = "lanting-lobby"
        thread = conversations.begin(
            db, "lanting", one, now, room=room, case_id=case.id, owner=owner
        )
        clocks.person_due(db, thread, house.context.business("lanting"), now)
    return thread


def enters(house: House, thread: Conversation) -> tuple[Conversation, Committed]:
    key = house.context.secrets.signing_key
    with house.database.write() as db:
        valid = timedelta(minutes=30)
        _, found = invitations.issue(db, house.now(thread), valid, key, house.clock())
        private, _, committed = enter(db, house.context, found, house.clock())
    return house.now(private), committed


def test_who_serves_in_public_serves_in_private(house: House) -> None:
    lin, thread = house.person("lin"), a_thread(house, BOT, "hearing")
    with house.database.write() as db:
        ownership.take(db, house.context, thread.id, lin, house.clock())
    taken = house.now(thread)
    house.clock.passes(minutes=2)
    private, committed = enters(house, thread)
    assert (private.owner, private.last_agent) == (staff_owner(lin.id), lin.id)
    assert private.awaiting_since == taken.awaiting_since, "nobody has answered yet"
    [begun] = house.shown(private)
    assert (begun["owner"], begun["name"]) == ("staff", "Lin"), "customers learn no ids"
    assert "Lin" in begun["text"]
    assert house.heard(lin) == ["assigned"]
    assert {one.conversation for one in committed.changed} == {thread.id, private.id}
    with house.database.read() as db:
        found = clocks.of_conversations(db, [thread.id, private.id])
    assert list(found) == [private.id], "what is measured goes on here"
    # The thread in the room stays theirs, but nobody waits there.
    assert house.now(thread).owner == staff_owner(lin.id)
    house.clock.passes(minutes=5)
    now = house.clock()
    assert passing.is_silent(house.context, private, now)
    assert not passing.is_silent(house.context, house.now(thread), now)


def test_who_was_answered_in_public_is_awaited_in_private(house: House) -> None:
    lin, thread = house.person("lin"), a_thread(house, BOT, "hearing")
    with house.database.write() as db:
        ownership.take(db, house.context, thread.id, lin, house.clock())
        ownership.answer(db, house.context, thread.id, lin, "client-1", "请进私聊", house.clock())
    house.clock.passes(minutes=2)
    private, _ = enters(house, thread)
    assert private.awaiting_since is not None
    with house.database.read() as db:
        [found] = clocks.of_conversations(db, [private.id]).values()
    assert any(one.under_way and one.kind == "first_response" for one in found)


def test_who_waited_in_public_has_waited_as_long_in_private(house: House) -> None:
    thread = a_thread(house)
    house.clock.passes(minutes=20)
    private, _ = enters(house, thread)
    waited = thread.waiting_since, thread.awaiting_since
    assert (private.owner, private.waiting_since, private.awaiting_since) == (QUEUE, *waited)
    assert (house.now(thread).owner, house.now(thread).awaiting_since) == (BOT, None)


def test_who_was_first_stays_first(house: House) -> None:
    lin, thread = house.person("lin"), a_thread(house, BOT, "person")
    with house.database.write() as db:
        ownership.take(db, house.context, thread.id, lin, house.clock())
    house.clock.passes(minutes=5)
    with house.database.write() as db:
        owner = staff_owner(lin.id)
        passing.fell_silent(db, house.context, thread.id, owner, house.clock())
    assert house.now(thread).front
    private, _ = enters(house, thread)
    assert (private.owner, private.front, private.last_agent) == (QUEUE, True, lin.id)


def test_who_waits_without_a_case_goes_on_waiting(house: House) -> None:
    with house.database.write() as db:
        one = customers.begin_session(db, None, "lanting", "阿明", None, house.clock())[0].id
        room = "lanting-lobby"
        thread = conversations.begin(
            db, "lanting", one, house.clock(), room=room, owner=QUEUE, reason="error"
        )
    private, _ = enters(house, thread)
    assert (private.owner, private.reason) == (QUEUE, "error")
