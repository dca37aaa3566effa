"""The customer sees in WeChat that somebody writes, where WeChat shows it."""

import asyncio
from pathlib import Path
from typing import Any

from desk.channels.wechat.outgoing.deliverer import Deliverer
from desk.hub import writes_topic
from tests.desk.scripted_rasa import Body, says
from tests.desk.wechat.road_out import LAN, arrived, owned, settled
from tests.desk.wechat.scene import Scene, a_scene

TYPING = "/cgi-bin/message/custom/typing"


def shown(scene: Scene) -> list[tuple[str, int]]:
    """What was shown to whom, and what WeChat said to it."""
    return [(str(call.body["command"]), call.code) for call in scene.double.calls(TYPING)]


def writes(scene: Scene, conversation: str, staff_id: int) -> None:
    """A page of a member of staff: they write here."""
    frame = {"type": "typing", "who": "staff", "staff": staff_id}
    scene.desk.context.hub.signal(writes_topic(conversation), frame)


async def nothing_more(scene: Scene) -> None:
    """Wait until nothing that has begun to show is under way."""
    for _ in range(50):
        await asyncio.sleep(0)
    typing = deliverer_of(scene)._typing
    await scene.until(lambda: not typing._tasks)


def deliverer_of(scene: Scene) -> Deliverer:
    """The deliverer of the desk: its hub knows it."""
    [found] = [
        heard.__self__
        for heard in scene.desk.context.hub._everything
        if isinstance(getattr(heard, "__self__", None), Deliverer)
    ]
    return found


async def test_a_bot_that_takes_its_time_is_seen_to_write(scene: Scene) -> None:
    gate, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_path: str, _body: Body) -> Body | int:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        return says("想好了")

    await arrived(scene)
    scene.rasa.script = slowly
    writing = asyncio.create_task(scene.double.write(LAN, "房间没打扫"))
    await scene.until(lambda: shown(scene) == [("Typing", 0)])
    gate.set()
    await writing
    await settled(scene, number=2)
    assert shown(scene) == [("Typing", 0)]


async def test_a_quick_answer_costs_no_further_call(scene: Scene) -> None:
    await arrived(scene)
    await scene.double.write(LAN, "房间没打扫")
    await settled(scene, number=2)
    await nothing_more(scene)
    assert shown(scene) == []


async def test_the_owner_is_seen_to_write_once_in_a_while(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    for _ in range(3):
        writes(scene, conversation, clerk.id)
        await nothing_more(scene)
    assert shown(scene) == [("Typing", 0)]
    await clerk.close()


async def test_only_the_owner_is(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    writes(scene, conversation, clerk.id + 1)
    await nothing_more(scene)
    assert shown(scene) == []
    await clerk.close()


async def test_nobody_long_after_an_exchange(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    scene.clock.wind(seconds=31)
    writes(scene, conversation, clerk.id)
    await nothing_more(scene)
    assert shown(scene) == []
    await clerk.close()


async def test_what_wechat_refuses_does_no_harm_and_is_not_tried_again(scene: Scene) -> None:
    conversation = await arrived(scene)
    clerk = await owned(scene, conversation)
    typing: Any = deliverer_of(scene)._typing
    for code in (45080, 45081, 45072, 48001):
        scene.double.fail(TYPING, code)
        typing._shown.clear()
        writes(scene, conversation, clerk.id)
        await nothing_more(scene)
    assert [code for _, code in shown(scene)] == [45080, 45081, 45072, 48001]
    # Without the right the account is left in peace.
    typing._shown.clear()
    writes(scene, conversation, clerk.id)
    await nothing_more(scene)
    assert len(shown(scene)) == 4
    await clerk.act(conversation, "answer", text="在的", id="client-id-1")
    await settled(scene, number=3)
    assert scene.double.words(LAN)[-1] == "在的"
    await clerk.close()


async def test_an_account_without_customer_messages_shows_nothing(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"custom_messages": False},)) as scene:
        conversation = await arrived(scene)
        clerk = await scene.staff()
        await clerk.act(conversation, "take")
        writes(scene, conversation, clerk.id)
        await nothing_more(scene)
        assert shown(scene) == []
        await clerk.close()
