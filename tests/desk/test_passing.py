"""From hand to hand: to a colleague, to a supervisor, to the queue, to the bot, and aside."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from desk.conversations import ownership, passing
from desk.conversations.passing import NoColleagueError
from desk.staff import lists, session
from recovery.case import BadStageError, Case
from recovery.ids import fingerprint
from recovery.store import cases, notes, presence
from recovery.store.conversations import (
    BOT,
    QUEUE,
    Conversation,
    OwnershipError,
    staff_owner,
)
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import staff_sessions
from tests.desk.queues import NOON, Clock, House, a_desk


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    context = a_desk(tmp_path, clock)
    yield House(context, clock)
    context.storage.close()


def take(house: House, who: Staff, chat: Conversation) -> None:
    with house.database.write() as db:
        ownership.take(db, house.context, chat.id, who, house.clock())


def test_who_takes_is_there_and_the_customer_awaits_them(house: House) -> None:
    lin = house.person("lin", presence="offline", alive=False)
    chat = house.chat()
    take(house, lin, chat)
    found = house.now(chat)
    assert (found.owner, found.last_agent, found.waiting_since) == (
        staff_owner(lin.id),
        lin.id,
        None,
    )
    assert found.awaiting_since is not None
    with house.database.read() as db:
        assert presence.of(db, lin.id) == "online"


def test_an_answer_ends_the_waiting_and_the_next_word_begins_it(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    take(house, lin, chat)
    with house.database.write() as db:
        ownership.answer(db, house.context, chat.id, lin, "client-1", "您好，在的", house.clock())
    assert house.now(chat).awaiting_since is None
    house.clock.passes(minutes=3)
    house.says(chat)
    first = house.now(chat).awaiting_since
    house.clock.passes(minutes=3)
    house.says(chat)
    assert house.now(chat).awaiting_since == first, "what counts is the first word"


def test_a_colleague_gets_it_with_a_memo(house: House) -> None:
    lin, wu, chat = house.person("lin"), house.person("wu"), house.chat()
    take(house, lin, chat)
    with house.database.write() as db:
        passing.hand_on(
            db, house.context, chat.id, lin, wu.id, "客人要发票，抬头已发", house.clock()
        )
        [note] = notes.of_conversation(db, chat.id)
    assert house.now(chat).owner == staff_owner(wu.id)
    assert (note.kind, note.text, note.staff_id) == ("transfer", "客人要发票，抬头已发", lin.id)
    assert (house.heard(wu), house.heard(lin)) == (["transfer"], [])
    told = house.shown(chat)[-1]
    assert (told["kind"], told["owner"], told["name"]) == ("owner", "staff", "Wu")
    assert "发票" not in str(house.shown(chat)), "the memo is for colleagues"
    with house.database.write() as db, pytest.raises(OwnershipError):
        ownership.answer(db, house.context, chat.id, lin, "client-1", "我再说一句", house.clock())


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"presence": "offline"}, "offline"),
        ({"alive": False}, "offline"),
        ({"capacity": 0}, "full"),
        ({"role": "trainer"}, "unknown"),
        ({"business": "qinghe"}, "unknown"),
    ],
)
def test_a_colleague_who_cannot_have_it(house: House, more: dict[str, object], why: str) -> None:
    lin, wu, chat = house.person("lin"), house.person("wu", **more), house.chat()  # type: ignore[arg-type]
    take(house, lin, chat)
    with house.database.write() as db, pytest.raises(NoColleagueError) as refused:
        passing.hand_on(db, house.context, chat.id, lin, wu.id, "请接手", house.clock())
    assert refused.value.why == why
    assert house.now(chat).owner == staff_owner(lin.id)
    assert house.heard(wu) == []


def test_who_logs_out_everywhere_is_not_there(house: House) -> None:
    lin, wu, chat = house.person("lin"), house.person("wu"), house.chat()
    take(house, lin, chat)
    with house.database.write() as db:
        for cookie in ("desk", "phone"):
            db.execute(
                insert(staff_sessions).values(
                    token_hash=fingerprint(cookie),
                    staff_id=wu.id,
                    csrf="x",
                    expires_at=stamp(NOON + timedelta(hours=12)),
                    seen_at=stamp(NOON),
                )
            )
        assert not session._log_out(db, wu, "desk", house.clock(), "")
        assert presence.of(db, wu.id) == "online", "logged in on the phone"
        assert session._log_out(db, wu, "phone", house.clock(), "")
        assert presence.of(db, wu.id) == "offline"
    with house.database.write() as db, pytest.raises(NoColleagueError):
        passing.hand_on(db, house.context, chat.id, lin, wu.id, "请接手", house.clock())


def test_only_the_owner_and_who_oversees_hand_on(house: House) -> None:
    lin, wu, chat = house.person("lin"), house.person("wu"), house.chat()
    boss = house.person("boss", "supervisor")
    take(house, lin, chat)
    with house.database.write() as db, pytest.raises(OwnershipError):
        passing.hand_on(db, house.context, chat.id, wu, wu.id, "我来", house.clock())
    with house.database.write() as db:
        passing.hand_on(db, house.context, chat.id, boss, wu.id, "请接手", house.clock())
    assert house.now(chat).owner == staff_owner(wu.id)
    assert (house.heard(lin), house.heard(wu)) == (["step_in"], ["transfer"])


def test_back_into_the_queue_and_out_again_any_number_of_times(house: House) -> None:
    lin, wu, chat = house.person("lin"), house.person("wu"), house.chat()
    for who in (lin, wu, lin):
        take(house, who, chat)
        with house.database.write() as db:
            passing.hand_on(db, house.context, chat.id, who, None, "不是我的专长", house.clock())
        found = house.now(chat)
        assert (found.owner, found.reason, found.front) == (QUEUE, "transfer", False)
        assert found.waiting_since is not None
    owners = [one["owner"] for one in house.shown(chat) if one["kind"] == "owner"]
    assert owners == ["staff", "queue"] * 3
    assert house.acts(chat) == ["take", "transfer"] * 3


def test_a_supervisor_steps_in_and_who_had_it_hears_of_it(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    boss = house.person("boss", "supervisor")
    take(house, lin, chat)
    with house.database.write() as db:
        passing.step_in(db, house.context, chat.id, boss, house.clock())
        again = passing.step_in(db, house.context, chat.id, boss, house.clock())
    assert again.entries == []
    assert house.now(chat).owner == staff_owner(boss.id)
    assert house.heard(lin) == ["step_in"]
    assert house.shown(chat)[-1]["name"] == "Boss"


@pytest.mark.parametrize(
    ("case", "at", "stage", "settled"),
    [
        (Case("s1", stage="person", reason="asked"), None, "hearing", True),
        (Case("s1", stage="person", reason="asked"), "hearing", "hearing", False),
        (Case("s1", stage="closed", outcome="settled"), None, "closed", True),
        (Case("s1", stage="closed", outcome="settled"), "hearing", "hearing", False),
        (Case("s1", stage="person"), "agreed", None, None),
        (Case("s1", stage="person"), "offered", None, None),
        (Case("s1", stage="person"), "person", None, None),
    ],
)
def test_the_bot_goes_on_where_the_owner_says(
    house: House, case: Case, at: str | None, stage: str | None, settled: bool | None
) -> None:
    lin = house.person("lin")
    chat = house.chat(case=case, owner=staff_owner(lin.id))

    def give_back() -> None:
        with house.database.write() as db:
            now = house.clock()
            ownership.give_back(db, house.context, chat.id, lin, "已解释清楚", now, at)  # type: ignore[arg-type]

    if stage is None:
        with pytest.raises(BadStageError):
            give_back()
        assert house.now(chat).owner == staff_owner(lin.id)
        return
    give_back()
    with house.database.read() as db:
        found = cases.load(db, "s1")
        [note] = notes.of_conversation(db, chat.id)
    assert found is not None
    assert (found.stage, found.settled, found.reason) == (stage, settled, None)
    assert (note.kind, note.text) == ("handback", "已解释清楚")
    assert (house.now(chat).owner, house.now(chat).awaiting_since) == (BOT, None)


def test_what_is_put_aside_comes_up_when_the_customer_writes(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    take(house, lin, chat)
    until = NOON + timedelta(hours=2)
    with house.database.write() as db:
        passing.snooze(db, house.context, chat.id, lin, until, "等仓库回话", house.clock())
    assert house.now(chat).snoozed_until is not None
    with house.database.read() as db:
        [row] = lists.all_lists(db, house.context, lin)["rows"]
    assert row["snoozed_until"] is not None
    house.says(chat, "怎么样了")
    assert house.now(chat).snoozed_until is None


def test_what_is_put_aside_comes_up_at_its_time(house: House) -> None:
    lin, chat = house.person("lin"), house.chat()
    take(house, lin, chat)
    until = NOON + timedelta(hours=2)
    with house.database.write() as db:
        passing.snooze(db, house.context, chat.id, lin, until, "", house.clock())
        assert passing.wake(db, house.context, chat.id, house.clock()).changed == ()
    house.clock.passes(hours=2)
    with house.database.write() as db:
        assert passing.wake(db, house.context, chat.id, house.clock()).changed
        assert passing.wake(db, house.context, chat.id, house.clock()).changed == ()
    assert house.now(chat).snoozed_until is None
