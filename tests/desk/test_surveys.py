"""The survey over real HTTP: opened by its link, answered once, seen by staff of the business."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from desk.aftercare.watch import Aftercare
from desk.context import Context
from desk.conversations.router import Router
from recovery.aftercare.survey import DIMENSIONS
from recovery.store import gestures, staff, surveys
from recovery.store.database import stamp
from recovery.store.tables import audit_log as audit_table
from tests.desk.follow_ups import Told
from tests.desk.people import PATIENCE
from tests.desk.serving import Clock, Desk, a_context, serving
from tests.desk.test_aftercare import changed, person, rated, wishes

PASSWORD = "an honest password"
ANSWERS: dict[str, Any] = {
    "expected": dict.fromkeys(DIMENSIONS, 6),
    "perceived": dict.fromkeys(DIMENSIONS, 4),
    "confirmed": 2,
    "recommend": 9,
    "words": "回得挺快\x00，就是晚了",
}


@pytest.fixture(scope="module")
def clock() -> Clock:
    clock = Clock()
    clock.now = clock.now.replace(hour=2)
    return clock


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Context]:
    """One desk's stores for the file; who serves them closes them."""
    yield a_context(tmp_path_factory.mktemp("surveys"), clock, businesses=changed())


@asynccontextmanager
async def page(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=desk.url, timeout=PATIENCE, trust_env=False) as http:
        yield http


async def sent(told: Told, clock: Clock) -> str:
    """The secret of the survey that is sent a while after the rating."""
    clock.now += timedelta(minutes=20)
    worker = Aftercare(told.desk, Router(told.desk, None))  # type: ignore[arg-type]  # no Rasa
    await worker.look_once()
    return str(told.events[-1]["link"]["url"]).removeprefix("/s/")


async def logged_in(http: httpx.AsyncClient, context: Context, role: str) -> None:
    with context.storage.database.write() as db:
        staff.add(db, role, "小林", role, PASSWORD, context.clock())
    answer = await http.post("/api/staff/login", json={"login": role, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    http.headers["X-CSRF"] = answer.json()["csrf"]


async def test_the_survey_and_what_staff_do_of_it(context: Context, clock: Clock) -> None:
    told = rated(context)
    secret = await sent(told, clock)
    async with serving(context) as desk, page(desk) as http, page(desk) as staff_page:
        await _answered_once(http, told, secret, clock)
        await _refused(http, told, clock)
        await _panel(staff_page, context, told)


async def _answered_once(http: httpx.AsyncClient, told: Told, secret: str, clock: Clock) -> None:
    path = f"/api/surveys/{secret}"
    found = (await http.get(path)).json()
    assert (found["state"], found["business"]) == ("open", "岚庭酒店")
    assert [one["id"] for one in found["dimensions"]] == list(DIMENSIONS)
    for half in ({**ANSWERS, "confirmed": 9}, {"words": "好"}, {**ANSWERS, "words": ["x"]}):
        answer = await http.post(path, json=half)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_answers")
    assert (await http.post(path, json=ANSWERS)).json() == {"state": "done", "repeated": False}
    other = {**ANSWERS, "recommend": 0}
    assert (await http.post(path, json=other)).json() == {"state": "done", "repeated": True}
    assert (await http.get(path)).json() == {"state": "done", "business": "岚庭酒店"}
    with told.desk.storage.database.read() as db:
        kept = surveys.of_case(db, told.case)
    assert kept is not None
    assert (kept.recommend, kept.confirmed, kept.words) == (9, 2, "回得挺快，就是晚了")
    assert kept.perceived == dict.fromkeys(DIMENSIONS, 4)


async def _refused(http: httpx.AsyncClient, told: Told, clock: Clock) -> None:
    late = rated(told.desk)
    secret = await sent(late, clock)
    clock.now += timedelta(days=31)
    assert (await http.get(f"/api/surveys/{secret}")).json()["state"] == "expired"
    gone = await http.post(f"/api/surveys/{secret}", json=ANSWERS)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "expired")
    for wrong in ("x", "y" * 43, "%00" * 20, "很" * 30):
        answers = [
            await http.get(f"/api/surveys/{wrong}"),
            await http.post(f"/api/surveys/{wrong}", json=ANSWERS),
        ]
        assert {one.status_code for one in answers} == {404}
    codes = [(await http.get(f"/api/surveys/{'z' * 43}")).status_code for _ in range(30)]
    assert codes[-1] == 429, "secrets are not guessed at any pace"


async def _panel(http: httpx.AsyncClient, context: Context, told: Told) -> None:
    await logged_in(http, context, "agent")
    at = f"/api/staff/conversations/{told.chat.id}"
    told.owned("queue")
    shown = (await http.get(at)).json()["aftercare"]
    assert shown["survey"]["words"] == "回得挺快，就是晚了"
    assert (shown["wishes"], shown["no_marketing"]) == ([], False)
    added = await http.post(f"{at}/wishes", json={"add": "不要券"})
    [wish] = added.json()["wishes"]
    assert (wish["text"], wish["kind"], wish["by"]) == ("不要券", "不要券", "小林")
    assert wishes(told).has("no_voucher"), "what staff write in a sure form counts as said"
    assert (await http.post(f"{at}/wishes", json={"no_marketing": True})).json()["no_marketing"]
    back = await http.post(f"{at}/wishes", json={"no_marketing": False})
    assert back.status_code == 403, "for good: who oversees may take it back"
    for odd in ({}, {"add": ""}, {"add": "x" * 201}, {"no_marketing": 1}, {"else": "x"}):
        assert (await http.post(f"{at}/wishes", json=odd)).status_code == 400
    assert (await http.post(f"{at}/wishes", json={"drop": "不要券"})).json()["wishes"] == []
    with context.storage.database.write() as db:
        one = gestures.Offered(
            *("g0001", "lanting", told.case, person(told), "gesture", "hotel-upset"),
            *({"title": "手写卡片", "why": "因为", "task": "手写卡片"}, 500, "taken"),
            *(stamp(context.clock()), None, False),
        )
        gestures.offer(db, one)
    for _ in range(2):
        assert (await http.post(f"{at}/gestures/g0001/done", json={})).status_code == 200
    assert (await http.post(f"{at}/gestures/g0002/done", json={})).status_code == 404
    done = [one for one in told.events if one["kind"] == "progress"]
    assert [one["state"] for one in done] == ["done"]
    with context.storage.database.read() as db:
        acts = [row.act for row in db.execute(audit_table.select()) if row.target == told.chat.id]
        details = str(list(db.execute(audit_table.select())))
    assert acts.count("wishes") == 3
    assert acts.count("gesture_done") == 1
    assert "不要券" not in details, "the log keeps no words of a customer"
