"""Fixtures of the tests in a real browser.

Chromium lives as long as this folder's tests and not for the session: Playwright's loop would
stand in the way of the asynchronous tests of other folders.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium_path, launched
from tests.browser.gallery import Gallery, hung
from tests.browser.party import Party
from tests.browser.stage import Stage, set_up
from tests.support.stack import BY_HAND, ROOT, Stack, running

PASSWORD = "an honest password"


def _missing(what: str) -> None:
    if os.environ.get("HUIXIN_REQUIRE_ALL"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    if chromium_path() is None:
        _missing("no Chromium: apt-get install chromium fonts-noto-cjk")
    if not (ROOT / "web" / "dist" / "index.html").is_file():
        _missing("the pages are not built: python3 -m tools.pages")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Iterator[Stack]:
    """Desk, actions and Rasa, started faster than for the tests of dialogues."""
    with running(tmp_path_factory.mktemp("stack"), each_business=BY_HAND) as processes:
        yield processes


@pytest.fixture
def house(stack: Stack) -> Stack:
    """The desk that this module's people visit; modules with a desk of their own override it."""
    return stack


@pytest.fixture
def party(chromium: Browser, house: Stack) -> Iterator[Party]:
    """The people of one test."""
    people = Party(chromium, house.url)
    yield people
    people.close()


@pytest.fixture(scope="package")
def gallery(chromium: Browser, stack: Stack) -> Iterator[Gallery]:
    """Every page there is, open and full."""
    with hung(chromium, stack) as pages:
        yield pages


@pytest.fixture(scope="package")
def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Every page of staff, with the oddest things on it."""
    with set_up(chromium, tmp_path_factory.mktemp("stage")) as pages:
        yield pages


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test also fails by what its people met on the way."""
    result = yield
    for people in _parties(item):
        people.check()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep pictures and consoles of a failed test."""
    report = yield
    if call.when == "call" and report.failed:
        folder: Path = item.config._tmp_path_factory.mktemp("browser")  # type: ignore[attr-defined]
        for number, people in enumerate(_parties(item)):
            report.sections.append(("browser", people.evidence(folder / str(number))))
    return report


def _parties(item: pytest.Item) -> list[Party]:
    arguments = getattr(item, "funcargs", {}).values()
    return [one for one in arguments if isinstance(one, Party)]
