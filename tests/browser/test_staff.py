"""The staff page: log in, take, answer, give back; one owner, live on both sides."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.party import Party
from tests.browser.visitors import Guest, unique
from tests.support.stack import Stack

PASSWORD = "an honest password"
COUNT = re.compile(r"^\((\d+)\) 客服台 · 回心$")


@pytest.fixture(scope="module")
def accounts(stack: Stack) -> Iterator[tuple[str, str]]:
    """Two accounts, made by the command."""
    logins = unique("he"), unique("zheng")
    stack.add_staff(logins[0], "小何", PASSWORD)
    stack.add_staff(logins[1], "老郑", PASSWORD)
    yield logins


def asks_for_a_person(guest: Guest) -> Guest:
    guest.enter_room().complain().enter_private()
    guest.say("给我转人工")
    expect(guest.page.get_by_text("已转给同事")).to_be_visible()
    return guest


def unread(page: Page) -> int:
    found = COUNT.match(page.title())
    return int(found[1]) if found else 0


def test_wrong_logins_all_get_the_same_sentence(party: Party, accounts: tuple[str, str]) -> None:
    agent = party.agent()
    agent.witness.allow(r"401.*/api/staff/(me|login)")
    agent.go("/staff")
    failure = agent.page.get_by_test_id("staff-login-failure")
    for login in (accounts[0], "nobody-has-this-name"):
        agent.fill_login(login, "wrong")
        expect(failure).to_have_text("账号或密码不对，或暂时锁定，请稍后再试")
        expect(agent.page.get_by_label("密码")).to_have_value("")
        agent.page.get_by_label("账号").fill("")
        agent.page.get_by_role("button", name="登录").click()
        expect(failure).to_have_text("请填写账号和密码。")


def test_a_conversation_is_taken_answered_and_given_back(
    party: Party, accounts: tuple[str, str]
) -> None:
    guest = asks_for_a_person(party.guest("周砚"))
    agent = party.agent().log_in(accounts[0], PASSWORD)
    row = agent.row(guest.name)
    expect(row).to_contain_text("房间没有打扫干净")
    expect(row).to_contain_text("转来原因：顾客要求人工")
    expect(row).to_contain_text("最高 2")
    waiting = unread(agent.page)
    assert waiting > 0

    row.click()
    expect(agent.owner).to_have_text("排队中，还没有人负责")
    # The whole story on one screen: what was said in public and in private, and what is known.
    expect(agent.page.get_by_role("heading", name="公开房间")).to_be_visible()
    expect(agent.line("气死我了")).to_be_visible()
    expect(agent.line("给我转人工")).to_be_visible()
    expect(agent.page.get_by_role("complementary")).to_contain_text("房间没有打扫干净")
    expect(agent.composer).to_be_disabled()

    agent.page.get_by_role("button", name="接手").click()
    expect(agent.owner).to_have_text("您负责这段会话")
    expect(agent.composer).to_be_focused()
    # Whoever owns it has read it.
    expect(agent.row(guest.name).get_by_text("条未读")).to_have_count(0)
    assert unread(agent.page) < waiting
    expect(guest.page.get_by_text("现在由小何为您服务")).to_be_visible()
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("小何（人工客服）在为您服务")

    agent.say("您好，我是小何，正在为您换房。")
    answer = guest.line("正在为您换房")
    expect(answer).to_contain_text("小何")
    expect(answer).to_contain_text("人工客服")
    expect(agent.line("正在为您换房")).to_have_count(1)
    said = guest.from_bot.count()
    guest.say("好的，我等着")
    expect(agent.line("好的，我等着")).to_be_visible()
    # What is read on the open page is not unread.
    mine = agent.row(guest.name)
    expect(mine).to_contain_text("好的，我等着")
    expect(mine.get_by_text("条未读")).to_have_count(0)
    assert guest.from_bot.count() == said, "only the owner speaks"

    agent.page.get_by_role("button", name="交还").click()
    dialog = agent.page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="交还", exact=True)
    confirm.click()
    expect(dialog).to_contain_text("请写一句")
    agent.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(agent.owner).to_have_text("您负责这段会话")
    agent.page.get_by_role("button", name="交还").click()
    dialog.get_by_label("留一句话").fill("已答应换房，等客人报订单号")
    # The customer wrote last: nobody is left without an answer by a slip.
    agent.witness.allow(r"409.*/give_back")
    confirm.click()
    expect(dialog).to_contain_text("顾客还在等您回答")
    expect(agent.owner).to_have_text("您负责这段会话")
    dialog.get_by_role("button", name="仍然交还").click()
    expect(agent.owner).to_have_text("机器人正在回复")
    expect(agent.composer).to_be_disabled()
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("小岚（自动客服）在为您服务")
    expect(guest.page.get_by_text("已答应换房")).to_have_count(0)

    # The bot goes on where it was: it still wants to know the order, and then offers.
    guest.prove()
    expect(guest.offers).to_contain_text("等您决定")
    expect(agent.page.get_by_role("log")).to_contain_text("为您准备的补救方案")
    guest.reload()
    expect(guest.line("正在为您换房")).to_have_count(1)


def test_a_second_agent_sees_who_owns_it_and_cannot_write(
    party: Party, accounts: tuple[str, str]
) -> None:
    guest = asks_for_a_person(party.guest("周砚"))
    first = party.agent().log_in(accounts[0], PASSWORD)
    second = party.agent().log_in(accounts[1], PASSWORD)
    for agent in (first, second):
        agent.row(guest.name).click()
        expect(agent.page.get_by_role("button", name="接手")).to_be_visible()
    first.page.get_by_role("button", name="接手").click()
    expect(first.owner).to_have_text("您负责这段会话")

    expect(second.owner).to_have_text("由 小何 负责")
    expect(second.page.get_by_role("button", name="接手")).to_have_count(0)
    expect(second.composer).to_be_disabled()
    expect(second.page.get_by_text("由 小何 负责，您只能看")).to_be_visible()
    conversation = second.page.url.rsplit("/", 1)[1]
    expect(second.row_of(conversation)).to_contain_text("由 小何 负责")
    # A case of a colleague is read without learning whose it is.
    expect(second.row_of(conversation)).to_contain_text("已打码")
    expect(second.page.get_by_text(guest.name)).to_have_count(0)
    first.say("由我来处理。")
    expect(second.line("由我来处理。")).to_have_count(1)
    expect(guest.line("由我来处理。")).to_have_count(1)

    # Not even past the page.
    csrf = second.context.request.get(f"{party.base}/api/staff/me").json()["csrf"]
    for what, body in (("answer", {"id": "a" * 16, "text": "插话"}), ("take", {})):
        refused = second.context.request.post(
            f"{party.base}/api/staff/conversations/{conversation}/{what}",
            data=body,
            headers={"X-CSRF": csrf},
        )
        assert refused.status == 409
        assert "小何" in refused.json()["error"]["message"]
    expect(guest.line("插话")).to_have_count(0)


def test_what_comes_while_the_window_is_hidden_is_counted_in_its_title(
    party: Party, accounts: tuple[str, str]
) -> None:
    guest = asks_for_a_person(party.guest("周砚"))
    agent = party.agent().log_in(accounts[0], PASSWORD)
    agent.row(guest.name).click()
    agent.page.get_by_role("button", name="接手").click()
    expect(agent.owner).to_have_text("您负责这段会话")
    expect(agent.row(guest.name).get_by_text("条未读")).to_have_count(0)
    before = unread(agent.page)
    # Playwright's pages are never hidden, so this one is told that it is.
    show = """hidden => {
        const state = hidden ? 'hidden' : 'visible';
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    agent.page.evaluate(show, True)
    guest.say("还在吗")
    expect(agent.page).to_have_title(f"({before + 1}) 客服台 · 回心")
    agent.page.evaluate(show, False)
    expect(agent.page).to_have_title(f"({before}) 客服台 · 回心" if before else "客服台 · 回心")
    expect(agent.line("还在吗")).to_be_visible()


def test_after_logging_out_nothing_is_left_to_see(party: Party, accounts: tuple[str, str]) -> None:
    guest = asks_for_a_person(party.guest("周砚"))
    agent = party.agent().log_in(accounts[0], PASSWORD)
    other_tab = agent.tab("/staff")
    expect(other_tab.get_by_role("tablist")).to_be_visible()
    expect(agent.row(guest.name)).to_be_visible()
    agent.witness.allow(r"401.*/api/staff/", r"WebSocket connection to")
    agent.page.get_by_role("button", name="退出").click()
    expect(agent.page.get_by_role("heading", name="客服登录")).to_be_visible()
    assert guest.name not in agent.page.content()
    # The session is over, so every page of it is.
    expect(other_tab.get_by_role("heading", name="客服登录")).to_be_visible()
    assert guest.name not in other_tab.content()
    assert agent.context.request.get(f"{party.base}/api/staff/conversations").status == 401
