"""Customers and staff in front of real pages: what each of them does, in one line."""

import re
import uuid
from typing import Any, Self

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.witness import Witness

# What a turn may take on a machine that others use as well.
PATIENCE_MS = 30_000.0
expect.set_options(timeout=PATIENCE_MS)

HOTEL, SHOP = "lanting-lobby", "qinghe-square"
ROOM_NAMES = {HOTEL: "岚庭酒店·大堂", SHOP: "青禾小铺·买家广场"}
ANGRY = {
    HOTEL: "房间没打扫干净，床单上还有头发，太恶心了，气死我了！！",
    SHOP: "你们给我发错货了！我要的根本不是这个，太气人了，赶紧给我处理！！",
}
PROOF = {
    HOTEL: "订单号 LT202611180012，手机尾号4417",
    SHOP: "订单号 QH202611150108，手机尾号6621",
}
SORRY = re.compile(r"抱歉|道歉|对不起|对不住|歉意|赔不是|不好意思|赔礼|致歉|欠您")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}


def unique(name: str) -> str:
    """A display name that nobody else in the room has."""
    return f"{name}{uuid.uuid4().hex[:5]}"


class Visitor:
    """Somebody with a browser of their own, and one page open in it."""

    def __init__(
        self,
        browser: Browser,
        base: str,
        **options: Any,  # noqa: ANN401 - of new_context
    ) -> None:
        """Open a browser context.

        Args:
            browser: The one Chromium.
            base: Address of the desk.
            **options: Of Playwright's `new_context`; a desktop in Chinese by default.
        """
        self.base = base
        self.context = browser.new_context(
            **{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": DESKTOP, **options}
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.witness = Witness(self.context, base)
        self.page = self.context.new_page()

    def go(self, path: str) -> Self:
        """Open a path of the desk."""
        self.page.goto(self.base + path)
        return self

    def tab(self, path: str) -> Page:
        """Open a path in a further tab of the same browser."""
        page = self.context.new_page()
        page.goto(self.base + path)
        return page

    def close(self) -> None:
        """Close the browser context."""
        self.context.close()

    # --- what every chat page has ---------------------------------------------------------

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.locator("form:not(dialog form)").get_by_role("textbox")

    @property
    def log(self) -> Locator:
        """What was said."""
        return self.page.get_by_role("log")

    @property
    def status(self) -> Locator:
        """The line that says how the connection does; empty when all is well."""
        return self.page.get_by_test_id("status-bar")

    def say(self, text: str) -> None:
        """Write a message and press the button."""
        self.composer.fill(text)
        self.page.get_by_role("button", name="发送", exact=True).click()

    def line(self, text: str) -> Locator:
        """The messages whose own words (not what they quote) hold this text."""
        words = self.page.get_by_test_id("message-text").filter(has_text=text)
        return self.log.get_by_role("article").filter(has=words)

    def connected(self) -> None:
        """Wait until the page is live and the history has come."""
        expect(self.status).to_have_attribute("data-state", re.compile("ready|warming|slow"))
        expect(self.log).to_have_attribute("aria-busy", "false")

    def reload(self) -> None:
        """Load the page again, and wait until it is live."""
        self.page.reload()
        self.connected()


class Guest(Visitor):
    """A customer."""

    def __init__(
        self,
        browser: Browser,
        base: str,
        name: str = "阿明",
        **options: Any,  # noqa: ANN401 - as of Visitor
    ) -> None:
        """Open a browser.

        Args:
            browser: The one Chromium.
            base: Address of the desk.
            name: What the customer wants to be called.
            **options: As of `Visitor`.
        """
        super().__init__(browser, base, **options)
        self.name = name
        self.room = HOTEL

    def enter_room(self, room: str = HOTEL) -> Self:
        """Open a room as somebody who was never here."""
        self.room = room
        self.go(f"/r/{room}")
        self.page.get_by_label("怎么称呼您？").fill(self.name)
        self.page.get_by_role("button", name="进入房间").click()
        self.connected()
        return self

    def complain(self, text: str | None = None) -> Self:
        """Post an angry complaint and wait for the invitation."""
        self.say(text or ANGRY[self.room])
        expect(self.invitation).to_be_visible()
        return self

    def answers_to(self, text: str) -> Locator:
        """The messages that quote a post."""
        quote = self.page.locator(".quote").filter(has_text=text)
        return self.log.get_by_role("article").filter(has=quote)

    @property
    def invitation(self) -> Locator:
        """The card that only the invited customer sees."""
        return self.page.get_by_role("region", name="私聊邀请，只有您能看到")

    def enter_private(self) -> Self:
        """Follow the invitation and wait for the bot's first words."""
        self.invitation.get_by_role("button", name="进入私聊").click()
        self.page.wait_for_url(re.compile(r"/c/[^/]+$"))
        self.connected()
        expect(self.from_bot.first).to_be_visible()
        return self

    def prove(self) -> Self:
        """Say order number and last digits, and wait for the offer."""
        # Once the bot has asked: what is said before is understood as well, but people wait.
        expect(self.from_bot.filter(has_text=re.compile("订单|手机|尾号|四位"))).not_to_have_count(
            0
        )
        self.say(PROOF[self.room])
        expect(self.offers.last).to_be_visible()
        return self

    @property
    def from_bot(self) -> Locator:
        """What the bot said."""
        return self.log.locator("article[data-author=bot]")

    @property
    def offers(self) -> Locator:
        """Cards with remedies."""
        return self.page.get_by_role("region", name="为您准备的补救方案")

    @property
    def progress(self) -> Locator:
        """Cards that say how a remedy does."""
        return self.page.get_by_test_id("progress-card")

    def press(self, title: str) -> None:
        """Press a quick reply."""
        self.log.get_by_role("button", name=title, exact=True).last.click()


class Agent(Visitor):
    """A member of staff."""

    @property
    def composer(self) -> Locator:
        """Where one writes to the customer; the panel beside it has fields of its own."""
        return self.page.get_by_test_id("composer")

    def log_in(self, login: str, password: str) -> Self:
        """Log in on the staff page."""
        # The page asks who is logged in; nobody is, and the desk says so with a status.
        self.witness.allow(r"401.*/api/staff/me")
        self.go("/staff")
        self.fill_login(login, password)
        expect(self.page.get_by_role("tablist", name="会话列表")).to_be_visible()
        return self

    def fill_login(self, login: str, password: str) -> None:
        """Fill the form and send it."""
        self.page.get_by_label("账号").fill(login)
        self.page.get_by_label("密码").fill(password)
        self.page.get_by_role("button", name="登录").click()

    def tab_named(self, label: str) -> None:
        """Look at another list."""
        self.page.get_by_role("tab", name=re.compile(f"^{label}")).click()

    def row(self, customer: str) -> Locator:
        """The row of a customer in the list that is shown."""
        return self.page.get_by_test_id("queue-row").filter(has_text=customer)

    def row_of(self, conversation: str) -> Locator:
        """The row of a conversation in the list that is shown."""
        return self.page.locator(f'[data-testid=queue-row][data-conversation="{conversation}"]')

    @property
    def owner(self) -> Locator:
        """The line that says who is responsible."""
        return self.page.get_by_test_id("owner-line")
