"""Sending, sent, failed and sent again; too long and empty."""

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import Guest
from tests.support.stack import Stack, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk of our own that takes six messages at once, then one a second."""
    changes = {
        "limits": {"burst": 6, "per_second": 1, "sessions_per_minute": 100_000},
        "holding_seconds": 3600,
        "give_up_seconds": 7200,
    }
    with running(tmp_path_factory.mktemp("strict"), "desk", **changes) as stack:
        yield stack


def answered(guest: Guest, text: str) -> str:
    """Wait until the desk has answered a message; gives what became of it."""
    line = guest.line(text)
    expect(line).to_have_attribute("data-state", re.compile("sent|failed"))
    return str(line.get_attribute("data-state"))


def say_until_refused(guest: Guest) -> list[str]:
    """Say one thing after the other until the desk refuses one: the last of those given."""
    texts: list[str] = []
    while len(texts) < 60:
        texts.append(f"{guest.name}第{len(texts) + 1}条。")
        guest.say(texts[-1])
        if answered(guest, texts[-1]) == "failed":
            return texts
    pytest.fail("nothing was refused")


def retry_until_sent(guest: Guest, text: str) -> None:
    """Press 重新发送 as often as it takes."""
    for _ in range(60):
        guest.line(text).get_by_role("button", name="重新发送").click()
        if answered(guest, text) == "sent":
            return
    pytest.fail("never sent")


def test_sending_then_sent(party: Party, house: Stack) -> None:
    guest = party.guest().enter_room()
    desk = house.processes["desk"]
    text = f"{guest.name}慢慢来"
    desk.send_signal(signal.SIGSTOP)
    try:
        guest.say(text)
        expect(guest.line(text)).to_contain_text("发送中…")
        expect(guest.composer).to_have_value("")
        expect(guest.composer).to_be_focused()
    finally:
        desk.send_signal(signal.SIGCONT)
    expect(guest.line(text)).to_contain_text("已送达")
    expect(guest.line(text)).to_have_count(1)


def test_what_comes_too_fast_stays_as_failed_and_is_sent_once_when_tried_again(
    party: Party,
) -> None:
    guest, reader = party.guest().enter_room(), party.guest().enter_room()
    texts = say_until_refused(guest)
    refused = guest.line(texts[-1])
    expect(refused).to_contain_text("发得太快了，稍等一下再发这条")
    expect(reader.line(texts[-2])).to_have_count(1)
    expect(reader.line(texts[-1])).to_have_count(0)

    guest.reload()
    expect(refused).to_have_attribute("data-state", "failed")
    expect(refused).to_contain_text("发得太快了")
    retry_until_sent(guest, texts[-1])
    expect(refused.get_by_role("button")).to_have_count(0)
    for one in (guest, reader):
        one.reload()
        for text in texts:
            expect(one.line(text)).to_have_count(1)


def test_a_failed_message_can_be_given_up(party: Party) -> None:
    guest = party.guest().enter_room()
    texts = say_until_refused(guest)
    refused = guest.line(texts[-1])
    refused.get_by_role("button", name="删除").click()
    expect(refused).to_have_count(0)
    guest.reload()
    expect(guest.line(texts[-2])).to_have_count(1)
    expect(refused).to_have_count(0)


def test_too_long_is_counted_and_kept_in_the_field(party: Party) -> None:
    guest = party.guest().enter_room()
    counter, warning = guest.page.get_by_text("/ 2000 字"), guest.page.get_by_text("最多 2000 字")
    guest.composer.fill("长" * 1799)
    expect(counter).to_have_count(0)
    guest.composer.fill("长" * 1999 + "🙂🙂")
    expect(counter).to_have_text("2001 / 2000 字")
    expect(guest.composer).to_have_attribute("aria-invalid", "true")
    guest.composer.press("Enter")
    expect(warning).to_be_visible()
    expect(guest.composer).to_have_value("长" * 1999 + "🙂🙂")
    expect(guest.log.get_by_role("article").filter(has_text="长" * 50)).to_have_count(0)

    guest.composer.press("Backspace")
    expect(warning).to_have_count(0)
    expect(counter).to_have_text("2000 / 2000 字")
    guest.composer.press("Enter")
    expect(guest.line("长" * 1999)).to_have_attribute("data-state", "sent")


def test_nothing_is_not_sent(party: Party) -> None:
    guest = party.guest().enter_room()
    send = guest.page.get_by_role("button", name="发送", exact=True)
    lines = guest.log.get_by_role("article")
    before = lines.count()
    for blank in ("", "   ", "\n\n"):
        guest.composer.fill(blank)
        expect(send).to_have_attribute("aria-disabled", "true")
        guest.composer.press("Enter")
        # Pressing a button that is disabled for assistive technology must do nothing either.
        send.click(force=True)
    # Invisible characters are refused by the desk; the page shows why, and no retry.
    guest.say("\u200b\u200d")
    expect(guest.page.get_by_text("还没有写内容")).to_be_visible()
    expect(guest.page.get_by_role("button", name="重新发送")).to_have_count(0)
    guest.page.get_by_role("button", name="删除").click()
    expect(lines).to_have_count(before)
