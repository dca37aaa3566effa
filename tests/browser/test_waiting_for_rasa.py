"""Until Rasa is there the pages answer and say so; what is posted is stored and answered later."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import ANGRY, HOTEL, SORRY
from tests.support.stack import PATIENCE, Stack, running

PREPARING = "正在准备，消息会先存好，准备好了就回复您。"


@pytest.fixture(scope="module")
def house(trained: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk whose Rasa has not been started, and which waits for it."""
    folder = tmp_path_factory.mktemp("early")
    with running(folder, "desk", give_up_seconds=PATIENCE) as stack:
        yield stack


def test_posts_wait_for_rasa_and_are_answered_when_it_comes(party: Party, house: Stack) -> None:
    start = party.visitor().go("/").page
    expect(start.get_by_role("link", name="岚庭酒店·大堂")).to_be_visible()
    expect(start.get_by_text("正在准备")).to_be_visible()

    guest, other = party.guest().enter_room(), party.guest().enter_room()
    expect(guest.status).to_have_text(PREPARING)
    text = f"{ANGRY[HOTEL]}{guest.name}"
    guest.say(text)
    expect(guest.line(text)).to_have_attribute("data-state", "sent")
    expect(other.line(text)).to_have_count(1)
    # After a while the desk asks for patience: the author alone, and once.
    holding = guest.log.locator("[data-author=system]")
    expect(holding).to_have_count(1)
    expect(other.log.locator("[data-author=system]")).to_have_count(0)
    guest.reload()
    expect(guest.line(text)).to_have_count(1)
    expect(guest.status).to_have_text(PREPARING)

    house.start("actions", "rasa")
    expect(guest.status).to_have_text("")
    expect(guest.answers_to(text)).to_contain_text(SORRY)
    expect(guest.answers_to(text)).to_have_count(1)
    expect(guest.invitation).to_be_visible()
    expect(other.answers_to(text)).to_have_count(1)
    expect(holding).to_have_count(1)
    expect(start.get_by_text("正在准备")).to_have_count(0)
