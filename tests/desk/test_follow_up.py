"""Customers are asked afterwards how it went: once, at a fit time, and what they answer counts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from desk.context import Context
from recovery.case import apply
from recovery.commands import OpenCase
from recovery.ids import new_id
from recovery.store import cases, conversations, fulfilments, preferences, staff
from recovery.store.conversations import BOT, QUEUE
from recovery.store.tables import audit_log, promises
from recovery.store.tables import follow_ups as table
from recovery.store.tables import fulfilments as fulfilments_table
from recovery.store.tables import notices as notices_table
from tests.desk.follow_ups import (
    DAY,
    NOON,
    Told,
    a_parse,
    a_watch,
    asked_at,
    at_rest,
    closes,
    merged,
    opens,
)
from tests.desk.people import PATIENCE
from tests.desk.postgres import new_database
from tests.desk.scripted_rasa import says, scripted_rasa
from tests.desk.serving import Clock, Desk, a_context, serving
from tests.support.customer import Customer, Page

PASSWORD = "an honest password"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """One desk for the file; each test has customers of its own and a clock wound to noon."""
    made = a_context(tmp_path_factory.mktemp("follow-up"), Clock())
    yield made
    made.storage.close()


@pytest.fixture
def clock(shared: Context) -> Clock:
    clock = shared.clock
    assert isinstance(clock, Clock)
    # Weeks after the test before: nothing of it is looked at any more.
    clock.now += timedelta(days=70)
    clock.now = clock.now.replace(hour=4, minute=0)
    return clock


@pytest.fixture
def desk(shared: Context, clock: Clock) -> Context:
    assert shared.clock is clock
    return shared


async def asked(told: Told, clock: Clock) -> Told:
    """Let the day pass after which the customer is asked."""
    await a_watch(told.desk).look_once()
    assert told.stands == ("waiting", None)
    clock.now += DAY
    await a_watch(told.desk).look_once()
    assert told.stands == ("asked", None)
    return told


# --- when ---------------------------------------------------------------------------------------


async def test_asked_a_day_later_once_more_and_then_no_more(desk: Context, clock: Clock) -> None:
    told, watch = at_rest(desk), a_watch(desk)
    await watch.look_once()
    clock.now += DAY - timedelta(minutes=1)
    await watch.look_once()
    assert told.questions == []
    clock.now += timedelta(minutes=1)
    for _ in range(3):
        await watch.look_once()
    [question] = told.questions
    assert "房间" in question["text"]
    assert [one["title"][0] for one in question["buttons"]] == ["1", "2", "3", "4", "5", "不"]
    for _ in range(20):
        clock.now += timedelta(hours=12)
        await watch.look_once()
    assert len(told.questions) == 2
    assert told.stands == ("ended", "silent")
    assert told.present.owner == BOT


async def test_never_at_night(desk: Context, clock: Clock) -> None:
    clock.now = clock.now.replace(hour=15)  # 23:00 in Shanghai
    told, watch = at_rest(desk), a_watch(desk)
    await watch.look_once()
    clock.now += DAY
    await watch.look_once()
    assert told.questions == []
    clock.now += timedelta(hours=10)
    await watch.look_once()
    assert len(told.questions) == 1


async def test_what_is_all_done_is_asked_about_without_being_closed(
    desk: Context, clock: Clock
) -> None:
    told = at_rest(desk, outcome=None)
    promise(told, "todo")
    await a_watch(desk).look_once()
    assert told.row is None
    with desk.storage.database.write() as db:
        mine = fulfilments_table.c.case_id == told.case
        db.execute(update(fulfilments_table).where(mine).values(state="done"))
        # The order system has passed it on: others have it in hand.
        when = desk.clock().isoformat(timespec="microseconds")
        promised = {"key": f"{told.case}:0", "case_id": told.case, "business": "lanting"}
        promised |= {"conversation_id": told.chat.id, "stage": "sent_on", "updated_at": when}
        db.execute(promises.insert().values(**promised, promised_at=when, due_at=when, told={}))
    await a_watch(desk).look_once()
    assert told.row is None
    # Days later.
    clock.now += 5 * DAY
    with desk.storage.database.write() as db:
        when = desk.clock().isoformat(timespec="microseconds")
        mine = promises.c.case_id == told.case
        db.execute(update(promises).where(mine).values(stage="done", updated_at=when))
    await asked(told, clock)


def promise(told: Told, state: str) -> None:
    with told.desk.storage.database.write() as db:
        at = told.desk.clock().isoformat(timespec="microseconds")
        db.execute(
            fulfilments_table.insert().values(
                **{"key": f"{told.case}:0", "case_id": told.case, "business": "lanting"},
                **{"conversation_id": told.chat.id, "order_number": "LT1", "state": state},
                **{"remedy": {"kind": "apology"}, "due_at": at, "created_at": at},
            )
        )
        assert fulfilments.load(db, f"{told.case}:0") is not None


async def test_not_while_a_person_has_it_and_a_day_after_they_end_it(
    desk: Context, clock: Clock
) -> None:
    told, watch = at_rest(desk), a_watch(desk)
    await watch.look_once()
    told.owned(QUEUE)
    clock.now += DAY
    await watch.look_once()
    assert (told.stands, told.questions) == (("waiting", None), [])
    clock.now += timedelta(hours=1)
    told.owned(BOT)
    opens(told)
    closes(told)
    clock.now += timedelta(hours=2)
    await watch.look_once()
    assert told.questions == [], "what was done then has to be lived with first"
    clock.now += DAY
    await watch.look_once()
    assert len(told.questions) == 1


async def test_whom_nobody_asks(desk: Context, clock: Clock) -> None:
    gone, room = at_rest(desk, outcome="unreachable"), at_rest(desk, room="lanting-lobby")
    away, back = at_rest(desk), at_rest(desk)
    watch = a_watch(desk)
    await watch.look_once()
    merged(away, at_rest(desk))
    opens(back)
    clock.now += DAY
    await watch.look_once()
    assert gone.stands == ("cancelled", "no_ask")
    assert room.stands == ("cancelled", "out_of_reach")
    assert away.stands == ("cancelled", "merged")
    assert back.stands == ("cancelled", "reopened")
    assert [one.questions for one in (gone, room, away, back)] == [[], [], [], []]
    # Closed again it has come to rest again.
    clock.now += timedelta(hours=1)
    closes(back)
    await asked(back, clock)


async def test_a_person_is_asked_about_the_latest_matter_only(desk: Context, clock: Clock) -> None:
    first = at_rest(desk)
    await a_watch(desk).look_once()
    clock.now += timedelta(hours=2)
    second = at_rest(desk, of=first.chat)
    await asked(second, clock)
    assert (first.stands, first.questions) == (("cancelled", "other_matter"), [])
    third = at_rest(desk, of=first.chat)
    second.presses(5)
    await a_watch(desk).look_once()
    clock.now += DAY
    await a_watch(desk).look_once()
    assert third.stands == ("cancelled", "asked_lately")


async def test_who_writes_first_is_not_asked(desk: Context, clock: Clock) -> None:
    told, other = at_rest(desk), at_rest(desk)
    elsewhere = at_rest(desk, of=other.chat)
    await a_watch(desk).look_once()
    assert not told.answers("谢谢")
    elsewhere.sends("在吗")
    clock.now += DAY
    await a_watch(desk).look_once()
    assert told.stands == other.stands == ("cancelled", "wrote_first")
    assert told.questions == other.questions == []


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
async def test_who_is_not_content_gets_a_person_at_the_front(
    desk: Context, clock: Clock, number: int
) -> None:
    told = await asked(at_rest(desk), clock)
    told.presses(number)
    row = told.row
    assert row is not None
    assert (row.state, row.rating) == ("answered", number)
    present = told.present
    assert (present.owner, present.reason, present.front) == (QUEUE, "follow_up", True)
    assert (told.known.stage, told.known.outcome) == ("person", None)
    words = [one["text"] for one in told.events if one.get("author") == "system"]
    assert sum(text.count("抱歉") + text.count("对不起") for text in words) == 1
    assert "重新打开" in words[0]
    assert told.events[-1]["owner"] == "queue"
    # What they say next is for the person, and stands with the rating.
    assert not told.answers("热水还是没有")
    assert (row := told.row) is not None and row.words == "热水还是没有"
    told.presses(5)
    assert (row := told.row) is not None and row.rating == number, "the first one counts"


async def test_who_is_content_is_thanked_and_left_alone(desk: Context, clock: Clock) -> None:
    told = await asked(at_rest(desk), clock)
    assert told.answers("5分")
    assert "谢谢" in told.said
    assert told.answers("前台姑娘很耐心", a_parse())
    row = told.row
    assert row is not None
    assert (row.rating, row.words, told.present.owner) == (5, "前台姑娘很耐心", BOT)
    # From now on words are words.
    assert not told.answers("我想订一间房")


async def test_what_comes_after_a_good_rating_is_not_lost(desk: Context, clock: Clock) -> None:
    with desk.storage.database.write() as db:
        boss = staff.enter(db, "qiao", "乔主管", "supervisor", "no hash", NOON, "lanting").id
    wants = await asked(at_rest(desk), clock)
    wants.presses(5)
    heard = {**a_parse(), "intent": {"name": "ask_human", "confidence": 0.9}}
    assert wants.answers("帮我转人工", heard)
    assert wants.present.owner == QUEUE
    other = await asked(at_rest(desk), clock)
    other.presses(5)
    assert other.answers("隔壁那间空调不制冷", a_parse(0, "complaint"))
    assert other.present.owner == BOT
    with desk.storage.database.read() as db:
        told = notices_table.c.conversation_id == other.chat.id
        mine = notices_table.c.staff_id == boss
        assert db.execute(select(notices_table.c.kind).where(told, mine)).scalars().all() == [
            "follow_up"
        ]


async def test_nobody_is_asked_for_praise_while_something_else_went_wrong(
    desk: Context, clock: Clock
) -> None:
    told, watch = at_rest(desk), a_watch(desk)
    await watch.look_once()
    clock.now += DAY - timedelta(minutes=5)
    with desk.storage.database.write() as db:
        now = clock()
        case = apply(None, OpenCase(new_id("s"), "overbooked"), now)
        assert case is not None
        cases.save(db, case, "lanting", told.chat.customer_id, now)
        conversations.begin(db, "lanting", told.chat.customer_id, now, case_id=case.id)
    clock.now += timedelta(minutes=10)
    await watch.look_once()
    assert told.questions == []
    clock.now += DAY
    await watch.look_once()
    assert len(told.questions) == 1


async def test_three_is_asked_what_is_missing_and_staff_hear_it(
    desk: Context, clock: Clock
) -> None:
    with desk.storage.database.write() as db:
        boss = staff.enter(db, "sun", "孙主管", "supervisor", "no hash", NOON, "lanting").id
    told = await asked(at_rest(desk), clock)
    assert told.answers("一般")
    assert "差在哪里" in told.said or "哪一点" in told.said
    assert told.answers("等得太久", a_parse(1))
    assert told.present.owner == BOT
    with desk.storage.database.read() as db:
        left = db.execute(
            select(notices_table.c.kind).where(
                notices_table.c.staff_id == boss,
                notices_table.c.conversation_id == told.chat.id,
            )
        ).scalars()
        assert list(left) == ["follow_up"]


@pytest.mark.parametrize("heard", [a_parse(2), a_parse(0, "safety"), None])
async def test_words_in_anger_or_danger_go_to_a_person(
    desk: Context, clock: Clock, heard: dict[str, object] | None
) -> None:
    told = await asked(at_rest(desk), clock)
    told.presses(3)
    assert told.answers("根本没有解决，气死我了", heard)
    assert told.present.owner == QUEUE
    assert (row := told.row) is not None and row.words


async def test_a_question_goes_the_normal_road(desk: Context, clock: Clock) -> None:
    told = await asked(at_rest(desk), clock)
    told.presses(4)
    assert not told.answers("发票怎么开？")
    assert (row := told.row) is not None and row.words is None
    other = await asked(at_rest(desk), clock)
    assert not other.answers("空调又坏了")
    assert other.stands == ("cancelled", "wrote_other")


async def test_a_late_press_counts_for_its_own_question(desk: Context, clock: Clock) -> None:
    told = await asked(at_rest(desk), clock)
    assert not told.answers("空调又坏了")
    told.presses(4)
    assert (row := told.row) is not None and row.rating == 4
    late = await asked(at_rest(desk), clock)
    clock.now += timedelta(days=31)
    late.presses(4)
    assert (row := late.row) is not None and row.rating is None
    assert "已经结束" in late.said


async def test_the_same_press_twice_is_one_rating(desk: Context, clock: Clock) -> None:
    told = await asked(at_rest(desk), clock)
    told.presses(2)
    before = told.row
    told.presses(2)
    assert told.row == before
    assert told.present.owner == QUEUE


@pytest.mark.parametrize("how", ["button", "不用再问了", "以后不要回访"])
async def test_no_for_good(desk: Context, clock: Clock, how: str) -> None:
    told = await asked(at_rest(desk), clock)
    if how == "button":
        told.presses(6)
    else:
        assert told.answers(how)
    assert told.stands == ("cancelled", "refused")
    assert "不再回访" in told.said
    with desk.storage.database.read() as db:
        assert preferences.of(db, told.chat.customer_id).no_follow_up
    clock.now += timedelta(days=30)
    again = at_rest(desk, of=told.chat)
    await a_watch(desk).look_once()
    assert again.stands == ("cancelled", "refused")


async def test_a_rating_while_a_person_has_it_changes_no_hands(desk: Context, clock: Clock) -> None:
    with desk.storage.database.write() as db:
        who = staff.enter(db, f"lin{clock.now:%j}", "小林", "agent", "no hash", NOON, "lanting").id
    told = await asked(at_rest(desk), clock)
    told.owned(f"staff:{who}")
    assert not told.answers("5分"), "what is said to a person is for that person to read"
    told.presses(1)
    assert told.present.owner == f"staff:{who}"
    assert (row := told.row) is not None and row.rating == 1


async def test_on_the_phone_a_person_is_reminded(desk: Context, clock: Clock) -> None:
    with desk.storage.database.write() as db:
        boss = staff.enter(db, "zhou", "周主管", "supervisor", "no hash", NOON, "lanting").id
    for channel, safety in (("phone", False), ("web", True)):
        told = await asked(at_rest(desk, channel=channel, safety=safety), clock)
        assert told.events == []
        with desk.storage.database.read() as db:
            left = select(notices_table.c.text).where(
                notices_table.c.staff_id == boss,
                notices_table.c.conversation_id == told.chat.id,
            )
            assert "回访" in db.execute(left).scalar_one()


# --- over the wire ------------------------------------------------------------------------------


async def test_asked_and_answered_over_the_wire(tmp_path: Path) -> None:
    clock = Clock()
    with scripted_rasa() as rasa:
        async with (
            serving(a_context(tmp_path, clock, rasa=[rasa.url])) as desk,
            Customer(desk.url) as customer,
        ):
            desk.app.ctx.router.rasa_ready.set()
            rasa.script = lambda path, _: {"understood": says(anger=3)["understood"]}
            me = await customer.begin("lanting")
            told = at_rest(desk.context, customer_id=me["id"])
            async with customer.private(told.chat.id) as chat:
                await a_watch(desk.context).look_once()
                clock.now += DAY
                await a_watch(desk.context).look_once()
                question = await chat.event(PATIENCE, outside=True)
                await press(chat, question, "3分 一般")
                missing = await chat.event(PATIENCE, author="system")
                assert "谢谢" in missing["text"]
                await press(chat, None, "前台一直没人接电话，气死了")
                await chat.event(PATIENCE, kind="owner", owner="queue")
            assert rasa.messages() == [], "no answer of theirs is a complaint to the bot"
            assert len(rasa.messages("/desk/overheard")) == 1
            async with staff_page(desk, "sun", "supervisor") as page:
                where = f"/api/staff/conversations/{told.chat.id}"
                shown = (await page.get(where)).json()["follow_up"]
                assert (shown["rating"], shown["words"]) == (3, "前台一直没人接电话，气死了")
                assert not (shown["may_plan"] or shown["may_cancel"] or shown["may_answer"])
                answer = await page.post(f"{where}/follow_up", json={"at": None})
                assert answer.status_code == 409


async def press(chat: Page, question: dict[str, Any] | None, text: str) -> None:
    """Press a button of a question, or type words."""
    buttons = (question or {}).get("buttons", [])
    token = next((one["token"] for one in buttons if one["title"] == text), None)
    answer = await chat.answered(await chat.say(text, button=token), PATIENCE)
    assert answer["type"] == "ack", answer


async def test_staff_plan_cancel_and_take_down(tmp_path: Path) -> None:
    clock = Clock()
    async with (
        serving(a_context(tmp_path, clock)) as desk,
        staff_page(desk, "lin", "agent") as page,
    ):
        web, phone = at_rest(desk.context), at_rest(desk.context, channel="phone")
        await a_watch(desk.context).look_once()
        here, there = (f"/api/staff/conversations/{one.chat.id}" for one in (web, phone))
        assert (await page.request("DELETE", f"{here}/follow_up")).status_code == 200
        assert web.stands == ("cancelled", "staff")
        night = (clock.now + timedelta(days=1)).replace(hour=16)
        for at, status in (("gibberish", 400), (NOON.isoformat(), 400), (night.isoformat(), 200)):
            answer = await page.post(f"{here}/follow_up", json={"at": at})
            assert answer.status_code == status, answer.text
        row = web.row
        assert row is not None
        assert row.due_at == "2026-11-24T01:00:00.000000+00:00", "night is not for asking"
        refused = await page.post(f"{here}/follow_up/result", json={"rating": 5, "words": ""})
        assert refused.status_code == 409
        for body, status in (
            ({"rating": 6, "words": ""}, 400),
            ({"rating": 2, "words": "还是没修好"}, 200),
            ({"rating": 5, "words": ""}, 409),
        ):
            answer = await page.post(f"{there}/follow_up/result", json=body)
            assert answer.status_code == status, answer.text
        row = phone.row
        assert row is not None
        assert (row.rating, row.words) == (2, "还是没修好")
        assert (phone.present.reason, phone.present.front) == ("follow_up", True)
        with desk.context.storage.database.read() as db:
            acts = set(db.execute(select(audit_log.c.act)).scalars())
        assert {"follow_up_plan", "follow_up_cancel", "follow_up_result"} <= acts


@asynccontextmanager
async def staff_page(desk: Desk, login: str, role: str) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a member of staff who has logged in."""
    with desk.context.storage.database.write() as db:
        staff.add(db, login, login, role, PASSWORD, NOON, "lanting")
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=PATIENCE) as http:
        answer = await http.post("/api/staff/login", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        http.headers["Cookie"] = f"huixin_staff={answer.cookies['huixin_staff']}"
        http.headers["X-CSRF"] = answer.json()["csrf"]
        http.cookies.clear()
        yield http


# --- several desks ------------------------------------------------------------------------------


async def test_two_desks_on_one_postgresql_ask_once(postgres: str, tmp_path: Path) -> None:
    url, clock = new_database(postgres, "follow_up_twice"), Clock()
    desks = [a_context(tmp_path / name, clock, database=url) for name in ("one", "two")]
    try:
        told = [at_rest(desks[0], name=f"客人{number}") for number in range(12)]
        watches = [a_watch(desk) for desk in desks for _ in range(2)]
        for wait in (timedelta(), DAY, timedelta(days=2), timedelta(days=2)):
            clock.now += wait
            await asyncio.gather(*(watch.look_once() for watch in watches))
        assert [len(one.questions) for one in told] == [2] * len(told)
        assert {one.stands for one in told} == {("ended", "silent")}
        assert len(asked_at(desks[0])) == len(told)
        with desks[0].storage.database.read() as db:
            assert len(db.execute(select(table.c.id)).all()) == len(told)
    finally:
        for desk in desks:
            desk.storage.close()
