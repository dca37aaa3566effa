"""The two stories, clicked through from the angry post to the closing note."""

from playwright.sync_api import expect

from tests.browser.party import Party
from tests.browser.visitors import HOTEL, SHOP, SORRY, Guest


def settle(guest: Guest, titles: list[str]) -> None:
    """Accept, see each remedy done, say thanks, and see the matter closed."""
    guest.press("就这样办")
    card = guest.offers.last
    expect(card).to_contain_text("您已接受")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(guest.line("就这样办")).to_have_count(1)
    for title in titles:
        done = guest.progress.filter(has_text=title)
        expect(done.filter(has_text="已完成")).to_have_count(1)
    said = guest.from_bot.count()
    guest.say("谢谢你们，处理得很快")
    expect(guest.page.get_by_test_id("closed-note")).to_be_visible()
    assert guest.from_bot.count() > said
    expect(guest.page.get_by_test_id("closed")).to_be_visible()


def test_the_hotel_story(party: Party) -> None:
    guest = party.guest("林晚").enter_room(HOTEL).complain()
    guest.enter_private()
    expect(guest.page.get_by_text("关于：房间没有打扫干净")).to_be_visible()
    expect(guest.page.get_by_test_id("owner-line")).to_contain_text("小岚（自动客服）在为您服务")
    expect(guest.from_bot.filter(has_text="房间没有打扫干净").first).to_be_visible()
    expect(guest.from_bot.filter(has_text=SORRY).first).to_be_visible()

    guest.prove()
    expect(guest.offers).to_have_count(1)
    offer = guest.offers
    expect(offer).to_contain_text("等您决定")
    owed, beyond = (offer.get_by_role("list", name=name) for name in ("应给您的", "另外的心意"))
    expect(owed).to_contain_text("换一间检查过")
    for words in ("2位的正餐", "下次入住减"):
        expect(beyond).to_contain_text(words)
    expect(offer).to_contain_text("为什么是这个方案")
    expect(offer).to_contain_text("就该住得干净")
    expect(offer.locator("ol").get_by_role("listitem")).to_have_count(3)
    expect(offer.get_by_role("button")).to_have_text(["就这样办", "还不够", "换一种形式", "不接受"])

    settle(guest, ["换一间检查过", "2位的正餐", "下次入住减"])
    expect(guest.from_bot.filter(has_text="20分钟内同事到房门口接您换房")).to_have_count(1)

    # All of it is still there when the page is opened anew, each thing once.
    before = guest.log.get_by_role("listitem").all_inner_texts()
    guest.reload()
    expect(guest.page.get_by_test_id("closed-note")).to_be_visible()
    expect(guest.log.get_by_role("listitem")).to_have_count(len(before))
    assert guest.log.get_by_role("listitem").all_inner_texts() == before

    # The way back: the room's card now leads to the chat that is there.
    guest.page.get_by_role("link", name="房间").click()
    expect(guest.invitation).to_contain_text("您的私聊还在")
    guest.invitation.get_by_role("button", name="回到私聊").click()
    expect(guest.page.get_by_test_id("closed-note")).to_be_visible()


def test_the_shop_story_with_more_asked_for_once(party: Party) -> None:
    guest = party.guest("苏禾").enter_room(SHOP).complain().enter_private().prove()
    first = guest.offers.first
    for words in ("马上补寄月白手冲咖啡杯", "快递员上门取回", "墨色手冲咖啡杯"):
        expect(first).to_contain_text(words)

    guest.press("还不够")
    expect(guest.offers).to_have_count(2)
    expect(first).to_contain_text("已换成新的方案")
    expect(first.get_by_role("button")).to_have_count(0)
    second = guest.offers.last
    expect(second).to_contain_text("等您决定")
    for words in ("马上补寄月白手冲咖啡杯", "快递员上门取回", "墨色手冲咖啡杯", "元无门槛券"):
        expect(second).to_contain_text(words)

    settle(guest, ["马上补寄", "快递员上门取回", "元无门槛券", "墨色手冲咖啡杯"])
    expect(guest.progress.filter(has_text="运单")).to_have_count(1)
    expect(guest.offers).to_have_count(2)
