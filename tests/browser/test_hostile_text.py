"""What customers write is text: it is never executed, and it never breaks the layout."""

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.gallery import PAGES, Gallery
from tests.browser.party import Party
from tests.browser.visitors import Guest, unique
from tests.support.stack import Stack

ATTACKS = (
    '<img src="/x.png" onerror="window.hacked=1">',
    "<script>window.hacked=1</script>",
    '"><svg onload=window.hacked=1>',
    "{{constructor.constructor('window.hacked=1')()}}",
    "<b>粗体</b> & &lt;转义&gt; [链接](javascript:window.hacked=1)",
    "<style>*{display:none!important}</style>",
)
NARROW: ViewportSize = {"width": 360, "height": 740}
PASSWORD = "an honest password"


def harmless(guest: Guest) -> None:
    assert guest.page.evaluate("window.hacked") is None
    assert guest.log.locator("img, script, style, b, a, [onerror], [onload]").count() == 0


def test_html_and_script_are_shown_as_written(party: Party) -> None:
    author, reader = party.guest("<i>斜</i>").enter_room(), party.guest().enter_room()
    for attack in ATTACKS:
        author.say(f"{author.name}{attack}")
        for guest in (author, reader):
            line = guest.line(f"{author.name}{attack}")
            expect(line.get_by_test_id("message-text")).to_have_text(f"{author.name}{attack}")
            expect(line.locator(".name")).to_have_text(author.name)
    for guest in (author, reader):
        harmless(guest)
        guest.reload()
        expect(guest.line(ATTACKS[-1]).first).to_be_visible()
        harmless(guest)


def test_html_from_a_private_chat_is_text_for_staff(party: Party, house: Stack) -> None:
    guest = party.guest("<u>客</u>").enter_room().complain().enter_private()
    guest.say(ATTACKS[0])
    expect(guest.line(ATTACKS[0])).to_be_visible()
    guest.say("给我转人工")
    expect(guest.page.get_by_text("已转给同事")).to_be_visible()
    login = unique("html")
    house.add_staff(login, "<s>小何</s>", PASSWORD)
    agent = party.agent().log_in(login, PASSWORD)
    agent.row(guest.name).click()
    expect(agent.line(ATTACKS[0])).to_be_visible()
    agent.page.get_by_role("button", name="接手").click()
    agent.say(ATTACKS[1])
    expect(agent.line(ATTACKS[1])).to_be_visible()
    expect(guest.line(ATTACKS[1])).to_be_visible()
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("<s>小何</s>")
    for visitor in (guest, agent):
        assert visitor.page.evaluate("window.hacked") is None
        assert visitor.log.locator("img, script, s, u").count() == 0


def test_only_emoji_are_a_message(party: Party) -> None:
    guest, reader = party.guest().enter_room(), party.guest().enter_room()
    family = "👨‍👩‍👧‍👦🏳️‍🌈🙂"
    count = reader.line(family).count()
    guest.say(family)
    expect(reader.line(family)).to_have_count(count + 1)
    expect(guest.line(family).last).to_have_attribute("data-state", "sent")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways_on_a_narrow_phone(gallery: Gallery, name: str) -> None:
    page = gallery.pages[name]
    before = page.viewport_size
    page.set_viewport_size(NARROW)
    try:
        wide = page.evaluate(
            """() => {
                const root = document.scrollingElement;
                const wider = [...document.querySelectorAll('body *')].filter((one) => {
                    const style = getComputedStyle(one);
                    const box = one.getBoundingClientRect();
                    const hidden = box.width <= 1 || style.visibility === 'hidden';
                    return !hidden && box.right > innerWidth + 0.5;
                });
                return {
                    page: root.scrollWidth - innerWidth,
                    inside: wider.map((one) => `${one.tagName}.${one.className}`).slice(0, 5),
                };
            }"""
        )
        assert wide == {"page": 0, "inside": []}
    finally:
        assert before
        page.set_viewport_size(before)
