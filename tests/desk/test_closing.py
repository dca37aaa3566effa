"""A member of staff closes a case: who may, what keeps it open, what the customer is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from desk.conversations import ownership
from desk.conversations.commit import commit_answer
from desk.conversations.ingest import Incoming, take
from desk.conversations.rasa import Answer
from recovery.case import Case, Offer
from recovery.commands import HandOver, to_wire
from recovery.ids import new_id
from recovery.store import (
    cases,
    clocks,
    conversations,
    customers,
    fulfilments,
    inbox,
    staff,
    streams,
)
from recovery.store.conversations import BOT, QUEUE, Conversation, staff_owner
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import audit_log, decisions, notes, remedy_requests
from recovery.store.tables import cases as cases_table
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"
ROOM = "lanting-lobby"


def offer(state: str = "open") -> Offer:
    made = Offer(
        id="o1",
        order_number="LT202611180012",
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
    )
    return replace(made, state="accepted") if state == "accepted" else made


@dataclass
class Scene:
    """A desk that serves, one agent's session, one customer in private with a case."""

    desk: Desk
    clock: Clock
    lin: Staff
    wu: Staff
    page: httpx.AsyncClient
    chat: Conversation

    def begin(self, case: Case | None, *, room: str | None = None, owner: str = BOT) -> str:
        with self.desk.context.storage.database.write() as db:
            if case:
                known = self.chat.customer_id
                cases.save(db, case, "lanting", known, self.clock.now)
            else:
                known = customers.begin_session(db, None, "lanting", "小丽", None, NOON)[0].id
            begun = conversations.begin(
                db,
                "lanting",
                known,
                self.clock.now,
                room=room,
                case_id=case.id if case else None,
                owner=owner,
            )
        return begun.id

    async def takes(self, chat: str) -> None:
        taken = await self.page.post(f"/conversations/{chat}/take", json={})
        assert taken.status_code == 200, taken.text

    async def closes(self, chat: str, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        return await self.page.post(f"/conversations/{chat}/close", json=body)

    def present(self, chat: str) -> Conversation:
        with self.desk.context.storage.database.read() as db:
            found = conversations.load(db, chat)
        assert found is not None
        return found

    def case(self, chat: str) -> Case:
        with self.desk.context.storage.database.read() as db:
            found = cases.load(db, self.present(chat).case_id)
        assert found is not None
        return found

    def row(self, chat: str) -> Any:  # noqa: ANN401 - a row
        with self.desk.context.storage.database.read() as db:
            return db.execute(
                select(cases_table).where(cases_table.c.id == self.present(chat).case_id)
            ).one()

    def shown(self, chat: str) -> list[dict[str, Any]]:
        with self.desk.context.storage.database.read() as db:
            return [one.event for one in streams.after(db, self.present(chat).stream, 0)]

    def promises(self, chat: str) -> None:
        """The case's remedy is on its way."""
        with self.desk.context.storage.database.write() as db:
            found = self.present(chat)
            fulfilments.promise(db, found, str(found.case_id), offer(), self.clock.now)

    def asks(self, chat: str) -> None:
        """A colleague has asked a manager."""
        with self.desk.context.storage.database.write() as db:
            db.execute(
                insert(remedy_requests).values(
                    id="r1",
                    conversation_id=chat,
                    case_id=self.present(chat).case_id,
                    business="lanting",
                    asked_by=self.lin.id,
                    asked_at=stamp(self.clock.now),
                    content={},
                    needed="manager",
                    reason="顾客很着急",
                    state="open",
                )
            )


@asynccontextmanager
async def logged_in(desk: Desk, login: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"{desk.url}/api/staff", trust_env=False, timeout=PATIENCE
    ) as page:
        answer = await page.post("/login", json={"login": login, "password": PASSWORD})
        page.headers["X-CSRF"] = answer.json()["csrf"]
        yield page


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = Clock()
    context = a_context(tmp_path, clock)
    case = Case("s1", facts={"failure": "room_not_clean"}, offers=(offer(),), stage="offered")
    with context.storage.database.write() as db:
        lin = staff.add(db, "lin", "小林", "agent", PASSWORD, NOON, "lanting")
        wu = staff.add(db, "wu", "老吴", "agent", PASSWORD, NOON, "lanting")
        customer, _ = customers.begin_session(db, None, "lanting", "阿明", None, NOON)
        cases.save(db, case, "lanting", customer.id, NOON)
        chat = conversations.begin(db, "lanting", customer.id, NOON, case_id=case.id)
    async with serving(context) as desk, logged_in(desk, "lin") as page:
        yield Scene(desk, clock, lin, wu, page, chat)


async def test_a_closed_case_is_the_bots_and_the_customer_is_told(scene: Scene) -> None:
    chat = scene.chat.id
    await scene.takes(chat)
    scene.clock.now += timedelta(minutes=3)
    answer = await scene.closes(chat, outcome="explained", note="说明了早餐时间")
    assert (answer.status_code, answer.json()) == (200, {"owner": "bot"})
    assert scene.present(chat).owner == BOT
    case, row = scene.case(chat), scene.row(chat)
    assert (case.stage, case.outcome) == ("closed", "explained")
    assert (row.closed_at, row.closed_by, row.outcome) == (
        stamp(scene.clock.now),
        scene.lin.id,
        "explained",
    )
    assert [one.state for one in case.offers] == ["replaced"], "an open offer is taken back"
    kinds = [(one["kind"], one.get("state") or one.get("owner")) for one in scene.shown(chat)]
    assert kinds == [("owner", "staff"), ("offer", "replaced"), ("owner", "bot"), ("closed", None)]
    with scene.desk.context.storage.database.read() as db:
        found = clocks.of_conversations(db, [chat])[chat]
        assert {clock.state for clock in found} == {"hit"}
        [told] = db.execute(select(notes.c.text)).scalars()
        assert told == "结案（已说明，顾客理解）说明了早餐时间"
        done = db.execute(
            select(audit_log.c.target, audit_log.c.detail).where(audit_log.c.act == "close")
        ).one()
    assert done.target == chat
    assert done.detail == {"case": "s1", "outcome": "explained", "force": False}
    detail = (await scene.page.get(f"/conversations/{chat}")).json()
    assert detail["conversation"]["closed_at"] == stamp(scene.clock.now)
    assert {one["name"] for one in detail["outcomes"]} >= {"solved", "referred"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "no_outcome"),
        ({"outcome": None}, 400, "no_outcome"),
        ({"outcome": "thanked"}, 400, "bad_request"),
        ({"outcome": ["solved"]}, 400, "bad_request"),
        ({"outcome": "solved", "note": 3}, 400, "bad_request"),
        ({"outcome": "solved", "note": "字" * 501}, 400, "too_long"),
        ({"outcome": "solved", "force": "yes"}, 400, "bad_request"),
    ],
)
async def test_what_is_no_ending_changes_nothing(
    scene: Scene, body: dict[str, Any], status: int, code: str
) -> None:
    chat = scene.chat.id
    await scene.takes(chat)
    before = scene.shown(chat)
    answer = await scene.closes(chat, **body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert scene.case(chat).stage == "offered"
    assert scene.shown(chat) == before


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("close", {"outcome": "solved"}),
        ("give_back", {"note": ""}),
        ("snooze", {"note": "", "until": (NOON + timedelta(hours=1)).isoformat()}),
    ],
)
async def test_what_nobody_has_answered_is_let_go_of_on_purpose_only(
    scene: Scene, what: str, body: dict[str, Any]
) -> None:
    chat = scene.begin(Case("s9", stage="person"), owner=QUEUE)
    await scene.takes(chat)
    with scene.desk.context.storage.database.write() as db:
        incoming = Incoming(chat, new_id("c"), "等等，退款还没到！")
        message = take(db, scene.desk.context, incoming, scene.clock.now).message
        inbox.finish(db, message.id, None)
    path = f"/conversations/{chat}/{what}"
    answer = await scene.page.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "unanswered")
    assert "还在等您回答" in answer.json()["error"]["message"]
    assert (await scene.page.post(path, json={**body, "force": "yes"})).status_code == 400
    assert scene.present(chat).owner == staff_owner(scene.lin.id)
    assert (await scene.page.post(path, json={**body, "force": True})).status_code == 200


async def test_only_the_owner_closes(scene: Scene) -> None:
    chat = scene.chat.id
    answer = await scene.closes(chat, outcome="solved")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_owner")
    with scene.desk.context.storage.database.write() as db:
        conversations.change_owner(db, scene.chat, staff_owner(scene.wu.id), NOON, expected=(BOT,))
    answer = await scene.closes(chat, outcome="solved")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "taken")
    assert (await scene.closes("k" + "0" * 20, outcome="solved")).status_code == 404
    assert scene.case(chat).stage == "offered"


async def test_a_remedy_on_its_way_keeps_a_case_open_unless_it_is_meant(scene: Scene) -> None:
    chat = scene.begin(Case("s2", facts={"failure": "room_not_clean"}))
    await scene.takes(chat)
    scene.promises(chat)
    answer = await scene.closes(chat, outcome="solved")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "remedy_open")
    assert scene.case(chat).stage == "hearing"
    assert (await scene.closes(chat, outcome="solved", force=True)).status_code == 200
    assert scene.case(chat).stage == "closed"


async def test_a_request_keeps_a_case_open_and_is_withdrawn_with_it(scene: Scene) -> None:
    chat = scene.chat.id
    await scene.takes(chat)
    scene.asks(chat)
    answer = await scene.closes(chat, outcome="withdrawn")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "request_open")
    assert (await scene.closes(chat, outcome="withdrawn", force=True)).status_code == 200
    with scene.desk.context.storage.database.read() as db:
        assert db.execute(select(remedy_requests.c.state)).scalar() == "withdrawn"
        assert db.execute(select(decisions.c.id)).all() == []


async def test_a_thread_without_a_case_is_closed_without_an_outcome(scene: Scene) -> None:
    thread = scene.begin(None, room=ROOM)
    await scene.takes(thread)
    assert (await scene.closes(thread)).status_code == 200
    assert scene.present(thread).owner == BOT
    assert [one["kind"] for one in scene.shown(thread)] == ["owner", "owner"]


@pytest.mark.parametrize("other", ["queue", "own", "bot"])
async def test_both_parts_of_a_case_end(scene: Scene, other: str) -> None:
    owners = {"queue": QUEUE, "own": staff_owner(scene.lin.id), "bot": BOT}
    case = scene.case(scene.chat.id)
    public = scene.begin(case, room=ROOM, owner=owners[other])
    with scene.desk.context.storage.database.write() as db:
        thread = conversations.load(db, public)
        assert thread is not None
        business = scene.desk.context.business(thread.business)
        clocks.person_due(db, thread, business, scene.clock.now)
    await scene.takes(scene.chat.id)
    closed = await scene.closes(scene.chat.id, outcome="solved", force=True)
    assert closed.status_code == 200, closed.text
    assert scene.present(public).owner == BOT
    with scene.desk.context.storage.database.read() as db:
        running = clocks.of_conversations(db, [public]).get(public, ())
    assert {one.state for one in running if one.kind == "resolution"} == {"hit"}


@pytest.mark.parametrize("opened", ["public", "private"])
async def test_nobody_ends_the_case_over_the_head_of_a_colleague(scene: Scene, opened: str) -> None:
    wu, case = staff_owner(scene.wu.id), scene.case(scene.chat.id)
    thread = scene.begin(case, room=ROOM, owner=wu if opened == "private" else BOT)
    mine, theirs = (thread, scene.chat.id) if opened == "public" else (scene.chat.id, thread)
    if opened == "public":
        with scene.desk.context.storage.database.write() as db:
            ownership.take(db, scene.desk.context, theirs, scene.wu, scene.clock.now)
    await scene.takes(mine)
    refused = await scene.closes(mine, outcome="solved", force=True)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "taken")
    assert scene.wu.name in refused.json()["error"]["message"]
    assert scene.present(theirs).owner == wu
    after = scene.case(scene.chat.id)
    assert (after.stage, after.outcome) == (case.stage, case.outcome)
    assert [offer.state for offer in after.offers] == [offer.state for offer in case.offers]


async def test_closing_from_the_room_takes_the_private_offer_back(scene: Scene) -> None:
    public = scene.begin(scene.case(scene.chat.id), room=ROOM)
    await scene.takes(public)
    assert (await scene.closes(public, outcome="solved")).status_code == 200
    assert ("offer", "replaced") in [
        (one["kind"], one.get("state")) for one in scene.shown(scene.chat.id)
    ]


# --- closed, and open again -------------------------------------------------------------------


async def test_who_takes_a_closed_case_opens_it_again(scene: Scene) -> None:
    chat = scene.chat.id
    await scene.takes(chat)
    await scene.closes(chat, outcome="solved")
    scene.clock.now += timedelta(minutes=30)
    await scene.takes(chat)
    case, row = scene.case(chat), scene.row(chat)
    assert (case.stage, case.outcome, case.reason) == ("person", None, "reopened")
    assert (row.closed_at, row.closed_by, row.outcome) == (None, None, None)
    with scene.desk.context.storage.database.read() as db:
        found = {clock.kind: clock for clock in clocks.of_conversations(db, [chat])[chat]}
    assert found["resolution"].state == "active"
    assert found["resolution"].hits == 1
    scene.clock.now += timedelta(minutes=1)
    await scene.closes(chat, outcome="explained")
    row = scene.row(chat)
    assert (row.closed_at, row.outcome) == (stamp(scene.clock.now), "explained")


async def test_a_customer_who_comes_back_gets_a_person_for_the_same_case(scene: Scene) -> None:
    chat = scene.chat.id
    await scene.takes(chat)
    await scene.closes(chat, outcome="solved")
    with scene.desk.context.storage.database.write() as db:
        heard = inbox.add(db, new_id("m"), chat, new_id("c"), "我要找人", scene.clock.now)
        answer = Answer(
            [
                {"text": "好", "response": "say_handover"},
                {"custom": {"commands": [to_wire(HandOver("asked"))]}},
            ],
            {"emotion": {"anger": 0}},
            failed=False,
        )
        commit_answer(db, scene.desk.context, heard, answer, scene.clock.now)
    assert scene.present(chat).owner == QUEUE
    assert (scene.case(chat).stage, scene.row(chat).closed_at) == ("person", None)
    await scene.takes(chat)
    with scene.desk.context.storage.database.write() as db:
        lin, now = scene.lin, scene.clock.now
        ownership.give_back(db, scene.desk.context, chat, lin, "", now, force=True)
    assert scene.case(chat).stage == "hearing", "it goes on, it is not closed any more"
