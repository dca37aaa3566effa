"""What waits outside of the window is told once, by template or subscribe message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.channels.wechat.outgoing.later import Teller, reaches_outside
from desk.channels.wechat.outgoing.telling import fitted
from recovery.store.tables import notices, wechat_credits, wechat_sends
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.scene import ACCOUNT, PASSWORD, Clerk, Scene, a_scene

TEMPLATE = "tmpl-later-0001"
FIELDS = {"thing1": "matter", "phrase2": "state", "time3": "time", "thing4": "text"}
LATER = {"kind": "template", "id": TEMPLATE, "fields": FIELDS}
SUBSCRIBE = {"kind": "subscribe", "id": TEMPLATE, "fields": {**FIELDS, "thing5": "business"}}
SEND = "/cgi-bin/message/template/send"
BIZSEND = "/cgi-bin/message/subscribe/bizsend"
PHONE = "13912345678"
WORDS = f"王女士您好，已按{PHONE}登记，明天十点前退款"


def bot(path: str, body: Body) -> Body:
    """Open a case at the first words."""
    if path == "/desk/overheard":
        return {"understood": says()["understood"], "repeated": False}
    if "没打扫" not in body["text"]:
        return says(f"好的：{body['text']}")
    case = {"do": "open_case", "case": "s" + body["message_id"][1:25], "failure": "room_not_clean"}
    return says("这就为您看。", commands=[case])


@asynccontextmanager
async def silent(
    folder: Path, later: dict[str, Any] = LATER, url: str | None = None
) -> AsyncIterator[tuple[Scene, Clerk]]:
    """A customer who has written two days ago, and 小林 who has the conversation."""
    async with a_scene(folder, url=url, accounts=({"later": later},)) as scene:
        scene.rasa.script = bot
        await scene.double.write("o-lan", "房间没打扫")
        await scene.double.sees("o-lan", "这就为您看")
        lin = await scene.staff()
        thread = scene.conversation("o-lan")["id"]
        await lin.act(thread, "take")
        await lin.act(thread, "answer", id="answer-0", text="我来看一下")
        await scene.double.sees("o-lan", "我来看一下")
        await passes(scene, lin)
        yield scene, lin
        await lin.close()


async def passes(scene: Scene, clerk: Clerk) -> None:
    """Let the window close; a member of staff has to log in again."""
    scene.clock.wind(hours=49)
    given = {"login": "lin", "password": PASSWORD}
    answer = await clerk.http.post("/api/staff/login", json=given)
    answer.raise_for_status()
    clerk.http.headers["X-CSRF"] = answer.json()["csrf"]


async def answers(scene: Scene, clerk: Clerk, text: str = WORDS) -> None:
    """Let staff answer, and wait until the answer is held."""
    number = len(held(scene))
    thread = scene.conversation("o-lan")["id"]
    await clerk.act(thread, "answer", id=f"answer-{hash(text)}"[:20], text=text, confirmed=True)
    await scene.until(lambda: len(held(scene)) > number)


def held(scene: Scene) -> list[dict[str, Any]]:
    return scene.rows(wechat_sends, wechat_sends.c.state == "held", wechat_sends.c.weight == "say")


def told(scene: Scene) -> list[dict[str, Any]]:
    """What told of it, as it stands."""
    found = scene.rows(wechat_sends, wechat_sends.c.via.in_(("template", "subscribe")))
    return sorted(found, key=lambda row: int(row["id"]))


def services(scene: Scene, openid: str = "o-lan") -> list[Any]:
    """The template and subscribe messages that somebody has seen."""
    return [one for one in scene.double.seen(openid) if one.via in ("template", "subscribe")]


def undelivered(scene: Scene, clerk: Clerk) -> list[dict[str, Any]]:
    """The notices to a member of staff of what did not arrive."""
    return scene.rows(notices, notices.c.staff_id == clerk.id, notices.c.kind == "undelivered")


async def looked(scene: Scene) -> None:
    """Let it be looked once more whether there is anybody to tell."""
    await Teller(scene.wechat).look_once()


async def test_an_answer_outside_of_the_window_is_told_and_comes_when_the_customer_writes(
    tmp_path: Path, url: str
) -> None:
    async with silent(tmp_path, url=url) as (scene, lin):
        await answers(scene, lin)
        await scene.until(lambda: services(scene))
        [seen] = services(scene)
        assert seen.data["thing1"] == "房间没有打扫干净"
        assert seen.data["phrase2"] == "已回复"
        assert seen.data["time3"].startswith("2026年11月24日 13:")
        assert "公众号" in seen.data["thing4"]
        assert seen.data["url"] == ""
        for personal in (PHONE, "王女士", "o-lan", "退款"):
            assert personal not in seen.text
        await scene.until(lambda: [row["state"] for row in told(scene)] == ["sent"])
        assert WORDS not in scene.double.words("o-lan")

        await scene.double.write("o-lan", "在吗")
        await scene.double.sees("o-lan", WORDS)
        assert len(services(scene)) == 1


async def test_it_is_told_once_in_a_silence(tmp_path: Path) -> None:
    async with silent(tmp_path) as (scene, lin):
        await answers(scene, lin)
        await scene.until(lambda: services(scene))
        await answers(scene, lin, "还有一件事告诉您")
        await asyncio.gather(*(looked(scene) for _ in range(3)))
        await scene.restart()
        lin.http.base_url = scene.desk.url
        await looked(scene)
        assert len(services(scene)) == 1

        await scene.double.write("o-lan", "知道了")
        await scene.double.sees("o-lan", "还有一件事")
        thread = scene.conversation("o-lan")["id"]
        await lin.act(thread, "answer", id="answer-9", text="好的，再联系")
        await scene.double.sees("o-lan", "好的，再联系")
        await passes(scene, lin)
        await answers(scene, lin, "隔了两天再告诉您")
        await scene.until(lambda: len(services(scene)) == 2)


async def test_what_is_no_news_is_not_told(tmp_path: Path) -> None:
    async with silent(tmp_path) as (scene, lin):
        await lin.act(scene.conversation("o-lan")["id"], "give_back", note="")
        await scene.until(lambda: scene.rows(wechat_sends, wechat_sends.c.state == "held"))
        await looked(scene)
        assert services(scene) == []


async def test_who_has_left_the_account_is_not_told(tmp_path: Path) -> None:
    async with silent(tmp_path) as (scene, lin):
        scene.double.accounts[ACCOUNT].customers["o-lan"].following = False
        await answers(scene, lin)
        await scene.until(lambda: [row["state"] for row in told(scene)] == ["failed"])
        await looked(scene)
        assert len(scene.double.calls(SEND)) == 1
        [notice] = undelivered(scene, lin)
        assert "没有送到" in notice["text"]


@pytest.mark.parametrize("how", ["failed:user block", "failed: system failed"])
async def test_the_owner_hears_when_it_did_not_arrive(tmp_path: Path, how: str) -> None:
    async with silent(tmp_path) as (scene, lin):
        scene.double.accounts[ACCOUNT].ends = None
        await answers(scene, lin)
        await scene.until(lambda: [row["state"] for row in told(scene)] == ["sent"])
        [row] = told(scene)
        [seen] = services(scene)
        assert row["batch"] == seen.id
        await scene.double.job("o-lan", seen.id, how)
        await scene.until(lambda: [one["state"] for one in told(scene)] == ["failed"])
        await scene.double.job("o-lan", seen.id, how)
        [notice] = undelivered(scene, lin)
        assert "没有送到" in notice["text"]


async def test_what_may_have_arrived_is_not_told_again(tmp_path: Path) -> None:
    async with silent(tmp_path) as (scene, lin):
        scene.double.accounts[ACCOUNT].ends = None
        scene.double.drop(SEND)
        await answers(scene, lin)
        await scene.until(lambda: services(scene))
        await scene.restart()
        scene.clock.wind(hours=1)
        await looked(scene)
        assert [row["state"] for row in told(scene)] == ["unknown"]
        assert len(scene.double.calls(SEND)) == 1


async def test_it_is_told_when_wechat_is_back(tmp_path: Path) -> None:
    async with silent(tmp_path) as (scene, lin):
        scene.double.refuse_connections()
        await answers(scene, lin)
        await scene.until(lambda: [row["state"] for row in told(scene)] == ["failed"])
        scene.double.accept_connections()
        scene.clock.wind(minutes=2)
        await scene.until(lambda: services(scene))
        assert undelivered(scene, lin) == []


@pytest.mark.parametrize(("code", "hours"), [(45009, 13), (48001, 1), (-1, 1)])
async def test_an_error_that_passes_is_waited_for(tmp_path: Path, code: int, hours: int) -> None:
    async with silent(tmp_path) as (scene, lin):
        scene.double.fail(SEND, code)
        await answers(scene, lin)
        await scene.until(lambda: [row["error"] for row in told(scene)] == [code])
        assert len(scene.double.calls(SEND)) == 1
        scene.clock.wind(hours=hours, seconds=5)
        await scene.until(lambda: services(scene))


async def test_a_subscribe_message_needs_a_tap_of_the_customer(tmp_path: Path) -> None:
    async with silent(tmp_path, SUBSCRIBE) as (scene, lin):
        await answers(scene, lin)
        await looked(scene)
        assert scene.double.calls(BIZSEND) == []
        await scene.double.popup("o-lan", {TEMPLATE: "accept", "another": "accept"})
        await scene.until(lambda: services(scene))
        [seen] = services(scene)
        assert seen.data["thing5"] == "岚庭酒店"
        [credit] = scene.rows(wechat_credits)
        assert (credit["template"], credit["left"]) == (TEMPLATE, 0)


async def test_what_the_customer_takes_back_is_not_sent(tmp_path: Path) -> None:
    async with silent(tmp_path, SUBSCRIBE) as (scene, lin):
        await scene.double.popup("o-lan", {TEMPLATE: "accept"})
        await scene.double.change("o-lan", TEMPLATE)
        await scene.until(lambda: [row["left"] for row in scene.rows(wechat_credits)] == [0])
        await answers(scene, lin)
        await looked(scene)
        assert scene.double.calls(BIZSEND) == []


async def test_a_credit_that_wechat_does_not_know_counts_for_nothing(tmp_path: Path) -> None:
    async with silent(tmp_path, SUBSCRIBE) as (scene, lin):
        await scene.double.popup("o-lan", {TEMPLATE: "accept"})
        await scene.until(lambda: scene.rows(wechat_credits))
        scene.double.accounts[ACCOUNT].customers["o-lan"].credits.clear()
        await answers(scene, lin)
        await scene.until(lambda: [row["error"] for row in told(scene)] == [43101])
        await looked(scene)
        assert len(scene.double.calls(BIZSEND)) == 1
        assert [row["left"] for row in scene.rows(wechat_credits)] == [0]
        # In the same second it would be the same tap once more.
        scene.clock.wind(seconds=2)
        await scene.double.popup("o-lan", {TEMPLATE: "accept"})
        await scene.until(lambda: services(scene))


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reaches"),
    [
        ({"kind": "progress"}, True),
        ({"kind": "closed"}, True),
        ({"kind": "offer"}, True),
        ({"kind": "call", "author": "staff"}, True),
        ({"kind": "message", "author": "staff"}, True),
        ({"kind": "message", "author": "bot"}, False),
        ({"kind": "message", "author": "bot", "outside": True}, True),
        ({"kind": "message", "author": "system"}, False),
        ({"kind": "owner", "owner": "queue"}, False),
        ({"kind": "message", "author": "customer"}, False),
    ],
)
def test_what_reaches_the_customer_outside_of_the_window(
    event: dict[str, Any],
    reaches: bool,
) -> None:
    assert reaches_outside(event) is reaches


@given(st.sampled_from(["thing", "phrase", "character_string", "const", "keyword"]), st.text())
def test_every_field_gets_what_wechat_takes(kind: str, value: str) -> None:
    text = fitted(f"{kind}1", value)
    most = {"phrase": 5, "character_string": 32}.get(kind, 20)
    assert 0 < len(text) <= most
    assert "\n" not in text
    if kind == "phrase":
        assert all("\u4e00" <= char <= "\u9fff" for char in text)
    if kind == "character_string":
        assert text.isascii()


@pytest.mark.parametrize("kind", ["thing1", "keyword2", "character_string3", "const4"])
def test_no_field_holds_a_telephone_number(kind: str) -> None:
    assert PHONE not in fitted(kind, f"电话 {PHONE}")
    assert PHONE[:7] not in fitted(kind, f"打扫房间的事请打这个电话找我{PHONE}")
