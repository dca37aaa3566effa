"""Files of the insights, and what staff say at the end of a case: as the page shows it, no more."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select

from desk.errors import PageError
from desk.insights import fonts, wording
from desk.insights.making import Making
from recovery.case import Case
from recovery.insights.figures import FIGURES
from recovery.store import cases, conversations, customers, staff, weekly_reports
from recovery.store.tables import audit_log
from tests.desk.people import PATIENCE
from tests.desk.serving import NOON, Clock, Desk, a_context, serving

PASSWORD = "an honest password"
PEOPLE = (
    ("lin", "小林", "agent", "lanting"),
    ("fang", "方姐", "supervisor", "lanting"),
    ("gu", "顾工", "admin", None),
    ("qing", "小青", "manager", "qinghe"),
)
TODAY = "2026-11-22"
PERIOD = f"from=2026-11-01&to={TODAY}"
# What staff write may be read by a spreadsheet as a formula, and hold a customer's number.
ACTION = "=HYPERLINK(A1) 领班复查，先打 13800001111 问"


@dataclass
class Scene:
    desk: Desk
    clock: Clock
    pages: dict[str, httpx.AsyncClient]
    chats: dict[str, str]

    async def call(self, login: str, method: str, path: str, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        given = {"json": body} if method == "POST" else {}
        return await self.pages[login].request(method, path, **given)

    async def get(self, login: str, path: str) -> httpx.Response:
        return await self.call(login, "GET", path)

    async def closes(self, chat: str, **learned: str) -> httpx.Response:
        await self.call("lin", "POST", f"/conversations/{chat}/take")
        path = f"/conversations/{chat}/close"
        return await self.call("lin", "POST", path, outcome="solved", force=True, **learned)

    async def works_out(self) -> None:
        while await self.desk.app.ctx.insights.look_once():
            pass

    def acts(self, act: str) -> list[tuple[Any, ...]]:
        query = select(audit_log.c.login, audit_log.c.business, audit_log.c.detail)
        with self.desk.context.storage.database.read() as db:
            return [tuple(row) for row in db.execute(query.where(audit_log.c.act == act))]


@asynccontextmanager
async def logged_in(desk: Desk, login: str) -> AsyncIterator[httpx.AsyncClient]:
    base = f"{desk.url}/api/staff"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as page:
        answer = await page.post("/login", json={"login": login, "password": PASSWORD})
        page.headers["X-CSRF"] = answer.json()["csrf"]
        yield page


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = Clock()
    context = a_context(tmp_path, clock)
    chats = {}
    with context.storage.database.write() as db:
        for login, name, role, business in PEOPLE:
            staff.add(db, login, name, role, PASSWORD, NOON, business)
        for case_id, business in (("s1", "lanting"), ("s2", "lanting"), ("s3", "qinghe")):
            customer, _ = customers.begin_session(db, None, business, "欧阳晓敏", None, NOON)
            case = Case(case_id, facts={"failure": "room_not_clean"}, stage="hearing")
            cases.save(db, case, business, customer.id, NOON)
            begun = conversations.begin(db, business, customer.id, NOON, case_id=case_id)
            chats[case_id] = begun.id
    async with serving(context) as desk, AsyncExitStack() as stack:
        pages = {
            login: await stack.enter_async_context(logged_in(desk, login)) for login, *_ in PEOPLE
        }
        yield Scene(desk, clock, pages, chats)


def sheet(answer: httpx.Response, name: str) -> list[tuple[Any, ...]]:
    book = load_workbook(io.BytesIO(answer.content))
    return [tuple(cell.value for cell in row) for row in book[name].iter_rows(min_row=2)]


def words(answer: httpx.Response) -> str:
    """All words of a PDF, without the gaps that readers put between Chinese characters."""
    pages = PdfReader(io.BytesIO(answer.content)).pages
    text = "".join(page.extract_text() for page in pages)
    return "".join(text.replace("\0", " ").split())


async def test_the_end_of_a_case_asks_why_and_the_answer_stands_in_the_insights(
    scene: Scene,
) -> None:
    chat = scene.chats["s1"]
    lesson = (await scene.get("lin", f"/conversations/{chat}")).json()["lesson"]
    assert (lesson["cause"], lesson["confirmed"]) == ("cleaning_check", False)
    assert {one["name"] for one in lesson["causes"]} >= {"cleaning_check", "other"}

    for wrong, code in (
        ({"cause": "the moon"}, "bad_request"),
        ({"action": "复查"}, "no_cause"),
        ({"cause": "other", "action": "字" * 301}, "too_long"),
        ({"cause": "other", "action": "复查", "action_due": "2026-13-01"}, "bad_day"),
        ({"cause": "other", "action": "复查", "action_due": "2026-11-01"}, "bad_day"),
    ):
        refused = await scene.closes(chat, **wrong)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    said = {"action": ACTION, "action_by": "李领班", "action_due": "2026-12-01"}
    assert (await scene.closes(chat, cause="cleaning_staffing", **said)).status_code == 200
    # Who says nothing confirms nothing.
    assert (await scene.closes(scene.chats["s2"])).status_code == 200

    await scene.works_out()
    shown = (await scene.get("fang", f"/insights?{PERIOD}")).json()
    counted = {one["cause"]: (one["count"], one["confirmed"]) for one in shown["pareto"]}
    assert counted == {"cleaning_staffing": (1, 1), "cleaning_check": (1, 0)}
    [action] = shown["actions"]
    assert (action["by"], action["due"], action["done"]) == ("李领班", "2026-12-01", None)
    assert "13800001111" not in action["action"]
    again = (await scene.get("lin", f"/conversations/{chat}")).json()["lesson"]
    assert (again["cause"], again["confirmed"]) == ("cleaning_staffing", True)

    done = "/insights/actions/s1/done"
    assert (await scene.call("lin", "POST", done)).status_code == 403
    assert (await scene.call("qing", "POST", done)).status_code == 404
    assert (await scene.call("fang", "POST", "/insights/actions/s2/done")).status_code == 404
    for _ in range(2):
        assert (await scene.call("fang", "POST", done)).json() == {"done": True}
    assert scene.acts("action_done") == [("fang", "lanting", {"case": "s1"})]
    shown = (await scene.get("fang", f"/insights?{PERIOD}")).json()
    assert [one["done"] is not None for one in shown["actions"]] == [True]


async def test_the_files_hold_what_the_page_shows_and_no_customer(scene: Scene) -> None:
    said = {"cause": "cleaning_check", "action": ACTION}
    assert (await scene.closes(scene.chats["s1"], **said)).status_code == 200
    await scene.works_out()
    shown = (await scene.get("fang", f"/insights?{PERIOD}")).json()

    made = await scene.get("fang", f"/insights/export.xlsx?{PERIOD}")
    assert made.status_code == 200
    assert "filename*=UTF-8''%E6%B4%9E%E5%AF%9F_2026-11-01_" in made.headers["content-disposition"]
    rows = {row[1]: row for row in sheet(made, "指标")}
    for one in shown["figures"]:
        scale = 100 if one["unit"] in ("percent", "fen") else 1
        value = one["value"] / scale if one["value"] is not None else None
        assert rows[one["name"]][2] == (pytest.approx(value) if value is not None else None), one
        assert (rows[one["name"]][4], rows[one["name"]][-1]) == (wording.figure(one), one["how"])
    assert [row[:3] for row in sheet(made, "根本原因")] == [
        (one["name"], one["count"], one["confirmed"]) for one in shown["pareto"]
    ]
    days = sheet(made, "每天")
    assert (len(days), days[-1][:2]) == (22, (TODAY, 2))
    [written] = sheet(made, "改进措施")
    assert str(written[0]).startswith("=HYPERLINK")
    cell = load_workbook(io.BytesIO(made.content))["改进措施"]["A2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True), "it is text and stays text"

    printed = await scene.get("fang", f"/insights/export.pdf?{PERIOD}")
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    text = words(printed)
    assert "洞察：岚庭酒店" in text
    for one in FIGURES.values():
        assert "".join(one.name.split()) in text, one.name
    fonts_used = PdfReader(io.BytesIO(printed.content)).pages[0]["/Resources"]["/Font"]
    assert all("+" in font.get_object()["/BaseFont"] for font in fonts_used.values()), (
        "the characters that are used lie in the file itself"
    )
    everything = text + str([sheet(made, name) for name in load_workbook_names(made)])
    assert not [one for one in ("欧阳", "13800001111") if one in everything]

    # The admin sees all businesses, a manager of another one only that; nobody else's cases.
    [qing] = [row[2] for row in sheet(await scene.get("qing", export("qing")), "指标")][:1]
    [gu] = [row[2] for row in sheet(await scene.get("gu", export("gu")), "指标")][:1]
    assert (qing, gu) == (1, 3)
    assert (await scene.get("qing", f"{export('qing')}&business=lanting")).status_code == 404
    assert (await scene.get("lin", export("lin"))).status_code == 403
    asked = {"from": "2026-11-01", "to": TODAY}
    assert scene.acts("export_insights") == [
        ("fang", "lanting", {"form": "xlsx", **asked}),
        ("fang", "lanting", {"form": "pdf", **asked}),
        ("qing", "qinghe", {"form": "xlsx", **asked}),
        ("gu", None, {"form": "xlsx", **asked}),
    ]


def export(_: str) -> str:
    return f"/insights/export.xlsx?{PERIOD}"


def load_workbook_names(answer: httpx.Response) -> list[str]:
    return load_workbook(io.BytesIO(answer.content)).sheetnames


async def test_a_weekly_report_can_be_printed_by_who_may_read_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.works_out()
    content = (await scene.get("fang", f"/insights?{PERIOD}")).json()
    content |= {"changed": ["投诉：2，比上周多 100%😀"]}
    with scene.desk.context.storage.database.write() as db:
        report = weekly_reports.keep(db, "lanting", date(2026, 11, 9), content, NOON)
    path = f"/insights/reports/{report}/export.pdf"
    made = await scene.get("fang", path)
    assert made.status_code == 200
    text = words(made)
    assert "周报：岚庭酒店" in text
    assert "2026-11-09起的一周" in text
    assert "投诉：2，比上周多100%□" in text, "what the font does not have is seen to be missing"
    assert (await scene.get("qing", path)).status_code == 404
    assert (await scene.get("lin", path)).status_code == 403

    monkeypatch.setattr("desk.insights.exports.find", lambda: fonts.find(()))
    for pdf in (path, f"/insights/export.pdf?{PERIOD}"):
        refused = await scene.get("fang", pdf)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_font")
        assert "fonts-noto-cjk" in refused.json()["error"]["message"]
    assert (await scene.get("fang", f"/insights/export.xlsx?{PERIOD}")).status_code == 200


async def test_each_member_has_one_file_made_at_a_time() -> None:
    making, go = Making(), threading.Event()

    def slowly() -> bytes:
        assert go.wait(PATIENCE)
        return b"done"

    first = asyncio.create_task(making.make(1, slowly))
    await asyncio.sleep(0)
    with pytest.raises(PageError) as refused:
        await making.make(1, slowly)
    assert refused.value.code == "too_fast"
    others = asyncio.create_task(making.make(2, slowly))
    # Whose page goes away has not done with it: it is still being made.
    first.cancel()
    await asyncio.sleep(0)
    with pytest.raises(PageError):
        await making.make(1, slowly)
    go.set()
    assert await others == b"done"
    assert await making.make(1, slowly) == b"done"


def test_values_are_read_as_on_the_page() -> None:
    assert [wording.length(one) for one in (0, 59, 95, 600, 5400, 172_800)] == [
        *("0秒", "59秒", "1分35秒", "10分钟", "1小时30分", "2天"),
    ]
    assert [wording.yuan(one) for one in (0, 5, 1550, -1550, 1500)] == [
        *("0元", "0.05元", "15.50元", "-15.50元", "15元"),
    ]
    assert wording.value(100, "percent") == "100%"
    assert wording.value(31.04, "points") == "+31"

    def told(value: float | None, before: float | None, unit: str) -> str:
        return wording.change({"value": value, "before": before, "unit": unit})

    assert told(40, 30.5, "percent") == "高 9.5个百分点"
    assert told(15, 12, "count") == "多 25%"
    assert told(90, 10, "count") == "是上期的9倍"
    assert told(45, 90, "seconds") == "短 50%"
    assert (told(40, 40, "percent"), told(None, 3, "count")) == ("一样", "")
    few = {"value": None, "unit": "percent", "n": 3, "low": "样本太少"}
    assert wording.figure(few) == "样本太少"
