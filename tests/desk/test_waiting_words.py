"""What customers are told of who comes and when: true, once, and kept."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from desk.conversations import ownership, passing
from desk.conversations.commit import commit_answer, commit_given_up, commit_overheard
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.queueing import expected, place_of, reckon, told_in_queue
from desk.conversations.rasa import Answer
from desk.conversations.router import Router
from recovery.case import Case, Offer, apply
from recovery.commands import HandOver, to_wire
from recovery.ids import new_id
from recovery.orders.system import RemedyRefusedError
from recovery.store import audit_log, cases, conversations, customers, fulfilments, inbox, queue
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from tests.desk.queues import NOON, Clock, House, a_desk

CALM = {"intent": {"name": "inform", "confidence": 0.9}, "emotion": {"anger": 0, "flags": []}}
DANGER = {
    "intent": {"name": "inform", "confidence": 0.9},
    "emotion": {"anger": 1, "flags": ["safety"]},
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = a_desk(tmp_path, clock)
    yield House(context, clock)
    context.storage.close()


def told(house: House, chat: Conversation) -> str:
    with house.database.write() as db:
        return told_in_queue(db, house.context, chat, house.clock())


def case_of(house: House, chat: Conversation) -> Case:
    with house.database.read() as db:
        found = cases.load(db, house.now(chat).case_id)
    assert found is not None
    return found


def were_taken(house: House, *minutes_ago: int) -> None:
    with house.database.write() as db:
        for minutes in minutes_ago:
            at = house.clock() - timedelta(minutes=minutes)
            audit_log.note(
                db, None, "assign", at, business="lanting", target="x", detail={"from": QUEUE}
            )


def test_no_time_is_promised_that_is_shorter_than_it_takes(house: House) -> None:
    lin = house.person("lin", capacity=1)
    house.chat(owner=staff_owner(lin.id))
    were_taken(house, 100, 99, 98)
    chats = [house.chat(anger=2) for _ in range(3)]
    last = max(chats, key=lambda one: one.id)
    with house.database.write() as db:
        reckon(db, house.context, house.context.business("lanting"), house.clock())
    text = told(house, last)
    assert "前面还有2位" in text
    assert "大约100分钟" in text
    assert "15分钟内" not in text
    assert "今天13:40前" in text
    promised = case_of(house, last).promised_by
    assert promised is not None
    assert datetime.fromisoformat(promised) == NOON + timedelta(minutes=100)


@pytest.mark.parametrize(
    "only",
    [
        {"presence": "away"},
        {"role": "manager"},
        {"skills": ("shop",)},
        {"business": "qinghe"},
        {"alive": False},
    ],
)
def test_where_nobody_can_take_it_nobody_is_there(house: House, only: dict[str, Any]) -> None:
    house.person("lin", **only)
    assert "没有同事在线" in told(house, house.chat())


@pytest.mark.parametrize("here", [{"presence": "busy"}, {"capacity": 0}])
def test_who_has_their_hands_full_is_there(house: House, here: dict[str, Any]) -> None:
    house.person("lin", **here)
    assert "您是下一位" in told(house, house.chat())


def test_a_promise_of_an_earlier_wait_is_not_broken_twice(house: House) -> None:
    lin = house.person("lin")
    promised = (NOON + timedelta(minutes=15)).isoformat()
    first = apply(Case(new_id("s")), HandOver("asked", promised), NOON)
    chat = house.chat(case=first)
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
        ownership.answer(db, house.context, chat.id, lin, "client-12345", "您好", house.clock())
    house.clock.passes(hours=2)
    with house.database.write() as db:
        passing.hand_on(db, house.context, chat.id, lin, None, "请接着办", house.clock())
        [one] = queue.waiting(db, "lanting")
    business = house.context.business("lanting")

    def rules() -> tuple[str, ...]:
        return place_of(
            *(house.context, business, one.case, house.clock()),
            since=one.awaiting_since,
            reason=one.reason,
            front=one.front,
        ).rules

    at_once = rules()
    later = case_of(house, chat).promised_by
    assert later is not None
    assert datetime.fromisoformat(later) == house.clock() + timedelta(minutes=15)
    house.clock.passes(minutes=16)
    assert rules() != at_once, "the new promise can be broken as well"


# --- the bot or the desk hands over -----------------------------------------------------------


def hands_over(house: House, chat: Conversation, message: str, reason: str = "asked") -> Any:  # noqa: ANN401
    by = house.context.business("lanting").person_by(house.clock()).isoformat()
    said = {"text": "同事15分钟内回您", "response": "say_handover", "variant": "v"}
    commands = {"custom": {"commands": [to_wire(HandOver(reason, by))]}}
    with house.database.write() as db:
        loaded = inbox.load(db, message)
        assert loaded is not None
        answer = Answer([said, commands], CALM, failed=False)
        return commit_answer(db, house.context, loaded, answer, house.clock())


def test_what_was_just_said_is_not_said_again(house: House) -> None:
    house.person("lin", presence="busy")
    chat = house.chat(owner=BOT, case=Case(new_id("s")))
    hands_over(house, chat, house.says(chat))
    line = house.shown(chat)[-1]
    assert (line["kind"], line["owner"]) == ("owner", "queue")
    assert "您是下一位" in line["text"]
    assert "分钟内" not in line["text"]


def test_a_longer_wait_than_was_said_is_told(house: House) -> None:
    lin = house.person("lin", capacity=1)
    house.chat(owner=staff_owner(lin.id))
    were_taken(house, 100, 99, 98)
    chat = house.chat(owner=BOT, case=Case(new_id("s")))
    hands_over(house, chat, house.says(chat))
    assert "35分钟内" in house.shown(chat)[-1]["text"]
    promised = case_of(house, chat).promised_by
    assert promised is not None
    assert datetime.fromisoformat(promised) == NOON + timedelta(minutes=34)


def a_pair(house: House, owner: str, reason: str | None = None) -> tuple[Conversation, ...]:
    """A thread of the bot's in a room, and a private chat of the same case."""
    case, now = Case(new_id("s"), facts={"failure": "room_not_clean"}, reason=reason), NOON
    with house.database.write() as db:
        one = customers.begin_session(db, None, "lanting", "阿明", None, now)[0].id
        cases.save(db, case, "lanting", one, now)
        return tuple(
            conversations.begin(db, "lanting", one, now, case_id=case.id, **more)
            for more in ({"room": "lanting-lobby"}, {"owner": owner})
        )


def test_who_is_served_is_not_told_that_somebody_comes(house: House) -> None:
    lin = house.person("lin")
    public, private = a_pair(house, staff_owner(lin.id))
    committed = hands_over(house, public, house.says(public, "还在等"))
    assert house.shown(private) == []
    assert (house.now(private).owner, house.heard(lin)) == (staff_owner(lin.id), ["attention"])
    assert {one.conversation for one in committed.changed} == {public.id, private.id}
    assert [one.staff_id for one in committed.notices] == [lin.id]


def test_nor_where_rasa_did_not_answer(house: House) -> None:
    lin = house.person("lin")
    public, private = a_pair(house, staff_owner(lin.id))
    said = house.says(public, "还在等")
    with house.database.write() as db:
        message = inbox.load(db, said)
        assert message is not None
        commit_given_up(db, house.context, message, house.clock())
    assert house.shown(private) == []
    assert house.heard(lin) == ["attention"]


def test_of_danger_supervisors_hear_as_well_and_once(house: House) -> None:
    lin, boss = house.person("lin"), house.person("boss", "supervisor")
    chat = house.chat(owner=staff_owner(lin.id), case=Case(new_id("s")))
    for _ in range(2):
        said = house.says(chat, "我胸口疼")
        with house.database.write() as db:
            message = inbox.load(db, said)
            assert message is not None
            commit_overheard(db, house.context, message, DANGER, house.clock())
    assert (house.heard(lin), house.heard(boss)) == (["attention"], ["attention"])


# --- a remedy that could not be carried out ---------------------------------------------------


class Refusing:
    """An order system that refuses everything."""

    def carry_out(self, *_: object) -> dict[str, Any]:
        raise RemedyRefusedError("no")


def refused(house: House) -> Conversation:
    offer = Offer(
        id="o1",
        order_number="LT1",
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=[],
        policy="p",
        facts={},
        reason="r",
        round=0,
        expires_at=(NOON + timedelta(days=1)).isoformat(),
        state="accepted",
    )
    chat = house.chat(owner=BOT, case=Case(new_id("s"), stage="agreed", offers=(offer,)))
    with house.database.write() as db:
        fulfilments.promise(db, chat, str(chat.case_id), offer, NOON)
    return chat


def tries(house: House) -> None:
    context = replace(house.context, orders=cast(Any, Refusing()))
    worker = FulfilmentWorker(context, Router(context, cast(Any, None)))
    asyncio.run(worker.work_once())


def test_who_comes_into_the_queue_by_a_failed_remedy_is_told_how_it_stands(house: House) -> None:
    chat = refused(house)
    tries(house)
    progress, owner = house.shown(chat)
    assert (progress["kind"], owner["kind"], owner["owner"]) == ("progress", "owner", "queue")
    assert "15分钟内" in progress["text"]
    assert "没有同事在线" in owner["text"]
    assert "15分钟内" not in owner["text"], "said a moment ago"
    assert "接手" not in progress["text"], "nobody has"


def test_what_a_person_set_going_and_fails_again_is_told_again(house: House) -> None:
    lin, chat = house.person("lin"), refused(house)
    tries(house)
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, lin, house.clock())
        assert fulfilments.retry(db, "o1:0")
        ownership.give_back(db, house.context, chat.id, lin, "", house.clock(), force=True)
    tries(house)
    told_so = [one["id"] for one in house.shown(chat) if one["kind"] == "progress"]
    assert told_so == ["o1:0.refused", "o1:0.refused.1"]
    assert (house.now(chat).owner, house.now(chat).reason) == (QUEUE, "remedy_refused")


def test_the_bot_knows_how_slow_the_queue_is(house: House) -> None:
    """What the bot says beside the desk's own line is the same."""
    chat = house.chat(owner=BOT, case=Case(new_id("s")))

    def known() -> datetime | None:
        with house.database.read() as db:
            return expected(db, house.context, chat, None, house.clock())

    were_taken(house, 100, 99, 98)
    house.chat()
    assert known() is None, "nobody is there: nothing can be known"
    lin = house.person("lin", capacity=1)
    assert known() is None, "somebody is free"
    house.chat(owner=staff_owner(lin.id))
    assert known() == NOON + timedelta(minutes=67)
    assert known() > house.context.business("lanting").person_by(NOON)  # type: ignore[operator]
