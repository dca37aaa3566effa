"""Every page there is, each in a state that shows all it can, with the most awkward content."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.party import Party
from tests.browser.visitors import HOTEL, SHOP, Agent, Guest
from tests.support.stack import Stack

# As long as a name can be, without a place to break it.
LONG_NAME = "Wolfeschlegelsteinha"
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
PASSWORD = "an honest password"


class Gallery(Party):
    """The people whose pages are looked at.

    Attributes:
        pages: By name.
    """

    def __init__(self, browser: Browser, base: str) -> None:
        """Begin empty."""
        super().__init__(browser, base)
        self.pages: dict[str, Page] = {}

    def evidence(self, folder: Path) -> str:
        """Save all pages under their names."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in self.pages.items():
            page.screenshot(path=folder / f"{name}.png")
        complaints = [line for one in self.visitors for line in one.witness.unexpected]
        return "\n".join([f"pages in {folder}", *complaints])

    def hang(self, name: str, page: Page) -> Page:
        """Add a page."""
        self.pages[name] = page
        return page


# All pages of a gallery, for parametrizing tests before there is one.
CUSTOMER_PAGES = (
    "start",
    "name gate",
    "public room",
    "room invited",
    "invitation",
    "invitation for nobody",
    "private offer",
    "private closed",
    "private for nobody",
    "nowhere",
)
STAFF_PAGES = ("staff login", "staff list", "staff conversation", "staff dialog")
PAGES = CUSTOMER_PAGES + STAFF_PAGES


@contextmanager
def hung(browser: Browser, stack: Stack) -> Iterator[Gallery]:
    """Open all pages.

    Args:
        browser: The one Chromium.
        stack: All three processes.

    Yields:
        The gallery; its people stay until the block ends.
    """
    gallery = Gallery(browser, stack.url)
    try:
        _plain(gallery)
        _rooms(gallery)
        _private(gallery)
        _staff(gallery, stack)
        assert set(gallery.pages) == set(PAGES)
        yield gallery
    finally:
        gallery.close()


def _named(gallery: Gallery, name: str) -> Guest:
    guest = gallery.guest()
    guest.name = name
    return guest


def _plain(gallery: Gallery) -> None:
    visitor = gallery.visitor()
    visitor.witness.allow("404.*/api/(invitations|conversations)/nobody")
    expect(visitor.go("/").page.get_by_role("link", name="岚庭酒店·大堂")).to_be_visible()
    gallery.hang("start", visitor.page)
    for name, path, title in (
        ("name gate", f"/r/{HOTEL}", "岚庭酒店·大堂"),
        ("invitation for nobody", "/p/nobody", "打不开这份邀请"),
        ("private for nobody", "/c/nobody", "打不开这段私聊"),
        ("nowhere", "/no/such/page", "没有这个页面"),
    ):
        page = gallery.hang(name, visitor.tab(path))
        expect(page.get_by_role("heading", name=title)).to_be_visible()


def _rooms(gallery: Gallery) -> None:
    loud = _named(gallery, LONG_NAME).enter_room()
    loud.say(LONG_WORD)
    loud.say("🙂🙂🙂")
    loud.complain()
    gallery.hang("room invited", loud.page)
    with loud.page.expect_request("**/api/invitations/*") as asked:
        loud.reload()
    token = asked.value.url.rsplit("/", 1)[1]
    page = gallery.hang("invitation", loud.tab(f"/p/{token}"))
    expect(page.get_by_role("button", name="进入私聊")).to_be_visible()
    reader = gallery.guest().enter_room()
    expect(reader.line(LONG_WORD)).not_to_have_count(0)
    gallery.hang("public room", reader.page)


def _private(gallery: Gallery) -> None:
    deciding = gallery.guest().enter_room(HOTEL).complain().enter_private().prove()
    deciding.say(f"为什么是这个？{LONG_WORD}")
    expect(deciding.line(LONG_WORD)).to_be_visible()
    gallery.hang("private offer", deciding.page)
    settled = gallery.guest().enter_room(SHOP).complain().enter_private().prove()
    settled.press("就这样办")
    expect(settled.progress.first).to_be_visible()
    settled.say("谢谢")
    expect(settled.page.get_by_test_id("closed-note")).to_be_visible()
    gallery.hang("private closed", settled.page)


def _staff(gallery: Gallery, stack: Stack) -> None:
    waiting = _named(gallery, LONG_NAME).enter_room().complain().enter_private()
    waiting.say(LONG_WORD)
    waiting.say("给我转人工")
    expect(waiting.page.get_by_text("已转给同事")).to_be_visible()
    agent = gallery.agent()
    login = f"gallery-{waiting.page.url[-6:]}"
    stack.add_staff(login, LONG_NAME, PASSWORD)
    _login_page(gallery, agent)
    agent.log_in(login, PASSWORD)
    gallery.hang("staff list", agent.page)
    row = agent.row(LONG_NAME).filter(has_text="顾客要求人工").first
    address = row.get_attribute("href")
    page = gallery.hang("staff conversation", agent.tab(str(address)))
    page.get_by_role("button", name="接手").click()
    expect(page.get_by_text("您负责这段会话")).to_be_visible()
    page = gallery.hang("staff dialog", agent.tab(str(address)))
    page.get_by_role("button", name="交还").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _login_page(gallery: Gallery, agent: Agent) -> None:
    nobody = gallery.agent()
    nobody.witness.allow(r"401.*/api/staff/me")
    agent.witness.allow(r"401.*/api/staff/me")
    page = gallery.hang("staff login", nobody.go("/staff").page)
    expect(page.get_by_label("账号")).to_be_visible()
