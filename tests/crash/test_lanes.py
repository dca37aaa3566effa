"""The router's lanes when Rasa is away, slow or failing, and when owners change under way."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, select

from desk.__main__ import make_context
from desk.context import Context
from desk.conversations import ownership
from desk.conversations.commit import commit_answer, commit_holding
from desk.conversations.ingest import Incoming, take
from desk.conversations.rasa import Answer, RasaAwayError
from desk.conversations.router import Router
from recovery.case import Case
from recovery.settings import load_settings
from recovery.store import cases, conversations, customers, inbox, staff
from recovery.store.conversations import Conversation
from recovery.store.inbox import Message
from recovery.store.staff import Staff
from recovery.store.tables import outbox
from tests.support.stack import ROOT

FURIOUS = {
    "text": "",
    "intent": {"name": "insult", "confidence": 0.9},
    "emotion": {"anger": 3, "score": 0.9, "signals": {}, "flags": []},
}
HEARD = Answer(
    [
        {"text": "听到了。", "response": "say_greet", "variant": "v1"},
        {"custom": {"commands": [], "own": []}},
    ],
    FURIOUS,
    failed=False,
)
MANY = 120


@dataclass
class Rasa:
    """Stands in for `desk.conversations.rasa.Rasa`; `answer` may be changed while it runs."""

    answer: Callable[[dict[str, Any]], Answer]
    asked: list[dict[str, Any]] = field(default_factory=list)
    overheard: list[dict[str, Any]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, conversation: str, body: dict[str, Any]) -> Answer:
        self.asked.append(body)
        self.called.set()
        return self.answer(body)

    async def overhear(self, conversation: str, body: dict[str, Any]) -> dict[str, Any]:
        self.overheard.append(body)
        self.called.set()
        await self.gate.wait()
        return FURIOUS


def away(_: dict[str, Any]) -> Answer:
    raise RasaAwayError("away")


def well(_: dict[str, Any]) -> Answer:
    return HEARD


class Desk:
    """A desk without its web server."""

    def __init__(self, context: Context, answer: Callable[[dict[str, Any]], Answer]) -> None:
        self.context = context
        self.rasa = Rasa(answer)
        self.router = Router(context, self.rasa)  # type: ignore[arg-type]  # stands in
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def private(self) -> Conversation:
        """A private chat with a case, whose events are collected."""

        def begin(db: Connection) -> Conversation:
            now = self.context.clock()
            customer, _ = customers.begin_session(db, None, "qinghe", "小赵", None, now)
            case = Case(f"s{customer.id[1:]}", facts={"failure": "late"})
            cases.save(db, case, "qinghe", customer.id, now)
            return conversations.begin(db, "qinghe", customer.id, now, case_id=case.id)

        begun = await self.context.storage.write(begin)
        self.shown[begun.id] = []
        self.context.hub.listen(begun.stream, lambda entry: self._show(begun.id, entry.event))
        return begun

    def _show(self, conversation: str, event: dict[str, Any]) -> None:
        self.shown[conversation].append(event)

        async def tell() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def say(self, conversation: Conversation, text: str = "你们太过分了") -> Message:
        incoming = Incoming(conversation.id, uuid.uuid4().hex, text)
        taken = await self.context.storage.write(take, self.context, incoming, self.context.clock())
        self.router.add(taken.message)
        return taken.message

    async def until(self, check: Callable[[], bool]) -> None:
        async with self._news, asyncio.timeout(30):
            await self._news.wait_for(check)

    async def done(self, message: Message) -> Message:
        """Wait until a message is answered or heard."""
        async with asyncio.timeout(30):
            while True:
                found = await self.context.storage.read(inbox.load, message.id)
                if found and found.state == "done":
                    return found
                await asyncio.sleep(0.02)

    def authors(self, conversation: Conversation) -> list[str]:
        return [event.get("author", event["kind"]) for event in self.shown[conversation.id]]

    async def member(self) -> Staff:
        def add(db: Connection) -> Staff:
            return staff.add(db, "li", "李娜", "agent", "correct horse", self.context.clock())

        return await self.context.storage.write(add)

    async def taken_by(self, who: Staff, conversation: Conversation) -> None:
        await self.context.storage.write(
            ownership.take, self.context, conversation.id, who, self.context.clock()
        )

    async def given_back_by(self, who: Staff, conversation: Conversation) -> None:
        def give_back(db: Connection) -> None:
            """Also where the customer waits for an answer."""
            now = self.context.clock()
            ownership.give_back(db, self.context, conversation.id, who, "", now, force=True)

        await self.context.storage.write(give_back)

    async def anger(self, conversation: Conversation) -> int:
        case = await self.context.storage.read(cases.load, conversation.case_id)
        assert case is not None
        return case.level


@pytest.fixture
async def make_desk(tmp_path: Path) -> AsyncIterator[Callable[..., Desk]]:
    """Gives a maker of desks, which are stopped after the test."""
    made: list[Desk] = []

    def make(answer: Callable[[dict[str, Any]], Answer], **changes: Any) -> Desk:  # noqa: ANN401
        settings = yaml.safe_load((ROOT / "huixin.yml").read_text("utf-8"))
        settings["businesses"] = [{"privacy_notice": ""} | one for one in settings["businesses"]]
        settings |= {"data": "var", "holding_seconds": 0.3, "give_up_seconds": 60, **changes}
        file = tmp_path / "huixin.yml"
        file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        made.append(Desk(make_context(load_settings(file)), answer))
        return made[-1]

    yield make
    for desk in made:
        await desk.router.stop()
        desk.context.storage.close()


async def test_everyone_is_asked_for_patience_and_then_answered(
    make_desk: Callable[..., Desk],
) -> None:
    # More conversations than calls that may be under way at the same time.
    desk = make_desk(away)
    talks = [await desk.private() for _ in range(MANY)]
    for talk in talks:
        await desk.say(talk)
    await desk.until(lambda: all("system" in desk.authors(talk) for talk in talks))
    desk.rasa.answer = well
    desk.router.rasa_ready.set()
    await desk.until(lambda: all("bot" in desk.authors(talk) for talk in talks))
    # (One's own message is shown by the channel, which is not here.)
    assert [desk.authors(talk) for talk in talks] == [["system", "bot"]] * MANY


async def test_patience_is_not_asked_for_after_the_answer(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(well)
    talk = await desk.private()
    message = await desk.done(await desk.say(talk))
    committed = await desk.context.storage.write(
        commit_holding, desk.context, message, desk.context.clock()
    )
    assert committed.entries == []
    assert desk.authors(talk) == ["bot"]


async def test_answer_is_committed_once(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(well)
    talk = await desk.private()
    message = await desk.done(await desk.say(talk))
    again = await desk.context.storage.write(
        commit_answer, desk.context, message, HEARD, desk.context.clock()
    )
    assert again.entries == []
    present = await desk.context.storage.read(conversations.load, talk.id)
    assert present is not None and present.turns == 1


async def test_message_is_heard_when_a_person_takes_over_while_rasa_is_away(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(away)
    who, talk = await desk.member(), await desk.private()
    message = await desk.say(talk)
    await asyncio.wait_for(desk.rasa.called.wait(), 30)
    await desk.taken_by(who, talk)
    desk.rasa.gate.set()
    await desk.done(message)
    assert [body["message_id"] for body in desk.rasa.overheard] == [message.id]
    # Measured, not taken for calm.
    assert await desk.anger(talk) == 3
    assert "bot" not in desk.authors(talk)


async def test_bot_answers_what_was_being_heard_when_it_got_the_conversation_back(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(well)
    who, talk = await desk.member(), await desk.private()
    await desk.taken_by(who, talk)
    message = await desk.say(talk)
    await asyncio.wait_for(desk.rasa.called.wait(), 30)
    await desk.given_back_by(who, talk)
    desk.rasa.gate.set()
    await desk.done(message)
    await desk.until(lambda: "bot" in desk.authors(talk))
    assert desk.authors(talk).count("bot") == 1


async def test_turns_that_failed_before_a_restart_cost_no_time(
    make_desk: Callable[..., Desk],
) -> None:
    failed = Answer([], FURIOUS, failed=True, repeated=True)
    tries = 25

    def answer(body: dict[str, Any]) -> Answer:
        return HEARD if body["message_id"].endswith(f".{tries}") else failed

    # With a pause after each the customer would wait for more than a minute.
    desk = make_desk(answer, give_up_seconds=5)
    talk = await desk.private()
    message = await desk.say(talk)
    await desk.done(message)
    await desk.until(lambda: bool(desk.authors(talk)))
    assert desk.authors(talk) == ["bot"]
    assert [body["message_id"] for body in desk.rasa.asked] == [
        message.id,
        *(f"{message.id}.{n}" for n in range(1, tries + 1)),
    ]


async def test_lane_goes_on_behind_a_message_that_cannot_be_handled(
    make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(well)
    talk = await desk.private()
    read = desk.context.storage.read
    poisoned: list[str] = []

    async def breaking(work: Any, *values: Any) -> Any:  # noqa: ANN401 - as in Storage
        if any(isinstance(one, Message) and one.id in poisoned for one in values):
            raise LookupError("not configured any more")
        return await read(work, *values)

    async def refusing(*_: Any) -> Any:  # noqa: ANN401 - as in Storage
        raise LookupError("not configured any more")

    write = desk.context.storage.write
    monkeypatch.setattr(desk.context.storage, "read", breaking)
    first = await write(
        take, desk.context, Incoming(talk.id, "client-0001", "第一条"), desk.context.clock()
    )
    second = await write(
        take, desk.context, Incoming(talk.id, "client-0002", "第二条"), desk.context.clock()
    )
    poisoned.append(first.message.id)
    monkeypatch.setattr(desk.context.storage, "write", refusing)
    desk.router.add(first.message)
    desk.router.add(second.message)
    await asyncio.wait_for(desk.rasa.called.wait(), 30)
    monkeypatch.undo()
    await desk.done(second.message)
    # What could not be handled is not lost: the next start takes it up.
    waiting = await desk.context.storage.read(inbox.waiting)
    assert [message.id for message in waiting] == [first.message.id]


async def test_messages_of_one_conversation_are_answered_in_order(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk(well)
    talk = await desk.private()
    sent = [await desk.say(talk, f"第{n}条") for n in range(20)]
    await desk.done(sent[-1])

    def replies(db: Connection) -> list[str]:
        rows = db.execute(
            select(outbox.c.id)
            .where(outbox.c.stream == talk.stream, outbox.c.id.like("%.r0"))
            .order_by(outbox.c.seq)
        )
        return [row.id for row in rows]

    assert await desk.context.storage.read(replies) == [f"{message.id}.r0" for message in sent]
