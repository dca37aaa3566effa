"""Pictures of the pages for the README: `python -m tests.browser.shots docs/screenshots`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.chromium import launched
from tests.browser.visitors import ANGRY, HOTEL, PHONE, SHOP, Agent, Guest
from tests.support.stack import Stack, running

DESKTOP: ViewportSize = {"width": 1120, "height": 820}
WIDE: ViewportSize = {"width": 1280, "height": 860}
# So high that a whole offer is in the picture.
TALL: ViewportSize = {"width": 1120, "height": 980}
TALL_PHONE: ViewportSize = {"width": 390, "height": 980}
PASSWORD = "a password for pictures"
FURIOUS = "垃圾店铺！发错货还不理人，气死我了，再不处理我就去12315投诉你们！！"


class Album:
    """A folder of pictures."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Args:
            folder: Pictures that are there already are replaced.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def take(self, page: Page, name: str, size: ViewportSize | None = None) -> None:
        """Take a picture of what is in view.

        Args:
            page: In the state to be shown.
            name: Of the file, without ending.
            size: Of the view; as it is by default.
        """
        if size:
            page.set_viewport_size(size)
        log = page.get_by_role("log")
        if log.count():
            log.evaluate("(log) => { log.scrollTop = log.scrollHeight; }")
        # A picture is of a page at rest, without the ring around what was used last.
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(0, 0)
        page.wait_for_function(
            "() => document.getAnimations().every((one) => one.playState !== 'running')"
        )
        page.screenshot(path=self._folder / f"{name}.png")


def _room(browser: Browser, stack: Stack, album: Album) -> Guest:
    praising = Guest(browser, stack.url, "陈先生").enter_room()
    praising.say("前台小姐姐特别热情，谢谢你们")
    # Praise gets thanks at most, so there may be no answer to wait for.
    expect(praising.line("前台小姐姐")).to_have_attribute("data-state", "sent")
    asking = Guest(browser, stack.url, "小周").enter_room()
    asking.say("请问几点可以办理入住？")
    expect(asking.answers_to("几点可以办理入住")).to_be_visible()
    angry = Guest(browser, stack.url, "林晚", viewport=DESKTOP).enter_room()
    angry.complain(ANGRY[HOTEL])
    expect(angry.answers_to(ANGRY[HOTEL])).to_be_visible()
    album.take(angry.page, "room")
    album.take(angry.page, "room-phone", PHONE)
    return angry


def _private(guest: Guest, album: Album) -> None:
    guest.enter_private().prove()
    album.take(guest.page, "private", TALL)
    album.take(guest.page, "private-phone", TALL_PHONE)


def _staff(browser: Browser, stack: Stack, album: Album) -> None:
    waiting = []
    for name, room, text in (
        ("周砚", HOTEL, ANGRY[HOTEL]),
        ("陆小满", SHOP, FURIOUS),
        ("程远", SHOP, "耳机收到就是坏的，充不进电，太失望了，怎么回事？"),
    ):
        guest = Guest(browser, stack.url, name).enter_room(room).complain(text).enter_private()
        guest.say("给我转人工")
        expect(guest.page.get_by_test_id("owner-line")).to_contain_text("人工")
        waiting.append(guest)
    stack.add_staff("he", "何静", PASSWORD)
    agent = Agent(browser, stack.url, viewport=WIDE).log_in("he", PASSWORD)
    agent.row("周砚").click()
    agent.page.get_by_role("button", name="接手").click()
    expect(agent.owner).to_have_text("您负责这段会话")
    agent.say("周先生您好，我是何静。1815房已经打扫并检查过，我现在陪您过去换房。")
    expect(agent.line("我现在陪您过去换房")).to_have_count(1)
    waiting[0].say("好，我在房间等你")
    expect(agent.line("我在房间等你")).to_be_visible()
    expect(agent.row("周砚")).to_contain_text("我在房间等你")
    expect(agent.row("周砚").get_by_text("条未读")).to_have_count(0)
    agent.tab_named("排队")
    expect(agent.row("陆小满")).to_be_visible()
    expect(agent.page.get_by_role("button", name="交还")).to_be_visible()
    album.take(agent.page, "staff")


def shoot(folder: Path) -> None:
    """Take all pictures, at a desk of their own.

    Args:
        folder: For the PNG files.
    """
    album = Album(folder)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data)) as stack,
        launched() as browser,
    ):
        page = browser.new_page(locale="zh-CN", viewport=DESKTOP)
        page.goto(stack.url)
        expect(page.get_by_role("link", name="岚庭酒店·大堂")).to_be_visible()
        album.take(page, "start")
        _private(_room(browser, stack, album), album)
        _staff(browser, stack, album)


def main(arguments: list[str]) -> int:
    """Take the pictures into the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.browser.shots OUTDIR\n")
        return 2
    shoot(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
