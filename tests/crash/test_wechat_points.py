"""Every fault point on the roads to and from WeChat; WeChat brings again what was not answered."""

import asyncio
import itertools
import re
from collections.abc import Iterator

import pytest

from tests.crash.lasting import LastingCustomer
from tests.crash.wechat import ARTICLE, BOLD, CAREFUL, WeChatScene, wechat_scene
from tests.desk.images import encoded

RECEIVING = ["wechat-received", "wechat-fetched"]
TAKING = ["wechat-taken"]
PASSIVE = ["wechat-passive"]
PLANNING = ["wechat-planned"]
SENDING = ["wechat-sending", "wechat-sent"]
LANDING = ["wechat-landed"]
CROSSING = ["wechat-link-opened"]
COMMENT_TAKING = ["comment-taken"]
COMMENT_SENDING = ["comment-sending"]
WECHAT = [
    *(*RECEIVING, *TAKING, *PASSIVE, *PLANNING, *SENDING, *LANDING),
    *(*CROSSING, *COMMENT_TAKING, *COMMENT_SENDING),
]
_SEND = "/cgi-bin/message/custom/send"
_REPLY = "/cgi-bin/comment/reply/add"
_LIST = "/cgi-bin/comment/list"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeChatScene]:
    """One desk for all of them."""
    with wechat_scene(tmp_path_factory.mktemp("wechat")) as scene:
        yield scene


@pytest.fixture
def scene(whole: WeChatScene) -> Iterator[WeChatScene]:
    yield whole
    whole.disarm()
    assert whole.double.wrong == []
    assert whole.double.violations == []


@pytest.fixture
def openid() -> str:
    """A customer of the test's own."""
    return f"o-crash-{next(_numbers)}"


def told(scene: WeChatScene, openid: str) -> int:
    """How many messages of a customer are in the inbox."""
    conversation = scene.conversation(openid)
    query = "SELECT count(*) FROM inbox WHERE conversation_id = ? AND external_id LIKE 'wx-%'"
    return scene.ledger.count("desk", query, conversation)


@pytest.mark.parametrize("point", RECEIVING)
async def test_picture(scene: WeChatScene, openid: str, point: str) -> None:
    scene.arm(point)
    sending = asyncio.create_task(scene.double.send_image(openid, encoded("JPEG")))
    await scene.survive("desk")
    again = await scene.double.again(await sending)
    assert again.outcome in ("accepted", "passive")
    await scene.until(lambda: told(scene, openid) == 1, "the picture in the inbox")
    await scene.quiet(openid)
    assert told(scene, openid) == 1
    pictures = "SELECT count(*) FROM pictures WHERE conversation_id = ?"
    assert scene.ledger.count("desk", pictures, scene.conversation(openid)) == 1
    assert scene.times(openid, "好的：") == 1


@pytest.mark.parametrize("point", TAKING)
async def test_words(scene: WeChatScene, openid: str, point: str) -> None:
    scene.arm(point)
    writing = asyncio.create_task(scene.double.write(openid, "房间太吵"))
    await scene.survive("desk")
    await scene.double.again(await writing)
    await scene.quiet(openid)
    assert told(scene, openid) == 1
    assert scene.times(openid, "好的：房间太吵") == 1
    # The next one finds everything in order.
    await scene.double.write(openid, "还是很吵")
    await scene.quiet(openid)
    assert scene.times(openid, "好的：还是很吵") == 1


@pytest.mark.parametrize("point", PASSIVE)
async def test_passive_reply(scene: WeChatScene, openid: str, point: str) -> None:
    scene.arm(point)
    writing = asyncio.create_task(scene.double.write(openid, "房间太吵"))
    await scene.survive("desk")
    delivery = await writing
    assert delivery.outcome == "unavailable"
    again = await scene.double.again(delivery)
    assert (again.outcome, again.text) == ("passive", "好的：房间太吵")
    await scene.quiet(openid)
    assert scene.times(openid, "好的：房间太吵") == 1
    assert set(scene.sends(openid)) == {("sent", "passive")}


@pytest.mark.parametrize("point", PLANNING)
async def test_words_of_staff(scene: WeChatScene, openid: str, point: str) -> None:
    await scene.double.write(openid, "房间太吵")
    async with scene.answering(openid) as staff:
        scene.arm(point)
        words = {"id": "staff-0001", "text": "我来帮您换房"}
        await staff.change(scene.conversation(openid), "answer", **words)
        await scene.survive("desk")
        await scene.quiet(openid)
    assert scene.times(openid, "我来帮您换房") == 1


@pytest.mark.parametrize("account", [CAREFUL, BOLD])
@pytest.mark.parametrize("point", SENDING)
async def test_call_that_may_have_been_carried_out(
    scene: WeChatScene, openid: str, point: str, account: str
) -> None:
    """WeChat knows no ids of ours: it goes again only where the settings say so."""
    await scene.double.write(openid, "房间太吵", account)
    async with scene.answering(openid) as staff:
        scene.arm(point)
        words = {"id": "staff-0001", "text": "我来帮您换房"}
        await staff.change(scene.conversation(openid), "answer", **words)
        await scene.survive("desk")
        await scene.quiet(openid)
        shown = await staff.look(scene.conversation(openid))
    carried_out = int(point == "wechat-sent")
    assert scene.times(openid, "我来帮您换房") == carried_out + int(account == BOLD)
    if account == CAREFUL:
        assert scene.sends(openid)[-1][0] == "unknown"
        assert shown["conversation"]["owner_name"] == "李娜"
    else:
        assert scene.sends(openid)[-1][0] == "sent"


@pytest.mark.parametrize("point", LANDING)
async def test_call_that_ends_while_the_desk_stops(
    scene: WeChatScene, openid: str, point: str
) -> None:
    await scene.double.write(openid, "房间太吵")
    async with scene.answering(openid) as staff:
        scene.double.hang(_SEND, 1.5)
        scene.arm(point)
        words = {"id": "staff-0001", "text": "我来帮您换房"}
        await staff.change(scene.conversation(openid), "answer", **words)
        await scene.until(lambda: scene.times(openid, "我来帮您换房") == 1, "the call")
        scene.stack.processes["desk"].terminate()
        await scene.survive("desk")
        await scene.quiet(openid)
    assert scene.times(openid, "我来帮您换房") == 1
    assert scene.sends(openid)[-1][0] == "unknown"


@pytest.mark.parametrize("point", CROSSING)
async def test_link_to_the_page(scene: WeChatScene, openid: str, point: str) -> None:
    await scene.double.write(openid, "房间太吵")

    async def link() -> str:
        before = len(scene.double.seen(openid))
        await scene.double.write(openid, "网页")
        await scene.until(lambda: len(scene.double.seen(openid)) > before, "the link")
        found = re.search(r"/w/([\w-]+)", scene.double.seen(openid)[-1].text)
        assert found
        return found[1]

    async with LastingCustomer(scene.stack.url) as browser:
        secret = await link()
        scene.arm(point)
        opening = asyncio.create_task(
            browser.request("POST", f"/api/wechat-links/{secret}", json={})
        )
        await scene.survive("desk")
        # It was used, and whoever used it has heard nothing: one asks for another.
        assert (await opening).status_code == 404
        path = f"/api/wechat-links/{await link()}"
        opened = await browser.request("POST", path, json={})
        assert opened.json() == {"conversation": scene.conversation(openid)}
        page = await browser.open(
            f"/ws/conversation/{scene.conversation(openid)}",
            {f"private:{scene.conversation(openid)}": 0},
        )
        await page.event(text="房间太吵")


@pytest.mark.parametrize("point", COMMENT_TAKING)
async def test_comment(scene: WeChatScene, point: str) -> None:
    scene.arm(point)
    said = scene.double.comment(ARTICLE, "房间没打扫", openid="o-reader-1", account=CAREFUL)
    await scene.survive("desk")
    await scene.until(lambda: scene.comment(said.id) == "done", "the reply")
    assert said.reply
    assert replies(scene, said.id) == 1


@pytest.mark.parametrize("point", COMMENT_SENDING)
async def test_reply_that_may_have_been_posted(scene: WeChatScene, point: str) -> None:
    scene.arm(point)
    said = scene.double.comment(ARTICLE, "早餐太差", openid="o-reader-2", account=CAREFUL)
    await scene.survive("desk")
    await scene.until(lambda: scene.comment(said.id) == "unknown", "the doubt about the reply")
    asked = len(scene.double.calls(_LIST))
    await scene.until(lambda: len(scene.double.calls(_LIST)) > asked, "the next look")
    assert replies(scene, said.id) == 0
    assert said.reply is None
    assert scene.comment(said.id) == "unknown"


def replies(scene: WeChatScene, comment: int) -> int:
    """How often the desk has tried to reply to a comment."""
    calls = scene.double.calls(_REPLY)
    return sum(str(call.body["user_comment_id"]) == str(comment) for call in calls)


async def test_nothing_was_lost_or_doubled(scene: WeChatScene) -> None:
    await scene.ledger.rest()
    scene.ledger.check()
    query = "SELECT count(*) FROM wechat_received WHERE state = 'new'"
    assert scene.ledger.count("desk", query) == 0
