"""A whole working day of the desk in one story, with everybody in front of their own page at once.

From the angry post to the closed case: two customers, two agents, a supervisor and a manager. What
the customer sees is looked at after every step: who is there now, that nobody but the owner speaks,
and that nothing which staff say among themselves gets out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.party import Party
from tests.browser.visitors import ANGRY, SHOP, SORRY, Agent, Guest
from tests.support.stack import Stack, running

PASSWORD = "an honest password"
STAFF = (
    ("he", "小何", "agent"),
    ("zheng", "老郑", "agent"),
    ("sun", "孙主管", "supervisor"),
    ("ma", "马经理", "manager"),
)
# Words of staff among themselves; each is a sentence that no customer may ever read.
NOTE = "客人等得很急，补寄的事麻烦盯一下"
REASON = "发错两次，客人是老主顾，多给一张券留住他"
HANDED_BACK = "券已给，补寄在路上，机器人接着答即可"
WHISPER = "先别谈券，先把运单号告诉他"
MEMO = "运单已查到，只剩跟客人说一声"
CLOSING = "电话里也说好了，客人满意"
INTERNAL = (NOTE, REASON, HANDED_BACK, WHISPER, MEMO, CLOSING)

OPENING = "林先生，运单我正在查，十分钟内告诉您单号。"
KIND = "我去核对出库记录，查到哪一步都告诉您。"
DONE = "券已经到账，补寄的今天出库。"
BLAMING = "是您自己没看清楚商品页，怪不得我们。"
SECOND = "林先生您好，我是老郑，运单我已经在催了。"
THIRD = "林先生，我是主管，这件事我来盯。"
AGAIN = "又给我发错货了！！说好的根本没做到，气死我了，给我转人工！"
LAST = "运单号是SF1001，明天上午到，请您留意。"


@pytest.fixture(scope="module")
def house(trained: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A desk of our own, which hands its queue out itself to the people made here."""
    with running(tmp_path_factory.mktemp("story"), each_business={"silent_minutes": 600}) as stack:
        for login, name, role in STAFF:
            stack.add_staff(login, name, PASSWORD, role)
        yield stack


@dataclass
class Customer:
    """The customer of the story, looked at after every step."""

    guest: Guest
    said_by_bot: int = 0

    def served_by(self, who: str, kind: str) -> None:
        """See who is there now; what the bot has said so far is counted."""
        line = self.guest.page.get_by_test_id("owner-line")
        expect(line).to_contain_text(f"{who}（{kind}）在为您服务")
        self.said_by_bot = self.guest.from_bot.count()
        self.undisturbed()

    def undisturbed(self) -> None:
        """See that the bot has kept quiet since, and nothing of staff's own words got out."""
        assert self.guest.from_bot.count() == self.said_by_bot, "the bot spoke while a person owns"
        content = self.guest.page.content()
        for words in (*INTERNAL, BLAMING, "内部", "悄悄话", "@老郑"):
            assert words not in content

    def reads(self, text: str, name: str) -> None:
        """See an answer of a person, once."""
        answer = self.guest.line(text)
        expect(answer).to_have_count(1)
        expect(answer).to_contain_text(name)
        expect(answer).to_contain_text("人工客服")
        self.undisturbed()


def be(agent: Agent, presence: str) -> None:
    """Choose a presence."""
    switch = agent.page.get_by_test_id("presence")
    switch.select_option(presence)
    expect(switch).to_have_value(presence)
    expect(switch).to_have_attribute("aria-busy", "false")


def notice(agent: Agent, kind: str, text: str) -> Locator:
    """Open the bell and find a notice."""
    expect(agent.page.get_by_test_id("bell-count")).to_be_visible()
    agent.page.get_by_role("button", name=re.compile("^提醒")).click()
    found = agent.page.get_by_test_id("notice").filter(has_text=kind).filter(has_text=text)
    expect(found.first).to_be_visible()
    return found.first


def hears(agent: Agent, kind: str, text: str) -> None:
    """Find a notice, and go on where one was."""
    notice(agent, kind, text)
    agent.page.keyboard.press("Escape")
    expect(agent.page.get_by_test_id("notice")).to_have_count(0)


def note(agent: Agent, text: str) -> Locator:
    """A note in the open conversation."""
    return agent.page.get_by_test_id("note").filter(has_text=text)


def heard_by(guest: Guest) -> tuple[list[str], int, int]:
    """What stands in a customer's chat, without the times left, which pass: words, cards, lines."""
    words = guest.page.get_by_test_id("message-text").all_inner_texts()
    return words, guest.offers.count(), guest.log.locator("ol.items > li").count()


def speaks(agent: Agent, text: str) -> None:
    """Answer the customer, and see the answer in the history once."""
    agent.page.get_by_test_id("mode-answer").click()
    agent.say(text)
    expect(agent.line(text)).to_have_count(1)


def test_from_the_angry_post_to_the_closed_case(party: Party, house: Stack) -> None:
    he, zheng, sun, ma = (party.agent().log_in(login, PASSWORD) for login, *_ in STAFF)
    # What is held back for its words is a refusal of the desk, on purpose.
    he.witness.allow(r"409.*/answer")
    for agent in (he, zheng, sun):
        be(agent, "busy")
    other = party.guest("苏禾").enter_room(SHOP)
    guest = party.guest("林晚").enter_room(SHOP)
    customer = Customer(guest)

    # In public: both read the post and its reply, one is invited.
    post = f"{ANGRY[SHOP]}我是{guest.name}"
    guest.complain(post)
    for one in (guest, other):
        expect(one.answers_to(post)).to_have_count(1)
        expect(one.answers_to(post)).to_contain_text(SORRY)
    expect(other.invitation).to_have_count(0)

    # The other customer has a matter of her own, and an offer to think about.
    other.complain(f"{ANGRY[SHOP]}我是{other.name}").enter_private().prove()
    hers = heard_by(other)

    # In private: an offer, not enough, better ones, still not enough, a person.
    guest.enter_private()
    customer.served_by("小禾", "自动客服")
    guest.prove()
    for number in (2, 3):
        guest.press("还不够")
        expect(guest.offers).to_have_count(number)
    guest.press("还不够")
    line = guest.page.get_by_test_id("owner-line")
    expect(line).to_contain_text("正在为您转接人工客服，您是下一位")
    expect(guest.page.get_by_text("已转给同事，您是下一位")).to_be_visible()
    path = "/staff/" + guest.page.url.rsplit("/", 1)[1]
    conversation = path.rsplit("/", 1)[1]

    # All are busy and see it wait; the desk hands it to who says they are there.
    row = he.row(guest.name)
    expect(row).to_contain_text("转来原因：超出机器人的权限")
    expect(he.row(other.name)).to_have_count(0)
    be(he, "online")
    notice(he, "分给您", "新会话").click()
    expect(he.owner).to_have_text("您负责这段会话")
    expect(he.line(post)).to_be_visible()
    expect(guest.page.get_by_text("现在由小何为您服务")).to_be_visible()
    customer.served_by("小何", "人工客服")

    # A suggestion is only written down; a ready reply as well; blaming words are held back.
    be(he, "busy")
    he.page.get_by_test_id("suggestion").first.click()
    expect(he.composer).not_to_have_value("")
    customer.undisturbed()
    he.composer.fill("")
    he.composer.press("/")
    he.page.get_by_test_id("canned-search").fill("发错漏发")
    he.page.get_by_test_id("canned-option").first.click()
    expect(he.composer).to_have_value(re.compile("收到的货和下单的不一样.+我安排补发"))
    he.composer.fill(OPENING)
    he.composer.press("Enter")
    customer.reads(OPENING, "小何")
    he.say(BLAMING)
    warning = he.page.get_by_test_id("warning")
    expect(warning).to_contain_text("像在怪顾客")
    customer.undisturbed()
    he.page.get_by_test_id("warning-edit").click()
    expect(he.composer).to_have_value(BLAMING)
    he.composer.fill(KIND)
    he.composer.press("Enter")
    customer.reads(KIND, "小何")

    # A word to a colleague, who hears of it, reads it, and cannot speak.
    he.page.get_by_test_id("mode-note").click()
    he.composer.press_sequentially("@老")
    he.page.get_by_test_id("mention-option").filter(has_text="老郑").click()
    he.composer.press_sequentially(NOTE)
    he.composer.press("Enter")
    expect(note(he, NOTE)).to_be_visible()
    he.page.get_by_test_id("mode-answer").click()
    notice(zheng, "提到您", "小何").click()
    expect(note(zheng, NOTE)).to_be_visible()
    expect(zheng.owner).to_have_text("由 小何 负责")
    expect(zheng.composer).to_be_disabled()
    expect(he.page.get_by_test_id("looking")).to_contain_text("老郑也在看")
    customer.undisturbed()

    # More than an agent may give: asked for, granted, offered, accepted, done.
    he.page.get_by_test_id("departure").click()
    dialog = he.page.get_by_test_id("departure-dialog")
    expect(dialog.get_by_test_id("draft")).not_to_have_count(0)
    dialog.get_by_test_id("wish-voucher-fen").fill("300")
    expect(he.page.get_by_test_id("departure-confirm")).to_have_text("申请经理批准")
    dialog.get_by_test_id("departure-reason").fill(REASON)
    he.page.get_by_test_id("departure-confirm").click()
    expect(dialog).to_have_count(0)
    expect(he.page.get_by_test_id("request-card")).to_contain_text("等")
    expect(he.page.get_by_test_id("request-grant")).to_have_count(0)
    offers = guest.offers.count()
    customer.undisturbed()
    notice(ma, "申请", "小何").click()
    requests = ma.page.get_by_test_id("requests-page").get_by_test_id("request-card")
    asked = requests.filter(has_text=guest.name)
    expect(asked).to_contain_text(REASON)
    asked.get_by_test_id("request-grant").click()
    expect(guest.offers).to_have_count(offers + 1)
    expect(guest.offers.last).to_contain_text("300元")
    hears(he, "申请有结果", "马经理")
    customer.served_by("小何", "人工客服")
    guest.press("就这样办")
    expect(guest.offers.last).to_contain_text("您已接受")
    expect(guest.progress.filter(has_text="300元").filter(has_text="已完成")).to_have_count(1)
    expect(he.owner).to_have_text("您负责这段会话")
    customer.undisturbed()
    # The policy's remedies are given once: more would be a departure.
    expect(he.page.get_by_test_id("advice-given")).to_be_visible()
    expect(he.page.get_by_test_id("offer-policy")).to_have_count(0)

    speaks(he, DONE)
    customer.reads(DONE, "小何")

    # Back to the bot with a word for colleagues, and the bot goes on where it was.
    he.page.get_by_test_id("give-back").click()
    he.page.get_by_test_id("give-back-note").fill(HANDED_BACK)
    he.page.get_by_test_id("give-back-confirm").click()
    expect(he.owner).to_have_text("机器人正在回复")
    expect(he.composer).to_be_disabled()
    customer.served_by("小禾", "自动客服")
    said = guest.from_bot.count()
    guest.say("什么时候能到？")
    expect(guest.from_bot).not_to_have_count(said)
    expect(he.owner).to_have_text("机器人正在回复")
    expect(guest.page.get_by_test_id("closed-note")).to_have_count(0)

    # Angry again: a second takeover, by somebody else.
    guest.say(AGAIN)
    expect(line).to_contain_text("正在为您转接人工客服")
    expect(guest.log.get_by_text("已转给同事")).to_have_count(2)
    expect(zheng.page.get_by_test_id("take")).to_be_visible()
    zheng.page.get_by_test_id("take").click()
    expect(zheng.owner).to_have_text("您负责这段会话")
    expect(note(zheng, NOTE)).to_be_visible()
    expect(note(zheng, HANDED_BACK)).to_be_visible()
    expect(he.owner).to_have_text("由 老郑 负责")
    customer.served_by("老郑", "人工客服")
    speaks(zheng, SECOND)
    customer.reads(SECOND, "老郑")

    # The supervisor looks in from the board, whispers, then steps in.
    sun.page.get_by_role("link", name="大盘").click()
    on_board = sun.page.get_by_test_id("board-agent")
    expect(on_board.filter(has_text="老郑")).to_contain_text("1 /")
    sun.page.get_by_role("link", name=re.compile("^会话")).click()
    sun.tab_named("同事")
    sun.row(guest.name).click()
    expect(sun.owner).to_have_text("由 老郑 负责")
    sun.page.get_by_test_id("mode-whisper").click()
    sun.composer.fill(WHISPER)
    sun.composer.press("Enter")
    expect(note(zheng, WHISPER)).to_have_attribute("data-kind", "whisper")
    hears(zheng, "悄悄话", "孙主管")
    customer.undisturbed()
    sun.page.get_by_test_id("step-in").click()
    expect(sun.owner).to_have_text("您负责这段会话")
    expect(zheng.owner).to_have_text("由 孙主管 负责")
    expect(zheng.composer).to_be_disabled()
    customer.served_by("孙主管", "人工客服")
    speaks(sun, THIRD)
    customer.reads(THIRD, "孙主管")
    guest.say("好，我就等您这句话")
    expect(sun.line("我就等您这句话")).to_have_count(1)
    customer.undisturbed()

    # Handed to who knows the matter, who closes it.
    sun.page.get_by_test_id("transfer").click()
    dialog = sun.page.get_by_test_id("transfer-dialog")
    dialog.get_by_test_id("colleague").filter(has_text="小何").click()
    dialog.get_by_test_id("transfer-memo").fill(MEMO)
    sun.page.get_by_test_id("transfer-confirm").click()
    expect(he.owner).to_have_text("您负责这段会话")
    expect(note(he, MEMO)).to_be_visible()
    expect(sun.owner).to_have_text("由 小何 负责")
    expect(guest.page.get_by_text("接下来由小何为您服务")).to_be_visible()
    customer.served_by("小何", "人工客服")
    speaks(he, LAST)
    customer.reads(LAST, "小何")
    he.page.get_by_test_id("close").click()
    dialog = he.page.get_by_test_id("close-dialog")
    dialog.get_by_text("问题已解决").click()
    dialog.get_by_test_id("close-note").fill(CLOSING)
    he.page.get_by_test_id("close-confirm").click()
    expect(he.owner).to_have_text("已经结案")
    expect(guest.page.get_by_test_id("closed")).to_be_visible()
    expect(guest.page.get_by_test_id("closed-note")).to_have_count(1)
    customer.undisturbed()
    he.tab_named("已结案")
    expect(he.row_of(conversation)).to_contain_text("结案")
    # Nobody's case any more, so nobody needs to know whose it was; who oversees still does.
    expect(he.row_of(conversation)).to_contain_text("已打码")
    expect(sun.owner).to_have_text("已经结案")
    expect(sun.page.get_by_role("heading", name=guest.name)).to_be_visible()

    # Opened anew, the page has all of it, each thing once, and still nothing of ours.
    guest.reload()
    for text in (OPENING, KIND, DONE, SECOND, THIRD, LAST):
        expect(guest.line(text)).to_have_count(1)
    customer.undisturbed()

    # Meanwhile the other customer has met nobody but the bot, and nothing but her own matter.
    assert heard_by(other) == hers
    expect(other.page.get_by_test_id("owner-line")).to_contain_text("小禾（自动客服）在为您服务")
    other.press("就这样办")
    expect(other.offers.last).to_contain_text("您已接受")
    expect(other.progress.first).to_be_visible()
    for words in (*INTERNAL, OPENING, guest.name):
        assert words not in other.page.content()
