"""Every page and dialog of staff with axe, in all looks and for every role; a case by keyboard."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.backstage import ADMIN, on_duty, wants_a_person
from tests.browser.party import Party
from tests.browser.stage import DESKTOP, PAGES, Stage
from tests.browser.test_accessibility import SCHEMES, violations
from tests.browser.test_keyboard import FOCUSED, tab_to
from tests.browser.visitors import PHONE
from tests.desk.staff_scene import PASSWORD
from tests.support.stack import Stack

LOOKS = [(scheme, size) for scheme in SCHEMES for size in (PHONE, DESKTOP)]


def faults(page: Page) -> dict[str, list[str]]:
    """What axe finds of weight, by look."""
    before = page.viewport_size
    assert before
    found = {}
    try:
        for scheme, size in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found[f"{scheme} {size['width']}"] = violations(page)
    finally:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before)
    return {look: what for look, what in found.items() if what}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_on_any_page(stage: Stage, name: str) -> None:
    page = stage.pages[name]
    assert faults(page) == {}
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert "回心" in page.title()
    expect(page.get_by_role("main")).to_have_count(1)


@contextmanager
def shown(stage: Stage, login: str, path: str) -> Iterator[Page]:
    """One more page of a member of staff, for the length of the block."""
    page = stage.agents[login].tab(path)
    expect(page.get_by_role("main")).to_be_visible()
    try:
        yield page
    finally:
        page.close()


def press(testid: str) -> Callable[[Page], None]:
    """How to press what has this id, in the menu where it stands in one."""
    return lambda page: page.get_by_test_id(testid).first.click()


def named(name: str) -> Callable[[Page], None]:
    """How to press what has this name."""
    return lambda page: page.get_by_role("button", name=re.compile(name)).first.click()


# What opens a dialog: whose page, where (a path, or one of the stage's), how.
DIALOGS: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "transfer": ("lin", "script", press("transfer")),
    "snooze": ("lin", "script", press("snooze")),
    "labels": ("lin", "script", press("labels")),
    "give back": ("lin", "script", press("give-back")),
    "close": ("lin", "script", press("close")),
    "labels of the panel": ("lin", "script", press("edit-labels")),
    "departure": ("lin", "by hand", press("departure")),
    "case by hand": ("lin", "/staff", press("hand-case")),
    "shortcuts": ("lin", "/staff", press("shortcuts")),
    "reassign": ("sun", "script", press("transfer")),
    "new reply": ("sun", "/staff/words", press("canned-add")),
    "drop a reply": ("sun", "/staff/words", named("^删除")),
    "new account": (ADMIN, "/staff/accounts", press("account-add")),
    "change an account": (ADMIN, "/staff/accounts", named("^改 ")),
    "disable an account": (ADMIN, "/staff/accounts", named("^停用")),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_axe_finds_nothing_serious_on_any_dialog(stage: Stage, name: str) -> None:
    login, at, open_it = DIALOGS[name]
    with shown(stage, login, stage.paths.get(at, at)) as page:
        open_it(page)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert faults(page) == {}
        # It has the focus, says what it is, and gives the focus back to what opened it.
        assert dialog.get_attribute("aria-label") or dialog.get_attribute("aria-labelledby")
        expect(dialog.locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.wait_for_function("document.activeElement !== document.body")


def test_a_button_can_be_read_at_the_moment_when_it_can_be_pressed(stage: Stage) -> None:
    page = stage.pages["departure"]
    confirm = page.get_by_test_id("departure-confirm")
    expect(confirm).to_be_attached()
    moving = confirm.evaluate(
        """(button) => {
            const before = button.disabled;
            const colours = [true, false].map((disabled) => {
                button.disabled = disabled;
                return getComputedStyle(button).backgroundColor;
            });
            const count = button.getAnimations().length;
            button.disabled = before;
            return [new Set(colours).size, count];
        }"""
    )
    # Two colours, and none in between.
    assert moving == [2, 0]


# What opens in a page without being a dialog.
PANELS: dict[str, tuple[str, str, Callable[[Page], None], str]] = {
    "note": ("lin", "script", press("mode-note"), "mode-note"),
    "whisper": ("sun", "script", press("mode-whisper"), "mode-whisper"),
    "offer": ("lin", "by hand", press("advice"), "advice"),
    "heard": ("lin", "by hand", press("mode-heard"), "mode-heard"),
    "not allowed": ("lin", "/staff/board", lambda page: None, "not-allowed"),
    "trainer's own": ("tang", "/staff/me", lambda page: None, "own-page"),
    "agent's requests": ("lin", "/staff/requests", lambda page: None, "requests-page"),
    "admin's audit": (ADMIN, "/staff/audit", lambda page: None, "audit-page"),
}


@pytest.mark.parametrize("name", PANELS)
def test_axe_finds_nothing_serious_on_what_opens_inside(stage: Stage, name: str) -> None:
    login, at, open_it, seen = PANELS[name]
    with shown(stage, login, stage.paths.get(at, at)) as page:
        open_it(page)
        expect(page.get_by_test_id(seen).first).to_be_visible()
        assert faults(page) == {}


def test_the_phones_menu(stage: Stage) -> None:
    with shown(stage, "sun", "/staff") as page:
        page.set_viewport_size(PHONE)
        page.get_by_test_id("menu").click()
        menu = page.get_by_role("dialog", name="菜单")
        expect(menu).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        expect(menu).to_have_count(0)
        expect(page.get_by_test_id("menu")).to_be_focused()


def test_on_a_phone_everything_pressed_is_as_large_as_a_finger(party: Party, stage: Stage) -> None:
    agent = on_duty(party, "lin", viewport=PHONE, has_touch=True, is_mobile=True)
    for path, seen in (
        ("/staff", "tab-queue"),
        (stage.paths["script"], "history"),
        ("/staff/requests", "requests-page"),
        ("/staff/me", "own-page"),
    ):
        page = agent.go(path).page
        expect(page.get_by_test_id(seen)).to_be_visible()
        small = page.evaluate(
            """() => [...document.querySelectorAll('button, select, [role=tab], a.row, .notice')]
                .filter((one) => one.checkVisibility({visibilityProperty: true}))
                // What stands inside of a sentence is as high as its line.
                .filter((one) => !one.classList.contains('link'))
                .map((one) => [one, one.getBoundingClientRect()])
                .filter(([, box]) => box.width > 1 && box.height > 1 && box.height < 43.5)
                .map(([one, box]) => [one.innerText.trim().slice(0, 20), one.className,
                    `${Math.round(box.width)}x${Math.round(box.height)}`].join(' | '))"""
        )
        assert small == [], path


def test_login_and_the_password_that_has_to_be_changed(
    party: Party, stage: Stage, house: Stack
) -> None:
    agent = party.agent()
    agent.witness.allow(r"401.*/api/staff/")
    page = agent.go("/staff").page
    expect(page.get_by_test_id("staff-login")).to_be_visible()
    assert faults(page) == {}
    agent.fill_login("nobody", "nothing at all")
    expect(page.get_by_test_id("staff-login-failure")).to_contain_text("账号或密码不对")
    assert faults(page) == {}
    with shown(stage, ADMIN, "/staff/accounts") as accounts:
        accounts.get_by_test_id("account-add").click()
        form = accounts.get_by_test_id("account-form")
        form.get_by_role("textbox", name="账号").fill("xin")
        form.get_by_role("textbox", name="名字").fill("小新")
        form.get_by_role("textbox", name="初始密码").fill(PASSWORD)
        accounts.get_by_test_id("account-save").click()
        expect(accounts.get_by_test_id("hand-over")).to_be_visible()
        assert faults(accounts) == {}
    agent.fill_login("xin", PASSWORD)
    expect(page.get_by_test_id("must-change")).to_be_visible()
    assert faults(page) == {}


@pytest.fixture
def house(stage: Stage) -> Stack:
    return stage.scene.stack


def focused(page: Page) -> str:
    """The name of what has the focus."""
    return " ".join(str(page.evaluate(FOCUSED)["name"]).split())


def test_a_case_from_login_to_its_end_without_a_mouse(party: Party, stage: Stage) -> None:
    guest = party.guest("键盘")
    path = wants_a_person(guest)
    agent = party.agent(viewport=DESKTOP)
    agent.witness.allow(r"401.*/api/staff/me")
    page, keys = agent.go("/staff").page, agent.page.keyboard

    # The first field has the focus: one can begin to type.
    expect(page.get_by_label("账号")).to_be_focused()
    keys.type("wu")
    tab_to(page, "密码")
    keys.type(PASSWORD)
    keys.press("Enter")
    row = page.locator(f'a[href="{path}"]')
    expect(row).to_be_visible()

    # g q: the queue; j, k: through its rows, whatever else is in it.
    keys.press("g")
    keys.press("q")
    expect(page.get_by_test_id("tab-queue")).to_have_attribute("aria-selected", "true")
    for _ in range(10):
        keys.press("j")
        if row.evaluate("(row) => row === document.activeElement || row.ariaCurrent === 'true'"):
            break
    keys.press("Enter")
    expect(agent.owner).to_have_text("排队中，还没有人负责")
    keys.press("t")
    expect(agent.owner).to_have_text("您负责这段会话")
    expect(agent.composer).to_be_focused()
    keys.type("您好，我来处理。")
    keys.press("Enter")
    expect(guest.line("您好，我来处理。")).to_have_count(1)

    # Out of the field, and a note: its field is another colour and says who reads it.
    keys.press("Escape")
    keys.press("n")
    note = page.get_by_label("内部备注", exact=True).and_(page.get_by_role("textbox"))
    expect(note).to_be_focused()
    keys.type("客人很客气")
    keys.press("Enter")
    expect(page.get_by_test_id("note").filter(has_text="客人很客气")).to_be_visible()
    expect(guest.page.get_by_text("客人很客气")).to_have_count(0)

    keys.press("Escape")
    keys.press("e")
    dialog = page.get_by_role("dialog", name="结案")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("radio").first).to_be_focused()
    keys.press("Space")
    expect(dialog.get_by_role("radio", checked=True)).to_have_count(1)
    tab_to(page, "备注")
    keys.type("客人满意")
    tab_to(page, "^结案$")
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    expect(agent.owner).to_have_text("已经结案")
    expect(guest.page.get_by_test_id("closed-note")).to_be_visible()
    # Nobody is left without a place.
    assert focused(page) != "" or page.evaluate("document.activeElement !== document.body")


def test_what_comes_in_is_told_politely_and_once(party: Party, stage: Stage) -> None:
    guest = party.guest("听见")
    path = wants_a_person(guest)
    agent = on_duty(party, "wu", viewport=DESKTOP).go(path)
    log: Locator = agent.log
    expect(log).to_have_attribute("aria-live", "polite")
    expect(agent.owner.locator("xpath=ancestor-or-self::*[@role='status']")).to_have_count(1)
    agent.page.evaluate(
        """() => {
            window.heard = [];
            new MutationObserver((changes) => {
                for (const change of changes)
                    for (const node of change.addedNodes)
                        if (node.innerText) window.heard.push(node.innerText);
            }).observe(document.querySelector('[role=log]'), {childList: true, subtree: true});
        }"""
    )
    guest.say("有人吗")
    expect(agent.line("有人吗")).to_be_visible()
    heard = [text for text in agent.page.evaluate("window.heard") if "有人吗" in text]
    assert len(heard) == 1
