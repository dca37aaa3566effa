"""The insights of a desk that serves: who may ask, what is answered, alerts, weekly reports."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from sqlalchemy import select

from desk.conversations import closing, ownership
from desk.conversations.ingest import Incoming, take
from desk.insights.worker import Insights
from recovery.anger import CaseAnger
from recovery.case import Case
from recovery.ids import new_id
from recovery.store import cases, conversations, customers, notices, staff
from recovery.store.database import stamp
from recovery.store.staff import Staff
from recovery.store.tables import alerts as alerts_table
from recovery.store.tables import audit_log, weekly_reports
from recovery.store.tables import case_facts as facts_table
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Clock, Desk, a_context, serving
from tests.support.counted import counted
from tests.support.lessons import BUSINESS, MINUTE, Told, World, a_world, write

PASSWORD = "an honest password"
S = "/api/staff"
HERE = f"{S}/insights"
ALL = {"from": "2026-07-01", "to": "2026-11-30"}
PEOPLE = (
    ("lin", "agent", BUSINESS),
    ("sun", "supervisor", BUSINESS),
    ("qing", "supervisor", "qinghe"),
    ("boss", "manager", None),
    ("root", "admin", BUSINESS),
)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Scene:
    """A desk with known cases, and people of each kind."""

    desk: Desk
    clock: Clock
    world: World
    people: dict[str, Staff]
    http: dict[str, httpx.AsyncClient]

    @property
    def insights(self) -> Insights:
        found: Insights = self.desk.app.ctx.insights
        return found

    async def get(self, who: str, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        answer = await self.http[who].get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def log_in_again(self, *logins: str) -> None:
        """Half a day is longer than a session."""
        for login in logins:
            async with page(self.desk.url, login) as fresh:
                self.http[login].headers.update(fresh.headers)


@asynccontextmanager
async def page(url: str, login: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as http:
        answer = await http.post(f"{S}/login", json={"login": login, "password": PASSWORD})
        http.cookies.clear()
        http.headers["Cookie"] = f"huixin_staff={answer.cookies['huixin_staff']}"
        http.headers["X-CSRF"] = answer.json()["csrf"]
        yield http


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    clock, people, world = Clock(), {}, a_world(number=70)
    context = a_context(tmp_path_factory.mktemp("insights"), clock)
    with pytest.MonkeyPatch.context() as patch:
        # What a hash costs stands in the hash; tests with many logins take cheap ones.
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(staff, "_hasher", cheap)
        with context.storage.database.write() as db:
            for login, role, business in PEOPLE:
                people[login] = staff.add(db, login, login, role, PASSWORD, NOON, business)
            write(db, world)
        async with serving(context) as desk, AsyncExitStack() as stack:
            http = {one: await stack.enter_async_context(page(desk.url, one)) for one in people}
            made = Scene(desk, clock, world, people, http)
            await made.insights.look_once()
            yield made


async def test_figures_are_served_to_who_may_see_them(scene: Scene) -> None:
    served = await scene.get("sun", HERE, **ALL)
    by_hand = counted(scene.world, date(2026, 7, 1), date(2026, 11, 30))
    shown = {one["id"]: one for one in served["figures"]}
    assert shown.keys() == by_hand.keys()
    assert shown["complaints"]["value"] == by_hand["complaints"] == served["cases"]
    assert shown["recovered"]["value"] == pytest.approx(by_hand["recovered"], abs=0.06)
    assert all(one["how"] and one["name"] for one in served["figures"])
    assert served["partial"] == {"behind": 0}
    assert sum(one["cases"] for one in served["series"]["days"]) == served["cases"]
    assert served["pareto"][-1]["cumulative"] == 100
    assert sum(one["count"] for one in served["failures"]) == served["cases"]
    assert served["filters"]["businesses"] == [{"id": BUSINESS, "name": "岚庭酒店"}]
    assert [one["business"] for one in served["budgets"]] == [BUSINESS]
    # By another cut, what is counted is cut as well.
    noise = await scene.get("sun", HERE, failure="noise", channel="wechat", **ALL)
    assert noise["cases"] == sum(
        one.failure == "noise" and one.channel == "wechat" for one in scene.world.cases
    )
    unknown = await scene.get("sun", HERE, failure="unknown", **ALL)
    assert unknown["cases"] == sum(one.failure == "unknown" for one in scene.world.cases)
    # Beside the period before.
    november = await scene.get("sun", HERE, **{"from": "2026-11-01", "to": "2026-11-10"})
    before = counted(scene.world, date(2026, 10, 22), date(2026, 10, 31))
    assert november["figures"][0]["before"] == before["complaints"]
    # The operator's manager sees all, other businesses nothing of it, agents nothing at all.
    assert (await scene.get("boss", HERE, **ALL))["cases"] == served["cases"]
    assert (await scene.get("boss", HERE, business="qinghe", **ALL))["cases"] == 0
    assert (await scene.get("qing", HERE, **ALL))["cases"] == 0
    assert (await scene.http["qing"].get(HERE, params={"business": BUSINESS})).status_code == 404
    assert (await scene.http["lin"].get(HERE)).status_code == 403


async def test_cases_behind_a_figure_are_masked_and_paged(scene: Scene) -> None:
    first = await scene.get("sun", f"{HERE}/cases", figure="complaints", **ALL)
    assert (first["total"], len(first["cases"])) == (70, 20)
    last = await scene.get("sun", f"{HERE}/cases", figure="complaints", page="3", **ALL)
    assert len(last["cases"]) == 10
    assert {one["customer"] for one in first["cases"]} == {"郑**"}
    assert "郑小雨" not in str(first)
    assert all(one["conversation"] for one in first["cases"])
    admins = await scene.get("root", f"{HERE}/cases", figure="csat", **ALL)
    assert {one["conversation"] for one in admins["cases"]} == {None}, "admins read no chats"
    values = [one["value"] for one in admins["cases"]]
    assert set(values) <= {0, 1}
    assert values == sorted(values, reverse=True)
    assert (await scene.get("qing", f"{HERE}/cases", figure="csat", **ALL))["total"] == 0


async def test_what_is_asked_wrongly_is_refused_in_chinese(scene: Scene) -> None:
    wrong = (
        *("from=2026-02-30", "from=20260201", "from=2026-12-01&to=2026-11-01", "to=x"),
        *("from=2020-01-01&to=2026-01-01", "industry=bank", "channel=%27--", "failure=nope"),
        *("from=2026-11-01&from=2026-11-02", "unknown=1", "figure=csat", "from=1999-01-01"),
    )
    asked = [f"{HERE}?{query}" for query in wrong]
    asked += [
        f"{HERE}/cases?{query}" for query in ("figure=", "figure=nope", "figure=csat&page=-1")
    ]
    for path in asked:
        answer = await scene.http["sun"].get(path)
        assert answer.status_code == 400, path
        sentence = answer.json()["error"]["message"]
        assert any("\u4e00" <= char <= "\u9fff" for char in sentence), path
    causes = await scene.get("lin", f"{HERE}/causes")
    known = {one["id"] for one in causes["causes"]}
    assert set(causes["likely"]["hotel"]["noise"]) <= known


async def test_what_happens_at_the_desk_becomes_facts(scene: Scene) -> None:
    """A person is due, answers six minutes later and says sorry; the case is closed."""
    context, clock, lin = scene.desk.context, scene.clock, scene.people["lin"]
    with context.storage.database.write() as db:
        customer, _ = customers.begin_session(db, None, BUSINESS, "阿明", None, clock())
        case = Case(new_id("s"), facts={"failure": "noise"}, anger=CaseAnger(2, 3, 0))
        cases.save(db, case, BUSINESS, customer.id, clock())
        chat = conversations.begin(
            *(db, BUSINESS, customer.id, clock()), case_id=case.id, owner="queue"
        )
        ownership.take(db, context, chat.id, lin, clock())
        clock.now += MINUTE
        take(db, context, Incoming(chat.id, "c-00000001", "还是很吵"), clock())
        clock.now += 6 * MINUTE
        words = "让您没睡好，实在抱歉，我这就去看"
        ownership.answer(db, context, chat.id, lin, "answer-00001", words, clock())
    await scene.insights.look_once()
    row = facts_of(scene, case.id)
    assert (row.person_seconds, row.person_service_seconds) == (7 * 60, 7 * 60)
    assert (row.heard, row.in_time, row.closed, row.recovered) == (1, 1, None, 0)
    with context.storage.database.write() as db:
        clock.now += MINUTE
        closing.close(db, context, chat.id, lin, "solved", "", clock(), force=True)
    await scene.insights.look_once()
    row = facts_of(scene, case.id)
    assert (row.closed, row.outcome, row.recovered) == (1, "solved", 1)
    assert (row.anger_opening, row.anger_close, row.relief) == (2, 0, 2)
    assert row.look_at == stamp(clock() + timedelta(days=90)), "looked at again when time is over"


async def test_what_rises_is_told_once_and_seen_by_one_click(scene: Scene) -> None:
    with scene.desk.context.storage.database.write() as db:
        many = [
            Told(900 + place, NOON - timedelta(hours=1), "slow_checkin", 900 + place)
            for place in range(6)
        ]
        write(db, World(many))
    again = Insights(scene.desk.context, scene.desk.app.ctx.router, pauses=False)
    for worker in (scene.insights, again, scene.insights):
        await worker.look_once()
    served = await scene.get("sun", HERE)
    assert [(one["name"], one["count"], one["state"]) for one in served["alerts"]] == [
        ("办理入住等了太久", 6, "open")
    ]
    with scene.desk.context.storage.database.read() as db:
        for who, number in (("sun", 1), ("boss", 1), ("lin", 0), ("qing", 0)):
            mine = [one for one in notices.latest(db, scene.people[who]) if one.kind == "alert"]
            assert len(mine) == number, who
    path = f"{HERE}/alerts/{served['alerts'][0]['id']}/seen"
    assert (await scene.http["qing"].post(path)).status_code == 404
    bare = {"X-CSRF": ""}
    assert (await scene.http["sun"].post(path, headers=bare)).status_code == 403
    for _ in range(2):
        assert (await scene.http["sun"].post(path)).status_code == 200
    after = await scene.get("sun", HERE)
    assert [one["state"] for one in after["alerts"]] == ["seen"]
    with scene.desk.context.storage.database.read() as db:
        acts = select(audit_log.c.act).where(audit_log.c.act == "see_alert")
        assert len(db.execute(acts).all()) == 1
        assert len(db.execute(select(alerts_table)).all()) == 1
    # What changed is seen at once, however often it was asked before.
    assert after["cases"] == served["cases"] > 6


def facts_of(scene: Scene, case_id: str) -> Any:  # noqa: ANN401 - a row
    with scene.desk.context.storage.database.read() as db:
        return db.execute(select(facts_table).where(facts_table.c.case_id == case_id)).one()


async def test_the_report_of_a_week_is_made_once_when_it_is_over(scene: Scene) -> None:
    """Noon is a Sunday in Shanghai: the week before is over, this one is not."""

    def weeks() -> list[str]:
        with scene.desk.context.storage.database.read() as db:
            query = select(weekly_reports.c.week).order_by(weekly_reports.c.week)
            return list(db.execute(query).scalars())

    assert weeks() == ["2026-11-09"]
    scene.clock.now = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    again = Insights(scene.desk.context, scene.desk.app.ctx.router, pauses=False)
    await again.look_at_days()
    assert weeks() == ["2026-11-09"], "it is Sunday until midnight in Shanghai"
    scene.clock.now += MINUTE
    for worker in (scene.insights, again, scene.insights):
        await worker.look_at_days()
    assert weeks() == ["2026-11-09", "2026-11-16"]
    await scene.log_in_again("sun", "qing")
    listed = (await scene.get("sun", f"{HERE}/reports"))["reports"]
    assert [one["week"] for one in listed] == ["2026-11-16", "2026-11-09"]
    report = await scene.get("sun", f"{HERE}/reports/{listed[1]['id']}")
    by_hand = counted(scene.world, date(2026, 11, 9), date(2026, 11, 15))
    assert report["content"]["cases"] == by_hand["complaints"]
    assert isinstance(report["content"]["changed"], list)
    assert len(report["content"]["pareto"]) <= 5
    assert (await scene.get("qing", f"{HERE}/reports"))["reports"] == []
    path = f"{HERE}/reports/{listed[0]['id']}"
    assert (await scene.http["qing"].get(path)).status_code == 404
    with scene.desk.context.storage.database.read() as db:
        told = [one for one in notices.latest(db, scene.people["sun"]) if one.kind == "report"]
    assert len(told) == 2, "each report is told of once"
