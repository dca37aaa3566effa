"""Staff make one case of two and two of one, take both back, and part who was joined wrongly."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from argon2 import PasswordHasher
from sqlalchemy import select

from desk.channels.sessions import COOKIE
from recovery.anger import CaseAnger
from recovery.case import Case, Offer
from recovery.ids import fingerprint, new_id, new_secret
from recovery.store import (
    cases,
    conversations,
    customers,
    decisions,
    fulfilments,
    inbox,
    persons,
    preferences,
    streams,
)
from recovery.store import staff as staff_store
from recovery.store.conversations import BOT, Conversation, staff_owner
from recovery.store.customers import Customer
from recovery.store.database import stamp
from recovery.store.tables import audit_log, case_causes, web_sessions
from recovery.store.tables import cases as cases_table
from recovery.store.tables import decisions as decisions_table
from recovery.store.wechat import contacts, threads
from tests.desk.people import closed
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

in_module = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "an honest password"
ORDER = "LT202611180012"
BUSINESS = "lanting"
SAID = "隔壁施工太吵，一晚上没睡"


class Scene:
    """One desk for all tests of this file, with staff by login."""

    def __init__(
        self, desk: Desk, pages: dict[str, httpx.AsyncClient], ids: dict[str, int]
    ) -> None:
        self.desk = desk
        self.store = desk.context.storage.database
        self.pages = pages
        self.ids = ids

    async def call(self, login: str, path: str, **body: Any) -> httpx.Response:  # noqa: ANN401
        return await self.pages[login].post(f"/api/staff{path}", json=body)

    async def done(self, login: str, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
        answer = await self.call(login, path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def person(self, login: str, conversation: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self.pages[login].get(f"/api/staff/conversations/{conversation}/person")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def customer(self, name: str = "阿明", business: str = BUSINESS) -> Customer:
        with self.store.write() as db:
            return customers.begin_session(db, None, business, name, None, NOON)[0]

    def joined(self) -> tuple[Customer, Customer]:
        """Two names of one person."""
        one, other = self.customer(), self.customer("微信顾客")
        with self.store.write() as db:
            persons.join(db, one, other, "code", f"customer:{one.id}", NOON)
        return one, other

    def talk(
        self,
        customer: Customer,
        owner: str = BOT,
        **more: Any,  # noqa: ANN401 - fields of a case
    ) -> Conversation:
        """A private conversation of a customer with a case, the offers of which are archived."""
        with self.store.write() as db:
            facts = {"failure": "room_not_clean"}
            case = Case(new_id("s"), anger=CaseAnger(1, 2, 1), **{"facts": facts} | more)
            cases.save(db, case, customer.business, customer.id, NOON)
            begun = conversations.begin(
                db, customer.business, customer.id, NOON, case_id=case.id, owner=owner
            )
            for one in case.offers:
                _archived(db, one, case.id, customer)
                card = {"id": f"{one.id}.open", "kind": "offer", "offer": one.id, "state": "open"}
                streams.append(db, begun.stream, card, NOON)
                if one.state == "accepted":
                    fulfilments.promise(db, begun, case.id, one, NOON)
            return begun

    def said(self, conversation: Conversation, text: str) -> str:
        """A message of the customer that was dealt with; its id."""
        with self.store.write() as db:
            message = inbox.add(db, new_id("m"), conversation.id, new_id("x"), text, NOON)
            inbox.finish(db, message.id, None)
            event = {"id": message.id, "kind": "message", "author": "customer", "text": text}
            event |= {"customer": conversation.customer_id, "name": "阿明"}
            streams.append(db, conversation.stream, event, NOON)
            return message.id

    def wechat(self, customer: Customer, conversation: Conversation) -> contacts.Contact:
        """A WeChat of a customer, to which a conversation is delivered."""
        with self.store.write() as db:
            made = contacts.add(db, "lanting-mp", new_id("o"), customer.id, NOON)
            threads.bind(db, conversation.id, made.id, NOON, planned=0)
            contacts.lead_to(db, made.id, conversation.id)
            return contacts.load(db, made.id) or made

    def page(self, customer: Customer, conversation: Conversation) -> websockets.connect:
        """A page of a customer that looks at a conversation."""
        secret = new_secret()
        session = {"token_hash": fingerprint(secret), "business": customer.business}
        with self.store.write() as db:
            row = {**session, "customer_id": customer.id, "created_at": stamp(NOON)}
            db.execute(web_sessions.insert().values(row))
        return websockets.connect(
            f"{self.desk.url.replace('http', 'ws', 1)}/ws/conversation/{conversation.id}",
            additional_headers={"Cookie": f"{COOKIE}={secret}"},
            proxy=None,
        )

    def case(self, conversation: Conversation) -> Case:
        with self.store.read() as db:
            found = conversations.load(db, conversation.id)
            case = cases.load(db, found.case_id if found else None)
        assert case is not None
        return case

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - SQLAlchemy
        with self.store.read() as db:
            return [dict(row._mapping) for row in db.execute(select(table).where(*where))]

    def texts(self, conversation: str) -> list[str]:
        with self.store.read() as db:
            events = streams.after(db, f"private:{conversation}", 0)
        return [str(one.event.get("text", "")) for one in events]


def _archived(db: Any, offer: Offer, case_id: str, customer: Customer) -> None:  # noqa: ANN401
    db.execute(
        decisions_table.insert().values(
            id=offer.id,
            case_id=case_id,
            business=customer.business,
            customer_id=customer.id,
            order_customer="hotel-1",
            order_number=ORDER,
            failure="room_not_clean",
            channel="web",
            policy="p",
            day="2026-11-22",
            facts={},
            rules=[],
            remedies=offer.remedies,
            floor_fen=0,
            goodwill_fen=500,
            anger=1,
            decided_by="bot",
            state=offer.state,
            made_at=stamp(NOON),
            accepted_at=stamp(NOON) if offer.state == "accepted" else None,
        )
    )


def offer(state: str = "open") -> Offer:
    return Offer(
        id=new_id("o"),
        order_number=ORDER,
        remedies=[{"kind": "room_change", "minutes": 20}],
        rules=["H-1"],
        policy="hotel-0",
        facts={},
        reason="房间没有打扫",
        round=0,
        expires_at=(NOON + timedelta(hours=48)).isoformat(),
        state=state,  # type: ignore[arg-type]  # given by the tests below
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("merging")
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(staff_store, "_hasher", cheap)
        desk = await stack.enter_async_context(serving(a_context(folder, Clock())))
        ids, pages = {}, {}
        for login, role, business in (
            ("lin", "agent", None),
            ("wu", "agent", None),
            ("sun", "supervisor", None),
            ("ma", "manager", None),
            ("tang", "trainer", None),
            ("qing", "manager", "qinghe"),
        ):
            with desk.context.storage.database.write() as db:
                made = staff_store.add(db, login, f"同事{login}", role, PASSWORD, NOON, business)
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=desk.url, timeout=40, trust_env=False)
            )
            entry = await http.post("/api/staff/login", json={"login": login, "password": PASSWORD})
            http.headers["X-CSRF"] = entry.json()["csrf"]
            ids[login], pages[login] = made.id, http
        yield Scene(desk, pages, ids)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["error"]["code"])


# --- merging ----------------------------------------------------------------------------------


@in_module
async def test_two_cases_become_one_and_two_again(scene: Scene) -> None:
    one, other = scene.joined()
    kept = scene.talk(one, staff_owner(scene.ids["lin"]), stage="offered", offers=(offer(),))
    given = offer("accepted")
    gone = scene.talk(
        other, stage="agreed", offers=(given,), order_number=ORDER, facts={"failure": "noise"}
    )
    before = scene.case(kept), scene.case(gone)
    with scene.store.write() as db:
        cause = {"proposed": "staffing", "confirmed": "training", "action": "重新培训"}
        row = {"case_id": before[1].id, "at": stamp(NOON), "by": scene.ids["wu"], **cause}
        db.execute(case_causes.insert().values(**row))
    shown = await scene.person("lin", kept.id)
    assert [row["id"] for row in shown["cases"]] == [before[1].id]
    assert {row["channel"] for row in shown["identities"]} == {"web"}

    path = f"/conversations/{kept.id}/merge"
    body = {"case": before[1].id, "reason": "说的是同一晚的事"}
    join = (await scene.done("lin", path, **body))["join"]
    now = scene.case(kept)
    assert scene.case(gone) == now and now.id == before[0].id
    # Something was given already: the open offer is taken back, and both chats are one case.
    assert [item.state for item in now.offers] == ["accepted", "replaced"]
    assert (now.stage, now.order_number, now.facts["also"]) == ("agreed", ORDER, "noise")
    with scene.store.read() as db:
        assert [row["key"] for row in fulfilments.of_case(db, now.id)] == [f"{given.id}:0"]
        assert [c.id for c in persons.cases_of(db, persons.person_of(db, one.id))] == [now.id]
        had = decisions.history(db, BUSINESS, "hotel-1", "noise", now.id, NOON)
        assert had.claims == 0, "what was given in it is no other case's any more"
    [merged] = scene.rows(cases_table, cases_table.c.id == before[1].id)
    assert (merged["merged_into"], merged["stage"]) == (now.id, "closed")
    [brought] = scene.rows(case_causes, case_causes.c.case_id == now.id)
    assert (brought["confirmed"], brought["action"]) == ("training", "重新培训")
    assert any("合到一起办了" in text for text in scene.texts(gone.id))
    [step] = (await scene.person("lin", gone.id))["steps"]
    assert (step["kind"], step["reason"], step["by"]) == ("merge", "说的是同一晚的事", "同事lin")
    assert code(await scene.call("lin", path, **body)) == (409, "merged_before")

    await scene.done("lin", f"/case-joins/{join}/undo")
    back = scene.case(kept), scene.case(gone)
    assert back[1] == before[1]
    assert back[0].facts == before[0].facts and back[0].order_number is None
    # An offer that was taken back before the customer's eyes stays so.
    assert [item.state for item in back[0].offers] == ["replaced"]
    with scene.store.read() as db:
        assert [row["key"] for row in fulfilments.of_case(db, back[1].id)] == [f"{given.id}:0"]
        assert fulfilments.of_case(db, back[0].id) == []
    [left] = scene.rows(case_causes, case_causes.c.case_id == back[0].id)
    assert left["confirmed"] is None
    assert code(await scene.call("lin", f"/case-joins/{join}/undo")) == (409, "undone")
    acts = [row["act"] for row in scene.rows(audit_log, audit_log.c.target == kept.id)]
    assert [act for act in acts if "merge" in act] == ["merge_cases", "undo_merge"]


@in_module
async def test_only_the_same_person_and_only_who_may(scene: Scene) -> None:
    one, other = scene.joined()
    lin, wu = (staff_owner(scene.ids[login]) for login in ("lin", "wu"))
    kept, gone = scene.talk(one, lin), scene.talk(other, wu)
    stranger = scene.talk(scene.customer())
    foreign = scene.talk(scene.customer(business="qinghe"))
    path = f"/conversations/{kept.id}/merge"

    async def tried(login: str, case: object, reason: object = "同一件事") -> tuple[int, str]:
        return code(await scene.call(login, path, case=case, reason=reason))

    assert await tried("lin", stranger.case_id) == (409, "other_person")
    assert await tried("lin", foreign.case_id) == (400, "no_such_case")
    assert await tried("lin", kept.case_id) == (409, "merged_before")
    assert await tried("lin", gone.case_id) == (409, "taken"), "a colleague has it"
    assert await tried("wu", gone.case_id) == (409, "taken")
    assert await tried("tang", gone.case_id) == (403, "forbidden")
    assert await tried("qing", gone.case_id) == (404, "not_found")
    assert await tried("lin", None) == (400, "bad_request")
    for reason in (None, "", "  ", "字" * 201, "a\u202eb"):
        assert (await tried("sun", gone.case_id, reason))[0] == 400
    assert scene.case(kept).id != scene.case(gone).id
    join = (await scene.done("sun", path, case=gone.case_id, reason="主管看过，是一件事"))["join"]
    assert scene.case(kept).id == scene.case(gone).id
    assert code(await scene.call("qing", f"/case-joins/{join}/undo")) == (404, "not_found")
    assert code(await scene.call("lin", f"/case-joins/{join}/undo")) == (409, "taken")


# --- splitting --------------------------------------------------------------------------------


@in_module
async def test_a_matter_is_split_off_with_its_words_and_goes_back(scene: Scene) -> None:
    facts = {"failure": "room_not_clean", "also": "noise"}
    kept = scene.talk(
        scene.customer(), staff_owner(scene.ids["lin"]), facts=facts, order_number=ORDER
    )
    first, second = scene.said(kept, "房间没打扫"), scene.said(kept, SAID)
    path = f"/conversations/{kept.id}/split"
    body = {"failure": "noise", "messages": [second], "reason": "是两件事"}
    for wrong, refused in (
        ({"failure": "nothing_of_ours"}, "bad_failure"),
        ({"messages": []}, "no_messages"),
        ({"messages": [new_id("m")]}, "bad_messages"),
        ({"messages": [first] * 31}, "bad_request"),
        ({"whole": True}, "only_part"),
        ({"reason": " "}, "no_reason"),
    ):
        answer = await scene.call("lin", path, **body | wrong)
        assert answer.status_code in (400, 409), (wrong, answer.text)
        if refused != "bad_failure":
            assert code(answer)[1] == refused
    assert code(await scene.call("wu", path, **body)) == (409, "taken")
    before = scene.case(kept)
    led_to = (await scene.done("lin", path, **body))["conversation"]
    with scene.store.read() as db:
        place = conversations.load(db, led_to)
    assert place is not None and place.owner == staff_owner(scene.ids["lin"])
    new, left = scene.case(place), scene.case(kept)
    assert (new.failure, new.order_number) == ("noise", ORDER)
    assert "also" not in left.facts and left.id == before.id
    texts = scene.texts(led_to)
    assert SAID in texts and "房间没打扫" not in texts
    assert any("单独开了一份来办" in text for text in scene.texts(kept.id))

    shown = await scene.person("lin", kept.id)
    [step] = shown["steps"]
    assert step["kind"] == "split" and [row["id"] for row in shown["cases"]] == [new.id]
    await scene.done("lin", f"/case-joins/{step['id']}/undo")
    assert scene.case(place).id == left.id == scene.case(kept).id
    assert scene.case(kept).facts["also"] == "noise"
    assert len((await scene.person("lin", kept.id))["parts"]) == 2


@in_module
async def test_a_conversation_that_went_on_wrongly_becomes_a_case_again(scene: Scene) -> None:
    one, other = scene.joined()
    lin = staff_owner(scene.ids["lin"])
    kept, gone = scene.talk(one, lin), scene.talk(other, lin, offers=(given := offer("accepted"),))
    path = f"/conversations/{kept.id}/merge"
    await scene.done("lin", path, case=gone.case_id, reason="看着像一件事")
    both = scene.case(kept).id
    split = {"failure": "noise", "whole": True, "reason": "问过了，是两件事"}
    assert (await scene.done("lin", f"/conversations/{gone.id}/split", **split)) == {
        "conversation": gone.id
    }
    assert scene.case(kept).id == both != scene.case(gone).id
    # What was offered and promised there goes along.
    assert [item.id for item in scene.case(gone).offers] == [given.id]
    assert scene.case(kept).offers == ()
    with scene.store.read() as db:
        assert len(fulfilments.of_case(db, scene.case(gone).id)) == 1
        assert fulfilments.of_case(db, both) == []
    # The merging of before is over; taking it back would tear apart what is apart.
    steps = {row["kind"]: row for row in (await scene.person("lin", kept.id))["steps"]}
    await scene.done("lin", f"/case-joins/{steps['split']['id']}/undo")
    assert scene.case(kept).id == both == scene.case(gone).id


# --- who was joined wrongly -------------------------------------------------------------------


@in_module
async def test_a_manager_parts_who_was_joined(scene: Scene) -> None:
    one, other = scene.joined()
    lin = staff_owner(scene.ids["lin"])
    kept, gone = scene.talk(one, lin), scene.talk(other)
    # The WeChat of the one had come into the other's conversation.
    reader, mine = scene.wechat(one, gone), scene.wechat(one, kept)
    [entry] = (await scene.person("ma", kept.id))["joins"]
    path = f"/person-joins/{entry['id']}/undo"
    assert entry["may_undo"] and entry["how"] == "顾客输入了合并码"
    assert not (await scene.person("lin", kept.id))["joins"][0]["may_undo"]
    for login in ("lin", "sun", "tang"):
        assert code(await scene.call(login, path)) == (403, "forbidden")
    assert code(await scene.call("qing", path)) == (404, "not_found")
    merge = f"/conversations/{kept.id}/merge"
    join = (await scene.done("lin", merge, case=gone.case_id, reason="同一件事"))["join"]
    assert code(await scene.call("ma", path)) == (409, "one_case")
    await scene.done("lin", f"/case-joins/{join}/undo")
    with scene.store.write() as db:
        preferences.refuse_marketing(db, persons.person_of(db, other.id), NOON)
    async with scene.page(one, gone) as page, scene.page(other, gone) as own:
        assert json.loads(await page.recv())["type"] == "welcome"
        await scene.done("ma", path)
        assert await closed(page) == (4404, "not_found")
        # Their own words stay theirs.
        await own.send(json.dumps({"type": "ping"}))
        while json.loads(await own.recv())["type"] != "pong":
            pass
    with scene.store.read() as db:
        assert contacts.of_conversation(db, gone.id) is None, "it is not read by the other one"
        assert contacts.of_conversation(db, kept.id) == mine
        led_to = contacts.load(db, reader.id)
    assert led_to is not None and led_to.conversation_id is None
    assert code(await scene.call("ma", path)) == (409, "undone")
    with scene.store.read() as db:
        for apart in (one, other):
            assert preferences.of(db, apart.id).no_marketing, "the stricter wish stands for both"
        assert persons.customers_of(db, one.id) == (one.id,)
        assert persons.customers_of(db, other.id) == (other.id,)
    shown = await scene.person("ma", kept.id)
    assert shown["cases"] == [] and shown["joins"][0]["undone_at"]
    answer = await scene.call("lin", merge, case=gone.case_id, reason="同一件事")
    assert code(answer) == (409, "other_person")


@in_module
async def test_who_sees_it_masked_reads_no_name(scene: Scene) -> None:
    kept = scene.talk(scene.customer("赵小满"))
    masked = await scene.person("tang", kept.id)
    whole = await scene.person("sun", kept.id)
    assert whole["identities"][0]["name"] == "赵小满"
    assert "赵小满" not in str(masked)
    assert (
        await scene.pages["qing"].get(f"/api/staff/conversations/{kept.id}/person")
    ).status_code == (404)
