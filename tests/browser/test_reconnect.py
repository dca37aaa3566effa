"""The network goes, the desk dies: nothing is lost, nothing comes twice, the page says so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import Guest
from tests.support.stack import Stack, running

LOST = (r"WebSocket connection to", r"net::ERR_", r"Failed to load resource")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk of our own that may die; without Rasa, and so patient that it does not say so."""
    folder = tmp_path_factory.mktemp("mortal")
    with running(folder, "desk", holding_seconds=3600, give_up_seconds=7200) as stack:
        yield stack


def in_order(guest: Guest, *texts: str) -> None:
    """The room has these messages, each once, one after the other."""
    shown = guest.log.get_by_test_id("message-text")
    for text in texts:
        expect(shown.filter(has_text=text)).to_have_count(1)
    places = [shown.all_inner_texts().index(text) for text in texts]
    assert places == sorted(places)


def waits_to_be_sent(guest: Guest, text: str) -> None:
    line = guest.line(text)
    expect(line).to_have_attribute("data-state", "sending")
    expect(line).to_contain_text("已存好，连上后自动发送")


def is_sent(guest: Guest, text: str) -> None:
    expect(guest.line(text)).to_have_attribute("data-state", "sent")
    expect(guest.line(text)).to_contain_text("已送达")


def test_what_is_written_without_network_is_sent_once_when_it_is_back(party: Party) -> None:
    here, away = party.guest("在场").enter_room(), party.guest("离线").enter_room()
    away.witness.allow(*LOST)
    before, missed = f"{here.name}先说一句", [f"{here.name}说{n}" for n in "一二三"]
    here.say(before)
    expect(away.line(before)).to_be_visible()

    away.context.set_offline(True)
    expect(away.status).to_have_text("网络断开了，恢复后会自动连接。您写的消息会先存好。")
    written = [f"{away.name}断网写的{n}" for n in "甲乙"]
    for text in written:
        away.say(text)
        waits_to_be_sent(away, text)
    for text in missed:
        here.say(text)
        is_sent(here, text)

    away.context.set_offline(False)
    away.connected()
    for text in written:
        is_sent(away, text)
    in_order(away, before, *missed)
    in_order(here, before, *missed, *written)
    for guest in (here, away):
        guest.reload()
        in_order(guest, before, *missed, *written)


def test_a_desk_that_is_killed_and_comes_back(party: Party, house: Stack) -> None:
    one, two = party.guest("甲").enter_room(), party.guest("乙").enter_room()
    for guest in (one, two):
        guest.witness.allow(*LOST)
    before = f"{one.name}在"
    one.say(before)
    expect(two.line(before)).to_be_visible()

    house.kill("desk")
    for guest in (one, two):
        expect(guest.status).to_have_text(
            "连接断了，正在重新连接。您写的消息会先存好，连上后自动发送。"
        )
    first, second = f"{one.name}写的一", f"{one.name}写的二"
    for text in (first, second):
        one.say(text)
        waits_to_be_sent(one, text)
    house.start("desk")

    for guest in (one, two):
        guest.connected()
        in_order(guest, before, first, second)
    is_sent(one, second)
    after = f"{two.name}也回来了"
    two.say(after)
    for guest in (one, two):
        in_order(guest, before, first, second, after)


def test_what_was_not_sent_survives_the_page(party: Party, house: Stack) -> None:
    writer, reader = party.guest("写的人").enter_room(), party.guest("看的人").enter_room()
    for guest in (writer, reader):
        guest.witness.allow(*LOST)
    house.kill("desk")
    text, draft = f"{writer.name}没发出去的", f"{writer.name}写到一半"
    writer.say(text)
    waits_to_be_sent(writer, text)
    writer.composer.fill(draft)
    address = writer.page.url
    writer.page.goto("about:blank")
    house.start("desk")

    writer.page.goto(address)
    writer.connected()
    is_sent(writer, text)
    expect(writer.composer).to_have_value(draft)
    reader.connected()
    in_order(reader, text)
    writer.reload()
    in_order(writer, text)
    assert draft not in reader.page.content()
