"""The page of staff with very many open cases: rows in it, script for a scroll, time to show."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import crew, trace
from bench.crew import Member
from bench.trace import Scroll
from desk.staff.session import COOKIE
from tools.console import ToolError
from tools.places import Places
from tools.stack import Stack, started

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

# As the smallest screen that staff are expected to have.
_VIEW: "Final[ViewportSize]" = {"width": 1366, "height": 768}
_ROW: Final = "[data-testid=queue-row]"
_LIST: Final = "[data-testid=rows]"
_PATIENCE_MS: Final = 60_000.0
# A wheel is turned on when the scroll of the last turn, which is smooth, is over.
_SETTLED_MS: Final = 400
# The moment at which the first row has been painted, by the page's own clock.
_NOTE_WHEN_LISTED: Final = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("[data-testid=queue-row]")) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => (window.listedAt = performance.now())));
}).observe(document, { childList: true, subtree: true });
"""
_LISTED_AT: Final = """
() => new Promise((tell) => {
  const look = () => (window.listedAt ? tell(window.listedAt) : requestAnimationFrame(look));
  look();
})
"""


@dataclass(frozen=True)
class StaffPage:
    """What was measured.

    Attributes:
        cases: Open cases in the list.
        rows: Most rows in the page at once.
        scrolls: What each took, by the height of the list.
        listed_ms: Of each visit: from the navigation to the first rows on the screen, with
            nothing cached.
        chromium: Version.
    """

    cases: int
    rows: int
    scrolls: list[Scroll]
    listed_ms: list[float]
    chromium: str


def missing(places: Places) -> str | None:
    """What keeps the page from being measured here, with the cure; None where nothing does."""
    if find_spec("playwright") is None:
        return "no Playwright: `python3 -m tools.prepare --tests`"
    from tools.chromium import chromium_path

    if chromium_path() is None:
        return "no Chromium: `apt-get install chromium fonts-noto-cjk`"
    if not (places.web / "dist" / "index.html").is_file():
        return "the pages are not built: `python3 -m tools.pages`"
    return None


def measured(folder: Path, places: Places, cases: int, scrolls: int, visits: int) -> StaffPage:
    """Measure in Chromium, at a desk of its own.

    Args:
        folder: For data, settings and logs; made here.
        places: The checkout; the pages must be built.
        cases: Open cases, all of them in the queue.
        scrolls: How often the wheel is turned.
        visits: How often the page is opened.

    Raises:
        ToolError: What is needed is not there.
    """
    lacking = missing(places)
    if lacking:
        raise ToolError(lacking)
    from tools.chromium import launched

    folder.mkdir()
    stack = Stack(folder, bind=True)
    reader = crew.queued(stack, cases).members[0]
    with started(stack, "desk"), launched() as browser:
        listed = [_visit(browser, stack.url, reader) for _ in range(visits)]
        rows, turned = _scrolled(browser, stack.url, reader, cases, scrolls)
        return StaffPage(cases, rows, turned, listed, browser.version)


@contextmanager
def _opened(browser: "Browser", url: str, reader: Member) -> Iterator["Page"]:
    """The page of a browser that was never here, but for its login."""
    context = browser.new_context(locale="zh-CN", viewport=_VIEW)
    try:
        context.set_default_timeout(_PATIENCE_MS)
        context.add_cookies([{"name": COOKIE, "value": reader.cookie, "url": url}])
        page = context.new_page()
        page.add_init_script(_NOTE_WHEN_LISTED)
        page.goto(f"{url}/staff", wait_until="commit")
        page.locator(_ROW).first.wait_for()
        yield page
    finally:
        context.close()


def _visit(browser: "Browser", url: str, reader: Member) -> float:
    with _opened(browser, url, reader) as page:
        return float(page.evaluate(_LISTED_AT))


def _scrolled(
    browser: "Browser", url: str, reader: Member, cases: int, scrolls: int
) -> tuple[int, list[Scroll]]:
    """Turn the wheel; gives the most rows in the page at once, and what each turn took."""
    with _opened(browser, url, reader) as page:
        listed = int(page.locator("[aria-setsize]").first.get_attribute("aria-setsize") or 0)
        if listed != cases:
            raise ToolError(f"the list has {listed} rows instead of {cases}")
        page.locator(_LIST).hover()
        height = int(page.locator(_LIST).evaluate("list => list.clientHeight"))
        # What comes with the opening of the page is not the scroll's.
        page.wait_for_timeout(_SETTLED_MS)
        browser.start_tracing(page=page, categories=trace.CATEGORIES)
        rows = max(_turned(page, number, height) for number in range(scrolls))
        return rows, trace.scrolls(browser.stop_tracing(), scrolls)


def _turned(page: "Page", number: int, height: int) -> int:
    """Turn the wheel once, by all that is seen; gives the rows that are in the page then."""
    before = _where(page)
    page.evaluate("name => performance.mark(name)", trace.mark(number, begins=True))
    page.mouse.wheel(0, height)
    page.wait_for_timeout(_SETTLED_MS)
    page.evaluate("name => performance.mark(name)", trace.mark(number, begins=False))
    after = _where(page)
    if after["top"] <= before["top"]:
        raise ToolError(f"scroll {number} did not move the list")
    return int(after["rows"])


def _where(page: "Page") -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "([list, row]) => ({top: document.querySelector(list).scrollTop,"
        " rows: document.querySelectorAll(row).length})",
        [_LIST, _ROW],
    )
    return found
