"""What customers and colleagues write is text on every page of staff, and breaks none of them."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.stage import (
    ATTACKS,
    DESKTOP,
    EMOJI_NAME,
    ENDLESS,
    PAGES,
    RTL_NAME,
    SHORT,
    STRAIGHT,
    WIDE_NAME,
    Stage,
)
from tests.browser.visitors import PHONE, Agent, Guest

# Whatever becomes of these, an element of this kind is one that somebody's words have made.
MADE = "x-hack, [data-hack], [onerror], [onload], [onclick], [ontoggle]"
OVERRIDES = "[\u202a-\u202e\u2066-\u2069]"
NARROW: ViewportSize = {"width": 360, "height": 740}


def harmless(page: Page) -> None:
    """Nothing that was written has become an element, has run, or turns the text around."""
    assert page.evaluate("window.hacked") is None
    assert page.locator(MADE).count() == 0
    styles = "[...document.querySelectorAll('style, script:not([src])')].length"
    assert page.evaluate(styles) == 0, "the pages have no style or script of their own inside"
    assert page.locator('a[href^="javascript:" i]').count() == 0
    assert not page.evaluate(f"/{OVERRIDES}/.test(document.documentElement.innerText)")
    assert not page.evaluate(f"/{OVERRIDES}/.test(document.title)")


# Where each thing that was written has to be read as it was written.
READ = {
    "queue": [EMOJI_NAME],
    "mine": [SHORT, RTL_NAME],
    "colleagues": [WIDE_NAME, SHORT],
    "script": [SHORT, *ATTACKS],
    "odd letters": [RTL_NAME, ENDLESS, STRAIGHT, "零宽的字", WIDE_NAME],
    "by hand": [SHORT, *ATTACKS[:3], STRAIGHT, ENDLESS[:1900]],
    "search": [SHORT],
    "canned": [SHORT, ATTACKS[0]],
    "transfer": [SHORT],
    "labels": [SHORT, WIDE_NAME],
    "requests": [SHORT, *ATTACKS[:3]],
    "words": [SHORT, ATTACKS[0]],
    "accounts": [SHORT],
    "own account": [SHORT],
}


@pytest.mark.parametrize("name", PAGES)
def test_script_is_text_on_every_page(stage: Stage, name: str, tmp_path: Path) -> None:
    page = stage.pages[name]
    # HUIXIN_SHOTS: the pages as pictures, to be looked at.
    page.screenshot(path=Path(os.environ.get("HUIXIN_SHOTS") or tmp_path) / f"{name}.png")
    harmless(page)
    for text in READ.get(name, []):
        found = page.evaluate(
            "(text) => document.body.textContent.includes(text)"
            " || document.body.textContent.replace(/\\s+/g, ' ').includes(text)",
            text,
        )
        assert found, f"{json.dumps(text[:60])} is not to be read as written"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_makes_a_page_scroll_sideways(stage: Stage, name: str) -> None:
    page = stage.pages[name]
    before = page.viewport_size
    assert before
    found = {}
    try:
        for size in (DESKTOP, PHONE, NARROW):
            page.set_viewport_size(size)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
            found[size["width"]] = page.evaluate(
                """() => {
                    const wide = (one) => {
                        const style = getComputedStyle(one);
                        const scrolls = /auto|scroll/.test(style.overflowX);
                        return scrolls && one.scrollWidth > one.clientWidth + 1
                            && !one.matches('input, textarea');
                    };
                    const beyond = (one) => {
                        const box = one.getBoundingClientRect();
                        const hidden = box.width <= 1 || box.height <= 1
                            || getComputedStyle(one).visibility === 'hidden';
                        // What an ellipsis cuts off is not seen.
                        let cut = one.parentElement;
                        while (cut && getComputedStyle(cut).textOverflow !== 'ellipsis')
                            cut = cut.parentElement;
                        return !hidden && !cut && box.right > innerWidth + 0.5;
                    };
                    const names = (ones) => ones
                        .map((one) => `${one.tagName}.${one.className?.baseVal ?? one.className}`)
                        .slice(0, 4);
                    const all = [...document.querySelectorAll('body *')];
                    return {
                        page: document.scrollingElement.scrollWidth - innerWidth,
                        scrolls: names(all.filter(wide)),
                        beyond: names(all.filter(beyond)),
                    };
                }"""
            )
    finally:
        page.set_viewport_size(before)
    clean = {"page": 0, "scrolls": [], "beyond": []}
    assert {width: what for width, what in found.items() if what != clean} == {}


def test_what_arrives_on_open_pages_is_text_too(stage: Stage) -> None:
    page = stage.pages["script"]
    guest = stage.party.visitors[0]
    assert isinstance(guest, Guest)
    text = f"刚到的{ATTACKS[0]}"
    guest.say(text)
    words = page.get_by_role("log").get_by_test_id("message-text").filter(has_text="刚到的")
    expect(words).to_have_text(text)
    row = stage.pages["mine"].get_by_test_id("queue-row").filter(has_text="刚到的")
    expect(row).to_contain_text(text)
    for name in ("script", "mine", "queue", "colleagues", "notices"):
        harmless(stage.pages[name])
    assert SHORT not in page.title()


def test_drafts_and_warnings_show_what_was_typed(stage: Stage) -> None:
    lin = stage.agents["lin"]
    page = lin.tab(stage.paths["script"])
    # Words that blame the customer are held back, and shown with their marks.
    said = f"这是您自己的问题，{ATTACKS[0]}"
    page.get_by_test_id("composer").fill(said)
    lin.witness.allow("409")
    page.get_by_test_id("send").click()
    warning = page.get_by_test_id("warning")
    expect(warning).to_contain_text(ATTACKS[0])
    harmless(page)
    page.get_by_test_id("warning-edit").click()
    expect(page.get_by_test_id("composer")).to_have_value(said)
    page.reload()
    expect(page.get_by_test_id("composer")).to_have_value(said)
    page.get_by_test_id("composer").fill("")
    page.close()


def test_nobody_met_a_dialog_or_a_stranger(stage: Stage) -> None:
    # A picture of an attack that was asked for would be a request that failed.
    for visitor in stage.party.visitors:
        if isinstance(visitor, Agent):
            assert visitor.witness.unexpected == []
