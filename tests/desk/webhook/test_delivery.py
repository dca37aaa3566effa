"""The road out to a source: in order, again until it arrives, under one id, by several desks."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from desk.channels.webhook.posting import open_http, post
from recovery.store.database import stamp
from recovery.store.tables import webhook_contacts, webhook_sends
from tests.desk.people import until
from tests.desk.postgres import new_database
from tests.desk.webhook.scene import Scene, a_scene

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


def answering(*statuses: int, **headers: str) -> Any:  # noqa: ANN401
    """Answer calls so one after the other, then take all."""
    left = list(statuses)

    def answer(_source: str, _event: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        return (left.pop(0), headers) if left else None

    return answer


async def test_what_fails_for_now_is_sent_again_in_order_under_its_id(scene: Scene) -> None:
    left = [500, 302]
    scene.other.answers = lambda _, event: (
        (left.pop(0), {"Location": "http://127.0.0.1:9/"})
        if left and "一" in event["text"]
        else None
    )
    await scene.say("u1", "一")
    await scene.say("u1", "二")
    await scene.heard("u1", 1)
    # Somebody else does not wait with them.
    await scene.say("u2", "三")
    await scene.heard("u2", 1)
    for number in (2, 3):
        await until(lambda: not scene.sends("sending"))
        scene.clock.wind(minutes=1)
        await scene.heard("u1", number)
    heard = await scene.heard("u1", 4)
    assert [event["text"] for event in heard] == ["好的：一"] * 3 + ["好的：二"]
    assert len({event["id"] for event in heard}) == 2
    # A source that wants to be left alone is left alone so long.
    scene.other.answers = answering(429, **{"Retry-After": "600"})
    await scene.say("u1", "四")
    await scene.heard("u1", 5)
    await until(lambda: scene.sends("todo"))
    [row] = scene.sends("todo")
    assert row["status"] == 429
    waits = datetime.fromisoformat(row["due_at"]) - scene.clock()
    assert timedelta(minutes=8) < waits <= timedelta(minutes=10)
    scene.clock.wind(minutes=10)
    await scene.heard("u1", 6)
    # After a day nobody tries any more; what follows goes.
    scene.other.answers = lambda _, event: (503, {}) if "五" in event["text"] else None
    await scene.say("u1", "五")
    await scene.say("u1", "六")
    await scene.heard("u1", 7)
    await until(lambda: not scene.sends("sending"))
    scene.clock.wind(hours=24)
    await until(lambda: "好的：六" in scene.other.texts("u1"))
    [failed] = scene.sends("failed")
    assert (failed["status"], failed["problem"]) == (503, "HTTP 503")


async def test_a_source_that_refuses_our_signature_is_left_alone_and_operators_see_it(
    scene: Scene,
) -> None:
    scene.other.answers = answering(401)
    await scene.say("p1", "一")
    await scene.heard("p1", 1)
    await until(lambda: scene.sends("todo"))
    await scene.say("p2", "二")
    metrics = (await scene.http.get("/metrics")).text
    assert 'huixin_webhook_paused{source="app"} 1.0' in metrics
    # Nobody is called there meanwhile; another source goes on.
    await scene.say("w1", "三", source="weibo")
    await scene.heard("w1", 1)
    assert scene.other.to("p2") == []
    scene.clock.wind(minutes=6)
    await scene.heard("p2", 1)
    await scene.heard("p1", 2)
    await until(lambda: not scene.sends("sending"))
    assert 'paused{source="app"} 0.0' in (await scene.http.get("/metrics")).text


async def test_somebody_who_is_gone_is_written_to_no_more_until_they_write(scene: Scene) -> None:
    scene.other.answers = answering(410)
    await scene.say("g1", "一")

    def blocked() -> list[Any]:
        return scene.rows(webhook_contacts, webhook_contacts.c.blocked_until.is_not(None))

    [contact] = await until(blocked)
    assert contact["external_id"] == "g1" and contact["blocked_until"].startswith("9999")
    await scene.say("g1", "二")
    await scene.heard("g1", 2)
    assert scene.other.texts("g1") == ["好的：一", "好的：二"]


async def test_no_call_leads_into_a_private_network_unless_the_settings_say_so(
    scene: Scene,
) -> None:
    source = scene.desk.context.webhooks.get("app")
    assert source is not None
    async with open_http() as http:
        for url in ("https://10.0.0.8/x", "https://[fd00::1]/x", "https://169.254.169.254/x"):
            there = replace(source, settings=source.settings.model_copy(update={"url": url}))
            ending = await post(http, there, {"id": "e"}, scene.clock())
            assert ending.status is None and "private_addresses" in str(ending.problem)


async def test_two_desks_bring_each_word_once_and_in_order(tmp_path: Path, postgres: str) -> None:
    url = new_database(postgres, f"test_{secrets.token_hex(4)}")
    async with a_scene(tmp_path, desks=2, database=url) as [one, two]:
        body = {"id": "same", "from": {"id": "v"}, "text": "同一条"}
        answers = await asyncio.gather(*(desk.post(body) for desk in (one, two) * 3))
        states = Counter(answer.json()["state"] for answer in answers)
        assert states == {"taken": 1, "repeated": 5}
        assert len({answer.json()["message"] for answer in answers}) == 1
        writers = [f"u{number}" for number in range(6)]
        for round_ in range(4):
            for place, desk in enumerate((one, two)):
                await asyncio.gather(
                    *(
                        desk.say(who, f"{round_}{place}", id=f"{who}-{round_}-{place}")
                        for who in writers
                    )
                )
        wanted = [f"好的：{round_}{place}" for round_ in range(4) for place in range(2)]
        texts = one.other.texts
        await until(lambda: all(len(texts(who)) == len(wanted) for who in writers))
        await until(lambda: not one.sends("todo") and not one.sends("sending"))
        assert all(sorted(one.other.texts(who)) == wanted for who in writers)
        told = one.rows(webhook_sends)
        for who in writers:
            [contact] = one.rows(webhook_contacts, webhook_contacts.c.external_id == who)
            rows = [row for row in told if row["contact_id"] == contact["id"]]
            in_order = [row["body"]["text"] for row in sorted(rows, key=lambda row: row["id"])]
            assert one.other.texts(who) == in_order
        await two.say("w1", "房间没打扫！", source="weibo")
        assert {event["visibility"] for event in await one.heard("w1", 2)} == {"public", "private"}
        # What a desk was sending when it died is sent by another, under the same id.
        last = one.other.to("v")[-1]
        with one.desk.context.storage.database.write() as db:
            db.execute(
                update(webhook_sends)
                .where(webhook_sends.c.event_id == last["id"])
                .values(state="sending", due_at=stamp(one.clock()))
            )
        assert [event["id"] for event in await one.heard("v", 2)] == [last["id"]] * 2
