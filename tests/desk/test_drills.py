"""Practice at a desk that serves: beside all that is real, seen by whom it concerns."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, func, select

from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, conversations, customers, staff, streams
from recovery.store.tables import audit_log, metadata
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"
ROOT = "/api/staff"
DIRTY = "hotel-dirty-room"
PEOPLE = (
    ("lin", "agent", "lanting"),
    ("wu", "agent", "lanting"),
    ("sun", "supervisor", "lanting"),
    ("ma", "manager", "lanting"),
    ("qing", "manager", "qinghe"),
)
GOOD = (
    "半夜进房看到这样的床单，换谁都受不了，是我们没做好，向您道歉。",
    "我给您换一间打扫好的房，同事十分钟内上楼帮您搬行李。",
    "早餐七点前送到您房间，您先好好休息。",
)
# What a practice may write to, and nothing else.
OWN = {"drills", "audit_log"}


class Pages:
    """The browsers of staff."""

    def __init__(self, desk: Desk, clock: Clock, http: dict[str, httpx.AsyncClient]) -> None:
        self.desk = desk
        self.clock = clock
        self._http = http

    async def call(self, login: str, method: str, path: str, **body: Any) -> Any:  # noqa: ANN401
        """A call that is allowed; what it answers."""
        answer = await self._http[login].request(method, ROOT + path, json=body or None)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    async def refused(self, login: str, method: str, path: str, **body: Any) -> tuple[int, str]:  # noqa: ANN401
        answer = await self._http[login].request(method, ROOT + path, json=body or None)
        return answer.status_code, str(answer.json()["error"]["code"])

    async def begins(self, login: str = "lin", scenario: str = DIRTY) -> dict[str, Any]:
        asked = {"id": new_id("a"), "scenario": scenario}
        begun: dict[str, Any] = await self.call(login, "POST", "/drills", **asked)
        return begun

    async def says(self, drill: str, text: str, login: str = "lin") -> dict[str, Any]:
        self.clock.now += timedelta(seconds=20)
        line = {"id": new_id("l"), "text": text}
        shown: dict[str, Any] = await self.call(login, "POST", f"/drills/{drill}/say", **line)
        return shown

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.desk.context.storage.database.read() as db:
            return {
                name: db.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }

    def acts(self) -> list[str]:
        wanted = select(audit_log.c.act).where(audit_log.c.act.like("drill%"))
        with self.desk.context.storage.database.read() as db:
            return list(db.execute(wanted.order_by(audit_log.c.id)).scalars())


@asynccontextmanager
async def pages(folder: Path) -> AsyncIterator[Pages]:
    clock = Clock()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(serving(a_context(folder, clock)))
        clients = {}
        for login, role, business in PEOPLE:
            with desk.context.storage.database.write() as db:
                staff.add(db, login, f"同事{login}", role, PASSWORD, clock(), business)
            http = httpx.AsyncClient(base_url=desk.url, timeout=PATIENCE, trust_env=False)
            clients[login] = await stack.enter_async_context(http)
            answer = await http.post(f"{ROOT}/login", json={"login": login, "password": PASSWORD})
            http.cookies.clear()
            http.headers["Cookie"] = f"huixin_staff={answer.cookies['huixin_staff']}"
            http.headers["X-CSRF"] = answer.json()["csrf"]
        yield Pages(desk, clock, clients)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_a_practice_is_held_reviewed_and_touches_nothing_real(tmp_path: Path) -> None:
    async with pages(tmp_path) as one:
        lists = await one.call("lin", "GET", "/drills")
        assert len(lists["scenarios"]) >= 15 and lists["industries"] == ["hotel"]
        assert (lists["running"], lists["may"]) == (None, {"oversee": False, "record": False})
        assert "closing" not in str(lists) and "inflames" not in str(lists)
        before = one.counts()

        asked = {"id": "asked-000001", "scenario": DIRTY}
        begun = await one.call("lin", "POST", "/drills", **asked)
        assert begun == await one.call("lin", "POST", "/drills", **asked)
        assert (begun["practice"], begun["state"], len(begun["lines"])) == (True, "running", 2)
        assert begun["given"]["items"] and begun["review"] is None
        other = {"id": "asked-000002", "scenario": DIRTY}
        assert await one.refused("lin", "POST", "/drills", **other) == (409, "running")

        line = {"id": "line-0000001", "text": GOOD[0]}
        path = f"/drills/{begun['id']}/say"
        said = await one.call("lin", "POST", path, **line)
        assert said["lines"] == (await one.call("lin", "POST", path, **line))["lines"]
        assert all("marks" not in each for each in said["lines"])
        for text in GOOD[1:]:
            said = await one.says(begun["id"], text)
        assert (said["state"], said["review"]["outcome"]) == ("ended", "calmed")
        assert [each for each in said["lines"] if each.get("marks")]
        late = await one.says(begun["id"], "还有一句")
        assert late["lines"] == said["lines"]

        [row] = (await one.call("lin", "GET", "/drills"))["drills"]
        assert (row["outcome"], row["good"]) == ("calmed", said["review"]["good"])
        assert one.acts() == ["drill_begin"]
        after = one.counts()
        assert {name for name in after if after[name] != before[name]} == OWN


async def test_the_desks_clock_makes_the_customer_ask_and_ends_it(tmp_path: Path) -> None:
    async with pages(tmp_path) as one:
        begun = await one.begins()
        one.clock.now = NOON + timedelta(minutes=4)
        asked = await one.call("lin", "GET", f"/drills/{begun['id']}")
        assert len(asked["lines"]) == len(begun["lines"]) + 2
        said = await one.says(begun["id"], "我给您换一间打扫好的房。")
        assert said["lines"][: len(asked["lines"])] == asked["lines"]
        assert said["lines"][len(asked["lines"])]["waited"] == 260
        one.clock.now = NOON + timedelta(hours=1)
        [row] = (await one.call("lin", "GET", "/drills"))["drills"]
        assert (row["state"], row["outcome"]) == ("ended", "time")
        # The next one may begin, and the one before has its review.
        again = await one.begins()
        over = await one.call("lin", "GET", f"/drills/{begun['id']}")
        assert (over["state"], over["ended_at"]) == ("ended", over["due_at"])
        assert over["review"]["outcome"] == "time"
        # One in which nothing was said is no practice.
        left = await one.call("lin", "POST", f"/drills/{again['id']}/end", id="x")
        assert (left["state"], left["review"]) == ("left", None)
        assert len((await one.call("lin", "GET", "/drills"))["drills"]) == 1
        assert one.acts() == ["drill_begin", "drill_begin", "drill_end"]


async def test_who_sees_a_practice(tmp_path: Path) -> None:
    async with pages(tmp_path) as one:
        begun = await one.begins()
        await one.says(begun["id"], GOOD[0])
        await one.call("lin", "POST", f"/drills/{begun['id']}/end", id="x")
        path = f"/drills/{begun['id']}"
        seen = await one.call("sun", "GET", path)
        assert (seen["staff"], seen["mine"], seen["review"]["outcome"]) == (
            *("同事lin", False),
            "stopped",
        )
        [row] = (await one.call("sun", "GET", "/drills/team"))["drills"]
        assert (row["id"], row["staff"]) == (begun["id"], "同事lin")
        assert (await one.call("qing", "GET", "/drills/team"))["drills"] == []
        for login in ("wu", "qing"):
            assert await one.refused(login, "GET", path) == (404, "not_found")
        say = {"id": "line-0000001", "text": "您好"}
        assert await one.refused("sun", "POST", f"{path}/say", **say) == (404, "not_found")
        assert await one.refused("wu", "GET", "/drills/team") == (403, "forbidden")
        long = {"id": "line-0000001", "text": "好" * 501}
        assert await one.refused("lin", "POST", f"{path}/say", **long) == (400, "too_long")
        assert (await one.refused("lin", "POST", f"{path}/say", id="line-0000001", text=7))[
            0
        ] == 400


def a_closed_case(db: Connection, desk: Desk) -> str:
    """A case of 欧阳静姝, told in private."""
    customer, _ = customers.begin_session(db, None, "lanting", "欧阳静姝", None, NOON)
    case = Case(
        id=new_id("s"),
        stage="closed",
        facts={"failure": "room_not_clean", "order_number": "LT202611180012"},
        anger=CaseAnger(2, 3, 0),
        order_number="LT202611180012",
        outcome="explained",
    )
    cases.save(db, replace(case, stage="hearing"), "lanting", customer.id, NOON)
    cases.save(db, case, "lanting", customer.id, NOON)
    talk = conversations.begin(db, "lanting", customer.id, NOON, case_id=case.id)
    for place, (author, text) in enumerate(
        (
            ("customer", "我是欧阳静姝，8012房没打扫，电话13800138000"),
            ("staff", "您好，我是小林"),
            ("customer", "小林你看看，床单上全是头发，我明天还要早起"),
        )
    ):
        event = {"id": f"e{place}", "kind": "message", "author": author, "text": text}
        event |= {"name": "小林" if author == "staff" else "欧阳静姝", "at": NOON.isoformat()}
        streams.append(db, talk.stream, event, NOON)
    return case.id


async def test_a_manager_makes_a_scenario_out_of_a_case(tmp_path: Path) -> None:
    async with pages(tmp_path) as one:
        with one.desk.context.storage.database.write() as db:
            case = a_closed_case(db, one.desk)
        [found] = (await one.call("ma", "GET", "/drill-scenarios/cases"))["cases"]
        assert (found["id"], found["peak"]) == (case, 3) and "欧阳" not in str(found)
        assert (await one.call("qing", "GET", "/drill-scenarios/cases"))["cases"] == []
        made = (await one.call("ma", "POST", "/drill-scenarios/draft", case=case))["scenario"]
        for secret in ("欧阳静姝", "8012", "13800138000", "小林", "LT2026"):
            assert secret not in str(made)
        assert "床单上全是头发" in str(made) and made["opening"] == ["房没打扫"]

        keep = "/drill-scenarios/keep"
        body = {"case": case, "scenario": made}
        assert await one.refused("ma", "POST", keep, **body) == (400, "not_reviewed")
        leaks = {**body, "reviewed": True, "scenario": {**made, "closing": "打13800138000"}}
        assert await one.refused("ma", "POST", keep, **leaks) == (400, "personal_data")
        wrong = {**body, "reviewed": True, "scenario": {**made, "opening": []}}
        assert await one.refused("ma", "POST", keep, **wrong) == (400, "bad_scenario")
        foreign = {**body, "reviewed": True}
        assert await one.refused("qing", "POST", keep, **foreign) == (404, "not_found")
        assert await one.refused("sun", "POST", keep, **foreign) == (403, "forbidden")
        kept = await one.call("ma", "POST", keep, **foreign)

        first = (await one.call("lin", "GET", "/drills"))["scenarios"][0]
        assert (first["id"], first["source"]) == (kept["id"], "recorded")
        assert kept["id"] not in str(await one.call("qing", "GET", "/drills"))
        foreign_start = {"id": "asked-000001", "scenario": kept["id"]}
        assert await one.refused("qing", "POST", "/drills", **foreign_start) == (404, "not_found")
        begun = await one.begins(scenario=kept["id"])
        # Taken away while it is practised, it is practised to its end.
        await one.call("ma", "DELETE", f"/drill-scenarios/{kept['id']}")
        assert (await one.says(begun["id"], "您说得对，是我们没做好。"))["state"] == "running"
        assert kept["id"] not in str((await one.call("lin", "GET", "/drills"))["scenarios"])
        assert one.acts() == ["drill_scenario_add", "drill_begin", "drill_scenario_remove"]
