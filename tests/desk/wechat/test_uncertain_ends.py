"""What is decided at two moments, or by two desks, reaches the customer once."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from desk.channels.wechat.incoming import receiving
from desk.channels.wechat.incoming.inbound import Inbound
from desk.channels.wechat.outgoing import dispatching
from desk.channels.wechat.outgoing.composing import compose
from recovery.store import customers
from recovery.store.database import Database
from recovery.store.wechat import contacts, under_way
from recovery.store.wechat import sends as store_sends
from recovery.store.wechat.sends import Draft, Send
from tests.desk.scripted_rasa import Body, says
from tests.desk.serving import NOON
from tests.desk.wechat.road_out import LAN, arrived, said, settled, states, tell, texts
from tests.desk.wechat.scene import ACCOUNT, Scene, a_scene
from tests.desk.wechat.test_deliverer import asks

KF_SEND = "/cgi-bin/kf/send_msg"
ENDED = 4


@pytest_asyncio.fixture
async def kf(tmp_path: Path) -> AsyncIterator[Scene]:
    """A desk with one account of 微信客服, on SQLite."""
    async with a_scene(tmp_path, accounts=({"kind": "kf"},)) as scene:
        yield scene


def row(
    number: int, text: str, *, weight: str = "say", batch: str | None = None, **more: object
) -> Send:
    """A part that waits."""
    content = {"text": text, **more}
    kind = "image" if "picture" in more else "text"
    return Send(
        number, "c", "v", f"e{number}", 0, kind, weight, content, "todo", None, batch, None, 0, ""
    )


PATIENCE = row(1, "请稍等", weight="notice", passing=True)


# --- messages that are made ----------------------------------------------------------------------


@pytest.mark.parametrize("answer", [row(2, "", picture="p"), row(2, "a" * 2047)])
def test_a_plea_for_patience_goes_with_any_answer_and_is_no_empty_message(answer: Send) -> None:
    letter = compose([PATIENCE, answer], left=5, menus=True)
    assert letter is not None
    assert letter.rows == (PATIENCE, answer)
    assert letter.kind == "image" or letter.text == "a" * 2047


def test_a_notice_that_may_have_arrived_keeps_nothing_heavier_back() -> None:
    waiting = [row(1, "由小林接手", weight="notice", batch="b1"), row(2, "您好，我来处理")]
    letter = compose(waiting, left=2, menus=True)
    assert letter is not None and letter.text == "您好，我来处理"


# --- replies that come at the end of their time ---------------------------------------------------


async def test_a_reply_that_its_callback_did_not_wait_for_survives_a_store_that_is_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = scene.desk.context.storage.write
    slow, failing = [1], [1]

    async def slowly(work: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - of Storage
        if work is dispatching.take_back and failing:
            failing.pop()
            raise OperationalError("", {}, Exception("database is locked"))
        done = await write(work, *args, **kwargs)
        if getattr(work, "__name__", "") == "_commit_round" and done.decided.passive and slow:
            slow.pop()
            # The disk takes its time over the commit; the callback gives up meanwhile.
            await asyncio.sleep(4.5)
        return done

    monkeypatch.setattr(scene.desk.context.storage, "write", slowly)
    await scene.double.write(LAN, "房间没打扫")
    await scene.until(lambda: texts(scene) == ["好的：房间没打扫"])
    assert not slow and not failing


async def test_a_message_that_is_brought_again_is_not_answered_in_two_ways(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_path: str, _body: Body) -> Body | int:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
        return says("想好了")

    await arrived(scene)
    scene.rasa.script = slowly
    write = scene.desk.context.storage.write

    async def late(work: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - of Storage
        done = await write(work, *args, **kwargs)
        if getattr(work, "__name__", "") == "_commit_round" and done.decided.passive:
            await asyncio.sleep(1.5)
        return done

    monkeypatch.setattr(scene.desk.context.storage, "write", late)
    account = scene.desk.context.wechat.get(ACCOUNT)
    assert account is not None
    content = scene.received()[0]["content"]
    inbound = Inbound.from_wire({**content, "key": "m-77", "text": "房间没打扫"})

    async def brought(patience: float) -> str | None:
        slot = scene.wechat.slots.prepare((ACCOUNT, inbound.key), patience)
        return await receiving.receive(scene.wechat, account, inbound, slot=slot)

    assert await brought(0.4) is None
    again = asyncio.create_task(brought(1.0))
    await asyncio.sleep(0.3)
    gate.set()
    heard = [text for text in (await again,) if text]
    await settled(scene, number=2)
    await asyncio.sleep(2)
    await settled(scene, number=2)
    assert [*heard, *texts(scene)[1:]] == ["想好了"]


async def test_the_welcome_is_said_once_however_slow_the_store_is(scene: Scene) -> None:
    began, over = threading.Event(), threading.Event()

    def keep() -> None:
        with scene.store.write():
            began.set()
            over.wait(6.0)

    thread = threading.Thread(target=keep)
    thread.start()
    await asyncio.to_thread(began.wait)
    told = await scene.double.follow(LAN)
    over.set()
    thread.join()
    assert told.attempts >= 2
    await asyncio.sleep(3)
    assert len(texts(scene)) == 1


# --- quick replies -------------------------------------------------------------------------------


async def test_a_number_does_not_choose_what_was_never_shown(tmp_path: Path) -> None:
    async with a_scene(tmp_path, accounts=({"custom_messages": False},)) as scene:
        gate, loop = asyncio.Event(), asyncio.get_running_loop()

        def slowly(path: str, body: Body) -> Body | int:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(30)
            return asks(path, body)

        scene.rasa.script = slowly
        await scene.double.write(LAN, "家电")
        gate.set()
        await scene.until(lambda: "held" in states(scene))
        scene.rasa.script = lambda _path, _body: says("记下了")
        await scene.double.write(LAN, "2")
        assert scene.rasa.messages()[-1]["text"] == "2"


# --- names of WeCom ------------------------------------------------------------------------------


async def test_what_wecom_may_have_keeps_its_name_when_it_is_busy(kf: Scene) -> None:
    await kf.double.kf_write(LAN, "您好")
    await kf.double.sees(LAN, "好的")
    kf.double.drop(KF_SEND)
    kf.double.fail(KF_SEND, 45033)
    await tell(kf, str(kf.conversation(LAN)["id"]), said("已为您改签"))
    await settled(kf, number=2)
    assert len(kf.double.calls(KF_SEND)) == 4
    assert texts(kf)[1:] == ["已为您改签"]


async def test_what_wecom_may_have_keeps_its_name_when_the_session_ends(kf: Scene) -> None:
    await kf.double.kf_write(LAN, "您好")
    await kf.double.sees(LAN, "好的")
    kf.double.drop(KF_SEND)
    await tell(kf, str(kf.conversation(LAN)["id"]), said("已为您改签"))
    await kf.until(lambda: len(kf.double.calls(KF_SEND)) == 2)
    kf.double.accounts[ACCOUNT].customers[LAN].state = ENDED
    await kf.until(lambda: states(kf)[1:] == ["held"])
    await kf.double.kf_write(LAN, "在吗")
    await settled(kf, number=3)
    assert len([text for text in texts(kf) if "改签" in text]) == 1


# --- two desks -----------------------------------------------------------------------------------


def test_no_second_call_begins_while_a_desk_looks_for_what_is_due(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.is_sqlite:
        pytest.skip("one desk only")
    drafts = [Draft(f"e{place}", 0, "text", "say", {"text": "x"}) for place in range(3)]
    with store.write() as db:
        who = customers.of_wechat(db, "lanting", LAN, "顾客", NOON)
        contact = contacts.add(db, ACCOUNT, LAN, who.id, NOON)
        store_sends.plan(db, contact.id, None, drafts, NOON)
    now = NOON + timedelta(seconds=1)
    # Only slower: waits after it has seen the rows, and before it locks any.
    slow = under_way._READY.where(select(func.pg_sleep(1.0)).scalar_subquery().isnot(None))
    found: list[Any] = []

    def other() -> None:
        with store.write() as db:
            found.extend(under_way.ready(db, [ACCOUNT], now, 200))

    monkeypatch.setattr(under_way, "_READY", slow)
    thread = threading.Thread(target=other)
    thread.start()
    time.sleep(0.4)
    monkeypatch.undo()
    with store.write() as db:
        [(_, rows)] = under_way.ready(db, [ACCOUNT], now, 200)
        under_way.begin(db, [("b1", "custom", [rows[0].id])], now + timedelta(seconds=30))
        # As each call does: the row of the contact changes.
        contacts.follow(db, contact.id, True)
    thread.join()
    assert found == []
    assert [one["state"] for one in _rows(store)] == ["sending", "todo", "todo"]


def _rows(store: Database) -> list[dict[str, Any]]:
    with store.read() as db:
        found = db.execute(select(store_sends.wechat_sends).order_by("id"))
        return [dict(one._mapping) for one in found]
