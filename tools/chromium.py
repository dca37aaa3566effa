"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# It runs as root in containers (no sandbox), without a display or GPU, and asks nobody for
# updates or settings while it runs.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium_path() -> str | None:
    """Where Chromium is, None where there is none."""
    return shutil.which("chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium for the length of the block.

    Raises:
        FileNotFoundError: There is none.
    """
    path = chromium_path()
    if path is None:
        raise FileNotFoundError("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
