"""Health, metrics and logs of the three processes."""

import asyncio
import json
import uuid

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.desk.orders import an_order
from tests.desk.people import PATIENCE, Agent, complain, guest, offers, the_button
from tests.support.stack import Stack

PROCESSES = ("desk", "actions", "rasa")


async def fetch(stack: Stack, process: str, path: str) -> httpx.Response:
    base = f"http://127.0.0.1:{stack.ports[process]}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20) as http:
        return await http.get(path)


@pytest.mark.parametrize("process", PROCESSES)
async def test_each_process_says_that_it_lives_and_is_ready(stack: Stack, process: str) -> None:
    alive = await fetch(stack, process, "/healthz")
    assert (alive.status_code, alive.json()["status"]) == (200, "up")
    ready = await fetch(stack, process, "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_a_desk_without_rasa_lives_and_says_that_it_is_not_ready(alone: Stack) -> None:
    alive = await fetch(alone, "desk", "/healthz")
    assert (alive.status_code, alive.json()) == (200, {"status": "up"})
    ready = await fetch(alone, "desk", "/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "warming", "rasa": False})
    async with guest(alone) as one:
        shown = await one.customer.http.get("/api/rooms/lanting-lobby")
        assert shown.json()["status"] == "warming", "the pages answer and say so"


@pytest.mark.parametrize("process", ["actions", "rasa"])
async def test_only_the_desk_has_anything_for_a_visitor(stack: Stack, process: str) -> None:
    paths = ("/", "/metrics", "/api/rooms", "/conversations/x/tracker", "/model", "/domain")
    for path in paths:
        assert not (await fetch(stack, process, path)).is_success, path


async def test_rasa_answers_nobody_without_the_token(stack: Stack) -> None:
    base = f"http://127.0.0.1:{stack.ports['rasa']}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE) as http:
        for headers in ({}, {"Authorization": "Bearer guessed"}, {"Authorization": ""}):
            for path in ("/desk/messages", "/desk/overheard", "/desk/spoken"):
                answer = await http.post(path, json={}, headers=headers)
                assert answer.status_code == 401, (path, headers)


async def metrics(stack: Stack) -> dict[str, float]:
    """All samples; labels are part of the name as in the text format."""
    answer = await fetch(stack, "desk", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def test_metrics_count_what_happens(stack: Stack) -> None:
    order = an_order(stack)
    before = await metrics(stack)
    async with guest(stack) as one:
        await complain(one)
        said = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        (offer,) = offers(said)
        message_id = uuid.uuid4().hex
        await one.chat.say("请问可以开发票吗？", message_id)
        await one.chat.answered(message_id)
        await one.chat.say("请问可以开发票吗？", message_id)
        await one.chat.until(
            lambda page: any(f["type"] == "ack" and f["repeated"] for f in page.frames)
        )
        refused = await one.chat.answered(await one.chat.say(" "))
        assert refused["code"] == "empty"
        await one.tell("就这样办", the_button(said, "就这样办"))
        for item in offer["items"]:
            await one.chat.event(kind="progress", title=item["title"])
        during = await metrics(stack)
        assert during["huixin_sockets"] == before["huixin_sockets"] + 2
        await one.tell("我要找人工客服，转人工")
    after = await metrics(stack)

    def grown(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert grown("huixin_messages_total{outcome=taken}") == 5
    assert grown("huixin_messages_total{outcome=repeated}") == 1
    assert grown("huixin_messages_total{outcome=empty}") == 1
    # The event that the customer entered is answered too.
    assert grown("huixin_answer_seconds_count") == 6
    assert grown("huixin_rasa_seconds_count") >= 6
    assert grown("huixin_handovers_total{reason=asked}") == 1
    remedies = [name for name in after if name.startswith("huixin_remedies_total")]
    assert sum(grown(name) for name in remedies) == len(offer["items"])
    assert after["huixin_messages_waiting"] == 0
    assert after["huixin_sockets"] == before["huixin_sockets"]
    assert "huixin_rasa_failures_total" in after


async def test_messages_that_wait_are_counted(alone: Stack) -> None:
    async def waiting() -> float:
        return (await metrics(alone))["huixin_messages_waiting"]

    async with guest(alone) as one:
        async with asyncio.timeout(PATIENCE):
            # Each waits for a second only: this desk gives Rasa up soon.
            while await waiting() < 1:
                answer = await one.room.answered(await one.room.say("有人吗"))
                assert answer["type"] == "ack"
        async with asyncio.timeout(PATIENCE):
            while await waiting() > 0:
                pass


MARKED = {
    "the customer's name": "欧阳墨麒麟",
    "a post": "琉璃麒麟",
    "a private message": "翡翠凤凰",
    "a phone number": "13987612345",
    "what staff say": "玄铁大雁",
    "a note of staff": "白玉蜻蜓",
}


async def test_logs_are_json_and_hold_no_word_of_anybody(stack: Stack, lin: Agent) -> None:
    order = an_order(stack)
    async with guest(stack, name=MARKED["the customer's name"]) as one:
        await one.post(
            f"{MARKED['a post']}房间没打扫，太脏了，气死我了，电话{MARKED['a phone number']}"
        )
        await one.enter()
        await one.tell(f"{MARKED['a private message']}，请问{{matter}}")
        said = await one.tell(f"订单号{order.number}，手机后四位{order.last4}")
        refused = await one.chat.answered(
            await one.chat.say(MARKED["a private message"], button="x.y")
        )
        assert refused["type"] == "refused"
        await one.chat.send(MARKED["a private message"])
        await one.tell("就这样办", the_button(said, "就这样办"))
        await lin.done(one.conversation, "take")
        text = MARKED["what staff say"]
        await lin.done(one.conversation, "answer", id=uuid.uuid4().hex, text=text)
        await one.tell(MARKED["a private message"])
        await lin.done(one.conversation, "give_back", note=MARKED["a note of staff"], force=True)
        await one.tell("谢谢")

        secrets = stack.secrets
        hidden = {
            **MARKED,
            "an order number": order.number,
            "the order's title": order.title,
            "an invitation": one.calls()[-1]["token"],
            "a quick reply": the_button(said, "就这样办"),
            "the customer's cookie": one.customer.http.cookies["huixin_session"],
            "the cookie of staff": lin.login.cookie,
            "the token of staff": lin.login.csrf,
            "the key": secrets["signing_key"],
            "the token of Rasa": secrets["rasa_token"],
        }
        for process in PROCESSES:
            log = stack.log(process)
            lines = [line for line in log.splitlines() if line.strip()]
            assert lines, process
            for line in lines:
                assert isinstance(json.loads(line), dict), f"{process}: {line[:200]}"
            for what, word in hidden.items():
                assert word not in log, f"{process} logs {what}"
                assert json.dumps(word)[1:-1] not in log, f"{process} logs {what}, escaped"
        assert one.conversation in stack.log("rasa"), "turns are logged by conversation"


async def test_trouble_is_logged_with_the_conversation(alone: Stack) -> None:
    async with guest(alone, name=MARKED["the customer's name"]) as one:
        await one.post(f"{MARKED['a post']}，有人吗，电话{MARKED['a phone number']}")
        lines = [json.loads(line) for line in alone.log("desk").splitlines()]
        about = [line for line in lines if line.get("conversation") == one.thread]
        assert about, "Rasa was away, and the log says for whom"
        assert {line["level"] for line in about} <= {"warning", "error"}
        for line in about:
            assert line["timestamp"].endswith("Z")
        log = alone.log("desk")
        for what in ("the customer's name", "a post", "a phone number"):
            assert MARKED[what] not in log
