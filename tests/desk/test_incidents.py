"""One cause, many customers: joined by staff, proposed by the bot, told together, treated alike."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from desk.errors import PageError
from desk.incidents.changing import close
from desk.incidents.together import tell_all
from desk.incidents.watch import IncidentWatch
from recovery.case import apply
from recovery.ids import new_id
from recovery.store import cases, conversations, incidents, staff
from recovery.store.conversations import staff_owner
from recovery.store.staff import Staff
from recovery.store.tables import audit_log, decisions, incident_members, notices
from tests.desk.incident_scene import IncidentScene, complains, empty_desk
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Desk, serving

PASSWORD = "an honest password"
ROOT = "/api/staff/incidents"
ROLES = {"lin": "agent", "sun": "supervisor"}
TEXT = "{称呼}您好，3栋电梯的配件已经到了，师傅正在换，谢谢您等。"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_desk(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def scene(tmp_path: Path, empty: Path) -> Iterator[IncidentScene]:
    made = IncidentScene(tmp_path, copy_of=empty)
    yield made
    made.close()


class Pages:
    """The browsers of staff at a desk that serves."""

    def __init__(self, desk: Desk, http: dict[str, httpx.AsyncClient]) -> None:
        self.desk = desk
        self._http = http

    async def call(self, login: str, method: str, path: str = "", **body: Any) -> Any:  # noqa: ANN401
        """A call that is allowed; what it answers."""
        answer = await self._http[login].request(method, f"{ROOT}{path}", json=body or None)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    async def refused(self, login: str, method: str, path: str, **body: Any) -> tuple[int, str]:  # noqa: ANN401
        answer = await self._http[login].request(method, f"{ROOT}{path}", json=body or None)
        return answer.status_code, str(answer.json()["error"]["code"])

    async def works(self) -> None:
        """Let the worker look."""
        await IncidentWatch(self.desk.context, self.desk.app.ctx.router).look_once()


@asynccontextmanager
async def pages_of(scene: IncidentScene) -> AsyncIterator[Pages]:
    """The desk serves, and staff have logged in."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(serving(scene.desk))
        clients = {}
        for login, role in ROLES.items():
            with scene.store.write() as db:
                staff.add(db, login, f"同事{login}", role, PASSWORD, scene.clock(), "wutong")
            http = httpx.AsyncClient(base_url=desk.url, timeout=PATIENCE, trust_env=False)
            clients[login] = await stack.enter_async_context(http)
            answer = await http.post(
                "/api/staff/login", json={"login": login, "password": PASSWORD}
            )
            http.cookies.clear()
            http.headers["Cookie"] = f"huixin_staff={answer.cookies['huixin_staff']}"
            http.headers["X-CSRF"] = answer.json()["csrf"]
        yield Pages(desk, clients)


def member_of(scene: IncidentScene, login: str) -> Staff:
    with scene.store.read() as db:
        found = staff.by_login(db, login)
    assert found is not None
    return found


def complained(scene: IncidentScene, *orders: str, failure: str = "lift_broken") -> list[Any]:
    """Customers with a private talk each about their order."""
    names = ("林晚", "周砚", "苏禾", "程远")
    return [
        scene.talks(scene.customer(name), complains(failure, number))
        for name, number in zip(names, orders, strict=False)
    ]


async def test_an_event_of_several_customers_is_one_incident(scene: IncidentScene) -> None:
    numbers = [scene.order(identity=f"owner-{n}") for n in (1, 2)]
    gold = scene.order(identity="owner-3", tier="gold")
    for n, name in ((1, "欧阳静姝"), (2, "周砚"), (3, "苏禾")):
        scene.customer(name, identity=f"owner-{n}")
    async with pages_of(scene) as pages:
        scene.reported(orders=[*numbers, gold, "WT404"], place="3栋")
        await pages.works()
        [row] = (await pages.call("sun", "GET"))["incidents"]
        assert (row["state"], row["members"], row["unreachable"]) == ("open", 4, 1)
        assert row["title"] == "3栋：电梯出了故障"
        seen = await pages.call("sun", "GET", f"/{row['id']}")
        by_order = {one["order"]: one for one in seen["members_list"]}
        assert {one["offer"]["state"] for one in seen["members_list"] if one["offer"]} == {"open"}
        assert seen["remedies"]["by"] == "policy"
        assert [by_order[one]["differs"] for one in numbers] == [[], []]
        assert by_order[gold]["differs"] == ["会员等级不同"]
        assert by_order[numbers[0]]["customer"] == "欧阳静姝"
        # An agent sees that it is, not with whom the bot talks.
        masked = await pages.call("lin", "GET", f"/{row['id']}")
        assert "欧阳静姝" not in str(masked)
        assert numbers[0] not in str(masked)
        assert (await pages.refused("lin", "POST", f"/{row['id']}/close"))[1] == "forbidden"
    with scene.store.read() as db:
        told = db.execute(select(notices.c.staff_id, notices.c.text)).all()
    assert [row.staff_id for row in told] == [member_of(scene, "sun").id]
    assert "涉及4位顾客" in told[0].text


async def test_staff_join_cases_and_all_are_told_once(scene: IncidentScene) -> None:
    # Of parking no rule of the bot's speaks.
    orders = [scene.order() for _ in range(3)]
    first, second, third = complained(scene, *orders, failure="parking")
    async with pages_of(scene) as pages:
        scene.do(_hand_to, scene, first, member_of(scene, "lin"))
        made = {
            **{"id": "open-000001", "business": "wutong", "failure": "parking"},
            **{"title": "3栋电梯", "conversation": first.id},
        }
        # Sent twice it is one; an agent's is a proposal to supervisors.
        number = (await pages.call("lin", "POST", **made))["incident"]
        assert (await pages.call("lin", "POST", **made))["incident"] == number
        path = f"/{number}"
        assert (await pages.call("lin", "GET", path))["state"] == "proposed"
        tell = {"id": "tell-000001", "text": TEXT}
        assert await pages.refused("sun", "POST", f"{path}/tell", **tell) == (409, "proposed")
        await pages.call("sun", "POST", f"{path}/confirm")
        for one in (second, third):
            await pages.call("lin", "POST", f"{path}/members", conversation=one.id)
        of = await pages.call("lin", "GET", f"?conversation={second.id}")
        assert of["of"] == [number]
        members = (await pages.call("sun", "GET", path))["members_list"]
        gone = next(one["id"] for one in members if one["conversation"] == third.id)
        await pages.call("lin", "DELETE", f"{path}/members/{gone}")
        preview = await pages.call("sun", "POST", f"{path}/preview", text=TEXT)
        assert preview["examples"][0].startswith("林晚您好，3栋电梯")
        assert (preview["to"], preview["warnings"]) == (2, [])
        bad = {"id": "tell-000002", "text": "{姓名}您好"}
        assert (await pages.refused("sun", "POST", f"{path}/tell", **bad))[1] == "bad_variable"
        rash = {"id": "tell-000003", "text": "是您自己没看清公告，我们保证绝对不会再坏"}
        assert (await pages.refused("sun", "POST", f"{path}/tell", **rash))[1] == "warned"
        assert (await pages.refused("lin", "POST", f"{path}/tell", **tell))[1] == "forbidden"
        for _ in range(2):
            sent = await pages.call("sun", "POST", f"{path}/tell", **tell)
            assert (sent["to"], sent["waits"]) == (2, False)
            await pages.works()
        shown = await pages.call("sun", "GET", path)
        [message] = shown["messages"]
        assert len(message["told"]) == 2
        await pages.call("sun", "POST", f"{path}/close")
        answer = await pages.refused("lin", "POST", f"{path}/members", conversation=third.id)
        assert answer == (409, "closed")
    assert [len(scene.shown(one, "message")) for one in (first, second, third)] == [1, 1, 0]
    assert scene.shown(second, "message")[0]["text"].startswith("周砚您好，3栋电梯")
    # Only the words are the desk's: who serves whom stays as it was.
    assert scene.present(first).owner == staff_owner(member_of(scene, "lin").id)
    with scene.store.read() as db:
        acts = db.execute(select(audit_log.c.act).where(audit_log.c.target == number)).scalars()
        assert sorted(acts) == sorted(
            [
                *("incident_open", "incident_confirm", "incident_leave", "incident_tell"),
                *("incident_join", "incident_join", "incident_join", "incident_close"),
            ]
        )


def _hand_to(db: Any, scene: IncidentScene, chat: Any, who: Staff) -> None:  # noqa: ANN401
    owner = staff_owner(who.id)
    conversations.change_owner(db, chat, owner, scene.clock(), expected=(chat.owner,))


async def test_a_remedy_is_decided_once_and_offered_to_all(scene: IncidentScene) -> None:
    orders = [scene.order() for _ in range(3)]
    chats = complained(scene, *orders, failure="parking")
    async with pages_of(scene) as pages:
        scene.do(_hand_to, scene, chats[2], member_of(scene, "lin"))
        made = {"id": "open-000001", "business": "wutong", "title": "3栋电梯"}
        number = (await pages.call("sun", "POST", **made))["incident"]
        for one in chats:
            await pages.call("sun", "POST", f"/{number}/members", conversation=one.id)
        wishes = [{"kind": "voucher", "fen": 3000}]
        give = {"id": "give-000001", "remedies": wishes}
        path = f"/{number}/remedies"
        assert (await pages.refused("sun", "POST", path, **give))[1] == "no_reason"
        await pages.call("sun", "POST", path, **give, reason="电梯停了两天，每户一样")
        await pages.works()
        await pages.call("sun", "POST", path, **give, reason="电梯停了两天，每户一样")
        await pages.works()
        shown = await pages.call("sun", "GET", f"/{number}")
    kinds = [
        [(one["kind"], one.get("fen")) for one in offer.remedies]
        for chat in chats
        for offer in scene.case(chat).offers
    ]
    # What the policy owes each comes with what was added for all.
    assert kinds[0] == kinds[1]
    assert len(kinds) == 2
    assert ("voucher", 3000) in kinds[0]
    assert "expedite" in {kind for kind, _ in kinds[0]}
    assert scene.case(chats[2]).offers == ()
    left_out = {one["conversation"]: one["differs"] for one in shown["members_list"]}
    assert left_out[chats[2].id] == ["同事正在和这位顾客谈，补救由同事定"]
    assert shown["remedies"]["items"][0]["title"]
    with scene.store.read() as db:
        made_by = db.execute(select(decisions.c.decided_by, decisions.c.departure)).all()
    sun = staff_owner(member_of(scene, "sun").id)
    assert [tuple(row) for row in made_by] == [(sun, "电梯停了两天，每户一样")] * 2


def test_the_bot_proposes_once_and_staff_have_the_last_word(scene: IncidentScene) -> None:
    complained(scene, *(scene.order() for _ in range(2)))
    scene.rounds()
    scene.later(minutes=5)
    scene.rounds()
    [found] = scene.incidents()
    assert (found.state, found.rule, found.place) == ("proposed", "I-P-01", "3栋")
    assert [one.state for one in scene.members()] == ["proposed", "proposed"]
    # One more of the same comes to it.
    complained(scene, scene.order())
    scene.later(minutes=5)
    scene.rounds()
    assert len(scene.members()) == 3
    scene.do(lambda db: incidents.change(db, found.id, scene.clock(), state=incidents.DISMISSED))
    complained(scene, scene.order())
    scene.later(minutes=5)
    scene.rounds()
    assert [one.state for one in scene.incidents()] == ["dismissed"]
    assert len(scene.members()) == 3


def test_who_complains_about_a_place_that_failed_is_proposed_for_its_incident(
    scene: IncidentScene,
) -> None:
    scene.reported(kind="leak", place="3栋")
    scene.rounds()
    [found] = scene.incidents()
    assert found.place == "3栋"
    there, *_ = complained(scene, scene.order(), failure="leak")
    complained(scene, scene.order(title="5栋0803 物业费"), failure="leak")
    for _ in range(2):
        scene.later(minutes=1)
        scene.rounds()
    assert [(one.case_id, one.state) for one in scene.members()] == [(there.case_id, "proposed")]


def test_what_is_told_at_night_waits_for_the_morning(scene: IncidentScene) -> None:
    [chat] = complained(scene, scene.order())
    case_id = chat.case_id
    with scene.store.write() as db:
        sun = staff.add(db, "sun", "孙主管", "supervisor", PASSWORD, scene.clock(), "wutong")
        made = incidents.begin(
            *(db, "wutong", "property", "lift_broken", "3栋电梯", scene.clock()),
            source="staff",
            state=incidents.OPEN,
            opened_by=staff_owner(sun.id),
        )
        incidents.add_member(
            *(db, made.id, incidents.JOINED, "desk", scene.clock()),
            case_id=case_id,
            conversation_id=chat.id,
        )
    scene.clock.now = NOON + timedelta(hours=11)
    with scene.store.write() as db:
        told = tell_all(db, scene.desk, sun, made.id, new_id("t"), TEXT, urgent=False)
    assert told.waits
    scene.rounds()
    assert scene.shown(chat, "message") == []
    with scene.store.write() as db, pytest.raises(PageError, match="没有发完"):
        close(db, scene.desk, sun, made.id)
    with scene.store.write() as db:
        tell_all(db, scene.desk, sun, made.id, new_id("t"), "电梯停了，请走楼梯", urgent=True)
    scene.rounds()
    assert [one["text"] for one in scene.shown(chat, "message")] == ["电梯停了，请走楼梯"]
    scene.clock.now = NOON + timedelta(hours=20)
    scene.rounds()
    assert len(scene.shown(chat, "message")) == 2


def test_nothing_is_said_in_public_and_who_left_hears_nothing(scene: IncidentScene) -> None:
    customer = scene.customer()
    opened = complains("lift_broken")
    private = scene.talks(scene.customer("周砚"), complains("lift_broken", scene.order()))
    with scene.store.write() as db:
        sun = staff.add(db, "sun", "孙主管", "supervisor", PASSWORD, scene.clock(), "wutong")
        case = apply(None, opened, scene.clock())
        assert case is not None
        cases.save(db, case, "wutong", customer.id, scene.clock())
        public = conversations.begin(
            *(db, "wutong", customer.id, scene.clock()), room="wutong-yard", case_id=case.id
        )
        made = incidents.begin(
            *(db, "wutong", "property", "lift_broken", "3栋电梯", scene.clock()),
            source="staff",
            state=incidents.OPEN,
            opened_by=staff_owner(sun.id),
        )
        for one in (public, private):
            incidents.add_member(
                *(db, made.id, incidents.JOINED, "desk", scene.clock()), case_id=one.case_id
            )
        tell_all(db, scene.desk, sun, made.id, "tell-000001", TEXT, urgent=False)
        left = select(incident_members.c.id).where(incident_members.c.case_id == private.case_id)
        incidents.settle_member(db, db.execute(left).scalar_one(), state=incidents.LEFT)
    scene.rounds()
    assert scene.shown(public) == []
    assert scene.shown(private) == []


def test_who_does_not_know_yet_first_hears_what_happened(scene: IncidentScene) -> None:
    number, customer = scene.order(identity="owner-1"), scene.customer(identity="owner-1")
    scene.clock.now = NOON + timedelta(hours=11)
    scene.reported(kind="facility_down", orders=[number], place="3栋")
    scene.rounds()
    assert scene.chats(customer) == [], "it is night"
    [incident] = scene.incidents()
    with scene.store.write() as db:
        sun = staff.add(db, "sun", "孙主管", "supervisor", PASSWORD, scene.clock(), "wutong")
        tell_all(db, scene.desk, sun, incident.id, new_id("t"), "请先走楼梯", urgent=True)
    scene.rounds()
    scene.later(seconds=11)
    scene.rounds()
    [chat] = scene.chats(customer)
    first, second = (one["text"] for one in scene.shown(chat, "message"))
    assert "3栋" in first
    assert second == "请先走楼梯"


def test_what_was_not_sent_by_day_is_not_sent_at_night(scene: IncidentScene) -> None:
    [chat] = complained(scene, scene.order())
    with scene.store.write() as db:
        sun = staff.add(db, "sun", "孙主管", "supervisor", PASSWORD, scene.clock(), "wutong")
        made = incidents.begin(
            *(db, "wutong", "property", "lift_broken", "3栋电梯", scene.clock()),
            source="staff",
            state=incidents.OPEN,
            opened_by=staff_owner(sun.id),
        )
        incidents.add_member(
            *(db, made.id, incidents.JOINED, "desk", scene.clock()),
            case_id=chat.case_id,
            conversation_id=chat.id,
        )
        tell_all(db, scene.desk, sun, made.id, new_id("t"), TEXT, urgent=False)
    scene.clock.now = NOON + timedelta(hours=11)
    scene.rounds()
    assert scene.shown(chat, "message") == [], "no desk ran until now"
    scene.clock.now = NOON + timedelta(hours=20)
    scene.rounds()
    assert len(scene.shown(chat, "message")) == 1
