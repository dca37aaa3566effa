"""Browsers close, networks go, the desk dies, colleagues step in: nothing is lost or said twice."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.backstage import backstage, on_duty, takes, wants_a_person
from tests.browser.party import Party
from tests.browser.visitors import Agent, Guest, Visitor
from tests.desk.orders import AnOrder, an_order, effects
from tests.desk.staff_scene import PASSWORD, Scene
from tests.support.stack import Stack, wait_until

# What a browser says on its console about a network that was taken from it.
LOST = (r"WebSocket connection to", r"net::ERR_", r"Failed to load resource", r"failed: ")
ENDED = (r"401.*/api/staff/", r"status of 401", r"WebSocket connection to")
# Of the issue; everything else waits for what is shown and not for a time.
CUT_SECONDS = 30.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A desk that may die."""
    patience = {"holding_seconds": 3600, "give_up_seconds": 7200}
    with backstage(tmp_path_factory.mktemp("failures"), **patience) as made:
        yield made


@pytest.fixture
def house(scene: Scene) -> Stack:
    return scene.stack


def said(visitor: Visitor, *texts: str) -> None:
    """The log has these messages, each once, in this order."""
    words = visitor.log.get_by_test_id("message-text")
    for text in texts:
        expect(words.filter(has_text=text)).to_have_count(1)
    places = [words.all_inner_texts().index(text) for text in texts]
    assert places == sorted(places)


def going(agent: Agent) -> int:
    """How many answers of this page are on their way."""
    return agent.page.get_by_label("正在发出的回复").get_by_role("article").count()


def sent(agent: Agent, *texts: str) -> None:
    """Nothing is on its way any more, and the log has the answers."""
    expect(agent.page.get_by_label("正在发出的回复")).to_have_count(0)
    said(agent, *texts)


@pytest.fixture
def talk(party: Party, scene: Scene) -> tuple[Guest, Agent, str]:
    """A customer in the hands of 小林, both in front of their pages."""
    guest = party.guest("周砚")
    path = wants_a_person(guest)
    agent = on_duty(party, "lin")
    takes(agent, path)
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("小林")
    return guest, agent, path


def test_a_browser_closed_in_mid_sentence(
    party: Party, scene: Scene, talk: tuple[Guest, Agent, str]
) -> None:
    guest, agent, path = talk
    agent.say("您好，我是小林。")
    expect(guest.line("您好，我是小林。")).to_have_count(1)
    agent.composer.press_sequentially("房间已经在")
    kept = agent.context.storage_state()
    agent.close()
    party.visitors.remove(agent)
    guest.say("人还在吗")

    back = party.agent(storage_state=kept)
    back.go(path)
    expect(back.owner).to_have_text("您负责这段会话")
    expect(back.composer).to_have_value("房间已经在")
    said(back, "您好，我是小林。", "人还在吗")
    expect(guest.line("房间已经在")).to_have_count(0)
    back.composer.press("End")
    back.composer.press_sequentially("打扫了。")
    back.composer.press("Enter")
    for one in (guest, back):
        said(one, "您好，我是小林。", "人还在吗", "房间已经在打扫了。")
    back.page.reload()
    expect(back.composer).to_have_value("")
    sent(back, "您好，我是小林。", "人还在吗", "房间已经在打扫了。")


def test_a_browser_closed_before_the_desk_has_answered(
    party: Party, talk: tuple[Guest, Agent, str]
) -> None:
    guest, agent, path = talk
    # The answer reaches the desk, and what the desk says to it never reaches the page.
    agent.context.route("**/answer", lambda route: (route.fetch(), route.abort())[1])
    agent.witness.allow(*LOST)
    agent.say("马上为您换房。")
    expect(guest.line("马上为您换房。")).to_have_count(1)
    kept = agent.context.storage_state()
    agent.close()
    party.visitors.remove(agent)

    back = party.agent(storage_state=kept)
    back.go(path)
    sent(back, "马上为您换房。")
    said(guest, "马上为您换房。")
    back.say("请稍等。")
    for one in (guest, back):
        said(one, "马上为您换房。", "请稍等。")


def test_answers_written_while_the_desk_is_dead(
    scene: Scene, talk: tuple[Guest, Agent, str]
) -> None:
    guest, agent, _ = talk
    for visitor in (guest, agent):
        visitor.witness.allow(*LOST)
    agent.say("先说一句。")
    expect(guest.line("先说一句。")).to_have_count(1)

    scene.stack.kill("desk")
    for visitor in (guest, agent):
        expect(visitor.status).to_contain_text("连接断了，正在重新连接")
    for text in ("第一条回复", "第二条回复"):
        agent.say(text)
        expect(agent.line(text)).to_contain_text("连上后自动发送")
    guest.say("客人写的")
    scene.stack.start("desk")

    guest.connected()
    expect(agent.status).to_have_attribute("data-state", "ready")
    sent(agent, "先说一句。", "第一条回复", "第二条回复")
    said(guest, "先说一句。", "第一条回复", "第二条回复")
    for visitor in (guest, agent):
        said(visitor, "客人写的")
        visitor.page.reload()
        said(visitor, "先说一句。", "第一条回复", "第二条回复")
        said(visitor, "客人写的")


def test_an_answer_that_the_desk_dies_on(scene: Scene, talk: tuple[Guest, Agent, str]) -> None:
    guest, agent, _ = talk
    for visitor in (guest, agent):
        visitor.witness.allow(*LOST, r"50\d")
    killed = []

    def die(route: Route) -> None:
        # The desk has it in its books, and dies before the page hears of it.
        if not killed:
            route.fetch()
            scene.stack.kill("desk")
            killed.append(True)
            route.abort()
        else:
            route.continue_()

    agent.page.route("**/answer", die)
    agent.say("这句话在路上。")
    expect(agent.status).to_contain_text("连接断了，正在重新连接")
    scene.stack.start("desk")
    guest.connected()
    sent(agent, "这句话在路上。")
    said(guest, "这句话在路上。")
    assert killed


def test_a_network_that_is_gone_for_half_a_minute_on_both_sides(
    talk: tuple[Guest, Agent, str],
) -> None:
    guest, agent, _ = talk
    for visitor in (guest, agent):
        visitor.witness.allow(*LOST)
    agent.say("之前")
    expect(guest.line("之前")).to_have_count(1)

    for visitor in (guest, agent):
        visitor.context.set_offline(True)
    began = time.monotonic()
    for visitor in (guest, agent):
        expect(visitor.status).to_contain_text("网络断开了")
    for text in ("同事一", "同事二"):
        agent.say(text)
        expect(agent.line(text)).to_contain_text("连上后自动发送")
    for text in ("客人一", "客人二"):
        guest.say(text)
        expect(guest.line(text)).to_contain_text("连上后自动发送")
    agent.composer.fill("还没写完的")
    agent.page.wait_for_timeout(max(0.0, CUT_SECONDS - (time.monotonic() - began)) * 1000)
    assert going(agent) == 2

    for visitor in (agent, guest):
        visitor.context.set_offline(False)
    guest.connected()
    expect(agent.status).to_have_attribute("data-state", "ready")
    for visitor in (guest, agent):
        said(visitor, "之前", "同事一", "同事二")
        said(visitor, "之前", "客人一", "客人二")
    sent(agent, "同事一", "同事二")
    expect(agent.composer).to_have_value("还没写完的")
    for visitor in (guest, agent):
        order = visitor.log.get_by_test_id("message-text").all_inner_texts()
        visitor.page.reload()
        said(visitor, "之前", "同事一", "同事二")
        assert visitor.log.get_by_test_id("message-text").all_inner_texts() == order


def test_only_the_customers_network_goes(talk: tuple[Guest, Agent, str]) -> None:
    guest, agent, _ = talk
    guest.witness.allow(*LOST)
    guest.context.set_offline(True)
    expect(guest.status).to_contain_text("网络断开了")
    for text in ("说给断网的人一", "说给断网的人二"):
        agent.say(text)
    sent(agent, "说给断网的人一", "说给断网的人二")
    guest.context.set_offline(False)
    guest.connected()
    said(guest, "说给断网的人一", "说给断网的人二")


def test_two_pages_of_one_agent(talk: tuple[Guest, Agent, str]) -> None:
    guest, agent, path = talk
    other = agent.tab(path)
    expect(other.get_by_test_id("owner-line")).to_have_text("您负责这段会话")
    agent.say("第一页说的")
    there = other.get_by_role("log").get_by_test_id("message-text")
    expect(there.filter(has_text="第一页说的")).to_have_count(1)
    other.get_by_test_id("composer").fill("第二页说的")
    other.get_by_test_id("composer").press("Enter")
    for visitor in (guest, agent):
        said(visitor, "第一页说的", "第二页说的")
    expect(there.filter(has_text="第二页说的")).to_have_count(1)
    # One is not a colleague of oneself.
    expect(agent.page.get_by_test_id("looking")).to_have_text("")

    agent.witness.allow(*ENDED)
    agent.page.get_by_test_id("logout").click()
    for page in (agent.page, other):
        expect(page.get_by_test_id("staff-login")).to_be_visible()
        assert guest.name not in page.content()
    agent.fill_login("lin", PASSWORD)
    expect(agent.page.get_by_test_id("staff-login")).to_have_count(0)
    agent.go(path)
    expect(agent.owner).to_have_text("您负责这段会话")


def test_the_other_page_says_why_its_login_has_ended(talk: tuple[Guest, Agent, str]) -> None:
    _, agent, path = talk
    other = agent.tab(path)
    other.get_by_test_id("composer").fill("写到一半")
    agent.witness.allow(*ENDED)
    agent.page.get_by_test_id("logout").click()
    expect(agent.page.get_by_test_id("farewell")).to_have_count(0)
    expect(other.get_by_test_id("farewell")).to_contain_text("登录已经结束")


def presses(page: Page, testid: str) -> None:
    """Press twice, as an impatient finger does, before the page can know of the first."""
    button = page.get_by_test_id(testid)
    expect(button).to_be_enabled()
    button.evaluate("(button) => { button.click(); button.click(); }")


def asked(page: Page, ending: str) -> list[str]:
    """The requests with this ending from now on."""
    seen: list[str] = []
    page.on(
        "request",
        lambda request: (
            seen.append(request.url)
            if request.method == "POST" and request.url.split("?")[0].endswith(ending)
            else None
        ),
    )
    return seen


def kinds(scene: Scene, order: AnOrder) -> list[str]:
    """What was carried out against an order."""
    return [str(kind) for _, kind in effects(scene.stack, order.number)]


def test_pressing_twice_does_it_once(party: Party, scene: Scene) -> None:
    order = an_order(scene.stack)
    guest = party.guest("周砚")
    path = wants_a_person(guest, order)
    lin = on_duty(party, "lin").go(path)
    taken = asked(lin.page, "/take")
    presses(lin.page, "take")
    expect(lin.owner).to_have_text("您负责这段会话")
    expect(guest.page.get_by_text("现在由小林为您服务")).to_have_count(1)
    assert len(taken) == 1

    offered = asked(lin.page, "/offers")
    lin.page.get_by_test_id("offer-policy").click()
    presses(lin.page, "offer-confirm")
    expect(guest.offers).to_have_count(1)
    assert len(offered) == 1
    guest.press("就这样办")
    expect(guest.progress.first).to_be_visible()
    expect(guest.offers).to_have_count(1)

    lin.page.get_by_test_id("departure").click()
    dialog = lin.page.get_by_test_id("departure-dialog")
    expect(dialog).to_be_visible()
    for draft in dialog.get_by_role("button", name=re.compile("^去掉")).all()[::-1]:
        draft.click()
    dialog.get_by_test_id("wish-add").select_option("voucher")
    dialog.get_by_test_id("wish-add-confirm").click()
    dialog.get_by_test_id("wish-voucher-fen").fill("500")
    dialog.get_by_test_id("departure-reason").fill("住了三天都没修好")
    confirm = lin.page.get_by_test_id("departure-confirm")
    expect(confirm).to_have_text("申请经理批准")
    requested = asked(lin.page, "/requests")
    presses(lin.page, "departure-confirm")
    expect(dialog).to_have_count(0)
    expect(lin.page.get_by_test_id("request-card")).to_have_count(1)
    assert len(requested) == 1

    ma = on_duty(party, "ma").go("/staff/requests")
    mine = ma.page.get_by_test_id("request-card").filter(has_text=guest.name)
    granted = asked(ma.page, "/grant")
    grant = mine.get_by_test_id("request-grant")
    grant.evaluate("(one) => { one.click(); one.click(); }")
    expect(mine).to_contain_text("已批准")
    assert len(granted) == 1
    expect(guest.offers).to_have_count(2)
    guest.press("就这样办")
    expect(lin.page.get_by_test_id("remedy").filter(has_text="500元无门槛券")).to_have_count(1)

    lin.page.get_by_test_id("close").click()
    lin.page.get_by_label("问题已解决").check()
    closed = asked(lin.page, "/close")
    presses(lin.page, "close-confirm")
    force = lin.page.get_by_test_id("close-force")
    expect(force.or_(lin.page.get_by_text("已经结案").first)).to_be_visible()
    assert len(closed) == 1
    if force.is_visible():
        presses(lin.page, "close-force")
    expect(lin.owner).to_have_text("已经结案")
    expect(guest.page.get_by_test_id("closed-note")).to_have_count(1)
    wait_until(lambda: "voucher" in kinds(scene, order), "the voucher")
    assert kinds(scene, order).count("voucher") == 1


def test_a_supervisor_steps_in_while_the_agent_writes(
    party: Party, talk: tuple[Guest, Agent, str]
) -> None:
    guest, lin, path = talk
    lin.witness.allow(r"409")
    sun = on_duty(party, "sun").go(path)
    expect(sun.owner).to_have_text("由 小林 负责")
    lin.composer.press_sequentially("您别急，")
    # Colleagues see that somebody writes, never what.
    expect(sun.page.get_by_test_id("looking")).to_have_text("小林正在写")
    lin.context.set_offline(True)
    lin.witness.allow(*LOST)
    lin.composer.press_sequentially("我这就去看。")
    lin.composer.press("Enter")
    expect(lin.line("您别急，我这就去看。")).to_contain_text("连上后自动发送")
    lin.composer.fill("另外")
    sun.page.get_by_test_id("step-in").click()
    expect(sun.owner).to_have_text("您负责这段会话")
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("孙主管")

    lin.context.set_offline(False)
    expect(lin.owner).to_have_text("由 孙主管 负责")
    # It is still there for whoever wrote it, and says why it did not go out.
    refused = lin.line("您别急，我这就去看。")
    expect(refused).to_contain_text("孙主管")
    expect(lin.composer).to_be_disabled()
    expect(lin.composer).to_have_value("另外")
    sun.say("我是主管，我来处理。")
    expect(guest.line("我是主管，我来处理。")).to_have_count(1)
    expect(guest.line("您别急")).to_have_count(0)
    lin.page.reload()
    expect(lin.line("您别急，我这就去看。")).to_contain_text("孙主管")
    expect(lin.composer).to_have_value("另外")
    expect(guest.line("您别急")).to_have_count(0)
    expect(lin.page.get_by_test_id("bell-count")).to_be_visible()
