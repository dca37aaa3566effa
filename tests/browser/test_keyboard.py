"""Without a mouse, and with a Chinese input method."""

import re

from playwright.sync_api import CDPSession, Page, expect

from tests.browser.party import Party
from tests.browser.visitors import ANGRY, HOTEL, PROOF, Guest

# So many presses of Tab at most from one thing to the next that one wants to reach.
REACH = 12
FOCUSED = """() => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    return {
        name: one.getAttribute('aria-label') || one.labels?.[0]?.innerText || one.innerText || '',
        role: one.getAttribute('role') || one.tagName.toLowerCase(),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    };
}"""


def tab_to(page: Page, name: str, key: str = "Tab") -> list[str]:
    """Press Tab until something with this name has the focus; gives what was passed.

    Everything on the way has to be in view and to show that it has the focus.
    """
    passed: list[str] = []
    for _ in range(REACH):
        page.keyboard.press(key)
        focus = page.evaluate(FOCUSED)
        label = " ".join(focus["name"].split())
        assert focus["role"] != "body", f"focus lost after {passed}"
        expect(page.locator(":focus")).to_be_in_viewport()
        assert focus["outlined"], f"{label or focus['role']} does not show its focus"
        passed.append(label)
        if re.search(name, label):
            return passed
    raise AssertionError(f"{name} was not reached: {passed}")


def test_from_the_start_page_to_an_accepted_offer(party: Party) -> None:
    guest = party.guest("键盘")
    page, keys = guest.go("/").page, guest.page.keyboard
    expect(page.get_by_role("link", name="岚庭酒店·大堂")).to_be_visible()
    passed = tab_to(page, "岚庭酒店·大堂")
    assert passed[0] == "跳到主要内容"
    keys.press("Enter")

    # A screen reader hears where one is now; the field is next, and Enter goes in.
    expect(page.get_by_role("heading", name="岚庭酒店·大堂")).to_be_focused()
    assert len(tab_to(page, "怎么称呼您？")) == 1
    keys.type(guest.name)
    keys.press("Enter")
    expect(guest.composer).to_be_focused()
    guest.connected()
    keys.type(ANGRY[HOTEL])
    keys.press("Enter")
    expect(guest.invitation).to_be_visible()

    # The card stands just before the field in reading order, so it is one or two steps back.
    expect(guest.composer).to_be_focused()
    assert len(tab_to(page, "进入私聊", "Shift+Tab")) == 1
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/c/[^/]+$"))
    # On the new page the focus is at its heading: a screen reader says where one is.
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(guest.from_bot.nth(1)).to_be_visible()
    passed = tab_to(page, "写一条私聊消息")
    assert passed[-2] == "私聊消息", "the history comes before the field"
    keys.type(PROOF[HOTEL])
    keys.press("Enter")
    expect(guest.offers).to_be_visible()

    passed = tab_to(page, "就这样办", "Shift+Tab")
    assert passed == ["不接受", "换一种形式", "还不够", "就这样办"]
    keys.press("Space")
    expect(guest.offers).to_contain_text("您已接受")
    expect(guest.progress.first).to_be_visible()
    # The pressed button is gone; whoever goes on with Tab is still where the chat is.
    tab_to(page, "写一条私聊消息")


def test_the_skip_link_leads_past_the_head(party: Party) -> None:
    page = party.guest().enter_room().page
    page.reload()
    expect(page.get_by_role("log")).to_be_visible()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="跳到主要内容")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_enter_sends_and_shift_enter_breaks_the_line(party: Party) -> None:
    guest = party.guest().enter_room()
    keys = guest.page.keyboard
    guest.composer.focus()
    keys.type(f"{guest.name}第一行")
    keys.press("Shift+Enter")
    keys.type("第二行")
    expect(guest.composer).to_have_value(f"{guest.name}第一行\n第二行")
    keys.press("Enter")
    expect(guest.composer).to_have_value("")
    expect(guest.line(guest.name)).to_have_count(1)
    shown = guest.line(guest.name).get_by_test_id("message-text").inner_text()
    assert shown == f"{guest.name}第一行\n第二行"
    # Escape throws nothing away.
    keys.type("写到一半")
    keys.press("Escape")
    expect(guest.composer).to_have_value("写到一半")


def compose(session: CDPSession, letters: str) -> None:
    """Type into an input method, as far as the candidates are shown."""
    session.send(
        "Input.imeSetComposition",
        {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)},
    )


def test_enter_in_an_input_method_takes_the_candidate_and_sends_nothing(party: Party) -> None:
    guest = party.guest().enter_room()
    page = guest.page
    session = guest.context.new_cdp_session(page)
    before = guest.log.get_by_role("article").count()
    guest.composer.fill(guest.name)
    page.evaluate(
        "() => addEventListener('keydown', (e) => { window.composing = e.isComposing; }, true)"
    )
    compose(session, "zaocan")
    expect(guest.composer).to_have_value(f"{guest.name}zaocan")
    # The input method keeps the key for itself, so the page gets it without its effect.
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    assert page.evaluate("window.composing") is True, "the browser says that one is composing"
    expect(guest.composer).to_have_value(f"{guest.name}zaocan")
    session.send("Input.insertText", {"text": "早餐"})
    expect(guest.composer).to_have_value(f"{guest.name}早餐")
    # Safari ends the composition before the key press and leaves only the code 229.
    page.evaluate(
        "() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"
    )
    expect(guest.composer).to_have_value(f"{guest.name}早餐")
    expect(guest.log.get_by_role("article")).to_have_count(before)
    page.keyboard.press("Enter")
    assert page.evaluate("window.composing") is False
    expect(guest.line(f"{guest.name}早餐")).to_have_count(1)
    expect(guest.composer).to_have_value("")


def test_folding_and_quotes_work_by_key(party: Party) -> None:
    guest: Guest = party.guest().enter_room().complain()
    page = guest.page
    expect(guest.composer).to_be_focused()
    tab_to(page, "收起", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(guest.invitation.get_by_role("button", name="进入私聊")).to_be_hidden()
    expand = guest.invitation.get_by_role("button", name="展开")
    expect(expand).to_have_attribute("aria-expanded", "false")
    expect(expand).to_be_focused()
    page.keyboard.press("Enter")
    expect(guest.invitation.get_by_role("button", name="进入私聊")).to_be_visible()
    # A quote leads to the post that it quotes.
    reply = guest.answers_to(ANGRY[HOTEL]).last
    reply.get_by_role("button").focus()
    page.keyboard.press("Enter")
    focused = page.locator("li:focus")
    expect(focused).to_contain_text(guest.name)
    expect(focused).to_be_in_viewport()
