"""The insights page with known cases: every figure is what one counts by hand."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Download, Page, expect
from pypdf import PdfReader

from tests.browser.indoors import Indoors, at_work, fits, indoors
from tests.browser.party import Party
from tests.browser.test_accessibility import LOOKS, violations
from tests.browser.visitors import DESKTOP, Agent
from tests.desk.serving import Clock, a_context
from tests.support.counted import counted
from tests.support.lessons import BUSINESS, DIMENSIONS, Told, a_world, write

WORLD = a_world(number=70)
SINCE, UNTIL = date(2026, 7, 1), date(2026, 11, 30)
ALL = f"/staff/insights?from={SINCE}&to={UNTIL}"
STAFF = (
    ("lin", "小林", "agent", BUSINESS),
    ("sun", "孙主管", "supervisor", BUSINESS),
    ("boss", "马经理", "manager", None),
)
# Of fewer customers than these nothing is said.
LEAST = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """A desk whose clock stands where the known cases end; all of them are worked out."""
    context = a_context(tmp_path_factory.mktemp("insights"), Clock())
    with context.storage.database.write() as db:
        write(db, WORLD)
    with indoors(context, STAFF) as made:
        made.looks(made.desk.app.ctx.insights)
        yield made


@pytest.fixture(scope="module")
def party(chromium: Browser, house: Indoors) -> Iterator[Party]:
    """The people of all tests of this file."""
    people = Party(chromium, house.url)
    yield people
    people.close()


@pytest.fixture(scope="module")
def sun(party: Party) -> Agent:
    """The supervisor, whose page each test opens where it wants."""
    return at_work(party, "sun", ALL, accept_downloads=True)


def opened(agent: Agent, path: str = ALL) -> Page:
    """The page, with what was asked for on it."""
    agent.go(path)
    expect(agent.page.get_by_test_id("insight-period")).not_to_contain_text("正在更新")
    return agent.page


def cases_on(page: Page) -> int:
    """How many complaints the page says there are."""
    said = re.search(r"，(\d+) 件投诉", page.get_by_test_id("insight-period").inner_text())
    assert said
    return int(said[1])


# --- what a tile says, read as people read it --------------------------------------------------


def read(words: str) -> tuple[float, float]:
    """A value, and by how much it may have been rounded.

    Money is in fen, lengths of time are in seconds.
    """
    sign = -1 if words.startswith("-") else 1
    number = [float(one) for one in re.findall(r"\d+(?:\.\d+)?", words)]
    if words.endswith("元"):
        return sign * round(number[0] * 100), 0.51
    units = re.findall(r"天|小时|分|秒", words)
    if units:
        length = {"天": 86_400, "小时": 3600, "分": 60, "秒": 1}
        seconds = sum(one * length[unit] for one, unit in zip(number, units, strict=True))
        return sign * seconds, {"天": 4400, "小时": 60, "分": 60, "秒": 1}[units[-1]]
    if words.endswith("%"):
        return sign * number[0], 0.11
    return sign * number[0], 0.051


TILES = """() => Object.fromEntries(
    [...document.querySelectorAll('[data-testid^=figure-]')].map((one) => [
        one.dataset.testid.slice(7),
        {
            value: one.querySelector('.value').innerText,
            cases: parseInt(one.querySelector('.behind').innerText),
            how: one.querySelector('.told p').textContent,
        },
    ]))"""


def tiles(page: Page) -> dict[str, dict[str, Any]]:
    """All figures of the page by id."""
    expect(page.get_by_test_id("figure-complaints")).to_be_visible()
    found: dict[str, dict[str, Any]] = page.evaluate(TILES)
    return found


def agree(shown: dict[str, dict[str, Any]], by_hand: dict[str, float | None]) -> dict[str, Any]:
    """The figures of which page and hand say something else."""
    wrong: dict[str, Any] = {}
    for name, expected in by_hand.items():
        said = shown[name]["value"]
        if said in ("样本太少", "还没有"):
            # Where there is a figure all the same, too few have answered.
            if expected is not None and shown[name]["cases"] >= LEAST:
                wrong[name] = (said, expected)
            continue
        value, rounded = read(said)
        # Points of recommendation are told as whole ones.
        rounded = 0.51 if name == "nps" else rounded
        if expected is None or value != pytest.approx(expected, abs=rounded):
            wrong[name] = (said, expected)
    return wrong


def table(page: Page, caption: str) -> list[list[str]]:
    """The rows of a table of numbers, also of one that is folded."""
    found: list[list[str]] = page.evaluate(
        """(caption) => {
            const tables = [...document.querySelectorAll('table')];
            const named = tables.find((one) => one.caption?.textContent.trim() === caption);
            return [...named.tBodies[0].rows].map(
                (row) => [...row.cells].map((one) => one.textContent.trim()));
        }""",
        caption,
    )
    return found


def rated(one: Told) -> bool:
    return one.asked and one.rating is not None


# --- the tests ----------------------------------------------------------------------------------


def test_every_figure_is_what_one_counts_by_hand(sun: Agent) -> None:
    page = opened(sun)
    shown, by_hand = tiles(page), counted(WORLD, SINCE, UNTIL)
    assert shown.keys() == by_hand.keys()
    assert agree(shown, by_hand) == {}
    silent = [name for name, one in shown.items() if one["value"] in ("样本太少", "还没有")]
    assert len(silent) < 6, silent
    assert all(len(one["how"]) > 5 for one in shown.values()), "each says how it is worked out"
    # How many cases stand behind some of them.
    cases = WORLD.cases
    behind = {name: one["cases"] for name, one in shown.items()}
    assert behind["complaints"] == cases_on(page) == len(cases)
    assert behind["csat"] == sum(map(rated, cases))
    assert behind["csat_answers"] == sum(one.asked for one in cases)
    assert behind["recovered"] == sum(one.angers[0] >= 2 for one in cases)
    assert behind["moved"] == sum(one.invited for one in cases)
    assert behind["nps"] == behind["confirmed"] == sum(bool(one.survey) for one in cases)
    # The charts say their numbers in tables.
    days = {row[0]: row[1:] for row in table(page, "每天")}
    assert len(days) == (UNTIL - SINCE).days + 1
    opened_on = Counter(str(one.day) for one in cases)
    assert {day: int(row[0]) for day, row in days.items() if row[0] != "0"} == opened_on
    causes = Counter(one.cause for one in cases if one.cause)
    assert sum(causes.values()) > 0
    assert len(table(page, "服务质量的差距")) == len(DIMENSIONS)


def test_another_period_beside_the_one_before(sun: Agent) -> None:
    """A period of its own, and what has changed against the days before it."""
    since, until = date(2026, 9, 1), date(2026, 9, 30)
    page = opened(sun, f"/staff/insights?from={since}&to={until}")
    assert agree(tiles(page), counted(WORLD, since, until)) == {}
    before = counted(WORLD, date(2026, 8, 2), date(2026, 8, 31))["complaints"]
    now = counted(WORLD, since, until)["complaints"]
    assert before and now
    change = round(abs(now - before) / before * 100)
    said = "和上期一样" if not change else f"比上期{'多' if now > before else '少'} {change}%"
    expect(page.get_by_test_id("figure-complaints")).to_contain_text(said)


def test_a_figure_opens_the_cases_behind_it(sun: Agent) -> None:
    page = opened(sun)
    cases = WORLD.cases
    stand_behind = {
        "complaints": cases,
        "recovered": [one for one in cases if one.angers[0] >= 2],
        "csat": [one for one in cases if rated(one)],
    }
    for figure, expected in stand_behind.items():
        tile = page.get_by_test_id(f"figure-{figure}")
        tile.get_by_role("button", name=re.compile("看案子")).click()
        drawer = page.get_by_role("dialog")
        pages = -(-len(expected) // 20)
        rows = drawer.get_by_test_id("cases-behind").locator("tbody tr")
        found: list[list[str]] = []
        for number in range(1, pages + 1):
            total = f"共 {len(expected)} 件，第 {number} / {pages} 页"
            expect(drawer.get_by_text(total)).to_be_visible()
            found += rows.evaluate_all(
                "(all) => all.map((row) => [row.querySelector('a').pathname,"
                " row.cells[3].textContent.trim()])"
            )
            if number < pages:
                drawer.get_by_role("button", name="下一页").click()
        links = [link for link, _ in found]
        assert len(set(links)) == len(expected), figure
        numbers = {int(re.findall(r"k(\d+)-", link)[0]) for link in links}
        assert numbers == {one.number for one in expected}, figure
        if figure == "csat":
            yes = sum((one.rating or 0) >= 4 for one in expected)
            assert [value for _, value in found].count("是") == yes
        expect(drawer).to_contain_text("郑**")
        expect(drawer).not_to_contain_text("小雨")
        page.keyboard.press("Escape")
        expect(drawer).to_have_count(0)
    # All others open as well, as many cases as the page says.
    for figure, shown in tiles(page).items():
        path = f"/api/staff/insights/cases?figure={figure}&from={SINCE}&to={UNTIL}"
        answer = sun.context.request.get(sun.base + path)
        assert (answer.status, answer.json()["total"]) == (200, shown["cases"]), figure


def test_filters_stand_in_the_address_and_survive_a_reload(party: Party) -> None:
    boss = at_work(party, "boss", "/staff/insights")
    page = boss.page
    page.get_by_role("button", name="自选").click()
    page.get_by_label("从", exact=True).fill("2026-08-01")
    page.get_by_label("到", exact=True).fill("2026-10-31")
    page.get_by_role("button", name="看这几天").click()
    expect(page.get_by_test_id("insight-period")).to_contain_text("2026-08-01 到 2026-10-31")
    chosen = {"行业": "hotel", "渠道": "wechat", "什么事": "noise"}
    for label, value in chosen.items():
        page.get_by_label(label, exact=True).select_option(value)
        expect(page.get_by_label(label, exact=True)).to_have_value(value)

    def mine(one: Told) -> bool:
        in_time = date(2026, 8, 1) <= one.day <= date(2026, 10, 31)
        return in_time and (one.channel, one.failure) == ("wechat", "noise")

    number = sum(map(mine, WORLD.cases))
    assert 0 < number < len(WORLD.cases)
    for reloaded in (False, True):
        if reloaded:
            page.reload()
        expect(page.get_by_test_id("insight-period")).to_contain_text(f"，{number} 件投诉")
        asked = parse_qs(urlsplit(page.url).query)
        assert asked == {
            **{"from": ["2026-08-01"], "to": ["2026-10-31"], "industry": ["hotel"]},
            **{"channel": ["wechat"], "failure": ["noise"]},
        }
        for label, value in chosen.items():
            expect(page.get_by_label(label, exact=True)).to_have_value(value)
        expect(page.get_by_label("从", exact=True)).to_have_value("2026-08-01")
    # A kind of business without any complaint: said in words, with no figure of nothing.
    page.get_by_label("行业", exact=True).select_option("property")
    expect(page.get_by_test_id("insight-empty")).to_be_visible()
    expect(page.get_by_test_id("insight-period")).to_contain_text("，0 件投诉")
    expect(page.locator("[data-testid^=figure-]")).to_have_count(0)
    assert not re.search(r"NaN|undefined|null|Infinity", page.get_by_role("main").inner_text())


def saved(page: Page, name: str) -> tuple[Download, bytes]:
    """What a button saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    return waiting.value, waiting.value.path().read_bytes()


def test_the_files_hold_what_the_page_shows(sun: Agent) -> None:
    page = opened(sun)
    shown, by_hand = tiles(page), counted(WORLD, SINCE, UNTIL)
    names = {
        page.get_by_test_id(f"figure-{figure}").get_by_role("heading").inner_text(): figure
        for figure in ("complaints", "angry", "spent", "csat", "person_median", "nps")
    }
    made, content = saved(page, "导出 Excel")
    assert made.suggested_filename.endswith(".xlsx")
    assert str(SINCE) in made.suggested_filename
    book = load_workbook(io.BytesIO(content))
    rows = {row[1]: row for row in book["指标"].iter_rows(min_row=2, values_only=True)}
    for name, figure in names.items():
        expected = by_hand[figure]
        assert expected is not None
        scale = 100 if shown[figure]["value"].endswith(("%", "元")) else 1
        assert rows[name][2] == pytest.approx(expected / scale, abs=0.51 / scale), figure
        said = str(rows[name][4]).replace(" ", "")
        assert said == shown[figure]["value"].replace(" ", ""), figure
    made, content = saved(page, "导出 PDF")
    assert made.suggested_filename.endswith(".pdf")
    assert content.startswith(b"%PDF")
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(content)).pages)
    text = "".join(text.replace("\0", " ").split())
    assert "洞察：岚庭酒店" in text
    assert "小雨" not in text


def test_who_may_not_see_it_is_told_so(party: Party, sun: Agent) -> None:
    lin = at_work(party, "lin", ALL)
    expect(lin.page.get_by_role("main")).to_contain_text("看洞察")
    expect(lin.page.get_by_test_id("insights-page")).to_have_count(0)
    expect(lin.page.get_by_role("link", name="洞察", exact=True)).to_have_count(0)
    opened(sun)
    expect(sun.page.get_by_role("link", name="洞察", exact=True)).to_have_count(1)
    for path in ("", "/cases?figure=csat", "/export.xlsx", "/export.pdf", "/reports"):
        answer = lin.context.request.get(f"{lin.base}/api/staff/insights{path}")
        assert answer.status == 403, path


def test_it_is_for_everybody_and_for_small_screens(sun: Agent) -> None:
    page = opened(sun)
    tiles(page)
    found = {}
    try:
        # Light on a phone, dark on a desktop.
        for scheme, size in LOOKS[::3]:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found[f"{scheme} {size['width']}"] = violations(page)
            assert fits(page), size
    finally:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
    assert not {look: what for look, what in found.items() if what}
