"""Pictures of the pages for the README: `python -m tests.browser.shots docs/screenshots`."""

import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select, update

from recovery.store.database import Database, stamp
from recovery.store.tables import cases, clocks, conversations
from tests.browser.backstage import by_hand
from tests.browser.chromium import launched
from tests.browser.stage import an_id, call
from tests.browser.visitors import ANGRY, HOTEL, PHONE, SHOP, Agent, Guest
from tests.support.stack import Stack, running
from tools.stack import midday, wait_until

DESKTOP: ViewportSize = {"width": 1120, "height": 820}
# What staff most often have.
DESK: ViewportSize = {"width": 1366, "height": 768}
# So high that the charts are in the picture.
TALL_DESK: ViewportSize = {"width": 1366, "height": 1240}
# So high that a whole offer is in the picture.
TALL: ViewportSize = {"width": 1120, "height": 980}
TALL_PHONE: ViewportSize = {"width": 390, "height": 980}
PASSWORD = "a password for pictures"
FURIOUS = "垃圾店铺！发错货还不理人，气死我了，再不处理我就去12315投诉你们！！"
# It is about noon in the pictures, whenever they are taken.
HOURS = {"timezone_id": midday()}
STAFF = (
    ("he", "何静", "agent"),
    ("zheng", "郑维", "agent"),
    ("fang", "方晓", "agent"),
    ("shen", "沈岚", "supervisor"),
    ("liang", "梁越", "manager"),
    ("tang", "唐一鸣", "trainer"),
    ("gu", "顾衡", "admin"),
)
ARRIVALS = (
    ("周砚", HOTEL, ANGRY[HOTEL]),
    ("陆小满", SHOP, FURIOUS),
    ("程远", SHOP, "耳机收到就是坏的，充不进电，太失望了，怎么回事？"),
    ("杜若", HOTEL, "隔壁吵了一夜，根本没法睡，太气人了！"),
    ("许知远", SHOP, "快递三天没动静，客服也不回，气死我了！！"),
    ("江澄", HOTEL, "空调整晚不制冷，热得睡不着，太气人了！！"),
)
# When the cases by phone began: this morning, and yesterday after noon.
AGO = (35, 80, 140, 200, 890, 1010, 1060, 1190)
IMPATIENT = ("江澄", "陆小满")
CANNED = (
    ("换房", "hf", "我现在去看房间，换好以后陪您过去，行李我们来搬。", "hotel", 0, 3),
    ("补发", "bf", "对的那一件今天就发，运费我们出，错的不用您寄回。", "shop", 0, 3),
)
LABELS = (("卫生", "orange"), ("常客", "green"), ("物流", "blue"), ("要回访", "purple"))
OUTCOMES = ("solved", "compensated", "explained", "solved", "unreachable")
PHONED = (
    ("he", "lanting", "沈先生", "noise", "楼上装修，一早就吵醒了。"),
    ("zheng", "qinghe", "吴女士", "wrong_item", "杯子颜色发错了，要白的来了黑的。"),
    ("fang", "qinghe", "马先生", "late", "说好昨天到，今天还没有。"),
    ("he", "lanting", "秦女士", "room_not_clean", "浴室地上有头发。"),
    ("zheng", "qinghe", "何先生", "damaged", "茶叶盒子压扁了。"),
    ("he", "lanting", "罗女士", "noise", "空调外机响了一夜。"),
    ("fang", "qinghe", "孙女士", "late", "快递一直停在转运站。"),
    ("zheng", "qinghe", "赵先生", "defective", "耳机左边没有声音。"),
)


class Album:
    """A folder of pictures."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Args:
            folder: Pictures that are there already are replaced.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def take(self, page: Page, name: str, size: ViewportSize | None = None) -> None:
        """Take a picture of what is in view.

        Args:
            page: In the state to be shown.
            name: Of the file, without ending.
            size: Of the view; as it is by default.
        """
        if size:
            page.set_viewport_size(size)
        log = page.get_by_role("log")
        if log.count():
            log.evaluate("(log) => { log.scrollTop = log.scrollHeight; }")
        # A picture is of a page at rest, without the ring around what was used last.
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(0, 0)
        page.wait_for_function(
            "() => document.getAnimations().every((one) => one.playState !== 'running')"
        )
        path = self._folder / f"{name}.png"
        page.screenshot(path=path)
        # Few colours are enough for pages, and a repository keeps pictures for ever.
        Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
            path, optimize=True
        )


def _room(browser: Browser, stack: Stack, album: Album) -> Guest:
    praising = Guest(browser, stack.url, "陈先生", **HOURS).enter_room()
    praising.say("前台小姐姐特别热情，谢谢你们")
    # Praise gets thanks at most, so there may be no answer to wait for.
    expect(praising.line("前台小姐姐")).to_have_attribute("data-state", "sent")
    asking = Guest(browser, stack.url, "小周", **HOURS).enter_room()
    asking.say("请问几点可以办理入住？")
    expect(asking.answers_to("几点可以办理入住")).to_be_visible()
    angry = Guest(browser, stack.url, "林晚", viewport=DESKTOP, **HOURS).enter_room()
    angry.complain(ANGRY[HOTEL])
    expect(angry.answers_to(ANGRY[HOTEL])).to_be_visible()
    album.take(angry.page, "room")
    album.take(angry.page, "room-phone", PHONE)
    return angry


def _private(guest: Guest, album: Album) -> None:
    guest.enter_private().prove()
    album.take(guest.page, "private", TALL)
    album.take(guest.page, "private-phone", TALL_PHONE)


def _arrive(browser: Browser, stack: Stack) -> dict[str, Guest]:
    """Bring customers of several trades into the queue."""
    waiting = {}
    for name, room, text in ARRIVALS:
        guest = Guest(browser, stack.url, name, **HOURS).enter_room(room)
        guest.complain(text).enter_private()
        if name == "周砚":
            guest.prove()
        guest.say("给我转人工")
        expect(guest.page.get_by_test_id("owner-line")).to_contain_text("人工")
        waiting[name] = guest
    # Who has to wait is not always patient.
    for name in IMPATIENT:
        waiting[name].say("都等多久了！气死我了，太过分了，到底管不管！！")
    return waiting


def _colleagues(browser: Browser, stack: Stack) -> dict[str, Agent]:
    people = {}
    for login, name, role in STAFF:
        stack.add_staff(login, name, PASSWORD, role)
        agent = Agent(browser, stack.url, viewport=DESK, **HOURS)
        agent.witness.allow(r"401.*/api/staff/me")
        agent.go("/staff").fill_login(login, PASSWORD)
        expect(agent.page.get_by_test_id("staff-login")).to_have_count(0)
        people[login] = agent
    return people


def _words(supervisor: Agent) -> dict[str, int]:
    """Write replies and labels as a house would have them. Returns the labels by name."""
    for title, shortcut, text, industry, least, most in CANNED:
        body = {"title": title, "shortcut": shortcut, "text": text, "industry": industry}
        call(supervisor, "POST", "/canned", {**body, "anger_least": least, "anger_most": most})
    return {
        name: call(supervisor, "POST", "/labels", {"name": name, "colour": colour})["id"]
        for name, colour in LABELS
    }


def _morning(stack: Stack, people: dict[str, Agent]) -> None:
    """Take cases by phone and close them; their times are then spread over the hours before."""
    made = []
    for number, (login, business, name, failure, text) in enumerate(PHONED):
        body = {"business": business, "channel": "phone", "name": name, "failure": failure}
        case = call(people[login], "POST", "/cases", {**body, "id": an_id(), "text": text})
        at = f"/conversations/{case['conversation']}"
        # Words that the bot has not heard yet when a case is closed would open it again.
        wait_until(lambda at=at, of=people[login]: call(of, "GET", at)["anger"], "the words")
        said = {"id": an_id(), "text": "这件事由我来办，今天给您回话。"}
        call(people[login], "POST", f"{at}/answer", {**said, "confirmed": True})
        call(people[login], "POST", f"{at}/close", {"outcome": OUTCOMES[number % len(OUTCOMES)]})
        made.append(case["conversation"])
    _spread(stack, made)


def _spread(stack: Stack, made: list[str]) -> None:
    now = datetime.now(UTC)
    store = Database(f"sqlite:///{stack.data / 'desk.sqlite3'}")
    with closing(store), store.write() as db:
        for number, conversation in enumerate(made):
            opened = now - timedelta(minutes=AGO[number])
            case = select(conversations.c.case_id).where(conversations.c.id == conversation)
            db.execute(
                update(cases)
                .where(cases.c.id.in_(case))
                .values(opened_at=stamp(opened), closed_at=stamp(opened + timedelta(minutes=30)))
            )
            db.execute(
                update(clocks)
                .where(clocks.c.conversation_id == conversation)
                .values(stopped_at=stamp(opened + timedelta(minutes=4)))
            )


def _staff(browser: Browser, stack: Stack, album: Album) -> None:
    nobody = Agent(browser, stack.url, viewport=DESK, **HOURS)
    nobody.witness.allow(r"401.*/api/staff/me")
    expect(nobody.go("/staff").page.get_by_test_id("staff-login")).to_be_visible()
    album.take(nobody.page, "login")
    people = _colleagues(browser, stack)
    labels = _words(people["shen"])
    _morning(stack, people)
    waiting = _arrive(browser, stack)
    _talk(stack, people, waiting, labels)
    _cases(people, album)
    _others(people, album)


def _talk(
    stack: Stack, people: dict[str, Agent], waiting: dict[str, Guest], labels: dict[str, int]
) -> None:
    """何静 looks after 周砚; others are with colleagues."""
    he, guest = people["he"], waiting["周砚"]
    path = "/staff/" + guest.page.url.rsplit("/", 1)[1]
    at = "/conversations/" + path.rsplit("/", 1)[1]
    he.go(path).page.get_by_test_id("take").click()
    expect(he.owner).to_have_text("您负责这段会话")
    he.say("周先生您好，我是何静。1815房我已经请主管重新检查，现在过来陪您换房。")
    expect(guest.line("陪您换房")).to_have_count(1)
    guest.say("好，我在房间等你，别再让我等半天了")
    expect(he.line("我在房间等你")).to_be_visible()
    call(he, "PUT", f"{at}/labels", {"labels": [labels["卫生"], labels["常客"]]})
    colleagues = {one["login"]: one["id"] for one in _by_login(people)}
    note = {"id": an_id(), "text": "@沈岚 客人带着两岁的孩子，换到安静的一侧。"}
    call(he, "POST", f"{at}/notes", {**note, "mentions": [colleagues["shen"]]})
    advice = call(he, "GET", at)["case"]["advice"]
    wishes = [item["wish"] for item in advice["items"] if item["wish"]["kind"] != "voucher"]
    more = [*wishes, {"kind": "voucher", "fen": 30_000}]
    reason = "带着孩子等了一个晚上，两次打扫都没到位，想多给一张券。"
    call(he, "POST", f"{at}/requests", {"id": an_id(), "remedies": more, "reason": reason})
    for login, name in (("zheng", "陆小满"), ("zheng", "杜若"), ("fang", "许知远")):
        other = waiting[name].page.url.rsplit("/", 1)[1]
        call(people[login], "POST", f"/conversations/{other}/take", {})
    call(people["fang"], "PUT", "/me/presence", {"presence": "busy"})


def _by_login(people: dict[str, Agent]) -> list[dict[str, Any]]:
    return [call(agent, "GET", "/me")["staff"] for agent in people.values()]


def _cases(people: dict[str, Agent], album: Album) -> None:
    he = people["he"]
    he.page.reload()
    expect(he.line("我在房间等你")).to_be_visible()
    expect(he.page.get_by_test_id("request-card")).to_be_visible()
    he.tab_named("待接手")
    expect(he.row("江澄")).to_contain_text("生气")
    expect(he.page.get_by_test_id("suggestion").first).to_be_visible()
    album.take(he.page, "staff", DESK)
    he.page.emulate_media(color_scheme="dark")
    album.take(he.page, "staff-dark", DESK)
    he.page.emulate_media(color_scheme="light")
    album.take(he.page, "staff-phone", PHONE)
    he.page.get_by_test_id("panel-toggle").click()
    album.take(he.page, "case-phone", PHONE)
    he.go("/staff").page.get_by_test_id("tab-queue").click()
    expect(he.page.get_by_test_id("queue-row").first).to_be_visible()
    album.take(he.page, "queue-phone", PHONE)


def _others(people: dict[str, Agent], album: Album) -> None:
    for login, path, seen, name in (
        ("shen", "/staff/board", "board-row", "board"),
        ("liang", "/staff/requests", "request-card", "requests"),
        ("liang", "/staff/audit", "audit-row", "audit"),
        ("shen", "/staff/words", "canned-row", "words"),
        ("gu", "/staff/accounts", "account-row", "accounts"),
        ("he", "/staff/me", "own-page", "account"),
    ):
        page = people[login].go(path).page
        expect(page.get_by_test_id(seen).first).to_be_visible()
        album.take(page, name, TALL_DESK if name == "board" else DESK)


def shoot(folder: Path) -> None:
    """Take all pictures, at a desk of their own.

    Args:
        folder: For the PNG files.
    """
    album = Album(folder)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data), businesses=by_hand()) as stack,
        launched() as browser,
    ):
        page = browser.new_page(locale="zh-CN", viewport=DESKTOP, **HOURS)
        page.goto(stack.url)
        expect(page.get_by_role("link", name="岚庭酒店·大堂")).to_be_visible()
        album.take(page, "start")
        _private(_room(browser, stack, album), album)
        _staff(browser, stack, album)


def main(arguments: list[str]) -> int:
    """Take the pictures into the folder that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.browser.shots OUTDIR\n")
        return 2
    shoot(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
