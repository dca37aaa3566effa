"""Two customers at once in the public room: what each of them sees, and what not."""

import re

from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import ANGRY, HOTEL, SORRY, Guest

NUMBER = "13912345678"
QUESTION = "请问几点可以办理入住？"


def angry_post(guest: Guest) -> str:
    """An angry post that no other customer has written."""
    return f"{ANGRY[HOTEL]}{guest.name}说的就是这间房"


def complain_and_see_token(guest: Guest, post: str) -> str:
    """Post; gives the token with which the page looks its invitation up."""
    with guest.page.expect_request(re.compile(r"/api/invitations/")) as asked:
        guest.complain(post)
    return str(asked.value.url.rsplit("/", 1)[1])


def test_both_read_the_post_and_its_reply_but_only_its_author_is_invited(party: Party) -> None:
    angry = party.guest("阿明").enter_room()
    other = party.guest("小周").enter_room()
    post = angry_post(angry)
    token = complain_and_see_token(angry, post)

    expect(angry.invitation).to_contain_text("房间没有打扫干净")
    expect(angry.invitation).to_contain_text("仅您可见")
    for guest, quoted in ((angry, "回复您"), (other, f"回复 {angry.name}")):
        expect(guest.line(post)).to_have_count(1)
        reply = guest.answers_to(post)
        expect(reply).to_have_count(1)
        expect(reply).to_contain_text(quoted)
        expect(reply).to_contain_text(SORRY)
        expect(reply).to_contain_text("自动客服")

    # The other's own matter goes on: asked, answered, and the room still invites nobody else.
    asked = f"{QUESTION}我是{other.name}"
    other.say(asked)
    expect(other.answers_to(asked)).to_contain_text("服务指南")
    expect(other.invitation).to_have_count(0)
    assert token not in other.page.content()

    other.witness.allow(rf"404.*/api/invitations/({token}|nonsense)")
    closed = other.tab(f"/p/{token}")
    expect(closed.get_by_role("heading", name="打不开这份邀请")).to_be_visible()
    nonsense = other.tab("/p/nonsense")
    expect(nonsense.get_by_role("heading", name="打不开这份邀请")).to_be_visible()
    assert closed.locator("main").inner_text() == nonsense.locator("main").inner_text()
    for how in ("", "/renew"):
        refused = other.context.request.post(
            f"{party.base}/api/invitations/{token}{how}", data={}, timeout=20_000
        )
        assert refused.status == 404

    angry.enter_private()
    expect(angry.page.get_by_role("heading", level=1)).to_have_text("岚庭酒店 · 私聊")
    other.witness.allow("404.*/api/conversations/")
    spied = other.tab(angry.page.url.removeprefix(party.base))
    expect(spied.get_by_role("heading", name="打不开这段私聊")).to_be_visible()


def test_a_number_in_a_post_is_whole_for_its_author_and_masked_for_all_others(
    party: Party,
) -> None:
    author = party.guest("阿明").enter_room()
    other = party.guest("小周").enter_room()
    post = f"{angry_post(author)}，打我电话"
    author.complain(post + NUMBER)
    expect(author.line(post + NUMBER)).to_have_count(1)
    expect(author.answers_to(post + NUMBER).first).to_be_visible()
    late = party.guest("后来的人").enter_room()
    for _ in range(2):
        for guest in (other, late):
            expect(guest.line(post)).to_have_count(1)
            expect(guest.line(post)).not_to_contain_text(NUMBER)
            expect(guest.answers_to(post)).to_have_count(1)
            assert NUMBER not in guest.page.content()
        expect(author.line(post + NUMBER)).to_have_count(1)
        for guest in (author, other, late):
            guest.reload()


def test_ones_own_words_stand_on_the_right_and_others_on_the_left(party: Party) -> None:
    one, other = party.guest("阿明").enter_room(), party.guest("小周").enter_room()
    text = f"请问早餐几点？我是{one.name}"
    one.say(text)
    expect(other.line(text)).to_be_visible()
    expect(one.answers_to(text)).to_be_visible()
    middle = one.log.bounding_box()
    mine, theirs = one.line(text).bounding_box(), other.line(text).bounding_box()
    answer = one.answers_to(text).bounding_box()
    assert middle and mine and theirs and answer
    right_edge = middle["x"] + middle["width"]
    assert right_edge - (mine["x"] + mine["width"]) < mine["x"] - middle["x"]
    for left in (theirs, answer):
        assert left["x"] - middle["x"] < right_edge - (left["x"] + left["width"])
