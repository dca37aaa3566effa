"""The reader's settings are kept: less motion, dark colours."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import PAGES, Gallery
from tests.browser.party import Party

# Longer than this, in milliseconds, is motion.
STILL = 1
MOVING = f"""() => document.getAnimations().filter((one) => {{
    const {{ duration, iterations }} = one.effect.getComputedTiming();
    return one.playState === 'running' && (duration > {STILL} || iterations === Infinity);
}}).map((one) => one.animationName || one.transitionProperty)"""
LIGHTNESS = """() => {
    const seen = (element) => {
        const [r, g, b, a = 1] =
            getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
        return a === 0 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    };
    const text = getComputedStyle(document.querySelector('h1')).color.match(/[\\d.]+/g).map(Number);
    return {
        ground: seen(document.body),
        ink: (0.2126 * text[0] + 0.7152 * text[1] + 0.0722 * text[2]) / 255,
    };
}"""


@pytest.mark.parametrize("name", PAGES)
def test_a_dark_page_is_dark_and_a_light_one_light(gallery: Gallery, name: str) -> None:
    page = gallery.pages[name]
    try:
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(LIGHTNESS)
        page.emulate_media(color_scheme="light")
        light = page.evaluate(LIGHTNESS)
    finally:
        page.emulate_media(color_scheme="light")
    assert dark["ground"] < 0.2 < 0.7 < dark["ink"]
    assert light["ink"] < 0.3 < 0.8 < light["ground"]


@pytest.mark.parametrize("name", PAGES)
def test_with_reduced_motion_nothing_moves(gallery: Gallery, name: str) -> None:
    page = gallery.pages[name]
    page.emulate_media(reduced_motion="reduce")
    try:
        for button in page.get_by_role("button").all()[:3]:
            if button.is_visible() and page.get_by_role("dialog").count() == 0:
                button.hover()
        assert page.evaluate(MOVING) == []
    finally:
        page.emulate_media(reduced_motion="no-preference")


def breathing(page: Page) -> None:
    expect(page.get_by_text("网络断开了")).to_be_visible()
    moving = page.evaluate(MOVING)
    assert [name.split("-")[0] for name in moving] == ["breathe"]


def test_the_sign_of_a_lost_network_moves_only_where_motion_is_welcome(party: Party) -> None:
    lively, calm = party.guest().enter_room(), party.guest(reduced_motion="reduce").enter_room()
    for guest in (lively, calm):
        guest.witness.allow("WebSocket connection to", "net::ERR_")
        guest.context.set_offline(True)
    breathing(lively.page)
    expect(calm.page.get_by_text("网络断开了")).to_be_visible()
    assert calm.page.evaluate(MOVING) == []
    for guest in (lively, calm):
        guest.context.set_offline(False)
        guest.connected()
