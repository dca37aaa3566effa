"""The live board: what is counted, whose it is, who may see it, and what it costs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import get_ident
from typing import Any

import httpx
import pytest_asyncio
from sqlalchemy import Connection, event, insert, update

from desk.context import Context
from desk.staff.board import state_of_things
from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, clocks, conversations, customers, staff
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import conversations as table
from recovery.store.tables import staff as staff_table
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"


@dataclass
class Scene:
    """A desk that serves, with staff of the hotel, of the shop and of both."""

    desk: Desk
    clock: Clock
    people: dict[str, Staff]

    @property
    def context(self) -> Context:
        return self.desk.context

    def begin(
        self,
        owner: str,
        anger: int | None = None,
        business: str = "lanting",
        **changes: Any,  # noqa: ANN401 - columns
    ) -> Conversation:
        """A conversation, with a case of this anger."""
        with self.context.storage.database.write() as db:
            return begin(db, self.clock, owner, anger, business, **changes)

    def board(self, who: str = "sun") -> dict[str, Any]:
        with self.context.storage.database.read() as db:
            return state_of_things(db, self.context, self.people[who])


def begin(
    db: Connection,
    clock: Clock,
    owner: str,
    anger: int | None = None,
    business: str = "lanting",
    **changes: Any,  # noqa: ANN401 - columns
) -> Conversation:
    customer, _ = customers.begin_session(db, None, business, "阿明", None, NOON)
    case = None
    if anger is not None:
        case = Case(new_id("s"), anger=CaseAnger(anger, anger, anger), safety=anger > 3)
        cases.save(db, case, business, customer.id, clock.now)
    made = conversations.begin(
        db, business, customer.id, clock.now, case_id=case.id if case else None, owner=owner
    )
    if changes:
        db.execute(update(table).where(table.c.id == made.id).values(**changes))
    return made


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = Clock()
    context = a_context(tmp_path, clock)
    people = {}
    with context.storage.database.write() as db:
        for login, role, business in (
            ("lin", "agent", "lanting"),
            ("wu", "agent", "lanting"),
            ("sun", "supervisor", "lanting"),
            ("qing", "supervisor", "qinghe"),
            ("boss", "manager", None),
        ):
            people[login] = staff.add(db, login, login, role, PASSWORD, NOON, business)
        db.execute(update(staff_table).values(presence="online", seen_at=stamp(NOON)))
    async with serving(context) as desk:
        yield Scene(desk, clock, people)


async def test_each_case_is_counted_once_where_it_is(scene: Scene) -> None:
    lin = staff_owner(scene.people["lin"].id)
    for anger in (0, 2, 2, 3, 4, None):
        scene.begin(QUEUE, anger)
    scene.begin(lin, 1)
    scene.begin(lin, 2, snoozed_until=stamp(NOON + timedelta(hours=1)))
    scene.begin(lin, 2, snoozed_until=stamp(NOON - timedelta(hours=1)))
    scene.begin(BOT, 2)
    scene.begin(BOT, None)
    found = scene.board()
    assert found["waiting"] == [2, 0, 2, 2], "safety counts as furious, no case as calm"
    assert (found["with_bot"], found["with_staff"], found["snoozed"]) == (1, 2, 1)
    assert {one["industry"]: (one["open"], one["angry"]) for one in found["industries"]} == {
        "hotel": (10, 7)
    }


async def test_a_case_that_people_have_is_not_the_bots_as_well(scene: Scene) -> None:
    private = scene.begin(QUEUE, 2)
    with scene.context.storage.database.write() as db:
        conversations.begin(
            db, "lanting", private.customer_id, NOON, room="lanting-lobby", case_id=private.case_id
        )
    found = scene.board()
    assert (sum(found["waiting"]), found["with_bot"]) == (1, 0)


async def test_a_case_of_two_parts_is_one_case(scene: Scene) -> None:
    lin, wu = (staff_owner(scene.people[login].id) for login in ("lin", "wu"))
    later = stamp(NOON + timedelta(hours=1))
    hotel = scene.context.business("lanting")
    for private, public in ((lin, lin), (lin, wu), (QUEUE, lin), (QUEUE, QUEUE)):
        first = scene.begin(private, 2)
        with scene.context.storage.database.write() as db:
            second = conversations.begin(
                *(db, "lanting", first.customer_id, NOON),
                room="lanting-lobby",
                case_id=first.case_id,
                owner=public,
            )
            clocks.person_due(db, first, hotel, NOON)
            clocks.person_due(db, second, hotel, NOON)
    with scene.context.storage.database.write() as db:
        # Of two parts put aside and in hand the one in hand counts; put aside is what is wholly.
        aside = conversations.owned_by(db, lin)
        db.execute(update(table).where(table.c.id.in_(aside)).values(snoozed_until=later))
    found = scene.board()
    assert found["waiting"] == [0, 0, 2, 0]
    assert (found["with_staff"], found["snoozed"]) == (1, 1)
    assert found["industries"] == [{"industry": "hotel", "open": 4, "angry": 4}]
    scene.clock.now += timedelta(minutes=14)
    found = scene.board()
    assert found["red"] == 4
    with scene.context.storage.database.write() as db:
        db.execute(update(table).values(snoozed_until=None))
    reds = {one["login"] if "login" in one else one["id"]: one["red"] for one in found["agents"]}
    assert reds[scene.people["wu"].id] == 1


async def test_each_miss_of_the_day_counts(scene: Scene) -> None:
    lin = scene.people["lin"]
    hotel = scene.context.business("lanting")
    chat = scene.begin(staff_owner(lin.id), 1)
    with scene.context.storage.database.write() as db:
        for _ in range(3):
            clocks.customer_wrote(db, chat, hotel, scene.clock.now)
            scene.clock.now += timedelta(minutes=16)
            clocks.staff_answered(db, chat, hotel, scene.clock.now)
    assert scene.board()["missed_today"] == 3
    scene.clock.now += timedelta(days=1)
    with scene.context.storage.database.write() as db:
        clocks.customer_wrote(db, chat, hotel, scene.clock.now)
        scene.clock.now += timedelta(minutes=16)
        clocks.look(db, chat, hotel, scene.clock.now)
    assert scene.board()["missed_today"] == 1


async def test_closed_cases_are_not_open(scene: Scene) -> None:
    chat = scene.begin(BOT, 1)
    with scene.context.storage.database.write() as db:
        closed = Case(str(chat.case_id), stage="closed", outcome="thanked")
        cases.save(db, closed, "lanting", chat.customer_id, NOON)
    found = scene.board()
    assert found["with_bot"] == 0
    assert found["hours"][-1]["closed"] == 1


async def test_waits_and_silences_are_of_now(scene: Scene) -> None:
    lin = staff_owner(scene.people["lin"].id)
    scene.begin(QUEUE, 1)
    scene.clock.now += timedelta(minutes=3)
    scene.begin(QUEUE, 1)
    scene.begin(lin, 1, awaiting_since=stamp(scene.clock.now))
    scene.begin(lin, 1, awaiting_since=None)
    scene.clock.now += timedelta(minutes=2)
    found = scene.board()
    assert found["longest_wait_seconds"] == 300
    agents = {one["id"]: one for one in found["agents"]}
    mine = agents[scene.people["lin"].id]
    assert (mine["open"], mine["longest_silence_seconds"]) == (2, 120)
    assert agents[scene.people["wu"].id]["longest_silence_seconds"] == 0


async def test_red_and_missed_clocks(scene: Scene) -> None:
    lin = scene.people["lin"]
    hotel = scene.context.business("lanting")
    with scene.context.storage.database.write() as db:
        chats = [begin(db, scene.clock, staff_owner(lin.id), 1) for _ in range(3)]
        for chat in chats:
            clocks.person_due(db, chat, hotel, NOON)
    found = scene.board()
    assert (found["red"], found["missed_today"]) == (0, 0)
    scene.clock.now += timedelta(minutes=12)
    with scene.context.storage.database.write() as db:
        clocks.staff_answered(db, chats[0], hotel, scene.clock.now)
    found = scene.board()
    assert (found["red"], found["missed_today"]) == (2, 0)
    scene.clock.now += timedelta(minutes=4)
    with scene.context.storage.database.write() as db:
        for chat in chats:
            clocks.look(db, chat, hotel, scene.clock.now)
        clocks.staff_answered(db, chats[1], hotel, scene.clock.now)
    found = scene.board()
    assert (found["red"], found["missed_today"]) == (1, 2)
    assert {one["id"]: one["red"] for one in found["agents"]}[lin.id] == 1
    assert sum(one["first_answers"] for one in found["hours"]) == 2
    scene.clock.now += timedelta(days=1)
    assert scene.board()["missed_today"] == 0


async def test_hours_are_those_of_the_business(scene: Scene) -> None:
    scene.clock.now -= timedelta(hours=2, minutes=30)
    scene.begin(BOT, 1)
    scene.clock.now -= timedelta(hours=30)
    scene.begin(BOT, 1)
    scene.clock.now = NOON
    hours = scene.board()["hours"]
    assert len(hours) == 24
    assert (hours[0]["hour"], hours[-1]["hour"]) == (
        "2026-11-21T13:00:00+08:00",
        "2026-11-22T12:00:00+08:00",
    )
    assert [one["opened"] for one in hours[-4:]] == [1, 0, 0, 0]
    assert sum(one["opened"] for one in hours) == 1


async def test_a_supervisor_sees_the_own_business_only(scene: Scene) -> None:
    scene.begin(QUEUE, 3)
    scene.begin(QUEUE, 2, "qinghe")
    assert scene.board("sun")["waiting"] == [0, 0, 0, 1]
    assert scene.board("qing")["waiting"] == [0, 0, 1, 0]
    assert scene.board("boss")["waiting"] == [0, 0, 1, 1]
    theirs = {one["id"] for one in scene.board("qing")["agents"]}
    assert scene.people["lin"].id not in theirs


async def test_agents_do_not_see_the_board(scene: Scene) -> None:
    async with httpx.AsyncClient(
        base_url=f"{scene.desk.url}/api/staff", trust_env=False, timeout=PATIENCE
    ) as page:
        assert (await page.get("/board")).status_code == 401
        await page.post("/login", json={"login": "lin", "password": PASSWORD})
        assert (await page.get("/board")).status_code == 403
        await page.post("/login", json={"login": "sun", "password": PASSWORD})
        answer = await page.get("/board")
    assert answer.status_code == 200
    assert answer.json()["waiting"] == [0, 0, 0, 0]


async def test_a_thousand_open_cases_take_no_more_statements_than_one(scene: Scene) -> None:
    counted: list[str] = []
    here = get_ident()

    def count(_c: object, _k: object, statement: str, *_: object) -> None:
        # The desk that serves looks after its own things at the same time.
        if get_ident() == here:
            counted.append(statement)

    engine = scene.context.storage.database.engine
    event.listen(engine, "before_cursor_execute", count)
    scene.begin(QUEUE, 1)
    counted.clear()
    scene.board()
    few = len(counted)
    begun = scene.begin(QUEUE, 2)
    with scene.context.storage.database.write() as db:
        row = {
            "business": "lanting",
            "customer_id": begun.customer_id,
            "kind": "private",
            "owner": QUEUE,
            "waiting_since": stamp(NOON),
            "created_at": stamp(NOON),
            "last_at": stamp(NOON),
        }
        db.execute(insert(table), [row | {"id": new_id("k")} for _ in range(1000)])
    counted.clear()
    assert sum(scene.board()["waiting"]) == 1002
    event.remove(engine, "before_cursor_execute", count)
    assert len(counted) == few
