"""Nothing foreign runs: the content policy holds, no inline script, cookies out of reach."""

import pytest
from playwright.sync_api import expect

from tests.browser.gallery import PAGES, Gallery
from tests.browser.party import Party
from tests.browser.visitors import unique
from tests.support.stack import Stack

PASSWORD = "an honest password"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_but_its_own_files(gallery: Gallery, name: str) -> None:
    page = gallery.pages[name]
    found = page.evaluate(
        """() => ({
            scripts: [...document.scripts].map((one) => [one.src, one.text]),
            styles: document.querySelectorAll('style').length,
            handlers: [...document.querySelectorAll('*')].filter((one) =>
                one.getAttributeNames().some((name) => name.startsWith('on'))).length,
            frames: document.querySelectorAll('iframe, object, embed').length,
            cookies: document.cookie,
        })"""
    )
    assert found["scripts"]
    for source, text in found["scripts"]:
        assert source.startswith(f"{gallery.base}/assets/")
        assert text == ""
    assert (found["styles"], found["handlers"], found["frames"]) == (0, 0, 0)
    assert found["cookies"] == "", "no cookie is within reach of a script"


def test_the_policy_is_sent_and_enforced(party: Party) -> None:
    visitor = party.visitor()
    answer = visitor.page.goto(f"{party.base}/")
    assert answer
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    visitor.witness.allow("Content Security Policy")
    refused = visitor.page.evaluate(
        """() => new Promise((done) => {
            addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective));
            const one = document.createElement('script');
            one.text = 'window.hacked = 1';
            document.body.append(one);
        })"""
    )
    assert refused == "script-src-elem"
    assert visitor.page.evaluate("window.hacked") is None


def test_cookies_are_for_the_desk_alone(party: Party, house: Stack) -> None:
    guest = party.guest().enter_room()
    login = unique("cookie")
    house.add_staff(login, "小何", PASSWORD)
    agent = party.agent().log_in(login, PASSWORD)
    expect(agent.page.get_by_role("tablist")).to_be_visible()
    for visitor, name, same_site in (
        (guest, "huixin_session", "Lax"),
        (agent, "huixin_staff", "Strict"),
    ):
        cookies = visitor.context.cookies()
        assert [cookie["name"] for cookie in cookies] == [name]
        assert cookies[0]["httpOnly"] is True
        assert cookies[0]["sameSite"] == same_site
        assert visitor.page.evaluate("document.cookie") == ""
