"""What a source of the generic channel may rely on, over real HTTP with a desk in the process."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from recovery.signing import sign
from recovery.store import cases
from recovery.store.tables import conversations, customers, webhook_received
from tests.desk.people import PATIENCE, until
from tests.desk.scripted_rasa import Body, opens_a_case, says
from tests.desk.webhook.scene import SECRETS, Scene, a_scene

# One desk for all tests of this file: each has customers of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path_factory.mktemp("webhook")) as [made]:
        yield made


@pytest.fixture
def scene(whole: Scene) -> Scene:
    whole.anew()
    return whole


async def test_a_message_is_taken_once_and_answered_in_order(scene: Scene) -> None:
    body = {"id": "m-1", "from": {"id": "u1", "name": "阿明\u0000"}, "text": "房间没打扫\u0000𠮷😡"}
    first = await scene.post(body)
    assert first.status_code == 200 and first.json()["state"] == "taken"
    again = await scene.post(dict(reversed(body.items())))
    assert again.json() == {**first.json(), "state": "repeated"}
    other = await scene.post({**body, "text": "别的话"})
    assert other.status_code == 409
    [heard] = await scene.heard("u1", 1)
    assert heard["text"] == "好的：房间没打扫𠮷😡"
    assert (heard["visibility"], heard["kind"], heard["author"]) == ("private", "message", "bot")
    assert heard["conversation"] == first.json()["conversation"]
    for number in range(5):
        await scene.say("u1", f"第{number}句")
    texts = [event["text"] for event in await scene.heard("u1", 6)]
    assert texts[1:] == [f"好的：第{number}句" for number in range(5)]
    row = scene.conversation(heard["conversation"])
    assert (row["kind"], row["channel"]) == ("private", "app")
    [customer] = scene.rows(customers, customers.c.id == row["customer_id"])
    assert customer["name"] == "阿明" and customer["external_id"] is None
    await until(lambda: not scene.sends("sending") and not scene.sends("todo"))
    assert len(scene.other.to("u1")) == 6


async def test_what_is_not_signed_or_not_fit_is_refused_and_not_stored(scene: Scene) -> None:
    before, talks = len(scene.rows(webhook_received)), len(scene.rows(conversations))
    good = {"id": "m-9", "from": {"id": "u9"}, "text": "您好"}
    raw = b'{"id":"m-9","from":{"id":"u9"},"text":"hi"}'
    old = sign(SECRETS["APP_SECRET"], raw, scene.clock())
    scene.clock.wind(seconds=301)
    stranger = await scene.post(good, source="nobody")
    for refused in (
        await scene.post(good, secret="z" * 40),
        await scene.post(good, secret=SECRETS["WEIBO_SECRET"]),
        await scene.post(raw, header=old),
        await scene.post(raw, header=""),
        await scene.post(raw, header="t=1,v1=é".encode()),
    ):
        assert (refused.status_code, refused.json()) == (stranger.status_code, stranger.json())
    assert stranger.status_code == 401
    assert (await scene.post(b" " * (64 * 1024 + 1))).status_code == 413
    for bad, status in (
        (b"{", 400),
        (b"[]", 400),
        (b'{"id":"m","from":{"id":"u"},"text":NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        ({**good, "more": 1}, 400),
        ({**good, "id": "a\ud800"}, 400),
        ({**good, "id": "a\u0000"}, 400),
        ({**good, "id": "x" * 129}, 400),
        ({**good, "from": {"id": ""}}, 400),
        ({**good, "visibility": "secret"}, 400),
        ({**good, "at": "yesterday"}, 400),
        ({**good, "at": "0001-01-01T00:00:00+00:00"}, 422),
        ({**good, "at": "2026-11-20T00:00:00+08:00"}, 422),
        ({**good, "text": "长" * 2001}, 422),
        ({**good, "text": "\u200b\ud800 \u0000"}, 422),
        ({"id": "m-2", "from": {"id": "u1"}, "payload": "k1:forged.token"}, 422),
    ):
        answer = await scene.post(bad)
        assert (answer.status_code, bad) == (status, bad)
        assert answer.json()["error"]["message"]
    private = await scene.post({**good, "visibility": "private"}, source="board")
    assert private.json()["error"]["code"] == "not_private"
    assert len(scene.rows(webhook_received)) == before
    assert len(scene.rows(conversations)) == talks


async def test_options_come_back_as_payloads_and_only_from_whom_they_were_sent_to(
    scene: Scene,
) -> None:
    def offers(path: str, body: Body) -> Body:
        if body["metadata"].get("button"):
            return says(f"您选了{body['metadata']['button']['value']}")
        answer = says("是哪一单？")
        answer["messages"][0]["buttons"] = [{"title": "第一单", "payload": "order:LT1"}]
        return answer

    scene.rasa.script = offers
    await scene.say("o1", "退房时多收了钱")
    [asked] = await scene.heard("o1", 1)
    [option] = asked["options"]
    assert option["title"] == "第一单"
    await scene.say("o2", "您好")
    theirs = {"id": "m-x", "from": {"id": "o2"}, "payload": option["payload"]}
    assert (await scene.post(theirs)).json()["error"]["code"] == "bad_option"
    await scene.say("o1", "", payload=option["payload"])
    assert (await scene.heard("o1", 2))[1]["text"] == "您选了LT1"


async def test_a_public_post_is_answered_there_and_goes_on_in_private_as_the_same_case(
    scene: Scene,
) -> None:
    posted = await scene.say("w1", "房间没打扫！手机13900000000", source="weibo", id="weibo-1")
    room = await scene.heard("w1", 2)
    [answer] = [event for event in room if event["visibility"] == "public"]
    [invitation] = [event for event in room if event["visibility"] == "private"]
    assert answer["reply_to"] == "weibo-1" and answer["conversation"] == posted["conversation"]
    assert invitation["kind"] == "invitation" and "https://desk.example/w/" in invitation["text"]
    # A code that everybody could read, and use, is not taken.
    shown = {"id": "weibo-2", "from": {"id": "w1"}, "text": "绑定 ACDE-FGHJ"}
    refused = await scene.post(shown, source="weibo")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "join_code")
    public = scene.conversation(posted["conversation"])
    assert (public["kind"], public["room"], public["channel"]) == ("public", "wh-weibo", "weibo")
    # In the room others read it masked.
    assert "13900000000" not in scene.events("room:wh-weibo")[0]["text"]
    written = await scene.say("w1", "说来话长", source="weibo", visibility="private")
    private = scene.conversation(written["conversation"])
    assert private["case_id"] == public["case_id"] is not None
    assert private["customer_id"] == public["customer_id"]
    await until(lambda: "好的：说来话长" in scene.other.texts("w1"))
    # Staff answer where the customer talks.
    async with scene.staff() as lin:
        path = f"/api/staff/conversations/{private['id']}"
        assert (await lin.post(f"{path}/take", json={})).status_code == 200
        said = {"id": "answer-0001", "text": "我是小林，马上去看"}
        assert (await lin.post(f"{path}/answer", json=said)).status_code == 200
        await until(lambda: "我是小林，马上去看" in scene.other.texts("w1"))
        # What a source will never take is seen by staff, and what follows still goes.
        scene.other.answers = lambda _, event: (422, {}) if "坏" in event["text"] else None
        for number, text in enumerate(("坏的一句", "后面一句")):
            said = {"id": f"answer-100{number}", "text": text}
            assert (await lin.post(f"{path}/answer", json=said)).status_code == 200
        await until(lambda: "后面一句" in scene.other.texts("w1"))
        detail = (await lin.get(path)).json()
        [lost] = detail["undelivered"]
        assert [one["text"] for one in detail["private"] if one["id"] == lost] == ["坏的一句"]
        # What is split off is answered there as well, and what answers that comes in where it is.
        said = next(one["id"] for one in detail["private"] if one.get("author") == "customer")
        body = {"failure": "noise", "messages": [said], "reason": "是两件事"}
        split = await lin.post(f"{path}/split", json=body)
        assert split.status_code == 200, split.text
        apart = split.json()["conversation"]
        said = {"id": "answer-2000", "text": "隔壁的施工已经停了"}
        answered = await lin.post(f"/api/staff/conversations/{apart}/answer", json=said)
        assert answered.status_code == 200, answered.text
        await until(lambda: "隔壁的施工已经停了" in scene.other.texts("w1"))
        event = next(one for one in scene.other.to("w1") if one["text"] == said["text"])
        assert event["conversation"] == apart
        reply = {"visibility": "private", "reply_to": event["id"]}
        taken = await scene.say("w1", "谢谢", source="weibo", **reply)
        assert taken["conversation"] == apart


async def test_a_link_makes_the_browser_that_opens_it_the_writer_once(scene: Scene) -> None:
    posted = await scene.say("w2", "房间没打扫！", source="weibo")
    [invitation] = [one for one in await scene.heard("w2", 2) if one["kind"] == "invitation"]
    token = invitation["text"].rpartition("/w/")[2]
    link = f"/api/wechat-links/{token}"
    async with httpx.AsyncClient(
        base_url=scene.desk.url, timeout=PATIENCE, trust_env=False
    ) as browser:
        for _ in range(2):
            # Looking does not use it up.
            seen = (await browser.get(link)).json()
            assert (seen["source"], seen["conversation"]) == ("岚庭微博", None)
        opened = (await browser.post(link, json={})).json()["conversation"]
        assert (await browser.get(f"/api/conversations/{opened}")).status_code == 200
        assert (await browser.get(link)).json()["conversation"] == opened
        assert (await browser.post(link, json={})).json()["conversation"] == opened
        row = scene.conversation(opened)
        assert row["case_id"] == scene.conversation(posted["conversation"])["case_id"]
        assert row["channel"] == "web"
    # Somebody else who has the link finds nothing.
    assert (await scene.http.get(link)).status_code == 404
    assert (await scene.http.post(link, json={})).status_code == 404
    # What the writer says at the source goes on in the same conversation, and so do the answers.
    there = await scene.say("w2", "还是在这里说", source="weibo", visibility="private")
    assert there["conversation"] == opened
    await until(lambda: "好的：还是在这里说" in scene.other.texts("w2"))


async def test_a_code_typed_at_a_source_joins_it_with_the_page_and_is_kept_nowhere(
    scene: Scene,
) -> None:
    async with httpx.AsyncClient(
        base_url=scene.desk.url, timeout=PATIENCE, trust_env=False
    ) as page:
        begun = await page.post("/api/session", json={"business": "lanting", "name": "小周"})
        on_page = begun.json()["customer"]["id"]
        asked = await scene.say("j1", "合并账号")
        [told] = await scene.heard("j1", 1)
        code = told["text"].partition("合并码是 ")[2].partition("，")[0]
        joined = await page.post("/api/my/codes/use", json={"business": "lanting", "code": code})
        assert joined.status_code == 200, joined.text
    row = scene.conversation(asked["conversation"])
    people = scene.rows(customers, customers.c.id.in_([row["customer_id"], on_page]))
    assert len({one["person"] for one in people}) == 1 and len(people) == 2
    assert not [one for one in scene.events(f"private:{row['id']}") if code in one["text"]]


async def test_a_board_without_private_messages_says_in_public_how_to_reach_us(
    scene: Scene,
) -> None:
    def answers(path: str, body: Body) -> Body:
        answer = opens_a_case(path, body)
        answer["messages"][0]["text"] = "非常抱歉。私聊入口只有您看得到。"
        answer["messages"].insert(0, {"text": "仅您可见", "buttons": [], "response": "say_own"})
        answer["messages"][-1]["custom"]["own"] = ["say_own"]
        return answer

    scene.rasa.script = answers
    await scene.say("b1", "房间没打扫！", source="board")
    [heard] = await scene.heard("b1", 1)
    assert heard["text"] == "非常抱歉。想单独处理，请拨岚庭总机0。"
    assert heard["visibility"] == "public" and heard["options"] == []
    # It stands in the room of the business, where web customers read it too.
    assert scene.events("room:lanting-lobby")[0]["text"] == "房间没打扫！"
    await scene.say("b2", "同上", source="board")
    await scene.heard("b2", 1)
    await until(lambda: not scene.sends("todo") and not scene.sends("sending"))
    assert len(scene.other.to("b1")) == 1
    with scene.desk.context.storage.database.read() as db:
        found = scene.rows(conversations, conversations.c.channel == "board")
        assert all(cases.load(db, row["case_id"]) for row in found) and len(found) == 2
    # Nobody sends faster than the settings say.
    for number in range(5):
        body = {"id": f"fast-{number}", "from": {"id": f"b{number}"}, "text": "快"}
        answer = await scene.post(body, source="board")
        if answer.status_code == 429:
            break
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
