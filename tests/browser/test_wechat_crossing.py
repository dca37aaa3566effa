"""From the room's page into WeChat by a code, and from WeChat to a page by a link."""

import asyncio
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.backstage import backstage, on_duty
from tests.browser.party import Party
from tests.browser.test_accessibility import LOOKS, violations
from tests.browser.visitors import HOTEL, Guest
from tests.desk.staff_scene import Scene
from tests.support.stack import Stack
from tests.support.wechat.double import Double
from tools.stack import variables

ACCOUNT = "fuwu"
NAME = "岚庭服务号"
# Stands before the path of a link; the test opens the path at the desk itself.
PUBLIC_URL = "https://desk.example"
OPENID = "o-ming"


@dataclass
class Town:
    """A desk with a WeChat account, and WeChat."""

    scene: Scene
    double: Double

    def does(self, what: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - of the double
        """Let somebody in WeChat do something; Playwright's own loop runs in this thread."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, what).result()

    def shown_code(self) -> str:
        """The url in the code that WeChat has made last."""
        return list(self.double.accounts[ACCOUNT].scenes)[-1]


@pytest.fixture(scope="module")
def town(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    double = Double()
    double.start()
    try:
        section, secrets = double.account(id=ACCOUNT, business="lanting", name=NAME)
        with variables(secrets):
            folder = tmp_path_factory.mktemp("town")
            with backstage(folder, wechat=[section], public_url=PUBLIC_URL) as scene:
                double.serve(scene.stack.url)
                yield Town(scene, double)
    finally:
        double.stop()


@pytest.fixture
def house(town: Town) -> Stack:
    return town.scene.stack


def dialog(page: Page) -> Locator:
    return page.get_by_test_id("wechat-dialog")


def accessible(page: Page) -> None:
    """Look at a page in light and dark, on phone and desktop."""
    before = page.viewport_size
    assert before
    found = {}
    for scheme, size in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        found[f"{scheme} {size['width']}"] = violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{wide} wide on {size['width']}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)
    assert not {look: what for look, what in found.items() if what}


def test_who_was_invited_scans_a_code_and_both_ways_go_on(town: Town, party: Party) -> None:
    guest: Guest = party.guest()
    guest.enter_room(HOTEL).complain("房间没打扫")
    page = guest.page
    button = page.get_by_test_id("to-wechat")
    # All of it with the keyboard: open, leave, open again.
    button.focus()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_have_attribute("data-state", "shown")
    code = page.get_by_role("img", name="二维码")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(dialog(page)).to_contain_text(NAME)
    accessible(page)
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_have_attribute("data-state", "shown")

    town.does(town.double.scan(OPENID, town.shown_code()))
    expect(dialog(page)).to_have_attribute("data-state", "used")
    expect(dialog(page).get_by_role("status")).to_contain_text("已经接到微信了")
    page.get_by_test_id("wechat-stay").click()
    guest.connected()
    expect(page.get_by_test_id("in-wechat")).to_be_visible()
    expect(page.get_by_test_id("to-wechat")).to_have_count(0)

    town.does(town.double.write(OPENID, "在微信里写的"))
    expect(guest.line("在微信里写的").first).to_be_visible()
    expect(guest.line("好的：在微信里写的")).to_have_count(1)
    town.does(town.double.sees(OPENID, "好的：在微信里写的"))
    guest.say("在网页上写的")
    expect(guest.line("好的：在网页上写的")).to_have_count(1)
    accessible(page)

    lin = on_duty(party, "lin")
    lin.go("/staff/" + page.url.rsplit("/", 1)[1])
    expect(lin.page.get_by_test_id("quota")).to_contain_text("微信")


def test_a_link_from_wechat_opens_the_chat_once(town: Town, party: Party) -> None:
    town.does(town.double.write("o-hong", "电视打不开"))
    town.does(town.double.sees("o-hong", "好的：电视打不开"))
    town.does(town.double.write("o-hong", "网页"))
    said = town.does(town.double.sees("o-hong", PUBLIC_URL)).text
    found = re.search(re.escape(PUBLIC_URL) + r"(/w/\S+)$", said)
    assert found
    path = found[1]

    guest = party.guest()
    guest.go(path)
    expect(guest.page.get_by_role("heading", level=1)).to_contain_text("在网页上接着和")
    accessible(guest.page)
    guest.page.get_by_test_id("open-link").click()
    guest.connected()
    expect(guest.line("电视打不开").first).to_be_visible()
    guest.say("网页上接着说")
    expect(guest.line("好的：网页上接着说")).to_have_count(1)

    late = party.guest()
    late.witness.allow(r"404.*/api/wechat-links/")
    late.go(path)
    expect(late.page.get_by_role("heading", level=1)).to_have_text("这个链接打不开了")
    accessible(late.page)
