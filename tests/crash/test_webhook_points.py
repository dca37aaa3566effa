"""The fault points of the generic channel; the source tries again, and so does the desk."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from recovery.clock import utc_now
from recovery.signing import HEADER, sign
from tests.crash.scene import Scene
from tests.desk.people import PATIENCE, until
from tests.desk.scripted_rasa import scripted_rasa
from tests.desk.webhook.scene import SECRETS, OtherSide, other_side, sources
from tests.support.stack import Stack

WEBHOOK = ["webhook-taken", "webhook-answered"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, OtherSide]]:
    """One desk for all of them."""
    with pytest.MonkeyPatch.context() as patch, scripted_rasa() as rasa:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        with other_side(utc_now) as other:
            folder = tmp_path_factory.mktemp("webhook")
            stack = Stack(folder, rasa=[rasa.url], webhooks=sources(other))
            try:
                scene = Scene(stack)
                scene.start("desk")
                stack.wait_ready()
                yield scene, other
            finally:
                stack.stop()


async def brought(url: str, body: bytes) -> dict[str, str]:
    """Bring a message as a source does: until the desk says that it has it."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        while True:
            headers = {HEADER: sign(SECRETS["APP_SECRET"], body, utc_now())}
            try:
                answer = await http.post(url, content=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                found: dict[str, str] = answer.json()
                return found


@pytest.mark.parametrize("point", WEBHOOK)
async def test_no_message_is_lost_or_taken_twice(
    whole: tuple[Scene, OtherSide], point: str
) -> None:
    scene, other = whole
    writer = f"u-{point}"
    body = json.dumps({"id": point, "from": {"id": writer}, "text": "房间太吵"}).encode()
    scene.arm(point)
    bringing = asyncio.create_task(brought(f"{scene.stack.url}/api/webhooks/app/messages", body))
    await scene.survive("desk")
    taken = await bringing
    # Whether the answer came through before the desk died is nobody's promise.
    assert taken["state"] == "repeated" or point == "webhook-answered"
    own = "SELECT count(*) FROM inbox WHERE conversation_id = ?"
    await scene.ledger.rest()
    todo = "SELECT count(*) FROM webhook_sends WHERE state != 'sent'"
    await until(lambda: other.to(writer) and scene.ledger.count("desk", todo) == 0)
    assert scene.ledger.count("desk", own, taken["conversation"]) == 1
    seen = other.to(writer)
    assert {event["text"] for event in seen} == {"好的：房间太吵"}
    # Nobody knows whether the source has it when the desk dies: again, under the same id.
    assert len(seen) == (2 if point == "webhook-answered" else 1)
    assert len({event["id"] for event in seen}) == 1
    assert other.wrong == []
    scene.disarm()
