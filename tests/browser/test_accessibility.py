"""Every page with axe in light and dark, on phone and desktop; and what a screen reader hears."""

import json
from functools import cache
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.gallery import PAGES, Gallery
from tests.browser.party import Party
from tests.browser.visitors import DESKTOP, PHONE
from tests.support.stack import ROOT

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES: tuple[ViewportSize, ...] = (PHONE, DESKTOP)
LOOKS = [(scheme, size) for scheme in SCHEMES for size in SIZES]


@cache
def axe() -> str:
    """The axe engine (https://github.com/dequelabs/axe-core), a development package of web/."""
    return (ROOT / "web/node_modules/axe-core/axe.min.js").read_text("utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds of weight, in one line each: what stands, not what was passing by."""
    found = _found(page)
    if found:
        # A busy machine may take its time to draw what a change of looks has begun.
        page.wait_for_timeout(1000)
        again = _found(page)
        found = [line for line in found if line in again]
    return found


def _found(page: Page) -> list[str]:
    # What has just been changed begins to move with the next frame.
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    # A colour on its way from light to dark is neither.
    page.wait_for_function(
        "() => document.getAnimations().every((one) => one.playState !== 'running'"
        " || one.effect.getComputedTiming().iterations === Infinity)"
    )
    # Evaluated and not added as a script: the pages' own policy would refuse that.
    page.evaluate(f"window.axe || (() => {{ {axe()} }})()")
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{one['id']} ({one['impact']}): {json.dumps(node['target'])} {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(gallery: Gallery, name: str) -> None:
    page = gallery.pages[name]
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
    assert not {look: what for look, what in found.items() if what}


def test_axe_would_find_something(party: Party) -> None:
    page = party.visitor().go("/").page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate(
        "() => { const one = document.createElement('button');"
        " one.style.color = '#eee'; one.style.background = '#fff';"
        " document.querySelector('main').append(one, document.createElement('img')); }"
    )
    found = " ".join(violations(page))
    assert "button-name" in found
    assert "image-alt" in found


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_its_language_its_title_and_where_its_content_is(
    gallery: Gallery, name: str
) -> None:
    page = gallery.pages[name]
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert "回心" in page.title() or "私聊 ·" in page.title()
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).not_to_have_count(0)
    # What is folded away has no inner text until it is opened; its words are there all the same.
    nameless = page.evaluate(
        """() => {
            const words = (one) =>
                one ? one.innerText || (one.checkVisibility() ? '' : one.textContent) : '';
            return [...document.querySelectorAll('button, a[href], input, select, textarea')]
                .filter((one) => !(one.getAttribute('aria-label') || words(one.labels?.[0])
                    || words(one)).trim())
                .map((one) => one.outerHTML.slice(0, 120));
        }"""
    )
    assert nameless == []


def test_what_comes_in_is_read_aloud_once_and_politely(party: Party) -> None:
    guest = party.guest().enter_room()
    other = party.guest().enter_room()
    expect(guest.log).to_have_attribute("aria-live", "polite")
    expect(guest.log).to_have_attribute("aria-relevant", "additions")
    # The history was not news; from now on what comes is.
    expect(guest.log).to_have_attribute("aria-busy", "false")
    guest.page.evaluate(
        """() => {
            window.heard = [];
            const look = (changes) => {
                for (const change of changes)
                    for (const node of change.addedNodes)
                        if (node.innerText) window.heard.push(node.innerText);
            };
            new MutationObserver(look).observe(
                document.querySelector('[role=log]'), {childList: true, subtree: true});
        }"""
    )
    text = f"{other.name}说早餐很好吃"
    other.say(text)
    expect(guest.line(text)).to_be_visible()
    mine = f"{guest.name}也觉得"
    guest.say(mine)
    expect(guest.line(mine)).to_contain_text("已送达")
    heard = guest.page.evaluate("window.heard")
    for said in (text, mine):
        assert len([one for one in heard if said in one and "回复" not in one]) == 1


def test_states_are_told_to_who_cannot_see_them(party: Party) -> None:
    guest = party.guest().enter_room().complain()
    # The card comes into a live region that was there before it.
    live = guest.page.locator("[aria-live=polite]").filter(has=guest.invitation)
    expect(live).not_to_have_count(0)
    expect(guest.status).to_have_role("status")
    guest.enter_private().prove()
    accept = guest.offers.get_by_role("button", name="就这样办")
    expect(accept).to_have_attribute("aria-disabled", "false")
    expect(guest.page.get_by_test_id("owner-line")).to_have_role("status")
    expect(guest.offers.get_by_role("list", name="快捷回复")).to_be_visible()
