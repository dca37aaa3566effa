"""After the remedy, as customers and staff see it: told, asked, joined, and what was learnt."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Table, update

from desk.aftercare.watch import Aftercare
from desk.conversations.follow_up import FollowUpWatch
from desk.conversations.fulfilment import FulfilmentWorker
from desk.conversations.promise_watch import PromiseWatch
from desk.conversations.router import Router
from desk.incidents.watch import IncidentWatch
from recovery.case import Case
from recovery.ids import new_id
from recovery.signing import HEADER, sign
from recovery.store import cases, conversations, customers, persons
from recovery.store.conversations import Conversation
from recovery.store.database import stamp
from recovery.store.tables import follow_ups, promises, surveys
from tests.browser.backstage import by_hand, listens
from tests.browser.indoors import Ahead, Indoors, at_work, fits, in_chat, indoors, known_guest
from tests.browser.party import Party
from tests.browser.stage import DESKTOP
from tests.browser.test_accessibility import violations
from tests.browser.visitors import PHONE, SORRY, Guest
from tests.desk.deals import Deal, add_orders
from tests.desk.follow_ups import Told, at_rest
from tests.desk.people import PATIENCE
from tests.desk.scripted_rasa import scripted_rasa
from tests.desk.serving import a_context

MINUTE = timedelta(minutes=1)
STAFF = (
    ("lin", "小林", "agent", None),
    ("sun", "孙主管", "supervisor", None),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """A desk at midday, with an order system at the shop that sends parcels and tickets on."""
    businesses = by_hand()
    for one in businesses:
        if one["id"] == "qinghe":
            one["orders"] = {"kind": "embedded", "sends_on": True}
    with scripted_rasa() as rasa:
        rasa.script = listens
        folder = tmp_path_factory.mktemp("promise")
        limits = {"burst": 60, "per_second": 60, "sessions_per_minute": 1000}
        context = a_context(folder, Ahead(), businesses=businesses, rasa=[rasa.url], limits=limits)
        with indoors(context, STAFF) as made:
            yield made


@pytest.fixture(scope="module")
def clock(house: Indoors) -> Ahead:
    """The desk's clock."""
    clock = house.context.clock
    assert isinstance(clock, Ahead)
    return clock


@pytest.fixture(scope="module")
def router(house: Indoors) -> Router:
    """Shows what is told."""
    found: Router = house.desk.app.ctx.router
    return found


def is_due(house: Indoors, table: Table, *where: Any, **values: timedelta) -> None:  # noqa: ANN401
    """Let moments of a row come: by how much they are away from now."""
    now = house.context.clock()
    with house.context.storage.database.write() as db:
        moments = {name: stamp(now + by) for name, by in values.items()}
        done = db.execute(update(table).where(*where).values(**moments))
    assert done.rowcount == 1


def rested(house: Indoors, party: Party, name: str) -> tuple[Guest, Told]:
    """A customer in front of the chat in which a matter has come to rest."""
    guest, customer = known_guest(party, "lanting", name)
    told = at_rest(house.context, customer_id=customer)
    return in_chat(guest, told.chat), told


def asked(house: Indoors, router: Router, guest: Guest, told: Told) -> None:
    """The day after which one is asked is over."""
    house.looks(FollowUpWatch(house.context, router))
    is_due(house, follow_ups, follow_ups.c.case_id == told.case, due_at=-MINUTE)
    house.looks(FollowUpWatch(house.context, router))
    expect(guest.page.get_by_test_id("quick-reply")).to_have_count(6)


def presses(guest: Guest, title: str) -> None:
    """Press a rating."""
    guest.page.get_by_test_id("quick-reply").filter(has_text=title).click()


def a_talk(
    house: Indoors, customer: str, business: str = "lanting", failure: str = "room_not_clean"
) -> tuple[Conversation, str]:
    """A private chat in which a matter is being heard; the chat and the case."""
    now, case = house.context.clock(), Case(new_id("s"), facts={"failure": failure})
    with house.context.storage.database.write() as db:
        cases.save(db, case, business, customer, now)
        return conversations.begin(db, business, customer, now, case_id=case.id), case.id


def reads(page: Page) -> None:
    """It is for everybody, and on a phone as well."""
    before = page.viewport_size
    assert before
    page.set_viewport_size(PHONE)
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.set_viewport_size(before)


# --- progress -----------------------------------------------------------------------------------


def test_each_step_is_told_and_what_will_be_late_before_it_is(
    house: Indoors, party: Party, router: Router
) -> None:
    guest, customer = known_guest(party, "qinghe", "苏禾")
    deal = Deal(
        "QH880000000001",
        "b-88",
        0,
        remedies=({"kind": "expedite", "minutes": 60},),
        facts={"paid": 30_000},
    )
    add_orders(house.context.settings.orders_file, [deal])
    with house.context.storage.database.write() as db:
        deal.chat = conversations.begin(db, "qinghe", customer, house.context.clock())
        deal.offered(db, house.context)
        deal.accepts(db, house.context)
    in_chat(guest, deal.chat)
    house.do(FulfilmentWorker(house.context, router).work_once())
    running = guest.progress.first
    expect(running).to_have_attribute("data-state", "running")
    expect(guest.progress).to_have_count(1)

    # Soon it will not have been kept: told while it still could be, with a new time.
    key = f"{deal.offer}:0"
    mine = promises.c.key == key
    is_due(house, promises, mine, promised_at=-55 * MINUTE, due_at=5 * MINUTE, look_at=-MINUTE)
    house.looks(PromiseWatch(house.context, router))
    late = guest.page.locator("[data-testid=progress-card][data-state=late]")
    expect(late).to_have_count(1)
    expect(late).to_contain_text("比说好的晚")
    expect(running).to_contain_text("有新进展，见下方")
    house.looks(PromiseWatch(house.context, router))

    body = json.dumps({"key": key, "state": "done"}).encode()
    secret = house.desk.app.ctx.order_reports.secrets["qinghe"]
    for _ in range(2):
        answer = httpx.post(
            f"{house.url}/api/orders/qinghe/remedies",
            content=body,
            headers={HEADER: sign(secret, body, house.context.clock())},
            timeout=PATIENCE,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
    # The step itself, and what was added for the delay.
    expect(guest.progress.filter(has_text="已完成")).to_have_count(2)
    expect(late).to_contain_text("有新进展，见下方")
    reads(guest.page)
    # Who comes back reads the same: each step once.
    guest.reload()
    expect(guest.progress).to_have_count(4)
    states = guest.progress.evaluate_all("(all) => all.map((one) => one.dataset.state)")
    assert sorted(states) == ["done", "done", "late", "running"]


# --- follow-up and survey -----------------------------------------------------------------------


def test_who_is_content_is_thanked_and_finds_the_survey(
    house: Indoors, party: Party, router: Router, clock: Ahead
) -> None:
    guest, told = rested(house, party, "林晚")
    asked(house, router, guest, told)
    reads(guest.page)
    presses(guest, "5")
    expect(guest.log).to_contain_text("谢谢您")
    expect(guest.page.get_by_test_id("quick-reply").first).to_have_attribute(
        "aria-disabled", "true"
    )
    expect(guest.page.get_by_test_id("owner-line")).not_to_contain_text("人工客服")

    # A while later a link to the survey stands in the chat.
    clock.by += 20 * MINUTE
    house.looks(Aftercare(house.context, router))
    link = guest.page.get_by_test_id("message-link")
    with guest.context.expect_page() as opening:
        link.click()
    survey = opening.value
    expect(survey.get_by_test_id("survey")).to_be_visible()
    reads(survey)
    survey.get_by_test_id("survey-send").click()
    expect(survey.get_by_test_id("survey-failure")).to_contain_text("还有没选的")
    for side in ("expected", "perceived"):
        for name in ("reliability", "assurance", "tangibles", "empathy", "responsiveness"):
            survey.get_by_test_id(f"{side}-{name}-6").check(force=True)
    survey.get_by_test_id("confirmed-4").check(force=True)
    survey.get_by_test_id("recommend-9").check(force=True)
    expect(survey.get_by_role("status")).to_contain_text("已填 7 / 7")
    survey.get_by_test_id("survey-words").fill("换房很快")
    survey.get_by_test_id("survey-send").click()
    expect(survey.get_by_test_id("survey-thanks")).to_be_visible()
    survey.reload()
    expect(survey.get_by_test_id("survey-thanks")).to_be_visible()
    expect(survey.get_by_test_id("survey")).to_have_count(0)
    # Staff read what was said.
    lin = at_work(party, "lin", f"/staff/{told.chat.id}", viewport=DESKTOP)
    expect(lin.page.get_by_test_id("follow-up-line")).to_have_text("5分，很满意")
    expect(lin.page.get_by_test_id("case-panel")).to_contain_text("换房很快")


def test_a_survey_is_not_open_for_ever(
    house: Indoors, party: Party, router: Router, clock: Ahead
) -> None:
    guest, told = rested(house, party, "程远")
    asked(house, router, guest, told)
    presses(guest, "4")
    expect(guest.log).to_contain_text("谢谢您")
    clock.by += 20 * MINUTE
    house.looks(Aftercare(house.context, router))
    path = guest.page.get_by_test_id("message-link").get_attribute("href")
    assert path
    is_due(house, surveys, surveys.c.case_id == told.case, expires_at=-MINUTE)
    page = guest.tab(path)
    expect(page.get_by_role("heading", name="这份问卷已经过期")).to_be_visible()
    # Whoever guesses learns nothing.
    guest.witness.allow(r"404.*/api/surveys/")
    page.goto(f"{house.url}/s/{'x' * 43}")
    expect(page.get_by_role("heading", name="没有找到这份问卷")).to_be_visible()


def test_who_is_not_content_gets_a_person(house: Indoors, party: Party, router: Router) -> None:
    guest, told = rested(house, party, "周砚")
    sun = at_work(party, "sun", "/staff", viewport=DESKTOP)
    asked(house, router, guest, told)
    presses(guest, "1")
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("转接人工客服")
    expect(guest.log).to_contain_text(SORRY)
    guest.say("说好换房，到走都没换")
    row = sun.row_of(told.chat.id)
    expect(row).to_contain_text("回访时顾客不满意")
    row.click()
    expect(sun.page.get_by_test_id("follow-up-line")).to_have_text("1分，很不满意")
    expect(sun.page.get_by_test_id("follow-up-words")).to_contain_text("到走都没换")
    assert len(told.questions) == 1


def test_no_for_good_is_kept(house: Indoors, party: Party, router: Router) -> None:
    guest, told = rested(house, party, "沈知")
    asked(house, router, guest, told)
    presses(guest, "不用再问我")
    expect(guest.log).to_contain_text("以后不再回访您")
    # Another matter of the same person ends: nobody is asked.
    other = at_rest(house.context, customer_id=told.chat.customer_id)
    house.looks(FollowUpWatch(house.context, router))
    assert other.stands in (("", None), ("cancelled", "refused"))
    lin = at_work(party, "lin", f"/staff/{told.chat.id}", viewport=DESKTOP)
    expect(lin.page.get_by_test_id("no-follow-up")).to_be_checked()


# --- one customer -------------------------------------------------------------------------------


def test_two_browsers_become_one_customer_by_a_code(house: Indoors, party: Party) -> None:
    one, customer = known_guest(party, "lanting", "欧阳静")
    chat, _ = a_talk(house, customer)
    in_chat(one, chat)
    one.page.get_by_test_id("same-person").click()
    one.page.get_by_label("在这里要一个码").check()
    one.page.get_by_test_id("join-get").click()
    code = one.page.get_by_test_id("join-made").inner_text()
    one.page.keyboard.press("Escape")

    other, _ = known_guest(party, "lanting", "静静", viewport=PHONE)
    other.go("/")
    expect(other.page.get_by_role("heading", level=1)).to_be_visible()
    expect(other.page.get_by_test_id("own-conversation")).to_have_count(0)
    other.page.get_by_test_id("same-person").click()
    dialog = other.page.get_by_test_id("same-person-dialog")
    other.witness.allow(r"404.*/api/my/codes/use")
    for typed, said in (("ABCD", "八位"), ("2222-3333", "不对")):
        other.page.get_by_test_id("join-code").fill(typed)
        other.page.get_by_test_id("join-use").click()
        expect(dialog.get_by_role("alert")).to_contain_text(said)
    assert violations(other.page) == []
    other.page.get_by_test_id("join-code").fill(code.lower())
    other.page.get_by_test_id("join-use").click()
    expect(dialog).to_contain_text("合到一起了")
    other.page.get_by_role("button", name="关闭").click()
    mine = other.page.get_by_test_id("own-conversation")
    expect(mine).to_have_count(1)

    # Both see the one case, live.
    expect(one.log).to_contain_text("如果不是您本人操作")
    mine.get_by_role("link").first.click()
    other.connected()
    one.say("空调也坏了")
    expect(other.line("空调也坏了")).to_be_visible()


def test_staff_make_one_case_of_two_and_take_it_back(house: Indoors, party: Party) -> None:
    now = house.context.clock()
    with house.context.storage.database.write() as db:
        one, two = (
            customers.begin_session(db, None, "lanting", name, None, now)[0]
            for name in ("何苗", "苗苗")
        )
        persons.join(db, one, two, "code", f"customer:{one.id}", now)
    kept, _ = a_talk(house, one.id)
    other, _ = a_talk(house, two.id, failure="noise")
    for each in (kept, other):
        house.is_taken(each, "lin")

    lin = at_work(party, "lin", f"/staff/{kept.id}", viewport=DESKTOP)
    page = lin.page
    page.get_by_test_id("block-person").locator("summary").click()
    expect(page.get_by_test_id("identity")).to_have_count(2)
    page.get_by_test_id("merge-open").click()
    page.get_by_test_id("merge-confirm").click()
    expect(page.get_by_role("dialog")).to_contain_text("请写一句为什么是同一件事。")
    assert violations(page) == []
    page.get_by_test_id("merge-reason").fill("说的是同一晚的事")
    page.get_by_test_id("merge-confirm").click()
    step = page.get_by_test_id("case-step")
    expect(step).to_contain_text("说的是同一晚的事")
    expect(page.get_by_test_id("other-case")).to_have_count(0)
    undo = page.get_by_test_id("undo-case-step")
    undo.click()
    expect(undo).to_contain_text("再按一次")
    undo.click()
    expect(step).to_contain_text("已撤销")
    expect(page.get_by_test_id("other-case")).to_have_count(1)
    assert fits(page)


# --- one cause, many customers ------------------------------------------------------------------


def test_all_of_one_incident_are_told_together(
    house: Indoors, party: Party, router: Router
) -> None:
    guests = []
    for name in ("陆遥", "许安"):
        guest, customer = known_guest(party, "wutong", name)
        chat, _ = a_talk(house, customer, "wutong", "parking")
        in_chat(guest, chat)
        guests.append((guest, chat))
    sun = at_work(party, "sun", f"/staff/{guests[0][1].id}", viewport=DESKTOP)
    page = sun.page
    title = "2号门道闸坏了"
    for _, chat in guests:
        sun.go(f"/staff/{chat.id}")
        block = page.get_by_test_id("block-incident")
        expect(block).to_be_visible()
        if block.get_attribute("open") is None:
            block.locator("summary").click()
        pick = block.get_by_test_id("incident-pick")
        expect(pick).to_be_visible()
        if pick.locator("option", has_text=title).count():
            pick.select_option(label=title)
        else:
            pick.select_option("new")
            block.get_by_test_id("incident-title").fill(title)
        block.get_by_test_id("incident-join").click()
        expect(block.get_by_role("link", name=title)).to_be_visible()

    page.get_by_test_id("block-incident").get_by_role("link", name=title).click()
    card = page.get_by_test_id("incident")
    expect(card.get_by_role("heading", name=title)).to_be_visible()
    card.get_by_test_id("incident-tell").click()
    words = "{称呼}您好，2号门的道闸正在换零件，请先走1号门。"
    page.get_by_test_id("tell-text").fill(words)
    expect(page.get_by_test_id("tell-send")).to_have_text("先看效果")
    page.get_by_test_id("tell-send").click()
    preview = page.get_by_test_id("tell-preview")
    expect(preview).to_contain_text("能送到 2 位")
    expect(preview).to_contain_text("您好，2号门的道闸正在换零件")
    assert violations(page) == []
    for guest, _ in guests:
        expect(guest.line("道闸正在换零件")).to_have_count(0)
    page.get_by_test_id("tell-send").click()
    expect(card).to_contain_text("一共 2 位")
    house.looks(IncidentWatch(house.context, router))
    for guest, _ in guests:
        expect(guest.line(f"{guest.name}您好，2号门的道闸正在换零件")).to_have_count(1)
    page.set_viewport_size(PHONE)
    page.reload()
    expect(card.get_by_test_id("incident-message")).to_have_count(1)
    assert violations(page) == []
    assert fits(page)


# --- what it taught -----------------------------------------------------------------------------


def test_why_it_happened_is_asked_at_the_end_and_stands_in_the_insights(
    house: Indoors, party: Party
) -> None:
    with house.context.storage.database.write() as db:
        now = house.context.clock()
        customer, _ = customers.begin_session(db, None, "lanting", "宋雨", None, now)
    chat, _ = a_talk(house, customer.id)
    house.is_taken(chat, "lin")
    lin = at_work(party, "lin", f"/staff/{chat.id}", viewport=DESKTOP)
    page = lin.page
    page.get_by_test_id("close").click()
    cause = page.get_by_test_id("close-cause")
    proposed = cause.input_value()
    assert proposed
    labels = cause.locator("option").all_inner_texts()
    other = next(
        one
        for one in cause.locator("option").evaluate_all("(all) => all.map((one) => one.value)")
        if one not in ("", proposed)
    )
    cause.select_option(other)
    chosen = cause.locator("option:checked").inner_text()
    assert chosen in labels
    page.get_by_label("问题已解决").check()
    page.get_by_test_id("close-action").fill("打扫后由领班复查一遍")
    page.get_by_test_id("close-action-by").fill("李领班")
    assert violations(page) == []
    page.get_by_test_id("close-confirm").click()
    expect(page.get_by_test_id("close-dialog")).to_have_count(0)

    while house.do(house.desk.app.ctx.insights.look_once()):
        pass
    sun = at_work(party, "sun", "/staff/insights?business=lanting", viewport=DESKTOP)
    row = sun.page.get_by_test_id("action-row").filter(has_text="打扫后由领班复查一遍")
    expect(row).to_contain_text(chosen)
    expect(row).to_contain_text("李领班")
    expect(sun.page.get_by_role("main")).to_contain_text("根本原因")
    row.get_by_role("button", name="记为做完").click()
    expect(row).to_contain_text("做完了")
    expect(row.get_by_role("button")).to_have_count(0)
