"""Comments under articles: each is answered once in public, and goes on where its writer writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from desk.channels.wechat.public.commenting import compose, room_of
from desk.channels.wechat.public.comments import CommentWorker
from desk.conversations.commented import LONGEST_OF_STAFF, LONGEST_REPLY, fit
from recovery.privacy import mask
from recovery.store.tables import conversations, customers, inbox, wechat_comments, wechat_contacts
from tests.desk.people import PATIENCE
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.scene import ACCOUNT, Scene, a_scene
from tests.support.stack import ROOT
from tests.support.wechat.double import Comment

ARTICLE = "2247483650"
NAME = "兰亭酒店"
OFTEN = {"comments": {"articles": [ARTICLE], "every_seconds": 10}, "name": NAME}
REPLY = "/cgi-bin/comment/reply/add"
LIST = "/cgi-bin/comment/list"
PHONE = "13912345678"
APOLOGY = "房间没有打扫干净让您这么生气，是我们没做好，对不起。"


def spoken(*words: tuple[str, str], commands: list[Body] | None = None, anger: int = 0) -> Body:
    """An answer of Rasa: which response, and its words."""
    answer = says(*(text for _, text in words), commands=commands, anger=anger)
    for message, (response, _) in zip(answer["messages"], words, strict=False):
        message["response"] = response
    return answer


def bot(path: str, body: Body) -> Body:
    """The bot of these tests: the rows of the table by the words of the comment."""
    text = body["text"]
    if path == "/desk/overheard":
        return {"understood": says()["understood"], "repeated": False}
    if body["metadata"]["visibility"] == "private":
        if body["intent"] == "entered":
            return spoken(("say_open", "关于房间没有打扫干净，您的留言我都读了。"))
        return spoken(("say_ask", f"好的，记下了：{text}"))
    if "谢谢" in text:
        return spoken(("say_public_thanks", "您满意，我们就踏实了。"))
    if "几点" in text:
        return spoken(("say_public_question", "入住时间在服务指南的“入口”一页。"))
    if "路过" in text:
        return spoken()
    opened: list[Body] = [
        {"do": "open_case", "case": "s" + body["message_id"][1:25], "failure": "room_not_clean"},
        {"do": "invite"},
    ]
    if "流血" in text:
        by = "2026-11-22T05:00:00+00:00"
        opened += [{"do": "hand_over", "reason": "safety", "by": by}]
        care = "人最要紧，请先打120。同事最先看您这一条，请点只有您看得到的“进入私聊”。"
        return spoken(("say_public_safety", care), commands=opened)
    invite = "请点仅您可见的“进入私聊”，我在里面逐项核实。"
    words = [("say_public_apologise", APOLOGY), ("say_public_invite", invite)]
    if mask(text).found:
        words.append(("say_public_masked", "已替您遮住，别人看不到。"))
    answer = spoken(*words, commands=opened, anger=2)
    answer["messages"][-1]["custom"]["own"] = ["say_public_masked"]
    return answer


@asynccontextmanager
async def commented(folder: Path, url: str | None = None) -> AsyncIterator[Scene]:
    """A desk that looks after the comments of one article."""
    async with a_scene(folder, url=url, accounts=(OFTEN,)) as scene:
        scene.rasa.script = bot
        yield scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with commented(tmp_path) as made:
        yield made


def rows(scene: Scene) -> list[dict[str, Any]]:
    """What the desk keeps of comments."""
    found = scene.rows(wechat_comments)
    return sorted(found, key=lambda row: int(row["comment"]))


def row(scene: Scene, comment: Comment) -> dict[str, Any] | None:
    """What it keeps of one."""
    return next((one for one in rows(scene) if one["comment"] == str(comment.id)), None)


def state(scene: Scene, comment: Comment) -> str | None:
    found = row(scene, comment)
    return found["state"] if found else None


async def comes_to(scene: Scene, comment: Comment, wanted: str) -> dict[str, Any]:
    """Wait until a comment is in a state; the next round of asking is brought near."""
    scene.clock.wind(seconds=11)
    await scene.until(lambda: state(scene, comment) == wanted)
    found = row(scene, comment)
    assert found is not None
    return found


def posted(scene: Scene) -> list[str]:
    """All replies that the desk has tried to post."""
    return [call.body["content"] for call in scene.double.calls(REPLY)]


def own(scene: Scene, conversation: str) -> list[dict[str, Any]]:
    """What staff alone read in the conversation of a comment."""
    return scene.events(f"own:{conversation}")


# --- what stands under the article -----------------------------------------------------------


async def test_a_complaint_is_answered_once_and_told_where_to_go_on(
    tmp_path: Path, url: str
) -> None:
    async with commented(tmp_path, url) as scene:
        said = scene.double.comment(ARTICLE, "房间脏死了，太过分了！", openid="o-lan")
        found = await comes_to(scene, said, "done")
        assert said.reply is not None
        assert said.reply.startswith(APOLOGY)
        assert f"公众号“{NAME}”" in said.reply
        assert "私聊" not in said.reply
        assert found["reply"] == said.reply
        for _ in range(3):
            asked = len(scene.double.calls(LIST))
            scene.clock.wind(seconds=11)
            await scene.until(lambda asked=asked: len(scene.double.calls(LIST)) > asked)
        await scene.restart()
        asked = len(scene.double.calls(LIST))
        scene.clock.wind(seconds=11)
        await scene.until(lambda: len(scene.double.calls(LIST)) > asked)
        assert posted(scene) == [said.reply]
        assert len(rows(scene)) == 1


async def test_praise_and_questions_get_no_invitation(scene: Scene) -> None:
    thanks = scene.double.comment(ARTICLE, "前台很热情，谢谢")
    question = scene.double.comment(ARTICLE, "请问几点可以入住？")
    await comes_to(scene, thanks, "done")
    await comes_to(scene, question, "done")
    assert thanks.reply == "您满意，我们就踏实了。"
    assert question.reply == "入住时间在服务指南的“入口”一页。"


async def test_what_needs_no_answer_stays_without_one(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "路过看看")
    await comes_to(scene, said, "new")
    [message] = await scene.until(lambda: scene.rows(inbox, inbox.c.state == "done"))
    assert message["text"] == "路过看看"
    assert said.reply is None
    assert posted(scene) == []


async def test_the_way_in_is_never_said_twice_in_the_same_words_in_a_row(scene: Scene) -> None:
    said = [scene.double.comment(ARTICLE, f"第{number}间房太脏了") for number in range(8)]
    for comment in said:
        await comes_to(scene, comment, "done")
    ways = [text.removeprefix(APOLOGY) for text in posted(scene)]
    assert len(ways) == 8
    assert all(NAME in way for way in ways)
    assert all(one != other for one, other in pairwise(ways))


async def test_personal_data_is_masked_and_the_reply_names_none(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, f"房间太脏，打我电话{PHONE}", openid="o-lan")
    found = await comes_to(scene, said, "done")
    [post] = [
        event
        for event in scene.events(f"room:{room_of(ACCOUNT, ARTICLE)}")
        if event["author"] == "customer"
    ]
    assert PHONE not in post["text"]
    assert post["original"].endswith(PHONE)
    assert said.reply is not None
    assert PHONE not in said.reply
    assert "遮住" not in said.reply
    notes = own(scene, found["conversation_id"])
    assert not [event for event in notes if event["author"] == "bot"], "nobody would read it"
    assert not [event for event in notes if event["kind"] == "invitation"]


async def test_danger_gets_care_in_public_and_a_person(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "我妈在浴室滑倒，流血不止")
    found = await comes_to(scene, said, "done")
    assert said.reply is not None
    assert said.reply.startswith("人最要紧，请先打120。")
    assert "私聊" not in said.reply
    [thread] = scene.rows(conversations, conversations.c.id == found["conversation_id"])
    assert (thread["owner"], thread["reason"]) == ("queue", "safety")


async def test_old_and_answered_comments_are_left_alone(scene: Scene) -> None:
    before = timedelta(days=4)
    old = scene.double.comment(ARTICLE, "上周房间太脏", at=scene.clock() - before)
    answered = scene.double.comment(ARTICLE, "房间太脏", reply="已经处理")
    empty = scene.double.comment(ARTICLE, " \u200b ")
    fresh = scene.double.comment(ARTICLE, "昨天房间太脏", at=scene.clock() - timedelta(days=1))
    await comes_to(scene, fresh, "done")
    for comment in (old, answered, empty):
        assert state(scene, comment) == "skipped"
    assert len(posted(scene)) == 1
    assert answered.reply == "已经处理"
    later = scene.double.comment(ARTICLE, "房间太脏", at=scene.clock() - before)
    await comes_to(scene, later, "done")


async def test_every_comment_of_a_long_list_is_taken_once(scene: Scene) -> None:
    said = [scene.double.comment(ARTICLE, f"路过{number}") for number in range(130)]
    await comes_to(scene, said[0], "new")
    await scene.until(lambda: len(rows(scene)) == len(said))
    more = [scene.double.comment(ARTICLE, f"又路过{number}") for number in range(70)]
    await comes_to(scene, more[0], "new")
    await scene.until(lambda: len(rows(scene)) == len(said) + len(more))
    assert [int(one["comment"]) for one in rows(scene)] == [one.id for one in (*said, *more)]
    assert len(scene.rows(inbox)) == len(said) + len(more)
    assert all(call.body["count"] < 50 for call in scene.double.calls(LIST))


async def test_two_desks_answer_a_comment_once(tmp_path: Path, url: str) -> None:
    async with commented(tmp_path, url) as scene:
        workers = [CommentWorker(scene.wechat) for _ in range(3)]
        said = [scene.double.comment(ARTICLE, f"第{number}间房太脏了") for number in range(3)]
        scene.clock.wind(seconds=11)
        await asyncio.gather(*(worker.look_once() for worker in workers))
        await scene.until(lambda: all(state(scene, one) for one in said))
        for _ in range(3):
            scene.clock.wind(seconds=31)
            await asyncio.gather(*(worker.look_once() for worker in workers))
        for one in said:
            await scene.until(lambda one=one: state(scene, one) == "done")
        assert sorted(posted(scene)) == sorted(str(one.reply) for one in said)
        assert len(scene.rows(conversations)) == len(said)


# --- when WeChat does not do as it is told ---------------------------------------------------


async def test_a_reply_of_which_nothing_is_known_is_not_repeated(scene: Scene) -> None:
    scene.double.drop(REPLY)
    said = scene.double.comment(ARTICLE, "房间太脏")
    found = await comes_to(scene, said, "unknown")
    assert said.reply is not None
    texts = [event["text"] for event in own(scene, found["conversation_id"])]
    assert any("不知道微信有没有收到" in text for text in texts)
    scene.clock.wind(hours=2)
    await comes_to(scene, said, "done")
    assert len(posted(scene)) == 1


async def test_a_reply_that_was_on_its_way_when_the_desk_died_is_not_repeated(
    scene: Scene,
) -> None:
    said = scene.double.comment(ARTICLE, "路过看看")
    await comes_to(scene, said, "new")
    await scene.stop()
    with scene.store.write() as db:
        db.execute(wechat_comments.update().values(state="sending", reply="收到"))
    await scene.start()
    await comes_to(scene, said, "unknown")
    assert said.reply is None
    assert posted(scene) == []


async def test_a_reply_waits_while_wechat_is_away(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "路过看看")
    found = await comes_to(scene, said, "new")
    lin = await scene.staff()
    await lin.act(found["conversation_id"], "take")
    scene.double.refuse_connections()
    await lin.act(found["conversation_id"], "answer", id="answer-1", text="欢迎再来")
    await scene.until(lambda: (row(scene, said) or {})["attempts"] > 0)
    scene.double.accept_connections()
    scene.clock.wind(minutes=2)
    await comes_to(scene, said, "done")
    assert said.reply == "欢迎再来"
    await lin.close()


@pytest.mark.parametrize(
    ("code", "pause", "end"),
    [
        (88000, timedelta(hours=1, seconds=5), "done"),
        (45009, timedelta(hours=13), "done"),
        (-1, timedelta(seconds=5), "done"),
        (88008, timedelta(0), "skipped"),
        (88005, timedelta(0), "skipped"),
        (88007, timedelta(0), "failed"),
    ],
)
async def test_an_error_is_answered_by_its_meaning(
    scene: Scene, code: int, pause: timedelta, end: str
) -> None:
    scene.double.fail(REPLY, code)
    said = scene.double.comment(ARTICLE, "房间太脏")
    scene.clock.wind(seconds=11)
    await scene.until(lambda: (row(scene, said) or {}).get("error") == code)
    if pause:
        assert state(scene, said) == "new"
        scene.clock.wind(seconds=pause.total_seconds())
    await comes_to(scene, said, end)
    assert (said.reply is not None) == (end == "done")
    assert len(posted(scene)) == (2 if end == "done" else 1)


async def test_an_account_without_the_right_is_left_alone_for_an_hour(scene: Scene) -> None:
    scene.double.fail(LIST, 88000)
    said = scene.double.comment(ARTICLE, "房间太脏")
    scene.clock.wind(seconds=11)
    asked = len(scene.double.calls(LIST))
    await scene.until(lambda: len(scene.double.calls(LIST)) > asked or rows(scene))
    scene.clock.wind(hours=1)
    await comes_to(scene, said, "done")


# --- staff -----------------------------------------------------------------------------------


async def test_staff_see_that_it_is_a_comment_and_answer_it_once(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "路过看看", openid="o-lan")
    found = await comes_to(scene, said, "new")
    thread = found["conversation_id"]
    lin = await scene.staff()
    await lin.act(thread, "take")
    whole = await lin.whole(thread)
    assert whole["conversation"]["channel"] == "comment"
    assert "公众号文章的评论" in whole["summary"]
    assert any("每条评论只能回复一次" in event.get("text", "") for event in whole["public"])
    assert "o-lan" not in str(whole)

    url = f"/api/staff/conversations/{thread}/answer"
    long = {"id": "answer-0", "text": "谢谢" * LONGEST_OF_STAFF}
    refused = await lin.http.post(url, json=long)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "too_long")
    await lin.act(thread, "answer", id="answer-1", text="欢迎您再来")
    await scene.until(lambda: state(scene, said) == "done")
    assert said.reply == "欢迎您再来"
    again = await lin.act(thread, "answer", id="answer-1", text="欢迎您再来")
    assert again["repeated"]
    second = await lin.http.post(url, json={"id": "answer-2", "text": "还有一句"})
    assert second.status_code == 400
    assert "只能回复一次" in second.json()["error"]["message"]
    assert posted(scene) == ["欢迎您再来"]
    texts = [event["text"] for event in own(scene, thread)]
    assert "已在评论下公开回复：欢迎您再来" in texts
    await lin.close()


async def test_staff_do_not_answer_after_the_bot(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "房间太脏")
    found = await comes_to(scene, said, "done")
    lin = await scene.staff()
    await lin.act(found["conversation_id"], "take")
    url = f"/api/staff/conversations/{found['conversation_id']}/answer"
    refused = await lin.http.post(url, json={"id": "answer-1", "text": "我来补充一句"})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "replied"
    assert len(posted(scene)) == 1
    await lin.close()


async def test_nobody_comes_to_a_comment_from_the_web_page(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "路过看看")
    await comes_to(scene, said, "new")
    async with httpx.AsyncClient(
        base_url=scene.desk.url, trust_env=False, timeout=PATIENCE
    ) as http:
        begun = await http.post("/api/session", json={"business": "lanting"})
        assert begun.status_code == 200
        found = await http.get(f"/api/rooms/{room_of(ACCOUNT, ARTICLE)}")
        assert found.status_code == 404
        assert "wc-" not in (await http.get("/api/rooms")).text


async def test_what_is_too_old_is_not_answered_from_the_desk(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "路过看看")
    found = await comes_to(scene, said, "new")
    scene.clock.wind(days=31)
    lin = await scene.staff()
    await lin.act(found["conversation_id"], "take")
    url = f"/api/staff/conversations/{found['conversation_id']}/answer"
    refused = await lin.http.post(url, json={"id": "answer-1", "text": "欢迎"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "too_old")
    await lin.close()


# --- in private ------------------------------------------------------------------------------


async def test_the_writer_goes_on_in_private_and_nobody_else(scene: Scene) -> None:
    said = scene.double.comment(ARTICLE, "房间脏死了", openid="o-lan")
    nameless = scene.double.comment(ARTICLE, "房间太脏了")
    found = await comes_to(scene, said, "done")
    await comes_to(scene, nameless, "done")
    assert scene.rows(wechat_contacts) == []
    assert {one["external_id"] for one in scene.rows(customers)} == {None}
    assert {one["name"] for one in scene.rows(customers)} == {"访客"}

    await scene.double.write("o-wu", "你好")
    await scene.until(lambda: scene.double.seen("o-wu"))
    assert scene.conversation("o-wu")["case_id"] is None

    await scene.double.write("o-lan", "我在文章下面留过言")
    await scene.double.sees("o-lan", "关于房间没有打扫干净")
    await scene.double.sees("o-lan", "好的，记下了")
    [thread] = scene.rows(conversations, conversations.c.id == found["conversation_id"])
    private = scene.conversation("o-lan")
    assert private["case_id"] == thread["case_id"] is not None
    assert (private["kind"], private["channel"]) == ("private", "wechat")
    assert [one["text"] for one in scene.inbox("o-lan")][1:] == ["我在文章下面留过言"]
    entered = [one["intent"] for one in scene.inbox("o-lan")]
    assert entered == ["entered", None]

    await scene.double.write("o-lan", "就是这间")
    await scene.double.sees("o-lan", "就是这间")
    assert scene.conversation("o-lan")["id"] == private["id"], "and stays there"


async def test_a_comment_of_long_ago_or_without_a_matter_is_not_taken_up(scene: Scene) -> None:
    thanks = scene.double.comment(ARTICLE, "谢谢", openid="o-lan")
    old = scene.double.comment(ARTICLE, "房间太脏", openid="o-wu")
    await comes_to(scene, thanks, "done")
    await comes_to(scene, old, "done")
    scene.clock.wind(days=31)
    for openid in ("o-lan", "o-wu"):
        await scene.double.write(openid, "你好")
        await scene.until(lambda openid=openid: scene.double.seen(openid))
        assert scene.conversation(openid)["case_id"] is None


# --- words -----------------------------------------------------------------------------------


def public_words() -> list[tuple[str, str]]:
    content = yaml.safe_load((ROOT / "data/responses/public.yml").read_text("utf-8"))
    return [(name, one["text"]) for name, listed in content["responses"].items() for one in listed]


@pytest.mark.parametrize(("response", "text"), public_words())
def test_no_public_words_of_the_bot_lead_to_a_page_that_is_not_there(
    response: str, text: str
) -> None:
    words = text.format(matter="房间没打扫", help="住宿问题请看服务指南")
    [left] = fit([{"response": response, "text": words}], set(), "m1")
    for word in ("私聊", "入口", "只有您看", "仅您可见", "点开", "点一下"):
        assert word not in left["text"]
    assert left["text"].endswith(("。", "？"))
    assert fit([{"response": response, "text": words}], {response}, "m1") == []


@given(
    st.text(min_size=1, max_size=400),
    st.text(st.characters(categories=("Lo",)), min_size=1, max_size=40),
    st.booleans(),
)
def test_a_reply_is_never_too_long(answer: str, name: str, invites: bool) -> None:
    reply = compose(answer, name, "7", invites=invites, before=None)
    assert len(reply) <= LONGEST_REPLY
    assert not invites or name in reply
    before = compose("好的。", name, "7", invites=True, before=None)
    assert compose("好的。", name, "7", invites=True, before=before) != before


def test_a_reply_that_says_where_to_go_on_says_it_once() -> None:
    answer = "请到公众号“兰亭酒店”里告诉我们订单号。"
    assert compose(answer, "兰亭酒店", "7", invites=True, before=None) == answer
