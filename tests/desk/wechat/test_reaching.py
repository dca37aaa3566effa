"""Whom what reaches: the web page or WeChat, one desk or several; and what staff see of it."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from desk.channels.wechat.outgoing import standing
from desk.channels.wechat.outgoing.composing import MORE
from desk.channels.wechat.outgoing.deliverer import Deliverer
from recovery.store import conversations
from recovery.store.database import stamp
from recovery.store.tables import conversations as talks
from recovery.store.tables import wechat_sends, wechat_threads
from tests.desk.scripted_rasa import says
from tests.desk.wechat.road_out import (
    LAN,
    SEND,
    arrived,
    owned,
    said,
    sends,
    settled,
    states,
    tell,
    texts,
)
from tests.desk.wechat.scene import Scene, a_scene
from tests.desk.wechat.test_typing import deliverer_of

PROGRESS = {"kind": "progress", "title": "退款", "text": "退款到账了", "state": "done"}


def on_the_web(scene: Scene, conversation: str) -> None:
    """The customer goes on on the web page."""
    with scene.store.write() as db:
        db.execute(update(talks).where(talks.c.id == conversation).values(channel="web"))


async def quota(scene: Scene, conversation: str) -> dict[str, Any] | None:
    """What the staff page shows."""
    context = scene.desk.context

    def look(db: Connection) -> dict[str, Any] | None:
        found = conversations.load(db, conversation)
        assert found is not None
        return standing.quota_of(db, context, found, context.clock())

    return await context.storage.read(look)


# --- the web page or WeChat ----------------------------------------------------------------------


async def test_who_talks_on_the_web_page_is_told_there_what_the_bot_says(scene: Scene) -> None:
    conversation = await arrived(scene)
    on_the_web(scene, conversation)
    bot = {"kind": "message", "author": "bot", "name": "小兰", "text": "在的"}
    await tell(
        scene, conversation, bot, PROGRESS, said("我在看"), {"kind": "closed", "text": "好了"}
    )
    await settled(scene, number=4)
    # No page is open: what matters comes here.
    assert texts(scene)[1:] == ["退款到账了\n\n我在看\n\n好了"]


async def test_who_has_the_page_open_is_not_told_twice(scene: Scene) -> None:
    conversation = await arrived(scene)
    on_the_web(scene, conversation)
    hub, stream = scene.desk.context.hub, f"private:{conversation}"

    def page(_frame: dict[str, Any]) -> None:
        pass

    hub.hear_signals(stream, page)
    await tell(scene, conversation, PROGRESS, said("我在看"))
    last = scene.events(stream)[-1]
    await scene.until(lambda: scene.rows(wechat_threads)[0]["planned"] == len(scene.events(stream)))
    assert last["text"] == "我在看"
    hub.leave_signals(stream, page)
    await tell(scene, conversation, said("您走了"))
    await settled(scene, number=2)
    assert texts(scene)[1:] == ["您走了"]


async def test_outside_of_the_window_the_web_page_keeps_it(scene: Scene) -> None:
    conversation = await arrived(scene)
    on_the_web(scene, conversation)
    scene.clock.wind(hours=48)
    await tell(scene, conversation, PROGRESS)
    await tell(scene, conversation, {**said("请看"), "outside": True})
    await scene.until(lambda: len(states(scene)) == 2)
    await scene.until(lambda: states(scene)[-1] == "held")
    assert sends(scene)[-1]["content"]["text"] == "请看"


# --- what staff see ------------------------------------------------------------------------------


async def test_staff_see_how_many_messages_may_still_go(scene: Scene) -> None:
    conversation = await arrived(scene)
    found = await quota(scene, conversation)
    assert found is not None
    assert (found["left"], found["held"], found["unsure"]) == (5, 0, 0)
    assert found["words"].startswith("微信现在还能发5条，到11月24日 11:5")
    for number in range(6):
        await tell(scene, conversation, said(f"第{number}句"))
        await settled(scene, number=2 + number)
    found = await quota(scene, conversation)
    assert found is not None
    assert (found["left"], found["until"], found["held"]) == (0, None, 1)
    assert found["words"] == "微信这边已经不能主动发了，下面这1条等顾客再写来时送出"


async def test_staff_see_what_did_not_arrive(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    [first] = await tell(scene, conversation, said("一"))
    await settled(scene, number=3)
    scene.double.drop(SEND)
    [second] = await tell(scene, conversation, said("二"))
    await settled(scene, number=4)
    scene.double.fail(SEND, 45002)
    [third] = await tell(scene, conversation, said("三"))
    await settled(scene, number=5)
    context = scene.desk.context
    marks = await context.storage.read(standing.marks_of, conversation, context.clock())
    assert marks == {"held": [], "undelivered": [third], "unsure": [second]}
    assert first not in marks["unsure"]
    found = await quota(scene, conversation)
    assert found is not None and found["words"].endswith("；有1条不确定送到没有")
    await clerk.close()


async def test_words_where_nothing_can_be_sent(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"custom_messages": False},)) as scene:
        conversation = await arrived(scene)
        found = await quota(scene, conversation)
        assert found is not None
        assert (found["left"], found["words"]) == (0, "这个公众号只能在顾客写来时回一条")
        await scene.double.unfollow(LAN)
        await scene.until(lambda: not scene.contact(LAN)["following"])
        found = await quota(scene, conversation)
        assert found is not None and found["words"] == "顾客已经不再关注公众号，微信里发不到了"


async def test_a_conversation_of_the_web_has_no_quota(scene: Scene) -> None:
    await arrived(scene)
    with scene.store.write() as db:
        customer = scene.contact(LAN)["customer_id"]
        other = conversations.begin(db, "lanting", customer, scene.clock())
    assert await quota(scene, other.id) is None


# --- several desks, and desks that died ----------------------------------------------------------


async def test_two_desks_send_nothing_twice_and_nothing_out_of_order(
    tmp_path: Path, url: str
) -> None:
    async with a_scene(tmp_path, url=url) as scene:
        talk = {who: await arrived(scene, who) for who in ("o-1", "o-2", "o-3", "o-4")}
        other = Deliverer(scene.wechat)
        other._accounts = ["fuwu"]

        async def beside() -> None:
            while True:
                # As another process: nobody tells it of anything.
                other._scanned = None
                await other.work_once()
                await asyncio.sleep(0)

        task = asyncio.create_task(beside())
        for number in range(4):
            for conversation in talk.values():
                await tell(scene, conversation, said(f"第{number}句"))
        for who in talk:
            await settled(scene, who, number=5)
        assert not task.done(), "the other desk has failed"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for who in talk:
            words = "\n\n".join(texts(scene, who)[1:])
            assert words == "\n\n".join(f"第{number}句" for number in range(4))
        assert not scene.double.violations and not scene.double.doubles()


@pytest.mark.parametrize("over", [False, True])
async def test_a_call_of_another_desk_is_left_to_it_until_its_time_is_over(
    scene_on_both: Scene, over: bool
) -> None:
    scene = scene_on_both
    conversation = await arrived(scene)
    await tell(scene, conversation, said("一"))
    await settled(scene, number=2)
    until = scene.clock() + timedelta(seconds=-1 if over else 30)
    with scene.store.write() as db:
        this = wechat_sends.c.id == sends(scene)[-1]["id"]
        db.execute(update(wechat_sends).where(this).values(state="sending", due_at=stamp(until)))
    await tell(scene, conversation, said("二"))
    deliverer = deliverer_of(scene)
    deliverer._scanned = None
    scene.wechat.wake()
    await scene.until(lambda: len(states(scene)) == 3 and deliverer._scanned is not None)
    if over:
        await settled(scene, number=3)
        # What it was about may have arrived.
        assert states(scene)[1:] == ["unknown", "sent"]
    else:
        assert states(scene)[1:] == ["sending", "todo"]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_all_arrives_once_in_order_and_within_the_quota(
    scene: Scene, seed: int
) -> None:
    chance = random.Random(seed)
    scene.rasa.script = lambda _path, body: says(f"答{body['text']}")
    talks_of = {who: await arrived(scene, who) for who in ("o-1", "o-2")}
    wanted: dict[str, list[str]] = {who: ["答您好"] for who in talks_of}
    number = 0
    for _ in range(40):
        who, step = chance.choice(list(talks_of)), chance.random()
        number += 1
        if step < 0.6:
            await tell(scene, talks_of[who], said(f"句{number}"))
            wanted[who].append(f"句{number}")
        elif step < 0.8:
            await scene.double.write(who, f"问{number}")
            wanted[who].append(f"答问{number}")
            await scene.until(lambda who=who: len(sends(scene, who)) == len(wanted[who]))
        elif step < 0.9:
            await scene.double.click(who, "nothing")
        else:
            # No call takes hours.
            for one, expected in wanted.items():
                await settled(scene, one, len(expected))
            scene.clock.wind(hours=chance.choice([1, 20, 50]))
    for who in talks_of:
        await settled(scene, who, len(wanted[who]))
        # Each time some of what waits may go.
        while "held" in states(scene, who):
            await scene.double.write(who, f"完{len(wanted[who])}")
            wanted[who].append(f"答完{len(wanted[who])}")
            await settled(scene, who, len(wanted[who]))
        # What a click is answered with at once goes its own way.
        told = [text for text in texts(scene, who) if not text.startswith("这一项")]
        seen = "\n\n".join(told).replace(f"\n\n{MORE}", "").split("\n\n")
        assert seen == wanted[who]
    assert not scene.double.violations and not scene.double.wrong
